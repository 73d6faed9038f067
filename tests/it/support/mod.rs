//! The shared parts of the tests: a clock that never waits, transports that follow a script, and servers.

pub(crate) mod clock;
#[cfg(feature = "ureq")]
pub(crate) mod http;
pub(crate) mod script;
#[cfg(feature = "emulator")]
pub(crate) mod served;
#[cfg(feature = "ureq")]
pub(crate) mod tls;

use std::error::Error as StdError;
use std::fmt::Write;

use arize_api_keys::{ApiKeysClient, ApiStage, Error, Transport, TransportErrorKind};

pub(crate) use self::clock::{Jitter, START, TestClock, moment};

/// The API key of every client here. No error may show it.
pub(crate) const OWN_KEY: &str = "test-key-SECRET";

/// A client of the default policy that sends everything to `transport`.
#[track_caller]
pub(crate) fn client(stage: ApiStage, clock: &TestClock, transport: impl Transport + 'static) -> ApiKeysClient {
    ApiKeysClient::builder()
        .ignore_env()
        .api_key(OWN_KEY)
        .stage(stage)
        .clock(clock.clone())
        .transport(transport)
        .build()
        .unwrap()
}

/// The statuses by which the service refuses a request, and the variants of the error.
pub(crate) const REFUSALS: [(u16, &str); 6] = [
    (400, "BadRequest"),
    (401, "Unauthorized"),
    (403, "Forbidden"),
    (404, "NotFound"),
    (409, "Conflict"),
    (422, "UnprocessableEntity"),
];

/// Every failure of a transport.
pub(crate) const TRANSPORT_FAILURES: [TransportErrorKind; 10] = [
    TransportErrorKind::Resolve,
    TransportErrorKind::Connect,
    TransportErrorKind::Tls,
    TransportErrorKind::Proxy,
    TransportErrorKind::Timeout,
    TransportErrorKind::Interrupted,
    TransportErrorKind::Protocol,
    TransportErrorKind::TooLarge,
    TransportErrorKind::Configuration,
    TransportErrorKind::Other,
];

/// The name of the variant.
pub(crate) fn variant(error: &Error) -> &'static str {
    match error {
        Error::BadRequest(_) => "BadRequest",
        Error::Unauthorized(_) => "Unauthorized",
        Error::Forbidden(_) => "Forbidden",
        Error::NotFound(_) => "NotFound",
        Error::Conflict(_) => "Conflict",
        Error::UnprocessableEntity(_) => "UnprocessableEntity",
        Error::RateLimited(_) => "RateLimited",
        Error::Server(_) => "Server",
        Error::UnexpectedStatus(_) => "UnexpectedStatus",
        Error::Config(_) => "Config",
        Error::InvalidRequest(_) => "InvalidRequest",
        Error::SpaceNotFound(_) => "SpaceNotFound",
        Error::AmbiguousSpace(_) => "AmbiguousSpace",
        Error::OrganizationNotFound(_) => "OrganizationNotFound",
        Error::Transport(_) => "Transport",
        Error::Decode(_) => "Decode",
        Error::SecretNotRecovered(_) => "SecretNotRecovered",
        Error::Pagination(_) => "Pagination",
        _ => "a variant that these tests do not know",
    }
}

/// Everything that an error shows of itself and of its causes.
pub(crate) fn shown(error: &(dyn StdError + 'static)) -> String {
    let mut text = String::new();
    let mut next = Some(error);
    while let Some(error) = next {
        write!(text, "{error}\n{error:?}\n{error:#?}\n").unwrap();
        next = error.source();
    }
    text
}
