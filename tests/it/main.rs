//! The client against what was recorded of the service and of its official SDKs: without a network, without waiting.

// Tests fail by panicking. Clippy's switches for tests in `clippy.toml` do not reach their helpers.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod scenarios;
mod support;
mod vectors;
mod wire;
