//! Who acts, and what they may do where.

use std::sync::{Arc, PoisonError, RwLock};

use time::OffsetDateTime;

use super::id::{Id, Kind};
use super::table::Row;
use super::words::Role;

pub(super) struct Organization {
    pub(super) id: Id,
    pub(super) name: String,
    pub(super) description: String,
    pub(super) created_at: OffsetDateTime,
}

pub(super) struct Space {
    pub(super) id: Id,
    pub(super) name: String,
    pub(super) description: String,
    pub(super) created_at: OffsetDateTime,
    pub(super) organization: Arc<Organization>,
}

/// A role that the account made for itself. It gives what [`Role::Member`] gives.
pub(super) struct CustomRole {
    pub(super) id: Id,
    pub(super) name: String,
}

/// A person, or the bot behind a service key.
pub(super) struct User {
    pub(super) id: Id,
    pub(super) name: String,
    /// Of the whole account: [`Role::Admin`] or [`Role::Member`].
    pub(super) account_role: Role,
    grants: RwLock<Vec<OrganizationGrant>>,
}

#[derive(Clone)]
pub(super) struct OrganizationGrant {
    pub(super) organization: Arc<Organization>,
    pub(super) role: Role,
    pub(super) spaces: Vec<SpaceGrant>,
}

#[derive(Clone)]
pub(super) struct SpaceGrant {
    pub(super) space: Arc<Space>,
    pub(super) role: Assignment,
}

/// A role in a space.
#[derive(Clone)]
pub(super) enum Assignment {
    Predefined(Role),
    Custom(Arc<CustomRole>),
}

impl Assignment {
    pub(super) fn rank(&self) -> Role {
        match self {
            Self::Predefined(role) => *role,
            Self::Custom(_) => Role::Member,
        }
    }
}

impl User {
    pub(super) fn new(id: Id, name: String, account_role: Role, grants: Vec<OrganizationGrant>) -> Self {
        Self { id, name, account_role, grants: RwLock::new(grants) }
    }

    pub(super) fn is_admin(&self) -> bool {
        self.account_role == Role::Admin
    }

    pub(super) fn grants(&self) -> Vec<OrganizationGrant> {
        self.read(<[OrganizationGrant]>::to_vec)
    }

    /// The role in an organization; none if the user does not see it. Who works in a space of it sees it.
    pub(super) fn organization_role(&self, organization: &Organization) -> Option<Role> {
        if self.is_admin() {
            return Some(Role::Admin);
        }
        self.read(|grants| grants.iter().find(|grant| grant.organization.id == organization.id).map(|grant| grant.role))
    }

    /// The role in a space; none if the user does not see it.
    pub(super) fn space_role(&self, space: &Space) -> Option<Role> {
        if self.is_admin() {
            return Some(Role::Admin);
        }
        self.read(|grants| {
            let grant = grants.iter().find(|grant| grant.organization.id == space.organization.id)?;
            if grant.role == Role::Admin {
                return Some(Role::Admin);
            }
            grant.spaces.iter().find(|grant| grant.space.id == space.id).map(|grant| grant.role.rank())
        })
    }

    /// Whether the user may list and create the service keys of a space.
    pub(super) fn may_work_in(&self, space: &Space) -> bool {
        self.space_role(space) >= Some(Role::Member)
    }

    pub(super) fn set_organization_role(&self, organization: &Arc<Organization>, role: Role) {
        self.change(organization, |grant| grant.role = role);
    }

    pub(super) fn set_space_role(&self, space: &Arc<Space>, role: Role) {
        self.change(&space.organization, |grant| {
            grant.spaces.retain(|grant| grant.space.id != space.id);
            grant.spaces.push(SpaceGrant { space: Arc::clone(space), role: Assignment::Predefined(role) });
        });
    }

    pub(super) fn set_grants(&self, grants: Vec<OrganizationGrant>) {
        *self.grants.write().unwrap_or_else(PoisonError::into_inner) = grants;
    }

    fn change(&self, organization: &Arc<Organization>, change: impl FnOnce(&mut OrganizationGrant)) {
        let mut grants = self.grants.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(grant) = grants.iter_mut().find(|grant| grant.organization.id == organization.id) {
            return change(grant);
        }
        let mut grant =
            OrganizationGrant { organization: Arc::clone(organization), role: Role::ReadOnly, spaces: Vec::new() };
        change(&mut grant);
        grants.push(grant);
    }

    fn read<T>(&self, read: impl FnOnce(&[OrganizationGrant]) -> T) -> T {
        read(&self.grants.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Row for Arc<Organization> {
    const KIND: Kind = Kind::Organization;
    fn id(&self) -> Id {
        self.id
    }
}

impl Row for Arc<Space> {
    const KIND: Kind = Kind::Space;
    fn id(&self) -> Id {
        self.id
    }
}

impl Row for Arc<CustomRole> {
    const KIND: Kind = Kind::CustomRole;
    fn id(&self) -> Id {
        self.id
    }
}

impl Row for Arc<User> {
    const KIND: Kind = Kind::User;
    fn id(&self) -> Id {
        self.id
    }
}
