//! A simulator of the program: it owns the clock, the disk, the network and the processes. See docs/proof.md.

mod command;
mod disk;
mod exhaustive;
mod faults;
mod host;
mod invariants;
mod process;
mod scenario;
mod service;
mod system;
mod turns;

use std::process::ExitCode;

use self::exhaustive::Choice;

const USAGE: &str = "usage: simulate --exhaustive [--one-in N | SCENARIO[/BOUNDARY[/NUMBER]]]";

/// Runs the simulator with these arguments.
pub(crate) fn main(args: Vec<String>) -> ExitCode {
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let is_right = match args.as_slice() {
        ["--exhaustive"] => exhaustive::run(Choice::All),
        ["--exhaustive", "--one-in", count] => exhaustive::run(Choice::OneIn(count.parse().unwrap_or(1))),
        ["--exhaustive", only] => exhaustive::run(Choice::Only(only)),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    if is_right { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
