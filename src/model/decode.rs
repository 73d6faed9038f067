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
    /// RFC 3339, and the variants that mean one moment only: lower-case letters, a blank for the `T`, an offset as `+0100` or `+01`,
    /// no offset (UTC), a date alone (midnight UTC), and Unix time.
    fn from_text(text: &str) -> Option<Self> {
        Self::parse(text, &Rfc3339).ok().or_else(|| time_in_another_form(text.trim()))
    }

    fn from_number(number: &str) -> Option<Self> {
        unix_time(number)
    }

    fn from_float(number: &str) -> Option<Self> {
        unix_time(number)
    }
}

#[cold]
fn time_in_another_form(text: &str) -> Option<OffsetDateTime> {
    if let Some(time) = unix_time(text) {
        return Some(time);
    }
    let text = text.to_ascii_uppercase().replacen(' ', "T", 1);
    let Some((date, time)) = text.split_once('T') else {
        return OffsetDateTime::parse(&format!("{text}T00:00:00Z"), &Rfc3339).ok();
    };
    let (clock, offset) = time.find(['Z', '+', '-']).map_or((time, "Z"), |at| time.split_at(at));
    let offset = match (offset.len(), offset.split_at_checked(3)) {
        (3, _) => format!("{offset}:00"),
        (5, Some((hours, minutes))) => format!("{hours}:{minutes}"),
        _ => offset.to_owned(),
    };
    OffsetDateTime::parse(&format!("{date}T{}{offset}", clock.trim_end()), &Rfc3339).ok()
}

/// Seconds or milliseconds since 1970, perhaps with a fraction. Their number of digits tells them apart from 2001 to 2286; other numbers
/// could be anything.
fn unix_time(number: &str) -> Option<OffsetDateTime> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let nanos_per_unit = match whole.len() {
        10 => 1_000_000_000,
        13 => 1_000_000,
        _ => return None,
    };
    if whole.starts_with('0') || !whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    // A nanosecond has nine digits of a second.
    let fraction: i128 = format!("{fraction:0<9.9}").parse().ok()?;
    let nanos = whole.parse::<i128>().ok()? * nanos_per_unit + fraction * nanos_per_unit / 1_000_000_000;
    OffsetDateTime::from_unix_timestamp_nanos(nanos).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unix_time_in_numbers() {
        for (json, millis) in [
            ("1798804800", Some(1_798_804_800_000)),
            ("1798804800000", Some(1_798_804_800_000)),
            ("1798804800123", Some(1_798_804_800_123)),
            ("1798804800.25", Some(1_798_804_800_250)),
            ("1798804800.0", Some(1_798_804_800_000)),
            ("1.7988048e9", Some(1_798_804_800_000)),
            ("1000000000", Some(1_000_000_000_000)),
            ("9999999999", Some(9_999_999_999_000)),
            ("1", None),
            ("0", None),
            ("-1798804800", None),
            ("1798804800000000", None),
            ("1e300", None),
        ] {
            for json in [json.to_owned(), format!("\"{json}\"")] {
                if json.contains('"') && json.contains('e') {
                    continue;
                }
                let mut key = ApiKey::default();
                let body = format!("{{\"expires_at\":{json},\"name\":\"n\"}}");
                crate::json::read_available_members(body.as_bytes(), &mut key);
                let found = key.expires_at.map(|time| time.unix_timestamp_nanos() / 1_000_000);
                assert_eq!(found, millis, "{json}");
                // A text that is not read becomes a warning.
                assert_eq!(key.warnings.is_empty(), millis.is_some(), "{json}: {:?}", key.warnings);
                assert!(key.warnings.iter().all(|warning| warning.field == "expires_at"));
            }
        }
    }

    #[test]
    fn times_that_mean_one_moment() {
        for text in [
            "2027-01-01T12:00:00Z",
            "2027-01-01t12:00:00z",
            "2027-01-01 12:00:00Z",
            "2027-01-01T12:00:00",
            " 2027-01-01 12:00:00 ",
            "2027-01-01T12:00:00+00:00",
            "2027-01-01T12:00:00+0000",
            "2027-01-01T13:00:00+0100",
            "2027-01-01T07:00:00-0500",
            "2027-01-01T13:00:00+01",
            "2027-01-01 13:30:00 +0130",
            "2027-01-01T12:00:00.000+0000",
            "1798804800",
            " 1798804800 ",
            "1798804800000",
            "1798804800.75",
            "1798804800123.5",
        ] {
            let time = OffsetDateTime::from_text(text).map(OffsetDateTime::unix_timestamp);
            assert_eq!(time, Some(1_798_804_800), "{text}");
        }
        let date = OffsetDateTime::from_text("2027-01-01").unwrap();
        assert_eq!(date.unix_timestamp(), 1_798_761_600);
        for text in [
            "",
            "soon",
            "never",
            "2027",
            "01/02/2027",
            "2027-01-01T",
            "2027-01-01T12:00:00+1",
            "12:00",
            "20270101",
            "1",
            "0",
            "0000000000",
            "-1798804800",
            "+1798804800",
            "179880480",
            "17988048000",
            "179880480000",
            "1798804800000000",
            "1798804800,5",
            "1798804800.5.",
            "1798804800.x",
            "1.7988048e9",
            "0x6B37A9C0AA",
        ] {
            assert_eq!(OffsetDateTime::from_text(text), None, "{text}");
        }
    }
}
