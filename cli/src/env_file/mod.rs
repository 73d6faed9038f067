//! Setting one variable in a `.env` file: lines of `NAME=value` that many programs read, each by its own grammar.
//!
//! The file is edited only where all readers find the same settings of the variable. The edited file is checked by the grammars
//! here and by the crate `dotenvy`, so a place that a reader would take for something else is refused, and never written.

mod statements;
#[cfg(test)]
mod tests;

use std::fmt;

use self::statements::{Reader, Setting, settings};

/// A stand-in for the secret, to try an edit before the secret exists.
pub(crate) const PLACEHOLDER: &str = "ak-placeholder";

/// Why a variable cannot be set in a file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct CannotSet(String);

impl fmt::Display for CannotSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The file with `name` set to `value` once: at the first setting of the variable, or at the end.
///
/// Other settings of it are removed, their comments stay. A comment behind a value moves to a line above, because Docker takes it
/// for a part of the value. A byte order mark is removed. Everything else stays, byte for byte.
pub(crate) fn set(file: &[u8], name: &str, value: &str) -> Result<Vec<u8>, CannotSet> {
    if !is_plain(value) {
        return Err(CannotSet("the secret has characters that not every reader of such a file takes alike".to_owned()));
    }
    let file = text(file)?;
    let edited = edit(file, &agreed(file, name)?, name, value);
    match agreed(&edited, name).unwrap_or_default().as_slice() {
        [setting] if setting.value() == value && holds(edited.as_bytes(), name, value) => Ok(edited.into_bytes()),
        _ => Err(CannotSet(format!(
            "`{name}={value}` would not be read back from it: look for a quote or a `$(` that is not closed"
        ))),
    }
}

/// Whether an independent reader finds this value, and no other one, in the file.
pub(crate) fn holds(file: &[u8], name: &str, value: &str) -> bool {
    values(file, name) == [value]
}

/// The value of the variable, if an independent reader finds exactly one.
pub(crate) fn get(file: &[u8], name: &str) -> Option<String> {
    let [value] = <[String; 1]>::try_from(values(file, name)).ok()?;
    Some(value)
}

fn values(file: &[u8], name: &str) -> Vec<String> {
    // `dotenvy` would try a line that is not UTF-8 for ever.
    let file = std::str::from_utf8(file).unwrap_or_default();
    // A line that this reader rejects is no setting for it.
    let settings = dotenvy::from_read_iter(file.as_bytes()).filter_map(Result::ok);
    settings.filter(|(key, _)| key == name).map(|(_, value)| value).collect()
}

/// Letters, digits and signs that mean themselves, unquoted, to every reader.
fn is_plain(value: &str) -> bool {
    !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_./+=:@%,".contains(&byte))
}

fn text(file: &[u8]) -> Result<&str, CannotSet> {
    let text = std::str::from_utf8(file).map_err(|error| {
        let lines = file.get(..error.valid_up_to()).unwrap_or_default().split(|byte| *byte == b'\n').count();
        CannotSet(format!("line {lines} is not UTF-8 text"))
    })?;
    let text = text.trim_start_matches('\u{feff}');
    for (n, line) in text.split('\n').enumerate() {
        let line = line.strip_suffix('\r').filter(|_| text.contains('\n')).unwrap_or(line);
        if line.contains(['\r', '\0']) {
            return Err(CannotSet(format!("line {} has a control character that readers take differently", n + 1)));
        }
    }
    Ok(text)
}

/// The settings of a variable, if all readers find the same ones.
fn agreed<'a>(file: &'a str, name: &str) -> Result<Vec<Setting<'a>>, CannotSet> {
    let shell = settings(file, name, &Reader::SHELL);
    for reader in [Reader::PYTHON, Reader::NODE] {
        let found = settings(file, name, &reader);
        if found != shell {
            let differ = |a: &[Setting<'_>], b: &[Setting<'_>]| a.iter().find(|a| !b.contains(a)).map(|a| a.start);
            let at = differ(&found, &shell).into_iter().chain(differ(&shell, &found)).min().unwrap_or_default();
            return Err(unclear(file, at, name));
        }
    }
    match shell.iter().find(|setting| setting.is_entangled) {
        Some(setting) => Err(unclear(file, setting.start, name)),
        None => Ok(shell),
    }
}

fn unclear(file: &str, at: usize, name: &str) -> CannotSet {
    let line = file.get(..at).unwrap_or_default().matches('\n').count() + 1;
    CannotSet(format!(
        "line {line} may set {name}, or may not, by who reads it: write `{name}=…` alone on that line, or remove the line"
    ))
}

fn edit(file: &str, settings: &[Setting<'_>], name: &str, value: &str) -> String {
    // The line ending of the last line that has one.
    let newline = match file.rfind('\n') {
        Some(at) if file.get(..at).is_some_and(|before| before.ends_with('\r')) => "\r\n",
        _ => "\n",
    };
    let mut edited = String::with_capacity(file.len() + name.len() + value.len() + 2);
    let mut copied = 0;
    let export = if settings.iter().any(|setting| setting.is_export) { "export " } else { "" };
    for (n, setting) in settings.iter().enumerate() {
        edited.push_str(file.get(copied..setting.start).unwrap_or_default());
        copied = setting.start + setting.text.len();
        let ending = setting.ending();
        if let Some(comment) = setting.comment() {
            let ending = if ending.is_empty() && n == 0 { newline } else { ending };
            edited.extend([comment, ending]);
        }
        if n == 0 {
            // Not indented: older versions of node take an indented comment, or a tab, for a part of the name.
            edited.extend([export, name, "=", value, ending]);
        }
    }
    edited.push_str(file.get(copied..).unwrap_or_default());
    if settings.is_empty() {
        if !edited.is_empty() && !edited.ends_with('\n') {
            edited.push_str(newline);
        }
        edited.extend([name, "=", value, newline]);
    }
    edited
}

/// Whether shells take it for the name of a variable.
pub(crate) fn name(text: &str) -> Result<String, String> {
    let mut bytes = text.bytes();
    let begins = bytes.next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_');
    if begins && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        Ok(text.to_owned())
    } else {
        Err("a name of a variable has letters, digits and `_`, and does not begin with a digit".to_owned())
    }
}
