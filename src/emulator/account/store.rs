//! Records by id and by number, and ordered lists of their numbers.

use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;
use std::ops::Bound;

use fastrand::Rng;

use super::id::{Id, Kind};

/// An object with an id.
pub(crate) trait Record {
    const KIND: Kind;
    fn id(&self) -> Id;
}

/// Records in the order of their numbers, which is the order in which they were made. None is ever taken out.
pub(crate) struct Store<T> {
    records: Vec<T>,
    /// The highest number that is taken.
    last: u64,
}

impl<T: Record> Store<T> {
    pub(crate) fn new() -> Self {
        Self { records: Vec::new(), last: 0 }
    }

    /// A new id for the record that is added next.
    pub(crate) fn next_id(&self, rng: &mut Rng) -> Id {
        Id::new(T::KIND, self.last.saturating_add(1), rng)
    }

    /// Leaves the numbers up to this one to records that bring their ids along.
    pub(crate) fn reserve(&mut self, number: u64) {
        self.last = self.last.max(number);
    }

    #[expect(clippy::indexing_slicing, reason = "the record is pushed the line before")]
    pub(crate) fn push(&mut self, record: T) -> &T {
        self.reserve(record.id().number());
        let place = self.records.len();
        self.records.push(record);
        &self.records[place]
    }

    /// Puts records that were pushed in another order into that of their numbers.
    pub(crate) fn sort(&mut self) {
        self.records.sort_by_key(|record| record.id().number());
    }

    pub(crate) fn find(&self, id: &str) -> Option<&T> {
        let id = Id::parse(T::KIND, id)?;
        self.get(id.number()).filter(|record| record.id() == id)
    }

    pub(crate) fn get(&self, number: u64) -> Option<&T> {
        self.records.get(self.place(number)?)
    }

    pub(crate) fn get_mut(&mut self, number: u64) -> Option<&mut T> {
        let place = self.place(number)?;
        self.records.get_mut(place)
    }

    /// The records after the one with this number; all of them after 0.
    pub(crate) fn after(&self, number: u64) -> impl Iterator<Item = &T> {
        let place = self.records.partition_point(|record| record.id().number() <= number);
        self.records.get(place..).unwrap_or_default().iter()
    }

    /// Where the record with this number is: its number tells, unless the account was read from a file with gaps.
    fn place(&self, number: u64) -> Option<usize> {
        let place = usize::try_from(number.checked_sub(1)?).ok()?;
        match self.records.get(place) {
            Some(record) if record.id().number() == number => Some(place),
            _ => self.records.binary_search_by_key(&number, |record| record.id().number()).ok(),
        }
    }
}

/// For each owner the numbers of its records, in order: a page is found without looking at the records before it.
pub(crate) struct Index<K> {
    numbers: HashMap<K, BTreeSet<u64>>,
}

impl<K: Eq + Hash> Index<K> {
    pub(crate) fn new() -> Self {
        Self { numbers: HashMap::new() }
    }

    pub(crate) fn insert(&mut self, owner: K, number: u64) {
        self.numbers.entry(owner).or_default().insert(number);
    }

    pub(crate) fn remove(&mut self, owner: &K, number: u64) {
        if let Some(numbers) = self.numbers.get_mut(owner) {
            numbers.remove(&number);
        }
    }

    /// The owner's numbers after this one; all of them after 0.
    pub(crate) fn after(&self, owner: K, number: u64) -> impl Iterator<Item = u64> {
        let numbers = self.numbers.get(&owner);
        numbers.into_iter().flat_map(move |numbers| numbers.range((Bound::Excluded(number), Bound::Unbounded))).copied()
    }
}
