//! The account: all that the emulator remembers, and how it is found.

use std::collections::HashMap;
use std::sync::Arc;

use fastrand::Rng;
use time::OffsetDateTime;

use super::id::{Id, Kind};
use super::people::{CustomRole, Organization, OrganizationGrant, Space, User};
use super::problem::Problem;
use super::table::{Index, Row, Table};
use super::words::{KeyType, Role, Status};

/// Random characters in a secret, after its `ak-`.
const SECRET_LENGTH: usize = 48;
const SECRET_CHARACTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

pub(super) struct Account {
    pub(super) organizations: Table<Arc<Organization>>,
    pub(super) spaces: Table<Arc<Space>>,
    pub(super) users: Table<Arc<User>>,
    pub(super) custom_roles: Table<Arc<CustomRole>>,
    pub(super) keys: Table<Key>,
    pub(super) listings: Index<(Listing, Status)>,
    /// Every secret that authenticates, or did until it expired or its key was revoked.
    secrets: HashMap<Arc<str>, Credential>,
    /// What requests have made; the set-up of the account does not count.
    pub(super) minted: Minted,
    ids: Rng,
    dice: Rng,
}

#[derive(Clone, Copy, Default)]
pub(super) struct Minted {
    pub(super) created: u64,
    pub(super) refreshed: u64,
}

/// A list of keys that somebody may ask for, kept ready; users and spaces by number.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Listing {
    UserKeysOf { user: u64 },
    ServiceKeysBy { creator: u64 },
    ServiceKeysIn { space: u64 },
    ServiceKeysInBy { space: u64, creator: u64 },
}

pub(super) struct Key {
    pub(super) id: Id,
    pub(super) name: String,
    pub(super) description: Option<String>,
    pub(super) key_type: KeyType,
    pub(super) status: Status,
    pub(super) created_at: OffsetDateTime,
    pub(super) expires_at: Option<OffsetDateTime>,
    pub(super) last_used_at: Option<OffsetDateTime>,
    pub(super) creator: Arc<User>,
    /// Who acts with the key: its creator, or its bot.
    pub(super) user: Arc<User>,
    pub(super) secret: Arc<str>,
}

struct Credential {
    key: u64,
    /// For a secret that a refresh has replaced: the end of its grace, never after its own expiry.
    until: Option<OffsetDateTime>,
}

/// What a key is made of, before it has an id and a secret.
pub(super) struct NewKey {
    pub(super) name: String,
    pub(super) description: Option<String>,
    pub(super) expires_at: Option<OffsetDateTime>,
    pub(super) creator: Arc<User>,
    /// The bot of a service key; a user key acts as its creator.
    pub(super) bot: Option<Arc<User>>,
}

impl Key {
    /// Whether its current secret has expired. An expired key is not a revoked one: it is listed as active.
    fn has_expired(&self, now: OffsetDateTime) -> bool {
        self.expires_at.is_some_and(|expiry| expiry <= now)
    }

    /// `ak-abc...xyz`
    pub(super) fn redacted(&self) -> String {
        let (head, tail) = (self.secret.get(..6), self.secret.get(self.secret.len().saturating_sub(3)..));
        format!("{}...{}", head.unwrap_or_default(), tail.unwrap_or_default())
    }

    /// Whether `user` may know that the key exists.
    pub(super) fn is_visible_to(&self, user: &User) -> bool {
        user.is_admin()
            || self.creator.id == user.id
            || self.key_type == KeyType::Service && self.spaces().iter().any(|space| user.may_work_in(space))
    }

    /// Whether `user` may revoke the key. A service key: admins of all its spaces, and its creator while they may work
    /// in all of them.
    pub(super) fn is_revocable_by(&self, user: &User) -> bool {
        let needed = if self.creator.id == user.id { Role::Member } else { Role::Admin };
        match self.key_type {
            KeyType::User => user.is_admin() || self.creator.id == user.id,
            KeyType::Service => self.spaces().iter().all(|space| user.space_role(space) >= Some(needed)),
        }
    }

    fn spaces(&self) -> Vec<Arc<Space>> {
        self.user.grants().into_iter().flat_map(|grant| grant.spaces).map(|grant| grant.space).collect()
    }

