//! Keeping a working key in a store: create, renew when due, retire the old ones.

mod error;
mod request;

use std::time::Duration;

use secrecy::SecretString;
use time::OffsetDateTime;

pub use self::error::EnsureError;
use self::request::Stored;
pub use self::request::{EnsureRequest, KeyToEnsure};
use crate::client::ApiKeysClient;
use crate::error::Error;
use crate::lifecycle::rotate::RevokeOnDrop;
use crate::model::{ApiKey, ApiKeyCreated, ApiKeyStatus};
use crate::request_target::same_id;

/// The age at which a key that an interrupted run left is retired without a lock on the store.
const ABANDONED: Duration = Duration::from_secs(600);

/// The most keys of one name and owner that may be created within an hour.
const HOURLY_KEYS: usize = 5;

/// How long a list may lag behind a stored key, and the wait between two lists.
const LAG: Duration = Duration::from_secs(30);
const LAG_WAIT: Duration = Duration::from_secs(5);

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

/// The keys of the owner, as the service lists them.
struct Listed {
    /// Oldest first.
    live: Vec<ApiKey>,
    /// Expired, and not revoked.
    dead: Vec<ApiKey>,
    /// The ids of the keys before this run created one: they are older, even if the service gives both the same second.
    predecessors: Vec<String>,
    now: OffsetDateTime,
}

