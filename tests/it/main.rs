//! Every test of the library that can share a process with others. A binary of its own has only what owns something that a
//! process has once: its environment (`from_env`), its logger (`leak`, `leak_filtered`, `trace_warning`), and what the
//! library counts per process (`warning`).
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking, and so do the helpers of tests, which the switches in `clippy.toml` do not reach"
)]

mod client;
mod config;
mod documents;
mod emulator_http;
mod emulator_served;
mod faults;
mod matrix;
mod scenarios;
mod suite;
mod support;
mod tidy;
mod ureq_transport;
mod vectors;
mod wire;
