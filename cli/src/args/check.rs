//! The arguments of `check`.

use clap::Args;

/// Show where requests go and whether the key is accepted; never the key
///
/// The id and the name of the key are found among your own keys, if it is one of them.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  arize-keys check
  arize-keys check --offline --region eu-west-1a -o json")]
pub(crate) struct Check {
    /// Only look at the configuration, and send nothing
    #[arg(long)]
    pub(crate) offline: bool,
}
