//! Keeping a working key in a store: create, renew when due, retire the old ones.

mod assess;
mod error;
mod owner;
mod request;
mod retire;
mod warning;

use std::convert::Infallible;
use std::time::Duration;

use self::assess::{Assessment, Listed};
pub use self::error::EnsureError;
pub use self::request::{EnsureRequest, KeyToEnsure};
use self::retire::{Replaced, Retirement, retirement};
pub use self::warning::EnsureWarning;
use crate::client::ApiKeysClient;
use crate::error::InvalidRequest;
use crate::lifecycle::rotate::RevokeOnDrop;
use crate::model::{ApiKey, ApiKeyCreated};
use crate::request_target::same_id;

/// The age at which a key that is not the stored one is retired without a lock on the store: no run takes that long.
const ABANDONED: Duration = Duration::from_secs(600);

/// A key may expire this much earlier than asked for.
const SLACK: time::Duration = time::Duration::minutes(1);

/// The result of [`ApiKeysClient::ensure`].
#[derive(Debug)]
#[non_exhaustive]
pub struct Ensured {
    /// The change in this run.
    pub change: EnsureChange,
    /// The key in the store.
    pub key: ApiKey,
    /// The keys that this run revoked.
    pub retired: Vec<ApiKey>,
    /// The old keys that a later run revokes, when the overlap is over.
    pub pending: Vec<ApiKey>,
    /// Circumstances that the caller should know.
    pub warnings: Vec<EnsureWarning>,
}

/// The change that an `ensure` made to the key in the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EnsureChange {
    /// The stored key works and is not due.
    Unchanged,
    /// There was no key of this owner.
    Created,
    /// A new key replaces the old one.
    Renewed,
}

/// The plan of an [`ensure`](ApiKeysClient::ensure): see [`ApiKeysClient::plan_ensure`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct EnsurePlan {
    /// The change that a run would make.
    pub change: EnsureChange,
    /// The stored key, if it stays.
    pub key: Option<ApiKey>,
    /// The keys that would be revoked.
    pub retired: Vec<ApiKey>,
    /// The old keys that a later run would revoke.
    pub pending: Vec<ApiKey>,
    /// Circumstances that the caller should know.
    pub warnings: Vec<EnsureWarning>,
}

