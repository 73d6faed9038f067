//! What the service answers, and the words it uses.

mod hide;
mod read;
mod words;

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use time::OffsetDateTime;

pub(crate) use self::words::Word;
pub use self::words::{AccountRole, ApiKeyStatus, ApiKeyType, OrgRole, RoleAssignment, SpaceRole};
use crate::redact::quoted;

/// A member of an answer that could not be used, as it was found.
///
/// An oddity never costs the rest of the answer, least of all a one-time secret. Look here before trusting an absent
/// value: an `expires_at` that cannot be read is `None`, and noted.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Oddity {
    /// The member, by its name on the wire; `body` where the answer broke off, or its text is not JSON or not UTF-8.
    pub field: &'static str,
    /// What was found there: the text itself, at most 1 KiB of it, with what looks like a key replaced; or what kind of
    /// value it is.
    pub found: String,
}

impl fmt::Display for Oddity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`: {}", self.field, quoted(&self.found))
    }
}

/// A key as a list shows it: never with its secret.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ApiKey {
    /// The id, by which a key is refreshed and removed. Empty if the service sent none.
    pub id: String,
    /// The name that its creator gave it.
    pub name: String,
    /// What its creator wrote about it.
    pub description: Option<String>,
    /// Whom it stands for.
    pub key_type: ApiKeyType,
    /// Whether it still works.
    pub status: ApiKeyStatus,
    /// The secret with its middle left out, like `ak-abc...xyz`: enough to tell which secret it is.
    pub redacted_key: String,
    /// When it was created.
    pub created_at: Option<OffsetDateTime>,
    /// When it stops working; `None` if never, or if [`oddities`](Self::oddities) says otherwise.
    pub expires_at: Option<OffsetDateTime>,
    /// The user who created it.
    pub created_by_user_id: String,
    /// When it was last used, roughly.
    pub last_used_at: Option<OffsetDateTime>,
    /// The user that a service key stands for, where the service says it.
    pub bot_user: Option<BotUser>,
    /// Members of the answer that could not be used.
    pub oddities: Vec<Oddity>,
}

/// A key that was just created or refreshed, with its secret: this is the only time that it can be seen.
///
/// ```
/// # use arize_api_keys::{ApiKeyCreated, ApiKeysClient, CreateRequest, Error, ExposeSecret};
/// # fn demo(client: &ApiKeysClient, store: impl Fn(&str)) -> Result<(), Error> {
/// let created = client.create(&CreateRequest::new("personal-key"))?;
/// store(created.key.expose_secret());
/// println!("{created:?}"); // shows everything but the secret
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ApiKeyCreated {
    /// The id, by which the key is refreshed and removed. Empty if the service sent none.
    pub id: String,
    /// The secret, as it goes into `ARIZE_API_KEY`.
    pub key: SecretString,
    /// The name that its creator gave it.
    pub name: String,
    /// What its creator wrote about it.
    pub description: Option<String>,
    /// Whom it stands for.
    pub key_type: ApiKeyType,
    /// Whether it works.
    pub status: ApiKeyStatus,
    /// The secret with its middle left out, like `ak-abc...xyz`: as lists show it.
    pub redacted_key: String,
    /// When it was created.
    pub created_at: Option<OffsetDateTime>,
    /// When it stops working; `None` if never, or if [`oddities`](Self::oddities) says otherwise.
    pub expires_at: Option<OffsetDateTime>,
    /// The user who created it.
    pub created_by_user_id: String,
    /// When it was last used, roughly.
    pub last_used_at: Option<OffsetDateTime>,
    /// The user that a new service key stands for (beta).
    pub bot_user: Option<BotUser>,
    /// Members of the answer that could not be used.
    pub oddities: Vec<Oddity>,
}

impl ApiKeyCreated {
    pub(crate) fn new(mut fields: ApiKey, key: SecretString) -> Self {
        fields.hide(key.expose_secret());
        Self {
            id: fields.id,
            key,
            name: fields.name,
            description: fields.description,
            key_type: fields.key_type,
            status: fields.status,
            redacted_key: fields.redacted_key,
            created_at: fields.created_at,
            expires_at: fields.expires_at,
            created_by_user_id: fields.created_by_user_id,
            last_used_at: fields.last_used_at,
            bot_user: fields.bot_user,
            oddities: fields.oddities,
        }
    }
}

/// The user that a service key stands for.
///
/// In lists, the service leaves `organizations` empty when it filters by space, and shows a placeholder for a bot user
/// that it cannot resolve: base no decision on what is missing here.
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

/// A space of a bot user.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct BotUserSpace {
    /// The space.
    pub space_id: String,
    /// The role there.
    pub role: Option<RoleAssignment<SpaceRole>>,
}

/// One page of keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ApiKeyList {
    /// The keys of this page.
    pub api_keys: Vec<ApiKey>,
    /// Whether and where it goes on.
    pub pagination: Pagination,
}

/// Whether a list goes on, and where.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pagination {
    /// Whether there is another page.
    pub has_more: bool,
    /// What to pass to [`ListRequest::cursor`](crate::ListRequest::cursor) to get it.
    pub next_cursor: Option<String>,
}
