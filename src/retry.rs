//! What may be tried again, and when: pure functions, with clock and dice passed in.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use http::HeaderMap;
use http::header::RETRY_AFTER;

use crate::call::Safety;
use crate::clock::Clock;
use crate::error::{ConfigError, Outcome};
use crate::transport::TransportErrorKind;

/// When a call is tried again.
///
/// | what happened | list | revoke, delete | create, refresh |
/// |---|---|---|---|
/// | no request reached the service (no name, no connection, no handshake) | again | again | again |
/// | 429 | again | again | again ([switch](Self::retry_rate_limited_writes)) |
/// | 408, 500, 502, 503, 504 | again | again | no |
/// | the connection broke or time ran out after sending | again | again | no |
/// | anything else | no | no | no |
///
/// Creating and refreshing mint a secret: they are sent again only if the first request cannot have been processed.
/// Between attempts the client waits a random time up to `base_delay · 2ⁿ`, at most `max_delay`, or as long as
/// `Retry-After` asks, with up to a tenth on top. A `Retry-After` that is longer than
/// [`max_retry_after`](Self::max_retry_after) or than what is left of the
/// [timeout of the call](crate::ClientBuilder::timeout) is not waited for: the error comes at once, and
/// [`Error::retry_after`](crate::Error::retry_after) tells how long.
///
/// A budget that the clones of a client share keeps a failing service from being hit harder: it holds 100 tokens, a
/// retry costs 5 (10 after a timeout), a success gives back 1. With none left, errors come at once.
///
/// ```
/// use std::time::Duration;
/// use arize_api_keys::{ApiKeysClient, RetryPolicy};
///
/// let patient = RetryPolicy::default().max_attempts(5).max_delay(Duration::from_secs(20));
/// let builder = ApiKeysClient::builder().ignore_env().api_key("ak-for-the-docs").retry(patient);
/// # let builder = builder.transport(|_| Ok(arize_api_keys::http::Response::default()));
/// let client = builder.build()?;
/// # Ok::<(), arize_api_keys::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct RetryPolicy {
    max_attempts: u32,
    base_delay: Duration,
    max_delay: Duration,
    max_retry_after: Duration,
    attempt_timeout: Duration,
    retry_rate_limited_writes: bool,
    retry_unavailable_writes: bool,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            max_attempts: 3,
            base_delay: Duration::from_millis(500),
            max_delay: Duration::from_secs(8),
            max_retry_after: Duration::from_secs(60),
            attempt_timeout: Duration::from_secs(30),
            retry_rate_limited_writes: true,
            retry_unavailable_writes: false,
        }
    }
}

/// The shortest and the longest duration that a setting takes: an hour is far beyond any use, and far below what
/// overflows a clock.
pub(crate) const DURATIONS: std::ops::RangeInclusive<Duration> = Duration::from_millis(1)..=Duration::from_secs(3600);

impl RetryPolicy {
    /// One attempt, no more.
    pub fn none() -> Self {
        Self { max_attempts: 1, ..Self::default() }
    }

    /// How many requests one step of a call may cost, 1 to 10. Default 3.
    pub fn max_attempts(mut self, attempts: u32) -> Self {
        self.max_attempts = attempts;
        self
    }

    /// The upper end of the first wait; it doubles with every attempt. 1 ms to 1 h, default 500 ms.
    pub fn base_delay(mut self, delay: Duration) -> Self {
        self.base_delay = delay;
        self
    }

    /// The longest wait that the client chooses by itself. 1 ms to 1 h, default 8 s.
    pub fn max_delay(mut self, delay: Duration) -> Self {
        self.max_delay = delay;
        self
    }

    /// The longest `Retry-After` that is waited for. 1 ms to 1 h, default 60 s.
    pub fn max_retry_after(mut self, wait: Duration) -> Self {
        self.max_retry_after = wait;
        self
    }

    /// The time that one attempt may take. 1 ms to 1 h, default 30 s.
    pub fn attempt_timeout(mut self, timeout: Duration) -> Self {
        self.attempt_timeout = timeout;
        self
    }

