//! Putting together the keys of all scopes.

use std::collections::{BTreeMap, HashMap};

use time::OffsetDateTime;

use super::id_index::IdIndex;
use super::{FoundKey, Inventory, KeySpaces, Scope, UnreadScope};
use crate::error::Error;
use crate::model::ApiKey;

/// The part of one scope that was read.
pub(super) struct ScopeRead {
    pub(super) scope: Scope,
    spaces: KeySpaces,
    /// Without those that the inventory has already.
    pub(super) keys: Vec<ApiKey>,
    /// The error that ended its list.
    pub(super) error: Option<Error>,
    pub(super) server_time: Option<OffsetDateTime>,
}

impl ScopeRead {
    pub(super) fn new(scope: Scope) -> Self {
        let spaces = KeySpaces::new(scope.space().into_iter());
        Self { scope, spaces, keys: Vec::new(), error: None, server_time: None }
    }
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

    /// Takes the keys that were read so far of the scope `n`, if every scope before it was added. A large scope that came as a whole
    /// would be in memory twice.
    pub(super) fn take_keys(&mut self, n: usize, read: &mut ScopeRead) {
        if n == self.added {
            for key in read.keys.drain(..) {
                self.add_key(key, &read.spaces);
            }
        }
    }

    /// Adds a scope that was read to its end, or to an error. Returns how many scopes were read.
    pub(super) fn add(&mut self, n: usize, read: ScopeRead) -> usize {
        self.waiting.insert(n, read);
        while let Some(mut read) = self.waiting.remove(&self.added) {
            self.take_keys(self.added, &mut read);
            self.added += 1;
            let ScopeRead { scope, error, server_time, .. } = read;
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
