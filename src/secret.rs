//! Reads the response that carries a one-time secret: the secret first, so that no other defect can lose it.

use std::borrow::Cow;

use secrecy::zeroize::Zeroize;
use secrecy::{ExposeSecret, SecretString};
use serde::de::IgnoredAny;

use crate::json::{self, strip_bom};
use crate::model::{ApiKey, DUPLICATE, FieldWarning};
use crate::redact::strip_key;

/// The readable part of the response to a create or a refresh.
pub(crate) struct DecodedSecret {
    pub(crate) key: Option<SecretString>,
    pub(crate) fields: ApiKey,
}

/// Reads what there is. The body may be cut off, badly encoded, or no JSON at all.
pub(crate) fn decode(body: &[u8]) -> DecodedSecret {
    let body = strip_bom(body);
    // One pass for both: it costs as much as the decoding.
    let (mut key, mut keys, mut ids) = (None, 0, 0);
    for (start, end) in names(body) {
        if is_string(body, start, end, "key") {
            keys += 1;
            key = key.or_else(|| member_text(body, end));
        }
        ids += usize::from(is_string(body, start, end, "id"));
    }
    let mut fields = ApiKey::default();
    // The usual case first: replacing what is not UTF-8 is slow even where there is nothing to replace.
    let text = std::str::from_utf8(body).map_or_else(|_| String::from_utf8_lossy(body), Cow::Borrowed);
    // It has no member `key`, so that no warning is needed for its value.
    if let Err(error) = json::read(&text, &mut fields) {
        let found = format!("not whole JSON (line {}, column {})", error.line(), error.column());
        fields.warnings.push(FieldWarning { field: "body", found });
    }
    if let Cow::Owned(mut text) = text {
        fields.warnings.push(FieldWarning { field: "body", found: "not UTF-8".to_owned() });
        text.zeroize();
    }
    // Without the id the key could not be removed.
    if fields.id.is_empty()
        && let Some(id) = text_of_member(body, "id")
    {
        fields.id = id.expose_secret().to_owned();
    }
    for (field, count) in [("key", keys), ("id", ids)] {
        if count > 1 {
            fields.warnings.push(FieldWarning { field, found: DUPLICATE.to_owned() });
        }
    }
    DecodedSecret { key, fields }
}

/// Whether the body is whole JSON that cannot be about a key: a text, a number, a boolean, or an object that has members and
/// none of a key. A body without content, like `{}`, does not tell.
pub(crate) fn is_about_something_else(body: &[u8]) -> bool {
    let body = strip_bom(body).trim_ascii();
    let is_empty = match body.first() {
        Some(b'{') => names(body).next().is_none(),
        first => matches!(first, None | Some(b'[' | b'n')),
    };
    !is_empty && !is_about_a_key(body) && serde_json::from_slice::<IgnoredAny>(body).is_ok()
}

/// Other documents have a `name` and a `status`, too, and an `id` of something else in an inner object.
fn is_about_a_key(body: &[u8]) -> bool {
    let text = String::from_utf8_lossy(body);
    names(body).any(|(start, end)| is_string(body, start, end, "id"))
        || ["\"key\"", "\"key_type\"", "\"redacted_key\""].iter().any(|name| text.contains(name))
        || strip_key(&text, "") != text
}

/// Finds the first string member `wanted` of the outermost object in bytes that need not be JSON. A string without its
/// closing quote is never taken.
fn text_of_member(body: &[u8], wanted: &str) -> Option<SecretString> {
    names(body).filter(|(start, end)| is_string(body, *start, *end, wanted)).find_map(|(_, end)| member_text(body, end))
}

/// Where the name of each member of the outermost object begins and ends. The scanner follows strings and brackets and skips
/// the rest.
fn names(body: &[u8]) -> impl Iterator<Item = (usize, usize)> {
    let mut depth = 0_usize;
    let mut at = 0;
    std::iter::from_fn(move || {
        while let Some(byte) = body.get(at) {
            match byte {
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth = depth.saturating_sub(1),
                b'"' => {
                    let start = at;
                    at = string_end(body, start)?;
                    let is_name = || body.get(skip_blanks(body, at)) == Some(&b':');
                    if depth == 1 && is_name() {
                        return Some((start, at));
                    }
                    continue;
                }
                _ => {}
            }
            at += 1;
        }
        None
    })
}

/// The string value after the colon at `at`, if there is one.
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
    // `json::read` leaves no spare capacity, so the secret is moved without a copy.
    (!text.trim().is_empty()).then(|| SecretString::from(text))
}

fn skip_blanks(body: &[u8], at: usize) -> usize {
    let blanks = body.iter().skip(at).take_while(|b| b.is_ascii_whitespace()).count();
    at + blanks
}

