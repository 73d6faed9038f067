//! Checks that the API key of the deployed program exists and does not expire soon.

use std::env;

use arize_api_keys::time::{Duration, OffsetDateTime};
use arize_api_keys::{ApiKey, ApiKeysClient, Error, ListRequest};

/// The name of the key.
const KEY: &str = "deploy";

/// A key that expires earlier than this is reported.
const NOTICE: Duration = Duration::days(14);

fn main() {
    // By default cargo runs the script again when a file of the package changes. These lines make it depend on the
    // settings instead.
    for name in ["ARIZE_API_KEY", "ARIZE_API_HOST", "ARIZE_API_SCHEME", "ARIZE_REGION"] {
        println!("cargo::rerun-if-env-changed={name}");
    }
    // A build on a developer's machine needs no key.
    if env::var_os("ARIZE_API_KEY").is_none() {
        println!("cargo::warning=ARIZE_API_KEY is not set: the key `{KEY}` was not checked");
        return;
    }
    match find() {
        Ok(Some(key)) => check_expiry(&key),
        Ok(None) => println!("cargo::error=there is no API key `{KEY}`: create it with `arize-keys create {KEY}`"),
        // A build must not fail because the service cannot be reached.
        Err(error) if error.is_retryable() => println!("cargo::warning=the key `{KEY}` was not checked: {error}"),
        Err(error) => println!("cargo::error=the key `{KEY}` could not be checked: {error}"),
    }
}

/// The active key named [`KEY`] that expires last.
fn find() -> Result<Option<ApiKey>, Error> {
    let mut found: Option<ApiKey> = None;
    for key in ApiKeysClient::from_env()?.list_all(&ListRequest::new().limit(100)) {
        let key = key?;
        let expires_later = |other: &ApiKey| match (key.expires_at, other.expires_at) {
            (Some(at), Some(other)) => at > other,
            (at, _) => at.is_none(),
        };
        if key.name == KEY && found.as_ref().is_none_or(expires_later) {
            found = Some(key);
        }
    }
    Ok(found)
}

fn check_expiry(key: &ApiKey) {
    let Some(expires_at) = key.expires_at else { return };
    let left = expires_at - OffsetDateTime::now_utc();
    let id = &key.id;
    if left <= Duration::ZERO {
        println!("cargo::error=the API key `{KEY}` ({id}) has expired: rotate it");
    } else if left < NOTICE {
        println!("cargo::warning=the API key `{KEY}` ({id}) expires in {} days: rotate it", left.whole_days());
    }
}
