//! The arguments of `ensure`.

use std::time::Duration;

use clap::Args;

use super::{RotateService, SecretTo, values};
use crate::times;

/// Keep a working key in a store: create it, renew it when it is due, retire the old ones
///
/// Run it as often as you like, from cron or a timer. The key belongs to its owner, who is named at the end of its
/// description as `[arize-keys owner=…]`; keys of other owners are never touched. The service and the store are the only state.
///
/// With only --to-command, --read-command prints the secret that the last of them stored. With --no-read, only names and dates decide.
#[derive(Args, Debug)]
#[command(group = clap::ArgGroup::new("place").args(["out", "env_file", "read_command", "no_read"]).required(true))]
#[command(after_help = "\
Examples:
  arize-keys ensure etl --space prod --env-file /etc/etl.env
  arize-keys ensure me --lifetime 30d --renew-before 7d --overlap 1d --out ~/.arize-key -o json
  arize-keys ensure etl --space prod --to-command 'vault kv put secret/arize key=-' --read-command 'vault kv get -field=key secret/arize'")]
pub(crate) struct Ensure {
    /// The name of the key
    #[arg(value_parser = values::text())]
    pub(crate) name: String,
    /// The owner of the key [default: the name of this host and the path of the file, or a number made from the commands]; containers set it
    #[arg(long, value_name = "TEXT", value_parser = values::text())]
    pub(crate) owner: Option<String>,
    /// The purpose of the key
    #[arg(long, value_name = "TEXT")]
    pub(crate) description: Option<String>,
    /// The lifetime of each key
    #[arg(long, value_name = "DURATION", default_value = "90d", allow_hyphen_values = true, value_parser = times::duration)]
    pub(crate) lifetime: Duration,
    /// How long before its expiry the key is renewed [default: the last third of its lifetime]
    #[arg(long, value_name = "DURATION", allow_hyphen_values = true, value_parser = times::duration)]
    pub(crate) renew_before: Option<Duration>,
    /// How long an old key works beside its successor, `0s` for not at all
    #[arg(long, value_name = "DURATION", default_value = "0s", allow_hyphen_values = true, value_parser = times::duration_or_zero)]
    pub(crate) overlap: Duration,
    /// Take over this key: renew it at once and revoke it
    #[arg(long, value_name = "ID", value_parser = values::id())]
    pub(crate) adopt: Option<String>,
    /// Renew the key although it is not due
    #[arg(long)]
    pub(crate) renew_now: bool,
    /// Create a key although more than 5 were created within an hour
    #[arg(long)]
    pub(crate) force: bool,
    /// Replace a stored secret that works and belongs to no key of this owner
    #[arg(long, conflicts_with = "no_read")]
    pub(crate) replace_stored: bool,
    /// Say what a run would do, and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Run this shell command after the new key is verified and before older ones are revoked: to reload a program. If it fails,
    /// all keys stay, and with a file the next run tries it again
    #[arg(long, value_name = "CMD", group = "commands", value_parser = values::text())]
    pub(crate) then: Option<String>,
    /// Without a file: run this shell command, which prints the stored secret. If it prints nothing, no secret is stored
    #[arg(long, value_name = "CMD", requires = "to_command", group = "commands", value_parser = values::text(),
          help_heading = "Where the secret goes")]
    pub(crate) read_command: Option<String>,
    /// Without a file: the stored secret cannot be read; only names and dates decide
    #[arg(long, requires = "to_command", help_heading = "Where the secret goes")]
    pub(crate) no_read: bool,
    #[command(flatten)]
    pub(crate) service: RotateService,
    #[command(flatten)]
    pub(crate) secret: SecretTo,
}
