//! Placeholder of the client.

use crate::config::{ClientBuilder, Settings};
use crate::error::Error;

/// Placeholder of the client.
pub struct ApiKeysClient {
    settings: Settings,
}

impl ApiKeysClient {
    pub(crate) fn new(settings: Settings) -> Self {
        Self { settings }
    }

    /// Sets up a client.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::default()
    }

    /// A client as the environment says.
    ///
    /// # Errors
    ///
    /// As [`ClientBuilder::build`].
    pub fn from_env() -> Result<Self, Error> {
        Self::builder().build()
    }
}
