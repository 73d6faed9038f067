//! The operations of the API, and their idempotency.

use std::fmt;

/// A request of the API, by the name that messages and the pre-release warning use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    List,
    Create,
    CreateServiceKey,
    Refresh,
    Delete,
    Revoke,
    ListSpaces,
    GetSpace,
    ListOrganizations,
}

impl Operation {
    /// The property of RFC 9110 §9.2, which decides what the client may send again.
    pub(crate) fn idempotency(self) -> Idempotency {
        match self {
            Self::List | Self::ListSpaces | Self::GetSpace | Self::ListOrganizations => Idempotency::Safe,
            Self::Delete | Self::Revoke => Idempotency::Idempotent,
            Self::Create | Self::CreateServiceKey | Self::Refresh => Idempotency::NonIdempotent,
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::List => "list",
            Self::Create => "create",
            Self::CreateServiceKey => "create_service_key",
            Self::Refresh => "refresh",
            Self::Delete => "delete",
            Self::Revoke => "revoke",
            Self::ListSpaces => "list spaces",
            Self::GetSpace => "get space",
            Self::ListOrganizations => "list organizations",
        })
    }
}

/// The effect of processing a request twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Idempotency {
    /// The request changes nothing.
    Safe,
    /// The key is removed, as after one request.
    Idempotent,
    /// The service mints a second secret.
    NonIdempotent,
}
