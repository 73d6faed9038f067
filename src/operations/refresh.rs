//! Rotate the secret of a key: `POST /v2/api-keys/{id}/refresh`.

use std::time::Duration;

use http::Method;
use serde::Serialize;
use time::OffsetDateTime;

use crate::call::{Call, Operation};
use crate::error::InvalidRequest;
use crate::operations::{Expiry, api_keys, to_json};
use crate::redact::Text;

/// A key whose secret to replace.
///
/// What the service says of the expiry today: if the key has one, [`expires_at`](Self::expires_at) is required and must not
/// be later, else the answer is 422. On the alpha stage, leaving it out means that the key never expires.
///
/// ```
/// use std::time::Duration;
/// use arize_api_keys::RefreshRequest;
///
/// // For an hour, programs that still hold the old secret go on working.
/// let request = RefreshRequest::new("QXBpS2V5OjE6YWJjZA==").grace_period(Duration::from_secs(3600));
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct RefreshRequest {
    id: Text,
    expires_at: Option<OffsetDateTime>,
    grace_period: Option<Duration>,
}

/// The longest grace period.
const MAX_GRACE: Duration = Duration::from_secs(86_400);

impl RefreshRequest {
    /// The key with this id.
    pub fn new(id: impl Into<String>) -> Self {
        Self { id: Text::new(id), expires_at: None, grace_period: None }
    }

    /// When the new secret stops working: in the future.
    pub fn expires_at(mut self, expires_at: OffsetDateTime) -> Self {
        self.expires_at = Some(expires_at);
        self
    }

    /// How long the old secret goes on working: whole seconds, at most a day. The service's default is none: the old secret
    /// dies at once, and if the answer is then lost, both are. Ask for some, above all when the client uses the very key
    /// that it refreshes.
    pub fn grace_period(mut self, grace_period: Duration) -> Self {
        self.grace_period = Some(grace_period);
        self
    }

    pub(crate) fn lower(&self, now: OffsetDateTime) -> Result<Call, InvalidRequest> {
        let target = api_keys().id("id", &self.id)?.segment("refresh");
        if self.grace_period.is_some_and(|grace| grace > MAX_GRACE || grace.subsec_nanos() != 0) {
            return Err(InvalidRequest::new("grace_period", "must be whole seconds from 0 to 86400"));
        }
        let body = Body {
            expires_at: Expiry::new_opt(self.expires_at, now)?,
            grace_period_seconds: self.grace_period.map(|grace| grace.as_secs()),
        };
        Ok(Call {
            operation: Operation::Refresh,
            method: Method::POST,
            target,
            body: Some(to_json(&body)?),
            subject: Some(self.id.to_string()),
        })
    }
}

#[derive(Serialize)]
struct Body {
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Expiry>,
    #[serde(skip_serializing_if = "Option::is_none")]
    grace_period_seconds: Option<u64>,
}
