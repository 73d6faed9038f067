//! The request that this crate must make of a recorded call: the rules, written down a second time from the facts of the API and
//! without a look at the crate's own code.

use std::collections::BTreeSet;
use std::time::Duration;

use arize_api_keys::ApiStage;
use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::call::{Call, Create, Form, List, Organization, Role, Service, Space};
use super::recorded::{Exchange, Sdk, Vector};
use crate::support::{OWN_KEY, START, moment};
use crate::wire::Request;

/// The requests, and how the call ends.
pub(super) struct Expected {
    pub(super) requests: Vec<Request>,
    pub(super) end: End,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum End {
    Done,
    SpaceNotFound,
    AmbiguousSpace,
    Pagination,
    Status(u16),
    /// By which rule, and the whole message.
    Refused(Rule, String),
}

/// Why a request is refused before it is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rule {
    /// It would leave its route, or cannot be one.
    Id,
    Limit,
    BlankName,
    NameTooLong,
    DescriptionTooLong,
    /// None, or more than 100.
    Organizations,
    EmptyOrganizationId,
    /// None, or more than 100.
    Spaces,
    EmptySpace,
    SpaceNameTooLong,
    /// The same organization, or the same space in it, twice.
    Twice,
    EmptyRoleId,
    GracePeriod,
    ExpiresInThePast,
    /// Roles that the alpha stage has no words for.
    BeyondAlpha,
}

/// Where this crate means to do something else than the official SDKs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Difference {
    /// A name in a binding is looked up in the binding's organization.
    LookedUpInItsOrganization,
    /// Base64 without padding is an id too: no look-up.
    UnpaddedId,
    /// A word that is not base64 of a text is a name, where the SDK takes it for an id.
    NameNotId,
    /// `has_more` and `next_cursor` contradict each other, or a cursor comes again: no wandering on.
    Pages,
    /// A space that comes on two pages is one space.
    OnTwoPages,
    /// An empty cursor is left out, as by the Go SDK.
    EmptyCursor,
}

pub(super) fn expected(vector: &Vector, call: &Call) -> Expected {
    let mut requests = Vec::new();
    let end = match walk(vector, call, &mut requests) {
        Ok(()) => End::Done,
        Err(end) => end,
    };
    let bearer = format!("Bearer {OWN_KEY}");
    let requests = requests.into_iter().map(|request: Request| request.with_authorization(Some(&bearer))).collect();
    Expected { requests, end }
}

fn walk(vector: &Vector, call: &Call, requests: &mut Vec<Request>) -> Result<(), End> {
    if let Some((rule, message)) = refusal(call, vector.stage) {
        return Err(refused(rule, &message));
    }
    let mut ids = Vec::new();
    for (space, org_id) in call.spaces() {
        ids.push(match space {
            Space::Id(id) => id.clone(),
            Space::NameOrId(text) if is_id(text) => text.clone(),
            Space::NameOrId(name) => look_up(vector, name, org_id, requests)?,
        });
        // An organization with a space that came before under its other word.
        if let Call::Service(Service { form: Form::Organizations(organizations), .. }) = call {
            let (n, m, before) = position(organizations, ids.len() - 1);
            if ids[before..ids.len() - 1].contains(&ids[ids.len() - 1]) {
                return Err(refused(Rule::Twice, &format!("`organizations[{n}].spaces[{m}].space` is listed twice")));
            }
        }
    }
    requests.push(last_request(call, vector.stage, &ids));
    Ok(())
}

fn refused(rule: Rule, message: &str) -> End {
    End::Refused(rule, format!("invalid request: {message}"))
}

/// The organization and the place in it of the space at `index`, and the index of that organization's first space.
fn position(organizations: &[Organization], index: usize) -> (usize, usize, usize) {
    let mut first = 0;
    for (n, organization) in organizations.iter().enumerate() {
        if index < first + organization.spaces.len() {
            return (n, index - first, first);
        }
        first += organization.spaces.len();
    }
    panic!("no such space: {index}");
}

