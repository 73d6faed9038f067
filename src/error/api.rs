//! The errors of a call: a status that is not success, no response, a response that cannot be used.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use secrecy::{SecretSlice, SecretString};

use super::context::{CallContext, Outcome};
use super::problem::Problem;
use crate::operation::Operation;
use crate::redact::quote;
use crate::transport::{TransportError, TransportErrorKind};

/// A response whose status is not success: the HTTP status and the members of the problem document (RFC 9457).
///
/// Texts of the service have their control characters escaped, are cut after 1 KiB, and have every text of the form
/// `ak-…` and the API key of the client replaced.
#[derive(Debug)]
pub struct ApiError(pub(crate) Box<ApiErrorInner>);

#[derive(Debug)]
pub(crate) struct ApiErrorInner {
    pub(crate) status: u16,
    pub(crate) problem: Problem,
    pub(crate) retry_after: Option<Duration>,
    pub(crate) request_id: Option<String>,
    /// The content type and length of a body that is no problem document.
    pub(crate) other_body: Option<String>,
    /// A proxy or a login page may have sent the response instead of the service.
    pub(crate) is_foreign: bool,
    /// There is a body, and it is not the problem document that the service sends with every refusal.
    pub(crate) is_other_document: bool,
    pub(crate) secret: Option<SecretString>,
    pub(crate) context: CallContext,
}

impl ApiError {
    /// The HTTP status of the response. The member `status` of the problem document is ignored.
    pub fn status(&self) -> u16 {
        self.0.status
    }

    /// The generic name of the problem (the member `title`).
    pub fn title(&self) -> Option<&str> {
        self.0.problem.title.as_deref()
    }

    /// The explanation of this occurrence for people (the member `detail`).
    pub fn detail(&self) -> Option<&str> {
        self.0.problem.detail.as_deref()
    }

    /// The URI reference that identifies the type of the problem (the member `type`).
    pub fn problem_type(&self) -> Option<&str> {
        self.0.problem.problem_type.as_deref()
    }

    /// The URI reference that identifies this occurrence (the member `instance`).
    pub fn instance(&self) -> Option<&str> {
        self.0.problem.instance.as_deref()
    }

    /// The wait that the header `Retry-After` asks for, in seconds or as an HTTP date.
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// The header `x-request-id`. Quote it in a support request.
    pub fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }

    /// The secret of a new key that the body has as `key`, in spite of the status: a text of the form `ak-…` in the response to a
    /// create or a refresh. The key may be in use then; the outcome is the one of the status.
    pub fn secret(&self) -> Option<&SecretString> {
        self.0.secret.as_ref()
    }

    /// Whether the body is a problem document (RFC 9457).
    ///
    /// The service sends one with every refusal. A proxy or a login page on the way does not, and then the status says
    /// nothing about the key.
    pub fn is_problem(&self) -> bool {
        self.0.other_body.is_none()
    }

    pub(crate) fn outcome(&self) -> Outcome {
        self.0.context.outcome
    }

    /// Whether a proxy or a login page may have sent the response instead of the service.
    pub(crate) fn is_foreign(&self) -> bool {
        self.0.is_foreign
    }

    fn hint(&self) -> Option<Cow<'static, str>> {
        Some(match self.0.status {
            300..=399 => {
                "the client does not follow redirects: check the host, and any proxy or login page before it".into()
            }
            401 | 403 | 404 if self.0.is_foreign || self.0.is_other_document => {
                "a proxy or a login page may have sent this, so it says nothing about the key: check the host".into()
            }
            401 => "check that the API key is right, not expired and not revoked".into(),
            403 => "the API key lacks the permission for this call".into(),
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
        write!(f, "{}: the service answered {}", inner.context.operation, inner.status)?;
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
        if self.secret().is_some() {
            f.write_str("; the response has the secret of a new key nevertheless")?;
        }
        if let Some(hint) = self.hint() {
            write!(f, "; {hint}")?;
        }
        inner.context.write_tail(f)
    }
}

impl StdError for ApiError {}

