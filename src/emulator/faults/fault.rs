//! A fault that the emulator commits on demand.

use std::time::Duration;

use http::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use http::{Response, StatusCode};

use super::endpoint::Endpoint;
use crate::emulator::api::problem::ProblemResponse;
use crate::emulator::http::delivery::Delivery;

/// Something that goes wrong between a service and its clients, for
/// [`Emulator::inject`](crate::emulator::Emulator::inject).
///
/// A fault is built from its kind, and then told when to happen: to which requests ([`only`](Self::only)), how often
/// ([`times`](Self::times)), and whether the service has done what it was asked before it happens
/// ([`after_handling`](Self::after_handling)).
///
/// | kind | over HTTP | in process |
/// |---|---|---|
/// | [`status`](Self::status), [`rate_limit`](Self::rate_limit) | a problem document with that status | the same |
/// | [`html`](Self::html) | a page where JSON should be | the same |
/// | [`delay`](Self::delay) | the response comes late | the clock is moved; [`Timeout`] if the client waits less |
/// | [`reset`](Self::reset) | the connection is reset | [`Interrupted`] |
/// | [`truncate`](Self::truncate) | the connection is closed within the body | [`Interrupted`], with the part |
///
/// ```
/// use std::time::Duration;
///
/// use arize_api_keys::emulator::{Emulator, Endpoint, Fault};
/// use arize_api_keys::{ApiKeysClient, CreateRequest, Outcome};
///
/// let emulator = Emulator::new();
/// let client = ApiKeysClient::builder()
///     .ignore_env()
///     .api_key(emulator.admin_key())
///     .transport(emulator.clone())
///     .build()?;
///
/// emulator.inject(Fault::status(503).after_handling().only(Endpoint::CreateKey));
/// let error = client.create(&CreateRequest::new("ci")).unwrap_err();
/// assert_eq!((error.status(), error.outcome()), (Some(503), Outcome::Unknown)); // and it was done
/// assert_eq!((emulator.keys_created(), emulator.faults_left()), (1, 0));
/// # Ok::<(), arize_api_keys::Error>(())
/// ```
///
/// A fault is also written as text, as `--fault` of the command line takes it:
///
/// ```
/// use arize_api_keys::emulator::{Endpoint, Fault};
///
/// let fault: Fault = "create:reset,after*2".parse()?;
/// assert_eq!(fault, Fault::reset().after_handling().times(2).only(Endpoint::CreateKey));
/// assert_eq!(fault.to_string(), "create:reset,after*2");
/// # Ok::<(), arize_api_keys::emulator::FaultError>(())
/// ```
///
/// [`Timeout`]: crate::TransportErrorKind::Timeout
/// [`Interrupted`]: crate::TransportErrorKind::Interrupted
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a fault happens only once it is injected"]
pub struct Fault {
    pub(super) kind: Kind,
    pub(super) handled: bool,
    pub(super) retry_after: Option<Duration>,
    pub(crate) times: u32,
    pub(crate) only: Option<Endpoint>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Status(StatusCode),
    Html(StatusCode),
    Delay(Duration),
    Reset,
    Truncate(usize),
}

impl Fault {
    fn new(kind: Kind) -> Self {
        Self { kind, handled: false, retry_after: None, times: 1, only: None }
    }

    /// Responds with this status and a problem document. A status that is not final (below 200, above 999) becomes
    /// 500.
    pub fn status(status: u16) -> Self {
        Self::new(Kind::Status(final_status(status)))
    }

    /// Responds with 429 and this wait in `Retry-After`.
    pub fn rate_limit(wait: Duration) -> Self {
        Self::status(429).retry_after(wait)
    }

    /// Responds with this status and a page of HTML: 502 as a gateway does that cannot reach the service, 200 as a login
    /// page does that has caught the request.
    pub fn html(status: u16) -> Self {
        Self::new(Kind::Html(final_status(status)))
    }

