//! The response types and the enums of the API.

mod decode;
mod enums;
mod matches;
mod role;
mod scrub;
mod space;

use std::fmt;
use std::ops::Deref;

use secrecy::{ExposeSecret, SecretString};
use time::OffsetDateTime;

pub(crate) use self::enums::WireEnum;
pub use self::enums::{AccountRole, ApiKeyStatus, ApiKeyType, OrgRole, SpaceRole, UnknownValue};
pub use self::role::RoleAssignment;
pub(crate) use self::scrub::Scrub;
pub use self::space::{Organization, Space};
use crate::redact::quote;
use crate::serialize::{Rfc3339Time, serialize_members};

/// A member of a response that the client could not use, with the value found.
///
/// The client never discards the rest of the response for it, least of all a one-time secret. Check the warnings before
/// you rely on an absent value: an unreadable `expires_at` is `None` and has a warning.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FieldWarning {
    /// The name of the member; `body` if the response is truncated, not JSON or not UTF-8.
    pub field: &'static str,
    /// The text found, at most 1 KiB, with every text of the form `ak-…` replaced; or the kind of the value.
    pub found: String,
}

serialize_members!(FieldWarning { field, found });

impl fmt::Display for FieldWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`: {}", self.field, quote(&self.found))
    }
}

/// The warning about a member that a response has twice.
pub(crate) const DUPLICATE: &str = "a duplicate member";

/// A key in a list, without its secret.
///
/// It can be serialized: members have the API's names, enum words are lower case, times are RFC 3339, an absent value is
/// `null`, and [`warnings`](Self::warnings) is added.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ApiKey {
    /// The id, for refresh and revoke. Empty if the response has none.
    pub id: String,
    /// The name.
    pub name: String,
    /// The description.
    pub description: Option<String>,
    /// The kind of principal that it authenticates as.
    pub key_type: ApiKeyType,
    /// Active or revoked. An active key may have expired: see [`expires_at`](Self::expires_at).
    pub status: ApiKeyStatus,
    /// The first and last characters of the secret, like `ak-abc...xyz`.
    pub redacted_key: String,
    /// The time of creation.
    pub created_at: Option<OffsetDateTime>,
    /// The time at which it stops working. `None` means never, unless [`warnings`](Self::warnings) has `expires_at`.
    pub expires_at: Option<OffsetDateTime>,
    /// The id of its creator.
    pub created_by_user_id: String,
    /// The approximate time of the last use.
    pub last_used_at: Option<OffsetDateTime>,
    /// The bot user of a service key, if the response has it.
    pub bot_user: Option<BotUser>,
    /// Members of the response that the client could not use.
    pub warnings: Vec<FieldWarning>,
}

serialize_members!(ApiKey {
    id,
    name,
    description,
    key_type,
    status,
    redacted_key,
    created_at as Rfc3339Time,
    expires_at as Rfc3339Time,
    created_by_user_id,
    last_used_at as Rfc3339Time,
    bot_user,
    warnings,
});

/// A created or refreshed key with its secret, which no later response has.
///
/// ```
/// # use arize_api_keys::{ApiKeyCreated, ApiKeysClient, CreateRequest, Error, ExposeSecret};
/// # fn demo(client: &ApiKeysClient, store: impl Fn(&str)) -> Result<(), Error> {
/// let created = client.create(&CreateRequest::new("personal-key"))?;
/// store(created.key.expose_secret());
/// println!("{created:?}"); // does not show the secret
/// # Ok(())
/// # }
/// ```
///
/// Its `details` can be serialized:
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # #[cfg(feature = "emulator")] {
/// # let client = arize_api_keys::emulator::Emulator::new().client();
/// let created = client.create(&arize_api_keys::CreateRequest::new("personal-key"))?;
/// let report = serde_json::to_value(&created.details)?;
/// assert_eq!(report["name"], "personal-key");
/// assert_eq!(report["key_type"], "user");
/// # }
/// # Ok(())
/// # }
/// ```
///
/// The whole cannot, so that no log or report gets the secret by accident. This does not compile:
///
/// ```compile_fail,E0277
/// fn report(created: &arize_api_keys::ApiKeyCreated) -> String {
///     serde_json::to_string(created).unwrap_or_default()
/// }
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ApiKeyCreated {
    /// The secret, as it goes into `ARIZE_API_KEY`.
    pub key: SecretString,
    /// The rest of the response. [`Deref`] makes its fields available here: `created.id` is `created.details.id`.
    pub details: ApiKey,
}

impl ApiKeyCreated {
    pub(crate) fn new(mut details: ApiKey, key: SecretString) -> Self {
        details.scrub(key.expose_secret());
        Self { key, details }
    }
}

impl ApiKeyCreated {
    /// Whether the response has `id` or `key` twice, so that the client cannot tell which one is meant. Do not revoke a key
    /// by such an `id`: it may be the one of another key.
    pub fn has_duplicate_member(&self) -> bool {
        self.warnings.iter().any(|warning| warning.found == DUPLICATE)
    }
}

impl Deref for ApiKeyCreated {
    type Target = ApiKey;

    fn deref(&self) -> &ApiKey {
        &self.details
    }
}

/// The bot user of a service key.
///
/// In a list filtered by space, the service leaves `organizations` empty. For a bot user that it cannot resolve, it sends
/// a placeholder. Do not rely on absent values here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct BotUser {
    /// Its user id, for role bindings.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its role in the account.
    pub account_role: Option<RoleAssignment<AccountRole>>,
    /// Its organizations and spaces.
    pub organizations: Vec<BotUserOrganization>,
}

serialize_members!(BotUser { id, name, account_role, organizations });

/// An organization of a bot user.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct BotUserOrganization {
    /// The organization.
    pub org_id: String,
    /// The role there.
    pub role: Option<RoleAssignment<OrgRole>>,
    /// The spaces there.
    pub spaces: Vec<BotUserSpace>,
}

serialize_members!(BotUserOrganization { org_id, role, spaces });

/// A space of a bot user.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct BotUserSpace {
    /// The space.
    pub space_id: String,
    /// The role there.
    pub role: Option<RoleAssignment<SpaceRole>>,
}

serialize_members!(BotUserSpace { space_id, role });

/// One page of keys.
///
/// It can be serialized, like [`ApiKey`]: the object of the API, and [`server_time`](Self::server_time).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ApiKeyList {
    /// The keys of this page.
    pub api_keys: Vec<ApiKey>,
    /// Whether another page follows, and its cursor.
    pub pagination: Pagination,
    /// The time of the service, from the header `Date`.
    pub server_time: Option<OffsetDateTime>,
}

serialize_members!(ApiKeyList { api_keys, pagination, server_time as Rfc3339Time });

/// Whether another page follows, and its cursor.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pagination {
    /// Whether there is another page.
    pub has_more: bool,
    /// The cursor for [`ListRequest::cursor`](crate::ListRequest::cursor).
    pub next_cursor: Option<String>,
}

serialize_members!(Pagination { has_more, next_cursor });
