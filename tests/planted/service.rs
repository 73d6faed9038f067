//! A service that says the planted secrets wherever a service can say something.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use arize_api_keys::http::{HeaderValue, Method, Request, Response};
use arize_api_keys::{Transport, TransportError, TransportErrorKind};

use super::{NEW, OWN};

/// Headers of answers that ureq logs at DEBUG, as they are. This crate cannot hide what a server writes there from a log
/// of ureq; in process, the secrets are there too.
const LOGGED_BY_UREQ: [&str; 3] = ["content-type", "content-encoding", "location"];

/// How the service answers.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Script {
    /// As it should.
    Honest,
    /// With an error of this status that repeats what it was sent, in every member and header.
    Echo(u16),
    /// With a page of this status that repeats it.
    Page(u16),
    /// With success, and the secret in the wrong place.
    Misplaced,
    /// With success, and the secret in a member of the wrong type.
    Mistyped,
    /// With success, and a body that is not JSON.
    Garbage,
    /// With a body that breaks off within the secret.
    CutOff,
}

impl Script {
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        let statuses = [302, 400, 401, 403, 404, 408, 409, 418, 422, 429, 500, 503];
        let pages = [200, 201, 302, 401, 502];
        let others = [Self::Misplaced, Self::Mistyped, Self::Garbage, Self::CutOff];
        [Self::Honest].into_iter().chain(statuses.map(Self::Echo)).chain(pages.map(Self::Page)).chain(others)
    }
}

/// The service, as a transport; [`serve`](Self::serve) lets others in.
#[derive(Clone)]
pub(crate) struct Service(Arc<Mutex<Script>>);

impl Default for Service {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Script::Honest)))
    }
}

impl Service {
    pub(crate) fn play(&self, script: Script) {
        *self.0.lock().unwrap() = script;
    }