    /// Whether create and refresh are tried again after a 429: a rate limiter refuses before anything is done.
    /// Default true.
    pub fn retry_rate_limited_writes(mut self, retry: bool) -> Self {
        self.retry_rate_limited_writes = retry;
        self
    }

    /// Whether create and refresh are tried again after a 503 with a problem document and a `Retry-After`, that is, on
    /// the service's own word that it did nothing. Default false: a gateway may answer 503 after the service was reached,
    /// and then a second key is minted.
    pub fn retry_unavailable_writes(mut self, retry: bool) -> Self {
        self.retry_unavailable_writes = retry;
        self
    }

    pub(crate) fn validate(&self) -> Result<(), ConfigError> {
        if !(1..=10).contains(&self.max_attempts) {
            return Err(ConfigError::new("retry.max_attempts", "must be from 1 to 10"));
        }
        let durations = [
            ("retry.base_delay", self.base_delay),
            ("retry.max_delay", self.max_delay),
            ("retry.max_retry_after", self.max_retry_after),
            ("retry.attempt_timeout", self.attempt_timeout),
        ];
        for (setting, value) in durations {
            if !DURATIONS.contains(&value) {
                return Err(ConfigError::new(setting, "must be from 1 ms to 1 h"));
            }
        }
        Ok(())
    }

    /// The time for the next attempt.
    pub(crate) fn attempt_budget(&self, remaining: Duration) -> Duration {
        self.attempt_timeout.min(remaining).clamp(*DURATIONS.start(), *DURATIONS.end())
    }

    /// Whether a 503 is believed that says by its form that the service did nothing.
    pub(crate) fn trusts_unavailable(&self) -> bool {
        self.retry_unavailable_writes
    }

    /// Whether this policy tries again what [`judge`] found retryable.
    fn allows(&self, safety: Safety, signal: Signal) -> bool {
        match (safety, signal) {
            (Safety::Mint, Signal::Status { status: 429, .. }) => self.retry_rate_limited_writes,
            _ => true,
        }
    }

    /// How long to wait before the attempt after `attempts`; `None` if there shall be none.
    pub(crate) fn next_delay(&self, failed: &Failed, budget: &Budget, clock: &dyn Clock) -> Option<Duration> {
        let Failed { safety, signal, attempts, retry_after, remaining } = *failed;
        if attempts >= self.max_attempts || !judge(safety, signal).retryable || !self.allows(safety, signal) {
            return None;
        }
        let ceiling = self.base_delay.saturating_mul(1 << (attempts - 1).min(16)).min(self.max_delay);
        let mut delay = clock.jitter(ceiling).min(ceiling);
        if let Some(wait) = retry_after.filter(|_| signal.honours_retry_after()) {
            if wait > self.max_retry_after {
                return None;
            }
            delay = delay.max(wait).saturating_add(clock.jitter(wait / 10));
        }
        (delay < remaining && budget.withdraw(signal.cost())).then_some(delay)
    }
}

/// An attempt that failed, as the policy sees it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Failed {
    pub(crate) safety: Safety,
    pub(crate) signal: Signal,
    /// Attempts made so far, this one included.
    pub(crate) attempts: u32,
    pub(crate) retry_after: Option<Duration>,
    /// What is left of the time for the whole call.
    pub(crate) remaining: Duration,
}

/// How an attempt failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signal {
    /// A final status that is not success; `vouched` if a problem document and a `Retry-After` came with it, and the
    /// policy believes them.
    Status { status: u16, vouched: bool },
    /// No whole response; `sent` unless it is certain that no complete request left.
    Transport { kind: TransportErrorKind, sent: bool },
    /// A 2xx to a read whose body ends early.
    Truncated,
    /// A 2xx with the wrong content.
    WrongContent,
}

impl Signal {
    fn honours_retry_after(self) -> bool {
        matches!(self, Self::Status { status: 429 | 503, .. })
    }

    fn cost(self) -> u32 {
        if matches!(self, Self::Transport { kind: TransportErrorKind::Timeout, .. }) { 10 } else { 5 }
    }
}

