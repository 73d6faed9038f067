//! A JSON object in a request: its members, each read once and named in the refusal.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::problem::ProblemResponse;
use crate::emulator::account::timestamp::Timestamp;

pub(crate) struct JsonObject<'a> {
    members: &'a Map<String, Value>,
    /// The path of the object in the body, with a `.` at the end unless it is the body.
    at: String,
}

/// Reads a whole body, which has to be a JSON object.
pub(crate) fn body(bytes: &[u8]) -> Result<Value, ProblemResponse> {
    let Unambiguous(value) = serde_json::from_slice(bytes)
        .map_err(|error| ProblemResponse::bad_request(format!("the body is not JSON: {error}")))?;
    if value.is_object() { Ok(value) } else { Err(ProblemResponse::bad_request("the body must be an object")) }
}

/// A JSON value in which no object has a member twice: of two, one reader takes the first and another the last.
struct Unambiguous(Value);

impl<'de> Deserialize<'de> for Unambiguous {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor).map(Self)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut array = Vec::new();
        while let Some(Unambiguous(value)) = entries.next_element()? {
            array.push(value);
        }
        Ok(array.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some((name, Unambiguous(value))) = members.next_entry::<String, _>()? {
            if object.contains_key(&name) {
                return Err(A::Error::custom(format_args!("the member `{name}` is there twice")));
            }
            object.insert(name, value);
        }
        Ok(object.into())
    }
}

impl<'a> JsonObject<'a> {
    /// The members of `value`, whose path is `at` (empty for the body itself).
    pub(crate) fn of(value: &'a Value, at: &str) -> Result<Self, ProblemResponse> {
        let members =
            value.as_object().ok_or_else(|| ProblemResponse::bad_request(format!("`{at}` must be an object")))?;
        let at = if at.is_empty() { String::new() } else { format!("{at}.") };
        Ok(Self { members, at })
    }

    /// The path of a member in the body.
    pub(crate) fn path(&self, name: &str) -> String {
        format!("{}{name}", self.at)
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.members.contains_key(name)
    }

    /// Refuses every member that is not among these: beta's schemas are closed.
    pub(crate) fn only(&self, known: &[&str]) -> Result<(), ProblemResponse> {
        match self.members.keys().find(|name| !known.contains(&name.as_str())) {
            Some(name) => Err(ProblemResponse::bad_request(format!("`{}` is not known here", self.path(name)))),
            None => Ok(()),
        }
    }

    pub(crate) fn value(&self, name: &str) -> Option<&'a Value> {
        self.members.get(name)
    }

    pub(crate) fn text(&self, name: &str) -> Result<Option<&'a str>, ProblemResponse> {
        self.read(name, |value| value.as_str().ok_or("must be a string"))
    }

    pub(crate) fn required_text(&self, name: &str) -> Result<&'a str, ProblemResponse> {
        self.text(name)?.ok_or_else(|| self.missing(name))
    }

    /// A text of at most `max` characters.
    pub(crate) fn short_text(&self, name: &str, max: usize) -> Result<Option<&'a str>, ProblemResponse> {
        let text = self.text(name)?;
        if text.is_some_and(|text| text.chars().count() > max) {
            let detail = format!("`{}` must have at most {max} characters", self.path(name));
            return Err(ProblemResponse::bad_request(detail));
        }
        Ok(text)
    }

    pub(crate) fn array(&self, name: &str) -> Result<Option<&'a Vec<Value>>, ProblemResponse> {
        self.read(name, |value| value.as_array().ok_or("must be an array"))
    }

    pub(crate) fn integer(&self, name: &str) -> Result<Option<i64>, ProblemResponse> {
        self.read(name, |value| value.as_i64().ok_or("must be an integer"))
    }

    pub(crate) fn timestamp(&self, name: &str) -> Result<Option<Timestamp>, ProblemResponse> {
        let read = |value: &Value| Timestamp::parse(value.as_str().unwrap_or_default());
        self.read(name, read)
    }

    pub(crate) fn missing(&self, name: &str) -> ProblemResponse {
        ProblemResponse::bad_request(format!("`{}` is required", self.path(name)))
    }

    fn read<T>(
        &self,
        name: &str,
        read: impl Fn(&'a Value) -> Result<T, &'static str>,
    ) -> Result<Option<T>, ProblemResponse> {
        let value = self.members.get(name).map(read).transpose();
        value.map_err(|problem| ProblemResponse::bad_request(format!("`{}` {problem}", self.path(name))))
    }
}
