//! Replacing a key in the safe order: find, create, store, verify, revoke.

mod error;
mod replacement;

use std::time::Duration;

pub use self::error::{NotReplaceable, RotationError};
use self::replacement::CarryOver;
pub use self::replacement::{ReplacementKey, RotationStep};
use crate::client::ApiKeysClient;
use crate::error::{Error, InvalidRequest};
use crate::lifecycle::create_any::CreateAny;
use crate::model::{ApiKey, ApiKeyCreated, ApiKeyStatus};
use crate::request_target::same_id;

/// The time to revoke a key that nothing holds.
const UNDO_TIMEOUT: Duration = Duration::from_secs(30);

/// Revokes the key unless it is forgotten: after a panic in `store`, no caller knows the key.
pub(super) struct RevokeOnDrop<'a> {
    pub(super) client: &'a ApiKeysClient,
    pub(super) created: &'a ApiKeyCreated,
}

impl Drop for RevokeOnDrop<'_> {
    fn drop(&mut self) {
        // The panic goes on; there is no caller to return an error to.
        let _ = self.client.undo(self.created);
    }
}

/// The keys that a rotation is about.
struct Replaceable {
    /// `None` if it is revoked and a stored successor replaces it.
    old: Option<ApiKey>,
    /// Keys that interrupted rotations of the old key created.
    successors: Vec<ApiKey>,
}

impl ApiKeysClient {
    /// Replaces a key by a new one. At every moment, a working secret is stored.
    ///
    /// 1. Find the old key among the active user keys of the caller or, for a service key, among those of the spaces of
    ///    the new binding. If it is not there, nothing is created.
    /// 2. Create the new key. Unset values carry over: an empty name, the description, the lifetime. The description
    ///    ends with `[arize-keys replaces=<old id>]`.
    /// 3. `store` the new key: write its secret where the programs read it, and read it back. If that fails or panics,
    ///    the new key is revoked.
    /// 4. Verify the new key with a list.
    /// 5. Revoke the old key, and keys that interrupted rotations of it left.
    ///
    /// The first failed step ends the rotation; [`RotationError`] says which keys work then. After a crash, call it again
    /// with the same arguments: pass the stored secret to [`ReplacementKey::stored`], and it goes on where it stopped.
    ///
    /// The old key may be the one of this client. Continue with [`with_api_key`](Self::with_api_key) of the new key.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # #[cfg(feature = "emulator")] {
    /// use std::io::Write;
    ///
    /// use arize_api_keys::{ApiKeysClient, CreateRequest, ExposeSecret, emulator::Emulator};
    ///
    /// # let emulator = Emulator::new();
    /// # let client = ApiKeysClient::builder()
    /// #     .ignore_env().api_key(emulator.admin_key()).transport(emulator.clone()).build()?;
    /// # let file = std::env::temp_dir().join(format!("arize-api-keys-doc-{}", std::process::id()));
    /// let old = client.create(&CreateRequest::new("ci 2026-10"))?;
    /// let new = client.rotate(&old.id, CreateRequest::new("ci 2026-11"), |created| {
    ///     let mut options = std::fs::OpenOptions::new();
    ///     options.write(true).create_new(true);
    ///     #[cfg(unix)]
    ///     std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600); // for its owner only
    ///     options.open(&file)?.write_all(created.key.expose_secret().as_bytes())
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
    /// [`RotationError`], by the failed step.
    pub fn rotate<E>(
        &self,
        old_id: impl AsRef<str>,
        new: impl Into<ReplacementKey>,
        store: impl FnOnce(&ApiKeyCreated) -> Result<(), E>,
    ) -> Result<ApiKeyCreated, RotationError<E>> {
        let (old_id, new) = (old_id.as_ref(), new.into());
        let valid = new.validate(old_id, self.stage(), self.now());
        valid.map_err(|error| RotationError::Create(error.into()))?;
        new.announce(RotationStep::Find);
        let Replaceable { old, successors } = self.find_replaceable(old_id, &new)?;

        let stored = successors.iter().find_map(|key| Some((key, new.stored_secret_of(key)?)));
        if let Some((key, secret)) = stored {
            new.announce(RotationStep::Resume { id: &key.id });
            let resumed = Box::new(ApiKeyCreated { key: secret.clone(), details: key.clone() });
            return self.verify_and_revoke(&new, resumed, old.as_ref(), &successors);
        }
        let old = old.ok_or_else(|| self.refusal(old_id, NotReplaceable::Revoked))?;
        let created = self.create_replacement(&new, &old)?;
        let created = self.store_replacement(created, &old, store)?;
        self.verify_and_revoke(&new, created, Some(&old), &successors)
    }

