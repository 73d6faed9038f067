//! One calling thread, and the counts of the callers.

use std::sync::atomic::{AtomicU64, Ordering};

use arize_api_keys::{
    ApiKey, ApiKeyCreated, ApiKeyType, ApiKeysClient, CreateRequest, CreateServiceKeyRequest, Error, ExposeSecret,
    ListRequest, Outcome, RefreshRequest,
};

use crate::{Outcomes, SEED};

/// How many live keys a thread has at most.
const KEYS: usize = 4;
/// How often a thread repeats a list or a removal until it succeeds. Each repetition is a call with its own retries.
const PERSISTENCE: usize = 50;

/// The counts of the callers.
#[derive(Default)]
pub(crate) struct Books {
    pub(crate) created: u64,
    pub(crate) refreshed: u64,
    pub(crate) secrets: u64,
    pub(crate) rescued: u64,
    pub(crate) failed: u64,
    pub(crate) doubts: u64,
    pub(crate) wrong: Vec<String>,
}

impl Books {
    pub(crate) fn add(&mut self, other: Self) {
        self.created += other.created;
        self.refreshed += other.refreshed;
        self.secrets += other.secrets;
        self.rescued += other.rescued;
        self.failed += other.failed;
        self.doubts += other.doubts;
        self.wrong.extend(other.wrong);
    }

    /// Notes a secret that was received.
    fn receive(&mut self, created: &ApiKeyCreated) {
        self.secrets += 1;
        self.rescued += u64::from(!created.warnings.is_empty());
        let secret = created.key.expose_secret();
        let shown = created.redacted_key.split_once("...");
        if secret.len() != 51 || !shown.is_some_and(|(a, b)| secret.starts_with(a) && secret.ends_with(b)) {
            self.wrong.push(format!("the secret of {} is not the one that was sent", created.id));
        }
    }
}

pub(crate) struct Worker<'a> {
    client: ApiKeysClient,
    number: u64,
    made: &'a AtomicU64,
    dice: fastrand::Rng,
    names: u64,
    keys: Vec<LiveKey>,
    books: Books,
}

struct LiveKey {
    id: String,
    key_type: ApiKeyType,
    redacted: String,
}

impl<'a> Worker<'a> {
    pub(crate) fn new(client: ApiKeysClient, number: u64, made: &'a AtomicU64) -> Self {
        let dice = fastrand::Rng::with_seed(SEED + number);
        Self { client, number, made, dice, names: 0, keys: Vec::new(), books: Books::default() }
    }

    pub(crate) fn run(mut self, calls: u64) -> Outcomes<Books> {
        while self.made.load(Ordering::Relaxed) < calls {
            match self.dice.u8(..100) {
                0..25 if self.keys.len() < KEYS => self.create()?,
                25..40 if !self.keys.is_empty() => self.refresh()?,
                40..65 if !self.keys.is_empty() => self.remove()?,
                _ => {
                    self.call(|client| client.list(&ListRequest::new().limit(20))).ok();
                }
            }
        }
        while !self.keys.is_empty() {
            self.remove()?;
        }
        Ok(self.books)
    }

    fn call<T>(&mut self, call: impl FnOnce(&ApiKeysClient) -> Result<T, Error>) -> Result<T, Error> {
        self.made.fetch_add(1, Ordering::Relaxed);
        call(&self.client).inspect_err(|_| self.books.failed += 1)
    }

    /// Whether the outcome of the call is unknown, or the secret is lost.
    fn doubts(&mut self, error: &Error) -> bool {
        let doubts = matches!(error.outcome(), Outcome::Unknown | Outcome::Applied);
        self.books.doubts += u64::from(doubts);
        doubts
    }

    fn create(&mut self) -> Outcomes<()> {
        self.names += 1;
        let name = format!("soak-{}-{}", self.number, self.names);
        let key_type = if self.dice.bool() { ApiKeyType::User } else { ApiKeyType::Service };
        let created = self.call(|client| match key_type {
            ApiKeyType::Service => client.create_service_key(&CreateServiceKeyRequest::new(&name, "prod")),
            _ => client.create(&CreateRequest::new(&name)),
        });
        match created {
            Ok(created) => {
                self.books.created += 1;
                self.books.receive(&created);
                self.keys.push(LiveKey { id: created.id.clone(), key_type, redacted: created.redacted_key.clone() });
            }
            Err(error) if self.doubts(&error) => {
                let strays = self.find(&key_type, |key| key.name == name)?;
                if strays.len() > 1 {
                    self.books.wrong.push(format!("{} keys for one call: {name}", strays.len()));
                }
                for stray in strays {
                    self.books.created += 1;
                    self.keys.push(LiveKey { id: stray.id, key_type: key_type.clone(), redacted: stray.redacted_key });
                    self.remove()?;
                }
            }
            Err(_) => {}
        }
        Ok(())
    }

    fn refresh(&mut self) -> Outcomes<()> {
        let mut key = self.keys.swap_remove(self.dice.usize(..self.keys.len()));
        match self.call(|client| client.refresh(&RefreshRequest::new(&key.id))) {
            Ok(created) => {
                self.books.refreshed += 1;
                self.books.receive(&created);
                key.redacted.clone_from(&created.redacted_key);
            }
            Err(error) if self.doubts(&error) => match self.find(&key.key_type, |found| found.id == key.id)?.pop() {
                Some(found) => {
                    self.books.refreshed += u64::from(found.redacted_key != key.redacted);
                    key.redacted = found.redacted_key;
                }
                None => self.books.wrong.push(format!("the key {} is gone", key.id)),
            },
            Err(_) => {}
        }
        self.keys.push(key);
        Ok(())
    }

    /// Removes the youngest key, and repeats that until it succeeds.
    fn remove(&mut self) -> Outcomes<()> {
        let Some(key) = self.keys.pop() else { return Ok(()) };
        for _ in 1..PERSISTENCE {
            if self.call(|client| client.delete(&key.id)).is_ok() {
                return Ok(());
            }
        }
        Ok(self.call(|client| client.delete(&key.id))?)
    }

    /// The live keys that match `wanted`.
    fn find(&mut self, key_type: &ApiKeyType, wanted: impl Fn(&ApiKey) -> bool) -> Outcomes<Vec<ApiKey>> {
        let request = ListRequest::new().key_type(key_type.clone()).limit(100);
        let find = |client: &ApiKeysClient| {
            let keys = client.list_all(&request);
            keys.filter(|key| key.as_ref().map_or(true, &wanted)).collect::<Result<Vec<_>, _>>()
        };
        for _ in 1..PERSISTENCE {
            if let Ok(found) = self.call(find) {
                return Ok(found);
            }
        }
        Ok(self.call(find)?)
    }
}
