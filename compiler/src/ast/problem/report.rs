//! A problem of the file's shape → the report a person reads: places, helps, fixes, and what
//! Tailscale's own API would say.

mod ports;

use super::{Problem, RelayTrouble, Shape};
use crate::ast::selector::{Autogroup, Malformed, check_tag_name, read_literal};
use crate::ast::{GRANTABLE, posture};
use crate::diagnostic::{Diagnostic, Edit, Fix, Turn, code, similar};
use crate::span::Span;

impl Problem {
    /// The report a person reads.
    pub fn report(&self) -> Diagnostic {
        let new = |code, span: &Span| Diagnostic::new(code, self, *span);
        match self {
            Self::NotAnObject { span, .. } => new(code::E0201, span)
                .help("put the sections between `{` and `}`; `aclc init` writes a policy to start from")
                .refused_somehow(Turn::Fields),
            Self::UnknownField { span, name, similar, known } => {
                let it = new(code::E0202, span).refused(Turn::Fields, format!("json: unknown field {name:?}"));
                match similar {
                    Some(similar) => it.help(format!("did you mean `{similar}`?")).fix(
                        format!("rename it to `{similar}`"),
                        false,
                        Edit { span: *span, text: (*similar).to_owned() },
                    ),
                    None if known.is_empty() => it.help("remove it"),
                    None => it.help(format!("remove it; what can stand here is {}", list(known))),
                }
            }
            Self::NotInHeadscale { span, name, instead } => {
                let it = new(code::E0228, span);
                match instead {
                    Some(now) => it.label("the old name").help(format!("write `{now}`")).fix(
                        format!("rename it to `{now}`"),
                        false,
                        Edit { span: *span, text: (*now).to_owned() },
                    ),
                    None => it.help(format!("remove it; `{name}` works with Tailscale's own control plane only")),
                }
            }
            Self::IgnoredField { span, .. } => new(code::W0229, span)
                .help("make it a comment: Tailscale refuses a field that it does not know"),
            Self::AcceptsAnyway { span } => new(code::W0230, span)
                .help("add `\"action\": \"accept\"`; Tailscale refuses an acl without it")
                .fix(
                    "add `\"action\": \"accept\"`",
                    true,
                    Edit { span: Span::at(span.end), text: "\"action\": \"accept\", ".to_owned() },
                ),
            Self::OnlyHeadscale { span, .. } => new(code::W0231, span)
                .label("not portable")
                .help("write it as both take it, so that the policy can be checked and moved"),
            Self::Repeated { span, first, .. } => new(code::E0110, span)
                .label("defined again")
                .related(*first, "defined here first")
                .help("join the two, or remove one; which of them would count is not known"),
            Self::UnusualSpelling { span, canonical, .. } => new(code::W0203, span)
                .help("Tailscale ignores the case of field names, other tools do not")
                .fix(format!("write `{canonical}`"), true, Edit { span: *span, text: (*canonical).to_owned() }),
            Self::WrongType { span, wanted, found } => {
                let it = new(code::E0204, span).refused_somehow(Turn::Fields);
                match (wanted, found) {
                    (_, Shape::Null) => it.help(format!("write {} here, or leave it out", wanted.name())),
                    (Shape::List, Shape::String | Shape::Object) => between(it, ('[', ']')),
                    (Shape::String, Shape::Number | Shape::Bool) => between(it, ('"', '"')),
                    (Shape::Bool | Shape::Number, Shape::String) => {
                        it.help(format!("write {} without quotes", wanted.name()))
                    }
                    (Shape::Object, _) => it.help("write an object here, with its members between `{` and `}`"),
                    (Shape::List, _) => it.help("write a list here, with its elements between `[` and `]`"),
                    _ => it.help(format!("write {} here", wanted.name())),
                }
            }
            Self::OldNameToo { span, kept, now, once, turn } => new(code::E0205, span)
                .label("the old name")
                .related(*kept, format!("`{now}` is here"))
                .help(format!("move what `{once}` lists to `{now}`, then remove `{once}`"))
                .refused_somehow(*turn),
            Self::Selector { span, written, why, turn } => selector_report(self, *span, written, why, *turn),
            Self::Ports { span, bad, entry, turn } => ports::report(self, *span, bad, entry.as_deref(), *turn),
            Self::NoPorts { span, entry, api, turn } => {
                let it = new(code::E0209, span)
                    .help(format!(
                        "write `{}` for every port, or the ports in the place of the `*`",
                        ports::with_all(entry)
                    ))
                    .fix(
                        format!("write `{}`", ports::with_all(entry)),
                        false,
                        Edit { span: *span, text: ports::with_all(entry) },
                    );
                match api {
                    Some(api) => it.refused(*turn, format!("dst={entry:?}: {api}")),
                    None => it.refused_somehow(*turn),
                }
            }
            Self::TagName { span, name, why } => {
                let it = new(code::E0211, span)
                    .label(tag_label(why))
                    .help(TAG_HELP)
                    .refused(Turn::TagOwners, format!("tagOwners[{name:?}]: {why}"));
                let bare = behind_colon(name);
                if name.starts_with("tag:") || check_tag_name(bare).is_err() {
                    return it;
                }
                it.fix(format!("write `tag:{bare}`"), false, Edit { span: *span, text: format!("tag:{bare}") })
            }
            Self::NamePrefix { span, name, start, turn } => {
                let it = new(code::E0217, span).refused_somehow(*turn);
                match behind_colon(name) {
                    "" => it.help(format!("write the name behind `{start}`")),
                    bare => it.help(format!("write `{start}{bare}`")).fix(
                        format!("write `{start}{bare}`"),
                        false,
                        Edit { span: *span, text: format!("{start}{bare}") },
                    ),
                }
            }
            Self::HostName { span, name } => {
                let it = new(code::E0217, span).help("use letters, digits, dots and dashes");
                if name.contains('@') {
                    let message = format!("host names cannot include an @, please change the name for {name:?}");
                    it.refused(Turn::Hosts, message)
                } else if name.contains(':') {
                    it.refused(Turn::Hosts, "host name must not contain colon (:)")
                } else {
                    it.refused_somehow(Turn::Hosts)
                }
            }
            Self::ServiceName { span, .. } => new(code::E0217, span)
                .help("write `svc:` and one DNS label, or a tag that services carry")
                .refused_somehow(Turn::Others),
            Self::NoAction { span, turn: Turn::Ssh, .. } => new(code::E0206, span)
                .help("add `\"action\": \"accept\"`, or `\"check\"` to ask for a fresh login first")
                .refused(Turn::Ssh, "action must be specified"),
            Self::NoAction { span, turn, is_null: true } => new(code::E0206, span)
                .help("write `\"action\": \"accept\"`")
                .refused(*turn, "action=\"\" is not supported"),
            Self::NoAction { span, turn, is_null: false } => new(code::E0206, span)
                .help("add `\"action\": \"accept\"`")
                .fix(
                    "add `\"action\": \"accept\"`",
                    false,
                    Edit { span: Span::at(span.end), text: "\"action\": \"accept\", ".to_owned() },
                )
                .refused(*turn, "action=\"\" is not supported"),
            Self::AclAction { span, action } => in_small_letters(new(code::E0213, span), action, &["accept"])
                .help("an acl can only accept; what no rule accepts is denied")
                .refused(Turn::Acls, format!("action={action:?} is not supported")),
            Self::SshAction { span, action } => {
                let message = match &**action {
                    "" => "action must be specified".to_owned(),
                    _ => format!("{action:?} is not a valid action"),
                };
                in_small_letters(new(code::E0213, span), action, &["accept", "check"])
                    .help("`accept` lets the session in, `check` asks for a fresh login first; what no rule names is denied")
                    .refused(Turn::Ssh, message)
            }
            Self::GrantsNothing { span } => new(code::E0214, span)
                .help("add `\"ip\": [\"*\"]` for network access, or `app` with a capability")
                .refused(Turn::Grants, "ip and app can not both be empty"),
            Self::CapabilityForm { span, name } => {
                let it = new(code::E0215, span)
                    .help("a capability is a domain and a path, such as `example.com/cap/name`, without `https://`");
                // The answer was captured for addresses of the web; for other names nobody saw one.
                let Some((_, rest)) = name.split_once("://") else {
                    return it.refused_somehow(Turn::Grants);
                };
                let it = it.refused(Turn::Grants, "capability name must have the form {domain}/{path}");
                match rest.split_once('/') {
                    Some((domain, path)) if domain.contains('.') && !path.is_empty() => {
                        it.fix(format!("write `{rest}`"), false, Edit { span: *span, text: rest.to_owned() })
                    }
                    _ => it,
                }
            }
            Self::ReservedCapability { span, name } => reserved(new(code::E0216, span), *span, name)
                .refused(Turn::Grants, "capability name must not be in the tailscale.com domain"),
            Self::CapMember { span, similar, known, .. } => {
                let it = new(code::W0232, span);
                match similar {
                    Some(near) => it.help(format!("did you mean `{near}`?")).fix(
                        format!("rename it to `{near}`"),
                        false,
                        Edit { span: *span, text: (*near).to_owned() },
                    ),
                    None if known.is_empty() => it.help("remove it"),
                    None => it.help(format!("remove it; what can stand here is {}", list(known))),
                }
            }
            Self::CapType { span, wanted } => {
                new(code::W0233, span).help(format!("write {wanted}; Tailscale passes on whatever stands here"))
            }
            Self::CapValue { span, written, known, .. } => {
                let it = new(code::W0234, span);
                match similar(written, known.iter().copied()) {
                    Some(near) => it.help(format!("did you mean `{near}`?")).fix(
                        format!("write `{near}`"),
                        false,
                        Edit { span: *span, text: near.to_owned() },
                    ),
                    None => it.help(format!("it is one of {}", list(known))),
                }
            }
            Self::NoSshUsers { span } => new(code::E0206, span)
                .help("add `\"users\": [\"autogroup:nonroot\"]`, or the users to log in as")
                .refused(Turn::Ssh, "users must be specified"),
            Self::SshUser { span, user } => new(code::E0219, span)
                .help("name the users, or write `autogroup:nonroot` for everyone but root")
                .refused(Turn::Ssh, format!("user {user:?} is not valid")),
            Self::EmptyEnvironment { span } => new(code::E0220, span)
                .help("name the variables, for example `\"GIT_*\"`, or leave `acceptEnv` out")
                .refused(Turn::Ssh, "acceptEnv values cannot be empty"),
            Self::Period { span, written, why } => {
                let it = new(code::E0218, span).label(period_label(why)).refused(Turn::Ssh, why.clone());
                let days = written.strip_suffix('d').and_then(|it| it.parse().ok());
                match days.filter(|it| (1..=7_u32).contains(it)) {
                    Some(days) => it
                        .help(format!("hours are the longest unit: write `{}h`", days * 24))
                        .fix(format!("write `{}h`", days * 24), false, Edit {
                            span: *span,
                            text: format!("{}h", days * 24),
                        }),
                    None => it.help("write a duration such as `12h` or `30m`, at most `168h`, or `always`"),
                }
            }
            Self::Assertion { span, written } => {
                let it = new(code::E0221, span).refused_somehow(Turn::Others);
                let twice = written.replacen('=', "==", 1);
                if posture::read(&twice).is_some() {
                    return it.help(format!("write `{twice}`")).fix(
                        format!("write `{twice}`"),
                        false,
                        Edit { span: *span, text: twice },
                    );
                }
                it.help("write for example `node:os == 'macos'`, `node:tsVersion >= '1.60'`, `ip:country IN ['DE']` or `custom:tier IS SET`")
            }
            Self::IpsetOperation { span, .. } => new(code::E0222, span)
                .help("write an address, a prefix, a range `a-b`, `host:name`, `ipset:name` or `autogroup:internet`, with `add` or `remove` in front")
                .refused_somehow(Turn::Others),
            Self::IpsetWithoutWord { span, written, remove } => new(code::E0222, span)
                .related(*remove, "the set removes something, so every step says what it does")
                .help(format!("write `add {written}`"))
                .fix(format!("write `add {written}`"), false, Edit { span: Span::at(span.start), text: "add ".to_owned() })
                .refused_somehow(Turn::Others),
            Self::WithoutEffect { span, .. } => new(code::W0223, span)
                .help("it is read and left alone; Tailscale keeps it for other purposes"),
            Self::HostBits { span, meant } => new(code::W0224, span)
                .help("write the prefix itself, or the single address if that was meant")
                .fix(format!("write `{meant}`"), true, Edit { span: *span, text: meant.clone() }),
            Self::CgnatRoute { span, written } => {
                let it = new(code::E0225, span).refused_somehow(Turn::Others);
                match similar(written, ["mac-always", "mac-never"]) {
                    Some(near) => it.help(format!("did you mean `{near}`?")).fix(
                        format!("write `{near}`"),
                        false,
                        Edit { span: *span, text: near.to_owned() },
                    ),
                    None => it.help("it is `\"\"`, `\"mac-always\"` or `\"mac-never\"`"),
                }
            }
            Self::RegionId { span, .. } => new(code::E0226, span)
                .help("regions are numbered from 1; 900 to 999 are free for relays of one's own")
                .refused_somehow(Turn::Others),
            Self::RelayMap { span, why } => new(code::W0235, span).help(match why {
                RelayTrouble::Number(_) => "number your own regions from 900 on; one with the number of a default region replaces it",
                RelayTrouble::NothingToRemove(_) => "null takes away a region of Tailscale's; leave your own out instead",
                RelayTrouble::SeveralRelays => "give each relay a region: relays of one region must know each other, which only Tailscale's do",
                RelayTrouble::NoRelay => "add the relay to `Nodes`, or write null to take a default region away",
                RelayTrouble::NoHost => "add `HostName`; clients check the certificate of the relay against it",
                RelayTrouble::OtherRegion(_) => "write the number of its region, or leave `RegionID` out of the region's relays and let it follow",
                RelayTrouble::SameName(_) => "clients tell relays and regions apart by their names",
                RelayTrouble::Port(_) => "ports end at 65535; -1 as `STUNPort` switches STUN off",
                RelayTrouble::Address(_) => "write an address of that family, `none` to have none, or leave it out",
            }),
            Self::RegionMismatch { span, key, .. } => new(code::E0226, span)
                .help(format!("write {key} at both places"))
                .fix(format!("write {key}"), false, Edit { span: *span, text: key.to_string() })
                .refused_somehow(Turn::Others),
        }
    }
}

