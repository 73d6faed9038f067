//! What can go wrong, and what is then known of the key.

mod answer;
mod input;
mod lookup;

use std::fmt;
use std::time::Duration;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

pub use self::answer::{ApiError, DecodeError, SecretNotRecovered, TransportFailure};
pub(crate) use self::answer::{
    ApiErrorInner, DecodeErrorInner, Problem, SecretNotRecoveredInner, TransportFailureInner,
};
pub use self::input::{ConfigError, InvalidRequest};
pub use self::lookup::{
    AmbiguousSpace, OrganizationNotFound, PaginationError, PaginationErrorKind, SpaceCandidate, SpaceNotFound,
};
use crate::call::Operation;
use crate::redact::quoted;

/// Every error of this crate.
///
/// Match on the variant to branch, ask [`outcome`](Self::outcome) before doing anything that mints or removes a key
/// again, and print it with `{}`: the message says what to do next. No message and no `Debug` output holds a secret.
///
/// ```
/// # use arize_api_keys::{ApiKeysClient, Error, Outcome};
/// # fn remove(client: &ApiKeysClient, id: &str) -> Result<(), Error> {
/// match client.delete(id) {
///     Err(Error::NotFound(e)) => eprintln!("no api key to remove: {e}"),
///     Err(e) if e.outcome() == Outcome::Unknown => eprintln!("the key may still be active: {e}"),
///     other => other?,
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// 400: the service did not understand the request, or refuses its values.
    #[error(transparent)]
    BadRequest(ApiError),
    /// 401: the API key of the client is unknown, expired or revoked.
    #[error(transparent)]
    Unauthorized(ApiError),
    /// 403: the API key of the client lacks a permission.
    #[error(transparent)]
    Forbidden(ApiError),
    /// 404: the thing does not exist, or the client's key may not see it.
    #[error(transparent)]
    NotFound(ApiError),
    /// 409: the request clashes with the state of the thing.
    #[error(transparent)]
    Conflict(ApiError),
    /// 422: the request is well-formed, and against the rules: an expiry later than allowed, a role above one's own.
    #[error(transparent)]
    UnprocessableEntity(ApiError),
    /// 429: too many requests. [`retry_after`](Self::retry_after) says when to come back, if the service does.
    #[error(transparent)]
    RateLimited(ApiError),
    /// 500 to 599: the service, or a gateway before it, failed.
    #[error(transparent)]
    Server(ApiError),
    /// Any other status, redirects among them: they are never followed, and never taken for success.
    #[error(transparent)]
    UnexpectedStatus(ApiError),
    /// The client cannot be built as configured.
    #[error(transparent)]
    Config(ConfigError),
    /// The request cannot be sent as it is. Found before any I/O.
    #[error(transparent)]
    InvalidRequest(InvalidRequest),
    /// No space has this name.
    #[error(transparent)]
    SpaceNotFound(SpaceNotFound),
    /// Several spaces have this name.
    #[error(transparent)]
    AmbiguousSpace(AmbiguousSpace),
    /// The organization of a space could not be found out.
    #[error(transparent)]
    OrganizationNotFound(OrganizationNotFound),
    /// No whole response came back.
    #[error(transparent)]
    Transport(TransportFailure),
    /// A response of success came back, but its content is not what the API promises.
    #[error(transparent)]
    Decode(DecodeError),
    /// A key was created or refreshed, and no secret could be read in the answer.
    #[error(transparent)]
    SecretNotRecovered(SecretNotRecovered),
    /// The pages of a list do not end.
    #[error(transparent)]
    Pagination(PaginationError),
}

/// What is known of a call that failed: whether the service has done what it was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Outcome {
    /// No complete request reached the service. Nothing happened.
    NotSent,
    /// The service refused. Nothing happened.
    Rejected,
    /// The request may have been processed, or may yet be. A key may exist, a secret may have been replaced, a key may
    /// still be active: the message of the error says how to find out.
    Unknown,
    /// The service has done it, but the answer could not be used.
    Applied,
}

/// What every failed call knows of itself.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) operation: Operation,
    pub(crate) outcome: Outcome,
    pub(crate) retryable: bool,
    pub(crate) attempts: u32,
    pub(crate) previous: Option<Box<Error>>,
    /// What the call was about, for the advice on how to reconcile.
    pub(crate) subject: Option<String>,
    pub(crate) started: OffsetDateTime,
}

