//! The rows of the fault matrix (docs/fault-matrix.md) that differ at the seam `Transport`.
//!
//! Rows that the library cannot tell apart there count once. Rows that end before any request (61, 69–74), rows of connections
//! (5, 44, 55) and of callers (77, 78) are not at this seam.

use arize_api_keys::http::{HeaderValue, Request, Response, StatusCode};
use arize_api_keys::{Clock, TransportError, TransportErrorKind as Kind};
use serde_json::{Value, json};

use super::process::Call;
use super::service::Service;

/// The calls that a row can meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Calls {
    All,
    Lists,
    Mints,
}

/// One row, or several that are the same here.
pub(crate) struct Row {
    /// The rows of the fault matrix.
    pub(crate) rows: &'static str,
    pub(crate) name: &'static str,
    calls: Calls,
    fault: Fault,
}

enum Fault {
    /// The request does not reach the service.
    NotSent(Kind),
    /// The response is lost. The flag: the service handled the request.
    Lost(Kind, bool),
    /// Something else responds. The flag: the service handled the request first.
    Other(bool, fn() -> Response<Vec<u8>>),
    /// The body breaks off: this many percent of it arrive.
    Cut(Kind, usize),
    /// The response is changed.
    Changed(fn(&mut Response<Vec<u8>>)),
    /// A member of the document is changed.
    Edited(fn(&mut Value)),
    /// The response comes this many seconds later.
    Late(u64),
}

impl std::fmt::Debug for Row {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} (rows {})", self.name, self.rows)
    }
}

impl Row {
    pub(crate) fn meets(&self, call: Call) -> bool {
        match self.calls {
            Calls::All => true,
            Calls::Lists => call == Call::List,
            Calls::Mints => call == Call::Mint,
        }
    }

    /// Whether it may last, so that every later request of the process meets it too.
    pub(crate) fn may_last(&self) -> bool {
        matches!(self.fault, Fault::NotSent(_) | Fault::Lost(..) | Fault::Other(..))
    }

    /// Sends a request that meets this row.
    pub(crate) fn commit(
        &self,
        request: Request<Vec<u8>>,
        service: &Service,
        process: u32,
    ) -> Result<Response<Vec<u8>>, TransportError> {
        let handle = || service.handle(request, process);
        match &self.fault {
            Fault::NotSent(kind) => Err(TransportError::new(*kind, self.name).not_sent()),
            Fault::Lost(kind, is_handled) => {
                if *is_handled {
                    handle();
                }
                if *kind == Kind::Timeout {
                    service.clock.sleep(std::time::Duration::from_secs(30));
                }
                Err(TransportError::new(*kind, self.name))
            }
            Fault::Other(is_handled, respond) => {
                if *is_handled {
                    handle();
                }
                Ok(respond())
            }
            Fault::Cut(kind, percent) => {
                let mut response = handle();
                let len = response.body().len() * percent / 100;
                response.body_mut().truncate(len);
                Err(TransportError::new(*kind, self.name).with_partial_response(response))
            }
            Fault::Changed(change) => {
                let mut response = handle();
                change(&mut response);
                Ok(response)
            }
            Fault::Edited(edit) => {
                let mut response = handle();
                if let Ok(mut document) = serde_json::from_slice(response.body()) {
                    edit(&mut document);
                    *response.body_mut() = document.to_string().into_bytes();
                }
                Ok(response)
            }
            Fault::Late(seconds) => {
                service.clock.sleep(std::time::Duration::from_secs(*seconds));
                Ok(handle())
            }
        }
    }
}

const fn row(rows: &'static str, name: &'static str, calls: Calls, fault: Fault) -> Row {
    Row { rows, name, calls, fault }
}

