//! Errors, and the outcome of a failed call.

mod api;
mod context;
mod input;
mod lookup;
mod problem;

use std::time::Duration;

pub use self::api::{ApiError, DecodeError, SecretNotRecovered, TransportFailure};
pub(crate) use self::api::{ApiErrorInner, DecodeErrorInner, SecretNotRecoveredInner, TransportFailureInner};
pub(crate) use self::context::CallContext;
pub use self::context::Outcome;
pub use self::input::{ConfigError, InvalidRequest};
pub use self::lookup::{
    AmbiguousSpace, OrganizationNotFound, PaginationError, PaginationErrorKind, SpaceCandidate, SpaceNotFound,
};
pub(crate) use self::problem::Problem;

/// Every error of this crate.
///
/// Match on the variant to branch. Check [`outcome`](Self::outcome) before you repeat a call that mints or removes a key.
/// Print it with `{}`: the message says what to do next. No message and no `Debug` output holds a secret. A cause below this crate
/// is not in the message, but in [`source`](std::error::Error::source): [the second example](#the-whole-chain) prints both.
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
///
/// # The whole chain
///
/// ```
/// fn print(error: &arize_api_keys::Error) {
///     let mut next: Option<&dyn std::error::Error> = Some(error);
///     while let Some(error) = next {
///         eprintln!("{error}");
///         next = error.source();
///     }
/// }
/// # use arize_api_keys::{ApiKeysClient, ListRequest, RetryPolicy, TransportError, TransportErrorKind, http};
/// # let fails = |_: http::Request<Vec<u8>>| Err(TransportError::new(TransportErrorKind::Connect, "refused"));
/// # let builder = ApiKeysClient::builder().ignore_env().api_key("ak-for-a-test").retry(RetryPolicy::none());
/// # print(&builder.transport(fails).build().unwrap().list(&ListRequest::new()).unwrap_err());
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// 400: the service refuses the request as malformed.
    #[error(transparent)]
    BadRequest(ApiError),
    /// 401: the API key of the client is unknown, expired or revoked.
    #[error(transparent)]
    Unauthorized(ApiError),
    /// 403: the API key of the client lacks a permission.
    #[error(transparent)]
    Forbidden(ApiError),
    /// 404: the resource does not exist, or the API key of the client may not see it.
    #[error(transparent)]
    NotFound(ApiError),
    /// 409: the request conflicts with the state of the resource.
    #[error(transparent)]
    Conflict(ApiError),
    /// 422: a value breaks a rule of the service, for example an expiry later than allowed or a role above one's own.
    #[error(transparent)]
    UnprocessableEntity(ApiError),
    /// 429: too many requests. [`retry_after`](Self::retry_after) has the wait, if the service sent one.
    #[error(transparent)]
    RateLimited(ApiError),
    /// 500 to 599: the service, or a gateway before it, failed.
    #[error(transparent)]
    Server(ApiError),
    /// Any other status. The client does not follow redirects and does not count them as success.
    #[error(transparent)]
    UnexpectedStatus(ApiError),
    /// The configuration of the client is invalid.
    #[error(transparent)]
    Config(ConfigError),
    /// A field of the request is invalid. The client finds this before any I/O.
    #[error(transparent)]
    InvalidRequest(InvalidRequest),
    /// No space has this name.
    #[error(transparent)]
    SpaceNotFound(SpaceNotFound),
    /// Several spaces have this name.
    #[error(transparent)]
    AmbiguousSpace(AmbiguousSpace),
    /// The look-ups found no organization for the space.
    #[error(transparent)]
    OrganizationNotFound(OrganizationNotFound),
    /// The transport returned no complete response.
    #[error(transparent)]
    Transport(TransportFailure),
    /// A 2xx response has other content than the API promises.
    #[error(transparent)]
    Decode(DecodeError),
    /// A 2xx response to a create or a refresh has no readable secret.
    #[error(transparent)]
    SecretNotRecovered(SecretNotRecovered),
    /// The pages of a list do not end.
    #[error(transparent)]
    Pagination(PaginationError),
}

impl Error {
    /// Whether the service accepts the key of the failed call: `Some(true)` if it forbids this call only (403), `Some(false)`
    /// if it refuses the key (401), `None` if the error does not tell. Only a problem document counts: a proxy or a login page
    /// does not know the key.
    ///
    /// ```
    /// # fn main() -> Result<(), arize_api_keys::Error> {
    /// # #[cfg(feature = "emulator")] {
    /// use arize_api_keys::ListRequest;
    ///
    /// # let client = arize_api_keys::emulator::Emulator::new().client();
    /// let probed = client.with_api_key(&"ak-gone".into())?.list(&ListRequest::new().limit(1));
    /// let is_accepted = probed.map_or_else(|error| error.is_key_accepted(), |_| Some(true));
    /// assert_eq!(is_accepted, Some(false));
    /// # }
    /// # Ok(())
    /// # }
    /// ```
    pub fn is_key_accepted(&self) -> Option<bool> {
        match self {
            Self::Forbidden(error) if error.is_problem() => Some(true),
            Self::Unauthorized(error) if error.is_problem() => Some(false),
            _ => None,
        }
    }

    /// The response, if its status is not success.
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
            Self::Config(_)
            | Self::InvalidRequest(_)
            | Self::SpaceNotFound(_)
            | Self::AmbiguousSpace(_)
            | Self::OrganizationNotFound(_)
            | Self::Transport(_)
            | Self::Decode(_)
            | Self::SecretNotRecovered(_)
            | Self::Pagination(_) => None,
        }
    }

    /// The HTTP status, if a complete response arrived.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Decode(e) => Some(e.status()),
            Self::SecretNotRecovered(e) => Some(e.status()),
            _ => self.api().map(ApiError::status),
        }
    }

    /// Whether the service may have created, replaced or removed a key.
    ///
    /// The outcome is about the operation that the caller asked for: after a failed look-up it is [`Outcome::NotSent`].
    /// It covers all attempts: if an earlier attempt of a removal may have been processed, a later refusal does not
    /// change that, and the outcome stays [`Outcome::Unknown`].
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::Pagination(e) => e.outcome(),
            _ => self.context().map_or(Outcome::NotSent, |context| context.outcome),
        }
    }

    /// Whether the same call may succeed later and is safe to repeat: it mints no second key.
    pub fn is_retryable(&self) -> bool {
        self.context().is_some_and(|context| context.retryable)
    }

    /// The number of requests sent in the failed step; 0 if the error is not about a request.
    pub fn attempts(&self) -> u32 {
        self.context().map_or(0, |context| context.attempts)
    }

    /// The wait that the header `Retry-After` asks for.
    pub fn retry_after(&self) -> Option<Duration> {
        self.api().and_then(ApiError::retry_after)
    }

    /// The error of the attempt before the last one.
    pub fn previous_attempt(&self) -> Option<&Error> {
        self.context().and_then(|context| context.previous.as_deref())
    }

    fn context(&self) -> Option<&CallContext> {
        match self {
            Self::Transport(e) => Some(&e.0.context),
            Self::Decode(e) => Some(&e.0.context),
            Self::SecretNotRecovered(e) => Some(&e.0.context),
            _ => self.api().map(|e| &e.0.context),
        }
    }
}

impl From<ConfigError> for Error {
    fn from(error: ConfigError) -> Self {
        Self::Config(error)
    }
}

impl From<InvalidRequest> for Error {
    fn from(error: InvalidRequest) -> Self {
        Self::InvalidRequest(error)
    }
}

impl From<PaginationError> for Error {
    fn from(error: PaginationError) -> Self {
        Self::Pagination(error)
    }
}
