//! JSON values as people write them → typed values, or the word for what stands there instead.
//!
//! serde stops at the first value of a wrong type; an inventory should report them all. So every
//! field is read as [`Loose`]: it never fails, and remembers a value it could not take. Only text
//! that is no JSON at all ends the reading. The same types read JSON5, through another driver.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor,
};

/// A text, borrowed from the inventory unless it holds escapes.
pub(super) type Text<'t> = Cow<'t, str>;

/// What a value is, in the words of JSON.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// `null`
    Null,
    /// `true` or `false`
    Bool,
    /// A number.
    Number,
    /// `"…"`
    Text,
    /// `[…]`
    List,
    /// `{…}`
    Object,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Null => "null",
            Self::Bool => "a boolean",
            Self::Number => "a number",
            Self::Text => "a text",
            Self::List => "a list",
            Self::Object => "an object",
        })
    }
}

/// A value that may be missing, or of another kind than it should be.
#[derive(Debug, Default)]
pub(super) enum Loose<T> {
    /// The field is not there.
    #[default]
    Absent,
    /// It is `null`, which means as much.
    Null,
    /// As it should be.
    Is(T),
    /// Something else.
    Wrong(Kind),
}

/// A type that takes some kinds of JSON values.
pub(super) trait Take<'t>: Sized {
    /// What it takes, with an article: "a text".
    const EXPECTED: &'static str;

    fn from_bool(_: bool) -> Option<Self> {
        None
    }

    fn from_integer(value: i64) -> Option<Self> {
        Self::from_number(value as f64)
    }

    fn from_number(_: f64) -> Option<Self> {
        None
    }

    fn from_text(_: Text<'t>) -> Option<Self> {
        None
    }

    fn from_list<A: SeqAccess<'t>>(mut list: A) -> Result<Option<Self>, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(None)
    }

    fn from_object<A: MapAccess<'t>>(mut object: A) -> Result<Option<Self>, A::Error> {
        while object.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(None)
    }
}

impl<'t> Take<'t> for Text<'t> {
    const EXPECTED: &'static str = "a text";

    fn from_text(text: Text<'t>) -> Option<Self> {
        Some(text)
    }
}

impl Take<'_> for bool {
    const EXPECTED: &'static str = "`true` or `false`";

    fn from_bool(value: bool) -> Option<Self> {
        Some(value)
    }
}

impl Take<'_> for f64 {
    const EXPECTED: &'static str = "a number";

    fn from_number(value: f64) -> Option<Self> {
        Some(value)
    }
}

impl<'t, T: Take<'t>> Take<'t> for Vec<Loose<T>> {
    const EXPECTED: &'static str = "a list";

    fn from_list<A: SeqAccess<'t>>(mut list: A) -> Result<Option<Self>, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            items.push(item);
        }
        Ok(Some(items))
    }
}

/// An identifier, which some programs write as a number and some as a text.
#[derive(Debug)]
pub(super) struct Id<'t>(pub(super) Text<'t>);

impl<'t> Take<'t> for Id<'t> {
    const EXPECTED: &'static str = "a number or a text";

    fn from_integer(value: i64) -> Option<Self> {
        Some(Id(Cow::Owned(value.to_string())))
    }

    fn from_number(value: f64) -> Option<Self> {
        Some(Id(Cow::Owned(value.to_string())))
    }

    fn from_text(text: Text<'t>) -> Option<Self> {
        Some(Id(text))
    }
}

/// The members of an object whose names are data.
#[derive(Debug)]
pub(super) struct Members<'t, T>(pub(super) Vec<(Text<'t>, Loose<T>)>);

impl<'t, T: Take<'t>> Take<'t> for Members<'t, T> {
    const EXPECTED: &'static str = "an object";

    fn from_object<A: MapAccess<'t>>(mut object: A) -> Result<Option<Self>, A::Error> {
        let mut members = Vec::new();
        while let Some(Key(key)) = object.next_key()? {
            members.push((key, object.next_value()?));
        }
        Ok(Some(Self(members)))
    }
}

/// The name of a member, borrowed where it can be.
#[derive(Debug)]
pub(super) struct Key<'t>(pub(super) Text<'t>);

