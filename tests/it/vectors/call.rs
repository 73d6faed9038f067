//! The meaning of a recorded call, without the words of its SDK.

use std::time::Duration;

use serde_json::{Map, Value};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::recorded::{Sdk, Vector};

#[derive(Clone, Debug)]
pub(super) enum Call {
    List(List),
    Create(Create),
    Service(Service),
    Refresh(Refresh),
    Delete { id: String },
    Revoke { id: String },
}

#[derive(Clone, Debug)]
pub(super) struct List {
    pub(super) key_type: Option<String>,
    pub(super) status: Option<String>,
    pub(super) space: Option<Space>,
    pub(super) user_id: Option<String>,
    pub(super) limit: Option<u32>,
    pub(super) cursor: Option<String>,
}

#[derive(Clone, Debug)]
pub(super) struct Create {
    pub(super) name: String,
    pub(super) description: Option<String>,
    pub(super) expires_at: Option<OffsetDateTime>,
}

#[derive(Clone, Debug)]
pub(super) struct Service {
    pub(super) key: Create,
    pub(super) account_role: Option<Role>,
    pub(super) form: Form,
}

#[derive(Clone, Debug)]
pub(super) enum Form {
    OneSpace { space: Space, org_role: Option<Role>, space_role: Option<Role> },
    Organizations(Vec<Organization>),
}

#[derive(Clone, Debug)]
pub(super) struct Organization {
    pub(super) org_id: String,
    pub(super) role: Option<Role>,
    pub(super) spaces: Vec<(Space, Option<Role>)>,
}

/// A space as the SDK's caller named it.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Space {
    /// The SDK takes ids only.
    Id(String),
    NameOrId(String),
}

#[derive(Clone, Debug)]
pub(super) enum Role {
    Word(String),
    Custom(String),
}

#[derive(Clone, Debug)]
pub(super) struct Refresh {
    pub(super) id: String,
    pub(super) expires_at: Option<OffsetDateTime>,
    pub(super) grace_period: Option<Duration>,
}

/// Why this crate's API cannot express a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Inexpressible {
    /// Spaces and organizations are looked up, not listed for the caller.
    NoSuchCall,
    /// Limits and grace periods are unsigned.
    NegativeNumber,
    /// An expiry is an instant: no date without a zone, no text.
    NoInstant,
    /// An argument is left out that the API demands.
    MissingArgument,
    /// A service key as Go 0.17 to 0.18 sent it: one space, in the words of beta.
    FlatBeta,
}

impl Call {
    /// Reads a vector. Arguments that are not known here fail the test: none may be lost.
    #[track_caller]
    pub(super) fn of(vector: &Vector) -> Result<Self, Inexpressible> {
        if matches!(vector.op.as_str(), "list_spaces" | "list_organizations" | "get_space") {
            return Err(Inexpressible::NoSuchCall);
        }
        let args = if vector.sdk == Sdk::Cli { flags(&vector.op, &vector.args) } else { vector.args.clone() };
        let mut args = Args { sdk: vector.sdk, left: args };
        let call = match vector.op.as_str() {
            "list" => Self::List(List {
                key_type: args.text("key_type"),
                status: args.text("status"),
                space: args.text("space").map(|text| args.space(text)),
                user_id: args.text("user_id"),
                limit: args.number("limit")?.map(|limit| limit.try_into().unwrap()),
                cursor: args.text("cursor"),
            }),
            "create_user_key" => Self::Create(args.key()?),
            "create_service_key" => Self::Service(Service {
                key: args.key()?,
                account_role: args.role("account_role"),
                form: match args.left.remove("orgs") {
                    Some(Value::Array(organizations)) => Form::Organizations(
                        organizations.into_iter().map(|org| args.nested(org).organization()).collect(),
                    ),
                    Some(other) => panic!("no organizations: {other}"),
                    None if args.sdk != Sdk::Go => return Err(Inexpressible::MissingArgument),
                    None if vector.stage == arize_api_keys::ApiStage::Beta => return Err(Inexpressible::FlatBeta),
                    None => Form::OneSpace {
                        space: Space::NameOrId(args.text("space").unwrap_or_default()),
                        org_role: args.role("org_role"),
                        space_role: args.role("space_role"),
                    },
                },
            }),
            "refresh" => Self::Refresh(Refresh {
                id: args.id()?,
                expires_at: args.instant()?,
                grace_period: args.number("grace_period_seconds")?.map(Duration::from_secs),
            }),
            "delete" => Self::Delete { id: args.id()? },
            "revoke" => Self::Revoke { id: args.id()? },
            other => panic!("unknown operation: {other}"),
        };
        assert!(args.left.is_empty(), "{}: arguments are left: {:?}", vector.id, args.left);
        Ok(call)
    }

