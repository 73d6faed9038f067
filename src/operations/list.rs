//! List keys: `GET /v2/api-keys`.

use crate::call::{Call, Misread, Operation, Reply};
use crate::error::InvalidRequest;
use crate::model::{ApiKey, ApiKeyList, ApiKeyStatus, ApiKeyType, Word};
use crate::operations::api_keys;
use crate::operations::page::read_page;
use crate::operations::spaces::SpaceRef;
use crate::redact::Text;
use crate::stage::ApiStage;

/// Which keys to list. Everything is optional.
///
/// What the service makes of it: without a space, a list shows user keys, the caller's own; with a space and no
/// [`key_type`](Self::key_type), the service keys of that space.
///
/// ```
/// use arize_api_keys::{ApiKeyStatus, ApiKeyType, ListRequest};
///
/// let request = ListRequest::new()
///     .key_type(ApiKeyType::Service)
///     .status(ApiKeyStatus::Active)
///     .space("your-space-name-or-id")
///     .limit(25);
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[must_use]
pub struct ListRequest {
    pub(crate) key_type: Option<ApiKeyType>,
    pub(crate) status: Option<ApiKeyStatus>,
    pub(crate) space: Option<SpaceRef>,
    pub(crate) org_id: Option<Text>,
    pub(crate) user_id: Option<Text>,
    pub(crate) limit: Option<u32>,
    pub(crate) cursor: Option<Text>,
}

/// The page size when the caller names none: the SDKs of this API always send one, and it is this.
const DEFAULT_LIMIT: u32 = 50;

impl ListRequest {
    /// All keys that the service shows unasked: active ones, 50 to the page.
    pub fn new() -> Self {
        Self::default()
    }

    /// Only keys of this kind.
    pub fn key_type(mut self, key_type: ApiKeyType) -> Self {
        self.key_type = Some(key_type);
        self
    }

    /// Only keys in this state. The service's default is active; there is no word for all.
    pub fn status(mut self, status: ApiKeyStatus) -> Self {
        self.status = Some(status);
        self
    }

    /// Only keys of this space, given by name or id. A name costs a look-up before the list.
    pub fn space(mut self, space: impl Into<SpaceRef>) -> Self {
        self.space = Some(space.into());
        self
    }

    /// The id of the organization in which [`space`](Self::space) is looked up by its name: for names that several
    /// organizations use.
    pub fn org_id(mut self, org_id: impl Into<String>) -> Self {
        self.org_id = Some(Text::new(org_id));
        self
    }

    /// Only keys that this user created. Without a space, for account admins only.
    pub fn user_id(mut self, user_id: impl Into<String>) -> Self {
        self.user_id = Some(Text::new(user_id));
        self
    }

    /// How many keys a page has at most: 1 to 100, default 50.
    pub fn limit(mut self, limit: u32) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Where to go on: [`Pagination::next_cursor`](crate::Pagination::next_cursor) of the page before.
    pub fn cursor(mut self, cursor: impl Into<String>) -> Self {
        self.cursor = Some(Text::new(cursor));
        self
    }

    /// Everything that can be checked before any I/O.
    pub(crate) fn check(&self) -> Result<(), InvalidRequest> {
        if self.limit.is_some_and(|limit| !(1..=100).contains(&limit)) {
            return Err(InvalidRequest::new("limit", "must be from 1 to 100"));
        }
        match &self.space {
            Some(space) => {
                space.check("space")?;
                if self.org_id.as_deref() == Some("") {
                    return Err(InvalidRequest::new("org_id", "must not be empty"));
                }
            }
            None if self.org_id.is_some() => {
                return Err(InvalidRequest::new("org_id", "narrows the look-up of `space`, which is not set"));
            }
            None => {}
        }
        Ok(())
    }

    /// `space_id` is that of [`space`](Self::space), looked up.
    pub(crate) fn lower(&self, stage: ApiStage, space_id: Option<&str>) -> Call {
        let key_type = self.key_type.as_ref().map(|word| word.word(stage));
        let status = self.status.as_ref().map(|word| word.word(stage));
        let target = api_keys()
            .query_opt("key_type", key_type.as_deref())
            .query_opt("status", status.as_deref())
            .query_opt("space_id", space_id)
            .query_opt("user_id", self.user_id.as_deref())
            .query("limit", &self.limit.unwrap_or(DEFAULT_LIMIT).to_string())
            .query_opt("cursor", self.cursor.as_deref());
        Call::get(Operation::List, target)
    }
}

/// Reads one page of keys.
pub(crate) fn decode(reply: &Reply) -> Result<ApiKeyList, Misread> {
    let page = read_page::<ApiKey>(reply, "api_keys")?;
    Ok(ApiKeyList { api_keys: page.items, pagination: page.pagination })
}
