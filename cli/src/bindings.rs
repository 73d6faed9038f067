//! The bindings of a service key: one space, `--grant`s, or a file of assignments.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use arize_api_keys::{
    AccountRole, ApiKeysClient, CreateServiceKeyRequest, ListOrganizationsRequest, OrgBinding, OrgRole, RoleAssignment,
    SpaceBinding, SpaceRef, SpaceRole,
};
use serde::Deserialize;

use crate::args::{Binding, is_blank};
use crate::console::Console;
use crate::failure::{Code, Effect, Failure, NOTHING_CREATED, printable};
use crate::{connect, input};

/// The documented form of the file, in the help of `--assignments` and docs/command-line.md.
pub(crate) const ASSIGNMENTS: &str = r#"{
  "account_role": "member",
  "organizations": [
    {"org_id": "T3Jn…", "role": "read-only", "spaces": [
      {"space": "prod", "role": "member"},
      {"space": "staging", "role": "custom:Um9sZ…"}
    ]}
  ]
}"#;

/// More than the bindings to a hundred organizations take, in bytes.
const FILE_LIMIT: u64 = 4 * 1024 * 1024;

/// One `--grant`: `ORG/SPACE[=ROLE]`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Grant {
    /// The id of the organization, or its name until [`resolve`] has looked it up.
    org: String,
    space: String,
    role: Option<RoleAssignment<SpaceRole>>,
}

impl Grant {
    /// An id of an organization has no slash, so the first one ends it: a name with a slash cannot be written. The role comes after the last `=`; after
    /// the padding of an id, that is nothing.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let (org, rest) = text.split_once('/').ok_or("it is ORG/SPACE or ORG/SPACE=ROLE")?;
        let (space, role) = match rest.split_once("=custom:") {
            Some((space, id)) => (space, Some(RoleAssignment::custom(id))),
            None => match rest.rsplit_once('=') {
                Some((space, role)) if !role.is_empty() => (space, Some(space_role(role)?)),
                _ => (rest, None),
            },
        };
        if is_blank(org) || is_blank(space) {
            return Err("neither the organization nor the space may be empty".to_owned());
        }
        Ok(Self { org: org.to_owned(), space: space.to_owned(), role })
    }

    pub(crate) fn has_role(&self) -> bool {
        self.role.is_some()
    }
}

pub(crate) fn space_role(text: &str) -> Result<RoleAssignment<SpaceRole>, String> {
    match text.strip_prefix("custom:") {
        Some("") => Err("the id of the custom role is missing".to_owned()),
        Some(id) => Ok(RoleAssignment::custom(id)),
        None => match SpaceRole::from(text) {
            SpaceRole::Unknown(_) => {
                Err("a role in a space is `admin`, `member`, `read-only` or `custom:ROLE_ID`".into())
            }
            role => Ok(role.into()),
        },
    }
}

pub(crate) fn org_role(text: &str) -> Result<OrgRole, String> {
    match OrgRole::from(text) {
        OrgRole::Unknown(_) => Err("a role in an organization is `admin`, `member` or `read-only`".to_owned()),
        role => Ok(role),
    }
}

pub(crate) fn account_role(text: &str) -> Result<AccountRole, String> {
    match AccountRole::from(text) {
        AccountRole::Unknown(_) => Err("a role in the account is `admin` or `member`".to_owned()),
        role => Ok(role),
    }
}

/// The request that the arguments ask for, without description and expiry.
pub(crate) fn request(name: &str, args: &Binding, console: &Console) -> Result<CreateServiceKeyRequest, Failure> {
    let mut request;
    if let Some(space) = &args.space {
        request = CreateServiceKeyRequest::new(name, space.as_str());
        if let Some(role) = &args.space_role {
            request = request.space_role(role.clone());
        }
        if let Some(role) = &args.org_role {
            request = request.org_role(role.clone());
        }
        if let Some(org_id) = &args.org {
            request = request.org_id(org_id);
        }
    } else if let Some(path) = &args.assignments {
        let file = File::read(path, console)?;
        request = CreateServiceKeyRequest::for_organizations(name, file.organizations(path)?);
        if let Some(role) = file.account_role {
            let role = account_role(&role.word()).map_err(|problem| wrong(path, "account_role", &problem))?;
            request = request.account_role(role);
        }
    } else {
        request = CreateServiceKeyRequest::for_organizations(name, organizations(args));
    }
    if let Some(role) = &args.account_role {
        request = request.account_role(role.clone());
    }
    Ok(request)
}

