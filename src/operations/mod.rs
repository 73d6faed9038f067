//! The verbs, a file each: validate, resolve names, build the request, send it, decode the response.

pub(crate) mod create;
pub(crate) mod delete;
pub(crate) mod list;
pub(crate) mod lookup;
pub(crate) mod page;
pub(crate) mod refresh;
pub(crate) mod service_key;
pub(crate) mod spaces;

use std::time::Duration;

use serde::{Serialize, Serializer};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::config::Credential;
use crate::error::InvalidRequest;
use crate::model::{ApiKeyCreated, FieldWarning, Scrub};
use crate::pipeline::{ApiResponse, DecodeFailure};
use crate::request_target::RequestTarget;
use crate::secret::{self, DecodedSecret};

/// The collection of keys.
fn api_keys() -> RequestTarget {
    RequestTarget::new("/v2/api-keys")
}

/// Serializes the body of a request. JSON can represent every type that the client sends.
fn to_json(body: &impl Serialize) -> Result<Vec<u8>, InvalidRequest> {
    serde_json::to_vec(body).map_err(|_| InvalidRequest::new("request", "cannot be serialized as JSON"))
}

/// Decodes the response to a create or a refresh, under any 2xx status and any content type.
///
/// A secret equal to the one of the client is an error: a caller that stored it and revoked the old key would revoke the
/// only one.
pub(crate) fn decode_created(response: &ApiResponse, own_key: &Credential) -> Result<ApiKeyCreated, DecodeFailure> {
    let DecodedSecret { key, mut fields } = secret::decode(response.decoded());
    let is_truncated = response.is_truncated || response.decoded_part.is_some();
    if is_truncated && !fields.warnings.iter().any(|warning| warning.field == "body") {
        fields.warnings.push(FieldWarning { field: "body", found: "a truncated response".to_owned() });
    }
    own_key.known_keys().lines().for_each(|key| fields.scrub(key));
    match key.filter(|key| !own_key.is_known(key)) {
        Some(key) => Ok(ApiKeyCreated::new(fields, key)),
        None => Err(DecodeFailure::NoSecret {
            id: Some(fields.id).filter(|id| !id.is_empty()),
            is_about_something_else: secret::is_about_something_else(response.decoded()),
        }),
    }
}

/// The limits that the service documents for the name and the description of a key, and no blank name.
fn validate_texts(name: &str, description: Option<&str>) -> Result<(), InvalidRequest> {
    if name.chars().all(is_blank) {
        return Err(InvalidRequest::new("name", "must not be empty or blank"));
    }
    if name.chars().nth(256).is_some() {
        return Err(InvalidRequest::new("name", "must have at most 256 characters"));
    }
    if description.is_some_and(|text| text.chars().nth(1000).is_some()) {
        return Err(InvalidRequest::new("description", "must have at most 1000 characters"));
    }
    Ok(())
}

/// Nothing that a reader of a list sees.
fn is_blank(c: char) -> bool {
    let is_invisible = matches!(c, '\u{ad}' | '\u{115f}' | '\u{1160}' | '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{feff}');
    c.is_whitespace() || c.is_control() || is_invisible
}

/// The expiry that a caller asks for: a time, or a lifetime from the moment of the call.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum ExpiryRequest {
    At(OffsetDateTime),
    In(Duration),
}

/// An expiry in RFC 3339, validated.
#[derive(Debug)]
pub(crate) struct Expiry(String);

impl Expiry {
    fn new(request: ExpiryRequest, now: OffsetDateTime) -> Result<Self, InvalidRequest> {
        let (field, expires_at) = match request {
            ExpiryRequest::At(at) => ("expires_at", at),
            ExpiryRequest::In(lifetime) => {
                let seconds = i64::try_from(lifetime.as_secs()).ok();
                let at = seconds.and_then(|seconds| now.checked_add(time::Duration::seconds(seconds)));
                ("expires_in", at.ok_or_else(|| InvalidRequest::new("expires_in", YEAR))?)
            }
        };
        if expires_at <= now {
            let problem = if field == "expires_in" { "must be at least 1 s" } else { "must be in the future" };
            return Err(InvalidRequest::new(field, problem));
        }
        Ok(Self(expires_at.format(&Rfc3339).map_err(|_| InvalidRequest::new(field, YEAR))?))
    }

    fn new_opt(request: Option<ExpiryRequest>, now: OffsetDateTime) -> Result<Option<Self>, InvalidRequest> {
        request.map(|request| Self::new(request, now)).transpose()
    }
}

const YEAR: &str = "must have a year up to 9999 and an offset in whole minutes";

impl Serialize for Expiry {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}
