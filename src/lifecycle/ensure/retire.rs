//! Which keys the stored key replaces, and when they are revoked.

use std::time::Duration;

use super::assess::{Listed, order};
use super::{ABANDONED, EnsureChange, EnsureError, EnsureRequest, Ensured};
use crate::client::ApiKeysClient;
use crate::error::Error;
use crate::model::{ApiKey, ApiKeyType};

/// The keys beside the stored one.
#[derive(Default)]
pub(super) struct Retirement {
    /// To revoke now.
    pub(super) due: Vec<ApiKey>,
    /// To revoke by a later run.
    pub(super) pending: Vec<ApiKey>,
    /// Whether programs may still use one of the keys in `due`.
    is_of_predecessors: bool,
}

/// The keys that a stored key replaces.
pub(super) struct Replaced<'a> {
    /// The id of the key whose secret was stored when this run began.
    pub(super) stored: Option<&'a str>,
    /// The keys before this run created one: they are older, even if the service gives both the same second.
    pub(super) predecessors: &'a [ApiKey],
    pub(super) adopted: Option<ApiKey>,
}

/// `kept` is the stored key; `None` if it is made now.
pub(super) fn retirement(
    request: &EnsureRequest,
    listed: Listed,
    kept: Option<&ApiKey>,
    replaced: Replaced<'_>,
) -> Retirement {
    let mut retirement = Retirement { due: listed.dead.clone(), ..Retirement::default() };
    let is_over = kept.map_or(Duration::ZERO, |key| listed.age(key)) >= request.overlap;
    for key in &listed.live {
        if kept.is_some_and(|kept| kept.id == key.id) {
            continue;
        }
        let is_predecessor = replaced.predecessors.iter().any(|known| known.id == key.id);
        let is_older = is_predecessor || kept.is_none_or(|kept| order(key) < order(kept));
        // Without a lock, another run may be about to store a young key.
        let is_settled =
            request.is_exclusive || replaced.stored == Some(key.id.as_str()) || listed.age(key) >= ABANDONED;
        if is_settled && (is_over || !is_older) {
            retirement.is_of_predecessors |= is_older;
            retirement.due.push(key.clone());
        } else {
            retirement.pending.push(key.clone());
        }
    }
    if let Some(key) = replaced.adopted {
        retirement.is_of_predecessors |= is_over;
        if is_over { retirement.due.push(key) } else { retirement.pending.push(key) }
    }
    retirement
}

impl ApiKeysClient {
    /// Revokes the keys that are due. `successor` is a client with the stored secret.
    pub(super) fn retire<E>(
        &self,
        request: &EnsureRequest,
        change: EnsureChange,
        key: ApiKey,
        retirement: Retirement,
        successor: Option<&Self>,
    ) -> Result<Ensured, EnsureError<E>> {
        let Retirement { mut due, pending, is_of_predecessors } = retirement;
        if (change != EnsureChange::Unchanged || is_of_predecessors)
            && let Some(before_retire) = &request.before_retire
            && let Err(cause) = before_retire(&key)
        {
            return Err(EnsureError::BeforeRetire { cause, key: Box::new(key) });
        }
        let mut ensured = Ensured { change, key, retired: Vec::new(), pending, warnings: Vec::new() };
        // The key of this client last, and with its successor: with it, the others could not be revoked.
        due.sort_by_key(|key| self.is_own(key));
        for key in due {
            let is_renewed_by_itself = key.key_type == ApiKeyType::User && self.is_own(&key);
            let client = successor.filter(|_| is_renewed_by_itself).unwrap_or(self);
            match client.delete(&key.id) {
                Ok(()) => ensured.retired.push(key),
                // Another run was faster.
                Err(Error::NotFound(_)) => {}
                Err(cause) => return Err(EnsureError::Retire { cause, key: Box::new(key) }),
            }
        }
        Ok(ensured)
    }
}
