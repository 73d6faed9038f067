//! Shared parts of the measuring programs: the canned answers, the peers, and a count of allocations.

pub mod allocations;
pub mod canned;
pub mod cases;
pub mod peers;
pub mod server;
pub mod together;

/// Measuring programs stop at the first error; no caller handles it.
pub type Fallible<T = ()> = Result<T, Box<dyn std::error::Error + Send + Sync>>;
