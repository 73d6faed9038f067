//! Every page of a list, lazily, and without ever going in circles.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::iter::FusedIterator;
use std::vec;

use crate::call::Operation;
use crate::client::ApiKeysClient;
use crate::error::{Error, PaginationError, PaginationErrorKind};
use crate::model::{ApiKey, Pagination};
use crate::operations::list::ListRequest;
use crate::redact::Text;

/// More pages than this are not taken for possible: a million keys at 100 to the page.
const MAX_PAGES: u32 = 10_000;

/// The cursors that were followed in one list.
#[derive(Clone, Debug)]
pub(crate) struct Trail {
    operation: Operation,
    /// Hashes, so that a long walk needs 8 bytes for a page. Two cursors of one list that share a hash would end it too early
    /// with an error, once in 10¹¹ longest walks.
    seen: HashSet<u64>,
    hasher: RandomState,
    pages: u32,
    max_pages: u32,
}

impl Trail {
    pub(crate) fn new(operation: Operation) -> Self {
        Self { operation, seen: HashSet::new(), hasher: RandomState::new(), pages: 0, max_pages: MAX_PAGES }
    }

    /// Whether to go on after a page, at its `next_cursor`.
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

    /// Notes a cursor; false if it was noted before.
    fn visit(&mut self, cursor: &str) -> bool {
        self.seen.insert(self.hasher.hash_one(cursor))
    }
}

impl From<PaginationError> for Error {
    fn from(error: PaginationError) -> Self {
        Self::Pagination(error)
    }
}

/// Every key of a list, page by page: see [`ApiKeysClient::list_all`].
///
/// Empty pages are passed over. It ends with the last key, or after the first error, whichever comes first; keys may come
/// twice if the list changes meanwhile, so tell them by their ids.
#[derive(Debug)]
#[must_use = "iterators do nothing until they are asked"]
pub struct ApiKeys {
    client: ApiKeysClient,
    request: ListRequest,
    /// The id of the request's space, once it is looked up.
    space_id: Option<String>,
    page: vec::IntoIter<ApiKey>,
    next: Next,
    trail: Trail,
}

#[derive(Debug)]
enum Next {
    /// Ask for the page at the cursor of the request.
    Page,
    /// An error that came with the page at hand.
    Error(Error),
    End,
}

impl ApiKeys {
    pub(crate) fn new(client: ApiKeysClient, request: ListRequest) -> Self {
        let mut trail = Trail::new(Operation::List);
        if let Some(cursor) = &request.cursor {
            trail.visit(cursor);
        }
        Self { client, request, space_id: None, page: Vec::new().into_iter(), next: Next::Page, trail }
    }

    /// How many pages are followed at most, before [`PaginationErrorKind::TooManyPages`]. Default 10 000.
    pub fn max_pages(mut self, pages: u32) -> Self {
        self.trail.max_pages = pages.max(1);
        self
    }

    /// The cursor of the page that is asked for next when the keys at hand are used up, or, if that is not to be had, of the
    /// one that was asked for last; `None` is the first page. After an error, a [`ListRequest::cursor`] with it goes on
    /// where this list stopped.
    pub fn resume_cursor(&self) -> Option<&str> {
        self.request.cursor.as_deref()
    }

    fn turn(&mut self) -> Result<(), Error> {
        let page = self.client.list_page(&self.request, &mut self.space_id)?;
        self.page = page.api_keys.into_iter();
        let (next, goes_on) = match self.trail.follow(&page.pagination) {
            Ok(false) => (Next::End, false),
            Ok(true) => (Next::Page, true),
            // Whoever has had enough pages may still have the next one.
            Err(error) => {
                let goes_on = error.kind() == PaginationErrorKind::TooManyPages;
                (Next::Error(error.into()), goes_on)
            }
        };
        self.next = next;
        if goes_on {
            self.request.cursor = page.pagination.next_cursor.map(Text::new);
        }
        Ok(())
    }
}

impl Iterator for ApiKeys {
    type Item = Result<ApiKey, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(key) = self.page.next() {
                return Some(Ok(key));
            }
            match std::mem::replace(&mut self.next, Next::End) {
                Next::End => return None,
                Next::Error(error) => return Some(Err(error)),
                Next::Page => {
                    if let Err(error) = self.turn() {
                        return Some(Err(error));
                    }
                }
            }
        }
    }
}

impl FusedIterator for ApiKeys {}
