//! `POST /v2/api-keys`

use std::sync::Arc;

use http::{Response, StatusCode};
use serde_json::Value;
use time::OffsetDateTime;

use super::account::{Account, NewKey};
use super::answer::{self, KeyView};
use super::bindings::Bindings;
use super::context::Context;
use super::fields::{self, Fields};
use super::problem::Problem;
use super::words::KeyType;
use crate::stage::ApiStage;

const MAX_NAME: usize = 256;
const MAX_DESCRIPTION: usize = 1000;
const COMMON: [&str; 4] = ["key_type", "name", "description", "expires_at"];

pub(super) struct CreateKey {
    stage: ApiStage,
    name: String,
    description: Option<String>,
    expires_at: Option<OffsetDateTime>,
    /// For a service key: where it may do what.
    bindings: Option<Bindings>,
}

impl CreateKey {
    /// Reads any of the three dialects. `default_stage` decides whether the key type may be left out.
    pub(super) fn parse(bytes: &[u8], default_stage: ApiStage) -> Result<Self, Problem> {
        let body: Value = fields::body(bytes)?;
        let fields = Fields::of(&body, "")?;
        let (key_type, stage) = match (fields.text("key_type")?, default_stage) {
            (Some(word), _) => {
                KeyType::read(word).ok_or_else(|| Problem::bad_request(format!("`key_type` cannot be `{word}`")))?
            }
            (None, ApiStage::Alpha) => (KeyType::User, ApiStage::Alpha),
            (None, ApiStage::Beta) => return Err(fields.missing("key_type")),
        };
        let bindings = match (key_type, stage) {
            (KeyType::User, ApiStage::Alpha) => {
                if let Some(name) = ["space_id", "roles"].into_iter().find(|name| fields.has(name)) {
                    return Err(Problem::bad_request(format!("`{name}` is for service keys")));
                }
                None
            }
            (KeyType::User, ApiStage::Beta) => {
                fields.only(&COMMON)?;
                None
            }
            (KeyType::Service, ApiStage::Alpha) => Some(Bindings::flat(&fields, stage)?),
            (KeyType::Service, ApiStage::Beta) => {
                let flat = fields.has("space_id");
                let own: &[&str] = if flat { &["space_id", "roles"] } else { &["account_role", "organizations"] };
                fields.only(&[&COMMON, own].concat())?;
                Some(if flat { Bindings::flat(&fields, stage)? } else { Bindings::nested(&fields)? })
            }
        };
        Ok(Self {
            stage,
            name: fields.short_text("name", MAX_NAME)?.ok_or_else(|| fields.missing("name"))?.to_owned(),
            description: fields.short_text("description", MAX_DESCRIPTION)?.map(ToOwned::to_owned),
            expires_at: fields.moment("expires_at")?,
            bindings,
        })
    }

    pub(super) fn run(self, account: &mut Account, context: &Context<'_>) -> Result<Response<Vec<u8>>, Problem> {
        let expires_at = context.expiry(self.expires_at)?;
        let bot = match self.bindings {
            None => None,
            Some(bindings) => {
                let (account_role, grants) = bindings.resolve(account, context)?;
                Some(account.add_user(self.name.clone(), account_role, grants))
            }
        };
        let new = NewKey {
            name: self.name,
            description: self.description,
            expires_at,
            creator: Arc::clone(&context.caller),
            bot,
            secret: None,
        };
        account.minted.created += 1;
        let key = account.add_key(new, context.now);
        let view = KeyView::new(key, self.stage).with_bot(key, self.stage, &key.user.grants());
        answer::with_secret(StatusCode::CREATED, view, key)
    }
}
