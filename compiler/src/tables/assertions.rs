//! Evaluates a policy's own assertions: `tests` over its rules, `sshTests` over its SSH rules.
//!
//! The control plane asks the rules, not the tables: which node a packet would be checked at does not
//! matter, so neither does who carries a route. An assertion speaks of every pair of its ends;
//! `rects` says how pairs are counted without going through them. As rules only ever let through,
//! a change of one rule is judged against an assertion without evaluating the others again.
//!
//! SOURCE: docs/language.md, "Assertions".

mod asked;
mod change;
mod ends;
mod headscale;
mod nearest;
pub mod problem;
mod rects;

use std::borrow::Cow;
use std::cell::RefCell;
use std::rc::Rc;

use rustc_hash::FxHashMap;

pub use self::asked::{Asked, Party, SshAsked};
pub use self::change::{Change, Exercise, SshSuggestion, Suggestion};
use self::ends::{End, Ends, Facts, Side};
pub use self::nearest::Near;
pub use self::problem::{AssertionProblem, Trouble};
use self::rects::{Between, Level, Probe, Rect, covered, uncovered};
use super::facts::similar_login;
use super::posture::met_by;
use super::*;
use crate::ast::posture::Operand;
use crate::ast::{SshAction, Text};
use crate::dialect::Dialect;
use crate::policy::assertions::{
    Definitions, Flaw, NetworkAssertion, SshAssertion, SshOutcome, Subject,
};
use crate::policy::{Destination, Kind, PostureId, Section, SshRule};
use crate::span::Spanned;

/// What says in an assertion what its source is like.
const ATTRIBUTES: &str = "`srcPostureAttrs`";

/// Whether an assertion holds.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Holds {
    /// It does.
    Yes,
    /// It does not.
    No,
    /// That depends on facts that the inventory lacks.
    Depends,
}

/// One demand of an entry of `tests`: that one destination is reached, or is not.
#[derive(Debug)]
pub struct Flow {
    /// The position of the entry.
    pub entry: u32,
    /// Whether it is to be reached.
    pub accept: bool,
    /// Where the destination is written.
    pub span: Span,
    /// Whether that holds.
    pub holds: Holds,
    /// The source as written.
    pub from: Text,
    /// The destination as written.
    pub to: Text,
    /// What is wrong, by its position among the problems.
    pub problem: Option<usize>,
    src: Rc<Ends>,
    dst: Rc<Ends>,
    met: Rc<[bool]>,
    /// What says so, in words.
    attributes: &'static str,
    probe: Probe,
}

/// One demand of an entry of `sshTests`: what becomes of sessions at one destination as one user.
#[derive(Debug)]
pub struct Session {
    /// The position of the entry.
    pub entry: u32,
    /// What becomes of it.
    pub outcome: SshOutcome,
    /// Where the user is written.
    pub span: Span,
    /// Whether that holds.
    pub holds: Holds,
    /// The source as written.
    pub from: Text,
    /// The destination as written.
    pub at: Text,
    /// The user of the host.
    pub user: Text,
    /// What is wrong, by its position among the problems.
    pub problem: Option<usize>,
    src: Rc<Ends>,
    dst: Rc<Ends>,
    met: Rc<[bool]>,
    /// What says so, in words.
    attributes: &'static str,
}

/// All assertions of a policy, evaluated on a tailnet.
pub struct Assertions<'a> {
    facts: Facts<'a>,
    names: Definitions<'a>,
    /// The rules; the one that stands for neither section where there is none.
    rules: Cow<'a, [Rule]>,
    /// The demands of `tests` that can be understood.
    pub flows: Vec<Flow>,
    /// The demands of `sshTests` that can be understood.
    pub sessions: Vec<Session>,
    /// What is wrong, in no order.
    pub problems: Vec<AssertionProblem>,
    ends: RefCell<FxHashMap<(Subject, Side), Found>>,
}

/// Whom a subject stands for, or why for nobody.
type Found = Result<Rc<Ends>, Trouble>;

