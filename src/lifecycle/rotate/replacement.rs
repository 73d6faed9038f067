//! The key that replaces another one.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use secrecy::SecretString;
use time::OffsetDateTime;

use super::NotReplaceable;
use crate::error::InvalidRequest;
use crate::lifecycle::create_any::CreateAny;
use crate::lifecycle::marker;
use crate::model::{ApiKey, ApiKeyCreated, ApiKeyType};
use crate::operations::create::CreateRequest;
use crate::operations::service_key::CreateServiceKeyRequest;
use crate::request_target::{RequestTarget, same_id};
use crate::stage::ApiStage;

/// The name of the marker that a new key has in its description.
const REPLACES: &str = "replaces";

/// A step of a rotation, before it is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RotationStep<'a> {
    /// Look up the old key.
    Find,
    /// Create a key with this name.
    #[non_exhaustive]
    Create {
        /// The name of the new key.
        name: &'a str,
        /// The owner of the old key, if [`ensure`](crate::ApiKeysClient::ensure) keeps it. The new key has no owner.
        owner: Option<&'a str>,
    },
    /// Go on with the key that an earlier, interrupted rotation created and stored.
    #[non_exhaustive]
    Resume {
        /// The id of that key.
        id: &'a str,
    },
    /// List with the new key.
    Verify,
    /// Revoke this key: the old one, or one that an earlier, interrupted rotation left.
    #[non_exhaustive]
    Revoke {
        /// The id of the key to revoke.
        id: &'a str,
    },
}

type OnStep = Arc<dyn Fn(RotationStep<'_>) + Send + Sync>;

type BeforeRevoke = Arc<dyn Fn(&ApiKeyCreated) -> Result<(), Box<dyn StdError + Send + Sync>> + Send + Sync>;

/// The key that replaces another one: a user key or a service key.
///
/// Values that the request leaves unset carry over from the old key: an empty name, the description and the lifetime.
#[derive(Clone)]
pub struct ReplacementKey {
    pub(super) request: CreateAny,
    no_expiry: bool,
    stored: Option<SecretString>,
    on_step: Option<OnStep>,
    pub(super) before_revoke: Option<BeforeRevoke>,
}

impl ReplacementKey {
    fn new(request: CreateAny) -> Self {
        Self { request, no_expiry: false, stored: None, on_step: None, before_revoke: None }
    }

    /// The new key does not expire, even if the old one does.
    #[must_use]
    pub fn no_expiry(mut self) -> Self {
        self.no_expiry = true;
        self
    }

    /// The secret that the caller's store has now.
    ///
    /// If it is the secret of a key that an interrupted rotation of the same key created, the rotation goes on with that
    /// key instead of creating another one.
    #[must_use]
    pub fn stored(mut self, secret: Option<SecretString>) -> Self {
        self.stored = secret;
        self
    }

    /// Called with each step before it is taken.
    #[must_use]
    pub fn on_step(mut self, on_step: impl Fn(RotationStep<'_>) + Send + Sync + 'static) -> Self {
        self.on_step = Some(Arc::new(on_step));
        self
    }

    /// Called with the new key after it is verified, and before the old one is revoked. If it fails, no key is revoked.
    #[must_use]
    pub fn before_revoke(
        mut self,
        hook: impl Fn(&ApiKeyCreated) -> Result<(), Box<dyn StdError + Send + Sync>> + Send + Sync + 'static,
    ) -> Self {
        self.before_revoke = Some(Arc::new(hook));
        self
    }

    pub(super) fn announce(&self, step: RotationStep<'_>) {
        if let Some(on_step) = &self.on_step {
            on_step(step);
        }
    }

    pub(super) fn key_type(&self) -> ApiKeyType {
        self.request.key_type()
    }

    /// Checks the id of the old key and the request for the new one without I/O, for this stage of the API.
    /// [`rotate`](crate::ApiKeysClient::rotate) begins with it; call it before you open the store.
    ///
    /// # Errors
    ///
    /// [`InvalidRequest`] names the field and the rule that it breaks.
    pub fn validate(&self, old_id: &str, stage: ApiStage, now: OffsetDateTime) -> Result<(), InvalidRequest> {
        RequestTarget::new("/v2/api-keys").id("old_id", old_id)?;
        // Without a name, that of the old key carries over.
        let description = self.request.description().map(|text| marker::append(text, REPLACES, old_id));
        let description = description.unwrap_or_default();
        validate_length(&description)?;
        self.request.clone().completed(REPLACES, description, None).validate(stage, now)
    }

    /// Whether `key` was created by an earlier rotation of the key `old_id`.
    pub(super) fn is_successor(key: &ApiKey, old_id: &str) -> bool {
        let replaces = key.description.as_deref().and_then(|text| marker::value(text, REPLACES));
        replaces.is_some_and(|id| same_id(id, old_id))
    }

    /// Whether the store has the secret of `key`.
    pub(super) fn stored_secret_of(&self, key: &ApiKey) -> Option<&SecretString> {
        self.stored.as_ref().filter(|secret| key.matches(secret))
    }

    /// The request, with the unset values of `old` carried over and the marker.
    pub(super) fn request_for(&self, old: &ApiKey, now: OffsetDateTime) -> Result<CreateAny, CarryOver> {
        let description = self.request.description().or(old.description.as_deref()).unwrap_or_default();
        let description = marker::append(description, REPLACES, &old.id);
        validate_length(&description).map_err(CarryOver::Invalid)?;
        let expires_at = if self.no_expiry || self.request.has_expiry() {
            None
        } else {
            lifetime(old).map_err(CarryOver::Refused)?.map(|lifetime| now.saturating_add(lifetime))
        };
        Ok(self.request.clone().completed(&old.name, description, expires_at))
    }
}

/// The reason why the values of the old key do not make a request.
pub(super) enum CarryOver {
    Invalid(InvalidRequest),
    Refused(NotReplaceable),
}

/// The lifetime of a key; `None` if it does not expire.
fn lifetime(old: &ApiKey) -> Result<Option<time::Duration>, NotReplaceable> {
    let is_unreadable = |field| old.warnings.iter().any(|warning| warning.field == field);
    match (old.created_at, old.expires_at) {
        (_, None) if !is_unreadable("expires_at") => Ok(None),
        (Some(created_at), Some(expires_at)) if expires_at > created_at => Ok(Some(expires_at - created_at)),
        _ => Err(NotReplaceable::UnknownLifetime),
    }
}

fn validate_length(description: &str) -> Result<(), InvalidRequest> {
    if description.chars().nth(1000).is_some() {
        let problem = "must have at most 1000 characters with the marker `[arize-keys replaces=…]` at its end";
        return Err(InvalidRequest::new("description", problem));
    }
    Ok(())
}

impl From<CreateRequest> for ReplacementKey {
    fn from(request: CreateRequest) -> Self {
        Self::new(CreateAny::User(request))
    }
}

impl From<CreateServiceKeyRequest> for ReplacementKey {
    fn from(request: CreateServiceKeyRequest) -> Self {
        Self::new(CreateAny::Service(request))
    }
}

impl fmt::Debug for ReplacementKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReplacementKey")
            .field("request", &self.request)
            .field("no_expiry", &self.no_expiry)
            .field("stored", &self.stored)
            .finish_non_exhaustive()
    }
}
