//! The default transport against servers that are written byte by byte, so that every fault can be made. No test is
//! decided by timing: where time runs out, it does so because the server never answers.
#![cfg(feature = "rustls")]

mod faults;
mod framing;
mod heads;
mod proxy;
mod server;
mod tls;
