//! The stage of a request whose own words do not show it.

use http::HeaderMap;
use http::header::AUTHORIZATION;

use super::credentials;
use crate::stage::ApiStage;

/// The first minor of the Go SDK 0.x that refreshes by the rule of beta, and the first that has its words.
const GO_BETA_RULE: u64 = 16;
const GO_BETA_WORDS: u64 = 17;

/// The dialect of a response whose request has no word of either stage: a refresh, or a list without a filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Dialect {
    /// The stage of the words and members of the response.
    pub(crate) stage: ApiStage,
    /// The stage whose rule decides on the expiry of a refreshed key.
    pub(crate) refresh_rule: ApiStage,
}

impl From<ApiStage> for Dialect {
    fn from(stage: ApiStage) -> Self {
        Self { stage, refresh_rule: stage }
    }
}

impl Dialect {
    /// By who says that they are calling: the official SDKs name themselves and their version, and the oldest ones send
    /// the bare key.
    pub(crate) fn of(headers: &HeaderMap, default: ApiStage) -> Self {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let bare_key = headers.get(AUTHORIZATION).is_some_and(|value| !credentials::is_bearer(value));
        match (text("sdk-language"), text("sdk-version")) {
            (Some("go"), Some(version)) => Self::of_go(version, default),
            (Some("python" | "javascript"), _) => ApiStage::Beta.into(),
            (None, _) if bare_key => ApiStage::Alpha.into(),
            _ => default.into(),
        }
    }

    fn of_go(version: &str, default: ApiStage) -> Self {
        let mut numbers = version.trim_start_matches('v').split('.').map(|number| number.parse::<u64>().ok());
        let stage_from = |minor: u64, first: u64| if minor < first { ApiStage::Alpha } else { ApiStage::Beta };
        match (numbers.next().flatten(), numbers.next().flatten()) {
            (Some(0), Some(minor)) => {
                Self { stage: stage_from(minor, GO_BETA_WORDS), refresh_rule: stage_from(minor, GO_BETA_RULE) }
            }
            (Some(1..), _) => ApiStage::Beta.into(),
            _ => default.into(),
        }
    }
}
