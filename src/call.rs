//! One call.
use std::fmt;

/// What was called, by the name that messages and the pre-release warning use.
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

/// What happens if the request is processed twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Safety {
    /// Nothing.
    Read,
    /// The key is gone, as after once.
    Remove,
    /// A second secret is minted.
    Mint,
}
