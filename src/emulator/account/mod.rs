//! The account: the data of the emulator, and its indexes.

pub(crate) mod directory;
pub(crate) mod document;
pub(crate) mod enums;
pub(crate) mod id;
pub(crate) mod key;
mod load;
mod save;
pub(crate) mod state_file;
pub(crate) mod store;
pub(crate) mod timestamp;

use std::collections::{BTreeSet, HashMap};
use std::ops::Bound;
use std::sync::Arc;

use fastrand::Rng;

use self::directory::{CustomRole, OrganizationGrant, OrganizationRecord, SpaceRecord, User};
use self::enums::{KeyType, Role, Status};
use self::id::{Id, Kind};
use self::key::{Grace, Key, Listing};
pub(crate) use self::load::secret_fault;
use self::store::Store;
use self::timestamp::Timestamp;

/// The name of the admin, and of the key that they get.
const ADMIN: &str = "admin";

/// The `ak-` of a new secret, and its random characters.
const SECRET_LENGTH: usize = 51;
const SECRET_CHARACTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

pub(crate) struct Account {
    pub(crate) organizations: Store<OrganizationRecord>,
    pub(crate) spaces: Store<SpaceRecord>,
    pub(crate) users: Store<User>,
    pub(crate) custom_roles: Store<CustomRole>,
    /// Shared with the pages that are being written.
    pub(crate) keys: Store<Key>,
    /// The numbers of the keys of each list: a page costs the same anywhere in a list.
    listings: HashMap<(Listing, Status), BTreeSet<u64>>,
    /// The number of the key of every secret that authenticates, or did until it expired or its key was revoked.
    secrets: HashMap<Arc<str>, u64>,
    /// The former secrets of a key, by its number.
    graces: HashMap<u64, Vec<Grace>>,
    /// The number of keys that requests created. The set-up of the account does not count.
    pub(crate) keys_created: u64,
    pub(crate) keys_refreshed: u64,
    ids: Rng,
    rng: Rng,
    /// The number of changes. The use of a key does not count.
    pub(crate) changes: u64,
}

/// The reason why a secret does not authenticate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    Unknown,
    Revoked,
    Expired,
}

impl Account {
    pub(crate) fn new(mut rng: Rng) -> Self {
        Self {
            organizations: Store::new(Kind::Organization, |organization| organization.id),
            spaces: Store::new(Kind::Space, |space| space.id),
            users: Store::new(Kind::User, |user| user.id),
            custom_roles: Store::new(Kind::CustomRole, |role| role.id),
            keys: Store::new(Kind::ApiKey, |key| key.id),
            listings: HashMap::new(),
            secrets: HashMap::new(),
            graces: HashMap::new(),
            keys_created: 0,
            keys_refreshed: 0,
            // Two, so that one more space in the set-up of a test does not change every secret after it.
            ids: rng.fork(),
            rng: rng.fork(),
            changes: 0,
        }
    }

    pub(crate) fn add_organization(
        &mut self,
        id: Option<Id>,
        name: String,
        description: String,
        created_at: Timestamp,
    ) -> Arc<OrganizationRecord> {
        self.changes += 1;
        let id = self.organizations.next_id(id, &mut self.ids);
        self.organizations.add(OrganizationRecord { id, name, description, created_at })
    }

    pub(crate) fn add_space(
        &mut self,
        id: Option<Id>,
        organization: Arc<OrganizationRecord>,
        name: String,
        description: String,
        created_at: Timestamp,
    ) -> Arc<SpaceRecord> {
        self.changes += 1;
        let id = self.spaces.next_id(id, &mut self.ids);
        self.spaces.add(SpaceRecord { id, name, description, created_at, organization })
    }

    pub(crate) fn add_user(
        &mut self,
        id: Option<Id>,
        name: String,
        account_role: Role,
        grants: Vec<OrganizationGrant>,
    ) -> Arc<User> {
        self.changes += 1;
        let id = self.users.next_id(id, &mut self.ids);
        self.users.add(User::new(id, name, account_role, grants))
    }

    pub(crate) fn add_custom_role(&mut self, id: Option<Id>, name: String) -> Arc<CustomRole> {
        self.changes += 1;
        let id = self.custom_roles.next_id(id, &mut self.ids);
        self.custom_roles.add(CustomRole { id, name })
    }

    /// A user key without an expiry, for the caller to complete and to [add](Self::add_key).
    pub(crate) fn new_key(
        &mut self,
        id: Option<Id>,
        secret: Option<&str>,
        creator: Arc<User>,
        name: &str,
        created_at: Timestamp,
    ) -> Key {
        Key {
            id: self.keys.next_id(id, &mut self.ids),
            secret: secret.map_or_else(|| self.new_secret(), Arc::from),
            name: name.into(),
            description: None,
            status: Status::Active,
            created_at,
            expires_at: None,
            last_used_at: None,
            creator,
            bot: None,
        }
    }

    /// Adds a key. Its secrets are those of no other key.
    pub(crate) fn add_key(&mut self, key: Key) -> Arc<Key> {
        self.changes += 1;
        let key = self.keys.add(key);
        let number = key.id.number();
        self.secrets.insert(Arc::clone(&key.secret), number);
        for listing in key.listings() {
            self.listings.entry((listing, key.status)).or_default().insert(number);
        }
        key
    }

