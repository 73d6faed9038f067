//! Create a service key: `POST /v2/api-keys`.

use std::borrow::Cow;
use std::collections::HashSet;

use http::Method;
use serde::Serialize;
use time::OffsetDateTime;

use crate::call::{Call, Operation, Session};
use crate::error::{Error, InvalidRequest};
use crate::model::{AccountRole, ApiKeyType, OrgRole, RoleAssignment, SpaceRole, Word};
use crate::operations::spaces::{Lookup, SpaceRef};
use crate::operations::{Expiry, api_keys, check_texts, to_json};
use crate::redact::Text;
use crate::stage::ApiStage;

/// A service key to create: a key of a bot user with roles of its own.
///
/// There are two forms. [`new`](Self::new) names one space, and works on both stages: what else the service wants to know
/// today, the organization, the client finds by itself. [`for_organizations`](Self::for_organizations) is today's form, with
/// any number of organizations and spaces, and custom roles.
///
/// Roles that are not set are the service's to choose: member in the account and in a space, read-only in an organization.
///
/// ```
/// use arize_api_keys::{CreateServiceKeyRequest, OrgBinding, OrgRole, RoleAssignment, SpaceBinding, SpaceRole};
///
/// let simple = CreateServiceKeyRequest::new("ci-bot", "your-space-name-or-id")
///     .org_role(OrgRole::Member)
///     .space_role(SpaceRole::Member);
///
/// let wide = CreateServiceKeyRequest::for_organizations("etl", [
///     OrgBinding::new("T3JnYW5pemF0aW9uOjEwMDE6eFl6Vw").role(OrgRole::ReadOnly)
///         .space(SpaceBinding::new("prod").role(RoleAssignment::custom("Um9sZToxMTp6enp6")))
///         .space(SpaceBinding::new("staging")),
/// ]);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct CreateServiceKeyRequest {
    name: Text,
    description: Option<Text>,
    expires_at: Option<OffsetDateTime>,
    account_role: Option<RoleAssignment<AccountRole>>,
    org_id: Option<Text>,
    org_role: Option<RoleAssignment<OrgRole>>,
    space_role: Option<RoleAssignment<SpaceRole>>,
    bindings: Bindings,
}

#[derive(Clone, Debug, PartialEq)]
enum Bindings {
    Space(SpaceRef),
    Organizations(Vec<OrgBinding>),
}

/// An organization that a service key is bound to, with 1 to 100 of its spaces.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct OrgBinding {
    org_id: Text,
    role: Option<RoleAssignment<OrgRole>>,
    spaces: Vec<SpaceBinding>,
}

impl OrgBinding {
    /// The organization with this id.
    pub fn new(org_id: impl Into<String>) -> Self {
        Self { org_id: Text::new(org_id), role: None, spaces: Vec::new() }
    }

    /// The role in the organization. The service's default is read-only; it takes predefined roles only.
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
    space: SpaceRef,
    role: Option<RoleAssignment<SpaceRole>>,
}

impl SpaceBinding {
    /// This space, by id or name. A name is looked for in the organization of the binding.
    pub fn new(space: impl Into<SpaceRef>) -> Self {
        Self { space: space.into(), role: None }
    }

    /// The role in the space. The service's default is member.
    pub fn role(mut self, role: impl Into<RoleAssignment<SpaceRole>>) -> Self {
        self.role = Some(role.into());
        self
    }
}

impl CreateServiceKeyRequest {
    /// A key of this name (at most 256 characters) for one space, given by name or id. On both stages.
    pub fn new(name: impl Into<String>, space: impl Into<SpaceRef>) -> Self {
        Self::with(Text::new(name), Bindings::Space(space.into()))
    }

    /// A key of this name (at most 256 characters) for 1 to 100 organizations. On the beta stage.
    pub fn for_organizations(name: impl Into<String>, organizations: impl IntoIterator<Item = OrgBinding>) -> Self {
        Self::with(Text::new(name), Bindings::Organizations(organizations.into_iter().collect()))
    }

    fn with(name: Text, bindings: Bindings) -> Self {
        Self {
            name,
            description: None,
            expires_at: None,
            account_role: None,
            org_id: None,
            org_role: None,
            space_role: None,
            bindings,
        }
    }

