//! One file per operation: the request, its checks, how it is said on each stage, how its answer is read.

pub(crate) mod create;
pub(crate) mod create_service_key;
pub(crate) mod list;
pub(crate) mod page;
pub(crate) mod refresh;
pub(crate) mod remove;
pub(crate) mod spaces;

use serde::{Serialize, Serializer};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::call::{Misread, Reply};
use crate::error::InvalidRequest;
use crate::model::{ApiKeyCreated, Oddity};
use crate::secret::{self, Minted};
use crate::target::Target;

/// The collection of keys.
fn api_keys() -> Target {
    Target::new("/v2/api-keys")
}

/// The body of a request. The types that are sent hold nothing that JSON cannot say.
fn to_json(body: &impl Serialize) -> Result<Vec<u8>, InvalidRequest> {
    serde_json::to_vec(body).map_err(|_| InvalidRequest::new("request", "cannot be written as JSON"))
}

/// Reads the answer to a create or a refresh, whatever its status among the 2xx and its content type.
pub(crate) fn read_created(reply: &Reply) -> Result<ApiKeyCreated, Misread> {
    let Minted { key, mut fields } = secret::decode(&reply.body);
    if reply.broke_off && !fields.oddities.iter().any(|oddity| oddity.field == "body") {
        fields.oddities.push(Oddity { field: "body", found: "an answer that broke off".to_owned() });
    }
    match key {
        Some(key) => Ok(ApiKeyCreated::new(fields, key)),
        None => Err(Misread::NoSecret { id: Some(fields.id).filter(|id| !id.is_empty()) }),
    }
}

/// The limits that the service documents for the name and the description of a key.
fn check_texts(name: &str, description: Option<&str>) -> Result<(), InvalidRequest> {
    if name.chars().nth(256).is_some() {
        return Err(InvalidRequest::new("name", "must have at most 256 characters"));
    }
    if description.is_some_and(|text| text.chars().nth(1000).is_some()) {
        return Err(InvalidRequest::new("description", "must have at most 1000 characters"));
    }
    Ok(())
}

/// An expiry as it is sent: checked, in RFC 3339.
#[derive(Debug)]
pub(crate) struct Expiry(String);

impl Expiry {
    fn new(expires_at: OffsetDateTime, now: OffsetDateTime) -> Result<Self, InvalidRequest> {
        if expires_at <= now {
            return Err(InvalidRequest::new("expires_at", "must be in the future"));
        }
        let text = expires_at.format(&Rfc3339).map_err(|_| {
            InvalidRequest::new("expires_at", "must be a year up to 9999 and an offset of whole minutes")
        })?;
        Ok(Self(text))
    }

    fn new_opt(expires_at: Option<OffsetDateTime>, now: OffsetDateTime) -> Result<Option<Self>, InvalidRequest> {
        expires_at.map(|at| Self::new(at, now)).transpose()
    }
}

impl Serialize for Expiry {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}
