//! A part of the simulator's runs. `.ci/run` makes all of them, in release.

#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail by panicking"
)]

#[path = "../examples/simulate/mod.rs"]
mod simulate;

use std::process::ExitCode;

fn simulate(args: &[&str]) {
    let code = simulate::main(args.iter().map(|arg| (*arg).to_owned()).collect());
    assert_eq!(code, ExitCode::SUCCESS);
}

#[test]
fn every_kill_and_some_faults() {
    simulate(&["--exhaustive", "--one-in", "500"]);
}

#[test]
fn schedules_by_chance() {
    simulate(&["--schedules", "300"]);
}

#[test]
fn a_small_year() {
    simulate(&["--days", "100", "--spaces", "8"]);
}

#[test]
fn wrong_arguments_are_refused() {
    for args in [&["--seed"][..], &["--seed", "x"], &["--days", "3", "4"], &["help"]] {
        let code = simulate::main(args.iter().map(|arg| (*arg).to_owned()).collect());
        assert_eq!(code, ExitCode::from(2), "{args:?}");
    }
}
