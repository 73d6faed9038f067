//! The program `arize-keys`. `main.rs` calls [`run`]; nothing here is an interface for other crates.

#![forbid(unsafe_code)]

mod args;
mod bindings;
mod commands;
mod connect;
mod env_file;
mod exit;
mod faults;
mod output;
mod store;
mod terminal;
mod times;

use std::process::ExitCode;

use clap::Parser;

use crate::args::{Cli, Command, Talk};
use crate::exit::Failure;
use crate::terminal::Terminal;

/// Runs the program with the arguments of this process.
pub fn run() -> ExitCode {
    match Cli::parse().command {
        Command::List(args) => end(args.common.talk, |terminal| commands::list::run(&args, terminal)),
        Command::Create(args) => end(args.common.talk, |terminal| commands::mint::create(&args, terminal)),
        Command::CreateServiceKey(args) => {
            end(args.common.talk, |terminal| commands::mint::create_service_key(&args, terminal))
        }
        Command::Refresh(args) => end(args.common.talk, |terminal| commands::mint::refresh(&args, terminal)),
        Command::Delete(args) => end(args.talk, |terminal| commands::remove::delete(&args, terminal)),
        Command::Revoke(args) => end(args.remove.talk, |terminal| commands::remove::revoke(&args.remove, terminal)),
        Command::Rotate(args) => end(args.common.talk, |terminal| commands::rotate::run(&args, terminal)),
        Command::Check(args) => end(args.common.talk, |terminal| commands::check::run(&args, terminal)),
        Command::Emulator(args) => end(TALK, |terminal| commands::emulator::run(&args, terminal)),
        Command::Completions(args) => end(TALK, |_| commands::texts::completions(&args)),
        Command::Man(args) => end(TALK, |_| commands::texts::man(&args)),
    }
}

/// For the commands that send nothing.
const TALK: Talk = Talk { quiet: false, verbose: false };

fn end(talk: Talk, run: impl FnOnce(Terminal) -> Result<(), Failure>) -> ExitCode {
    let terminal = Terminal { quiet: talk.quiet, verbose: talk.verbose };
    match run(terminal) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            terminal.failure(&failure);
            failure.exit_code()
        }
    }
}
