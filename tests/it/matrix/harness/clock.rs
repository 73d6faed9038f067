//! A clock whose waits are instant.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use arize_api_keys::Clock;
use arize_api_keys::time::OffsetDateTime;

/// What every test takes for now: 2026-01-02T03:04:05Z.
pub(crate) const NOW: i64 = 1_767_323_045;

/// Only waiting makes its time go on, so no deadline of a call depends on the machine. The jitter is all that it may be.
#[derive(Clone, Default)]
pub(crate) struct TestClock {
    slept: Arc<Mutex<Vec<Duration>>>,
    looks: Arc<AtomicI64>,
    /// How far the date jumps after each look at it, in seconds.
    jump: i64,
}

impl TestClock {
    pub(crate) fn jumping(jump: i64) -> Self {
        Self { jump, ..Self::default() }
    }

    /// The waits so far.
    pub(crate) fn slept(&self) -> Vec<Duration> {
        self.slept.lock().unwrap().clone()
    }
}

impl Clock for TestClock {
    fn now(&self) -> OffsetDateTime {
        let jumped = self.looks.fetch_add(1, Ordering::SeqCst) * self.jump;
        OffsetDateTime::from_unix_timestamp(NOW + jumped).unwrap() + self.elapsed()
    }

    fn elapsed(&self) -> Duration {
        self.slept().iter().sum()
    }

    fn sleep(&self, duration: Duration) {
        self.slept.lock().unwrap().push(duration);
    }

    fn jitter(&self, max: Duration) -> Duration {
        max
    }
}
