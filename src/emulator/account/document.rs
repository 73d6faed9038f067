//! The account document: what an emulator starts with, and what its state file holds.

use std::fmt;

use fastrand::Rng;
use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use time::OffsetDateTime;

use super::Account;
use super::id::Id;
use super::timestamp::Timestamp;

/// The account that an emulator starts with: organizations, spaces, users and keys.
///
/// [`from_json`](Self::from_json) reads it, and serde from any other format. `docs/emulator.md` has its members. In short:
///
/// ```
/// use arize_api_keys::emulator::{AccountSpec, Emulator};
///
/// let account = AccountSpec::from_json(r#"{
///     "organizations": [{ "name": "acme", "spaces": [{ "name": "prod" }, { "name": "staging" }] }],
///     "roles": [{ "name": "auditor" }],
///     "users": [{ "name": "jo", "organizations": [
///         { "organization": "acme", "role": "member", "spaces": [{ "space": "prod", "role": "admin" }] }
///     ] }],
///     "keys": [
///         { "name": "laptop", "user": "jo", "secret": "ak-of-jo" },
///         { "name": "ci-bot", "user": "jo", "service": { "organizations": [
///             { "organization": "acme", "spaces": [{ "space": "prod", "role": { "custom": "auditor" } }] }
///         ] } }
///     ]
/// }"#)?;
/// let emulator = Emulator::builder().account(account).build();
/// assert!(emulator.authenticates("ak-of-jo"));
///
/// let wrong = AccountSpec::from_json(r#"{ "keys": [{ "name": "laptop", "user": "max" }] }"#);
/// assert_eq!(wrong.unwrap_err().to_string(), "`keys[0].user`: there is no user `max`");
/// # Ok::<(), arize_api_keys::emulator::AccountError>(())
/// ```
///
/// Its `Debug` shows no secrets.
#[derive(Clone)]
pub struct AccountSpec {
    pub(crate) document: Document,
}

/// The defect of an account document, and its place. The text quotes no value of the document, which may be a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct AccountError {
    text: String,
}

impl AccountError {
    pub(crate) fn at(place: &str, problem: impl fmt::Display) -> Self {
        Self { text: format!("`{place}`: {problem}") }
    }
}

impl AccountSpec {
    /// Reads an account from JSON.
    ///
    /// # Errors
    ///
    /// [`AccountError`] names the member; for a text that is not JSON and for a wrong type also the line and the column.
    pub fn from_json(text: &str) -> Result<Self, AccountError> {
        serde_json::from_str(text).map_err(|error| AccountError { text: error.to_string() })
    }
}

impl From<Document> for AccountSpec {
    fn from(document: Document) -> Self {
        Self { document }
    }
}

impl fmt::Debug for AccountSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Document { organizations, users, keys, .. } = &self.document;
        f.debug_struct("AccountSpec")
            .field("organizations", &organizations.len())
            .field("users", &users.len())
            .field("keys", &keys.len())
            .finish_non_exhaustive()
    }
}

impl<'de> Deserialize<'de> for AccountSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Whole(document) = serde_path_to_error::deserialize(deserializer).map_err(|error| {
            serde::de::Error::custom(located(&error.path().to_string(), &error.inner().to_string()))
        })?;
        // What does not fit together shows when the account is made.
        Account::load(&document, Rng::with_seed(0), OffsetDateTime::UNIX_EPOCH).map_err(serde::de::Error::custom)?;
        Ok(document.into())
    }
}

/// The message of a serde error without the value in it, and with the place of the member.
fn located(path: &str, message: &str) -> String {
    let problem = match message.rsplit_once(", expected ") {
        Some((found, expected)) if found.starts_with("unknown field") => format!("not known here; known: {expected}"),
        Some((_, expected)) => format!("expected {expected}"),
        None => message.to_owned(),
    };
    // A member whose name looks like a secret is not named.
    let shown = path.split_once("ak-").map_or(path, |(parent, _)| parent.trim_end_matches(['.', '[']));
    if matches!(shown, "" | ".") { problem } else { format!("`{shown}`: {problem}") }
}

/// A document that is an object: a derived [`Deserialize`] takes an array, too.
struct Whole(Document);

impl<'de> Deserialize<'de> for Whole {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Whole;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an account document: an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Whole, A::Error> {
                Document::deserialize(MapAccessDeserializer::new(map)).map(Whole)
            }
        }
        deserializer.deserialize_map(Object)
    }
}