    /// The spaces that are named, in order, with the organization where one is named too.
    pub(super) fn spaces(&self) -> Vec<(&Space, Option<&str>)> {
        match self {
            Self::List(list) => list.space.iter().map(|space| (space, None)).collect(),
            Self::Service(Service { form: Form::OneSpace { space, .. }, .. }) => vec![(space, None)],
            Self::Service(Service { form: Form::Organizations(organizations), .. }) => organizations
                .iter()
                .flat_map(|org| org.spaces.iter().map(|(space, _)| (space, Some(org.org_id.as_str()))))
                .collect(),
            _ => Vec::new(),
        }
    }
}

/// The arguments of a call that are not read yet.
struct Args {
    sdk: Sdk,
    left: Map<String, Value>,
}

impl Args {
    fn nested(&self, value: Value) -> Self {
        let Value::Object(left) = value else { panic!("no object: {value}") };
        Self { sdk: self.sdk, left }
    }

    /// Go cannot tell an empty string from none.
    fn text(&mut self, name: &str) -> Option<String> {
        match self.left.remove(name)? {
            Value::String(text) if text.is_empty() && self.sdk == Sdk::Go => None,
            Value::String(text) => Some(text),
            Value::Null => None,
            other => panic!("`{name}` is no text: {other}"),
        }
    }

    /// Go cannot tell zero from none.
    fn number(&mut self, name: &str) -> Result<Option<u64>, Inexpressible> {
        match self.left.remove(name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => match (value.as_u64(), self.sdk) {
                (Some(0), Sdk::Go) => Ok(None),
                (Some(number), _) => Ok(Some(number)),
                (None, _) if value.as_i64().is_some() => Err(Inexpressible::NegativeNumber),
                (None, _) => panic!("`{name}` is no whole number: {value}"),
            },
        }
    }

    /// What Go makes of no id is an empty one.
    fn id(&mut self) -> Result<String, Inexpressible> {
        match (self.left.remove("id"), self.sdk) {
            (Some(Value::String(id)), _) => Ok(id),
            (None, Sdk::Go) => Ok(String::new()),
            (None, _) => Err(Inexpressible::MissingArgument),
            (Some(other), _) => panic!("no id: {other}"),
        }
    }

    fn key(&mut self) -> Result<Create, Inexpressible> {
        let name = match self.left.remove("name") {
            Some(Value::String(name)) => name,
            None if self.sdk == Sdk::Go => String::new(),
            None => return Err(Inexpressible::MissingArgument),
            Some(other) => panic!("no name: {other}"),
        };
        Ok(Create { name, description: self.text("description"), expires_at: self.instant()? })
    }

    /// The command line takes a date without a zone for UTC, and a date alone for its midnight.
    fn instant(&mut self) -> Result<Option<OffsetDateTime>, Inexpressible> {
        let Some(text) = self.text("expires_at") else { return Ok(None) };
        let parse = |text: &str| OffsetDateTime::parse(text, &Rfc3339).ok();
        match (parse(&text), self.sdk) {
            (Some(instant), _) => Ok(Some(instant)),
            (None, Sdk::Go) if text == "zero" => Ok(None),
            (None, Sdk::Cli) => parse(&format!("{text}Z"))
                .or_else(|| parse(&format!("{text}T00:00:00Z")))
                .map_or(Err(Inexpressible::NoInstant), |instant| Ok(Some(instant))),
            (None, _) => Err(Inexpressible::NoInstant),
        }
    }

