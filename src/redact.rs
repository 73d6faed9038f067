//! Texts that came from outside, made safe to show.

use std::borrow::Cow;

/// The most of a foreign text that is shown, in bytes.
const SHOWN: usize = 1024;

/// What an Arize key begins with, and the least that follows it in a whole one. The `redacted_key` of a list,
/// `ak-abc...xyz`, is shorter, and stays readable.
const KEY_PREFIX: &str = "ak-";
const KEY_LENGTH: usize = 8;

/// A text of the caller's or the service's, between backquotes in a message.
pub(crate) fn quoted(text: &str) -> String {
    format!("`{}`", shown(text))
}

/// Escapes control characters and cuts after 1 KiB.
fn shown(text: &str) -> String {
    let end = text.char_indices().map(|(at, c)| at + c.len_utf8()).take_while(|end| *end <= SHOWN).last().unwrap_or(0);
    let (head, tail) = text.split_at(end);
    let mut shown = String::with_capacity(head.len());
    for c in head.chars() {
        if c.is_control() || is_bidi(c) {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
    }
    if !tail.is_empty() {
        shown.push('…');
    }
    shown
}

/// Characters that reorder what a terminal shows.
fn is_bidi(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A text of the service's, with the client's own key and everything that looks like a key replaced.
pub(crate) fn foreign(text: &str, own_key: &str) -> String {
    let text = if own_key.is_empty() { Cow::Borrowed(text) } else { Cow::Owned(text.replace(own_key, "[redacted]")) };
    shown(&without_keys(&text))
}

fn without_keys(text: &str) -> String {
    let mut rest = text;
    let mut clean = String::with_capacity(text.len());
    while let Some((before, after)) = rest.split_once(KEY_PREFIX) {
        clean.push_str(before);
        let length = after.bytes().take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-')).count();
        if length >= KEY_LENGTH {
            clean.push_str("[redacted]");
            rest = after.split_at(length).1;
        } else {
            clean.push_str(KEY_PREFIX);
            rest = after;
        }
    }
    clean.push_str(rest);
    clean
}
