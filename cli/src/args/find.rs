//! The arguments of `spaces`, `organizations`, `get` and `identify`.

use std::path::PathBuf;

use clap::Args;

use super::{Scopes, values};

/// List the spaces that your key may see
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  arize-keys spaces
  arize-keys spaces --name prod -o json")]
pub(crate) struct Spaces {
    /// Only spaces of the organization with this id
    #[arg(long, value_name = "ORG_ID", value_parser = values::id())]
    pub(crate) org: Option<String>,
    /// Only spaces whose name contains this text, in any case
    #[arg(long, value_name = "TEXT", value_parser = values::text())]
    pub(crate) name: Option<String>,
}

/// List the organizations that your key may see
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  arize-keys organizations")]
pub(crate) struct Organizations {
    /// Only organizations whose name contains this text, in any case
    #[arg(long, value_name = "TEXT", value_parser = values::text())]
    pub(crate) name: Option<String>,
}

/// Show one key by its id
///
/// The service has no request for one key, so the key is looked up in the lists: your own keys first, then the others.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  arize-keys get QXBpS2V5OjE6YWJjZA==
  arize-keys get QXBpS2V5OjE6YWJjZA== --space prod -o json")]
pub(crate) struct Get {
    /// The id of the key
    #[arg(value_parser = values::id())]
    pub(crate) id: String,
    #[command(flatten)]
    pub(crate) scopes: Scopes,
}

/// Find out whose keys are in a text
///
/// Reads a text, finds every `ak-…` in it, and compares it with the redacted forms of the keys of the account. It never prints
/// a secret.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  git log -p | arize-keys identify
  arize-keys identify leaked.txt --probe
  arize-keys identify leaked.txt --revoke")]
pub(crate) struct Identify {
    /// The file with the text, `-` for stdin
    #[arg(value_name = "FILE", default_value = "-", value_parser = values::path())]
    pub(crate) file: PathBuf,
    /// Ask the service with each secret whether it works
    #[arg(long)]
    pub(crate) probe: bool,
    /// Revoke the keys that match, if the match is unambiguous and the service accepts the secret
    #[arg(long)]
    pub(crate) revoke: bool,
    /// Do not ask before revoking
    #[arg(short, long, requires = "revoke")]
    pub(crate) yes: bool,
    #[command(flatten)]
    pub(crate) scopes: Scopes,
}
