use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;

use super::credentials::shown_path;
use super::endpoint::BaseAddress;
use super::settings::{Explicit, NetworkSettings, OnWarning, Overrides, ProxySetting, Settings};
use super::source::Env;
use crate::clock::{Clock, SystemClock};
use crate::error::{ConfigError, Error};
use crate::retry::RetryPolicy;
use crate::stage::ApiStage;
use crate::tls::{TlsBackend, TlsRoots};
use crate::transport::Transport;

/// Configures an [`ApiKeysClient`](crate::ApiKeysClient).
///
/// A setting comes from its setter, else from the environment, else it has its default. A variable that is
/// blank counts as not set.
///
/// | setter | variable | default |
/// |---|---|---|
/// | [`api_key`](Self::api_key) | `ARIZE_API_KEY` | this or a key file is required |
/// | [`api_key_file`](Self::api_key_file) | `ARIZE_API_KEY_FILE` | – |
/// | [`url`](Self::url) | – | – |
/// | [`host`](Self::host) | `ARIZE_API_HOST` | `api.arize.com` |
/// | [`scheme`](Self::scheme) | `ARIZE_API_SCHEME` | `https` |
/// | [`port`](Self::port) | `ARIZE_API_PORT` | the scheme's |
/// | [`region`](Self::region) | `ARIZE_REGION` | – |
/// | [`single_host`](Self::single_host) | `ARIZE_SINGLE_HOST` | – |
/// | [`single_port`](Self::single_port) | `ARIZE_SINGLE_PORT` | – |
/// | [`base_domain`](Self::base_domain) | `ARIZE_BASE_DOMAIN` | – |
/// | [`stage`](Self::stage) | `ARIZE_API_STAGE` | `beta` |
/// | [`danger_accept_invalid_certs`](Self::danger_accept_invalid_certs) | `ARIZE_REQUEST_VERIFY` = `false` | certificates are checked |
/// | [`ca_file`](Self::ca_file) | `ARIZE_SSL_CA_CERT`; `SSL_CERT_FILE` and `SSL_CERT_DIR` | – |
/// | [`proxy`](Self::proxy), [`no_proxy`](Self::no_proxy) | `ARIZE_PROXY_URL`, `HTTPS_PROXY`, `ALL_PROXY`, … | none |
///
/// A region, a single host (or its port) and a base domain exclude each other, wherever they come from, and each goes before
/// the host.
///
/// ```
/// use std::time::Duration;
/// use arize_api_keys::ApiKeysClient;
///
/// let client = ApiKeysClient::builder()
///     .ignore_env()
///     .api_key("ak-for-the-docs")
///     .region("eu-west-1a")
///     .timeout(Duration::from_secs(20))
/// #   .transport(|_| Ok(arize_api_keys::http::Response::default()))
///     .build()?;
/// # Ok::<(), arize_api_keys::Error>(())
/// ```
#[derive(Clone, Default)]
#[must_use]
pub struct ClientBuilder {
    explicit: Explicit,
    ignore_env: bool,
    transport: Option<Arc<dyn Transport>>,
    wrap_transport: Option<WrapTransport>,
    clock: Option<Arc<dyn Clock>>,
    on_warning: Option<OnWarning>,
}

