//! The request of `ensure`: a key, its owner, and its lifetime.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;
use time::OffsetDateTime;

use super::owner;
use crate::error::InvalidRequest;
use crate::lifecycle::create_any::CreateAny;
use crate::model::ApiKey;
use crate::operations::create::CreateRequest;
use crate::operations::service_key::CreateServiceKeyRequest;

const OWNER_LIMIT: usize = 200;

type BeforeRetire = Arc<dyn Fn(&ApiKey) -> Result<(), Box<dyn StdError + Send + Sync>> + Send + Sync>;

/// A key to keep alive in a store: see [`ApiKeysClient::ensure`](crate::ApiKeysClient::ensure).
#[derive(Clone)]
#[must_use]
pub struct EnsureRequest {
    pub(super) create: CreateAny,
    owner: String,
    pub(super) lifetime: Duration,
    renew_before: Option<Duration>,
    pub(super) overlap: Duration,
    pub(super) stored: Stored,
    pub(super) adopt: Option<String>,
    pub(super) is_exclusive: bool,
    pub(super) renew_now: bool,
    pub(super) force: bool,
    pub(super) replace_stored: bool,
    pub(super) several_stores: bool,
    pub(super) before_retire: Option<BeforeRetire>,
}

/// The secret in the caller's store.
#[derive(Clone)]
pub(super) enum Stored {
    /// The store cannot be read: names and dates decide.
    Unreadable,
    /// The store has this secret, or none.
    Is(Option<SecretString>),
}

impl EnsureRequest {
    /// The key to keep, and its owner: a text that identifies the store, like `host-7:/etc/etl.env`, at most 200 bytes.
    ///
    /// A key belongs to the owner if it has the same name and type, and a description that ends with
    /// `[arize-keys owner=<owner>]`. Keys of other owners are never touched.
    pub fn new(request: impl Into<KeyToEnsure>, owner: impl Into<String>) -> Self {
        Self {
            create: request.into().0,
            owner: owner.into(),
            lifetime: Duration::from_secs(90 * 86_400),
            renew_before: None,
            overlap: Duration::ZERO,
            stored: Stored::Unreadable,
            adopt: None,
            is_exclusive: false,
            renew_now: false,
            force: false,
            replace_stored: false,
            several_stores: false,
            before_retire: None,
        }
    }

