//! Look-ups: the id of a space by its name, and the organization of a space.

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use crate::error::{AmbiguousSpace, Error, InvalidRequest, OrganizationNotFound, SpaceCandidate, SpaceNotFound};
use crate::json::Slot;
use crate::model::{Organization, Scrub, Space};
use crate::operation::Operation;
use crate::operations::page::{CursorGuard, Page, read_object, read_page};
use crate::operations::spaces::{organizations, spaces};
use crate::pipeline::{ApiRequest, ApiResponse, CallScope, DecodeFailure};
use crate::redact::{Text, strip_key};
use crate::request_target::{RequestTarget, same_id};

/// A space, by its id or its name.
///
/// A `&str` or `String` is an id if it is base64 (padded or not) of a UTF-8 text with a colon in it, as all ids of the
/// service are, like `U3BhY2U6MTIzNDU=`. Otherwise it is a name. [`id`](Self::id) and [`name`](Self::name) state it
/// explicitly. Names must match exactly.
///
/// ```
/// use arize_api_keys::SpaceRef;
///
/// assert_eq!(SpaceRef::from("U3BhY2U6MTIzNDU="), SpaceRef::id("U3BhY2U6MTIzNDU="));
/// assert_eq!(SpaceRef::from("prod"), SpaceRef::name("prod"));
/// // A short name can look like an id. Then use `SpaceRef::name`.
/// assert_ne!(SpaceRef::from("YTpi"), SpaceRef::name("YTpi"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SpaceRef(IdOrName);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum IdOrName {
    Id(Text),
    Name(Text),
}

impl SpaceRef {
    /// The space with this id.
    pub fn id(id: impl Into<String>) -> Self {
        Self(IdOrName::Id(Text::new(id)))
    }

    /// The space with this name.
    pub fn name(name: impl Into<String>) -> Self {
        Self(IdOrName::Name(Text::new(name)))
    }

    /// The name, if it is one.
    pub(crate) fn as_name(&self) -> Option<&str> {
        match &self.0 {
            IdOrName::Id(_) => None,
            IdOrName::Name(name) => Some(name),
        }
    }

    /// The id or name.
    pub(crate) fn text(&self) -> &str {
        let (IdOrName::Id(text) | IdOrName::Name(text)) = &self.0;
        text
    }

    pub(crate) fn check(&self, field: &str) -> Result<(), InvalidRequest> {
        let (IdOrName::Id(text) | IdOrName::Name(text)) = &self.0;
        let problem = match &self.0 {
            _ if text.is_empty() => "must not be empty",
            IdOrName::Name(name) if name.chars().nth(255).is_some() => {
                "must be a name of at most 255 characters, or an id"
            }
            _ => return Ok(()),
        };
        Err(InvalidRequest::new(field.to_owned(), problem))
    }
}

impl From<String> for SpaceRef {
    fn from(text: String) -> Self {
        if looks_like_id(&text) { Self::id(text) } else { Self::name(text) }
    }
}

impl From<&str> for SpaceRef {
    fn from(text: &str) -> Self {
        Self::from(text.to_owned())
    }
}

impl From<&String> for SpaceRef {
    fn from(text: &String) -> Self {
        Self::from(text.as_str())
    }
}

/// Base64 as the official SDKs read it, with or without padding.
const ID_ALPHABET: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

fn looks_like_id(text: &str) -> bool {
    ID_ALPHABET.decode(text).is_ok_and(|bytes| bytes.contains(&b':') && std::str::from_utf8(&bytes).is_ok())
}

/// Whether the response says that the space is in another organization.
fn is_elsewhere(space: &Space, org_id: &str) -> bool {
    space.organization_id.as_deref().is_some_and(|id| !same_id(id, org_id))
}

/// The space with exactly this name, among those of a list that the service filtered by the name.
pub(crate) fn the_one_named(
    name: &str,
    org_id: Option<&str>,
    spaces: Vec<Space>,
    own_key: &str,
) -> Result<Space, Error> {
    let mut exact: Vec<Space> = Vec::new();
    let mut similar = Vec::new();
    for space in spaces {
        // If the list changes between two pages, a space can be on both.
        if space.id.is_empty() || exact.iter().any(|known| known.id == space.id) {
            continue;
        }
        let list = if space.name == name { &mut exact } else { &mut similar };
        list.push(space);
    }
    // Some servers ignore `org_id` and list the spaces of all organizations.
    if let Some(org_id) = org_id {
        exact.retain(|space| !is_elsewhere(space, org_id));
    }
    // The caller may have passed a key as the name.
    let name = strip_key(name, own_key);
    let candidate = |space: &Space| SpaceCandidate {
        id: strip_key(&space.id, own_key),
        name: strip_key(&space.name, own_key),
        organization_id: space.organization_id.as_deref().map(|id| strip_key(id, own_key)),
    };
    match exact.len() {
        0 => Err(Error::SpaceNotFound(SpaceNotFound {
            name,
            organization_id: org_id.map(|id| strip_key(id, own_key)),
            similar: similar.iter().map(candidate).collect(),
        })),
        1 => Ok(exact.swap_remove(0)),
        _ => Err(Error::AmbiguousSpace(AmbiguousSpace { name, candidates: exact.iter().map(candidate).collect() })),
    }
}

