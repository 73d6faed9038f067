//! Texts of the caller and of the service, made safe to show.

use std::fmt;
use std::ops::Deref;

use crate::percent::percent_encode;

/// The most bytes of a text that a message shows.
const MAX_SHOWN: usize = 1024;

/// The prefix of an Arize key, and the least characters after it in a whole one. The `redacted_key` of a list,
/// `ak-abc...xyz`, is shorter and stays readable.
const KEY_PREFIX: &str = "ak-";
const KEY_LENGTH: usize = 8;

/// The least bytes of a secret that is replaced. Shorter secrets would match unrelated text, such as ids, by accident. No
/// service has them, but tests do.
const SECRET_LENGTH: usize = 6;

const REDACTED: &str = "[redacted]";

/// A text of the caller's. Its `Debug` replaces texts of the form `ak-…`: the caller may have passed a key as an id.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Text(String);

impl Text {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        strip_key(&self.0, "").fmt(f)
    }
}

/// A text between backquotes, sanitized, for a message.
pub(crate) fn quote(text: &str) -> String {
    format!("`{}`", sanitize(text, ""))
}

/// A text with keys replaced, control and bidi characters escaped, cut after 1 KiB: for a message.
pub(crate) fn sanitize(text: &str, own_keys: &str) -> String {
    let text = strip_key(text, own_keys);
    let end = text.char_indices().map(|(at, c)| at + c.len_utf8()).take_while(|end| *end <= MAX_SHOWN).last();
    let (head, tail) = text.split_at(end.unwrap_or(0));
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

/// Characters that reorder the text on a terminal.
fn is_bidi(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A text with the client's own keys, plain or percent-encoded, and every text of the form `ak-…` replaced. `own_keys` has
/// one key a line.
pub(crate) fn strip_key(text: &str, own_keys: &str) -> String {
    let mut clean = text.to_owned();
    for own_key in own_keys.lines() {
        let in_url = percent_encode(own_key).to_string();
        for form in [own_key, &in_url] {
            clean = replace_secret(&clean, form).unwrap_or(clean);
        }
    }
    replace_keys(&clean)
}

/// Whether the secret is in the text.
#[inline]
pub(crate) fn shows_secret(text: &str, secret: &str) -> bool {
    let (text, secret) = (text.as_bytes(), secret.as_bytes());
    // Most texts are about as long as a secret: preparing a search, as `str::contains` does, costs more than this one.
    (SECRET_LENGTH..=text.len()).contains(&secret.len())
        && text.windows(secret.len()).any(|window| window.first() == secret.first() && window == secret)
}

/// The text with the secret replaced, if it is in there.
#[inline]
pub(crate) fn replace_secret(text: &str, secret: &str) -> Option<String> {
    shows_secret(text, secret).then(|| text.replace(secret, REDACTED))
}

/// Whether the text is a key of Arize's form.
pub(crate) fn is_whole_key(text: &str) -> bool {
    text.strip_prefix(KEY_PREFIX).is_some_and(|rest| rest.len() >= KEY_LENGTH && rest.bytes().all(is_key_byte))
}

fn is_key_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

fn replace_keys(text: &str) -> String {
    let mut rest = text;
    let mut clean = String::with_capacity(text.len());
    while let Some((before, after)) = rest.split_once(KEY_PREFIX) {
        clean.push_str(before);
        let length = after.bytes().take_while(|byte| is_key_byte(*byte)).count();
        if length >= KEY_LENGTH {
            clean.push_str(REDACTED);
            rest = after.split_at(length).1;
        } else {
            clean.push_str(KEY_PREFIX);
            rest = after;
        }
    }
    clean.push_str(rest);
    clean
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const OWN: &str = "ak-PLANTED-OWN-0123456789";

    #[test]
    fn keys_are_replaced() {
        for (text, clean) in [
            ("", ""),
            ("nothing to scrub", "nothing to scrub"),
            (OWN, "[redacted]"),
            ("[ak-PLANTED-OWN-0123456789]", "[[redacted]]"),
            ("xak-PLANTED-OWN-0123456789", "x[redacted]"),
            ("ak-PLANTED-OWN-0123456789ak-PLANTED-OWN-0123456789", "[redacted][redacted]"),
            ("ak-abcdefgh", "[redacted]"),
            ("ak-abcdefg", "ak-abcdefg"),
            ("ak-abc...xyz", "ak-abc...xyz"),
            ("ak-ak-ak-ak-abcdefgh", "[redacted]"),
            ("ak-, ak-abcdefgh. ak-", "ak-, [redacted]. ak-"),
            ("ak-abcdefgé", "ak-abcdefgé"),
            ("AK-abcdefgh", "AK-abcdefgh"),
        ] {
            assert_eq!(sanitize(text, OWN), clean, "{text}");
        }
    }

    #[test]
    fn a_key_of_another_shape_is_replaced_where_it_is_the_clients_own() {
        assert_eq!(sanitize("no such key: s3cret/+=!", "s3cret/+="), "no such key: [redacted]!");
        assert_eq!(sanitize("no such key: s3cret/+=!", ""), "no such key: s3cret/+=!");
        assert_eq!(sanitize("neither s3cret/+= nor former", "former\ns3cret/+="), "neither [redacted] nor [redacted]");
    }

    #[test]
    fn control_and_bidi_characters_are_escaped() {
        assert_eq!(quote("a\r\n\t\0\u{1b}[2J\u{7f}\u{85}"), r"`a\r\n\t\u{0}\u{1b}[2J\u{7f}\u{85}`");
        for c in
            "\u{61c}\u{200e}\u{200f}\u{202a}\u{202b}\u{202c}\u{202d}\u{202e}\u{2066}\u{2067}\u{2068}\u{2069}".chars()
        {
            assert_eq!(quote(&c.to_string()), format!("`\\u{{{:x}}}`", u32::from(c)));
        }
        assert_eq!(quote("Zoë’s 鍵 🔑"), "`Zoë’s 鍵 🔑`");
    }

    #[test]
    fn long_texts_are_cut_between_characters() {
        assert_eq!(sanitize(&"a".repeat(1024), ""), "a".repeat(1024));
        assert_eq!(sanitize(&"a".repeat(1025), ""), "a".repeat(1024) + "…");
        assert_eq!(sanitize(&format!("a{}", "é".repeat(600)), ""), format!("a{}…", "é".repeat(511)));
        // A key that the cut would split has been replaced before.
        let text = "x".repeat(1020) + OWN;
        assert_eq!(sanitize(&text, OWN), "x".repeat(1020) + "[red…");
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn nothing_secret_and_nothing_rude_is_shown(before in any::<String>(), after in any::<String>(), times in 0_usize..80) {
            let text = format!("{}{OWN}{after}ak-{before}", before.repeat(times));
            let clean = sanitize(&text, OWN);
            prop_assert!(!clean.contains(OWN));
            prop_assert!(!clean.chars().any(|c| c.is_control() || is_bidi(c)));
            let letters = |text: &str| text.bytes().take_while(|b| b.is_ascii_alphanumeric() || b"_-".contains(b)).count();
            prop_assert!(clean.split("ak-").skip(1).all(|rest| letters(rest) < 8), "{}", clean);
        }
    }
}
