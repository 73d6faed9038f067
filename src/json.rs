//! Reading JSON that may be odd: a member of the wrong shape is noted and passed over, never a reason to lose the rest.
//!
//! Types say where a value goes, by trait objects. So the compiler builds the code that reads JSON once, not once for each type.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// A type that is read member by member.
pub(crate) trait ReadMembers {
    /// The place for the value of this member. `None`: the value is passed over.
    fn member(&mut self, name: &str) -> Option<&mut dyn Slot>;

    /// A member has a value that its place does not take; `found` is that value in short.
    fn odd_member(&mut self, _name: &str, _found: &str) {}

    /// Something else stands where an object was wanted; `found` says in short what.
    fn not_an_object(&mut self, _found: &str) {}

    /// All members are read.
    fn end(&mut self) {}
}

/// A place for a value. The methods for the kinds that it does not take return false.
pub(crate) trait Slot {
    /// There is null or a value that is not taken; `found` says in short which. Removes a value that was here before.
    fn reset(&mut self, found: &str);

    fn text(&mut self, _: &str) -> bool {
        false
    }

    fn bool(&mut self, _: bool) -> bool {
        false
    }

    fn number(&mut self, _: &str) -> bool {
        false
    }

    /// A number with a fraction or an exponent, whose digits need not be those that were sent.
    fn float(&mut self, _: &str) -> bool {
        false
    }

    fn object(&mut self, _: &mut dyn MemberSource) -> Result<bool, Stopped> {
        Ok(false)
    }

    fn array(&mut self) -> Option<&mut dyn Array> {
        None
    }
}

/// The members of the object that is read.
pub(crate) trait MemberSource {
    fn read_into(&mut self, object: &mut dyn ReadMembers) -> Result<(), Stopped>;
}

/// The JSON has an error, which the reader keeps.
pub(crate) struct Stopped;

/// A list of places.
pub(crate) trait Array {
    /// Makes room for one more; `None` above [`MAX_ITEMS`].
    fn add(&mut self) -> Option<&mut dyn Slot>;
}

/// The most items of an array. A page has at most 100; a body of 1 MiB could hold 350,000 empty ones.
pub(crate) const MAX_ITEMS: usize = 1000;

/// Reads the text of a JSON value. Returns false for a value that the place does not take. Members before an error are kept.
pub(crate) fn read(text: &str, into: &mut dyn Slot) -> Result<bool, serde_json::Error> {
    let mut json = serde_json::Deserializer::from_str(text);
    let found = LenientVisitor(into).deserialize(&mut json)?;
    json.end()?;
    Ok(matches!(found, Field::Wanted))
}

/// Reads the members of an object as far as they can be read.
pub(crate) fn read_available_members(body: &[u8], into: &mut dyn Slot) {
    let _ = read(&String::from_utf8_lossy(strip_bom(body)), into);
}

/// A body without the byte order mark that some servers put before it.
pub(crate) fn strip_bom(body: &[u8]) -> &[u8] {
    body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body)
}

impl<T: ReadMembers> Slot for T {
    fn reset(&mut self, found: &str) {
        self.not_an_object(found);
    }

    fn object(&mut self, members: &mut dyn MemberSource) -> Result<bool, Stopped> {
        members.read_into(self)?;
        Ok(true)
    }
}

impl<T: Slot + Default> Slot for Vec<T> {
    fn reset(&mut self, _: &str) {
        self.clear();
    }

    fn array(&mut self) -> Option<&mut dyn Array> {
        // Of a member that comes twice, the last value is taken.
        self.clear();
        Some(self)
    }
}

impl<T: Slot + Default> Array for Vec<T> {
    fn add(&mut self) -> Option<&mut dyn Slot> {
        if self.len() >= MAX_ITEMS {
            return None;
        }
        // `push` would make the element elsewhere and move it: a key is too large for that.
        self.resize_with(self.len() + 1, T::default);
        self.last_mut().map(|element| element as &mut dyn Slot)
    }
}

impl Slot for String {
    fn reset(&mut self, _: &str) {
        self.clear();
    }

    /// Without spare capacity: a secret that is read is moved into its box, and not copied.
    fn text(&mut self, text: &str) -> bool {
        *self = text.to_owned();
        true
    }

    /// An id that comes as a number is still an id.
    fn number(&mut self, number: &str) -> bool {
        self.text(number)
    }
}

impl Slot for Option<String> {
    fn reset(&mut self, _: &str) {
        *self = None;
    }

    fn text(&mut self, text: &str) -> bool {
        *self = Some(text.to_owned());
        true
    }

    fn number(&mut self, number: &str) -> bool {
        self.text(number)
    }
}