    fn space(&self, text: String) -> Space {
        if self.sdk == Sdk::JavaScript { Space::Id(text) } else { Space::NameOrId(text) }
    }

    /// A word, `custom_<name>` beside it, or the assignment as the command line takes it.
    fn role(&mut self, name: &str) -> Option<Role> {
        let custom = if name == "role" { "custom_role".to_owned() } else { format!("custom_{name}") };
        match (self.left.remove(name), self.text(&custom)) {
            (Some(Value::String(word)), None) if word.is_empty() && self.sdk == Sdk::Go => None,
            (Some(Value::String(word)), None) => Some(Role::Word(word)),
            (Some(Value::Object(role)), None) => Some(match role["type"].as_str().unwrap() {
                "CUSTOM" => Role::Custom(role["id"].as_str().unwrap().to_owned()),
                "PREDEFINED" => Role::Word(role["name"].as_str().unwrap().to_owned()),
                other => panic!("unknown role type: {other}"),
            }),
            (None, Some(id)) => Some(Role::Custom(id)),
            (None | Some(Value::Null), None) => None,
            (role, custom) => panic!("no role: {role:?}, {custom:?}"),
        }
    }

    fn organization(mut self) -> Organization {
        let spaces = match self.left.remove("spaces") {
            Some(Value::Array(spaces)) => spaces,
            Some(other) if !other.is_null() => panic!("no spaces: {other}"),
            _ => Vec::new(),
        };
        let organization = Organization {
            org_id: self.left.remove("org_id").map(|id| id.as_str().unwrap().to_owned()).unwrap_or_default(),
            role: self.role("role"),
            spaces: spaces
                .into_iter()
                .map(|space| {
                    let mut args = self.nested(space);
                    let text = args.left.remove("space").map(|id| id.as_str().unwrap().to_owned());
                    let bound = (args.space(text.unwrap_or_default()), args.role("role"));
                    assert!(args.left.is_empty(), "arguments of a space are left: {:?}", args.left);
                    bound
                })
                .collect(),
        };
        assert!(self.left.is_empty(), "arguments of an organization are left: {:?}", self.left);
        organization
    }
}

/// The arguments in a command line.
fn flags(op: &str, args: &Map<String, Value>) -> Map<String, Value> {
    let argv: Vec<&str> = args["argv"].as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect();
    let mut words = argv.iter().skip(1);
    let mut read = Map::new();
    while let Some(word) = words.next() {
        if !word.starts_with('-') {
            assert!(read.insert("id".to_owned(), (*word).into()).is_none(), "two ids: {argv:?}");
            continue;
        }
        let mut value = || *words.next().unwrap_or_else(|| panic!("no value for {word}"));
        let (name, value) = match *word {
            // Where the response goes, and how verbose it is.
            "-o" | "--output" | "--env-file" | "--profile" | "-p" => {
                value();
                continue;
            }
            "-v" | "--verbose" | "--force" | "-f" => continue,
            "--assignments" => ("orgs", serde_json::from_str(value()).unwrap()),
            "--limit" | "-l" => ("limit", value().parse::<i64>().unwrap().into()),
            "--grace-period-seconds" => ("grace_period_seconds", value().parse::<i64>().unwrap().into()),
            "--name" => ("name", value().into()),
            "--description" => ("description", value().into()),
            "--expires-at" => ("expires_at", value().into()),
            "--account-role" => ("account_role", value().into()),
            "--key-type" => ("key_type", value().into()),
            "--status" => ("status", value().into()),
            "--cursor" => ("cursor", value().into()),
            other => panic!("unknown flag: {other}"),
        };
        read.insert(name.to_owned(), value);
    }
    if op == "list" {
        // Its own default.
        read.entry("limit").or_insert_with(|| 15.into());
    }
    read
}
