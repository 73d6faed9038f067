use std::sync::Barrier;
use std::sync::atomic::Ordering;
use std::time::Duration;

use http::HeaderMap;
use http::header::RETRY_AFTER;
use proptest::prelude::*;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::backoff::parse_retry_after;
use super::classify::Classification;
use super::*;
use crate::clock::Clock;
use crate::error::Outcome;
use crate::operation::Idempotency;
use crate::transport::TransportErrorKind as Kind;

/// A clock that stands still, with fixed random numbers.
struct Still {
    now: OffsetDateTime,
    dice: u32,
}

impl Clock for Still {
    fn now(&self) -> OffsetDateTime {
        self.now
    }

    fn elapsed(&self) -> Duration {
        Duration::ZERO
    }

    fn sleep(&self, _: Duration) {}

    fn jitter(&self, max: Duration) -> Duration {
        max * self.dice / 1000
    }
}

fn dice(dice: u32) -> Still {
    at("2026-03-01T12:00:00Z", dice)
}

fn at(now: &str, dice: u32) -> Still {
    Still { now: OffsetDateTime::parse(now, &Rfc3339).unwrap(), dice }
}

const SECOND: Duration = Duration::from_secs(1);

fn limited(retry_after: Option<Duration>, remaining: Duration) -> RetryContext {
    let failure = AttemptFailure::Status(429);
    RetryContext {
        classification: classified(Idempotency::NonIdempotent, failure),
        failure,
        attempts: 1,
        retry_after,
        remaining,
    }
}

fn classified(idempotency: Idempotency, failure: AttemptFailure) -> Classification {
    classify(idempotency, failure, false)
}

fn classification_text(idempotency: Idempotency, failure: AttemptFailure) -> String {
    let Classification { outcome, retryable } = classified(idempotency, failure);
    format!("{} {outcome:?}", if retryable { "again" } else { "once" })
}

/// The meaning of a failure for a read, a removal and a create or refresh.
#[track_caller]
fn assert_classified(failure: AttemptFailure, expected: [&str; 3]) {
    let found = [Idempotency::Safe, Idempotency::Idempotent, Idempotency::NonIdempotent]
        .map(|idempotency| classification_text(idempotency, failure));
    assert_eq!(found, expected, "{failure:?}");
}

#[test]
fn every_status_for_every_safety() {
    for status in 100..=999 {
        let expected = match status {
            200..=299 => continue,
            429 => ["again Rejected"; 3],
            400 | 401 | 403 | 404 | 405 | 406 | 409 | 410 | 411 | 412 | 413 | 414 | 415 | 417 | 421 | 422 | 425
            | 428 | 431 => ["once Rejected"; 3],
            300..=399 => ["once Rejected", "once Unknown", "once Unknown"],
            408 | 500 | 502 | 503 | 504 => ["again Unknown", "again Unknown", "once Unknown"],
            _ => ["once Unknown"; 3],
        };
        assert_classified(AttemptFailure::Status(status), expected);
    }
}

#[test]
fn every_transport_error_for_every_safety() {
    for kind in [Kind::Resolve, Kind::Connect, Kind::Timeout, Kind::Interrupted] {
        assert_classified(AttemptFailure::Transport { kind, sent: false }, ["again NotSent"; 3]);
        let sent = AttemptFailure::Transport { kind, sent: true };
        assert_classified(sent, ["again Unknown", "again Unknown", "once Unknown"]);
    }
    for kind in [Kind::Tls, Kind::Proxy, Kind::Protocol, Kind::TooLarge, Kind::Configuration, Kind::Other] {
        assert_classified(AttemptFailure::Transport { kind, sent: false }, ["once NotSent"; 3]);
        assert_classified(AttemptFailure::Transport { kind, sent: true }, ["once Unknown"; 3]);
    }
}

#[test]
fn answers_of_success_that_are_none() {
    assert_classified(AttemptFailure::Truncated, ["again Unknown", "again Unknown", "once Unknown"]);
    assert_classified(AttemptFailure::WrongContent, ["once Applied", "once Unknown", "once Applied"]);
    assert_classified(AttemptFailure::ForeignContent, ["once Applied", "once Unknown", "once Unknown"]);
}

