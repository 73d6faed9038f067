//! The description of the one command that the arguments name. It takes a sixth of the time of the description of all 19.

use std::ffi::OsString;

use clap::Args;

use super::*;

type Describe = fn(clap::Command) -> clap::Command;

/// Every command, and what describes it to clap.
const COMMANDS: [(&str, Describe); 19] = [
    ("list", List::augment_args),
    ("get", Get::augment_args),
    ("spaces", Spaces::augment_args),
    ("organizations", Organizations::augment_args),
    ("audit", Audit::augment_args),
    ("identify", Identify::augment_args),
    ("prune", Prune::augment_args),
    ("create", Create::augment_args),
    ("create-service-key", CreateServiceKey::augment_args),
    ("refresh", Refresh::augment_args),
    ("delete", Remove::augment_args),
    ("revoke", Revoke::augment_args),
    ("rotate", Rotate::augment_args),
    ("ensure", Ensure::augment_args),
    ("run", Run::augment_args),
    ("check", Check::augment_args),
    ("emulator", Emulator::augment_args),
    ("completions", Completions::augment_args),
    ("man", Man::augment_args),
];

/// clap's description of the program with one command: the first word that is the name of one.
///
/// The word may be the value of an option, as in `--profile audit list`. Then the command is another one, which is an unknown word to
/// this description. So it accepts no arguments that the whole description reads otherwise.
pub(super) fn command(args: &[OsString]) -> Option<clap::Command> {
    let (name, describe) = args.iter().skip(1).find_map(|arg| COMMANDS.iter().find(|(name, _)| arg == name))?;
    let program = Global::augment_args(clap::Command::new("arize-keys"))
        .disable_help_flag(true)
        .disable_help_subcommand(true)
        .subcommand(describe(clap::Command::new(*name)));
    Some(program)
}

#[cfg(test)]
mod tests;