    /// The lifetime of each key. Default 90 days.
    pub fn lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = lifetime;
        self
    }

    /// The time before its expiry at which a key is renewed. Default: the last third of its lifetime.
    pub fn renew_before(mut self, time: Duration) -> Self {
        self.renew_before = Some(time);
        self
    }

    /// The time for which an old key works beside its successor. Default 0.
    pub fn overlap(mut self, overlap: Duration) -> Self {
        self.overlap = overlap;
        self
    }

    /// The secret that the caller's store holds now. `None`: it holds none, so a key is created.
    ///
    /// Without this call the store cannot be read, and only names and dates decide.
    pub fn stored(mut self, secret: Option<SecretString>) -> Self {
        self.stored = Stored::Is(secret);
        self
    }

    /// Takes over a key without a marker: it is renewed at once and then revoked. If it is revoked already, that is a warning.
    pub fn adopt(mut self, id: impl Into<String>) -> Self {
        self.adopt = Some(id.into());
        self
    }

    /// Whether the caller holds a lock on the store, so that no other run has the same owner. Default false.
    ///
    /// Without a lock, another run might be about to store a young key. Such a key stays in [`pending`](crate::Ensured::pending)
    /// until it is 10 minutes old; then the next run revokes it.
    pub fn exclusive(mut self, exclusive: bool) -> Self {
        self.is_exclusive = exclusive;
        self
    }

    /// Renews the key although it is not due. Default false.
    pub fn renew_now(mut self, renew: bool) -> Self {
        self.renew_now = renew;
        self
    }

    /// Creates a key although more than 5 were created within an hour. Default false.
    pub fn force(mut self, force: bool) -> Self {
        self.force = force;
        self
    }

    /// Replaces a stored secret that works and belongs to no key of the owner. Default false.
    pub fn replace_stored(mut self, replace: bool) -> Self {
        self.replace_stored = replace;
        self
    }

    /// Whether `store` writes to several places, of which [`stored`](Self::stored) is the one that it writes last. Default false.
    ///
    /// An interrupted run may have written to some of them. The next run then renews the key, so that all have the same one.
    pub fn several_stores(mut self, several: bool) -> Self {
        self.several_stores = several;
        self
    }

    /// Called with the stored key after it is verified, and again whenever a later run is about to revoke older ones: for
    /// programs that must read the new secret first. If it fails, no key is revoked. A later run does not call it again if there is no
    /// older key. If that matters, keep a mark from before the secret is stored until the hook has succeeded.
    pub fn before_retire(
        mut self,
        hook: impl Fn(&ApiKey) -> Result<(), Box<dyn StdError + Send + Sync>> + Send + Sync + 'static,
    ) -> Self {
        self.before_retire = Some(Arc::new(hook));
        self
    }

    pub(super) fn stored_secret(&self) -> Option<&SecretString> {
        match &self.stored {
            Stored::Unreadable => None,
            Stored::Is(secret) => secret.as_ref(),
        }
    }

    /// Checks the owner, the times and the description without I/O. [`ensure`](crate::ApiKeysClient::ensure) begins with it; call it
    /// before you open the store.
    ///
    /// # Errors
    ///
    /// [`InvalidRequest`] names the field and the rule that it breaks.
    pub fn validate(&self) -> Result<(), InvalidRequest> {
        if self.owner.trim().is_empty() || self.marker_value().len() > OWNER_LIMIT {
            return Err(InvalidRequest::new("owner", "must have 1 to 200 bytes, percent-encoded"));
        }
        if self.lifetime < Duration::from_secs(60) {
            return Err(InvalidRequest::new("lifetime", "must be at least 1 minute"));
        }
        if self.renew_before.is_some_and(|time| time >= self.lifetime) {
            return Err(InvalidRequest::new("renew_before", "must be less than `lifetime`"));
        }
        let description = self.description();
        if description.chars().nth(1000).is_some() {
            let problem = "must have at most 1000 characters with the marker `[arize-keys owner=…]` at its end";
            return Err(InvalidRequest::new("description", problem));
        }
        Ok(())
    }

    fn marker_value(&self) -> String {
        owner::encode(&self.owner)
    }

    fn description(&self) -> String {
        owner::mark(self.create.description().unwrap_or_default(), &self.marker_value())
    }

    /// The request for a new key.
    pub(super) fn to_create(&self) -> CreateAny {
        self.create.clone().with(self.description(), self.lifetime)
    }

    /// Whether the key is the owner's: by name, type and marker.
    pub(super) fn owns(&self, key: &ApiKey) -> bool {
        key.name == self.create.name()
            && key.key_type == self.create.key_type()
            && owner::encoded_of(key).is_some_and(|encoded| encoded == self.marker_value())
    }

    /// Whether the key is to be renewed at `now`.
    pub(super) fn is_due(&self, key: &ApiKey, now: OffsetDateTime) -> bool {
        let Some(expires_at) = key.expires_at else {
            // An expiry that cannot be read is never "no expiry".
            return key.warnings.iter().any(|warning| warning.field == "expires_at");
        };
        let lifetime = self.lifetime_of(key, expires_at);
        // An account may shorten a lifetime below `renew_before`.
        let before = self.renew_before.filter(|before| *before < lifetime).unwrap_or(lifetime / 3);
        expires_at - before <= now
    }

    /// Whether `renew_before` has no effect on this key, because its lifetime is not longer.
    pub(super) fn is_renewed_in_last_third(&self, key: &ApiKey) -> bool {
        let lifetime = key.expires_at.map(|expires_at| self.lifetime_of(key, expires_at));
        self.renew_before.zip(lifetime).is_some_and(|(before, lifetime)| before >= lifetime)
    }

    fn lifetime_of(&self, key: &ApiKey, expires_at: OffsetDateTime) -> Duration {
        key.created_at.map_or(self.lifetime, |at| (expires_at - at).try_into().unwrap_or_default())
    }
}

impl fmt::Debug for EnsureRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EnsureRequest")
            .field("create", &self.create)
            .field("owner", &self.owner)
            .field("lifetime", &self.lifetime)
            .field("renew_before", &self.renew_before)
            .field("overlap", &self.overlap)
            .finish_non_exhaustive()
    }
}

/// The key of an [`EnsureRequest`]: a user key or a service key.
#[derive(Clone, Debug)]
pub struct KeyToEnsure(CreateAny);

impl From<CreateRequest> for KeyToEnsure {
    fn from(request: CreateRequest) -> Self {
        Self(CreateAny::User(request))
    }
}

impl From<CreateServiceKeyRequest> for KeyToEnsure {
    fn from(request: CreateServiceKeyRequest) -> Self {
        Self(CreateAny::Service(request))
    }
}
