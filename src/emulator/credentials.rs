//! The secret in a request.

use http::HeaderMap;
use http::header::{AUTHORIZATION, HeaderValue};

use super::problem::Problem;

/// What stands after `Bearer`, or the whole header: the oldest clients send the bare key.
pub(super) fn secret(headers: &HeaderMap) -> Result<&str, Problem> {
    let header =
        headers.get(AUTHORIZATION).ok_or_else(|| Problem::unauthorized("there is no API key in the request"))?;
    let text = header.to_str().map_err(|_| Problem::unauthorized("the API key is not known"))?.trim();
    Ok(after_bearer(text).unwrap_or(text))
}

/// Whether the key is said to be one.
pub(super) fn is_bearer(header: &HeaderValue) -> bool {
    header.to_str().is_ok_and(|text| after_bearer(text.trim()).is_some())
}

fn after_bearer(text: &str) -> Option<&str> {
    let (scheme, secret) = text.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| secret.trim_start())
}
