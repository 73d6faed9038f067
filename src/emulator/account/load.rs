//! From an account document to an account.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use fastrand::Rng;
use time::OffsetDateTime;

use super::Account;
use super::directory::{Assignment, CustomRole, OrganizationGrant, OrganizationRecord, SpaceGrant, SpaceRecord, User};
use super::document::{AccountError, Document, GrantEntry, KeyEntry, SpaceGrantEntry, SpaceRoleEntry};
use super::enums::Role;
use super::id::Id;
use super::key::KeyDraft;
use super::store::{Record, Store};
use crate::stage::ApiStage;

const MAX_SECRET: usize = 4096;

/// The name of the admin, and of the key that they get.
pub(crate) const ADMIN: &str = "admin";

/// The defect of a given secret: it cannot be part of a header.
pub(crate) fn secret_fault(secret: &str) -> Option<&'static str> {
    let fits = (1..=MAX_SECRET).contains(&secret.len()) && secret.bytes().all(|byte| byte.is_ascii_graphic());
    (!fits).then_some("a key is 1 to 4096 visible ASCII characters, without blanks")
}

impl Account {
    /// Makes the account. Ids and secrets that the document leaves out come from `rng`.
    pub(crate) fn load(document: &Document, rng: Rng, now: OffsetDateTime) -> Result<Self, AccountError> {
        let mut loader = Loader { account: Self::new(rng), now, names: Names::default() };
        loader.check_ids(document)?;
        loader.check_secrets(document)?;
        loader.load(document)?;
        Ok(loader.account)
    }
}

struct Loader {
    account: Account,
    now: OffsetDateTime,
    names: Names,
}

/// The objects of the names and ids in the document. `None`: several have the name.
#[derive(Default)]
struct Names {
    organizations: HashMap<String, Option<Arc<OrganizationRecord>>>,
    /// By the number of the organization and the name.
    spaces: HashMap<(u64, String), Option<Arc<SpaceRecord>>>,
    roles: HashMap<String, Option<Arc<CustomRole>>>,
    users: HashMap<String, Option<Arc<User>>>,
}

impl Loader {
    fn load(&mut self, document: &Document) -> Result<(), AccountError> {
        let admin_name = document.admin.name.clone().unwrap_or_else(|| ADMIN.to_owned());
        let admin = self.user(document.admin.id, &admin_name, Role::Admin, Vec::new());
        let has_own_key = document.keys.iter().any(|key| key.user.is_none() && key.name == ADMIN);
        if document.admin.secret.is_some() || !has_own_key {
            let draft = KeyDraft::of(Arc::clone(&admin), ADMIN.to_owned(), self.now);
            let id = self.account.keys.next_id(&mut self.account.ids);
            let secret = document.admin.secret.as_deref().map_or_else(|| self.account.new_secret(), Arc::from);
            self.account.insert_key(draft.into_key(id, secret));
        }
        self.load_organizations(document);
        for entry in &document.roles {
            let id = entry.id.unwrap_or_else(|| self.account.custom_roles.next_id(&mut self.account.ids));
            let role = self.account.custom_roles.push(Arc::new(CustomRole { id, name: entry.name.clone() }));
            add(&mut self.names.roles, entry.name.clone(), id, role);
        }
        for (n, entry) in document.users.iter().enumerate() {
            let place = format!("users[{n}]");
            let (role, grants) = self.roles(entry.account_role.as_deref(), &entry.organizations, &place)?;
            let user = self.user(entry.id, &entry.name, role, grants);
            add(&mut self.names.users, entry.name.clone(), user.id, &user);
        }
        add(&mut self.names.users, admin_name, admin.id, &admin);
        for (n, entry) in document.keys.iter().enumerate() {
            self.load_key(entry, &admin, &format!("keys[{n}]"))?;
        }
        self.account.organizations.sort();
        self.account.spaces.sort();
        self.account.custom_roles.sort();
        self.account.users.sort();
        self.account.keys.sort();
        if let Some(counters) = document.counters {
            self.account.ids = Rng::with_seed(counters.ids.0);
            self.account.rng = Rng::with_seed(counters.secrets.0);
        }
        Ok(())
    }

    fn load_organizations(&mut self, document: &Document) {
        for entry in &document.organizations {
            let id = entry.id.unwrap_or_else(|| self.account.organizations.next_id(&mut self.account.ids));
            let created_at = entry.created_at.map_or(self.now, |time| time.0);
            let (name, description) = (entry.name.clone(), entry.description.clone());
            let record = Arc::new(OrganizationRecord { id, name, description, created_at });
            let organization = Arc::clone(self.account.organizations.push(record));
            add(&mut self.names.organizations, entry.name.clone(), id, &organization);
            for entry in &entry.spaces {
                let id = entry.id.unwrap_or_else(|| self.account.spaces.next_id(&mut self.account.ids));
                let space = SpaceRecord {
                    id,
                    name: entry.name.clone(),
                    description: entry.description.clone(),
                    created_at: entry.created_at.map_or(self.now, |time| time.0),
                    organization: Arc::clone(&organization),
                };
                let space = self.account.spaces.push(Arc::new(space));
                for name in [entry.name.clone(), id.to_string()] {
                    let same = self.names.spaces.entry((organization.id.number(), name));
                    same.and_modify(|found| *found = None).or_insert_with(|| Some(Arc::clone(space)));
                }
            }
        }
    }

