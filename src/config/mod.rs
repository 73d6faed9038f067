//! The configuration of a client: explicit settings, then the environment, then the defaults.

mod builder;
mod credentials;
mod endpoint;
mod headers;
mod key_text;
mod settings;
mod source;
#[cfg(test)]
mod tests;

pub use self::builder::ClientBuilder;
pub(crate) use self::credentials::Credential;
pub(crate) use self::endpoint::BaseAddress;
#[cfg(all(test, feature = "ureq"))]
pub(crate) use self::endpoint::EndpointSettings;
#[cfg(feature = "ureq")]
pub(crate) use self::settings::ProxySetting;
pub(crate) use self::settings::{NetworkSettings, Settings};
pub(crate) use self::source::Env;
#[cfg(feature = "ureq")]
pub(crate) use self::source::Sourced;
