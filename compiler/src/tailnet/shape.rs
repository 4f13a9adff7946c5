//! Text → which of the four shapes it has, from the names of its first members.
//!
//! Reads only as far as it must: it ends the parser with an error of its own once it knows.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::json::{Key, Kind, Loose, Take};
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

impl<'t> DeserializeSeed<'t> for Sniff<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'t>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Sniff<'_> {
    fn plain<E>(self, kind: Kind) -> Result<(), E> {
        *self.0 = Guess::Not(Found::Other(kind));
        Ok(())
    }

    fn certain<E: Error>(self, guess: Guess) -> Result<(), E> {
        *self.0 = guess;
        Err(E::custom("the shape is known"))
    }
}

impl<'t> Visitor<'t> for Sniff<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an inventory")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.plain(Kind::Null)
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        self.plain(Kind::Bool)
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        self.plain(Kind::Number)
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        self.plain(Kind::Number)
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        self.plain(Kind::Number)
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        self.plain(Kind::Text)
    }

    fn visit_seq<A: SeqAccess<'t>>(self, mut list: A) -> Result<(), A::Error> {
        match list.next_element::<Loose<Names>>()? {
            // headscale prints this for a server without nodes.
            None => *self.0 = Guess::Is(Shape::Headscale),
            Some(Loose::Is(names)) if names.has(HEADSCALE) => {
                return self.certain(Guess::Is(Shape::Headscale));
            }
            Some(Loose::Is(names)) if names.has(HEADSCALE_USER) => {
                return self.certain(Guess::Not(Found::Users));
            }
            Some(_) => return self.certain(Guess::Not(Found::Other(Kind::List))),
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'t>>(self, mut object: A) -> Result<(), A::Error> {
        *self.0 = Guess::Not(Found::Other(Kind::Object));
        while let Some(Key(key)) = object.next_key()? {
            match &*key {
                "devices" => return self.certain(Guess::Is(Shape::Devices)),
                "Peer" | "Self" | "BackendState" => return self.certain(Guess::Is(Shape::Status)),
                "nodes" => {
                    *self.0 = Guess::Is(Shape::Native);
                    let mut first = None;
                    let nodes = object.next_value_seed(FirstOnly(&mut first));
                    if first.is_some_and(|it| it.has(HEADSCALE)) {
                        *self.0 = Guess::Is(Shape::Headscale);
                    }
                    nodes?;
                }
                "users" => match object.next_value::<Loose<FirstItem>>()? {
                    Loose::Is(FirstItem(Some(names))) if names.has(HEADSCALE_USER) => {
                        if *self.0 != Guess::Is(Shape::Native) {
                            *self.0 = Guess::Not(Found::Users);
                        }
                    }
                    _ => *self.0 = Guess::Is(Shape::Native),
                },
                "tailnet" | "services" => {
                    object.next_value::<IgnoredAny>()?;
                    if !matches!(self.0, Guess::Not(Found::Users)) {
                        *self.0 = Guess::Is(Shape::Native);
                    }
                }
                // A policy is one even where a section of it shares a name with ours.
                name if POLICY.contains(&name) => return self.certain(Guess::Not(Found::Policy)),
                _ => drop(object.next_value::<IgnoredAny>()?),
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

    fn from_object<A: MapAccess<'t>>(mut object: A) -> Result<Option<Self>, A::Error> {
        let mut names = Vec::new();
        while let Some((Key(key), IgnoredAny)) = object.next_entry()? {
            names.push(key.into_owned());
        }
        Ok(Some(Self(names)))
    }
}

/// The names in the first object of a list; the others are stepped over.
struct FirstItem(Option<Names>);

impl<'t> Take<'t> for FirstItem {
    const EXPECTED: &'static str = "a list";

    fn from_list<A: SeqAccess<'t>>(mut list: A) -> Result<Option<Self>, A::Error> {
        let first = match list.next_element::<Loose<Names>>()? {
            None => None,
            Some(Loose::Is(names)) => Some(names),
            Some(_) => Some(Names(Vec::new())),
        };
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Some(Self(first)))
    }
}

/// The names in the first object of a list; ends the parser there, because a list of nodes is long.
struct FirstOnly<'a>(&'a mut Option<Names>);

impl<'t> DeserializeSeed<'t> for FirstOnly<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'t>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'t> Visitor<'t> for FirstOnly<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of nodes")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'t>>(self, mut list: A) -> Result<(), A::Error> {
        match list.next_element::<Loose<Names>>()? {
            None => Ok(()),
            Some(first) => {
                if let Loose::Is(names) = first {
                    *self.0 = Some(names);
                }
                Err(A::Error::custom("the shape is known"))
            }
        }
    }
}
