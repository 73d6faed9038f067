//! Spaces and organizations.

use serde::Serialize;
use time::OffsetDateTime;

use crate::json::{ReadMembers, Slot};

/// A space.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[non_exhaustive]
pub struct Space {
    /// The id. Empty if the response has none.
    pub id: String,
    /// The name.
    pub name: String,
    /// The id of its organization. Older servers do not send it.
    pub organization_id: Option<String>,
    /// The description.
    pub description: Option<String>,
    /// The time of creation.
    #[serde(with = "time::serde::rfc3339::option")]
    pub created_at: Option<OffsetDateTime>,
}

impl ReadMembers for Space {
    fn member(&mut self, name: &str) -> Option<&mut dyn Slot> {
        Some(match name {
            "id" => &mut self.id,
            "name" => &mut self.name,
            "organization_id" => &mut self.organization_id,
            "description" => &mut self.description,
            "created_at" => &mut self.created_at,
            _ => return None,
        })
    }

    fn end(&mut self) {
        self.organization_id.take_if(|id| id.is_empty());
    }
}

/// An organization.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[non_exhaustive]
pub struct Organization {
    /// The id. Empty if the response has none.
    pub id: String,
    /// The name.
    pub name: String,
    /// The description.
    pub description: Option<String>,
    /// The time of creation.
    #[serde(with = "time::serde::rfc3339::option")]
    pub created_at: Option<OffsetDateTime>,
}

impl ReadMembers for Organization {
    fn member(&mut self, name: &str) -> Option<&mut dyn Slot> {
        Some(match name {
            "id" => &mut self.id,
            "name" => &mut self.name,
            "description" => &mut self.description,
            "created_at" => &mut self.created_at,
            _ => return None,
        })
    }
}
