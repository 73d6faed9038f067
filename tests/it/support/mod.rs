//! Shared parts of the tests: a clock that never waits, and a client that speaks to a script.

#[cfg(feature = "ureq")]
pub(crate) mod http;
#[cfg(feature = "ureq")]
pub(crate) mod tls;

use std::error::Error as StdError;
use std::fmt::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use arize_api_keys::{ApiKeysClient, ApiStage, Clock, Transport};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// The API key of every client here. No error may show it.
pub(crate) const OWN_KEY: &str = "test-key-SECRET";

/// When every test begins: before all expiries in the recorded calls.
pub(crate) const START: &str = "2026-01-02T03:04:05Z";

#[track_caller]
pub(crate) fn moment(text: &str) -> OffsetDateTime {
    OffsetDateTime::parse(text, &Rfc3339).unwrap()
}

/// How the dice of a [`TestClock`] fall, always.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dice {
    Lowest,
    Highest,
}

/// A clock that stands still, except for who sleeps on it.
#[derive(Clone)]
pub(crate) struct TestClock {
    dice: Dice,
    sleeps: Arc<Mutex<Vec<Duration>>>,
}

impl TestClock {
    pub(crate) fn new(dice: Dice) -> Self {
        Self { dice, sleeps: Arc::default() }
    }

    pub(crate) fn sleeps(&self) -> Vec<Duration> {
        self.sleeps.lock().unwrap().clone()
    }
}

impl Clock for TestClock {
    fn now(&self) -> OffsetDateTime {
        moment(START) + self.elapsed()
    }

    fn elapsed(&self) -> Duration {
        self.sleeps.lock().unwrap().iter().sum()
    }

    fn sleep(&self, duration: Duration) {
        self.sleeps.lock().unwrap().push(duration);
    }

    fn jitter(&self, max: Duration) -> Duration {
        match self.dice {
            Dice::Lowest => Duration::ZERO,
            Dice::Highest => max,
        }
    }
}

/// A client of the default policy that sends everything to `transport`.
#[track_caller]
pub(crate) fn client(stage: ApiStage, clock: &TestClock, transport: impl Transport + 'static) -> ApiKeysClient {
    ApiKeysClient::builder()
        .ignore_env()
        .api_key(OWN_KEY)
        .stage(stage)
        .clock(clock.clone())
        .transport(transport)
        .build()
        .unwrap()
}

/// Everything that an error shows of itself and of its causes.
pub(crate) fn shown(error: &(dyn StdError + 'static)) -> String {
    let mut text = String::new();
    let mut next = Some(error);
    while let Some(error) = next {
        write!(text, "{error}\n{error:?}\n{error:#?}\n").unwrap();
        next = error.source();
    }
    text
}
