//! An iterator over every page of a list.

use std::fmt;
use std::iter::FusedIterator;
use std::sync::Arc;
use std::vec;

use crate::error::{Error, PaginationErrorKind};
use crate::model::ApiKey;
use crate::operation::Operation;
use crate::operations::list::{self, ListRequest};
use crate::operations::page::CursorGuard;
use crate::pipeline::Pipeline;
use crate::redact::Text;

/// Every key of a list, page by page: see [`ApiKeysClient::list_all`](crate::ApiKeysClient::list_all).
///
/// It skips empty pages and ends after the last key or the first error. If the list changes during the iteration, a key
/// may come twice: compare the ids.
#[must_use = "iterators do nothing until they are consumed"]
pub struct ApiKeys {
    pipeline: Arc<Pipeline>,
    request: ListRequest,
    page: vec::IntoIter<ApiKey>,
    next: Next,
    guard: CursorGuard,
}

#[derive(Debug)]
enum Next {
    /// Request the page at the cursor of the request.
    Page,
    /// Return the error that came with the current page.
    Error(Error),
    End,
}

impl ApiKeys {
    pub(crate) fn new(pipeline: Arc<Pipeline>, request: ListRequest) -> Self {
        let mut guard = CursorGuard::new(Operation::List);
        if let Some(cursor) = &request.cursor {
            guard.visit(cursor);
        }
        Self { pipeline, request, page: Vec::new().into_iter(), next: Next::Page, guard }
    }

    /// The most pages to request before [`PaginationErrorKind::TooManyPages`]. Default 10 000.
    pub fn max_pages(mut self, pages: u32) -> Self {
        self.guard.max_pages = pages.max(1);
        self
    }

    /// The cursor to resume from: the next page, or the failed page after an error. `None` is the first page.
    ///
    /// Pass it to [`ListRequest::cursor`].
    pub fn resume_cursor(&self) -> Option<&str> {
        self.request.cursor.as_deref()
    }

    fn request_page(&mut self) -> Result<(), Error> {
        let scope = self.pipeline.begin(Operation::List);
        // The later pages reuse the id.
        list::resolve_space(&scope, &mut self.request)?;
        let page = list::send(&scope, &self.request)?;
        self.page = page.api_keys.into_iter();
        let (next, has_next_page) = match self.guard.follow(&page.pagination) {
            Ok(false) => (Next::End, false),
            Ok(true) => (Next::Page, true),
            // The caller may still resume at the page after the last allowed one.
            Err(error) => {
                let has_next_page = error.kind() == PaginationErrorKind::TooManyPages;
                (Next::Error(error.into()), has_next_page)
            }
        };
        self.next = next;
        if has_next_page {
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
                    if let Err(error) = self.request_page() {
                        return Some(Err(error));
                    }
                }
            }
        }
    }
}

impl FusedIterator for ApiKeys {}

impl fmt::Debug for ApiKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiKeys")
            .field("request", &self.request)
            .field("page", &self.page)
            .field("next", &self.next)
            .finish_non_exhaustive()
    }
}
