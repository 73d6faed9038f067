//! The roles of a new service key: the requested ones, checked and turned into grants.

use std::sync::Arc;

use serde_json::Value;

use super::context::Context;
use super::json_object::JsonObject;
use super::problem::ProblemResponse;
use crate::emulator::account::Account;
use crate::emulator::account::directory::{Assignment, OrganizationGrant, SpaceGrant, SpaceRecord};
use crate::emulator::account::enums::{Role, StageWords};
use crate::stage::ApiStage;

const MAX_ENTRIES: usize = 100;

/// The roles that a request asks for.
pub(crate) struct RequestedRoles {
    account_role: Role,
    scope: RequestedScope,
}

enum RequestedScope {
    /// The flat dialects: a space, and its organization without saying which.
    Space {
        organization_role: Role,
        space: RequestedSpace,
    },
    Organizations(Vec<RequestedOrganization>),
}

struct RequestedOrganization {
    id: String,
    path: String,
    role: Role,
    spaces: Vec<RequestedSpace>,
}

struct RequestedSpace {
    id: String,
    path: String,
    role: RequestedRole,
}

enum RequestedRole {
    Predefined(Role),
    Custom { id: String, path: String },
}

/// The three places where a role can stand, and what each refuses.
#[derive(Clone, Copy)]
enum Level {
    Account,
    Organization,
    Space,
}

impl Level {
    fn default_role(self) -> Role {
        match self {
            Self::Account | Self::Space => Role::Member,
            Self::Organization => Role::ReadOnly,
        }
    }

    /// Reads a predefined role. A role that the account level refuses is a 400, by the newest description; the
    /// other levels answer 422.
    fn read(self, word: &str, stage: ApiStage, path: &str) -> Result<Role, ProblemResponse> {
        let refused = format!("`{path}`: service keys cannot have `{word}`");
        let unknown = ProblemResponse::bad_request(format!("`{path}` cannot be `{word}`"));
        match (self, stage, word) {
            (Self::Account, ApiStage::Beta, "ANNOTATOR" | "MEMBER_UI_ONLY") => {
                Err(ProblemResponse::bad_request(refused))
            }
            (_, ApiStage::Beta, "ANNOTATOR") => Err(ProblemResponse::unprocessable(refused)),
            _ => match (self, Role::read(word).filter(|(_, spoken)| *spoken == stage)) {
                (Self::Account, Some((Role::ReadOnly, _))) | (_, None) => Err(unknown),
                (_, Some((role, _))) => Ok(role),
            },
        }
    }
}

impl RequestedRoles {
    /// `space_id` and `roles`, in the words of either stage.
    pub(crate) fn flat(fields: &JsonObject<'_>, stage: ApiStage) -> Result<Self, ProblemResponse> {
        let nothing = Value::Object(serde_json::Map::new());
        let roles = JsonObject::of(fields.value("roles").unwrap_or(&nothing), "roles")?;
        if stage == ApiStage::Beta {
            roles.only(&["space_role", "org_role", "account_role"])?;
        }
        let role = |name: &str, level: Level| match roles.text(name)? {
            None => Ok(level.default_role()),
            Some(word) => level.read(word, stage, &roles.path(name)),
        };
        Ok(Self {
            account_role: role("account_role", Level::Account)?,
            scope: RequestedScope::Space {
                organization_role: role("org_role", Level::Organization)?,
                space: RequestedSpace {
                    id: fields.required_text("space_id")?.to_owned(),
                    path: "space_id".to_owned(),
                    role: RequestedRole::Predefined(role("space_role", Level::Space)?),
                },
            },
        })
    }

    /// `account_role` and `organizations`, as today's service has them.
    pub(crate) fn nested(fields: &JsonObject<'_>) -> Result<Self, ProblemResponse> {
        Ok(Self {
            account_role: predefined(fields, "account_role", Level::Account)?,
            scope: RequestedScope::Organizations(entries(fields, "organizations", RequestedOrganization::read)?),
        })
    }

    /// The assignments in the account: every part has to exist and to belong together, and the caller must be allowed to give it.
    pub(crate) fn resolve(
        self,
        account: &Account,
        context: &Context<'_>,
    ) -> Result<(Role, Vec<OrganizationGrant>), ProblemResponse> {
        if self.account_role > context.caller.account_role {
            return Err(above("account_role"));
        }
        let grants = match self.scope {
            RequestedScope::Space { organization_role, space } => {
                let found = context.visible_space(account, &space.id, &space.path)?;
                let organization = Arc::clone(&found.organization);
                if Some(organization_role) > context.caller.organization_role(&organization) {
                    return Err(above("roles.org_role"));
                }
                let spaces = vec![space.resolve(account, context)?];
                vec![OrganizationGrant { organization, role: organization_role, spaces }]
            }
            RequestedScope::Organizations(bindings) => {
                let mut grants: Vec<OrganizationGrant> = Vec::with_capacity(bindings.len());
                for binding in bindings {
                    let path = format!("{}.org_id", binding.path);
                    let grant = binding.resolve(account, context)?;
                    if grants.iter().any(|other| other.organization.id == grant.organization.id) {
                        return Err(ProblemResponse::unprocessable(format!(
                            "`{path}` names an organization a second time"
                        )));
                    }
                    grants.push(grant);
                }
                grants
            }
        };
        Ok((self.account_role, grants))
    }
}

