//! Why nothing lets an assertion through: the rules that came near, and which of their parts fail.

use super::ends::{Ends, Side};
use super::rects::{Between, OWN_DEVICES, Probe, ports_of};
use super::*;
use crate::ast::ports::protocol_name;

/// A rule that came near, the place of its part that fails first, and what fails.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Near {
    /// Where that part is written.
    pub span: Span,
    /// Everything that fails, as it follows "this rule": "is for port 443, not 22".
    pub why: String,
    /// The parts that fail, in a word each.
    pub fails: Vec<&'static str>,
}

/// At most so many rules are shown for one assertion.
const SHOWN: usize = 3;

/// How near a rule is, the nearest first: the parts that fail, then whether the failing part is one
/// of its ends, then the place.
type Rank = (usize, bool, usize);

impl Assertions<'_> {
    /// The rules nearest to letting through a pair of a flow. One that has neither end is not near.
    pub(super) fn nearest_rules(&self, flow: &Flow, (src, dst): (usize, usize)) -> Vec<Near> {
        let between = flow.between();
        let mut ranked: Vec<(Rank, Near)> = Vec::new();
        for (at, rule) in self.rules.iter().enumerate() {
            let from = self.has(between.src, Side::Source, rule.src.iter().map(|it| it.value), src);
            let posture = self.posture_fails(&between, src, &rule.postures, flow.attributes);
            let each = rule.dst.iter().enumerate().map(|(position, it)| {
                let to = self.reaches(&between, it.target, (src, dst));
                let ports = flow.probe.passes(rule, position);
                let fails = [!from, !to, !ports, posture.is_some()];
                (fails, position, it.span)
            });
            let fewest = each.min_by_key(|it| it.0.iter().filter(|it| **it).count());
            let Some((fails, position, dst_span)) = fewest else { continue };
            let [source, destination, ports, _] = fails;
            if source && destination {
                continue;
            }
            let mut why = Vec::new();
            let src_span = rule.src.first().map_or(rule.span, |it| it.span);
            let span = if source { src_span } else { dst_span };
            if source {
                why.push("has other sources".to_owned());
            }
            if destination {
                why.push("has other destinations".to_owned());
            }
            if ports {
                why.push(wrong_ports(rule, position, flow.probe));
            }
            why.extend(posture.clone());
            if why.is_empty() {
                why.push("shares no address family with both ends".to_owned());
            }
            let parts = ["source", "destination", "port", "posture"];
            let fails = parts.into_iter().zip(fails).filter(|it| it.1).map(|it| it.0).collect();
            let rank = (why.len(), source || destination, at);
            ranked.push((rank, Near { span, why: why.join(", and "), fails }));
        }
        nearest(ranked)
    }

    /// The same for a pair of an SSH session.
    pub(super) fn nearest_ssh_rules(
        &self,
        session: &Session,
        (src, dst): (usize, usize),
    ) -> Vec<Near> {
        let between = session.between();
        let mut ranked: Vec<(Rank, Near)> = Vec::new();
        for (at, rule) in self.facts.policy.ssh.iter().enumerate() {
            let from = self.has(between.src, Side::Source, rule.src.iter().map(|it| it.value), src);
            let to = rule.dst.iter().any(|it| self.reaches(&between, it.value, (src, dst)));
            if !from && !to {
                continue;
            }
            let place = |list: &[Spanned<Target>]| list.first().map_or(rule.span, |it| it.span);
            let mut why = Vec::new();
            let mut span = None;
            if !from {
                span = span.or(Some(place(&rule.src)));
                why.push("has other sources".to_owned());
            }
            if !to {
                span = span.or(Some(place(&rule.dst)));
                why.push("has other destinations".to_owned());
            }
            if let Some(posture) =
                self.posture_fails(&between, src, &rule.postures, session.attributes)
            {
                span = span.or(Some(place(&rule.src)));
                why.push(posture);
            }
            let called = between.called(&self.facts, rule, &session.user);
            if !called.contains(src) {
                span = span.or(rule.users.first().map(|it| it.span));
                why.push(format!("is for other users than `{}`", session.user));
            }
            if why.is_empty() {
                continue;
            }
            let parts = [("source", !from), ("destination", !to), ("user", !called.contains(src))];
            let fails = parts.into_iter().filter(|it| it.1).map(|it| it.0).collect();
            let rank = (why.len(), !from || !to, at);
            let span = span.unwrap_or(rule.span);
            ranked.push((rank, Near { span, why: why.join(", and "), fails }));
        }
        nearest(ranked)
    }

    /// Whether some selector stands for an end.
    fn has(
        &self,
        ends: &Ends,
        side: Side,
        mut targets: impl Iterator<Item = Target>,
        end: usize,
    ) -> bool {
        targets.any(|it| {
            let touch = ends.touch(&self.facts, side, it);
            touch.certain.iter().any(|it| it.contains(NodeId(end as u32)))
        })
    }

    fn reaches(&self, between: &Between<'_>, target: Target, (src, dst): (usize, usize)) -> bool {
        if target != OWN_DEVICES {
            return self.has(between.dst, Side::Destination, std::iter::once(target), dst);
        }
        let user = |ends: &Ends, at: usize| {
            let node = ends.all.get(at).and_then(|it| it.node);
            node.and_then(|it| super::super::ssh::owner(self.facts.tailnet, it))
        };
        let caller = user(between.src, src);
        caller.is_some() && caller == user(between.dst, dst)
    }

    /// That a rule asks the source for a posture which it is not said to have.
    fn posture_fails(
        &self,
        between: &Between<'_>,
        src: usize,
        postures: &[PostureId],
        attributes: &str,
    ) -> Option<String> {
        if between.meets(postures) || !between.src.devices().contains(src) {
            return None;
        }
        let name = |it: &PostureId| {
            let posture = self.facts.policy.postures.get(it.0 as usize);
            posture.map(|it| format!("`{}`", it.name.value))
        };
        let names: Vec<String> = postures.iter().filter_map(name).collect();
        Some(format!("asks for {}, which {attributes} does not meet", names.join(" or ")))
    }
}

