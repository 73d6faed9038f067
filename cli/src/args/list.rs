//! The arguments of `list`.

use std::time::Duration;

use arize_api_keys::{ApiKeyStatus, ApiKeyType};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};

use glob::Pattern;

use super::values;
use crate::times;

/// List keys
///
/// Without a space the list shows user keys, your own; with a space and no --key-type, the service keys of that space.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  arize-keys list
  arize-keys list --key-type service --space prod --all -o csv > keys.csv
  arize-keys list --all-spaces --expiring-within 14d --sort expires
  arize-keys list --status revoked --limit 10 -o jsonl | jq -r .name")]
pub(crate) struct List {
    /// Only keys of this kind
    #[arg(long, value_name = "TYPE", ignore_case = true,
          value_parser = PossibleValuesParser::new(["user", "service"]).map(|word| ApiKeyType::from(word.as_str())))]
    pub(crate) key_type: Option<ApiKeyType>,
    /// Only keys with this status [default: active, by the service]
    #[arg(long, ignore_case = true, value_enum)]
    pub(crate) status: Option<Status>,
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
    /// Only keys with such a name: `*`, `?` and `[…]`; reads every page
    #[arg(long, value_name = "GLOB", value_parser = values::glob(), conflicts_with_all = ["cursor", "limit"])]
    pub(crate) name: Option<Pattern>,
    /// Only keys that expire within this time; reads every page
    #[arg(long, value_name = "DURATION", allow_hyphen_values = true, value_parser = times::duration, conflicts_with_all = ["cursor", "limit"])]
    pub(crate) expiring_within: Option<Duration>,
    /// The order of the keys; reads every page
    #[arg(long, value_enum, conflicts_with_all = ["cursor", "limit"])]
    pub(crate) sort: Option<Sort>,
    /// Your user keys and the service keys of every space; reads every page
    #[arg(long, conflicts_with_all = ["cursor", "limit", "space", "user", "key_type"])]
    pub(crate) all_spaces: bool,
}

/// The status of the keys to list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Status {
    Active,
    Revoked,
    /// Both: reads every page
    All,
}

/// The order of a list. Keys without the value come last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Sort {
    Name,
    Created,
    Expires,
    LastUsed,
}

impl List {
    /// The statuses to ask for. The service has none for both.
    pub(crate) fn statuses(&self) -> Vec<Option<ApiKeyStatus>> {
        match self.status {
            None => vec![None],
            Some(Status::Active) => vec![Some(ApiKeyStatus::Active)],
            Some(Status::Revoked) => vec![Some(ApiKeyStatus::Revoked)],
            Some(Status::All) => vec![Some(ApiKeyStatus::Active), Some(ApiKeyStatus::Revoked)],
        }
    }

    /// Whether the list has to be whole before any of it is printed.
    pub(crate) fn is_gathered(&self) -> bool {
        self.name.is_some()
            || self.expiring_within.is_some()
            || self.sort.is_some()
            || self.all_spaces
            || self.status == Some(Status::All)
    }
}