#[test]
fn a_refusal_does_not_undo_an_earlier_attempt() {
    for failure in [AttemptFailure::Status(404), AttemptFailure::Transport { kind: Kind::Connect, sent: false }] {
        let outcome = |idempotency| classify(idempotency, failure, true).outcome;
        assert_ne!(outcome(Idempotency::Safe), Outcome::Unknown);
        assert_eq!(outcome(Idempotency::Idempotent), Outcome::Unknown);
        assert_eq!(outcome(Idempotency::NonIdempotent), Outcome::Unknown);
    }
}

#[test]
fn only_429_and_503_are_asked_for_a_time() {
    for status in [408, 500, 502, 504] {
        assert!(!AttemptFailure::Status(status).honours_retry_after());
    }
    for status in [429, 503] {
        assert!(AttemptFailure::Status(status).honours_retry_after());
    }
    let failed = RetryContext {
        classification: classified(Idempotency::Safe, AttemptFailure::Status(500)),
        failure: AttemptFailure::Status(500),
        attempts: 1,
        retry_after: Some(SECOND * 5),
        remaining: SECOND * 60,
    };
    let delay = RetryPolicy::default().next_delay(&failed, &Budget::new(), &dice(1000));
    assert_eq!(delay, Some(SECOND / 2));
}

#[test]
fn the_backoff_doubles_up_to_its_cap() {
    let policy = RetryPolicy::default().max_attempts(10);
    let delays = |thousandths| -> Vec<u128> {
        (1..10)
            .map(|attempts| {
                let failed = RetryContext { attempts, ..limited(None, SECOND * 60) };
                policy.next_delay(&failed, &Budget::new(), &dice(thousandths)).unwrap().as_millis()
            })
            .collect()
    };
    assert_eq!(delays(1000), [500, 1000, 2000, 4000, 8000, 8000, 8000, 8000, 8000]);
    assert_eq!(delays(500), [250, 500, 1000, 2000, 4000, 4000, 4000, 4000, 4000]);
    assert_eq!(delays(0), [0; 9]);
    // Dice that throw too high do not count.
    assert_eq!(delays(3000), delays(1000));
}

#[test]
fn no_attempt_after_the_last() {
    for max in 1..=10 {
        let policy = RetryPolicy::default().max_attempts(max);
        let next = |attempts| {
            let failed = RetryContext { attempts, ..limited(None, SECOND * 60) };
            policy.next_delay(&failed, &Budget::new(), &dice(0))
        };
        assert!((1..max).all(|attempts| next(attempts).is_some()));
        assert_eq!((next(max), next(max + 1)), (None, None));
    }
}

#[test]
fn an_asked_for_wait_is_never_shortened() {
    let wait = |asked, dice_thrown, remaining| {
        RetryPolicy::default().next_delay(&limited(Some(asked), remaining), &Budget::new(), &dice(dice_thrown))
    };
    let minute = SECOND * 60;
    assert_eq!(wait(SECOND * 2, 0, minute), Some(SECOND * 2));
    assert_eq!(wait(SECOND * 2, 1000, minute), Some(Duration::from_millis(2200)));
    assert_eq!(wait(Duration::ZERO, 1000, minute), Some(Duration::from_millis(500)));
    // The cap, and one more.
    assert_eq!(wait(minute, 0, minute * 2), Some(minute));
    assert_eq!(wait(minute + Duration::from_nanos(1), 0, minute * 2), None);
    assert_eq!(wait(Duration::from_secs(u64::MAX), 1000, minute), None);
    // The end of the call: what would end with it is not begun.
    assert_eq!(wait(SECOND * 2, 0, SECOND * 2), None);
    assert_eq!(wait(SECOND * 2, 0, SECOND * 2 + Duration::from_nanos(1)), Some(SECOND * 2));
    assert_eq!(wait(SECOND * 2, 1000, Duration::from_millis(2200)), None);
}

#[test]
fn a_refused_retry_costs_nothing() {
    let policy = RetryPolicy::default();
    let budget = Budget::new();
    let no_time = limited(None, Duration::from_millis(1));
    let too_late = RetryContext { attempts: 3, ..limited(None, SECOND * 60) };
    let too_long = limited(Some(SECOND * 86_400), SECOND * 60);
    let no_use = RetryContext {
        classification: classified(Idempotency::NonIdempotent, AttemptFailure::WrongContent),
        failure: AttemptFailure::WrongContent,
        ..limited(None, SECOND * 60)
    };
    for failed in [no_time, too_late, too_long, no_use] {
        assert_eq!(policy.next_delay(&failed, &budget, &dice(1000)), None);
    }
    assert_eq!(budget.0.load(Ordering::Relaxed), 100);
}