/// Page after page, until the service says that there is no more.
fn look_up(vector: &Vector, name: &str, org_id: Option<&str>, requests: &mut Vec<Request>) -> Result<String, End> {
    let mut found = Vec::new();
    let mut cursors = BTreeSet::new();
    let mut request = Request::new("GET", "/v2/spaces?limit=100", None).with_parameter("name", name);
    if let Some(org_id) = org_id {
        request = request.with_parameter("org_id", org_id);
    }
    let first = request.clone();
    loop {
        requests.push(request.clone());
        let (status, page) = answer(vector, &request);
        if status != 200 {
            return Err(End::Status(status));
        }
        let spaces = page["spaces"].as_array().into_iter().flatten();
        found
            .extend(spaces.filter(|space| space["name"] == name).map(|space| space["id"].as_str().unwrap().to_owned()));
        let cursor = page["pagination"]["next_cursor"].as_str().filter(|cursor| !cursor.is_empty());
        match (page["pagination"]["has_more"].as_bool().unwrap_or(cursor.is_some()), cursor) {
            (false, _) => break,
            (true, Some(cursor)) if cursors.insert(cursor.to_owned()) => {
                request = first.clone().with_parameter("cursor", cursor);
            }
            (true, _) => return Err(End::Pagination),
        }
    }
    found.sort();
    found.dedup();
    match found.len() {
        0 => Err(End::SpaceNotFound),
        1 => Ok(found.remove(0)),
        _ => Err(End::AmbiguousSpace),
    }
}

/// The recorded response to a look-up. `org_id` selects items by their own members.
pub(super) fn answer(vector: &Vector, request: &Request) -> (u16, Value) {
    let same = |exchange: &&Exchange| {
        exchange.is_space_lookup()
            && exchange.request.parameter("name") == request.parameter("name")
            && exchange.request.parameter("cursor") == request.parameter("cursor")
    };
    let Some(exchange) = vector.exchanges.iter().find(same) else {
        return (200, json!({"spaces": [], "pagination": {"has_more": false}}));
    };
    let mut page = exchange.answer.clone();
    if let (Some(org_id), Some(spaces)) = (request.parameter("org_id"), page["spaces"].as_array_mut()) {
        spaces.retain(|space| space.get("organization_id").is_none_or(|of_space| of_space == org_id));
    }
    (exchange.status, page)
}

/// Where the rules of this crate and of the SDK part on this call.
pub(super) fn differences(vector: &Vector, call: &Call) -> BTreeSet<Difference> {
    let mut differences = BTreeSet::new();
    if matches!(call, Call::List(list) if list.cursor.as_deref() == Some("")) && vector.sdk != Sdk::Go {
        differences.insert(Difference::EmptyCursor);
    }
    for (space, org_id) in call.spaces() {
        let Space::NameOrId(text) = space else { continue };
        match (is_id(text), is_id_for(vector.sdk, text)) {
            (true, false) => drop(differences.insert(Difference::UnpaddedId)),
            (false, true) => drop(differences.insert(Difference::NameNotId)),
            (false, false) if org_id.is_some() => {
                differences.insert(Difference::LookedUpInItsOrganization);
            }
            _ => {}
        }
    }
    let lookups: Vec<&Exchange> = vector.exchanges.iter().filter(|exchange| exchange.is_space_lookup()).collect();
    let strays = lookups.iter().any(|exchange| {
        let pagination = &exchange.answer["pagination"];
        let cursor = pagination["next_cursor"].as_str().filter(|cursor| !cursor.is_empty());
        pagination["has_more"].as_bool().unwrap_or(cursor.is_some()) != cursor.is_some()
    });
    let again = (1..lookups.len()).any(|n| lookups[..n].iter().any(|before| before.request == lookups[n].request));
    if strays || again && vector.op == "list" {
        differences.insert(Difference::Pages);
    }
    let names = lookups.iter().flat_map(|exchange| exchange.answer["spaces"].as_array().into_iter().flatten());
    let mut exact: Vec<_> = names.filter(|space| is_named(call, &space["name"])).map(|space| &space["id"]).collect();
    let all = exact.len();
    exact.sort_by_key(|id| id.to_string());
    exact.dedup();
    if exact.len() < all && vector.op == "list" {
        differences.insert(Difference::OnTwoPages);
    }
    differences
}