    fn load_key(&mut self, entry: &KeyEntry, admin: &Arc<User>, place: &str) -> Result<(), AccountError> {
        let creator = match &entry.user {
            None => Arc::clone(admin),
            Some(name) => find(&self.names.users, name, "user", &format!("{place}.user"))?,
        };
        let bot = match &entry.service {
            None => None,
            Some(service) => {
                let place = format!("{place}.service");
                if service.organizations.iter().all(|grant| grant.spaces.is_empty()) {
                    let place = format!("{place}.organizations");
                    return Err(AccountError::at(&place, "a service key is bound to one space or more"));
                }
                let (role, grants) = self.roles(service.account_role.as_deref(), &service.organizations, &place)?;
                Some(self.user(service.id, &entry.name, role, grants))
            }
        };
        let draft = KeyDraft {
            name: entry.name.clone(),
            description: entry.description.clone(),
            created_at: entry.created_at.map_or(self.now, |time| time.0),
            expires_at: entry.expires_at.map(|time| time.0),
            creator,
            bot,
        };
        let id = entry.id.unwrap_or_else(|| self.account.keys.next_id(&mut self.account.ids));
        let secret = entry.secret.as_deref().map_or_else(|| self.account.new_secret(), Arc::from);
        let mut key = draft.into_key(id, secret);
        key.last_used_at = entry.last_used_at.map(|time| time.0);
        if entry.revoked {
            key.status = super::enums::Status::Revoked;
        }
        self.account.insert_key(key);
        for grace in &entry.graces {
            self.account.add_former(id.number(), grace.secret.as_str().into(), grace.until.0);
        }
        Ok(())
    }

    fn user(&mut self, id: Option<Id>, name: &str, role: Role, grants: Vec<OrganizationGrant>) -> Arc<User> {
        let id = id.unwrap_or_else(|| self.account.users.next_id(&mut self.account.ids));
        Arc::clone(self.account.users.push(Arc::new(User::new(id, name.to_owned(), role, grants))))
    }

    /// Checks the ids that are given, and keeps their numbers from being given to others.
    fn check_ids(&mut self, document: &Document) -> Result<(), AccountError> {
        let account = &mut self.account;
        let organizations = document.organizations.iter().enumerate();
        reserve(&mut account.organizations, organizations.clone().map(|(n, e)| (e.id, format!("organizations[{n}]"))))?;
        let spaces = organizations.flat_map(|(n, organization)| {
            let spaces = organization.spaces.iter().enumerate();
            spaces.map(move |(m, entry)| (entry.id, format!("organizations[{n}].spaces[{m}]")))
        });
        reserve(&mut account.spaces, spaces)?;
        let roles = document.roles.iter().enumerate();
        reserve(&mut account.custom_roles, roles.map(|(n, entry)| (entry.id, format!("roles[{n}]"))))?;
        let people = document.users.iter().enumerate().map(|(n, entry)| (entry.id, format!("users[{n}]")));
        let bots = document
            .keys
            .iter()
            .enumerate()
            .filter_map(|(n, entry)| Some((entry.service.as_ref()?.id, format!("keys[{n}].service"))));
        let admin = (document.admin.id, "admin".to_owned());
        reserve(&mut account.users, std::iter::once(admin).chain(people).chain(bots))?;
        let keys = document.keys.iter().enumerate();
        reserve(&mut account.keys, keys.map(|(n, entry)| (entry.id, format!("keys[{n}]"))))
    }

    fn check_secrets(&self, document: &Document) -> Result<(), AccountError> {
        let mut seen = HashSet::new();
        let mut check = |secret: &str, place: &dyn Fn() -> String| match secret_fault(secret) {
            Some(fault) => Err(AccountError::at(&place(), fault)),
            None if !seen.insert(secret.to_owned()) => Err(AccountError::at(&place(), "another key has this secret")),
            None => Ok(()),
        };
        if let Some(secret) = &document.admin.secret {
            check(secret, &|| "admin.secret".to_owned())?;
        }
        for (n, key) in document.keys.iter().enumerate() {
            if let Some(secret) = &key.secret {
                check(secret, &|| format!("keys[{n}].secret"))?;
            }
            for (m, grace) in key.graces.iter().enumerate() {
                check(&grace.secret, &|| format!("keys[{n}].graces[{m}].secret"))?;
            }
        }
        Ok(())
    }