#[test]
fn retries_cost_more_after_a_timeout() {
    let budget = Budget::new();
    let policy = RetryPolicy::default();
    let timeout = AttemptFailure::Transport { kind: Kind::Timeout, sent: false };
    let mut left = Vec::new();
    for failure in [timeout, AttemptFailure::Transport { kind: Kind::Connect, sent: false }, AttemptFailure::Truncated]
    {
        let failed = RetryContext {
            classification: classified(Idempotency::Safe, failure),
            failure,
            ..limited(None, SECOND * 60)
        };
        assert!(policy.next_delay(&failed, &budget, &dice(0)).is_some());
        left.push(budget.0.load(Ordering::Relaxed));
    }
    assert_eq!(left, [90, 85, 80]);
}

#[test]
fn a_call_gets_what_is_left_of_its_time() {
    let policy = RetryPolicy::default();
    let budget = |remaining| policy.attempt_timeout_within(remaining);
    assert_eq!(budget(SECOND * 60), SECOND * 30);
    assert_eq!(budget(SECOND * 7), SECOND * 7);
    assert_eq!(budget(Duration::from_nanos(1)), Duration::from_millis(1));
    assert_eq!(budget(Duration::MAX), SECOND * 30);
    assert_eq!(
        RetryPolicy::default().attempt_timeout(SECOND * 3600).attempt_timeout_within(Duration::MAX),
        SECOND * 3600
    );
}

#[test]
fn every_setting_is_checked() {
    let message = |policy: RetryPolicy| policy.validate().unwrap_err().to_string();
    for attempts in [0, 11, u32::MAX] {
        let found = message(RetryPolicy::default().max_attempts(attempts));
        assert_eq!(found, "configuration: `retry.max_attempts` must be from 1 to 10");
    }
    type Set = fn(RetryPolicy, Duration) -> RetryPolicy;
    let setters: [(&str, Set); 4] = [
        ("base_delay", RetryPolicy::base_delay),
        ("max_delay", RetryPolicy::max_delay),
        ("max_retry_after", RetryPolicy::max_retry_after),
        ("attempt_timeout", RetryPolicy::attempt_timeout),
    ];
    for (name, set) in setters {
        let hour = SECOND * 3600;
        for bad in [Duration::ZERO, Duration::from_micros(999), hour + Duration::from_nanos(1), Duration::MAX] {
            let found = message(set(RetryPolicy::default(), bad));
            assert_eq!(found, format!("configuration: `retry.{name}` must be from 1 ms to 1 h"));
        }
        for good in [Duration::from_millis(1), hour] {
            assert!(set(RetryPolicy::default(), good).validate().is_ok());
        }
    }
    for policy in [RetryPolicy::none(), RetryPolicy::default(), RetryPolicy::default().max_attempts(10)] {
        assert!(policy.validate().is_ok());
    }
}

#[track_caller]
fn assert_wait(clock: &Still, values: &[&str], expected: Option<u64>) {
    let mut headers = HeaderMap::new();
    for value in values {
        headers.append(RETRY_AFTER, value.parse().unwrap());
    }
    assert_eq!(retry_after(&headers, clock), expected.map(Duration::from_secs), "{values:?}");
}

#[test]
fn waits_in_seconds() {
    let clock = dice(0);
    assert_wait(&clock, &[], None);
    assert_wait(&clock, &["0"], Some(0));
    assert_wait(&clock, &["2"], Some(2));
    assert_wait(&clock, &[" 2 "], Some(2));
    assert_wait(&clock, &["007"], Some(7));
    assert_wait(&clock, &["86400"], Some(86_400));
    assert_wait(&clock, &["18446744073709551615"], Some(u64::MAX));
    assert_wait(&clock, &["99999999999999999999"], Some(u64::MAX));
    for nonsense in ["", " ", "-1", "+1", "1.5", "1e3", "soon", "2s", "1 2", "0x10", "٢"] {
        assert_wait(&clock, &[nonsense], None);
    }
    assert_wait(&clock, &["2", "7"], Some(7));
    assert_wait(&clock, &["7", "2"], Some(7));
    assert_wait(&clock, &["soon", "2"], Some(2));
    assert_wait(&clock, &["99999999999999999999", "2"], Some(u64::MAX));
}

