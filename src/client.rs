//! The client: its verbs, a few lines each.

use std::fmt;
use std::sync::Arc;

use secrecy::SecretString;

use crate::call::{Operation, Pipeline, Session};
use crate::config::{ClientBuilder, Settings};
use crate::error::Error;
use crate::model::{ApiKeyCreated, ApiKeyList};
use crate::operations::create::CreateRequest;
use crate::operations::create_service_key::CreateServiceKeyRequest;
use crate::operations::list::{self, ListRequest};
use crate::operations::refresh::RefreshRequest;
use crate::operations::spaces::Lookup;
use crate::operations::{read_created, remove};
use crate::pages::ApiKeys;
use crate::prerelease::warn_once;
use crate::stage::ApiStage;

/// A client for the API-keys endpoints of the Arize platform.
///
/// Cheap to clone, and shared freely between threads: clones use the same connections and the same retry budget. No method
/// needs an async runtime, and none panics on what comes over the wire.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # #[cfg(feature = "emulator")] {
/// use arize_api_keys::{ApiKeysClient, ListRequest, emulator::Emulator};
///
/// let emulator = Emulator::new(); // the service, in this process
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
    /// A client that is set up by the environment: `ARIZE_API_KEY`, and whatever else of [`ClientBuilder`] is set there.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] if `ARIZE_API_KEY` is missing, or a variable cannot be used.
    pub fn from_env() -> Result<Self, Error> {
        Self::builder().build()
    }

    /// Sets up a client. What is not set comes from the environment, then from the defaults.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::default()
    }

    pub(crate) fn new(settings: Settings) -> Self {
        Self { pipeline: Arc::new(Pipeline::new(settings)) }
    }

    /// The same client with another key: the same service, connections and settings, a retry budget of its own.
    ///
    /// ```
    /// # use arize_api_keys::{ApiKeysClient, CreateRequest, Error, ListRequest};
    /// # fn demo(client: &ApiKeysClient) -> Result<(), Error> {
    /// let created = client.create(&CreateRequest::new("ci"))?;
    /// client.with_api_key(&created.key)?.list(&ListRequest::new())?; // the new key works
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Config`] if it cannot be a key: see [`ClientBuilder::api_key`].
    pub fn with_api_key(&self, key: &SecretString) -> Result<Self, Error> {
        Ok(Self::new(self.settings().with_api_key(key)?))
    }

    /// One page of keys, 50 unless the request says otherwise. Keys in lists come without their secrets.
    ///
    /// Tried again after failures that may pass.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidRequest`] before any I/O. [`Error::SpaceNotFound`] and [`Error::AmbiguousSpace`] if a space is given by
    /// its name. [`Error::Forbidden`] for the keys of others without the permission. [`Error::NotFound`] if the space does not
    /// exist or may not be seen. [`Error::Decode`] if the answer is no list of keys.
    pub fn list(&self, request: &ListRequest) -> Result<ApiKeyList, Error> {
        self.list_page(request, &mut None)
    }

    /// Every key of every page, fetched as they are asked for.
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
    /// Those of [`list`](Self::list), and [`Error::Pagination`] if the pages do not end. The iterator yields an error once, and
    /// then ends; [`ApiKeys::resume_cursor`] says where to go on.
    pub fn list_all(&self, request: &ListRequest) -> ApiKeys {
        ApiKeys::new(self.clone(), request.clone())
    }

    /// `space_id` keeps the id of the request's space from page to page.
    pub(crate) fn list_page(&self, request: &ListRequest, space_id: &mut Option<String>) -> Result<ApiKeyList, Error> {
        let session = self.begin(Operation::List);
        request.check()?;
        if let (Some(space), None) = (&request.space, &space_id) {
            *space_id = Some(Lookup::new(&session).space_id(space, request.org_id.as_deref())?);
        }
        session.run(&request.lower(self.settings().stage, space_id.as_deref()), list::decode)
    }

    /// Creates a user key. The answer is the only time that its secret can be seen: store it first, then do anything else.
    ///
    /// It is sent again only when the first request cannot have been processed; see [`RetryPolicy`](crate::RetryPolicy).
    ///
    /// # Errors
    ///
    /// [`Error::InvalidRequest`] before any I/O. [`Error::UnprocessableEntity`] if the account caps the life of its keys.
    /// [`Error::SecretNotRecovered`] if the key was created and its secret is not in the answer. Whatever the error,
    /// [`Error::outcome`] says whether a key may exist.
    pub fn create(&self, request: &CreateRequest) -> Result<ApiKeyCreated, Error> {
        let session = self.begin(Operation::Create);
        session.run(&request.lower(self.settings().stage, session.started())?, read_created)
    }

    /// Creates a service key: a key of a new bot user, with roles in spaces and organizations.
    ///
    /// A space that is given by its name is looked up first, and on the beta stage the organization of the space, where it is
    /// not named. What is looked up can be saved by ids and [`CreateServiceKeyRequest::org_id`].
    ///
    /// # Errors
    ///
    /// Those of [`create`](Self::create); [`Error::SpaceNotFound`], [`Error::AmbiguousSpace`] and
    /// [`Error::OrganizationNotFound`] from the look-ups; [`Error::UnprocessableEntity`] for a role above the caller's own.
    pub fn create_service_key(&self, request: &CreateServiceKeyRequest) -> Result<ApiKeyCreated, Error> {
        let session = self.begin(Operation::CreateServiceKey);
        let call = request.lower(self.settings().stage, &session)?;
        session.run(&call, read_created)
    }

    /// Replaces the secret of a key. The answer is the only time that the new one can be seen.
    ///
    /// The old secret dies at once, or after [`RefreshRequest::grace_period`]. What to do with the `id` afterwards: go by the
    /// one in the answer.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidRequest`] before any I/O. [`Error::NotFound`] if the key does not exist or may not be seen.
    /// [`Error::UnprocessableEntity`] if the key expires and the request names no expiry, or a later one (beta).
    /// [`Error::SecretNotRecovered`] if the secret was replaced and the new one is not in the answer. Whatever the error,
    /// [`Error::outcome`] says whether the secret may be replaced.
    pub fn refresh(&self, request: &RefreshRequest) -> Result<ApiKeyCreated, Error> {
        let session = self.begin(Operation::Refresh);
        session.run(&request.lower(session.started())?, read_created)
    }

    /// Removes a key: on the beta stage it is revoked (`PUT …/revoke`), on the alpha stage deleted (`DELETE`). It cannot be
    /// undone.
    ///
    /// Tried again after failures that may pass. On the alpha stage, a 404 of the service's counts as success if an attempt
    /// before it may have been processed.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidRequest`] for an id that is no id, before any I/O. [`Error::NotFound`] if the key does not exist or may
    /// not be seen. [`Error::Decode`] if somebody else than the service answered: then the key may still be active.
    pub fn delete(&self, id: impl AsRef<str>) -> Result<(), Error> {
        let session = self.begin(Operation::Delete);
        session.run(&remove::delete(self.settings().stage, id.as_ref())?, remove::decode)
    }

    /// Revokes a key: `PUT …/revoke` on both stages. It cannot be undone; doing it again does nothing.
    ///
    /// # Errors
    ///
    /// Those of [`delete`](Self::delete).
    pub fn revoke(&self, id: impl AsRef<str>) -> Result<(), Error> {
        let session = self.begin(Operation::Revoke);
        session.run(&remove::revoke(id.as_ref())?, remove::decode)
    }

    /// The URL that requests go to, without the path of the API: `https://api.arize.com`.
    pub fn endpoint(&self) -> String {
        self.settings().endpoint.to_string()
    }

    /// The stage of the API that it speaks.
    pub fn stage(&self) -> ApiStage {
        self.settings().stage
    }

    fn settings(&self) -> &Settings {
        self.pipeline.settings()
    }

    /// Every verb begins here: the warning, then the time for the whole call.
    fn begin(&self, operation: Operation) -> Session<'_> {
        warn_once(operation, self.settings());
        self.pipeline.begin()
    }
}