impl<'a> Assertions<'a> {
    /// Evaluates every assertion. Cost: for each the rules from its source, and their selectors.
    pub fn new(policy: Valid<'a>, tailnet: &'a Tailnet) -> Self {
        let mut assertions = Self::unasked(policy, tailnet);
        let policy = policy.policy();
        for (assertion, entry) in policy.network_assertions().iter().zip(0..) {
            assertions.network(entry, assertion);
        }
        for (assertion, entry) in policy.ssh_assertions().iter().zip(0..) {
            assertions.ssh(entry, assertion);
        }
        assertions
    }

    /// The policy they belong to.
    pub fn policy(&self) -> &'a Policy {
        self.facts.policy
    }

    /// Prepares to evaluate, and evaluates nothing yet.
    pub fn unasked(policy: Valid<'a>, tailnet: &'a Tailnet) -> Self {
        let policy = policy.policy();
        let rules: Cow<'a, [Rule]> = match (&policy.rules, policy.file.dialect) {
            (None, _) => vec![everything()].into(),
            (Some(rules), Dialect::Tailscale) => rules.as_slice().into(),
            (Some(rules), Dialect::Headscale) => {
                rules.iter().map(headscale::counted).collect::<Vec<_>>().into()
            }
        };
        Self {
            facts: Facts::new(policy, tailnet),
            names: Definitions::new(policy),
            rules,
            flows: Vec::new(),
            sessions: Vec::new(),
            problems: Vec::new(),
            ends: RefCell::default(),
        }
    }

    fn network(&mut self, entry: u32, assertion: &NetworkAssertion<'_>) {
        let NetworkAssertion { test, src, protocol, demands } = assertion;
        if demands.is_empty() {
            self.problems.push(AssertionProblem::Nothing { span: test.span, ssh: false });
        }
        if let Err(name) = protocol {
            let (span, name) = (name.span, Arc::clone(&name.value));
            self.problems.push(AssertionProblem::Protocol { span, name });
        }
        let source = src.what.clone().map_err(Trouble::Flaw);
        let source = source.and_then(|it| self.ends(&it, Side::Source));
        if let Err(trouble) = &source {
            self.problems.push(AssertionProblem::source(src, trouble));
        }
        let met = self.met(&test.src_posture_attrs);
        let any_icmp = self.facts.policy.file.dialect == Dialect::Headscale;
        for demand in demands {
            let dst = demand.dst.what.clone().map_err(Trouble::Flaw);
            let dst = dst.and_then(|(it, port)| Ok((self.ends(&it, Side::Destination)?, port)));
            if let Err(trouble) = &dst {
                self.problems.push(AssertionProblem::destination(&demand.dst, trouble));
            }
            if let (Ok(src), Ok((dst, port)), Ok(protocol)) = (&source, dst, protocol) {
                let flow = Flow {
                    entry,
                    accept: demand.accept,
                    span: demand.span,
                    holds: Holds::Yes,
                    from: Arc::clone(&assertion.src.written),
                    to: Arc::clone(&demand.dst.written),
                    problem: None,
                    src: Rc::clone(src),
                    dst,
                    met: Rc::clone(&met),
                    attributes: ATTRIBUTES,
                    probe: Probe { protocol: *protocol, port, any_icmp },
                };
                self.flow(flow, assertion);
            }
        }
    }

    fn flow(&mut self, mut flow: Flow, assertion: &NetworkAssertion<'_>) {
        flow.holds = self.flow_holds(&flow);
        let (src, dst) = (&flow.from, &flow.to);
        let proto = assertion.test.proto.as_ref().map(|it| Arc::clone(&it.value));
        let problem = match (&flow.holds, flow.accept) {
            (Holds::Yes, _) => None,
            (Holds::Depends, accept) => Some(AssertionProblem::Depends {
                span: flow.span,
                src: Arc::clone(src),
                dst: Arc::clone(dst),
                accept,
            }),
            (Holds::No, true) => {
                let pair = self.uncovered(&flow, Level::Certain);
                Some(AssertionProblem::Refused {
                    span: flow.span,
                    src: Arc::clone(src),
                    dst: Arc::clone(dst),
                    proto,
                    pair: pair.and_then(|it| self.pair(&flow.src, &flow.dst, it)),
                    nearest: pair.map_or_else(Vec::new, |it| self.nearest_rules(&flow, it)),
                })
            }
            (Holds::No, false) => {
                let (pair, by) = self.letting_through(&flow);
                Some(AssertionProblem::Reached {
                    span: flow.span,
                    src: Arc::clone(src),
                    dst: Arc::clone(dst),
                    proto,
                    pair: pair.and_then(|it| self.pair(&flow.src, &flow.dst, it)),
                    by,
                })
            }
        };
        flow.problem = problem.is_some().then_some(self.problems.len());
        self.problems.extend(problem);
        self.flows.push(flow);
    }

    fn flow_holds(&self, flow: &Flow) -> Holds {
        if self.facts.policy.file.dialect == Dialect::Headscale {
            let rules = self.rules_from(&flow.src).iter();
            let rules: Vec<&Rule> = rules.filter_map(|it| self.rules.get(*it as usize)).collect();
            let allowed = headscale::allowed(&self.facts, &rules, &flow.between(), flow.probe);
            return if allowed == flow.accept { Holds::Yes } else { Holds::No };
        }
        if flow.accept {
            return match self.uncovered(flow, Level::Certain) {
                None => Holds::Yes,
                Some(_) if self.uncovered(flow, Level::Possible).is_none() => Holds::Depends,
                Some(_) => Holds::No,
            };
        }
        let reached = |level| self.each_rect(flow, level, |_, _, _| true);
        match () {
            () if reached(Level::Certain) => Holds::No,
            () if reached(Level::Possible) => Holds::Depends,
            () => Holds::Yes,
        }
    }

    /// The first pair of a flow that no rule lets through.
    fn uncovered(&self, flow: &Flow, level: Level) -> Option<(usize, usize)> {
        uncovered(&flow.between(), &self.rects(flow, level, None))
    }

    /// What all rules but one let through of a flow.
    fn rects(&self, flow: &Flow, level: Level, without: Option<usize>) -> Vec<Rect> {
        let mut rects = Vec::new();
        self.each_rect(flow, level, |rule, _, rect| {
            if Some(rule) != without {
                rects.push(rect.clone());
            }
            false
        });
        rects
    }

    /// Calls `stop` with the rule, its destination and what it lets through of a flow, until it says
    /// so; whether it did.
    fn each_rect(
        &self,
        flow: &Flow,
        level: Level,
        mut stop: impl FnMut(usize, usize, &Rect) -> bool,
    ) -> bool {
        for at in self.rules_from(&flow.src) {
            let at = *at as usize;
            let Some(rule) = self.rules.get(at) else { continue };
            for dst in (0..rule.dst.len()).filter(|it| flow.probe.passes(rule, *it)) {
                for rect in flow.between().rects(&self.facts, rule, dst, level) {
                    if stop(at, dst, &rect) {
                        return true;
                    }
                }
            }
        }
        false
    }

    /// The rules that may have one of the ends among their sources, by position.
    fn rules_from<'e>(&self, src: &'e Ends) -> &'e [u32] {
        src.rules.get_or_init(|| {
            let touched = |target: &Spanned<Target>| {
                let touch = src.touch(&self.facts, Side::Source, target.value);
                touch.possible().iter().any(|it| !it.is_empty())
            };
            let rules = (0..).zip(&*self.rules);
            rules.filter(|(_, rule)| rule.src.iter().any(touched)).map(|it| it.0).collect()
        })
    }

    /// A pair that a flow is let through for, and where the destinations are written that let it.
    fn letting_through(&self, flow: &Flow) -> (Option<(usize, usize)>, Vec<Span>) {
        const SHOWN: usize = 3;
        let (mut pair, mut spans) = (None, Vec::new());
        self.each_rect(flow, Level::Certain, |rule, dst, rect| {
            pair = pair.or_else(|| covered(std::slice::from_ref(rect)));
            let dst = self.rules.get(rule).and_then(|it| it.dst.get(dst));
            // The rule of a policy without rules stands nowhere.
            let span = dst.map(|it| it.span).filter(|it| *it != Span::default());
            if let Some(span) = span.filter(|it| !spans.contains(it)) {
                spans.push(span);
            }
            spans.len() == SHOWN
        });
        (pair, spans)
    }

    fn ssh(&mut self, entry: u32, assertion: &SshAssertion<'_>) {
        let SshAssertion { test, src, dst, demands } = assertion;
        if demands.is_empty() {
            self.problems.push(AssertionProblem::Nothing { span: test.span, ssh: true });
        }
        for (_, user) in demands.iter().filter(|it| it.1.value.is_empty()) {
            self.problems.push(AssertionProblem::HostUser { span: user.span });
        }
        if dst.is_empty() {
            self.problems.push(AssertionProblem::Nowhere { span: test.span });
        }
        let source = src.what.clone().map_err(Trouble::Flaw);
        let source = source.and_then(|it| self.devices(&it));
        if let Err(trouble) = &source {
            self.problems.push(AssertionProblem::ssh_element(src, trouble, false));
        }
        let mut places = Vec::with_capacity(dst.len());
        for named in dst {
            let ends = named.what.clone().map_err(Trouble::Flaw);
            let ends = ends.and_then(|it| match it {
                Subject::Service(_) => Err(Trouble::Flaw(Flaw::NotAllowed(Kind::Service))),
                other => self.devices(&other),
            });
            match ends {
                Ok(ends) => places.push((named, ends)),
                Err(it) => self.problems.push(AssertionProblem::ssh_element(named, &it, true)),
            }
        }
        let Ok(source) = source else { return };
        let met = self.met(&test.src_posture_attrs);
        for (named, ends) in places {
            for (outcome, user) in demands.iter().filter(|it| !it.1.value.is_empty()) {
                let session = Session {
                    entry,
                    outcome: *outcome,
                    span: user.span,
                    holds: Holds::Yes,
                    from: Arc::clone(&assertion.src.written),
                    at: Arc::clone(&named.written),
                    user: Arc::clone(&user.value),
                    problem: None,
                    src: Rc::clone(&source),
                    dst: Rc::clone(&ends),
                    met: Rc::clone(&met),
                    attributes: ATTRIBUTES,
                };
                self.session(session);
            }
        }
    }

    fn session(&mut self, mut session: Session) {
        let policy = self.facts.policy;
        let rules: Vec<&SshRule> = policy.ssh.iter().collect();
        session.holds = self.session_holds(&session, &rules);
        let (src, dst) = (&session.from, &session.at);
        let problem = match session.holds {
            Holds::Yes => None,
            Holds::Depends => Some(AssertionProblem::SessionDepends {
                span: session.span,
                user: Arc::clone(&session.user),
                src: Arc::clone(src),
                dst: Arc::clone(dst),
            }),
            Holds::No => {
                let (pair, got) = self.counterexample(&session);
                let (by, nearest) = match got {
                    SshOutcome::Deny => (None, self.nearest_ssh_rules(&session, pair)),
                    _ => (self.deciding(&session, pair), Vec::new()),
                };
                Some(AssertionProblem::Session {
                    span: session.span,
                    user: Arc::clone(&session.user),
                    src: Arc::clone(src),
                    dst: Arc::clone(dst),
                    pair: self.pair(&session.src, &session.dst, pair),
                    wanted: session.outcome,
                    got,
                    by,
                    nearest,
                })
            }
        };
        session.problem = problem.is_some().then_some(self.problems.len());
        self.problems.extend(problem);
        self.sessions.push(session);
    }

    /// What the SSH rules of one action let in of a session.
    fn session_rects(
        &self,
        session: &Session,
        rules: &[&SshRule],
        action: SshAction,
        level: Level,
    ) -> Vec<Rect> {
        let rules = rules.iter().filter(|it| it.action.value == action);
        let rects =
            rules.map(|it| session.between().sessions(&self.facts, it, &session.user, level));
        rects.flatten().collect()
    }

    fn session_holds(&self, session: &Session, rules: &[&SshRule]) -> Holds {
        let rects = |action, level| self.session_rects(session, rules, action, level);
        let all = |action, level| uncovered(&session.between(), &rects(action, level)).is_none();
        let any = |action, level| covered(&rects(action, level)).is_some();
        let (certainly, possibly) = match session.outcome {
            SshOutcome::Accept => {
                // To headscale a session that is let in after a fresh login is let in.
                if self.facts.policy.file.dialect == Dialect::Headscale {
                    let mut both = rects(SshAction::Accept, Level::Certain);
                    both.extend(rects(SshAction::Check, Level::Certain));
                    let held = uncovered(&session.between(), &both).is_none();
                    return if held { Holds::Yes } else { Holds::No };
                }
                let checked = any(SshAction::Check, Level::Possible);
                (
                    all(SshAction::Accept, Level::Certain) && !checked,
                    all(SshAction::Accept, Level::Possible)
                        && !any(SshAction::Check, Level::Certain),
                )
            }
            SshOutcome::Check => {
                (all(SshAction::Check, Level::Certain), all(SshAction::Check, Level::Possible))
            }
            SshOutcome::Deny => {
                let reached = |level| any(SshAction::Check, level) || any(SshAction::Accept, level);
                (!reached(Level::Possible), !reached(Level::Certain))
            }
        };
        match (certainly, possibly) {
            (true, _) => Holds::Yes,
            (false, true) => Holds::Depends,
            (false, false) => Holds::No,
        }
    }

    /// A pair for which a session does not end as demanded, and how it ends.
    fn counterexample(&self, session: &Session) -> ((usize, usize), SshOutcome) {
        let rules: Vec<&SshRule> = self.facts.policy.ssh.iter().collect();
        let rects = |it| self.session_rects(session, &rules, it, Level::Certain);
        let (checks, accepts) = (rects(SshAction::Check), rects(SshAction::Accept));
        let pair = match session.outcome {
            SshOutcome::Check => uncovered(&session.between(), &checks),
            SshOutcome::Accept => {
                covered(&checks).or_else(|| uncovered(&session.between(), &accepts))
            }
            SshOutcome::Deny => covered(&checks).or_else(|| covered(&accepts)),
        };
        let pair = pair.unwrap_or_default();
        let holds = |rects: &[Rect]| {
            rects.iter().any(|it| it.src.contains(pair.0) && it.dst.contains(pair.1))
        };
        let got = match (holds(&checks), holds(&accepts)) {
            (true, _) => SshOutcome::Check,
            (false, true) => SshOutcome::Accept,
            (false, false) => SshOutcome::Deny,
        };
        (pair, got)
    }

    /// Where the SSH rule stands that decides a pair of a session.
    fn deciding(&self, session: &Session, (src, dst): (usize, usize)) -> Option<Span> {
        let fits = |rule: &&SshRule| {
            let rects =
                session.between().sessions(&self.facts, rule, &session.user, Level::Certain);
            rects.iter().any(|it| it.src.contains(src) && it.dst.contains(dst))
        };
        let fitting: Vec<&SshRule> = self.facts.policy.ssh.iter().filter(fits).collect();
        let check = fitting.iter().find(|it| it.action.value == SshAction::Check);
        check.or(fitting.first()).map(|it| it.action.span)
    }

    /// The two ends of a pair by name, where the assertion names more than one pair.
    fn pair(&self, src: &Ends, dst: &Ends, (from, to): (usize, usize)) -> Option<(String, String)> {
        if src.len() * dst.len() < 2 {
            return None;
        }
        let name = |ends: &Ends, at: usize| {
            let end = ends.all.get(at)?;
            let node = end.node.and_then(|it| self.facts.tailnet.node(it));
            let address = || end.addresses.iter().flatten().next().map(ToString::to_string);
            node.map(|it| it.name.to_string()).or_else(address)
        };
        name(src, from).zip(name(dst, to))
    }

    /// For each posture of the policy, whether a source with these attributes, and no others, meets it.
    fn met(&self, attributes: &[(Spanned<Text>, Option<Operand>)]) -> Rc<[bool]> {
        let postures = (0..self.facts.policy.postures.len() as u32).map(PostureId);
        postures.map(|it| met_by(self.facts.policy, it, attributes)).collect()
    }

    /// The devices and addresses of a subject; each subject is looked up once.
    fn ends(&self, subject: &Subject, side: Side) -> Found {
        let key = (subject.clone(), side);
        if let Some(known) = self.ends.borrow().get(&key) {
            return known.clone();
        }
        let ends = self.list(subject);
        let ends = ends.map(|it| Rc::new(Ends::new(it, self.facts.tailnet)));
        self.ends.borrow_mut().insert(key, ends.clone());
        ends
    }

    /// The same where only devices count, not addresses that belong to none.
    fn devices(&self, subject: &Subject) -> Found {
        let ends = self.ends(subject, Side::Source)?;
        match ends.all.iter().any(|it| it.node.is_none()) {
            true => Err(Trouble::NoDevices),
            false => Ok(ends),
        }
    }

    fn list(&self, subject: &Subject) -> Result<Vec<End>, Trouble> {
        let Facts { policy, tailnet, .. } = &self.facts;
        let nodes = |ids: &mut dyn Iterator<Item = NodeId>| -> Vec<End> {
            ids.filter_map(|it| device(tailnet, it)).collect()
        };
        let found = match subject {
            Subject::Login(login) => {
                let Some(user) = self.facts.user(login) else {
                    let known = tailnet.users().iter().map(|it| &*it.login);
                    return Err(Trouble::UnknownUser(similar_login(login, known).map(Text::from)));
                };
                nodes(&mut tailnet.nodes_of(user).iter().copied())
            }
            Subject::Any => nodes(&mut tailnet.node_ids()),
            Subject::Autogroup(it) => {
                let members = self.facts.members.of(Target::Autogroup(*it));
                nodes(&mut members.iter())
            }
            Subject::Prefix(_) => return Err(Trouble::Wide),
            Subject::Group(id) => {
                let group = policy.groups.get(id.0 as usize);
                if group.is_some_and(|it| it.synced) {
                    return Err(Trouble::Synced);
                }
                let members = self.facts.members.of(Target::Group(*id));
                nodes(&mut members.iter())
            }
            Subject::Tag(id) => {
                let members = self.facts.members.of(Target::Tag(*id));
                match members.is_empty() {
                    false => nodes(&mut members.iter()),
                    // What a tag may do is the same whether or not a device carries it yet.
                    true => vec![End { node: None, imagined: Some(*id), addresses: [None; 2] }],
                }
            }
            Subject::Address(address) => {
                let node = tailnet.node_at(*address);
                let addresses =
                    if address.is_ipv4() { [Some(*address), None] } else { [None, Some(*address)] };
                vec![End { node, imagined: None, addresses }]
            }
            Subject::Service(name) => {
                let service = tailnet.services().iter().find(|it| *it.name == **name);
                let addresses = service.map_or(&[][..], |it| &it.addresses);
                let of = |v4: bool| addresses.iter().copied().find(|it| it.is_ipv4() == v4);
                if addresses.is_empty() {
                    return Err(Trouble::UnknownService);
                }
                vec![End { node: None, imagined: None, addresses: [of(true), of(false)] }]
            }
        };
        if found.is_empty() { Err(Trouble::NoDevices) } else { Ok(found) }
    }
}

impl Flow {
    fn between(&self) -> Between<'_> {
        Between { src: &self.src, dst: &self.dst, met: &self.met }
    }
}

impl Session {
    fn between(&self) -> Between<'_> {
        Between { src: &self.src, dst: &self.dst, met: &self.met }
    }
}

/// A device with all its addresses; `None` where it has none.
fn device(tailnet: &Tailnet, id: NodeId) -> Option<End> {
    let node = tailnet.node(id)?;
    let addresses = [node.ipv4.map(IpAddr::V4), node.ipv6.map(IpAddr::V6)];
    addresses.iter().any(Option::is_some).then_some(End {
        node: Some(id),
        imagined: None,
        addresses,
    })
}

/// What a file with neither section says.
fn everything() -> Rule {
    let dst = Destination {
        target: Target::Any,
        span: Span::default(),
        ports: Some([PortRange::ALL].into()),
    };
    Rule {
        section: Section::Acls,
        index: 0,
        span: Span::default(),
        src: vec![Spanned::new(Target::Any, Span::default())],
        dst: vec![dst],
        protocol: None,
        ip: Vec::new(),
        app: Vec::new(),
        via: Vec::new(),
        postures: Vec::new(),
    }
}
