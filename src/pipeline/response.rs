//! A response, and what decoding it can find wrong.

use std::mem;

use http::header::{CONTENT_ENCODING, CONTENT_TYPE, DATE};
use http::{HeaderMap, HeaderValue, StatusCode};
use secrecy::zeroize::{Zeroize, Zeroizing};
use time::OffsetDateTime;

use super::content_encoding::{self, Decoded};
use crate::json::{MAX_ITEMS, strip_bom};
use crate::redact::sanitize;

/// A response, as far as it arrived.
pub(crate) struct ApiResponse {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
    /// The connection broke before the end of the body.
    pub(crate) is_truncated: bool,
    /// The decoded part of a compressed body that ends early or is too large; `body` is then as it arrived.
    pub(crate) decoded_part: Option<Zeroizing<Vec<u8>>>,
}

impl ApiResponse {
    /// Decodes a compressed body, so that custom transports need not.
    pub(super) fn new(head: http::response::Parts, body: Vec<u8>, is_truncated: bool) -> Self {
        let (status, headers) = (head.status, head.headers);
        let mut response = Self { status, headers, body, is_truncated, decoded_part: None };
        match content_encoding::decode(&response.headers, &response.body) {
            Some(Decoded { mut bytes, is_whole: true }) => {
                response.headers.remove(CONTENT_ENCODING);
                response.body.zeroize();
                response.body = mem::take(&mut *bytes);
            }
            Some(part) => response.decoded_part = Some(part.bytes),
            None => {}
        }
        response
    }

    /// The body, or what could be decoded of it.
    pub(crate) fn decoded(&self) -> &[u8] {
        self.decoded_part.as_deref().unwrap_or(&self.body)
    }

    /// Content type, encoding and length of the body, never the content.
    pub(crate) fn describe(&self, own_key: &str) -> String {
        if self.body.is_empty() {
            return "empty body".to_owned();
        }
        let text = |value: &HeaderValue| sanitize(&String::from_utf8_lossy(value.as_bytes()), own_key);
        let kind = self.headers.get(CONTENT_TYPE).map_or_else(|| "no content type".to_owned(), text);
        match self.headers.get(CONTENT_ENCODING).map(text) {
            Some(encoding) => format!("{kind}, encoded as {encoding}, {} bytes", self.body.len()),
            None => format!("{kind}, {} bytes", self.body.len()),
        }
    }

    /// The time in the header `Date`.
    pub(crate) fn date(&self) -> Option<OffsetDateTime> {
        let date = self.headers.get(DATE)?.to_str().ok()?;
        Some(httpdate::parse_http_date(date).ok()?.into())
    }

    /// The media type in lower case, without parameters; empty without the header.
    pub(crate) fn media_type(&self) -> String {
        let value = self.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
    }

    /// Whether a proxy or a login page may have sent this instead of the service, which sends JSON or nothing.
    pub(crate) fn is_foreign(&self) -> bool {
        let media_type = self.media_type();
        let is_json = media_type == "application/json" || media_type.ends_with("+json");
        // Some frameworks put a type on every response. In a truncated one, it is the type of the lost body.
        let is_empty = self.body.is_empty() && (media_type.is_empty() || !self.is_truncated);
        let is_markup = strip_bom(&self.body).trim_ascii_start().starts_with(b"<");
        !(is_json || is_empty) || is_markup
    }

    /// Whether the body begins like a JSON object, under any content type.
    pub(crate) fn begins_as_object(&self) -> bool {
        strip_bom(&self.body).trim_ascii_start().starts_with(b"{")
    }
}

/// The defect of the content of a 2xx response.
pub(crate) enum DecodeFailure {
    /// The body ends early.
    Truncated(String),
    /// The content is not what the API promises; the text says where or why.
    WrongContent(String),
    /// The response to a create or a refresh has no readable secret. It may have the id.
    NoSecret {
        id: Option<String>,
        /// It is JSON, but not the service's description of a key.
        is_about_something_else: bool,
    },
}

impl DecodeFailure {
    /// Keeps the place only: the message of a serde error may quote the body.
    pub(crate) fn from_json(error: &serde_json::Error) -> Self {
        let place = format!("line {}, column {}", error.line(), error.column());
        if error.is_eof() {
            Self::Truncated(format!("JSON that ends early at {place}"))
        } else if error.is_data() {
            // The readers take every kind of value, and so have no other error of their own.
            Self::WrongContent(format!("more than {MAX_ITEMS} items in an array, {place}"))
        } else {
            Self::WrongContent(format!("not the promised JSON at {place}"))
        }
    }
}