const TAG_HELP: &str = "a tag is `tag:`, a letter, then letters, digits and dashes";

/// What is wrong with a tag, given the control plane's sentence.
fn tag_label(why: &str) -> &'static str {
    if why.contains("empty") {
        "nothing stands behind the colon"
    } else if why.contains("start with a letter") {
        "does not begin with a letter"
    } else if why.contains("only contain") {
        "has other characters than letters, digits and dashes"
    } else {
        "does not begin with `tag:`"
    }
}

/// What is wrong with a check period, given the control plane's sentence.
fn period_label(why: &str) -> &'static str {
    if why.contains("positive") {
        "negative"
    } else if why.contains("above") {
        "longer than a week"
    } else {
        "no duration"
    }
}

/// Names as a person lists them: each in backticks, commas between them.
fn list(names: &[&str]) -> String {
    names.iter().map(|it| format!("`{it}`")).collect::<Vec<_>>().join(", ")
}

/// Puts the place of a finding between two marks.
fn between(it: Diagnostic, (open, close): (char, char)) -> Diagnostic {
    let title = format!("put it between `{open}` and `{close}`");
    let edits = vec![
        Edit { span: Span::at(it.span.start), text: open.into() },
        Edit { span: Span::at(it.span.end), text: close.into() },
    ];
    let mut it = it.help(title.clone());
    it.fixes.push(Fix { title, safe: false, edits });
    it
}