/// The next step where a key is not among those that these arguments name.
pub(crate) fn find_hint(id: &str, args: &Binding) -> String {
    let shown = format!("`arize-keys get {}` shows", printable(id));
    if args.is_given() {
        format!("{shown} its type and its spaces; a user key takes no --space, --grant or --assignments")
    } else {
        format!("a service key needs --space NAME, or --grant ORG/SPACE: {shown} its spaces")
    }
}

/// The same bindings with the ids of the organizations that `--grant` names. `None` if it names none.
pub(crate) fn resolve(args: &Binding, client: &ApiKeysClient, console: &Console) -> Result<Option<Binding>, Failure> {
    // The ids of organizations have the form of all ids.
    let is_name = |org: &str| SpaceRef::from(org) == SpaceRef::name(org);
    if !args.grant.iter().any(|grant| is_name(&grant.org)) {
        return Ok(None);
    }
    let client = connect::for_walk(client, console);
    let mut ids: HashMap<String, String> = HashMap::new();
    let mut resolved = args.clone();
    for grant in resolved.grant.iter_mut().filter(|grant| is_name(&grant.org)) {
        let id = match ids.get(&grant.org) {
            Some(id) => id.clone(),
            None => organization_id(&grant.org, &client).map_err(|failure| failure.state(NOTHING_CREATED))?,
        };
        ids.insert(std::mem::replace(&mut grant.org, id.clone()), id);
    }
    Ok(Some(resolved))
}

fn organization_id(name: &str, client: &ApiKeysClient) -> Result<String, Failure> {
    // If the list changes between two pages, an organization can be on both.
    let mut ids = BTreeSet::new();
    for organization in client.list_organizations(&ListOrganizationsRequest::new().name(name)) {
        let organization = organization.map_err(|error| Failure::sdk(&error, Effect::Read))?;
        if organization.name == name && !organization.id.is_empty() {
            ids.insert(organization.id);
        }
    }
    let name = printable(name);
    if ids.len() > 1 {
        let found: Vec<String> = ids.iter().map(printable).collect();
        let message = format!("--grant: {} organizations are named `{name}`: {}", found.len(), found.join(", "));
        return Err(Failure::new(Code::NotFound, message).hint("pass the id of one of them"));
    }
    ids.pop_first().ok_or_else(|| {
        let message = format!("--grant: your key can see no organization named `{name}`");
        Failure::new(Code::NotFound, message).hint("`arize-keys organizations` lists them")
    })
}