/// A whole account. Optional members are generated, or have a default, when the account is loaded.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Document {
    pub(super) admin: AdminEntry,
    pub(super) organizations: Vec<OrganizationEntry>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) roles: Vec<RoleEntry>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) users: Vec<UserEntry>,
    pub(super) keys: Vec<KeyEntry>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) counters: Option<CountersEntry>,
}

impl Document {
    /// Organizations with spaces, by their names, and the admin.
    pub(crate) fn of_organizations(organizations: &[(&str, &[&str])]) -> Self {
        let space = |name: &&str| SpaceEntry {
            id: None,
            name: (*name).to_owned(),
            description: String::new(),
            created_at: None,
        };
        let organization = |(name, spaces): &(&str, &[&str])| OrganizationEntry {
            id: None,
            name: (*name).to_owned(),
            description: String::new(),
            created_at: None,
            spaces: spaces.iter().map(space).collect(),
        };
        Self { organizations: organizations.iter().map(organization).collect(), ..Self::default() }
    }

    /// The secret that the admin's key is to have.
    pub(crate) fn admin_secret(&self) -> Option<&str> {
        self.admin.secret.as_deref()
    }

    pub(crate) fn set_admin_secret(&mut self, secret: Option<String>) {
        self.admin.secret = secret;
    }

    /// Whether a key other than the admin's own has this secret.
    pub(crate) fn has_secret(&self, secret: &str) -> bool {
        let has = |key: &KeyEntry| {
            let mut former = key.graces.iter().map(|grace| grace.secret.as_str());
            key.secret.as_deref() == Some(secret) || former.any(|former| former == secret)
        };
        self.keys.iter().any(has)
    }
}

#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "an object")]
pub(super) struct AdminEntry {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<Id>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) secret: Option<String>,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object")]
pub(super) struct OrganizationEntry {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<Id>,
    pub(super) name: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) description: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) created_at: Option<Timestamp>,
    #[serde(default)]
    pub(super) spaces: Vec<SpaceEntry>,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object")]
pub(super) struct SpaceEntry {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<Id>,
    pub(super) name: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) description: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) created_at: Option<Timestamp>,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object")]
pub(super) struct RoleEntry {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<Id>,
    pub(super) name: String,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object")]
pub(super) struct UserEntry {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<Id>,
    pub(super) name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) account_role: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) organizations: Vec<GrantEntry>,
}

/// Organizations, spaces, users and custom roles are referred to by name, or by id where several have the name.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object")]
pub(super) struct GrantEntry {
    pub(super) organization: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) role: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) spaces: Vec<SpaceGrantEntry>,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object")]
pub(super) struct SpaceGrantEntry {
    pub(super) space: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) role: Option<SpaceRoleEntry>,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(untagged, expecting = "a role is a word like `member`, or `{ custom: <the name of one of the roles> }`")]
pub(super) enum SpaceRoleEntry {
    Word(String),
    Custom(CustomEntry),
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object")]
pub(super) struct CustomEntry {
    pub(super) custom: String,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object")]
pub(super) struct KeyEntry {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<Id>,
    pub(super) name: String,
    /// Without one: the admin.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) user: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) secret: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) created_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) expires_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) last_used_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) revoked: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) service: Option<ServiceEntry>,
    /// Former secrets that still open the key.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) graces: Vec<GraceEntry>,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object")]
pub(super) struct ServiceEntry {
    /// Of the bot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<Id>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) account_role: Option<String>,
    #[serde(default)]
    pub(super) organizations: Vec<GrantEntry>,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object")]
pub(super) struct GraceEntry {
    pub(super) secret: String,
    pub(super) until: Timestamp,
}

/// Where the generators of ids and secrets stand, so that what comes after a restart is what would have come without one.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object")]
pub(super) struct CountersEntry {
    pub(super) ids: HexCounter,
    pub(super) secrets: HexCounter,
}

/// 64 bits as hexadecimal text: a JSON number of that size does not survive every reader.
#[derive(Clone, Copy)]
pub(super) struct HexCounter(pub(super) u64);

impl Serialize for HexCounter {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{:016x}", self.0))
    }
}

impl<'de> Deserialize<'de> for HexCounter {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let read = u64::from_str_radix(&String::deserialize(deserializer)?, 16);
        read.map(Self).map_err(|_| serde::de::Error::custom("must be 1 to 16 hexadecimal digits"))
    }
}
