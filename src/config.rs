//! Temporary.
use crate::{ApiStage, Clock, RetryPolicy, Transport, client::ApiKeysClient, error::Error};
use secrecy::SecretString;
use std::sync::Arc;
use std::time::Duration;
#[derive(Debug)]
pub(crate) struct Endpoint;
impl Endpoint {
    pub(crate) fn uri(&self, p: &str) -> Result<http::Uri, http::Error> {
        Ok(format!("https://api.arize.com{p}").parse()?)
    }
}
pub(crate) struct Settings {
    pub(crate) endpoint: Endpoint,
    pub(crate) headers: http::HeaderMap,
    pub(crate) api_key: SecretString,
    pub(crate) stage: ApiStage,
    pub(crate) timeout: Duration,
    pub(crate) retry: RetryPolicy,
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) on_warning: Option<Arc<dyn Fn(&str) + Send + Sync>>,
}
/// B
pub struct ClientBuilder {
    t: Option<Arc<dyn Transport>>,
    stage: ApiStage,
    retry: RetryPolicy,
    clock: Arc<dyn Clock>,
}
impl ClientBuilder {
    pub(crate) fn new() -> Self {
        Self { t: None, stage: ApiStage::Beta, retry: RetryPolicy::default(), clock: Arc::new(crate::SystemClock) }
    }
    /// b
    pub fn ignore_env(self) -> Self {
        self
    }
    /// b
    pub fn api_key(self, _: impl Into<SecretString>) -> Self {
        self
    }
    /// b
    pub fn stage(mut self, s: ApiStage) -> Self {
        self.stage = s;
        self
    }
    /// b
    pub fn retry(mut self, s: RetryPolicy) -> Self {
        self.retry = s;
        self
    }
    /// b
    pub fn clock(mut self, s: impl Clock + 'static) -> Self {
        self.clock = Arc::new(s);
        self
    }
    /// b
    pub fn transport(mut self, t: impl Transport + 'static) -> Self {
        self.t = Some(Arc::new(t));
        self
    }
    /// b
    pub fn build(self) -> Result<ApiKeysClient, Error> {
        Ok(ApiKeysClient::new(Settings {
            endpoint: Endpoint,
            headers: http::HeaderMap::new(),
            api_key: "x".to_string().into(),
            stage: self.stage,
            timeout: Duration::from_secs(60),
            retry: self.retry,
            transport: self.t.unwrap(),
            clock: self.clock,
            on_warning: None,
        }))
    }
}
