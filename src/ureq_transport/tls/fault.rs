//! Why TLS failed, in words. The libraries give names of their own code, or numbers.

use std::error::Error as StdError;
use std::{fmt, io};

/// A failure of TLS, which travels as the content of an [`io::Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
    not(all(feature = "rustls", feature = "native-tls")),
    expect(dead_code, reason = "no library tells all apart")
)]
pub(in crate::ureq_transport) enum TlsFault {
    Expired,
    NotYetValid,
    WrongName,
    UnknownIssuer,
    AuthorityAsServer,
    ServerAsAuthority,
    OldCertificate,
    WrongPurpose,
    Revoked,
    BadCertificate,
    NotTls,
    NoCommonVersion,
    /// A fatal alert of the server, by its number (RFC 8446, section 6).
    Alert(u8),
    /// A failure that the library of the operating system does not explain, with its code if there is one.
    System(Option<i32>),
    /// Nothing that a user of the client can do something about.
    Broken,
}

impl TlsFault {
    /// Whether the server refused the client, so that another attempt ends alike. With TLS 1.3, this may come after the
    /// handshake.
    pub(in crate::ureq_transport) fn is_refusal(self) -> bool {
        matches!(self, Self::Alert(42..=46 | 48 | 49 | 116))
    }

    /// The same failure after the handshake, when certificates and versions are settled.
    #[cfg(any(feature = "rustls", feature = "native-tls"))]
    pub(super) fn after_handshake(self) -> Self {
        if matches!(self, Self::Alert(_)) { self } else { Self::Broken }
    }

    /// The failure behind an I/O error.
    pub(in crate::ureq_transport) fn of(error: &io::Error) -> Option<Self> {
        error.get_ref()?.downcast_ref().copied()
    }
}

impl From<TlsFault> for io::Error {
    fn from(fault: TlsFault) -> Self {
        Self::new(io::ErrorKind::InvalidData, fault)
    }
}

impl fmt::Display for TlsFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Expired => {
                "the certificate of the server, or of its authority, has expired: renew it, or check the clock of this machine"
            }
            Self::NotYetValid => "the certificate of the server is not valid yet: check the clock of this machine",
            Self::WrongName => "the certificate of the server is for another host name",
            Self::UnknownIssuer => {
                "the certificate of the server is from an unknown authority: add that authority with `ca_file`"
            }
            Self::AuthorityAsServer => {
                "the certificate of the server is one of an authority: issue the certificate with CA:FALSE"
            }
            Self::ServerAsAuthority => {
                "the certificate of the server is issued by one that is not of an authority: issue that one with CA:TRUE"
            }
            Self::OldCertificate => {
                "the certificate of the server, or of its authority, is not of X.509 version 3: issue a new one"
            }
            Self::WrongPurpose => {
                "the certificate of the server is for another purpose: issue it with the extended key usage serverAuth"
            }
            Self::Revoked => "the certificate of the server is revoked",
            Self::BadCertificate => "the certificate of the server, or its signature, is not valid",
            Self::NotTls => "the server does not speak TLS: does this port speak plain HTTP?",
            Self::NoCommonVersion => "the server and this client have no version of TLS in common",
            Self::Alert(40) => {
                "the server refuses every cipher of this client, or requires a client certificate, which this client does not \
                 send (TLS alert 40)"
            }
            Self::Alert(70) => "the server refuses the TLS versions of this client (TLS alert 70)",
            Self::Alert(112) => "the server does not know this host name (TLS alert 112)",
            Self::Alert(number) if self.is_refusal() => {
                return write!(
                    f,
                    "the server requires a client certificate, which this client does not send (TLS alert {number})"
                );
            }
            Self::Alert(number) => return write!(f, "the server ended TLS with the alert {number}"),
            Self::System(Some(code)) => {
                return write!(f, "the TLS library of the operating system refused the connection (code {code})");
            }
            Self::System(None) => "the TLS library of the operating system refused the connection",
            Self::Broken => "what the server sent is not valid TLS",
        })
    }
}

impl StdError for TlsFault {}
