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
/// let client = ApiKeysClient::builder().ignore_env().api_key("ak-for-the-docs").retry(patient).build()?;
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
        // Nearly always full: then no write, and no cache line taken from other threads.
        if self.0.load(Ordering::Relaxed) < Self::FULL {
            let _ = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |tokens| {
                (tokens < Self::FULL).then_some(tokens + 1)
            });
        }
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
