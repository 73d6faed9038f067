//! The body of a service-key request, on both stages.

use std::borrow::Cow;

use http::Method;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use time::OffsetDateTime;

use super::CreateServiceKeyRequest;
use super::bindings::{BindingIds, Bindings, OrganizationIds};
use crate::error::InvalidRequest;
use crate::model::{ApiKeyType, OrgRole, RoleAssignment, SpaceRole, WireEnum};
use crate::operation::Operation;
use crate::operations::{Expiry, api_keys, to_json};
use crate::pipeline::ApiRequest;
use crate::serialize::serialize_members;
use crate::stage::ApiStage;

impl CreateServiceKeyRequest {
    /// `ids` are those of the bindings, in their order.
    pub(super) fn to_request(
        &self,
        stage: ApiStage,
        now: OffsetDateTime,
        ids: &BindingIds,
    ) -> Result<ApiRequest, InvalidRequest> {
        let mut body = ServiceKeyBody {
            key_type: ApiKeyType::Service.word(stage),
            name: &self.name,
            description: self.description.as_deref(),
            expires_at: Expiry::new_opt(self.expires_at, now)?,
            space_id: None,
            roles: None,
            account_role: None,
            organizations: None,
        };
        match stage {
            ApiStage::Alpha => {
                body.space_id = ids.0.iter().flat_map(|ids| &ids.space_ids).next().map(String::as_str);
                body.roles = self.flat_roles();
            }
            ApiStage::Beta => {
                body.account_role = self.account_role.as_ref().map(RoleBody::new);
                body.organizations = Some(self.organizations(ids));
            }
        }
        Ok(ApiRequest {
            operation: Operation::CreateServiceKey,
            method: Method::POST,
            target: api_keys(),
            body: Some(to_json(&body)?),
            subject: Some(self.name.to_string()),
        })
    }

    fn organizations<'a>(&'a self, ids: &'a BindingIds) -> Vec<OrganizationBody<'a>> {
        match &self.bindings {
            Bindings::Space(_) => {
                let organization = |ids| OrganizationBody::new(ids, self.org_role.as_ref(), [self.space_role.as_ref()]);
                ids.0.iter().map(organization).collect()
            }
            Bindings::Organizations(bindings) => {
                let roles = |spaces: &'a [super::SpaceBinding]| spaces.iter().map(|binding| binding.role.as_ref());
                let organization = |(ids, binding): (_, &'a super::OrgBinding)| {
                    OrganizationBody::new(ids, binding.role.as_ref(), roles(&binding.spaces))
                };
                ids.0.iter().zip(bindings).map(organization).collect()
            }
        }
    }

    /// The member `roles` of the alpha stage; absent if no role is set.
    fn flat_roles(&self) -> Option<FlatRoles<'_>> {
        let roles = FlatRoles {
            space_role: self.space_role.as_ref().and_then(flat_role),
            org_role: self.org_role.as_ref().and_then(flat_role),
            account_role: self.account_role.as_ref().and_then(flat_role),
        };
        let any = roles.space_role.is_some() || roles.org_role.is_some() || roles.account_role.is_some();
        any.then_some(roles)
    }
}

/// The body on both stages: `space_id` and `roles` are alpha, `account_role` and `organizations` are beta.
struct ServiceKeyBody<'a> {
    key_type: Cow<'a, str>,
    name: &'a str,
    description: Option<&'a str>,
    expires_at: Option<Expiry>,
    space_id: Option<&'a str>,
    roles: Option<FlatRoles<'a>>,
    account_role: Option<RoleBody<'a>>,
    organizations: Option<Vec<OrganizationBody<'a>>>,
}

serialize_members!(ServiceKeyBody<'_> {
    key_type,
    name,
    description if is_some,
    expires_at if is_some,
    space_id if is_some,
    roles if is_some,
    account_role if is_some,
    organizations if is_some,
});

struct FlatRoles<'a> {
    space_role: Option<Cow<'a, str>>,
    org_role: Option<Cow<'a, str>>,
    account_role: Option<Cow<'a, str>>,
}

serialize_members!(FlatRoles<'_> { space_role if is_some, org_role if is_some, account_role if is_some });

struct OrganizationBody<'a> {
    org_id: &'a str,
    role: Option<RoleBody<'a>>,
    spaces: Vec<SpaceBody<'a>>,
}

serialize_members!(OrganizationBody<'_> { org_id, role if is_some, spaces });

struct SpaceBody<'a> {
    space_id: &'a str,
    role: Option<RoleBody<'a>>,
}

serialize_members!(SpaceBody<'_> { space_id, role if is_some });

impl<'a> OrganizationBody<'a> {
    fn new(
        ids: &'a OrganizationIds,
        role: Option<&'a RoleAssignment<OrgRole>>,
        space_roles: impl IntoIterator<Item = Option<&'a RoleAssignment<SpaceRole>>>,
    ) -> Self {
        let space = |(space_id, role): (&'a String, Option<_>)| SpaceBody { space_id, role: role.map(RoleBody::new) };
        let spaces = ids.space_ids.iter().zip(space_roles).map(space).collect();
        Self { org_id: &ids.org_id, role: role.map(RoleBody::new), spaces }
    }
}

/// A role assignment of the beta stage.
struct RoleBody<'a> {
    kind: &'a str,
    name: Option<Cow<'a, str>>,
    id: Option<&'a str>,
}

impl Serialize for RoleBody<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { kind, name, id } = self;
        let mut body = serializer.serialize_map(None)?;
        body.serialize_entry("type", kind)?;
        if let Some(name) = name {
            body.serialize_entry("name", name)?;
        }
        if let Some(id) = id {
            body.serialize_entry("id", id)?;
        }
        body.end()
    }
}

impl<'a> RoleBody<'a> {
    fn new<R: WireEnum>(role: &'a RoleAssignment<R>) -> Self {
        match role {
            RoleAssignment::Predefined(role) => {
                Self { kind: "PREDEFINED", name: Some(role.word(ApiStage::Beta)), id: None }
            }
            RoleAssignment::Custom { id, .. } => Self { kind: "CUSTOM", name: None, id: Some(id) },
            // Refused by `validate_role`; the service would refuse it too.
            RoleAssignment::Unknown(kind) => Self { kind, name: None, id: None },
        }
    }
}

/// A role of the alpha stage; others than predefined ones are refused by `validate_for_alpha`.
fn flat_role<R: WireEnum>(role: &RoleAssignment<R>) -> Option<Cow<'_, str>> {
    match role {
        RoleAssignment::Predefined(role) => Some(role.word(ApiStage::Alpha)),
        RoleAssignment::Custom { .. } | RoleAssignment::Unknown(_) => None,
    }
}
