//! A parser of serde's → [`Sink`]: the only code that is made once for JSON and once for JSON5.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::{List, Object, Plain, Sink, Stopped, Text};

/// Gives a value to a sink.
///
/// A sink that stops the parser leaves an error behind that is of no parser's making.
pub(in crate::tailnet) struct Driver<'s, 't>(pub(in crate::tailnet) &'s mut dyn Sink<'t>);

/// The access to a list or an object, and what the parser said when it stopped.
struct Driven<A, E> {
    access: A,
    error: Option<E>,
}

impl<A, E: Error> Driven<A, E> {
    fn kept<T>(error: &mut Option<E>, result: Result<T, E>) -> Result<T, Stopped> {
        result.map_err(|it| {
            *error = Some(it);
            Stopped
        })
    }

    fn outcome(self, result: Result<(), Stopped>) -> Result<(), E> {
        result.map_err(|Stopped| self.error.unwrap_or_else(|| E::custom("enough is known")))
    }
}

impl<'t> DeserializeSeed<'t> for Driver<'_, 't> {
    type Value = ();

    fn deserialize<D: Deserializer<'t>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'t> Visitor<'t> for Driver<'_, 't> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.0.plain(Plain::Null);
        Ok(())
    }

    fn visit_bool<E>(self, value: bool) -> Result<(), E> {
        self.0.plain(Plain::Bool(value));
        Ok(())
    }

    fn visit_i64<E>(self, value: i64) -> Result<(), E> {
        self.0.plain(Plain::Integer(value));
        Ok(())
    }

    fn visit_u64<E>(self, value: u64) -> Result<(), E> {
        self.0.plain(i64::try_from(value).map_or(Plain::Number(value as f64), Plain::Integer));
        Ok(())
    }

    fn visit_f64<E>(self, value: f64) -> Result<(), E> {
        self.0.plain(Plain::Number(value));
        Ok(())
    }

    fn visit_borrowed_str<E>(self, text: &'t str) -> Result<(), E> {
        self.0.plain(Plain::Text(Cow::Borrowed(text)));
        Ok(())
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        self.0.plain(Plain::Text(Cow::Owned(text.to_owned())));
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'t>>(self, access: A) -> Result<(), A::Error> {
        let mut list = Driven { access, error: None };
        let result = self.0.list(&mut list);
        list.outcome(result)
    }

    fn visit_map<A: MapAccess<'t>>(self, access: A) -> Result<(), A::Error> {
        let mut object = Driven { access, error: None };
        let result = self.0.object(&mut object);
        object.outcome(result)
    }
}

impl<'t, A: SeqAccess<'t>> List<'t> for Driven<A, A::Error> {
    fn item(&mut self, sink: &mut dyn Sink<'t>) -> Result<bool, Stopped> {
        let item = self.access.next_element_seed(Driver(sink));
        Self::kept(&mut self.error, item).map(|it| it.is_some())
    }

    fn pass(&mut self) -> Result<(), Stopped> {
        while Self::kept(&mut self.error, self.access.next_element::<IgnoredAny>())?.is_some() {}
        Ok(())
    }
}

impl<'t, A: MapAccess<'t>> Object<'t> for Driven<A, A::Error> {
    fn key(&mut self) -> Result<Option<Text<'t>>, Stopped> {
        Self::kept(&mut self.error, self.access.next_key_seed(Name))
    }

    fn value(&mut self, sink: &mut dyn Sink<'t>) -> Result<(), Stopped> {
        Self::kept(&mut self.error, self.access.next_value_seed(Driver(sink)))
    }

    fn skip(&mut self) -> Result<(), Stopped> {
        Self::kept(&mut self.error, self.access.next_value::<IgnoredAny>()).map(drop)
    }
}

/// Reads the name of a member, borrowed where it can be.
struct Name;

impl<'t> DeserializeSeed<'t> for Name {
    type Value = Text<'t>;

    fn deserialize<D: Deserializer<'t>>(self, deserializer: D) -> Result<Text<'t>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'t> Visitor<'t> for Name {
    type Value = Text<'t>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a member")
    }

    fn visit_borrowed_str<E>(self, text: &'t str) -> Result<Text<'t>, E> {
        Ok(Cow::Borrowed(text))
    }

    fn visit_str<E>(self, text: &str) -> Result<Text<'t>, E> {
        Ok(Cow::Owned(text.to_owned()))
    }
}
