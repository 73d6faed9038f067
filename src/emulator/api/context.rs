//! The context of every operation, apart from its request.

use std::sync::Arc;
use std::time::Duration;

use super::dialect::Dialect;
use super::problem::ProblemResponse;
use crate::emulator::account::Account;
use crate::emulator::account::directory::{OrganizationRecord, SpaceRecord, User};
use crate::emulator::account::key::Key;
use crate::emulator::account::timestamp::Timestamp;
use crate::stage::ApiStage;

/// The settings of the emulator that its responses depend on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    /// The stage of requests that do not show one.
    pub(crate) stage: ApiStage,
    pub(crate) omit_organization_id: bool,
    pub(crate) max_key_lifetime: Option<Duration>,
}

pub(crate) struct Context<'a> {
    pub(crate) caller: Arc<User>,
    pub(crate) now: Timestamp,
    /// The dialect of the response where the words of the request do not show it.
    pub(crate) dialect: Dialect,
    pub(crate) settings: &'a Settings,
}

impl Context<'_> {
    /// The space with this id, given at `path` in the request. One that the caller does not see does not exist.
    pub(crate) fn visible_space<'a>(
        &self,
        account: &'a Account,
        id: &str,
        path: &str,
    ) -> Result<&'a Arc<SpaceRecord>, ProblemResponse> {
        let space = account.spaces.find(id).filter(|space| self.caller.space_role(space).is_some());
        space.ok_or_else(|| ProblemResponse::not_found(format!("`{path}`: there is no such space")))
    }

    pub(crate) fn visible_organization<'a>(
        &self,
        account: &'a Account,
        id: &str,
        path: &str,
    ) -> Result<&'a Arc<OrganizationRecord>, ProblemResponse> {
        let organization =
            account.organizations.find(id).filter(|organization| self.caller.organization_role(organization).is_some());
        organization.ok_or_else(|| ProblemResponse::not_found(format!("`{path}`: there is no such organization")))
    }

    pub(crate) fn visible_key<'a>(&self, account: &'a Account, id: &str) -> Result<&'a Key, ProblemResponse> {
        let key = account.keys.find(id).filter(|key| key.is_visible_to(&self.caller));
        key.map(Arc::as_ref).ok_or_else(no_such_key)
    }

    /// The expiry of a key for which `asked` was asked: in the future, and within the account's longest lifetime.
    pub(crate) fn expiry(&self, asked: Option<Timestamp>) -> Result<Option<Timestamp>, ProblemResponse> {
        if asked.is_some_and(|expiry| expiry <= self.now) {
            return Err(ProblemResponse::unprocessable("`expires_at` must be in the future"));
        }
        let Some(lifetime) = self.settings.max_key_lifetime else { return Ok(asked) };
        let latest = self.now.saturating_add(lifetime);
        match asked {
            Some(expiry) if expiry > latest => Err(ProblemResponse::unprocessable(
                "`expires_at` is later than this account's longest key lifetime allows",
            )),
            Some(expiry) => Ok(Some(expiry)),
            None => Ok(Some(latest)),
        }
    }
}

pub(crate) fn no_such_key() -> ProblemResponse {
    ProblemResponse::not_found("there is no such API key")
}
