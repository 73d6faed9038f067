//! The arguments of `create-service-key`, and the bindings of a service key.

use std::path::PathBuf;

use arize_api_keys::{AccountRole, OrgRole, RoleAssignment, SpaceRole};
use clap::{ArgGroup, Args};

use super::{NewKeyArgs, SecretTo, values};
use crate::bindings::{self, Grant};

/// Create a service key: a key of a bot user, with separate roles
///
/// It is bound to one --space, whose organization the program looks up; to the spaces of --grant; or to those of a file of
/// --assignments. The secret is printed or stored as in `create`.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  arize-keys create-service-key ci-bot --space prod --space-role read-only --env-file .env
  arize-keys create-service-key etl --grant acme/prod --grant acme/dev=admin --out etl.key
  arize-keys create-service-key etl --assignments etl.json")]
pub(crate) struct CreateServiceKey {
    /// The name of the key and of its bot user; several keys may have the same name
    #[arg(value_parser = values::text())]
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) key: NewKeyArgs,
    #[command(flatten)]
    pub(crate) service: ServiceKey,
    #[command(flatten)]
    pub(crate) secret: SecretTo,
}

/// The bindings of a service key: exactly one of three forms.
#[derive(Args, Debug)]
#[command(group = ArgGroup::new("bound").args(["space", "grant", "assignments"]).required(true))]
pub(crate) struct ServiceKey {
    #[command(flatten)]
    pub(crate) binding: Binding,
}

/// The same where it may be missing: then the key is a user key.
#[derive(Args, Debug)]
#[command(group = ArgGroup::new("bound").args(["space", "grant", "assignments"]))]
pub(crate) struct RotateService {
    #[command(flatten)]
    pub(crate) binding: Binding,
}

#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Permissions of a service key")]
pub(crate) struct Binding {
    /// The one space, by name or id
    #[arg(long, value_name = "NAME|ID", value_parser = values::text())]
    pub(crate) space: Option<String>,
    /// An organization and a space of it, each by name or id, and the role there; may be repeated
    #[arg(long, value_name = "ORG/SPACE[=ROLE]", value_parser = Grant::parse)]
    pub(crate) grant: Vec<Grant>,
    /// A JSON file of organizations, spaces and roles; `-` for stdin
    #[arg(long, value_name = "FILE", value_parser = values::path(), long_help = assignments_help())]
    pub(crate) assignments: Option<PathBuf>,
    /// The organization of --space: saves looking it up
    #[arg(long, value_name = "ORG_ID", requires = "space", conflicts_with_all = ["grant", "assignments"], value_parser = values::id())]
    pub(crate) org: Option<String>,
    /// The role in the space or in those of --grant without one: `admin`, `member`, `read-only`, `custom:ROLE_ID`
    /// [default: member, the service's]
    #[arg(long, value_name = "ROLE", value_parser = bindings::space_role, conflicts_with = "assignments", requires = "bound")]
    pub(crate) space_role: Option<RoleAssignment<SpaceRole>>,
    /// The role in the organization: `admin`, `member`, `read-only` [default: read-only, the service's]
    #[arg(long, value_name = "ROLE", value_parser = bindings::org_role, conflicts_with = "assignments", requires = "bound")]
    pub(crate) org_role: Option<OrgRole>,
    /// The role in the account: `admin`, `member` [default: member, the service's]
    #[arg(long, value_name = "ROLE", value_parser = bindings::account_role, requires = "bound")]
    pub(crate) account_role: Option<AccountRole>,
}

impl Binding {
    /// Whether any option names a space for a service key.
    pub(crate) fn is_given(&self) -> bool {
        self.space.is_some() || !self.grant.is_empty() || self.assignments.is_some()
    }

    pub(super) fn ignores_space_role(&self) -> bool {
        self.space_role.is_some() && !self.grant.is_empty() && self.grant.iter().all(Grant::has_role)
    }
}

fn assignments_help() -> String {
    let indented = bindings::ASSIGNMENTS.replace('\n', "\n  ");
    format!("A JSON file of organizations, spaces and roles; `-` for stdin:\n\n  {indented}\n\nRoles may be left out.")
}
