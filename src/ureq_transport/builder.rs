//! The builder of the default transport.

use std::fmt;
use std::path::PathBuf;

use secrecy::{ExposeSecret, SecretString};

use super::UreqTransport;
use super::proxy::ProxyUrl;
use super::settings::TransportSettings;
use super::tls::CaFile;
use super::tls::TlsChoice;
use crate::error::{ConfigError, Error};
use crate::tls::{TlsBackend, TlsRoots};

/// Settings of a [`UreqTransport`]. The environment is not read.
#[derive(Clone, Default)]
#[must_use]
pub struct UreqTransportBuilder {
    tls: Option<TlsBackend>,
    roots: Option<TlsRoots>,
    ca_file: Option<PathBuf>,
    accept_invalid_certs: bool,
    proxy: Option<SecretString>,
}

impl UreqTransportBuilder {
    /// The TLS implementation. Default [`TlsBackend::Rustls`], with every set of features.
    pub fn tls(mut self, backend: TlsBackend) -> Self {
        self.tls = Some(backend);
        self
    }

    /// The certificate authorities to trust. Default [`TlsRoots::WebPki`] with rustls, [`TlsRoots::Platform`] with native-tls.
    pub fn roots(mut self, roots: TlsRoots) -> Self {
        self.roots = Some(roots);
        self
    }

    /// A PEM file of certificates to trust besides the roots.
    pub fn ca_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.ca_file = Some(path.into());
        self
    }

    /// Accepts every certificate, of any issuer and for any host. Default false. Then anyone on the network path can
    /// read the API key and every new secret.
    pub fn danger_accept_invalid_certs(mut self, accept: bool) -> Self {
        self.accept_invalid_certs = accept;
        self
    }

    /// The proxy to go through, `http://[user:password@]host[:port]` or `https://…`. Requests to this machine
    /// (`localhost`, 127.0.0.0/8, `::1`) never do.
    pub fn proxy(mut self, url: impl Into<SecretString>) -> Self {
        self.proxy = Some(url.into());
        self
    }

    /// Opens the transport; no connection is made yet.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] if a choice of TLS needs a feature that is off, if the CA file cannot be read or has no certificate or a
    /// broken one, if both a CA file and `danger_accept_invalid_certs` are set, or if the proxy is not such a URL.
    pub fn build(self) -> Result<UreqTransport, Error> {
        if self.accept_invalid_certs && self.ca_file.is_some() {
            let problem = "has no effect with `danger_accept_invalid_certs`: set one of them";
            return Err(ConfigError::new("ca_file", problem).into());
        }
        let proxy = self.proxy.map(|url| ProxyUrl::parse(url.expose_secret(), "proxy")).transpose()?;
        let settings = TransportSettings {
            // The requests decide whether TLS is used.
            tls: TlsChoice::new(self.tls, self.roots, self.accept_invalid_certs, false)?,
            ca_files: self.ca_file.map(|path| CaFile { path, setting: "ca_file" }).into_iter().collect(),
            proxy,
        };
        Ok(UreqTransport::open(&settings)?)
    }
}

impl fmt::Debug for UreqTransportBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UreqTransportBuilder")
            .field("tls", &self.tls)
            .field("roots", &self.roots)
            .field("ca_file", &self.ca_file)
            .field("danger_accept_invalid_certs", &self.accept_invalid_certs)
            .field("proxy", &self.proxy)
            .finish()
    }
}
