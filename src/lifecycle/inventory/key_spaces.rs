//! The spaces of a key that was found.

use std::ops::Deref;
use std::sync::Arc;

use serde::{Serialize, Serializer};

use crate::model::Space;

/// The spaces whose lists have a key: a vector of [`Space`] that can be read.
///
/// Keys that are in the same spaces share it, so that an inventory of a large account takes less memory.
///
/// ```
/// # use arize_api_keys::FoundKey;
/// fn names(found: &FoundKey) -> Vec<&str> {
///     found.spaces.iter().map(|space| space.name.as_str()).collect()
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct KeySpaces(Arc<Vec<Space>>);

impl KeySpaces {
    pub(super) fn new<'a>(spaces: impl Iterator<Item = &'a Space>) -> Self {
        Self(Arc::new(spaces.cloned().collect()))
    }
}

/// To the vector and not to a slice: `found.spaces` reads as the `Vec<Space>` that it would be if it were not shared.
impl Deref for KeySpaces {
    type Target = Vec<Space>;

    fn deref(&self) -> &Vec<Space> {
        &self.0
    }
}

/// With a copy of each space, if other keys share them.
impl IntoIterator for KeySpaces {
    type Item = Space;
    type IntoIter = std::vec::IntoIter<Space>;

    fn into_iter(self) -> Self::IntoIter {
        Arc::unwrap_or_clone(self.0).into_iter()
    }
}

impl<'a> IntoIterator for &'a KeySpaces {
    type Item = &'a Space;
    type IntoIter = std::slice::Iter<'a, Space>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl Serialize for KeySpaces {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self)
    }
}
