//! Replacing a key by a new one in the safe order: create, store, verify, revoke.

use std::error::Error as StdError;
use std::fmt;

use crate::client::ApiKeysClient;
use crate::error::{Error, InvalidRequest};
use crate::model::ApiKeyCreated;
use crate::operations::create::CreateRequest;
use crate::operations::list::ListRequest;
use crate::operations::service_key::CreateServiceKeyRequest;
use crate::redact::quote;
use crate::request_target::{RequestTarget, same_id};

/// The key that replaces another: of a user or of a bot.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ReplacementKey {
    /// A user key.
    User(CreateRequest),
    /// A service key.
    Service(CreateServiceKeyRequest),
}

impl ReplacementKey {
    fn name(&self) -> &str {
        match self {
            Self::User(request) => request.name(),
            Self::Service(request) => request.name(),
        }
    }
}

impl From<CreateRequest> for ReplacementKey {
    fn from(request: CreateRequest) -> Self {
        Self::User(request)
    }
}

impl From<CreateServiceKeyRequest> for ReplacementKey {
    fn from(request: CreateServiceKeyRequest) -> Self {
        Self::Service(request)
    }
}

/// A rotation that did not come to its end, and the keys that live now.
///
/// | variant | the old key | the new key |
/// |---|---|---|
/// | `Create` | lives | none, or one that [`Error::outcome`] and the message tell about |
/// | `Store` | lives | revoked, or lives if revoking it failed too |
/// | `Verify` | lives | lives, and is stored |
/// | `Revoke` | lives, or is revoked ([`Error::outcome`] of the cause) | lives, and is stored |
///
/// Wherever there is a new key, it is in the error, with its secret.
#[derive(Debug)]
#[non_exhaustive]
pub enum RotationError<E> {
    /// The new key was not created, or that is not certain.
    Create(Error),
    /// `store` failed.
    #[non_exhaustive]
    Store {
        /// What `store` said.
        cause: E,
        /// The new key.
        created: Box<ApiKeyCreated>,
        /// How revoking the new key ended.
        revoked: Result<(), Error>,
    },
    /// The new key does not work.
    #[non_exhaustive]
    Verify {
        /// What the service said.
        cause: Error,
        /// The new key.
        created: Box<ApiKeyCreated>,
    },
    /// The old key was not revoked, or that is not certain.
    #[non_exhaustive]
    Revoke {
        /// What the service said.
        cause: Error,
        /// The new key.
        created: Box<ApiKeyCreated>,
    },
}

impl<E> RotationError<E> {
    /// The new key, if there is one that is known of.
    pub fn created(&self) -> Option<&ApiKeyCreated> {
        match self {
            Self::Create(_) => None,
            Self::Store { created, .. } | Self::Verify { created, .. } | Self::Revoke { created, .. } => Some(created),
        }
    }
}

impl<E: fmt::Display> fmt::Display for RotationError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let new = self.created().map(name_of).unwrap_or_default();
        match self {
            Self::Create(cause) => write!(f, "the old key is as it was; creating the new one failed: {cause}"),
            Self::Store { cause, revoked: Ok(()), .. } => {
                write!(f, "the old key is as it was; the new key {new} could not be stored ({cause}) and was revoked")
            }
            Self::Store { cause, revoked: Err(error), .. } => write!(
                f,
                "the old key is as it was; the new key {new} could not be stored ({cause}), \
                 and may work too: revoking it failed: {error}"
            ),
            Self::Verify { cause, .. } => {
                write!(f, "the old key is as it was; the new key {new} is stored, but using it failed: {cause}")
            }
            Self::Revoke { cause, .. } => {
                write!(f, "the new key {new} is stored and works; revoking the old key failed: {cause}")
            }
        }
    }
}

/// The message has that of the cause in it; what lies below that is the source.
impl<E: fmt::Debug + fmt::Display> StdError for RotationError<E> {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Create(cause) | Self::Verify { cause, .. } | Self::Revoke { cause, .. } => cause.source(),
            Self::Store { .. } => None,
        }
    }
}

/// What the new key can be found by: its id, or, if the service sent none, its name.
fn name_of(created: &ApiKeyCreated) -> String {
    if created.id.is_empty() { format!("named {}", quote(&created.name)) } else { quote(&created.id) }
}

/// Revokes a key unless it was told not to: a panic of the caller's must not leave a key behind that nobody knows.
struct RevokeOnDrop<'a> {
    client: &'a ApiKeysClient,
    id: &'a str,
}

