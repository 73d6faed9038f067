//! Records by id.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use fastrand::Rng;

use super::id::{Id, Kind};

/// Records of one kind, in the order in which they were made. None is ever taken out.
pub(crate) struct Store<T> {
    kind: Kind,
    records: BTreeMap<Id, Arc<T>>,
    /// The highest number that is taken.
    last: u64,
}

impl<T> Store<T> {
    pub(crate) fn new(kind: Kind) -> Self {
        Self { kind, records: BTreeMap::new(), last: 0 }
    }

    /// Leaves the numbers up to that of this id to records that bring their ids along.
    pub(crate) fn reserve(&mut self, id: Id) {
        self.last = self.last.max(id.number());
    }

    /// The given id, or a new one, for the record that is added next.
    pub(crate) fn next_id(&self, given: Option<Id>, rng: &mut Rng) -> Id {
        given.unwrap_or_else(|| Id::new(self.kind, self.last.saturating_add(1), rng))
    }

    pub(crate) fn add(&mut self, id: Id, record: T) -> Arc<T> {
        self.reserve(id);
        let record = Arc::new(record);
        self.records.insert(id, Arc::clone(&record));
        record
    }

    pub(crate) fn find(&self, id: &str) -> Option<&Arc<T>> {
        self.get(Id::parse(id)?)
    }

    pub(crate) fn get(&self, id: Id) -> Option<&Arc<T>> {
        self.records.get(&id)
    }

    pub(crate) fn get_mut(&mut self, id: Id) -> Option<&mut T>
    where
        T: Clone,
    {
        self.records.get_mut(&id).map(Arc::make_mut)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<T>> {
        self.records.values()
    }

    /// The records after the one with this number.
    pub(crate) fn after(&self, number: u64) -> impl Iterator<Item = &Arc<T>> {
        let start = Bound::Excluded(Id::bound(self.kind, number));
        self.records.range((start, Bound::Unbounded)).map(|(_, record)| record)
    }
}
