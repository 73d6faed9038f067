//! The organizations and spaces that a service key is bound to.

use crate::error::{Error, InvalidRequest};
use crate::model::{OrgRole, RoleAssignment, SpaceRole};
use crate::operations::lookup::{Lookup, SpaceRef};
use crate::redact::Text;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Bindings {
    Space(SpaceRef),
    Organizations(Vec<OrgBinding>),
}

/// An organization that a service key is bound to, with 1 to 100 of its spaces.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct OrgBinding {
    pub(super) org_id: Text,
    pub(super) role: Option<RoleAssignment<OrgRole>>,
    pub(super) spaces: Vec<SpaceBinding>,
}

impl OrgBinding {
    /// The organization with this id.
    pub fn new(org_id: impl Into<String>) -> Self {
        Self { org_id: Text::new(org_id), role: None, spaces: Vec::new() }
    }

    /// The role in the organization: a predefined one. The service's default is read-only.
    pub fn role(mut self, role: impl Into<RoleAssignment<OrgRole>>) -> Self {
        self.role = Some(role.into());
        self
    }

    /// Adds a space of this organization.
    pub fn space(mut self, space: SpaceBinding) -> Self {
        self.spaces.push(space);
        self
    }

    /// Adds spaces of this organization.
    pub fn spaces(mut self, spaces: impl IntoIterator<Item = SpaceBinding>) -> Self {
        self.spaces.extend(spaces);
        self
    }
}

/// A space that a service key is bound to.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct SpaceBinding {
    pub(super) space: SpaceRef,
    pub(super) role: Option<RoleAssignment<SpaceRole>>,
}

impl SpaceBinding {
    /// This space, by id or name. The client looks a name up in the organization of the binding.
    pub fn new(space: impl Into<SpaceRef>) -> Self {
        Self { space: space.into(), role: None }
    }

    /// The role in the space. The service's default is member.
    pub fn role(mut self, role: impl Into<RoleAssignment<SpaceRole>>) -> Self {
        self.role = Some(role.into());
        self
    }
}

/// The ids of the bindings of a request, in its order.
pub(super) struct BindingIds(pub(super) Vec<OrganizationIds>);

pub(super) struct OrganizationIds {
    /// Empty where the stage needs none.
    pub(super) org_id: String,
    pub(super) space_ids: Vec<String>,
}

impl OrgBinding {
    /// Replaces the names of the spaces by ids. `n` is the index in the request.
    pub(super) fn resolve(&self, n: usize, lookup: &mut Lookup<'_>) -> Result<OrganizationIds, Error> {
        let mut space_ids = Vec::with_capacity(self.spaces.len());
        for (m, binding) in self.spaces.iter().enumerate() {
            let space_id = lookup.space_id(&binding.space, Some(&self.org_id))?;
            // A request may have a space by its name and by its id.
            if space_ids.contains(&space_id) {
                let field = format!("organizations[{n}].spaces[{m}].space");
                return Err(InvalidRequest::new(field, "is listed twice").into());
            }
            space_ids.push(space_id);
        }
        Ok(OrganizationIds { org_id: self.org_id.to_string(), space_ids })
    }
}
