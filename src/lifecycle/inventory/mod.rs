//! The keys of an account, as far as its API lists them.

mod id_index;
mod key_spaces;
mod reads;
mod request;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::{fmt, thread};

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};
use time::OffsetDateTime;

pub use self::key_spaces::KeySpaces;
use self::reads::{Reads, ScopeRead};
pub use self::request::{InventoryProgress, InventoryRequest};
use crate::client::ApiKeysClient;
use crate::error::Error;
use crate::model::{ApiKey, ApiKeyStatus, ApiKeyType, Space};
use crate::operations::list::ListRequest;
use crate::operations::lookup::SpaceRef;
use crate::operations::spaces::ListSpacesRequest;
use crate::request_target::same_id;

/// The keys found, and the scopes that could not be read.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Inventory {
    /// The keys, each once, in the order of the scopes.
    pub keys: Vec<FoundKey>,
    /// The spaces whose keys were to be read.
    pub spaces: Vec<Space>,
    /// The scopes that could not be read to their end.
    pub unread: Vec<UnreadScope>,
    /// The time of the service when it sent the first list, from the header `Date`.
    pub server_time: Option<OffsetDateTime>,
}

/// A key, and the spaces whose lists have it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FoundKey {
    /// The key.
    pub key: ApiKey,
    /// The spaces of a service key; none for a user key.
    pub spaces: KeySpaces,
}

/// The members of the key, and `spaces`.
impl Serialize for FoundKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { key, spaces } = self;
        let mut object = serializer.serialize_struct("FoundKey", ApiKey::MEMBERS + 1)?;
        key.serialize_members(&mut object)?;
        object.serialize_field("spaces", spaces)?;
        object.end()
    }
}

/// A scope that could not be read to its end. The keys before the error are in the inventory.
#[derive(Debug)]
#[non_exhaustive]
pub struct UnreadScope {
    /// The scope.
    pub scope: Scope,
    /// The error of its list.
    pub error: Error,
}

/// One list of keys, or the list of spaces.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Scope {
    /// The caller's own user keys.
    OwnUserKeys,
    /// The user keys of the user with this id.
    UserKeys(String),
    /// The service keys of this space.
    ServiceKeys(Space),
    /// The list of spaces: the service keys of the spaces after the error are missing.
    Spaces,
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OwnUserKeys => f.write_str("your own user keys"),
            Self::UserKeys(id) => write!(f, "the user keys of user {id}"),
            Self::ServiceKeys(space) if space.name.is_empty() => write!(f, "the service keys of space {}", space.id),
            Self::ServiceKeys(space) => write!(f, "the service keys of space {} ({})", space.name, space.id),
            Self::Spaces => f.write_str("the list of spaces"),
        }
    }
}

impl Scope {
    /// The space whose keys it lists.
    fn space(&self) -> Option<&Space> {
        if let Self::ServiceKeys(space) = self { Some(space) } else { None }
    }

    fn request(&self, status: ApiKeyStatus) -> ListRequest {
        let request = ListRequest::new().status(status).limit(100);
        match self {
            Self::UserKeys(id) => request.key_type(ApiKeyType::User).user_id(id),
            Self::ServiceKeys(space) => request.key_type(ApiKeyType::Service).space(SpaceRef::id(&space.id)),
            Self::OwnUserKeys | Self::Spaces => request.key_type(ApiKeyType::User),
        }
    }
}

/// The scopes of a request, and the error that ended the list of spaces.
struct Scopes<'a> {
    users: &'a [String],
    spaces: Vec<Space>,
    error: Option<Error>,
}

impl Scopes<'_> {
    fn len(&self) -> usize {
        1 + self.users.len() + self.spaces.len()
    }

    fn get(&self, n: usize) -> Option<Scope> {
        let Some(n) = n.checked_sub(1) else { return Some(Scope::OwnUserKeys) };
        match self.users.get(n) {
            Some(id) => Some(Scope::UserKeys(id.clone())),
            None => self.spaces.get(n - self.users.len()).cloned().map(Scope::ServiceKeys),
        }
    }
}

impl ApiKeysClient {
    /// Finds every key that the API lists: the caller's user keys, the user keys of the users that the request names, and
    /// the service keys of every visible space or of those that the request names.
    ///
    /// A scope that cannot be read is in [`Inventory::unread`]. The retry policy of the client applies to every request.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidRequest`] before any I/O. [`Error::Unauthorized`]. [`Error::Transport`] if no scope can be read
    /// for it. [`Error::SpaceNotFound`] and [`Error::AmbiguousSpace`] for a space that the request names.
    pub fn inventory(&self, request: &InventoryRequest) -> Result<Inventory, Error> {
        request.validate()?;
        let client = self.with_time_limit(request.timeout);
        let scopes = client.scopes_of(request)?;
        let mut inventory = client.read_scopes(&scopes, request)?;
        inventory.spaces = scopes.spaces;
        inventory.unread.extend(scopes.error.map(|error| UnreadScope { scope: Scope::Spaces, error }));
        Ok(inventory)
    }

