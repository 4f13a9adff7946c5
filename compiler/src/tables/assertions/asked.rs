//! What a person asks of one pair of ends → the same answer that an assertion would get, and why.
//!
//! An assertion says what attributes its source has; here the source is a device, and the inventory
//! says them, or does not.

use super::nearest::Near;
use super::*;
use crate::policy::assertions::SshOutcome;
use crate::tables::posture::{Answer, meets_any};

/// One end of a question.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Party {
    /// A device, by any of its addresses.
    Device(NodeId),
    /// One address, of a device or of nobody here.
    Address(IpAddr),
}

/// What says what a source is like.
const DEVICE: &str = "the device";

/// What the rules say of a flow, whether or not anything would deliver it.
#[derive(Debug)]
pub struct Asked {
    /// Whether it is let through.
    pub holds: Holds,
    /// Where the destinations are written that let it through.
    pub by: Vec<Span>,
    /// The rules that came near, where nothing lets it through.
    pub nearest: Vec<Near>,
}

/// What the SSH rules say of a login.
#[derive(Debug)]
pub struct SshAsked {
    /// What becomes of it.
    pub outcome: SshOutcome,
    /// Where the deciding rule's action is written.
    pub by: Option<Span>,
    /// The rules that came near, where nothing lets it in.
    pub nearest: Vec<Near>,
}

impl Assertions<'_> {
    /// What the rules say of a flow; without a protocol, of TCP or UDP.
    pub fn ask(&self, src: Party, dst: Party, protocol: Option<Protocol>, port: u16) -> Asked {
        let mut flow = Flow {
            entry: 0,
            accept: true,
            span: Span::default(),
            holds: Holds::No,
            from: "".into(),
            to: "".into(),
            problem: None,
            src: self.end(src),
            dst: self.end(dst),
            met: self.posture_of(src, Answer::Yes),
            attributes: DEVICE,
            probe: Probe { protocol, port, any_icmp: false },
        };
        flow.holds = self.flow_holds(&flow);
        if flow.holds != Holds::Yes {
            let met = self.posture_of(src, Answer::Unknown);
            let possible = Flow { met, ..flow };
            let maybe = self.uncovered(&possible, Level::Possible).is_none();
            flow = Flow { met: self.posture_of(src, Answer::Yes), ..possible };
            flow.holds = if maybe { Holds::Depends } else { Holds::No };
        }
        let by = match flow.holds {
            Holds::Yes => self.letting_through(&flow).1,
            _ => Vec::new(),
        };
        let nearest = match flow.holds {
            Holds::Yes => Vec::new(),
            _ => self.nearest_rules(&flow, (0, 0)),
        };
        Asked { holds: flow.holds, by, nearest }
    }

    /// What the SSH rules say of a login as a user of the host.
    pub fn ask_ssh(&self, src: NodeId, dst: NodeId, user: &str) -> SshAsked {
        let party = Party::Device(src);
        let session = Session {
            entry: 0,
            outcome: SshOutcome::Deny,
            span: Span::default(),
            holds: Holds::No,
            from: "".into(),
            at: "".into(),
            user: user.into(),
            problem: None,
            src: self.end(party),
            dst: self.end(Party::Device(dst)),
            met: self.posture_of(party, Answer::Yes),
            attributes: DEVICE,
        };
        let (_, outcome) = self.counterexample(&session);
        let denied = outcome == SshOutcome::Deny;
        SshAsked {
            by: if denied { None } else { self.deciding(&session, (0, 0)) },
            nearest: if denied { self.nearest_ssh_rules(&session, (0, 0)) } else { Vec::new() },
            outcome,
        }
    }

    fn end(&self, party: Party) -> Rc<Ends> {
        let tailnet = self.facts.tailnet;
        let end = match party {
            Party::Device(id) => device(tailnet, id),
            Party::Address(address) => {
                let addresses =
                    if address.is_ipv4() { [Some(address), None] } else { [None, Some(address)] };
                Some(End { node: tailnet.node_at(address), imagined: None, addresses })
            }
        };
        Rc::new(Ends::new(end.into_iter().collect(), tailnet))
    }

    /// For each posture of the policy, whether a source meets it at least so surely.
    fn posture_of(&self, party: Party, least: Answer) -> Rc<[bool]> {
        let Facts { policy, tailnet, .. } = &self.facts;
        let node = match party {
            Party::Device(id) => tailnet.node(id),
            Party::Address(address) => tailnet.node_at(address).and_then(|it| tailnet.node(it)),
        };
        let ids = (0..policy.postures.len() as u32).map(PostureId);
        let met = |id| node.is_some_and(|it| meets_any(policy, &[id], it) >= least);
        ids.map(met).collect()
    }
}
