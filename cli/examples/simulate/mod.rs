//! A simulator of the program: it owns the clock, the disk, the network and the processes. See docs/proof.md.

mod chaos;
mod child;
mod command;
mod disk;
mod exhaustive;
mod faults;
mod file;
mod host;
mod invariants;
mod process;
mod random;
mod scenario;
mod service;
mod system;
mod turns;
mod year;

use std::process::ExitCode;

use self::exhaustive::Choice;

use self::year::Size;

const USAGE: &str = "usage: simulate [--seed N] [--days N] [--spaces N] [--events N]
       simulate --schedules N [--seed N] [--events N]
       simulate --exhaustive [--one-in N | SCENARIO[/BOUNDARY[/NUMBER]]]";

/// Runs the simulator with these arguments.
pub(crate) fn main(args: Vec<String>) -> ExitCode {
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let is_right = match args.as_slice() {
        ["--exhaustive"] => exhaustive::run(Choice::All),
        ["--exhaustive", "--one-in", count] => exhaustive::run(Choice::OneIn(count.parse().unwrap_or(1))),
        ["--exhaustive", only] => exhaustive::run(Choice::Only(only)),
        options => match by_chance(options) {
            Some(is_right) => is_right,
            None => {
                eprintln!("{USAGE}");
                return ExitCode::from(2);
            }
        },
    };
    if is_right { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The modes in which a seed decides. `None` if the options are wrong.
fn by_chance(options: &[&str]) -> Option<bool> {
    let mut seed = 1;
    let mut schedules = None;
    let mut events = None;
    let mut size = Size { days: 365, spaces: 1000 };
    for option in options.chunks(2) {
        let [name, value] = option else { return None };
        match *name {
            "--seed" => seed = value.parse().ok()?,
            "--schedules" => schedules = Some(value.parse().ok()?),
            "--events" => events = Some(value.parse().ok()?),
            "--days" => size.days = value.parse().ok()?,
            "--spaces" => size.spaces = value.parse().ok()?,
            _ => return None,
        }
    }
    Some(match schedules {
        Some(count) => random::run(seed, count, events),
        None => year::run(seed, size, events.unwrap_or(usize::MAX)),
    })
}
