//! The arguments of `rotate`.

use clap::Args;

use super::{NewKeyArgs, RotateService, SecretTo, values};

/// Replace a key by a new one, in the safe order: find, create, store, verify, revoke
///
/// Use it to renew a key. (`refresh` replaces the secret of a key at once, and cannot extend the life of a key that expires.)
/// A working secret is stored at every moment. The first step that fails ends the rotation, and the message says which keys
/// work then. Every step is announced on stderr before it is taken. After an interruption, run the same command again.
///
/// The new key is a user key, or a service key with --space, --grant or --assignments: the service does not tell the binding
/// of the old one. Description and lifetime carry over.
#[derive(Args, Debug)]
#[command(group = clap::ArgGroup::new("place").args(["out", "env_file"]).required(true))]
#[command(after_help = "\
Examples:
  arize-keys rotate QXBpS2V5OjE6YWJjZA== --env-file .env
  arize-keys rotate QXBpS2V5OjE6YWJjZA== ci-bot --space prod --expires-in 90d --out /run/secrets/arize")]
pub(crate) struct Rotate {
    /// The id of the old key
    #[arg(value_parser = values::id())]
    pub(crate) id: String,
    /// The name of the new key [default: that of the old key]
    #[arg(value_parser = values::text())]
    pub(crate) name: Option<String>,
    /// Do not ask whether to revoke the old key
    #[arg(short, long)]
    pub(crate) yes: bool,
    #[command(flatten)]
    pub(crate) key: NewKeyArgs,
    /// The new key does not expire, even if the old one does
    #[arg(long, conflicts_with_all = ["expires_in", "expires_at"])]
    pub(crate) no_expiry: bool,
    #[command(flatten)]
    pub(crate) service: RotateService,
    #[command(flatten)]
    pub(crate) secret: SecretTo,
}
