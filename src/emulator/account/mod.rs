//! The account: all that the emulator remembers, and how it is found.

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

use std::collections::HashMap;
use std::sync::Arc;

use fastrand::Rng;
use time::OffsetDateTime;

use self::directory::{CustomRole, OrganizationGrant, OrganizationRecord, SpaceRecord, User};
use self::enums::{Role, Status};
use self::key::{Key, KeyDraft, Listing};
pub(crate) use self::load::secret_fault;
use self::store::{Index, Store};

/// Random characters in a secret, after its `ak-`.
const SECRET_LENGTH: usize = 48;
const SECRET_CHARACTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

pub(crate) struct Account {
    pub(crate) organizations: Store<Arc<OrganizationRecord>>,
    pub(crate) spaces: Store<Arc<SpaceRecord>>,
    pub(crate) users: Store<Arc<User>>,
    pub(crate) custom_roles: Store<Arc<CustomRole>>,
    /// Shared with the pages that are being written.
    pub(crate) keys: Store<Arc<Key>>,
    pub(crate) listings: Index<(Listing, Status)>,
    /// Every secret that authenticates, or did until it expired or its key was revoked.
    secrets: HashMap<Arc<str>, SecretEntry>,
    /// By the number of the key: its former secrets that have a grace period.
    former: HashMap<u64, Vec<Arc<str>>>,
    /// What requests have made. The set-up of the account does not count.
    pub(crate) counters: Counters,
    ids: Rng,
    rng: Rng,
    /// The number of changes. The use of a key does not count.
    pub(crate) changes: u64,
}

#[derive(Clone, Copy, Default)]
pub(crate) struct Counters {
    pub(crate) created: u64,
    pub(crate) refreshed: u64,
}

struct SecretEntry {
    key: u64,
    /// For a secret that a refresh has replaced: the end of its grace period, never after its own expiry.
    until: Option<OffsetDateTime>,
}

/// Why a secret opens nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    Unknown,
    Revoked,
    Expired,
}

impl Account {
    pub(crate) fn new(mut rng: Rng) -> Self {
        Self {
            organizations: Store::new(),
            spaces: Store::new(),
            users: Store::new(),
            custom_roles: Store::new(),
            keys: Store::new(),
            listings: Index::new(),
            secrets: HashMap::new(),
            former: HashMap::new(),
            counters: Counters::default(),
            // Two, so that one more space in the set-up of a test does not change every secret after it.
            ids: rng.fork(),
            rng: rng.fork(),
            changes: 0,
        }
    }

    pub(crate) fn add_organization(
        &mut self,
        name: String,
        description: String,
        created_at: OffsetDateTime,
    ) -> Arc<OrganizationRecord> {
        self.changes += 1;
        let id = self.organizations.next_id(&mut self.ids);
        Arc::clone(self.organizations.push(Arc::new(OrganizationRecord { id, name, description, created_at })))
    }

    pub(crate) fn add_space(
        &mut self,
        organization: Arc<OrganizationRecord>,
        name: String,
        description: String,
        created_at: OffsetDateTime,
    ) -> Arc<SpaceRecord> {
        self.changes += 1;
        let id = self.spaces.next_id(&mut self.ids);
        Arc::clone(self.spaces.push(Arc::new(SpaceRecord { id, name, description, created_at, organization })))
    }

    pub(crate) fn add_user(&mut self, name: String, account_role: Role, grants: Vec<OrganizationGrant>) -> Arc<User> {
        self.changes += 1;
        let id = self.users.next_id(&mut self.ids);
        Arc::clone(self.users.push(Arc::new(User::new(id, name, account_role, grants))))
    }

    pub(crate) fn add_custom_role(&mut self, name: String) -> Arc<CustomRole> {
        self.changes += 1;
        let id = self.custom_roles.next_id(&mut self.ids);
        Arc::clone(self.custom_roles.push(Arc::new(CustomRole { id, name })))
    }

    pub(crate) fn add_key(&mut self, draft: KeyDraft) -> &Key {
        let id = self.keys.next_id(&mut self.ids);
        let secret = self.new_secret();
        self.insert_key(draft.into_key(id, secret))
    }

    /// Takes in a key whose secret no other key has.
    fn insert_key(&mut self, key: Key) -> &Key {
        self.changes += 1;
        let number = key.id.number();
        for listing in key.listings() {
            self.listings.insert((listing, key.status), number);
        }
        self.secrets.insert(Arc::clone(&key.secret), SecretEntry { key: number, until: None });
        self.keys.push(Arc::new(key))
    }

