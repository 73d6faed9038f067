//! What ureq's errors mean for the client. Some of them repeat URLs, and a URL holds names of keys and spaces: no text
//! of theirs is passed on unless it is fixed.

use std::error::Error as StdError;
use std::{fmt, io};

use super::tls::fault::TlsFault;
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

/// The phase that timed out.
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
            _ if TlsFault::of(&error).is_some_and(TlsFault::is_refusal) => TransportError::new(Kind::Tls, error),
            // After the handshake, a broken TLS record is a broken connection.
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
        ureq::Error::LargeResponseHeader(_, limit) => {
            TransportError::new(Kind::TooLarge, format!("the head has more than {} KiB", limit / 1024))
        }
        ureq::Error::Http(_) | ureq::Error::BadUri(_) => {
            TransportError::new(Kind::Configuration, "the request is not valid HTTP")
        }
        _ => TransportError::new(Kind::Other, "ureq failed"),
    }
}

#[cfg(test)]
mod tests {
    use ureq::{Error, Timeout};

    use super::*;

    /// The error as the client sees it: kind, whether the request may have been sent, and the cause.
    fn heard(error: Error) -> String {
        let error = to_transport_error(error);
        let sent = if error.may_have_been_sent() { "sent" } else { "not sent" };
        format!("{:?}, {sent}: {}", error.kind(), error.source().map(ToString::to_string).unwrap_or_default())
    }

    fn io(kind: io::ErrorKind) -> Error {
        Error::Io(io::Error::new(kind, "told"))
    }

    fn proxy(answer: &str) -> Error {
        Error::ConnectProxyFailed(answer.to_owned())
    }

    /// ureq's own text has what was sent in it.
    fn planted() -> [Error; 2] {
        [Error::BadUri("https://planted/".to_owned()), Error::RequireHttpsOnly("http://planted/".to_owned())]
    }

    #[test]
    fn failures_of_a_request_that_may_have_left() {
        for (error, expected) in [
            (io(io::ErrorKind::TimedOut), "Timeout, sent: told"),
            (io(io::ErrorKind::WouldBlock), "Timeout, sent: told"),
            (io(io::ErrorKind::InvalidData), "Interrupted, sent: told"),
            (io(io::ErrorKind::ConnectionReset), "Interrupted, sent: told"),
            (Error::Timeout(Timeout::Resolve), "Timeout, sent: while looking up the name"),
            (Error::Timeout(Timeout::Connect), "Timeout, sent: while connecting"),
            (Error::Timeout(Timeout::RecvBody), "Timeout, sent: waiting for the whole answer"),
            (Error::BodyStalled, "Protocol, sent: the body does not end"),
            (Error::LargeResponseHeader(24_577, 24_576), "TooLarge, sent: the head has more than 24 KiB"),
            (Error::ConnectionFailed, "Other, sent: ureq failed"),
            (Error::Other("planted".into()), "Other, sent: ureq failed"),
        ] {
            assert_eq!(heard(error), expected);
        }
        let [uri, https] = planted();
        assert_eq!(heard(uri), "Configuration, sent: the request is not valid HTTP");
        assert_eq!(heard(https), "Other, sent: ureq failed");
    }

    #[test]
    fn failures_while_connecting() {
        for (error, expected) in [
            (io(io::ErrorKind::InvalidData), "Tls, not sent: told"),
            (io(io::ErrorKind::TimedOut), "Timeout, not sent: told"),
            (io(io::ErrorKind::WouldBlock), "Timeout, not sent: told"),
            (io(io::ErrorKind::UnexpectedEof), "Connect, not sent: told"),
            (Error::Timeout(Timeout::Connect), "Timeout, not sent: while connecting"),
            (
                proxy("proxy server responded 407/407"),
                "Proxy, not sent: the proxy wants a user name and a password that it knows (407)",
            ),
            (
                proxy("proxy server responded 502/502"),
                "Connect, not sent: the proxy could not connect, and answered 502",
            ),
            (proxy("proxy server did not respond"), "Connect, not sent: the proxy closed the connection"),
            (proxy("the response is /planted"), "Connect, not sent: the proxy closed the connection"),
            (Error::ConnectionFailed, "Connect, not sent: no connection was made"),
            (BeforeSending::wrap(Kind::Resolve, "marked"), "Resolve, not sent: marked"),
            (Error::Other("planted".into()), "Connect, not sent: no connection was made"),
        ] {
            assert_eq!(heard(BeforeSending::connecting(error)), expected);
        }
        for error in planted() {
            assert_eq!(heard(BeforeSending::connecting(error)), "Connect, not sent: no connection was made");
        }
    }

    /// Its message is that of the cause, so its source is what lies below that.
    #[test]
    fn a_marked_failure_is_its_cause() {
        #[derive(Debug)]
        struct Cause(io::Error);
        impl fmt::Display for Cause {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the cause")
            }
        }
        impl StdError for Cause {
            fn source(&self) -> Option<&(dyn StdError + 'static)> {
                Some(&self.0)
            }
        }
        let marked = BeforeSending { kind: Kind::Connect, source: Box::new(Cause(io::Error::other("below"))) };
        assert_eq!(marked.to_string(), "the cause");
        assert_eq!(marked.source().unwrap().to_string(), "below");
    }
}
