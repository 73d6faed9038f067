//! `arize-keys`: list, create, rotate and revoke API keys of the Arize platform from the command line.

#![forbid(unsafe_code)]

use std::process::ExitCode;
use std::sync::Arc;

use arize_keys::system::Os;

fn main() -> ExitCode {
    arize_keys::run(Os::args(), Arc::new(Os::new())).into()
}
