//! The interface between this crate and the network.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// The most bytes of a body that the client reads.
pub(crate) const BODY_LIMIT: usize = 1024 * 1024;

/// Carries one HTTP request and brings back its response.
///
/// The default is [`UreqTransport`](crate::UreqTransport); tests and unusual networks bring their own. A closure
/// is a transport:
///
/// ```
/// use arize_api_keys::{ApiKeysClient, ListRequest, http};
///
/// let client = ApiKeysClient::builder()
///     .ignore_env()
///     .api_key("ak-for-the-docs")
///     .transport(|request: http::Request<Vec<u8>>| {
///         assert_eq!(request.uri(), "https://api.arize.com/v2/api-keys?limit=50");
///         Ok(http::Response::new(br#"{"api_keys":[],"pagination":{"has_more":false}}"#.to_vec()))
///     })
///     .build()?;
/// assert!(client.list(&ListRequest::new())?.api_keys.is_empty());
/// # Ok::<(), arize_api_keys::Error>(())
/// ```
///
/// # Requirements
///
/// * Send the request as it is: the method, the whole URI, every header and the body. The client sets `authorization`,
///   `accept`, `accept-encoding: identity`, `user-agent` and, with a body, `content-type`. The transport sets
///   `content-length`.
/// * Return every final response. A status of 400 or more is a response, not an error. A redirect is a response, too, and
///   must not be followed: the key goes to the configured origin and nowhere else.
/// * Send a request once. The client decides which requests are repeated.
/// * Give up after [`SendOptions::timeout`], if the request has one among its extensions.
/// * State in an error whether the request may have been sent, and pass on the part of a response that arrived
///   (see [`TransportError`]): a one-time secret may be in it.
///
/// A transport that ignores the extensions still works: the client assumes after its errors that the request may have been
/// processed, and does not repeat a create or a refresh.
pub trait Transport: Send + Sync {
    /// Sends `request` and waits for the complete response.
    ///
    /// A status of 400 or more is a response, not an error.
    ///
    /// # Errors
    ///
    /// [`TransportError`] if no complete response arrived.
    fn send(&self, request: http::Request<Vec<u8>>) -> Result<http::Response<Vec<u8>>, TransportError>;
}

impl<F> Transport for F
where
    F: Fn(http::Request<Vec<u8>>) -> Result<http::Response<Vec<u8>>, TransportError> + Send + Sync,
{
    fn send(&self, request: http::Request<Vec<u8>>) -> Result<http::Response<Vec<u8>>, TransportError> {
        self(request)
    }
}

impl<T: Transport + ?Sized> Transport for Arc<T> {
    fn send(&self, request: http::Request<Vec<u8>>) -> Result<http::Response<Vec<u8>>, TransportError> {
        (**self).send(request)
    }
}

/// Requirements of the retry policy for one attempt. They travel in the extensions of the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SendOptions {
    /// The time that this attempt may take, from name look-up to the last byte of the body.
    pub timeout: Duration,
    /// The request must not travel on a connection that was used before: a server may have closed it meanwhile, and
    /// then it would not be known whether the request was processed.
    pub fresh_connection: bool,
}

impl SendOptions {
    /// Options for an attempt that may take `timeout`, on any connection.
    pub fn new(timeout: Duration) -> Self {
        Self { timeout, fresh_connection: false }
    }

    /// Asks for a fresh connection.
    #[must_use]
    pub fn fresh_connection(mut self) -> Self {
        self.fresh_connection = true;
        self
    }
}

/// Memory for the body of the response to a read, from an earlier response, whose bytes are still in it. It travels in the
/// extensions of the request; a transport that does not know it makes its own.
#[derive(Clone, Default)]
pub(crate) struct ReusableBuffer(pub(crate) Vec<u8>);

impl ReusableBuffer {
    /// Twice a page of 100 keys.
    const LIMIT: usize = 64 * 1024;

    /// Keeps the memory of a body, unless it is too much to hold for as long as the client lives.
    pub(crate) fn keep(&mut self, body: Vec<u8>) {
        if body.capacity() <= Self::LIMIT {
            self.0 = body;
        }
    }
}