    /// The answer, and whether it breaks off.
    fn answer(&self, request: &Request<Vec<u8>>) -> (Response<Vec<u8>>, bool) {
        let script = *self.0.lock().unwrap();
        if request.method() == Method::CONNECT {
            return (echo(407), false);
        }
        let (status, body) = match script {
            Script::Honest => honest(request),
            Script::Echo(status) => return (echo(status), false),
            Script::Page(status) => {
                let page = Response::builder()
                    .status(status)
                    .header("content-type", format!("text/html; charset={OWN}"))
                    .header("content-encoding", format!("x-{NEW}"))
                    .header("location", format!("https://login.example/?key={OWN}"))
                    .header("x-request-id", OWN)
                    .body(format!("<html>{OWN} {NEW}</html>").into_bytes());
                return (page.unwrap(), false);
            }
            Script::Misplaced => {
                (200, format!(r#"{{"secret":"{NEW}","token":"{OWN}","{NEW}":"{NEW}","data":{{"key":"{NEW}"}}}}"#))
            }
            Script::Mistyped => (200, format!(r#"{{"id":"{NEW}","key":["{NEW}"],"expires_at":"{OWN}"}}"#)),
            Script::Garbage => (200, format!("key={NEW}&own={OWN}")),
            Script::CutOff => (200, format!(r#"{{"id":"i","name":"n","key":"{}"#, NEW.split_at(20).0)),
        };
        let response = Response::builder().status(status).header("content-type", "application/json");
        (response.body(body.into_bytes()).unwrap(), matches!(script, Script::CutOff))
    }

    /// Answers on a port of loopback, for as long as the process lives.
    pub(crate) fn serve(&self) -> u16 {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let service = self.clone();
        thread::spawn(move || {
            for stream in listener.incoming() {
                // A client that goes away is no concern of the service's.
                let _ = stream.and_then(|stream| converse(&service, stream));
            }
        });
        port
    }
}

impl Transport for Service {
    fn send(&self, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, TransportError> {
        match self.answer(&request) {
            (response, false) => Ok(response),
            (partial, true) => {
                let error = TransportError::new(TransportErrorKind::Interrupted, "cut off");
                Err(error.with_partial_response(partial))
            }
        }
    }
}

fn honest(request: &Request<Vec<u8>>) -> (u16, String) {
    let path = request.uri().path();
    let key = r#""id":"i","name":"n","key_type":"USER","status":"ACTIVE","redacted_key":"ak-abc...xyz""#;
    let odd = format!(r#""created_at":"{NEW}","expires_at":"until {NEW}","last_used_at":["{NEW}"]"#);
    let space = r#"{"id":"s","name":"prod","organization_id":"o"}"#;
    match request.method().as_str() {
        "GET" if path == "/v2/spaces" => (200, format!(r#"{{"spaces":[{space}],"pagination":{{"has_more":false}}}}"#)),
        "GET" if path.starts_with("/v2/spaces/") => (200, space.to_owned()),
        // A list has no secrets; one that comes all the same is not kept.
        "GET" => (200, format!(r#"{{"api_keys":[{{{key},{odd},"key":"{NEW}"}}],"pagination":{{"has_more":false}}}}"#)),
        "POST" => (201, format!(r#"{{{key},{odd},"key":"{NEW}"}}"#)),
        _ => (204, String::new()),
    }
}

fn echo(status: u16) -> Response<Vec<u8>> {
    let said = format!("Bearer {OWN} and {NEW}, or \\\"{NEW}\\\"");
    let body = format!(
        r#"{{"status":{status},"title":"{said}","detail":"{said}","type":"urn:{OWN}","instance":"/v2/{NEW}/{OWN}","key":"{NEW}"}}"#
    );
    Response::builder()
        .status(status)
        .header("content-type", "application/problem+json")
        .header("x-request-id", format!("{OWN} {NEW}"))
        .header("retry-after", OWN)
        .header("www-authenticate", format!("Bearer realm=\"{OWN}\""))
        .header("location", format!("https://elsewhere.example/{OWN}"))
        .header("set-cookie", format!("key={NEW}"))
        .body(body.into_bytes())
        .unwrap()
}

/// One request, one answer, and the end of the connection.
fn converse(service: &Service, mut stream: TcpStream) -> std::io::Result<()> {
    let mut read = Vec::new();
    let head = loop {
        let mut chunk = [0; 4096];
        let length = stream.read(&mut chunk)?;
        // A client that speaks TLS gets a plain error and no more.
        if length == 0 || chunk[0] == 0x16 {
            return stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        }
        read.extend_from_slice(&chunk[..length]);
        if let Some(end) = read.windows(4).position(|window| window == b"\r\n\r\n") {
            break end + 4;
        }
    };
    let text = String::from_utf8_lossy(&read[..head]).to_ascii_lowercase();
    let length = text.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok()).unwrap_or(0);
    while read.len() < head + length {
        let mut chunk = [0; 4096];
        match stream.read(&mut chunk)? {
            0 => break,
            length => read.extend_from_slice(&chunk[..length]),
        }
    }
    let line = String::from_utf8_lossy(&read[..head]).lines().next().unwrap_or_default().to_owned();
    let mut words = line.split(' ');
    let request = Request::builder().method(words.next().unwrap_or_default()).uri(words.next().unwrap_or_default());
    let (mut response, cut) = service.answer(&request.body(read.split_off(head)).map_err(std::io::Error::other)?);
    for name in LOGGED_BY_UREQ {
        if let Some(value) = response.headers_mut().get_mut(name) {
            let without = value.to_str().unwrap_or_default().replace(OWN, "x").replace(NEW, "x");
            *value = HeaderValue::try_from(without).map_err(std::io::Error::other)?;
        }
    }

    let mut answer = format!("HTTP/1.1 {} Answer\r\nconnection: close\r\n", response.status().as_u16()).into_bytes();
    for (name, value) in response.headers() {
        answer.extend_from_slice(name.as_str().as_bytes());
        answer.extend_from_slice(b": ");
        answer.extend_from_slice(value.as_bytes());
        answer.extend_from_slice(b"\r\n");
    }
    if response.status() != 204 {
        let promised = response.body().len() + if cut { 10 } else { 0 };
        answer.extend_from_slice(format!("content-length: {promised}\r\n").as_bytes());
    }
    answer.extend_from_slice(b"\r\n");
    answer.extend_from_slice(response.body());
    stream.write_all(&answer)
}
