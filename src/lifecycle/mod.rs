//! Procedures on a key, built on the verbs of the client.

mod rotate;

pub use self::rotate::{ReplacementKey, RotationError};
