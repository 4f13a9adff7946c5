//! What assertions would say of a policy in which one rule is another: which of them notice, and which
//! further one would.
//!
//! A rule only lets through, so a narrower rule can break nothing but an `accept`, and a wider one
//! nothing but a `deny`; the rules beside it need not be asked again where they already hold. SSH rules
//! are asked together, because one that checks takes away what another accepts.

use super::rects::ports_of;
use super::*;
use crate::ast::Autogroup;
use crate::ast::ports::has_ports;
use crate::ast::posture::{Comparison, Condition};
use crate::policy::assertions::Demand;
use crate::tables::routes::nodes_in;

/// Which rules the assertions that hold make use of.
#[derive(Debug)]
pub struct Exercise {
    /// For each rule, whether each of its destinations is reached by an assertion through it.
    pub rules: Vec<Vec<bool>>,
    /// The same for SSH rules: by one that asserts the rule's action.
    pub ssh: Vec<Vec<bool>>,
    /// For each rule, the `accept`s that it helps to hold.
    flows: Vec<Vec<u32>>,
    /// For each session, the SSH rules that have to do with it.
    sessions: Vec<Vec<u32>>,
}

/// A rule instead of another.
#[derive(Clone, Debug)]
pub enum Change {
    /// This one lets less through; `None`: nothing.
    Narrower(Option<Rule>),
    /// This one lets more through.
    Wider(Rule),
}

/// An assertion that nobody has written yet.
#[derive(Clone, Debug, PartialEq)]
pub struct Suggestion {
    /// Whether the destination is to be reached.
    pub accept: bool,
    /// As in the policy file.
    pub src: String,
    /// With its port.
    pub dst: String,
    /// `None` is TCP or UDP.
    pub protocol: Option<Protocol>,
    /// What the source is taken to be like, where the rule asks for a posture.
    pub attributes: Vec<(Text, Operand)>,
}

/// The same for SSH.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SshSuggestion {
    /// How the session ends now.
    pub outcome: SshOutcome,
    /// As in the policy file.
    pub src: String,
    /// As in the policy file.
    pub dst: String,
    /// The user of the host.
    pub user: String,
}

/// At most so many assertions are tried before a change is taken to mean nothing.
const TRIED: usize = 64;

/// At most so many subjects are tried for one selector.
const SUBJECTS: usize = 24;

