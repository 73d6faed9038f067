//! `arize-keys`: list, create, rotate and revoke API keys of the Arize platform from the command line.

#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    arize_keys::run()
}
