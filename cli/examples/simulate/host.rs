//! A machine: its disk, the processes on it, and the program that reads a key from one of its files.

use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use arize_api_keys::time::{Duration, OffsetDateTime};

use super::disk::{Disk, Survival};
use super::service::{ADMIN, Minted, Service};

pub(crate) struct Host {
    pub(crate) name: String,
    inner: Mutex<Inner>,
}

pub(crate) struct Inner {
    pub(crate) disk: Disk,
    /// How often it was started. A process of an earlier start is dead.
    pub(crate) boot: u32,
    pub(crate) consumer: Consumer,
}

/// A program with `api_key_file`: it reads the file again after a 401, so it works as long as the file has a secret that works.
pub(crate) struct Consumer {
    path: PathBuf,
    /// The last secret in the file that worked.
    secret: Option<String>,
    /// The secret that a finished run left it. Unless another party ends that key, the host must have one that works.
    served: Option<String>,
    /// The secret that it read when it was last told to. Some programs read their file only then.
    pub(crate) reloaded: Option<String>,
    /// Since when it has no working key, other than by the admin.
    keyless_since: Option<OffsetDateTime>,
    /// The whole time without a working key that the admin did not cause.
    pub(crate) keyless: Duration,
    /// What happened that must not.
    pub(crate) wrong: Vec<String>,
}

impl Host {
    /// A machine with a consumer of this file.
    pub(crate) fn new(name: &str, file: &str) -> Self {
        let path = PathBuf::from(file);
        let directory = path.parent().and_then(|parent| parent.to_str()).unwrap_or("/");
        let disk = Disk::new(directory);
        let consumer = Consumer {
            path,
            secret: None,
            served: None,
            reloaded: None,
            keyless_since: None,
            keyless: Duration::ZERO,
            wrong: Vec::new(),
        };
        Self { name: name.to_owned(), inner: Mutex::new(Inner { disk, boot: 0, consumer }) }
    }

    pub(crate) fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends all processes, and loses what was not synced.
    pub(crate) fn cut_power(&self, survival: Survival) {
        let mut inner = self.inner();
        inner.disk.cut_power(survival);
        inner.boot += 1;
    }

    /// The secret in the consumer's file.
    pub(crate) fn stored(&self) -> Option<String> {
        let inner = self.inner();
        secret_in(&inner.disk, &inner.consumer.path)
    }

    /// The consumer reads its file.
    pub(crate) fn reload(&self) {
        let mut inner = self.inner();
        inner.consumer.reloaded = secret_in(&inner.disk, &inner.consumer.path);
    }

    /// A run has finished, or the set-up.
    pub(crate) fn finish(&self, service: &Service) {
        self.observe(service, "the end of a run");
        let consumer = &mut self.inner().consumer;
        consumer.served = consumer.secret.clone().or(consumer.served.take());
    }

    /// Looks at the file as the consumer does. Called after each event that can change the result.
    pub(crate) fn observe(&self, service: &Service, event: &str) {
        let mut inner = self.inner();
        let Inner { disk, consumer, .. } = &mut *inner;
        for (path, data, mode) in disk.files() {
            if mode != 0o600 && data.contains(&b'k') && data.windows(3).any(|part| part == b"ak-") {
                consumer.wrong.push(format!("{} has a secret and mode {mode:o} after {event}", path.display()));
            }
        }
        let stored = secret_in(disk, &consumer.path).filter(|secret| service.accepts(secret));
        if stored.is_some() {
            consumer.secret = stored;
            if let Some(since) = consumer.keyless_since.take() {
                consumer.keyless += service.now() - since;
            }
        } else if let Some(lost) = consumer.secret.take() {
            let ledger = service.ledger();
            let find = |secret: &str| ledger.keys.values().find(|key| key.secret == secret);
            let has_expired = |key: &Minted| key.expires_at.is_some_and(|at| at <= service.now());
            let is_excused = |secret: &str| {
                find(secret)
                    .is_some_and(|key| key.revoked_by == Some(ADMIN) || key.revoked_by.is_none() && has_expired(key))
            };
            // The admin does not count, the time does.
            consumer.keyless_since = find(&lost).filter(|key| has_expired(key)).and_then(|key| key.expires_at);
            if is_excused(&lost) || consumer.served.as_deref().is_none_or(is_excused) {
                consumer.served = None;
            } else {
                consumer.keyless_since = Some(service.now());
                consumer.wrong.push(format!("the consumer of {} lost its key by {event}", self.name));
            }
        }
    }
}

/// The secret in a file: the only word in it that looks like one.
fn secret_in(disk: &Disk, path: &std::path::Path) -> Option<String> {
    let (_, data, _) = disk.files().find(|(found, ..)| *found == path)?;
    let text = String::from_utf8_lossy(data);
    let start = text.find("ak-")?;
    let is_of_key = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    Some(text.get(start..)?.chars().take_while(|c| is_of_key(*c)).collect())
}
