//! The arguments, and the texts of their help.

mod connection;
mod emulator;
mod service_key;

use std::path::PathBuf;
use std::time::Duration;

use arize_api_keys::time::OffsetDateTime;
use arize_api_keys::{ApiKeyStatus, ApiKeyType, ApiStage};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};

pub(crate) use self::connection::Connection;
pub(crate) use self::emulator::Emulator;
pub(crate) use self::service_key::{Binding, RotateService, ServiceKey};
use crate::failure::EXIT_CODES;
use crate::{env_file, times};

const SETUP: &str = "\
The key that requests are made with comes from ARIZE_API_KEY or from --api-key-file, never from the command line, where \
every user of the machine could read it.

Data goes to stdout, everything else to stderr. A new secret can be seen once: it is printed alone on a line, or stored \
by --out or --env-file.";

/// How wide help is without a terminal, and at most, in columns.
pub(crate) const HELP_WIDTH: usize = 100;
pub(crate) const MAX_HELP_WIDTH: usize = 110;

/// List, create, rotate and revoke API keys of the Arize platform
#[derive(Debug, Parser)]
#[command(name = "arize-keys", version, after_help = SETUP, after_long_help = format!("{SETUP}\n\n{EXIT_CODES}"))]
#[command(arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    List(List),
    Create(Create),
    CreateServiceKey(CreateServiceKey),
    Refresh(Refresh),
    Delete(Remove),
    Revoke(Revoke),
    Rotate(Rotate),
    Check(Check),
    Emulator(Emulator),
    Completions(Completions),
    Man(Man),
}

/// How what is printed looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For reading: fits the terminal.
    Table,
    /// One JSON document.
    Json,
    /// One JSON object on each line.
    Jsonl,
    /// Comma-separated values with a header.
    Csv,
}

/// What most commands have.
#[derive(Args, Debug)]
pub(crate) struct Common {
    /// What the output looks like
    #[arg(short, long, value_enum, default_value_t = Format::Table, value_name = "FORMAT", help_heading = "Output")]
    pub(crate) output: Format,
    #[command(flatten)]
    pub(crate) verbosity: Verbosity,
    #[command(flatten)]
    pub(crate) connection: Connection,
}

#[derive(Args, Clone, Copy, Debug, Default)]
pub(crate) struct Verbosity {
    /// No warnings, notes and progress on stderr
    #[arg(short, long, conflicts_with = "verbose", help_heading = "Output")]
    pub(crate) quiet: bool,
    /// Say on stderr what is sent: method, path, status and time, never a secret
    #[arg(short, long, help_heading = "Output")]
    pub(crate) verbose: bool,
}

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
    /// Only keys in this state [default: active, the service's]
    #[arg(long, ignore_case = true,
          value_parser = PossibleValuesParser::new(["active", "revoked"]).map(|word| ApiKeyStatus::from(word.as_str())))]
    pub(crate) status: Option<ApiKeyStatus>,
    /// Only keys of this space, by name or id
    #[arg(long, value_name = "NAME|ID")]
    pub(crate) space: Option<String>,
    /// The organization of the space, for names that several organizations use
    #[arg(long, value_name = "ORG_ID", requires = "space")]
    pub(crate) org: Option<String>,
    /// Only keys that this user created (for admins)
    #[arg(long, value_name = "USER_ID")]
    pub(crate) user: Option<String>,
    /// How many keys a page has, 1 to 100 [default: 50, with --all 100]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100))]
    pub(crate) limit: Option<u32>,
    /// Where to go on: the `next_cursor` of the page before
    #[arg(long)]
    pub(crate) cursor: Option<String>,
    /// Every page, not only one
    #[arg(long)]
    pub(crate) all: bool,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// What a new key is called, and how long it lives.
#[derive(Args, Debug)]
pub(crate) struct NewKeyArgs {
    /// What the key is for
    #[arg(long, value_name = "TEXT")]
    pub(crate) description: Option<String>,
    #[command(flatten)]
    pub(crate) expiry: Expiry,
}

#[derive(Args, Debug)]
pub(crate) struct Expiry {
    /// How long the key works: `30d`, `12h`, `1h 30m`
    #[arg(long, value_name = "DURATION", value_parser = times::duration, conflicts_with = "expires_at")]
    pub(crate) expires_in: Option<Duration>,
    /// When the key stops working: `2027-01-01` (midnight UTC) or `2027-01-01T12:00:00+01:00`
    #[arg(long, value_name = "TIME", value_parser = times::moment)]
    pub(crate) expires_at: Option<OffsetDateTime>,
}

/// Where the secret of a new key goes. Without any of it: to stdout.
#[derive(Args, Debug)]
pub(crate) struct SecretTo {
    /// Write the secret to this file, which is replaced (mode 0600); a pipe or a device is written to
    #[arg(long, value_name = "FILE", conflicts_with = "env_file", help_heading = "Where the secret goes")]
    pub(crate) out: Option<PathBuf>,
    /// Set the secret in this file of `NAME=value` lines, and keep the rest of it (mode 0600)
    #[arg(long, value_name = "FILE", help_heading = "Where the secret goes")]
    pub(crate) env_file: Option<PathBuf>,
    /// The variable that --env-file sets
    #[arg(long, value_name = "NAME", default_value = "ARIZE_API_KEY", value_parser = env_file::name,
          help_heading = "Where the secret goes")]
    pub(crate) env_name: String,
}

