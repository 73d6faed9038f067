//! The members of a JSON object in a request, each read once and named in the complaint.

use serde_json::{Map, Value};
use time::OffsetDateTime;

use super::moment::Moment;
use super::problem::Problem;

pub(super) struct Fields<'a> {
    members: &'a Map<String, Value>,
    /// Where the object stands in the body, with a `.` at the end unless it is the body.
    at: String,
}

/// Reads a whole body, which has to be a JSON object.
pub(super) fn body(bytes: &[u8]) -> Result<Value, Problem> {
    let value: Value = serde_json::from_slice(bytes)
        .map_err(|error| Problem::bad_request(format!("the body is not JSON: {error}")))?;
    if value.is_object() { Ok(value) } else { Err(Problem::bad_request("the body must be an object")) }
}

impl<'a> Fields<'a> {
    /// The members of `value`, which stands at `at` (nothing for the body itself).
    pub(super) fn of(value: &'a Value, at: &str) -> Result<Self, Problem> {
        let members = value.as_object().ok_or_else(|| Problem::bad_request(format!("`{at}` must be an object")))?;
        let at = if at.is_empty() { String::new() } else { format!("{at}.") };
        Ok(Self { members, at })
    }

    /// Where a member stands in the body.
    pub(super) fn path(&self, name: &str) -> String {
        format!("{}{name}", self.at)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.members.contains_key(name)
    }

    /// Refuses every member that is not among these: beta's schemas are closed.
    pub(super) fn only(&self, known: &[&str]) -> Result<(), Problem> {
        match self.members.keys().find(|name| !known.contains(&name.as_str())) {
            Some(name) => Err(Problem::bad_request(format!("`{}` is not known here", self.path(name)))),
            None => Ok(()),
        }
    }

    pub(super) fn value(&self, name: &str) -> Option<&'a Value> {
        self.members.get(name)
    }

    pub(super) fn text(&self, name: &str) -> Result<Option<&'a str>, Problem> {
        self.read(name, "a string", Value::as_str)
    }

    pub(super) fn required_text(&self, name: &str) -> Result<&'a str, Problem> {
        self.text(name)?.ok_or_else(|| self.missing(name))
    }

    /// A text of at most `max` characters.
    pub(super) fn short_text(&self, name: &str, max: usize) -> Result<Option<&'a str>, Problem> {
        let text = self.text(name)?;
        if text.is_some_and(|text| text.chars().count() > max) {
            return Err(Problem::bad_request(format!("`{}` must have at most {max} characters", self.path(name))));
        }
        Ok(text)
    }

    pub(super) fn array(&self, name: &str) -> Result<Option<&'a Vec<Value>>, Problem> {
        self.read(name, "an array", Value::as_array)
    }

    pub(super) fn integer(&self, name: &str) -> Result<Option<i64>, Problem> {
        self.read(name, "an integer", Value::as_i64)
    }

    pub(super) fn moment(&self, name: &str) -> Result<Option<OffsetDateTime>, Problem> {
        self.read(name, "an RFC 3339 date-time", |value| Some(Moment::parse(value.as_str()?)?.0))
    }

    pub(super) fn missing(&self, name: &str) -> Problem {
        Problem::bad_request(format!("`{}` is required", self.path(name)))
    }

    fn read<T>(&self, name: &str, what: &str, read: impl Fn(&'a Value) -> Option<T>) -> Result<Option<T>, Problem> {
        match self.members.get(name) {
            None => Ok(None),
            Some(value) => match read(value) {
                Some(read) => Ok(Some(read)),
                None => Err(Problem::bad_request(format!("`{}` must be {what}", self.path(name)))),
            },
        }
    }
}
