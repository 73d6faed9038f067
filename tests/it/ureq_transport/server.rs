//! Servers, and what tests ask of a transport.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use arize_api_keys::http::{Method, Request, Response};
use arize_api_keys::{SendOptions, Transport, TransportError, UreqTransport};

use crate::support::http::read_request;

/// A server on loopback: each connection gets a thread that runs `serve`.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    accepted: Arc<AtomicUsize>,
}

impl Server {
    pub(crate) fn start(serve: impl Fn(TcpStream) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let accepted = Arc::new(AtomicUsize::new(0));
        let (count, serve) = (Arc::clone(&accepted), Arc::new(serve));
        thread::spawn(move || {
            for connection in listener.incoming() {
                count.fetch_add(1, Ordering::SeqCst);
                let serve = Arc::clone(&serve);
                thread::spawn(move || serve(connection.unwrap()));
            }
        });
        Self { address, accepted }
    }

    /// Answers every request of a connection with these bytes.
    pub(crate) fn answering(answer: impl Into<Vec<u8>>) -> Self {
        let answer = answer.into();
        Self::start(move |mut connection| {
            while read_request(&mut connection).is_some() {
                connection.write_all(&answer).unwrap();
            }
        })
    }

    /// Answers one request with these bytes, and closes the connection.
    pub(crate) fn answering_once(answer: impl Into<Vec<u8>>) -> Self {
        let answer = answer.into();
        Self::start(move |mut connection| {
            read_request(&mut connection);
            // The client may have had enough before the end.
            let _ = connection.write_all(&answer);
        })
    }

    /// Answers with the request itself.
    pub(crate) fn echoing() -> Self {
        Self::start(|mut connection| {
            while let Some(request) = read_request(&mut connection) {
                connection.write_all(&ok(&request)).unwrap();
            }
        })
    }

    /// Accepts, and says nothing.
    pub(crate) fn silent() -> Self {
        Self::start(|mut connection| {
            let _ = connection.read_to_end(&mut Vec::new());
        })
    }

    pub(crate) fn uri(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn accepted(&self) -> usize {
        self.accepted.load(Ordering::SeqCst)
    }
}

/// A response of success with this body.
pub(crate) fn ok(body: &[u8]) -> Vec<u8> {
    let mut response = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len()).into_bytes();
    response.extend_from_slice(body);
    response
}

pub(crate) fn request(method: Method, uri: impl AsRef<str>, body: &str) -> Request<Vec<u8>> {
    Request::builder().method(method).uri(uri.as_ref()).body(body.into()).unwrap()
}

pub(crate) fn get(uri: impl AsRef<str>) -> Request<Vec<u8>> {
    request(Method::GET, uri, "")
}

pub(crate) fn post(uri: impl AsRef<str>) -> Request<Vec<u8>> {
    request(Method::POST, uri, "{}")
}

pub(crate) fn send(request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, TransportError> {
    UreqTransport::new().send(request)
}

/// The result of a request whose response never ends. It has little time, and then more, so that a slow machine gets as far
/// as a fast one.
#[track_caller]
pub(crate) fn assert_stalls(transport: &UreqTransport, request: &Request<Vec<u8>>, expected: &str) {
    let mut last = String::new();
    for budget in [200, 1_000, 5_000, 30_000] {
        let mut request = request.clone();
        let mut options = request.extensions().get().copied().unwrap_or_else(|| SendOptions::new(Duration::ZERO));
        options.timeout = Duration::from_millis(budget);
        request.extensions_mut().insert(options);
        last = fault(transport.send(request));
        if last == expected {
            return;
        }
    }
    assert_eq!(last, expected);
}

pub(crate) fn fresh(mut request: Request<Vec<u8>>) -> Request<Vec<u8>> {
    request.extensions_mut().insert(SendOptions::new(Duration::from_secs(600)).fresh_connection());
    request
}

/// Kind, whether the request may have been sent, and the partial response, in one line.
#[track_caller]
pub(crate) fn fault(outcome: Result<Response<Vec<u8>>, TransportError>) -> String {
    let error = match outcome {
        Ok(response) => panic!("is not an error: {}", response.status()),
        Err(error) => error,
    };
    let debug = format!("{error:?}");
    let partial = debug.split_once("PartialResponse(").and_then(|(_, rest)| rest.split_once(')'));
    let partial = partial.map(|(partial, _)| format!(", {partial}")).unwrap_or_default();
    let sent = if error.may_have_been_sent() { "perhaps sent" } else { "not sent" };
    format!("{:?}, {sent}{partial}", error.kind())
}