impl RequestedOrganization {
    fn read(fields: &JsonObject<'_>, path: &str) -> Result<Self, ProblemResponse> {
        fields.only(&["org_id", "role", "spaces"])?;
        Ok(Self {
            id: fields.required_text("org_id")?.to_owned(),
            path: path.to_owned(),
            role: predefined(fields, "role", Level::Organization)?,
            spaces: entries(fields, "spaces", RequestedSpace::read)?,
        })
    }

    fn resolve(self, account: &Account, context: &Context<'_>) -> Result<OrganizationGrant, ProblemResponse> {
        let organization = context.visible_organization(account, &self.id, &format!("{}.org_id", self.path))?;
        if Some(self.role) > context.caller.organization_role(organization) {
            return Err(above(&format!("{}.role", self.path)));
        }
        let mut spaces: Vec<SpaceGrant> = Vec::with_capacity(self.spaces.len());
        for binding in self.spaces {
            let path = binding.path.clone();
            let grant = binding.resolve(account, context)?;
            if grant.space.organization.id != organization.id {
                return Err(ProblemResponse::unprocessable(format!("`{path}` is a space of another organization")));
            }
            if spaces.iter().any(|other| other.space.id == grant.space.id) {
                return Err(ProblemResponse::unprocessable(format!("`{path}` names a space a second time")));
            }
            spaces.push(grant);
        }
        Ok(OrganizationGrant { organization: Arc::clone(organization), role: self.role, spaces })
    }
}

impl RequestedSpace {
    fn read(fields: &JsonObject<'_>, path: &str) -> Result<Self, ProblemResponse> {
        fields.only(&["space_id", "role"])?;
        Ok(Self {
            id: fields.required_text("space_id")?.to_owned(),
            path: format!("{path}.space_id"),
            role: assignment(fields, "role", Level::Space)?,
        })
    }

    fn resolve(self, account: &Account, context: &Context<'_>) -> Result<SpaceGrant, ProblemResponse> {
        let space: &Arc<SpaceRecord> = context.visible_space(account, &self.id, &self.path)?;
        let role = match self.role {
            RequestedRole::Predefined(role) => Assignment::Predefined(role),
            RequestedRole::Custom { id, path } => match account.custom_roles.find(&id) {
                Some(role) => Assignment::Custom(Arc::clone(role)),
                None => return Err(ProblemResponse::unprocessable(format!("`{path}`: there is no such role"))),
            },
        };
        if !context.caller.may_work_in(space) {
            return Err(ProblemResponse::forbidden(format!(
                "`{}`: you may not create service keys in this space",
                self.path
            )));
        }
        if Some(role.rank()) > context.caller.space_role(space) {
            return Err(above(&self.path));
        }
        Ok(SpaceGrant { space: Arc::clone(space), role })
    }
}

fn above(path: &str) -> ProblemResponse {
    ProblemResponse::unprocessable(format!("`{path}`: the role is above your own"))
}

/// A required array of 1 to 100 objects.
fn entries<T>(
    fields: &JsonObject<'_>,
    name: &str,
    read: impl Fn(&JsonObject<'_>, &str) -> Result<T, ProblemResponse>,
) -> Result<Vec<T>, ProblemResponse> {
    let entries = fields.array(name)?.ok_or_else(|| fields.missing(name))?;
    let path = fields.path(name);
    if !(1..=MAX_ENTRIES).contains(&entries.len()) {
        return Err(ProblemResponse::bad_request(format!("`{path}` must have 1 to {MAX_ENTRIES} entries")));
    }
    let read_one = |(place, entry)| {
        let path = format!("{path}[{place}]");
        read(&JsonObject::of(entry, &path)?, &path)
    };
    entries.iter().enumerate().map(read_one).collect()
}

/// A role assignment: `{type: PREDEFINED, name}` or `{type: CUSTOM, id}`.
fn assignment(fields: &JsonObject<'_>, name: &str, level: Level) -> Result<RequestedRole, ProblemResponse> {
    let Some(value) = fields.value(name) else { return Ok(RequestedRole::Predefined(level.default_role())) };
    let role = JsonObject::of(value, &fields.path(name))?;
    match role.required_text("type")? {
        "PREDEFINED" => {
            role.only(&["type", "name"])?;
            let word = role.required_text("name")?;
            Ok(RequestedRole::Predefined(level.read(word, ApiStage::Beta, &role.path("name"))?))
        }
        "CUSTOM" => {
            role.only(&["type", "id"])?;
            Ok(RequestedRole::Custom { id: role.required_text("id")?.to_owned(), path: role.path("id") })
        }
        word => Err(ProblemResponse::bad_request(format!("`{}` cannot be `{word}`", role.path("type")))),
    }
}

/// A role assignment where the service does not take custom roles yet.
fn predefined(fields: &JsonObject<'_>, name: &str, level: Level) -> Result<Role, ProblemResponse> {
    match assignment(fields, name, level)? {
        RequestedRole::Predefined(role) => Ok(role),
        RequestedRole::Custom { .. } => {
            Err(ProblemResponse::unprocessable(format!("`{}`: custom roles are for spaces only", fields.path(name))))
        }
    }
}
