//! The clock of the tests: its waits are instant.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use arize_api_keys::Clock;
use arize_api_keys::time::OffsetDateTime;
use arize_api_keys::time::format_description::well_known::Rfc3339;

/// The start of every test: before all expiries in the recorded calls.
pub(crate) const START: &str = "2026-01-02T03:04:05Z";

#[track_caller]
pub(crate) fn moment(text: &str) -> OffsetDateTime {
    OffsetDateTime::parse(text, &Rfc3339).unwrap()
}

/// The share of the longest jitter that a [`TestClock`] gives, always.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Jitter {
    None,
    Thousandths(u32),
    Longest,
}

/// A clock that stands, except for waits on it and for the test that moves it.
#[derive(Clone)]
pub(crate) struct TestClock(Arc<Mutex<ClockState>>);

struct ClockState {
    now: OffsetDateTime,
    elapsed: Duration,
    sleeps: Vec<Duration>,
    jitter: Jitter,
    /// How far the date jumps after each look at it.
    jump: time::Duration,
}

impl TestClock {
    /// A clock at [`START`].
    pub(crate) fn new() -> Self {
        Self(Arc::new(Mutex::new(ClockState {
            now: moment(START),
            elapsed: Duration::from_secs(1_000_000),
            sleeps: Vec::new(),
            jitter: Jitter::Longest,
            jump: time::Duration::ZERO,
        })))
    }

    pub(crate) fn jitter(self, jitter: Jitter) -> Self {
        self.0.lock().unwrap().jitter = jitter;
        self
    }

    #[cfg(feature = "ureq")]
    pub(crate) fn jumping(self, seconds: i64) -> Self {
        self.0.lock().unwrap().jump = time::Duration::seconds(seconds);
        self
    }

    pub(crate) fn advance(&self, time: Duration) {
        let mut state = self.0.lock().unwrap();
        state.now += time;
        state.elapsed += time;
    }

    /// Sets the date. No time passes.
    pub(crate) fn set_date(&self, now: OffsetDateTime) {
        self.0.lock().unwrap().now = now;
    }

    /// The waits so far.
    pub(crate) fn sleeps(&self) -> Vec<Duration> {
        self.0.lock().unwrap().sleeps.clone()
    }
}

impl Clock for TestClock {
    fn now(&self) -> OffsetDateTime {
        let mut state = self.0.lock().unwrap();
        let (now, jump) = (state.now, state.jump);
        state.now += jump;
        now
    }

    fn elapsed(&self) -> Duration {
        self.0.lock().unwrap().elapsed
    }

    fn sleep(&self, duration: Duration) {
        self.0.lock().unwrap().sleeps.push(duration);
        self.advance(duration);
    }

    fn jitter(&self, max: Duration) -> Duration {
        match self.0.lock().unwrap().jitter {
            Jitter::None => Duration::ZERO,
            Jitter::Thousandths(share) => max * share / 1000,
            Jitter::Longest => max,
        }
    }
}
