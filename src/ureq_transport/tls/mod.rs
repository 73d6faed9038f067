//! TLS over a connection that ureq has made.

mod ca_file;
pub(super) mod fault;
#[cfg(feature = "native-tls")]
mod native;
#[cfg(feature = "rustls")]
mod rustls;

use std::error::Error as StdError;
use std::fmt;
use std::sync::OnceLock;

use ureq::Error;
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, Either, LazyBuffers, NextTimeout, Transport, TransportAdapter,
};

pub(super) use self::ca_file::CaFile;
use super::connect::remaining;
use super::error::BeforeSending;
use crate::authority::without_brackets;
use crate::error::ConfigError;
use crate::tls::{TlsBackend, TlsRoots};
use crate::transport::TransportErrorKind;

/// A choice of TLS whose features are on, unless TLS is not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TlsChoice {
    backend: TlsBackend,
    roots: TlsRoots,
    pub(super) accept_invalid_certs: bool,
}

impl Default for TlsChoice {
    fn default() -> Self {
        Self { backend: TlsBackend::Rustls, roots: TlsRoots::WebPki, accept_invalid_certs: false }
    }
}

impl TlsChoice {
    /// `is_used`: whether requests will use TLS, so that even the default backend needs its feature.
    pub(super) fn new(
        backend: Option<TlsBackend>,
        roots: Option<TlsRoots>,
        accept_invalid_certs: bool,
        is_used: bool,
    ) -> Result<Self, ConfigError> {
        let is_checked = is_used || backend.is_some();
        let backend = backend.unwrap_or_default();
        if let Some(feature) = missing_backend(backend).filter(|_| is_checked) {
            return Err(ConfigError::new("tls", needs(backend, feature)));
        }
        let default_roots = if backend == TlsBackend::Rustls { TlsRoots::WebPki } else { TlsRoots::Platform };
        match (backend, roots) {
            (TlsBackend::NativeTls, Some(TlsRoots::WebPki)) => {
                let problem = "`webpki` is not available with the backend `native-tls`, which trusts the roots of the \
                               operating system";
                return Err(ConfigError::new("roots", problem));
            }
            (TlsBackend::Rustls, Some(TlsRoots::Platform)) if !cfg!(feature = "platform-verifier") => {
                return Err(ConfigError::new("roots", needs(TlsRoots::Platform, "platform-verifier")));
            }
            _ => {}
        }
        Ok(Self { backend, roots: roots.unwrap_or(default_roots), accept_invalid_certs })
    }
}

/// The feature that the backend lacks.
fn missing_backend(backend: TlsBackend) -> Option<&'static str> {
    match backend {
        TlsBackend::Rustls => (!cfg!(feature = "rustls")).then_some("rustls"),
        TlsBackend::NativeTls => (!cfg!(feature = "native-tls")).then_some("native-tls"),
    }
}

fn needs(choice: impl fmt::Display, feature: &str) -> String {
    format!("`{choice}` needs the feature `{feature}` of the crate `arize-api-keys`")
}

/// The TLS library of a transport, set up.
enum Backend {
    #[cfg(feature = "rustls")]
    Rustls(rustls::Rustls),
    #[cfg(feature = "native-tls")]
    Native(native::Native),
}

impl Backend {
    fn new(choice: TlsChoice, extra: &[Vec<u8>]) -> Result<Self, Box<dyn StdError + Send + Sync>> {
        match choice.backend {
            #[cfg(feature = "rustls")]
            TlsBackend::Rustls => {
                Ok(Self::Rustls(rustls::Rustls::new(extra, choice.roots, choice.accept_invalid_certs)?))
            }
            #[cfg(feature = "native-tls")]
            TlsBackend::NativeTls => Ok(Self::Native(native::Native::new(extra, choice.accept_invalid_certs)?)),
            #[cfg(not(all(feature = "rustls", feature = "native-tls")))]
            backend => {
                let _ = extra;
                Err(needs(backend, missing_backend(backend).unwrap_or_default()).into())
            }
        }
    }

