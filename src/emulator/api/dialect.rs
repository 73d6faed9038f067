//! Which stage a request is of, where its own words do not tell.

use http::HeaderMap;
use http::header::AUTHORIZATION;

use super::credentials;
use crate::stage::ApiStage;

/// The first minor of the Go SDK 0.x that refreshes by the rule of beta, and the first that has its words.
const GO_BETA_RULE: u64 = 16;
const GO_BETA_WORDS: u64 = 17;

/// How a request is answered that speaks neither stage: refreshing, and reading without a filter.
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

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn the_headers_of_the_official_clients_tell() {
        use ApiStage::{Alpha, Beta};
        let cases = [
            ("Bearer k", Some(("go", "0.12.0")), (Alpha, Alpha)),
            ("k", Some(("go", "0.11.2")), (Alpha, Alpha)),
            ("Bearer k", Some(("go", "v0.15.0")), (Alpha, Alpha)),
            ("Bearer k", Some(("go", "0.16.0")), (Alpha, Beta)),
            ("Bearer k", Some(("go", "0.22.0")), (Beta, Beta)),
            ("Bearer k", Some(("go", "1.0.0")), (Beta, Beta)),
            ("Bearer k", Some(("python", "8.61.0")), (Beta, Beta)),
            ("Bearer k", Some(("javascript", "1.28.0")), (Beta, Beta)),
            ("k", None, (Alpha, Alpha)),
        ];
        for (key, sdk, (stage, refresh_rule)) in cases {
            let mut headers = HeaderMap::new();
            headers.insert(AUTHORIZATION, HeaderValue::from_static(key));
            if let Some((language, version)) = sdk {
                headers.insert("sdk-language", HeaderValue::from_static(language));
                headers.insert("sdk-version", HeaderValue::from_static(version));
            }
            for default in [Alpha, Beta] {
                assert_eq!(Dialect::of(&headers, default), Dialect { stage, refresh_rule }, "{sdk:?}");
            }
        }
        for (language, version) in [("rust", "0.1.0"), ("go", "devel"), ("go", "0"), ("go", "")] {
            let mut headers = HeaderMap::new();
            headers.insert("sdk-language", HeaderValue::from_static(language));
            headers.insert("sdk-version", HeaderValue::from_static(version));
            assert_eq!(Dialect::of(&headers, Alpha), Alpha.into(), "{language} {version}");
            assert_eq!(Dialect::of(&headers, Beta), Beta.into(), "{language} {version}");
        }
    }
}
