//! The default transport against servers that are written byte by byte, so that every fault can be made. No test is
//! decided by timing: where time runs out, it does so because the server never answers.
#![cfg(feature = "ureq")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail by panicking"
)]

mod faults;
mod framing;
mod proxy;
mod server;
#[path = "../support/mod.rs"]
mod support;
mod tls;
