//! Can one end reach the other, and why, or why not: by the rules, and by what lies past the policy.
//!
//! A question about several devices is answered for all pairs: *allowed* means every pair. Of a
//! refusal the first pair that is refused is explained.

use std::net::{IpAddr, Ipv4Addr};

use super::ends::Ends;
use super::privileges::may_log_in;
use crate::ast::{PortRange, Protocol};
use crate::policy::{Rule, Valid};
use crate::span::Span;
use crate::tables::assertions::{Assertions, Holds, Near, Party};
use crate::tables::ip_set::IpRange;
use crate::tables::verdict::{Classifier, Packet};
use crate::tables::{Access, INTERNET, Tables};
use crate::tailnet::{Node, NodeId};
use crate::time::Timestamp;

/// The answer to "can this reach that?".
#[derive(Debug)]
pub struct Answer {
    /// Whether every pair is let through.
    pub verdict: Verdict,
    /// How many pairs there are, and how many of them are let through.
    pub pairs: (usize, usize),
    /// The pair that the rest speaks of.
    pub pair: Option<Pair>,
    /// The rules that let it through, by their position in the policy.
    pub rules: Vec<u32>,
    /// The rules that came near, where nothing does.
    pub nearest: Vec<Near>,
    /// What the answer depends on.
    pub depends: Vec<String>,
    /// What stands in the way besides rules, or would if rules let it through.
    pub beyond: Vec<Beyond>,
}

/// Whether a flow is let through.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// It is.
    Allowed,
    /// It is not.
    Denied,
    /// The inventory does not say enough.
    Depends,
}

/// One sender and one receiver.
#[derive(Clone, Copy, Debug)]
pub struct Pair {
    /// The sender, where it is a device.
    pub src: Option<NodeId>,
    /// Its address.
    pub src_address: IpAddr,
    /// The receiver, where it is a device.
    pub dst: Option<NodeId>,
    /// Its address.
    pub dst_address: IpAddr,
}

/// Something past the policy that matters.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Beyond {
    /// A stable word for scripts: `route-not-approved`.
    pub kind: &'static str,
    /// A sentence for people.
    pub sentence: String,
}

/// What is asked to be carried.
#[derive(Clone, Copy, Debug)]
pub struct Question {
    /// The protocol.
    pub protocol: Protocol,
    /// The ports, all of which are meant.
    pub ports: PortRange,
    /// The time of the question, by which keys may have expired.
    pub now: Option<Timestamp>,
}

/// At most so many pairs are tried one by one: what more there is says nothing new.
const MAX_PAIRS: usize = 250_000;

/// Answers for every pair of the two ends.
pub fn ask(
    policy: Valid<'_>,
    tables: &Tables<'_>,
    src: &Ends,
    dst: &Ends,
    asked: Question,
) -> Answer {
    let (mut all, mut through) = (0, 0);
    let (mut refused, mut passed) = (None, None);
    let senders = addresses(tables, src);
    let mut judges = Judges { tables, known: Vec::new() };
    'pairs: for to in addresses(tables, dst).chunk_by(|a, b| a.0 == b.0 && a.0.is_some()) {
        for from in senders.chunk_by(|a, b| a.0 == b.0 && a.0.is_some()) {
            if all == MAX_PAIRS {
                break 'pairs;
            }
            // Nobody asks whether a device reaches itself.
            let (Some(first_from), Some(first_to)) = (from.first(), to.first()) else { continue };
            if first_from.0.is_some() && first_from.0 == first_to.0 && senders.len() > 2 {
                continue;
            }
            all += 1;
            let found = from.iter().find_map(|from| {
                let same = to.iter().filter(|it| it.1.is_ipv4() == from.1.is_ipv4());
                same.clone().find_map(|to| {
                    let pair =
                        Pair { src: from.0, src_address: from.1, dst: to.0, dst_address: to.1 };
                    judges.lets_through(&pair, asked).map(|rules| (pair, rules))
                })
            });
            match found {
                Some(found) => {
                    through += 1;
                    passed.get_or_insert(found);
                }
                None => {
                    let same = to.iter().find(|it| it.1.is_ipv4() == first_from.1.is_ipv4());
                    let to = same.unwrap_or(first_to);
                    refused.get_or_insert(Pair {
                        src: first_from.0,
                        src_address: first_from.1,
                        dst: to.0,
                        dst_address: to.1,
                    });
                }
            }
        }
    }
    match (refused, passed) {
        (None, Some((pair, rules))) => Answer {
            verdict: Verdict::Allowed,
            pairs: (all, through),
            pair: Some(pair),
            rules,
            nearest: Vec::new(),
            depends: Vec::new(),
            beyond: beyond(tables, &pair, asked),
        },
        (Some(pair), _) => {
            let explained = explain(policy, tables, &pair, asked);
            Answer { pairs: (all, through), pair: Some(pair), ..explained }
        }
        (None, None) => Answer {
            verdict: Verdict::Denied,
            pairs: (0, 0),
            pair: None,
            rules: Vec::new(),
            nearest: Vec::new(),
            depends: Vec::new(),
            beyond: nobody(src).into_iter().chain(nobody(dst)).collect(),
        },
    }
}

