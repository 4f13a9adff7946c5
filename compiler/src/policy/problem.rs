//! What can be wrong with a policy whose file has the right shape: families E03xx and E04xx.

use ipnet::IpNet;

pub(crate) mod headscale;

pub use super::names::What;
use super::{Kind, Place, Section};
use crate::ast::ports::protocol_name;
use crate::ast::posture::Operand;
use crate::ast::posture::attributes::{OTHER_NAMES, Values};
use crate::ast::{Protocol, Text};
use crate::diagnostic::{Code, Diagnostic, Edit, Turn, code, similar};
use crate::dialect::HEADSCALE;
use crate::span::Span;
pub use headscale::Difference;

/// Why no addresses may be taken from a pool.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum PoolTrouble {
    /// It is not within `100.64.0.0/10`.
    Outside,
    /// It meets addresses that Tailscale keeps for itself.
    Reserved,
}

/// One thing wrong with what the file means.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[expect(missing_docs, reason = "the sentence above each variant says what its fields are")]
pub enum Problem {
    #[error("unknown {} `{name}`", what_name(*what))]
    Unknown { span: Span, what: What, place: Option<Place>, name: Text, similar: Option<Text> },

    #[error("`{written}` cannot be {}", place.name())]
    NotAllowed { span: Span, place: Place, kind: Kind, written: String },

    #[error("`autogroup:self` with a source that is not people")]
    OwnDevicesOfOthers { span: Span, own: Span, place: Place },

    #[error("`{net}` as a destination")]
    DefaultRoute { span: Span, net: IpNet, section: Section },

    #[error("a capability cannot be granted to `autogroup:internet`")]
    AppToInternet { span: Span },

    #[error("the protocol {} has no ports", protocol_name(*protocol))]
    PortsWithoutPorts { span: Span, protocol: Protocol, section: Section },

    #[error("`{inner}` is a group within `{outer}`")]
    GroupInGroup { span: Span, outer: Text, inner: Text, named_by_api: bool },

    #[error("`{name}` contains itself")]
    IpsetCircle { span: Span, name: Text, defined: Span },

    #[error("with `{name}` the IP sets have more than a million ranges")]
    IpsetTooLarge { span: Span, name: Text },

    #[error("a user can reach by SSH only their own devices")]
    SshToOtherUser { span: Span },

    #[error("a tag cannot be asked to log in again")]
    SshCheckFromTag { span: Span, action: Span },

    #[error("`autogroup:member` and `autogroup:members` in one file")]
    BothSpellings { new: Span, old: Span },

    #[error("`autogroup:members` is the old spelling of `autogroup:member`")]
    OldSpelling { span: Span },

    #[error("{}", condition_sentence(attribute, operand, *always))]
    ConditionWithoutChoice {
        span: Span,
        attribute: Text,
        operand: Operand,
        values: Values,
        always: bool,
    },

