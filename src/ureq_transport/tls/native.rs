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

/// The meaning of a failure, by its text: native-tls has nothing else. The texts are those of OpenSSL. The libraries of macOS
/// and Windows give a code, and texts in the language of the user.
fn fault(error: &(dyn StdError + 'static)) -> TlsFault {
    const MEANINGS: [(&str, TlsFault); 16] = [
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
        ("unexpected message", TlsFault::Broken),
    ];
    if let Some(code) = system_code(error) {
        return of_code(code);
    }
    let text = error.to_string().to_lowercase();
    let alert = text.split_once("alert number ").and_then(|(_, rest)| {
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        digits.parse().ok()
    });
    let meaning = || MEANINGS.iter().find(|(part, _)| text.contains(part)).map(|(_, fault)| *fault);
    alert.map(TlsFault::Alert).or_else(meaning).unwrap_or(TlsFault::System(None))
}

/// The code of SChannel, which the message ends with, or of SecureTransport, which only `Debug` shows. Both are negative;
/// those of OpenSSL are not.
fn system_code(error: &(dyn StdError + 'static)) -> Option<i32> {
    let text = format!("{error} {error:?}");
    let number = |mark| {
        let (_, rest) = text.split_once(mark)?;
        rest.split(|c: char| c != '-' && !c.is_ascii_digit()).next()?.parse().ok()
    };
    number("(os error ").or_else(|| number("code: ")).filter(|code| *code < 0)
}

fn of_code(code: i32) -> TlsFault {
    match code {
        // errSecCertificateExpired and the following ones; errSSL… of SecureTransport.
        -67818 | -9814 => TlsFault::Expired,
        -67819 | -9815 => TlsFault::NotYetValid,
        -67820 => TlsFault::Revoked,
        -67602 | -9843 => TlsFault::WrongName,
        -67609 => TlsFault::WrongPurpose,
        -67843 | -25318 | -9812 | -9813 => TlsFault::UnknownIssuer,
        // Alerts of the server.
        -9824 => TlsFault::Alert(40),
        -9836 => TlsFault::Alert(70),
        _ => match code.cast_unsigned() {
            // SEC_E_… and CERT_E_… of SChannel.
            0x8009_0328 | 0x800B_0101 => TlsFault::Expired,
            0x800B_010C | 0x8009_2010 => TlsFault::Revoked,
            0x8009_0322 | 0x800B_010F => TlsFault::WrongName,
            0x8009_0349 | 0x800B_0110 => TlsFault::WrongPurpose,
            0x8009_0325 | 0x800B_0109 | 0x800B_010A => TlsFault::UnknownIssuer,
            0x8009_0327 | 0x8009_6004 => TlsFault::BadCertificate,
            _ => TlsFault::System(Some(code)),
        },
    }
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

#[cfg(test)]
mod tests {
    use std::fmt;

    use super::*;

    /// An error of SecureTransport: its message may be in any language, and `Debug` has the code.
    struct Apple(i32);

    impl fmt::Display for Apple {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("Zertifikat unbrauchbar")
        }
    }

    impl fmt::Debug for Apple {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.debug_struct("Error").field("code", &self.0).field("message", &self.to_string()).finish()
        }
    }

    impl StdError for Apple {}

    /// SChannel gives an [`io::Error`] of its code.
    fn windows(code: u32) -> io::Error {
        io::Error::from_raw_os_error(code.cast_signed())
    }

    #[test]
    fn codes_of_other_systems_are_told_in_words() {
        for (apple, schannel, expected) in [
            (-67818, 0x800B_0101, TlsFault::Expired),
            (-67602, 0x800B_010F, TlsFault::WrongName),
            (-67843, 0x800B_0109, TlsFault::UnknownIssuer),
            (-67609, 0x800B_0110, TlsFault::WrongPurpose),
            (-67820, 0x8009_2010, TlsFault::Revoked),
        ] {
            assert_eq!(fault(&Apple(apple)), expected);
            assert_eq!(fault(&windows(schannel)), expected);
        }
        assert_eq!(fault(&Apple(-67819)), TlsFault::NotYetValid);
        assert_eq!(fault(&Apple(-9824)), TlsFault::Alert(40));
    }

    #[test]
    fn an_unknown_failure_shows_no_text_of_the_library() {
        let code = |code| format!("the TLS library of the operating system refused the connection (code {code})");
        assert_eq!(fault(&Apple(-9800)).to_string(), code(-9800));
        assert_eq!(fault(&windows(0x8009_0308)).to_string(), code(-2_146_893_048));
        let other = fault(&io::Error::other("SSL routines:tls_process_server:dh key too small:Foo { code: 394 }"));
        assert_eq!(other.to_string(), "the TLS library of the operating system refused the connection");
    }
}