/// The grants, gathered by organization in the order in which they were given.
fn organizations(args: &Binding) -> Vec<OrgBinding> {
    let mut seen: Vec<&str> = Vec::new();
    let mut bindings = Vec::new();
    for grant in &args.grant {
        if seen.contains(&grant.org.as_str()) {
            continue;
        }
        seen.push(&grant.org);
        let spaces = args.grant.iter().filter(|other| other.org == grant.org).map(|grant| {
            let binding = SpaceBinding::new(grant.space.as_str());
            match grant.role.clone().or_else(|| args.space_role.clone()) {
                Some(role) => binding.role(role),
                None => binding,
            }
        });
        let binding = OrgBinding::new(&grant.org).spaces(spaces);
        bindings.push(match &args.org_role {
            Some(role) => binding.role(role.clone()),
            None => binding,
        });
    }
    bindings
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    account_role: Option<Role>,
    organizations: Vec<Organization>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Organization {
    org_id: String,
    role: Option<Role>,
    spaces: Vec<Space>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Space {
    #[serde(alias = "space_id")]
    space: String,
    role: Option<Role>,
}

/// A role as `--grant` writes it, or as the API does: then the `organizations` of a request or a response can be pasted.
#[derive(Deserialize)]
#[serde(untagged, expecting = "a role is a text like \"member\", or an object with `type` and `name` or `id`")]
enum Role {
    Word(String),
    Object {
        #[serde(rename = "type")]
        kind: String,
        name: Option<String>,
        id: Option<String>,
    },
}

impl Role {
    fn word(&self) -> String {
        match self {
            Self::Word(word) => word.clone(),
            Self::Object { kind, id, .. } if kind.eq_ignore_ascii_case("custom") => {
                format!("custom:{}", id.as_deref().unwrap_or_default())
            }
            Self::Object { name, .. } => name.clone().unwrap_or_default(),
        }
    }
}

impl File {
    fn read(path: &Path, console: &Console) -> Result<Self, Failure> {
        let text = input::read_text(path, FILE_LIMIT, console).map_err(|error| Failure::input("read", path, &error))?;
        let mut json = serde_json::Deserializer::from_str(&text);
        let read = serde_path_to_error::deserialize(&mut json).map_err(|error| {
            let (member, cause) = (error.path().to_string(), error.into_inner());
            let text = cause.to_string();
            if !cause.is_data() {
                return text;
            }
            let missing = text.strip_prefix("missing field `").and_then(|rest| rest.split('`').next());
            let what = match missing {
                Some(name) if member == "." => format!("missing member `{name}`"),
                Some(name) => format!("missing member `{member}.{name}`"),
                None if text.starts_with("unknown field") => format!("unknown member `{member}`"),
                // The parser quotes a value of the wrong type, which may be a secret.
                None => format!("`{member}`"),
            };
            format!("{what} at line {}", cause.line())
        });
        let whole = read.and_then(|file| json.end().map(|()| file).map_err(|error| error.to_string()));
        whole.map_err(|problem| {
            let message = format!("`{}` is not a file of assignments: {problem}", path.display());
            Failure::new(Code::Usage, message).hint(format!("it looks like this:\n{ASSIGNMENTS}"))
        })
    }

    fn organizations(&self, path: &Path) -> Result<Vec<OrgBinding>, Failure> {
        let mut bindings = Vec::new();
        for (n, organization) in self.organizations.iter().enumerate() {
            let mut binding = OrgBinding::new(&organization.org_id);
            if let Some(role) = &organization.role {
                let field = format!("organizations[{n}].role");
                binding = binding.role(org_role(&role.word()).map_err(|problem| wrong(path, &field, &problem))?);
            }
            for (m, space) in organization.spaces.iter().enumerate() {
                let mut inner = SpaceBinding::new(space.space.as_str());
                if let Some(role) = &space.role {
                    let field = format!("organizations[{n}].spaces[{m}].role");
                    inner = inner.role(space_role(&role.word()).map_err(|problem| wrong(path, &field, &problem))?);
                }
                binding = binding.space(inner);
            }
            bindings.push(binding);
        }
        Ok(bindings)
    }
}

fn wrong(path: &Path, field: &str, problem: &str) -> Failure {
    Failure::new(Code::Usage, format!("`{}`: `{field}`: {problem}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grants() {
        let grant = |org: &str, space: &str, role| Grant { org: org.into(), space: space.into(), role };
        let admin = Some(RoleAssignment::from(SpaceRole::Admin));
        for (text, expected) in [
            ("T3Jn/prod", grant("T3Jn", "prod", None)),
            ("acme/prod=admin", grant("acme", "prod", admin.clone())),
            ("T3Jn/prod=READ_ONLY", grant("T3Jn", "prod", Some(SpaceRole::ReadOnly.into()))),
            ("T3Jn==/U3Bh==", grant("T3Jn==", "U3Bh==", None)),
            ("T3Jn==/U3Bh===admin", grant("T3Jn==", "U3Bh==", admin.clone())),
            ("T3Jn/a/b=c=admin", grant("T3Jn", "a/b=c", admin)),
            ("T3Jn/prod=custom:Um9s==", grant("T3Jn", "prod", Some(RoleAssignment::custom("Um9s==")))),
        ] {
            assert_eq!(Grant::parse(text).unwrap(), expected, "{text}");
        }
        for wrong in ["prod", "/prod", "T3Jn/", "T3Jn/=admin", " /prod", "T3Jn/prod=boss"] {
            assert!(Grant::parse(wrong).is_err(), "{wrong}");
        }
    }
}
