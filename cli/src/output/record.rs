//! A key as JSON and CSV show it: the members of the API, with enum words in lower case and roles as `--grant` writes them.

use std::fmt::Display;

use arize_api_keys::time::OffsetDateTime;
use arize_api_keys::{ApiKey, ApiKeyCreated, BotUser, FieldWarning, Pagination, RoleAssignment};
use serde::Serialize;

use crate::times::rfc3339;

#[derive(Serialize)]
pub(crate) struct Key<'a> {
    id: &'a str,
    name: &'a str,
    description: Option<&'a str>,
    key_type: String,
    status: String,
    redacted_key: &'a str,
    created_at: Option<String>,
    expires_at: Option<String>,
    created_by_user_id: &'a str,
    last_used_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bot_user: Option<Bot<'a>>,
    /// The secret, where it is shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<&'a str>,
    /// What of the answer could not be read.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
}

#[derive(Serialize)]
struct Bot<'a> {
    id: &'a str,
    name: &'a str,
    account_role: Option<String>,
    organizations: Vec<Organization<'a>>,
}

#[derive(Serialize)]
struct Organization<'a> {
    org_id: &'a str,
    role: Option<String>,
    spaces: Vec<Space<'a>>,
}

#[derive(Serialize)]
struct Space<'a> {
    space_id: &'a str,
    role: Option<String>,
}

/// The fields that a listed and a created key have in common: the types differ, the names do not.
macro_rules! key {
    ($key:expr) => {
        Key {
            id: &$key.id,
            name: &$key.name,
            description: $key.description.as_deref(),
            key_type: $key.key_type.to_string(),
            status: $key.status.to_string(),
            redacted_key: &$key.redacted_key,
            created_at: time($key.created_at),
            expires_at: time($key.expires_at),
            created_by_user_id: &$key.created_by_user_id,
            last_used_at: time($key.last_used_at),
            bot_user: $key.bot_user.as_ref().map(bot),
            key: None,
            warnings: $key.warnings.iter().map(FieldWarning::to_string).collect(),
        }
    };
}

impl<'a> Key<'a> {
    pub(crate) fn listed(key: &'a ApiKey) -> Self {
        key!(key)
    }

    pub(crate) fn created(key: &'a ApiKeyCreated) -> Self {
        key!(key)
    }

    pub(crate) fn with_secret(self, secret: &'a str) -> Self {
        Self { key: Some(secret), ..self }
    }

    pub(crate) fn csv_header(&self) -> Vec<&'static str> {
        let mut header = vec![
            "id",
            "name",
            "description",
            "key_type",
            "status",
            "redacted_key",
            "created_at",
            "expires_at",
            "created_by_user_id",
            "last_used_at",
            "bot_user_id",
            "bot_user_name",
        ];
        header.extend(self.key.map(|_| "key"));
        header
    }

    pub(crate) fn csv_record(&self) -> Vec<&str> {
        let mut record = vec![
            self.id,
            self.name,
            self.description.unwrap_or_default(),
            &self.key_type,
            &self.status,
            self.redacted_key,
            self.created_at.as_deref().unwrap_or_default(),
            self.expires_at.as_deref().unwrap_or_default(),
            self.created_by_user_id,
            self.last_used_at.as_deref().unwrap_or_default(),
            self.bot_user.as_ref().map(|bot| bot.id).unwrap_or_default(),
            self.bot_user.as_ref().map(|bot| bot.name).unwrap_or_default(),
        ];
        record.extend(self.key);
        record
    }

    /// For a table of one key.
    pub(crate) fn rows(&self) -> Vec<(&'static str, Option<String>)> {
        let text = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        vec![
            ("id", text(self.id)),
            ("name", text(self.name)),
            ("description", self.description.and_then(text)),
            ("type", text(&self.key_type)),
            ("status", text(&self.status)),
            ("key", text(self.redacted_key)),
            ("created", self.created_at.clone()),
            ("expires", Some(self.expires_at.clone().unwrap_or_else(|| "never".to_owned()))),
            ("bot user", self.bot_user.as_ref().and_then(|bot| text(bot.id))),
        ]
    }
}

fn time(moment: Option<OffsetDateTime>) -> Option<String> {
    moment.map(rfc3339)
}

fn role<R: Display>(role: &RoleAssignment<R>) -> String {
    match role {
        RoleAssignment::Predefined(role) => role.to_string(),
        RoleAssignment::Custom { id, .. } => format!("custom:{id}"),
        RoleAssignment::Unknown(kind) => kind.clone(),
        _ => String::new(),
    }
}

fn bot(bot: &BotUser) -> Bot<'_> {
    let organizations = bot.organizations.iter().map(|organization| Organization {
        org_id: &organization.org_id,
        role: organization.role.as_ref().map(role),
        spaces: organization
            .spaces
            .iter()
            .map(|space| Space { space_id: &space.space_id, role: space.role.as_ref().map(role) })
            .collect(),
    });
    Bot {
        id: &bot.id,
        name: &bot.name,
        account_role: bot.account_role.as_ref().map(role),
        organizations: organizations.collect(),
    }
}

#[derive(Serialize)]
pub(super) struct Page<'a> {
    api_keys: &'a [Key<'a>],
    pagination: Cursor<'a>,
}

#[derive(Serialize)]
struct Cursor<'a> {
    has_more: bool,
    next_cursor: Option<&'a str>,
}

/// A list in the form of the API.
pub(super) fn page<'a>(keys: &'a [Key<'a>], pagination: &'a Pagination) -> Page<'a> {
    let next_cursor = pagination.next_cursor.as_deref();
    Page { api_keys: keys, pagination: Cursor { has_more: pagination.has_more, next_cursor } }
}
