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
fn every_kill_and_one_fault_in_a_hundred() {
    simulate(&["--exhaustive", "--one-in", "100"]);
}