pub(crate) static ROWS: &[Row] = &[
    row("1–4, 10, 11, 58–60", "no connection", Calls::All, Fault::NotSent(Kind::Connect)),
    row("6–9", "TLS refused", Calls::All, Fault::NotSent(Kind::Tls)),
    row("60", "the proxy refused", Calls::All, Fault::NotSent(Kind::Proxy)),
    row("12–14, 16, 56", "broke before the service read it", Calls::All, Fault::Lost(Kind::Interrupted, false)),
    row("12–14, 16, 56", "broke after the service did it", Calls::All, Fault::Lost(Kind::Interrupted, true)),
    row("15, 17, 57", "no response, not done", Calls::All, Fault::Lost(Kind::Timeout, false)),
    row("15, 17, 57", "no response, done", Calls::All, Fault::Lost(Kind::Timeout, true)),
    row("19, 21, 23, 27", "not HTTP, not done", Calls::All, Fault::Lost(Kind::Protocol, false)),
    row("19, 21, 23, 27", "not HTTP, done", Calls::All, Fault::Lost(Kind::Protocol, true)),
    row("18, 20", "head too large", Calls::All, Fault::Lost(Kind::TooLarge, true)),
    row("22", "101", Calls::All, Fault::Other(true, || empty(101))),
    row("24", "799", Calls::All, Fault::Other(true, || empty(799))),
    row("25, 28–32", "body cut at once", Calls::All, Fault::Cut(Kind::Interrupted, 0)),
    row("25, 28–32", "body cut at a half", Calls::All, Fault::Cut(Kind::Interrupted, 50)),
    row("25, 28–32", "body cut near the end", Calls::All, Fault::Cut(Kind::Interrupted, 97)),
    row("32", "body stalls at a third", Calls::All, Fault::Cut(Kind::Timeout, 33)),
    row("33", "body too large", Calls::All, Fault::Cut(Kind::TooLarge, 100)),
    row(
        "26",
        "body with more behind it",
        Calls::All,
        Fault::Changed(|response| response.body_mut().extend(b"}]garbage")),
    ),
    row(
        "31",
        "body silently short",
        Calls::All,
        Fault::Changed(|response| {
            let len = response.body().len() * 2 / 3;
            response.body_mut().truncate(len);
        }),
    ),
    row(
        "34–36",
        "compressed, and broken",
        Calls::All,
        Fault::Changed(|response| {
            response.headers_mut().insert("content-encoding", HeaderValue::from_static("br"));
        }),
    ),
    row("37", "a login page, not done", Calls::All, Fault::Other(false, || page(200))),
    row("37", "a login page, done", Calls::All, Fault::Other(true, || page(200))),
    row("38", "an empty 200", Calls::All, Fault::Other(true, || empty(200))),
    row("38, 43", "204", Calls::All, Fault::Other(true, || empty(204))),
    row(
        "39",
        "a byte order mark",
        Calls::All,
        Fault::Changed(|response| {
            response.body_mut().splice(0..0, [0xef, 0xbb, 0xbf]);
        }),
    ),
    row(
        "39",
        "invalid UTF-8",
        Calls::All,
        Fault::Changed(|response| {
            let at = response.body().len().saturating_sub(3);
            response.body_mut().insert(at, 0xff);
        }),
    ),
    row(
        "40",
        "deep nesting",
        Calls::All,
        Fault::Edited(|document| {
            let mut deep = Value::Null;
            for _ in 0..100 {
                deep = json!([deep]);
            }
            set(document, "deep", deep);
        }),
    ),
    row("41", "no id", Calls::All, Fault::Edited(|document| each_key(document, |key| set(key, "id", Value::Null)))),
    row("41", "no key", Calls::Mints, Fault::Edited(|document| set(document, "key", Value::Null))),
    row(
        "41",
        "redacted form of another type",
        Calls::All,
        Fault::Edited(|document| each_key(document, |key| set(key, "redacted_key", json!(7)))),
    ),
    row(
        "41",
        "dates that are none",
        Calls::All,
        Fault::Edited(|document| {
            each_key(document, |key| {
                set(key, "expires_at", json!("soon"));
                set(key, "created_at", json!("then"));
            })
        }),
    ),
    row(
        "41",
        "unknown words",
        Calls::All,
        Fault::Edited(|document| {
            each_key(document, |key| {
                set(key, "status", json!("SLEEPING"));
                set(key, "key_type", json!("ROBOT"));
            })
        }),
    ),
    row("41", "an array for an object", Calls::All, Fault::Edited(|document| *document = json!([document.take()]))),
    row("42", "202", Calls::All, Fault::Changed(|response| *response.status_mut() = StatusCode::ACCEPTED)),
    row("45", "a redirect, not done", Calls::All, Fault::Other(false, || redirect(302))),
    row("45", "a redirect, done", Calls::All, Fault::Other(true, || redirect(307))),
    row("46", "400", Calls::All, Fault::Other(false, || problem(400))),
    row("46, 47", "401", Calls::All, Fault::Other(false, || problem(401))),
    row("46, 48", "403", Calls::All, Fault::Other(false, || problem(403))),
    row("46", "404", Calls::All, Fault::Other(false, || problem(404))),
    row("46", "409", Calls::All, Fault::Other(false, || problem(409))),
    row("46", "422", Calls::All, Fault::Other(false, || problem(422))),
    row("49", "500, not done", Calls::All, Fault::Other(false, || problem(500))),
    row("49", "500, done", Calls::All, Fault::Other(true, || problem(500))),
    row("49", "502 as HTML, not done", Calls::All, Fault::Other(false, || page(502))),
    row("49", "504 as HTML, done", Calls::All, Fault::Other(true, || page(504))),
    row("50–52, 54", "429", Calls::All, Fault::Other(false, || limited("2"))),
    row("53", "429 for a day", Calls::All, Fault::Other(false, || limited("86400"))),
    row(
        "62",
        "more without a cursor",
        Calls::Lists,
        Fault::Edited(|document| pagination(document, json!({"has_more": true}))),
    ),
    row(
        "63, 64",
        "a cursor that repeats",
        Calls::Lists,
        Fault::Edited(|document| {
            pagination(document, json!({"has_more": true, "next_cursor": "again"}));
        }),
    ),
    row(
        "66",
        "keys twice",
        Calls::Lists,
        Fault::Edited(|document| {
            if let Some(Value::Array(keys)) = document.get_mut("api_keys") {
                keys.extend_from_within(..);
            }
        }),
    ),
    row(
        "67",
        "a cursor without more",
        Calls::Lists,
        Fault::Edited(|document| {
            pagination(document, json!({"has_more": false, "next_cursor": "x"}));
        }),
    ),
    row("75, 76", "an hour late", Calls::All, Fault::Late(3600)),
];