impl<'t> Deserialize<'t> for Key<'t> {
    fn deserialize<D: Deserializer<'t>>(deserializer: D) -> Result<Self, D::Error> {
        struct Name;
        impl<'t> Visitor<'t> for Name {
            type Value = Key<'t>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a member")
            }

            fn visit_borrowed_str<E>(self, text: &'t str) -> Result<Key<'t>, E> {
                Ok(Key(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Key<'t>, E> {
                Ok(Key(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(Name)
    }
}

impl<'t, T: Take<'t>> Deserialize<'t> for Loose<T> {
    fn deserialize<D: Deserializer<'t>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Any(PhantomData))
    }
}

/// Takes whatever comes.
struct Any<T>(PhantomData<T>);

fn or_wrong<T>(value: Option<T>, kind: Kind) -> Loose<T> {
    value.map_or(Loose::Wrong(kind), Loose::Is)
}

impl<'t, T: Take<'t>> Visitor<'t> for Any<T> {
    type Value = Loose<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(T::EXPECTED)
    }

    fn visit_unit<E>(self) -> Result<Loose<T>, E> {
        Ok(Loose::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Loose<T>, E> {
        Ok(or_wrong(T::from_bool(value), Kind::Bool))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Loose<T>, E> {
        Ok(or_wrong(T::from_integer(value), Kind::Number))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Loose<T>, E> {
        let taken =
            i64::try_from(value).map_or_else(|_| T::from_number(value as f64), T::from_integer);
        Ok(or_wrong(taken, Kind::Number))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Loose<T>, E> {
        Ok(or_wrong(T::from_number(value), Kind::Number))
    }

    fn visit_borrowed_str<E>(self, text: &'t str) -> Result<Loose<T>, E> {
        Ok(or_wrong(T::from_text(Cow::Borrowed(text)), Kind::Text))
    }

    fn visit_str<E>(self, text: &str) -> Result<Loose<T>, E> {
        Ok(or_wrong(T::from_text(Cow::Owned(text.to_owned())), Kind::Text))
    }

    fn visit_seq<A: SeqAccess<'t>>(self, list: A) -> Result<Loose<T>, A::Error> {
        Ok(or_wrong(T::from_list(list)?, Kind::List))
    }

    fn visit_map<A: MapAccess<'t>>(self, object: A) -> Result<Loose<T>, A::Error> {
        Ok(or_wrong(T::from_object(object)?, Kind::Object))
    }
}

/// Hands over the items of a list one by one, so that a list of a million nodes is never held.
pub(super) struct Items<T, F>(F, PhantomData<T>);

impl<T, F: FnMut(u32, Loose<T>)> Items<T, F> {
    pub(super) fn new(take: F) -> Self {
        Self(take, PhantomData)
    }
}

impl<'t, T: Take<'t>, F: FnMut(u32, Loose<T>)> DeserializeSeed<'t> for Items<T, F> {
    type Value = Loose<()>;

    fn deserialize<D: Deserializer<'t>>(self, deserializer: D) -> Result<Loose<()>, D::Error> {
        deserializer.deserialize_any(Streamed(self))
    }
}

/// The visitor behind [`Items`]: a list is handed over, any other value is named.
struct Streamed<T, F>(Items<T, F>);

impl<'t, T: Take<'t>, F: FnMut(u32, Loose<T>)> Visitor<'t> for Streamed<T, F> {
    type Value = Loose<()>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_unit<E>(self) -> Result<Loose<()>, E> {
        Ok(Loose::Null)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Loose<()>, E> {
        Ok(Loose::Wrong(Kind::Bool))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Loose<()>, E> {
        Ok(Loose::Wrong(Kind::Number))
    }

    fn visit_u64<E>(self, _: u64) -> Result<Loose<()>, E> {
        Ok(Loose::Wrong(Kind::Number))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Loose<()>, E> {
        Ok(Loose::Wrong(Kind::Number))
    }

    fn visit_str<E>(self, _: &str) -> Result<Loose<()>, E> {
        Ok(Loose::Wrong(Kind::Text))
    }

    fn visit_seq<A: SeqAccess<'t>>(mut self, mut list: A) -> Result<Loose<()>, A::Error> {
        let mut index = 0;
        while let Some(item) = list.next_element()? {
            (self.0.0)(index, item);
            index += 1;
        }
        Ok(Loose::Is(()))
    }

    fn visit_map<A: MapAccess<'t>>(self, mut object: A) -> Result<Loose<()>, A::Error> {
        while object.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Loose::Wrong(Kind::Object))
    }
}

/// An object with known fields.
pub(super) trait Record {
    /// Every name a field may have.
    const FIELDS: &'static [&'static str];
}

/// Declares an object with known fields: each with the name, or the several names, it may have.
///
/// `extras` holds names that no field has and names that came twice, of which the last counts.
macro_rules! record {
    ($(#[$doc:meta])* $name:ident<$life:lifetime> { $($field:ident: $type:ty = $($key:literal)|+;)* }) => {
        $(#[$doc])*
        #[derive(Debug, Default)]
        pub(super) struct $name<$life> {
            $(pub(super) $field: Loose<$type>,)*
            pub(super) extras: Vec<($crate::tailnet::json::Text<$life>, $crate::tailnet::json::Extra)>,
        }

        impl $crate::tailnet::json::Record for $name<'_> {
            const FIELDS: &'static [&'static str] = &[$($($key),+),*];
        }

        impl<$life> Take<$life> for $name<$life> {
            const EXPECTED: &'static str = "an object";

            fn from_object<A: serde::de::MapAccess<$life>>(mut object: A) -> Result<Option<Self>, A::Error> {
                let mut record = Self::default();
                while let Some($crate::tailnet::json::Key(key)) = object.next_key()? {
                    match &*key {
                        $($($key)|+ => {
                            let value = object.next_value()?;
                            if !matches!(std::mem::replace(&mut record.$field, value), Loose::Absent) {
                                record.extras.push((key, $crate::tailnet::json::Extra::Repeated));
                            }
                        })*
                        _ => {
                            object.next_value::<serde::de::IgnoredAny>()?;
                            record.extras.push((key, $crate::tailnet::json::Extra::Unknown));
                        }
                    }
                }
                Ok(Some(record))
            }
        }
    };
}
pub(super) use record;

/// Why a member is not simply a field.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Extra {
    /// No field has the name.
    Unknown,
    /// A field of the name was there before.
    Repeated,
}
