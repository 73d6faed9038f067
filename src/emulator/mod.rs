//! The service in this process, for tests.
//!
//! An [`Emulator`] is an account held in memory, and everything that the service is known to do with one: both stages
//! at once, validation, filters, pages, roles, expiry and grace, and the errors. A key that it makes authenticates
//! against it until it expires, is revoked, or its grace ends. It is a [`Transport`], so a client talks to it without
//! a socket; [`Emulator::serve`] lets every other client in, over HTTP on loopback.
//!
//! It shares no code with the client that reads or writes requests and responses, so that a mistake in one is not hidden
//! by the same mistake in the other.
//!
//! ```
//! use arize_api_keys::emulator::Emulator;
//! use arize_api_keys::{Transport, http};
//! use secrecy::ExposeSecret;
//!
//! let emulator = Emulator::new();
//! let request = http::Request::get("https://api.arize.com/v2/organizations?limit=1")
//!     .header("authorization", format!("Bearer {}", emulator.admin_key().expose_secret()))
//!     .body(Vec::new())?;
//! let response = emulator.send(request)?;
//! assert_eq!(response.status(), 200);
//! assert!(String::from_utf8_lossy(response.body()).starts_with(r#"{"organizations":[{"id":""#));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`Emulator::new`] has two organizations: `acme`, with the spaces `prod`, `prod-eu`, `staging` and `sandbox`, and
//! `acme-labs`, with `research` and another `sandbox`. There is one user, an admin. [`Emulator::add_user`] and
//! [`Emulator::set_space_role`] make more, who see and may do less. [`EmulatorBuilder::account`] takes another account, and
//! [`Emulator::inject`] makes requests fail.
//!
//! `docs/emulator.md` has the account document, the state file, the faults, the limits, and the choices where the
//! description of the service is silent.

mod account;
mod api;
mod builder;
mod clock;
mod control;
mod faults;
mod http;
mod seed;

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, ToSocketAddrs};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ::http::{HeaderName, HeaderValue, Request, Response, StatusCode};
use fastrand::Rng;
use secrecy::SecretString;
use time::UtcDateTime;

pub use self::account::document::{AccountError, AccountSpec};
pub use self::account::enums::Role;
pub use self::account::state_file::StateError;
pub use self::builder::EmulatorBuilder;
pub use self::clock::ManualClock;
pub use self::control::ControlServer;
pub use self::faults::endpoint::Endpoint;
pub use self::faults::fault::Fault;
pub use self::faults::grammar::FaultError;
pub use self::http::server::EmulatorServer;
pub use self::seed::{AddedKey, UnknownId};

use self::account::Account;
use self::account::state_file::StateFile;
use self::account::timestamp::Timestamp;
use self::api::context::{Context, Settings};
use self::api::credentials;
use self::api::dialect::Dialect;
use self::api::problem::ProblemResponse;
use self::api::route::Route;
use self::faults::Faults;
use self::faults::rate_limit::RateLimit;
use self::http::delivery::Delivery;
use self::http::limits::Limits;
use crate::client::ApiKeysClient;
use crate::clock::Clock;
use crate::config::ClientBuilder;
use crate::transport::{SendOptions, Transport, TransportError, TransportErrorKind};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The service in this process. Clones share the account.
///
/// The [module](self) describes it.
#[derive(Clone)]
pub struct Emulator {
    inner: Arc<Inner>,
}

struct Inner {
    account: Mutex<Account>,
    settings: Settings,
    limits: Limits,
    clock: ManualClock,
    requests: AtomicU64,
    secrets_sent: AtomicU64,
    faults: Mutex<Faults>,
    rate_limit: Option<RateLimit>,
    /// The file that the account is kept in.
    state: Option<StateFile>,
    /// The number that request ids are drawn from.
    request_ids: u64,
    admin_id: String,
    admin_key: SecretString,
}

impl Emulator {
    /// An emulator with a small account, ids and secrets that differ on every run, and a clock that runs.
    #[must_use]
    pub fn new() -> Self {
        Self::builder().build()
    }

