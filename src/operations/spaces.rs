//! Spaces and organizations: finding the id of a space by its name, and the organization of a space.

use std::collections::HashMap;

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use secrecy::ExposeSecret;
use serde::de::MapAccess;

use crate::call::{Call, Misread, Operation, Reply, Session};
use crate::error::{AmbiguousSpace, Error, InvalidRequest, OrganizationNotFound, SpaceCandidate, SpaceNotFound};
use crate::lenient::{Members, read_scalar, read_text};
use crate::operations::page::{Page, read_object, read_page};
use crate::pages::Trail;
use crate::redact::{Text, keyless};
use crate::target::{Target, same_id};

/// A space, by its id or its name.
///
/// A `&str` or `String` is taken for an id if it is base64 (padded or not) of a UTF-8 text with a colon in it, as all ids of
/// the service are, like `U3BhY2U6MTIzNDU=`, and for a name otherwise. [`id`](Self::id) and [`name`](Self::name) say
/// outright what is meant. Names are matched exactly.
///
/// ```
/// use arize_api_keys::SpaceRef;
///
/// assert_eq!(SpaceRef::from("U3BhY2U6MTIzNDU="), SpaceRef::id("U3BhY2U6MTIzNDU="));
/// assert_eq!(SpaceRef::from("prod"), SpaceRef::name("prod"));
/// // A short name can look like an id: then say which it is.
/// assert_ne!(SpaceRef::from("YTpi"), SpaceRef::name("YTpi"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SpaceRef(Space);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Space {
    Id(Text),
    Name(Text),
}

impl SpaceRef {
    /// The space with this id.
    pub fn id(id: impl Into<String>) -> Self {
        Self(Space::Id(Text::new(id)))
    }

    /// The space with this name.
    pub fn name(name: impl Into<String>) -> Self {
        Self(Space::Name(Text::new(name)))
    }

    pub(crate) fn check(&self, field: &str) -> Result<(), InvalidRequest> {
        let (Space::Id(text) | Space::Name(text)) = &self.0;
        let problem = match &self.0 {
            _ if text.is_empty() => "must not be empty",
            Space::Name(name) if name.chars().nth(255).is_some() => {
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

/// Base64 as the official SDKs read it, with the padding left to the writer.
const ID_ALPHABET: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

fn looks_like_id(text: &str) -> bool {
    ID_ALPHABET.decode(text).is_ok_and(|bytes| bytes.contains(&b':') && std::str::from_utf8(&bytes).is_ok())
}

/// How many spaces or organizations a page of a look-up has: the most that the service gives.
const LOOKUP_LIMIT: &str = "100";

/// A space as a look-up finds it.
#[derive(Clone, Debug, Default)]
struct FoundSpace {
    id: String,
    name: String,
    organization_id: Option<String>,
}

impl Members for FoundSpace {
    fn read<'de, A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<bool, A::Error> {
        match name {
            "id" => self.id = read_text(map)?,
            "name" => self.name = read_text(map)?,
            "organization_id" => {
                self.organization_id = read_scalar(map)?.filter(|id: &String| !id.is_empty());
            }
            _ => return Ok(false),
        }
        Ok(true)
    }
}

impl FoundSpace {
    /// Whether it is, as far as the service says it, in another organization.
    fn is_elsewhere(&self, org_id: &str) -> bool {
        self.organization_id.as_deref().is_some_and(|id| !same_id(id, org_id))
    }

    fn candidate(&self, own_key: &str) -> SpaceCandidate {
        SpaceCandidate {
            id: keyless(&self.id, own_key),
            name: keyless(&self.name, own_key),
            organization_id: self.organization_id.as_deref().map(|id| keyless(id, own_key)),
        }
    }
}

#[derive(Default)]
struct FoundOrganization {
    id: String,
}

impl Members for FoundOrganization {
    fn read<'de, A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<bool, A::Error> {
        if name != "id" {
            return Ok(false);
        }
        self.id = read_text(map)?;
        Ok(true)
    }
}

/// The look-ups of one call. None is made twice.
pub(crate) struct Lookup<'a> {
    session: &'a Session<'a>,
    by_name: HashMap<(String, Option<String>), FoundSpace>,
}

impl<'a> Lookup<'a> {
    pub(crate) fn new(session: &'a Session<'a>) -> Self {
        Self { session, by_name: HashMap::new() }
    }

    /// The id of the space. A name is looked for in the organization, if one is given.
    pub(crate) fn space_id(&mut self, space: &SpaceRef, org_id: Option<&str>) -> Result<String, Error> {
        match &space.0 {
            Space::Id(id) => Ok(id.to_string()),
            Space::Name(name) => Ok(self.named(name, org_id)?.id),
        }
    }

    /// The id of the space and that of its organization.
    pub(crate) fn space_and_organization(&mut self, space: &SpaceRef) -> Result<(String, String), Error> {
        let found = match &space.0 {
            Space::Id(id) => self.with_id(id)?,
            Space::Name(name) => self.named(name, None)?,
        };
        let organization = match found.organization_id {
            Some(id) => id,
            None => self.organization_of(&found.id, Some(found.name.as_str()).filter(|name| !name.is_empty()))?,
        };
        Ok((found.id, organization))
    }

