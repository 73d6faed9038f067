//! The service: the emulator in this process, and a ledger of its changes, which the invariants trust.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arize_api_keys::emulator::{Emulator, EmulatorBuilder, ManualClock};
use arize_api_keys::http::{Method, Request, Response};
use arize_api_keys::time::format_description::well_known::Rfc3339;
use arize_api_keys::time::{Duration, OffsetDateTime};
use arize_api_keys::{ApiKeysClient, Clock, ExposeSecret, Transport};
use serde_json::Value;

/// The process number of everything that is no runner: the set-up and the admin.
pub(crate) const ADMIN: u32 = 0;

/// Clones are the same service.
#[derive(Clone)]
pub(crate) struct Service {
    pub(crate) emulator: Emulator,
    pub(crate) clock: ManualClock,
    ledger: Arc<Mutex<Ledger>>,
}

/// What requests did, in the order of the ids.
#[derive(Default)]
pub(crate) struct Ledger {
    pub(crate) keys: BTreeMap<String, Minted>,
    /// The changes so far: mints and removals.
    pub(crate) changes: u64,
    /// The ids of the keys that were changed, until somebody takes them.
    pub(crate) log: Vec<String>,
}

/// A key that a request created.
#[derive(Clone, Debug)]
pub(crate) struct Minted {
    pub(crate) secret: String,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) expires_at: Option<OffsetDateTime>,
    /// The process that sent the request.
    pub(crate) by: u32,
    /// The process that revoked it.
    pub(crate) revoked_by: Option<u32>,
}

impl Service {
    /// An account with a few spaces, in which everything is decided by the seed.
    pub(crate) fn new(seed: u64) -> Self {
        Self::of(Emulator::builder().seed(seed))
    }

    /// An account without organizations and spaces.
    pub(crate) fn empty(seed: u64) -> Self {
        Self::of(Emulator::builder().seed(seed).empty())
    }

    fn of(builder: EmulatorBuilder) -> Self {
        let clock = ManualClock::at(OffsetDateTime::UNIX_EPOCH + Duration::days(20_000));
        Self { emulator: builder.clock(clock.clone()).build(), clock, ledger: Arc::default() }
    }

    pub(crate) fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Handles a request of a process, and notes what it did.
    pub(crate) fn handle(&self, request: Request<Vec<u8>>, process: u32) -> Response<Vec<u8>> {
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let body = if method == Method::POST { request.body().clone() } else { Vec::new() };
        // The emulator has no faults here, so it always responds.
        let response = self.emulator.send(request).unwrap_or_default();
        if response.status().is_success() && method != Method::GET {
            let mut ledger = self.ledger();
            ledger.changes += 1;
            if method == Method::POST {
                ledger.note_mint(&body, response.body(), process);
            } else if let Some(id) = path.split('/').nth(3)
                && let id = decoded(id)
                && let Some(key) = ledger.keys.get_mut(&id)
            {
                key.revoked_by.get_or_insert(process);
                ledger.log.push(id);
            }
        }
        response
    }

    /// A client with the admin's key, for the set-up and the admin.
    pub(crate) fn admin(&self) -> ApiKeysClient {
        let service = self.clone();
        let builder =
            ApiKeysClient::builder().ignore_env().api_key(self.emulator.admin_key()).clock(self.clock.clone());
        let builder = builder.transport(move |request: Request<Vec<u8>>| Ok(service.handle(request, ADMIN)));
        builder.build().expect("the settings are valid")
    }

    pub(crate) fn admin_secret(&self) -> String {
        self.emulator.admin_key().expose_secret().to_owned()
    }

    pub(crate) fn now(&self) -> OffsetDateTime {
        self.clock.now()
    }

    /// Whether the secret works now.
    pub(crate) fn accepts(&self, secret: &str) -> bool {
        self.emulator.authenticates(secret)
    }

    /// The keys that work now, by id.
    pub(crate) fn live(&self) -> Vec<(String, Minted)> {
        let keys: Vec<_> = self.ledger().keys.iter().map(|(id, key)| (id.clone(), key.clone())).collect();
        keys.into_iter().filter(|(_, key)| self.accepts(&key.secret)).collect()
    }
}

impl Ledger {
    fn note_mint(&mut self, request: &[u8], response: &[u8], by: u32) {
        let request: Value = serde_json::from_slice(request).unwrap_or_default();
        let response: Value = serde_json::from_slice(response).unwrap_or_default();
        let text = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let key = Minted {
            secret: text(&response, "key"),
            name: text(&request, "name"),
            description: text(&request, "description"),
            expires_at: OffsetDateTime::parse(&text(&response, "expires_at"), &Rfc3339).ok(),
            by,
            revoked_by: None,
        };
        let id = text(&response, "id");
        self.log.push(id.clone());
        self.keys.insert(id, key);
    }
}

/// An id out of a path: only `=` and `/` of base64 are escaped in it.
fn decoded(segment: &str) -> String {
    segment.replace("%3D", "=").replace("%3d", "=").replace("%2F", "/").replace("%2f", "/").replace("%2B", "+")
}
