//! The settings of a client, before and after they are checked.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderMap;
use http::header::AUTHORIZATION;
use secrecy::SecretString;

use super::endpoint::{Endpoint, EndpointSettings};
use super::headers;
use super::key_file::KeyFile;
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
    pub(crate) endpoint: Endpoint,
    /// The constant headers of every request, the key among them.
    pub(crate) headers: HeaderMap,
    pub(crate) api_key: SecretString,
    /// The file that the key is from.
    pub(crate) key_file: Option<Arc<KeyFile>>,
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
        settings.key_file = None;
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
    /// None, whatever the environment says.
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
    pub(super) endpoint: Endpoint,
    pub(super) headers: HeaderMap,
    pub(super) api_key: SecretString,
    pub(super) key_file: Option<Arc<KeyFile>>,
    pub(super) stage: ApiStage,
    pub(super) timeout: Duration,
    pub(super) retry: RetryPolicy,
}

impl Overrides {
    pub(super) fn new(explicit: Explicit, env: &Env<'_>) -> Result<Self, ConfigError> {
        let (api_key, key_file) = api_key(&explicit, env)?;
        let endpoint = Endpoint::resolve(&explicit.endpoint, env)?;
        let headers = headers::constant_headers(&api_key, explicit.user_agent.as_deref(), &explicit.headers)?;
        let stage = stage(explicit.stage, env)?;
        let timeout = explicit.timeout.unwrap_or(TIMEOUT);
        if !DURATIONS.contains(&timeout) {
            return Err(ConfigError::new("timeout", "must be from 1 ms to 1 h"));
        }
        explicit.retry.validate()?;
        Ok(Self { endpoint, headers, api_key, key_file, stage, timeout, retry: explicit.retry })
    }
}

/// The key, and the file that it is from.
fn api_key(explicit: &Explicit, env: &Env<'_>) -> Result<(SecretString, Option<Arc<KeyFile>>), ConfigError> {
    let file = match (&explicit.api_key, &explicit.api_key_file) {
        (Some(_), Some(_)) => {
            return Err(ConfigError::new("api_key_file", "excludes `api_key`: set one of them"));
        }
        (Some(_), None) => None,
        (None, Some(path)) => Some((path.clone(), "api_key_file")),
        (None, None) => {
            const VARIABLE: &str = "ARIZE_API_KEY_FILE";
            let file = env.path(VARIABLE);
            if file.is_some() && env.read("ARIZE_API_KEY").is_ok_and(|key| key.is_some()) {
                return Err(ConfigError::new(VARIABLE, "excludes `ARIZE_API_KEY`: set one of them"));
            }
            file.map(|file| (file.value, VARIABLE))
        }
    };
    match file {
        None => Ok((headers::api_key(explicit.api_key.as_ref(), env)?, None)),
        Some((path, setting)) => {
            let file = KeyFile::open(&path, setting)?;
            Ok((file.current().secret, Some(Arc::new(file))))
        }
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
