//! The arguments of `completions` and `man`.

use std::path::PathBuf;

use clap::Args;

use super::values;

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
    #[arg(long, value_name = "DIR", value_parser = values::path())]
    pub(crate) dir: Option<PathBuf>,
}
