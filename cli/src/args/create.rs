//! The arguments of `create`.

use clap::Args;

use super::{NewKeyArgs, SecretTo, values};

/// Create a user key: it has your permissions
///
/// The secret is printed alone on stdout, or stored by --out or --env-file. If it cannot be printed or stored, the new key is
/// revoked.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  arize-keys create laptop --expires-in 30d --env-file .env
  ARIZE_API_KEY=$(arize-keys create ci)
  arize-keys create ci -o json | jq -r .key")]
pub(crate) struct Create {
    /// The name of the key; several keys may have the same name
    #[arg(value_parser = values::text())]
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) key: NewKeyArgs,
    #[command(flatten)]
    pub(crate) secret: SecretTo,
}
