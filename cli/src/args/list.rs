//! The arguments of `list`.

use arize_api_keys::{ApiKeyStatus, ApiKeyType};
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};

use super::values;

/// List keys
///
/// Without a space the list shows user keys, your own; with a space and no --key-type, the service keys of that space.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  arize-keys list
  arize-keys list --key-type service --space prod --all -o csv > keys.csv
  arize-keys list --status revoked --limit 10 -o jsonl | jq -r .name")]
pub(crate) struct List {
    /// Only keys of this kind
    #[arg(long, value_name = "TYPE", ignore_case = true,
          value_parser = PossibleValuesParser::new(["user", "service"]).map(|word| ApiKeyType::from(word.as_str())))]
    pub(crate) key_type: Option<ApiKeyType>,
    /// Only keys with this status [default: active, by the service]
    #[arg(long, ignore_case = true,
          value_parser = PossibleValuesParser::new(["active", "revoked"]).map(|word| ApiKeyStatus::from(word.as_str())))]
    pub(crate) status: Option<ApiKeyStatus>,
    /// Only keys of this space, by name or id
    #[arg(long, value_name = "NAME|ID", value_parser = values::text())]
    pub(crate) space: Option<String>,
    /// The organization of the space, for names that several organizations use
    #[arg(long, value_name = "ORG_ID", requires = "space", value_parser = values::id())]
    pub(crate) org: Option<String>,
    /// Only keys that this user created (for admins)
    #[arg(long, value_name = "USER_ID", value_parser = values::id())]
    pub(crate) user: Option<String>,
    /// Keys per page, 1 to 100 [default: 50, with --all 100]
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub(crate) limit: Option<u32>,
    /// The `next_cursor` of the page before; an empty one means the first page
    #[arg(long)]
    pub(crate) cursor: Option<String>,
    /// Every page, not only one
    #[arg(long)]
    pub(crate) all: bool,
}
