//! The faults of `emulator`, as they are written.

use std::time::Duration;

use arize_api_keys::emulator::{Endpoint, Fault};

use crate::times;

/// `[ENDPOINT:]KIND[,after][,retry-after=DURATION][*TIMES]`
pub(crate) fn parse(text: &str) -> Result<Fault, String> {
    let (text, times) = match text.split_once('*') {
        None => (text, 1),
        Some((text, times)) => {
            let number = times.parse().ok().filter(|times| *times > 0);
            (text, number.ok_or_else(|| format!("`{times}` is not a number of times from 1 on, as in `503*2`"))?)
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
            Some(("retry-after", wait)) => fault.retry_after(duration(wait)?),
            _ => return Err(format!("`{option}` is neither `after` nor `retry-after=DURATION`")),
        };
    }
    Ok(match endpoint {
        Some(endpoint) => fault.only(endpoint),
        None => fault,
    })
}

/// From 0 to 1.
pub(crate) fn share(text: &str) -> Result<f64, String> {
    let share = text.parse().ok().filter(|share| (0.0..=1.0).contains(share));
    share.ok_or_else(|| "it must be a number from 0 to 1".to_owned())
}

fn endpoint(word: &str) -> Result<Endpoint, String> {
    Ok(match word {
        "list" => Endpoint::ListKeys,
        "create" => Endpoint::CreateKey,
        "refresh" => Endpoint::RefreshKey,
        "remove" => Endpoint::RemoveKey,
        "spaces" => Endpoint::ListSpaces,
        "space" => Endpoint::GetSpace,
        "organizations" => Endpoint::ListOrganizations,
        _ => {
            return Err(format!(
                "`{word}` is not one of `list`, `create`, `refresh`, `remove`, `spaces`, `space`, `organizations`"
            ));
        }
    })
}

fn kind(word: &str) -> Result<Fault, String> {
    let unknown =
        || format!("`{word}` is neither a status nor `html=STATUS`, `delay=DURATION`, `reset` or `truncate=BYTES`");
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

fn duration(text: &str) -> Result<Duration, String> {
    times::duration(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_what_is_meant() {
        let seconds = Duration::from_secs;
        let cases = [
            ("503", Fault::status(503)),
            ("create:503*2", Fault::status(503).times(2).only(Endpoint::CreateKey)),
            ("list:429,retry-after=2s", Fault::rate_limit(seconds(2)).only(Endpoint::ListKeys)),
            ("refresh:reset,after", Fault::reset().after_handling().only(Endpoint::RefreshKey)),
            ("remove:html=200", Fault::html(200).only(Endpoint::RemoveKey)),
            ("spaces:delay=1s 500ms*3", Fault::delay(Duration::from_millis(1500)).times(3).only(Endpoint::ListSpaces)),
            ("truncate=20", Fault::truncate(20)),
            ("503,after,retry-after=1s", Fault::status(503).after_handling().retry_after(seconds(1))),
        ];
        for (text, fault) in cases {
            assert_eq!(parse(text), Ok(fault), "{text}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "create:",
            "99",
            "600",
            "keys:503",
            "503*",
            "503*0",
            "503*x",
            "503,before",
            "delay=soon",
            "truncate=-1",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
        for text in ["", "1.5", "-0.1", "NaN"] {
            assert!(share(text).is_err(), "{text}");
        }
        assert_eq!(share("0.25"), Ok(0.25));
    }
}
