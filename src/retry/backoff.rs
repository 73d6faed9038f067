//! The wait before the next attempt.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use http::HeaderMap;
use http::header::RETRY_AFTER;

use super::classify::{AttemptFailure, Classification};
use super::policy::RetryPolicy;
use crate::clock::Clock;
use crate::transport::TransportErrorKind;

/// A failed attempt, as the policy sees it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RetryContext {
    pub(crate) classification: Classification,
    pub(crate) failure: AttemptFailure,
    /// Attempts made so far, this one included.
    pub(crate) attempts: u32,
    pub(crate) retry_after: Option<Duration>,
    /// The time left until the deadline of the call.
    pub(crate) remaining: Duration,
}

impl RetryPolicy {
    /// The wait before the next attempt; `None` ends the call.
    pub(crate) fn next_delay(&self, context: &RetryContext, budget: &Budget, clock: &dyn Clock) -> Option<Duration> {
        let RetryContext { classification, failure, attempts, retry_after, remaining } = *context;
        if attempts >= self.max_attempts || !classification.retryable {
            return None;
        }
        let ceiling = self.base_delay.saturating_mul(1 << (attempts - 1).min(16)).min(self.max_delay);
        let mut delay = clock.jitter(ceiling).min(ceiling);
        if let Some(wait) = retry_after.filter(|_| failure.honours_retry_after()) {
            if wait > self.max_retry_after {
                return None;
            }
            delay = delay.max(wait).saturating_add(clock.jitter(wait / 10));
        }
        (delay < remaining && budget.withdraw(cost(failure))).then_some(delay)
    }
}

/// The tokens that a retry takes from the budget.
fn cost(failure: AttemptFailure) -> u32 {
    if matches!(failure, AttemptFailure::Transport { kind: TransportErrorKind::Timeout, .. }) { 10 } else { 5 }
}

/// The retry budget that the clones of a client share.
#[derive(Debug)]
pub(crate) struct Budget(pub(super) AtomicU32);

impl Budget {
    pub(super) const FULL: u32 = 100;

    pub(crate) fn new() -> Self {
        Self(AtomicU32::new(Self::FULL))
    }

    pub(super) fn withdraw(&self, cost: u32) -> bool {
        let withdrawn = |tokens: u32| tokens.checked_sub(cost);
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, withdrawn).is_ok()
    }

    pub(crate) fn deposit(&self) {
        // The budget is full nearly always. Then nothing is written, and no cache line moves between threads.
        let deposited = |tokens: u32| (tokens < Self::FULL).then_some(tokens + 1);
        let _ = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, deposited);
    }
}

/// The longest wait among the `Retry-After` headers: whole seconds or an HTTP date. Other values are ignored, and a date
/// in the past means no wait.
pub(crate) fn retry_after(headers: &HeaderMap, clock: &dyn Clock) -> Option<Duration> {
    headers.get_all(RETRY_AFTER).iter().filter_map(|value| parse_retry_after(value.to_str().ok()?, clock)).max()
}

pub(super) fn parse_retry_after(value: &str, clock: &dyn Clock) -> Option<Duration> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit()) {
        // Digits fail to parse only if there are too many.
        return Some(Duration::from_secs(value.parse().unwrap_or(u64::MAX)));
    }
    let date = httpdate::parse_http_date(value).ok()?.duration_since(std::time::UNIX_EPOCH).ok()?;
    let now = Duration::from_nanos(u64::try_from(clock.now().unix_timestamp_nanos()).ok()?);
    Some(date.saturating_sub(now))
}
