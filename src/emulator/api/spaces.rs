//! `GET /v2/spaces`, `GET /v2/spaces/{id}` and `GET /v2/organizations`

use std::sync::Arc;

use http::StatusCode;

use super::context::Context;
use super::parsed_request::{Answer, ParsedRequest};
use super::problem::ProblemResponse;
use super::query::{Query, Window};
use super::responses::{self, SpaceView};
use crate::emulator::account::Account;

pub(crate) struct ListSpaces {
    organization_id: Option<String>,
    /// A part of the name, in lower case.
    name: String,
    window: Window,
}

impl ListSpaces {
    pub(crate) fn parse(query: Option<&str>) -> Result<Self, ProblemResponse> {
        let query = Query::parse(query)?;
        let organization_id = query.get("org_id")?.map(ToOwned::to_owned);
        Ok(Self { organization_id, name: query.name()?, window: query.window()? })
    }
}

impl ParsedRequest for ListSpaces {
    fn run(self: Box<Self>, account: &mut Account, context: &Context<'_>) -> Result<Answer, ProblemResponse> {
        let organization = match &self.organization_id {
            Some(id) => Some(context.visible_organization(account, id, "org_id")?.id),
            None => None,
        };
        let listed = ("spaces", organization, &self.name);
        let spaces = account.spaces.after(self.window.start(&listed)?).filter(|space| {
            organization.is_none_or(|organization| space.organization.id == organization)
                && matches(&space.name, &self.name)
                && context.caller.space_role(space).is_some()
        });
        let (spaces, pagination) = self.window.page(spaces.cloned(), |space| space.id, &listed);
        let (stage, with_organization) = (context.dialect.stage, !context.settings.omit_organization_id);
        Ok(Box::new(move || {
            let views = spaces.iter().map(|space| SpaceView::new(space, stage, with_organization));
            responses::page("spaces", views, pagination)
        }))
    }
}

pub(crate) struct GetSpace {
    pub(crate) id: String,
}

impl ParsedRequest for GetSpace {
    fn run(self: Box<Self>, account: &mut Account, context: &Context<'_>) -> Result<Answer, ProblemResponse> {
        let space = Arc::clone(context.visible_space(account, &self.id, "space_id")?);
        let (stage, with_organization) = (context.dialect.stage, !context.settings.omit_organization_id);
        Ok(Box::new(move || responses::json(StatusCode::OK, &SpaceView::new(&space, stage, with_organization))))
    }
}

pub(crate) struct ListOrganizations {
    /// A part of the name, in lower case.
    name: String,
    window: Window,
}

impl ListOrganizations {
    pub(crate) fn parse(query: Option<&str>) -> Result<Self, ProblemResponse> {
        let query = Query::parse(query)?;
        Ok(Self { name: query.name()?, window: query.window()? })
    }
}

impl ParsedRequest for ListOrganizations {
    fn run(self: Box<Self>, account: &mut Account, context: &Context<'_>) -> Result<Answer, ProblemResponse> {
        let listed = ("organizations", &self.name);
        let organizations = account.organizations.after(self.window.start(&listed)?).filter(|organization| {
            matches(&organization.name, &self.name) && context.caller.organization_role(organization).is_some()
        });
        let (organizations, pagination) =
            self.window.page(organizations.cloned(), |organization| organization.id, &listed);
        Ok(Box::new(move || responses::page("organizations", organizations.iter().map(Arc::as_ref), pagination)))
    }
}

fn matches(name: &str, part: &str) -> bool {
    part.is_empty() || name.to_lowercase().contains(part)
}
