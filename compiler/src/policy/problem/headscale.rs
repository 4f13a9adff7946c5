//! A problem of a policy's meaning → what headscale answers, and how its own differences are worded.
//!
//! SOURCE: docs/headscale.md, "What it answers".

use super::{PoolTrouble, Problem, What, section_turn, turn};
use crate::ast::Text;
use crate::ast::ports::protocol_name;
use crate::ast::problem::headscale::{Site, in_other_words, validator};
use crate::cst::SyntaxTree;
use crate::diagnostic::{Code, Diagnostic, Refusal, Turn, code};
use crate::dialect::HEADSCALE;
use crate::policy::{Kind, Place, Section};
use crate::span::Span;

/// What headscale takes as Tailscale does not, or makes something else of.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Difference {
    /// A file without rules lets in any source address, not only those of the tailnet.
    AnySource,
    /// A default route as a destination of an acl reaches every node.
    DefaultRoute,
    /// A grant with `via` that gives only capabilities steers nothing.
    OnlyApp,
    /// `disable-ipv4` hides a node's own IPv4 address, but not those of its peers.
    DisableIpv4,
    /// `acceptEnv` has no effect without an attribute.
    AcceptEnv,
    /// `autogroup:member` as a destination of an SSH rule.
    SshToMembers,
    /// Ports for a protocol without ports.
    Ports {
        /// The protocol.
        protocol: u8,
    },
    /// A selector that Tailscale does not take in a test.
    Test {
        /// The text of the test.
        written: Text,
    },
}

impl Difference {
    /// The problem of it at a place.
    pub(in crate::policy) const fn at(self, span: Span) -> Problem {
        Problem::Difference { span, what: self }
    }

    pub(super) fn code(&self) -> Code {
        match self {
            Self::AnySource | Self::DefaultRoute => code::W0456,
            Self::OnlyApp | Self::DisableIpv4 | Self::AcceptEnv => code::W0457,
            Self::SshToMembers | Self::Ports { .. } | Self::Test { .. } => code::W0455,
        }
    }

    pub(super) fn sentence(&self) -> String {
        let sentence = match self {
            Self::AnySource => {
                "without `acls` and `grants` any address may send, not only devices of the tailnet"
            }
            Self::DefaultRoute => "a default route as a destination reaches every device",
            Self::OnlyApp => "a grant with `via` and without `ip` gives nothing and steers nothing",
            Self::DisableIpv4 => "`disable-ipv4` hides only the node's own IPv4 address",
            Self::AcceptEnv => "hosts take no variables without the attribute `ssh-env-vars`",
            Self::SshToMembers => "`autogroup:member` can be the destination of an SSH rule",
            Self::Ports { protocol } => {
                return format!(
                    "on {HEADSCALE} ports can be asked of the protocol {}, which has none",
                    protocol_name(*protocol)
                );
            }
            Self::Test { written } => {
                return format!("on {HEADSCALE} a test can ask for `{written}`");
            }
        };
        format!("on {HEADSCALE} {sentence}")
    }

    pub(super) fn worded(&self, it: Diagnostic) -> Diagnostic {
        it.help(match self {
            Self::AnySource => "write a rule, for example `\"grants\": [{\"src\": [\"*\"], \"dst\": [\"*\"], \"ip\": [\"*\"]}]`",
            Self::DefaultRoute => "write `autogroup:internet` for the internet through exit nodes, or `*` for everything",
            Self::OnlyApp => "add `ip`, or leave `via` out",
            Self::DisableIpv4 => "the node still sees the IPv4 addresses of its peers",
            Self::AcceptEnv => "give the destinations `ssh-env-vars` in `nodeAttrs`",
            Self::SshToMembers => "Tailscale refuses it: name `autogroup:self`, or tags",
            Self::Ports { .. } => "Tailscale refuses it: write `*` for its ports",
            Self::Test { .. } => "Tailscale lets such a test fail: name users, tags or addresses",
        })
    }
}

impl Problem {
    /// The report of a problem in a policy that is to go to headscale; without a tree its answer is
    /// left open.
    pub(crate) fn report_for_headscale(&self, tree: Option<&SyntaxTree>) -> Diagnostic {
        let mut it = self.report();
        it.refusal = match tree {
            Some(tree) => {
                let tailscale = it.refusal.and_then(|it| it.message);
                self.headscale_refusal(&Site::of(tree, it.span), tailscale)
            }
            None => it.refusal.map(in_other_words),
        };
        match self {
            Self::SshCheckFromTag { .. } => it.code = code::E0452,
            Self::NotAllowed { kind: Kind::Member | Kind::Tagged, .. } => {
                it.help = Some(format!("{HEADSCALE} takes users, groups and tags here"));
            }
            _ => {}
        }
        it
    }

