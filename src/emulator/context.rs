//! What every operation is told besides its request.

use std::sync::Arc;
use std::time::Duration;

use time::OffsetDateTime;

use super::account::{Account, Key};
use super::dialect::Dialect;
use super::people::{Organization, Space, User};
use super::problem::Problem;
use crate::stage::ApiStage;

/// How this emulator was built.
#[derive(Clone, Copy, Debug)]
pub(super) struct Settings {
    /// The stage of answers to requests that speak neither.
    pub(super) stage: ApiStage,
    pub(super) omit_organization_id: bool,
    pub(super) max_key_lifetime: Option<Duration>,
}

pub(super) struct Context<'a> {
    pub(super) caller: Arc<User>,
    pub(super) now: OffsetDateTime,
    /// How the request is answered unless its own words tell.
    pub(super) dialect: Dialect,
    pub(super) settings: &'a Settings,
}

impl Context<'_> {
    /// The space with this id, given at `path` in the request. One that the caller does not see does not exist.
    pub(super) fn visible_space<'a>(
        &self,
        account: &'a Account,
        id: &str,
        path: &str,
    ) -> Result<&'a Arc<Space>, Problem> {
        let space = account.spaces.find(id).filter(|space| self.caller.space_role(space).is_some());
        space.ok_or_else(|| Problem::not_found(format!("`{path}`: there is no such space")))
    }

    pub(super) fn visible_organization<'a>(
        &self,
        account: &'a Account,
        id: &str,
        path: &str,
    ) -> Result<&'a Arc<Organization>, Problem> {
        let organization =
            account.organizations.find(id).filter(|organization| self.caller.organization_role(organization).is_some());
        organization.ok_or_else(|| Problem::not_found(format!("`{path}`: there is no such organization")))
    }

    pub(super) fn visible_key<'a>(&self, account: &'a Account, id: &str) -> Result<&'a Key, Problem> {
        account.keys.find(id).filter(|key| key.is_visible_to(&self.caller)).ok_or_else(no_such_key)
    }

    /// The expiry of a key for which `asked` was asked: in the future, and within the account's longest lifetime.
    pub(super) fn expiry(&self, asked: Option<OffsetDateTime>) -> Result<Option<OffsetDateTime>, Problem> {
        if asked.is_some_and(|expiry| expiry <= self.now) {
            return Err(Problem::unprocessable("`expires_at` must be in the future"));
        }
        let Some(lifetime) = self.settings.max_key_lifetime else { return Ok(asked) };
        let latest = self.later(lifetime);
        match asked {
            Some(expiry) if expiry > latest => {
                Err(Problem::unprocessable("`expires_at` is later than this account's longest key lifetime allows"))
            }
            Some(expiry) => Ok(Some(expiry)),
            None => Ok(Some(latest)),
        }
    }

    pub(super) fn later(&self, by: Duration) -> OffsetDateTime {
        self.now.saturating_add(time::Duration::try_from(by).unwrap_or(time::Duration::MAX))
    }
}

pub(super) fn no_such_key() -> Problem {
    Problem::not_found("there is no such API key")
}
