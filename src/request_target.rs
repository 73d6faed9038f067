//! The request target (RFC 9112 §3.2): path and query, encoded in one place.

use std::fmt::Write;

use crate::error::InvalidRequest;
use crate::percent::percent_encode;

/// The most bytes of an id. Those of the service have a few dozen.
const MAX_ID: usize = 512;

/// A path under the endpoint, and its query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RequestTarget {
    text: String,
    has_query: bool,
}

impl RequestTarget {
    /// A target with this absolute path, which the source writes percent-encoded.
    pub(crate) fn new(path: &'static str) -> Self {
        let mut text = String::with_capacity(path.len() + 64);
        text.push_str(path);
        Self { text, has_query: false }
    }

    /// Appends `id` as one path segment.
    ///
    /// Refuses ids that would name another resource: an empty one, `.` and `..`, which URL parsers resolve even when they
    /// are percent-encoded.
    pub(crate) fn id(mut self, field: &'static str, id: &str) -> Result<Self, InvalidRequest> {
        let problem = match id {
            "" => "must not be empty",
            "." | ".." => "must not be `.` or `..`: that would name another resource",
            _ if id.len() > MAX_ID => "must have at most 512 bytes",
            _ if id.chars().any(char::is_control) => "must not contain control characters",
            _ => {
                self.text.push('/');
                self.push_encoded(id);
                return Ok(self);
            }
        };
        Err(InvalidRequest::new(field, problem))
    }

    /// Appends a path segment, which the source writes percent-encoded.
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
        self.push_encoded(value);
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

    fn push_encoded(&mut self, text: &str) {
        // Writing to a `String` does not fail.
        let _ = write!(self.text, "{}", percent_encode(text));
    }
}

/// Whether two ids are equal: the service writes them with or without the padding of base64.
pub(crate) fn same_id(one: &str, other: &str) -> bool {
    one.trim_end_matches('=') == other.trim_end_matches('=')
}

#[cfg(test)]
mod tests {
    use percent_encoding::percent_decode_str;
    use proptest::prelude::*;

    use super::*;

    fn path(id: &str) -> Result<String, String> {
        let target = RequestTarget::new("/v2/api-keys").id("id", id).map_err(|error| error.to_string())?;
        Ok(target.segment("revoke").as_str().to_owned())
    }

    #[test]
    fn ids_that_leave_their_route_are_refused() {
        let dots = "invalid request: `id` must not be `.` or `..`: that would name another resource";
        let control = "invalid request: `id` must not contain control characters";
        assert_eq!(path("").unwrap_err(), "invalid request: `id` must not be empty");
        assert_eq!(path(".").unwrap_err(), dots);
        assert_eq!(path("..").unwrap_err(), dots);
        for id in ["a\nb", "a\r", "\0", "\t", "\u{7f}", "\u{85}"] {
            assert_eq!(path(id).unwrap_err(), control, "{id:?}");
        }
        assert_eq!(path(&"a".repeat(513)).unwrap_err(), "invalid request: `id` must have at most 512 bytes");
        assert_eq!(path(&"é".repeat(257)).unwrap_err(), "invalid request: `id` must have at most 512 bytes");
        assert!(path(&"a".repeat(512)).is_ok());
    }

    #[test]
    fn one_segment_for_every_id() {
        for (id, encoded) in [
            ("QXBpS2V5OjE6YWJjZA==", "QXBpS2V5OjE6YWJjZA%3D%3D"),
            ("a/b", "a%2Fb"),
            ("%2F", "%252F"),
            ("%2e%2e", "%252e%252e"),
            ("a?x", "a%3Fx"),
            ("a#b", "a%23b"),
            ("+ =", "%2B%20%3D"),
            ("é", "%C3%A9"),
            ("a\\b;c,d:e@f&g", "a%5Cb%3Bc%2Cd%3Ae%40f%26g"),
            ("...", "..."),
            ("A-Z_a.z~0", "A-Z_a.z~0"),
        ] {
            assert_eq!(path(id).unwrap(), format!("/v2/api-keys/{encoded}/revoke"));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn an_id_is_exactly_one_segment(id in "\\PC{1,100}") {
            prop_assume!(id != "." && id != ".." && id.len() <= 512);
            let uri: http::Uri = format!("https://api.arize.com{}", path(&id).unwrap()).parse().unwrap();
            prop_assert!(uri.query().is_none());
            let segments: Vec<_> = uri.path().split('/').collect();
            prop_assert_eq!(segments.len(), 5);
            prop_assert_eq!(percent_decode_str(segments[3]).decode_utf8().unwrap(), id);
            prop_assert_eq!(segments[4], "revoke");
        }

        #[test]
        fn a_query_comes_back_as_it_was(one in any::<String>(), two in any::<String>()) {
            let target = RequestTarget::new("/v2/spaces").query("name", &one).query_opt("org_id", None).query("cursor", &two);
            let uri: http::Uri = format!("https://api.arize.com{}", target.as_str()).parse().unwrap();
            let pairs: Vec<_> = uri.query().unwrap().split('&').map(|pair| pair.split_once('=').unwrap()).collect();
            let names: Vec<_> = pairs.iter().map(|(name, _)| *name).collect();
            prop_assert_eq!(names, ["name", "cursor"]);
            prop_assert_eq!(percent_decode_str(pairs[0].1).decode_utf8().unwrap(), one);
            prop_assert_eq!(percent_decode_str(pairs[1].1).decode_utf8().unwrap(), two);
        }
    }
}
