//! `POST /v2/api-keys/{id}/refresh`

use std::time::Duration;

use http::StatusCode;

use super::context::{self, Context};
use super::dialect::Dialect;
use super::json_object::{self, JsonObject};
use super::parsed_request::{Answer, ParsedRequest};
use super::problem::ProblemResponse;
use super::responses::{self, KeyView};
use crate::emulator::account::Account;
use crate::emulator::account::enums::{KeyType, Status};
use crate::emulator::account::key::Key;
use crate::emulator::account::timestamp::Timestamp;
use crate::stage::ApiStage;

const MAX_GRACE: u64 = 86_400;

pub(crate) struct RefreshKey {
    id: String,
    expires_at: Option<Timestamp>,
    grace: Duration,
}

impl RefreshKey {
    /// Reads the body, which may be left out.
    pub(crate) fn parse(id: String, bytes: &[u8], dialect: Dialect) -> Result<Self, ProblemResponse> {
        let body = json_object::body(if bytes.is_empty() { b"{}" } else { bytes })?;
        let fields = JsonObject::of(&body, "")?;
        if dialect.stage == ApiStage::Beta {
            fields.only(&["expires_at", "grace_period_seconds"])?;
        }
        let grace = u64::try_from(fields.integer("grace_period_seconds")?.unwrap_or(0));
        let grace = grace.ok().filter(|seconds| *seconds <= MAX_GRACE).ok_or_else(|| {
            ProblemResponse::bad_request(format!("`grace_period_seconds` must be an integer from 0 to {MAX_GRACE}"))
        })?;
        Ok(Self { id, expires_at: fields.timestamp("expires_at")?, grace: Duration::from_secs(grace) })
    }

    /// Alpha: what is asked, and nothing means never. Beta: a key that expires stays one, and does not get more time.
    fn expiry(&self, key: &Key, context: &Context<'_>) -> Result<Option<Timestamp>, ProblemResponse> {
        if let (ApiStage::Beta, Some(old)) = (context.dialect.refresh_rule, key.expires_at) {
            match self.expires_at {
                None => {
                    return Err(ProblemResponse::unprocessable("`expires_at` is required: this API key has an expiry"));
                }
                Some(new) if new > old => {
                    return Err(ProblemResponse::unprocessable(
                        "`expires_at` must not be later than this API key's expiry",
                    ));
                }
                Some(_) => {}
            }
        }
        context.expiry(self.expires_at)
    }
}

impl ParsedRequest for RefreshKey {
    fn run(self: Box<Self>, account: &mut Account, context: &Context<'_>) -> Result<Answer, ProblemResponse> {
        let stage = context.dialect.stage;
        let key = context.visible_key(account, &self.id)?;
        // There is nothing left of a revoked key that could be refreshed.
        if key.status == Status::Revoked {
            return Err(ProblemResponse::not_found("this API key is revoked"));
        }
        // Not even an admin is handed a secret with which they would be somebody else.
        let allowed = match key.key_type() {
            KeyType::User => key.creator.id == context.caller.id,
            KeyType::Service => key.is_revocable_by(&context.caller),
        };
        if !allowed {
            return Err(ProblemResponse::forbidden("you may not refresh this API key"));
        }
        let expires_at = self.expiry(key, context)?;
        let grace_end = (!self.grace.is_zero()).then(|| context.now.saturating_add(self.grace));
        let id = key.id;
        account.keys_refreshed += 1;
        let key = account.replace_secret(id, expires_at, grace_end, context.now).ok_or_else(context::no_such_key)?;
        Ok(Box::new(move || responses::with_secret(StatusCode::OK, KeyView::new(&key, stage), &key)))
    }
}
