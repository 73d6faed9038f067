//! The account that an emulator starts with, checked: names are places in lists, and words are roles.

use std::collections::HashSet;
use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};
use time::OffsetDateTime;

use super::account::{Account, NewKey};
use super::account_file::{
    AccountError, AccountFile, GrantEntry, KeyEntry, OrganizationEntry, SpaceGrantEntry, SpaceRoleEntry,
};
use super::people::{Assignment, CustomRole, Organization, OrganizationGrant, Space, SpaceGrant, User};
use super::words::Role;
use crate::stage::ApiStage;

const MAX_SECRET: usize = 4096;

#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) admin: String,
    pub(super) admin_key: Option<SecretString>,
    organizations: Vec<OrganizationPlan>,
    roles: Vec<String>,
    users: Vec<UserPlan>,
    keys: Vec<KeyPlan>,
}

#[derive(Clone, Debug)]
struct OrganizationPlan {
    name: String,
    description: String,
    /// Names and descriptions.
    spaces: Vec<(String, String)>,
}

#[derive(Clone, Debug)]
struct UserPlan {
    name: String,
    account_role: Role,
    grants: Vec<GrantPlan>,
}

/// Organizations, spaces and custom roles by their places in the lists.
#[derive(Clone, Debug)]
struct GrantPlan {
    organization: usize,
    role: Role,
    spaces: Vec<(usize, RolePlan)>,
}

#[derive(Clone, Debug)]
enum RolePlan {
    Predefined(Role),
    Custom(usize),
}

#[derive(Clone, Debug)]
struct KeyPlan {
    name: String,
    description: Option<String>,
    /// The place of the user in the list; none for the admin.
    creator: Option<usize>,
    bot: Option<UserPlan>,
    secret: Option<SecretString>,
    created_at: Option<OffsetDateTime>,
    expires_at: Option<OffsetDateTime>,
    revoked: bool,
}

/// What may be wrong with a secret that is given: that it cannot stand in a header.
pub(super) fn secret_fault(secret: &SecretString) -> Option<&'static str> {
    let secret = secret.expose_secret();
    let fits = (1..=MAX_SECRET).contains(&secret.len()) && secret.bytes().all(|byte| byte.is_ascii_graphic());
    (!fits).then_some("a key is 1 to 4096 visible ASCII characters, without blanks")
}

impl Plan {
    /// The account of an emulator of which nothing is said.
    pub(super) fn standard(organizations: &[(&str, &[&str])]) -> Self {
        let organizations = organizations.iter().map(|(name, spaces)| OrganizationPlan {
            name: (*name).to_owned(),
            description: String::new(),
            spaces: spaces.iter().map(|name| ((*name).to_owned(), String::new())).collect(),
        });
        Self {
            admin: "admin".to_owned(),
            admin_key: None,
            organizations: organizations.collect(),
            roles: Vec::new(),
            users: Vec::new(),
            keys: Vec::new(),
        }
    }

    /// Whether a key other than the admin's first one has this secret.
    pub(super) fn has_secret(&self, secret: &SecretString) -> bool {
        let mut secrets = self.keys.iter().filter_map(|key| key.secret.as_ref());
        secrets.any(|other| other.expose_secret() == secret.expose_secret())
    }

    pub(super) fn new(file: AccountFile) -> Result<Self, AccountError> {
        let mut secrets = HashSet::new();
        let mut check_secret = |secret: &Option<SecretString>, place: &str| match secret {
            Some(secret) => match secret_fault(secret) {
                Some(fault) => Err(AccountError::at(place, fault)),
                None if !secrets.insert(secret.expose_secret().to_owned()) => {
                    Err(AccountError::at(place, "another key has this secret"))
                }
                None => Ok(()),
            },
            None => Ok(()),
        };
        check_secret(&file.admin.secret, "admin.secret")?;
        for (n, key) in file.keys.iter().enumerate() {
            check_secret(&key.secret, &format!("keys[{n}].secret"))?;
        }
        let names = Names {
            organizations: &file.organizations,
            roles: file.roles.iter().map(|role| role.name.as_str()).collect(),
            users: file.users.iter().map(|user| user.name.as_str()).collect(),
        };
        let user = |(n, user): (usize, &super::account_file::UserEntry)| {
            names.user(&user.name, user.account_role.as_deref(), &user.organizations, &format!("users[{n}]"))
        };
        let users = file.users.iter().enumerate().map(user).collect::<Result<_, _>>()?;
        let key = |(n, key): (usize, &KeyEntry)| names.key(key, &format!("keys[{n}]"));
        let keys = file.keys.iter().enumerate().map(key).collect::<Result<_, _>>()?;
        let organizations = file.organizations.iter().map(|organization| OrganizationPlan {
            name: organization.name.clone(),
            description: organization.description.clone(),
            spaces: organization.spaces.iter().map(|space| (space.name.clone(), space.description.clone())).collect(),
        });
        Ok(Self {
            admin: file.admin.name.unwrap_or_else(|| "admin".to_owned()),
            admin_key: file.admin.secret,
            organizations: organizations.collect(),
            roles: file.roles.iter().map(|role| role.name.clone()).collect(),
            users,
            keys,
        })
    }

