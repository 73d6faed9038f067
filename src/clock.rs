//! Time and chance, passed in wherever they decide something.

use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use time::OffsetDateTime;

/// The source of time and random numbers of a client. The default is [`SystemClock`].
///
/// Tests of code that waits for retries bring a clock whose [`sleep`](Self::sleep) does not wait; the emulator's
/// `ManualClock` is one.
pub trait Clock: Send + Sync {
    /// The date and time, for expiries and for the date in a `Retry-After`.
    fn now(&self) -> OffsetDateTime;

    /// The time since a fixed moment, which never goes back, for deadlines.
    fn elapsed(&self) -> Duration;

    /// Waits.
    fn sleep(&self, duration: Duration);

    /// A random duration from 0 to `max`: the jitter of the retry policy.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_goes_on_and_waits_are_waited() {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let (before, date) = (clock.elapsed(), clock.now());
        let wait = Duration::from_millis(20);
        Clock::sleep(&clock, wait);
        assert!(Clock::elapsed(&clock) >= before + wait);
        assert!(date > OffsetDateTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000));
    }

    #[test]
    fn jitter_is_anything_up_to_its_bound() {
        let clock = Arc::new(SystemClock);
        let max = Duration::from_secs(1);
        let thrown: Vec<Duration> = (0..100).map(|_| Clock::jitter(&clock, max)).collect();
        assert!(thrown.iter().all(|jitter| *jitter <= max));
        // That all of them are on one side has a chance of one in 10³⁰.
        assert!(thrown.iter().any(|jitter| *jitter < max / 2) && thrown.iter().any(|jitter| *jitter > max / 2));
        assert_eq!(clock.jitter(Duration::ZERO), Duration::ZERO);
        // Nothing overflows.
        clock.jitter(Duration::MAX);
    }
}
