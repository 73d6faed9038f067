//! What can go wrong, and what is then known of the key.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use secrecy::SecretSlice;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::call::Operation;
use crate::redact::quoted;
use crate::transport::{TransportError, TransportErrorKind};

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
                let since = self.started.format(&Rfc3339).unwrap_or_default();
                Some(format!(
                    "the key may exist: list the keys and revoke the one named {subject} that was created since {since}"
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

    /// The HTTP status, if one was received.
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
    /// [`Outcome::NotSent`].
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

    /// How many requests were made for the step that failed; 0 if the error was found before any I/O.
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

/// A setting is missing, impossible or contradicted by another. No value that could be a secret is repeated.
#[derive(Debug)]
pub struct ConfigError {
    setting: Cow<'static, str>,
    problem: Cow<'static, str>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl ConfigError {
    /// `setting` is the name that the user knows: that of the setter or of the environment variable.
    pub(crate) fn new(setting: impl Into<Cow<'static, str>>, problem: impl Into<Cow<'static, str>>) -> Self {
        Self { setting: setting.into(), problem: problem.into(), source: None }
    }

    /// Only sources that cannot repeat a secret. Files are read, and fail, in the default transport.
    #[cfg(feature = "ureq")]
    pub(crate) fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// The setting at fault: a setter of [`ClientBuilder`](crate::ClientBuilder) or an environment variable.
    pub fn setting(&self) -> &str {
        &self.setting
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "configuration: `{}` {}", self.setting, self.problem)
    }
}

impl StdError for ConfigError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}

impl From<ConfigError> for Error {
    fn from(error: ConfigError) -> Self {
        Self::Config(error)
    }
}

/// A field of a request cannot be sent as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidRequest {
    field: Cow<'static, str>,
    problem: Cow<'static, str>,
}

impl InvalidRequest {
    pub(crate) fn new(field: impl Into<Cow<'static, str>>, problem: impl Into<Cow<'static, str>>) -> Self {
        Self { field: field.into(), problem: problem.into() }
    }

    /// The field at fault, by the name of its setter.
    pub fn field(&self) -> &str {
        &self.field
    }
}

impl fmt::Display for InvalidRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "invalid request: `{}` {}", self.field, self.problem)
    }
}

impl StdError for InvalidRequest {}

impl From<InvalidRequest> for Error {
    fn from(error: InvalidRequest) -> Self {
        Self::InvalidRequest(error)
    }
}

/// A space that an error names.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SpaceCandidate {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The id of its organization, if the service says it.
    pub organization_id: Option<String>,
}

impl fmt::Display for SpaceCandidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} with id {}", quoted(&self.name), quoted(&self.id))?;
        match &self.organization_id {
            Some(id) => write!(f, " in organization {}", quoted(id)),
            None => Ok(()),
        }
    }
}

/// The most candidates that a message lists; [`SpaceNotFound::similar`] and [`AmbiguousSpace::candidates`] have all.
const SHOWN_CANDIDATES: usize = 10;

fn write_candidates(f: &mut fmt::Formatter<'_>, candidates: &[SpaceCandidate]) -> fmt::Result {
    for (n, candidate) in candidates.iter().take(SHOWN_CANDIDATES).enumerate() {
        write!(f, "{}{candidate}", if n == 0 { "" } else { ", " })?;
    }
    match candidates.len().saturating_sub(SHOWN_CANDIDATES) {
        0 => Ok(()),
        more => write!(f, " and {more} more"),
    }
}

/// No space has exactly this name.
#[derive(Debug)]
pub struct SpaceNotFound {
    pub(crate) name: String,
    pub(crate) organization_id: Option<String>,
    pub(crate) similar: Vec<SpaceCandidate>,
}

impl SpaceNotFound {
    /// The name that was looked for.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The spaces that the service offered for this name: it matches parts of names, in any case.
    pub fn similar(&self) -> &[SpaceCandidate] {
        &self.similar
    }
}

