//! The responses of the service to a request that it refuses: RFC 9457.

use std::time::Duration;

use http::header::{ALLOW, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{Response, StatusCode};
use serde_json::json;

use crate::emulator::account::Refusal;

/// A response with a status other than 2xx.
#[derive(Debug)]
pub(crate) struct ProblemResponse {
    status: StatusCode,
    detail: String,
    header: Option<(HeaderName, HeaderValue)>,
}

impl ProblemResponse {
    pub(crate) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self { status, detail: detail.into(), header: None }
    }

    /// 400: the request is not one that the description of the API allows.
    pub(crate) fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    pub(crate) fn unauthorized(detail: &str) -> Self {
        let header = (WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        Self { header: Some(header), ..Self::new(StatusCode::UNAUTHORIZED, detail) }
    }

    pub(crate) fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, detail)
    }

    pub(crate) fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, detail)
    }

    pub(crate) fn method_not_allowed(allow: &'static str) -> Self {
        let header = (ALLOW, HeaderValue::from_static(allow));
        let detail = format!("this path takes {allow} only");
        Self { header: Some(header), ..Self::new(StatusCode::METHOD_NOT_ALLOWED, detail) }
    }

    /// 422: the request is well-formed and breaks a rule.
    pub(crate) fn unprocessable(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, detail)
    }

    /// 429, with `Retry-After` in whole seconds.
    pub(crate) fn too_many_requests(wait: Duration) -> Self {
        let seconds = wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0));
        let header = (RETRY_AFTER, HeaderValue::from(seconds));
        Self { header: Some(header), ..Self::new(StatusCode::TOO_MANY_REQUESTS, "too many requests in this second") }
    }

    /// The response. `instance` is the path of the request, as it was sent.
    pub(crate) fn into_response(self, instance: Option<&str>) -> Response<Vec<u8>> {
        let mut body = json!({
            "type": "about:blank",
            "title": self.status.canonical_reason().unwrap_or("Error"),
            "status": self.status.as_u16(),
            "detail": self.detail,
        });
        if let (Some(instance), Some(members)) = (instance, body.as_object_mut()) {
            members.insert("instance".to_owned(), instance.into());
        }
        let mut response = Response::new(body.to_string().into_bytes());
        *response.status_mut() = self.status;
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some((name, value)) = self.header {
            response.headers_mut().insert(name, value);
        }
        response
    }
}

impl From<Refusal> for ProblemResponse {
    fn from(refusal: Refusal) -> Self {
        Self::unauthorized(match refusal {
            Refusal::Unknown => "the API key is not known",
            Refusal::Revoked => "the API key is revoked",
            Refusal::Expired => "the API key has expired",
        })
    }
}
