//! JSON values as people write them → typed values, or the word for what stands there instead.
//!
//! serde stops at the first value of a wrong type; an inventory should report them all. So every
//! field is read as [`Loose`]: it never fails, and remembers a value it could not take. Only text
//! that is no JSON at all ends the reading.
//!
//! JSON and JSON5 come through two drivers ([`Driver`]), and the readers see neither: to them a value
//! comes from a `dyn` [`Object`] or [`List`]. So there is one copy of each in the program.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

mod driver;

pub(super) use driver::Driver;

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

/// The text is no JSON, or enough of it is known. The driver keeps what its parser said.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stopped;

/// A list, item by item.
pub(super) trait List<'t> {
    /// Gives the next item to `sink`; `false` behind the last.
    fn item(&mut self, sink: &mut dyn Sink<'t>) -> Result<bool, Stopped>;

    /// Steps over all items that are left.
    fn pass(&mut self) -> Result<(), Stopped>;
}

/// An object, member by member.
pub(super) trait Object<'t> {
    /// The name of the next member; `None` behind the last.
    fn key(&mut self) -> Result<Option<Text<'t>>, Stopped>;

    /// Gives the value behind the name to `sink`.
    fn value(&mut self, sink: &mut dyn Sink<'t>) -> Result<(), Stopped>;

    /// Steps over the value behind the name.
    fn skip(&mut self) -> Result<(), Stopped>;

    /// Steps over all members that are left.
    fn pass(&mut self) -> Result<(), Stopped> {
        while self.key()?.is_some() {
            self.skip()?;
        }
        Ok(())
    }
}

impl<'t> dyn Object<'t> + '_ {
    /// The value behind the name, as a type.
    pub(super) fn typed<T: Take<'t>>(&mut self) -> Result<Loose<T>, Stopped> {
        let mut value = Loose::Absent;
        self.value(&mut value)?;
        Ok(value)
    }

    /// Hands over the items of the list behind the name one by one, so that a list of a million
    /// nodes is never held.
    pub(super) fn items<T: Take<'t>>(
        &mut self,
        take: impl FnMut(u32, Loose<T>),
    ) -> Result<Loose<()>, Stopped> {
        let mut items = Items { take, outcome: Loose::Absent, item: PhantomData };
        self.value(&mut items)?;
        Ok(items.outcome)
    }
}