    /// The lists that the key is on.
    fn listings(&self) -> Vec<Listing> {
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

impl Row for Key {
    const KIND: Kind = Kind::ApiKey;
    fn id(&self) -> Id {
        self.id
    }
}

impl Account {
    pub(super) fn new(mut rng: Rng) -> Self {
        Self {
            organizations: Table::new(),
            spaces: Table::new(),
            users: Table::new(),
            custom_roles: Table::new(),
            keys: Table::new(),
            listings: Index::new(),
            secrets: HashMap::new(),
            minted: Minted::default(),
            // Two, so that one more space in the set-up of a test does not change every secret after it.
            ids: rng.fork(),
            dice: rng.fork(),
        }
    }

    pub(super) fn add_organization(&mut self, name: String, created_at: OffsetDateTime) -> Arc<Organization> {
        let id = Id::new(Kind::Organization, self.organizations.next_number(), &mut self.ids);
        let organization = Arc::new(Organization { id, name, created_at });
        self.organizations.push(Arc::clone(&organization));
        organization
    }

    pub(super) fn add_space(
        &mut self,
        organization: Arc<Organization>,
        name: String,
        created_at: OffsetDateTime,
    ) -> Arc<Space> {
        let id = Id::new(Kind::Space, self.spaces.next_number(), &mut self.ids);
        let space = Arc::new(Space { id, name, created_at, organization });
        self.spaces.push(Arc::clone(&space));
        space
    }

    pub(super) fn add_user(&mut self, name: String, account_role: Role, grants: Vec<OrganizationGrant>) -> Arc<User> {
        let id = Id::new(Kind::User, self.users.next_number(), &mut self.ids);
        let user = Arc::new(User::new(id, name, account_role, grants));
        self.users.push(Arc::clone(&user));
        user
    }

    pub(super) fn add_custom_role(&mut self, name: String) -> Arc<CustomRole> {
        let id = Id::new(Kind::CustomRole, self.custom_roles.next_number(), &mut self.ids);
        let role = Arc::new(CustomRole { id, name });
        self.custom_roles.push(Arc::clone(&role));
        role
    }

    pub(super) fn add_key(&mut self, new: NewKey, created_at: OffsetDateTime) -> &Key {
        let number = self.keys.next_number();
        let key = Key {
            id: Id::new(Kind::ApiKey, number, &mut self.ids),
            name: new.name,
            description: new.description,
            key_type: if new.bot.is_some() { KeyType::Service } else { KeyType::User },
            status: Status::Active,
            created_at,
            expires_at: new.expires_at,
            last_used_at: None,
            user: new.bot.unwrap_or_else(|| Arc::clone(&new.creator)),
            creator: new.creator,
            secret: self.mint(number),
        };
        for listing in key.listings() {
            self.listings.insert((listing, Status::Active), number);
        }
        self.keys.push(key)
    }

    /// Gives a key a new secret and a new expiry. The old secret lives on until `grace_end`, or its own expiry if that
    /// comes first; without a grace it is dead at once.
    pub(super) fn replace_secret(
        &mut self,
        number: u64,
        expires_at: Option<OffsetDateTime>,
        grace_end: Option<OffsetDateTime>,
    ) -> Option<&Key> {
        let secret = self.mint(number);
        let key = self.keys.get_mut(number)?;
        let old_secret = std::mem::replace(&mut key.secret, secret);
        let old_expiry = std::mem::replace(&mut key.expires_at, expires_at);
        match grace_end {
            None => drop(self.secrets.remove(&old_secret)),
            Some(end) => {
                let until = Some(old_expiry.map_or(end, |expiry| expiry.min(end)));
                self.secrets.insert(old_secret, Credential { key: number, until });
            }
        }
        Some(key)
    }

    pub(super) fn revoke(&mut self, number: u64) {
        if let Some(key) = self.keys.get_mut(number).filter(|key| key.status == Status::Active) {
            key.status = Status::Revoked;
            for listing in key.listings() {
                self.listings.remove(&(listing, Status::Active), number);
                self.listings.insert((listing, Status::Revoked), number);
            }
        }
    }

    /// The key that a secret opens now, by number.
    pub(super) fn key_of(&self, secret: &str, now: OffsetDateTime) -> Result<u64, Problem> {
        let unknown = || Problem::unauthorized("the API key is not known");
        let credential = self.secrets.get(secret).ok_or_else(unknown)?;
        let key = self.keys.get(credential.key).ok_or_else(unknown)?;
        if key.status == Status::Revoked {
            return Err(Problem::unauthorized("the API key is revoked"));
        }
        let over = match credential.until {
            None => key.has_expired(now),
            Some(until) => until <= now,
        };
        if over { Err(Problem::unauthorized("the API key has expired")) } else { Ok(credential.key) }
    }

    /// Who is calling; notes that their key was used.
    pub(super) fn authenticate(&mut self, secret: &str, now: OffsetDateTime) -> Result<Arc<User>, Problem> {
        let number = self.key_of(secret, now)?;
        let key = self.keys.get_mut(number).ok_or_else(|| Problem::unauthorized("the API key is not known"))?;
        key.last_used_at = Some(now);
        Ok(Arc::clone(&key.user))
    }

    /// A secret for this key, unlike any other.
    fn mint(&mut self, key: u64) -> Arc<str> {
        loop {
            let random =
                (0..SECRET_LENGTH).filter_map(|_| self.dice.choice(SECRET_CHARACTERS)).map(|byte| char::from(*byte));
            let secret: Arc<str> = "ak-".chars().chain(random).collect::<String>().into();
            if !self.secrets.contains_key(&secret) {
                self.secrets.insert(Arc::clone(&secret), Credential { key, until: None });
                return secret;
            }
        }
    }
}
