//! How a request can end that was sent, or was to be sent.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use secrecy::SecretSlice;

use super::Failure;
use crate::call::Operation;
use crate::redact::quoted;
use crate::transport::{TransportError, TransportErrorKind};

/// The answer of a service that refused or failed: its HTTP status, and what its problem document (RFC 9457) says.
///
/// Texts of the service are shown with control characters escaped, cut after 1 KiB, and with anything that looks like
/// a key replaced.
#[derive(Debug)]
pub struct ApiError(pub(crate) Box<ApiErrorInner>);

#[derive(Debug)]
pub(crate) struct ApiErrorInner {
    pub(crate) status: u16,
    pub(crate) problem: Problem,
    pub(crate) retry_after: Option<Duration>,
    pub(crate) request_id: Option<String>,
    /// What came instead of a problem document: its content type and length.
    pub(crate) other_body: Option<String>,
    pub(crate) failure: Failure,
}

/// The members of a problem document that a person or a program can use, made safe to show.
#[derive(Debug, Default)]
pub(crate) struct Problem {
    pub(crate) title: Option<String>,
    pub(crate) detail: Option<String>,
    pub(crate) problem_type: Option<String>,
    pub(crate) instance: Option<String>,
}

impl ApiError {
    /// The HTTP status. What the document claims as its `status` does not count.
    pub fn status(&self) -> u16 {
        self.0.status
    }

    /// The generic name of the problem, if the service gave one.
    pub fn title(&self) -> Option<&str> {
        self.0.problem.title.as_deref()
    }

    /// The reason for a person to read, if the service gave one.
    pub fn detail(&self) -> Option<&str> {
        self.0.problem.detail.as_deref()
    }

    /// The URI reference that names the type of the problem (the member `type`), if the service gave one.
    pub fn problem_type(&self) -> Option<&str> {
        self.0.problem.problem_type.as_deref()
    }

    /// The URI reference that names this occurrence, if the service gave one.
    pub fn instance(&self) -> Option<&str> {
        self.0.problem.instance.as_deref()
    }

    /// How long the service asks to wait: the header `Retry-After`, in seconds or as a date.
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// The header `x-request-id`, if the service sent one: quote it when you ask the support.
    pub fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }

    /// Whether the service itself says so, and not somebody on the way to it.
    pub(crate) fn is_problem(&self) -> bool {
        self.0.other_body.is_none()
    }

    fn hint(&self) -> Option<Cow<'static, str>> {
        Some(match self.0.status {
            300..=399 => "redirects are not followed: check the host, and any proxy or login page on the way".into(),
            401 => "check that the API key is right, and that it has not expired or been revoked".into(),
            403 => "the API key lacks the permission for this".into(),
            404 => "it does not exist, or the API key may not see it".into(),
            429 => match self.0.retry_after {
                Some(wait) => {
                    let seconds = wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0));
                    format!("wait {seconds} s before the next call").into()
                }
                None => "wait before the next call".into(),
            },
            _ => return None,
        })
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &self.0;
        write!(f, "{}: the service answered {}", inner.failure.operation, inner.status)?;
        if let Some(reason) = http::StatusCode::from_u16(inner.status).ok().and_then(|s| s.canonical_reason()) {
            write!(f, " {reason}")?;
        }
        if let Some(text) = self.detail().or(self.title()) {
            write!(f, ": {text}")?;
        } else if let Some(body) = &inner.other_body {
            write!(f, " ({body})")?;
        }
        if let Some(id) = self.request_id() {
            write!(f, " [request {id}]")?;
        }
        if let Some(hint) = self.hint() {
            write!(f, "; {hint}")?;
        }
        inner.failure.write_tail(f)
    }
}

impl StdError for ApiError {}

/// No whole response came back. The [`source`](StdError::source) is the cause that the transport gave.
#[derive(Debug)]
pub struct TransportFailure(pub(crate) Box<TransportFailureInner>);

#[derive(Debug)]
pub(crate) struct TransportFailureInner {
    pub(crate) error: TransportError,
    pub(crate) failure: Failure,
}

impl TransportFailure {
    /// What went wrong.
    pub fn kind(&self) -> TransportErrorKind {
        self.0.error.kind()
    }
}

impl fmt::Display for TransportFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.failure.operation, self.0.error)?;
        self.0.failure.write_tail(f)
    }
}

impl StdError for TransportFailure {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.error.source()
    }
}

/// A 2xx came back whose content is not what the API promises: a login page, say, or an empty body.
#[derive(Debug)]
pub struct DecodeError(pub(crate) Box<DecodeErrorInner>);

#[derive(Debug)]
pub(crate) struct DecodeErrorInner {
    pub(crate) status: u16,
    /// What came: content type, length and where reading stopped, never the content.
    pub(crate) found: String,
    pub(crate) failure: Failure,
}

impl DecodeError {
    /// The HTTP status.
    pub fn status(&self) -> u16 {
        self.0.status
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: the answer of status {} is not what the API promises ({})",
            self.0.failure.operation, self.0.status, self.0.found
        )?;
        self.0.failure.write_tail(f)
    }
}

impl StdError for DecodeError {}

/// A key was created or refreshed, and its one-time secret could not be read in the answer.
///
/// The key exists ([`Outcome::Applied`](crate::Outcome::Applied)). What arrived is kept in [`raw_body`](Self::raw_body),
/// wiped on drop and shown by no `Debug`, so that a person can still look for the secret.
#[derive(Debug)]
pub struct SecretNotRecovered(pub(crate) Box<SecretNotRecoveredInner>);

#[derive(Debug)]
pub(crate) struct SecretNotRecoveredInner {
    pub(crate) status: u16,
    pub(crate) found: String,
    pub(crate) id: Option<String>,
    pub(crate) raw_body: SecretSlice<u8>,
    pub(crate) failure: Failure,
}

impl SecretNotRecovered {
    /// The HTTP status.
    pub fn status(&self) -> u16 {
        self.0.status
    }

    /// The id of the key, if the answer has one: [`revoke`](crate::ApiKeysClient::revoke) it, or
    /// [`refresh`](crate::ApiKeysClient::refresh) it to get a fresh secret.
    pub fn id(&self) -> Option<&str> {
        self.0.id.as_deref()
    }

    /// The bytes of the answer as they arrived. They may hold a live secret.
    pub fn raw_body(&self) -> &SecretSlice<u8> {
        &self.0.raw_body
    }
}

impl fmt::Display for SecretNotRecovered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let failure = &self.0.failure;
        write!(f, "{}: done, but no secret could be read in the answer ({})", failure.operation, self.0.found)?;
        let subject = failure.subject.as_deref().map(quoted).unwrap_or_default();
        match (failure.operation, self.0.id.as_deref().map(quoted)) {
            (Operation::Refresh, id) => {
                let id = id.unwrap_or(subject);
                write!(f, "; the old secret is replaced: refresh the key {id} again to get a fresh one")
            }
            (_, Some(id)) => {
                write!(f, "; the key {id} exists: refresh it to get a fresh secret, or revoke it")
            }
            (_, None) => {
                let (listed, since) = (failure.where_listed(), failure.since());
                write!(
                    f,
                    "; the key exists: list {listed}, and refresh or revoke the one named {subject} \
                     that was created since {since}"
                )
            }
        }
    }
}

impl StdError for SecretNotRecovered {}
