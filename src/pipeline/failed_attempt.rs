//! An attempt that failed, and the error that it becomes.

use std::time::Duration;

use http::{HeaderName, StatusCode};
use secrecy::zeroize::Zeroize;
use secrecy::{ExposeSecret, SecretSlice};

use super::response::{ApiResponse, DecodeFailure};
use crate::clock::Clock;
use crate::error::{
    ApiError, ApiErrorInner, CallContext, DecodeError, DecodeErrorInner, Error, Problem, SecretNotRecovered,
    SecretNotRecoveredInner, TransportFailure, TransportFailureInner,
};
use crate::operation::Idempotency;
use crate::redact::{is_whole_key, sanitize};
use crate::retry::{AttemptFailure, retry_after};
use crate::secret;
use crate::transport::TransportError;

/// The result of an attempt without a value.
pub(super) enum FailedAttempt {
    /// No complete response.
    NoResponse(TransportError),
    /// A status that is not success.
    Refused(ApiResponse),
    /// A 2xx response that cannot be decoded.
    Undecodable(ApiResponse, DecodeFailure),
}

impl FailedAttempt {
    /// The facts that decide about a retry and the outcome.
    pub(super) fn failure(&self) -> AttemptFailure {
        match self {
            Self::NoResponse(error) => {
                AttemptFailure::Transport { kind: error.kind(), sent: error.may_have_been_sent() }
            }
            Self::Refused(response) => AttemptFailure::Status(response.status.as_u16()),
            Self::Undecodable(_, DecodeFailure::Truncated(_)) => AttemptFailure::Truncated,
            Self::Undecodable(_, DecodeFailure::NoSecret { is_about_something_else: true, .. }) => {
                AttemptFailure::ForeignContent
            }
            Self::Undecodable(response, _) if response.is_foreign() && !response.begins_as_object() => {
                AttemptFailure::ForeignContent
            }
            Self::Undecodable(..) => AttemptFailure::WrongContent,
        }
    }

    /// Whether the service refused the key, so that the request was certainly not processed. For a request that must not be
    /// repeated, only a problem document proves that the service itself sent the response.
    pub(super) fn is_key_refused(&self, idempotency: Idempotency) -> bool {
        let Self::Refused(response) = self else { return false };
        let is_problem =
            || !response.is_truncated && !response.is_foreign() && Problem::read(&response.body, "").is_some();
        response.status == StatusCode::UNAUTHORIZED && (idempotency != Idempotency::NonIdempotent || is_problem())
    }

    pub(super) fn retry_after(&self, clock: &dyn Clock) -> Option<Duration> {
        match self {
            Self::Refused(response) => retry_after(&response.headers, clock),
            Self::NoResponse(_) | Self::Undecodable(..) => None,
        }
    }

    pub(super) fn into_error(self, context: CallContext, retry_after: Option<Duration>, own_key: &str) -> Error {
        match self {
            Self::NoResponse(error) => {
                Error::Transport(TransportFailure(Box::new(TransportFailureInner { error, context })))
            }
            Self::Refused(response) => refused(response, context, retry_after, own_key),
            Self::Undecodable(response, failure) => undecodable(response, failure, context, own_key),
        }
    }
}

fn refused(mut response: ApiResponse, context: CallContext, retry_after: Option<Duration>, own_key: &str) -> Error {
    let status = response.status.as_u16();
    let secret = match context.operation.idempotency() {
        // Other texts named `key` are usual in the documents of errors.
        Idempotency::NonIdempotent => secret::decode(response.decoded()).key.filter(|secret| {
            is_whole_key(secret.expose_secret()) && own_key.lines().all(|own| own != secret.expose_secret())
        }),
        Idempotency::Safe | Idempotency::Idempotent => None,
    };
    let problem = Problem::read(&response.body, own_key);
    let problem_is_missing = problem.is_none();
    let request_id = response.headers.get(const { HeaderName::from_static("x-request-id") });
    let error = ApiError(Box::new(ApiErrorInner {
        status,
        retry_after,
        request_id: request_id.map(|id| sanitize(&String::from_utf8_lossy(id.as_bytes()), own_key)),
        other_body: problem_is_missing.then(|| response.describe(own_key)),
        problem: problem.unwrap_or_default(),
        is_foreign: response.is_foreign(),
        is_other_document: problem_is_missing && !response.body.is_empty(),
        secret,
        context,
    }));
    if error.secret().is_some() {
        response.body.zeroize();
    }
    match status {
        400 => Error::BadRequest(error),
        401 => Error::Unauthorized(error),
        403 => Error::Forbidden(error),
        404 => Error::NotFound(error),
        409 => Error::Conflict(error),
        422 => Error::UnprocessableEntity(error),
        429 => Error::RateLimited(error),
        500..=599 => Error::Server(error),
        _ => Error::UnexpectedStatus(error),
    }
}

fn undecodable(mut response: ApiResponse, failure: DecodeFailure, context: CallContext, own_key: &str) -> Error {
    let status = response.status.as_u16();
    let found = response.describe(own_key);
    let found = match failure {
        DecodeFailure::Truncated(why) | DecodeFailure::WrongContent(why) => format!("{why}: {found}"),
        DecodeFailure::NoSecret { id, .. } => {
            // A service that misplaces the secret may have put it into the id.
            let id = id.map(|id| sanitize(&id, own_key));
            // An exact copy, so that boxing it leaves no second one behind.
            let raw_body = SecretSlice::from(response.body.as_slice().to_vec());
            response.body.zeroize();
            let inner = SecretNotRecoveredInner { status, found, id, raw_body, context };
            return Error::SecretNotRecovered(SecretNotRecovered(Box::new(inner)));
        }
    };
    Error::Decode(DecodeError(Box::new(DecodeErrorInner { status, found, context })))
}
