//! The arguments, and the texts of their help.

mod audit;
mod check;
mod connection;
mod create;
mod delete;
mod emulator;
mod ensure;
mod find;
mod generate;
mod global;
mod list;
mod named;
mod refresh;
mod rotate;
mod run;
mod scopes;
mod secret;
mod service_key;
mod values;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::parser::ValueSource;
use clap::{ArgMatches, CommandFactory, FromArgMatches, Parser, Subcommand};

pub(crate) use self::audit::{Audit, Prune};
pub(crate) use self::check::Check;
pub(crate) use self::connection::Connection;
pub(crate) use self::create::Create;
pub(crate) use self::delete::{Remove, Revoke};
pub(crate) use self::emulator::Emulator;
pub(crate) use self::ensure::Ensure;
pub(crate) use self::find::{Get, Identify, Organizations, Spaces};
pub(crate) use self::generate::{Completions, Man};
pub(crate) use self::global::{Format, Global};
pub(crate) use self::list::{List, Sort, Status};
pub(crate) use self::refresh::Refresh;
pub(crate) use self::rotate::Rotate;
pub(crate) use self::run::Run;
pub(crate) use self::scopes::Scopes;
pub(crate) use self::secret::{Expiry, NewKeyArgs, SecretTo};
pub(crate) use self::service_key::{Binding, CreateServiceKey, RotateService};
pub(crate) use self::values::is_blank;
use crate::failure::EXIT_CODES;
use crate::redact::{Secrets, printable};

const SETUP: &str = "\
The API key comes from ARIZE_API_KEY, a file (--api-key-file, --api-key-env-file) or a profile of `ax` (--profile), never from \
the command line, where every user of the machine could read it.

Data goes to stdout, everything else to stderr. A new secret can be seen once: it is printed alone on a line, or stored \
by --out or --env-file.";

const ENVIRONMENT: &str = "\
Environment (docs/configuration.md has the other variables):
  ARIZE_API_KEY          the API key
  ARIZE_API_KEY_FILE     a file with the API key
  ARIZE_KEYS_SECRETS     `file-only`: refuse a command that would print a new secret
  ARIZE_KEYS_NO_WARNING  `1`: do not print the warning that the API is a pre-release";

/// The width of help without a terminal, and its maximum, in columns.
const HELP_WIDTH: usize = 100;
const MAX_HELP_WIDTH: usize = 110;

/// List, create, rotate and revoke API keys of the Arize platform
#[derive(Debug, Parser)]
#[command(name = "arize-keys", version, after_help = SETUP, after_long_help = format!("{SETUP}\n\n{ENVIRONMENT}\n\n{EXIT_CODES}"))]
#[command(arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    List(List),
    Get(Get),
    Spaces(Spaces),
    Organizations(Organizations),
    Audit(Audit),
    Identify(Identify),
    Prune(Prune),
    Create(Create),
    CreateServiceKey(CreateServiceKey),
    Refresh(Refresh),
    Delete(Remove),
    Revoke(Revoke),
    Rotate(Rotate),
    Ensure(Ensure),
    Run(Run),
    Check(Check),
    Emulator(Emulator),
    Completions(Completions),
    Man(Man),
}

/// Whether a command takes or redefines a global option, given by its id.
fn takes(command: &str, option: &str) -> bool {
    match command {
        "emulator" => ["quiet", "port", "stage"].contains(&option),
        "completions" | "man" => false,
        // stdout belongs to the command that it runs.
        "run" => !["output", "raw"].contains(&option),
        _ => true,
    }
}

/// The arguments, checked.
pub(crate) fn parse(args: &[OsString], width: Option<u16>) -> Result<Cli, clap::Error> {
    // The description of all commands takes most of the time of a short one. Only help and the messages of mistakes need it.
    if let Some(mut command) = named::command(args)
        && let Ok(cli) = read(args, &mut command)
    {
        return Ok(cli);
    }
    read(args, &mut whole_command(width))
}

fn read(args: &[OsString], command: &mut clap::Command) -> Result<Cli, clap::Error> {
    let matches = command.try_get_matches_from_mut(args)?;
    let cli = Cli::from_arg_matches(&matches).map_err(|error| error.format(command))?;
    if let Some(option) = without_effect(command, &matches) {
        let name = matches.subcommand_name().unwrap_or_default();
        return Err(command.error(ErrorKind::ArgumentConflict, format!("--{option} has no effect on `{name}`")));
    }
    let is_report = matches!(cli.global.output, Format::Html | Format::Openmetrics);
    if is_report && !matches!(cli.command, Command::Audit(_)) {
        let problem = "--output html and openmetrics are for `audit` only";
        return Err(command.error(ErrorKind::ArgumentConflict, problem));
    }
    cli.check().map_err(|problem| command.error(ErrorKind::ArgumentConflict, problem))?;
    Ok(cli)
}

