//! The command line as a process, against the emulator over HTTP. `UPDATE_EXPECT=1` writes the expected output anew.

#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail by panicking"
)]

mod advice;
mod args;
mod check;
mod deadline;
mod deliver;
mod documents;
mod double;
mod emulator;
mod ensure;
mod ensure_commands;
mod ensure_faults;
mod ensure_kills;
mod exit_codes;
mod failures;
mod find;
#[cfg(target_os = "linux")]
mod job_control;
mod key_file;
mod list;
mod places;
mod processes;
mod profile;
mod redact;
mod remove;
mod renewing;
mod rotate;
mod run;
mod secrets;
mod service;
mod service_keys;
mod steps;
mod streams;
mod system;
mod terminal;
mod texts;
mod tidy;
