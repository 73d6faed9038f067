//! The account: all that the emulator remembers, and how it is found.

use std::collections::HashMap;
use std::sync::Arc;

use fastrand::Rng;
use time::OffsetDateTime;

use super::id::{Id, Kind};
use super::moment::Moment;
use super::people::{CustomRole, Organization, OrganizationGrant, Space, User};
use super::problem::Problem;
use super::record::{Grant, Record};
use super::table::{Index, Row, Table};
use super::words::{KeyType, Role, Status};

/// Random characters in a secret, after its `ak-`.
const SECRET_LENGTH: usize = 48;
/// The shortest secret of which nine characters are shown.
const MIN_SHOWN: usize = 20;
const SECRET_CHARACTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

pub(super) struct Account {
    pub(super) organizations: Table<Arc<Organization>>,
    pub(super) spaces: Table<Arc<Space>>,
    pub(super) users: Table<Arc<User>>,
    pub(super) custom_roles: Table<Arc<CustomRole>>,
    pub(super) keys: Table<Key>,
    pub(super) listings: Index<(Listing, Status)>,
    /// Every secret that authenticates, or did until it expired or its key was revoked.
    pub(super) secrets: HashMap<Arc<str>, Credential>,
    /// What requests have made; the set-up of the account does not count.
    pub(super) minted: Minted,
    pub(super) ids: Rng,
    pub(super) dice: Rng,
    /// What a state file has to be told, if there is one.
    pub(super) outbox: Option<Outbox>,
}

#[derive(Clone, Copy, Default)]
pub(super) struct Minted {
    pub(super) created: u64,
    pub(super) refreshed: u64,
}

/// What has changed and is not in the state file yet.
#[derive(Default)]
pub(super) struct Outbox {
    pub(super) lines: Vec<u8>,
    /// How many changes there were, those that are in the file included.
    pub(super) changes: u64,
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

pub(super) struct Credential {
    pub(super) key: u64,
    /// For a secret that a refresh has replaced: the end of its grace, never after its own expiry.
    pub(super) until: Option<OffsetDateTime>,
}

/// What a key is made of, before it has an id and a secret.
pub(super) struct NewKey {
    pub(super) name: String,
    pub(super) description: Option<String>,
    pub(super) expires_at: Option<OffsetDateTime>,
    pub(super) creator: Arc<User>,
    /// The bot of a service key; a user key acts as its creator.
    pub(super) bot: Option<Arc<User>>,
    /// The secret, unless another key has it; without one, the key gets a new one.
    pub(super) secret: Option<Arc<str>>,
}

impl NewKey {
    /// A key of a user, without an expiry.
    pub(super) fn of(creator: Arc<User>, name: String) -> Self {
        Self { name, description: None, expires_at: None, creator, bot: None, secret: None }
    }
}

impl Key {
    /// Whether its current secret has expired. An expired key is not a revoked one: it is listed as active.
    pub(super) fn has_expired(&self, now: OffsetDateTime) -> bool {
        self.expires_at.is_some_and(|expiry| expiry <= now)
    }

    /// `ak-abc...xyz`; of a secret so short that this would show half of it, nothing.
    pub(super) fn redacted(&self) -> String {
        if self.secret.len() < MIN_SHOWN {
            return "...".to_owned();
        }
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
            outbox: None,
        }
    }

    /// The number of the last change.
    pub(super) fn changes(&self) -> u64 {
        self.outbox.as_ref().map_or(0, |outbox| outbox.changes)
    }

    /// Notes a change for the state file.
    fn note(&mut self, record: impl FnOnce() -> Record) {
        if let Some(outbox) = &mut self.outbox {
            record().write(&mut outbox.lines);
            outbox.changes += 1;
        }
    }

    pub(super) fn add_organization(
        &mut self,
        name: String,
        description: String,
        created_at: OffsetDateTime,
    ) -> Arc<Organization> {
        let id = Id::new(Kind::Organization, self.organizations.next_number(), &mut self.ids);
        let organization = Arc::new(Organization { id, name, description, created_at });
        self.organizations.push(Arc::clone(&organization));
        self.note(|| Record::organization(&organization));
        organization
    }

    pub(super) fn add_space(
        &mut self,
        organization: Arc<Organization>,
        name: String,
        description: String,
        created_at: OffsetDateTime,
    ) -> Arc<Space> {
        let id = Id::new(Kind::Space, self.spaces.next_number(), &mut self.ids);
        let space = Arc::new(Space { id, name, description, created_at, organization });
        self.spaces.push(Arc::clone(&space));
        self.note(|| Record::space(&space));
        space
    }

    pub(super) fn add_user(&mut self, name: String, account_role: Role, grants: Vec<OrganizationGrant>) -> Arc<User> {
        let id = Id::new(Kind::User, self.users.next_number(), &mut self.ids);
        let user = Arc::new(User::new(id, name, account_role, grants));
        self.users.push(Arc::clone(&user));
        self.note(|| Record::user(&user));
        user
    }

    pub(super) fn add_custom_role(&mut self, name: String) -> Arc<CustomRole> {
        let id = Id::new(Kind::CustomRole, self.custom_roles.next_number(), &mut self.ids);
        let role = Arc::new(CustomRole { id, name });
        self.custom_roles.push(Arc::clone(&role));
        self.note(|| Record::custom_role(&role));
        role
    }

    /// Notes the roles of a user, which have been changed.
    pub(super) fn note_grants(&mut self, user: &User) {
        self.note(|| Record::Grants { user: user.id.number(), grants: Grant::all(&user.grants()) });
    }

    pub(super) fn add_key(&mut self, new: NewKey, created_at: OffsetDateTime) -> &Key {
        let number = self.keys.next_number();
        let secret = match new.secret {
            Some(secret) if !self.secrets.contains_key(&secret) => secret,
            _ => self.mint(),
        };
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
            secret,
        };
        self.note(|| Record::key(&key));
        self.insert_key(key)
    }

    /// Takes in a key whose secret no other key has.
    pub(super) fn insert_key(&mut self, key: Key) -> &Key {
        let number = key.id.number();
        for listing in key.listings() {
            self.listings.insert((listing, key.status), number);
        }
        self.secrets.insert(Arc::clone(&key.secret), Credential { key: number, until: None });
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
        self.keys.get(number)?;
        let secret = self.mint();
        self.note(|| Record::NewSecret {
            key: number,
            secret: secret.to_string(),
            expires_at: expires_at.map(Moment),
            grace_end: grace_end.map(Moment),
        });
        self.set_secret(number, secret, expires_at, grace_end)
    }

    /// [`replace_secret`](Self::replace_secret) by one that is known, and that no other key has.
    pub(super) fn set_secret(
        &mut self,
        number: u64,
        secret: Arc<str>,
        expires_at: Option<OffsetDateTime>,
        grace_end: Option<OffsetDateTime>,
    ) -> Option<&Key> {
        let key = self.keys.get_mut(number)?;
        self.secrets.insert(Arc::clone(&secret), Credential { key: number, until: None });
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
            self.note(|| Record::Revoked { key: number });
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

    /// A secret unlike any other.
    fn mint(&mut self) -> Arc<str> {
        loop {
            let random =
                (0..SECRET_LENGTH).filter_map(|_| self.dice.choice(SECRET_CHARACTERS)).map(|byte| char::from(*byte));
            let secret: Arc<str> = "ak-".chars().chain(random).collect::<String>().into();
            if !self.secrets.contains_key(&secret) {
                return secret;
            }
        }
    }
}
