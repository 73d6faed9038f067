//! The owner of a managed key, in the marker at the end of its description.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::lifecycle::marker;
use crate::model::ApiKey;

/// The name of the marker.
const OWNER: &str = "owner";

/// Everything but `A-Za-z0-9._:/@+-`.
const ESCAPES: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'.').remove(b'_').remove(b':').remove(b'/').remove(b'@').remove(b'+').remove(b'-');

/// The owner in the form of the marker.
pub(super) fn encode(owner: &str) -> String {
    utf8_percent_encode(owner, ESCAPES).to_string()
}

/// The description with the marker of an owner, as encoded.
pub(super) fn mark(description: &str, encoded: &str) -> String {
    marker::append(description, OWNER, encoded)
}

/// The owner of a key, as encoded.
pub(super) fn encoded_of(key: &ApiKey) -> Option<&str> {
    marker::value(key.description.as_deref()?, OWNER)
}

impl ApiKey {
    /// The owner of a key that [`ensure`](crate::ApiKeysClient::ensure) made: the text in `[arize-keys owner=…]` at the end of its
    /// description. `None` for all other keys.
    pub fn owner(&self) -> Option<String> {
        encoded_of(self).map(|encoded| percent_decode_str(encoded).decode_utf8_lossy().into_owned())
    }
}
