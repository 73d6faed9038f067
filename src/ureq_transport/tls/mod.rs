//! TLS over a connection that ureq has made.

mod ca_file;
#[cfg(feature = "native-tls")]
mod native;
#[cfg(not(feature = "native-tls"))]
mod rustls;

use std::fmt;
use std::sync::OnceLock;

use ureq::Error;
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, Either, LazyBuffers, NextTimeout, Transport, TransportAdapter,
};

use super::CaFile;
use super::connect::remaining;
use super::failure::BeforeSending;
use crate::config::without_brackets;
use crate::error::ConfigError;
use crate::transport::TransportErrorKind;

#[cfg(feature = "native-tls")]
use self::native::{Library, Stream};
#[cfg(not(feature = "native-tls"))]
use self::rustls::{Library, Stream};

/// Wraps connections to `https` URIs in TLS.
#[derive(Default)]
pub(super) struct Tls {
    accept_invalid_certs: bool,
    /// Set up by the first connection: reading what the operating system trusts takes tens of milliseconds, and a client
    /// on plain http never needs it.
    library: OnceLock<Library>,
}

impl Tls {
    /// A CA file is read and tried at once, so that the client cannot be built with one that does not work.
    pub(super) fn new(ca_file: Option<&CaFile>, accept_invalid_certs: bool) -> Result<Self, ConfigError> {
        let library = match ca_file {
            None => OnceLock::new(),
            Some(file) => Library::new(ca_file::read(file)?, accept_invalid_certs)
                .map_err(|error| ConfigError::new(file.setting.clone(), "cannot be used for TLS").with_source(error))?
                .into(),
        };
        Ok(Self { accept_invalid_certs, library })
    }

    fn library(&self) -> Result<&Library, Error> {
        if let Some(library) = self.library.get() {
            return Ok(library);
        }
        let library = Library::new(Vec::new(), self.accept_invalid_certs)
            .map_err(|error| BeforeSending::wrap(TransportErrorKind::Configuration, error))?;
        // Another thread may have been faster; both are the same.
        Ok(self.library.get_or_init(|| library))
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
        let stream = self.library()?.connect(name, connection)?;
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
    stream: Stream,
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
