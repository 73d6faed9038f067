//! Spaces and organizations.

use serde::Serialize;
use serde::de::MapAccess;
use time::OffsetDateTime;

use crate::json::{ReadMembers, read_scalar, read_text};

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
    fn read<'de, A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<bool, A::Error> {
        match name {
            "id" => self.id = read_text(map)?,
            "name" => self.name = read_text(map)?,
            "organization_id" => {
                self.organization_id = read_scalar(map)?.filter(|id: &String| !id.is_empty());
            }
            "description" => self.description = read_scalar(map)?,
            "created_at" => self.created_at = read_scalar(map)?,
            _ => return Ok(false),
        }
        Ok(true)
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
    fn read<'de, A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<bool, A::Error> {
        match name {
            "id" => self.id = read_text(map)?,
            "name" => self.name = read_text(map)?,
            "description" => self.description = read_scalar(map)?,
            "created_at" => self.created_at = read_scalar(map)?,
            _ => return Ok(false),
        }
        Ok(true)
    }
}
