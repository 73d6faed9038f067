//! A time as it is written: RFC 3339, in UTC.

use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use time::format_description::well_known::Rfc3339;
use time::{OffsetDateTime, UtcDateTime};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Timestamp(pub(crate) UtcDateTime);

impl Timestamp {
    /// Reads a time, or returns the rule that it breaks.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        let time = OffsetDateTime::parse(text, &Rfc3339).map_err(|_| "must be an RFC 3339 date-time")?;
        // No other year can be written.
        let utc = time.checked_to_utc().filter(|utc| (0..=9999).contains(&utc.year()));
        utc.map(Self).ok_or("must be in the years 0 to 9999, in UTC")
    }

    pub(crate) fn saturating_add(self, by: Duration) -> Self {
        Self(self.0.saturating_add(time::Duration::try_from(by).unwrap_or(time::Duration::MAX)))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = self.0.format(&Rfc3339).map_err(serde::ser::Error::custom)?;
        serializer.serialize_str(&text)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}
