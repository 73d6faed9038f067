//! How a client is set up: what the program says, then the environment, then the defaults.

mod builder;
mod endpoint;
mod headers;
#[cfg(feature = "ureq")]
mod network;
#[cfg(feature = "ureq")]
mod proxy;
mod source;
#[cfg(test)]
mod tests;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderMap;
use http::header::AUTHORIZATION;
use secrecy::SecretString;

pub use self::builder::ClientBuilder;
pub(crate) use self::endpoint::Endpoint;
use self::endpoint::EndpointSettings;
#[cfg(feature = "ureq")]
pub(crate) use self::endpoint::{is_loopback, without_brackets};
#[cfg(feature = "ureq")]
pub(crate) use self::proxy::ProxyUrl;
use self::source::Env;
use crate::clock::Clock;
use crate::error::ConfigError;
use crate::retry::{DURATIONS, RetryPolicy};
use crate::stage::ApiStage;
use crate::transport::Transport;

/// Where warnings go besides the log.
pub(crate) type OnWarning = Arc<dyn Fn(&str) + Send + Sync>;

/// The time for a whole call.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Everything that a client knows.
#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) endpoint: Endpoint,
    /// The constant headers of every request, the key among them.
    pub(crate) headers: HeaderMap,
    pub(crate) api_key: SecretString,
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
        let api_key = headers::checked_key(key, "api_key")?;
        let mut settings = self.clone();
        settings.headers.insert(AUTHORIZATION, headers::bearer(&api_key)?);
        settings.api_key = api_key;
        Ok(settings)
    }

    /// The same settings with a deadline for all calls together.
    pub(crate) fn with_time_limit(&self, limit: Duration) -> Self {
        Self { deadline: Some(self.clock.elapsed().saturating_add(limit)), ..self.clone() }
    }
}

/// What the program says of values; the things that do something are the builder's own.
#[derive(Clone, Default)]
struct Explicit {
    api_key: Option<SecretString>,
    endpoint: EndpointSettings,
    stage: Option<ApiStage>,
    timeout: Option<Duration>,
    retry: RetryPolicy,
    user_agent: Option<String>,
    headers: Vec<(String, String)>,
    network: NetworkSettings,
}

/// Settings of the default transport.
#[derive(Clone, Default)]
struct NetworkSettings {
    ca_file: Option<PathBuf>,
    accept_invalid_certs: Option<bool>,
    proxy: ProxySetting,
}

/// What the program says about proxies.
#[derive(Clone, Default)]
enum ProxySetting {
    /// The environment decides.
    #[default]
    FromEnv,
    /// None, whatever the environment says.
    Off,
    Url(#[cfg_attr(not(feature = "ureq"), expect(dead_code, reason = "then it is only refused"))] SecretString),
}

impl NetworkSettings {
    /// The setters that were called.
    fn used(&self) -> impl Iterator<Item = &'static str> {
        let proxy = match self.proxy {
            ProxySetting::FromEnv => None,
            ProxySetting::Off => Some("no_proxy"),
            ProxySetting::Url(_) => Some("proxy"),
        };
        let ca_file = self.ca_file.as_ref().map(|_| "ca_file");
        let accept = self.accept_invalid_certs.map(|_| "danger_accept_invalid_certs");
        [ca_file, accept, proxy].into_iter().flatten()
    }
}

/// The values, checked.
#[derive(Debug)]
struct Resolved {
    endpoint: Endpoint,
    headers: HeaderMap,
    api_key: SecretString,
    stage: ApiStage,
    timeout: Duration,
    retry: RetryPolicy,
}

impl Resolved {
    fn new(explicit: Explicit, env: &Env<'_>) -> Result<Self, ConfigError> {
        let api_key = headers::api_key(explicit.api_key.as_ref(), env)?;
        let endpoint = Endpoint::resolve(&explicit.endpoint, env)?;
        let headers = headers::constant_headers(&api_key, explicit.user_agent.as_deref(), &explicit.headers)?;
        let stage = stage(explicit.stage, env)?;
        let timeout = explicit.timeout.unwrap_or(TIMEOUT);
        if !DURATIONS.contains(&timeout) {
            return Err(ConfigError::new("timeout", "must be from 1 ms to 1 h"));
        }
        explicit.retry.validate()?;
        Ok(Self { endpoint, headers, api_key, stage, timeout, retry: explicit.retry })
    }
}

fn stage(explicit: Option<ApiStage>, env: &Env<'_>) -> Result<ApiStage, ConfigError> {
    if let Some(stage) = explicit {
        return Ok(stage);
    }
    let Some(found) = env.read("ARIZE_API_STAGE")? else { return Ok(ApiStage::default()) };
    found.value.trim().parse().map_err(|_| found.fault("must be `alpha` or `beta`"))
}

/// The transport that the program brings, or the default one.
fn transport(
    own: Option<Arc<dyn Transport>>,
    network: &NetworkSettings,
    env: &Env<'_>,
    endpoint: &Endpoint,
) -> Result<Arc<dyn Transport>, ConfigError> {
    match own {
        Some(own) => match network.used().next() {
            None => Ok(own),
            Some(setter) => {
                let problem = "has no effect on a transport of one's own: build `UreqTransport` with it, or drop it";
                Err(ConfigError::new(setter, problem))
            }
        },
        None => default_transport(network, env, endpoint),
    }
}

#[cfg(feature = "ureq")]
fn default_transport(
    network: &NetworkSettings,
    env: &Env<'_>,
    endpoint: &Endpoint,
) -> Result<Arc<dyn Transport>, ConfigError> {
    use crate::ureq_transport::{TransportSettings, UreqTransport};

    let settings = TransportSettings::resolve(network, env, endpoint)?;
    Ok(Arc::new(UreqTransport::open(&settings)?))
}

#[cfg(not(feature = "ureq"))]
fn default_transport(_: &NetworkSettings, _: &Env<'_>, _: &Endpoint) -> Result<Arc<dyn Transport>, ConfigError> {
    Err(ConfigError::new("transport", "is missing: without the feature `ureq` there is no default one"))
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
