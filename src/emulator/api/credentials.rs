//! The secret in a request.

use http::HeaderMap;
use http::header::{AUTHORIZATION, HeaderValue};

use super::problem::ProblemResponse;

/// The text after `Bearer`, or the whole header: the oldest clients send the bare key.
pub(crate) fn secret(headers: &HeaderMap) -> Result<&str, ProblemResponse> {
    let mut lines = headers.get_all(AUTHORIZATION).iter();
    let header = lines.next().ok_or_else(|| ProblemResponse::unauthorized("there is no API key in the request"))?;
    if lines.next().is_some() {
        return Err(ProblemResponse::bad_request("there is more than one header `authorization`"));
    }
    let text = header.to_str().map_err(|_| ProblemResponse::unauthorized("the API key is not known"))?.trim();
    Ok(after_bearer(text).unwrap_or(text))
}

/// Whether the header names the scheme `Bearer`.
pub(crate) fn is_bearer(header: &HeaderValue) -> bool {
    header.to_str().is_ok_and(|text| after_bearer(text.trim()).is_some())
}

fn after_bearer(text: &str) -> Option<&str> {
    let (scheme, secret) = text.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| secret.trim_start())
}