    fn headscale_refusal(&self, site: &Site, tailscale: Option<String>) -> Option<Refusal> {
        let same = |turn| Some(validator(turn, tailscale.as_deref()?));
        match self {
            Self::Unknown { what, place, name, .. } => unknown(site, *what, *place, name),
            Self::NotAllowed { place, kind, written, .. } => {
                Some(not_allowed(site, *place, *kind, written))
            }
            Self::OwnDevicesOfOthers { place: Place::SshSrc, .. } => Some(validator(
                Turn::Ssh,
                "autogroup:self destination requires source to contain only users or groups, not tags or autogroup:tagged",
            )),
            Self::OwnDevicesOfOthers { place, .. } => same(turn(*place)),
            Self::DefaultRoute { section, .. } => same(section_turn(*section)),
            Self::AppToInternet { .. } => same(Turn::Grants),
            Self::PortsWithoutPorts { protocol, section: Section::Acls, .. } => {
                let name = protocol_name(*protocol);
                let what = "protocol does not support specific ports";
                Some(validator(Turn::Acls, &format!("{what}: {name:?}, only \"*\" is allowed")))
            }
            Self::GroupInGroup { named_by_api, .. } => {
                let text = tailscale.unwrap_or_default();
                let it = site.groups(&text);
                Some(if *named_by_api { it } else { Refusal { turn: Turn::Shadowed, ..it } })
            }
            Self::SshToOtherUser { .. } => {
                let user = site.written();
                Some(validator(
                    Turn::Ssh,
                    &format!(
                        "user destination requires source to contain only that same user {user:?}; use autogroup:self instead for same-user SSH access"
                    ),
                ))
            }
            Self::SshTagToPeople { members: true, .. } => Some(validator(
                Turn::Ssh,
                "tags in SSH source cannot access autogroup:member (user-owned devices)",
            )),
            Self::SshTagToPeople { members: false, .. } => {
                let user = site.written();
                Some(validator(
                    Turn::Ssh,
                    &format!(
                        "tags in SSH source cannot access user-owned devices ({user}); use autogroup:tagged or specific tags as destinations instead"
                    ),
                ))
            }
            Self::PeriodWithoutCheck { .. } => {
                Some(validator(Turn::Ssh, "checkPeriod is only valid with action \"check\""))
            }
            Self::NotInHeadscale { api, .. } => Some(validator(Turn::NodeAttrs, api)),
            Self::Pool { pool, why: PoolTrouble::Outside, .. } => {
                let what = "nodeAttrs ipPool must be within 100.64.0.0/10";
                Some(validator(Turn::NodeAttrs, &format!("{what}: \"{pool}\"")))
            }
            // With the pool itself refused, what else is wrong with it decides nothing.
            Self::Pool { .. }
            | Self::PortsWithoutPorts { .. }
            | Self::ConditionWithoutChoice { .. }
            | Self::UnknownAttribute { .. }
            | Self::Difference { .. }
            | Self::MatchesNobody { .. }
            | Self::SshTestTooWide { .. }
            | Self::SshCheckFromTag { .. }
            | Self::IpsetCircle { .. }
            | Self::IpsetTooLarge { .. }
            | Self::BothSpellings { .. }
            | Self::OldSpelling { .. } => None,
        }
    }
}

fn unknown(site: &Site, what: What, place: Option<Place>, name: &str) -> Option<Refusal> {
    let place = place?;
    let text = match (what, place) {
        (What::Host, _) => format!("host not defined in policy: {name:?}"),
        (What::Group, _) => format!("group not defined in policy: {name:?}"),
        (What::Tag, Place::AclSrc | Place::GrantSrc) => format!("src=tag not found: {name:?}"),
        (What::Tag, Place::AclDst) => format!("dst={name:?}: tag not found: {name:?}"),
        (What::Tag, Place::Via) => format!("tag {name:?} not found"),
        // The validator comes by twice.
        (What::Tag, Place::TagOwner) => format!(
            "multiple errors:\n\ttag not found: {name:?}\n\ttag {:?} references undefined tag {name:?}",
            site.defined()
        ),
        (What::Tag, _) => format!("tag not found: {name:?}"),
        (What::Ipset | What::Posture, _) => return None,
    };
    Some(validator(turn(place), &text))
}

fn not_allowed(site: &Site, place: Place, kind: Kind, written: &str) -> Refusal {
    let go = match kind {
        Kind::Any => "v2.Asterix",
        Kind::Group => "*v2.Group",
        Kind::Host => "*v2.Host",
        _ => "*v2.Prefix",
    };
    match (place, kind) {
        (Place::SshSrc, Kind::Any | Kind::Host | Kind::Address | Kind::Prefix) => {
            let text = format!("alias not supported for SSH source: {go}");
            site.decode_at(3, "array", "v2.SSHSrcAliases", Some(&text))
        }
        (Place::SshDst, Kind::Any) => {
            let text = "wildcard (*) is not supported as SSH destination; use 'autogroup:member' for user-owned devices, 'autogroup:tagged' for tagged devices, or specific tags/users";
            site.decode_at(3, "array", "v2.SSHDstAliases", Some(text))
        }
        (Place::SshDst, Kind::Group | Kind::Address | Kind::Prefix) => {
            let text = format!("alias not supported for SSH destination: {go}");
            site.decode_at(3, "array", "v2.SSHDstAliases", Some(&text))
        }
        (Place::SshDst, Kind::Host) => validator(Turn::Ssh, &format!("invalid dst {written:?}")),
        _ if written.starts_with("autogroup:") => site.autogroup(written),
        _ => site.selector(written),
    }
}
