//! List spaces and organizations: `GET /v2/spaces`, `GET /v2/organizations`.

use crate::error::InvalidRequest;
use crate::operation::Operation;
use crate::redact::Text;
use crate::request_target::RequestTarget;

/// The page size of these lists: the most that the service allows.
const LIMIT: &str = "100";

/// The spaces to list. Every filter is optional.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct ListSpacesRequest {
    name: Option<Text>,
    organization: Option<Text>,
}

impl ListSpacesRequest {
    /// No filters: every space that the API key may see.
    pub fn new() -> Self {
        Self::default()
    }

    /// Only spaces whose name contains this text, in any case: 1 to 255 characters.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(Text::new(name));
        self
    }

    /// Only spaces of the organization with this id.
    pub fn organization(mut self, org_id: impl Into<String>) -> Self {
        self.organization = Some(Text::new(org_id));
        self
    }

    pub(crate) fn validate(&self) -> Result<(), InvalidRequest> {
        validate_name(self.name.as_deref())?;
        match self.organization.as_deref() {
            Some("") => Err(InvalidRequest::new("organization", "must not be empty")),
            _ => Ok(()),
        }
    }

    pub(crate) fn to_target(&self) -> RequestTarget {
        spaces(self.organization.as_deref(), self.name.as_deref())
    }
}

/// The organizations to list. Every filter is optional.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct ListOrganizationsRequest {
    name: Option<Text>,
}

impl ListOrganizationsRequest {
    /// No filters: every organization that the API key may see.
    pub fn new() -> Self {
        Self::default()
    }

    /// Only organizations whose name contains this text, in any case: 1 to 255 characters.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(Text::new(name));
        self
    }

    pub(crate) fn validate(&self) -> Result<(), InvalidRequest> {
        validate_name(self.name.as_deref())
    }

    pub(crate) fn to_target(&self) -> RequestTarget {
        organizations(self.name.as_deref())
    }
}

fn validate_name(name: Option<&str>) -> Result<(), InvalidRequest> {
    match name {
        Some(name) if name.is_empty() || name.chars().nth(255).is_some() => {
            Err(InvalidRequest::new("name", "must have 1 to 255 characters"))
        }
        _ => Ok(()),
    }
}

/// The list of spaces, for the verb and for look-ups.
pub(super) fn spaces(org_id: Option<&str>, name: Option<&str>) -> RequestTarget {
    RequestTarget::new("/v2/spaces").query_opt("org_id", org_id).query_opt("name", name).query("limit", LIMIT)
}

/// The list of organizations, for the verb and for look-ups.
pub(super) fn organizations(name: Option<&str>) -> RequestTarget {
    RequestTarget::new("/v2/organizations").query_opt("name", name).query("limit", LIMIT)
}

/// The member of a page that holds the items of `operation`.
pub(crate) fn member(operation: Operation) -> &'static str {
    if operation == Operation::ListOrganizations { "organizations" } else { "spaces" }
}
