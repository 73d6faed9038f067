//! The settings of an emulator.

use std::num::{NonZeroU32, NonZeroUsize};
use std::path::Path;
use std::time::Duration;

use fastrand::Rng;
use secrecy::{ExposeSecret, SecretString};

use super::account::Account;
use super::account::document::{AccountError, AccountSpec, Document};
use super::account::secret_fault;
use super::account::state_file::{StateError, StateFile};
use super::api::context::Settings;
use super::clock::ManualClock;
use super::faults::rate_limit::RateLimit;
use super::http::limits::Limits;
use super::{Emulator, Inner, now};
use crate::stage::ApiStage;

/// `prod` is a part of another name, and `sandbox` the name of two spaces: what a look-up by name has to get right.
const DEFAULT_ACCOUNT: &[(&str, &[&str])] =
    &[("acme", &["prod", "prod-eu", "staging", "sandbox"]), ("acme-labs", &["research", "sandbox"])];

/// Sets up an [`Emulator`]. Without a setting it is as [`Emulator::new`].
///
/// ```
/// use std::time::Duration;
///
/// use arize_api_keys::ApiStage;
/// use arize_api_keys::emulator::{Emulator, ManualClock};
/// use secrecy::ExposeSecret;
///
/// let build = || Emulator::builder()
///     .seed(7)
///     .clock(ManualClock::at(time::OffsetDateTime::UNIX_EPOCH))
///     .stage(ApiStage::Alpha)
///     .max_key_lifetime(Duration::from_secs(90 * 86_400))
///     .build();
/// assert_eq!(build().admin_key().expose_secret(), build().admin_key().expose_secret());
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct EmulatorBuilder {
    seed: Option<u64>,
    clock: ManualClock,
    account: AccountSpec,
    rate_limit: Option<NonZeroU32>,
    settings: Settings,
    limits: Limits,
}

impl EmulatorBuilder {
    pub(super) fn new() -> Self {
        Self {
            seed: None,
            clock: ManualClock::running(),
            account: Document::of_organizations(DEFAULT_ACCOUNT).into(),
            rate_limit: None,
            settings: Settings { stage: ApiStage::Beta, omit_organization_id: false, max_key_lifetime: None },
            limits: Limits::default(),
        }
    }

    /// Makes ids, secrets and request ids the same on every run that makes the same calls in the same order. With it, the
    /// admin key is the same on every machine: serve such an emulator on loopback only.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// The clock that expiries and grace periods are counted on. Without one it runs with the system's.
    pub fn clock(mut self, clock: ManualClock) -> Self {
        self.clock = clock;
        self
    }

    /// The stage of requests that do not show one: they have no word that differs between the stages, and no header of an
    /// official SDK. It also decides the rule for the expiry of a key that they refresh.
    /// [`ApiStage::Beta`] unless set.
    ///
    /// A request with words of a stage always gets a response of that stage. So does a request of an official SDK, whose
    /// `sdk-language` and `sdk-version` show the stage.
    pub fn stage(mut self, stage: ApiStage) -> Self {
        self.settings.stage = stage;
        self
    }

    /// Leaves `organization_id` out of spaces, as servers did before they had it. Alpha never had it.
    pub fn omit_organization_id(mut self, omit: bool) -> Self {
        self.settings.omit_organization_id = omit;
        self
    }

    /// The longest lifetime that this account allows its keys. A key made without an expiry then gets this one.
    pub fn max_key_lifetime(mut self, lifetime: Duration) -> Self {
        self.settings.max_key_lifetime = Some(lifetime);
        self
    }

    /// Responds with 429 to requests above this number in a second of the [clock](Self::clock), from all callers together.
    ///
    /// ```
    /// use std::num::NonZeroU32;
    /// use std::time::Duration;
    ///
    /// use arize_api_keys::emulator::{Emulator, ManualClock};
    /// use arize_api_keys::{ApiKeysClient, Error, ListRequest, RetryPolicy};
    ///
    /// let clock = ManualClock::at(time::OffsetDateTime::UNIX_EPOCH);
    /// let emulator = Emulator::builder().clock(clock.clone()).rate_limit(NonZeroU32::MIN).build();
    /// let client = ApiKeysClient::builder()
    ///     .ignore_env()
    ///     .api_key(emulator.admin_key())
    ///     .transport(emulator.clone())
    ///     .retry(RetryPolicy::none())
    ///     .build()?;
    /// assert!(client.list(&ListRequest::new()).is_ok());
    /// assert!(matches!(client.list(&ListRequest::new()), Err(Error::RateLimited(_))));
    /// clock.advance(Duration::from_secs(1));
    /// assert!(client.list(&ListRequest::new()).is_ok());
    /// # Ok::<(), Error>(())
    /// ```
    pub fn rate_limit(mut self, requests_per_second: NonZeroU32) -> Self {
        self.rate_limit = Some(requests_per_second);
        self
    }

    /// The time that a served emulator waits for the head of a request, for its body, and for the next request on a kept
    /// connection. The default is 30 seconds.
    pub fn read_timeout(mut self, timeout: Duration) -> Self {
        self.limits.read_timeout = timeout;
        self
    }

