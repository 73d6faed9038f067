//! The expected values for the members of a key, odd ones included.

use std::collections::BTreeSet;
use std::fmt::Debug;

use arize_api_keys::{ApiKey, ApiKeyCreated, ApiKeyStatus, ApiKeyType, BotUser, FieldWarning, RoleAssignment};
use serde_json::{Map, Value};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// The fields that a listed key and a created one share.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Fields {
    id: String,
    name: String,
    description: Option<String>,
    key_type: ApiKeyType,
    status: ApiKeyStatus,
    redacted_key: String,
    created_at: Option<OffsetDateTime>,
    expires_at: Option<OffsetDateTime>,
    created_by_user_id: String,
    last_used_at: Option<OffsetDateTime>,
    bot_user: Option<Bot>,
    /// The names of the members that could not be used.
    warnings: BTreeSet<String>,
}

/// A bot user: its texts, and its roles in the order of the response.
#[derive(Clone, Debug, PartialEq)]
struct Bot {
    texts: Vec<String>,
    roles: Vec<Option<Role>>,
}

#[derive(Clone, Debug, PartialEq)]
enum Role {
    Predefined(String),
    Custom(String),
    Unknown(String),
}

macro_rules! fields_of {
    ($key:expr) => {{
        let key = $key;
        Fields {
            id: key.id.clone(),
            name: key.name.clone(),
            description: key.description.clone(),
            key_type: key.key_type.clone(),
            status: key.status.clone(),
            redacted_key: key.redacted_key.clone(),
            created_at: key.created_at,
            expires_at: key.expires_at,
            created_by_user_id: key.created_by_user_id.clone(),
            last_used_at: key.last_used_at,
            bot_user: key.bot_user.as_ref().map(Bot::of),
            warnings: key.warnings.iter().map(|FieldWarning { field, .. }| (*field).to_owned()).collect(),
        }
    }};
}

impl Fields {
    pub(super) fn listed(key: &ApiKey) -> Self {
        fields_of!(key)
    }

    pub(super) fn created(key: &ApiKeyCreated) -> Self {
        fields_of!(key)
    }

    /// The expected value for an object of the service.
    pub(super) fn expected(json: &Value) -> Self {
        let mut members = Members { json: json.as_object().unwrap(), odd: BTreeSet::new() };
        Self {
            id: members.text("id").unwrap_or_default(),
            name: members.text("name").unwrap_or_default(),
            description: members.text("description"),
            key_type: match members.word("key_type").as_str() {
                "user" => ApiKeyType::User,
                "service" => ApiKeyType::Service,
                _ => ApiKeyType::Unknown(json["key_type"].as_str().unwrap_or_default().to_owned()),
            },
            status: match members.word("status").as_str() {
                "active" => ApiKeyStatus::Active,
                "revoked" | "deleted" => ApiKeyStatus::Revoked,
                _ => ApiKeyStatus::Unknown(json["status"].as_str().unwrap_or_default().to_owned()),
            },
            redacted_key: members.text("redacted_key").unwrap_or_default(),
            created_at: members.instant("created_at"),
            expires_at: members.instant("expires_at"),
            created_by_user_id: members.text("created_by_user_id").unwrap_or_default(),
            last_used_at: members.instant("last_used_at"),
            bot_user: json["bot_user"].as_object().map(|_| Bot::expected(&json["bot_user"])),
            warnings: members.odd,
        }
    }
}

struct Members<'a> {
    json: &'a Map<String, Value>,
    odd: BTreeSet<String>,
}

impl Members<'_> {
    /// A number is a text of digits; null is nothing.
    fn text(&mut self, name: &str) -> Option<String> {
        match self.json.get(name)? {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            Value::Null => None,
            _ => {
                self.odd.insert(name.to_owned());
                None
            }
        }
    }

    fn word(&mut self, name: &str) -> String {
        match self.json.get(name) {
            Some(Value::String(word)) => word.to_lowercase().replace('_', "-"),
            None | Some(Value::Null) => String::new(),
            Some(_) => {
                self.odd.insert(name.to_owned());
                String::new()
            }
        }
    }

    /// Without a zone it is UTC, without a time midnight; a blank may replace the `T`, and letters may be lower case.
    fn instant(&mut self, name: &str) -> Option<OffsetDateTime> {
        let value = self.json.get(name).filter(|value| !value.is_null())?;
        let instant = value.as_str().and_then(|text| {
            let mut text = text.to_uppercase();
            if text.len() == 10 {
                text.push_str("T00:00:00");
            }
            if text.as_bytes().get(10) == Some(&b' ') {
                text.replace_range(10..11, "T");
            }
            let has_zone = text.ends_with('Z') || text.rfind(['+', '-']).is_some_and(|at| at > 10);
            OffsetDateTime::parse(&format!("{text}{}", if has_zone { "" } else { "Z" }), &Rfc3339).ok()
        });
        if instant.is_none() {
            self.odd.insert(name.to_owned());
        }
        instant
    }
}

impl Bot {
    fn of(bot: &BotUser) -> Self {
        let mut texts = vec![bot.id.clone(), bot.name.clone()];
        let mut roles = vec![bot.account_role.as_ref().map(Role::of)];
        for org in &bot.organizations {
            texts.push(org.org_id.clone());
            roles.push(org.role.as_ref().map(Role::of));
            for space in &org.spaces {
                texts.push(space.space_id.clone());
                roles.push(space.role.as_ref().map(Role::of));
            }
        }
        Self { texts, roles }
    }

    fn expected(json: &Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let mut texts = vec![text(&json["id"]), text(&json["name"])];
        let mut roles = vec![Role::expected(&json["account_role"])];
        for org in json["organizations"].as_array().into_iter().flatten() {
            texts.push(text(&org["org_id"]));
            roles.push(Role::expected(&org["role"]));
            for space in org["spaces"].as_array().into_iter().flatten() {
                texts.push(text(&space["space_id"]));
                roles.push(Role::expected(&space["role"]));
            }
        }
        Self { texts, roles }
    }
}

impl Role {
    fn of<R: Debug + ToString>(role: &RoleAssignment<R>) -> Self {
        match role {
            RoleAssignment::Predefined(role) => Self::Predefined(role.to_string()),
            RoleAssignment::Custom { id, .. } => Self::Custom(id.clone()),
            RoleAssignment::Unknown(kind) => Self::Unknown(kind.clone()),
            other => panic!("unknown assignment: {other:?}"),
        }
    }

    fn expected(json: &Value) -> Option<Self> {
        let text = |name: &str| json[name].as_str().unwrap_or_default().to_owned();
        Some(match json.as_object()?.get("type")?.as_str()? {
            "PREDEFINED" => Self::Predefined(text("name").to_lowercase().replace('_', "-")),
            "CUSTOM" => Self::Custom(text("id")),
            other => Self::Unknown(other.to_owned()),
        })
    }
}