/// The position after the closing quote of the string that opens at `start`.
fn string_end(body: &[u8], start: usize) -> Option<usize> {
    let mut at = start + 1;
    loop {
        let rest = body.get(at..)?;
        let special = rest.iter().position(|byte| matches!(byte, b'"' | b'\\'))?;
        if rest.get(special) == Some(&b'"') {
            return Some(at + special + 1);
        }
        // Past the character that is escaped.
        at += special + 2;
    }
}

/// Whether `body[start..end]` is the string literal of a text without quotes, with any escapes.
fn is_string(body: &[u8], start: usize, end: usize, text: &str) -> bool {
    let between_quotes = body.get(start + 1..end - 1).unwrap_or_default();
    between_quotes == text.as_bytes()
        || between_quotes.contains(&b'\\') && string(body, start, end).is_some_and(|found| found == text)
}

/// The string literal of `body[start..end]`, if it is a valid one.
fn string(body: &[u8], start: usize, end: usize) -> Option<String> {
    let mut text = String::new();
    json::read(std::str::from_utf8(body.get(start..end)?).ok()?, &mut text).ok()?;
    Some(text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Map, Value, json};

    use super::*;

    const KEY: &str = "ak-PLANTED-NEW-9876543210";

    const MEMBERS: &[&str] = &[
        "id",
        "name",
        "description",
        "key_type",
        "status",
        "redacted_key",
        "created_at",
        "expires_at",
        "bot_user",
        "created_by_user_id",
        "last_used_at",
        "organizations",
        "key",
    ];

    /// Placeholders for a value.
    const DAMAGE: &[&[u8]] = &[
        b"NaN",
        b"Infinity",
        b"'x'",
        b"01",
        b"\"\\ud800\"",
        b"\"\xff\"",
        b"\"\x00\"",
        b"\"\n\"",
        b"1e999",
        b"undefined",
        b"+1",
        b"\xff\xfe",
    ];

    fn decoded(body: &[u8]) -> Option<String> {
        decode(body).key.map(|key| key.expose_secret().to_owned())
    }

    #[track_caller]
    fn assert_key(body: &str, expected: Option<&str>) {
        assert_eq!(decoded(body.as_bytes()).as_deref(), expected, "{body}");
    }

    #[test]
    fn escapes_are_undone() {
        assert_key(r#"{"key":"\u0061k-1"}"#, Some("ak-1"));
        assert_key(r#"{"\u006bey":"ak-1"}"#, Some("ak-1"));
        assert_key(r#"{"key":"a\"k\\\/\n\ud83d\udd11"}"#, Some("a\"k\\/\n🔑"));
    }

    #[test]
    fn only_the_key_of_the_outermost_object_counts() {
        assert_key(r#"{"bot_user":{"key":"inner"},"key":"ak-1"}"#, Some("ak-1"));
        assert_key(r#"{"list":[{"key":"inner"}],"key":"ak-1"}"#, Some("ak-1"));
        assert_key(r#"{"bot_user":{"key":"inner"}}"#, None);
        assert_key(r#"[{"key":"inner"}]"#, None);
        assert_key(r#"{"name":"key","x":"not it"}"#, None);
        assert_key(r#"{"name":"\"key\":\"not it\""}"#, None);
        assert_key(r#"{"KEY":"not it","keys":"nor this"," key":"nor this"}"#, None);
    }

    #[test]
    fn what_is_no_text_is_no_key() {
        for value in
            ["null", "7", "-1.5", "true", "[]", r#"["ak-1"]"#, r#"{"key":"ak-1"}"#, r#""""#, r#"" ""#, r#""\n""#]
        {
            assert_key(&format!(r#"{{"key":{value}}}"#), None);
            // And a later one that is a text still counts.
            assert_key(&format!(r#"{{"key":{value},"key":"ak-1"}}"#), Some("ak-1"));
        }
        assert_key("{}", None);
        assert_key("", None);
        assert_key("null", None);
    }

    #[test]
    fn the_first_text_counts() {
        assert_key(r#"{"key":"ak-1","key":"ak-2"}"#, Some("ak-1"));
        assert_key(r#"{"key":"ak-1","key":null}"#, Some("ak-1"));
    }

    #[test]
    fn blanks_do_not_count() {
        assert_key("\r\n{ \t\"key\"\n :\r \"ak-1\" }", Some("ak-1"));
    }

    #[test]
    fn a_key_that_is_not_text_is_not_altered() {
        let body = [&br#"{"id":"a","key":"ak-"#[..], b"\xff", br#"1"}"#].concat();
        let minted = decode(&body);
        assert!(minted.key.is_none());
        assert_eq!(minted.fields.id, "a");
        for bad in [r"\ud800", r"\x", "\u{1}"] {
            assert_eq!(decoded(format!(r#"{{"key":"ak-{bad}1"}}"#).as_bytes()), None);
        }
    }

    #[test]
    fn nesting_never_overflows_the_stack() {
        for (open, close) in [("[", "]"), (r#"{"a":"#, "}")] {
            let deep = format!("{}7{}", open.repeat(100_000), close.repeat(100_000));
            let unclosed = open.repeat(100_000);
            assert_eq!(decoded(format!(r#"{{"x":{deep},"key":"{KEY}"}}"#).as_bytes()).as_deref(), Some(KEY));
            assert_eq!(decoded(format!(r#"{{"key":"{KEY}","x":{deep}}}"#).as_bytes()).as_deref(), Some(KEY));
            assert_eq!(decoded(format!(r#"{{"key":"{KEY}","x":{unclosed}"#).as_bytes()).as_deref(), Some(KEY));
            assert_eq!(decoded(format!(r#"{{"key":{deep}}}"#).as_bytes()), None);
            assert_eq!(decoded(deep.as_bytes()), None);
            assert_eq!(decoded(unclosed.as_bytes()), None);
        }
    }

    /// Any value, wide and deep enough to be odd.
    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
            Just(json!("key")),
            Just(json!("2026-13-01")),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::vec((member_name(), inner), 0..4)
                    .prop_map(|members| Value::from(members.into_iter().collect::<Map<_, _>>())),
            ]
        })
    }

    fn member_name() -> impl Strategy<Value = String> {
        prop_oneof![3 => prop::sample::select(MEMBERS).prop_map(str::to_owned), 1 => any::<String>()]
    }

    /// Members other than `key`, as text.
    fn members() -> impl Strategy<Value = Vec<String>> {
        let member = (member_name(), value()).prop_filter("another member", |(name, _)| name != "key");
        let text = member.prop_map(|(name, value)| format!("{}:{value}", Value::from(name)));
        prop::collection::vec(text, 0..6)
    }

    fn secret() -> impl Strategy<Value = String> {
        prop_oneof!["ak-[A-Za-z0-9_-]{8,40}", any::<String>()].prop_filter("not blank", |key| !key.trim().is_empty())
    }

    fn created(before: &[String], secret: &str, after: &[String]) -> String {
        let key = format!(r#""key":{}"#, Value::from(secret));
        let members: Vec<&str> =
            before.iter().map(String::as_str).chain([key.as_str()]).chain(after.iter().map(String::as_str)).collect();
        format!("{{{}}}", members.join(","))
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_whole_key_is_read_whatever_stands_around_it(before in members(), after in members(), secret in secret()) {
            let body = created(&before, &secret, &after);
            let found = decoded(body.as_bytes());
            prop_assert_eq!(found.as_ref(), Some(&secret));
        }

        #[test]
        fn a_prefix_has_the_whole_key_or_none(before in members(), after in members(), secret in secret()) {
            let body = created(&before, &secret, &after);
            let key_ends = created(&before, &secret, &[]).len() - 1;
            for end in 0..=body.len() {
                let expected = (end >= key_ends).then_some(&secret);
                let found = decoded(&body.as_bytes()[..end]);
                prop_assert_eq!(found.as_ref(), expected, "{} bytes", end);
            }
        }

        #[test]
        fn damage_elsewhere_does_not_count(
            before in members(),
            after in members(),
            secret in secret(),
            damage in prop::sample::select(DAMAGE),
            first in any::<bool>(),
            junk in "[^\"{}\\[\\]]{0,9}",
            mark in any::<bool>(),
        ) {
            let whole = created(&before, &secret, &after);
            let member = [&b"\"odd\":"[..], damage].concat();
            let inner = whole.as_bytes()[1..whole.len() - 1].to_vec();
            let inner = if first { [member, inner].join(&b","[..]) } else { [inner, member].join(&b","[..]) };
            let mark: &[u8] = if mark { b"\xef\xbb\xbf" } else { b"" };
            let body = [mark, b"{", &inner, b"}", junk.as_bytes()].concat();
            let found = decoded(&body);
            prop_assert_eq!(found.as_ref(), Some(&secret));
        }

        #[test]
        fn no_bytes_are_too_odd(body in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = decoded(&body);
        }

        #[test]
        fn no_brackets_are_too_odd(body in "[\\[\\]{}\":, \\\\key0]{0,60}") {
            let found = decoded(body.as_bytes());
            // Where the body is JSON, it is what any other reader finds; of two, that one takes the last.
            if let Ok(value) = serde_json::from_str::<Value>(&body)
                && body.matches("key").count() < 2
            {
                let key = value.get("key").and_then(Value::as_str).filter(|key| !key.trim().is_empty());
                prop_assert_eq!(found.as_deref(), key);
            }
        }
    }
}
