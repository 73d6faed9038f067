//! The choices of TLS, which exist with every set of features.

use std::fmt;

/// The TLS implementation of the default transport.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TlsBackend {
    /// rustls, with the feature `rustls` (on by default).
    #[default]
    Rustls,
    /// The TLS library of the operating system, with the feature `native-tls`.
    NativeTls,
}

/// The certificate authorities that the default transport trusts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TlsRoots {
    /// The roots of Mozilla, compiled in: the default of [`TlsBackend::Rustls`].
    WebPki,
    /// The roots of the operating system: the default of [`TlsBackend::NativeTls`]. With [`TlsBackend::Rustls`] it needs the
    /// feature `platform-verifier`.
    Platform,
}

impl fmt::Display for TlsBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rustls => "rustls",
            Self::NativeTls => "native-tls",
        })
    }
}

impl fmt::Display for TlsRoots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::WebPki => "webpki",
            Self::Platform => "platform",
        })
    }
}
