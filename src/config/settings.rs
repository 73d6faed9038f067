//! The settings of a client, before and after they are checked.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderMap;
use http::header::AUTHORIZATION;
use secrecy::SecretString;

use super::credentials::Credentials;
use super::endpoint::{BaseAddress, EndpointSettings};
use super::headers;
use super::source::Env;
use crate::clock::Clock;
use crate::error::ConfigError;
use crate::retry::{DURATIONS, RetryPolicy};
use crate::stage::ApiStage;
use crate::tls::{TlsBackend, TlsRoots};
use crate::transport::Transport;

/// The caller's function for warnings.
pub(crate) type OnWarning = Arc<dyn Fn(&str) + Send + Sync>;

/// The time for a whole call.
const TIMEOUT: Duration = Duration::from_secs(60);

/// The settings of a client, checked.
#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) endpoint: BaseAddress,
    /// The constant headers of every request, with the key that the client began with.
    pub(crate) headers: HeaderMap,
    pub(crate) credentials: Arc<Credentials>,
    pub(crate) stage: ApiStage,
    pub(crate) timeout: Duration,
    /// When every call has to end, by the clock.
    pub(crate) deadline: Option<Duration>,
    pub(crate) retry: RetryPolicy,
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) on_warning: Option<OnWarning>,
}

impl Settings {
    /// The same settings with another key.
    pub(crate) fn with_api_key(&self, key: &SecretString) -> Result<Self, ConfigError> {
        let credentials = Credentials::of_key(key, "api_key")?;
        let mut settings = self.clone();
        settings.headers.insert(AUTHORIZATION, credentials.current().authorization());
        settings.credentials = Arc::new(credentials);
        Ok(settings)
    }

    /// The same settings with a deadline for all calls together.
    pub(crate) fn with_time_limit(&self, limit: Duration) -> Self {
        Self { deadline: Some(self.clock.elapsed().saturating_add(limit)), ..self.clone() }
    }
}

/// The values that the program sets. The builder itself has the transport, the clock and the callback.
#[derive(Clone, Default)]
pub(super) struct Explicit {
    pub(super) api_key: Option<SecretString>,
    pub(super) api_key_file: Option<PathBuf>,
    pub(super) endpoint: EndpointSettings,
    pub(super) stage: Option<ApiStage>,
    pub(super) timeout: Option<Duration>,
    pub(super) retry: RetryPolicy,
    pub(super) user_agent: Option<String>,
    pub(super) headers: Vec<(String, String)>,
    pub(super) network: NetworkSettings,
}

/// Settings of the default transport.
#[derive(Clone, Default)]
pub(crate) struct NetworkSettings {
    pub(crate) tls: Option<TlsBackend>,
    pub(crate) roots: Option<TlsRoots>,
    pub(crate) ca_file: Option<PathBuf>,
    pub(crate) accept_invalid_certs: Option<bool>,
    pub(crate) proxy: ProxySetting,
}

/// The proxy that the program sets.
#[derive(Clone, Default)]
pub(crate) enum ProxySetting {
    /// The environment decides.
    #[default]
    FromEnv,
    /// None; the environment is ignored.
    Off,
    Url(#[cfg_attr(not(feature = "ureq"), expect(dead_code, reason = "then it is only refused"))] SecretString),
}

impl NetworkSettings {
    /// The setters that were called.
    pub(crate) fn used(&self) -> impl Iterator<Item = &'static str> {
        let proxy = match self.proxy {
            ProxySetting::FromEnv => None,
            ProxySetting::Off => Some("no_proxy"),
            ProxySetting::Url(_) => Some("proxy"),
        };
        let ca_file = self.ca_file.as_ref().map(|_| "ca_file");
        let accept = self.accept_invalid_certs.map(|_| "danger_accept_invalid_certs");
        let tls = self.tls.map(|_| "tls");
        let roots = self.roots.map(|_| "roots");
        [tls, roots, ca_file, accept, proxy].into_iter().flatten()
    }
}

/// The values, checked.
pub(super) struct Overrides {
    pub(super) endpoint: BaseAddress,
    pub(super) headers: HeaderMap,
    pub(super) credentials: Credentials,
    pub(super) stage: ApiStage,
    pub(super) timeout: Duration,
    pub(super) retry: RetryPolicy,
}

impl Overrides {
    pub(super) fn new(explicit: Explicit, env: &Env<'_>) -> Result<Self, ConfigError> {
        let credentials = Credentials::resolve(explicit.api_key.as_ref(), explicit.api_key_file.as_deref(), env)?;
        let endpoint = BaseAddress::resolve(&explicit.endpoint, env)?;
        let headers = headers::constant_headers(
            credentials.current().authorization(),
            explicit.user_agent.as_deref(),
            &explicit.headers,
        )?;
        let stage = stage(explicit.stage, env)?;
        let timeout = explicit.timeout.unwrap_or(TIMEOUT);
        if !DURATIONS.contains(&timeout) {
            return Err(ConfigError::new("timeout", "must be from 1 ms to 1 h"));
        }
        explicit.retry.validate()?;
        Ok(Self { endpoint, headers, credentials, stage, timeout, retry: explicit.retry })
    }
}

fn stage(explicit: Option<ApiStage>, env: &Env<'_>) -> Result<ApiStage, ConfigError> {
    if let Some(stage) = explicit {
        return Ok(stage);
    }
    let Some(found) = env.read("ARIZE_API_STAGE")? else { return Ok(ApiStage::default()) };
    found.value.trim().parse().map_err(|_| found.fault("must be `alpha` or `beta`"))
}

impl fmt::Debug for ProxySetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::FromEnv => "from the environment",
            Self::Off => "none",
            Self::Url(_) => "[redacted]",
        })
    }
}