fn is_named(call: &Call, name: &Value) -> bool {
    call.spaces().iter().any(|(space, _)| matches!(space, Space::NameOrId(text) if name == text))
}

fn is_id(text: &str) -> bool {
    let unpadded = text.trim_end_matches('=');
    let padding = text.len() - unpadded.len();
    let fits = padding == 0 || padding < 3 && text.len().is_multiple_of(4);
    fits && base64_text(unpadded, DecodePaddingMode::RequireNone).is_some_and(|bytes| is_text_with_colon(&bytes))
}

fn is_id_for(sdk: Sdk, text: &str) -> bool {
    match sdk {
        Sdk::Go => {
            let joined = text.replace(['\r', '\n'], "");
            base64_text(&joined, DecodePaddingMode::RequireCanonical).is_some_and(|bytes| bytes.contains(&b':'))
        }
        Sdk::Python | Sdk::Cli => {
            base64_text(text, DecodePaddingMode::RequireCanonical).is_some_and(|bytes| is_text_with_colon(&bytes))
        }
        Sdk::JavaScript => true,
    }
}

fn base64_text(text: &str, padding: DecodePaddingMode) -> Option<Vec<u8>> {
    let config = GeneralPurposeConfig::new().with_decode_padding_mode(padding).with_decode_allow_trailing_bits(true);
    GeneralPurpose::new(&STANDARD, config).decode(text).ok()
}

fn is_text_with_colon(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_ok_and(|text| text.contains(':'))
}

/// The rule that forbids a call, and the message about the field.
fn refusal(call: &Call, stage: ApiStage) -> Option<(Rule, String)> {
    match call {
        Call::List(List { limit, space, .. }) => match limit {
            Some(0 | 101..) => Some((Rule::Limit, "`limit` must be from 1 to 100".to_owned())),
            _ => space.as_ref().and_then(|space| refuse_space("space", space)),
        },
        Call::Create(create) => refuse_key(create).or_else(|| refuse_expiry(create.expires_at)),
        Call::Service(service) => refuse_key(&service.key)
            .or_else(|| refuse_role("account_role", service.account_role.as_ref()))
            .or_else(|| refuse_form(&service.form))
            .or_else(|| if stage == ApiStage::Alpha { refuse_on_alpha(service) } else { None })
            .or_else(|| refuse_expiry(service.key.expires_at)),
        Call::Refresh(refresh) => refuse_id(&refresh.id)
            .or_else(|| {
                let too_long = refresh.grace_period.is_some_and(|grace| grace > Duration::from_secs(86_400));
                too_long.then(|| (Rule::GracePeriod, "`grace_period` must be whole seconds from 0 to 86400".to_owned()))
            })
            .or_else(|| refuse_expiry(refresh.expires_at)),
        Call::Delete { id } | Call::Revoke { id } => refuse_id(id),
    }
}

fn refuse_id(id: &str) -> Option<(Rule, String)> {
    let problem = match id {
        "" => "must not be empty",
        "." | ".." => "must not be `.` or `..`: that would name another resource",
        _ if id.len() > 512 => "must have at most 512 bytes",
        _ if id.chars().any(char::is_control) => "must not contain control characters",
        _ => return None,
    };
    Some((Rule::Id, format!("`id` {problem}")))
}

fn refuse_key(key: &Create) -> Option<(Rule, String)> {
    if key.name.trim().is_empty() {
        return Some((Rule::BlankName, "`name` must not be empty or blank".to_owned()));
    }
    if key.name.chars().count() > 256 {
        return Some((Rule::NameTooLong, "`name` must have at most 256 characters".to_owned()));
    }
    if key.description.as_ref().is_some_and(|text| text.chars().count() > 1000) {
        return Some((Rule::DescriptionTooLong, "`description` must have at most 1000 characters".to_owned()));
    }
    None
}

fn refuse_expiry(expires_at: Option<OffsetDateTime>) -> Option<(Rule, String)> {
    let past = expires_at.is_some_and(|instant| instant <= moment(START));
    past.then(|| (Rule::ExpiresInThePast, "`expires_at` must be in the future".to_owned()))
}

