//! Makes text safe to show: replaces secrets, and escapes the characters that a terminal or a reader would not show as they are.

mod view;

use std::borrow::Cow;
use std::fmt::Display;
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use arize_api_keys::ExposeSecret;
use arize_api_keys::secrecy::{SecretBox, SecretString};
use base64::Engine;
use base64::prelude::BASE64_STANDARD_NO_PAD;

use self::view::{View, views};
use crate::system::System;

const REDACTED: &str = "[redacted]";

/// A shorter key would match other text by accident. The service has no such keys, tests do.
const MIN_KEY: usize = 6;
/// The same for a part of a key in base64, in characters.
const MIN_BASE64: usize = 8;
/// The beginning of every key of the service, and the fewest characters after it that make a text a key. A `redacted_key`,
/// `ak-abc...xyz`, has fewer, so that it stays readable.
const PREFIX: &str = "ak-";
const MIN_AFTER_PREFIX: usize = 16;

/// The keys that this run knows. No output of the program shows one of them in any form.
#[derive(Default)]
pub(crate) struct Secrets(Mutex<Vec<Forms>>);

impl Secrets {
    /// The key that the environment holds: known before the arguments are read, whose errors are shown.
    pub(crate) fn of_environment(system: &dyn System) -> Self {
        let secrets = Self::default();
        if let Some(key) = system.variable("ARIZE_API_KEY").and_then(|key| key.into_string().ok()) {
            secrets.learn(&key.into());
        }
        secrets
    }

    /// From now on, this key is replaced.
    pub(crate) fn learn(&self, key: &SecretString) {
        let key = key.expose_secret().trim();
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if key.len() >= MIN_KEY && !known.iter().any(|forms| forms.key.expose_secret() == key) {
            known.push(Forms::new(key));
        }
    }

    /// Whether the text holds a key that this run knows.
    pub(crate) fn are_in(&self, text: &str) -> bool {
        !self.known(text).is_empty()
    }

    /// A message: known keys and everything else that looks like a key are replaced; every character that is not shown as it
    /// is, line feeds aside, is escaped.
    pub(crate) fn message(&self, text: impl Display) -> String {
        let text = text.to_string();
        let mut ranges = self.known(&text);
        ranges.extend(like_keys(&text));
        let clean = replace(&text, ranges);
        clean.split('\n').map(printable).collect::<Vec<_>>().join("\n")
    }

    /// A value of the service: only known keys are replaced, since a name may look like a key.
    pub(crate) fn value<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let ranges = self.known(text);
        if ranges.is_empty() { Cow::Borrowed(text) } else { Cow::Owned(replace(text, ranges)) }
    }

    fn known(&self, text: &str) -> Vec<Range<usize>> {
        let keys = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Decoding makes no text longer. Most texts of a report are shorter than a key.
        if keys.iter().all(|key| text.len() < key.shortest) {
            return Vec::new();
        }
        views(text).iter().flat_map(|view| keys.iter().flat_map(|key| key.find(view))).collect()
    }
}

/// Whether the text, as a whole, has the form of a key.
pub(crate) fn is_like_a_key(text: &str) -> bool {
    like_keys(text.trim()).first().is_some_and(|range| range.start == 0)
}

/// The text with every character escaped that is not shown as it is: control characters, characters that change the order of
/// others, and invisible ones.
pub(crate) fn printable(text: impl Display) -> String {
    let text = text.to_string();
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return text;
    }
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        if is_unsafe(c) {
            safe.extend(c.escape_default());
        } else {
            safe.push(c);
        }
    }
    safe
}

/// The same in a JSON document, where an escape loses nothing. The document has no raw ASCII control characters in its texts.
pub(crate) fn json(document: String) -> String {
    if document.is_ascii() && !document.contains('\u{7f}') {
        return document;
    }
    let mut safe = String::with_capacity(document.len());
    for c in document.chars() {
        if c > '~' && is_unsafe(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                safe.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            safe.push(c);
        }
    }
    safe
}

/// Control characters, and those that Unicode calls format characters or ignorable by default. The two presentation selectors
/// of emoji stay: they come with a character that is seen.
pub(crate) fn is_unsafe(c: char) -> bool {
    c.is_control() || (is_invisible(c) && !matches!(c, '\u{fe0e}' | '\u{fe0f}'))
}