/// The look-ups of one call. It sends none twice.
pub(crate) struct Lookup<'a> {
    scope: &'a CallScope<'a>,
    /// The name of each space that was looked up, and the organization in which.
    by_name: Vec<(String, Option<String>, Space)>,
}

impl<'a> Lookup<'a> {
    pub(crate) fn new(scope: &'a CallScope<'a>) -> Self {
        Self { scope, by_name: Vec::new() }
    }

    /// The id of the space. With `org_id`, a name is looked up in that organization.
    pub(crate) fn space_id(&mut self, space: &SpaceRef, org_id: Option<&str>) -> Result<String, Error> {
        match &space.0 {
            IdOrName::Id(id) => Ok(id.to_string()),
            IdOrName::Name(name) => Ok(self.named(name, org_id)?.id),
        }
    }

    /// The id of the space and that of its organization.
    pub(crate) fn space_and_organization(&mut self, space: &SpaceRef) -> Result<(String, String), Error> {
        let found = match &space.0 {
            IdOrName::Id(id) => self.with_id(id)?,
            IdOrName::Name(name) => self.named(name, None)?,
        };
        let organization = match found.organization_id {
            Some(id) => id,
            None => self.organization_of(&found.id, Some(found.name.as_str()).filter(|name| !name.is_empty()))?,
        };
        Ok((found.id, organization))
    }

    fn with_id(&self, id: &str) -> Result<Space, Error> {
        let target = RequestTarget::new("/v2/spaces").id("space", id)?;
        let found = self.scope.run(&ApiRequest::get(Operation::GetSpace, target), |response: &ApiResponse| {
            let mut space = Space::default();
            if read_object(response, &mut space)? {
                Ok(space)
            } else {
                Err(DecodeFailure::WrongContent("not a space".to_owned()))
            }
        })?;
        // Keep the id of the caller, also if the response has another spelling.
        Ok(Space { id: id.to_owned(), ..found })
    }

    fn named(&mut self, name: &str, org_id: Option<&str>) -> Result<Space, Error> {
        let is_it = |(known, org, _): &&(String, Option<String>, Space)| known == name && org.as_deref() == org_id;
        if let Some((.., found)) = self.by_name.iter().find(is_it) {
            return Ok(found.clone());
        }
        let target = spaces(org_id, Some(name));
        let mut found = Vec::new();
        self.each_page(Operation::ListSpaces, &target, "spaces", |page: Vec<Space>| {
            found.extend(page);
            Ok(None::<()>)
        })?;
        let found = the_one_named(name, org_id, found, self.scope.settings().credentials.current().known_keys())?;
        self.by_name.push((name.to_owned(), org_id.map(str::to_owned), found.clone()));
        Ok(found)
    }

    /// Finds the organization by listing the spaces of each, for servers that do not send `organization_id`.
    fn organization_of(&self, space_id: &str, name: Option<&str>) -> Result<String, Error> {
        let target = organizations(None);
        let visit = |page: Vec<Organization>| {
            for organization in page.into_iter().filter(|organization| !organization.id.is_empty()) {
                if self.organization_has(&organization.id, space_id, name)? {
                    return Ok(Some(organization.id));
                }
            }
            Ok(None)
        };
        let source = match self.each_page(Operation::ListOrganizations, &target, "organizations", visit) {
            Ok(Some(id)) => return Ok(id),
            Ok(None) => None,
            Err(error @ Error::Forbidden(_)) => Some(Box::new(error)),
            Err(error) => return Err(error),
        };
        let space_id = strip_key(space_id, self.scope.settings().credentials.current().known_keys());
        Err(Error::OrganizationNotFound(OrganizationNotFound { space_id, source }))
    }

    fn organization_has(&self, org_id: &str, space_id: &str, name: Option<&str>) -> Result<bool, Error> {
        let target = spaces(Some(org_id), name);
        let is_it = |space: &Space| same_id(&space.id, space_id) && !is_elsewhere(space, org_id);
        let visit = |page: Vec<Space>| Ok(page.iter().any(is_it).then_some(()));
        match self.each_page(Operation::ListSpaces, &target, "spaces", visit) {
            Ok(hit) => Ok(hit.is_some()),
            // The API key may see the space, so it is not in an organization whose spaces it may not list.
            Err(Error::Forbidden(_) | Error::NotFound(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Passes page after page to `visit` until it returns a value.
    fn each_page<T: Slot + Scrub + Default, F>(
        &self,
        operation: Operation,
        target: &RequestTarget,
        member: &'static str,
        mut visit: impl FnMut(Vec<T>) -> Result<Option<F>, Error>,
    ) -> Result<Option<F>, Error> {
        let mut guard = CursorGuard::new(operation);
        let mut cursor: Option<String> = None;
        loop {
            let call = ApiRequest::get(operation, target.clone().query_opt("cursor", cursor.as_deref()));
            let Page { items, pagination } = self.scope.run(&call, |response| {
                read_page(response, member, self.scope.settings().credentials.current().known_keys())
            })?;
            if let Some(found) = visit(items)? {
                return Ok(Some(found));
            }
            if !guard.follow(&pagination)? {
                return Ok(None);
            }
            cursor = pagination.next_cursor;
        }
    }
}
