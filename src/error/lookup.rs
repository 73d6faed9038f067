//! How a look-up or a walk through pages can end.

use std::error::Error as StdError;
use std::fmt;

use super::{Error, Outcome};
use crate::call::Operation;
use crate::redact::quoted;

/// A space that an error names.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SpaceCandidate {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The id of its organization, if the service says it.
    pub organization_id: Option<String>,
}

impl fmt::Display for SpaceCandidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} with id {}", quoted(&self.name), quoted(&self.id))?;
        match &self.organization_id {
            Some(id) => write!(f, " in organization {}", quoted(id)),
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
    /// The name that was looked for.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The spaces that the service offered for this name: it matches parts of names, in any case.
    pub fn similar(&self) -> &[SpaceCandidate] {
        &self.similar
    }
}

impl fmt::Display for SpaceNotFound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no space is named {}", quoted(&self.name))?;
        if let Some(id) = &self.organization_id {
            write!(f, " in organization {}", quoted(id))?;
        }
        if self.similar.is_empty() {
            f.write_str("; names are matched exactly, and only spaces that the API key may see are found")
        } else {
            f.write_str("; names are matched exactly, similar ones: ")?;
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
    /// The name that was looked for.
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
        write!(f, "{} spaces are named {}: ", self.candidates.len(), quoted(&self.name))?;
        write_candidates(f, &self.candidates)?;
        f.write_str("; name one by its id, or its organization with `org_id`")
    }
}

impl StdError for AmbiguousSpace {}

/// The organization of a space could not be found out. Name it with `org_id`.
#[derive(Debug)]
pub struct OrganizationNotFound {
    pub(crate) space_id: String,
    pub(crate) source: Option<Box<Error>>,
}

impl OrganizationNotFound {
    /// The space whose organization was looked for.
    pub fn space_id(&self) -> &str {
        &self.space_id
    }
}

impl fmt::Display for OrganizationNotFound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the organization of the space {} could not be found; name it with `org_id`", quoted(&self.space_id))
    }
}

impl StdError for OrganizationNotFound {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}

/// Why the pages of a list do not end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PaginationErrorKind {
    /// The service says that there is more, and not where.
    MissingCursor,
    /// The service sent a cursor that it had sent before.
    RepeatedCursor,
    /// More pages came than are taken for possible.
    TooManyPages,
}

/// The pages of a list do not end. Nothing that was received before is lost.
#[derive(Debug)]
pub struct PaginationError {
    pub(crate) operation: Operation,
    pub(crate) kind: PaginationErrorKind,
    pub(crate) pages: u32,
}

impl PaginationError {
    /// What is wrong with the pages.
    pub fn kind(&self) -> PaginationErrorKind {
        self.kind
    }

    /// How many pages were received.
    pub fn pages(&self) -> u32 {
        self.pages
    }

    /// A list was answered, if strangely; a look-up is only the step before the call.
    pub(super) fn outcome(&self) -> Outcome {
        if self.operation == Operation::List { Outcome::Applied } else { Outcome::NotSent }
    }
}

impl fmt::Display for PaginationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let problem = match self.kind {
            PaginationErrorKind::MissingCursor => "the service says that there is more, but sent no cursor",
            PaginationErrorKind::RepeatedCursor => "the service sent a cursor for the second time",
            PaginationErrorKind::TooManyPages => "the service keeps sending cursors",
        };
        let pages = if self.pages == 1 { "page" } else { "pages" };
        write!(f, "{}: {problem} (after {} {pages})", self.operation, self.pages)
    }
}

impl StdError for PaginationError {}
