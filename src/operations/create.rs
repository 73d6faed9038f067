//! Create a user key: `POST /v2/api-keys`.

use std::borrow::Cow;
use std::time::Duration;

use http::Method;
use time::OffsetDateTime;

use crate::error::{Error, InvalidRequest};
use crate::model::{ApiKeyCreated, ApiKeyType, WireEnum};
use crate::operation::Operation;
use crate::operations::{Expiry, ExpiryRequest, api_keys, decode_created, to_json, validate_texts};
use crate::pipeline::{ApiRequest, CallScope};
use crate::redact::Text;
use crate::serialize::serialize_members;
use crate::stage::ApiStage;

/// A user key to create. It acts as the user who creates it, with all of that user's permissions.
///
/// ```
/// use arize_api_keys::{CreateRequest, time::{Duration, OffsetDateTime}};
///
/// let request = CreateRequest::new("personal-key")
///     .description("key for local development")
///     .expires_at(OffsetDateTime::now_utc() + Duration::days(30));
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct CreateRequest {
    name: Text,
    description: Option<Text>,
    expires_at: Option<ExpiryRequest>,
}

impl CreateRequest {
    /// A key with this name: 1 to 256 characters. Names need not be unique.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: Text::new(name), description: None, expires_at: None }
    }

    /// The purpose of the key: at most 1000 characters.
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = Some(Text::new(description));
        self
    }

    /// The time at which the key stops working, in the future. Without it the key does not expire, unless the account
    /// limits the lifetime of its keys.
    pub fn expires_at(mut self, expires_at: OffsetDateTime) -> Self {
        self.expires_at = Some(ExpiryRequest::At(expires_at));
        self
    }

    /// The lifetime of the key from the moment of the call, in whole seconds. It replaces
    /// [`expires_at`](Self::expires_at).
    pub fn expires_in(mut self, lifetime: Duration) -> Self {
        self.expires_at = Some(ExpiryRequest::In(lifetime));
        self
    }

    /// Checks the name, the description and the expiry without I/O. [`create`](crate::ApiKeysClient::create) begins with it; call it
    /// before you open a store for the secret.
    ///
    /// # Errors
    ///
    /// [`InvalidRequest`] names the field and the rule that it breaks.
    pub fn validate(&self, now: OffsetDateTime) -> Result<(), InvalidRequest> {
        validate_texts(&self.name, self.description.as_deref())?;
        Expiry::new_opt(self.expires_at, now).map(drop)
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn current_description(&self) -> Option<&str> {
        self.description.as_deref()
    }

    pub(crate) fn has_expiry(&self) -> bool {
        self.expires_at.is_some()
    }

    /// Sets the name if it is empty.
    pub(crate) fn or_name(mut self, name: &str) -> Self {
        if self.name.is_empty() {
            self.name = Text::new(name);
        }
        self
    }

    fn to_request(&self, stage: ApiStage, now: OffsetDateTime) -> Result<ApiRequest, InvalidRequest> {
        validate_texts(&self.name, self.description.as_deref())?;
        let body = CreateBody {
            key_type: ApiKeyType::User.word(stage),
            name: &self.name,
            description: self.description.as_deref(),
            expires_at: Expiry::new_opt(self.expires_at, now)?,
        };
        Ok(ApiRequest {
            operation: Operation::Create,
            method: Method::POST,
            target: api_keys(),
            body: Some(to_json(&body)?),
            subject: Some(self.name.to_string()),
        })
    }
}

/// Creates a user key.
pub(crate) fn send(scope: &CallScope<'_>, request: &CreateRequest) -> Result<ApiKeyCreated, Error> {
    scope.run(&request.to_request(scope.settings().stage, scope.started())?, |response| {
        decode_created(response, &scope.settings().credentials.current())
    })
}

struct CreateBody<'a> {
    key_type: Cow<'a, str>,
    name: &'a str,
    description: Option<&'a str>,
    expires_at: Option<Expiry>,
}

serialize_members!(CreateBody<'_> { key_type, name, description if is_some, expires_at if is_some });
