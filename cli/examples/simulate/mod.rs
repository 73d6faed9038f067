//! A simulator of the program: it owns the clock, the disk, the network and the processes. See docs/proof.md.

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

/// Runs the simulator with these arguments.
pub(crate) fn main(args: Vec<String>) -> ExitCode {
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let is_right = match args.as_slice() {
        ["--exhaustive"] => exhaustive::run(None),
        ["--exhaustive", only] => exhaustive::run(Some(only)),
        _ => {
            eprintln!("usage: simulate [--exhaustive [SCENARIO[/BOUNDARY[/NUMBER]]]]");
            return ExitCode::from(2);
        }
    };
    if is_right { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
