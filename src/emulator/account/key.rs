//! An API key.

use std::sync::Arc;

use super::directory::{SpaceRecord, User};
use super::enums::{KeyType, Role, Status};
use super::id::Id;
use super::timestamp::Timestamp;

/// The shortest secret of which nine characters are shown.
const MIN_SHOWN: usize = 20;

#[derive(Clone)]
pub(crate) struct Key {
    pub(crate) id: Id,
    pub(crate) secret: Arc<str>,
    pub(crate) name: Box<str>,
    pub(crate) description: Option<Box<str>>,
    pub(crate) status: Status,
    pub(crate) created_at: Timestamp,
    pub(crate) expires_at: Option<Timestamp>,
    pub(crate) last_used_at: Option<Timestamp>,
    pub(crate) creator: Arc<User>,
    /// The bot that a service key acts as.
    pub(crate) bot: Option<Arc<User>>,
}

/// A former secret, which opens its key until the grace period ends.
pub(crate) struct Grace {
    pub(crate) secret: Arc<str>,
    pub(crate) until: Timestamp,
}

/// A list of keys for which there is an index.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Listing {
    UserKeysOf { user: Id },
    ServiceKeysBy { creator: Id },
    ServiceKeysIn { space: Id },
    ServiceKeysInBy { space: Id, creator: Id },
}

impl Key {
    pub(crate) fn key_type(&self) -> KeyType {
        if self.bot.is_some() { KeyType::Service } else { KeyType::User }
    }

    /// The user or bot that a request with the key acts as.
    pub(crate) fn user(&self) -> &Arc<User> {
        self.bot.as_ref().unwrap_or(&self.creator)
    }

    /// Whether its current secret has expired. An expired key is not a revoked one: it is listed as active.
    pub(crate) fn has_expired(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|expiry| expiry <= now)
    }

    /// The redacted form, `ak-abc...xyz`. It shows nothing of a secret so short that this would be half of it.
    pub(crate) fn redacted(&self) -> String {
        if self.secret.len() < MIN_SHOWN {
            return "...".to_owned();
        }
        let (head, tail) = (self.secret.get(..6), self.secret.get(self.secret.len().saturating_sub(3)..));
        format!("{}...{}", head.unwrap_or_default(), tail.unwrap_or_default())
    }

    /// Whether `user` may know that the key exists.
    pub(crate) fn is_visible_to(&self, user: &User) -> bool {
        user.is_admin() || self.creator.id == user.id || self.spaces().iter().any(|space| user.may_work_in(space))
    }

    /// Whether `user` may revoke the key. The admins of all its spaces may revoke a service key, and its creator as long
    /// as they are a member of all of them.
    pub(crate) fn is_revocable_by(&self, user: &User) -> bool {
        let is_creator = self.creator.id == user.id;
        let needed = if is_creator { Role::Member } else { Role::Admin };
        match self.key_type() {
            KeyType::User => user.is_admin() || is_creator,
            KeyType::Service => self.spaces().iter().all(|space| user.space_role(space) >= Some(needed)),
        }
    }

    /// The spaces of a service key.
    fn spaces(&self) -> Vec<Arc<SpaceRecord>> {
        let Some(bot) = &self.bot else { return Vec::new() };
        bot.grants().iter().flat_map(|grant| &grant.spaces).map(|grant| Arc::clone(&grant.space)).collect()
    }

    /// The lists that have the key.
    pub(crate) fn listings(&self) -> Vec<Listing> {
        let creator = self.creator.id;
        if self.bot.is_none() {
            return vec![Listing::UserKeysOf { user: creator }];
        }
        let in_space = |space: Arc<SpaceRecord>| {
            let space = space.id;
            [Listing::ServiceKeysIn { space }, Listing::ServiceKeysInBy { space, creator }]
        };
        let spaces = self.spaces().into_iter().flat_map(in_space);
        spaces.chain([Listing::ServiceKeysBy { creator }]).collect()
    }
}
