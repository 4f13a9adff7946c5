//! The capabilities that Tailscale's own programs know, with the members that their values may have.
//!
//! To the control plane the values are opaque: what is wrong in them no server says, the program at
//! the other end passes it over or refuses the request. Names are those of the programs' source and
//! documentation. Checking, completion and the language page read this one table.
//!
//! SOURCE: docs/language.md, "Capabilities with known values".

use std::fmt;

/// A capability and the members of each of its values.
#[derive(Clone, Copy, Debug)]
pub struct Capability {
    /// `tailscale.com/cap/drive`
    pub name: &'static str,
    /// What each value, an object, may say.
    pub members: &'static [Member],
    /// Whether it stands in `nodeAttrs`, and not in a grant.
    pub of_nodes: bool,
}

/// A member of a value.
#[derive(Clone, Copy, Debug)]
pub struct Member {
    /// Its name.
    pub name: &'static str,
    /// What it may be.
    pub value: Kind,
}

/// What a member may be.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// `true` or `false`
    Flag,
    /// Any text.
    Text,
    /// One of these texts.
    OneOf(&'static [&'static str]),
    /// A list of any texts.
    Texts,
    /// A list of these texts.
    SomeOf(&'static [&'static str]),
    /// A list of one tag.
    OneTag,
    /// A list of tags, or of `*`.
    Tags,
    /// A list of prefixes.
    Prefixes,
    /// An object with these members.
    Object(&'static [Member]),
    /// An object with members of any name.
    Claims,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::Flag => "true or false",
            Kind::Text | Kind::OneOf(_) => "a text",
            Kind::Texts | Kind::SomeOf(_) => "a list of texts",
            Kind::OneTag => "a list of one tag",
            Kind::Tags => "a list of tags",
            Kind::Prefixes => "a list of prefixes",
            Kind::Object(_) | Kind::Claims => "an object",
        })
    }
}

const fn member(name: &'static str, value: Kind) -> Member {
    Member { name, value }
}

const fn granted(name: &'static str, members: &'static [Member]) -> Capability {
    Capability { name, members, of_nodes: false }
}

/// Every capability with known values, in the order of their names.
pub const CAPABILITIES: [Capability; 9] = [
    Capability {
        name: super::APP_CONNECTORS,
        members: &[
            member("name", Kind::Text),
            member("connectors", Kind::Tags),
            member("domains", Kind::Texts),
            member("routes", Kind::Prefixes),
            member("presetAppID", Kind::Text),
        ],
        of_nodes: true,
    },
    // Taildrive: which shares of the destination, and whether they may be written.
    granted(
        "tailscale.com/cap/drive",
        &[member("shares", Kind::Texts), member("access", Kind::OneOf(&["rw", "ro"]))],
    ),
    granted("tailscale.com/cap/golink", &[member("admin", Kind::Flag)]),
    granted(
        "tailscale.com/cap/kubernetes",
        &[
            member("impersonate", Kind::Object(&[member("groups", Kind::Texts)])),
            member("recorder", Kind::OneTag),
            member("enforceRecorder", Kind::Flag),
            member("enableEvents", Kind::Flag),
            member("enableSessionRecordings", Kind::Flag),
        ],
    ),
    granted("tailscale.com/cap/relay", &[]),
    granted(
        "tailscale.com/cap/secrets",
        &[
            member(
                "action",
                Kind::SomeOf(&["get", "info", "put", "create-version", "activate", "delete"]),
            ),
            member("secret", Kind::Texts),
        ],
    ),
    // The documentation says `dataSrc`, the program reads `src`.
    granted(
        "tailscale.com/cap/tailsql",
        &[member("dataSrc", Kind::Texts), member("src", Kind::Texts)],
    ),
    granted(
        "tailscale.com/cap/tsidp",
        &[
            member("users", Kind::Texts),
            member("resources", Kind::Texts),
            member("extraClaims", Kind::Claims),
            member("includeInUserInfo", Kind::Flag),
            member("allow_admin_ui", Kind::Flag),
            member("allow_dcr", Kind::Flag),
        ],
    ),
    granted(
        "tailscale.com/cap/webui",
        &[member("canEdit", Kind::SomeOf(&["*", "ssh", "subnets", "exitNodes", "account"]))],
    ),
];

/// The capability of this name, at its place.
pub fn known(name: &str, of_nodes: bool) -> Option<&'static Capability> {
    CAPABILITIES.iter().find(|it| it.name == name && it.of_nodes == of_nodes)
}
