//! Decoding an object and a page of a list, and the guard against lists that never end.

use std::hash::{BuildHasher, RandomState};

use crate::error::{PaginationError, PaginationErrorKind};
use crate::json::{self, ReadMembers, Slot, strip_bom};
use crate::model::{Pagination, Scrub};
use crate::operation::Operation;
use crate::pipeline::{ApiResponse, DecodeFailure};

/// One page of a list.
pub(crate) struct Page<T> {
    pub(crate) items: Vec<T>,
    pub(crate) pagination: Pagination,
}

/// Decodes a body that is one object. Returns false and leaves `value` as it is for any other JSON value.
pub(crate) fn read_object(response: &ApiResponse, value: &mut dyn Slot) -> Result<bool, DecodeFailure> {
    if response.body.is_empty() {
        return Err(DecodeFailure::WrongContent("no body where the API promises JSON".to_owned()));
    }
    let text = std::str::from_utf8(strip_bom(&response.body))
        .map_err(|_| DecodeFailure::WrongContent("not UTF-8".to_owned()))?;
    json::read(text, value).map_err(|error| DecodeFailure::from_json(&error))
}

/// Decodes `{"<member>": […], "pagination": {…}}`.
///
/// A body without both members, items that are not an array and a pagination that is not an object are errors: none of
/// them may pass for an empty or a last page.
///
/// The client's own keys, one a line, are replaced in all texts.
pub(crate) fn read_page<T: Slot + Scrub + Default>(
    response: &ApiResponse,
    member: &'static str,
    own_keys: &str,
) -> Result<Page<T>, DecodeFailure> {
    let mut items: Vec<T> = Vec::with_capacity(response.body.len() / ITEM_BYTES);
    let mut pagination = read_envelope(response, member, &mut items)?;
    for own_key in own_keys.lines() {
        items.iter_mut().for_each(|item| item.scrub(own_key));
        pagination.scrub(own_key);
    }
    Ok(Page { items, pagination })
}

/// A little less than the JSON of one key, in bytes: the vector of a page is allocated once.
const ITEM_BYTES: usize = 256;

fn read_envelope(
    response: &ApiResponse,
    member: &'static str,
    items: &mut dyn Slot,
) -> Result<Pagination, DecodeFailure> {
    let mut envelope = Envelope { member, items, has_items: false, pagination: None, problem: None };
    read_object(response, &mut envelope)?;
    if let Some(problem) = envelope.problem {
        return Err(DecodeFailure::WrongContent(problem));
    }
    if !envelope.has_items && envelope.pagination.is_none() {
        return Err(DecodeFailure::WrongContent(format!("no `{member}` in the response")));
    }
    let pagination = envelope.pagination.unwrap_or_default();
    let next_cursor = pagination.next_cursor.filter(|cursor| !cursor.is_empty());
    Ok(Pagination { has_more: pagination.has_more.unwrap_or(next_cursor.is_some()), next_cursor })
}

struct Envelope<'a> {
    member: &'static str,
    items: &'a mut dyn Slot,
    has_items: bool,
    pagination: Option<Cursor>,
    /// The defect that makes it no page.
    problem: Option<String>,
}

/// The member `pagination` as sent.
#[derive(Default)]
struct Cursor {
    has_more: Option<bool>,
    next_cursor: Option<String>,
}

impl ReadMembers for Envelope<'_> {
    fn member(&mut self, name: &str) -> Option<&mut dyn Slot> {
        let is_items = name == self.member;
        let is_pagination = name == "pagination";
        if is_items && self.has_items || is_pagination && self.pagination.is_some() {
            // Either of the two may be half of the list.
            self.problem = Some(format!("`{name}` is there twice"));
            None
        } else if is_items {
            self.has_items = true;
            Some(self.items)
        } else if is_pagination {
            // `null` means that there are no more pages.
            Some(self.pagination.insert(Cursor::default()))
        } else {
            None
        }
    }

    fn odd_member(&mut self, name: &str, _: &str) {
        let wanted = if name == self.member { "an array" } else { "an object" };
        self.problem = Some(format!("`{name}` is not {wanted}"));
    }
}

impl ReadMembers for Cursor {
    fn member(&mut self, name: &str) -> Option<&mut dyn Slot> {
        Some(match name {
            "has_more" => &mut self.has_more,
            "next_cursor" => &mut self.next_cursor,
            _ => return None,
        })
    }
}

/// The default of `ApiKeys::max_pages`: a million keys, 100 per page.
const MAX_PAGES: u32 = 10_000;

/// Detects lists that never end: it remembers the cursors of one list.
#[derive(Clone, Debug)]
pub(crate) struct CursorGuard {
    operation: Operation,
    /// Hashes in order, so that a page costs 8 bytes. Two cursors with the same hash would end the list with an error; that happens
    /// once in 10¹¹ lists of 10,000 pages.
    seen: Vec<u64>,
    hasher: RandomState,
    pages: u32,
    pub(crate) max_pages: u32,
}

impl CursorGuard {
    pub(crate) fn new(operation: Operation) -> Self {
        Self { operation, seen: Vec::new(), hasher: RandomState::new(), pages: 0, max_pages: MAX_PAGES }
    }

    /// Whether another page follows, at `next_cursor`.
    pub(crate) fn follow(&mut self, pagination: &Pagination) -> Result<bool, PaginationError> {
        self.pages = self.pages.saturating_add(1);
        if !pagination.has_more {
            return Ok(false);
        }
        let kind = match &pagination.next_cursor {
            None => PaginationErrorKind::MissingCursor,
            Some(cursor) if !self.visit(cursor) => PaginationErrorKind::RepeatedCursor,
            Some(_) if self.pages >= self.max_pages => PaginationErrorKind::TooManyPages,
            Some(_) => return Ok(true),
        };
        Err(PaginationError { operation: self.operation, kind, pages: self.pages })
    }

    /// Remembers a cursor; false if it was seen before.
    pub(crate) fn visit(&mut self, cursor: &str) -> bool {
        let hash = self.hasher.hash_one(cursor);
        let Err(at) = self.seen.binary_search(&hash) else { return false };
        self.seen.insert(at, hash);
        true
    }
}
