//! What the service answers, and the words it uses.

use std::borrow::Cow;
use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use serde::de::MapAccess;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::lenient::{ArrayInto, Found, Members, ObjectInto, Scalar, ScalarSeed, Seen};
use crate::redact::{quoted, redacted};
use crate::stage::ApiStage;

/// A word that goes out in a request.
pub(crate) trait Word {
    /// The word on the wire of this stage. What the caller made up goes out as it is.
    fn word(&self, stage: ApiStage) -> Cow<'_, str>;
}

/// An enum of the API: words that are known today, and `Unknown` for those of tomorrow.
macro_rules! open_enum {
    (
        $(#[$doc:meta])* $name:ident;
        $( $(#[$variant_doc:meta])* $variant:ident = $word:literal $(| $alias:literal)? ),+ $(,)?
    ) => {
        $(#[$doc])*
        ///
        /// Read in either case and with `-` or `_`, shown in lower case. A word that this version does not know is kept as
        /// it came.
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $( $(#[$variant_doc])* $variant, )+
            /// A word that this version of the SDK does not know; empty if the service sent none.
            Unknown(String),
        }

        impl $name {
            /// The word in lower case, as the alpha stage writes it.
            pub fn as_str(&self) -> &str {
                match self {
                    $( Self::$variant => $word, )+
                    Self::Unknown(word) => word,
                }
            }
        }

        impl Word for $name {
            fn word(&self, stage: ApiStage) -> Cow<'_, str> {
                match (self, stage) {
                    (Self::Unknown(word), _) => Cow::Borrowed(word),
                    (_, ApiStage::Alpha) => Cow::Borrowed(self.as_str()),
                    (_, ApiStage::Beta) => Cow::Owned(self.as_str().to_ascii_uppercase().replace('-', "_")),
                }
            }
        }

        impl From<&str> for $name {
            fn from(word: &str) -> Self {
                match word {
                    $( _ if same_word(word, $word) $(|| same_word(word, $alias))? => Self::$variant, )+
                    _ => Self::Unknown(word.to_owned()),
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    Self::Unknown(word) if word.is_empty() => f.pad("unknown"),
                    Self::Unknown(word) => f.pad(&word.to_lowercase()),
                    _ => f.pad(self.as_str()),
                }
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self::Unknown(String::new())
            }
        }

        impl Scalar for $name {
            fn from_text(text: &str) -> Option<Self> {
                Some(Self::from(text))
            }
        }
    };
}

/// Whether the service means `word` by `text`: case does not count, and `_` is `-`.
fn same_word(text: &str, word: &str) -> bool {
    text.len() == word.len()
        && text.bytes().zip(word.bytes()).all(|(t, w)| t.eq_ignore_ascii_case(&w) || (t == b'_' && w == b'-'))
}

open_enum! {
    /// Whom a key stands for.
    ApiKeyType;
    /// A person: the key has the permissions of its creator.
    User = "user",
    /// A bot user, with roles of its own.
    Service = "service",
}

open_enum! {
    /// Whether a key still works.
    ApiKeyStatus;
    /// It works, unless it has expired.
    Active = "active",
    /// It was removed, or replaced. `deleted`, the word of the first alpha servers, is read as this.
    Revoked = "revoked" | "deleted",
}

open_enum! {
    /// A predefined role in a space.
    SpaceRole;
    /// May change the space itself.
    Admin = "admin",
    /// May read and write.
    Member = "member",
    /// May read.
    ReadOnly = "read-only",
    /// May annotate. Not for service keys; beta only.
    Annotator = "annotator",
}

open_enum! {
    /// A predefined role in an organization.
    OrgRole;
    /// May change the organization itself.
    Admin = "admin",
    /// May read and write.
    Member = "member",
    /// May read.
    ReadOnly = "read-only",
    /// May annotate. Not for service keys; beta only.
    Annotator = "annotator",
}

open_enum! {
    /// A predefined role in the account.
    AccountRole;
    /// May change the account itself.
    Admin = "admin",
    /// An ordinary member.
    Member = "member",
    /// May annotate. Not for service keys; beta only.
    Annotator = "annotator",
    /// A member who uses the web pages only. Not for service keys; beta only.
    MemberUiOnly = "member-ui-only",
}

/// A role as it is given to a bot user: one of the predefined ones, or one that the account has made.
///
/// ```
/// use arize_api_keys::{RoleAssignment, SpaceBinding, SpaceRole};
///
/// let reader = SpaceBinding::new("prod").role(SpaceRole::ReadOnly);
/// let special = SpaceBinding::new("prod").role(RoleAssignment::custom("Um9sZToxMTp6enp6"));
/// # assert_ne!(reader, special);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RoleAssignment<R> {
    /// A predefined role.
    Predefined(R),
    /// A role of the account's own.
    #[non_exhaustive]
    Custom {
        /// Its id.
        id: String,
        /// Its name, in answers.
        name: Option<String>,
    },
    /// An assignment of a type that this version of the SDK does not know: that type's word.
    Unknown(String),
}

impl<R> RoleAssignment<R> {
    /// A role of the account's own, by its id. Today the service takes custom roles in spaces only.
    pub fn custom(id: impl Into<String>) -> Self {
        Self::Custom { id: id.into(), name: None }
    }
}

impl From<SpaceRole> for RoleAssignment<SpaceRole> {
    fn from(role: SpaceRole) -> Self {
        Self::Predefined(role)
    }
}

impl From<OrgRole> for RoleAssignment<OrgRole> {
    fn from(role: OrgRole) -> Self {
        Self::Predefined(role)
    }
}

impl From<AccountRole> for RoleAssignment<AccountRole> {
    fn from(role: AccountRole) -> Self {
        Self::Predefined(role)
    }
}

/// A member of an answer that could not be used, as it was found.
///
/// An oddity never costs the rest of the answer, least of all a one-time secret. Look here before trusting an absent
/// value: an `expires_at` that cannot be read is `None`, and noted.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Oddity {
    /// The member, by its name on the wire; `body` where the JSON text itself breaks off or is wrong.
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

impl ApiKey {
    /// Takes the secret out of texts that are shown: a service may repeat it, in `redacted_key` for one.
    fn hide(&mut self, secret: &str) {
        let texts = [
            ("id", &mut self.id),
            ("name", &mut self.name),
            ("redacted_key", &mut self.redacted_key),
            ("created_by_user_id", &mut self.created_by_user_id),
        ];
        let description = self.description.as_mut().map(|text| ("description", text));
        for (field, text) in texts.into_iter().chain(description) {
            if text.contains(secret) {
                *text = text.replace(secret, "[redacted]");
                self.oddities.push(Oddity { field, found: "the secret".to_owned() });
            }
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

/// Notes members that cannot be used.
struct Notes<'a>(&'a mut Vec<Oddity>);

impl Notes<'_> {
    #[inline]
    fn read<'de, T: Scalar, A: MapAccess<'de>>(
        &mut self,
        field: &'static str,
        map: &mut A,
    ) -> Result<Option<T>, A::Error> {
        Ok(match map.next_value_seed(ScalarSeed::new())? {
            Found::Value(value) => Some(value),
            Found::Null => None,
            Found::Odd(found) => {
                self.note(field, &found);
                None
            }
        })
    }

    #[cold]
    fn note(&mut self, field: &'static str, found: &str) {
        // A secret in the wrong place is a secret still.
        self.0.push(Oddity { field, found: redacted(found) });
    }
}

impl Members for ApiKey {
    #[inline]
    fn read<'de, A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<bool, A::Error> {
        let mut notes = Notes(&mut self.oddities);
        match name {
            "id" => self.id = notes.read("id", map)?.unwrap_or_default(),
            "name" => self.name = notes.read("name", map)?.unwrap_or_default(),
            "description" => self.description = notes.read("description", map)?,
            "key_type" => self.key_type = notes.read("key_type", map)?.unwrap_or_default(),
            "status" => self.status = notes.read("status", map)?.unwrap_or_default(),
            "redacted_key" => self.redacted_key = notes.read("redacted_key", map)?.unwrap_or_default(),
            "created_at" => self.created_at = notes.read("created_at", map)?,
            "expires_at" => self.expires_at = notes.read("expires_at", map)?,
            "created_by_user_id" => {
                self.created_by_user_id = notes.read("created_by_user_id", map)?.unwrap_or_default();
            }
            "last_used_at" => self.last_used_at = notes.read("last_used_at", map)?,
            "bot_user" => self.bot_user = read_object(map)?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn no_object(&mut self, found: &str) {
        self.oddities.push(Oddity { field: "api_keys", found: found.to_owned() });
    }
}

impl Members for BotUser {
    fn read<'de, A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<bool, A::Error> {
        match name {
            "id" => self.id = read_text(map)?,
            "name" => self.name = read_text(map)?,
            "account_role" => self.account_role = read_role(map)?,
            "organizations" => {
                map.next_value_seed(ArrayInto(&mut self.organizations))?;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }
}

impl Members for BotUserOrganization {
    fn read<'de, A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<bool, A::Error> {
        match name {
            "org_id" => self.org_id = read_text(map)?,
            "role" => self.role = read_role(map)?,
            "spaces" => {
                map.next_value_seed(ArrayInto(&mut self.spaces))?;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }
}

impl Members for BotUserSpace {
    fn read<'de, A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<bool, A::Error> {
        match name {
            "space_id" => self.space_id = read_text(map)?,
            "role" => self.role = read_role(map)?,
            _ => return Ok(false),
        }
        Ok(true)
    }
}

/// The members of a role assignment, before it is known which kind it is.
#[derive(Default)]
struct RoleMembers {
    kind: String,
    name: Option<String>,
    id: Option<String>,
}

impl Members for RoleMembers {
    fn read<'de, A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<bool, A::Error> {
        match name {
            "type" => self.kind = read_text(map)?,
            "name" => self.name = read_scalar(map)?,
            "id" => self.id = read_scalar(map)?,
            _ => return Ok(false),
        }
        Ok(true)
    }
}

fn read_role<'de, R: Scalar, A: MapAccess<'de>>(map: &mut A) -> Result<Option<RoleAssignment<R>>, A::Error> {
    let Some(role) = read_object::<RoleMembers, A>(map)? else { return Ok(None) };
    Ok(Some(if same_word(&role.kind, "predefined") {
        match role.name.as_deref().and_then(R::from_text) {
            Some(name) => RoleAssignment::Predefined(name),
            None => RoleAssignment::Unknown(role.kind),
        }
    } else if same_word(&role.kind, "custom") {
        RoleAssignment::Custom { id: role.id.unwrap_or_default(), name: role.name }
    } else {
        RoleAssignment::Unknown(role.kind)
    }))
}

pub(crate) fn read_scalar<'de, T: Scalar, A: MapAccess<'de>>(map: &mut A) -> Result<Option<T>, A::Error> {
    Ok(match map.next_value_seed(ScalarSeed::new())? {
        Found::Value(value) => Some(value),
        Found::Null | Found::Odd(_) => None,
    })
}

pub(crate) fn read_text<'de, A: MapAccess<'de>>(map: &mut A) -> Result<String, A::Error> {
    Ok(read_scalar(map)?.unwrap_or_default())
}

fn read_object<'de, T: Members + Default, A: MapAccess<'de>>(map: &mut A) -> Result<Option<T>, A::Error> {
    let mut object = T::default();
    Ok((map.next_value_seed(ObjectInto(&mut object))? == Seen::Wanted).then_some(object))
}

impl Scalar for OffsetDateTime {
    /// RFC 3339, and what servers have been seen to make of it: lower-case letters, a blank for the `T`, no zone (UTC), a
    /// date alone (midnight, UTC).
    fn from_text(text: &str) -> Option<Self> {
        Self::parse(text, &Rfc3339).ok().or_else(|| {
            let text = text.trim().to_ascii_uppercase().replacen(' ', "T", 1);
            let text = if text.contains('T') { text } else { format!("{text}T00:00:00") };
            Self::parse(&text, &Rfc3339).or_else(|_| Self::parse(&format!("{text}Z"), &Rfc3339)).ok()
        })
    }
}