/// Builds the default transport.
pub(crate) type DefaultTransport =
    fn(&NetworkSettings, &Env<'_>, &BaseAddress) -> Result<Arc<dyn Transport>, ConfigError>;

/// Wraps a transport.
type WrapTransport = Arc<dyn Fn(Arc<dyn Transport>) -> Arc<dyn Transport> + Send + Sync>;

impl ClientBuilder {
    /// The API key that every request carries. The client removes blanks and quotes around it, and sends it to the configured
    /// host and nowhere else. A text that is no key, like a redacted key or `${KEY}`, is an error.
    pub fn api_key(mut self, key: impl Into<SecretString>) -> Self {
        self.explicit.api_key = Some(key.into());
        self
    }

    /// A file that holds the API key, in place of [`api_key`](Self::api_key).
    ///
    /// The client reads it when it is built, and again after a 401. If the key in it has changed, the client sends the request
    /// once more with the new key, so that a service survives the rotation of its key. A create or a refresh is only sent
    /// again after a problem document of the service. A file that is missing or unusable by then changes nothing.
    ///
    /// The file has the key alone, or a line `ARIZE_API_KEY=…` as in a `.env` file.
    pub fn api_key_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.explicit.api_key_file = Some(path.into());
        self
    }

    /// The URL of the service: scheme, host, port and base path in one, `http://127.0.0.1:4010`.
    ///
    /// No variable for the address is read then. It excludes the other settings of the address: `host`, `scheme`, `port`,
    /// `region`, `single_host`, `single_port` and `base_domain`.
    pub fn url(mut self, url: impl Into<String>) -> Self {
        self.explicit.endpoint.url = Some(url.into());
        self
    }

    /// The host of the service. It may have a port and a path, `gateway.example:8443/arize`; the path goes before every
    /// path of the API.
    pub fn host(mut self, host: impl Into<String>) -> Self {
        self.explicit.endpoint.host = Some(host.into());
        self
    }

    /// `https` or `http`. Plain http is refused except to this machine: `localhost`, 127.0.0.0/8 and `::1`
    /// (see [`allow_insecure_http`](Self::allow_insecure_http)).
    pub fn scheme(mut self, scheme: impl Into<String>) -> Self {
        self.explicit.endpoint.scheme = Some(scheme.into());
        self
    }

    /// The port of the service, in place of one in the host. 0 means the port of the host, else the default of the scheme.
    /// The port in an explicit host takes precedence over `ARIZE_API_PORT`.
    pub fn port(mut self, port: u16) -> Self {
        self.explicit.endpoint.port = Some(port);
        self
    }

    /// The region of the account: `ca-central-1a`, `eu-west-1a`, `us-central-1a` or `us-east-1b`. The host becomes
    /// `api.<region>.arize.com`.
    pub fn region(mut self, region: impl Into<String>) -> Self {
        self.explicit.endpoint.region = Some(region.into());
        self
    }

    /// The host of an installation where one host serves everything. Same form as [`host`](Self::host).
    pub fn single_host(mut self, host: impl Into<String>) -> Self {
        self.explicit.endpoint.single_host = Some(host.into());
        self
    }

    /// The port of an installation where one host serves everything, unless [`port`](Self::port) is set. 0 means not set.
    pub fn single_port(mut self, port: u16) -> Self {
        self.explicit.endpoint.single_port = Some(port);
        self
    }

    /// The domain of an installation of one's own. The host becomes `api.<domain>`.
    pub fn base_domain(mut self, domain: impl Into<String>) -> Self {
        self.explicit.endpoint.base_domain = Some(domain.into());
        self
    }

    /// Allows plain http to any host. Anyone on the network path can read the API key and every new secret.
    pub fn allow_insecure_http(mut self) -> Self {
        self.explicit.endpoint.allow_insecure_http = true;
        self
    }

    /// The stage of the API. Default [`ApiStage::Beta`], the service today.
    pub fn stage(mut self, stage: ApiStage) -> Self {
        self.explicit.stage = Some(stage);
        self
    }

    /// The time for a whole call: looking up a space by name, every attempt and the waits between them. 1 ms to 1 h,
    /// default 60 s.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.explicit.timeout = Some(timeout);
        self
    }

    /// Which failed attempts the client repeats. Default [`RetryPolicy::default`]: 3 attempts.
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.explicit.retry = policy;
        self
    }

    /// The transport that sends the requests. Default [`UreqTransport`](crate::UreqTransport), if the feature `ureq` is on.
    ///
    /// The settings of TLS and of the proxy belong to the default transport: with another one, calling their setters is an
    /// error, and their variables are not read.
    pub fn transport(mut self, transport: impl Transport + 'static) -> Self {
        self.transport = Some(Arc::new(transport));
        self
    }

    /// Wraps the transport, to log or to count requests. Unlike [`transport`](Self::transport) it keeps the default transport
    /// with all its settings.
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// use arize_api_keys::{ApiKeysClient, Transport, http};
    ///
    /// let builder = ApiKeysClient::builder().wrap_transport(|inner| {
    ///     Arc::new(move |request: http::Request<Vec<u8>>| {
    ///         println!("{} {}", request.method(), request.uri().path());
    ///         inner.send(request)
    ///     })
    /// });
    /// ```
    pub fn wrap_transport(
        mut self,
        wrap: impl Fn(Arc<dyn Transport>) -> Arc<dyn Transport> + Send + Sync + 'static,
    ) -> Self {
        self.wrap_transport = Some(Arc::new(wrap));
        self
    }

    /// The TLS implementation. Default [`TlsBackend::Rustls`], with every set of features.
    pub fn tls(mut self, backend: TlsBackend) -> Self {
        self.explicit.network.tls = Some(backend);
        self
    }

    /// The certificate authorities to trust. Default [`TlsRoots::WebPki`] with rustls, [`TlsRoots::Platform`] with native-tls.
    pub fn roots(mut self, roots: TlsRoots) -> Self {
        self.explicit.network.roots = Some(roots);
        self
    }

    /// A PEM file of certificates to trust besides the roots. A file without a certificate, or with a broken one, is an
    /// error of [`build`](Self::build).
    pub fn ca_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.explicit.network.ca_file = Some(path.into());
        self
    }

    /// Accepts every certificate, of any issuer and for any host. Default false. Then anyone on the network path can read
    /// the API key and every new secret. It excludes a CA file; `SSL_CERT_FILE` and `SSL_CERT_DIR`, which are
    /// for every program, are ignored.
    pub fn danger_accept_invalid_certs(mut self, accept: bool) -> Self {
        self.explicit.network.accept_invalid_certs = Some(accept);
        self
    }

    /// The proxy to go through, `http://[user:password@]host[:port]` or `https://…`; reserved characters in the user name
    /// and the password are percent-encoded.
    ///
    /// This and `ARIZE_PROXY_URL` are for this service, so `NO_PROXY` does not apply to them. Without them the usual
    /// variables apply: `HTTPS_PROXY`, or for a host with plain http `HTTP_PROXY`, then `ALL_PROXY`, each in upper
    /// case or else in lower case, unless `NO_PROXY` covers the host: it may list domains, which cover their subdomains,
    /// addresses, ranges like `10.0.0.0/8`, each but these with a `:port` or without, and `*`. Requests to this machine
    /// never go through a proxy.
    ///
    /// The client asks the proxy for a tunnel (`CONNECT`), also to a host with plain http.
    pub fn proxy(mut self, url: impl Into<SecretString>) -> Self {
        self.explicit.network.proxy = ProxySetting::Url(url.into());
        self
    }

    /// No proxy; the environment is ignored. Of this and [`proxy`](Self::proxy) the last call counts.
    pub fn no_proxy(mut self) -> Self {
        self.explicit.network.proxy = ProxySetting::Off;
        self
    }

    /// The `user-agent` header. Default `arize-api-keys/<version>`.
    pub fn user_agent(mut self, user_agent: impl Into<String>) -> Self {
        self.explicit.user_agent = Some(user_agent.into());
        self
    }

    /// Adds a header to every request, for example for a gateway. The same name again replaces the value. A header that the
    /// client or the transport sets is an error.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.explicit.headers.push((name.into(), value.into()));
        self
    }

    /// Calls `warn` with each warning, which is also logged by `log::warn!`: that the API is a pre-release, once per
    /// process and operation.
    pub fn on_warning(mut self, warn: impl Fn(&str) + Send + Sync + 'static) -> Self {
        self.on_warning = Some(Arc::new(warn));
        self
    }

    /// Reads no environment variables. With the features `platform-verifier` and `native-tls`, the operating system still reads
    /// its own: see [`UreqTransport`](crate::UreqTransport).
    pub fn ignore_env(mut self) -> Self {
        self.ignore_env = true;
        self
    }

    /// The clock for deadlines, waits and dates. Default [`SystemClock`]; another one is for tests.
    pub fn clock(mut self, clock: impl Clock + 'static) -> Self {
        self.clock = Some(Arc::new(clock));
        self
    }

    /// The settings, checked. `default_transport` makes the transport if the program brings none.
    pub(crate) fn settings(self, default_transport: DefaultTransport) -> Result<Settings, Error> {
        if self.ignore_env {
            self.resolve(&|_| None, default_transport)
        } else {
            self.resolve(&|name| std::env::var_os(name), default_transport)
        }
    }

    pub(super) fn resolve(
        self,
        env: &dyn Fn(&str) -> Option<OsString>,
        default_transport: DefaultTransport,
    ) -> Result<Settings, Error> {
        let env = Env::new(env);
        let network = self.explicit.network.clone();
        let Overrides { endpoint, headers, credentials, stage, timeout, retry } = Overrides::new(self.explicit, &env)?;
        let transport = match (self.transport, network.used().next()) {
            (None, _) => default_transport(&network, &env, &endpoint)?,
            (Some(own), None) => own,
            (Some(_), Some(setter)) => {
                let problem = "has no effect on a transport of one's own: build `UreqTransport` with it, or drop it";
                return Err(ConfigError::new(setter, problem).into());
            }
        };
        let transport = match self.wrap_transport {
            Some(wrap) => wrap(transport),
            None => transport,
        };
        let clock = self.clock.unwrap_or_else(|| Arc::new(SystemClock));
        let on_warning = self.on_warning;
        Ok(Settings {
            endpoint,
            headers,
            credentials: Arc::new(credentials),
            stage,
            timeout,
            deadline: None,
            retry,
            transport,
            clock,
            on_warning,
        })
    }
}

/// Without the API key, the values of headers and the URL of the proxy, which may hold a password.
impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Explicit { api_key, api_key_file, endpoint, stage, timeout, retry, user_agent, headers, network } =
            &self.explicit;
        let headers: Vec<&str> = headers.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("ClientBuilder")
            .field("api_key", api_key)
            .field("api_key_file", &api_key_file.as_deref().map(shown_path))
            .field("endpoint", endpoint)
            .field("stage", stage)
            .field("timeout", timeout)
            .field("retry", retry)
            .field("user_agent", user_agent)
            .field("headers", &headers)
            .field("tls", &network.tls)
            .field("roots", &network.roots)
            .field("ca_file", &network.ca_file)
            .field("danger_accept_invalid_certs", &network.accept_invalid_certs)
            .field("proxy", &network.proxy)
            .field("transport", &self.transport.is_some())
            .field("wrap_transport", &self.wrap_transport.is_some())
            .field("clock", &self.clock.is_some())
            .field("on_warning", &self.on_warning.is_some())
            .field("ignore_env", &self.ignore_env)
            .finish()
    }
}