impl fmt::Display for SpaceNotFound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no space is named {}", quoted(&self.name))?;
        if let Some(id) = &self.organization_id {
            write!(f, " in organization {}", quoted(id))?;
        }
        if self.similar.is_empty() {
            f.write_str("; names are matched exactly, and only spaces that the API key may see are found")
        } else {
            f.write_str("; names are matched exactly, similar ones: ")?;
            write_candidates(f, &self.similar)
        }
    }
}

impl StdError for SpaceNotFound {}

/// Several spaces have this name.
#[derive(Debug)]
pub struct AmbiguousSpace {
    pub(crate) name: String,
    pub(crate) candidates: Vec<SpaceCandidate>,
}

impl AmbiguousSpace {
    /// The name that was looked for.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The spaces of this name.
    pub fn candidates(&self) -> &[SpaceCandidate] {
        &self.candidates
    }
}

impl fmt::Display for AmbiguousSpace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} spaces are named {}: ", self.candidates.len(), quoted(&self.name))?;
        write_candidates(f, &self.candidates)?;
        f.write_str("; name one by its id, or its organization with `org_id`")
    }
}

impl StdError for AmbiguousSpace {}

/// The organization of a space could not be found out. Name it with `org_id`.
#[derive(Debug)]
pub struct OrganizationNotFound {
    pub(crate) space_id: String,
    pub(crate) source: Option<Box<Error>>,
}

impl OrganizationNotFound {
    /// The space whose organization was looked for.
    pub fn space_id(&self) -> &str {
        &self.space_id
    }
}

impl fmt::Display for OrganizationNotFound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the organization of the space {} could not be found; name it with `org_id`", quoted(&self.space_id))
    }
}

impl StdError for OrganizationNotFound {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}

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
/// The key exists ([`Outcome::Applied`]). What arrived is kept in [`raw_body`](Self::raw_body), wiped on drop and shown by
/// no `Debug`, so that a person can still look for the secret.
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
            (Operation::Refresh, _) => {
                write!(f, "; the old secret is replaced: refresh the key {subject} again to get a fresh one")
            }
            (_, Some(id)) => {
                write!(f, "; the key {id} exists: refresh it to get a fresh secret, or revoke it")
            }
            (_, None) => {
                let since = failure.started.format(&Rfc3339).unwrap_or_default();
                write!(
                    f,
                    "; the key exists: list the keys, and refresh or revoke the one named {subject} \
                     that was created since {since}"
                )
            }
        }
    }
}

impl StdError for SecretNotRecovered {}

/// Why the pages of a list do not end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PaginationErrorKind {
    /// The service says that there is more, and not where.
    MissingCursor,
    /// The service sent a cursor that it had sent before.
    RepeatedCursor,
    /// More pages came than are taken for possible.
    TooManyPages,
}

/// The pages of a list do not end. Nothing that was received before is lost.
#[derive(Debug)]
pub struct PaginationError {
    pub(crate) operation: Operation,
    pub(crate) kind: PaginationErrorKind,
    pub(crate) pages: u32,
}

impl PaginationError {
    /// What is wrong with the pages.
    pub fn kind(&self) -> PaginationErrorKind {
        self.kind
    }

    /// How many pages were received.
    pub fn pages(&self) -> u32 {
        self.pages
    }

    /// A list was answered, if strangely; a look-up is only the step before the call.
    fn outcome(&self) -> Outcome {
        if self.operation == Operation::List { Outcome::Applied } else { Outcome::NotSent }
    }
}

impl fmt::Display for PaginationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let problem = match self.kind {
            PaginationErrorKind::MissingCursor => "the service says that there is more, but sent no cursor",
            PaginationErrorKind::RepeatedCursor => "the service sent a cursor for the second time",
            PaginationErrorKind::TooManyPages => "the service keeps sending cursors",
        };
        write!(f, "{}: {problem} (after {} pages)", self.operation, self.pages)
    }
}

impl StdError for PaginationError {}
