//! TLS by the library of the operating system.

use std::error::Error as StdError;
use std::io::{self, Read, Write};
use std::sync::{Arc, Mutex, PoisonError};

use native_tls::{Certificate, HandshakeError, TlsConnector, TlsStream};
use ureq::Error;
use ureq::unversioned::transport::TransportAdapter;

use super::Stream;
use super::fault::TlsFault;

pub(super) struct Native(TlsConnector);

impl Native {
    pub(super) fn new(extra: &[Vec<u8>], accept_invalid_certs: bool) -> Result<Self, Box<dyn StdError + Send + Sync>> {
        let mut builder = TlsConnector::builder();
        builder.danger_accept_invalid_certs(accept_invalid_certs);
        builder.danger_accept_invalid_hostnames(accept_invalid_certs);
        for certificate in extra {
            builder.add_root_certificate(Certificate::from_der(certificate)?);
        }
        Ok(Self(builder.build()?))
    }

    pub(super) fn connect(&self, name: &str, connection: TransportAdapter) -> Result<NativeStream, Error> {
        // What fails below TLS, a timeout for one, is not to be found in the errors of native-tls: the connection has it.
        // It is lost with the connection, so it is put where both see it.
        let cause = Cause::default();
        let connection = ErrorTap { connection, cause: cause.clone() };
        match self.0.connect(name, connection) {
            Ok(stream) => Ok(NativeStream { stream, cause }),
            Err(HandshakeError::Failure(error)) => Err(cause.take().unwrap_or_else(|| fault(&error).into()).into()),
            Err(HandshakeError::WouldBlock(_)) => Err(io::Error::from(io::ErrorKind::TimedOut).into()),
        }
    }
}

/// Whether the library can parse the certificate.
#[cfg(not(feature = "rustls"))]
pub(super) fn is_certificate(der: &[u8]) -> bool {
    Certificate::from_der(der).is_ok()
}

/// The meaning of a failure, by its text: native-tls has nothing else. The texts are those of OpenSSL; the libraries of
/// other systems come out as the last one.
fn fault(error: &(dyn StdError + 'static)) -> TlsFault {
    const MEANINGS: [(&str, TlsFault); 15] = [
        ("has expired", TlsFault::Expired),
        ("not yet valid", TlsFault::NotYetValid),
        ("hostname mismatch", TlsFault::WrongName),
        ("ip address mismatch", TlsFault::WrongName),
        ("issuer certificate", TlsFault::UnknownIssuer),
        ("self-signed certificate", TlsFault::UnknownIssuer),
        ("self signed certificate", TlsFault::UnknownIssuer),
        ("unable to verify the first certificate", TlsFault::UnknownIssuer),
        ("invalid ca certificate", TlsFault::ServerAsAuthority),
        ("unsuitable certificate purpose", TlsFault::WrongPurpose),
        ("certificate revoked)", TlsFault::Revoked),
        ("certificate verify failed", TlsFault::BadCertificate),
        ("wrong version number", TlsFault::NotTls),
        ("packet length too long", TlsFault::NotTls),
        ("unsupported protocol", TlsFault::NoCommonVersion),
    ];
    let text = error.to_string().to_lowercase();
    let alert = text.split_once("alert number ").and_then(|(_, rest)| {
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        digits.parse().ok()
    });
    let meaning = || MEANINGS.iter().find(|(part, _)| text.contains(part)).map(|(_, fault)| *fault);
    alert.map(TlsFault::Alert).or_else(meaning).unwrap_or(TlsFault::Broken)
}

/// A failure of TLS after the handshake, in words.
fn in_words(error: io::Error) -> io::Error {
    match error.get_ref() {
        Some(inner) => fault(inner).after_handshake().into(),
        None => error,
    }
}

pub(super) struct NativeStream {
    stream: TlsStream<ErrorTap>,
    cause: Cause,
}

impl Stream for NativeStream {
    fn adapter(&mut self) -> &mut TransportAdapter {
        &mut self.stream.get_mut().connection
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.stream.write_all(bytes).map_err(|error| self.cause.take().unwrap_or_else(|| in_words(error)).into())
    }

    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Error> {
        let outcome = self.stream.read(buffer);
        // Some failures are reported as the end of the stream.
        match self.cause.take() {
            Some(cause) if !matches!(outcome, Ok(1..)) => Err(cause.into()),
            _ => Ok(outcome.map_err(in_words)?),
        }
    }
}

/// The last error of the connection below TLS.
#[derive(Clone, Default)]
struct Cause(Arc<Mutex<Option<io::Error>>>);

impl Cause {
    fn take(&self) -> Option<io::Error> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Keeps the error, and gives native-tls another one in its place.
    fn keep(&self, error: io::Error) -> io::Error {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
        io::Error::other("the connection failed")
    }
}

struct ErrorTap {
    connection: TransportAdapter,
    cause: Cause,
}

impl Read for ErrorTap {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.connection.read(buffer) {
            // To native-tls this is a failure of TLS, if it comes in the handshake.
            Ok(0) if !buffer.is_empty() => Err(self.cause.keep(io::ErrorKind::UnexpectedEof.into())),
            outcome => outcome.map_err(|error| self.cause.keep(error)),
        }
    }
}

impl Write for ErrorTap {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.connection.write(bytes).map_err(|error| self.cause.keep(error))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
