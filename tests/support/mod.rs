//! What the tests of the transport and those of the fault matrix share.

pub(crate) mod http;
pub(crate) mod tls;