fn refuse_role(field: &str, role: Option<&Role>) -> Option<(Rule, String)> {
    let empty = matches!(role, Some(Role::Custom(id)) if id.is_empty());
    empty.then(|| (Rule::EmptyRoleId, format!("`{field}` must have the id of the custom role")))
}

fn refuse_space(field: &str, space: &Space) -> Option<(Rule, String)> {
    match space {
        Space::Id(text) | Space::NameOrId(text) if text.is_empty() => {
            Some((Rule::EmptySpace, format!("`{field}` must not be empty")))
        }
        Space::NameOrId(text) if !is_id(text) && text.chars().count() > 255 => {
            Some((Rule::SpaceNameTooLong, format!("`{field}` must be a name of at most 255 characters, or an id")))
        }
        _ => None,
    }
}

fn refuse_form(form: &Form) -> Option<(Rule, String)> {
    let organizations = match form {
        Form::OneSpace { space, org_role, space_role } => {
            return refuse_role("org_role", org_role.as_ref())
                .or_else(|| refuse_role("space_role", space_role.as_ref()))
                .or_else(|| refuse_space("space", space));
        }
        Form::Organizations(organizations) => organizations,
    };
    if organizations.is_empty() || organizations.len() > 100 {
        return Some((Rule::Organizations, "`organizations` must have 1 to 100 entries".to_owned()));
    }
    for (n, organization) in organizations.iter().enumerate() {
        let field = format!("organizations[{n}]");
        if organization.org_id.is_empty() {
            return Some((Rule::EmptyOrganizationId, format!("`{field}.org_id` must not be empty")));
        }
        if organizations[..n].iter().any(|before| before.org_id == organization.org_id) {
            let problem = "is listed twice: put its spaces into one binding";
            return Some((Rule::Twice, format!("`{field}.org_id` {problem}")));
        }
        if organization.spaces.is_empty() || organization.spaces.len() > 100 {
            return Some((Rule::Spaces, format!("`{field}.spaces` must have 1 to 100 entries")));
        }
        if let Some(refusal) = refuse_role(&format!("{field}.role"), organization.role.as_ref()) {
            return Some(refusal);
        }
        for (m, (space, role)) in organization.spaces.iter().enumerate() {
            let field = format!("{field}.spaces[{m}]");
            let refusal = refuse_space(&format!("{field}.space"), space)
                .or_else(|| refuse_role(&format!("{field}.role"), role.as_ref()));
            if refusal.is_some() {
                return refusal;
            }
            if organization.spaces[..m].iter().any(|(before, _)| before == space) {
                return Some((Rule::Twice, format!("`{field}.space` is listed twice")));
            }
        }
    }
    None
}

fn refuse_on_alpha(service: &Service) -> Option<(Rule, String)> {
    let Form::OneSpace { org_role, space_role, .. } = &service.form else {
        let problem = "the alpha stage has one space per key: use `CreateServiceKeyRequest::new`, or the beta stage";
        return Some((Rule::BeyondAlpha, format!("`organizations` {problem}")));
    };
    // The words of beta that alpha does not have; other words are the caller's own risk.
    let fields = [
        ("account_role", &service.account_role, &["annotator", "member-ui-only"][..], "`admin` or `member`"),
        ("org_role", org_role, &["annotator"], "`admin`, `member` or `read-only`"),
        ("space_role", space_role, &["annotator"], "`admin`, `member` or `read-only`"),
    ];
    fields.into_iter().find_map(|(field, role, beta, words)| {
        let beyond = match role {
            Some(Role::Custom(_)) => true,
            Some(Role::Word(word)) => beta.contains(&word.as_str()),
            None => false,
        };
        let message = || format!("`{field}` must be {words} on the alpha stage: use the beta stage for others");
        beyond.then(|| (Rule::BeyondAlpha, message()))
    })
}

