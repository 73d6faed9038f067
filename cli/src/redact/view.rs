//! A text in the forms in which a key is looked for in it.

use std::ops::Range;

/// A text as it is compared: its ASCII bytes without control characters, decoded, and the place of each in the text. A key is
/// ASCII, so that everything else can only stand between its characters.
pub(super) struct View {
    places: Vec<Range<usize>>,
    pub(super) folded: Vec<u8>,
    pub(super) base64: Vec<u8>,
}

type Item = (u8, Range<usize>);

impl View {
    fn new(items: &[Item]) -> Self {
        let url_safe = |byte: &u8| match byte {
            b'-' => b'+',
            b'_' => b'/',
            byte => *byte,
        };
        Self {
            places: items.iter().map(|(_, place)| place.clone()).collect(),
            folded: items.iter().map(|(byte, _)| byte.to_ascii_lowercase()).collect(),
            base64: items.iter().map(|(byte, _)| url_safe(byte)).collect(),
        }
    }

    /// The places of a form in one of the two texts.
    pub(super) fn find(&self, text: &[u8], form: &[u8]) -> Vec<Range<usize>> {
        let windows = text.windows(form.len().max(1)).enumerate().filter(|(_, window)| *window == form);
        windows
            .filter_map(|(at, _)| Some(self.places.get(at)?.start..self.places.get(at + form.len() - 1)?.end))
            .collect()
    }
}

/// The text as it is, and with percent-encodings and backslash escapes decoded, as often as there are any.
pub(super) fn views(text: &str) -> Vec<View> {
    let mut items: Vec<Item> = Vec::with_capacity(text.len());
    let mut is_in_sequence = false;
    for (at, byte) in text.bytes().enumerate() {
        // A control sequence of a terminal, `ESC [ 0 m`, does not show either.
        is_in_sequence |= byte == b'[' && text.get(..at).is_some_and(|before| before.ends_with('\u{1b}'));
        if is_in_sequence {
            is_in_sequence = byte == b'[' || !matches!(byte, b'@'..=b'~');
        } else if is_kept(byte) {
            items.push((byte, at..at + 1));
        }
    }
    let mut views = vec![View::new(&items)];
    // More layers than anything on the way adds.
    for _ in 0..4 {
        let decoded = decode(&items);
        if decoded.len() == items.len() {
            break;
        }
        views.push(View::new(&decoded));
        items = decoded;
    }
    views
}

fn is_kept(byte: u8) -> bool {
    byte.is_ascii() && !byte.is_ascii_control()
}

fn decode(items: &[Item]) -> Vec<Item> {
    let mut decoded = Vec::with_capacity(items.len());
    let mut rest = items;
    while let Some(((byte, place), after)) = rest.split_first() {
        let (byte, length) = match byte {
            b'%' => hex(after, 2).map(|code| (code, 2)),
            b'\\' => escape(after),
            _ => None,
        }
        .unwrap_or((Some(*byte), 0));
        let end = length.checked_sub(1).and_then(|last| after.get(last)).map_or(place.end, |(_, last)| last.end);
        decoded.extend(byte.map(|byte| (byte, place.start..end)));
        rest = after.get(length..).unwrap_or_default();
    }
    decoded
}

/// An escape after its backslash, `u{61}`, `u0061`, `x61` or `n`: the byte, unless it is not compared, and the length.
fn escape(after: &[Item]) -> Option<(Option<u8>, usize)> {
    let is = |at: usize, expected: u8| after.get(at).is_some_and(|(byte, _)| *byte == expected);
    let (kind, rest) = after.split_first()?;
    match kind.0 {
        b'n' | b'r' | b't' | b'0' => Some((None, 1)),
        b'x' => Some((hex(rest, 2)?, 3)),
        b'u' if is(1, b'{') => {
            let digits = (1..=8).find(|digits| is(digits + 2, b'}'))?;
            Some((hex(after.get(2..)?, digits)?, digits + 3))
        }
        b'u' => Some((hex(rest, 4)?, 5)),
        _ => None,
    }
}

/// The byte of a hexadecimal number. The inner `None` is a character that is not compared.
fn hex(items: &[Item], digits: usize) -> Option<Option<u8>> {
    let digits: Vec<u8> = items.get(..digits)?.iter().map(|(byte, _)| *byte).collect();
    let is_hex = !digits.is_empty() && digits.iter().all(u8::is_ascii_hexdigit);
    let code = u32::from_str_radix(str::from_utf8(&digits).ok().filter(|_| is_hex)?, 16).ok()?;
    Some(u8::try_from(code).ok().filter(|byte| is_kept(*byte)))
}
