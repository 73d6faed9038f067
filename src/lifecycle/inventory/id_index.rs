//! The position of each key in an inventory, by its id.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::FoundKey;
use crate::request_target::same_id;

/// The positions, by a hash of the id or the next number that was free. It takes 10 to 21 bytes a key; a map
/// that owns the ids would take about 90.
#[derive(Default)]
pub(super) struct IdIndex(HashMap<u32, u32>);

impl IdIndex {
    /// The position of a known key. A new one is noted as the next of `keys`. Without an id, every key is new.
    pub(super) fn find_or_note(&mut self, id: &str, keys: &[FoundKey]) -> Option<usize> {
        let next = u32::try_from(keys.len()).ok().filter(|_| !id.is_empty())?;
        let mut slot = hash(id);
        loop {
            match self.0.entry(slot) {
                Entry::Vacant(entry) => {
                    entry.insert(next);
                    return None;
                }
                Entry::Occupied(entry) => {
                    let position = usize::try_from(*entry.get()).ok()?;
                    if keys.get(position).is_some_and(|found| same_id(&found.key.id, id)) {
                        return Some(position);
                    }
                    slot = slot.wrapping_add(1);
                }
            }
        }
    }
}

fn hash(id: &str) -> u32 {
    let mut hasher = DefaultHasher::new();
    id.trim_end_matches('=').hash(&mut hasher);
    let [a, b, c, d, ..] = hasher.finish().to_ne_bytes();
    u32::from_ne_bytes([a, b, c, d])
}