    /// Gives a key a new secret and a new expiry. The old secret lives on until `grace_end`, or its own expiry if that
    /// comes first. Without a grace period it opens nothing any more.
    pub(crate) fn replace_secret(
        &mut self,
        number: u64,
        expires_at: Option<OffsetDateTime>,
        grace_end: Option<OffsetDateTime>,
        now: OffsetDateTime,
    ) -> Option<&Key> {
        let secret = self.new_secret();
        let key = Arc::make_mut(self.keys.get_mut(number)?);
        self.changes += 1;
        let old_secret = std::mem::replace(&mut key.secret, Arc::clone(&secret));
        let old_expiry = std::mem::replace(&mut key.expires_at, expires_at);
        self.secrets.insert(secret, SecretEntry { key: number, until: None });
        self.secrets.remove(&old_secret);
        self.forget_former(number, now);
        if let Some(end) = grace_end {
            self.add_former(number, old_secret, old_expiry.map_or(end, |expiry| expiry.min(end)));
        }
        self.keys.get(number).map(Arc::as_ref)
    }

    /// A secret that a key had before, which opens it until its grace period ends.
    fn add_former(&mut self, number: u64, secret: Arc<str>, until: OffsetDateTime) {
        self.secrets.insert(Arc::clone(&secret), SecretEntry { key: number, until: Some(until) });
        self.former.entry(number).or_default().push(secret);
    }

    /// Forgets the former secrets of a key whose grace period is over, so that refreshing for ever does not fill the memory.
    fn forget_former(&mut self, number: u64, now: OffsetDateTime) {
        let Some(former) = self.former.get_mut(&number) else { return };
        let secrets = &mut self.secrets;
        former.retain(|secret| {
            let lives = secrets.get(secret).and_then(|credential| credential.until).is_some_and(|until| until > now);
            if !lives {
                secrets.remove(secret);
            }
            lives
        });
        if former.is_empty() {
            self.former.remove(&number);
        }
    }

    pub(crate) fn revoke(&mut self, number: u64) {
        if let Some(key) = self.keys.get_mut(number).filter(|key| key.status == Status::Active) {
            self.changes += 1;
            let key = Arc::make_mut(key);
            key.status = Status::Revoked;
            for listing in key.listings() {
                self.listings.remove(&(listing, Status::Active), number);
                self.listings.insert((listing, Status::Revoked), number);
            }
        }
    }

    /// The key that a secret opens now, by number.
    pub(crate) fn key_of(&self, secret: &str, now: OffsetDateTime) -> Result<u64, Refusal> {
        let credential = self.secrets.get(secret).ok_or(Refusal::Unknown)?;
        let key = self.keys.get(credential.key).ok_or(Refusal::Unknown)?;
        if key.status == Status::Revoked {
            return Err(Refusal::Revoked);
        }
        let over = match credential.until {
            None => key.has_expired(now),
            Some(until) => until <= now,
        };
        if over { Err(Refusal::Expired) } else { Ok(credential.key) }
    }

    /// Who is calling. Notes that their key was used.
    pub(crate) fn authenticate(&mut self, secret: &str, now: OffsetDateTime) -> Result<Arc<User>, Refusal> {
        let number = self.key_of(secret, now)?;
        let key = Arc::make_mut(self.keys.get_mut(number).ok_or(Refusal::Unknown)?);
        key.last_used_at = Some(now);
        Ok(Arc::clone(&key.user))
    }

    /// An admin and a key of theirs that works. An account read from a file may have none left: then a new one is made.
    pub(crate) fn working_admin_key(&mut self, now: OffsetDateTime) -> &Key {
        let works = |key: &&Arc<Key>| {
            let is_admins = key.key_type == enums::KeyType::User && key.user.is_admin();
            is_admins && key.status == Status::Active && !key.has_expired(now)
        };
        let found = self.keys.after(0).find(works).map(|key| key.id.number());
        let number = match found {
            Some(number) => number,
            None => {
                let admin = self.users.after(0).find(|user| user.is_admin()).cloned();
                let admin = admin.unwrap_or_else(|| self.add_user("admin".to_owned(), Role::Admin, Vec::new()));
                self.add_key(KeyDraft::of(admin, "admin".to_owned(), now)).id.number()
            }
        };
        match self.keys.get(number) {
            Some(key) => key,
            None => unreachable!("the key was found or made above"),
        }
    }

    /// A secret unlike any other.
    fn new_secret(&mut self) -> Arc<str> {
        loop {
            let random =
                (0..SECRET_LENGTH).filter_map(|_| self.rng.choice(SECRET_CHARACTERS)).map(|byte| char::from(*byte));
            let secret: Arc<str> = "ak-".chars().chain(random).collect::<String>().into();
            if !self.secrets.contains_key(&secret) {
                return secret;
            }
        }
    }
}
