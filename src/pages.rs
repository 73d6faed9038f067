//! Iterators over every page of a list.

use std::fmt;
use std::iter::FusedIterator;
use std::sync::Arc;
use std::vec;

use time::OffsetDateTime;

use crate::error::{Error, InvalidRequest, PaginationErrorKind};
use crate::json::Slot;
use crate::model::{ApiKey, Organization, Scrub, Space};
use crate::operation::Operation;
use crate::operations::list::{self, ListRequest};
use crate::operations::page::{CursorGuard, read_page};
use crate::operations::spaces::{ListOrganizationsRequest, ListSpacesRequest, member};
use crate::pipeline::{ApiRequest, Pipeline};
use crate::redact::Text;
use crate::request_target::RequestTarget;

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
    server_time: Option<OffsetDateTime>,
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
        Self { pipeline, request, page: Vec::new().into_iter(), next: Next::Page, guard, server_time: None }
    }

    /// The time of the service when it sent the last page, from the header `Date`.
    pub fn server_time(&self) -> Option<OffsetDateTime> {
        self.server_time
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
        self.server_time = page.server_time;
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

/// Every space of a list: see [`ApiKeysClient::list_spaces`](crate::ApiKeysClient::list_spaces).
#[derive(Debug)]
#[must_use = "iterators do nothing until they are consumed"]
pub struct Spaces(PageWalk<Space>);

impl Spaces {
    pub(crate) fn new(pipeline: Arc<Pipeline>, request: &ListSpacesRequest) -> Self {
        Self(PageWalk::new(pipeline, Operation::ListSpaces, request.validate().map(|()| request.to_target())))
    }
}

impl Iterator for Spaces {
    type Item = Result<Space, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next()
    }
}

impl FusedIterator for Spaces {}

/// Every organization of a list: see
/// [`ApiKeysClient::list_organizations`](crate::ApiKeysClient::list_organizations).
#[derive(Debug)]
#[must_use = "iterators do nothing until they are consumed"]
pub struct Organizations(PageWalk<Organization>);

impl Organizations {
    pub(crate) fn new(pipeline: Arc<Pipeline>, request: &ListOrganizationsRequest) -> Self {
        Self(PageWalk::new(pipeline, Operation::ListOrganizations, request.validate().map(|()| request.to_target())))
    }
}

impl Iterator for Organizations {
    type Item = Result<Organization, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next()
    }
}

impl FusedIterator for Organizations {}

/// A walk through the pages at one target.
struct PageWalk<T> {
    pipeline: Arc<Pipeline>,
    operation: Operation,
    target: Result<RequestTarget, InvalidRequest>,
    cursor: Option<String>,
    page: vec::IntoIter<T>,
    is_last_page: bool,
    guard: CursorGuard,
}

impl<T: Slot + Scrub + Default> PageWalk<T> {
    fn new(pipeline: Arc<Pipeline>, operation: Operation, target: Result<RequestTarget, InvalidRequest>) -> Self {
        let guard = CursorGuard::new(operation);
        Self { pipeline, operation, target, cursor: None, page: Vec::new().into_iter(), is_last_page: false, guard }
    }

    fn next(&mut self) -> Option<Result<T, Error>> {
        loop {
            if let Some(item) = self.page.next() {
                return Some(Ok(item));
            }
            if self.is_last_page {
                return None;
            }
            // An error is the last item.
            self.is_last_page = true;
            if let Err(error) = self.request_page() {
                return Some(Err(error));
            }
        }
    }

    fn request_page(&mut self) -> Result<(), Error> {
        let target = self.target.clone()?.query_opt("cursor", self.cursor.as_deref());
        let request = ApiRequest::get(self.operation, target);
        let scope = self.pipeline.begin(self.operation);
        let page = scope.run(&request, |response| {
            read_page(response, member(self.operation), scope.settings().credentials.current().known_keys())
        })?;
        self.is_last_page = !self.guard.follow(&page.pagination)?;
        self.page = page.items.into_iter();
        self.cursor = page.pagination.next_cursor;
        Ok(())
    }
}

impl<T> fmt::Debug for PageWalk<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PageWalk").field("operation", &self.operation).finish_non_exhaustive()
    }
}
