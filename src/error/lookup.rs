//! Errors of look-ups and of paging.

use std::error::Error as StdError;
use std::fmt;

use super::Error;
use super::context::Outcome;
use crate::operation::Operation;
use crate::redact::quote;

/// A space that an error names.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SpaceCandidate {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The id of its organization, if the response has it.
    pub organization_id: Option<String>,
}

impl fmt::Display for SpaceCandidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} with id {}", quote(&self.name), quote(&self.id))?;
        match &self.organization_id {
            Some(id) => write!(f, " in organization {}", quote(id)),
            None => Ok(()),
        }
    }
}

/// The most candidates that a message lists; [`SpaceNotFound::similar`] and [`AmbiguousSpace::candidates`] have all.
const SHOWN_CANDIDATES: usize = 10;

fn write_candidates(f: &mut fmt::Formatter<'_>, candidates: &[SpaceCandidate]) -> fmt::Result {
    for (n, candidate) in candidates.iter().take(SHOWN_CANDIDATES).enumerate() {
        write!(f, "{}{candidate}", if n == 0 { "" } else { ", " })?;
    }
    match candidates.len().saturating_sub(SHOWN_CANDIDATES) {
        0 => Ok(()),
        more => write!(f, " and {more} more"),
    }
}

/// No space has exactly this name.
#[derive(Debug)]
pub struct SpaceNotFound {
    pub(crate) name: String,
    pub(crate) organization_id: Option<String>,
    pub(crate) similar: Vec<SpaceCandidate>,
}

impl SpaceNotFound {
    /// The name in the request.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Spaces with a similar name: the service matches substrings in any case.
    pub fn similar(&self) -> &[SpaceCandidate] {
        &self.similar
    }
}

impl fmt::Display for SpaceNotFound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no space is named {}", quote(&self.name))?;
        if let Some(id) = &self.organization_id {
            write!(f, " in organization {}", quote(id))?;
        }
        if self.similar.is_empty() {
            f.write_str("; names must match exactly, and the API key must be allowed to see the space")
        } else {
            f.write_str("; names must match exactly, similar ones: ")?;
            write_candidates(f, &self.similar)
        }
    }
}

impl StdError for SpaceNotFound {}

/// Several spaces have this name.
#[derive(Debug)]
pub struct AmbiguousSpace {
    pub(crate) name: String,
    pub(crate) candidates: Vec<SpaceCandidate>,
}

impl AmbiguousSpace {
    /// The name in the request.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The spaces of this name.
    pub fn candidates(&self) -> &[SpaceCandidate] {
        &self.candidates
    }
}

impl fmt::Display for AmbiguousSpace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} spaces are named {}: ", self.candidates.len(), quote(&self.name))?;
        write_candidates(f, &self.candidates)?;
        f.write_str("; pass the id of one of them, or its organization as `org_id`")
    }
}

impl StdError for AmbiguousSpace {}

/// The look-ups found no organization for the space. Pass it as `org_id`.
#[derive(Debug)]
pub struct OrganizationNotFound {
    pub(crate) space_id: String,
    pub(crate) source: Option<Box<Error>>,
}

impl OrganizationNotFound {
    /// The id of the space.
    pub fn space_id(&self) -> &str {
        &self.space_id
    }
}

impl fmt::Display for OrganizationNotFound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the organization of the space {} was not found; pass it as `org_id`", quote(&self.space_id))
    }
}

impl StdError for OrganizationNotFound {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}

/// The reason why the pages of a list do not end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PaginationErrorKind {
    /// `has_more` is true, and there is no `next_cursor`.
    MissingCursor,
    /// The service sent a cursor that it had sent before.
    RepeatedCursor,
    /// The list has more pages than [`ApiKeys::max_pages`](crate::ApiKeys::max_pages).
    TooManyPages,
}

/// The pages of a list do not end. The caller keeps the keys received before.
#[derive(Debug)]
pub struct PaginationError {
    pub(crate) operation: Operation,
    pub(crate) kind: PaginationErrorKind,
    pub(crate) pages: u32,
}

impl PaginationError {
    /// The reason.
    pub fn kind(&self) -> PaginationErrorKind {
        self.kind
    }

    /// The number of pages received.
    pub fn pages(&self) -> u32 {
        self.pages
    }

    /// A look-up is a step before the call, so after its failure the call was not sent.
    pub(super) fn outcome(&self) -> Outcome {
        if self.operation == Operation::List { Outcome::Applied } else { Outcome::NotSent }
    }
}

impl fmt::Display for PaginationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let problem = match self.kind {
            PaginationErrorKind::MissingCursor => "the response has `has_more` and no cursor",
            PaginationErrorKind::RepeatedCursor => "the service sent a cursor for the second time",
            PaginationErrorKind::TooManyPages => "the list has too many pages",
        };
        let pages = if self.pages == 1 { "page" } else { "pages" };
        write!(f, "{}: {problem} (after {} {pages})", self.operation, self.pages)
    }
}

impl StdError for PaginationError {}
