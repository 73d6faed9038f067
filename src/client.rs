//! The client: a line or two for each verb.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;

use crate::config::{ClientBuilder, Settings};
use crate::error::Error;
use crate::model::{ApiKey, ApiKeyCreated, ApiKeyList, Space};
use crate::operation::Operation;
use crate::operations::create::{self, CreateRequest};
use crate::operations::delete;
use crate::operations::list::{self, ListRequest};
use crate::operations::lookup::the_one_named;
use crate::operations::refresh::{self, RefreshRequest};
use crate::operations::service_key::{self, CreateServiceKeyRequest};
use crate::operations::spaces::{ListOrganizationsRequest, ListSpacesRequest};
use crate::pages::{ApiKeys, Organizations, Spaces};
use crate::pipeline::Pipeline;
use crate::redact::strip_key;
use crate::stage::ApiStage;
#[cfg(feature = "ureq")]
use crate::ureq_transport::default_transport;
#[cfg(not(feature = "ureq"))]
use crate::{
    config::{BaseAddress, Env, NetworkSettings},
    error::ConfigError,
    transport::Transport,
};

/// A client for the API-keys endpoints of the Arize platform.
///
/// It is cheap to clone and can be shared between threads: clones share the connections and the retry budget. No method
/// needs an async runtime, and none panics on the data of a response.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # #[cfg(feature = "emulator")] {
/// use arize_api_keys::{ApiKeysClient, ListRequest, emulator::Emulator};
///
/// let emulator = Emulator::new(); // the service in this process
/// let client = ApiKeysClient::builder()
///     .ignore_env()
///     .api_key(emulator.admin_key())
///     .transport(emulator)
///     .build()?;
/// for key in &client.list(&ListRequest::new())?.api_keys {
///     println!("{}: {} (type={} status={})", key.id, key.name, key.key_type, key.status);
/// }
/// # }
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct ApiKeysClient {
    pipeline: Arc<Pipeline>,
}

impl fmt::Debug for ApiKeysClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Settings { endpoint, stage, timeout, retry, .. } = self.settings();
        f.debug_struct("ApiKeysClient")
            .field("endpoint", endpoint)
            .field("stage", stage)
            .field("timeout", timeout)
            .field("retry", retry)
            .finish_non_exhaustive()
    }
}

impl ApiKeysClient {
    /// A client configured by environment variables: `ARIZE_API_KEY`, and those that [`ClientBuilder`] documents.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] if neither `ARIZE_API_KEY` nor `ARIZE_API_KEY_FILE` is set, or a variable is invalid.
    pub fn from_env() -> Result<Self, Error> {
        Self::builder().build()
    }

