use std::borrow::Cow;
use std::fmt;
use std::path::PathBuf;

use secrecy::{ExposeSecret, SecretString};

use super::UreqTransport;
use crate::config::ProxyUrl;
use crate::error::{ConfigError, Error};

/// A file of trusted certificates, and the name of the setting that it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CaFile {
    pub(crate) path: PathBuf,
    pub(crate) setting: Cow<'static, str>,
}

/// What a [`UreqTransport`] is opened with.
#[derive(Clone, Debug, Default)]
pub(crate) struct TransportSettings {
    pub(crate) ca_file: Option<CaFile>,
    pub(crate) accept_invalid_certs: bool,
    pub(crate) proxy: Option<ProxyUrl>,
}

/// Settings of a [`UreqTransport`]. The environment is not read.
#[derive(Clone, Default)]
#[must_use]
pub struct UreqTransportBuilder {
    ca_file: Option<PathBuf>,
    accept_invalid_certs: bool,
    proxy: Option<SecretString>,
}

impl UreqTransportBuilder {
    /// A PEM file of certificates to trust besides the default ones.
    pub fn ca_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.ca_file = Some(path.into());
        self
    }

    /// Whether to accept every certificate, whoever issued it to whomever. Default false: whoever sits on the line can
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
    /// [`Error::Config`] if the CA file cannot be read or holds no certificate or a broken one, if it is given together
    /// with `danger_accept_invalid_certs`, or if the proxy is not such a URL.
    pub fn build(self) -> Result<UreqTransport, Error> {
        if self.accept_invalid_certs && self.ca_file.is_some() {
            let problem = "has no effect with `danger_accept_invalid_certs`: set one of them";
            return Err(ConfigError::new("ca_file", problem).into());
        }
        let proxy = self.proxy.map(|url| ProxyUrl::parse(url.expose_secret(), "proxy")).transpose()?;
        let settings = TransportSettings {
            ca_file: self.ca_file.map(|path| CaFile { path, setting: "ca_file".into() }),
            accept_invalid_certs: self.accept_invalid_certs,
            proxy,
        };
        Ok(UreqTransport::open(&settings)?)
    }
}

impl fmt::Debug for UreqTransportBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UreqTransportBuilder")
            .field("ca_file", &self.ca_file)
            .field("danger_accept_invalid_certs", &self.accept_invalid_certs)
            .field("proxy", &self.proxy)
            .finish()
    }
}
