//! The arguments of `refresh`.

use std::time::Duration;

use clap::Args;

use super::{Expiry, SecretTo, values};
use crate::times;

/// Replace the secret of a key
///
/// Use `rotate` for a key in use: it makes a new key, and the old one works until the new one is stored and verified. Use `refresh`
/// where the id must stay. A key that expires needs --expires-in or --expires-at, no later than it expires now.
///
/// The old secret stops working at once, or after --grace. The key of this program itself needs --grace or --no-grace. If the new one is lost, refresh again. The new secret is printed or stored
/// as in `create`, but nothing is revoked if that fails.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  arize-keys refresh QXBpS2V5OjE6YWJjZA== --grace 1h --env-file .env
  arize-keys refresh QXBpS2V5OjE6YWJjZA== --expires-in 7d --out ci.key")]
pub(crate) struct Refresh {
    /// The id of the key
    #[arg(value_parser = values::id())]
    pub(crate) id: String,
    /// How long the old secret goes on working, at most a day: `1h`
    #[arg(long, value_name = "DURATION", allow_hyphen_values = true, value_parser = times::grace)]
    pub(crate) grace: Option<Duration>,
    /// End the old secret at once, also where it is the one of this program
    #[arg(long, conflicts_with = "grace")]
    pub(crate) no_grace: bool,
    #[command(flatten)]
    pub(crate) expiry: Expiry,
    #[command(flatten)]
    pub(crate) secret: SecretTo,
}
