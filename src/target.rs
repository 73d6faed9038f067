//! The path and query of a request, encoded in one place.

use std::fmt::Write;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::error::InvalidRequest;

/// All but the unreserved characters of RFC 3986: the form that no server and no proxy reads differently.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The most bytes of an id. Those of the service have a few dozen.
const MAX_ID: usize = 512;

/// A path under the endpoint, and its query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    text: String,
    has_query: bool,
}

impl Target {
    /// `path` is written in the source, encoded and absolute.
    pub(crate) fn new(path: &'static str) -> Self {
        let mut text = String::with_capacity(path.len() + 64);
        text.push_str(path);
        Self { text, has_query: false }
    }

    /// Appends `id` as one segment.
    ///
    /// Ids that could leave the route are refused: an empty one, `.` and `..`, which URL parsers resolve even when they are
    /// percent-encoded.
    pub(crate) fn id(mut self, field: &'static str, id: &str) -> Result<Self, InvalidRequest> {
        let problem = match id {
            "" => "must not be empty",
            "." | ".." => "must not be `.` or `..`: that would name another resource",
            _ if id.len() > MAX_ID => "must have at most 512 bytes",
            _ if id.chars().any(char::is_control) => "must not contain control characters",
            _ => {
                self.text.push('/');
                self.push_escaped(id);
                return Ok(self);
            }
        };
        Err(InvalidRequest::new(field, problem))
    }

    /// Appends a segment that is written in the source.
    pub(crate) fn segment(mut self, segment: &'static str) -> Self {
        self.text.push('/');
        self.text.push_str(segment);
        self
    }

    /// Appends a query parameter.
    pub(crate) fn query(mut self, name: &'static str, value: &str) -> Self {
        self.text.push(if self.has_query { '&' } else { '?' });
        self.has_query = true;
        self.text.push_str(name);
        self.text.push('=');
        self.push_escaped(value);
        self
    }

    /// Appends a query parameter if there is a value.
    pub(crate) fn query_opt(self, name: &'static str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.query(name, value),
            None => self,
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    fn push_escaped(&mut self, text: &str) {
        // Writing to a `String` does not fail.
        let _ = write!(self.text, "{}", utf8_percent_encode(text, ESCAPED));
    }
}
