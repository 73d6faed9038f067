//! The arguments that the commands which bring a new secret have in common.

use std::path::PathBuf;
use std::time::Duration;

use arize_api_keys::time::OffsetDateTime;
use clap::{ArgGroup, Args};

use super::values;
use crate::{env_file, times};

/// The description and the lifetime of a new key.
#[derive(Args, Debug)]
pub(crate) struct NewKeyArgs {
    /// The purpose of the key
    #[arg(long, value_name = "TEXT")]
    pub(crate) description: Option<String>,
    #[command(flatten)]
    pub(crate) expiry: Expiry,
}

#[derive(Args, Debug)]
pub(crate) struct Expiry {
    /// How long the key works: `30d`, `12h`, `1h 30m`
    #[arg(long, value_name = "DURATION", allow_hyphen_values = true, value_parser = times::duration, conflicts_with = "expires_at")]
    pub(crate) expires_in: Option<Duration>,
    /// When the key stops working: `2027-01-01` (midnight UTC) or `2027-01-01T12:00:00+01:00`
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, value_parser = times::moment)]
    pub(crate) expires_at: Option<OffsetDateTime>,
}

/// Where the secret of a new key goes. Without any of it: to stdout.
#[derive(Args, Debug)]
#[command(group = ArgGroup::new("commands").arg("to_command").multiple(true))]
pub(crate) struct SecretTo {
    /// Write the secret to this file, which is replaced (mode 0600); a pipe or a device is written to, and `-` is stdout
    #[arg(long, value_name = "FILE", conflicts_with = "env_file", value_parser = values::path(), help_heading = "Where the secret goes")]
    pub(crate) out: Option<PathBuf>,
    /// Set the secret in this file of `NAME=value` lines, and keep its other lines (mode 0600)
    #[arg(long, value_name = "FILE", value_parser = values::path(), help_heading = "Where the secret goes")]
    pub(crate) env_file: Option<PathBuf>,
    /// The variable that --env-file sets
    #[arg(long, value_name = "NAME", default_value = "ARIZE_API_KEY", requires = "env_file", conflicts_with = "out", value_parser = env_file::name,
          help_heading = "Where the secret goes")]
    pub(crate) env_name: String,
    /// Run this shell command with the secret on its stdin; may be repeated. If a command fails, the secret is not stored
    #[arg(long, value_name = "CMD", value_parser = values::text(), help_heading = "Where the secret goes")]
    pub(crate) to_command: Vec<String>,
    /// How long each command may take, within --timeout
    #[arg(long, value_name = "DURATION", default_value = "60s", requires = "commands", value_parser = times::duration,
          help_heading = "Where the secret goes")]
    pub(crate) command_timeout: Duration,
}