fn nobody(ends: &Ends) -> Option<Beyond> {
    ends.is_empty().then(|| Beyond {
        kind: "nobody",
        sentence: format!("no device of the inventory is meant by `{}`", ends.written),
    })
}

/// One address of the internet, which stands for all.
const SOMEWHERE: Ipv4Addr = Ipv4Addr::new(1, 1, 1, 1);

/// Every address of an end with its device; of ranges the first address stands for all.
fn addresses(tables: &Tables<'_>, ends: &Ends) -> Vec<(Option<NodeId>, IpAddr)> {
    let tailnet = tables.tailnet();
    if ends.internet {
        return vec![(None, SOMEWHERE.into())];
    }
    let of = |id: &NodeId| {
        let id = *id;
        let node = tailnet.node(id);
        node.into_iter().flat_map(Node::addresses).map(move |it| (Some(id), it))
    };
    let nodes = ends.nodes.iter().flat_map(of);
    let ranges = ends.ranges.iter().map(|it| (tailnet.node_at(it.first()), it.first()));
    nodes.chain(ranges).collect()
}

/// The devices that were asked about.
struct Judges<'a, 't> {
    tables: &'a Tables<'t>,
    known: Vec<Judge>,
}

/// A device's table, ready for packets.
struct Judge {
    node: NodeId,
    classifier: Classifier,
    /// The rules of each line.
    rules: Vec<Vec<u32>>,
    /// Every port at which some line begins or has ended.
    changes: Vec<u16>,
}

impl Judges<'_, '_> {
    /// The rules that let a pair through; `None` where some port of the question is not let through.
    fn lets_through(&mut self, pair: &Pair, asked: Question) -> Option<Vec<u32>> {
        let receivers = self.tables.receivers(pair.dst_address);
        receivers.into_iter().find_map(|id| {
            let judge = self.judge(id)?;
            let packet = |port| Packet {
                src: pair.src_address,
                dst: pair.dst_address,
                protocol: asked.protocol,
                port,
            };
            let mut rules: Vec<u32> = Vec::new();
            // Between two changes all ports fare alike.
            let mut port = asked.ports.first;
            loop {
                let line = judge.classifier.verdict(&packet(port))?;
                rules.extend(judge.rules.get(line.0 as usize).into_iter().flatten());
                let next = judge.changes.partition_point(|it| *it <= port);
                port = match judge.changes.get(next) {
                    Some(next) if *next <= asked.ports.last => *next,
                    _ => break,
                };
            }
            rules.sort_unstable();
            rules.dedup();
            Some(rules)
        })
    }

    fn judge(&mut self, node: NodeId) -> Option<&Judge> {
        if !self.known.iter().any(|it| it.node == node) {
            let table = self.tables.table(node);
            let all = self.tables.policy().rules.as_deref().unwrap_or_default();
            let position = |rule: &Rule| all.iter().position(|it| std::ptr::eq(it, rule));
            let rules = table.rules.iter().map(|line| {
                let origins = line.origins.iter().filter_map(|it| self.tables.origin(*it).rule);
                origins.filter_map(position).map(|it| it as u32).collect()
            });
            let mut changes = Vec::new();
            for line in &table.rules {
                if let Access::Ports { dst, .. } = &line.access {
                    changes.extend(dst.iter().map(|it| it.ports.first));
                    changes.extend(dst.iter().filter_map(|it| it.ports.last.checked_add(1)));
                }
            }
            changes.sort_unstable();
            changes.dedup();
            self.known.push(Judge {
                node,
                classifier: Classifier::new(self.tables, &table.rules),
                rules: rules.collect(),
                changes,
            });
        }
        self.known.iter().find(|it| it.node == node)
    }
}

