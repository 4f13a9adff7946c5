//! The type system of the language, as one table: which kind of selector may stand at which place.
//!
//! SOURCE: docs/language.md, "Where each may stand". Checking, completion and the language page
//! all read it.

use crate::ast::{Autogroup, Selector};
use crate::dialect::Dialect;

/// Where a selector stands.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Place {
    /// `acls[].src`
    AclSrc,
    /// `acls[].dst`, without the ports.
    AclDst,
    /// `grants[].src`
    GrantSrc,
    /// `grants[].dst`
    GrantDst,
    /// `grants[].via`
    Via,
    /// `ssh[].src`
    SshSrc,
    /// `ssh[].dst`
    SshDst,
    /// `ssh[].recorder`
    Recorder,
    /// A value in `tagOwners`.
    TagOwner,
    /// A value in `autoApprovers`.
    Approver,
    /// `nodeAttrs[].target`
    NodeAttrTarget,
    /// A value in `groups`.
    GroupMember,
}

impl Place {
    /// Every place, in the order of the table's columns.
    pub const ALL: [Place; 12] = [
        Place::AclSrc,
        Place::AclDst,
        Place::GrantSrc,
        Place::GrantDst,
        Place::Via,
        Place::SshSrc,
        Place::SshDst,
        Place::Recorder,
        Place::TagOwner,
        Place::Approver,
        Place::NodeAttrTarget,
        Place::GroupMember,
    ];

    /// What a selector there is to a person: "a source of an acl".
    pub const fn name(self) -> &'static str {
        match self {
            Place::AclSrc => "a source of an acl",
            Place::AclDst => "a destination of an acl",
            Place::GrantSrc => "a source of a grant",
            Place::GrantDst => "a destination of a grant",
            Place::Via => "a router in `via`",
            Place::SshSrc => "a source of an SSH rule",
            Place::SshDst => "a destination of an SSH rule",
            Place::Recorder => "a recorder of SSH sessions",
            Place::TagOwner => "an owner of a tag",
            Place::Approver => "an approver of `autoApprovers`",
            Place::NodeAttrTarget => "a target of node attributes",
            Place::GroupMember => "a member of a group",
        }
    }
}

/// What sort of selector it is.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Kind {
    /// `*`
    Any,
    /// A login.
    User,
    /// `user:*@example.com`
    UserDomain,
    /// `group:…`
    Group,
    /// `tag:…`
    Tag,
    /// `autogroup:member`, in either spelling.
    Member,
    /// `autogroup:tagged`
    Tagged,
    /// An autogroup of a role, such as `autogroup:admin`.
    Role,
    /// `autogroup:self`
    OwnDevices,
    /// `autogroup:internet`
    Internet,
    /// `autogroup:danger-all`
    DangerAll,
    /// `autogroup:shared`
    Shared,
    /// `autogroup:nonroot`
    Nonroot,
    /// A single address.
    Address,
    /// A prefix.
    Prefix,
    /// A key of `hosts`.
    Host,
    /// `ipset:…`
    Ipset,
    /// `svc:…`
    Service,
}

impl Kind {
    /// The kind of a selector.
    pub fn of(selector: &Selector) -> Kind {
        match selector {
            Selector::Any => Kind::Any,
            Selector::User(_) => Kind::User,
            Selector::UserDomain(_) => Kind::UserDomain,
            Selector::Group(_) => Kind::Group,
            Selector::Tag(_) => Kind::Tag,
            Selector::Ipset(_) => Kind::Ipset,
            Selector::Service(_) => Kind::Service,
            Selector::Host(_) => Kind::Host,
            Selector::Literal(it) if it.prefix_len() == it.max_prefix_len() => Kind::Address,
            Selector::Literal(_) => Kind::Prefix,
            Selector::Autogroup(it) => match it {
                Autogroup::Member | Autogroup::Members => Kind::Member,
                Autogroup::Tagged => Kind::Tagged,
                Autogroup::OwnDevices => Kind::OwnDevices,
                Autogroup::Internet => Kind::Internet,
                Autogroup::DangerAll => Kind::DangerAll,
                Autogroup::Shared => Kind::Shared,
                Autogroup::Nonroot => Kind::Nonroot,
                Autogroup::Owner
                | Autogroup::Admin
                | Autogroup::NetworkAdmin
                | Autogroup::ItAdmin
                | Autogroup::BillingAdmin
                | Autogroup::Auditor => Kind::Role,
            },
        }
    }
}

