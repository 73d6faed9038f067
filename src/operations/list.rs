//! List keys: `GET /v2/api-keys`.

use crate::error::{Error, InvalidRequest};
use crate::model::{ApiKey, ApiKeyList, ApiKeyStatus, ApiKeyType, WireEnum};
use crate::operation::Operation;
use crate::operations::api_keys;
use crate::operations::lookup::{Lookup, SpaceRef};
use crate::operations::page::read_page;
use crate::pipeline::{ApiRequest, ApiResponse, CallScope, DecodeFailure};
use crate::redact::Text;
use crate::stage::ApiStage;

/// A page of keys to list. Every filter is optional.
///
/// Without a space, the service lists the caller's own user keys. With a space and without a
/// [`key_type`](Self::key_type), it lists the service keys of that space.
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

/// The page size without [`ListRequest::limit`]. The official SDKs always send one, and send this value.
const DEFAULT_LIMIT: u32 = 50;

impl ListRequest {
    /// No filters: active keys, 50 per page.
    pub fn new() -> Self {
        Self::default()
    }

    /// Only keys of this type.
    pub fn key_type(mut self, key_type: ApiKeyType) -> Self {
        self.key_type = Some(key_type);
        self
    }

    /// Only keys with this status. The service's default is active; it has no value for both.
    pub fn status(mut self, status: ApiKeyStatus) -> Self {
        self.status = Some(status);
        self
    }

    /// Only keys of this space, given by name or id. A name costs a look-up before the list.
    pub fn space(mut self, space: impl Into<SpaceRef>) -> Self {
        self.space = Some(space.into());
        self
    }

    /// The id of the organization of [`space`](Self::space), for a name that spaces of several organizations have.
    pub fn org_id(mut self, org_id: impl Into<String>) -> Self {
        self.org_id = Some(Text::new(org_id));
        self
    }

    /// Only keys that this user created. Without a space, for account admins only.
    pub fn user_id(mut self, user_id: impl Into<String>) -> Self {
        self.user_id = Some(Text::new(user_id));
        self
    }

    /// The most keys on a page: 1 to 100, default 50.
    pub fn limit(mut self, limit: u32) -> Self {
        self.limit = Some(limit);
        self
    }

    /// The cursor of the page: [`Pagination::next_cursor`](crate::Pagination::next_cursor) of the page before.
    ///
    /// An empty cursor is the first page, as in the official Go SDK.
    pub fn cursor(mut self, cursor: impl Into<String>) -> Self {
        self.cursor = Some(Text::new(cursor)).filter(|cursor| !cursor.is_empty());
        self
    }

    fn validate(&self) -> Result<(), InvalidRequest> {
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
                return Err(InvalidRequest::new("org_id", "has no effect without `space`"));
            }
            None => {}
        }
        Ok(())
    }

    fn to_request(&self, stage: ApiStage, space_id: Option<&str>) -> ApiRequest {
        let key_type = self.key_type.as_ref().map(|word| word.word(stage));
        let status = self.status.as_ref().map(|word| word.word(stage));
        let target = api_keys()
            .query_opt("key_type", key_type.as_deref())
            .query_opt("status", status.as_deref())
            .query_opt("space_id", space_id)
            .query_opt("user_id", self.user_id.as_deref())
            .query("limit", &self.limit.unwrap_or(DEFAULT_LIMIT).to_string())
            .query_opt("cursor", self.cursor.as_deref());
        ApiRequest::get(Operation::List, target)
    }
}

/// Lists one page of keys.
pub(crate) fn send(scope: &CallScope<'_>, request: &ListRequest) -> Result<ApiKeyList, Error> {
    request.validate()?;
    let space_id = match &request.space {
        Some(space) => Some(Lookup::new(scope).space_id(space, request.org_id.as_deref())?),
        None => None,
    };
    scope.run(&request.to_request(scope.settings().stage, space_id.as_deref()), |response| {
        decode(response, scope.settings().credentials.current().known_keys())
    })
}

/// Replaces the name of a space by its id.
pub(crate) fn resolve_space(scope: &CallScope<'_>, request: &mut ListRequest) -> Result<(), Error> {
    request.validate()?;
    if let Some(space) = &request.space {
        request.space = Some(SpaceRef::id(Lookup::new(scope).space_id(space, request.org_id.as_deref())?));
    }
    Ok(())
}

fn decode(response: &ApiResponse, own_keys: &str) -> Result<ApiKeyList, DecodeFailure> {
    let page = read_page::<ApiKey>(response, "api_keys", own_keys)?;
    Ok(ApiKeyList { api_keys: page.items, pagination: page.pagination, server_time: response.date() })
}
