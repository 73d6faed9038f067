//! Procedures on a key, built on the verbs of the client.

mod create_any;
mod ensure;
mod inventory;
mod marker;
mod rotate;
mod verify;

pub use self::ensure::{EnsureChange, EnsureError, EnsurePlan, EnsureRequest, EnsureWarning, Ensured, KeyToEnsure};
pub use self::inventory::{FoundKey, Inventory, InventoryProgress, InventoryRequest, KeySpaces, Scope, UnreadScope};
pub use self::rotate::{NotReplaceable, ReplacementKey, RotationError, RotationStep};