    /// Configures a client. A setting comes from its setter, else from the environment, else it has its default.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::default()
    }

    pub(crate) fn new(settings: Settings) -> Self {
        Self { pipeline: Arc::new(Pipeline::new(settings)) }
    }

    /// A client with another API key, with the same settings and connections and its own retry budget.
    ///
    /// ```
    /// # use arize_api_keys::{ApiKeysClient, CreateRequest, Error, ListRequest};
    /// # fn demo(client: &ApiKeysClient) -> Result<(), Error> {
    /// let created = client.create(&CreateRequest::new("ci"))?;
    /// client.with_api_key(&created.key)?.list(&ListRequest::new())?; // fails if the new key does not work
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Config`] if the text is not a valid key: see [`ClientBuilder::api_key`].
    pub fn with_api_key(&self, key: &SecretString) -> Result<Self, Error> {
        Ok(Self::new(self.settings().with_api_key(key)?))
    }

    /// Returns the same client with a time limit for all its calls together, counted from now: for a command that makes several
    /// calls or reads many pages. Each call keeps its own [`timeout`](ClientBuilder::timeout). A second limit replaces the first.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use arize_api_keys::{ApiKeysClient, Error, ListRequest};
    /// # fn demo(client: &ApiKeysClient) -> Result<(), Error> {
    /// let client = client.with_time_limit(Duration::from_secs(600));
    /// for key in client.list_all(&ListRequest::new()) {
    ///     println!("{}", key?.name);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn with_time_limit(&self, limit: Duration) -> Self {
        Self::new(self.settings().with_time_limit(limit))
    }

    /// Lists one page of keys, without their secrets. The page size is 50 unless the request sets it.
    ///
    /// The client retries transient failures.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidRequest`] before any I/O. [`Error::SpaceNotFound`] and [`Error::AmbiguousSpace`] if a space is given by
    /// its name. [`Error::Forbidden`] for the keys of others without the permission. [`Error::NotFound`] if the space does not
    /// exist or the API key may not see it. [`Error::Decode`] if the response is not a list of keys.
    pub fn list(&self, request: &ListRequest) -> Result<ApiKeyList, Error> {
        list::send(&self.pipeline.begin(Operation::List), request)
    }

    /// Lists every key. The iterator requests the next page when it needs it.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # #[cfg(feature = "emulator")] {
    /// # use arize_api_keys::{ApiKeysClient, ListRequest, emulator::Emulator};
    /// # let emulator = Emulator::new();
    /// # let client = ApiKeysClient::builder().ignore_env().api_key(emulator.admin_key()).transport(emulator).build()?;
    /// let mut keys = client.list_all(&ListRequest::new());
    /// for key in &mut keys {
    ///     println!("{}", key?.name);
    /// }
    /// # }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`list`](Self::list), and [`Error::Pagination`] if the pages do not end. The iterator returns an error once
    /// and then ends; [`ApiKeys::resume_cursor`] has the cursor to resume from.
    pub fn list_all(&self, request: &ListRequest) -> ApiKeys {
        ApiKeys::new(Arc::clone(&self.pipeline), request.clone())
    }

    /// Lists every space that the API key may see. The iterator requests the next page, of 100, when it needs it.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidRequest`] before any I/O, [`Error::NotFound`] for an organization that the API key may not see,
    /// [`Error::Pagination`] if the pages do not end. The iterator returns an error once and then ends.
    pub fn list_spaces(&self, request: &ListSpacesRequest) -> Spaces {
        Spaces::new(Arc::clone(&self.pipeline), request)
    }

    /// Lists every organization that the API key may see. The iterator requests the next page, of 100, when it needs it.
    ///
    /// # Errors
    ///
    /// As in [`list_spaces`](Self::list_spaces); [`Error::Forbidden`] without the permission.
    pub fn list_organizations(&self, request: &ListOrganizationsRequest) -> Organizations {
        Organizations::new(Arc::clone(&self.pipeline), request)
    }

    /// Creates a user key. Only this response has the secret: store it before you do anything else.
    ///
    /// The client retries only if the first request cannot have been processed; see [`RetryPolicy`](crate::RetryPolicy).
    ///
    /// # Errors
    ///
    /// [`Error::InvalidRequest`] before any I/O. [`Error::UnprocessableEntity`] if the account limits the lifetime of its
    /// keys. [`Error::SecretNotRecovered`] if the service created the key and the response has no secret. For every error,
    /// [`Error::outcome`] says whether a key may exist.
    pub fn create(&self, request: &CreateRequest) -> Result<ApiKeyCreated, Error> {
        create::send(&self.pipeline.begin(Operation::Create), request)
    }

    /// Creates a service key: the key of a new bot user with roles in spaces and organizations.
    ///
    /// The client first looks up a space given by name and, on the beta stage, the organization of the space. Pass ids and
    /// [`CreateServiceKeyRequest::org_id`] to avoid the look-ups.
    ///
    /// # Errors
    ///
    /// Those of [`create`](Self::create); [`Error::SpaceNotFound`], [`Error::AmbiguousSpace`] and
    /// [`Error::OrganizationNotFound`] from the look-ups; [`Error::UnprocessableEntity`] for a role above the caller's own.
    pub fn create_service_key(&self, request: &CreateServiceKeyRequest) -> Result<ApiKeyCreated, Error> {
        service_key::send(&self.pipeline.begin(Operation::CreateServiceKey), request)
    }

    /// Refreshes a key: the service replaces its secret. Only this response has the new one.
    ///
    /// The old secret stops working at once, or after [`RefreshRequest::grace_period`]. Use the `id` from the response from
    /// then on.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidRequest`] before any I/O. [`Error::NotFound`] if the key does not exist or the API key
    /// may not see it. [`Error::UnprocessableEntity`] if the key expires and the request has no expiry or a later one
    /// (beta). [`Error::SecretNotRecovered`] if the service replaced the secret and the response does not have it. For
    /// every error, [`Error::outcome`] says whether the secret may be replaced.
    pub fn refresh(&self, request: &RefreshRequest) -> Result<ApiKeyCreated, Error> {
        refresh::send(&self.pipeline.begin(Operation::Refresh), request)
    }

    /// Removes a key for good: `PUT …/revoke` on the beta stage, `DELETE` on the alpha stage.
    ///
    /// The client retries transient failures. On the alpha stage, a 404 of the service after an attempt that may have been
    /// processed counts as success.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidRequest`] for an invalid id, before any I/O. [`Error::NotFound`] if the key does not exist or the API
    /// key may not see it. [`Error::Decode`] if the response is not the service's: then the key may still be active.
    pub fn delete(&self, id: impl AsRef<str>) -> Result<(), Error> {
        delete::send(&self.pipeline.begin(Operation::Delete), id.as_ref())
    }

    /// Revokes a key for good: `PUT …/revoke` on both stages. A repeated revoke has no effect.
    ///
    /// # Errors
    ///
    /// Those of [`delete`](Self::delete).
    pub fn revoke(&self, id: impl AsRef<str>) -> Result<(), Error> {
        delete::send_revoke(&self.pipeline.begin(Operation::Revoke), id.as_ref())
    }

    /// The origin and base path of the service: `https://api.arize.com`.
    pub fn endpoint(&self) -> String {
        self.settings().endpoint.to_string()
    }

    /// The stage of the API.
    pub fn stage(&self) -> ApiStage {
        self.settings().stage
    }

    /// A text for an error, without the API key of the client and other keys.
    pub(crate) fn strip_key(&self, text: &str) -> String {
        strip_key(text, self.settings().credentials.current().known_keys())
    }

    /// The space with exactly this name, among those of a list.
    pub(crate) fn the_one_named(&self, name: &str, spaces: Vec<Space>) -> Result<Space, Error> {
        the_one_named(name, None, spaces, self.settings().credentials.current().known_keys())
    }

    /// Whether the key is the one of this client, by its redacted form.
    pub(crate) fn is_own(&self, key: &ApiKey) -> bool {
        let keys = self.settings().credentials.current();
        keys.known_keys().lines().any(|own| key.matches(&own.into()))
    }

    pub(crate) fn sleep(&self, duration: Duration) {
        self.settings().clock.sleep(duration);
    }

    /// The time of the client's clock.
    pub(crate) fn now(&self) -> time::OffsetDateTime {
        self.settings().clock.now()
    }

    fn settings(&self) -> &Settings {
        self.pipeline.settings()
    }
}

impl ClientBuilder {
    /// Checks every setting and makes the client. It makes no connection yet.
    ///
    /// # Errors
    ///
    /// [`Error::Config`], which names the setter or the variable and the allowed values.
    pub fn build(self) -> Result<ApiKeysClient, Error> {
        Ok(ApiKeysClient::new(self.settings(default_transport)?))
    }
}

#[cfg(not(feature = "ureq"))]
fn default_transport(_: &NetworkSettings, _: &Env<'_>, _: &BaseAddress) -> Result<Arc<dyn Transport>, ConfigError> {
    Err(ConfigError::new("transport", "is missing: without the feature `ureq` there is no default transport"))
}