    /// The number of connections that a served emulator keeps at a time. More get a 503. The default is 900: each takes a file
    /// descriptor, of which a process usually may have 1,024.
    pub fn max_connections(mut self, connections: NonZeroUsize) -> Self {
        self.limits.connections = connections.get();
        self
    }

    /// The account to start with, in place of the small one of [`Emulator::new`].
    pub fn account(mut self, account: AccountSpec) -> Self {
        let given = self.account.document.admin.secret.take();
        self.account = account;
        if let Some(given) = given.filter(|given| !self.account.document.has_secret(given)) {
            self.account.document.admin.secret = Some(given);
        }
        self
    }

    /// A key for the admin that is known beforehand, in place of a new one or of that of the [account](Self::account).
    ///
    /// # Errors
    ///
    /// [`AccountError`] if it cannot be part of a header, or another key of the account has it: set the account first.
    pub fn admin_key(mut self, key: impl Into<SecretString>) -> Result<Self, AccountError> {
        let key = key.into();
        let key = key.expose_secret();
        let document = &mut self.account.document;
        match secret_fault(key) {
            Some(fault) => Err(AccountError::at("admin_key", fault)),
            None if document.has_secret(key) => Err(AccountError::at("admin_key", "another key has this secret")),
            None => {
                document.admin.secret = Some(key.to_owned());
                Ok(self)
            }
        }
    }

    /// Starts with the admin and their key, and no organizations and spaces.
    pub fn empty(self) -> Self {
        self.account(Document::default().into())
    }

    /// The emulator.
    #[must_use]
    pub fn build(self) -> Emulator {
        let (account, request_ids) = self.load(&self.account.document);
        self.finish(account, request_ids, None)
    }

    /// The emulator with its state in a file: what is there when it starts, and what changes. In a new or empty file the
    /// account is the one that is set here. Afterwards it is the one of the file, and the seed goes on from where it was.
    ///
    /// The file holds an account document, as [`AccountSpec`] reads it. A change is in it, and on the disk, before it is
    /// acknowledged. Everything that a response shows is there, too: a crash loses no acknowledged change. When a key was
    /// last used is written with the next change. The file holds the secrets, so no other user may read it (mode 0600).
    /// Beside it one whose name ends in `.new` appears while it is written. A change costs what the document costs:
    /// `docs/emulator.md` has figures.
    ///
    /// If the file cannot be written, the request gets a 500, and the next one tries again.
    ///
    /// ```
    /// use arize_api_keys::emulator::Emulator;
    /// use arize_api_keys::{CreateRequest, ExposeSecret};
    ///
    /// # let directory = std::env::temp_dir().join(format!("arize-emulator-{}", std::process::id()));
    /// # std::fs::create_dir_all(&directory)?;
    /// # let path = directory.join("state.json");
    /// let emulator = Emulator::builder().open(&path)?;
    /// let created = emulator.client().create(&CreateRequest::new("mine"))?;
    /// drop(emulator);
    ///
    /// let emulator = Emulator::builder().open(&path)?;
    /// assert!(emulator.authenticates(created.key.expose_secret()));
    /// # std::fs::remove_dir_all(&directory)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`StateError`] if another emulator has the file, if it is no regular file or holds something else, if it has another
    /// admin key than the one that is set here, or if it cannot be read or written.
    pub fn open(self, path: impl AsRef<Path>) -> Result<Emulator, StateError> {
        let (state, found) = StateFile::open(path.as_ref())?;
        let (account, request_ids) = self.load(found.as_ref().map_or(&self.account.document, |found| &found.document));
        if let (Some(_), Some(given)) = (&found, &self.account.document.admin.secret) {
            let key = account.key_of(given, now(&self.clock));
            if !key.is_ok_and(|key| key.user().is_admin()) {
                return Err(StateError::AdminKey { path: state.path().to_owned() });
            }
        }
        let path = state.path().to_owned();
        let emulator = self.finish(account, request_ids, Some(state));
        let change = emulator.account().changes;
        emulator.make_durable(change).map_err(|source| StateError::Io { action: "write", path, source })?;
        Ok(emulator)
    }

    fn load(&self, document: &Document) -> (Account, u64) {
        let mut rng = self.seed.map_or_else(Rng::new, Rng::with_seed);
        let request_ids = rng.u64(..);
        match Account::load(document, rng, now(&self.clock)) {
            Ok(account) => (account, request_ids),
            Err(error) => unreachable!("a document is checked when it is read: {error}"),
        }
    }

    fn finish(self, mut account: Account, request_ids: u64, state: Option<StateFile>) -> Emulator {
        let now = now(&self.clock);
        let given = self.account.document.admin.secret;
        let given = given.and_then(|secret| account.key_of(&secret, now).ok().cloned());
        let key = given.unwrap_or_else(|| account.working_admin_key(now));
        let (admin_id, admin_key) = (key.user().id.to_string(), SecretString::from(key.secret.to_string()));
        let inner = Inner {
            account: account.into(),
            settings: self.settings,
            limits: self.limits,
            clock: self.clock,
            requests: 0.into(),
            secrets_sent: 0.into(),
            faults: Default::default(),
            rate_limit: self.rate_limit.map(RateLimit::per_second),
            state,
            request_ids,
            admin_id,
            admin_key,
        };
        Emulator { inner: inner.into() }
    }
}
