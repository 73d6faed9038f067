//! The headers that every request carries.

use http::header::{ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::error::ConfigError;

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

/// The constant headers: those of the client, and the caller's.
pub(super) fn constant_headers(
    authorization: HeaderValue,
    user_agent: Option<&str>,
    extra: &[(String, String)],
) -> Result<HeaderMap, ConfigError> {
    let user_agent = header_value(user_agent.unwrap_or(DEFAULT_USER_AGENT))
        .filter(|value| !value.is_empty())
        .ok_or_else(|| ConfigError::new("user_agent", "must be visible ASCII and blanks, and not empty"))?;

    let mut headers = HeaderMap::with_capacity(8 + extra.len());
    headers.insert(AUTHORIZATION, authorization);
    headers.insert(ACCEPT, HeaderValue::from_static("application/json, application/problem+json"));
    // Compressed responses would cost a library, and reveal the length of a secret beside a text that others choose.
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    headers.insert(USER_AGENT, user_agent);
    headers.insert(const { HeaderName::from_static("sdk-language") }, HeaderValue::from_static("rust"));
    headers
        .insert(const { HeaderName::from_static("sdk-version") }, HeaderValue::from_static(env!("CARGO_PKG_VERSION")));
    headers.insert(
        const { HeaderName::from_static("sdk-package-name") },
        HeaderValue::from_static(env!("CARGO_PKG_NAME")),
    );
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
