//! The arguments of `run`.

use std::ffi::OsString;
use std::time::Duration;

use clap::Args;

use super::{RotateService, values};
use crate::{env_file, times};

/// Run a command with a new key, and revoke the key when the command ends
///
/// The command finds the new key in its environment, and not the key that this program uses. It keeps its terminal, its streams
/// and its exit code. SIGTERM and SIGHUP are forwarded to it. The service ends the key after --ttl, even if this program is
/// killed.
///
/// The key is a user key, or a service key with --space, --grant or --assignments.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  arize-keys run -- ./deploy.sh
  arize-keys run --space prod --space-role read-only --ttl 15m -- python report.py
  arize-keys prune --expired --name 'run:*'    # what killed runs have left")]
pub(crate) struct Run {
    /// How long the key works at most. A command that runs longer loses it
    #[arg(long, value_name = "DURATION", default_value = "1h", allow_hyphen_values = true, value_parser = times::duration)]
    pub(crate) ttl: Duration,
    /// The variable in which the command finds the key
    #[arg(long, value_name = "NAME", default_value = "ARIZE_API_KEY", value_parser = env_file::name)]
    pub(crate) env_name: String,
    /// The name of the key [default: `run:<host>:<pid>:<start time>`]
    #[arg(long, value_parser = values::text())]
    pub(crate) name: Option<String>,
    #[command(flatten)]
    pub(crate) service: RotateService,
    /// The command and its arguments
    #[arg(last = true, required = true, value_name = "CMD")]
    pub(crate) command: Vec<OsString>,
}
