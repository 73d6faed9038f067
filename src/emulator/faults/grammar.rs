//! Faults as text: `[ENDPOINT:]KIND[,after][,retry-after=DURATION][*TIMES]`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::endpoint::Endpoint;
use super::fault::{Fault, Kind};

const ENDPOINTS: [(&str, Endpoint); 7] = [
    ("list", Endpoint::ListKeys),
    ("create", Endpoint::CreateKey),
    ("refresh", Endpoint::RefreshKey),
    ("remove", Endpoint::RemoveKey),
    ("spaces", Endpoint::ListSpaces),
    ("space", Endpoint::GetSpace),
    ("organizations", Endpoint::ListOrganizations),
];

const UNITS: [(&str, u64); 6] =
    [("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000), ("w", 604_800_000)];

/// A text is no [`Fault`]: the message says why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct FaultError {
    text: String,
}

fn wrong(text: impl Into<String>) -> FaultError {
    FaultError { text: text.into() }
}

impl FromStr for Fault {
    type Err = FaultError;

    fn from_str(text: &str) -> Result<Self, FaultError> {
        let (text, times) = match text.split_once('*') {
            None => (text, 1),
            Some((text, times)) => {
                let number = times.parse().ok().filter(|times| *times > 0);
                (
                    text,
                    number
                        .ok_or_else(|| wrong(format!("`{times}` is not a number of times from 1 on, as in `503*2`")))?,
                )
            }
        };
        let (endpoint, text) = match text.split_once(':') {
            None => (None, text),
            Some((word, text)) => (Some(endpoint(word)?), text),
        };
        let mut parts = text.split(',');
        let mut fault = kind(parts.next().unwrap_or_default())?.times(times);
        for option in parts {
            fault = match option.split_once('=') {
                None if option == "after" => fault.after_handling(),
                Some(("retry-after", _)) if fault.kind == Kind::Reset => {
                    return Err(wrong("a `reset` has no response, and so no `retry-after`"));
                }
                Some(("retry-after", wait)) => fault.retry_after(duration(wait)?),
                _ => return Err(wrong(format!("`{option}` is neither `after` nor `retry-after=DURATION`"))),
            };
        }
        Ok(match endpoint {
            Some(endpoint) => fault.only(endpoint),
            None => fault,
        })
    }
}

fn endpoint(word: &str) -> Result<Endpoint, FaultError> {
    let found = ENDPOINTS.iter().find(|(name, _)| *name == word).map(|(_, endpoint)| *endpoint);
    found.ok_or_else(|| {
        let names: Vec<String> = ENDPOINTS.iter().map(|(name, _)| format!("`{name}`")).collect();
        wrong(format!("`{word}` is not one of {}", names.join(", ")))
    })
}

fn kind(word: &str) -> Result<Fault, FaultError> {
    let unknown = || {
        wrong(format!("`{word}` is neither a status nor `html=STATUS`, `delay=DURATION`, `reset` or `truncate=BYTES`"))
    };
    Ok(match word.split_once('=') {
        None if word == "reset" => Fault::reset(),
        None => Fault::status(status(word).ok_or_else(unknown)?),
        Some(("html", text)) => Fault::html(status(text).ok_or_else(unknown)?),
        Some(("delay", text)) => Fault::delay(duration(text)?),
        Some(("truncate", text)) => Fault::truncate(text.parse().map_err(|_| unknown())?),
        Some(_) => return Err(unknown()),
    })
}

fn status(text: &str) -> Option<u16> {
    text.parse().ok().filter(|status| (200..600).contains(status))
}

/// Whole numbers with units, which add up: `1h 30m`, `500ms`.
pub(crate) fn duration(text: &str) -> Result<Duration, FaultError> {
    let unknown = || wrong(format!("`{text}` is not a duration, as in `500ms`, `90s` or `1h 30m`"));
    let mut sum = Duration::ZERO;
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err(unknown());
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(unknown)?;
        let (number, after) = rest.split_at(digits);
        let unit_end = after.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(after.len());
        let (unit, after) = after.split_at(unit_end);
        let millis = UNITS.iter().find(|(name, _)| *name == unit).map(|(_, millis)| *millis).ok_or_else(unknown)?;
        let number: u64 = number.parse().map_err(|_| unknown())?;
        sum = sum.saturating_add(Duration::from_millis(number.checked_mul(millis).ok_or_else(unknown)?));
        rest = after.trim_start();
    }
    Ok(sum)
}

/// The text that [`FromStr`] reads.
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((name, _)) = ENDPOINTS.iter().find(|(_, endpoint)| Some(*endpoint) == self.only) {
            write!(f, "{name}:")?;
        }
        match self.kind {
            Kind::Status(status) => write!(f, "{}", status.as_u16())?,
            Kind::Html(status) => write!(f, "html={}", status.as_u16())?,
            Kind::Delay(wait) => write!(f, "delay={}ms", wait.as_millis())?,
            Kind::Reset => f.write_str("reset")?,
            Kind::Truncate(bytes) => write!(f, "truncate={bytes}")?,
        }
        if self.handled {
            f.write_str(",after")?;
        }
        if let Some(wait) = self.retry_after {
            write!(f, ",retry-after={}ms", wait.as_millis())?;
        }
        if self.times != 1 {
            write!(f, "*{}", self.times)?;
        }
        Ok(())
    }
}