/// What a failed attempt means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) outcome: Outcome,
    /// Another attempt may succeed, and cannot do the thing twice.
    pub(crate) retryable: bool,
}

/// What a failed attempt means for a call of this safety.
pub(crate) fn judge(safety: Safety, signal: Signal) -> Verdict {
    let repeatable = safety != Safety::Mint;
    let (outcome, retryable) = match signal {
        Signal::Status { status, vouched } => {
            let retryable = match status {
                429 => true,
                503 if vouched => true,
                408 | 500 | 502 | 503 | 504 => repeatable,
                _ => false,
            };
            (outcome_of_status(safety, status), retryable)
        }
        Signal::Transport { kind, sent: false } => (Outcome::NotSent, kind.is_transient()),
        Signal::Transport { kind, sent: true } => (Outcome::Unknown, repeatable && kind.is_transient()),
        Signal::Truncated => (Outcome::Unknown, repeatable),
        // A login page in place of an empty answer proves nothing about the key.
        Signal::WrongContent if safety == Safety::Remove => (Outcome::Unknown, false),
        Signal::WrongContent => (Outcome::Applied, false),
    };
    Verdict { outcome, retryable }
}

fn outcome_of_status(safety: Safety, status: u16) -> Outcome {
    match status {
        400 | 401 | 403 | 404 | 405 | 406 | 409..=415 | 417 | 421 | 422 | 425 | 428 | 429 | 431 => Outcome::Rejected,
        // Whoever redirects a read has not answered it.
        300..=399 if safety == Safety::Read => Outcome::Rejected,
        _ => Outcome::Unknown,
    }
}

/// The retry budget that the clones of a client share.
#[derive(Debug)]
pub(crate) struct Budget(AtomicU32);

impl Budget {
    const FULL: u32 = 100;

    pub(crate) fn new() -> Self {
        Self(AtomicU32::new(Self::FULL))
    }

    fn withdraw(&self, cost: u32) -> bool {
        let withdrawn = |tokens: u32| tokens.checked_sub(cost);
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, withdrawn).is_ok()
    }

    pub(crate) fn deposit(&self) {
        // Nearly always full: then nothing is written, and no cache line taken from other threads.
        let deposited = |tokens: u32| (tokens < Self::FULL).then_some(tokens + 1);
        let _ = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, deposited);
    }
}

/// The longest wait that the `Retry-After` headers ask for: whole seconds, or an HTTP date. What is neither counts as
/// absent, a date in the past as no wait.
pub(crate) fn retry_after(headers: &HeaderMap, clock: &dyn Clock) -> Option<Duration> {
    headers.get_all(RETRY_AFTER).iter().filter_map(|value| parse_retry_after(value.to_str().ok()?, clock)).max()
}

