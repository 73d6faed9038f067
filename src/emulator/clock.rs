//! A clock that tests move by hand.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use time::{OffsetDateTime, UtcOffset};

use crate::clock::{Clock, SystemClock};

/// A [`Clock`] that can be set and moved. Clones show the same time.
///
/// The emulator reads one, and a client may be given the same one: then an expiry, a grace period and a wait between
/// retries are all counted on it.
///
/// ```
/// use std::time::Duration;
///
/// use arize_api_keys::Clock;
/// use arize_api_keys::emulator::ManualClock;
/// use time::OffsetDateTime;
///
/// let clock = ManualClock::at(OffsetDateTime::UNIX_EPOCH);
/// clock.advance(Duration::from_secs(60));
/// clock.sleep(Duration::from_secs(1)); // returns at once
/// assert_eq!(clock.now().unix_timestamp(), 61);
/// ```
#[derive(Clone)]
pub struct ManualClock {
    face: Arc<Mutex<Face>>,
}

/// The time of the clock, and the part of it that was moved by hand.
struct Face {
    hands: Hands,
    /// The part of [`Clock::elapsed`] that comes from moving the clock forward. It never shrinks.
    moved: Duration,
}

#[derive(Clone, Copy)]
pub(crate) enum Hands {
    Standing(OffsetDateTime),
    /// The distance to the system's time.
    Running(time::Duration),
}

impl ManualClock {
    /// A clock that shows `now` until it is moved. Its [`sleep`](Clock::sleep) moves it instead of waiting.
    #[must_use]
    pub fn at(now: OffsetDateTime) -> Self {
        Self::with(Hands::Standing(utc(now)))
    }

    /// A clock that runs with the system's, from wherever it is moved to. Its [`sleep`](Clock::sleep) waits.
    #[must_use]
    pub fn running() -> Self {
        Self::with(Hands::Running(time::Duration::ZERO))
    }

    fn with(hands: Hands) -> Self {
        Self { face: Arc::new(Mutex::new(Face { hands, moved: Duration::ZERO })) }
    }

    /// Moves the clock forward.
    pub fn advance(&self, by: Duration) {
        let step = time::Duration::try_from(by).unwrap_or(time::Duration::MAX);
        let mut face = self.face();
        face.moved = face.moved.saturating_add(by);
        match &mut face.hands {
            Hands::Standing(now) => *now = now.saturating_add(step),
            Hands::Running(offset) => *offset = offset.saturating_add(step),
        }
    }

    /// Sets the clock, forward or back. [`Clock::elapsed`] does not go back with it.
    pub fn set(&self, to: OffsetDateTime) {
        let to = utc(to);
        let mut face = self.face();
        let by = to - face.now();
        if by.is_positive() {
            face.moved = face.moved.saturating_add(by.unsigned_abs());
        }
        match &mut face.hands {
            Hands::Standing(now) => *now = to,
            Hands::Running(offset) => *offset = offset.saturating_add(by),
        }
    }

    pub(crate) fn hands(&self) -> Hands {
        self.face().hands
    }

    /// Restores an earlier reading of [`hands`](Self::hands). [`Clock::elapsed`] does not go back with it.
    pub(crate) fn set_hands(&self, hands: Hands) {
        self.face().hands = hands;
    }

    fn face(&self) -> MutexGuard<'_, Face> {
        self.face.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Face {
    fn now(&self) -> OffsetDateTime {
        match self.hands {
            Hands::Standing(now) => now,
            Hands::Running(offset) => SystemClock.now().saturating_add(offset),
        }
    }
}

impl Clock for ManualClock {
    fn now(&self) -> OffsetDateTime {
        self.face().now()
    }

    fn elapsed(&self) -> Duration {
        let face = self.face();
        match face.hands {
            Hands::Standing(_) => face.moved,
            Hands::Running(_) => SystemClock.elapsed().saturating_add(face.moved),
        }
    }

    fn sleep(&self, duration: Duration) {
        // The lock is not held while waiting: somebody else may want to move the clock meanwhile.
        let stands = matches!(self.face().hands, Hands::Standing(_));
        if stands {
            self.advance(duration);
        } else {
            SystemClock.sleep(duration);
        }
    }

    /// Always `max`: what waits for it waits equally long on every run.
    fn jitter(&self, max: Duration) -> Duration {
        max
    }
}

impl fmt::Debug for ManualClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ManualClock({})", self.now())
    }
}

/// In UTC, unless it lies so close to the end of time that its UTC date has five digits.
fn utc(moment: OffsetDateTime) -> OffsetDateTime {
    moment.checked_to_offset(UtcOffset::UTC).unwrap_or(moment)
}