/// What stands behind the prefix of a name, or the whole name where it has none.
fn behind_colon(name: &str) -> &str {
    name.split_once(':').map_or(name, |it| it.1)
}

/// Offers an action in small letters, where nothing else is wrong with it.
fn in_small_letters(it: Diagnostic, action: &str, known: &[&str]) -> Diagnostic {
    let small = action.to_ascii_lowercase();
    if !known.contains(&&*small) {
        return it;
    }
    let edit = Edit { span: it.span, text: small };
    it.fix(format!("write `{}`", edit.text), false, edit)
}

/// What a capability of Tailscale's own that nobody may grant was meant to be.
fn reserved(it: Diagnostic, span: Span, name: &str) -> Diagnostic {
    // The part that all of them share would make them all alike.
    let last = |name: &'static str| name.rsplit('/').next().unwrap_or_default();
    let near = similar(name.rsplit('/').next().unwrap_or_default(), GRANTABLE.map(last));
    match GRANTABLE.iter().find(|it| near == Some(last(it))) {
        Some(near) => it.help(format!("did you mean `{near}`?")).fix(
            format!("write `{near}`"),
            false,
            Edit { span, text: (*near).to_owned() },
        ),
        None => it.help(format!(
            "use a domain of your own; below `tailscale.com/cap/` a grant may give {}",
            list(&GRANTABLE.map(last))
        )),
    }
}

