//! Procedures on a key, built on the verbs of the client.

mod marker;
mod rotate;

pub use self::rotate::{NotReplaceable, ReplacementKey, RotationError, RotationStep};
