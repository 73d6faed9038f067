//! Reading JSON that may be odd: a member of the wrong shape is noted and passed over, never a reason to lose the rest.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// A type that is read member by member.
pub(crate) trait ReadMembers {
    /// Reads the value of the member `name` from `map`, or leaves it there and returns false.
    fn read<'de, A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<bool, A::Error>;

    /// Something else stands where an object was wanted; `found` says in short what.
    fn not_an_object(&mut self, _found: &str) {}
}

/// Reads the members of an object as far as they can be read: what comes before an error counts.
pub(crate) fn read_available_members(body: &[u8], into: &mut impl ReadMembers) {
    let text = String::from_utf8_lossy(strip_bom(body));
    let _ = ObjectInto(into).deserialize(&mut serde_json::Deserializer::from_str(&text));
}

/// A body without the byte order mark that some servers put before it.
pub(crate) fn strip_bom(body: &[u8]) -> &[u8] {
    body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body)
}

/// The JSON type found in place of an object or an array.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Container {
    Wanted,
    Null,
    Odd,
}

/// Reads an object into a value that the caller keeps, so that what was read before an error is not lost.
/// Anything but an object leaves it as it is.
pub(crate) struct ObjectInto<'a, T>(pub(crate) &'a mut T);

impl<'de, T: ReadMembers> DeserializeSeed<'de> for ObjectInto<'_, T> {
    type Value = Container;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Container, D::Error> {
        deserializer.deserialize_any(LenientVisitor(self))
    }
}

impl<'de, T: ReadMembers> Shape<'de> for ObjectInto<'_, T> {
    type Value = Container;

    fn map<A: MapAccess<'de>>(self, mut map: A) -> Result<Container, A::Error> {
        let mut unescaped = String::new();
        while let Some(name) = map.next_key_seed(Name(&mut unescaped))? {
            if !self.0.read(name.unwrap_or(&unescaped), &mut map)? {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(Container::Wanted)
    }

    fn null(self) -> Container {
        self.0.not_an_object("null");
        Container::Null
    }

    fn odd(self, found: Cow<'_, str>) -> Container {
        self.0.not_an_object(&found);
        Container::Odd
    }
}

/// The most items of an array. A page has at most 100; a body of 1 MiB could hold 350,000 empty ones.
pub(crate) const MAX_ITEMS: usize = 1000;

/// Reads an array of objects. An element that is not an object becomes the default, with a warning.
pub(crate) struct ArrayInto<'a, T>(pub(crate) &'a mut Vec<T>);

impl<'de, T: ReadMembers + Default> DeserializeSeed<'de> for ArrayInto<'_, T> {
    type Value = Container;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Container, D::Error> {
        deserializer.deserialize_any(LenientVisitor(self))
    }
}

impl<'de, T: ReadMembers + Default> Shape<'de> for ArrayInto<'_, T> {
    type Value = Container;

    fn seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Container, A::Error> {
        while seq.next_element_seed(NewIn(self.0))?.is_some() {}
        Ok(Container::Wanted)
    }

    fn null(self) -> Container {
        Container::Null
    }

    fn odd(self, _: Cow<'_, str>) -> Container {
        Container::Odd
    }
}

/// Reads an object into a new element of a vector: in its place, for a key is too large to be moved about.
struct NewIn<'a, T>(&'a mut Vec<T>);

impl<'de, T: ReadMembers + Default> DeserializeSeed<'de> for NewIn<'_, T> {
    type Value = Container;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Container, D::Error> {
        if self.0.len() >= MAX_ITEMS {
            return Err(Error::custom("too many items"));
        }
        // `push` would make the element elsewhere and move it.
        self.0.resize_with(self.0.len() + 1, T::default);
        match self.0.last_mut() {
            Some(element) => ObjectInto(element).deserialize(deserializer),
            None => Ok(Container::Odd),
        }
    }
}

/// A scalar as it was found.
pub(crate) enum Field<T> {
    Value(T),
    Null,
    /// Not of the wanted kind: a short form of the value that was found.
    Odd(String),
}

/// A type that is read from one JSON scalar.
pub(crate) trait Scalar: Sized {
    fn from_text(text: &str) -> Option<Self>;

    fn from_bool(_: bool) -> Option<Self> {
        None
    }

    fn from_number(_: &str) -> Option<Self> {
        None
    }

    /// A number with a fraction or an exponent, whose digits need not be those that were sent.
    fn from_float(_: &str) -> Option<Self> {
        None
    }
}

impl Scalar for String {
    fn from_text(text: &str) -> Option<Self> {
        Some(text.to_owned())
    }

    /// An id that comes as a number is still an id.
    fn from_number(number: &str) -> Option<Self> {
        Some(number.to_owned())
    }
}

impl Scalar for bool {
    fn from_text(text: &str) -> Option<Self> {
        text.parse().ok()
    }

    fn from_bool(value: bool) -> Option<Self> {
        Some(value)
    }
}

/// Reads a value of any kind as a scalar.
pub(crate) struct ScalarSeed<T>(PhantomData<T>);

