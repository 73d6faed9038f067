//! The program `arize-keys`. `main.rs` calls [`run`]; nothing here is an interface for other crates.

#![forbid(unsafe_code)]

mod api_key;
mod args;
mod bindings;
mod commands;
mod connect;
mod console;
mod deliver;
mod env_file;
mod failure;
mod input;
mod inventory;
mod known_keys;
mod messages;
mod output;
mod profile;
mod redact;
mod shell;
mod store;
pub mod system;
mod times;

use std::ffi::OsString;
use std::sync::Arc;

use crate::args::{Cli, Command};
use crate::console::Console;
use crate::failure::{Code, Failure};
use crate::redact::Secrets;
use crate::system::System;

/// Runs the program: the arguments with its own name first, and the world that it acts on. Returns the exit code.
pub fn run(args: impl IntoIterator<Item = OsString>, system: Arc<dyn System>) -> u8 {
    match CommandLine::parse(args, &*system) {
        Ok(command_line) => command_line.run(system),
        Err(code) => code,
    }
}

/// Arguments that were parsed. They can run more than once: a simulator runs the same ones a thousand times.
pub struct CommandLine {
    args: Vec<OsString>,
    cli: Cli,
}

impl CommandLine {
    /// Parses the arguments, with the name of the program first.
    ///
    /// # Errors
    ///
    /// The exit code of a command line that is wrong, or asks for help.
    pub fn parse(args: impl IntoIterator<Item = OsString>, system: &dyn System) -> Result<Self, u8> {
        let args: Vec<OsString> = args.into_iter().collect();
        match args::parse(&args, system.width()) {
            Ok(cli) => Ok(Self { args, cli }),
            Err(error) if error.use_stderr() => {
                let secrets = Secrets::of_environment(system);
                known_keys::learn(&secrets, &args, system);
                let code = console::usage(system, &args::quotable(error, &secrets));
                Err(if args::is_for_run(args) { Code::RunFailed as u8 } else { code })
            }
            Err(text) => Err(console::usage(system, &text)),
        }
    }

    /// Runs the command. Returns the exit code.
    pub fn run(&self, system: Arc<dyn System>) -> u8 {
        let secrets = Secrets::of_environment(&*system);
        let console = Console::new(system, self.cli.global.clone(), self.args.clone(), secrets);
        match execute(&self.cli.command, &console) {
            Ok(code) => code,
            Err(failure) => {
                // It may quote an argument, which may be the key that was not read.
                if console.own_key().is_none() {
                    known_keys::learn(&console.secrets, &self.args, &*console.system);
                }
                console.failure(&failure);
                failure.code as u8
            }
        }
    }
}

fn execute(command: &Command, console: &Console) -> Result<u8, Failure> {
    let done = match command {
        Command::Run(args) => return commands::run::run(args, console),
        Command::List(args) => commands::list::run(args, console),
        Command::Get(args) => commands::find::get(args, console),
        Command::Spaces(args) => commands::find::spaces(args, console),
        Command::Organizations(args) => commands::find::organizations(args, console),
        Command::Audit(args) => commands::audit::run(args, console),
        Command::Identify(args) => commands::identify::run(args, console),
        Command::Prune(args) => commands::prune::run(args, console),
        Command::Create(args) => commands::secret_commands::create(args, console),
        Command::CreateServiceKey(args) => commands::secret_commands::create_service_key(args, console),
        Command::Refresh(args) => commands::secret_commands::refresh(args, console),
        Command::Delete(args) => commands::delete::delete(args, console),
        Command::Revoke(args) => commands::delete::revoke(&args.remove, console),
        Command::Rotate(args) => commands::rotate::run(args, console),
        Command::Ensure(args) => commands::ensure::run(args, console),
        Command::Check(args) => commands::check::run(args, console),
        Command::Emulator(args) => commands::emulator::run(args, console),
        Command::Completions(args) => commands::generate::completions(args, console),
        Command::Man(args) => commands::generate::man(args, console),
    };
    done.map(|()| 0)
}