/// Create a user key: it may do what you may
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
    /// What the key is called; names need not be unique
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) key: NewKeyArgs,
    #[command(flatten)]
    pub(crate) secret: SecretTo,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// Create a service key: a key of a bot user with roles of its own
///
/// It is bound to one --space, whose organization is found by itself; to the spaces of --grant; or to those of a file of
/// --assignments. What happens to the secret is as in `create`.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  arize-keys create-service-key ci-bot --space prod --space-role read-only --env-file .env
  arize-keys create-service-key etl --grant T3JnOjE=/prod --grant T3JnOjE=/dev=admin --out etl.key
  arize-keys create-service-key etl --assignments etl.json")]
pub(crate) struct CreateServiceKey {
    /// What the key and its bot user are called; names need not be unique
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) key: NewKeyArgs,
    #[command(flatten)]
    pub(crate) service: ServiceKey,
    #[command(flatten)]
    pub(crate) secret: SecretTo,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// Replace the secret of a key
///
/// The old secret dies at once, or after --grace. If the new one is lost on the way, refresh again; `rotate` makes a new key
/// instead, and is safer. Where the new secret goes is as in `create`, but nothing is revoked if it cannot get there.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  arize-keys refresh QXBpS2V5OjE6YWJjZA== --grace 1h --env-file .env
  arize-keys refresh QXBpS2V5OjE6YWJjZA== --expires-in 90d --out ci.key")]
pub(crate) struct Refresh {
    /// The id of the key
    pub(crate) id: String,
    /// How long the old secret goes on working, at most a day: `1h`
    #[arg(long, value_name = "DURATION", value_parser = times::grace)]
    pub(crate) grace: Option<Duration>,
    #[command(flatten)]
    pub(crate) expiry: Expiry,
    #[command(flatten)]
    pub(crate) secret: SecretTo,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// Remove keys: what the service calls revoking today, and deleting on the alpha stage
///
/// It cannot be undone. The ids of the keys that were removed go to stdout.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  arize-keys delete QXBpS2V5OjE6YWJjZA==
  arize-keys list --user VXNlcjox --all -o jsonl | jq -r .id | xargs arize-keys delete --yes")]
pub(crate) struct Remove {
    /// The ids of the keys
    #[arg(required = true, value_name = "ID")]
    pub(crate) ids: Vec<String>,
    /// Do not ask
    #[arg(short, long)]
    pub(crate) yes: bool,
    #[command(flatten)]
    pub(crate) verbosity: Verbosity,
    #[command(flatten)]
    pub(crate) connection: Connection,
}

/// Revoke keys, on either stage
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

/// Replace a key by a new one, in the safe order: create, store, prove, revoke
///
/// At no moment there is no key that works. It ends at the first step that fails, and says which keys live then; every step
/// is announced on stderr, so that a key is known of even if the program is killed. The new key is a user key, or a service
/// key if --space, --grant or --assignments say what it is bound to.
#[derive(Args, Debug)]
#[command(group = clap::ArgGroup::new("place").args(["out", "env_file"]).required(true))]
#[command(after_help = "\
Examples:
  arize-keys rotate QXBpS2V5OjE6YWJjZA== \"ci 2026-11\" --expires-in 90d --env-file .env
  arize-keys rotate QXBpS2V5OjE6YWJjZA== ci-bot --space prod --out /run/secrets/arize")]
pub(crate) struct Rotate {
    /// The id of the old key
    pub(crate) id: String,
    /// What the new key is called: a name of its own finds it, whatever happens
    pub(crate) name: String,
    /// Do not ask whether to revoke the old key
    #[arg(short, long)]
    pub(crate) yes: bool,
    #[command(flatten)]
    pub(crate) key: NewKeyArgs,
    #[command(flatten)]
    pub(crate) service: RotateService,
    #[command(flatten)]
    pub(crate) secret: SecretTo,
    #[command(flatten)]
    pub(crate) common: Common,
}

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
    #[command(flatten)]
    pub(crate) common: Common,
}

/// Print the completions for a shell
#[derive(Args, Debug)]
#[command(after_help = "\
Example:
  arize-keys completions bash > ~/.local/share/bash-completion/completions/arize-keys")]
pub(crate) struct Completions {
    /// The shell
    pub(crate) shell: clap_complete::Shell,
}

/// Print the man page, or write all of them
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  arize-keys man | man -l -
  arize-keys man --dir ~/.local/share/man/man1")]
pub(crate) struct Man {
    /// Write the pages of all commands into this directory
    #[arg(long)]
    pub(crate) dir: Option<PathBuf>,
}

/// The words of a stage.
fn stage() -> impl TypedValueParser<Value = ApiStage> {
    PossibleValuesParser::new(["beta", "alpha"]).try_map(|word| word.parse::<ApiStage>())
}