/// The transport returned no complete response. The [`source`](StdError::source) is its cause.
#[derive(Debug)]
pub struct TransportFailure(pub(crate) Box<TransportFailureInner>);

#[derive(Debug)]
pub(crate) struct TransportFailureInner {
    pub(crate) error: TransportError,
    pub(crate) context: CallContext,
}

impl TransportFailure {
    /// The kind of failure.
    pub fn kind(&self) -> TransportErrorKind {
        self.0.error.kind()
    }
}

impl fmt::Display for TransportFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.context.operation, self.0.error)?;
        self.0.context.write_tail(f)
    }
}

impl StdError for TransportFailure {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.error.source()
    }
}

/// A 2xx response whose content is not what the API promises, for example a login page or an empty body.
#[derive(Debug)]
pub struct DecodeError(pub(crate) Box<DecodeErrorInner>);

#[derive(Debug)]
pub(crate) struct DecodeErrorInner {
    pub(crate) status: u16,
    /// Content type, length and the place where decoding stopped, never the content.
    pub(crate) found: String,
    pub(crate) context: CallContext,
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
            "{}: the response with status {} is not what the API promises ({})",
            self.0.context.operation, self.0.status, self.0.found
        )?;
        self.0.context.write_tail(f)
    }
}

impl StdError for DecodeError {}

/// A 2xx response to a create or a refresh has no readable secret.
///
/// If the response is the service's, the key exists ([`Outcome::Applied`]). If a proxy or a login
/// page may have sent it, the key may exist ([`Outcome::Unknown`]). [`raw_body`](Self::raw_body) keeps the bytes of the
/// response, so that a person can still look for the secret. They are wiped on drop, and `Debug` does not show them.
#[derive(Debug)]
pub struct SecretNotRecovered(pub(crate) Box<SecretNotRecoveredInner>);

#[derive(Debug)]
pub(crate) struct SecretNotRecoveredInner {
    pub(crate) status: u16,
    pub(crate) found: String,
    pub(crate) id: Option<String>,
    pub(crate) raw_body: SecretSlice<u8>,
    pub(crate) context: CallContext,
}

impl SecretNotRecovered {
    /// The HTTP status.
    pub fn status(&self) -> u16 {
        self.0.status
    }

    /// The id of the key, if the response has one: [`revoke`](crate::ApiKeysClient::revoke) it, or
    /// [`refresh`](crate::ApiKeysClient::refresh) it to get a fresh secret.
    pub fn id(&self) -> Option<&str> {
        self.0.id.as_deref()
    }

    /// The bytes of the body as they arrived, after gzip or deflate is decoded. They may hold a live secret. A compressed body
    /// that is broken, or decodes to more than 1 MiB, is kept compressed.
    pub fn raw_body(&self) -> &SecretSlice<u8> {
        &self.0.raw_body
    }
}

impl fmt::Display for SecretNotRecovered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let context = &self.0.context;
        if context.outcome == Outcome::Unknown {
            let (operation, status, found) = (context.operation, self.0.status, &self.0.found);
            write!(f, "{operation}: the response with status {status} is not the service's ({found})")?;
            return context.write_tail(f);
        }
        write!(
            f,
            "{}: the service did it, but the response has no readable secret ({})",
            context.operation, self.0.found
        )?;
        let subject = context.subject.as_deref().map(quote).unwrap_or_default();
        match (context.operation, self.0.id.as_deref().map(quote)) {
            (Operation::Refresh, id) => {
                let id = id.unwrap_or(subject);
                write!(f, "; the old secret is replaced: refresh the key {id} again to get a new one")
            }
            (_, Some(id)) => {
                write!(f, "; the key {id} exists: refresh it to get a new secret, or revoke it")
            }
            (_, None) => {
                let (listed, since) = (context.where_listed(), context.since());
                write!(
                    f,
                    "; the key exists: list {listed}, and refresh or revoke the one named {subject} \
                     created since {since}"
                )
            }
        }
    }
}

impl StdError for SecretNotRecovered {}