    fn add_grace(&mut self, key: Id, grace: Grace) {
        self.secrets.insert(Arc::clone(&grace.secret), key.number());
        self.graces.entry(key.number()).or_default().push(grace);
    }

    fn graces_of(&self, key: &Key) -> impl Iterator<Item = &Grace> {
        self.graces.get(&key.id.number()).into_iter().flatten()
    }

    /// Replaces the secret and the expiry of a key. The old secret works until `grace_end`, or until its own expiry if
    /// that comes first. Without a grace period it stops at once.
    pub(crate) fn replace_secret(
        &mut self,
        id: Id,
        expires_at: Option<Timestamp>,
        grace_end: Option<Timestamp>,
        now: Timestamp,
    ) -> Option<Arc<Key>> {
        let secret = self.new_secret();
        let number = id.number();
        let key = self.keys.get_mut(number)?;
        self.changes += 1;
        let old_secret = std::mem::replace(&mut key.secret, Arc::clone(&secret));
        let old_expiry = std::mem::replace(&mut key.expires_at, expires_at);
        self.secrets.insert(secret, number);
        // Endless refreshing must not fill the memory.
        let graces = self.graces.get_mut(&number).into_iter();
        for over in graces.flat_map(|graces| graces.extract_if(.., |grace| grace.until <= now)) {
            self.secrets.remove(&over.secret);
        }
        match grace_end.map(|end| old_expiry.map_or(end, |expiry| expiry.min(end))) {
            Some(until) => self.add_grace(id, Grace { secret: old_secret, until }),
            None => drop(self.secrets.remove(&old_secret)),
        }
        self.keys.get(number).cloned()
    }

    pub(crate) fn revoke(&mut self, id: Id) {
        let number = id.number();
        if let Some(key) = self.keys.get_mut(number).filter(|key| key.status == Status::Active) {
            self.changes += 1;
            key.status = Status::Revoked;
            for listing in key.listings() {
                self.listings.entry((listing, Status::Active)).or_default().remove(&number);
                self.listings.entry((listing, Status::Revoked)).or_default().insert(number);
            }
        }
    }

    /// The keys of a list after the one with this number.
    pub(crate) fn listed(&self, listing: Listing, status: Status, number: u64) -> impl Iterator<Item = &Arc<Key>> {
        let later = (Bound::Excluded(number), Bound::Unbounded);
        let numbers = self.listings.get(&(listing, status));
        numbers.into_iter().flat_map(move |numbers| numbers.range(later)).filter_map(|number| self.keys.get(*number))
    }

    /// The key that a secret authenticates now.
    pub(crate) fn key_of(&self, secret: &str, now: Timestamp) -> Result<&Arc<Key>, Refusal> {
        let key = self.secrets.get(secret).and_then(|number| self.keys.get(*number)).ok_or(Refusal::Unknown)?;
        let until = match *key.secret == *secret {
            true => key.expires_at,
            false => self.graces_of(key).find(|grace| *grace.secret == *secret).map(|grace| grace.until),
        };
        match key.status {
            Status::Revoked => Err(Refusal::Revoked),
            Status::Active if until.is_some_and(|until| until <= now) => Err(Refusal::Expired),
            Status::Active => Ok(key),
        }
    }

    /// The caller whose secret this is. Sets the time of the last use of the key.
    pub(crate) fn authenticate(&mut self, secret: &str, now: Timestamp) -> Result<Arc<User>, Refusal> {
        let id = self.key_of(secret, now)?.id;
        let key = self.keys.get_mut(id.number()).ok_or(Refusal::Unknown)?;
        key.last_used_at = Some(now);
        Ok(Arc::clone(key.user()))
    }

    /// A working key of an admin. It creates one if the account has none, for example one read from a file.
    pub(crate) fn working_admin_key(&mut self, now: Timestamp) -> Arc<Key> {
        let works = |key: &&Arc<Key>| {
            let is_admins = key.key_type() == KeyType::User && key.creator.is_admin();
            is_admins && key.status == Status::Active && !key.has_expired(now)
        };
        if let Some(key) = self.keys.iter().find(works) {
            return Arc::clone(key);
        }
        let admin = self.users.iter().find(|user| user.is_admin()).cloned();
        let admin = admin.unwrap_or_else(|| self.add_user(None, ADMIN.to_owned(), Role::Admin, Vec::new()));
        let key = self.new_key(None, None, admin, ADMIN, now);
        self.add_key(key)
    }

    /// A secret that no key has.
    fn new_secret(&mut self) -> Arc<str> {
        loop {
            let mut secret = String::with_capacity(SECRET_LENGTH);
            secret.push_str("ak-");
            while secret.len() < SECRET_LENGTH {
                secret.extend(self.rng.choice(SECRET_CHARACTERS).map(|byte| char::from(*byte)));
            }
            if !self.secrets.contains_key(secret.as_str()) {
                return secret.into();
            }
        }
    }
}
