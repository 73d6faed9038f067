//! The state that an `ensure` finds: the keys of the owner, the stored one, and whether a new one is due.

use std::time::Duration;

use time::OffsetDateTime;

use super::request::Stored;
use super::{ABANDONED, EnsureChange, EnsureError, EnsureRequest, EnsureWarning};
use crate::client::ApiKeysClient;
use crate::error::Error;
use crate::model::{ApiKey, ApiKeyStatus};
use crate::request_target::same_id;

/// The most keys of one name and owner that may be created within an hour.
const HOURLY_KEYS: usize = 5;

/// How long a list may lag behind a stored key, and the wait between two lists.
const LAG: Duration = Duration::from_secs(30);
const LAG_WAIT: Duration = Duration::from_secs(5);

/// Clocks that differ by more than this are worth a warning.
const SKEW: time::Duration = time::Duration::minutes(5);

/// The keys of the owner, as the service lists them.
pub(super) struct Listed {
    /// Oldest first.
    pub(super) live: Vec<ApiKey>,
    /// Expired, and not revoked.
    pub(super) dead: Vec<ApiKey>,
    /// By the clock of the service, if it says the time.
    pub(super) now: OffsetDateTime,
    /// How far the clock of the service is ahead of the one of this machine.
    skew: time::Duration,
}

/// The state before a run changes anything.
pub(super) struct Assessment {
    pub(super) listed: Listed,
    /// The key whose secret is stored and accepted.
    pub(super) current: Option<ApiKey>,
    /// The key to take over.
    pub(super) adopted: Option<ApiKey>,
    pub(super) change: EnsureChange,
    pub(super) warnings: Vec<EnsureWarning>,
}

/// The order of the keys of one owner.
pub(super) fn order(key: &ApiKey) -> (Option<OffsetDateTime>, &str) {
    (key.created_at, &key.id)
}

impl Listed {
    pub(super) fn age(&self, key: &ApiKey) -> Duration {
        key.created_at.map_or(Duration::MAX, |at| (self.now - at).try_into().unwrap_or_default())
    }

    /// Whether the key is newer than `current` and no other run is about to store it.
    fn is_left(&self, request: &EnsureRequest, key: &ApiKey, current: &ApiKey) -> bool {
        order(key) > order(current) && (request.is_exclusive || self.age(key) >= ABANDONED)
    }
}

impl ApiKeysClient {
    pub(super) fn assess<E>(&self, request: &EnsureRequest) -> Result<Assessment, EnsureError<E>> {
        let valid = request.validate().and_then(|()| request.to_create().validate(self.stage(), self.now()));
        valid.map_err(|error| EnsureError::Find(error.into()))?;
        let mut warnings = Vec::new();
        let mut listed = self.listed(request)?;
        let adopted = self.adopted(request, &mut warnings)?;
        let current = self.current(request, adopted.as_ref(), &mut listed)?;
        if listed.skew.abs() > SKEW {
            warnings.push(EnsureWarning::ClockSkew(listed.skew.unsigned_abs()));
        }
        let is_due = |key: &ApiKey| {
            let is_interrupted = || listed.live.iter().any(|other| listed.is_left(request, other, key));
            request.renew_now
                || adopted.is_some()
                || request.is_due(key, listed.now)
                || request.several_stores && is_interrupted()
        };
        let change = match &current {
            Some(key) if !is_due(key) => EnsureChange::Unchanged,
            _ if listed.live.is_empty() && adopted.is_none() => EnsureChange::Created,
            _ => EnsureChange::Renewed,
        };
        if change != EnsureChange::Unchanged {
            self.guard_against_loops(request, &listed)?;
        }
        Ok(Assessment { listed, current, adopted, change, warnings })
    }

    /// The active keys of the owner.
    pub(super) fn listed<E>(&self, request: &EnsureRequest) -> Result<Listed, EnsureError<E>> {
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
        let skew = now - own_now;
        if skew.abs() > time::Duration::DAY {
            return Err(EnsureError::ClockSkew);
        }
        keys.sort_by(|one, other| order(one).cmp(&order(other)));
        let is_expired = |key: &ApiKey| key.expires_at.is_some_and(|at| at <= now);
        let (dead, live) = keys.into_iter().partition(is_expired);
        Ok(Listed { live, dead, now, skew })
    }

    /// The key whose secret is stored and accepted; without a readable store the newest one.
    fn current<E>(
        &self,
        request: &EnsureRequest,
        adopted: Option<&ApiKey>,
        listed: &mut Listed,
    ) -> Result<Option<ApiKey>, EnsureError<E>> {
        let secret = match &request.stored {
            Stored::Unreadable => return Ok(listed.live.last().cloned()),
            Stored::Is(None) => return Ok(None),
            Stored::Is(Some(secret)) => secret,
        };
        match self.verify(secret) {
            Ok(_) => {}
            Err(error) if error.is_key_accepted() == Some(false) => return Ok(None),
            // A text that cannot be sent as a key is not accepted, either.
            Err(Error::Config(_)) => return Ok(None),
            Err(error) => return Err(EnsureError::Stored(error)),
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
            if request.replace_stored || adopted.is_some_and(|key| key.matches(secret)) {
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

    /// The key to take over. `None` if the owner has it already, or if it is revoked.
    fn adopted<E>(
        &self,
        request: &EnsureRequest,
        warnings: &mut Vec<EnsureWarning>,
    ) -> Result<Option<ApiKey>, EnsureError<E>> {
        let Some(id) = &request.adopt else { return Ok(None) };
        for status in [ApiKeyStatus::Active, ApiKeyStatus::Revoked] {
            for list in request.create.lists(&status) {
                for key in self.list_all(&list) {
                    let key = key.map_err(EnsureError::Find)?;
                    if !same_id(&key.id, id) {
                        continue;
                    }
                    if key.status == ApiKeyStatus::Revoked {
                        warnings.push(EnsureWarning::AdoptedIsRevoked);
                        return Ok(None);
                    }
                    return Ok(Some(key).filter(|key| !request.owns(key)));
                }
            }
        }
        Err(EnsureError::AdoptedNotFound)
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
}