    fn with_id(&self, id: &str) -> Result<FoundSpace, Error> {
        let target = Target::new("/v2/spaces").id("space", id)?;
        let found = self.session.run(&Call::get(Operation::GetSpace, target), |reply: &Reply| {
            let mut space = FoundSpace::default();
            if read_object(reply, &mut space)? { Ok(space) } else { Err(Misread::WrongContent("no space".to_owned())) }
        })?;
        // The caller's word for the id counts, whatever else the answer has.
        Ok(FoundSpace { id: id.to_owned(), ..found })
    }

    fn named(&mut self, name: &str, org_id: Option<&str>) -> Result<FoundSpace, Error> {
        let key = (name.to_owned(), org_id.map(str::to_owned));
        if let Some(found) = self.by_name.get(&key) {
            return Ok(found.clone());
        }
        let target = spaces(org_id, Some(name));
        let mut exact = Vec::new();
        let mut similar = Vec::new();
        self.each_page(Operation::ListSpaces, &target, "spaces", |page: Vec<FoundSpace>| {
            for space in page {
                // A list that changes between two pages can show a space on both.
                if space.id.is_empty() || exact.iter().any(|known: &FoundSpace| known.id == space.id) {
                    continue;
                }
                let list = if space.name == name { &mut exact } else { &mut similar };
                list.push(space);
            }
            Ok(None::<()>)
        })?;
        // The organization that was named decides, also on a server that lists the spaces of all.
        if let Some(org_id) = org_id {
            exact.retain(|space| !space.is_elsewhere(org_id));
        }
        let own_key = self.session.settings().api_key.expose_secret();
        // Whoever gives a key where a name belongs shall not find it in a log.
        let name = keyless(name, own_key);
        let candidates = |spaces: Vec<FoundSpace>| spaces.iter().map(|space| space.candidate(own_key)).collect();
        match exact.len() {
            0 => Err(Error::SpaceNotFound(SpaceNotFound {
                name,
                organization_id: org_id.map(|id| keyless(id, own_key)),
                similar: candidates(similar),
            })),
            1 => {
                let found = exact.swap_remove(0);
                self.by_name.insert(key, found.clone());
                Ok(found)
            }
            _ => Err(Error::AmbiguousSpace(AmbiguousSpace { name, candidates: candidates(exact) })),
        }
    }

    /// The organization of a space whose server does not say it: the one among whose spaces it is.
    fn organization_of(&self, space_id: &str, name: Option<&str>) -> Result<String, Error> {
        let organizations = Target::new("/v2/organizations").query("limit", LOOKUP_LIMIT);
        let visit = |page: Vec<FoundOrganization>| {
            for organization in page.into_iter().filter(|organization| !organization.id.is_empty()) {
                if self.organization_has(&organization.id, space_id, name)? {
                    return Ok(Some(organization.id));
                }
            }
            Ok(None)
        };
        let source = match self.each_page(Operation::ListOrganizations, &organizations, "organizations", visit) {
            Ok(Some(id)) => return Ok(id),
            Ok(None) => None,
            Err(error @ Error::Forbidden(_)) => Some(Box::new(error)),
            Err(error) => return Err(error),
        };
        let space_id = keyless(space_id, self.session.settings().api_key.expose_secret());
        Err(Error::OrganizationNotFound(OrganizationNotFound { space_id, source }))
    }

    fn organization_has(&self, org_id: &str, space_id: &str, name: Option<&str>) -> Result<bool, Error> {
        let target = spaces(Some(org_id), name);
        let is_it = |space: &FoundSpace| same_id(&space.id, space_id) && !space.is_elsewhere(org_id);
        let visit = |page: Vec<FoundSpace>| Ok(page.iter().any(is_it).then_some(()));
        match self.each_page(Operation::ListSpaces, &target, "spaces", visit) {
            Ok(hit) => Ok(hit.is_some()),
            // The space was seen, so it is not in an organization whose spaces may not be.
            Err(Error::Forbidden(_) | Error::NotFound(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Brings page after page to `visit` until it has found something.
    fn each_page<T: Members + Default, F>(
        &self,
        operation: Operation,
        target: &Target,
        member: &'static str,
        mut visit: impl FnMut(Vec<T>) -> Result<Option<F>, Error>,
    ) -> Result<Option<F>, Error> {
        let mut trail = Trail::new(operation);
        let mut cursor: Option<String> = None;
        loop {
            let call = Call::get(operation, target.clone().query_opt("cursor", cursor.as_deref()));
            let Page { items, pagination } = self.session.run(&call, |reply| read_page(reply, member))?;
            if let Some(found) = visit(items)? {
                return Ok(Some(found));
            }
            if !trail.follow(&pagination)? {
                return Ok(None);
            }
            cursor = pagination.next_cursor;
        }
    }
}

fn spaces(org_id: Option<&str>, name: Option<&str>) -> Target {
    Target::new("/v2/spaces").query_opt("org_id", org_id).query_opt("name", name).query("limit", LOOKUP_LIMIT)
}
