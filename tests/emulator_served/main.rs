//! The emulator as others meet it: by what requests say of themselves, over HTTP, with an account and a state of its own.
#![cfg(feature = "emulator")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking, and most of this is helpers, which clippy does not take for tests"
)]

mod account;
#[cfg(unix)]
mod crash;
mod dialects;
mod http_details;
mod rate;
mod state;
mod support;