fn parse_retry_after(value: &str, clock: &dyn Clock) -> Option<Duration> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit()) {
        // Digits alone fail to parse only by being too many.
        return Some(Duration::from_secs(value.parse().unwrap_or(u64::MAX)));
    }
    let date = httpdate::parse_http_date(value).ok()?.duration_since(std::time::UNIX_EPOCH).ok()?;
    let now = Duration::from_nanos(u64::try_from(clock.now().unix_timestamp_nanos()).ok()?);
    Some(date.saturating_sub(now))
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;

    use proptest::prelude::*;
    use time::OffsetDateTime;
    use time::format_description::well_known::Rfc3339;

    use super::*;
    use TransportErrorKind as Kind;

    /// A clock at one moment, with dice that throw a fixed part, in thousandths, of what is asked for.
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

    fn limited(retry_after: Option<Duration>, remaining: Duration) -> Failed {
        let signal = Signal::Status { status: 429, vouched: false };
        Failed { safety: Safety::Mint, signal, attempts: 1, retry_after, remaining }
    }

    fn verdict(safety: Safety, signal: Signal) -> String {
        let Verdict { outcome, retryable } = judge(safety, signal);
        format!("{} {outcome:?}", if retryable { "again" } else { "once" })
    }

    /// What a signal means for a read, a removal and a mint.
    #[track_caller]
    fn assert_verdicts(signal: Signal, expected: [&str; 3]) {
        let found = [Safety::Read, Safety::Remove, Safety::Mint].map(|safety| verdict(safety, signal));
        assert_eq!(found, expected, "{signal:?}");
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
            assert_verdicts(Signal::Status { status, vouched: false }, expected);
            let vouched = if status == 503 { ["again Unknown"; 3] } else { expected };
            assert_verdicts(Signal::Status { status, vouched: true }, vouched);
        }
    }

    #[test]
    fn every_transport_error_for_every_safety() {
        for kind in [Kind::Resolve, Kind::Connect, Kind::Timeout, Kind::Interrupted] {
            assert_verdicts(Signal::Transport { kind, sent: false }, ["again NotSent"; 3]);
            let sent = Signal::Transport { kind, sent: true };
            assert_verdicts(sent, ["again Unknown", "again Unknown", "once Unknown"]);
        }
        for kind in [Kind::Tls, Kind::Proxy, Kind::Protocol, Kind::TooLarge, Kind::Configuration, Kind::Other] {
            assert_verdicts(Signal::Transport { kind, sent: false }, ["once NotSent"; 3]);
            assert_verdicts(Signal::Transport { kind, sent: true }, ["once Unknown"; 3]);
        }
    }

    #[test]
    fn answers_of_success_that_are_none() {
        assert_verdicts(Signal::Truncated, ["again Unknown", "again Unknown", "once Unknown"]);
        assert_verdicts(Signal::WrongContent, ["once Applied", "once Unknown", "once Applied"]);
    }

    #[test]
    fn only_429_and_503_are_asked_for_a_time() {
        for status in [408, 500, 502, 504] {
            assert!(!Signal::Status { status, vouched: false }.honours_retry_after());
        }
        for status in [429, 503] {
            assert!(Signal::Status { status, vouched: false }.honours_retry_after());
        }
        let failed = Failed {
            safety: Safety::Read,
            signal: Signal::Status { status: 500, vouched: false },
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
                    let failed = Failed { attempts, ..limited(None, SECOND * 60) };
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
                let failed = Failed { attempts, ..limited(None, SECOND * 60) };
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
        let too_late = Failed { attempts: 3, ..limited(None, SECOND * 60) };
        let too_long = limited(Some(SECOND * 86_400), SECOND * 60);
        let no_use = Failed { signal: Signal::WrongContent, ..limited(None, SECOND * 60) };
        for failed in [no_time, too_late, too_long, no_use] {
            assert_eq!(policy.next_delay(&failed, &budget, &dice(1000)), None);
        }
        assert_eq!(budget.0.load(Ordering::Relaxed), 100);
    }

    #[test]
    fn retries_cost_more_after_a_timeout() {
        let budget = Budget::new();
        let policy = RetryPolicy::default();
        let timeout = Signal::Transport { kind: Kind::Timeout, sent: false };
        let mut left = Vec::new();
        for signal in [timeout, Signal::Transport { kind: Kind::Connect, sent: false }, Signal::Truncated] {
            let failed = Failed { safety: Safety::Read, signal, ..limited(None, SECOND * 60) };
            assert!(policy.next_delay(&failed, &budget, &dice(0)).is_some());
            left.push(budget.0.load(Ordering::Relaxed));
        }
        assert_eq!(left, [90, 85, 80]);
    }

    #[test]
    fn a_call_gets_what_is_left_of_its_time() {
        let policy = RetryPolicy::default();
        let budget = |remaining| policy.attempt_budget(remaining);
        assert_eq!(budget(SECOND * 60), SECOND * 30);
        assert_eq!(budget(SECOND * 7), SECOND * 7);
        assert_eq!(budget(Duration::from_nanos(1)), Duration::from_millis(1));
        assert_eq!(budget(Duration::MAX), SECOND * 30);
        assert_eq!(RetryPolicy::default().attempt_timeout(SECOND * 3600).attempt_budget(Duration::MAX), SECOND * 3600);
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
            let failed = Failed { attempts, ..limited(asked.map(millis), millis(remaining)) };
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
}
