//! The users and bot users, and their rights.

use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use serde::Serialize;

use super::enums::Role;
use super::id::Id;
use super::timestamp::Timestamp;

/// An organization. Its serialization is that of responses.
#[derive(Serialize)]
pub(crate) struct OrganizationRecord {
    pub(crate) id: Id,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) created_at: Timestamp,
}

/// A space. Its serialization is that of responses on the alpha stage.
#[derive(Serialize)]
pub(crate) struct SpaceRecord {
    pub(crate) id: Id,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) created_at: Timestamp,
    #[serde(skip)]
    pub(crate) organization: Arc<OrganizationRecord>,
}

/// A role that the account defines. It has the rights of [`Role::Member`].
pub(crate) struct CustomRole {
    pub(crate) id: Id,
    pub(crate) name: String,
}

/// A person, or the bot behind a service key.
pub(crate) struct User {
    pub(crate) id: Id,
    pub(crate) name: String,
    /// The role in the whole account: [`Role::Admin`] or [`Role::Member`].
    pub(crate) account_role: Role,
    grants: RwLock<Vec<OrganizationGrant>>,
}

#[derive(Clone)]
pub(crate) struct OrganizationGrant {
    pub(crate) organization: Arc<OrganizationRecord>,
    pub(crate) role: Role,
    pub(crate) spaces: Vec<SpaceGrant>,
}

#[derive(Clone)]
pub(crate) struct SpaceGrant {
    pub(crate) space: Arc<SpaceRecord>,
    pub(crate) role: Assignment,
}

/// A role in a space.
#[derive(Clone)]
pub(crate) enum Assignment {
    Predefined(Role),
    Custom(Arc<CustomRole>),
}

impl Assignment {
    pub(crate) fn rank(&self) -> Role {
        match self {
            Self::Predefined(role) => *role,
            Self::Custom(_) => Role::Member,
        }
    }
}

impl User {
    pub(crate) fn new(id: Id, name: String, account_role: Role, grants: Vec<OrganizationGrant>) -> Self {
        Self { id, name, account_role, grants: RwLock::new(grants) }
    }

    pub(crate) fn is_admin(&self) -> bool {
        self.account_role == Role::Admin
    }

    pub(crate) fn grants(&self) -> RwLockReadGuard<'_, Vec<OrganizationGrant>> {
        self.grants.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The role in an organization; `None` if the user does not see it. A role in one of its spaces makes it visible.
    pub(crate) fn organization_role(&self, organization: &OrganizationRecord) -> Option<Role> {
        if self.is_admin() {
            return Some(Role::Admin);
        }
        self.grants().iter().find(|grant| grant.organization.id == organization.id).map(|grant| grant.role)
    }

    /// The role in a space; `None` if the user does not see it.
    pub(crate) fn space_role(&self, space: &SpaceRecord) -> Option<Role> {
        if self.is_admin() {
            return Some(Role::Admin);
        }
        let grants = self.grants();
        let grant = grants.iter().find(|grant| grant.organization.id == space.organization.id)?;
        if grant.role == Role::Admin {
            return Some(Role::Admin);
        }
        grant.spaces.iter().find(|grant| grant.space.id == space.id).map(|grant| grant.role.rank())
    }

    /// Whether the user may list and create the service keys of a space.
    pub(crate) fn may_work_in(&self, space: &SpaceRecord) -> bool {
        self.space_role(space) >= Some(Role::Member)
    }

    pub(crate) fn set_organization_role(&self, organization: &Arc<OrganizationRecord>, role: Role) {
        self.change(organization, |grant| grant.role = role);
    }

    pub(crate) fn set_space_role(&self, space: &Arc<SpaceRecord>, role: Role) {
        self.change(&space.organization, |grant| {
            grant.spaces.retain(|grant| grant.space.id != space.id);
            grant.spaces.push(SpaceGrant { space: Arc::clone(space), role: Assignment::Predefined(role) });
        });
    }

    fn change(&self, organization: &Arc<OrganizationRecord>, change: impl FnOnce(&mut OrganizationGrant)) {
        let mut grants = self.grants.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(grant) = grants.iter_mut().find(|grant| grant.organization.id == organization.id) {
            return change(grant);
        }
        let mut grant =
            OrganizationGrant { organization: Arc::clone(organization), role: Role::ReadOnly, spaces: Vec::new() };
        change(&mut grant);
        grants.push(grant);
    }
}
