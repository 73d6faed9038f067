//! From an account to its document.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::Account;
use super::directory::{Assignment, OrganizationGrant, SpaceGrant, User};
use super::document::{
    AdminEntry, CountersEntry, CustomRoleEntry, Document, GraceEntry, GrantEntry, HexCounter, KeyEntry,
    OrganizationEntry, RoleEntry, ServiceEntry, SpaceEntry, SpaceGrantEntry, SpaceRoleEntry, UserEntry,
};
use super::enums::Status;
use super::id::Id;
use super::key::{Grace, Key};
use super::timestamp::Timestamp;

impl Account {
    /// The whole account. Former secrets whose grace period is over are left out.
    pub(crate) fn document(&self, now: Timestamp) -> Document {
        let bots: HashSet<Id> = self.keys.iter().filter_map(|key| Some(key.bot.as_ref()?.id)).collect();
        let people = || self.users.iter().filter(|user| !bots.contains(&user.id));
        let admin = people().find(|user| user.is_admin());
        let names = References {
            organizations: counted(self.organizations.iter().map(|row| (None, row.name.as_str()))),
            spaces: counted(self.spaces.iter().map(|row| (Some(row.organization.id), row.name.as_str()))),
            roles: counted(self.custom_roles.iter().map(|row| (None, row.name.as_str()))),
            users: counted(people().map(|row| (None, row.name.as_str()))),
            admin: admin.map(|admin| admin.id),
        };
        let others = people().filter(|user| Some(user.id) != names.admin);
        Document {
            admin: AdminEntry { id: names.admin, name: admin.map(|admin| admin.name.clone()), secret: None },
            organizations: self.organization_entries(),
            roles: self.custom_roles.iter().map(|r| CustomRoleEntry { id: Some(r.id), name: r.name.clone() }).collect(),
            users: others.map(|user| names.user(user)).collect(),
            keys: self.keys.iter().map(|key| names.key(key, self.graces_of(key), now)).collect(),
            counters: Some(CountersEntry {
                ids: HexCounter(self.ids.get_seed()),
                secrets: HexCounter(self.rng.get_seed()),
            }),
        }
    }

    fn organization_entries(&self) -> Vec<OrganizationEntry> {
        let mut spaces: HashMap<Id, Vec<SpaceEntry>> = HashMap::new();
        for space in self.spaces.iter() {
            spaces.entry(space.organization.id).or_default().push(SpaceEntry {
                id: Some(space.id),
                name: space.name.clone(),
                description: space.description.clone(),
                created_at: Some(space.created_at),
            });
        }
        let entry = |organization: &Arc<super::directory::OrganizationRecord>| OrganizationEntry {
            id: Some(organization.id),
            name: organization.name.clone(),
            description: organization.description.clone(),
            created_at: Some(organization.created_at),
            spaces: spaces.remove(&organization.id).unwrap_or_default(),
        };
        self.organizations.iter().map(entry).collect()
    }
}

/// The number of records with a name, within their owner.
type Occurrences<'a> = HashMap<(Option<Id>, &'a str), usize>;

fn counted<'a>(names: impl Iterator<Item = (Option<Id>, &'a str)>) -> Occurrences<'a> {
    let mut counts = HashMap::new();
    for name in names {
        *counts.entry(name).or_default() += 1;
    }
    counts
}

/// The names by which the entries of a document refer to each other.
struct References<'a> {
    organizations: Occurrences<'a>,
    spaces: Occurrences<'a>,
    roles: Occurrences<'a>,
    users: Occurrences<'a>,
    admin: Option<Id>,
}

/// The name, unless several have it. A name that is itself an id could be taken for that of another.
fn reference(names: &Occurrences<'_>, owner: Option<Id>, name: &str, id: Id) -> String {
    let is_clear = names.get(&(owner, name)) == Some(&1) && Id::parse(name).is_none();
    if is_clear { name.to_owned() } else { id.to_string() }
}

impl References<'_> {
    fn user(&self, user: &User) -> UserEntry {
        UserEntry {
            id: Some(user.id),
            name: user.name.clone(),
            account_role: Some(RoleEntry(user.account_role)),
            organizations: self.grants(user),
        }
    }

    fn key<'a>(&self, key: &Key, graces: impl Iterator<Item = &'a Grace>, now: Timestamp) -> KeyEntry {
        let creator = &key.creator;
        let is_admins = Some(creator.id) == self.admin;
        let service = key.bot.as_ref().map(|bot| ServiceEntry {
            id: Some(bot.id),
            account_role: Some(RoleEntry(bot.account_role)),
            organizations: self.grants(bot),
        });
        let graces = graces.filter(|grace| grace.until > now);
        KeyEntry {
            id: Some(key.id),
            name: key.name.to_string(),
            user: (!is_admins).then(|| reference(&self.users, None, &creator.name, creator.id)),
            description: key.description.as_deref().map(str::to_owned),
            secret: Some(key.secret.to_string()),
            created_at: Some(key.created_at),
            expires_at: key.expires_at,
            last_used_at: key.last_used_at,
            revoked: key.status == Status::Revoked,
            service,
            graces: graces.map(|grace| GraceEntry { secret: grace.secret.to_string(), until: grace.until }).collect(),
        }
    }

    fn grants(&self, user: &User) -> Vec<GrantEntry> {
        let grant = |grant: &OrganizationGrant| GrantEntry {
            organization: reference(&self.organizations, None, &grant.organization.name, grant.organization.id),
            role: Some(RoleEntry(grant.role)),
            spaces: grant.spaces.iter().map(|granted| self.space_grant(granted)).collect(),
        };
        user.grants().iter().map(grant).collect()
    }

    fn space_grant(&self, SpaceGrant { space, role }: &SpaceGrant) -> SpaceGrantEntry {
        let role = match role {
            Assignment::Predefined(role) => SpaceRoleEntry::Predefined(RoleEntry(*role)),
            Assignment::Custom(role) => {
                SpaceRoleEntry::Custom { custom: reference(&self.roles, None, &role.name, role.id) }
            }
        };
        let space = reference(&self.spaces, Some(space.organization.id), &space.name, space.id);
        SpaceGrantEntry { space, role: Some(role) }
    }
}
