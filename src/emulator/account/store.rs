//! Records by their numbers.

use std::sync::Arc;

use fastrand::Rng;

use super::id::{Id, Kind};

/// Records of one kind, in the order of their numbers. None is ever removed.
pub(crate) struct Store<T> {
    kind: Kind,
    id_of: fn(&T) -> Id,
    records: Vec<Arc<T>>,
    /// The highest number that is taken.
    last: u64,
}

impl<T> Store<T> {
    pub(crate) fn new(kind: Kind, id_of: fn(&T) -> Id) -> Self {
        Self { kind, id_of, records: Vec::new(), last: 0 }
    }

    /// Leaves the numbers up to that of this id to records that bring their ids along.
    pub(crate) fn reserve(&mut self, id: Id) {
        self.last = self.last.max(id.number());
    }

    /// The given id, or a new one, for the record that is added next.
    pub(crate) fn next_id(&self, given: Option<Id>, rng: &mut Rng) -> Id {
        given.unwrap_or_else(|| Id::new(self.kind, self.last.saturating_add(1), rng))
    }

    /// Adds a record with the [next id](Self::next_id). After given ids, the store is to be [sorted](Self::sort).
    pub(crate) fn add(&mut self, record: T) -> Arc<T> {
        let record = Arc::new(record);
        self.reserve((self.id_of)(&record));
        self.records.push(Arc::clone(&record));
        record
    }

    pub(crate) fn sort(&mut self) {
        self.records.sort_unstable_by_key(|record| (self.id_of)(record));
    }

    pub(crate) fn find(&self, id: &str) -> Option<&Arc<T>> {
        let id = Id::parse(id)?;
        self.get(id.number()).filter(|record| (self.id_of)(record) == id)
    }

    pub(crate) fn get(&self, number: u64) -> Option<&Arc<T>> {
        self.records.get(self.place(number)?)
    }

    pub(crate) fn get_mut(&mut self, number: u64) -> Option<&mut T>
    where
        T: Clone,
    {
        let place = self.place(number)?;
        self.records.get_mut(place).map(Arc::make_mut)
    }

    /// The index of the record with this number: the number less one, unless numbers before it are missing.
    fn place(&self, number: u64) -> Option<usize> {
        let number_of = |record: &Arc<T>| (self.id_of)(record).number();
        let place = usize::try_from(number).ok()?.wrapping_sub(1);
        if self.records.get(place).is_some_and(|record| number_of(record) == number) {
            return Some(place);
        }
        self.records.binary_search_by_key(&number, number_of).ok()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<T>> {
        self.records.iter()
    }

    /// The records after the one with this number.
    pub(crate) fn after(&self, number: u64) -> impl Iterator<Item = &Arc<T>> {
        let start = self.records.partition_point(|record| (self.id_of)(record).number() <= number);
        self.records.iter().skip(start)
    }
}
