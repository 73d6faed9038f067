//! What a service key is bound to.

use std::path::PathBuf;

use arize_api_keys::{AccountRole, OrgRole, RoleAssignment, SpaceRole};
use clap::{ArgGroup, Args};

use crate::bindings::{self, Grant};

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

#[derive(Args, Debug)]
#[command(next_help_heading = "What a service key may do")]
pub(crate) struct Binding {
    /// The one space, by name or id
    #[arg(long, value_name = "NAME|ID")]
    pub(crate) space: Option<String>,
    /// A space, and the role there; may be repeated
    #[arg(long, value_name = "ORG_ID/SPACE[=ROLE]", value_parser = Grant::parse)]
    pub(crate) grant: Vec<Grant>,
    /// A JSON file of organizations, spaces and roles; `-` for stdin
    #[arg(long, value_name = "FILE", long_help = assignments_help())]
    pub(crate) assignments: Option<PathBuf>,
    /// The organization of --space: saves looking it up
    #[arg(long, value_name = "ORG_ID", requires = "space")]
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

fn assignments_help() -> String {
    let indented = bindings::ASSIGNMENTS.replace('\n', "\n  ");
    format!("A JSON file of organizations, spaces and roles; `-` for stdin:\n\n  {indented}\n\nRoles may be left out.")
}
