//! Role assignments.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

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

/// As the API writes it: `{"type": "predefined", "name": …}` or `{"type": "custom", "id": …}`, words in lower case.
impl<R: Serialize> Serialize for RoleAssignment<R> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        match self {
            Self::Predefined(role) => {
                map.serialize_entry("type", "predefined")?;
                map.serialize_entry("name", role)?;
            }
            Self::Custom { id, name } => {
                map.serialize_entry("type", "custom")?;
                map.serialize_entry("id", id)?;
                map.serialize_entry("name", name)?;
            }
            Self::Unknown(kind) => map.serialize_entry("type", kind)?,
        }
        map.end()
    }
}
