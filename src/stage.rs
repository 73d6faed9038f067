//! The two stages of the API that exist.

use std::fmt;
use std::str::FromStr;

/// The stage of the API that a client speaks.
///
/// Reading never depends on it: enum words are read in either case. The requests depend on it:
///
/// | | `Beta` | `Alpha` |
/// |---|---|---|
/// | enum words | `SERVICE`, `READ_ONLY` | `service`, `read-only` |
/// | [`delete`](crate::ApiKeysClient::delete) | `PUT /v2/api-keys/{id}/revoke` | `DELETE /v2/api-keys/{id}` |
/// | service key | `organizations: [{org_id, role, spaces}]` | `space_id` + `roles` |
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ApiStage {
    /// The service as it is today.
    #[default]
    Beta,
    /// The service as the Go SDK 0.12 knew it.
    Alpha,
}

impl fmt::Display for ApiStage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Beta => "beta",
            Self::Alpha => "alpha",
        })
    }
}

/// The word is neither `alpha` nor `beta`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the stage must be `alpha` or `beta`")]
pub struct UnknownStage;

impl FromStr for ApiStage {
    type Err = UnknownStage;

    fn from_str(word: &str) -> Result<Self, UnknownStage> {
        match word {
            _ if word.eq_ignore_ascii_case("beta") => Ok(Self::Beta),
            _ if word.eq_ignore_ascii_case("alpha") => Ok(Self::Alpha),
            _ => Err(UnknownStage),
        }
    }
}