    fn find_replaceable<E>(&self, old_id: &str, new: &ReplacementKey) -> Result<Replaceable, RotationError<E>> {
        let refuse = |reason| self.refusal(old_id, reason);
        let mut old = None;
        let mut successors: Vec<ApiKey> = Vec::new();
        for key in new.request.lists(&ApiKeyStatus::Active).iter().flat_map(|request| self.list_all(request)) {
            let key = key.map_err(RotationError::Find)?;
            if same_id(&key.id, old_id) {
                old = Some(key);
            } else if ReplacementKey::is_successor(&key, old_id) && successors.iter().all(|known| known.id != key.id) {
                successors.push(key);
            }
        }
        match old {
            Some(old) if old.key_type != new.key_type() => Err(refuse(NotReplaceable::OtherType)),
            Some(old) if old.status == ApiKeyStatus::Revoked => Err(refuse(NotReplaceable::Revoked)),
            Some(old) => Ok(Replaceable { old: Some(old), successors }),
            // An interrupted rotation came as far as revoking the old key.
            None if successors.iter().any(|key| new.stored_secret_of(key).is_some()) => {
                Ok(Replaceable { old: None, successors })
            }
            None => {
                for key in new.request.lists(&ApiKeyStatus::Revoked).iter().flat_map(|request| self.list_all(request)) {
                    if same_id(&key.map_err(RotationError::Find)?.id, old_id) {
                        return Err(refuse(NotReplaceable::Revoked));
                    }
                }
                Err(refuse(NotReplaceable::NotFound))
            }
        }
    }

    fn refusal<E>(&self, old_id: &str, reason: NotReplaceable) -> RotationError<E> {
        // The caller may have passed a key as the id.
        RotationError::NotReplaceable { old_id: self.strip_key(old_id), reason }
    }

    fn create_replacement<E>(
        &self,
        new: &ReplacementKey,
        old: &ApiKey,
    ) -> Result<Box<ApiKeyCreated>, RotationError<E>> {
        let request = new.request_for(old, self.now()).map_err(|problem| match problem {
            CarryOver::Invalid(error) => RotationError::Create(error.into()),
            CarryOver::Refused(reason) => self.refusal(&old.id, reason),
        })?;
        new.announce(RotationStep::Create { name: request.name(), owner: old.owner().as_deref() });
        let created = request.send(self);
        let mut created = Box::new(created.map_err(RotationError::Create)?);
        if created.name.is_empty() {
            request.name().clone_into(&mut created.details.name);
        }
        // With both the id and the secret of the old key, it is the old key.
        let is_old_secret = !same_id(&created.id, &old.id) && old.matches(&created.key);
        if created.has_duplicate_member() || is_old_secret {
            return Err(RotationError::Ambiguous { created });
        }
        Ok(created)
    }

    fn store_replacement<E>(
        &self,
        created: Box<ApiKeyCreated>,
        old: &ApiKey,
        store: impl FnOnce(&ApiKeyCreated) -> Result<(), E>,
    ) -> Result<Box<ApiKeyCreated>, RotationError<E>> {
        // If both ids match, revoking would destroy the only key.
        let is_new = !same_id(&created.id, &old.id);
        let guard = is_new.then(|| RevokeOnDrop { client: self, created: &created });
        let stored = store(&created);
        std::mem::forget(guard);
        match stored {
            Ok(()) => Ok(created),
            Err(cause) => {
                let revoked = if is_new { self.undo(&created) } else { Err(same_key()) };
                Err(RotationError::Store { cause, created, revoked })
            }
        }
    }

    /// Revokes a new key that was not stored, even if the time limit of this client is over.
    pub(super) fn undo(&self, created: &ApiKeyCreated) -> Result<(), Error> {
        if created.has_duplicate_member() {
            // It may be the id of another key.
            return Err(InvalidRequest::new(
                "id",
                "is not certain: the response to the create has `id` or `key` twice",
            )
            .into());
        }
        self.with_time_limit(UNDO_TIMEOUT).delete(&created.id)
    }

    fn verify_and_revoke<E>(
        &self,
        new: &ReplacementKey,
        created: Box<ApiKeyCreated>,
        old: Option<&ApiKey>,
        successors: &[ApiKey],
    ) -> Result<ApiKeyCreated, RotationError<E>> {
        new.announce(RotationStep::Verify);
        let successor = match self.verify(&created.key) {
            Ok(successor) => successor,
            Err(cause) => return Err(RotationError::Verify { cause, created }),
        };
        if let Some(before_revoke) = &new.before_revoke
            && let Err(cause) = before_revoke(&created)
        {
            return Err(RotationError::BeforeRevoke { cause, created });
        }
        // The new user key may do what its creator may. If the old key is the client's own, a repeated request with it
        // would fail after the first one succeeded.
        let client = match &new.request {
            CreateAny::User(_) => &successor,
            CreateAny::Service(_) => self,
        };
        // The old key goes last: as long as it works, a repeated rotation finds the others.
        for key in successors.iter().filter(|key| !same_id(&key.id, &created.id)).chain(old) {
            new.announce(RotationStep::Revoke { id: &key.id });
            let revoked = if same_id(&key.id, &created.id) { Err(same_key()) } else { client.delete(&key.id) };
            if let Err(cause) = revoked {
                return Err(RotationError::Revoke { cause, created });
            }
        }
        Ok(*created)
    }
}

fn same_key() -> Error {
    Error::from(InvalidRequest::new("old_id", "is the id of the new key"))
}