impl<T> ScalarSeed<T> {
    pub(crate) fn new() -> Self {
        Self(PhantomData)
    }
}

impl<'de, T: Scalar> DeserializeSeed<'de> for ScalarSeed<T> {
    type Value = Field<T>;

    // It, `Notes::read` and `ApiKey::read` become one function, and a page takes a tenth less to decode.
    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Field<T>, D::Error> {
        deserializer.deserialize_any(LenientVisitor(self))
    }
}

impl<'de, T: Scalar> Shape<'de> for ScalarSeed<T> {
    type Value = Field<T>;

    fn text(self, text: &str) -> Field<T> {
        T::from_text(text).map_or_else(|| Field::Odd(text.to_owned()), Field::Value)
    }

    fn bool(self, value: bool) -> Field<T> {
        T::from_bool(value).map_or_else(|| Field::Odd(value.to_string()), Field::Value)
    }

    fn number(self, number: &str) -> Field<T> {
        T::from_number(number).map_or_else(|| Field::Odd(number.to_owned()), Field::Value)
    }

    fn float(self, number: &str) -> Field<T> {
        T::from_float(number).map_or_else(|| Field::Odd(number.to_owned()), Field::Value)
    }

    fn null(self) -> Field<T> {
        Field::Null
    }

    fn odd(self, what: Cow<'_, str>) -> Field<T> {
        Field::Odd(what.into_owned())
    }
}

/// Reads the value of a member; `None` if it is not of the wanted kind.
pub(crate) fn read_scalar<'de, T: Scalar, A: MapAccess<'de>>(map: &mut A) -> Result<Option<T>, A::Error> {
    Ok(match map.next_value_seed(ScalarSeed::new())? {
        Field::Value(value) => Some(value),
        Field::Null | Field::Odd(_) => None,
    })
}

/// Reads a text; empty for any other kind.
pub(crate) fn read_text<'de, A: MapAccess<'de>>(map: &mut A) -> Result<String, A::Error> {
    Ok(read_scalar(map)?.unwrap_or_default())
}

/// Converts a value of each JSON kind. A kind that a type does not want goes to [`odd`](Self::odd).
trait Shape<'de>: Sized {
    type Value;

    /// The value is not of a wanted kind; `what` says in short what it is.
    fn odd(self, what: Cow<'_, str>) -> Self::Value;

    fn text(self, _: &str) -> Self::Value {
        self.odd("a string".into())
    }

    fn bool(self, _: bool) -> Self::Value {
        self.odd("a boolean".into())
    }

    fn number(self, _: &str) -> Self::Value {
        self.odd("a number".into())
    }

    fn float(self, number: &str) -> Self::Value {
        self.odd(number.into())
    }

    fn null(self) -> Self::Value {
        self.odd("null".into())
    }

    fn seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(self.odd("an array".into()))
    }

    fn map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(self.odd("an object".into()))
    }
}

/// Brings every JSON kind to its method of a [`Shape`].
struct LenientVisitor<S>(S);

impl<'de, S: Shape<'de>> Visitor<'de> for LenientVisitor<S> {
    type Value = S::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<S::Value, E> {
        Ok(self.0.text(text))
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<S::Value, E> {
        Ok(self.0.bool(value))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<S::Value, E> {
        Ok(self.0.number(&number.to_string()))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<S::Value, E> {
        Ok(self.0.number(&number.to_string()))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<S::Value, E> {
        // Also what is too large for an integer: its digits are no longer those that were sent, so it is no id.
        Ok(self.0.float(&number.to_string()))
    }

    fn visit_unit<E: Error>(self) -> Result<S::Value, E> {
        Ok(self.0.null())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<S::Value, A::Error> {
        self.0.seq(seq)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<S::Value, A::Error> {
        self.0.map(map)
    }
}

/// Reads the name of a member: from where it stands, or, if it has escapes, into this text.
struct Name<'a>(&'a mut String);

impl<'de> DeserializeSeed<'de> for Name<'_> {
    type Value = Option<&'de str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<&'de str>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Name<'_> {
    type Value = Option<&'de str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a member")
    }

    fn visit_borrowed_str<E: Error>(self, name: &'de str) -> Result<Option<&'de str>, E> {
        Ok(Some(name))
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Option<&'de str>, E> {
        name.clone_into(self.0);
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Key(Vec<String>);

    impl ReadMembers for Key {
        fn read<'de, A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<bool, A::Error> {
            self.0.push(format!("{name}={}", map.next_value::<u32>()?));
            Ok(true)
        }
    }

    #[test]
    fn the_name_of_a_member_may_have_escapes() {
        let mut key = Key::default();
        let mut json = serde_json::Deserializer::from_str(r#"{"a":1,"n\u0061me":2,"\u006bey":3,"b":4}"#);
        assert!(matches!(ObjectInto(&mut key).deserialize(&mut json).unwrap(), Container::Wanted));
        assert_eq!(key.0, ["a=1", "name=2", "key=3", "b=4"]);
    }
}
