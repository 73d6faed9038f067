//! Checks that the API key this program is deployed with exists and is not about to expire.

use std::env;

use arize_api_keys::time::{Duration, OffsetDateTime};
use arize_api_keys::{ApiKey, ApiKeysClient, Error, ListRequest};

/// The name of the key.
const KEY: &str = "deploy";

/// Shorter than this, and it is time to rotate it.
const NOTICE: Duration = Duration::days(14);

fn main() {
    // Without this the script would run again at every change of a file; and only then.
    for name in ["ARIZE_API_KEY", "ARIZE_API_HOST", "ARIZE_API_SCHEME", "ARIZE_REGION"] {
        println!("cargo::rerun-if-env-changed={name}");
    }
    // Whoever builds at home needs no key.
    if env::var_os("ARIZE_API_KEY").is_none() {
        println!("cargo::warning=ARIZE_API_KEY is not set: the key `{KEY}` was not checked");
        return;
    }
    match find() {
        Ok(Some(key)) => judge(&key),
        Ok(None) => println!("cargo::error=there is no API key `{KEY}`: create it with `arize-keys create {KEY}`"),
        // The service being away is no reason not to build.
        Err(error) if error.is_retryable() => println!("cargo::warning=the key `{KEY}` was not checked: {error}"),
        Err(error) => println!("cargo::error=the key `{KEY}` could not be checked: {error}"),
    }
}

/// The active key of that name that lives the longest.
fn find() -> Result<Option<ApiKey>, Error> {
    let mut found: Option<ApiKey> = None;
    for key in ApiKeysClient::from_env()?.list_all(&ListRequest::new().limit(100)) {
        let key = key?;
        let lives_longer = |other: &ApiKey| match (key.expires_at, other.expires_at) {
            (Some(at), Some(other)) => at > other,
            (at, _) => at.is_none(),
        };
        if key.name == KEY && found.as_ref().is_none_or(lives_longer) {
            found = Some(key);
        }
    }
    Ok(found)
}

fn judge(key: &ApiKey) {
    let Some(expires_at) = key.expires_at else { return };
    let left = expires_at - OffsetDateTime::now_utc();
    let id = &key.id;
    if left <= Duration::ZERO {
        println!("cargo::error=the API key `{KEY}` ({id}) has expired: rotate it");
    } else if left < NOTICE {
        println!("cargo::warning=the API key `{KEY}` ({id}) expires in {} days: rotate it", left.whole_days());
    }
}
