//! The scopes of an inventory.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::error::InvalidRequest;
use crate::model::ApiKeyStatus;
use crate::operations::lookup::SpaceRef;

/// The keys to look for: the caller's user keys, the user keys of other users, the service keys of spaces.
///
/// No endpoint lists users, so the user keys of users that the request does not name are not covered.
#[derive(Clone)]
#[must_use]
pub struct InventoryRequest {
    pub(super) users: Vec<String>,
    pub(super) spaces: Vec<SpaceRef>,
    include_revoked: bool,
    pub(super) concurrency: usize,
    pub(super) timeout: Duration,
    on_progress: Option<OnProgress>,
}

type OnProgress = Arc<dyn Fn(InventoryProgress) + Send + Sync>;

/// The progress of an inventory. A scope is one list: of a user or of a space.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct InventoryProgress {
    /// Scopes read, or found unreadable.
    pub scopes_done: usize,
    /// Scopes to read.
    pub scopes_known: usize,
}

impl Default for InventoryRequest {
    fn default() -> Self {
        Self::new()
    }
}

impl InventoryRequest {
    /// The caller's active user keys and the active service keys of every space that the API key may see.
    pub fn new() -> Self {
        Self {
            users: Vec::new(),
            spaces: Vec::new(),
            include_revoked: false,
            concurrency: 1,
            timeout: Duration::from_secs(600),
            on_progress: None,
        }
    }

    /// Adds the user keys of the user with this id. For account admins.
    pub fn user_keys_of(mut self, user_id: impl Into<String>) -> Self {
        self.users.push(user_id.into());
        self
    }

    /// Reads the service keys of this space only, by name or id, and of others named the same way.
    pub fn space(mut self, space: impl Into<SpaceRef>) -> Self {
        self.spaces.push(space.into());
        self
    }

    /// Whether to include revoked keys. Default false.
    pub fn include_revoked(mut self, include: bool) -> Self {
        self.include_revoked = include;
        self
    }

    /// The number of lists read at the same time, each by a thread: 1 to 64, default 1 (no thread).
    pub fn concurrency(mut self, threads: usize) -> Self {
        self.concurrency = threads;
        self
    }

    /// The time for the whole inventory, default 10 minutes. Scopes that it leaves no time for are unread.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Called after each scope.
    pub fn on_progress(mut self, on_progress: impl Fn(InventoryProgress) + Send + Sync + 'static) -> Self {
        self.on_progress = Some(Arc::new(on_progress));
        self
    }

    pub(super) fn validate(&self) -> Result<(), InvalidRequest> {
        if !(1..=64).contains(&self.concurrency) {
            return Err(InvalidRequest::new("concurrency", "must be from 1 to 64"));
        }
        if self.timeout.is_zero() {
            return Err(InvalidRequest::new("timeout", "must not be 0"));
        }
        if self.users.iter().any(|id| id.trim().is_empty()) {
            return Err(InvalidRequest::new("user_keys_of", "must not be empty or blank"));
        }
        self.spaces.iter().try_for_each(|space| space.check("space"))
    }

    pub(super) fn report(&self, scopes_done: usize, scopes_known: usize) {
        if let Some(on_progress) = &self.on_progress {
            on_progress(InventoryProgress { scopes_done, scopes_known });
        }
    }

    pub(super) fn statuses(&self) -> &'static [ApiKeyStatus] {
        if self.include_revoked { &[ApiKeyStatus::Active, ApiKeyStatus::Revoked] } else { &[ApiKeyStatus::Active] }
    }
}

impl fmt::Debug for InventoryRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InventoryRequest")
            .field("users", &self.users.len())
            .field("spaces", &self.spaces)
            .field("include_revoked", &self.include_revoked)
            .field("concurrency", &self.concurrency)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}
