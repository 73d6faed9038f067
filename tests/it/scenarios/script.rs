//! Answers, one after the other: those that were recorded, and a transport that gives them.

use std::sync::{Arc, Mutex};

use arize_api_keys::{Transport, TransportError, TransportErrorKind, http};
use serde_json::Value;

use crate::wire::Request;

/// The response to one request.
#[derive(Clone, Debug)]
pub(super) enum Answer {
    Whole(Response),
    /// The connection breaks before the body is complete.
    Partial(Response),
    None {
        kind: TransportErrorKind,
        sent: bool,
    },
}

#[derive(Clone, Debug)]
pub(super) struct Response {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl Response {
    pub(super) fn new(status: u16, headers: &[(&str, &str)], body: impl Into<Vec<u8>>) -> Self {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Self { status, headers, body: body.into() }
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The media type without its parameters.
    pub(super) fn media_type(&self) -> Option<&str> {
        self.header("content-type").map(|value| value.split(';').next().unwrap().trim())
    }

    fn http(&self) -> http::Response<Vec<u8>> {
        let mut response = http::Response::builder().status(self.status);
        for (name, value) in &self.headers {
            response = response.header(name, value);
        }
        response.body(self.body.clone()).unwrap()
    }
}

/// The responses of a server to the requests of one call.
#[derive(Clone, Debug)]
pub(super) struct Script {
    pub(super) answers: Vec<Answer>,
    /// The last one comes for ever; else, after the last one, all is well.
    pub(super) repeats: bool,
    /// Only for requests to this path.
    pub(super) path: Option<String>,
}

impl Script {
    pub(super) fn of(answers: Vec<Answer>) -> Self {
        Self { answers, repeats: false, path: None }
    }

    pub(super) fn answer(&self, n: usize) -> Option<&Answer> {
        self.answers.get(n).or_else(|| self.answers.last().filter(|_| self.repeats))
    }
}

/// A recorded scenario.
pub(super) struct Scenario {
    pub(super) id: String,
    pub(super) op: String,
    pub(super) script: Script,
}

pub(super) fn all() -> Vec<Scenario> {
    let file: Vec<Value> = serde_json::from_str(include_str!("../../data/scenarios.json")).unwrap();
    file.iter().map(Scenario::read).collect()
}

impl Scenario {
    #[track_caller]
    fn read(entry: &Value) -> Self {
        let scripted = entry["scripted"].as_array().unwrap();
        let script = Script {
            answers: scripted.iter().map(read_answer).collect(),
            repeats: scripted.iter().any(|answer| answer["repeat"] == true),
            path: scripted.iter().find_map(|answer| answer["match"].as_str()).map(str::to_owned),
        };
        Self { id: entry["id"].as_str().unwrap().to_owned(), op: entry["op"].as_str().unwrap().to_owned(), script }
    }
}

/// Which member says what: `chunked` and `listener` concern the recorder only.
#[track_caller]
fn read_answer(entry: &Value) -> Answer {
    if entry["reset"] == true || entry["close_before"] == true {
        return Answer::None { kind: TransportErrorKind::Interrupted, sent: true };
    }
    let headers = entry["headers"].as_array().into_iter().flatten();
    let response = Response {
        status: entry["status"].as_u64().unwrap().try_into().unwrap(),
        headers: headers
            .map(|header| (header[0].as_str().unwrap().to_owned(), header[1].as_str().unwrap().to_owned()))
            .collect(),
        body: entry["body"].as_str().unwrap_or_default().into(),
    };
    if entry["truncate"] == true { Answer::Partial(response) } else { Answer::Whole(response) }
}

/// The requests that a [`transport`] has seen.
pub(super) type Log = Arc<Mutex<Vec<Request>>>;

/// A transport that answers from a script where it applies, and with `otherwise` elsewhere.
pub(super) struct Scripted {
    script: Script,
    applies: fn(&Request) -> bool,
    otherwise: fn(&Request) -> Response,
    log: Log,
}

pub(super) fn transport(
    script: &Script,
    applies: fn(&Request) -> bool,
    otherwise: fn(&Request) -> Response,
) -> (Scripted, Log) {
    let log = Log::default();
    (Scripted { script: script.clone(), applies, otherwise, log: Arc::clone(&log) }, log)
}

impl Transport for Scripted {
    fn send(&self, request: http::Request<Vec<u8>>) -> Result<http::Response<Vec<u8>>, TransportError> {
        let request = Request::sent(&request);
        let mut log = self.log.lock().unwrap();
        let n = log.iter().filter(|request| (self.applies)(request)).count();
        let answer = if (self.applies)(&request) { self.script.answer(n) } else { None };
        let result = match answer {
            Some(Answer::Whole(response)) => Ok(response.http()),
            Some(Answer::Partial(response)) => {
                let error = TransportError::new(TransportErrorKind::Interrupted, "the connection was closed early");
                Err(error.with_partial_response(response.http()))
            }
            Some(Answer::None { kind, sent: true }) => Err(TransportError::new(*kind, "nothing came back")),
            Some(Answer::None { kind, sent: false }) => Err(TransportError::new(*kind, "nothing went out").not_sent()),
            None => Ok((self.otherwise)(&request).http()),
        };
        log.push(request);
        result
    }
}
