//! What ureq's errors mean for the client. Some of them repeat URLs, and a URL holds names of keys and spaces: no text
//! of theirs is passed on unless it is fixed.

use std::error::Error as StdError;
use std::{fmt, io};

use crate::transport::{TransportError, TransportErrorKind as Kind};

/// A failure from before the first byte of the request was written. It travels through ureq as [`ureq::Error::Other`].
#[derive(Debug)]
pub(super) struct BeforeSending {
    kind: Kind,
    source: Box<dyn StdError + Send + Sync>,
}

impl BeforeSending {
    pub(super) fn wrap(kind: Kind, source: impl Into<Box<dyn StdError + Send + Sync>>) -> ureq::Error {
        ureq::Error::Other(Box::new(Self { kind, source: source.into() }))
    }

    /// Marks an error that came while a connection was being made.
    pub(super) fn connecting(error: ureq::Error) -> ureq::Error {
        let (kind, source): (Kind, Box<dyn StdError + Send + Sync>) = match error {
            // Marked already: by the resolver, or by the connection to a proxy.
            ureq::Error::Other(other) if other.is::<Self>() => return ureq::Error::Other(other),
            ureq::Error::Io(error) => (connecting_kind(&error), error.into()),
            ureq::Error::Timeout(phase) => (Kind::Timeout, Box::new(TimedOut(phase))),
            ureq::Error::ConnectProxyFailed(answer) if answer.contains(" 407/") => {
                (Kind::Proxy, "the proxy wants a user name and a password that it knows (407)".into())
            }
            ureq::Error::ConnectProxyFailed(answer) => (Kind::Connect, proxy_refusal(&answer).into()),
            ureq::Error::Protocol(_) => (Kind::Connect, "the proxy does not answer with HTTP".into()),
            _ => (Kind::Connect, "no connection was made".into()),
        };
        Self::wrap(kind, source)
    }
}

impl fmt::Display for BeforeSending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.source.fmt(f)
    }
}

impl StdError for BeforeSending {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.source()
    }
}

fn connecting_kind(error: &io::Error) -> Kind {
    match error.kind() {
        // A certificate, an alert, a peer that does not speak TLS.
        io::ErrorKind::InvalidData => Kind::Tls,
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => Kind::Timeout,
        _ => Kind::Connect,
    }
}

/// ureq says `proxy server responded 502/502`, or that the proxy closed the connection.
fn proxy_refusal(answer: &str) -> String {
    match answer.rsplit_once('/') {
        Some((_, status)) if status.bytes().all(|b| b.is_ascii_digit()) => {
            format!("the proxy could not connect, and answered {status}")
        }
        _ => "the proxy closed the connection".into(),
    }
}

/// The phase in which time ran out.
#[derive(Debug)]
struct TimedOut(ureq::Timeout);

impl fmt::Display for TimedOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            ureq::Timeout::Resolve => "while looking up the name",
            ureq::Timeout::Connect => "while connecting",
            _ => "waiting for the whole answer",
        })
    }
}

impl StdError for TimedOut {}

/// The last step: what the client hears.
pub(super) fn to_transport_error(error: ureq::Error) -> TransportError {
    match error {
        ureq::Error::Other(other) => match other.downcast::<BeforeSending>() {
            Ok(failure) => TransportError::new(failure.kind, failure.source).not_sent(),
            Err(_) => TransportError::new(Kind::Other, "ureq failed"),
        },
        ureq::Error::Io(error) => match error.kind() {
            io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => TransportError::new(Kind::Timeout, error),
            io::ErrorKind::InvalidData => TransportError::new(Kind::Tls, error),
            _ => TransportError::new(Kind::Interrupted, error),
        },
        ureq::Error::Timeout(phase) => TransportError::new(Kind::Timeout, TimedOut(phase)),
        // `protocol: http parse fail: …`: what follows the first fact may be the peer's own words.
        ureq::Error::Protocol(error) => {
            let text = error.to_string();
            let fact = text.split(':').next().unwrap_or_default();
            TransportError::new(Kind::Protocol, fact.to_owned())
        }
        ureq::Error::BodyStalled => TransportError::new(Kind::Protocol, "the body does not end"),
        ureq::Error::LargeResponseHeader(..) => TransportError::new(Kind::TooLarge, "the head has more than 24 KiB"),
        ureq::Error::Http(_) | ureq::Error::BadUri(_) => {
            TransportError::new(Kind::Configuration, "the request is not valid HTTP")
        }
        _ => TransportError::new(Kind::Other, "ureq failed"),
    }
}