    /// Handles the request, and delays the response.
    ///
    /// Over HTTP, that is real time, cut short when the server is stopped. In process it is waited for on the
    /// [emulator's clock](crate::emulator::Emulator::clock), which moves at once if it stands; and if the client does not wait as long
    /// ([`SendOptions::timeout`](crate::SendOptions)), the clock moves by that timeout, and the client hears
    /// [`Timeout`](crate::TransportErrorKind::Timeout).
    pub fn delay(wait: Duration) -> Self {
        Self::new(Kind::Delay(wait))
    }

    /// Resets the connection in place of a response. A client cannot tell whether the request was handled: it was not, unless
    /// [`after_handling`](Self::after_handling) is called.
    ///
    /// Where the operating system does not reset a connection that is closed with something unread in it (Linux, BSD and
    /// Windows do), the connection is closed.
    pub fn reset() -> Self {
        Self::new(Kind::Reset)
    }

    /// Handles the request, and breaks off its response after this many bytes of the body, whose full length was
    /// announced. A body that is no longer than that arrives whole.
    pub fn truncate(bytes: usize) -> Self {
        Self::new(Kind::Truncate(bytes))
    }

    /// Adds `Retry-After` to the response, in whole seconds, rounded up. A reset has no response, and stays as it is.
    pub fn retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait).filter(|_| self.kind != Kind::Reset);
        self
    }

    /// Handles the request first, and commits the fault in place of the response. Delays and truncated responses always
    /// come after handling.
    ///
    /// This is how a gateway fails that lost the response of the service. No rate limiter does it: a client that gets a 429
    /// assumes that nothing was done.
    pub fn after_handling(mut self) -> Self {
        self.handled = true;
        self
    }

    /// Commits the fault for this many requests. Once, unless set.
    pub fn times(mut self, times: u32) -> Self {
        self.times = times;
        self
    }

    /// Commits the fault for requests to this endpoint only; others pass it by.
    pub fn only(mut self, endpoint: Endpoint) -> Self {
        self.only = Some(endpoint);
        self
    }

    fn handle_first(&self, handle: impl FnOnce() -> Response<Vec<u8>>) {
        if self.handled {
            handle();
        }
    }

    /// The delivery of a request for `path`. `handle` handles the request.
    pub(crate) fn commit(&self, path: &str, handle: impl FnOnce() -> Response<Vec<u8>>) -> Delivery {
        let mut delivery = match self.kind {
            Kind::Delay(wait) => Delivery::whole(handle()).delayed(wait),
            Kind::Truncate(bytes) => Delivery::cut(handle(), bytes),
            Kind::Status(status) => {
                self.handle_first(handle);
                Delivery::whole(problem(status, path))
            }
            Kind::Html(status) => {
                self.handle_first(handle);
                Delivery::whole(page(status))
            }
            Kind::Reset => {
                self.handle_first(handle);
                Delivery::reset()
            }
        };
        if let (Some(wait), Some(response)) = (self.retry_after, delivery.response_mut()) {
            let seconds = wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0));
            response.headers_mut().insert(RETRY_AFTER, seconds.into());
        }
        delivery
    }
}

fn final_status(status: u16) -> StatusCode {
    StatusCode::from_u16(status)
        .ok()
        .filter(|status| !status.is_informational())
        .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// Statuses whose responses end with the head, with any headers.
fn has_no_body(status: StatusCode) -> bool {
    matches!(status, StatusCode::NO_CONTENT | StatusCode::RESET_CONTENT | StatusCode::NOT_MODIFIED)
}

fn problem(status: StatusCode, path: &str) -> Response<Vec<u8>> {
    if has_no_body(status) {
        return empty(status);
    }
    ProblemResponse::new(status, "a fault of the emulator").into_response(Some(path))
}

fn page(status: StatusCode) -> Response<Vec<u8>> {
    let mut response = empty(status);
    if !has_no_body(status) {
        let title = if status.is_success() { "Sign in" } else { status.canonical_reason().unwrap_or("Error") };
        *response.body_mut() = format!(
            "<!DOCTYPE html>\n<html><head><title>{title}</title></head>\n<body><h1>{title}</h1></body></html>\n"
        )
        .into_bytes();
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    }
    response
}

fn empty(status: StatusCode) -> Response<Vec<u8>> {
    let mut response = Response::default();
    *response.status_mut() = status;
    response
}