    /// Whether a library that is compiled in can parse the certificate.
    #[cfg_attr(not(any(feature = "rustls", feature = "native-tls")), expect(unused_variables, reason = "no library"))]
    fn is_certificate(der: &[u8]) -> bool {
        #[cfg(feature = "rustls")]
        return rustls::is_certificate(der);
        #[cfg(all(feature = "native-tls", not(feature = "rustls")))]
        return native::is_certificate(der);
        #[cfg(not(any(feature = "rustls", feature = "native-tls")))]
        true
    }

    fn connect(&self, name: &str, connection: TransportAdapter) -> Result<Box<dyn Stream>, Error> {
        match self {
            #[cfg(feature = "rustls")]
            Self::Rustls(library) => Ok(Box::new(library.connect(name, connection)?)),
            #[cfg(feature = "native-tls")]
            Self::Native(library) => Ok(Box::new(library.connect(name, connection)?)),
            #[cfg(not(any(feature = "rustls", feature = "native-tls")))]
            _ => {
                let _ = (name, connection);
                Err(BeforeSending::wrap(TransportErrorKind::Configuration, "there is no TLS library"))
            }
        }
    }
}

/// A connection with TLS, of either library.
trait Stream: Send + Sync {
    fn adapter(&mut self) -> &mut TransportAdapter;
    fn write(&mut self, bytes: &[u8]) -> Result<(), Error>;
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Error>;
}

/// Wraps connections to `https` URIs in TLS.
#[derive(Default)]
pub(super) struct Tls {
    choice: TlsChoice,
    /// Set up by the first connection: reading the roots of the operating system takes tens of milliseconds, and a client
    /// on plain http never needs them.
    backend: OnceLock<Backend>,
}

impl Tls {
    /// Reads and tries CA files at once, so that a client with an unusable one cannot be built.
    pub(super) fn new(choice: TlsChoice, ca_files: &[CaFile]) -> Result<Self, ConfigError> {
        let certificates = ca_file::read(ca_files)?;
        let backend = match ca_files.first() {
            Some(file) if !certificates.is_empty() => Backend::new(choice, &certificates)
                .map_err(|error| ConfigError::new(file.setting, "cannot be used for TLS").with_source(error))?
                .into(),
            _ => OnceLock::new(),
        };
        Ok(Self { choice, backend })
    }

    fn backend(&self) -> Result<&Backend, Error> {
        if let Some(backend) = self.backend.get() {
            return Ok(backend);
        }
        let backend = Backend::new(self.choice, &[])
            .map_err(|error| BeforeSending::wrap(TransportErrorKind::Configuration, error))?;
        // Another thread may have been faster; both backends are the same.
        Ok(self.backend.get_or_init(|| backend))
    }
}

impl<In: Transport> Connector<In> for Tls {
    type Out = Either<In, TlsTransport>;

    fn connect(&self, details: &ConnectionDetails, chained: Option<In>) -> Result<Option<Self::Out>, Error> {
        let Some(connection) = chained else { return Ok(None) };
        if !details.needs_tls() || connection.is_tls() {
            return Ok(Some(Either::A(connection)));
        }
        let name = without_brackets(details.uri.host().unwrap_or_default());
        let mut connection = TransportAdapter::new(connection.boxed(), details.current_time.clone());
        connection.set_timeout(remaining(details.now, details.timeout));
        let stream = self.backend()?.connect(name, connection)?;
        let buffers = LazyBuffers::new(details.config.input_buffer_size(), details.config.output_buffer_size());
        Ok(Some(Either::B(TlsTransport { buffers, stream })))
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tls")
    }
}

/// A connection with TLS.
pub(super) struct TlsTransport {
    buffers: LazyBuffers,
    stream: Box<dyn Stream>,
}

impl Transport for TlsTransport {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        self.stream.adapter().set_timeout(timeout);
        let output = self.buffers.output().get(..amount).unwrap_or_default();
        self.stream.write(output)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.stream.adapter().set_timeout(timeout);
        let amount = self.stream.read(self.buffers.input_append_buf())?;
        self.buffers.input_appended(amount);
        Ok(amount > 0)
    }

    fn is_open(&mut self) -> bool {
        self.stream.adapter().get_mut().is_open()
    }

    fn is_tls(&self) -> bool {
        true
    }
}

impl fmt::Debug for TlsTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TlsTransport")
    }
}