    /// Makes the account, in which there is nothing but the admin.
    pub(super) fn carry_out(&self, account: &mut Account, admin: &Arc<User>, now: OffsetDateTime) {
        let mut made = Made::default();
        for plan in &self.organizations {
            let organization = account.add_organization(plan.name.clone(), plan.description.clone(), now);
            let spaces = plan.spaces.iter().map(|(name, description)| {
                account.add_space(Arc::clone(&organization), name.clone(), description.clone(), now)
            });
            made.organizations.push((Arc::clone(&organization), spaces.collect()));
        }
        made.roles = self.roles.iter().map(|name| account.add_custom_role(name.clone())).collect();
        let users: Vec<Arc<User>> = self.users.iter().map(|plan| made.user(plan, account)).collect();
        for plan in &self.keys {
            let creator = plan.creator.and_then(|place| users.get(place)).unwrap_or(admin);
            let new = NewKey {
                name: plan.name.clone(),
                description: plan.description.clone(),
                expires_at: plan.expires_at,
                creator: Arc::clone(creator),
                bot: plan.bot.as_ref().map(|bot| made.user(bot, account)),
                secret: plan.secret.as_ref().map(|secret| secret.expose_secret().into()),
            };
            let number = account.add_key(new, plan.created_at.unwrap_or(now)).id.number();
            if plan.revoked {
                account.revoke(number);
            }
        }
    }
}

/// What the names of the file stand for.
struct Names<'a> {
    organizations: &'a [OrganizationEntry],
    roles: Vec<&'a str>,
    users: Vec<&'a str>,
}

