//! A blocking client for the API-keys endpoints of the Arize platform: list, create, refresh, revoke and delete API keys
//! from programs without an async runtime.
//!
//! Only one response has a new secret. Store it before you do anything else. Check [`Error::outcome`] before you repeat a
//! call. Do not log at the level TRACE: there ureq logs bodies and headers (see [`UreqTransport`]).
//!
//! ```
//! # #[cfg(feature = "emulator")]
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use std::time::Duration;
//! use arize_api_keys::{ApiKeysClient, CreateRequest, ExposeSecret, ListRequest, RefreshRequest};
//! use arize_api_keys::emulator::Emulator;
//!
//! // In production use `ApiKeysClient::from_env()?`. This example uses the in-process emulator.
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
//! * [`ApiKeysClient`] has the verbs, and [`rotate`](ApiKeysClient::rotate), [`ensure`](ApiKeysClient::ensure) and
//!   [`inventory`](ApiKeysClient::inventory), which are built on them. [`ClientBuilder`] configures it, with the environment
//!   variables of the official SDKs.
//! * [`ListRequest`], [`CreateRequest`], [`CreateServiceKeyRequest`] and [`RefreshRequest`] are the requests;
//!   [`ApiKeyList`], [`ApiKeys`] and [`ApiKeyCreated`] the responses.
//! * [`Error`] is every error, [`Outcome`] whether the service processed the request.
//! * [`RetryPolicy`] sets retries.
//! * [`Transport`] sends requests: [`UreqTransport`] by default; a closure works too.
//! * [`ApiStage`] selects the service of today or that of the Go SDK 0.12.
#![cfg_attr(feature = "emulator", doc = "* [`emulator`] is the service in this process, for tests.")]
//!
//! # Features
//!
//! * `ureq` (default): the default transport.
//! * `rustls` (default): TLS by rustls, with the roots of Mozilla compiled in.
//! * `platform-verifier`: the roots of the operating system, for rustls.
//! * `native-tls`: TLS by the library of the operating system.
//! * `emulator`: the service in this process, and its HTTP server.
//!
//! # Logging
//!
//! This crate logs with `log::warn!` alone: once per process and operation that the API is a pre-release; once that the log
//! level makes ureq log secrets; and for each client, the certificate files of the machine that cannot be used.

#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod authority;
mod client;
mod clock;
mod config;
#[cfg(feature = "emulator")]
pub mod emulator;
mod error;
mod json;
mod lifecycle;
mod model;
mod operation;
mod operations;
mod pages;
mod percent;
mod pipeline;
mod prerelease;
mod redact;
mod request_target;
mod retry;
mod secret;
mod serialize;
mod stage;
mod tls;
mod transport;
#[cfg(feature = "ureq")]
mod ureq_transport;

pub use client::ApiKeysClient;
pub use clock::{Clock, SystemClock};
pub use config::ClientBuilder;
pub use error::{
    AmbiguousSpace, ApiError, ConfigError, DecodeError, Error, InvalidRequest, OrganizationNotFound, Outcome,
    PaginationError, PaginationErrorKind, SecretNotRecovered, SpaceCandidate, SpaceNotFound, TransportFailure,
};
pub use lifecycle::{
    EnsureChange, EnsureError, EnsurePlan, EnsureRequest, EnsureWarning, Ensured, FoundKey, Inventory,
    InventoryProgress, InventoryRequest, KeySpaces, KeyToEnsure, NotReplaceable, ReplacementKey, RotationError,
    RotationStep, Scope, UnreadScope,
};
pub use model::{
    AccountRole, ApiKey, ApiKeyCreated, ApiKeyList, ApiKeyStatus, ApiKeyType, BotUser, BotUserOrganization,
    BotUserSpace, FieldWarning, OrgRole, Organization, Pagination, RoleAssignment, Space, SpaceRole, UnknownValue,
};
pub use operations::create::CreateRequest;
pub use operations::list::ListRequest;
pub use operations::lookup::SpaceRef;
pub use operations::refresh::RefreshRequest;
pub use operations::service_key::{CreateServiceKeyRequest, OrgBinding, SpaceBinding};
pub use operations::spaces::{ListOrganizationsRequest, ListSpacesRequest};
pub use pages::{ApiKeys, Organizations, Spaces};
pub use retry::RetryPolicy;
pub use secrecy::ExposeSecret;
pub use stage::{ApiStage, UnknownStage};
pub use tls::{TlsBackend, TlsRoots};
pub use transport::{SendOptions, Transport, TransportError, TransportErrorKind};
#[cfg(feature = "ureq")]
pub use ureq_transport::{UreqTransport, UreqTransportBuilder};
pub use {http, secrecy, time};

/// The Rust code of README.md and docs/, compiled and run with the doctests.
#[cfg(doctest)]
mod documents {
    #[doc = include_str!("../README.md")]
    struct Readme;
    #[doc = include_str!("../docs/audit.md")]
    struct Audit;
    #[doc = include_str!("../docs/configuration.md")]
    struct Configuration;
    #[cfg(feature = "emulator")]
    #[doc = include_str!("../docs/emulator.md")]
    struct Emulator;
    #[doc = include_str!("../docs/errors-and-retries.md")]
    struct ErrorsAndRetries;
    #[doc = include_str!("../docs/renewing.md")]
    struct Renewing;
    #[doc = include_str!("../docs/security.md")]
    struct Security;
    #[cfg(feature = "emulator")]
    #[doc = include_str!("../docs/services.md")]
    struct Services;
}
