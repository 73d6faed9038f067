//! Every test of the library that can share a process with others. Tests of the state of
//! a process have a separate binary: its environment (`from_env`), its logger (`leak`, `leak_filtered`, `trace_warning`),
//! and the warnings that the library counts per process (`warning`).
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests and their helpers fail by panicking, and the switches in `clippy.toml` do not reach the helpers"
)]

mod client;
mod config;
mod documents;
mod emulator_http;
mod emulator_served;
mod faults;
mod interleavings;
mod inventory_spaces;
mod matrix;
mod scenarios;
mod suite;
mod support;
mod tidy;
mod ureq_transport;
mod vectors;
mod wire;
