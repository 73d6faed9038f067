//! The limits of a served emulator: times and sizes.

use std::time::Duration;

/// The largest head of a request, and the longest fields after a chunked body.
pub(crate) const MAX_HEAD: usize = 64 * 1024;
pub(crate) const MAX_HEADERS: usize = 100;
/// The line that announces a chunk, with its extensions.
pub(crate) const MAX_CHUNK_LINE: usize = 1024;

/// The limits that [`EmulatorBuilder`](crate::emulator::EmulatorBuilder) can set.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) read_timeout: Duration,
    pub(crate) connections: usize,
    /// The largest body of a request, in bytes.
    pub(crate) body: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { read_timeout: Duration::from_secs(30), connections: 900, body: 1024 * 1024 }
    }
}
