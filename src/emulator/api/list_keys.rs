//! `GET /v2/api-keys`

use std::sync::Arc;

use super::context::Context;
use super::parsed_request::{Answer, ParsedRequest};
use super::problem::ProblemResponse;
use super::query::{Query, Window};
use super::responses::{self, KeyView};
use crate::emulator::account::Account;
use crate::emulator::account::directory::SpaceRecord;
use crate::emulator::account::enums::{KeyType, Status};
use crate::emulator::account::id::Id;
use crate::emulator::account::key::Listing;
use crate::stage::ApiStage;

pub(crate) struct ListKeys {
    key_type: Option<KeyType>,
    status: Status,
    /// The stage of the words of the filters; `None` without filters.
    stage: Option<ApiStage>,
    /// Whether revoked keys are asked for by the word that the oldest clients know them by.
    says_deleted: bool,
    space_id: Option<String>,
    user_id: Option<String>,
    window: Window,
}

impl ListKeys {
    pub(crate) fn parse(query: Option<&str>) -> Result<Self, ProblemResponse> {
        let query = Query::parse(query)?;
        let key_type = query.word("key_type")?;
        let says_deleted = query.get("status")? == Some("deleted");
        let status = if says_deleted { Some((Status::Revoked, ApiStage::Alpha)) } else { query.word("status")? };
        let stage = match (key_type.map(|word| word.1), status.map(|word| word.1)) {
            (Some(one), Some(other)) if one != other => {
                return Err(ProblemResponse::bad_request("`key_type` and `status` are words of two stages"));
            }
            (one, other) => one.or(other),
        };
        Ok(Self {
            key_type: key_type.map(|word| word.0),
            status: status.map_or(Status::Active, |word| word.0),
            stage,
            says_deleted,
            space_id: query.get("space_id")?.map(ToOwned::to_owned),
            user_id: query.get("user_id")?.map(ToOwned::to_owned),
            window: query.window()?,
        })
    }

    /// The service keys of a space. There are no user keys in a space, so asking for them lists nothing.
    fn in_space(
        &self,
        account: &Account,
        context: &Context<'_>,
        space_id: &str,
    ) -> Result<Option<Listing>, ProblemResponse> {
        let space: &Arc<SpaceRecord> = context.visible_space(account, space_id, "space_id")?;
        if !context.caller.may_work_in(space) {
            return Err(ProblemResponse::forbidden("you may not read the service keys of this space"));
        }
        let space = space.id;
        let listing = match &self.user_id {
            None => Listing::ServiceKeysIn { space },
            Some(id) => Listing::ServiceKeysInBy { space, creator: user_id(account, id)? },
        };
        Ok((self.key_type != Some(KeyType::User)).then_some(listing))
    }

    /// The caller's own keys, or those of another, for admins.
    fn of_user(&self, account: &Account, context: &Context<'_>) -> Result<Listing, ProblemResponse> {
        let user = match &self.user_id {
            None => context.caller.id,
            Some(_) if !context.caller.is_admin() => {
                return Err(ProblemResponse::forbidden("`user_id` without `space_id` is for account admins"));
            }
            Some(id) => user_id(account, id)?,
        };
        Ok(match self.key_type {
            None | Some(KeyType::User) => Listing::UserKeysOf { user },
            Some(KeyType::Service) => Listing::ServiceKeysBy { creator: user },
        })
    }
}

impl ParsedRequest for ListKeys {
    fn run(self: Box<Self>, account: &mut Account, context: &Context<'_>) -> Result<Answer, ProblemResponse> {
        let stage = self.stage.unwrap_or(context.dialect.stage);
        let listing = match &self.space_id {
            Some(space_id) => self.in_space(account, context, space_id)?,
            None => Some(self.of_user(account, context)?),
        };
        let listed = (listing, self.status);
        let start = self.window.start(&listed)?;
        let keys = listing.into_iter().flat_map(|listing| account.listed(listing, self.status, start)).cloned();
        let (keys, pagination) = self.window.page(keys, |key| key.id, &listed);
        Ok(Box::new(move || {
            let views = keys.iter().map(|key| {
                // The service leaves the roles out of lists of one space.
                let view = KeyView::new(key, stage).with_bot(key, stage, self.space_id.is_none());
                if self.says_deleted { view.deleted() } else { view }
            });
            responses::page("api_keys", views, pagination)
        }))
    }
}

fn user_id(account: &Account, id: &str) -> Result<Id, ProblemResponse> {
    let user = account.users.find(id).ok_or_else(|| ProblemResponse::not_found("`user_id`: there is no such user"))?;
    Ok(user.id)
}
