//! The responses of the service to a request that it processed.

use std::collections::HashMap;

use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Response, StatusCode};
use serde::Serialize;
use serde_json::{Value, json};

use super::problem::ProblemResponse;
use super::query::PaginationView;
use crate::emulator::account::directory::{Assignment, OrganizationGrant, SpaceGrant, SpaceRecord, User};
use crate::emulator::account::enums::{Role, StageWords};
use crate::emulator::account::id::Id;
use crate::emulator::account::key::Key;
use crate::emulator::account::timestamp::Timestamp;
use crate::emulator::http::delivery::SecretEnd;
use crate::stage::ApiStage;

/// A JSON response.
pub(crate) fn json(status: StatusCode, body: &impl Serialize) -> Result<Response<Vec<u8>>, ProblemResponse> {
    let body = serde_json::to_vec(body).map_err(|error| {
        ProblemResponse::new(StatusCode::INTERNAL_SERVER_ERROR, format!("the response cannot be written: {error}"))
    })?;
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}

/// A page of a listing. `name` is the member that has the rows.
pub(crate) fn page(
    name: &'static str,
    rows: impl Iterator<Item: Serialize>,
    pagination: PaginationView,
) -> Result<Response<Vec<u8>>, ProblemResponse> {
    json(StatusCode::OK, &PageView { rows: HashMap::from([(name, rows.collect::<Vec<_>>())]), pagination })
}

/// The response with the new secret of a key.
pub(crate) fn with_secret(
    status: StatusCode,
    view: KeyView<'_>,
    key: &Key,
) -> Result<Response<Vec<u8>>, ProblemResponse> {
    let mut response = json(status, &view.with_secret(key))?;
    let secret = format!("\"key\":\"{}\"", key.secret);
    let start = response.body().windows(secret.len()).position(|window| window == secret.as_bytes());
    if let Some(start) = start {
        response.extensions_mut().insert(SecretEnd(start.saturating_add(secret.len())));
    }
    Ok(response)
}

/// 204 without a body.
pub(crate) fn nothing() -> Response<Vec<u8>> {
    let mut response = Response::new(Vec::new());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}

#[derive(Serialize)]
struct PageView<R> {
    #[serde(flatten)]
    rows: HashMap<&'static str, R>,
    pagination: PaginationView,
}

#[derive(Serialize)]
pub(crate) struct KeyView<'a> {
    id: Id,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    key_type: &'static str,
    status: &'static str,
    redacted_key: String,
    created_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Timestamp>,
    created_by_user_id: Id,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_used_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bot_user: Option<Value>,
}

impl<'a> KeyView<'a> {
    /// The key without its secret and its bot.
    pub(crate) fn new(key: &'a Key, stage: ApiStage) -> Self {
        Self {
            id: key.id,
            name: &key.name,
            description: key.description.as_deref(),
            key_type: key.key_type().word(stage),
            status: key.status.word(stage),
            redacted_key: key.redacted(),
            created_at: key.created_at,
            expires_at: key.expires_at,
            created_by_user_id: key.creator.id,
            last_used_at: key.last_used_at,
            key: None,
            bot_user: None,
        }
    }

    fn with_secret(self, key: &'a Key) -> Self {
        Self { key: Some(&key.secret), ..self }
    }

    /// Replaces the status by the word of the oldest clients for revoked.
    pub(crate) fn deleted(self) -> Self {
        Self { status: "deleted", ..self }
    }

    /// Adds the bot of a service key, with or without its roles in organizations. Alpha knows no bots.
    pub(crate) fn with_bot(self, key: &'a Key, stage: ApiStage, with_organizations: bool) -> Self {
        let bot = key.bot.as_ref().filter(|_| stage == ApiStage::Beta);
        Self { bot_user: bot.map(|bot| bot_user(bot, with_organizations)), ..self }
    }
}

fn bot_user(bot: &User, with_organizations: bool) -> Value {
    let space = |grant: &SpaceGrant| json!({ "space_id": grant.space.id, "role": assignment(&grant.role) });
    let organization = |grant: &OrganizationGrant| {
        json!({
            "org_id": grant.organization.id,
            "role": predefined(grant.role),
            "spaces": grant.spaces.iter().map(space).collect::<Value>(),
        })
    };
    json!({
        "id": bot.id,
        "name": bot.name,
        "account_role": predefined(bot.account_role),
        "organizations": bot.grants().iter().filter(|_| with_organizations).map(organization).collect::<Value>(),
    })
}

fn assignment(role: &Assignment) -> Value {
    match role {
        Assignment::Predefined(role) => predefined(*role),
        Assignment::Custom(role) => json!({ "type": "CUSTOM", "id": role.id, "name": role.name }),
    }
}

fn predefined(role: Role) -> Value {
    json!({ "type": "PREDEFINED", "name": role.word(ApiStage::Beta) })
}

#[derive(Serialize)]
pub(crate) struct SpaceView<'a> {
    #[serde(flatten)]
    space: &'a SpaceRecord,
    #[serde(skip_serializing_if = "Option::is_none")]
    is_private: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    organization_id: Option<Id>,
}

impl<'a> SpaceView<'a> {
    pub(crate) fn new(space: &'a SpaceRecord, stage: ApiStage, with_organization: bool) -> Self {
        let beta = stage == ApiStage::Beta;
        Self {
            space,
            is_private: beta.then_some(false),
            organization_id: (beta && with_organization).then_some(space.organization.id),
        }
    }
}
