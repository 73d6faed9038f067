//! From an account document to an account.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use fastrand::Rng;

use super::directory::{Assignment, CustomRole, OrganizationGrant, OrganizationRecord, SpaceGrant, SpaceRecord, User};
use super::document::{AccountError, Document, GrantEntry, KeyEntry, RoleEntry, SpaceGrantEntry, SpaceRoleEntry};
use super::enums::{Role, Status};
use super::id::{Id, Kind};
use super::key::{Grace, Key};
use super::timestamp::Timestamp;
use super::{ADMIN, Account};

const MAX_SECRET: usize = 4096;

/// The highest number of a given id. New ids have the numbers after it.
const MAX_NUMBER: u64 = u64::MAX / 2;

/// The defect of a given secret: it cannot be part of a header.
pub(crate) fn secret_fault(secret: &str) -> Option<&'static str> {
    let fits = (1..=MAX_SECRET).contains(&secret.len()) && secret.bytes().all(|byte| byte.is_ascii_graphic());
    (!fits).then_some("a key is 1 to 4096 visible ASCII characters, without blanks")
}

impl Account {
    /// Creates the account of a document. `rng` generates the ids and secrets that the document leaves out.
    pub(crate) fn load(document: &Document, rng: Rng, now: Timestamp) -> Result<Self, AccountError> {
        let mut account = Self::new(rng);
        account.reserve_ids(document)?;
        check_secrets(document)?;
        let mut loader = Loader { account, now, names: Names::default() };
        loader.load(document)?;
        loader.account.sort();
        Ok(loader.account)
    }

    /// Brings the records in order: a document may have them in any.
    fn sort(&mut self) {
        self.organizations.sort();
        self.spaces.sort();
        self.users.sort();
        self.custom_roles.sort();
        self.keys.sort();
    }

    /// Checks the given ids and reserves their numbers.
    fn reserve_ids(&mut self, document: &Document) -> Result<(), AccountError> {
        let mut numbers = HashSet::new();
        for (kind, id, place) in document.ids() {
            if id.kind() != kind {
                return Err(AccountError::at(&place, format_args!("it is no id of kind {kind:?}")));
            }
            if id.number() > MAX_NUMBER {
                return Err(AccountError::at(&place, format_args!("its number is above {MAX_NUMBER}")));
            }
            if !numbers.insert((kind, id.number())) {
                return Err(AccountError::at(&place, "another one has the number of this id"));
            }
            match kind {
                Kind::Organization => self.organizations.reserve(id),
                Kind::Space => self.spaces.reserve(id),
                Kind::User => self.users.reserve(id),
                Kind::CustomRole => self.custom_roles.reserve(id),
                Kind::ApiKey => self.keys.reserve(id),
            }
        }
        Ok(())
    }
}

fn check_secrets(document: &Document) -> Result<(), AccountError> {
    let mut seen = HashSet::new();
    let admin = document.admin.secret.iter().map(|secret| (secret.as_str(), "admin.secret".to_owned()));
    for (secret, place) in admin.chain(document.secrets()) {
        let is_new = seen.insert(secret);
        if let Some(fault) = secret_fault(secret).or((!is_new).then_some("another key has this secret")) {
            return Err(AccountError::at(&place, fault));
        }
    }
    Ok(())
}

struct Loader {
    account: Account,
    now: Timestamp,
    names: Names,
}

/// The records that the document refers to.
#[derive(Default)]
struct Names {
    organizations: NamesOf<OrganizationRecord>,
    spaces: NamesOf<SpaceRecord>,
    roles: NamesOf<CustomRole>,
    users: NamesOf<User>,
}

/// Records by their names and ids, within an owner that they belong to. `None`: several have the name.
struct NamesOf<T>(HashMap<(Option<Id>, String), Option<Arc<T>>>);

impl Loader {
    fn load(&mut self, document: &Document) -> Result<(), AccountError> {
        let admin_name = document.admin.name.as_deref().unwrap_or(ADMIN);
        let admin = self.account.add_user(document.admin.id, admin_name.to_owned(), Role::Admin, Vec::new());
        let has_own_key = document.keys.iter().any(|key| key.user.is_none() && key.name == ADMIN);
        if document.admin.secret.is_some() || !has_own_key {
            let secret = document.admin.secret.as_deref();
            let key = self.account.new_key(None, secret, Arc::clone(&admin), ADMIN, self.now);
            self.account.add_key(key);
        }
        self.load_organizations(document);
        for entry in &document.roles {
            let role = self.account.add_custom_role(entry.id, entry.name.clone());
            self.names.roles.add(None, &entry.name, role.id, &role);
        }
        for (n, entry) in document.users.iter().enumerate() {
            let (role, grants) = self.roles(entry.account_role, &entry.organizations, &format!("users[{n}]"))?;
            let user = self.account.add_user(entry.id, entry.name.clone(), role, grants);
            self.names.users.add(None, &entry.name, user.id, &user);
        }
        self.names.users.add(None, admin_name, admin.id, &admin);
        for (n, entry) in document.keys.iter().enumerate() {
            self.load_key(entry, &admin, &format!("keys[{n}]"))?;
        }
        if let Some(counters) = document.counters {
            self.account.ids = Rng::with_seed(counters.ids.0);
            self.account.rng = Rng::with_seed(counters.secrets.0);
        }
        Ok(())
    }