impl Cli {
    /// The rules between options that clap does not check.
    fn check(&self) -> Result<(), String> {
        self.global.check()?;
        if let Command::List(list) = &self.command
            && list.status == Some(Status::All)
            && list.cursor.is_some()
        {
            return Err("--status all reads every page: --cursor has no effect".to_owned());
        }
        let binding = match &self.command {
            Command::CreateServiceKey(args) => Some(&args.service.binding),
            Command::Rotate(args) => Some(&args.service.binding),
            Command::Ensure(args) => Some(&args.service.binding),
            Command::Run(args) => Some(&args.service.binding),
            _ => None,
        };
        if binding.is_some_and(Binding::ignores_space_role) {
            return Err("every --grant has a role: --space-role has no effect".to_owned());
        }
        let other = match &self.command {
            Command::Identify(args) => Some(("FILE", &args.file)),
            _ => binding.and_then(|binding| Some(("--assignments", binding.assignments.as_ref()?))),
        };
        let is_stdin = |path: &PathBuf| path.as_os_str() == "-";
        match other.filter(|(_, path)| is_stdin(path)) {
            Some((name, _)) if self.global.connection.api_key_file.as_ref().is_some_and(is_stdin) => {
                Err(format!("--api-key-file and {name} both read stdin: give one of them a path"))
            }
            _ => Ok(()),
        }
    }
}

/// An error of clap, without the secrets and the control characters that it quotes from the arguments.
pub(crate) fn quotable(mut error: clap::Error, secrets: &Secrets) -> clap::Error {
    let safe = |text: &str| printable(secrets.message(text));
    // What clap writes itself has several lines.
    let lines = |text: &StyledStr| StyledStr::from(secrets.message(text));
    let quoted: Vec<(ContextKind, ContextValue)> = error
        .context()
        .filter_map(|(kind, value)| {
            let value = match value {
                ContextValue::String(text) => ContextValue::String(safe(text)),
                ContextValue::Strings(texts) => ContextValue::Strings(texts.iter().map(|text| safe(text)).collect()),
                ContextValue::StyledStr(text) => ContextValue::StyledStr(lines(text)),
                ContextValue::StyledStrs(texts) => ContextValue::StyledStrs(texts.iter().map(lines).collect()),
                _ => return None,
            };
            Some((kind, value))
        })
        .collect();
    for (kind, value) in quoted {
        error.insert(kind, value);
    }
    let text = error.render().to_string();
    if secrets.message(&text) == text {
        return error;
    }
    command().error(error.kind(), "an argument holds an API key")
}

/// clap's description of every command, with help for a terminal of this width.
fn whole_command(width: Option<u16>) -> clap::Command {
    command().term_width(width.map_or(HELP_WIDTH, |width| usize::from(width).min(MAX_HELP_WIDTH)))
}

/// clap's description of the program. A global option does not show in the help of a command that does not take it.
pub(crate) fn command() -> clap::Command {
    let mut command = Cli::command();
    command.build();
    command.mut_subcommands(|command| {
        let name = command.get_name().to_owned();
        command.mut_args(|arg| {
            let is_hidden = arg.is_global_set() && !takes(&name, arg.get_id().as_str());
            if is_hidden { arg.hide(true) } else { arg }
        })
    })
}

/// A global option that was given to a command which does not take it.
fn without_effect<'a>(command: &'a clap::Command, matches: &ArgMatches) -> Option<&'a str> {
    let name = matches.subcommand_name()?;
    command
        .get_arguments()
        .filter(|arg| arg.is_global_set() && !takes(name, arg.get_id().as_str()))
        .filter(|arg| matches.value_source(arg.get_id().as_str()) == Some(ValueSource::CommandLine))
        .find_map(|arg| arg.get_long())
}

/// Whether arguments that hold a mistake are for `run`, whose exit codes are those of the command that it runs.
pub(crate) fn is_for_run(args: Vec<OsString>) -> bool {
    let matches = command().ignore_errors(true).try_get_matches_from(args);
    matches.is_ok_and(|matches| matches.subcommand_name() == Some("run"))
}
