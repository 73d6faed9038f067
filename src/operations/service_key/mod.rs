//! Create a service key: `POST /v2/api-keys`.

mod bindings;
mod body;
mod validate;

use std::time::Duration;

use time::OffsetDateTime;

use self::bindings::{BindingIds, Bindings, OrganizationIds};
pub use self::bindings::{OrgBinding, SpaceBinding};
use crate::error::Error;
use crate::model::{AccountRole, ApiKeyCreated, OrgRole, RoleAssignment, SpaceRole};
use crate::operations::lookup::{Lookup, SpaceRef};
use crate::operations::{ExpiryRequest, decode_created};
use crate::pipeline::CallScope;
use crate::redact::Text;
use crate::stage::ApiStage;

/// A service key to create: the key of a new bot user with its own roles.
///
/// There are two forms. [`new`](Self::new) takes one space and works on both stages; on the beta stage the client looks
/// up the organization of the space. [`for_organizations`](Self::for_organizations) takes organizations, spaces and custom
/// roles, on the beta stage only.
///
/// The service's default roles are member in the account, read-only in an organization, and member in a space.
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
    expires_at: Option<ExpiryRequest>,
    account_role: Option<RoleAssignment<AccountRole>>,
    org_id: Option<Text>,
    org_role: Option<RoleAssignment<OrgRole>>,
    space_role: Option<RoleAssignment<SpaceRole>>,
    bindings: Bindings,
}

impl CreateServiceKeyRequest {
    /// A key with this name (1 to 256 characters) for one space, given by name or id. On both stages.
    pub fn new(name: impl Into<String>, space: impl Into<SpaceRef>) -> Self {
        Self::with(Text::new(name), Bindings::Space(space.into()))
    }

    /// A key with this name (1 to 256 characters) for 1 to 100 organizations. On the beta stage.
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

    /// The purpose of the key: at most 1000 characters.
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = Some(Text::new(description));
        self
    }

    /// The time at which the key stops working, in the future. Without it the key does not expire, unless the account
    /// limits the lifetime of its keys.
    pub fn expires_at(mut self, expires_at: OffsetDateTime) -> Self {
        self.expires_at = Some(ExpiryRequest::At(expires_at));
        self
    }

    /// The lifetime of the key from the moment of the call, in whole seconds. It replaces
    /// [`expires_at`](Self::expires_at).
    pub fn expires_in(mut self, lifetime: Duration) -> Self {
        self.expires_at = Some(ExpiryRequest::In(lifetime));
        self
    }

    /// The role in the account: a predefined one. The service's default is member.
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

    /// The id of the organization of the space. It avoids the look-up, and selects one of several spaces with the same
    /// name. For the form with one space.
    pub fn org_id(mut self, org_id: impl Into<String>) -> Self {
        self.org_id = Some(Text::new(org_id));
        self
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn current_description(&self) -> Option<&str> {
        self.description.as_deref()
    }

    pub(crate) fn has_expiry(&self) -> bool {
        self.expires_at.is_some()
    }

    /// Sets the name if it is empty.
    pub(crate) fn or_name(mut self, name: &str) -> Self {
        if self.name.is_empty() {
            self.name = Text::new(name);
        }
        self
    }

    /// The spaces that the key is bound to, each with the id of its organization if the request has it.
    pub(crate) fn spaces(&self) -> Vec<(SpaceRef, Option<&str>)> {
        match &self.bindings {
            Bindings::Space(space) => vec![(space.clone(), self.org_id.as_deref())],
            Bindings::Organizations(organizations) => organizations
                .iter()
                .flat_map(|binding| binding.spaces.iter().map(|space| (space.space.clone(), Some(&*binding.org_id))))
                .collect(),
        }
    }

    /// Replaces names by ids.
    fn resolve(&self, scope: &CallScope<'_>) -> Result<BindingIds, Error> {
        let mut lookup = Lookup::new(scope);
        match &self.bindings {
            Bindings::Space(space) => {
                let (space_id, org_id) = match (&self.org_id, scope.settings().stage) {
                    (Some(org_id), _) => (lookup.space_id(space, Some(org_id))?, org_id.to_string()),
                    // The alpha stage has no organization in the request.
                    (None, ApiStage::Alpha) => (lookup.space_id(space, None)?, String::new()),
                    (None, ApiStage::Beta) => lookup.space_and_organization(space)?,
                };
                Ok(BindingIds(vec![OrganizationIds { org_id, space_ids: vec![space_id] }]))
            }
            Bindings::Organizations(organizations) => {
                let ids = organizations.iter().enumerate().map(|(n, binding)| binding.resolve(n, &mut lookup));
                Ok(BindingIds(ids.collect::<Result<_, _>>()?))
            }
        }
    }
}

/// Creates a service key.
pub(crate) fn send(scope: &CallScope<'_>, request: &CreateServiceKeyRequest) -> Result<ApiKeyCreated, Error> {
    let stage = scope.settings().stage;
    request.validate(stage, scope.started())?;
    let ids = request.resolve(scope)?;
    scope.run(&request.to_request(stage, scope.started(), &ids)?, |response| {
        decode_created(response, &scope.settings().credentials.current())
    })
}
