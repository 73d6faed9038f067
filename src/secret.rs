//! Reading the answer that carries a one-time secret: the secret first, and nothing else can cost it.

use std::borrow::Cow;

use secrecy::SecretString;
use secrecy::zeroize::Zeroize;
use serde::de::{DeserializeSeed, MapAccess};
use serde_json::Deserializer;

use crate::lenient::{Found, Members, ObjectInto, Scalar, ScalarSeed};
use crate::model::{ApiKey, Oddity};

/// The answer to a create or a refresh, as far as it could be read.
#[derive(Default)]
pub(crate) struct Minted {
    pub(crate) fields: ApiKey,
    pub(crate) key: Option<SecretString>,
}

/// The text of a secret; blank ones are none.
struct Secret(SecretString);

impl Scalar for Secret {
    fn from_text(text: &str) -> Option<Self> {
        // Of exactly the right size, so that boxing it does not leave a copy behind.
        (!text.trim().is_empty()).then(|| Self(SecretString::from(text.to_owned())))
    }
}

impl Members for Minted {
    fn read<'de, A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<bool, A::Error> {
        if name != "key" {
            return self.fields.read(name, map);
        }
        // The first one counts, and what else stands there is noted by nobody: it might be a secret.
        if let Found::Value(Secret(key)) = map.next_value_seed(ScalarSeed::<Secret>::new())? {
            self.key.get_or_insert(key);
        }
        Ok(true)
    }
}

/// Reads what there is. The body may be cut off, badly encoded, or no JSON at all.
pub(crate) fn decode(body: &[u8]) -> Minted {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let mut minted = Minted::default();
    let text = String::from_utf8_lossy(body);
    let mut json = Deserializer::from_str(&text);
    let ended = ObjectInto(&mut minted).deserialize(&mut json).and_then(|_| json.end());
    if let Err(error) = ended {
        let found = format!("not whole JSON (line {}, column {})", error.line(), error.column());
        minted.fields.oddities.push(Oddity { field: "body", found });
    }
    // What was replaced to make the bytes a text must not be in a secret.
    if minted.key.is_none() || matches!(text, Cow::Owned(_)) {
        minted.key = scan(body);
    }
    if let Cow::Owned(mut text) = text {
        text.zeroize();
    }
    minted
}

/// Finds the first string member `key` of the outermost object in bytes that need not be JSON: strings and brackets are
/// followed, the rest is passed over. A string without its closing quote is never taken.
fn scan(body: &[u8]) -> Option<SecretString> {
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(byte) = body.get(at) {
        match byte {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            b'"' => {
                let end = string_end(body, at)?;
                let is_key = depth == 1 && string(body, at, end).is_some_and(|name| name == "key");
                if let Some(key) = is_key.then(|| member_text(body, end)).flatten() {
                    return Some(key);
                }
                at = end;
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    None
}

/// The string value after the colon at `at`, if that is what stands there.
fn member_text(body: &[u8], at: usize) -> Option<SecretString> {
    let colon = skip_blanks(body, at);
    if body.get(colon) != Some(&b':') {
        return None;
    }
    let start = skip_blanks(body, colon + 1);
    if body.get(start) != Some(&b'"') {
        return None;
    }
    let text = string(body, start, string_end(body, start)?)?;
    (!text.trim().is_empty()).then(|| SecretString::from(text.into_owned()))
}

fn skip_blanks(body: &[u8], at: usize) -> usize {
    let blanks = body.iter().skip(at).take_while(|b| b.is_ascii_whitespace()).count();
    at + blanks
}

/// The position after the closing quote of the string that opens at `start`.
fn string_end(body: &[u8], start: usize) -> Option<usize> {
    let mut escaped = false;
    for (offset, byte) in body.iter().enumerate().skip(start + 1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return Some(offset + 1),
            _ => {}
        }
    }
    None
}

/// The string literal of `body[start..end]`, if it is a valid one.
fn string(body: &[u8], start: usize, end: usize) -> Option<Cow<'_, str>> {
    #[derive(serde::Deserialize)]
    struct Text<'a>(#[serde(borrow)] Cow<'a, str>);
    serde_json::from_slice::<Text<'_>>(body.get(start..end)?).ok().map(|text| text.0)
}