    /// Finds a key by its id, in the scopes of an inventory. It stops at the first scope that has the key, and reads no
    /// scope at the same time as another.
    ///
    /// # Errors
    ///
    /// Those of [`inventory`](Self::inventory). If no scope has the key and some could not be read, the error of the first
    /// of them: `None` means that the key is in no scope.
    pub fn find_key(&self, id: impl AsRef<str>, request: &InventoryRequest) -> Result<Option<FoundKey>, Error> {
        request.validate()?;
        let id = id.as_ref();
        let client = self.with_time_limit(request.timeout);
        let mut scopes = client.scopes_of(request)?;
        let mut unread = scopes.error.take();
        for n in 0.. {
            let Some(scope) = scopes.get(n) else { break };
            for status in request.statuses() {
                for key in client.list_all(&scope.request(status.clone())) {
                    match key {
                        Ok(key) if same_id(&key.id, id) => {
                            let spaces = KeySpaces::new(scope.space().into_iter());
                            return Ok(Some(FoundKey { key, spaces }));
                        }
                        Ok(_) => {}
                        Err(error @ Error::Unauthorized(_)) => return Err(error),
                        Err(error) => unread = unread.or(Some(error)),
                    }
                }
            }
            request.report(n + 1, scopes.len());
        }
        unread.map_or(Ok(None), Err)
    }

    fn scopes_of<'a>(&self, request: &'a InventoryRequest) -> Result<Scopes<'a>, Error> {
        let mut error = None;
        let mut spaces: Vec<Space> = Vec::new();
        if request.spaces.is_empty() {
            for space in self.list_spaces(&ListSpacesRequest::new()) {
                match space {
                    // A list that changes during the walk can have a space on two pages.
                    Ok(space) if space.id.is_empty() || spaces.iter().any(|known| known.id == space.id) => {}
                    Ok(space) => spaces.push(space),
                    Err(fatal @ Error::Unauthorized(_)) => return Err(fatal),
                    Err(failed) => error = Some(failed),
                }
            }
        }
        for space in &request.spaces {
            let space = self.named_space(space)?;
            if spaces.iter().all(|known| known.id != space.id) {
                spaces.push(space);
            }
        }
        Ok(Scopes { users: &request.users, spaces, error })
    }

    fn named_space(&self, space: &SpaceRef) -> Result<Space, Error> {
        let Some(name) = space.as_name() else {
            return Ok(Space { id: space.text().to_owned(), ..Space::default() });
        };
        let spaces = self.list_spaces(&ListSpacesRequest::new().name(name)).collect::<Result<_, _>>()?;
        self.the_one_named(name, spaces)
    }

    /// Reads the scopes with the threads of the request. The inventory is in the order of the scopes.
    fn read_scopes(&self, scopes: &Scopes, request: &InventoryRequest) -> Result<Inventory, Error> {
        let next = AtomicUsize::new(0);
        let reads = Mutex::new(Reads::default());
        let lock = || reads.lock().unwrap_or_else(PoisonError::into_inner);
        let work = || {
            while !lock().is_fatal() {
                let n = next.fetch_add(1, Ordering::Relaxed);
                let Some(scope) = scopes.get(n) else { return };
                let read = self.read_scope(scope, request, |read| lock().take_keys(n, read));
                let scopes_done = lock().add(n, read);
                request.report(scopes_done, scopes.len());
            }
        };
        if request.concurrency == 1 {
            work();
        } else {
            thread::scope(|threads| {
                for _ in 0..request.concurrency.min(scopes.len()) {
                    threads.spawn(work);
                }
            });
        }
        let reads = reads.into_inner().unwrap_or_else(PoisonError::into_inner);
        let mut inventory = reads.finish()?;
        // A failure that makes every scope unreadable is no inventory.
        let is_offline = |unread: &UnreadScope| matches!(unread.error, Error::Transport(_));
        let nothing_came = inventory.keys.is_empty() && inventory.unread.len() == scopes.len();
        if nothing_came && inventory.unread.iter().all(is_offline) {
            return Err(inventory.unread.swap_remove(0).error);
        }
        Ok(inventory)
    }

    /// Reads a scope to its end, or to an error. `take_keys` is called after each hundred keys.
    fn read_scope(&self, scope: Scope, request: &InventoryRequest, take_keys: impl Fn(&mut ScopeRead)) -> ScopeRead {
        let mut read = ScopeRead::new(scope);
        for status in request.statuses() {
            let mut pages = self.list_all(&read.scope.request(status.clone()));
            for key in &mut pages {
                match key {
                    Ok(key) => {
                        read.keys.push(key);
                        if read.keys.len().is_multiple_of(100) {
                            take_keys(&mut read);
                        }
                    }
                    Err(error) => {
                        read.error = Some(error);
                        return read;
                    }
                }
            }
            read.server_time = read.server_time.or(pages.server_time());
        }
        read
    }
}
