//! Rows by id and by number, and ordered lists of row numbers.

use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;
use std::ops::Bound;

use super::id::{Id, Kind};

/// What has an id.
pub(super) trait Row {
    const KIND: Kind;
    fn id(&self) -> Id;
}

/// Rows in the order in which they were made. None is ever taken out, so a row's number is its place.
pub(super) struct Table<T> {
    rows: Vec<T>,
}

impl<T: Row> Table<T> {
    pub(super) fn new() -> Self {
        Self { rows: Vec::new() }
    }

    /// The number of the row that is added next.
    pub(super) fn next_number(&self) -> u64 {
        self.rows.len() as u64 + 1
    }

    #[expect(clippy::indexing_slicing, reason = "the row is pushed the line before")]
    pub(super) fn push(&mut self, row: T) -> &T {
        let place = self.rows.len();
        self.rows.push(row);
        &self.rows[place]
    }

    pub(super) fn find(&self, id: &str) -> Option<&T> {
        let id = Id::parse(T::KIND, id)?;
        self.get(id.number()).filter(|row| row.id() == id)
    }

    pub(super) fn get(&self, number: u64) -> Option<&T> {
        self.rows.get(place(number)?)
    }

    pub(super) fn get_mut(&mut self, number: u64) -> Option<&mut T> {
        self.rows.get_mut(place(number)?)
    }

    /// The rows after the one with this number; all of them after 0.
    pub(super) fn after(&self, number: u64) -> impl Iterator<Item = &T> {
        let place = usize::try_from(number).unwrap_or(usize::MAX);
        self.rows.get(place..).unwrap_or_default().iter()
    }
}

fn place(number: u64) -> Option<usize> {
    usize::try_from(number.checked_sub(1)?).ok()
}

/// For each owner its rows' numbers, in order: a page is found without looking at the rows before it.
pub(super) struct Index<K> {
    numbers: HashMap<K, BTreeSet<u64>>,
}

impl<K: Eq + Hash> Index<K> {
    pub(super) fn new() -> Self {
        Self { numbers: HashMap::new() }
    }

    pub(super) fn insert(&mut self, owner: K, number: u64) {
        self.numbers.entry(owner).or_default().insert(number);
    }

    pub(super) fn remove(&mut self, owner: &K, number: u64) {
        if let Some(numbers) = self.numbers.get_mut(owner) {
            numbers.remove(&number);
        }
    }

    /// The owner's numbers after this one; all of them after 0.
    pub(super) fn after(&self, owner: K, number: u64) -> impl Iterator<Item = u64> {
        let numbers = self.numbers.get(&owner);
        numbers.into_iter().flat_map(move |numbers| numbers.range((Bound::Excluded(number), Bound::Unbounded))).copied()
    }
}
