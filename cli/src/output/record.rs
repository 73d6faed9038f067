//! A key as JSON and CSV show it: the members of the API, with enum words in lower case and roles as `--grant` writes them.

use std::borrow::Cow;
use std::fmt::Display;

use arize_api_keys::time::OffsetDateTime;
use arize_api_keys::{ApiKey, BotUser, FieldWarning, Pagination, RoleAssignment};
use serde::Serialize;

use crate::redact::Secrets;
use crate::times::{rfc3339, rfc3339_to_second, to_second};

#[derive(Serialize)]
pub(crate) struct Key<'a> {
    pub(crate) id: Cow<'a, str>,
    pub(crate) name: Cow<'a, str>,
    description: Option<Cow<'a, str>>,
    /// Of a key that `ensure` manages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) owner: Option<String>,
    pub(crate) key_type: String,
    pub(crate) status: String,
    pub(crate) redacted_key: Cow<'a, str>,
    pub(crate) created_at: Option<String>,
    pub(crate) expires_at: Option<String>,
    pub(crate) created_by_user_id: Cow<'a, str>,
    pub(crate) last_used_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bot_user: Option<Bot<'a>>,
    /// The secret, where it is shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<&'a str>,
    /// The members of the response that could not be read.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
}

#[derive(Serialize)]
struct Bot<'a> {
    id: Cow<'a, str>,
    name: Cow<'a, str>,
    account_role: Option<String>,
    organizations: Vec<Organization<'a>>,
}

#[derive(Serialize)]
struct Organization<'a> {
    org_id: Cow<'a, str>,
    role: Option<String>,
    spaces: Vec<Space<'a>>,
}

#[derive(Serialize)]
struct Space<'a> {
    space_id: Cow<'a, str>,
    role: Option<String>,
}

/// The fields of one key, as they are shown: without keys that must not be shown. A field that the service sent and that cannot
/// be read is shown as it came, and marked.
struct Field<'a> {
    warnings: &'a [FieldWarning],
    secrets: &'a Secrets,
}

impl Field<'_> {
    fn text<'a>(&self, name: &str, value: &'a str) -> Cow<'a, str> {
        match unread(name, self.warnings).filter(|_| value.is_empty()) {
            Some(marked) => Cow::Owned(self.secrets.value(&marked).into_owned()),
            None => self.secrets.value(value),
        }
    }

    fn time(&self, name: &str, value: Option<OffsetDateTime>) -> Option<String> {
        let exact = value.map(rfc3339).or_else(|| unread(name, self.warnings));
        exact.map(|value| self.secrets.value(&value).into_owned())
    }
}

/// A time as people read it, to the second.
pub(crate) fn moment(field: &str, moment: Option<OffsetDateTime>, warnings: &[FieldWarning]) -> Option<String> {
    moment.map(rfc3339_to_second).or_else(|| unread(field, warnings))
}

/// The mark of a field that cannot be read, with the value as it came.
fn unread(field: &str, warnings: &[FieldWarning]) -> Option<String> {
    let warning = warnings.iter().find(|warning| warning.field == field);
    warning.map(|warning| format!("unreadable: {}", warning.found))
}

impl<'a> Key<'a> {
    pub(crate) fn new(key: &'a ApiKey, secrets: &Secrets) -> Self {
        let field = Field { warnings: &key.warnings, secrets };
        let description = key.description.as_deref();
        Self {
            id: field.text("id", &key.id),
            name: field.text("name", &key.name),
            description: Some(field.text("description", description.unwrap_or_default()))
                .filter(|text| description.is_some() || !text.is_empty()),
            owner: key.owner().map(|owner| secrets.value(&owner).into_owned()),
            key_type: field.text("key_type", &key.key_type.to_string()).into_owned(),
            status: field.text("status", &key.status.to_string()).into_owned(),
            redacted_key: field.text("redacted_key", &key.redacted_key),
            created_at: field.time("created_at", key.created_at),
            expires_at: field.time("expires_at", key.expires_at),
            created_by_user_id: field.text("created_by_user_id", &key.created_by_user_id),
            last_used_at: field.time("last_used_at", key.last_used_at),
            bot_user: key.bot_user.as_ref().map(|user| bot(user, secrets)),
            key: None,
            warnings: key.warnings.iter().map(|warning| secrets.value(&warning.to_string()).into_owned()).collect(),
        }
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
            &self.id,
            &self.name,
            self.description.as_deref().unwrap_or_default(),
            &self.key_type,
            &self.status,
            &self.redacted_key,
            self.created_at.as_deref().unwrap_or_default(),
            self.expires_at.as_deref().unwrap_or_default(),
            &self.created_by_user_id,
            self.last_used_at.as_deref().unwrap_or_default(),
            self.bot_user.as_ref().map(|bot| &*bot.id).unwrap_or_default(),
            self.bot_user.as_ref().map(|bot| &*bot.name).unwrap_or_default(),
        ];
        record.extend(self.key);
        record
    }

    /// For a table of one key.
    pub(crate) fn rows(&self) -> Vec<(&'static str, Option<String>)> {
        let text = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        vec![
            ("id", text(&self.id)),
            ("name", text(&self.name)),
            ("description", self.description.as_deref().and_then(text)),
            ("owner", self.owner.clone()),
            ("type", text(&self.key_type)),
            ("status", text(&self.status)),
            ("key", text(&self.redacted_key)),
            ("created", self.created_at.as_deref().map(to_second)),
            ("expires", Some(self.expires_at.as_deref().map_or_else(|| "never".to_owned(), to_second))),
            ("bot user", self.bot_user.as_ref().and_then(|bot| text(&bot.id))),
        ]
    }
}

fn role_text<R: Display>(role: &RoleAssignment<R>) -> String {
    match role {
        RoleAssignment::Predefined(role) => role.to_string(),
        RoleAssignment::Custom { id, .. } => format!("custom:{id}"),
        RoleAssignment::Unknown(kind) => kind.clone(),
        _ => String::new(),
    }
}

fn bot<'a>(bot: &'a BotUser, secrets: &Secrets) -> Bot<'a> {
    let role = |text: String| secrets.value(&text).into_owned();
    let organizations = bot.organizations.iter().map(|organization| Organization {
        org_id: secrets.value(&organization.org_id),
        role: organization.role.as_ref().map(role_text).map(role),
        spaces: organization
            .spaces
            .iter()
            .map(|space| Space {
                space_id: secrets.value(&space.space_id),
                role: space.role.as_ref().map(role_text).map(role),
            })
            .collect(),
    });
    Bot {
        id: secrets.value(&bot.id),
        name: secrets.value(&bot.name),
        account_role: bot.account_role.as_ref().map(role_text).map(role),
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
    next_cursor: Option<Cow<'a, str>>,
}

/// A list in the form of the API.
pub(super) fn page<'a>(keys: &'a [Key<'a>], pagination: &'a Pagination, secrets: &Secrets) -> Page<'a> {
    let next_cursor = pagination.next_cursor.as_deref().map(|cursor| secrets.value(cursor));
    Page { api_keys: keys, pagination: Cursor { has_more: pagination.has_more, next_cursor } }
}