impl ApiKeysClient {
    /// Keeps a working key in a store. Repeat it as often as you like: it creates a missing key, renews a key when it
    /// is due, and retires the old ones.
    ///
    /// 1. List the keys of the owner: by name, type and the marker `[arize-keys owner=…]` at the end of the description.
    /// 2. If the stored secret is the one of a key that is not due, and the service accepts it, change nothing.
    /// 3. Else create a key, `store` it, verify it with a list, call [`before_retire`](EnsureRequest::before_retire).
    /// 4. Revoke older keys of the owner once the overlap is over, and keys that interrupted runs left.
    ///
    /// The service and the store are the only state. After a crash, the next run goes on.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # #[cfg(feature = "emulator")] {
    /// use arize_api_keys::{CreateRequest, EnsureChange, EnsureRequest, emulator::Emulator};
    ///
    /// let client = Emulator::new().client();
    /// let mut stored = None;
    /// let request = EnsureRequest::new(CreateRequest::new("etl"), "host-7:/etc/etl.env");
    /// let ensured = client.ensure(&request.clone().stored(stored.clone()), |created| {
    ///     stored = Some(created.key.clone());
    ///     Ok::<(), std::io::Error>(())
    /// })?;
    /// assert_eq!(ensured.change, EnsureChange::Created);
    /// let ensured = client.ensure(&request.stored(stored), |_| Ok::<(), std::io::Error>(()))?;
    /// assert_eq!(ensured.change, EnsureChange::Unchanged);
    /// # }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`EnsureError`], by the step that failed.
    pub fn ensure<E>(
        &self,
        request: &EnsureRequest,
        store: impl FnOnce(&ApiKeyCreated) -> Result<(), E>,
    ) -> Result<Ensured, EnsureError<E>> {
        let Assessment { listed, current, adopted, change, mut warnings } = self.assess(request)?;
        if let (EnsureChange::Unchanged, Some(key)) = (change, &current) {
            let replaced = Replaced { stored: None, predecessors: &[], adopted: None };
            let retirement = retirement(request, listed, Some(key), replaced);
            let successor = request.stored_secret().and_then(|secret| self.with_api_key(secret).ok());
            let ensured = self.retire(request, change, key.clone(), retirement, successor.as_ref())?;
            return Ok(Ensured { warnings, ..ensured });
        }
        // An expiry up to a minute earlier is no other lifetime.
        let expected = self.now().saturating_add(request.lifetime.try_into().unwrap_or(time::Duration::MAX)) - SLACK;
        let (created, key, after) = self.create_listed(request)?;
        if let Some(expires_at) = key.expires_at.filter(|at| *at < expected) {
            let is_too_short = request.is_renewed_in_last_third(&key);
            warnings.push(EnsureWarning::LifetimeShortened { expires_at, is_too_short });
        }
        // Another run with this owner may have created a key at the same time. The older one wins.
        let is_known = |key: &ApiKey| listed.live.iter().any(|known| known.id == key.id);
        let winner = after.live.iter().find(|other| !is_known(other)).filter(|first| first.id != key.id).cloned();
        if let Some(winner) = winner.filter(|_| !request.is_exclusive) {
            self.undo(&created).map_err(|cause| EnsureError::Retire { cause, key: Box::new(key) })?;
            let (retired, pending) = (Vec::new(), Vec::new());
            return Ok(Ensured { change: EnsureChange::Unchanged, key: winner, retired, pending, warnings });
        }
        let guard = RevokeOnDrop { client: self, created: &created };
        let stored = store(&created);
        std::mem::forget(guard);
        if let Err(cause) = stored {
            let revoked = self.undo(&created);
            return Err(EnsureError::Store { cause, created, revoked });
        }
        let successor = match self.verify(&created.key) {
            Ok(successor) => successor,
            Err(cause) => return Err(EnsureError::Verify { cause, created }),
        };
        let stored = current.as_ref().map(|key| key.id.as_str());
        let replaced = Replaced { stored, predecessors: &listed.live, adopted };
        let retirement = retirement(request, after, Some(&key), replaced);
        let ensured = self.retire(request, change, key, retirement, Some(&successor))?;
        Ok(Ensured { warnings, ..ensured })
    }

    /// The plan that [`ensure`](Self::ensure) would carry out now. It only reads.
    ///
    /// # Errors
    ///
    /// Those of an `ensure` that changed nothing.
    pub fn plan_ensure(&self, request: &EnsureRequest) -> Result<EnsurePlan, EnsureError<Infallible>> {
        let Assessment { listed, current, adopted, change, warnings } = self.assess(request)?;
        let stored = current.as_ref().map(|key| key.id.clone());
        let key = current.filter(|_| change == EnsureChange::Unchanged);
        let replaced = Replaced { stored: stored.as_deref(), predecessors: &[], adopted };
        let Retirement { due, pending, .. } = retirement(request, listed, key.as_ref(), replaced);
        Ok(EnsurePlan { change, key, retired: due, pending, warnings })
    }

    /// Creates a key, and finds it in a list, where a later run would find it.
    fn create_listed<E>(
        &self,
        request: &EnsureRequest,
    ) -> Result<(Box<ApiKeyCreated>, ApiKey, Listed), EnsureError<E>> {
        let created = Box::new(request.to_create().send(self).map_err(EnsureError::Create)?);
        let after = match self.listed(request) {
            Ok(after) => after,
            Err(error) => return Err(self.undo_unlisted(created, Some(error))),
        };
        let Some(key) = after.live.iter().find(|key| same_id(&key.id, &created.id)).cloned() else {
            return Err(self.undo_unlisted(created, None));
        };
        if !key.redacted_key.is_empty() && !key.matches(&created.key) {
            // The secret is the one of another key, so the id may be, too.
            let revoked = Err(InvalidRequest::new("id", "is not certain: the list has another secret for it").into());
            return Err(EnsureError::NotListed { created, revoked });
        }
        Ok((created, key, after))
    }

    /// Revokes a key that no later run would find.
    fn undo_unlisted<E>(&self, created: Box<ApiKeyCreated>, error: Option<EnsureError<E>>) -> EnsureError<E> {
        let revoked = self.undo(&created);
        match (error, &revoked) {
            (Some(error), Ok(())) => error,
            _ => EnsureError::NotListed { created, revoked },
        }
    }
}