    /// What the key is for: at most 1000 characters.
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = Some(Text::new(description));
        self
    }

    /// When the key stops working: in the future. Without it, never, unless the account caps the life of its keys.
    pub fn expires_at(mut self, expires_at: OffsetDateTime) -> Self {
        self.expires_at = Some(expires_at);
        self
    }

    /// The role in the account. The service's default is member; it takes predefined roles only.
    pub fn account_role(mut self, role: impl Into<RoleAssignment<AccountRole>>) -> Self {
        self.account_role = Some(role.into());
        self
    }

    /// The role in the organization of the space. For the form with one space.
    pub fn org_role(mut self, role: impl Into<RoleAssignment<OrgRole>>) -> Self {
        self.org_role = Some(role.into());
        self
    }

    /// The role in the space. For the form with one space.
    pub fn space_role(mut self, role: impl Into<RoleAssignment<SpaceRole>>) -> Self {
        self.space_role = Some(role.into());
        self
    }

    /// The id of the organization of the space: saves looking it up, and tells spaces of the same name apart. For the form
    /// with one space.
    pub fn org_id(mut self, org_id: impl Into<String>) -> Self {
        self.org_id = Some(Text::new(org_id));
        self
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Everything that can be checked before any I/O.
    pub(crate) fn check(&self, stage: ApiStage) -> Result<(), InvalidRequest> {
        check_texts(&self.name, self.description.as_deref())?;
        check_role("account_role", self.account_role.as_ref())?;
        match &self.bindings {
            Bindings::Space(space) => {
                check_role("org_role", self.org_role.as_ref())?;
                check_role("space_role", self.space_role.as_ref())?;
                space.check("space")?;
                if self.org_id.as_deref() == Some("") {
                    return Err(InvalidRequest::new("org_id", "must not be empty"));
                }
            }
            Bindings::Organizations(organizations) => self.check_organizations(stage, organizations)?,
        }
        if stage == ApiStage::Alpha { self.check_alpha() } else { Ok(()) }
    }

    fn check_organizations(&self, stage: ApiStage, organizations: &[OrgBinding]) -> Result<(), InvalidRequest> {
        if stage == ApiStage::Alpha {
            return Err(InvalidRequest::new(
                "organizations",
                "cannot be said on the alpha stage: use `CreateServiceKeyRequest::new` with one space, or the beta stage",
            ));
        }
        let stray = [
            ("org_id", self.org_id.is_some(), "goes into `OrgBinding::new` in the form with organizations"),
            ("org_role", self.org_role.is_some(), "goes to `OrgBinding::role` in the form with organizations"),
            ("space_role", self.space_role.is_some(), "goes to `SpaceBinding::role` in the form with organizations"),
        ];
        if let Some((field, _, problem)) = stray.into_iter().find(|(_, is_set, _)| *is_set) {
            return Err(InvalidRequest::new(field, problem));
        }
        if !(1..=100).contains(&organizations.len()) {
            return Err(InvalidRequest::new("organizations", "must be 1 to 100"));
        }
        let mut seen = HashSet::new();
        for (n, organization) in organizations.iter().enumerate() {
            if organization.org_id.is_empty() {
                return Err(InvalidRequest::new(format!("organizations[{n}].org_id"), "must not be empty"));
            }
            if !seen.insert(&*organization.org_id) {
                return Err(InvalidRequest::new(
                    format!("organizations[{n}].org_id"),
                    "is there already: put its spaces into one binding",
                ));
            }
            if !(1..=100).contains(&organization.spaces.len()) {
                return Err(InvalidRequest::new(format!("organizations[{n}].spaces"), "must be 1 to 100"));
            }
            check_role(&format!("organizations[{n}].role"), organization.role.as_ref())?;
            let mut spaces = HashSet::new();
            for (m, binding) in organization.spaces.iter().enumerate() {
                let field = format!("organizations[{n}].spaces[{m}]");
                binding.space.check(&format!("{field}.space"))?;
                check_role(&format!("{field}.role"), binding.role.as_ref())?;
                if !spaces.insert(&binding.space) {
                    return Err(InvalidRequest::new(format!("{field}.space"), "is there already"));
                }
            }
        }
        Ok(())
    }

    /// What the alpha stage has no words for.
    fn check_alpha(&self) -> Result<(), InvalidRequest> {
        let account = self.account_role.as_ref().is_none_or(|role| {
            matches!(
                role,
                RoleAssignment::Predefined(AccountRole::Admin | AccountRole::Member | AccountRole::Unknown(_))
            )
        });
        let org = self
            .org_role
            .as_ref()
            .is_none_or(|role| matches!(role, RoleAssignment::Predefined(role) if *role != OrgRole::Annotator));
        let space = self
            .space_role
            .as_ref()
            .is_none_or(|role| matches!(role, RoleAssignment::Predefined(role) if *role != SpaceRole::Annotator));
        let roles = [
            ("account_role", account, "must be `admin` or `member` on the alpha stage: use the beta stage for others"),
            (
                "org_role",
                org,
                "must be `admin`, `member` or `read-only` on the alpha stage: use the beta stage for others",
            ),
            (
                "space_role",
                space,
                "must be `admin`, `member` or `read-only` on the alpha stage: use the beta stage for others",
            ),
        ];
        match roles.into_iter().find(|(_, is_known, _)| !is_known) {
            Some((field, _, problem)) => Err(InvalidRequest::new(field, problem)),
            None => Ok(()),
        }
    }

    /// Looks up what is named, and says it in the words of the stage. Everything that needs no I/O is checked before.
    pub(crate) fn lower(&self, stage: ApiStage, session: &Session<'_>) -> Result<Call, Error> {
        self.check(stage)?;
        let expires_at = Expiry::new_opt(self.expires_at, session.started())?;
        let mut lookup = Lookup::new(session);
        let mut body = Body {
            key_type: ApiKeyType::Service.word(stage),
            name: &self.name,
            description: self.description.as_deref(),
            expires_at,
            space_id: None,
            roles: None,
            account_role: None,
            organizations: Vec::new(),
        };
        match (&self.bindings, stage) {
            (Bindings::Space(space), ApiStage::Alpha) => {
                body.space_id = Some(lookup.space_id(space, self.org_id.as_deref())?);
                body.roles = self.flat_roles();
            }
            (Bindings::Space(space), ApiStage::Beta) => {
                let (space_id, org_id) = match &self.org_id {
                    Some(org_id) => (lookup.space_id(space, Some(org_id))?, org_id.to_string()),
                    None => lookup.space_and_organization(space)?,
                };
                body.account_role = self.account_role.as_ref().map(Role::new);
                body.organizations = vec![OrganizationBody {
                    org_id: Cow::Owned(org_id),
                    role: self.org_role.as_ref().map(Role::new),
                    spaces: vec![SpaceBody { space_id, role: self.space_role.as_ref().map(Role::new) }],
                }];
            }
            (Bindings::Organizations(organizations), _) => {
                body.account_role = self.account_role.as_ref().map(Role::new);
                for (n, organization) in organizations.iter().enumerate() {
                    body.organizations.push(organization.lower(n, &mut lookup)?);
                }
            }
        }
        Ok(Call {
            operation: Operation::CreateServiceKey,
            method: Method::POST,
            target: api_keys(),
            body: Some(to_json(&body)?),
            subject: Some(self.name.to_string()),
        })
    }

    /// The roles of the alpha stage; none at all if none is set.
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

impl OrgBinding {
    fn lower(&self, n: usize, lookup: &mut Lookup<'_>) -> Result<OrganizationBody<'_>, Error> {
        let mut spaces: Vec<SpaceBody<'_>> = Vec::with_capacity(self.spaces.len());
        for (m, binding) in self.spaces.iter().enumerate() {
            let space_id = lookup.space_id(&binding.space, Some(&self.org_id))?;
            // A space can be named by its name and by its id.
            if spaces.iter().any(|space| space.space_id == space_id) {
                let field = format!("organizations[{n}].spaces[{m}].space");
                return Err(InvalidRequest::new(field, "is there already").into());
            }
            spaces.push(SpaceBody { space_id, role: binding.role.as_ref().map(Role::new) });
        }
        Ok(OrganizationBody { org_id: Cow::Borrowed(&self.org_id), role: self.role.as_ref().map(Role::new), spaces })
    }
}

/// Both dialects: `space_id` and `roles` are alpha, `account_role` and `organizations` are beta.
#[derive(Serialize)]
struct Body<'a> {
    key_type: Cow<'a, str>,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Expiry>,
    #[serde(skip_serializing_if = "Option::is_none")]
    space_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    roles: Option<FlatRoles<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    account_role: Option<Role<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    organizations: Vec<OrganizationBody<'a>>,
}

#[derive(Serialize)]
struct FlatRoles<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    space_role: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    org_role: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    account_role: Option<Cow<'a, str>>,
}