/// An address or prefix without its zone.
fn without_zone(written: &str) -> String {
    let (address, length) = written.split_at(written.find('/').unwrap_or(written.len()));
    format!("{}{length}", address.split('%').next().unwrap_or_default())
}

/// The report of a malformed selector.
fn selector_report(
    problem: &Problem,
    span: Span,
    written: &str,
    why: &Malformed,
    turn: Turn,
) -> Diagnostic {
    let refused = |it: Diagnostic| match turn {
        Turn::NodeAttrs => it.refused(turn, format!("{written:?}: invalid address")),
        _ => it.refused_somehow(turn),
    };
    refused(match why {
        Malformed::Tag(why) => Diagnostic::new(code::E0211, problem, span)
            .label(tag_label(why))
            .help(TAG_HELP),
        Malformed::Autogroup => {
            let name = written.trim_start_matches("autogroup:");
            let near = similar(name, Autogroup::ALL.map(|it| it.1));
            let it = Diagnostic::new(code::E0306, problem, span);
            match near {
                Some(near) => it.help(format!("did you mean `autogroup:{near}`?")).fix(
                    format!("write `autogroup:{near}`"),
                    false,
                    Edit { span, text: format!("autogroup:{near}") },
                ),
                None => it.help("`aclc explain E0306` lists all autogroups"),
            }
        }
        Malformed::Brackets => {
            Diagnostic::new(code::E0212, problem, span).help("leave the brackets out")
        }
        Malformed::NoSelector => {
            let help = match written.split_once(':') {
                Some(("ipset", _)) => "name prefixes, or hosts that stand for them",
                Some(("svc", _)) => "name the nodes behind the service, by their tag",
                _ => "ports stand in `ip` in a grant, and behind the last colon in an acl",
            };
            Diagnostic::new(code::E0207, problem, span).help(help)
        }
        Malformed::Zone => {
            let it = Diagnostic::new(code::E0212, problem, span)
                .help("leave out the `%` and what follows; a zone has a meaning on one machine only");
            let plain = without_zone(written);
            match read_literal(&plain) {
                Ok(_) => it.fix(format!("write `{plain}`"), false, Edit { span, text: plain }),
                Err(_) => it,
            }
        }
        Malformed::Address if written.bytes().all(|it| it.is_ascii_digit() || b"./".contains(&it)) => {
            Diagnostic::new(code::E0212, problem, span)
                .help("an IPv4 address is four numbers from 0 to 255 with dots between them")
        }
        Malformed::Address => Diagnostic::new(code::E0212, problem, span)
            .help("write an IP address or a prefix, such as `10.0.0.1` or `fd00::/64`"),
        Malformed::PrefixLength => Diagnostic::new(code::E0212, problem, span)
            .help("the length behind the `/` is at most 32 for IPv4 and 128 for IPv6"),
        Malformed::Empty => Diagnostic::new(code::E0207, problem, span).help("write what it selects, or remove it"),
        Malformed::NoName => Diagnostic::new(code::E0207, problem, span).help("write the name behind the colon"),
        Malformed::Login => Diagnostic::new(code::E0207, problem, span)
            .help("a login has a name before the `@` and a domain behind it; everyone of a domain is `user:*@example.com`"),
    })
}