#[test]
fn waits_until_a_date() {
    let clock = dice(0);
    assert_wait(&clock, &["Sun, 01 Mar 2026 12:00:10 GMT"], Some(10));
    assert_wait(&clock, &["Sunday, 01-Mar-26 12:00:10 GMT"], Some(10));
    assert_wait(&clock, &["Sun Mar  1 12:00:10 2026"], Some(10));
    assert_wait(&clock, &["Sun, 01 Mar 2026 12:00:00 GMT"], Some(0));
    assert_wait(&clock, &["Sat, 28 Feb 2026 12:00:00 GMT"], Some(0));
    assert_wait(&clock, &["Thu, 01 Jan 1970 00:00:00 GMT"], Some(0));
    assert_wait(&clock, &["Mon, 02 Mar 2026 12:00:00 GMT", "5"], Some(86_400));
    assert_wait(&clock, &["Sun, 31 Feb 2026 12:00:00 GMT"], None);
    assert_wait(&clock, &["2026-03-01T12:00:10Z"], None);
    // A clock that stands before the epoch has nothing to compare with.
    assert_wait(&at("1969-12-31T23:59:59Z", 0), &["Sun, 01 Mar 2026 12:00:10 GMT"], None);
    assert_wait(&at("9999-12-31T23:59:59Z", 0), &["Sun, 01 Mar 2026 12:00:10 GMT"], None);
}

#[test]
fn a_budget_holds_when_threads_share_it() {
    let budget = Budget::new();
    let barrier = Barrier::new(16);
    let paid: usize = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..16)
            .map(|_| {
                scope.spawn(|| {
                    barrier.wait();
                    (0..100).filter(|_| budget.withdraw(5)).count()
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!((paid, budget.0.load(Ordering::Relaxed)), (20, 0));
    std::thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| (0..100).for_each(|_| budget.deposit()));
        }
    });
    assert_eq!(budget.0.load(Ordering::Relaxed), Budget::FULL);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_budget_stays_within_its_bounds(moves in prop::collection::vec(prop_oneof![Just(0_u32), Just(5), Just(10)], 0..300)) {
        let budget = Budget::new();
        let mut tokens = 100_u32;
        for cost in moves {
            if cost == 0 {
                budget.deposit();
                tokens = (tokens + 1).min(100);
            } else {
                let paid = budget.withdraw(cost);
                prop_assert_eq!(paid, tokens >= cost);
                tokens -= if paid { cost } else { 0 };
            }
            prop_assert_eq!(budget.0.load(Ordering::Relaxed), tokens);
        }
    }

    #[test]
    fn every_delay_is_within_its_bounds(
        attempts in 1_u32..12,
        base in 1_u64..5000,
        cap in 1_u64..20_000,
        asked in prop::option::of(0_u64..100_000),
        remaining in 0_u64..100_000,
        thrown in 0_u32..=1000,
    ) {
        let millis = Duration::from_millis;
        let policy = RetryPolicy::default().max_attempts(10).base_delay(millis(base)).max_delay(millis(cap));
        let failed = RetryContext { attempts, ..limited(asked.map(millis), millis(remaining)) };
        if let Some(delay) = policy.next_delay(&failed, &Budget::new(), &dice(thrown)) {
            let backoff = millis(base.saturating_mul(1 << (attempts - 1)).min(cap));
            let asked = asked.map(millis).unwrap_or_default();
            prop_assert!(attempts < 10);
            prop_assert!(delay >= asked);
            prop_assert!(delay <= backoff.max(asked) + asked / 10);
            prop_assert!(delay < millis(remaining));
            prop_assert!(asked <= Duration::from_secs(60));
        }
    }

    #[test]
    fn the_dates_of_http_are_read_back(seconds in 0_u64..253_402_300_800) {
        let date = httpdate::fmt_http_date(std::time::UNIX_EPOCH + Duration::from_secs(seconds));
        let expected = seconds.saturating_sub(u64::try_from(dice(0).now.unix_timestamp()).unwrap());
        prop_assert_eq!(parse_retry_after(&date, &dice(0)), Some(Duration::from_secs(expected)));
    }
}