    /// Sets up an emulator with other settings.
    pub fn builder() -> EmulatorBuilder {
        EmulatorBuilder::new()
    }

    /// A key of the account's first admin, who may do everything.
    #[must_use]
    pub fn admin_key(&self) -> SecretString {
        self.inner.admin_key.clone()
    }

    /// The user id of the account's first admin.
    #[must_use]
    pub fn admin_id(&self) -> String {
        self.inner.admin_id.clone()
    }

    /// The clock that expiries and grace periods are counted on.
    #[must_use]
    pub fn clock(&self) -> &ManualClock {
        &self.inner.clock
    }

    /// Whether a request with this secret would be authenticated now. Does not count as a use of the key.
    #[must_use]
    pub fn authenticates(&self, secret: &str) -> bool {
        self.account().key_of(secret, self.now()).is_ok()
    }

    /// The number of requests so far, with any result.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.inner.requests.load(Ordering::Relaxed)
    }

    /// The number of keys that requests created so far. A client that wrongly repeats a create makes one too many.
    #[must_use]
    pub fn keys_created(&self) -> u64 {
        self.account().keys_created
    }

    /// The number of refreshes so far.
    #[must_use]
    pub fn keys_refreshed(&self) -> u64 {
        self.account().keys_refreshed
    }

    /// The number of new secrets that were sent whole so far, in a response or in a part of one. A client that has fewer
    /// has lost one.
    #[must_use]
    pub fn secrets_sent(&self) -> u64 {
        self.inner.secrets_sent.load(Ordering::Relaxed)
    }

    /// Serves the account over HTTP on 127.0.0.1, on a port that is free.
    ///
    /// # Errors
    ///
    /// The error of the operating system if it gives no port or no thread.
    pub fn serve(&self) -> io::Result<EmulatorServer> {
        self.serve_on((Ipv4Addr::LOCALHOST, 0))
    }

    /// Serves the account over HTTP at an address. There is no TLS: keep it on loopback.
    ///
    /// # Errors
    ///
    /// The error of the operating system if it does not give the address, or no thread.
    pub fn serve_on(&self, addr: impl ToSocketAddrs) -> io::Result<EmulatorServer> {
        EmulatorServer::start(self.clone(), addr)
    }

    /// A client of this emulator, without a socket, with the admin key and the emulator's clock.
    ///
    /// ```
    /// use arize_api_keys::{CreateRequest, emulator::Emulator};
    ///
    /// let emulator = Emulator::new();
    /// let created = emulator.client().create(&CreateRequest::new("ci"))?;
    /// # Ok::<(), arize_api_keys::Error>(())
    /// ```
    #[must_use]
    pub fn client(&self) -> ApiKeysClient {
        let builder = ApiKeysClient::builder().ignore_env().api_key(self.admin_key());
        built(builder.clock(self.clock().clone()).transport(self.clone()))
    }

    /// Handles a request for the transport and for the server.
    fn answer(&self, request: &Request<Vec<u8>>) -> Delivery {
        let number = self.inner.requests.fetch_add(1, Ordering::Relaxed);
        let path = request.uri().path();
        let handle = || self.operate(request).unwrap_or_else(|problem| problem.into_response(Some(path)));
        let mut delivery = match self.let_through() {
            Err(problem) => Delivery::whole(problem.into_response(Some(path))),
            Ok(()) => {
                // The lock is released before the request is handled.
                let fault = self.faults().next(request);
                match fault {
                    Some(fault) => fault.commit(path, handle),
                    None => Delivery::whole(handle()),
                }
            }
        };
        let request_id = format!("req-{:016x}", Rng::with_seed(self.inner.request_ids.wrapping_add(number)).u64(..));
        if let (Some(response), Ok(request_id)) = (delivery.response_mut(), HeaderValue::try_from(request_id)) {
            response.headers_mut().insert(REQUEST_ID, request_id);
        }
        delivery
    }

    /// The order matters: the path, then the caller, then the rest of the request.
    fn operate(&self, request: &Request<Vec<u8>>) -> Result<Response<Vec<u8>>, ProblemResponse> {
        let route = Route::find(request.method(), request.uri())?;
        let secret = credentials::secret(request.headers())?;
        let settings = &self.inner.settings;
        let dialect = Dialect::of(request.headers(), settings.stage);
        let operation = route.read(request.uri().query(), request.body(), dialect);
        let now = self.now();
        let (answer, seen) = {
            let mut account = self.account();
            let caller = account.authenticate(secret, now).map_err(ProblemResponse::from);
            let answer =
                caller.and_then(|caller| operation?.run(&mut account, &Context { caller, now, dialect, settings }));
            (answer, account.changes)
        };
        // A response may show the changes of other requests, which must survive a crash too.
        self.make_durable(seen).map_err(unwritten)?;
        answer?()
    }

    fn make_durable(&self, change: u64) -> io::Result<()> {
        let Some(state) = &self.inner.state else { return Ok(()) };
        state.make_durable(change, || {
            let account = self.account();
            (account.changes, account.document(self.now()))
        })
    }

    /// Changes the account, for the set-up of a test.
    fn change<T>(&self, change: impl FnOnce(&mut Account) -> T) -> T {
        let (result, seen) = {
            let mut account = self.account();
            (change(&mut account), account.changes)
        };
        // A file that cannot be written is reported to the next request, which tries again.
        drop(self.make_durable(seen));
        result
    }

    fn let_through(&self) -> Result<(), ProblemResponse> {
        match &self.inner.rate_limit {
            Some(limit) => limit.take(self.inner.clock.elapsed()).map_err(ProblemResponse::too_many_requests),
            None => Ok(()),
        }
    }

    fn faults(&self) -> MutexGuard<'_, Faults> {
        self.inner.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn account(&self) -> MutexGuard<'_, Account> {
        self.inner.account.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Timestamp {
        now(&self.inner.clock)
    }
}

