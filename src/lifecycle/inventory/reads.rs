//! Putting together the keys of all scopes.

use std::collections::{BTreeMap, HashMap};

use time::OffsetDateTime;

use super::id_index::IdIndex;
use super::{FoundKey, Inventory, KeySpaces, Scope, UnreadScope};
use crate::error::Error;
use crate::model::ApiKey;

/// The keys of one scope, and the error that ended its list.
pub(super) struct ScopeRead {
    pub(super) scope: Scope,
    pub(super) keys: Vec<ApiKey>,
    pub(super) error: Option<Error>,
    pub(super) server_time: Option<OffsetDateTime>,
}

/// The scopes that were read, and those that wait for one before them: the inventory is in the order of the scopes.
#[derive(Default)]
pub(super) struct Reads {
    inventory: Inventory,
    index: IdIndex,
    /// The spaces of a key that is in several scopes, by its position: those of the first scope are with the key.
    more_spaces: BTreeMap<usize, Vec<KeySpaces>>,
    waiting: BTreeMap<usize, ScopeRead>,
    added: usize,
    fatal: Option<Error>,
}

impl Reads {
    /// Whether an error was found that makes every scope unreadable.
    pub(super) fn is_fatal(&self) -> bool {
        self.fatal.is_some()
    }

    /// Adds what was read of the scope `n`. Returns how many scopes were read.
    pub(super) fn add(&mut self, n: usize, read: ScopeRead) -> usize {
        self.waiting.insert(n, read);
        while let Some(ScopeRead { scope, keys, error, server_time }) = self.waiting.remove(&self.added) {
            self.added += 1;
            let spaces = KeySpaces::new(scope.space().into_iter());
            for key in keys {
                self.add_key(key, &spaces);
            }
            self.inventory.server_time = self.inventory.server_time.or(server_time);
            match error {
                Some(error @ Error::Unauthorized(_)) => self.fatal = self.fatal.take().or(Some(error)),
                Some(error) => self.inventory.unread.push(UnreadScope { scope, error }),
                None => {}
            }
        }
        self.added + self.waiting.len()
    }

    /// Adds a key, or the spaces of another scope that has it.
    fn add_key(&mut self, key: ApiKey, spaces: &KeySpaces) {
        let keys = &mut self.inventory.keys;
        let Some(position) = self.index.find_or_note(&key.id, keys) else {
            keys.push(FoundKey { key, spaces: spaces.clone() });
            return;
        };
        // A list that changes while it is read can have a key on two pages.
        if keys.get(position).is_some_and(|found| found.spaces != *spaces) {
            let more = self.more_spaces.entry(position).or_default();
            if more.last() != Some(spaces) {
                more.push(spaces.clone());
            }
        }
    }

    /// The inventory. Keys that are in the same spaces share them.
    pub(super) fn finish(self) -> Result<Inventory, Error> {
        let Self { mut inventory, more_spaces, fatal, .. } = self;
        if let Some(error) = fatal {
            return Err(error);
        }
        let mut shared: HashMap<(KeySpaces, Vec<KeySpaces>), KeySpaces> = HashMap::new();
        for (position, more) in more_spaces {
            let Some(found) = inventory.keys.get_mut(position) else { continue };
            let all =
                |(first, more): &(KeySpaces, Vec<KeySpaces>)| KeySpaces::new(first.iter().chain(more.iter().flatten()));
            found.spaces = shared.entry((found.spaces.clone(), more)).or_insert_with_key(all).clone();
        }
        Ok(inventory)
    }
}
