//! The account document: the start of an emulator, and the content of its state file.

use std::fmt;

use fastrand::Rng;
use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use time::UtcDateTime;

use super::Account;
use super::enums::{Role, StageWords};
use super::id::{Id, Kind};
use super::timestamp::Timestamp;
use crate::stage::ApiStage;

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
        // Only loading the account shows a reference to a missing object.
        Account::load(&document, Rng::with_seed(0), Timestamp(UtcDateTime::UNIX_EPOCH))
            .map_err(serde::de::Error::custom)?;
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
    pub(crate) admin: AdminEntry,
    pub(super) organizations: Vec<OrganizationEntry>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) roles: Vec<CustomRoleEntry>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) users: Vec<UserEntry>,
    pub(super) keys: Vec<KeyEntry>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) counters: Option<CountersEntry>,
}

impl Document {
    /// Organizations with spaces, by their names, and the admin.
    pub(crate) fn of_organizations(organizations: &[(&str, &[&str])]) -> Self {
        let space = |name: &&str| SpaceEntry { name: (*name).to_owned(), ..SpaceEntry::default() };
        let organization = |(name, spaces): &(&str, &[&str])| OrganizationEntry {
            name: (*name).to_owned(),
            spaces: spaces.iter().map(space).collect(),
            ..OrganizationEntry::default()
        };
        Self { organizations: organizations.iter().map(organization).collect(), ..Self::default() }
    }

    /// Whether a key other than the admin's own has this secret.
    pub(crate) fn has_secret(&self, secret: &str) -> bool {
        self.secrets().any(|(other, _)| other == secret)
    }

    /// The secrets of the keys other than the admin's own, and their places.
    pub(super) fn secrets(&self) -> impl Iterator<Item = (&str, String)> {
        self.keys.iter().enumerate().flat_map(|(n, key)| {
            let current = key.secret.iter().map(move |secret| (secret.as_str(), format!("keys[{n}].secret")));
            let graces = key.graces.iter().enumerate();
            let former = graces.map(move |(m, grace)| (grace.secret.as_str(), format!("keys[{n}].graces[{m}].secret")));
            current.chain(former)
        })
    }

    /// The given ids, each with the kind that it must have and its place.
    pub(super) fn ids(&self) -> Vec<(Kind, Id, String)> {
        let mut ids = vec![(Kind::User, self.admin.id, "admin.id".to_owned())];
        for (n, organization) in self.organizations.iter().enumerate() {
            ids.push((Kind::Organization, organization.id, format!("organizations[{n}].id")));
            for (m, space) in organization.spaces.iter().enumerate() {
                ids.push((Kind::Space, space.id, format!("organizations[{n}].spaces[{m}].id")));
            }
        }
        let numbered = |name, n| format!("{name}[{n}].id");
        ids.extend(self.roles.iter().enumerate().map(|(n, role)| (Kind::CustomRole, role.id, numbered("roles", n))));
        ids.extend(self.users.iter().enumerate().map(|(n, user)| (Kind::User, user.id, numbered("users", n))));
        for (n, key) in self.keys.iter().enumerate() {
            let bot = key.service.as_ref().and_then(|service| service.id);
            ids.push((Kind::User, bot, format!("keys[{n}].service.id")));
            ids.push((Kind::ApiKey, key.id, numbered("keys", n)));
        }
        ids.into_iter().filter_map(|(kind, id, place)| Some((kind, id?, place))).collect()
    }
}

#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "an object")]
pub(crate) struct AdminEntry {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<Id>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<String>,
    /// The secret of the admin's own key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) secret: Option<String>,
}

#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object")]
pub(super) struct OrganizationEntry {
    pub(super) id: Option<Id>,
    pub(super) name: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) description: String,
    pub(super) created_at: Option<Timestamp>,
    #[serde(default)]
    pub(super) spaces: Vec<SpaceEntry>,
}

#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object")]
pub(super) struct SpaceEntry {
    pub(super) id: Option<Id>,
    pub(super) name: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) description: String,
    pub(super) created_at: Option<Timestamp>,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object")]
pub(super) struct CustomRoleEntry {
    pub(super) id: Option<Id>,
    pub(super) name: String,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object")]
pub(super) struct UserEntry {
    pub(super) id: Option<Id>,
    pub(super) name: String,
    pub(super) account_role: Option<RoleEntry>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) organizations: Vec<GrantEntry>,
}

/// A reference to an organization, space, user or custom role is its name, or its id where several have the name.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object")]
pub(super) struct GrantEntry {
    pub(super) organization: String,
    pub(super) role: Option<RoleEntry>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) spaces: Vec<SpaceGrantEntry>,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object")]
pub(super) struct SpaceGrantEntry {
    pub(super) space: String,
    pub(super) role: Option<SpaceRoleEntry>,
}

/// A predefined role, read in the words of either stage.
#[derive(Clone, Copy)]
pub(super) struct RoleEntry(pub(super) Role);

impl Serialize for RoleEntry {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.word(ApiStage::Alpha))
    }
}

impl<'de> Deserialize<'de> for RoleEntry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let role = Role::read(&String::deserialize(deserializer)?);
        let role = role.ok_or_else(|| serde::de::Error::custom("a role is `admin`, `member` or `read-only`"))?;
        Ok(Self(role.0))
    }
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(
    untagged,
    deny_unknown_fields,
    expecting = "a role is `admin`, `member`, `read-only` or `{ custom: <one of the roles> }`"
)]
pub(super) enum SpaceRoleEntry {
    Predefined(RoleEntry),
    Custom { custom: String },
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object")]
pub(super) struct KeyEntry {
    pub(super) id: Option<Id>,
    pub(super) name: String,
    /// The creator; by default the admin.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) user: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) description: Option<String>,
    pub(super) secret: Option<String>,
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
    /// The id of the bot.
    pub(super) id: Option<Id>,
    pub(super) account_role: Option<RoleEntry>,
    #[serde(default)]
    pub(super) organizations: Vec<GrantEntry>,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object")]
pub(super) struct GraceEntry {
    pub(super) secret: String,
    pub(super) until: Timestamp,
}

/// The states of the generators of ids and secrets, so that a restart does not change what they generate next.
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
