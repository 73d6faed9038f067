//! Skeleton.
mod clock;
#[cfg(feature = "emulator")]
pub mod emulator;
mod stage;
mod transport;

pub use clock::{Clock, SystemClock};
pub use http;
pub use stage::{ApiStage, UnknownStage};
pub use transport::{SendOptions, Transport, TransportError, TransportErrorKind};
