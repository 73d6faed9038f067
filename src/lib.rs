//! A blocking client for the API-keys endpoints of the Arize platform: list, create, rotate and delete keys from programs
//! that have no async runtime.
//!
//! A new secret can be seen once. Store it before you do anything else, ask [`Error::outcome`] before you do anything again,
//! and do not log at the level TRACE: ureq writes the wire out there ([`UreqTransport`] says more).
//!
//! ```
//! # #[cfg(feature = "emulator")]
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use std::time::Duration;
//! use arize_api_keys::{ApiKeysClient, CreateRequest, ExposeSecret, ListRequest, RefreshRequest};
//! use arize_api_keys::emulator::Emulator;
//!
//! // In earnest: `ApiKeysClient::from_env()?`. Here, the service in this process.
//! let emulator = Emulator::new();
//! let client = ApiKeysClient::builder()
//!     .ignore_env()
//!     .api_key(emulator.admin_key())
//!     .transport(emulator.clone())
//!     .build()?;
//!
//! let created = client.create(&CreateRequest::new("personal-key"))?;
//! assert!(emulator.authenticates(created.key.expose_secret()));
//!
//! let rotated = client.refresh(&RefreshRequest::new(&created.id).grace_period(Duration::from_secs(3600)))?;
//! for key in client.list_all(&ListRequest::new()) {
//!     let key = key?;
//!     println!("{}: {} (type={} status={})", key.id, key.name, key.key_type, key.status);
//! }
//!
//! client.delete(&rotated.id)?;
//! assert!(!emulator.authenticates(rotated.key.expose_secret()));
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "emulator"))]
//! # fn main() {}
//! ```
//!
//! # Where things are
//!
//! * [`ApiKeysClient`] has the verbs, and [`ClientBuilder`] sets it up, with the environment as the official SDKs know it.
//! * [`ListRequest`], [`CreateRequest`], [`CreateServiceKeyRequest`] and [`RefreshRequest`] say what is wanted;
//!   [`ApiKeyList`], [`ApiKeys`] and [`ApiKeyCreated`] are the answers.
//! * [`Error`] says what went wrong, and [`Outcome`] what is then known of the key.
//! * [`RetryPolicy`] says what is tried again.
//! * [`Transport`] is the seam to the network; [`UreqTransport`] the default, a closure will do.
//! * [`ApiStage`] chooses between the service of today and that of the Go SDK 0.12.
#![cfg_attr(feature = "emulator", doc = "* [`emulator`] is the service in this process, for tests.")]
//!
//! # Features
//!
//! * `ureq` (default): the default transport, with rustls and the bundled web roots.
//! * `platform-verifier`: trust what the operating system trusts.
//! * `native-tls`: TLS by the system's library.
//! * `emulator`: the service in this process, and its HTTP server.
//!
//! # Logging
//!
//! This crate logs one thing, by [`log::warn!`]: that the API is not stable yet, once per process and operation. Its default
//! transport adds one warning, if the log level is such that ureq would write secrets.

#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod call;
mod client;
mod clock;
mod config;
#[cfg(feature = "emulator")]
pub mod emulator;
mod error;
mod lenient;
mod model;
mod operations;
mod pages;
mod prerelease;
mod redact;
mod retry;
mod rotation;
mod secret;
mod stage;
mod target;
mod transport;
#[cfg(feature = "ureq")]
mod ureq_transport;

pub use client::ApiKeysClient;
pub use clock::{Clock, SystemClock};
pub use config::{ClientBuilder, IntoSecret};
pub use error::{
    AmbiguousSpace, ApiError, ConfigError, DecodeError, Error, InvalidRequest, OrganizationNotFound, Outcome,
    PaginationError, PaginationErrorKind, SecretNotRecovered, SpaceCandidate, SpaceNotFound, TransportFailure,
};
pub use model::{
    AccountRole, ApiKey, ApiKeyCreated, ApiKeyList, ApiKeyStatus, ApiKeyType, BotUser, BotUserOrganization,
    BotUserSpace, Oddity, OrgRole, Pagination, RoleAssignment, SpaceRole,
};
pub use operations::create::CreateRequest;
pub use operations::create_service_key::{CreateServiceKeyRequest, OrgBinding, SpaceBinding};
pub use operations::list::ListRequest;
pub use operations::refresh::RefreshRequest;
pub use operations::spaces::SpaceRef;
pub use pages::ApiKeys;
pub use retry::RetryPolicy;
pub use rotation::{NewKey, RotationError};
pub use secrecy::ExposeSecret;
pub use stage::{ApiStage, UnknownStage};
pub use transport::{SendOptions, Transport, TransportError, TransportErrorKind};
#[cfg(feature = "ureq")]
pub use ureq_transport::{UreqTransport, UreqTransportBuilder};
pub use {http, secrecy, time};

/// The README's Rust code, compiled and run with the doctests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
