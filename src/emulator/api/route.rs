//! From method, path, query and body to the operation that is meant.

use http::{Method, Uri};
use percent_encoding::percent_decode_str;

use super::create_key::CreateKey;
use super::dialect::Dialect;
use super::list_keys::ListKeys;
use super::parsed_request::ParsedRequest;
use super::problem::ProblemResponse;
use super::refresh_key::RefreshKey;
use super::remove_key::RemoveKey;
use super::spaces::{GetSpace, ListOrganizations, ListSpaces};
use crate::emulator::faults::endpoint::Endpoint;

/// A path and a method that the service has.
pub(crate) enum Route {
    ListKeys,
    CreateKey,
    RefreshKey { id: String },
    RevokeKey { id: String },
    DeleteKey { id: String },
    ListSpaces,
    GetSpace { id: String },
    ListOrganizations,
}

impl Route {
    pub(crate) fn find(method: &Method, uri: &Uri) -> Result<Self, ProblemResponse> {
        // Split first: a slash that was encoded belongs to the id.
        let segments: Option<Vec<String>> = uri.path().split('/').map(decode).collect();
        let segments = segments.unwrap_or_default();
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        match (segments.as_slice(), method) {
            (["", "v2", "api-keys"], &Method::GET) => Ok(Self::ListKeys),
            (["", "v2", "api-keys"], &Method::POST) => Ok(Self::CreateKey),
            (["", "v2", "api-keys"], _) => Err(ProblemResponse::method_not_allowed("GET, POST")),
            (["", "v2", "api-keys", id @ ("" | "." | "..")], _)
            | (["", "v2", "api-keys", id @ ("" | "." | ".."), _], _)
            | (["", "v2", "spaces", id @ ("" | "." | "..")], _) => {
                Err(ProblemResponse::not_found(format!("`{id}` is not an id")))
            }
            (["", "v2", "api-keys", id], &Method::DELETE) => Ok(Self::DeleteKey { id: (*id).to_owned() }),
            (["", "v2", "api-keys", _], _) => Err(ProblemResponse::method_not_allowed("DELETE")),
            (["", "v2", "api-keys", id, "refresh"], &Method::POST) => Ok(Self::RefreshKey { id: (*id).to_owned() }),
            (["", "v2", "api-keys", _, "refresh"], _) => Err(ProblemResponse::method_not_allowed("POST")),
            (["", "v2", "api-keys", id, "revoke"], &Method::PUT) => Ok(Self::RevokeKey { id: (*id).to_owned() }),
            (["", "v2", "api-keys", _, "revoke"], _) => Err(ProblemResponse::method_not_allowed("PUT")),
            (["", "v2", "spaces"], &Method::GET) => Ok(Self::ListSpaces),
            (["", "v2", "spaces", id], &Method::GET) => Ok(Self::GetSpace { id: (*id).to_owned() }),
            (["", "v2", "organizations"], &Method::GET) => Ok(Self::ListOrganizations),
            (["", "v2", "spaces"] | ["", "v2", "spaces", _] | ["", "v2", "organizations"], _) => {
                Err(ProblemResponse::method_not_allowed("GET"))
            }
            _ => Err(ProblemResponse::not_found("there is nothing at this path")),
        }
    }

    pub(crate) fn endpoint(&self) -> Endpoint {
        match self {
            Self::ListKeys => Endpoint::ListKeys,
            Self::CreateKey => Endpoint::CreateKey,
            Self::RefreshKey { .. } => Endpoint::RefreshKey,
            Self::RevokeKey { .. } | Self::DeleteKey { .. } => Endpoint::RemoveKey,
            Self::ListSpaces => Endpoint::ListSpaces,
            Self::GetSpace { .. } => Endpoint::GetSpace,
            Self::ListOrganizations => Endpoint::ListOrganizations,
        }
    }

    /// Reads the rest of the request.
    pub(crate) fn read(
        self,
        query: Option<&str>,
        body: &[u8],
        dialect: Dialect,
    ) -> Result<Box<dyn ParsedRequest>, ProblemResponse> {
        Ok(match self {
            Self::ListKeys => Box::new(ListKeys::parse(query)?),
            Self::CreateKey => Box::new(CreateKey::parse(body, dialect.stage)?),
            Self::RefreshKey { id } => Box::new(RefreshKey::parse(id, body, dialect)?),
            Self::RevokeKey { id } => Box::new(RemoveKey { id, repeatable: true }),
            Self::DeleteKey { id } => Box::new(RemoveKey { id, repeatable: false }),
            Self::ListSpaces => Box::new(ListSpaces::parse(query)?),
            Self::GetSpace { id } => Box::new(GetSpace { id }),
            Self::ListOrganizations => Box::new(ListOrganizations::parse(query)?),
        })
    }
}

fn decode(segment: &str) -> Option<String> {
    Some(percent_decode_str(segment).decode_utf8().ok()?.into_owned())
}
