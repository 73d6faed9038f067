//! Time and chance, passed in wherever they decide something.

use std::fmt;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use time::OffsetDateTime;

/// Time and chance, as a client sees them. The default is [`SystemClock`].
///
/// Tests of code that waits for retries bring a clock whose [`sleep`](Self::sleep) does not wait; the emulator's
/// `ManualClock` is one.
pub trait Clock: Send + Sync {
    /// The date and time: whether an expiry is in the past, how far away the date in a `Retry-After` is.
    fn now(&self) -> OffsetDateTime;

    /// The time since a fixed moment, never going back: deadlines are counted on it.
    fn elapsed(&self) -> Duration;

    /// Waits.
    fn sleep(&self, duration: Duration);

    /// A random duration from nothing up to `max`: the jitter of the retry policy.
    fn jitter(&self, max: Duration) -> Duration;
}

impl<C: Clock + ?Sized> Clock for Arc<C> {
    fn now(&self) -> OffsetDateTime {
        (**self).now()
    }

    fn elapsed(&self) -> Duration {
        (**self).elapsed()
    }

    fn sleep(&self, duration: Duration) {
        (**self).sleep(duration);
    }

    fn jitter(&self, max: Duration) -> Duration {
        (**self).jitter(max)
    }
}

/// The clock of the operating system, and a pseudo-random jitter.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> OffsetDateTime {
        OffsetDateTime::now_utc()
    }

    fn elapsed(&self) -> Duration {
        static START: LazyLock<Instant> = LazyLock::new(Instant::now);
        START.elapsed()
    }

    fn sleep(&self, duration: Duration) {
        std::thread::sleep(duration);
    }

    fn jitter(&self, max: Duration) -> Duration {
        max.mul_f64(fastrand::f64())
    }
}

impl fmt::Debug for dyn Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}
