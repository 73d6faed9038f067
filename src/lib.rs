//! Skeleton.
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
mod secret;
mod stage;
mod target;
mod transport;

pub use client::ApiKeysClient;
pub use clock::{Clock, SystemClock};
pub use config::ClientBuilder;
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
pub use secrecy::ExposeSecret;
pub use stage::{ApiStage, UnknownStage};
pub use transport::{SendOptions, Transport, TransportError, TransportErrorKind};
pub use {http, secrecy, time};
