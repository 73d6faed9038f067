//! Requests, by their meaning to a server.

use arize_api_keys::http;
use percent_encoding::percent_decode_str;
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// A request without what does not matter: the order of parameters and members, and which of the equivalent escapes was
/// chosen.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Request {
    pub(crate) method: String,
    /// The segments, decoded.
    pub(crate) path: Vec<String>,
    /// The pairs, decoded and sorted.
    pub(crate) query: Vec<(String, String)>,
    pub(crate) body: Option<Value>,
    pub(crate) authorization: Option<String>,
    pub(crate) content_type: Option<String>,
}

impl Request {
    /// `target` is a path with its query, as in a request line.
    #[track_caller]
    pub(crate) fn new(method: &str, target: &str, body: Option<Value>) -> Self {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let path = path.strip_prefix('/').unwrap().split('/').map(decode).collect();
        let mut query: Vec<_> = query
            .split('&')
            .filter(|pair| !pair.is_empty())
            .map(|pair| {
                let (name, value) = pair.split_once('=').unwrap();
                (decode(&name.replace('+', " ")), decode(&value.replace('+', " ")))
            })
            .collect();
        query.sort();
        let content_type = body.is_some().then(|| "application/json".to_owned());
        Self { method: method.to_owned(), path, query, body, authorization: None, content_type }
    }

    pub(crate) fn with_authorization(mut self, authorization: Option<&str>) -> Self {
        self.authorization = authorization.map(str::to_owned);
        self
    }

    /// The request of a client.
    #[track_caller]
    pub(crate) fn sent(request: &http::Request<Vec<u8>>) -> Self {
        let header = |name: &str| request.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
        let body = request.body();
        let body = (!body.is_empty()).then(|| serde_json::from_slice(body).expect("a body of JSON"));
        let target = request.uri().path_and_query().unwrap().as_str();
        Self {
            authorization: header("authorization"),
            content_type: header("content-type"),
            ..Self::new(request.method().as_str(), target, body)
        }
    }

    pub(crate) fn is(&self, method: &str, path: &[&str]) -> bool {
        self.method == method && self.path == path
    }

    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn with_parameter(mut self, name: &str, value: &str) -> Self {
        self.query.push((name.to_owned(), value.to_owned()));
        self.query.sort();
        self
    }

    /// Replaces `expires_at` by the instant that it names, in steps of `step` nanoseconds. Texts that name none stay.
    pub(crate) fn with_instants(mut self, step: i128) -> Self {
        let expires_at = self.body.as_mut().and_then(|body| body.get_mut("expires_at"));
        if let Some(Value::String(text)) = expires_at
            && let Ok(instant) = OffsetDateTime::parse(text, &Rfc3339)
        {
            *text = format!("{} steps of {step} ns", instant.unix_timestamp_nanos().div_euclid(step));
        }
        self
    }
}

#[track_caller]
fn decode(text: &str) -> String {
    percent_decode_str(text).decode_utf8().unwrap().into_owned()
}