impl Slot for Option<bool> {
    fn reset(&mut self, _: &str) {
        *self = None;
    }

    fn text(&mut self, text: &str) -> bool {
        *self = text.parse().ok();
        self.is_some()
    }

    fn bool(&mut self, value: bool) -> bool {
        *self = Some(value);
        true
    }
}

/// What became of a value.
enum Field {
    Wanted,
    Null,
    /// Its place does not take it.
    Odd(Box<OddValue>),
}

/// A value in short. It is rare: in a box, it does not make the results of all values larger.
struct OddValue(String);

/// Reads a value of any kind.
struct LenientVisitor<'a>(&'a mut dyn Slot);

impl LenientVisitor<'_> {
    fn integer(self, digits: &str) -> Field {
        if self.0.number(digits) { Field::Wanted } else { self.odd("a number", digits) }
    }

    #[cold]
    fn odd(self, kind: &str, found: &str) -> Field {
        self.0.reset(kind);
        Field::Odd(Box::new(OddValue(found.to_owned())))
    }
}

impl<'de> DeserializeSeed<'de> for LenientVisitor<'_> {
    type Value = Field;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Field, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for LenientVisitor<'_> {
    type Value = Field;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Field, E> {
        Ok(if self.0.text(text) { Field::Wanted } else { self.odd("a string", text) })
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Field, E> {
        Ok(if self.0.bool(value) { Field::Wanted } else { self.odd("a boolean", if value { "true" } else { "false" }) })
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Field, E> {
        Ok(self.integer(&number.to_string()))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Field, E> {
        Ok(self.integer(&number.to_string()))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Field, E> {
        // Also what is too large for an integer: its digits are no longer those that were sent, so it is no id.
        let digits = number.to_string();
        Ok(if self.0.float(&digits) { Field::Wanted } else { self.odd("a number", &digits) })
    }

    fn visit_unit<E: Error>(self) -> Result<Field, E> {
        self.0.reset("null");
        Ok(Field::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Field, A::Error> {
        if let Some(array) = self.0.array() {
            while seq.next_element_seed(ItemOf(array))?.is_some() {}
            return Ok(Field::Wanted);
        }
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(self.odd("an array", "an array"))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Field, A::Error> {
        let mut members = MemberReader { map, error: None };
        match self.0.object(&mut members) {
            Ok(true) => Ok(Field::Wanted),
            Ok(false) => {
                while members.map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(self.odd("an object", "an object"))
            }
            Err(Stopped) => members.error.map_or(Ok(Field::Wanted), Err),
        }
    }
}

/// Reads an element of an array.
struct ItemOf<'a>(&'a mut dyn Array);

impl<'de> DeserializeSeed<'de> for ItemOf<'_> {
    type Value = Field;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Field, D::Error> {
        match self.0.add() {
            Some(place) => LenientVisitor(place).deserialize(deserializer),
            None => Err(Error::custom("too many items")),
        }
    }
}

struct MemberReader<A, E> {
    map: A,
    error: Option<E>,
}

impl<'de, A: MapAccess<'de>> MemberReader<A, A::Error> {
    fn read(&mut self, object: &mut dyn ReadMembers) -> Result<(), A::Error> {
        let mut unescaped = String::new();
        while let Some(name) = self.map.next_key_seed(Name(&mut unescaped))? {
            let name = name.unwrap_or(&unescaped);
            match object.member(name) {
                Some(place) => {
                    if let Field::Odd(found) = self.map.next_value_seed(LenientVisitor(place))? {
                        object.odd_member(name, &found.0);
                    }
                }
                None => {
                    self.map.next_value::<IgnoredAny>()?;
                }
            }
        }
        object.end();
        Ok(())
    }
}

impl<'de, A: MapAccess<'de>> MemberSource for MemberReader<A, A::Error> {
    fn read_into(&mut self, object: &mut dyn ReadMembers) -> Result<(), Stopped> {
        self.read(object).map_err(|error| {
            self.error = Some(error);
            Stopped
        })
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
    struct Key {
        names: String,
        value: Option<String>,
    }

    impl ReadMembers for Key {
        fn member(&mut self, name: &str) -> Option<&mut dyn Slot> {
            self.names.push_str(name);
            Some(&mut self.value)
        }
    }

    #[test]
    fn the_name_of_a_member_may_have_escapes() {
        let mut key = Key::default();
        assert!(read(r#"{"a":1,"n\u0061me":2,"\u006bey":3,"b":4}"#, &mut key).unwrap());
        assert_eq!((&*key.names, key.value.as_deref()), ("anamekeyb", Some("4")));
    }
}
