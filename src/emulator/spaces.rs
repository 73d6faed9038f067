//! `GET /v2/spaces`, `GET /v2/spaces/{id}` and `GET /v2/organizations`

use http::{Response, StatusCode};

use super::account::Account;
use super::answer::{self, OrganizationPage, OrganizationView, SpacePage, SpaceView};
use super::context::Context;
use super::people::Space;
use super::problem::Problem;
use super::query::{Query, Window};

pub(super) struct ListSpaces {
    organization_id: Option<String>,
    /// A part of the name, in lower case.
    name: String,
    window: Window,
}

impl ListSpaces {
    pub(super) fn parse(query: Option<&str>) -> Result<Self, Problem> {
        let query = Query::parse(query)?;
        let organization_id = query.get("org_id")?.map(ToOwned::to_owned);
        Ok(Self { organization_id, name: query.name()?, window: query.window()? })
    }

    pub(super) fn run(self, account: &Account, context: &Context<'_>) -> Result<Response<Vec<u8>>, Problem> {
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
        let (spaces, pagination) = self.window.page(spaces, |space| space.id.number(), &listed);
        let spaces = spaces.into_iter().map(|space| view(space, context)).collect();
        answer::json(StatusCode::OK, &SpacePage { spaces, pagination })
    }
}

pub(super) struct GetSpace {
    pub(super) id: String,
}

impl GetSpace {
    pub(super) fn run(self, account: &Account, context: &Context<'_>) -> Result<Response<Vec<u8>>, Problem> {
        answer::json(StatusCode::OK, &view(context.visible_space(account, &self.id, "space_id")?, context))
    }
}

pub(super) struct ListOrganizations {
    /// A part of the name, in lower case.
    name: String,
    window: Window,
}

impl ListOrganizations {
    pub(super) fn parse(query: Option<&str>) -> Result<Self, Problem> {
        let query = Query::parse(query)?;
        Ok(Self { name: query.name()?, window: query.window()? })
    }

    pub(super) fn run(self, account: &Account, context: &Context<'_>) -> Result<Response<Vec<u8>>, Problem> {
        let listed = ("organizations", &self.name);
        let organizations = account.organizations.after(self.window.start(&listed)?).filter(|organization| {
            matches(&organization.name, &self.name) && context.caller.organization_role(organization).is_some()
        });
        let (organizations, pagination) =
            self.window.page(organizations, |organization| organization.id.number(), &listed);
        let organizations = organizations.into_iter().map(|organization| OrganizationView::new(organization)).collect();
        answer::json(StatusCode::OK, &OrganizationPage { organizations, pagination })
    }
}

fn matches(name: &str, part: &str) -> bool {
    part.is_empty() || name.to_lowercase().contains(part)
}

fn view<'a>(space: &'a Space, context: &Context<'_>) -> SpaceView<'a> {
    SpaceView::new(space, context.dialect.stage, !context.settings.omit_organization_id)
}
