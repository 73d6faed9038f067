//! From an account to its document.

use std::collections::HashMap;
use std::sync::Arc;

use time::OffsetDateTime;

use super::Account;
use super::directory::{Assignment, OrganizationGrant, User};
use super::document::{
    AdminEntry, CountersEntry, CustomEntry, Document, GraceEntry, GrantEntry, HexCounter, KeyEntry, OrganizationEntry,
    RoleEntry, ServiceEntry, SpaceEntry, SpaceGrantEntry, SpaceRoleEntry, UserEntry,
};
use super::enums::{KeyType, Role, Status};
use super::id::Id;
use super::key::Key;
use super::timestamp::Timestamp;

impl Account {
    /// The whole account. Former secrets whose grace period is over are left out.
    pub(crate) fn document(&self, now: OffsetDateTime) -> Document {
        let bots: std::collections::HashSet<u64> =
            self.keys.after(0).filter_map(|key| bot_of(key)).map(Id::number).collect();
        let is_person = |user: &&Arc<User>| !bots.contains(&user.id.number());
        let people = || self.users.after(0).filter(is_person);
        let admin = people().find(|user| user.is_admin());
        let names = References {
            organizations: counted(self.organizations.after(0).map(|row| (0, row.name.as_str()))),
            spaces: counted(self.spaces.after(0).map(|row| (row.organization.id.number(), row.name.as_str()))),
            roles: counted(self.custom_roles.after(0).map(|row| (0, row.name.as_str()))),
            users: counted(people().map(|row| (0, row.name.as_str()))),
            admin: admin.map(|admin| admin.id),
        };
        let mut organizations: Vec<OrganizationEntry> = self.organizations.after(0).map(organization_entry).collect();
        let places: HashMap<u64, usize> =
            self.organizations.after(0).enumerate().map(|(place, row)| (row.id.number(), place)).collect();
        for space in self.spaces.after(0) {
            let place = places.get(&space.organization.id.number()).and_then(|place| organizations.get_mut(*place));
            if let Some(organization) = place {
                organization.spaces.push(SpaceEntry {
                    id: Some(space.id),
                    name: space.name.clone(),
                    description: space.description.clone(),
                    created_at: Some(Timestamp(space.created_at)),
                });
            }
        }
        let others = people().filter(|user| Some(user.id) != names.admin);
        Document {
            admin: AdminEntry { id: names.admin, name: admin.map(|admin| admin.name.clone()), secret: None },
            organizations,
            roles: self.custom_roles.after(0).map(|r| RoleEntry { id: Some(r.id), name: r.name.clone() }).collect(),
            users: others.map(|user| names.user(user)).collect(),
            keys: self.keys.after(0).map(|key| names.key(key, self.graces(key, now))).collect(),
            counters: Some(CountersEntry {
                ids: HexCounter(self.ids.get_seed()),
                secrets: HexCounter(self.rng.get_seed()),
            }),
        }
    }

    fn graces(&self, key: &Key, now: OffsetDateTime) -> Vec<GraceEntry> {
        let former = self.former.get(&key.id.number()).into_iter().flatten();
        let grace = |secret: &Arc<str>| {
            let until = self.secrets.get(secret)?.until.filter(|until| *until > now)?;
            Some(GraceEntry { secret: secret.to_string(), until: Timestamp(until) })
        };
        former.filter_map(grace).collect()
    }
}

fn bot_of(key: &Key) -> Option<Id> {
    (key.key_type == KeyType::Service).then_some(key.user.id)
}

fn organization_entry(organization: &Arc<super::directory::OrganizationRecord>) -> OrganizationEntry {
    OrganizationEntry {
        id: Some(organization.id),
        name: organization.name.clone(),
        description: organization.description.clone(),
        created_at: Some(Timestamp(organization.created_at)),
        spaces: Vec::new(),
    }
}

/// How often a name occurs, within the owner of this number.
type Occurrences<'a> = HashMap<(u64, &'a str), usize>;

fn counted<'a>(names: impl Iterator<Item = (u64, &'a str)>) -> Occurrences<'a> {
    let mut counts = HashMap::new();
    for name in names {
        *counts.entry(name).or_default() += 1;
    }
    counts
}

/// By what the entries of a document refer to each other.
struct References<'a> {
    organizations: Occurrences<'a>,
    spaces: Occurrences<'a>,
    roles: Occurrences<'a>,
    users: Occurrences<'a>,
    admin: Option<Id>,
}

/// The name, unless several have it. A name that is itself an id could be taken for that of another.
fn reference(names: &Occurrences<'_>, owner: u64, name: &str, id: Id) -> String {
    let is_clear = names.get(&(owner, name)) == Some(&1) && Id::parse(id.kind(), name).is_none();
    if is_clear { name.to_owned() } else { id.to_string() }
}

impl References<'_> {
    fn user(&self, user: &User) -> UserEntry {
        UserEntry {
            id: Some(user.id),
            name: user.name.clone(),
            account_role: Some(word(user.account_role)),
            organizations: self.grants(&user.grants()),
        }
    }

    fn key(&self, key: &Key, graces: Vec<GraceEntry>) -> KeyEntry {
        let creator =
            (Some(key.creator.id) != self.admin).then(|| reference(&self.users, 0, &key.creator.name, key.creator.id));
        let service = bot_of(key).map(|id| ServiceEntry {
            id: Some(id),
            account_role: Some(word(key.user.account_role)),
            organizations: self.grants(&key.user.grants()),
        });
        KeyEntry {
            id: Some(key.id),
            name: key.name.clone(),
            user: creator,
            description: key.description.clone(),
            secret: Some(key.secret.to_string()),
            created_at: Some(Timestamp(key.created_at)),
            expires_at: key.expires_at.map(Timestamp),
            last_used_at: key.last_used_at.map(Timestamp),
            revoked: key.status == Status::Revoked,
            service,
            graces,
        }
    }

    fn grants(&self, grants: &[OrganizationGrant]) -> Vec<GrantEntry> {
        let grant = |grant: &OrganizationGrant| GrantEntry {
            organization: reference(&self.organizations, 0, &grant.organization.name, grant.organization.id),
            role: Some(word(grant.role)),
            spaces: grant.spaces.iter().map(|granted| self.space_grant(granted)).collect(),
        };
        grants.iter().map(grant).collect()
    }

    fn space_grant(&self, granted: &super::directory::SpaceGrant) -> SpaceGrantEntry {
        let space = &granted.space;
        let role = match &granted.role {
            Assignment::Predefined(role) => SpaceRoleEntry::Word(word(*role)),
            Assignment::Custom(role) => {
                SpaceRoleEntry::Custom(CustomEntry { custom: reference(&self.roles, 0, &role.name, role.id) })
            }
        };
        let owner = space.organization.id.number();
        SpaceGrantEntry { space: reference(&self.spaces, owner, &space.name, space.id), role: Some(role) }
    }
}

/// In the words of the documentation: `read-only`.
fn word(role: Role) -> String {
    role.word().to_lowercase().replace('_', "-")
}