/// "is for tcp 443, not tcp 22".
fn wrong_ports(rule: &Rule, dst: usize, probe: Probe) -> String {
    const LISTED: usize = 4;
    let pairs = ports_of(rule, dst);
    if pairs.is_empty() {
        return "gives no network access".to_owned();
    }
    let protocol = |it: Option<Protocol>| it.map_or_else(String::new, protocol_name);
    let flat = pairs.iter().flat_map(|(of, ports)| ports.iter().map(move |it| (*of, *it)));
    let mut texts: Vec<String> = flat
        .map(|(of, ports)| match (protocol(of), ports) {
            (name, PortRange::ALL) if !name.is_empty() => name,
            (_, PortRange::ALL) => "tcp, udp and icmp".to_owned(),
            (name, ports) if name.is_empty() => format!("port {ports}"),
            (name, ports) => format!("{name} port {ports}"),
        })
        .collect();
    texts.dedup();
    let more = texts.len().saturating_sub(LISTED);
    texts.truncate(LISTED);
    if more > 0 {
        texts.push(format!("{more} more"));
    }
    let wanted = match (protocol(probe.protocol), probe.port) {
        (name, 0) => name,
        (name, port) if name.is_empty() => port.to_string(),
        (name, port) => format!("{name} port {port}"),
    };
    format!("is for {}, not {wanted}", texts.join(", "))
}

fn nearest(mut ranked: Vec<(Rank, Near)>) -> Vec<Near> {
    ranked.sort_by_key(|it| it.0);
    let first = ranked.first().map(|it| (it.0.0, it.0.1));
    let near = ranked.into_iter().take_while(|it| Some((it.0.0, it.0.1)) == first).map(|it| it.1);
    near.take(SHOWN).collect()
}
