//! Spaces and organizations.

use time::OffsetDateTime;

use crate::json::{ReadMembers, Slot};
use crate::serialize::{Rfc3339Time, serialize_members};

/// A space.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
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
    pub created_at: Option<OffsetDateTime>,
}

serialize_members!(Space { id, name, organization_id, description, created_at as Rfc3339Time });

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
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Organization {
    /// The id. Empty if the response has none.
    pub id: String,
    /// The name.
    pub name: String,
    /// The description.
    pub description: Option<String>,
    /// The time of creation.
    pub created_at: Option<OffsetDateTime>,
}

serialize_members!(Organization { id, name, description, created_at as Rfc3339Time });

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