fn set(document: &mut Value, member: &str, value: Value) {
    if let Value::Object(members) = document {
        members.insert(member.to_owned(), value);
    }
}

fn pagination(document: &mut Value, value: Value) {
    set(document, "pagination", value);
}

/// Changes the key of a response, or each one of a list.
fn each_key(document: &mut Value, mut change: impl FnMut(&mut Value)) {
    match document.get_mut("api_keys") {
        Some(Value::Array(keys)) => keys.iter_mut().for_each(change),
        _ => change(document),
    }
}

fn response(status: u16, content_type: &'static str, body: String) -> Response<Vec<u8>> {
    let response = Response::builder().status(status).header("content-type", content_type);
    response.body(body.into_bytes()).unwrap_or_default()
}

fn empty(status: u16) -> Response<Vec<u8>> {
    let response = Response::builder().status(status);
    response.body(Vec::new()).unwrap_or_default()
}

fn page(status: u16) -> Response<Vec<u8>> {
    response(status, "text/html", "<html><title>Sign in</title></html>".to_owned())
}

fn problem(status: u16) -> Response<Vec<u8>> {
    let document = json!({"type": "about:blank", "title": "a fault", "status": status, "detail": "injected"});
    response(status, "application/problem+json", document.to_string())
}

fn redirect(status: u16) -> Response<Vec<u8>> {
    let mut response = empty(status);
    response.headers_mut().insert("location", HeaderValue::from_static("https://elsewhere.example/"));
    response
}

fn limited(wait: &'static str) -> Response<Vec<u8>> {
    let mut response = problem(429);
    response.headers_mut().insert("retry-after", HeaderValue::from_static(wait));
    response
}