impl ApiKeysClient {
    /// Keeps a working key in a store. Repeat it as often as you like: it creates a missing key, renews a key when it
    /// is due, and retires the old ones.
    ///
    /// 1. List the keys of the owner: by name, type and the marker `[arize-keys owner=…]` at the end of the description.
    /// 2. If the stored secret is the one of a key that is not due, and the service accepts it, change nothing.
    /// 3. Else create a key, `store` it, verify it with a list.
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
        request.validate().map_err(|error| EnsureError::Find(error.into()))?;
        let mut listed = self.listed(request)?;
        let current = self.current(request, &mut listed)?;
        let adopted = self.adopted(request)?;
        let is_due = |key: &ApiKey| request.renew_now || adopted.is_some() || request.is_due(key, listed.now);
        if let Some(key) = current.filter(|key| !is_due(key)) {
            return self.retire(request, EnsureChange::Unchanged, key, listed, None, self);
        }
        self.guard_against_loops(request, &listed)?;
        let change =
            if listed.live.is_empty() && adopted.is_none() { EnsureChange::Created } else { EnsureChange::Renewed };
        let created = Box::new(request.to_create().send(self).map_err(EnsureError::Create)?);
        let mut after = match self.listed(request) {
            Ok(after) => after,
            Err(error) => return Err(self.undo_unlisted(created, Some(error))),
        };
        let Some(key) = after.live.iter().find(|key| same_id(&key.id, &created.id)).cloned() else {
            return Err(self.undo_unlisted(created, None));
        };
        after.predecessors = listed.live.iter().map(|key| key.id.clone()).collect();
        // Another run with this owner may have created a key at the same time. The older one wins.
        let is_known = |key: &ApiKey| listed.live.iter().any(|known| known.id == key.id);
        let winner = after.live.iter().find(|other| !is_known(other)).filter(|first| first.id != key.id).cloned();
        if let Some(winner) = winner.filter(|_| !request.is_exclusive) {
            self.delete(&created.id).map_err(|cause| EnsureError::Retire { cause, key: Box::new(key) })?;
            return Ok(Ensured {
                change: EnsureChange::Unchanged,
                key: winner,
                retired: Vec::new(),
                pending: Vec::new(),
            });
        }
        let guard = RevokeOnDrop { client: self, id: &created.id };
        let stored = store(&created);
        std::mem::forget(guard);
        if let Err(cause) = stored {
            let revoked = self.delete(&created.id);
            return Err(EnsureError::Store { cause, created, revoked });
        }
        let successor = match self.verify(&created.key) {
            Ok(successor) => successor,
            Err(cause) => return Err(EnsureError::Verify { cause, created }),
        };
        // The old key may be the one of this client, so that the new user key has to revoke it.
        let client = if created.key_type == crate::model::ApiKeyType::User { &successor } else { self };
        self.retire(request, change, key, after, adopted, client)
    }

    /// The active keys of the owner.
    fn listed<E>(&self, request: &EnsureRequest) -> Result<Listed, EnsureError<E>> {
        let mut keys: Vec<ApiKey> = Vec::new();
        let mut now = None;
        for list in request.create.lists(&ApiKeyStatus::Active) {
            let mut pages = self.list_all(&list);
            for key in &mut pages {
                let key = key.map_err(EnsureError::Find)?;
                if request.owns(&key) && keys.iter().all(|known| known.id != key.id) {
                    keys.push(key);
                }
            }
            now = now.or(pages.server_time());
        }
        let own_now = self.now();
        let now = now.unwrap_or(own_now);
        if (now - own_now).abs() > time::Duration::DAY {
            return Err(EnsureError::ClockSkew);
        }
        keys.sort_by(|one, other| (one.created_at, &one.id).cmp(&(other.created_at, &other.id)));
        let is_expired = |key: &ApiKey| key.expires_at.is_some_and(|at| at <= now);
        let (dead, live) = keys.into_iter().partition(is_expired);
        Ok(Listed { live, dead, predecessors: Vec::new(), now })
    }

    /// The key whose secret is stored and accepted; without a readable store the newest one.
    fn current<E>(&self, request: &EnsureRequest, listed: &mut Listed) -> Result<Option<ApiKey>, EnsureError<E>> {
        let secret = match &request.stored {
            Stored::Unreadable => return Ok(listed.live.last().cloned()),
            Stored::Is(None) => return Ok(None),
            Stored::Is(Some(secret)) => secret,
        };
        if self.accepts(secret).map_err(EnsureError::Find)?.is_none() {
            return Ok(None);
        }
        let mut waited = Duration::ZERO;
        loop {
            if let Some(key) = listed.live.iter().rev().find(|key| key.matches(secret)) {
                return Ok(Some(key.clone()));
            }
            // Without a usable redacted form, an accepted secret is taken for the newest key.
            let has_no_form = |key: &&ApiKey| !key.redacted_key.contains(['.', '*']);
            if let Some(key) = listed.live.last().filter(has_no_form) {
                return Ok(Some(key.clone()));
            }
            if request.replace_stored || request.adopt.is_some() {
                return Ok(None);
            }
            if waited >= LAG {
                return Err(EnsureError::StoredIsForeign);
            }
            self.sleep(LAG_WAIT);
            waited = waited.saturating_add(LAG_WAIT);
            *listed = self.listed(request)?;
        }
    }

    /// The key to take over, if it is active.
    fn adopted<E>(&self, request: &EnsureRequest) -> Result<Option<ApiKey>, EnsureError<E>> {
        let Some(id) = &request.adopt else { return Ok(None) };
        for list in request.create.lists(&ApiKeyStatus::Active) {
            for key in self.list_all(&list) {
                let key = key.map_err(EnsureError::Find)?;
                if same_id(&key.id, id) {
                    return Ok(Some(key).filter(|key| !request.owns(key)));
                }
            }
        }
        Ok(None)
    }

    fn guard_against_loops<E>(&self, request: &EnsureRequest, listed: &Listed) -> Result<(), EnsureError<E>> {
        if request.force {
            return Ok(());
        }
        let is_recent = |key: &ApiKey| key.created_at.is_some_and(|at| listed.now - at < time::Duration::HOUR);
        let mut count = listed.live.iter().chain(&listed.dead).filter(|key| is_recent(key)).count();
        for list in request.create.lists(&ApiKeyStatus::Revoked) {
            for key in self.list_all(&list) {
                let key = key.map_err(EnsureError::Find)?;
                count += usize::from(request.owns(&key) && is_recent(&key));
            }
        }
        if count > HOURLY_KEYS { Err(EnsureError::TooManyKeys) } else { Ok(()) }
    }

    /// Revokes a key that no later run would find.
    fn undo_unlisted<E>(&self, created: Box<ApiKeyCreated>, error: Option<EnsureError<E>>) -> EnsureError<E> {
        let revoked = self.delete(&created.id);
        match (error, &revoked) {
            (Some(error), Ok(())) => error,
            _ => EnsureError::NotListed { created, revoked },
        }
    }

    /// Revokes the keys that the stored key replaces.
    fn retire<E>(
        &self,
        request: &EnsureRequest,
        change: EnsureChange,
        current: ApiKey,
        listed: Listed,
        adopted: Option<ApiKey>,
        client: &Self,
    ) -> Result<Ensured, EnsureError<E>> {
        let mut ensured = Ensured { change, key: current, retired: Vec::new(), pending: Vec::new() };
        let age =
            |key: &ApiKey| key.created_at.map_or(Duration::MAX, |at| (listed.now - at).try_into().unwrap_or_default());
        let order = |key: &ApiKey| (key.created_at, key.id.clone());
        let is_over = age(&ensured.key) >= request.overlap;
        let mut due: Vec<ApiKey> = listed.dead;
        for key in listed.live.into_iter().filter(|key| key.id != ensured.key.id) {
            let is_predecessor = listed.predecessors.contains(&key.id);
            let is_older = is_predecessor || order(&key) < order(&ensured.key);
            let is_retired = if is_older { is_over } else { request.is_exclusive || age(&key) >= ABANDONED };
            if is_retired { due.push(key) } else { ensured.pending.push(key) }
        }
        if let Some(key) = adopted {
            if is_over { due.push(key) } else { ensured.pending.push(key) }
        }
        // The key of this client last: with it, the others could not be revoked.
        due.sort_by_key(|key| self.is_own(key));
        for key in due {
            if let Err(cause) = client.delete(&key.id) {
                return Err(EnsureError::Retire { cause, key: Box::new(key) });
            }
            ensured.retired.push(key);
        }
        Ok(ensured)
    }

    /// A client with the secret, if the service accepts it. Only the service's own 401 is a refusal.
    fn accepts(&self, secret: &SecretString) -> Result<Option<Self>, Error> {
        match self.verify(secret) {
            Ok(client) => Ok(Some(client)),
            Err(Error::Unauthorized(error)) if error.is_problem() => Ok(None),
            Err(error) => Err(error),
        }
    }
}
