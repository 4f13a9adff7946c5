//! Text → which of the four shapes it has, from the names of its first members.
//!
//! Reads only as far as it must: it ends the parser with an error of its own once it knows.

use super::json::{Kind, List, Loose, Object, Plain, Sink, Stopped, Take};
use super::problem::Found;

/// A form in which an inventory comes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Shape {
    /// Our own.
    Native,
    /// `tailscale status --json`
    Status,
    /// The devices list of Tailscale's API.
    Devices,
    /// `headscale nodes list -o json`, as it prints it or as its API wraps it.
    Headscale,
}

/// What is known of the shape so far.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum Guess {
    /// Nothing was read.
    #[default]
    Unknown,
    /// Certain, or as good as it gets.
    Is(Shape),
    /// Not an inventory.
    Not(Found),
}

/// Members that only a policy file has.
const POLICY: &[&str] = &[
    "acls",
    "grants",
    "groups",
    "tagOwners",
    "hosts",
    "ssh",
    "nodeAttrs",
    "autoApprovers",
    "postures",
    "ipsets",
];

/// Members that a node of headscale has and one of ours has not; both encodings of headscale.
const HEADSCALE: &[&str] = &[
    "givenName",
    "given_name",
    "ipAddresses",
    "ip_addresses",
    "machineKey",
    "machine_key",
    "registerMethod",
    "register_method",
    "availableRoutes",
    "available_routes",
    "approved_routes",
];

/// Members that a user of headscale has and one of ours has not.
const HEADSCALE_USER: &[&str] =
    &["provider", "providerId", "provider_id", "profilePicUrl", "profile_pic_url"];

/// Reads a document until its shape is certain; the parser's error then means nothing.
pub(super) struct Sniff<'g>(pub(super) &'g mut Guess);

impl Sniff<'_> {
    fn certain(&mut self, guess: Guess) -> Result<(), Stopped> {
        *self.0 = guess;
        Err(Stopped)
    }
}

impl<'t> Sink<'t> for Sniff<'_> {
    fn plain(&mut self, value: Plain<'t>) {
        *self.0 = Guess::Not(Found::Other(value.kind()));
    }

    fn list(&mut self, list: &mut dyn List<'t>) -> Result<(), Stopped> {
        let mut first: Loose<Names> = Loose::Absent;
        if !list.item(&mut first)? {
            // headscale prints this for a server without nodes.
            *self.0 = Guess::Is(Shape::Headscale);
            return Ok(());
        }
        self.certain(match first {
            Loose::Is(names) if names.has(HEADSCALE) => Guess::Is(Shape::Headscale),
            Loose::Is(names) if names.has(HEADSCALE_USER) => Guess::Not(Found::Users),
            _ => Guess::Not(Found::Other(Kind::List)),
        })
    }

    fn object(&mut self, object: &mut dyn Object<'t>) -> Result<(), Stopped> {
        *self.0 = Guess::Not(Found::Other(Kind::Object));
        while let Some(key) = object.key()? {
            match &*key {
                "devices" => return self.certain(Guess::Is(Shape::Devices)),
                "Peer" | "Self" | "BackendState" => return self.certain(Guess::Is(Shape::Status)),
                "nodes" => {
                    *self.0 = Guess::Is(Shape::Native);
                    let mut first = FirstOnly::default();
                    let nodes = object.value(&mut first);
                    if first.names.is_some_and(|it| it.has(HEADSCALE)) {
                        *self.0 = Guess::Is(Shape::Headscale);
                    }
                    nodes?;
                    if first.wrong {
                        return Err(Stopped);
                    }
                }
                "users" => match object.typed()? {
                    Loose::Is(FirstItem(Some(names))) if names.has(HEADSCALE_USER) => {
                        if *self.0 != Guess::Is(Shape::Native) {
                            *self.0 = Guess::Not(Found::Users);
                        }
                    }
                    _ => *self.0 = Guess::Is(Shape::Native),
                },
                "tailnet" | "services" => {
                    object.skip()?;
                    if !matches!(self.0, Guess::Not(Found::Users)) {
                        *self.0 = Guess::Is(Shape::Native);
                    }
                }
                // A policy is one even where a section of it shares a name with ours.
                name if POLICY.contains(&name) => return self.certain(Guess::Not(Found::Policy)),
                _ => object.skip()?,
            }
        }
        Ok(())
    }
}

/// The names of an object's members.
struct Names(Vec<String>);

impl Names {
    fn has(&self, any: &[&str]) -> bool {
        self.0.iter().any(|it| any.contains(&it.as_str()))
    }
}

impl<'t> Take<'t> for Names {
    const EXPECTED: &'static str = "an object";

    fn from_object(object: &mut dyn Object<'t>) -> Result<Option<Self>, Stopped> {
        let mut names = Vec::new();
        while let Some(key) = object.key()? {
            object.skip()?;
            names.push(key.into_owned());
        }
        Ok(Some(Self(names)))
    }
}

/// The names in the first object of a list; the others are stepped over.
struct FirstItem(Option<Names>);

impl<'t> Take<'t> for FirstItem {
    const EXPECTED: &'static str = "a list";

    fn from_list(list: &mut dyn List<'t>) -> Result<Option<Self>, Stopped> {
        let mut first: Loose<Names> = Loose::Absent;
        if !list.item(&mut first)? {
            return Ok(Some(Self(None)));
        }
        list.pass()?;
        Ok(Some(Self(Some(match first {
            Loose::Is(names) => names,
            _ => Names(Vec::new()),
        }))))
    }
}

/// The names in the first object of a list; ends the parser there, because a list of nodes is long.
#[derive(Default)]
struct FirstOnly {
    names: Option<Names>,
    /// Whether there is no list, which is reported when the nodes are read.
    wrong: bool,
}

impl<'t> Sink<'t> for FirstOnly {
    fn plain(&mut self, value: Plain<'t>) {
        self.wrong = value.kind() != Kind::Null;
    }

    fn list(&mut self, list: &mut dyn List<'t>) -> Result<(), Stopped> {
        let mut first: Loose<Names> = Loose::Absent;
        if !list.item(&mut first)? {
            return Ok(());
        }
        if let Loose::Is(names) = first {
            self.names = Some(names);
        }
        Err(Stopped)
    }

    fn object(&mut self, _: &mut dyn Object<'t>) -> Result<(), Stopped> {
        Err(Stopped)
    }
}