/// What takes a value, whichever it is.
pub(super) trait Sink<'t> {
    /// Anything but a list or an object.
    fn plain(&mut self, value: Plain<'t>);

    fn list(&mut self, list: &mut dyn List<'t>) -> Result<(), Stopped>;

    fn object(&mut self, object: &mut dyn Object<'t>) -> Result<(), Stopped>;

    /// Whether it got a value already.
    fn is_filled(&self) -> bool {
        false
    }
}

/// A value that holds no others.
#[derive(Debug)]
pub(super) enum Plain<'t> {
    Null,
    Bool(bool),
    Integer(i64),
    Number(f64),
    Text(Text<'t>),
}

impl Plain<'_> {
    /// What it is.
    pub(super) const fn kind(&self) -> Kind {
        match self {
            Self::Null => Kind::Null,
            Self::Bool(_) => Kind::Bool,
            Self::Integer(_) | Self::Number(_) => Kind::Number,
            Self::Text(_) => Kind::Text,
        }
    }
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

    fn from_list(list: &mut dyn List<'t>) -> Result<Option<Self>, Stopped> {
        list.pass()?;
        Ok(None)
    }

    fn from_object(object: &mut dyn Object<'t>) -> Result<Option<Self>, Stopped> {
        object.pass()?;
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

    fn from_list(list: &mut dyn List<'t>) -> Result<Option<Self>, Stopped> {
        let mut items = Vec::new();
        loop {
            let mut item = Loose::Absent;
            if !list.item(&mut item)? {
                return Ok(Some(items));
            }
            items.push(item);
        }
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

    fn from_object(object: &mut dyn Object<'t>) -> Result<Option<Self>, Stopped> {
        let mut members = Vec::new();
        while let Some(key) = object.key()? {
            members.push((key, object.typed()?));
        }
        Ok(Some(Self(members)))
    }
}

impl<'t, T: Take<'t>> Sink<'t> for Loose<T> {
    fn plain(&mut self, value: Plain<'t>) {
        let kind = value.kind();
        let taken = match value {
            Plain::Null => {
                *self = Self::Null;
                return;
            }
            Plain::Bool(value) => T::from_bool(value),
            Plain::Integer(value) => T::from_integer(value),
            Plain::Number(value) => T::from_number(value),
            Plain::Text(value) => T::from_text(value),
        };
        *self = or_wrong(taken, kind);
    }

    fn list(&mut self, list: &mut dyn List<'t>) -> Result<(), Stopped> {
        *self = or_wrong(T::from_list(list)?, Kind::List);
        Ok(())
    }

    fn object(&mut self, object: &mut dyn Object<'t>) -> Result<(), Stopped> {
        *self = or_wrong(T::from_object(object)?, Kind::Object);
        Ok(())
    }

    fn is_filled(&self) -> bool {
        !matches!(self, Self::Absent)
    }
}

fn or_wrong<T>(value: Option<T>, kind: Kind) -> Loose<T> {
    value.map_or(Loose::Wrong(kind), Loose::Is)
}

/// Hands over the items of a list; any other value is named.
struct Items<T, F> {
    take: F,
    outcome: Loose<()>,
    item: PhantomData<T>,
}

impl<'t, T: Take<'t>, F: FnMut(u32, Loose<T>)> Sink<'t> for Items<T, F> {
    fn plain(&mut self, value: Plain<'t>) {
        self.outcome = match value {
            Plain::Null => Loose::Null,
            other => Loose::Wrong(other.kind()),
        };
    }

    fn list(&mut self, list: &mut dyn List<'t>) -> Result<(), Stopped> {
        self.outcome = Loose::Is(());
        for index in 0.. {
            let mut item = Loose::Absent;
            if !list.item(&mut item)? {
                break;
            }
            (self.take)(index, item);
        }
        Ok(())
    }

    fn object(&mut self, object: &mut dyn Object<'t>) -> Result<(), Stopped> {
        self.outcome = Loose::Wrong(Kind::Object);
        object.pass()
    }
}

/// An object with known fields.
pub(super) trait Record {
    /// Every name a field may have.
    const FIELDS: &'static [&'static str];
}

/// The fields of an object, to be filled.
pub(super) trait Fields<'t> {
    /// The field of this name.
    fn field(&mut self, name: &str) -> Option<&mut dyn Sink<'t>>;

    /// Keeps a name that is not simply a field.
    fn extra(&mut self, name: Text<'t>, extra: Extra);
}

/// Reads the members of an object into fields.
pub(super) fn fill<'t>(
    fields: &mut dyn Fields<'t>,
    object: &mut dyn Object<'t>,
) -> Result<(), Stopped> {
    while let Some(name) = object.key()? {
        let repeated = match fields.field(&name) {
            Some(field) => {
                let repeated = field.is_filled();
                object.value(field)?;
                repeated.then_some(Extra::Repeated)
            }
            None => {
                object.skip()?;
                Some(Extra::Unknown)
            }
        };
        if let Some(extra) = repeated {
            fields.extra(name, extra);
        }
    }
    Ok(())
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

        impl<$life> $crate::tailnet::json::Fields<$life> for $name<$life> {
            fn field(&mut self, name: &str) -> Option<&mut dyn $crate::tailnet::json::Sink<$life>> {
                match name {
                    $($($key)|+ => Some(&mut self.$field),)*
                    _ => None,
                }
            }

            fn extra(
                &mut self,
                name: $crate::tailnet::json::Text<$life>,
                extra: $crate::tailnet::json::Extra,
            ) {
                self.extras.push((name, extra));
            }
        }

        impl<$life> Take<$life> for $name<$life> {
            const EXPECTED: &'static str = "an object";

            fn from_object(
                object: &mut dyn $crate::tailnet::json::Object<$life>,
            ) -> Result<Option<Self>, $crate::tailnet::json::Stopped> {
                let mut record = Self::default();
                $crate::tailnet::json::fill(&mut record, object)?;
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
