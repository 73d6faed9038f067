//! Reading keys, member by member: what cannot be used is noted.

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::enums::eq_wire;
use super::{ApiKey, BotUser, BotUserOrganization, BotUserSpace, FieldWarning, RoleAssignment};
use crate::json::{MemberSource, ReadMembers, Slot, Stopped};
use crate::redact::sanitize;

impl ReadMembers for ApiKey {
    // Names of one length stand together: so the compiler compares each with constants, and calls no `memcmp`.
    fn member(&mut self, name: &str) -> Option<&mut dyn Slot> {
        Some(match name {
            "id" => &mut self.id,
            "name" => &mut self.name,
            "description" => &mut self.description,
            "key_type" => &mut self.key_type,
            "bot_user" => &mut self.bot_user,
            "status" => &mut self.status,
            "redacted_key" => &mut self.redacted_key,
            "last_used_at" => &mut self.last_used_at,
            "created_at" => &mut self.created_at,
            "expires_at" => &mut self.expires_at,
            "created_by_user_id" => &mut self.created_by_user_id,
            _ => return None,
        })
    }

    #[cold]
    fn odd_member(&mut self, name: &str, found: &str) {
        const NOTED: [&str; 10] = [
            "id",
            "name",
            "description",
            "key_type",
            "status",
            "redacted_key",
            "created_at",
            "expires_at",
            "created_by_user_id",
            "last_used_at",
        ];
        if let Some(field) = NOTED.into_iter().find(|noted| *noted == name) {
            // A secret in the wrong place is a secret still.
            self.warnings.push(FieldWarning { field, found: sanitize(found, "") });
        }
    }

    fn not_an_object(&mut self, found: &str) {
        self.warnings.push(FieldWarning { field: "api_keys", found: found.to_owned() });
    }
}

impl ReadMembers for BotUser {
    fn member(&mut self, name: &str) -> Option<&mut dyn Slot> {
        Some(match name {
            "id" => &mut self.id,
            "name" => &mut self.name,
            "account_role" => &mut self.account_role,
            "organizations" => &mut self.organizations,
            _ => return None,
        })
    }
}

impl Slot for Option<BotUser> {
    fn reset(&mut self, _: &str) {
        *self = None;
    }

    fn object(&mut self, members: &mut dyn MemberSource) -> Result<bool, Stopped> {
        let mut user = BotUser::default();
        members.read_into(&mut user)?;
        *self = Some(user);
        Ok(true)
    }
}

impl ReadMembers for BotUserOrganization {
    fn member(&mut self, name: &str) -> Option<&mut dyn Slot> {
        Some(match name {
            "org_id" => &mut self.org_id,
            "role" => &mut self.role,
            "spaces" => &mut self.spaces,
            _ => return None,
        })
    }
}

impl ReadMembers for BotUserSpace {
    fn member(&mut self, name: &str) -> Option<&mut dyn Slot> {
        Some(match name {
            "space_id" => &mut self.space_id,
            "role" => &mut self.role,
            _ => return None,
        })
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
    fn member(&mut self, name: &str) -> Option<&mut dyn Slot> {
        Some(match name {
            "type" => &mut self.kind,
            "name" => &mut self.name,
            "id" => &mut self.id,
            _ => return None,
        })
    }
}

impl<R: for<'a> From<&'a str>> Slot for Option<RoleAssignment<R>> {
    fn reset(&mut self, _: &str) {
        *self = None;
    }

    fn object(&mut self, members: &mut dyn MemberSource) -> Result<bool, Stopped> {
        *self = Some(match read_role(members)? {
            RoleAssignment::Predefined(word) => RoleAssignment::Predefined(R::from(&word)),
            RoleAssignment::Custom { id, name } => RoleAssignment::Custom { id, name },
            RoleAssignment::Unknown(kind) => RoleAssignment::Unknown(kind),
        });
        Ok(true)
    }
}

/// A role whose word is not looked at yet. Not inlined, so that it is there once for the three types of role.
#[inline(never)]
fn read_role(members: &mut dyn MemberSource) -> Result<RoleAssignment<String>, Stopped> {
    let mut role = RoleMembers::default();
    members.read_into(&mut role)?;
    Ok(match role.name {
        Some(word) if eq_wire(&role.kind, "predefined") => RoleAssignment::Predefined(word),
        name if eq_wire(&role.kind, "custom") => RoleAssignment::Custom { id: role.id.unwrap_or_default(), name },
        _ => RoleAssignment::Unknown(role.kind),
    })
}

impl Slot for Option<OffsetDateTime> {
    fn reset(&mut self, _: &str) {
        *self = None;
    }

    /// RFC 3339, and the variants that mean one moment only: lower-case letters, a blank for the `T`, an offset as `+0100` or
    /// `+01`, no offset (UTC), a date alone (midnight UTC), and Unix time.
    fn text(&mut self, text: &str) -> bool {
        match OffsetDateTime::parse(text, &Rfc3339) {
            Ok(time) => *self = Some(time),
            Err(_) => *self = time_in_another_form(text.trim()),
        }
        self.is_some()
    }

    fn number(&mut self, number: &str) -> bool {
        *self = unix_time(number);
        self.is_some()
    }

    fn float(&mut self, number: &str) -> bool {
        self.number(number)
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

    fn time(text: &str) -> Option<OffsetDateTime> {
        let mut time = None;
        Slot::text(&mut time, text);
        time
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
            let moment = time(text).map(OffsetDateTime::unix_timestamp);
            assert_eq!(moment, Some(1_798_804_800), "{text}");
        }
        let date = time("2027-01-01").unwrap();
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
            assert_eq!(time(text), None, "{text}");
        }
    }
}
