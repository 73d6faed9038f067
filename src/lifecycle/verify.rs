//! Whether the service accepts a secret.

use secrecy::SecretString;

use crate::client::ApiKeysClient;
use crate::error::Error;
use crate::operations::list::ListRequest;

impl ApiKeysClient {
    /// A client with the secret, which the service has accepted in a list.
    pub(super) fn verify(&self, secret: &SecretString) -> Result<Self, Error> {
        let client = self.with_api_key(secret)?;
        match client.list(&ListRequest::new().limit(1)) {
            Ok(_) => Ok(client),
            // The service knows the key and does not let it list.
            Err(error) if error.is_key_accepted() == Some(true) => Ok(client),
            Err(error) => Err(error),
        }
    }
}
