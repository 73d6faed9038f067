//! The rate limit.

use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

/// A token bucket: it holds the requests of one second and refills evenly.
pub(crate) struct RateLimit {
    /// The time that gives one request back.
    interval: Duration,
    /// When everything will have been given back.
    full_at: Mutex<Duration>,
}

impl RateLimit {
    pub(crate) fn per_second(requests: NonZeroU32) -> Self {
        Self { interval: SECOND / requests.get(), full_at: Mutex::default() }
    }

    /// Takes a request; or says how long to wait for the next one.
    pub(crate) fn take(&self, now: Duration) -> Result<(), Duration> {
        let mut full_at = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        let next = now.max(*full_at).saturating_add(self.interval);
        let wait = next.saturating_sub(now.saturating_add(SECOND));
        if wait.is_zero() {
            *full_at = next;
            return Ok(());
        }
        Err(wait)
    }
}
