//! `POST /v2/api-keys`

use std::sync::Arc;

use http::StatusCode;
use serde_json::Value;

use super::bindings::RequestedRoles;
use super::context::Context;
use super::json_object::{self, JsonObject};
use super::parsed_request::{Answer, ParsedRequest};
use super::problem::ProblemResponse;
use super::responses::{self, KeyView};
use crate::emulator::account::Account;
use crate::emulator::account::enums::{KeyType, StageWords};
use crate::emulator::account::key::Key;
use crate::emulator::account::timestamp::Timestamp;
use crate::stage::ApiStage;

const MAX_NAME: usize = 256;
const MAX_DESCRIPTION: usize = 1000;
const COMMON: [&str; 4] = ["key_type", "name", "description", "expires_at"];

pub(crate) struct CreateKey {
    stage: ApiStage,
    name: String,
    description: Option<String>,
    expires_at: Option<Timestamp>,
    /// For a service key: where it may do what.
    bindings: Option<RequestedRoles>,
}

impl CreateKey {
    /// Reads any of the three dialects. `default_stage` decides whether the key type may be left out.
    pub(crate) fn parse(bytes: &[u8], default_stage: ApiStage) -> Result<Self, ProblemResponse> {
        let body: Value = json_object::body(bytes)?;
        let fields = JsonObject::of(&body, "")?;
        let (key_type, stage) = match (fields.text("key_type")?, default_stage) {
            (Some(word), _) => KeyType::read(word)
                .ok_or_else(|| ProblemResponse::bad_request(format!("`key_type` cannot be `{word}`")))?,
            (None, ApiStage::Alpha) => (KeyType::User, ApiStage::Alpha),
            (None, ApiStage::Beta) => return Err(fields.missing("key_type")),
        };
        let bindings = match (key_type, stage) {
            (KeyType::User, ApiStage::Alpha) => {
                if let Some(name) = ["space_id", "roles"].into_iter().find(|name| fields.has(name)) {
                    return Err(ProblemResponse::bad_request(format!("`{name}` is for service keys")));
                }
                None
            }
            (KeyType::User, ApiStage::Beta) => {
                fields.only(&COMMON)?;
                None
            }
            (KeyType::Service, ApiStage::Alpha) => Some(RequestedRoles::flat(&fields, stage)?),
            (KeyType::Service, ApiStage::Beta) => {
                let flat = fields.has("space_id");
                let own: &[&str] = if flat { &["space_id", "roles"] } else { &["account_role", "organizations"] };
                fields.only(&[&COMMON, own].concat())?;
                Some(if flat { RequestedRoles::flat(&fields, stage)? } else { RequestedRoles::nested(&fields)? })
            }
        };
        Ok(Self {
            stage,
            name: fields.short_text("name", MAX_NAME)?.ok_or_else(|| fields.missing("name"))?.to_owned(),
            description: fields.short_text("description", MAX_DESCRIPTION)?.map(ToOwned::to_owned),
            expires_at: fields.timestamp("expires_at")?,
            bindings,
        })
    }
}

impl ParsedRequest for CreateKey {
    fn run(self: Box<Self>, account: &mut Account, context: &Context<'_>) -> Result<Answer, ProblemResponse> {
        let expires_at = context.expiry(self.expires_at)?;
        let bot = match self.bindings {
            None => None,
            Some(bindings) => {
                let (account_role, grants) = bindings.resolve(account, context)?;
                Some(account.add_user(None, self.name.clone(), account_role, grants))
            }
        };
        let creator = Arc::clone(&context.caller);
        let key = account.new_key(None, None, creator, &self.name, context.now);
        let key = account.add_key(Key { description: self.description.map(Into::into), expires_at, bot, ..key });
        account.keys_created += 1;
        let stage = self.stage;
        Ok(Box::new(move || {
            let view = KeyView::new(&key, stage).with_bot(&key, stage, true);
            responses::with_secret(StatusCode::CREATED, view, &key)
        }))
    }
}