impl Names<'_> {
    fn user(
        &self,
        name: &str,
        role: Option<&str>,
        grants: &[GrantEntry],
        place: &str,
    ) -> Result<UserPlan, AccountError> {
        let account_role = read_role(role, Role::Member, &format!("{place}.account_role"))?;
        if account_role == Role::ReadOnly {
            return Err(AccountError::at(&format!("{place}.account_role"), "the account has admins and members only"));
        }
        let grant = |(n, grant)| self.grant(grant, &format!("{place}.organizations[{n}]"));
        let plans: Vec<GrantPlan> = grants.iter().enumerate().map(grant).collect::<Result<_, _>>()?;
        let mut seen = HashSet::new();
        match plans.iter().position(|plan| !seen.insert(plan.organization)) {
            Some(n) => {
                let place = format!("{place}.organizations[{n}].organization");
                Err(AccountError::at(&place, "the organization is named a second time"))
            }
            None => Ok(UserPlan { name: name.to_owned(), account_role, grants: plans }),
        }
    }

    fn grant(&self, entry: &GrantEntry, place: &str) -> Result<GrantPlan, AccountError> {
        let names = self.organizations.iter().map(|organization| organization.name.as_str());
        let place_of_name = format!("{place}.organization");
        let organization = find(names, &entry.organization, "organization", &place_of_name)?;
        let spaces = self.organizations.get(organization).map_or(&[][..], |organization| &organization.spaces);
        let mut plans: Vec<(usize, RolePlan)> = Vec::new();
        for (n, entry) in entry.spaces.iter().enumerate() {
            let place = format!("{place}.spaces[{n}]");
            let names = spaces.iter().map(|space| space.name.as_str());
            let space = find(names, &entry.space, "space of that organization", &format!("{place}.space"))?;
            if plans.iter().any(|other| other.0 == space) {
                return Err(AccountError::at(&format!("{place}.space"), "the space is named a second time"));
            }
            plans.push((space, self.space_role(entry, &format!("{place}.role"))?));
        }
        let role = read_role(entry.role.as_deref(), Role::ReadOnly, &format!("{place}.role"))?;
        Ok(GrantPlan { organization, role, spaces: plans })
    }

    fn space_role(&self, entry: &SpaceGrantEntry, place: &str) -> Result<RolePlan, AccountError> {
        Ok(match &entry.role {
            None => RolePlan::Predefined(Role::Member),
            Some(SpaceRoleEntry::Word(word)) => RolePlan::Predefined(read_role(Some(word), Role::Member, place)?),
            Some(SpaceRoleEntry::Custom(role)) => {
                RolePlan::Custom(find(self.roles.iter().copied(), &role.custom, "role", &format!("{place}.custom"))?)
            }
        })
    }

    fn key(&self, entry: &KeyEntry, place: &str) -> Result<KeyPlan, AccountError> {
        let user = |name| find(self.users.iter().copied(), name, "user", &format!("{place}.user"));
        let bot = match &entry.service {
            None => None,
            Some(service) => {
                let place = format!("{place}.service");
                if service.organizations.iter().all(|grant| grant.spaces.is_empty()) {
                    let place = format!("{place}.organizations");
                    return Err(AccountError::at(&place, "a service key is bound to one space or more"));
                }
                Some(self.user(&entry.name, service.account_role.as_deref(), &service.organizations, &place)?)
            }
        };
        Ok(KeyPlan {
            name: entry.name.clone(),
            description: entry.description.clone(),
            creator: entry.user.as_deref().map(user).transpose()?,
            bot,
            secret: entry.secret.clone(),
            created_at: entry.created_at.map(|moment| moment.0),
            expires_at: entry.expires_at.map(|moment| moment.0),
            revoked: entry.revoked,
        })
    }
}

/// The place of the one that has the name.
fn find<'a>(names: impl Iterator<Item = &'a str>, name: &str, kind: &str, place: &str) -> Result<usize, AccountError> {
    let mut found = names.enumerate().filter(|(_, other)| *other == name).map(|(n, _)| n);
    match (found.next(), found.next()) {
        (Some(n), None) => Ok(n),
        (None, _) => Err(AccountError::at(place, format!("there is no {kind} `{name}`"))),
        (Some(_), Some(_)) => Err(AccountError::at(place, format!("there is more than one {kind} `{name}`"))),
    }
}

/// A role in the words of either stage.
fn read_role(word: Option<&str>, default: Role, place: &str) -> Result<Role, AccountError> {
    let Some(word) = word else { return Ok(default) };
    let role = [ApiStage::Alpha, ApiStage::Beta].into_iter().find_map(|stage| Role::read(word, stage));
    role.ok_or_else(|| {
        AccountError::at(place, format!("there is no role `{word}`: it is `admin`, `member` or `read-only`"))
    })
}

/// What has been made so far, by its place in the lists.
#[derive(Default)]
struct Made {
    organizations: Vec<(Arc<Organization>, Vec<Arc<Space>>)>,
    roles: Vec<Arc<CustomRole>>,
}

impl Made {
    fn user(&self, plan: &UserPlan, account: &mut Account) -> Arc<User> {
        let grants = plan.grants.iter().filter_map(|plan| {
            let (organization, spaces) = self.organizations.get(plan.organization)?;
            let space = |(space, role): &(usize, RolePlan)| {
                let role = match role {
                    RolePlan::Predefined(role) => Assignment::Predefined(*role),
                    RolePlan::Custom(role) => Assignment::Custom(Arc::clone(self.roles.get(*role)?)),
                };
                Some(SpaceGrant { space: Arc::clone(spaces.get(*space)?), role })
            };
            let spaces = plan.spaces.iter().filter_map(space).collect();
            Some(OrganizationGrant { organization: Arc::clone(organization), role: plan.role, spaces })
        });
        account.add_user(plan.name.clone(), plan.account_role, grants.collect())
    }
}
