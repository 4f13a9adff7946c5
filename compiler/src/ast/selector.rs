//! `group:eng`, `tag:db`, `autogroup:self`, `10.0.0.0/8`, `*` → [`Selector`].
//!
//! SOURCE: docs/language.md, "Selectors". Which selector may stand where is not known here.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;
use pest::Parser;

use super::Text;

/// The second grammar.
#[allow(missing_docs, unreachable_pub, reason = "pest generates an undocumented enum of rules")]
pub(super) mod grammar {
    #[derive(pest_derive::Parser)]
    #[grammar = "ast/selector.pest"]
    pub(in crate::ast) struct Grammar;
}

pub(super) use grammar::{Grammar, Rule};

/// A text that selects users, devices or addresses. Names keep their prefix (`tag:db`).
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Selector {
    /// `*`
    Any,
    /// A login: `alice@example.com`.
    User(Text),
    /// `user:*@example.com`; the domain alone.
    UserDomain(Text),
    /// `group:eng`
    Group(Text),
    /// `tag:db`, lower case.
    Tag(Text),
    /// `autogroup:member`
    Autogroup(Autogroup),
    /// `ipset:office`
    Ipset(Text),
    /// `svc:web`
    Service(Text),
    /// A key of `hosts`.
    Host(Text),
    /// An address or prefix, host bits cleared; a single address has the full prefix length.
    Literal(IpNet),
}

/// A selector that Tailscale defines.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Autogroup {
    /// `autogroup:member`
    Member,
    /// `autogroup:members`, the old spelling of `autogroup:member`.
    Members,
    /// `autogroup:tagged`
    Tagged,
    /// `autogroup:self`
    OwnDevices,
    /// `autogroup:internet`
    Internet,
    /// `autogroup:danger-all`
    DangerAll,
    /// `autogroup:shared`
    Shared,
    /// `autogroup:owner`
    Owner,
    /// `autogroup:admin`
    Admin,
    /// `autogroup:network-admin`
    NetworkAdmin,
    /// `autogroup:it-admin`
    ItAdmin,
    /// `autogroup:billing-admin`
    BillingAdmin,
    /// `autogroup:auditor`
    Auditor,
    /// `autogroup:nonroot`, only among the users of an SSH rule.
    Nonroot,
}

impl Autogroup {
    /// Every autogroup and its name, without the prefix.
    pub const ALL: [(Autogroup, &'static str); 14] = [
        (Autogroup::Member, "member"),
        (Autogroup::Members, "members"),
        (Autogroup::Tagged, "tagged"),
        (Autogroup::OwnDevices, "self"),
        (Autogroup::Internet, "internet"),
        (Autogroup::DangerAll, "danger-all"),
        (Autogroup::Shared, "shared"),
        (Autogroup::Owner, "owner"),
        (Autogroup::Admin, "admin"),
        (Autogroup::NetworkAdmin, "network-admin"),
        (Autogroup::ItAdmin, "it-admin"),
        (Autogroup::BillingAdmin, "billing-admin"),
        (Autogroup::Auditor, "auditor"),
        (Autogroup::Nonroot, "nonroot"),
    ];

    /// Whether it stands for the people with a role.
    pub const fn is_role(self) -> bool {
        matches!(
            self,
            Self::Owner
                | Self::Admin
                | Self::NetworkAdmin
                | Self::ItAdmin
                | Self::BillingAdmin
                | Self::Auditor
        )
    }

    /// The name without `autogroup:`.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(it, _)| *it == self).map_or("", |(_, name)| name)
    }

    fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, it)| *it == name).map(|(it, _)| *it)
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Selector::Any => f.write_str("*"),
            Selector::UserDomain(domain) => write!(f, "user:*@{domain}"),
            Selector::Autogroup(it) => write!(f, "autogroup:{}", it.name()),
            Selector::Literal(it) if it.prefix_len() == it.max_prefix_len() => it.addr().fmt(f),
            Selector::Literal(it) => it.fmt(f),
            Selector::User(it)
            | Selector::Group(it)
            | Selector::Tag(it)
            | Selector::Ipset(it)
            | Selector::Service(it)
            | Selector::Host(it) => f.write_str(it),
        }
    }
}

/// What is wrong with a text that should be a selector.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Malformed {
    /// There is no text.
    Empty,
    /// A tag whose name breaks a rule; the sentence of the control plane.
    Tag(&'static str),
    /// No autogroup has this name.
    Autogroup,
    /// `group:`, `ipset:` or `svc:` with nothing behind it.
    NoName,
    /// An IPv6 address with a zone, such as `fe80::1%eth0`.
    Zone,
    /// Digits and dots or colons that are no address.
    Address,
    /// A prefix whose length is no number or too great.
    PrefixLength,
    /// A user whose login has nothing before or behind its `@`.
    Login,
    /// To headscale, a text with a colon that is no known kind of selector.
    NoSelector,
    /// To headscale, square brackets around something else than an IPv6 address.
    Brackets,
}