impl Failure {
    /// What the user can do now, where the outcome leaves something to do.
    fn advice(&self) -> Option<String> {
        let subject = self.subject.as_deref().map(quoted).unwrap_or_default();
        match (self.operation, self.outcome) {
            (Operation::Create | Operation::CreateServiceKey, Outcome::Unknown) => {
                let (listed, since) = (self.where_listed(), self.since());
                Some(format!(
                    "the key may exist: list {listed} and revoke the one named {subject} that was created since {since}"
                ))
            }
            (Operation::Refresh, Outcome::Unknown) => Some(format!(
                "the secret may have been replaced: compare `redacted_key` of the key {subject} in a list, \
                 and refresh it again to get a fresh secret"
            )),
            (Operation::Delete | Operation::Revoke, Outcome::Unknown) => {
                Some(format!("the key {subject} may still be active: call again, repeating it does no harm"))
            }
            _ => None,
        }
    }

    /// Where a key shows up that was created. A list without a space has no service keys.
    fn where_listed(&self) -> &'static str {
        if self.operation == Operation::CreateServiceKey { "the service keys of its space" } else { "the keys" }
    }

    fn since(&self) -> String {
        self.started.format(&Rfc3339).unwrap_or_default()
    }

    fn write_tail(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.attempts > 1 {
            write!(f, " (after {} attempts)", self.attempts)?;
        }
        match self.advice() {
            Some(advice) => write!(f, "; {advice}"),
            None => Ok(()),
        }
    }
}

impl Error {
    /// The answer of the service, if it refused or failed with a status.
    pub fn api(&self) -> Option<&ApiError> {
        match self {
            Self::BadRequest(e)
            | Self::Unauthorized(e)
            | Self::Forbidden(e)
            | Self::NotFound(e)
            | Self::Conflict(e)
            | Self::UnprocessableEntity(e)
            | Self::RateLimited(e)
            | Self::Server(e)
            | Self::UnexpectedStatus(e) => Some(e),
            _ => None,
        }
    }

    /// The HTTP status of the answer, if a whole one was received.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Decode(e) => Some(e.status()),
            Self::SecretNotRecovered(e) => Some(e.status()),
            _ => self.api().map(ApiError::status),
        }
    }

    /// What is known of the call: whether a key may have been made, replaced or removed.
    ///
    /// It speaks of the operation that was called: when a look-up that came before it failed, that is
    /// [`Outcome::NotSent`]. And of all its attempts: once one of them may have done it, a later one that is refused does
    /// not make it undone, and the outcome is [`Outcome::Unknown`]. That can happen to a removal, and to a create or a
    /// refresh under [`RetryPolicy::retry_unavailable_writes`](crate::RetryPolicy::retry_unavailable_writes).
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::Pagination(e) => e.outcome(),
            _ => self.failure().map_or(Outcome::NotSent, |failure| failure.outcome),
        }
    }

    /// Whether the same call may succeed later, and is safe to make again: it mints no second key.
    pub fn is_retryable(&self) -> bool {
        self.failure().is_some_and(|failure| failure.retryable)
    }

    /// How many times the request that failed was made; 0 if the error is not about a request.
    pub fn attempts(&self) -> u32 {
        self.failure().map_or(0, |failure| failure.attempts)
    }

    /// How long the service asks to wait (`Retry-After`, in seconds or as a date).
    pub fn retry_after(&self) -> Option<Duration> {
        self.api().and_then(ApiError::retry_after)
    }

    /// How the attempt before the last one failed, if there was one.
    pub fn previous_attempt(&self) -> Option<&Error> {
        self.failure().and_then(|failure| failure.previous.as_deref())
    }

    fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Transport(e) => Some(&e.0.failure),
            Self::Decode(e) => Some(&e.0.failure),
            Self::SecretNotRecovered(e) => Some(&e.0.failure),
            _ => self.api().map(|e| &e.0.failure),
        }
    }

    pub(crate) fn failure_mut(&mut self) -> Option<&mut Failure> {
        match self {
            Self::BadRequest(e)
            | Self::Unauthorized(e)
            | Self::Forbidden(e)
            | Self::NotFound(e)
            | Self::Conflict(e)
            | Self::UnprocessableEntity(e)
            | Self::RateLimited(e)
            | Self::Server(e)
            | Self::UnexpectedStatus(e) => Some(&mut e.0.failure),
            Self::Transport(e) => Some(&mut e.0.failure),
            Self::Decode(e) => Some(&mut e.0.failure),
            Self::SecretNotRecovered(e) => Some(&mut e.0.failure),
            _ => None,
        }
    }
}
