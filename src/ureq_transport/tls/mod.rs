//! TLS over a connection that ureq has made.

mod ca_file;
#[cfg(feature = "native-tls")]
mod native;
#[cfg(not(feature = "native-tls"))]
mod rustls;

use std::fmt;

use ureq::Error;
use ureq::unversioned::transport::time::{Duration, Instant};
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, Either, LazyBuffers, NextTimeout, Transport, TransportAdapter,
};

use super::CaFile;
use crate::error::ConfigError;

#[cfg(feature = "native-tls")]
use self::native::{Library, Stream};
#[cfg(not(feature = "native-tls"))]
use self::rustls::{Library, Stream};

/// Wraps connections to `https` URIs in TLS.
pub(super) struct Tls(Library);

impl Tls {
    pub(super) fn new(ca_file: Option<&CaFile>, accept_invalid_certs: bool) -> Result<Self, ConfigError> {
        let certificates = ca_file.map(ca_file::read).transpose()?.unwrap_or_default();
        Library::new(certificates, accept_invalid_certs).map(Self).map_err(|error| match ca_file {
            Some(file) => ConfigError::new(file.setting.clone(), "cannot be used for TLS").with_source(error),
            None => ConfigError::new("transport", "cannot set up TLS").with_source(error),
        })
    }
}

impl<In: Transport> Connector<In> for Tls {
    type Out = Either<In, TlsTransport>;

    fn connect(&self, details: &ConnectionDetails, chained: Option<In>) -> Result<Option<Self::Out>, Error> {
        let Some(connection) = chained else { return Ok(None) };
        if !details.needs_tls() || connection.is_tls() {
            return Ok(Some(Either::A(connection)));
        }
        let host = details.uri.host().unwrap_or_default();
        let name = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        let mut connection = TransportAdapter::new(connection.boxed(), details.current_time.clone());
        connection.set_timeout(remaining(details));
        let stream = self.0.connect(name, connection)?;
        let buffers = LazyBuffers::new(details.config.input_buffer_size(), details.config.output_buffer_size());
        Ok(Some(Either::B(TlsTransport { buffers, stream })))
    }
}

/// What the connection itself has left of the time for connecting.
fn remaining(details: &ConnectionDetails) -> NextTimeout {
    let mut timeout = details.timeout;
    if let (Duration::Exact(after), Instant::Exact(start)) = (timeout.after, details.now) {
        timeout.after = Duration::Exact(after.saturating_sub(start.elapsed()));
    }
    timeout
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
