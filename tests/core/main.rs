//! The client against scripted answers: what is retried, what an error says, what cannot be lost and what cannot leak.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may fail by panicking, and so may the helpers that only tests call"
)]

mod faults;
mod messages;
mod model;
mod pages;
mod pipeline;
mod properties;
mod rotation;
mod service_keys;
mod spaces;
mod support;