    /// The account role and the grants of a user or a bot.
    fn roles(
        &self,
        role: Option<&str>,
        grants: &[GrantEntry],
        place: &str,
    ) -> Result<(Role, Vec<OrganizationGrant>), AccountError> {
        let role_place = format!("{place}.account_role");
        let role = read_role(role, Role::Member, &role_place)?;
        if role == Role::ReadOnly {
            return Err(AccountError::at(&role_place, "the account has admins and members only"));
        }
        let mut read: Vec<OrganizationGrant> = Vec::with_capacity(grants.len());
        for (n, entry) in grants.iter().enumerate() {
            let place = format!("{place}.organizations[{n}]");
            let grant = self.grant(entry, &place)?;
            if read.iter().any(|other| other.organization.id == grant.organization.id) {
                let place = format!("{place}.organization");
                return Err(AccountError::at(&place, "the organization is named a second time"));
            }
            read.push(grant);
        }
        Ok((role, read))
    }

    fn grant(&self, entry: &GrantEntry, place: &str) -> Result<OrganizationGrant, AccountError> {
        let names = &self.names;
        let name_place = format!("{place}.organization");
        let organization = find(&names.organizations, &entry.organization, "organization", &name_place)?;
        let mut spaces: Vec<SpaceGrant> = Vec::with_capacity(entry.spaces.len());
        for (n, entry) in entry.spaces.iter().enumerate() {
            let place = format!("{place}.spaces[{n}]");
            let name_place = format!("{place}.space");
            let found = names.spaces.get(&(organization.id.number(), entry.space.clone()));
            let space = one(found, &entry.space, "space of that organization", &name_place)?;
            if spaces.iter().any(|other| other.space.id == space.id) {
                return Err(AccountError::at(&name_place, "the space is named a second time"));
            }
            spaces.push(SpaceGrant { space, role: self.space_role(entry, &format!("{place}.role"))? });
        }
        let role = read_role(entry.role.as_deref(), Role::ReadOnly, &format!("{place}.role"))?;
        Ok(OrganizationGrant { organization, role, spaces })
    }

    fn space_role(&self, entry: &SpaceGrantEntry, place: &str) -> Result<Assignment, AccountError> {
        Ok(match &entry.role {
            None => Assignment::Predefined(Role::Member),
            Some(SpaceRoleEntry::Word(word)) => Assignment::Predefined(read_role(Some(word), Role::Member, place)?),
            Some(SpaceRoleEntry::Custom(role)) => {
                Assignment::Custom(find(&self.names.roles, &role.custom, "role", &format!("{place}.custom"))?)
            }
        })
    }
}

fn reserve<T: Record>(
    store: &mut Store<T>,
    ids: impl Iterator<Item = (Option<Id>, String)>,
) -> Result<(), AccountError> {
    let mut numbers = HashSet::new();
    for (id, place) in ids {
        let Some(id) = id else { continue };
        if id.kind() != T::KIND {
            return Err(AccountError::at(&format!("{place}.id"), format_args!("it is no id of kind {:?}", T::KIND)));
        }
        if !numbers.insert(id.number()) {
            return Err(AccountError::at(&format!("{place}.id"), "another one has the number of this id"));
        }
        store.reserve(id.number());
    }
    Ok(())
}

/// Notes by which texts a record can be referred to.
fn add<T>(names: &mut HashMap<String, Option<Arc<T>>>, name: String, id: Id, record: &Arc<T>) {
    for text in [name, id.to_string()] {
        names.entry(text).and_modify(|found| *found = None).or_insert_with(|| Some(Arc::clone(record)));
    }
}

fn find<T>(
    names: &HashMap<String, Option<Arc<T>>>,
    name: &str,
    kind: &str,
    place: &str,
) -> Result<Arc<T>, AccountError> {
    one(names.get(name), name, kind, place)
}

fn one<T>(found: Option<&Option<Arc<T>>>, name: &str, kind: &str, place: &str) -> Result<Arc<T>, AccountError> {
    let shown = shown(name);
    match found {
        Some(Some(record)) => Ok(Arc::clone(record)),
        None => Err(AccountError::at(place, format!("there is no {kind}{shown}"))),
        Some(None) => Err(AccountError::at(place, format!("there is more than one {kind}{shown}: use the id"))),
    }
}

/// A role in the words of either stage.
fn read_role(word: Option<&str>, default: Role, place: &str) -> Result<Role, AccountError> {
    let Some(word) = word else { return Ok(default) };
    let role = [ApiStage::Alpha, ApiStage::Beta].into_iter().find_map(|stage| Role::read(word, stage));
    role.ok_or_else(|| {
        let shown = shown(word);
        AccountError::at(place, format!("there is no role{shown}: it is `admin`, `member` or `read-only`"))
    })
}

/// A name in a message. Somebody may have put a secret there.
fn shown(name: &str) -> String {
    if name.contains("ak-") { String::new() } else { format!(" `{name}`") }
}