/// The request that does what was asked; `space_ids` are those of the call's spaces.
fn last_request(call: &Call, stage: ApiStage, space_ids: &[String]) -> Request {
    let mut request = match call {
        Call::List(_) => Request::new("GET", "/v2/api-keys", None),
        Call::Create(create) => {
            let kind = if stage == ApiStage::Alpha { "user" } else { "USER" };
            Request::new("POST", "/v2/api-keys", Some(key_body(kind, create).into()))
        }
        Call::Service(service) => {
            let body = if stage == ApiStage::Alpha { flat_body } else { nested_body };
            Request::new("POST", "/v2/api-keys", Some(body(service, space_ids).into()))
        }
        Call::Refresh(refresh) => {
            let mut body = Map::new();
            put(&mut body, "expires_at", refresh.expires_at.map(|instant| instant.format(&Rfc3339).unwrap()));
            put(&mut body, "grace_period_seconds", refresh.grace_period.map(|grace| grace.as_secs()));
            Request::new("POST", "/v2/api-keys//refresh", Some(body.into()))
        }
        Call::Delete { .. } if stage == ApiStage::Alpha => Request::new("DELETE", "/v2/api-keys/", None),
        Call::Delete { .. } | Call::Revoke { .. } => Request::new("PUT", "/v2/api-keys//revoke", None),
    };
    match call {
        Call::List(list) => {
            let limit = Some(list.limit.unwrap_or(50).to_string());
            let parameters = [
                ("key_type", &list.key_type),
                ("status", &list.status),
                ("space_id", &space_ids.first().cloned()),
                ("user_id", &list.user_id),
                ("limit", &limit),
                ("cursor", &list.cursor.clone().filter(|cursor| !cursor.is_empty())),
            ];
            for (name, value) in parameters {
                if let Some(value) = value {
                    request = request.with_parameter(name, value);
                }
            }
        }
        Call::Refresh(super::call::Refresh { id, .. }) | Call::Delete { id } | Call::Revoke { id } => {
            request.path[2].clone_from(id);
        }
        Call::Create(_) | Call::Service(_) => {}
    }
    request
}

fn put(body: &mut Map<String, Value>, name: &str, value: Option<impl Into<Value>>) {
    if let Some(value) = value {
        body.insert(name.to_owned(), value.into());
    }
}

fn key_body(kind: &str, key: &Create) -> Map<String, Value> {
    let mut body = Map::new();
    put(&mut body, "key_type", Some(kind));
    put(&mut body, "name", Some(key.name.as_str()));
    put(&mut body, "description", key.description.as_deref());
    put(&mut body, "expires_at", key.expires_at.map(|instant| instant.format(&Rfc3339).unwrap()));
    body
}

fn flat_body(service: &Service, space_ids: &[String]) -> Map<String, Value> {
    let Form::OneSpace { org_role, space_role, .. } = &service.form else { panic!("refused before") };
    let mut roles = Map::new();
    for (name, role) in [("space_role", space_role), ("org_role", org_role), ("account_role", &service.account_role)] {
        if let Some(Role::Word(word)) = role {
            put(&mut roles, name, Some(word.as_str()));
        }
    }
    let mut body = key_body("service", &service.key);
    put(&mut body, "space_id", Some(space_ids[0].as_str()));
    put(&mut body, "roles", (!roles.is_empty()).then_some(roles));
    body
}

fn nested_body(service: &Service, space_ids: &[String]) -> Map<String, Value> {
    let Form::Organizations(organizations) = &service.form else { panic!("not recorded on beta") };
    let mut ids = space_ids.iter();
    let organizations: Vec<Value> = organizations
        .iter()
        .map(|organization| {
            let spaces: Vec<Value> = organization
                .spaces
                .iter()
                .map(|(_, role)| {
                    let mut space = Map::new();
                    put(&mut space, "space_id", ids.next().map(String::as_str));
                    put(&mut space, "role", role.as_ref().map(assignment));
                    space.into()
                })
                .collect();
            let mut body = Map::new();
            put(&mut body, "org_id", Some(organization.org_id.as_str()));
            put(&mut body, "role", organization.role.as_ref().map(assignment));
            put(&mut body, "spaces", Some(spaces));
            body.into()
        })
        .collect();
    let mut body = key_body("SERVICE", &service.key);
    put(&mut body, "account_role", service.account_role.as_ref().map(assignment));
    put(&mut body, "organizations", Some(organizations));
    body
}

fn assignment(role: &Role) -> Value {
    match role {
        Role::Word(word) => json!({"type": "PREDEFINED", "name": word}),
        Role::Custom(id) => json!({"type": "CUSTOM", "id": id}),
    }
}
