//! The clock of the emulator.

use std::time::Duration;

use arize_api_keys::Clock;
use arize_api_keys::emulator::ManualClock;
use time::OffsetDateTime;

#[test]
fn setting_back_does_not_take_elapsed_back() {
    let clock = ManualClock::at(OffsetDateTime::UNIX_EPOCH + time::Duration::hours(1));
    clock.set(OffsetDateTime::UNIX_EPOCH);
    assert_eq!(clock.elapsed(), Duration::ZERO);
    clock.set(OffsetDateTime::UNIX_EPOCH + time::Duration::seconds(5));
    clock.clone().advance(Duration::from_secs(2));
    assert_eq!(clock.elapsed(), Duration::from_secs(7));
    assert_eq!(clock.now().unix_timestamp(), 7);
    assert_eq!(clock.jitter(Duration::from_secs(3)), Duration::from_secs(3));
}

#[test]
fn no_distance_is_too_far() {
    let clock = ManualClock::at(OffsetDateTime::UNIX_EPOCH);
    clock.advance(Duration::MAX);
    clock.advance(Duration::MAX);
    assert_eq!(clock.now().year(), 9999);
    let clock = ManualClock::running();
    clock.advance(Duration::MAX);
    assert_eq!(clock.now().year(), 9999);
    assert_eq!(clock.elapsed(), Duration::MAX);
}