/// The reason why no complete response arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TransportErrorKind {
    /// The host name could not be resolved. Retried.
    Resolve,
    /// No connection could be made: refused, unreachable, closed during the handshake. Retried.
    Connect,
    /// The TLS handshake failed: an unknown authority, a wrong host name, an expired certificate, an alert. Not retried.
    Tls,
    /// The proxy refused the tunnel, for example because of a wrong password. Not retried.
    Proxy,
    /// The attempt timed out. Retried where that is safe: see [`RetryPolicy`](crate::RetryPolicy).
    Timeout,
    /// The connection broke after it was made. Retried where that is safe.
    Interrupted,
    /// The response is not valid HTTP/1.1. Not retried.
    Protocol,
    /// The head or the body of the response is over the limit of the transport. Not retried.
    TooLarge,
    /// The request or the configuration is invalid. Not retried.
    Configuration,
    /// Any other failure. Not retried.
    Other,
}

impl TransportErrorKind {
    /// Whether another attempt may succeed.
    pub(crate) fn is_transient(self) -> bool {
        matches!(self, Self::Resolve | Self::Connect | Self::Timeout | Self::Interrupted)
    }
}

impl fmt::Display for TransportErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Resolve => "the host name could not be resolved",
            Self::Connect => "no connection could be made",
            Self::Tls => "the TLS handshake failed",
            Self::Proxy => "the proxy refused",
            Self::Timeout => "timed out",
            Self::Interrupted => "the connection broke",
            Self::Protocol => "the response is not HTTP/1.1",
            Self::TooLarge => "the response is too large",
            Self::Configuration => "the request could not be made",
            Self::Other => "the transport failed",
        })
    }
}

/// No complete response arrived.
///
/// Two facts decide between "retry" and "a key may exist", so a transport states them when it knows them: [`not_sent`](Self::not_sent) and [`with_partial_response`](Self::with_partial_response).
///
/// The source must not hold headers of the request or the body of the response: users see it as it is.
///
/// ```
/// use arize_api_keys::{TransportError, TransportErrorKind};
///
/// let refused = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
/// let error = TransportError::new(TransportErrorKind::Connect, refused).not_sent();
/// assert!(!error.may_have_been_sent());
/// assert_eq!(error.to_string(), "no connection could be made");
/// ```
#[derive(Debug)]
pub struct TransportError {
    kind: TransportErrorKind,
    not_sent: bool,
    partial: Option<Box<PartialResponse>>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// The head of a response, and as much of its body as arrived. No `Debug` of its content: it may hold a secret.
struct PartialResponse(http::Response<Vec<u8>>);

impl fmt::Debug for PartialResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PartialResponse({}, {} bytes)", self.0.status().as_u16(), self.0.body().len())
    }
}

impl TransportError {
    /// An error of this kind with its cause. Without [`not_sent`](Self::not_sent), the client assumes that the request
    /// may have reached the server.
    pub fn new(kind: TransportErrorKind, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self { kind, not_sent: false, partial: None, source: Some(source.into()) }
    }

    /// States that no complete request can have reached the server.
    #[must_use]
    pub fn not_sent(mut self) -> Self {
        self.not_sent = true;
        self
    }

    /// Adds the head of a response and the part of its body that arrived before the failure.
    #[must_use]
    pub fn with_partial_response(mut self, response: http::Response<Vec<u8>>) -> Self {
        self.partial = Some(Box::new(PartialResponse(response)));
        self
    }

    /// The kind of failure.
    pub fn kind(&self) -> TransportErrorKind {
        self.kind
    }

    /// False only if it is certain that no complete request reached the server.
    pub fn may_have_been_sent(&self) -> bool {
        !self.not_sent
    }

    /// The head of a response and the part of its body that arrived, if there is one. It may hold a secret.
    pub fn partial_response(&self) -> Option<&http::Response<Vec<u8>>> {
        self.partial.as_ref().map(|partial| &partial.0)
    }

    /// Takes the partial response out.
    pub(crate) fn take_partial_response(&mut self) -> Option<http::Response<Vec<u8>>> {
        self.partial.take().map(|partial| partial.0)
    }
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind.fmt(f)
    }
}

impl StdError for TransportError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_kept_up_to_64_kib() {
        let kept = |capacity: usize| {
            let mut room = ReusableBuffer::default();
            room.keep(Vec::with_capacity(capacity));
            room.0.capacity()
        };
        assert_eq!(kept(65_536), 65_536);
        assert_eq!(kept(65_537), 0);
    }
}
