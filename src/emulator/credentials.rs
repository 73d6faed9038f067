//! The secret in a request.

use http::HeaderMap;
use http::header::AUTHORIZATION;

use super::problem::Problem;

/// What stands after `Bearer`, or the whole header: the oldest clients send the bare key.
pub(super) fn secret(headers: &HeaderMap) -> Result<&str, Problem> {
    let header =
        headers.get(AUTHORIZATION).ok_or_else(|| Problem::unauthorized("there is no API key in the request"))?;
    let text = header.to_str().map_err(|_| Problem::unauthorized("the API key is not known"))?.trim();
    match text.split_once(' ') {
        Some((scheme, secret)) if scheme.eq_ignore_ascii_case("bearer") => Ok(secret.trim_start()),
        _ => Ok(text),
    }
}
