//! How an emulator is set up.

use std::num::NonZeroU32;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use fastrand::Rng;
use secrecy::{ExposeSecret, SecretString};

use super::account::{Account, NewKey};
use super::account_file::{AccountError, AccountSpec};
use super::account_plan::{Plan, secret_fault};
use super::clock::ManualClock;
use super::context::Settings;
use super::journal::{Journal, Opened, StateError};
use super::rate::RateLimit;
use super::words::{KeyType, Role, Status};
use super::{DEFAULT_ACCOUNT, Emulator, Inner, now};
use crate::stage::ApiStage;

/// Sets up an [`Emulator`]. What is not set is as [`Emulator::new`] has it.
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
    plan: Plan,
    rate_limit: Option<NonZeroU32>,
    settings: Settings,
}

impl EmulatorBuilder {
    pub(super) fn new() -> Self {
        Self {
            seed: None,
            clock: ManualClock::running(),
            plan: Plan::standard(DEFAULT_ACCOUNT),
            rate_limit: None,
            settings: Settings { stage: ApiStage::Beta, omit_organization_id: false, max_key_lifetime: None },
        }
    }

    /// Makes ids, secrets and request ids the same on every run that makes the same calls in the same order.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// The clock that expiries and grace periods are counted on. Without one it runs with the system's.
    pub fn clock(mut self, clock: ManualClock) -> Self {
        self.clock = clock;
        self
    }

    /// The stage in which requests are answered that speak neither: those without any of the words that differ, from
    /// clients that do not say who they are. It also decides the rule for the expiry of a key that they refresh.
    /// [`ApiStage::Beta`] unless set.
    ///
    /// A request that speaks a stage is always answered in it, and so is one of an official SDK whose `sdk-language` and
    /// `sdk-version` tell.
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

    /// Answers 429 to what is more than this many requests in a second of the [clock](Self::clock), whoever sends them.
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

    /// The account to start with, in place of the small one of [`Emulator::new`].
    pub fn account(self, account: AccountSpec) -> Self {
        self.start_with(account.plan)
    }

    /// A key for the admin that is known beforehand, in place of a new one or of that of the [account](Self::account).
    ///
    /// # Errors
    ///
    /// [`AccountError`] if it cannot stand in a header, or another key of the account has it: set the account first.
    pub fn admin_key(mut self, key: impl Into<SecretString>) -> Result<Self, AccountError> {
        let key = key.into();
        match secret_fault(&key) {
            Some(fault) => Err(AccountError::at("admin_key", fault)),
            None if self.plan.has_secret(&key) => Err(AccountError::at("admin_key", "another key has this secret")),
            None => {
                self.plan.admin_key = Some(key);
                Ok(self)
            }
        }
    }

    /// Starts with the admin and their key, and no organizations and spaces.
    pub fn empty(self) -> Self {
        self.start_with(Plan::standard(&[]))
    }

    /// The emulator.
    #[must_use]
    pub fn build(self) -> Emulator {
        let (mut account, request_ids) = self.empty_account();
        self.start(&mut account);
        self.finish(account, request_ids, None)
    }

    /// The emulator with its state in a file: what is there when it starts, and what changes. If there is nothing in it
    /// yet, the account is the one that is set here; afterwards it is the one of the file, and the seed goes on from
    /// where it was.
    ///
    /// A change is in the file, and on the disk, before it is answered, and so is everything that an answer shows: a crash
    /// loses nothing that was acknowledged. Only when a key was last used may be forgotten. The file holds the secrets, so
    /// nobody else may read it (mode 0600). Beside it a file that ends in `.lock` keeps other emulators out, and one that
    /// ends in `.new` appears while it is written anew.
    ///
    /// If the file cannot be written any more, every request is answered by a 500.
    ///
    /// ```
    /// use arize_api_keys::emulator::Emulator;
    /// use arize_api_keys::{ApiKeysClient, CreateRequest, ExposeSecret};
    ///
    /// # let folder = std::env::temp_dir().join(format!("arize-emulator-{}", std::process::id()));
    /// # std::fs::create_dir_all(&folder)?;
    /// # let path = folder.join("state.jsonl");
    /// let emulator = Emulator::builder().open(&path)?;
    /// let client = ApiKeysClient::builder()
    ///     .ignore_env()
    ///     .api_key(emulator.admin_key())
    ///     .transport(emulator.clone())
    ///     .build()?;
    /// let created = client.create(&CreateRequest::new("mine"))?;
    /// drop((client, emulator));
    ///
    /// let emulator = Emulator::builder().open(&path)?;
    /// assert!(emulator.authenticates(created.key.expose_secret()));
    /// # std::fs::remove_dir_all(&folder)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`StateError`] if another emulator has the file, if it holds something else, or if it cannot be read or written.
    pub fn open(self, path: impl AsRef<Path>) -> Result<Emulator, StateError> {
        let (mut account, request_ids) = self.empty_account();
        let opened = Opened::open(path.as_ref(), &mut account)?;
        if !opened.restored {
            self.start(&mut account);
        }
        let journal = opened.keep(&mut account)?;
        Ok(self.finish(account, request_ids, Some(journal)))
    }

    fn start_with(mut self, plan: Plan) -> Self {
        let given = self.plan.admin_key;
        self.plan = plan;
        self.plan.admin_key = given.or(self.plan.admin_key);
        self
    }

    fn empty_account(&self) -> (Account, u64) {
        let mut rng = self.seed.map_or_else(Rng::new, Rng::with_seed);
        let request_ids = rng.u64(..);
        (Account::new(rng), request_ids)
    }

    fn start(&self, account: &mut Account) {
        let now = now(&self.clock);
        let admin = account.add_user(self.plan.admin.clone(), Role::Admin, Vec::new());
        let secret = self.plan.admin_key.as_ref().map(|secret| secret.expose_secret().into());
        account.add_key(NewKey { secret, ..NewKey::of(Arc::clone(&admin), "admin".to_owned()) }, now);
        self.plan.carry_out(account, &admin, now);
    }

    fn finish(self, mut account: Account, request_ids: u64, journal: Option<Journal>) -> Emulator {
        let now = now(&self.clock);
        let (admin_id, admin_key) = key_of_admin(&mut account, now);
        let change = account.changes();
        let emulator = Emulator::from(Inner {
            account: account.into(),
            settings: self.settings,
            clock: self.clock,
            requests: 0.into(),
            secrets_sent: 0.into(),
            faults: Default::default(),
            rate_limit: self.rate_limit.map(RateLimit::per_second),
            journal,
            request_ids,
            admin_id,
            admin_key,
        });
        // If it fails, every request will be told.
        emulator.make_durable(change).ok();
        emulator
    }
}

/// An admin and a key of theirs that works. In a state file there may be none left: then a new one is made.
fn key_of_admin(account: &mut Account, now: time::OffsetDateTime) -> (String, SecretString) {
    let works = |key: &&super::account::Key| {
        let active = key.key_type == KeyType::User && key.status == Status::Active && !key.has_expired(now);
        active && key.user.is_admin()
    };
    if let Some(key) = account.keys.after(0).find(works) {
        return (key.user.id.to_string(), key.secret.to_string().into());
    }
    let admin = account.users.after(0).find(|user| user.is_admin()).cloned();
    let admin = admin.unwrap_or_else(|| account.add_user("admin".to_owned(), Role::Admin, Vec::new()));
    let key = account.add_key(NewKey::of(Arc::clone(&admin), "admin".to_owned()), now);
    (admin.id.to_string(), key.secret.to_string().into())
}
