//! An API key, and the values for a new one.

use std::sync::Arc;

use time::OffsetDateTime;

use super::directory::{SpaceRecord, User};
use super::enums::{KeyType, Role, Status};
use super::id::{Id, Kind};
use super::store::Record;

/// The shortest secret of which nine characters are shown.
const MIN_SHOWN: usize = 20;

#[derive(Clone)]
pub(crate) struct Key {
    pub(crate) id: Id,
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) key_type: KeyType,
    pub(crate) status: Status,
    pub(crate) created_at: OffsetDateTime,
    pub(crate) expires_at: Option<OffsetDateTime>,
    pub(crate) last_used_at: Option<OffsetDateTime>,
    pub(crate) creator: Arc<User>,
    /// Who acts with the key: its creator, or its bot.
    pub(crate) user: Arc<User>,
    pub(crate) secret: Arc<str>,
}

/// The values for a new key, before it has an id and a secret.
pub(crate) struct KeyDraft {
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) created_at: OffsetDateTime,
    pub(crate) expires_at: Option<OffsetDateTime>,
    pub(crate) creator: Arc<User>,
    /// The bot of a service key. A user key acts as its creator.
    pub(crate) bot: Option<Arc<User>>,
}

/// A list of keys that somebody may ask for, kept ready; users and spaces by number.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Listing {
    UserKeysOf { user: u64 },
    ServiceKeysBy { creator: u64 },
    ServiceKeysIn { space: u64 },
    ServiceKeysInBy { space: u64, creator: u64 },
}

impl KeyDraft {
    /// A key of a user, without an expiry.
    pub(crate) fn of(creator: Arc<User>, name: String, created_at: OffsetDateTime) -> Self {
        Self { name, description: None, created_at, expires_at: None, creator, bot: None }
    }

    pub(crate) fn into_key(self, id: Id, secret: Arc<str>) -> Key {
        Key {
            id,
            name: self.name,
            description: self.description,
            key_type: if self.bot.is_some() { KeyType::Service } else { KeyType::User },
            status: Status::Active,
            created_at: self.created_at,
            expires_at: self.expires_at,
            last_used_at: None,
            user: self.bot.unwrap_or_else(|| Arc::clone(&self.creator)),
            creator: self.creator,
            secret,
        }
    }
}

impl Key {
    /// Whether its current secret has expired. An expired key is not a revoked one: it is listed as active.
    pub(crate) fn has_expired(&self, now: OffsetDateTime) -> bool {
        self.expires_at.is_some_and(|expiry| expiry <= now)
    }

    /// `ak-abc...xyz`. Of a secret so short that this would show half of it, nothing.
    pub(crate) fn redacted(&self) -> String {
        if self.secret.len() < MIN_SHOWN {
            return "...".to_owned();
        }
        let (head, tail) = (self.secret.get(..6), self.secret.get(self.secret.len().saturating_sub(3)..));
        format!("{}...{}", head.unwrap_or_default(), tail.unwrap_or_default())
    }

    /// Whether `user` may know that the key exists.
    pub(crate) fn is_visible_to(&self, user: &User) -> bool {
        user.is_admin()
            || self.creator.id == user.id
            || self.key_type == KeyType::Service && self.spaces().iter().any(|space| user.may_work_in(space))
    }

    /// Whether `user` may revoke the key. A service key: admins of all its spaces, and its creator while they may work
    /// in all of them.
    pub(crate) fn is_revocable_by(&self, user: &User) -> bool {
        let needed = if self.creator.id == user.id { Role::Member } else { Role::Admin };
        match self.key_type {
            KeyType::User => user.is_admin() || self.creator.id == user.id,
            KeyType::Service => self.spaces().iter().all(|space| user.space_role(space) >= Some(needed)),
        }
    }

    fn spaces(&self) -> Vec<Arc<SpaceRecord>> {
        self.user.grants().into_iter().flat_map(|grant| grant.spaces).map(|grant| grant.space).collect()
    }

    /// The lists that the key is on.
    pub(crate) fn listings(&self) -> Vec<Listing> {
        let creator = self.creator.id.number();
        match self.key_type {
            KeyType::User => vec![Listing::UserKeysOf { user: creator }],
            KeyType::Service => {
                let mut listings = vec![Listing::ServiceKeysBy { creator }];
                for space in self.spaces() {
                    let space = space.id.number();
                    listings.push(Listing::ServiceKeysIn { space });
                    listings.push(Listing::ServiceKeysInBy { space, creator });
                }
                listings
            }
        }
    }
}

impl Record for Arc<Key> {
    const KIND: Kind = Kind::ApiKey;
    fn id(&self) -> Id {
        self.id
    }
}
