//! The arguments of `rotate`.

use clap::Args;

use super::{NewKeyArgs, RotateService, SecretTo, values};

/// Replace a key by a new one, in the safe order: create, store, prove, revoke
///
/// Use `refresh` only where the id of the key must stay: it replaces the secret in one step, with no way back.
///
/// One of the two keys works at any time. It ends at the first step that fails, and says which keys live then; every step
/// is announced on stderr, so that a key is known of even if the program is killed. The new key is a user key, or a service
/// key if --space, --grant or --assignments say what it is bound to.
#[derive(Args, Debug)]
#[command(group = clap::ArgGroup::new("place").args(["out", "env_file"]).required(true))]
#[command(after_help = "\
Examples:
  arize-keys rotate QXBpS2V5OjE6YWJjZA== \"ci 2026-11\" --expires-in 90d --env-file .env
  arize-keys rotate QXBpS2V5OjE6YWJjZA== ci-bot --space prod --out /run/secrets/arize")]
pub(crate) struct Rotate {
    /// The id of the old key
    #[arg(value_parser = values::id())]
    pub(crate) id: String,
    /// What the new key is called: a name of its own finds it, whatever happens
    #[arg(value_parser = values::text())]
    pub(crate) name: String,
    /// Do not ask whether to revoke the old key
    #[arg(short, long)]
    pub(crate) yes: bool,
    #[command(flatten)]
    pub(crate) key: NewKeyArgs,
    #[command(flatten)]
    pub(crate) service: RotateService,
    #[command(flatten)]
    pub(crate) secret: SecretTo,
}
