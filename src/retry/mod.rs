//! Which failed attempts the client repeats, and when: pure functions, with the clock and random numbers passed in.

mod backoff;
mod classify;
mod policy;
#[cfg(test)]
mod tests;

pub(crate) use self::backoff::{Budget, RetryContext, retry_after};
pub(crate) use self::classify::{AttemptFailure, classify};
pub(crate) use self::policy::DURATIONS;
pub use self::policy::RetryPolicy;