impl Drop for RevokeOnDrop<'_> {
    fn drop(&mut self) {
        // There is nobody to tell: the panic goes on.
        let _ = self.client.revoke(self.id);
    }
}

impl ApiKeysClient {
    /// Replaces a key by a new one, so that at no moment a program is without a key that works, and no key is lost:
    ///
    /// 1. create the new key;
    /// 2. `store` it: write its secret where the programs find it. If that fails, or panics, the new key is revoked;
    /// 3. verify that it works, by listing with it;
    /// 4. revoke the old key.
    ///
    /// It ends at the first step that fails, and [`RotationError`] says which keys live then. If this program is killed
    /// between creating and storing, the new key can be found in a list by its name: give it one of its own.
    ///
    /// The old key may be the one that this client uses. Afterwards the client to go on with is
    /// [`with_api_key`](Self::with_api_key) of the new one.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # #[cfg(feature = "emulator")] {
    /// use arize_api_keys::{ApiKeysClient, CreateRequest, ExposeSecret, emulator::Emulator};
    ///
    /// # let emulator = Emulator::new();
    /// # let client = ApiKeysClient::builder()
    /// #     .ignore_env().api_key(emulator.admin_key()).transport(emulator.clone()).build()?;
    /// # let file = std::env::temp_dir().join(format!("arize-api-keys-doc-{}", std::process::id()));
    /// let old = client.create(&CreateRequest::new("ci 2026-10"))?;
    /// let new = client.rotate(&old.id, CreateRequest::new("ci 2026-11"), |created| {
    ///     std::fs::write(&file, created.key.expose_secret())
    /// })?;
    /// assert!(emulator.authenticates(new.key.expose_secret()));
    /// assert!(!emulator.authenticates(old.key.expose_secret()));
    /// # std::fs::remove_file(&file)?;
    /// # }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`RotationError`], by the step that failed.
    pub fn rotate<E>(
        &self,
        old_id: impl AsRef<str>,
        new: impl Into<ReplacementKey>,
        store: impl FnOnce(&ApiKeyCreated) -> Result<(), E>,
    ) -> Result<ApiKeyCreated, RotationError<E>> {
        let old_id = old_id.as_ref();
        // An id that cannot be revoked is no reason to create a key.
        RequestTarget::new("/v2/api-keys").id("old_id", old_id).map_err(|error| RotationError::Create(error.into()))?;
        let new = new.into();
        let created = match &new {
            ReplacementKey::User(request) => self.create(request),
            ReplacementKey::Service(request) => self.create_service_key(request),
        };
        let mut created = Box::new(created.map_err(RotationError::Create)?);
        if created.name.is_empty() {
            new.name().clone_into(&mut created.details.name);
        }
        // Then there is one key, and whoever revokes it has none.
        let is_old = || Error::from(InvalidRequest::new("old_id", "is the id of the new key"));
        let is_new = !same_id(&created.id, old_id);

        let unstored = is_new.then(|| RevokeOnDrop { client: self, id: &created.id });
        let stored = store(&created);
        std::mem::forget(unstored);
        if let Err(cause) = stored {
            let revoked = if is_new { self.revoke(&created.id) } else { Err(is_old()) };
            return Err(RotationError::Store { cause, created, revoked });
        }

        let successor = match self.verify(&created) {
            Ok(successor) => successor,
            Err(cause) => return Err(RotationError::Verify { cause, created }),
        };
        let revoked = match &new {
            _ if !is_new => Err(is_old()),
            // The new key may do what its creator may. If the old one is the client's own, then using it would make a
            // repeated request fail after the first one got through.
            ReplacementKey::User(_) => successor.revoke(old_id),
            ReplacementKey::Service(_) => self.revoke(old_id),
        };
        match revoked {
            Ok(()) => Ok(*created),
            Err(cause) => Err(RotationError::Revoke { cause, created }),
        }
    }

    /// A client with the new key, which the service has let in.
    fn verify(&self, created: &ApiKeyCreated) -> Result<Self, Error> {
        let successor = self.with_api_key(&created.key)?;
        match successor.list(&ListRequest::new().limit(1)) {
            Ok(_) => Ok(successor),
            // It is known, and may not list: that is no reason to doubt it. But it has to be the service that says so.
            Err(Error::Forbidden(error)) if error.is_problem() => Ok(successor),
            Err(error) => Err(error),
        }
    }
}
