//! Role assignments.

use super::enums::{AccountRole, OrgRole, SpaceRole};

/// A role of a bot user: a predefined one, or a custom role of the account.
///
/// ```
/// use arize_api_keys::{RoleAssignment, SpaceBinding, SpaceRole};
///
/// let reader = SpaceBinding::new("prod").role(SpaceRole::ReadOnly);
/// let special = SpaceBinding::new("prod").role(RoleAssignment::custom("Um9sZToxMTp6enp6"));
/// # assert_ne!(reader, special);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RoleAssignment<R> {
    /// A predefined role.
    Predefined(R),
    /// A custom role.
    #[non_exhaustive]
    Custom {
        /// Its id.
        id: String,
        /// Its name, in responses.
        name: Option<String>,
    },
    /// An assignment of a type that this version does not know: the value of the member `type`.
    Unknown(String),
}

impl<R> RoleAssignment<R> {
    /// A custom role, by its id. Today the service accepts custom roles in spaces only.
    pub fn custom(id: impl Into<String>) -> Self {
        Self::Custom { id: id.into(), name: None }
    }
}

impl From<SpaceRole> for RoleAssignment<SpaceRole> {
    fn from(role: SpaceRole) -> Self {
        Self::Predefined(role)
    }
}

impl From<OrgRole> for RoleAssignment<OrgRole> {
    fn from(role: OrgRole) -> Self {
        Self::Predefined(role)
    }
}

impl From<AccountRole> for RoleAssignment<AccountRole> {
    fn from(role: AccountRole) -> Self {
        Self::Predefined(role)
    }
}