#[derive(Serialize)]
struct OrganizationBody<'a> {
    org_id: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<Role<'a>>,
    spaces: Vec<SpaceBody<'a>>,
}

#[derive(Serialize)]
struct SpaceBody<'a> {
    space_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<Role<'a>>,
}

/// A role assignment of the beta stage.
#[derive(Serialize)]
struct Role<'a> {
    r#type: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
}

impl<'a> Role<'a> {
    fn new<R: Word>(role: &'a RoleAssignment<R>) -> Self {
        match role {
            RoleAssignment::Predefined(role) => {
                Self { r#type: "PREDEFINED", name: Some(role.word(ApiStage::Beta)), id: None }
            }
            RoleAssignment::Custom { id, .. } => Self { r#type: "CUSTOM", name: None, id: Some(id) },
            // Refused by `check_role`; the service would refuse it too.
            RoleAssignment::Unknown(kind) => Self { r#type: kind, name: None, id: None },
        }
    }
}

/// A role of the alpha stage; others than predefined ones are refused by `check_alpha`.
fn flat_role<R: Word>(role: &RoleAssignment<R>) -> Option<Cow<'_, str>> {
    match role {
        RoleAssignment::Predefined(role) => Some(role.word(ApiStage::Alpha)),
        RoleAssignment::Custom { .. } | RoleAssignment::Unknown(_) => None,
    }
}

fn check_role<R>(field: &str, role: Option<&RoleAssignment<R>>) -> Result<(), InvalidRequest> {
    let problem = match role {
        Some(RoleAssignment::Custom { id, .. }) if id.is_empty() => "must have the id of the custom role",
        Some(RoleAssignment::Unknown(_)) => "must be a predefined role or `RoleAssignment::custom`",
        _ => return Ok(()),
    };
    Err(InvalidRequest::new(field.to_owned(), problem))
}
