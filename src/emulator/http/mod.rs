//! The emulator over HTTP/1.1.

pub(crate) mod connection;
pub(crate) mod delivery;
mod framing;
pub(crate) mod limits;
pub(crate) mod server;
