//! Comparing a secret with the redacted form of a key.

use secrecy::{ExposeSecret, SecretString};

use super::ApiKey;

/// The least visible characters of a redacted form, besides `ak-`. With fewer, other secrets would match by accident.
const MIN_VISIBLE: usize = 6;

impl ApiKey {
    /// Whether `secret` has the redacted form [`redacted_key`](Self::redacted_key): the same first and last characters,
    /// with any number of dots or stars between.
    ///
    /// False for a redacted form with fewer than 6 visible characters besides `ak-`. A match is likely, not certain:
    /// use the secret in a call to be sure.
    ///
    /// ```
    /// # use arize_api_keys::{ApiKeysClient, CreateRequest, Error};
    /// # fn demo(client: &ApiKeysClient) -> Result<(), Error> {
    /// let created = client.create(&CreateRequest::new("ci"))?;
    /// assert!(created.matches(&created.key));
    /// # Ok(())
    /// # }
    /// ```
    pub fn matches(&self, secret: &SecretString) -> bool {
        let is_mask = |c: char| matches!(c, '.' | '*');
        let redacted = self.redacted_key.as_str();
        let (Some(start), Some(end)) = (redacted.find(is_mask), redacted.rfind(is_mask)) else { return false };
        let (head, rest) = redacted.split_at(start);
        let (mask, tail) = rest.split_at(end + 1 - start);
        let visible = head.strip_prefix("ak-").unwrap_or(head).chars().count() + tail.chars().count();
        let secret = secret.expose_secret();
        mask.chars().all(is_mask)
            && visible >= MIN_VISIBLE
            && secret.len() >= head.len() + tail.len()
            && secret.starts_with(head)
            && secret.ends_with(tail)
    }
}
