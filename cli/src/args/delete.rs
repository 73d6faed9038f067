//! The arguments of `delete` and `revoke`.

use clap::Args;

use super::values;

/// Remove keys: revoke them on the beta stage, delete them on the alpha stage
///
/// Use `revoke`, which does the same on both stages; on the alpha stage, `delete` also removes the key from lists.
///
/// It cannot be undone. The ids of the keys that were removed go to stdout.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  arize-keys delete QXBpS2V5OjE6YWJjZA==
  arize-keys list --user VXNlcjox --all -o jsonl | jq -r .id | xargs arize-keys delete --yes")]
pub(crate) struct Remove {
    /// The ids of the keys
    #[arg(required = true, value_name = "ID", value_parser = values::id())]
    pub(crate) ids: Vec<String>,
    /// Do not ask
    #[arg(short, long)]
    pub(crate) yes: bool,
}

/// Revoke keys, on either stage
///
/// Use this rather than `delete`, unless the key should also disappear from the lists of the alpha stage.
///
/// It cannot be undone; doing it again does nothing. The ids of the keys that were revoked go to stdout.
#[derive(Args, Debug)]
#[command(after_help = "\
Example:
  arize-keys revoke QXBpS2V5OjE6YWJjZA== --yes")]
pub(crate) struct Revoke {
    #[command(flatten)]
    pub(crate) remove: Remove,
}