#[rustfmt::skip]
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}' | '\u{890}' | '\u{891}' | '\u{8e2}'
        | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
        | '\u{fff0}'..='\u{fffb}' | '\u{110bd}' | '\u{110cd}' | '\u{13430}'..='\u{1343f}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// The forms of a key that are looked for.
struct Forms {
    key: SecretString,
    /// In lower case: plain, and hexadecimal.
    folded: SecretBox<Vec<Vec<u8>>>,
    /// The part of the base64 text that does not depend on the bytes before and after the key, for each alignment.
    base64: SecretBox<Vec<Vec<u8>>>,
    /// The length of the shortest form.
    shortest: usize,
}

impl Forms {
    fn new(key: &str) -> Self {
        let cases = [key.to_owned(), key.to_ascii_lowercase(), key.to_ascii_uppercase()];
        let mut folded: Vec<Vec<u8>> = cases.iter().map(|key| hex(key)).collect();
        folded.push(key.to_ascii_lowercase().into_bytes());
        let mut base64: Vec<Vec<u8>> = cases.iter().flat_map(|key| (0..3).map(|skip| base64_of(key, skip))).collect();
        base64.retain(|part| part.len() >= MIN_BASE64);
        let shortest = folded.iter().chain(&base64).map(Vec::len).min().unwrap_or_default();
        Self {
            key: key.into(),
            folded: SecretBox::new(Box::new(folded)),
            base64: SecretBox::new(Box::new(base64)),
            shortest,
        }
    }

    fn find(&self, view: &View) -> Vec<Range<usize>> {
        let folded = self.folded.expose_secret().iter().flat_map(|form| view.find(&view.folded, form));
        let base64 = self.base64.expose_secret().iter().flat_map(|form| view.find(&view.base64, form));
        folded.chain(base64).collect()
    }
}

fn hex(key: &str) -> Vec<u8> {
    let digits = key.bytes().flat_map(|byte| [byte >> 4, byte & 0xf]);
    digits.filter_map(|digit| char::from_digit(digit.into(), 16)).map(|digit| digit as u8).collect()
}

/// The characters that encode whole bytes of the key alone, if `skip` bytes come before it in its group of three.
fn base64_of(key: &str, skip: usize) -> Vec<u8> {
    let text = BASE64_STANDARD_NO_PAD.encode([&vec![0; skip], key.as_bytes()].concat());
    let (first, end) = ((skip * 8).div_ceil(6), (skip + key.len()) * 8 / 6);
    text.as_bytes().get(first..end).unwrap_or_default().to_vec()
}

/// The places of everything that has the form of a key, with invisible characters in it or not.
fn like_keys(text: &str) -> Vec<Range<usize>> {
    let chars: Vec<(usize, char)> = text.char_indices().filter(|(_, c)| !is_invisible(*c)).collect();
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(rest) = chars.get(at..).filter(|rest| !rest.is_empty()) {
        let length = rest.iter().take_while(|(_, c)| c.is_ascii_alphanumeric() || matches!(c, '-' | '_')).count();
        let word = rest.get(..length).unwrap_or_default();
        let letters: String = word.iter().map(|(_, c)| c.to_ascii_lowercase()).collect();
        let key = letters.match_indices(PREFIX).map(|(at, _)| at).find(|at| {
            let before = at.checked_sub(1).and_then(|before| letters.as_bytes().get(before));
            length - at >= PREFIX.len() + MIN_AFTER_PREFIX && !before.is_some_and(u8::is_ascii_alphanumeric)
        });
        if let (Some((start, _)), Some((last, _))) = (key.and_then(|key| word.get(key)), word.last()) {
            found.push(*start..last + 1);
        }
        at += length.max(1);
    }
    found
}

/// The text with these places replaced.
fn replace(text: &str, mut ranges: Vec<Range<usize>>) -> String {
    ranges.sort_by_key(|range| (range.start, range.end));
    let mut clean = String::with_capacity(text.len());
    let mut end = 0;
    for range in ranges {
        if range.start >= end {
            clean.push_str(text.get(end..range.start).unwrap_or_default());
            clean.push_str(REDACTED);
        }
        end = end.max(range.end);
    }
    clean.push_str(text.get(end..).unwrap_or_default());
    clean
}

#[cfg(test)]
mod tests;