    fn load_organizations(&mut self, document: &Document) {
        for entry in &document.organizations {
            let (name, created_at) = (entry.name.clone(), entry.created_at.unwrap_or(self.now));
            let organization = self.account.add_organization(entry.id, name, entry.description.clone(), created_at);
            self.names.organizations.add(None, &entry.name, organization.id, &organization);
            for entry in &entry.spaces {
                let (name, created_at) = (entry.name.clone(), entry.created_at.unwrap_or(self.now));
                let owner = Arc::clone(&organization);
                let space = self.account.add_space(entry.id, owner, name, entry.description.clone(), created_at);
                self.names.spaces.add(Some(organization.id), &entry.name, space.id, &space);
            }
        }
    }

    fn load_key(&mut self, entry: &KeyEntry, admin: &Arc<User>, place: &str) -> Result<(), AccountError> {
        let creator = match &entry.user {
            None => Arc::clone(admin),
            Some(name) => self.names.users.find(None, name, "user", &format!("{place}.user"))?,
        };
        let bot = match &entry.service {
            None => None,
            Some(service) => {
                let place = format!("{place}.service");
                if service.organizations.iter().all(|grant| grant.spaces.is_empty()) {
                    let place = format!("{place}.organizations");
                    return Err(AccountError::at(&place, "a service key is bound to one space or more"));
                }
                let (role, grants) = self.roles(service.account_role, &service.organizations, &place)?;
                Some(self.account.add_user(service.id, entry.name.clone(), role, grants))
            }
        };
        let created_at = entry.created_at.unwrap_or(self.now);
        let key = Key {
            description: entry.description.as_deref().map(Box::from),
            status: if entry.revoked { Status::Revoked } else { Status::Active },
            expires_at: entry.expires_at,
            last_used_at: entry.last_used_at,
            bot,
            ..self.account.new_key(entry.id, entry.secret.as_deref(), creator, &entry.name, created_at)
        };
        let id = self.account.add_key(key).id;
        for grace in &entry.graces {
            self.account.add_grace(id, Grace { secret: grace.secret.as_str().into(), until: grace.until });
        }
        Ok(())
    }

    /// The account role and the grants of a user or a bot.
    fn roles(
        &self,
        role: Option<RoleEntry>,
        grants: &[GrantEntry],
        place: &str,
    ) -> Result<(Role, Vec<OrganizationGrant>), AccountError> {
        let role = role.map_or(Role::Member, |role| role.0);
        if role == Role::ReadOnly {
            let place = format!("{place}.account_role");
            return Err(AccountError::at(&place, "the account has admins and members only"));
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
        let organizations = &self.names.organizations;
        let name_place = format!("{place}.organization");
        let organization = organizations.find(None, &entry.organization, "organization", &name_place)?;
        let mut spaces: Vec<SpaceGrant> = Vec::with_capacity(entry.spaces.len());
        for (n, entry) in entry.spaces.iter().enumerate() {
            let place = format!("{place}.spaces[{n}]");
            let name_place = format!("{place}.space");
            let names = &self.names.spaces;
            let space = names.find(Some(organization.id), &entry.space, "space of that organization", &name_place)?;
            if spaces.iter().any(|other| other.space.id == space.id) {
                return Err(AccountError::at(&name_place, "the space is named a second time"));
            }
            spaces.push(SpaceGrant { space, role: self.space_role(entry, &place)? });
        }
        let role = entry.role.map_or(Role::ReadOnly, |role| role.0);
        Ok(OrganizationGrant { organization, role, spaces })
    }

    fn space_role(&self, entry: &SpaceGrantEntry, place: &str) -> Result<Assignment, AccountError> {
        Ok(match &entry.role {
            None => Assignment::Predefined(Role::Member),
            Some(SpaceRoleEntry::Predefined(role)) => Assignment::Predefined(role.0),
            Some(SpaceRoleEntry::Custom { custom }) => {
                Assignment::Custom(self.names.roles.find(None, custom, "role", &format!("{place}.role.custom"))?)
            }
        })
    }
}

impl<T> NamesOf<T> {
    fn add(&mut self, owner: Option<Id>, name: &str, id: Id, record: &Arc<T>) {
        for text in [name.to_owned(), id.to_string()] {
            let same = self.0.entry((owner, text));
            same.and_modify(|found| *found = None).or_insert_with(|| Some(Arc::clone(record)));
        }
    }

    fn find(&self, owner: Option<Id>, name: &str, kind: &str, place: &str) -> Result<Arc<T>, AccountError> {
        // The name may be a misplaced secret.
        let shown = if name.contains("ak-") { String::new() } else { format!(" `{name}`") };
        match self.0.get(&(owner, name.to_owned())) {
            Some(Some(record)) => Ok(Arc::clone(record)),
            None => Err(AccountError::at(place, format!("there is no {kind}{shown}"))),
            Some(None) => Err(AccountError::at(place, format!("there is more than one {kind}{shown}: use the id"))),
        }
    }
}

impl<T> Default for NamesOf<T> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}
