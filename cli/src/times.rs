//! Times as people write them.

use std::time::Duration;

use arize_api_keys::time::format_description::well_known::{Iso8601, Rfc3339};
use arize_api_keys::time::{self, Date, OffsetDateTime, UtcOffset};

/// The longest grace period of the service.
const MAX_GRACE: Duration = Duration::from_secs(86_400);

/// `30d`, `1h 30m`: not nothing.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    if text.trim_start().starts_with('-') {
        return Err("a duration is not negative; write `30d`, `12h` or `1h 30m`".to_owned());
    }
    let duration =
        humantime::parse_duration(text).map_err(|error| format!("{error}; write `30d`, `12h` or `1h 30m`"))?;
    if duration.is_zero() { Err("it must be more than nothing".to_owned()) } else { Ok(duration) }
}

/// `1h`, or `0s` for not at all.
pub(crate) fn duration_or_zero(text: &str) -> Result<Duration, String> {
    if ["0", "0s"].contains(&text.trim()) { Ok(Duration::ZERO) } else { duration(text) }
}

/// `1h`; `0` for none.
pub(crate) fn grace(text: &str) -> Result<Duration, String> {
    if text.trim_start().starts_with('-') {
        return Err("a duration is not negative; write `1h`, `30m` or `0`".to_owned());
    }
    let grace = humantime::parse_duration(text).map_err(|error| format!("{error}; write `1h`, `30m` or `0`"))?;
    if grace > MAX_GRACE || grace.subsec_nanos() != 0 {
        return Err("it must be whole seconds, at most a day".to_owned());
    }
    Ok(grace)
}

/// `2027-01-01` (midnight, UTC), or RFC 3339.
pub(crate) fn moment(text: &str) -> Result<OffsetDateTime, String> {
    // The parser of dates ignores what comes after one.
    if text.len() == "2027-01-01".len()
        && let Ok(date) = Date::parse(text, &Iso8601::DATE)
    {
        return Ok(date.midnight().assume_utc());
    }
    let time = OffsetDateTime::parse(text, &Rfc3339)
        .map_err(|_| "write a date like `2027-01-01`, or a time like `2027-01-01T12:00:00Z`".to_owned())?;
    // RFC 3339 has no other years, and the offset may lead to one.
    match time.checked_to_offset(UtcOffset::UTC) {
        Some(utc) if (0..=9999).contains(&utc.year()) => Ok(time),
        _ => Err("the time must be in the years 0 to 9999, in UTC".to_owned()),
    }
}

/// This long after `now`, in whole seconds.
pub(crate) fn after(now: OffsetDateTime, duration: Duration) -> Option<OffsetDateTime> {
    // Cut off, not rounded up: it may be the longest that the account allows.
    now.checked_add(time::Duration::try_from(duration).ok()?)?.replace_nanosecond(0).ok()
}

/// RFC 3339 in UTC, as it is shown and written.
pub(crate) fn rfc3339(moment: OffsetDateTime) -> String {
    let moment = moment.checked_to_offset(UtcOffset::UTC).unwrap_or(moment);
    moment.format(&Rfc3339).unwrap_or_else(|_| moment.to_string())
}

/// The same without the fraction of a second, for people.
pub(crate) fn rfc3339_to_second(moment: OffsetDateTime) -> String {
    rfc3339(moment.truncate_to_second())
}

/// A time in RFC 3339 without the fraction of a second. Other texts stay as they are.
pub(crate) fn to_second(text: &str) -> String {
    OffsetDateTime::parse(text, &Rfc3339).map_or_else(|_| text.to_owned(), rfc3339_to_second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        assert_eq!(duration("30d").unwrap(), Duration::from_secs(30 * 86_400));
        assert_eq!(duration("1h 30m").unwrap(), Duration::from_secs(5400));
        for wrong in ["", "0s", "soon", "-1d", "30"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
        assert_eq!(grace("0").unwrap(), Duration::ZERO);
        assert_eq!(grace("1day").unwrap(), MAX_GRACE);
        for wrong in ["25h", "1500ms", "1"] {
            assert!(grace(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn moments() {
        assert_eq!(rfc3339(moment("2027-01-01").unwrap()), "2027-01-01T00:00:00Z");
        assert_eq!(rfc3339(moment("2027-01-01T12:00:00+02:00").unwrap()), "2027-01-01T10:00:00Z");
        for wrong in [
            "",
            "tomorrow",
            "2027-13-01",
            "2027-01-01T12:00:00",
            "20270101T00",
            "0000-01-01T00:00:00+01:00",
            "9999-12-31T23:59:59-01:00",
        ] {
            assert!(moment(wrong).is_err(), "{wrong}: {:?}", moment(wrong));
        }
        assert!(after(OffsetDateTime::UNIX_EPOCH, Duration::MAX).is_none());
    }
}
