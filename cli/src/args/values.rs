//! Parsers of values that several commands take.

use std::path::PathBuf;

use crate::redact::{is_like_a_key, is_unsafe};
use arize_api_keys::{ApiStage, TlsBackend, TlsRoots};
use clap::builder::{OsStringValueParser, PossibleValuesParser, StringValueParser, TypedValueParser};
use glob::Pattern;

/// A text that is not blank.
pub(super) fn text() -> impl TypedValueParser<Value = String> {
    StringValueParser::new().try_map(|text| if is_blank(&text) { Err(BLANK) } else { Ok(text) })
}

/// The id of something: not blank, and no key.
pub(super) fn id() -> impl TypedValueParser<Value = String> {
    text().try_map(|id| {
        if is_like_a_key(&id) {
            Err("it is an API key, and no id; `arize-keys check` shows the id of a key")
        } else if matches!(id.as_str(), "." | "..") {
            Err("it would name another resource")
        } else {
            Ok(id)
        }
    })
}

/// A path that is not blank.
pub(super) fn path() -> impl TypedValueParser<Value = PathBuf> {
    OsStringValueParser::new().try_map(|path| match path.to_str() {
        Some(text) if is_blank(text) => Err(BLANK),
        _ => Ok(PathBuf::from(path)),
    })
}

/// A stage of the API.
pub(super) fn stage() -> impl TypedValueParser<Value = ApiStage> {
    PossibleValuesParser::new(["beta", "alpha"]).try_map(|word| word.parse::<ApiStage>())
}

/// A pattern for the whole of a name, case-sensitive: `*`, `?` and `[…]`.
pub(super) fn glob() -> impl TypedValueParser<Value = Pattern> {
    text().try_map(|text| Pattern::new(&text).map_err(|error| format!("{}: write `*`, `?` and `[…]`", error.msg)))
}

/// A TLS library.
pub(super) fn tls() -> impl TypedValueParser<Value = TlsBackend> {
    PossibleValuesParser::new(["rustls", "native-tls"])
        .map(|word| if word == "rustls" { TlsBackend::Rustls } else { TlsBackend::NativeTls })
}

/// A set of certificate authorities.
pub(super) fn roots() -> impl TypedValueParser<Value = TlsRoots> {
    PossibleValuesParser::new(["webpki", "platform"])
        .map(|word| if word == "webpki" { TlsRoots::WebPki } else { TlsRoots::Platform })
}

const BLANK: &str = "it is blank";

/// Nothing that a reader sees: a variable that is not set leaves such a text.
pub(crate) fn is_blank(text: &str) -> bool {
    text.chars().all(|c| c.is_whitespace() || is_unsafe(c) || c == '\u{2800}')
}
