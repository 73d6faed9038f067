//! Skeleton.
mod call;
mod clock;
#[cfg(feature = "emulator")]
pub mod emulator;
mod error;
mod redact;
mod retry;
mod stage;
mod transport;

pub use clock::{Clock, SystemClock};
pub use error::*;
pub use http;
pub use retry::RetryPolicy;
pub use stage::{ApiStage, UnknownStage};
pub use transport::{SendOptions, Transport, TransportError, TransportErrorKind};
