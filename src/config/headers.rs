//! The API key, and the headers that every request carries.

use http::header::{ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};

use super::source::Env;
use crate::error::ConfigError;

const KEY_VARIABLE: &str = "ARIZE_API_KEY";

/// Far longer than any key, and far shorter than what servers take in one header.
const KEY_LIMIT: usize = 4096;

const DEFAULT_USER_AGENT: &str = concat!("arize-api-keys/", env!("CARGO_PKG_VERSION"));

/// Headers that the client or the transport sets, or that concern one connection only.
const RESERVED: [&str; 17] = [
    "accept",
    "accept-encoding",
    "authorization",
    "connection",
    "content-length",
    "content-type",
    "expect",
    "host",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
];

/// The API key, trimmed and checked. No error repeats any of it.
pub(super) fn api_key(explicit: Option<&SecretString>, env: &Env<'_>) -> Result<SecretString, ConfigError> {
    let (key, setting) = match explicit {
        Some(key) => (key.clone(), "api_key"),
        None => match env.read_blank(KEY_VARIABLE)? {
            Some(found) => (SecretString::from(found.value), KEY_VARIABLE),
            None => return Err(ConfigError::new("api_key", "is missing: set it, or the variable ARIZE_API_KEY")),
        },
    };
    checked_key(&key, setting)
}

/// The key, trimmed and checked.
pub(super) fn checked_key(key: &SecretString, setting: &'static str) -> Result<SecretString, ConfigError> {
    let text = key.expose_secret().trim();
    match key_fault(text) {
        Some(problem) => Err(ConfigError::new(setting, problem)),
        None => Ok(SecretString::from(text)),
    }
}

/// What goes into `authorization`.
pub(super) fn bearer(api_key: &SecretString) -> Result<HeaderValue, ConfigError> {
    let bearer = ["Bearer ", api_key.expose_secret()].concat();
    // By value, so that no second copy of the key is left behind.
    let mut bearer =
        HeaderValue::try_from(bearer).map_err(|_| ConfigError::new("api_key", "cannot be sent in a header"))?;
    bearer.set_sensitive(true);
    Ok(bearer)
}

fn key_fault(key: &str) -> Option<&'static str> {
    if key.is_empty() {
        return Some("is blank");
    }
    if key.len() > KEY_LIMIT {
        return Some("has more than 4096 bytes");
    }
    let scheme = key.split_ascii_whitespace().next().unwrap_or_default();
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some("begins with `Bearer`: give the key alone");
    }
    if !key.bytes().all(|b| b.is_ascii_graphic()) {
        return Some("holds blanks, control characters or characters that are not ASCII");
    }
    None
}

/// The constant headers: those of the client, and the caller's.
pub(super) fn constant_headers(
    api_key: &SecretString,
    user_agent: Option<&str>,
    extra: &[(String, String)],
) -> Result<HeaderMap, ConfigError> {
    let user_agent = header_value(user_agent.unwrap_or(DEFAULT_USER_AGENT))
        .filter(|value| !value.is_empty())
        .ok_or_else(|| ConfigError::new("user_agent", "must be visible ASCII and blanks, and not empty"))?;

    let mut headers = HeaderMap::with_capacity(8 + extra.len());
    headers.insert(AUTHORIZATION, bearer(api_key)?);
    headers.insert(ACCEPT, HeaderValue::from_static("application/json, application/problem+json"));
    // Compressed answers would cost a library, and tell the length of a secret beside a text that others choose.
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    headers.insert(USER_AGENT, user_agent);
    headers.insert("sdk-language", HeaderValue::from_static("rust"));
    headers.insert("sdk-version", HeaderValue::from_static(env!("CARGO_PKG_VERSION")));
    headers.insert("sdk-package-name", HeaderValue::from_static(env!("CARGO_PKG_NAME")));
    for (name, value) in extra {
        let (name, value) = extra_header(name, value)?;
        headers.insert(name, value);
    }
    Ok(headers)
}

fn extra_header(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), ConfigError> {
    let name: HeaderName = name.parse().map_err(|_| ConfigError::new("header", "has a name that is not a token"))?;
    if name == USER_AGENT {
        return Err(ConfigError::new("header", "cannot set `user-agent`: `user_agent` does"));
    }
    if RESERVED.contains(&name.as_str()) {
        return Err(ConfigError::new("header", format!("cannot set `{name}`: the client does, or the transport")));
    }
    let mut value = header_value(value)
        .ok_or_else(|| ConfigError::new("header", format!("`{name}` must have a value of visible ASCII and blanks")))?;
    // It may be a key to a gateway.
    value.set_sensitive(true);
    Ok((name, value))
}

fn header_value(text: &str) -> Option<HeaderValue> {
    HeaderValue::from_str(text.trim()).ok().filter(|value| value.to_str().is_ok())
}