impl Assertions<'_> {
    /// The rules, grants before acls; one that allows all where the file has neither section.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// Which rules are made use of.
    pub fn exercise(&self) -> Exercise {
        let ssh = &self.facts.policy.ssh;
        let mut exercise = Exercise {
            rules: self.rules.iter().map(|it| vec![false; it.dst.len()]).collect(),
            ssh: ssh.iter().map(|it| vec![false; it.dst.len()]).collect(),
            flows: vec![Vec::new(); self.rules.len()],
            sessions: Vec::with_capacity(self.sessions.len()),
        };
        for (flow, id) in self.flows.iter().zip(0..) {
            if !flow.accept || flow.holds != Holds::Yes {
                continue;
            }
            self.each_rect(flow, Level::Certain, |rule, dst, _| {
                let slot = exercise.rules.get_mut(rule).and_then(|it| it.get_mut(dst));
                slot.into_iter().for_each(|it| *it = true);
                if let Some(flows) = exercise.flows.get_mut(rule)
                    && flows.last() != Some(&id)
                {
                    flows.push(id);
                }
                false
            });
        }
        for session in &self.sessions {
            let reaches = |rule: &SshRule, level| {
                let rects = session.between().sessions(&self.facts, rule, &session.user, level);
                !rects.is_empty()
            };
            let mut relevant = Vec::new();
            for (rule, id) in ssh.iter().zip(0..) {
                if !reaches(rule, Level::Possible) {
                    continue;
                }
                relevant.push(id);
                let asserted = match session.outcome {
                    SshOutcome::Accept => rule.action.value == SshAction::Accept,
                    SshOutcome::Check => rule.action.value == SshAction::Check,
                    SshOutcome::Deny => false,
                };
                if !asserted || session.holds != Holds::Yes {
                    continue;
                }
                let slots = exercise.ssh.get_mut(id as usize).into_iter().flatten();
                for (slot, dst) in slots.zip(&rule.dst) {
                    let only = SshRule { dst: vec![*dst], ..rule.clone() };
                    *slot |= reaches(&only, Level::Certain);
                }
            }
            exercise.sessions.push(relevant);
        }
        exercise
    }

    /// Whether some assertion that holds would fail with another rule at a position.
    pub fn notice(&self, exercise: &Exercise, at: usize, change: &Change) -> bool {
        match change {
            Change::Narrower(rule) => {
                let flows = exercise.flows.get(at).into_iter().flatten();
                let mut flows = flows.filter_map(|it| self.flows.get(*it as usize));
                flows.any(|it| self.breaks(it, at, rule.as_ref()))
            }
            Change::Wider(rule) => {
                let mut denied =
                    self.flows.iter().filter(|it| !it.accept && it.holds == Holds::Yes);
                denied.any(|it| !self.rects_of(it, rule).is_empty())
            }
        }
    }

    /// Whether a flow that is let through would not be, with another rule at a position.
    fn breaks(&self, flow: &Flow, at: usize, rule: Option<&Rule>) -> bool {
        let mut rects = self.rects(flow, Level::Certain, Some(at));
        rects.extend(rule.into_iter().flat_map(|it| self.rects_of(flow, it)));
        uncovered(&flow.between(), &rects).is_some()
    }

    fn rects_of(&self, flow: &Flow, rule: &Rule) -> Vec<Rect> {
        let passing = (0..rule.dst.len()).filter(|it| flow.probe.passes(rule, *it));
        let rects = |it| flow.between().rects(&self.facts, rule, it, Level::Certain);
        passing.flat_map(rects).collect()
    }

    /// Whether some SSH assertion that holds would fail with another SSH rule at a position, or none.
    pub fn notice_ssh(&self, exercise: &Exercise, at: usize, rule: Option<&SshRule>) -> bool {
        let mut all = self.sessions.iter().zip(&exercise.sessions);
        all.any(|(session, relevant)| {
            let before = relevant.binary_search(&(at as u32)).is_ok();
            let after = rule.filter(|it| {
                let between = session.between();
                !between.sessions(&self.facts, it, &session.user, Level::Possible).is_empty()
            });
            if session.holds != Holds::Yes || !before && after.is_none() {
                return false;
            }
            let others = relevant.iter().map(|it| *it as usize).filter(|it| *it != at);
            let others = others.filter_map(|it| self.facts.policy.ssh.get(it));
            let rules: Vec<&SshRule> = others.chain(after).collect();
            self.session_holds(session, &rules) != Holds::Yes
        })
    }

    /// An assertion that holds now and would notice a change; `None` where none was found, mostly
    /// because the change means nothing on this tailnet. `at` is the rule that changes.
    pub fn suggest(&self, at: usize, change: &Change) -> Option<Suggestion> {
        let before = self.rules.get(at)?;
        match change {
            Change::Narrower(rule) => self.search(before, true, |flow| {
                self.flow_holds(flow) == Holds::Yes && self.breaks(flow, at, rule.as_ref())
            }),
            Change::Wider(rule) => self.search(rule, false, |flow| {
                self.flow_holds(flow) == Holds::Yes && !self.rects_of(flow, rule).is_empty()
            }),
        }
    }

    /// An assertion that holds and makes use of a rule, whether or not another would do as well.
    pub fn suggest_use(&self, rule: &Rule) -> Option<Suggestion> {
        self.search(rule, true, |flow| {
            self.flow_holds(flow) == Holds::Yes && !self.rects_of(flow, rule).is_empty()
        })
    }

    /// The first assertion from a rule's sources to its destinations that is as wanted.
    fn search(
        &self,
        rule: &Rule,
        accept: bool,
        wanted: impl Fn(&Flow) -> bool,
    ) -> Option<Suggestion> {
        let attributes = self.attributes_for(&rule.postures);
        let mut tried = TRIED;
        for position in 0..rule.dst.len() {
            for src in self.subjects(rule.src.iter().map(|it| it.value), None) {
                let target = rule.dst.get(position).map(|it| it.target);
                for host in self.subjects(target.into_iter(), Some(&src)) {
                    for (protocol, port) in sample_ports(rule, position, accept) {
                        let dst = with_port(&host, port);
                        let (src, attributes) = (src.clone(), attributes.clone());
                        let suggestion = Suggestion { accept, src, dst, protocol, attributes };
                        if self.imagined_flow(&suggestion).is_some_and(|it| wanted(&it)) {
                            return Some(suggestion);
                        }
                        tried = tried.checked_sub(1)?;
                    }
                }
            }
        }
        None
    }

    fn imagined_flow(&self, suggestion: &Suggestion) -> Option<Flow> {
        let Suggestion { accept, src, dst, protocol, attributes } = suggestion;
        let given = attributes.iter().map(|(name, value)| {
            (Spanned::new(Arc::clone(name), Span::default()), Some(value.clone()))
        });
        let met = self.met(&given.collect::<Vec<_>>());
        let src = self.ends(&self.names.subject(src).ok()?, Side::Source).ok()?;
        let written = Spanned::new(Text::from(&**dst), Span::default());
        let Demand { dst, span, .. } = self.names.demand(*accept, &written, *protocol);
        let (subject, port) = dst.what.ok()?;
        let dst = self.ends(&subject, Side::Destination).ok()?;
        let any_icmp = self.facts.policy.file.dialect == Dialect::Headscale;
        let probe = Probe { protocol: *protocol, port, any_icmp };
        Some(Flow {
            entry: 0,
            accept: *accept,
            span,
            holds: Holds::Yes,
            from: "".into(),
            to: "".into(),
            problem: None,
            src,
            dst,
            met,
            attributes: ATTRIBUTES,
            probe,
        })
    }

    /// Attributes with which a device meets one of the postures, as far as its conditions say which.
    fn attributes_for(&self, postures: &[PostureId]) -> Vec<(Text, Operand)> {
        let of = |id: &PostureId| {
            let posture = self.facts.policy.postures.get(id.0 as usize)?;
            let each = posture.assertions.iter().filter_map(|it| {
                let value = match &it.value.condition {
                    Condition::Compare(Comparison::NotEqual, _) | Condition::NotIn(_) => {
                        Operand::Text("another".into())
                    }
                    Condition::Compare(_, operand) => operand.clone(),
                    Condition::In(operands) => operands.first()?.clone(),
                    Condition::IsSet => Operand::Bool(true),
                    Condition::NotSet => return None,
                };
                Some((Arc::clone(&it.value.attribute), value))
            });
            Some(each.collect())
        };
        postures.iter().find_map(of).unwrap_or_default()
    }

    /// The same for an SSH rule, or none in its place: a session of one of its sources at one of its
    /// destinations as one of `users`, and how it ends now.
    pub fn suggest_ssh(
        &self,
        at: usize,
        rule: Option<&SshRule>,
        users: &[Text],
    ) -> Option<SshSuggestion> {
        let all = &self.facts.policy.ssh;
        let before = all.get(at)?;
        let named = rule.unwrap_or(before);
        let mut tried = TRIED;
        let now: Vec<&SshRule> = all.iter().collect();
        let then: Vec<&SshRule> = (0..)
            .zip(all)
            .filter_map(|(it, same)| if it == at { rule } else { Some(same) })
            .collect();
        let sources = before.src.iter().chain(&named.src).map(|it| it.value);
        for src in self.subjects(sources, None) {
            let places = before.dst.iter().chain(&named.dst).map(|it| it.value);
            for dst in self.subjects(places, Some(&src)) {
                let called = src.rsplit_once('@').map(|it| Text::from(it.0));
                for user in users.iter().chain(&called) {
                    tried = tried.checked_sub(1)?;
                    let Some(mut session) = self.imagined_session(&src, &dst, user) else {
                        continue;
                    };
                    for outcome in [SshOutcome::Check, SshOutcome::Accept, SshOutcome::Deny] {
                        session.outcome = outcome;
                        if self.session_holds(&session, &now) == Holds::Yes
                            && self.session_holds(&session, &then) != Holds::Yes
                        {
                            let user = user.to_string();
                            return Some(SshSuggestion { outcome, src, dst, user });
                        }
                    }
                }
            }
        }
        None
    }

    fn imagined_session(&self, src: &str, dst: &str, user: &Text) -> Option<Session> {
        let devices = |it: &str| self.devices(&self.names.subject(it).ok()?).ok();
        Some(Session {
            entry: 0,
            outcome: SshOutcome::Deny,
            span: Span::default(),
            holds: Holds::Yes,
            from: "".into(),
            at: "".into(),
            user: Arc::clone(user),
            problem: None,
            src: devices(src)?,
            dst: devices(dst)?,
            met: self.met(&[]),
            attributes: ATTRIBUTES,
        })
    }

    /// Subjects that stand for a part of what selectors stand for, in the words of the policy file.
    /// For one's own devices that is the caller.
    fn subjects(&self, targets: impl Iterator<Item = Target>, caller: Option<&str>) -> Vec<String> {
        let mut subjects: Vec<String> = Vec::new();
        let add = |subjects: &mut Vec<String>, it: String| {
            if !subjects.contains(&it) {
                subjects.push(it);
            }
        };
        for target in targets {
            if let Some(itself) = self.as_subject(target, caller) {
                add(&mut subjects, itself);
            }
            if matches!(target, Target::Login(_) | Target::Tag(_)) {
                continue;
            }
            let members = self.facts.members.of(target);
            let ranges = self.facts.book.ranges(target);
            let inside = ranges.iter().flat_map(|it| nodes_in(self.facts.tailnet, *it));
            let all = (target == Target::Any).then(|| self.facts.tailnet.node_ids());
            let nodes = members.iter().chain(inside).chain(all.into_iter().flatten());
            for identity in nodes.filter_map(|it| self.identity(it)) {
                if subjects.len() >= SUBJECTS {
                    break;
                }
                add(&mut subjects, identity);
            }
        }
        subjects
    }

    /// A selector as an assertion may name it.
    fn as_subject(&self, target: Target, caller: Option<&str>) -> Option<String> {
        let policy = self.facts.policy;
        match target {
            Target::Login(_) | Target::Group(_) | Target::Tag(_) | Target::Service(_) => {
                Some(policy.describe(target))
            }
            Target::Host(_) | Target::Literal(_) => {
                let net = policy.net(target)?;
                if net.prefix_len() == net.max_prefix_len() {
                    return Some(policy.describe(target));
                }
                net.hosts().next().map(|it| it.to_string())
            }
            Target::Autogroup(Autogroup::OwnDevices) => caller.map(str::to_owned),
            // An address kept for documentation: nobody's device has it.
            Target::Autogroup(Autogroup::Internet) => Some("192.0.2.1".to_owned()),
            _ => None,
        }
    }

    /// The user of a device, or the first of its tags that the policy defines.
    fn identity(&self, id: NodeId) -> Option<String> {
        let Facts { policy, tailnet, .. } = &self.facts;
        match &tailnet.node(id)?.owner {
            Owner::User(user) => Some(tailnet.user(*user)?.login.to_string()),
            Owner::Tags(tags) => {
                let defined =
                    |tag: &&Arc<str>| policy.tags.iter().any(|it| *it.name.value == ***tag);
                tags.iter().find(defined).map(ToString::to_string)
            }
            Owner::Nobody => None,
        }
    }
}

fn with_port(host: &str, port: u16) -> String {
    match host.contains(':') && host.parse::<IpAddr>().is_ok() {
        true => format!("[{host}]:{port}"),
        false => format!("{host}:{port}"),
    }
}

/// Protocols and ports that a rule lets through at a destination; of wide ranges a few that people know.
fn sample_ports(rule: &Rule, dst: usize, accept: bool) -> Vec<(Option<Protocol>, u16)> {
    const KNOWN: [u16; 5] = [22, 443, 3389, 8080, 1];
    let mut samples = Vec::new();
    for (protocol, ranges) in ports_of(rule, dst) {
        // A rule for the default protocols may be new for one of them only.
        let protocols = match protocol {
            None if !accept => vec![None, Some(17), Some(6)],
            other => vec![other],
        };
        for range in ranges {
            let ports = match *range {
                _ if protocol.is_some_and(|it| !has_ports(it)) => vec![0],
                PortRange::ALL => KNOWN.to_vec(),
                PortRange { first, last } => vec![first.max(1), last],
            };
            for protocol in &protocols {
                samples.extend(ports.iter().map(|it| (*protocol, *it)));
            }
        }
    }
    samples
}
