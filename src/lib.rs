//! Skeleton.
mod call;
mod client;
mod clock;
mod config;
#[cfg(feature = "emulator")]
pub mod emulator;
mod error;
mod redact;
mod retry;
mod stage;
mod transport;
#[cfg(feature = "ureq")]
mod ureq_transport;

pub use client::ApiKeysClient;
pub use clock::{Clock, SystemClock};
pub use config::ClientBuilder;
pub use error::*;
pub use http;
pub use retry::RetryPolicy;
pub use stage::{ApiStage, UnknownStage};
pub use transport::{SendOptions, Transport, TransportError, TransportErrorKind};
#[cfg(feature = "ureq")]
pub use ureq_transport::{UreqTransport, UreqTransportBuilder};
