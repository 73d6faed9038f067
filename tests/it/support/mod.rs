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

use arize_api_keys::{ApiKeysClient, ApiStage, Transport};

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
