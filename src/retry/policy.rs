//! The settings of the retry policy.

use std::time::Duration;

use crate::error::ConfigError;

/// Which failed attempts the client repeats.
///
/// | failure | list | revoke, delete | create, refresh |
/// |---|---|---|---|
/// | no request reached the service (name resolution, connection, handshake) | retry | retry | retry |
/// | 429 | retry | retry | retry |
/// | 408, 500, 502, 503, 504 | retry | retry | no |
/// | the connection broke or timed out after sending | retry | retry | no |
/// | anything else | no | no | no |
///
/// Create and refresh mint a secret. The client repeats them only if the first request cannot have been processed.
/// Between attempts it waits a random time up to `base_delay · 2ⁿ`, at most `max_delay`, or as long as `Retry-After`
/// asks, plus up to a tenth of that. If `Retry-After` is longer than [`max_retry_after`](Self::max_retry_after) or than
/// the time left of the [timeout of the call](crate::ClientBuilder::timeout), the client returns the error at once;
/// [`Error::retry_after`](crate::Error::retry_after) has the wait.
///
/// The clones of a client share a retry budget, which keeps them from overloading a failing service. It holds 100 tokens;
/// a retry costs 5 (10 after a timeout), a success returns 1. Without tokens there is no retry.
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
    pub(super) max_attempts: u32,
    pub(super) base_delay: Duration,
    pub(super) max_delay: Duration,
    pub(super) max_retry_after: Duration,
    attempt_timeout: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            max_attempts: 3,
            base_delay: Duration::from_millis(500),
            max_delay: Duration::from_secs(8),
            max_retry_after: Duration::from_secs(60),
            attempt_timeout: Duration::from_secs(30),
        }
    }
}

/// The range of every duration setting. An hour is more than any use needs, and far below what overflows a clock.
pub(crate) const DURATIONS: std::ops::RangeInclusive<Duration> = Duration::from_millis(1)..=Duration::from_secs(3600);

impl RetryPolicy {
    /// One attempt, no retry.
    pub fn none() -> Self {
        Self { max_attempts: 1, ..Self::default() }
    }

    /// The most attempts for one request, 1 to 10. Default 3.
    pub fn max_attempts(mut self, attempts: u32) -> Self {
        self.max_attempts = attempts;
        self
    }

    /// The upper limit of the first wait; it doubles with every attempt. 1 ms to 1 h, default 500 ms.
    pub fn base_delay(mut self, delay: Duration) -> Self {
        self.base_delay = delay;
        self
    }

    /// The longest wait without a `Retry-After`. 1 ms to 1 h, default 8 s.
    pub fn max_delay(mut self, delay: Duration) -> Self {
        self.max_delay = delay;
        self
    }

    /// The longest `Retry-After` that the client waits for. 1 ms to 1 h, default 60 s.
    pub fn max_retry_after(mut self, wait: Duration) -> Self {
        self.max_retry_after = wait;
        self
    }

    /// The timeout of one attempt. 1 ms to 1 h, default 30 s.
    pub fn attempt_timeout(mut self, timeout: Duration) -> Self {
        self.attempt_timeout = timeout;
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

    /// The timeout of the next attempt, with `remaining` left until the deadline of the call.
    pub(crate) fn attempt_timeout_within(&self, remaining: Duration) -> Duration {
        self.attempt_timeout.min(remaining).clamp(*DURATIONS.start(), *DURATIONS.end())
    }
}
