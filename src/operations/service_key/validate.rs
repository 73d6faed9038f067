//! The checks of a service-key request that need no I/O.

use std::collections::HashSet;

use time::OffsetDateTime;

use super::CreateServiceKeyRequest;
use super::bindings::{Bindings, OrgBinding};
use crate::error::InvalidRequest;
use crate::model::{AccountRole, OrgRole, RoleAssignment, SpaceRole};
use crate::operations::{Expiry, validate_texts};
use crate::stage::ApiStage;

impl CreateServiceKeyRequest {
    /// Checks the texts, the expiry, the roles and the bindings without I/O, for this stage of the API.
    /// [`create_service_key`](crate::ApiKeysClient::create_service_key) begins with it; call it before you open a store for the secret.
    ///
    /// # Errors
    ///
    /// [`InvalidRequest`] names the field and the rule that it breaks.
    pub fn validate(&self, stage: ApiStage, now: OffsetDateTime) -> Result<(), InvalidRequest> {
        validate_texts(&self.name, self.description.as_deref())?;
        Expiry::new_opt(self.expires_at, now)?;
        validate_role("account_role", self.account_role.as_ref())?;
        match &self.bindings {
            Bindings::Space(space) => {
                validate_role("org_role", self.org_role.as_ref())?;
                validate_role("space_role", self.space_role.as_ref())?;
                space.check("space")?;
                if self.org_id.as_deref() == Some("") {
                    return Err(InvalidRequest::new("org_id", "must not be empty"));
                }
            }
            Bindings::Organizations(organizations) => self.validate_organizations(stage, organizations)?,
        }
        if stage == ApiStage::Alpha { self.validate_for_alpha() } else { Ok(()) }
    }

    fn validate_organizations(&self, stage: ApiStage, organizations: &[OrgBinding]) -> Result<(), InvalidRequest> {
        if stage == ApiStage::Alpha {
            return Err(InvalidRequest::new(
                "organizations",
                "the alpha stage has one space per key: use `CreateServiceKeyRequest::new`, or the beta stage",
            ));
        }
        let stray = [
            ("org_id", self.org_id.is_some(), "must be passed to `OrgBinding::new` instead"),
            ("org_role", self.org_role.is_some(), "must be passed to `OrgBinding::role` instead"),
            ("space_role", self.space_role.is_some(), "must be passed to `SpaceBinding::role` instead"),
        ];
        if let Some((field, _, problem)) = stray.into_iter().find(|(_, is_set, _)| *is_set) {
            return Err(InvalidRequest::new(field, problem));
        }
        if !(1..=100).contains(&organizations.len()) {
            return Err(InvalidRequest::new("organizations", "must have 1 to 100 entries"));
        }
        let mut seen = HashSet::new();
        for (n, organization) in organizations.iter().enumerate() {
            if !seen.insert(&*organization.org_id) {
                return Err(InvalidRequest::new(
                    format!("organizations[{n}].org_id"),
                    "is listed twice: put its spaces into one binding",
                ));
            }
            organization.validate(n)?;
        }
        Ok(())
    }

    /// Refuses roles that the alpha stage does not have.
    fn validate_for_alpha(&self) -> Result<(), InvalidRequest> {
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
}

impl OrgBinding {
    /// Checks the entry with this index.
    fn validate(&self, n: usize) -> Result<(), InvalidRequest> {
        if self.org_id.is_empty() {
            return Err(InvalidRequest::new(format!("organizations[{n}].org_id"), "must not be empty"));
        }
        if !(1..=100).contains(&self.spaces.len()) {
            return Err(InvalidRequest::new(format!("organizations[{n}].spaces"), "must have 1 to 100 entries"));
        }
        validate_role(&format!("organizations[{n}].role"), self.role.as_ref())?;
        let mut spaces = HashSet::new();
        for (m, binding) in self.spaces.iter().enumerate() {
            let field = format!("organizations[{n}].spaces[{m}]");
            binding.space.check(&format!("{field}.space"))?;
            validate_role(&format!("{field}.role"), binding.role.as_ref())?;
            if !spaces.insert(&binding.space) {
                return Err(InvalidRequest::new(format!("{field}.space"), "is listed twice"));
            }
        }
        Ok(())
    }
}

fn validate_role<R>(field: &str, role: Option<&RoleAssignment<R>>) -> Result<(), InvalidRequest> {
    let problem = match role {
        Some(RoleAssignment::Custom { id, .. }) if id.is_empty() => "must have the id of the custom role",
        Some(RoleAssignment::Unknown(_)) => "must be a predefined role or `RoleAssignment::custom`",
        _ => return Ok(()),
    };
    Err(InvalidRequest::new(field.to_owned(), problem))
}
