//! Replace the secret of a key: `POST /v2/api-keys/{id}/refresh`.

use std::time::Duration;

use http::Method;
use time::OffsetDateTime;

use crate::error::{Error, InvalidRequest};
use crate::model::ApiKeyCreated;
use crate::operation::Operation;
use crate::operations::{Expiry, ExpiryRequest, api_keys, decode_created, to_json};
use crate::pipeline::{ApiRequest, CallScope};
use crate::redact::Text;
use crate::serialize::serialize_members;

/// A key to refresh: the service replaces its secret.
///
/// If the key has an expiry, the service today requires [`expires_at`](Self::expires_at), no later than before; otherwise
/// it responds with 422. On the alpha stage, a refresh without it removes the expiry.
///
/// ```
/// use std::time::Duration;
/// use arize_api_keys::RefreshRequest;
///
/// // Programs that hold the old secret keep working for an hour.
/// let request = RefreshRequest::new("QXBpS2V5OjE6YWJjZA==").grace_period(Duration::from_secs(3600));
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct RefreshRequest {
    id: Text,
    expires_at: Option<ExpiryRequest>,
    grace_period: Option<Duration>,
}

/// The longest grace period.
const MAX_GRACE: Duration = Duration::from_secs(86_400);

impl RefreshRequest {
    /// The key with this id.
    pub fn new(id: impl Into<String>) -> Self {
        Self { id: Text::new(id), expires_at: None, grace_period: None }
    }

    /// The time at which the new secret stops working, in the future.
    pub fn expires_at(mut self, expires_at: OffsetDateTime) -> Self {
        self.expires_at = Some(ExpiryRequest::At(expires_at));
        self
    }

    /// The lifetime of the new secret from the moment of the call, in whole seconds. It replaces
    /// [`expires_at`](Self::expires_at).
    pub fn expires_in(mut self, lifetime: Duration) -> Self {
        self.expires_at = Some(ExpiryRequest::In(lifetime));
        self
    }

    /// How long the old secret keeps working: whole seconds, at most a day. The service's default is 0: the old secret
    /// stops working at once, and if the response is lost, no secret works. Set it, above all when the client
    /// authenticates with the key that it refreshes.
    pub fn grace_period(mut self, grace_period: Duration) -> Self {
        self.grace_period = Some(grace_period);
        self
    }

    /// Checks the id and the times without I/O. [`refresh`](crate::ApiKeysClient::refresh) begins with it; call it before you open a
    /// store for the secret.
    ///
    /// # Errors
    ///
    /// [`InvalidRequest`] names the field and the rule that it breaks.
    pub fn validate(&self, now: OffsetDateTime) -> Result<(), InvalidRequest> {
        self.to_request(now).map(drop)
    }

    fn to_request(&self, now: OffsetDateTime) -> Result<ApiRequest, InvalidRequest> {
        let target = api_keys().id("id", &self.id)?.segment("refresh");
        if self.grace_period.is_some_and(|grace| grace > MAX_GRACE || grace.subsec_nanos() != 0) {
            return Err(InvalidRequest::new("grace_period", "must be whole seconds from 0 to 86400"));
        }
        let body = RefreshBody {
            expires_at: Expiry::new_opt(self.expires_at, now)?,
            grace_period_seconds: self.grace_period.map(|grace| grace.as_secs()),
        };
        Ok(ApiRequest {
            operation: Operation::Refresh,
            method: Method::POST,
            target,
            body: Some(to_json(&body)?),
            subject: Some(self.id.to_string()),
        })
    }
}

/// Refreshes a key.
pub(crate) fn send(scope: &CallScope<'_>, request: &RefreshRequest) -> Result<ApiKeyCreated, Error> {
    scope.run(&request.to_request(scope.started())?, |response| {
        decode_created(response, &scope.settings().credentials.current())
    })
}

struct RefreshBody {
    expires_at: Option<Expiry>,
    grace_period_seconds: Option<u64>,
}

serialize_members!(RefreshBody { expires_at if is_some, grace_period_seconds if is_some });