    #[error("nobody sets the attribute `{attribute}`")]
    UnknownAttribute { span: Span, attribute: Text, similar: Option<&'static str> },

    #[error("{}", what.sentence())]
    Difference { span: Span, what: Difference },

    #[error("{HEADSCALE} does not support {what}")]
    NotInHeadscale { span: Span, what: &'static str, api: String },

    #[error("to {HEADSCALE} `user:*@{domain}` is a user of this name and stands for nobody")]
    MatchesNobody { span: Span, domain: Text },

    #[error("tags cannot reach the devices of people by SSH")]
    SshTagToPeople { span: Span, members: bool },

    #[error("a check period without a check")]
    PeriodWithoutCheck { span: Span },

    #[error("{HEADSCALE} would go through every address of `{written}`")]
    SshTestTooWide { span: Span, written: Text },

    #[error("no addresses can be taken from `{pool}`")]
    Pool { span: Span, pool: IpNet, why: PoolTrouble },
}

fn condition_sentence(attribute: &str, operand: &Operand, always: bool) -> String {
    match always {
        false => format!("`{attribute}` is never {operand}"),
        true => format!("`{attribute}` is never {operand}, so this excludes nothing"),
    }
}

const fn what_name(what: What) -> &'static str {
    match what {
        What::Group => "group",
        What::Tag => "tag",
        What::Host => "host",
        What::Ipset => "IP set",
        What::Posture => "posture",
    }
}

/// When the control plane comes to a selector at this place.
const fn turn(place: Place) -> Turn {
    match place {
        Place::AclSrc | Place::AclDst => Turn::Acls,
        Place::GrantSrc | Place::GrantDst | Place::Via => Turn::Grants,
        Place::SshSrc | Place::SshDst | Place::Recorder => Turn::Ssh,
        Place::TagOwner => Turn::TagOwners,
        Place::Approver => Turn::Others,
        Place::NodeAttrTarget => Turn::NodeAttrs,
        Place::GroupMember => Turn::Groups,
    }
}

const fn section_turn(section: Section) -> Turn {
    match section {
        Section::Grants => Turn::Grants,
        Section::Acls => Turn::Acls,
    }
}

impl Problem {
    /// The report a person reads.
    pub fn report(&self) -> Diagnostic {
        let new = |code: Code, span: &Span| Diagnostic::new(code, self, *span);
        match self {
            Self::Unknown { span, what, place, name, similar } => {
                unknown(new(unknown_code(*what), span), *span, *what, *place, name, similar.as_ref())
            }
            Self::NotAllowed { span, place, kind, written } => {
                not_allowed(new(code::E0401, span), *place, *kind, written)
            }
            Self::OwnDevicesOfOthers { span, own, place } => {
                let it = new(code::E0402, span)
                    .label("not people")
                    .related(*own, "only meaningful for people, who have devices of their own")
                    .help(match place {
                        Place::AclSrc => "name users, groups, `autogroup:member` or `*` here, or give this source a rule of its own",
                        _ => "name users, groups or `autogroup:member` here, or give this source a rule of its own",
                    });
                match place {
                    Place::SshSrc => it.refused_somehow(Turn::Ssh),
                    _ => it.refused(
                        turn(*place),
                        "autogroup:self can only be used with users, groups, or supported autogroups",
                    ),
                }
            }
            Self::DefaultRoute { span, net, section } => {
                let it = new(code::E0403, span).help(
                    "write `autogroup:internet` for the internet through exit nodes, or `*` for everything",
                );
                match section {
                    Section::Grants => it.refused(
                        Turn::Grants,
                        format!("dst \"{net}\": to allow all IP addresses, use \"*\" or \"autogroup:internet\""),
                    ),
                    Section::Acls => it.refused_somehow(Turn::Acls),
                }
            }
            Self::AppToInternet { span } => new(code::E0404, span)
                .label("no device of the tailnet")
                .help("give network access to the internet in a grant without `app`")
                .refused(Turn::Grants, "cannot use app grants with autogroup:internet"),
            Self::PortsWithoutPorts { span, section, .. } => new(code::E0405, span)
                .label("asks for certain ports")
                .help("write `*` for its ports; only TCP, UDP and SCTP have numbered ones")
                .refused_somehow(section_turn(*section)),
            Self::GroupInGroup { span, outer, inner, named_by_api } => new(code::E0406, span)
                .help(format!("list the members of `{inner}` here, or name both groups where `{outer}` is used"))
                .refused(
                    if *named_by_api { Turn::Groups } else { Turn::Shadowed },
                    format!("groups[{outer:?}]: {inner:?}: group members cannot be recursive"),
                ),
            Self::IpsetCircle { span, defined, .. } => new(code::E0407, span)
                .label("leads back to where it is used")
                .related(*defined, "defined here")
                .help("take one of the references out of the circle")
                .refused_somehow(Turn::Others),
            Self::IpsetTooLarge { span, .. } => new(code::E0412, span)
                .help("name each set once, or write the prefix that holds its parts"),
            Self::SshToOtherUser { span } => new(code::E0408, span)
                .help("make this user the only source, or write `autogroup:self` as the destination")
                .refused(Turn::Ssh, "users in dst are only allowed from the same user"),
            Self::SshCheckFromTag { span, action } => new(code::E0409, span)
                .label("nobody sits there to log in")
                .related(*action, "asks for a fresh login")
                .help("use `accept` for tags, in a rule of their own")
                .refused(Turn::Ssh, "[ssh] \"check\" action does not support tags in src"),
            Self::BothSpellings { new: first, old } => new(code::E0410, old)
                .label("the old spelling")
                .related(*first, "the new spelling")
                .help("write `autogroup:member` everywhere; both mean the same")
                .refused_somehow(Turn::Others),
            Self::OldSpelling { span } => new(code::W0411, span)
                .help("both mean the same; a file may use only one of them")
                .fix(
                    "write `autogroup:member`",
                    true,
                    Edit { span: *span, text: "autogroup:member".to_owned() },
                ),
            Self::ConditionWithoutChoice { span, attribute, operand, values, .. } => {
                condition(new(code::W0413, span), attribute, operand, *values)
            }
            Self::UnknownAttribute { span, similar, .. } => {
                let it = new(code::W0414, span).label("no device meets it, unless it says `NOT SET`");
                match similar {
                    Some(near) => it.help(format!("did you mean `{near}`?")),
                    None => it.help("attributes of your own are called `custom:name`"),
                }
            }
            Self::Difference { span, what } => what.worded(new(what.code(), span)),
            Self::NotInHeadscale { span, .. } => {
                new(code::E0450, span).help("remove it; it works with Tailscale's own control plane only")
            }
            Self::MatchesNobody { span, .. } => new(code::E0451, span)
                .help("name a group, or `autogroup:member` for everyone: there are no domains to select by"),
            Self::SshTagToPeople { span, .. } => new(code::E0408, span)
                .help("name tags or `autogroup:tagged` as destinations, or give the tags a rule of their own"),
            Self::PeriodWithoutCheck { span } => new(code::E0453, span)
                .help("write `\"action\": \"check\"`, or leave the period out"),
            Self::SshTestTooWide { span, .. } => new(code::E0454, span)
                .label("exhausts the memory of the server")
                .help("name the users, tags or devices that are meant"),
            Self::Pool { span, pool, why } => match why {
                PoolTrouble::Reserved => new(code::E0227, span)
                    .label("meets addresses that Tailscale keeps for itself")
                    .help("keep clear of 100.100.0.0/24, 100.100.100.0/24 and 100.115.92.0/23")
                    .refused(Turn::NodeAttrs, format!("IPPool({pool}): network within reserved range")),
                PoolTrouble::Outside => new(code::E0227, span)
                    .label("not within 100.64.0.0/10")
                    .help("choose a part of 100.64.0.0/10")
                    .refused_somehow(Turn::NodeAttrs),
            },
        }
    }
}

/// The value that was most likely meant.
fn other_name(written: &str, known: &[&'static str]) -> Option<&'static str> {
    let mut others = OTHER_NAMES.iter().filter(|it| known.contains(&it.1));
    let other = others.find(|it| it.0.eq_ignore_ascii_case(written)).map(|it| it.1);
    other.or_else(|| similar(written, known.iter().copied()))
}

/// The report of a condition with a value that the attribute never has.
fn condition(it: Diagnostic, attribute: &str, operand: &Operand, values: Values) -> Diagnostic {
    let written = match operand {
        Operand::Text(text) => text.to_string(),
        other => other.to_string(),
    };
    match values {
        Values::Flag => it.help("write `true` or `false`, without quotes"),
        Values::Number => it.help("write a number, without quotes"),
        Values::Version => it.help(format!("write a version between quotes: `'{written}'`")),
        Values::Text => it.help("write a text between quotes"),
        Values::Country => {
            it.help("write the code of a country in capital letters, such as `'DE'`")
        }
        Values::OneOf(known) => match other_name(&written, known) {
            Some(near) => it.help(format!("did you mean `'{near}'`?")),
            None => {
                let known: Vec<String> = known.iter().map(|it| format!("`'{it}'`")).collect();
                it.help(format!("`{attribute}` is {}", known.join(", ")))
            }
        },
    }
}

const fn unknown_code(what: What) -> Code {
    match what {
        What::Tag => code::E0301,
        What::Group => code::E0302,
        What::Host => code::E0303,
        What::Ipset => code::E0304,
        What::Posture => code::E0305,
    }
}

/// The report of a name that nobody defines, with the words of the API for its place.
fn unknown(
    it: Diagnostic,
    span: Span,
    what: What,
    place: Option<Place>,
    name: &Text,
    similar: Option<&Text>,
) -> Diagnostic {
    let section = match what {
        What::Tag => "tagOwners",
        What::Group => "groups",
        What::Host => "hosts",
        What::Ipset => "ipsets",
        What::Posture => "postures",
    };
    let host_with_colon = what == What::Host && name.contains(':');
    let it = it.label(if host_with_colon {
        "read as the name of a host, which has no colon".to_owned()
    } else {
        format!("not defined in `{section}`")
    });
    let it = match similar {
        Some(similar) => it.help(format!("did you mean `{similar}`?")).fix(
            format!("write `{similar}`"),
            false,
            Edit { span, text: similar.to_string() },
        ),
        None if host_with_colon => {
            it.help("ports stand in `ip` in a grant, and behind the last colon in an acl")
        }
        None => it.help(format!("define it in `{section}`, or name another one")),
    };
    let turn = place.map_or(Turn::Others, turn);
    let message = match (what, place) {
        (What::Host, Some(Place::NodeAttrTarget)) => format!("{name:?}: invalid address"),
        (What::Host, Some(_)) if host_with_colon => {
            "host name must not contain colon (:)".to_owned()
        }
        (What::Tag, Some(Place::AclSrc | Place::GrantSrc)) => {
            format!("src=tag not found: {name:?}")
        }
        (What::Tag, Some(Place::AclDst | Place::GrantDst)) => {
            format!("dst={name:?}: tag not found: {name:?}")
        }
        (What::Tag, Some(Place::Via)) => format!("tag {name:?} not found"),
        (What::Tag, Some(Place::NodeAttrTarget)) => format!("tag not found: {name:?}"),
        _ => return it.refused_somehow(turn),
    };
    it.refused(turn, message)
}

/// The report of a selector at the wrong place, with the words of the API where they are known.
fn not_allowed(it: Diagnostic, place: Place, kind: Kind, written: &str) -> Diagnostic {
    let help = match (place, kind) {
        (Place::AclSrc | Place::GrantSrc, Kind::OwnDevices) => {
            "it stands for the devices of the one who asks; name the people here, for example `autogroup:member`"
        }
        (Place::AclSrc | Place::GrantSrc, Kind::Internet) => {
            "nothing comes from the internet through an exit node; name devices or prefixes of your own"
        }
        (Place::AclDst | Place::GrantDst, Kind::DangerAll) => {
            "write `*` for every device and route"
        }
        (Place::AclSrc | Place::GrantSrc, Kind::Service) => {
            "a service is only ever reached; name the nodes behind it"
        }
        (Place::AclDst | Place::GrantDst, Kind::Shared) => {
            "who reaches those devices is said by the policy of their own tailnet"
        }
        (_, Kind::Nonroot) => "it stands for users of a host and belongs in `users` of an SSH rule",
        (Place::Via, _) => "name the tags of the routers",
        (Place::SshDst, _) => "name tags, or `autogroup:self` for one's own devices",
        (Place::GroupMember, _) => "a group lists users by their login",
        (Place::NodeAttrTarget, Kind::OwnDevices) => {
            "write `autogroup:member` for the devices of people"
        }
        (Place::SshSrc, _) => {
            "name users, groups, tags, `autogroup:member`, `autogroup:tagged` or roles such as `autogroup:admin`; addresses say nothing about who it is"
        }
        (Place::Recorder, _) => "name the tag of the nodes that record",
        (Place::TagOwner, _) => {
            "name users by their login, groups, tags, or autogroups of people such as `autogroup:admin`"
        }
        (Place::Approver, _) => {
            "name whose routes are approved: tags, users by their login, groups, or autogroups of people"
        }
        (Place::NodeAttrTarget, _) => {
            "name `*`, users, groups, tags, addresses, hosts, or autogroups of people"
        }
        _ => "`aclc explain E0401` shows what may stand where",
    };
    let it = it.help(help);
    let turn = turn(place);
    let message = match (place, kind) {
        (Place::AclSrc | Place::GrantSrc, Kind::OwnDevices) => {
            "\"autogroup:self\" not valid on the src side of a rule".to_owned()
        }
        (Place::AclDst | Place::GrantDst, Kind::DangerAll) => {
            "cannot use autogroup:danger-all as a dst".to_owned()
        }
        (Place::Via, _) => "via can only be a tag".to_owned(),
        (Place::SshDst, Kind::Address | Kind::Prefix | Kind::Host) => {
            format!("invalid dst {written:?}")
        }
        (Place::NodeAttrTarget, Kind::OwnDevices) => "internal server error".to_owned(),
        _ => return it.refused_somehow(turn),
    };
    it.refused(turn, message)
}
