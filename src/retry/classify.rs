//! The meaning of a failed attempt.

use crate::error::Outcome;
use crate::operation::Idempotency;
use crate::transport::TransportErrorKind;

/// The facts about a failed attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AttemptFailure {
    /// A status that is not success.
    Status(u16),
    /// No complete response; `sent` unless it is certain that no complete request left.
    Transport { kind: TransportErrorKind, sent: bool },
    /// A 2xx response whose body ends early.
    Truncated,
    /// A 2xx response of the service with the wrong content.
    WrongContent,
    /// A 2xx response that a proxy or a login page may have sent.
    ForeignContent,
}

impl AttemptFailure {
    pub(super) fn honours_retry_after(self) -> bool {
        matches!(self, Self::Status(429 | 503))
    }
}

/// The meaning of a failed attempt for its call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Classification {
    pub(crate) outcome: Outcome,
    /// Another attempt may succeed, and cannot apply the request twice.
    pub(crate) retryable: bool,
}

/// Classifies a failed attempt. `maybe_applied`: the service may have processed an earlier attempt of the call.
pub(crate) fn classify(idempotency: Idempotency, failure: AttemptFailure, maybe_applied: bool) -> Classification {
    let repeatable = idempotency != Idempotency::NonIdempotent;
    let (outcome, retryable) = match failure {
        AttemptFailure::Status(status) => {
            let retryable = match status {
                429 => true,
                408 | 500 | 502 | 503 | 504 => repeatable,
                _ => false,
            };
            (outcome_of_status(idempotency, status), retryable)
        }
        AttemptFailure::Transport { kind, sent: false } => (Outcome::NotSent, kind.is_transient()),
        AttemptFailure::Transport { kind, sent: true } => (Outcome::Unknown, repeatable && kind.is_transient()),
        AttemptFailure::Truncated => (Outcome::Unknown, repeatable),
        // A login page in the place of a response proves nothing about the key.
        AttemptFailure::ForeignContent if idempotency != Idempotency::Safe => (Outcome::Unknown, false),
        AttemptFailure::WrongContent if idempotency == Idempotency::Idempotent => (Outcome::Unknown, false),
        AttemptFailure::WrongContent | AttemptFailure::ForeignContent => (Outcome::Applied, false),
    };
    // A later refusal does not undo what an earlier attempt may have done.
    if maybe_applied && idempotency != Idempotency::Safe && outcome != Outcome::Applied {
        return Classification { outcome: Outcome::Unknown, retryable };
    }
    Classification { outcome, retryable }
}

fn outcome_of_status(idempotency: Idempotency, status: u16) -> Outcome {
    match status {
        400 | 401 | 403 | 404 | 405 | 406 | 409..=415 | 417 | 421 | 422 | 425 | 428 | 429 | 431 => Outcome::Rejected,
        // A redirected read had no effect.
        300..=399 if idempotency == Idempotency::Safe => Outcome::Rejected,
        _ => Outcome::Unknown,
    }
}