/// A column for each [`Place`] in its order: `Y` allowed, `-` not. What is allowed may still depend
/// on the rest of the rule; `rules.rs` and `ssh.rs` see to that.
#[rustfmt::skip]
const TABLE: [(Kind, &str); 18] = [
    //                  acl   grant      ssh          tag    appr-  node   group
    //                  s d   s d  via   s d  record  owner  over   attr   member
    (Kind::Any,        "Y Y   Y Y  -     - -  -       -      -      Y      -"),
    (Kind::User,       "Y Y   Y Y  -     Y Y  -       Y      Y      Y      Y"),
    (Kind::UserDomain, "Y Y   Y Y  -     Y -  -       Y      Y      -      -"),
    (Kind::Group,      "Y Y   Y Y  -     Y -  -       Y      Y      Y      -"),
    (Kind::Tag,        "Y Y   Y Y  Y     Y Y  Y       Y      Y      Y      -"),
    (Kind::Member,     "Y Y   Y Y  -     Y -  -       Y      Y      Y      -"),
    (Kind::Tagged,     "Y Y   Y Y  -     Y Y  -       Y      Y      Y      -"),
    (Kind::Role,       "Y Y   Y Y  -     Y -  -       Y      Y      Y      -"),
    (Kind::OwnDevices, "- Y   - Y  -     - Y  -       -      -      -      -"),
    (Kind::Internet,   "- Y   - Y  -     - -  -       -      -      -      -"),
    (Kind::DangerAll,  "Y -   Y -  -     - -  -       -      -      -      -"),
    (Kind::Shared,     "Y -   Y -  -     - -  -       -      -      -      -"),
    (Kind::Nonroot,    "- -   - -  -     - -  -       -      -      -      -"),
    (Kind::Address,    "Y Y   Y Y  -     - -  -       -      -      Y      -"),
    (Kind::Prefix,     "Y Y   Y Y  -     - -  -       -      -      Y      -"),
    (Kind::Host,       "Y Y   Y Y  -     - -  -       -      -      Y      -"),
    (Kind::Ipset,      "Y Y   Y Y  -     - -  -       -      -      -      -"),
    (Kind::Service,    "- Y   - Y  -     - -  -       -      -      -      -"),
];

/// The same for headscale. It refuses every kind that is not here.
#[rustfmt::skip]
const HEADSCALE: [(Kind, &str); 13] = [
    //                  acl   grant      ssh          tag    appr-  node   group
    //                  s d   s d  via   s d  record  owner  over   attr   member
    (Kind::Any,        "Y Y   Y Y  -     - -  -       -      -      Y      -"),
    (Kind::User,       "Y Y   Y Y  -     Y Y  -       Y      Y      Y      Y"),
    // It is a user that nobody can be.
    (Kind::UserDomain, "Y Y   Y Y  -     Y Y  -       Y      Y      Y      Y"),
    (Kind::Group,      "Y Y   Y Y  -     Y -  -       Y      Y      Y      -"),
    (Kind::Tag,        "Y Y   Y Y  Y     Y Y  -       Y      Y      Y      -"),
    (Kind::Member,     "Y Y   Y Y  -     Y Y  -       -      -      Y      -"),
    (Kind::Tagged,     "Y Y   Y Y  -     Y Y  -       -      -      Y      -"),
    (Kind::OwnDevices, "- Y   - Y  -     - Y  -       -      -      -      -"),
    (Kind::Internet,   "- Y   - Y  -     - -  -       -      -      -      -"),
    (Kind::DangerAll,  "Y -   Y -  -     - -  -       -      -      -      -"),
    (Kind::Address,    "Y Y   Y Y  -     - -  -       -      -      Y      -"),
    (Kind::Prefix,     "Y Y   Y Y  -     - -  -       -      -      Y      -"),
    (Kind::Host,       "Y Y   Y Y  -     - -  -       -      -      Y      -"),
];

/// Whether a selector of this kind may stand at this place, to Tailscale.
pub fn allowed(place: Place, kind: Kind) -> bool {
    allowed_by(Dialect::Tailscale, place, kind)
}

/// The same for any control plane.
pub fn allowed_by(dialect: Dialect, place: Place, kind: Kind) -> bool {
    let table: &[(Kind, &str)] = match dialect {
        Dialect::Tailscale => &TABLE,
        Dialect::Headscale => &HEADSCALE,
    };
    let column = Place::ALL.iter().position(|it| *it == place);
    let row = table.iter().find(|(it, _)| *it == kind);
    let cell = row.zip(column).and_then(|((_, row), column)| row.split_whitespace().nth(column));
    cell == Some("Y")
}
