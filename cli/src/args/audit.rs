//! The arguments of `audit` and `prune`.

use std::time::Duration;

use clap::{ArgGroup, Args};
use glob::Pattern;

use super::{Scopes, values};
use crate::times;

/// Report the keys that should go
///
/// Without a rule: --older-than 90d, --unused-for 90d, --expires-within 14d and --no-expiry, after CIS AWS Foundations 1.3 and
/// 1.4, and expired keys. No endpoint lists users, so the user keys of users that --user does not name are not covered.
#[derive(Args, Debug)]
#[command(after_help = "\
Exit code: 0 nothing found, 13 findings, 14 nothing found, but a scope could not be read.

Examples:
  arize-keys audit
  arize-keys audit --expires-within 30d --ignore 'ci-*' -o json
  arize-keys audit -o html > keys.html
  arize-keys audit -o openmetrics > arize.new; test -s arize.new && mv arize.new arize.prom")]
pub(crate) struct Audit {
    #[command(flatten)]
    pub(crate) scopes: Scopes,
    /// Keys created at least this long ago
    #[arg(long, value_name = "DURATION", allow_hyphen_values = true, value_parser = times::duration, help_heading = "Rules")]
    pub(crate) older_than: Option<Duration>,
    /// Keys not used for this long; a key that was never seen used counts from its creation
    #[arg(long, value_name = "DURATION", allow_hyphen_values = true, value_parser = times::duration, help_heading = "Rules")]
    pub(crate) unused_for: Option<Duration>,
    /// Keys that expire within this time
    #[arg(long, value_name = "DURATION", allow_hyphen_values = true, value_parser = times::duration, help_heading = "Rules")]
    pub(crate) expires_within: Option<Duration>,
    /// Keys that never expire
    #[arg(long, help_heading = "Rules")]
    pub(crate) no_expiry: bool,
    /// Only keys that `ensure` manages
    #[arg(long)]
    pub(crate) managed: bool,
    /// Leave out keys with such a name: `*`, `?` and `[…]`; may be repeated
    #[arg(long, value_name = "GLOB", value_parser = values::glob())]
    pub(crate) ignore: Vec<Pattern>,
}

/// Revoke the keys that every rule selects
///
/// A dry run, unless --yes is given. Without a scope it looks through your own user keys. It never revokes the key that it uses
/// itself, and nothing at all if a list is incomplete.
#[derive(Args, Debug)]
#[command(group = ArgGroup::new("rule").args(["older_than", "unused_for", "expired", "name"]).required(true).multiple(true))]
#[command(after_help = "\
Examples:
  arize-keys prune --expired
  arize-keys prune --expired --name 'run:*' --yes
  arize-keys prune --unused-for 180d --all-spaces --max 100 --yes")]
pub(crate) struct Prune {
    /// Keys created at least this long ago
    #[arg(long, value_name = "DURATION", allow_hyphen_values = true, value_parser = times::duration, help_heading = "Rules")]
    pub(crate) older_than: Option<Duration>,
    /// Keys not used for this long; a key without a last use is not selected
    #[arg(long, value_name = "DURATION", allow_hyphen_values = true, value_parser = times::duration, help_heading = "Rules")]
    pub(crate) unused_for: Option<Duration>,
    /// Keys that expired more than 5 minutes ago
    #[arg(long, help_heading = "Rules")]
    pub(crate) expired: bool,
    /// Keys with such a name: `*`, `?` and `[…]`
    #[arg(long, value_name = "GLOB", value_parser = values::glob(), help_heading = "Rules")]
    pub(crate) name: Option<Pattern>,
    #[command(flatten)]
    pub(crate) scopes: Scopes,
    /// Look through the service keys of every space, too
    #[arg(long, conflicts_with = "space")]
    pub(crate) all_spaces: bool,
    /// Revoke nothing if more keys than this are selected
    #[arg(long, value_name = "N", default_value_t = 20, allow_negative_numbers = true)]
    pub(crate) max: usize,
    /// The id of the key that this command uses, if it is not among those that are read
    #[arg(long, value_name = "ID", value_parser = values::id())]
    pub(crate) keep: Option<String>,
    /// Revoke the selected keys
    #[arg(short, long)]
    pub(crate) yes: bool,
}