/// What reading a selector gives.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Read {
    /// The selector.
    pub selector: Selector,
    /// Whether it was a prefix with host bits, such as `10.0.0.1/8`, which are cleared.
    pub host_bits: bool,
}

/// Reads a selector.
///
/// Errors: see [`Malformed`]; whether a name is defined or allowed is for later stages.
pub fn read(text: &str) -> Result<Read, Malformed> {
    if text.is_empty() {
        return Err(Malformed::Empty);
    }
    // Logins are most of the texts of a large policy. Without a colon, none of the kinds that the
    // grammar tries before them can be meant.
    if text.contains('@') && !text.contains(':') {
        return read_login(text);
    }
    let found = Grammar::parse(Rule::selector, text)
        .ok()
        .and_then(|mut pairs| pairs.next()?.into_inner().next())
        .ok_or(Malformed::Empty)?;
    let name = || found.clone().into_inner().next().map_or("", |it| it.as_str());
    let named = |make: fn(Text) -> Selector| match name() {
        "" => Err(Malformed::NoName),
        _ => Ok(make(text.into())),
    };
    let selector = match found.as_rule() {
        Rule::any => Selector::Any,
        Rule::group => named(Selector::Group)?,
        Rule::ipset => named(Selector::Ipset)?,
        Rule::service => named(Selector::Service)?,
        Rule::tag => {
            check_tag_name(name()).map_err(Malformed::Tag)?;
            Selector::Tag(text.to_ascii_lowercase().into())
        }
        Rule::autogroup => {
            Selector::Autogroup(Autogroup::named(name()).ok_or(Malformed::Autogroup)?)
        }
        Rule::domain if name().is_empty() => return Err(Malformed::Login),
        Rule::domain => Selector::UserDomain(name().into()),
        Rule::user => return read_login(text),
        Rule::literal => match read_literal(text) {
            Ok((net, host_bits)) => {
                return Ok(Read { selector: Selector::Literal(net), host_bits });
            }
            // `cafe.bad` and `10.0.0.1:443` are host names to the control plane, `10.0.0.300` is a slip.
            Err(Malformed::Address)
                if text.contains(|it: char| it.is_ascii_alphabetic() || it == ':') =>
            {
                Selector::Host(text.into())
            }
            Err(why) => return Err(why),
        },
        _ => Selector::Host(text.into()),
    };
    Ok(Read { selector, host_bits: false })
}

fn read_login(text: &str) -> Result<Read, Malformed> {
    if text.starts_with('@') || text.ends_with('@') {
        return Err(Malformed::Login);
    }
    Ok(Read { selector: Selector::User(text.into()), host_bits: false })
}

/// Checks the part of a tag behind `tag:`; the error is the sentence of the control plane.
///
/// SOURCE: docs/language.md, "Selectors", the checks in this order.
pub fn check_tag_name(name: &str) -> Result<(), &'static str> {
    let mut chars = name.chars();
    match chars.next() {
        None => Err("tag names must not be empty"),
        Some(first) if !first.is_ascii_alphabetic() => {
            Err("tag names must start with a letter, after 'tag:'")
        }
        Some(_) if !chars.all(|it| it.is_ascii_alphanumeric() || it == '-') => {
            Err("tag names can only contain numbers, letters, or dashes")
        }
        Some(_) => Ok(()),
    }
}

/// Reads an address or a prefix and clears its host bits; says whether there were any.
pub fn read_literal(text: &str) -> Result<(IpNet, bool), Malformed> {
    let (address, length) = text.split_once('/').map_or((text, None), |(a, l)| (a, Some(l)));
    if address.contains('%') {
        return Err(Malformed::Zone);
    }
    let address: IpAddr = address.parse().map_err(|_| Malformed::Address)?;
    let Some(length) = length else { return Ok((IpNet::from(address), false)) };
    // `/+8` and `/08` are numbers to Rust, and no prefix lengths to anybody.
    let plain =
        length.bytes().all(|it| it.is_ascii_digit()) && (length == "0" || !length.starts_with('0'));
    let bits: u8 = length.parse().ok().filter(|_| plain).ok_or(Malformed::PrefixLength)?;
    let net = IpNet::new(address, bits).map_err(|_| Malformed::PrefixLength)?;
    Ok((net.trunc(), net.trunc().addr() != address))
}

/// A text shared by all its uses.
pub fn shared(text: &str) -> Text {
    Arc::from(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_is_what_the_grammar_takes_for_one() {
        for text in ["a@b.c", "@", "a@", "@b", "*@b.c", "a@b@c", "1.2@x", "10.0.0.1/8@", "a b@c"] {
            let mut pairs = Grammar::parse(Rule::selector, text).expect("a selector");
            let inner = pairs.next().and_then(|it| it.into_inner().next());
            assert_eq!(inner.map(|it| it.as_rule()), Some(Rule::user), "{text}");
            assert_eq!(read(text), read_login(text), "{text}");
        }
    }
}
