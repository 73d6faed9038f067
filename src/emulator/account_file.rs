//! The account that an emulator starts with, as a file says it.

use std::fmt;

use secrecy::SecretString;
use serde::{Deserialize, Deserializer};

use super::account_plan::Plan;
use super::moment::Moment;

/// The account that an emulator starts with: organizations, spaces, users and keys.
///
/// It is read from JSON, by [`from_json`](Self::from_json), or from any other format that serde knows. The schema is in
/// `docs/emulator-account.md` of the repository. In short:
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
/// let wrong = AccountSpec::from_json(r#"{ "keys": [{ "name": "laptop", "user": "nobody" }] }"#);
/// assert_eq!(wrong.unwrap_err().to_string(), "`keys[0].user`: there is no user `nobody`");
/// # Ok::<(), arize_api_keys::emulator::AccountError>(())
/// ```
///
/// Its `Debug` shows no secrets.
#[derive(Clone, Debug)]
pub struct AccountSpec {
    pub(super) plan: Plan,
}

/// What is wrong with the description of an account, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct AccountError {
    text: String,
}

impl AccountError {
    pub(super) fn at(place: &str, problem: impl fmt::Display) -> Self {
        Self { text: format!("`{place}`: {problem}") }
    }
}

impl AccountSpec {
    /// Reads an account from JSON.
    ///
    /// # Errors
    ///
    /// [`AccountError`] says by line and column what is not JSON or not of the schema, and by its path what does not fit
    /// the rest: a name that nothing has, a role that there is not, a secret given twice.
    pub fn from_json(text: &str) -> Result<Self, AccountError> {
        let file: AccountFile = serde_json::from_str(text).map_err(|error| AccountError { text: error.to_string() })?;
        Ok(Self { plan: Plan::new(file)? })
    }
}

impl<'de> Deserialize<'de> for AccountSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let plan = Plan::new(AccountFile::deserialize(deserializer)?).map_err(serde::de::Error::custom)?;
        Ok(Self { plan })
    }
}

/// secrecy reads secrets only with a feature of its own.
fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SecretString>, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?.map(SecretString::from))
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct AccountFile {
    pub(super) admin: AdminEntry,
    pub(super) organizations: Vec<OrganizationEntry>,
    pub(super) roles: Vec<RoleEntry>,
    pub(super) users: Vec<UserEntry>,
    pub(super) keys: Vec<KeyEntry>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct AdminEntry {
    pub(super) name: Option<String>,
    #[serde(default, deserialize_with = "secret")]
    pub(super) secret: Option<SecretString>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OrganizationEntry {
    pub(super) name: String,
    #[serde(default)]
    pub(super) description: String,
    #[serde(default)]
    pub(super) spaces: Vec<SpaceEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SpaceEntry {
    pub(super) name: String,
    #[serde(default)]
    pub(super) description: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RoleEntry {
    pub(super) name: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct UserEntry {
    pub(super) name: String,
    pub(super) account_role: Option<String>,
    #[serde(default)]
    pub(super) organizations: Vec<GrantEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GrantEntry {
    pub(super) organization: String,
    pub(super) role: Option<String>,
    #[serde(default)]
    pub(super) spaces: Vec<SpaceGrantEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SpaceGrantEntry {
    pub(super) space: String,
    pub(super) role: Option<SpaceRoleEntry>,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "a role is a word like `member`, or `{ custom: <the name of one of the roles> }`")]
pub(super) enum SpaceRoleEntry {
    Word(String),
    Custom(CustomEntry),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CustomEntry {
    pub(super) custom: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KeyEntry {
    pub(super) name: String,
    pub(super) user: Option<String>,
    pub(super) description: Option<String>,
    #[serde(default, deserialize_with = "secret")]
    pub(super) secret: Option<SecretString>,
    pub(super) created_at: Option<Moment>,
    pub(super) expires_at: Option<Moment>,
    #[serde(default)]
    pub(super) revoked: bool,
    pub(super) service: Option<ServiceEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ServiceEntry {
    pub(super) account_role: Option<String>,
    #[serde(default)]
    pub(super) organizations: Vec<GrantEntry>,
}