/// Why a pair is not let through.
fn explain(policy: Valid<'_>, tables: &Tables<'_>, pair: &Pair, asked: Question) -> Answer {
    let party = |node: Option<NodeId>, address| node.map_or(Party::Address(address), Party::Device);
    let assertions = Assertions::unasked(policy, tables.tailnet());
    let (src, dst) = (party(pair.src, pair.src_address), party(pair.dst, pair.dst_address));
    let said = assertions.ask(src, dst, Some(asked.protocol), asked.ports.first);
    let mut depends = Vec::new();
    if said.holds == Holds::Depends {
        depends.push(unknown(tables, pair));
    }
    let mut beyond = beyond(tables, pair, asked);
    if let (Some(src), Some(dst), 22) = (pair.src, pair.dst, asked.ports.first)
        && said.holds == Holds::No
        && may_log_in(tables, src, dst)
    {
        beyond.push(Beyond {
            kind: "ssh-without-network",
            sentence:
                "a rule in `ssh` lets them log in, but no rule lets their packets reach port 22"
                    .to_owned(),
        });
    }
    if said.holds == Holds::Yes && beyond.is_empty() {
        beyond.push(Beyond {
            kind: "not-delivered",
            sentence: "the rules let it through, but no device has or routes the destination"
                .to_owned(),
        });
    }
    Answer {
        verdict: if said.holds == Holds::Depends { Verdict::Depends } else { Verdict::Denied },
        pairs: (0, 0),
        pair: None,
        rules: rules_at(tables, &said.by),
        nearest: said.nearest,
        depends,
        beyond,
    }
}

/// What the inventory does not say of a sender.
fn unknown(tables: &Tables<'_>, pair: &Pair) -> String {
    let name = pair.src.and_then(|it| tables.tailnet().node(it)).map(|it| it.name.to_string());
    let name = name.unwrap_or_else(|| pair.src_address.to_string());
    format!(
        "whether `{name}` meets a posture, holds a role or is in a synced group; the inventory does not say"
    )
}

/// The rules with a destination at one of these places.
fn rules_at(tables: &Tables<'_>, places: &[Span]) -> Vec<u32> {
    let rules = tables.policy().rules.as_deref().unwrap_or_default();
    let inside = |rule: &Rule| {
        places.iter().any(|it| rule.span.start <= it.start && it.end <= rule.span.end)
    };
    rules.iter().zip(0..).filter(|it| inside(it.0)).map(|it| it.1).collect()
}

/// What past the policy stands in the way of a pair.
fn beyond(tables: &Tables<'_>, pair: &Pair, asked: Question) -> Vec<Beyond> {
    let tailnet = tables.tailnet();
    let mut found = Vec::new();
    let mut say = |kind, sentence| found.push(Beyond { kind, sentence });
    let ends = [pair.src, pair.dst].into_iter().flatten().filter_map(|it| tailnet.node(it));
    for node in ends {
        let Some(details) = node.details.as_deref() else { continue };
        let name = &node.name;
        if let (Some(expiry), Some(now)) = (details.key_expiry, asked.now)
            && expiry <= now
        {
            say(
                "key-expired",
                format!("the key of `{name}` expired on {}: log in there again", expiry.date()),
            );
        }
        if details.authorized == Some(false) {
            say("not-authorized", format!("`{name}` waits to be approved in the admin console"));
        }
        if details.online == Some(false) {
            say("offline", format!("`{name}` is offline"));
        }
        if let Some(relay) = &details.relay {
            say(
                "relayed",
                format!(
                    "`{name}` was reached through the relay `{relay}` only, which is slower: no direct way was found"
                ),
            );
        }
    }
    let families = |id: Option<NodeId>| {
        let node = id.and_then(|it| tailnet.node(it))?;
        Some((node.ipv4.is_some(), node.ipv6.is_some()))
    };
    if let (Some(src), Some(dst)) = (families(pair.src), families(pair.dst))
        && !(src.0 && dst.0 || src.1 && dst.1)
    {
        say("no-shared-family", "one end has only IPv4 and the other only IPv6".to_owned());
    }
    if pair.dst.is_none() && tables.receivers(pair.dst_address).is_empty() {
        let advertised = |node: &&Node| {
            node.advertised
                .iter()
                .any(|net| net.prefix_len() > 0 && net.contains(&pair.dst_address))
        };
        let public = INTERNET.iter().any(|it| it.contains(pair.dst_address));
        let exit = |node: &&Node| node.advertised.iter().any(Node::is_exit_route);
        if let Some(router) = tailnet.nodes().iter().find(advertised) {
            let net = router.advertised.iter().find(|it| it.contains(&pair.dst_address));
            let net = net.map_or_else(String::new, |it| format!(" {it}"));
            say(
                "route-not-approved",
                format!("`{}` advertises the route{net}, but nobody approved it", router.name),
            );
        } else if let Some(router) = tailnet.nodes().iter().filter(|_| public).find(exit) {
            say(
                "exit-node-not-approved",
                format!("`{}` offers to be an exit node, but nobody approved it", router.name),
            );
        } else {
            let range = super::ends::range_text(IpRange::of(pair.dst_address));
            say("no-route", format!("no device has the address {range} or a route to it"));
        }
    }
    found
}