impl Default for Emulator {
    fn default() -> Self {
        Self::new()
    }
}

impl Transport for Emulator {
    /// Handles the request without a socket. It fails only by a [`Fault`]: a defect of a request is in the response.
    fn send(&self, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, TransportError> {
        let Delivery { delay, termination } = self.answer(&request);
        let patience = request.extensions().get::<SendOptions>().map(|options| options.timeout);
        if let Some(patience) = patience.filter(|patience| *patience < delay) {
            self.clock().sleep(patience);
            return Err(TransportError::new(TransportErrorKind::Timeout, "the response takes longer"));
        }
        if !delay.is_zero() {
            self.clock().sleep(delay);
        }
        let termination = termination.to(request.method());
        self.inner.secrets_sent.fetch_add(termination.delivers_secret().into(), Ordering::Relaxed);
        termination.into_result()
    }
}

impl fmt::Debug for Emulator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Emulator")
            .field("settings", &self.inner.settings)
            .field("clock", &self.inner.clock)
            .field("requests", &self.requests())
            .finish_non_exhaustive()
    }
}

/// The response to a request whose change is not on the disk. It takes the error by value for `map_err`.
fn unwritten(error: io::Error) -> ProblemResponse {
    let detail = format!("the state file cannot be written: {error}");
    ProblemResponse::new(StatusCode::INTERNAL_SERVER_ERROR, detail)
}

/// The clock's time in whole microseconds: some clients cannot read more digits.
fn now(clock: &ManualClock) -> Timestamp {
    let now = clock.now().checked_to_utc().unwrap_or(UtcDateTime::MAX);
    Timestamp(now.replace_microsecond(now.microsecond()).unwrap_or(now))
}

/// A client with settings of the emulator's own.
fn built(builder: ClientBuilder) -> ApiKeysClient {
    match builder.build() {
        Ok(client) => client,
        Err(error) => unreachable!("the settings of the emulator are valid: {error}"),
    }
}
