//! Reading keys, member by member: what cannot be used is noted.

use serde::de::MapAccess;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::enums::eq_wire;
use super::{ApiKey, BotUser, BotUserOrganization, BotUserSpace, FieldWarning, RoleAssignment};
use crate::json::{ArrayInto, Container, Field, ObjectInto, ReadMembers, Scalar, ScalarSeed, read_scalar, read_text};
use crate::redact::sanitize;

/// Notes members that cannot be used.
struct Notes<'a>(&'a mut Vec<FieldWarning>);

impl Notes<'_> {
    #[inline]
    fn read<'de, T: Scalar, A: MapAccess<'de>>(
        &mut self,
        field: &'static str,
        map: &mut A,
    ) -> Result<Option<T>, A::Error> {
        Ok(match map.next_value_seed(ScalarSeed::new())? {
            Field::Value(value) => Some(value),
            Field::Null => None,
            Field::Odd(found) => {
                self.note(field, &found);
                None
            }
        })
    }

    #[cold]
    fn note(&mut self, field: &'static str, found: &str) {
        // A secret in the wrong place is a secret still.
        self.0.push(FieldWarning { field, found: sanitize(found, "") });
    }
}

impl ReadMembers for ApiKey {
    #[inline]
    fn read<'de, A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<bool, A::Error> {
        let mut notes = Notes(&mut self.warnings);
        match name {
            "id" => self.id = notes.read("id", map)?.unwrap_or_default(),
            "name" => self.name = notes.read("name", map)?.unwrap_or_default(),
            "description" => self.description = notes.read("description", map)?,
            "key_type" => self.key_type = notes.read("key_type", map)?.unwrap_or_default(),
            "status" => self.status = notes.read("status", map)?.unwrap_or_default(),
            "redacted_key" => self.redacted_key = notes.read("redacted_key", map)?.unwrap_or_default(),
            "created_at" => self.created_at = notes.read("created_at", map)?,
            "expires_at" => self.expires_at = notes.read("expires_at", map)?,
            "created_by_user_id" => {
                self.created_by_user_id = notes.read("created_by_user_id", map)?.unwrap_or_default();
            }
            "last_used_at" => self.last_used_at = notes.read("last_used_at", map)?,
            "bot_user" => self.bot_user = read_object(map)?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn not_an_object(&mut self, found: &str) {
        self.warnings.push(FieldWarning { field: "api_keys", found: found.to_owned() });
    }
}

impl ReadMembers for BotUser {
    fn read<'de, A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<bool, A::Error> {
        match name {
            "id" => self.id = read_text(map)?,
            "name" => self.name = read_text(map)?,
            "account_role" => self.account_role = read_role(map)?,
            "organizations" => {
                map.next_value_seed(ArrayInto(&mut self.organizations))?;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }
}

impl ReadMembers for BotUserOrganization {
    fn read<'de, A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<bool, A::Error> {
        match name {
            "org_id" => self.org_id = read_text(map)?,
            "role" => self.role = read_role(map)?,
            "spaces" => {
                map.next_value_seed(ArrayInto(&mut self.spaces))?;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }
}

impl ReadMembers for BotUserSpace {
    fn read<'de, A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<bool, A::Error> {
        match name {
            "space_id" => self.space_id = read_text(map)?,
            "role" => self.role = read_role(map)?,
            _ => return Ok(false),
        }
        Ok(true)
    }
}

/// The members of a role assignment, before it is known which kind it is.
#[derive(Default)]
struct RoleMembers {
    kind: String,
    name: Option<String>,
    id: Option<String>,
}

impl ReadMembers for RoleMembers {
    fn read<'de, A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<bool, A::Error> {
        match name {
            "type" => self.kind = read_text(map)?,
            "name" => self.name = read_scalar(map)?,
            "id" => self.id = read_scalar(map)?,
            _ => return Ok(false),
        }
        Ok(true)
    }
}

fn read_role<'de, R: Scalar, A: MapAccess<'de>>(map: &mut A) -> Result<Option<RoleAssignment<R>>, A::Error> {
    let Some(role) = read_object::<RoleMembers, A>(map)? else { return Ok(None) };
    Ok(Some(if eq_wire(&role.kind, "predefined") {
        match role.name.as_deref().and_then(R::from_text) {
            Some(name) => RoleAssignment::Predefined(name),
            None => RoleAssignment::Unknown(role.kind),
        }
    } else if eq_wire(&role.kind, "custom") {
        RoleAssignment::Custom { id: role.id.unwrap_or_default(), name: role.name }
    } else {
        RoleAssignment::Unknown(role.kind)
    }))
}

fn read_object<'de, T: ReadMembers + Default, A: MapAccess<'de>>(map: &mut A) -> Result<Option<T>, A::Error> {
    let mut object = T::default();
    Ok((map.next_value_seed(ObjectInto(&mut object))? == Container::Wanted).then_some(object))
}

impl Scalar for OffsetDateTime {
    /// RFC 3339, and what servers have been seen to make of it: lower-case letters, a blank for the `T`, no zone (UTC), a
    /// date alone (midnight, UTC).
    fn from_text(text: &str) -> Option<Self> {
        Self::parse(text, &Rfc3339).ok().or_else(|| {
            let text = text.trim().to_ascii_uppercase().replacen(' ', "T", 1);
            let text = if text.contains('T') { text } else { format!("{text}T00:00:00") };
            Self::parse(&text, &Rfc3339).or_else(|_| Self::parse(&format!("{text}Z"), &Rfc3339)).ok()
        })
    }
}
