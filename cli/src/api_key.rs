//! The API key of the client: where it is read from, and the near-misses that are read all the same or refused by name.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use arize_api_keys::secrecy::{ExposeSecret, SecretString};

use crate::args::is_blank;
use crate::console::Console;
use crate::failure::{Code, Failure, NOTHING_SENT};
use crate::redact::{is_like_a_key, printable};
use crate::system::{FileKind, System};
use crate::{input, profile};

const VARIABLE: &str = "ARIZE_API_KEY";
const FILE_VARIABLE: &str = "ARIZE_API_KEY_FILE";

/// More than any file with a key has, in bytes.
const FILE_LIMIT: u64 = 64 * 1024;

/// A key, and how the client gets it.
pub(crate) struct Found {
    pub(crate) key: SecretString,
    pub(crate) source: Source,
}

pub(crate) enum Source {
    /// The client reads the same variable, and names it in its errors.
    Environment,
    /// The client reads the same file, and reads it again after a 401: the key may be rotated while a command runs.
    File(PathBuf),
    /// The client gets the key.
    Value,
}

/// The key that requests are made with. `None` if the client has to look for it.
pub(crate) fn find(console: &Console) -> Result<Option<Found>, Failure> {
    search(console).map_err(|failure| failure.state(NOTHING_SENT))
}

fn search(console: &Console) -> Result<Option<Found>, Failure> {
    let (args, system) = (&console.global.connection, &*console.system);
    let of_file = |path: &Path| {
        let key = in_file(&read(path, console)?).map_err(|defect| refused(&quoted(path), &defect))?;
        // A pipe can be read once.
        let is_regular = system.metadata(path).is_ok_and(|found| found.kind == FileKind::Regular);
        let is_file = path != Path::new("-") && is_regular;
        known(key, if is_file { Source::File(path.to_owned()) } else { Source::Value }, console)
    };
    if let Some(path) = &args.api_key_file {
        return of_file(path);
    }
    if let Some(path) = &args.api_key_env_file {
        let name = args.api_key_env_name.as_deref().unwrap_or(VARIABLE);
        let value = decode(&read(path, console)?).and_then(|text| setting(&text, name)).and_then(|value| alone(&value));
        return known(value.map_err(|defect| refused(&quoted(path), &defect))?, Source::Value, console);
    }
    if let Some(profile) = profile::named(console)? {
        let place = format!("the profile `{}`", printable(&profile.name));
        let key = alone(profile.key.expose_secret()).map_err(|defect| refused(&place, &defect))?;
        return known(key, Source::Value, console);
    }
    match (variable(VARIABLE, system), variable(FILE_VARIABLE, system)) {
        (Some(_), Some(_)) => {
            let message = format!("{VARIABLE} and {FILE_VARIABLE} are both set, and each names a key");
            Err(Failure::new(Code::Usage, message).hint("unset one of them"))
        }
        (None, Some(path)) => of_file(Path::new(&path)),
        (Some(value), None) => {
            let key = in_file(value.to_string_lossy().as_bytes()).map_err(|defect| refused(VARIABLE, &defect))?;
            let is_as_it_is = key == value.to_string_lossy().trim();
            known(key, if is_as_it_is { Source::Environment } else { Source::Value }, console)
        }
        (None, None) => Ok(None),
    }
}

/// A variable that is not blank.
fn variable(name: &str, system: &dyn System) -> Option<OsString> {
    system.variable(name).filter(|value| !is_blank(&value.to_string_lossy()))
}

fn quoted(path: &Path) -> String {
    format!("`{}`", printable(path.display()))
}

fn known(key: String, source: Source, console: &Console) -> Result<Option<Found>, Failure> {
    let key = SecretString::from(key);
    console.learn(&key)?;
    Ok(Some(Found { key, source }))
}

/// Where [`find`] looks, for people.
pub(crate) fn source(console: &Console) -> String {
    let (args, system) = (&console.global.connection, &*console.system);
    if let Some(path) = &args.api_key_file {
        return if path.as_os_str() == "-" { "stdin".to_owned() } else { format!("the file {}", path.display()) };
    }
    if let Some(path) = &args.api_key_env_file {
        return format!("{} in the file {}", args.api_key_env_name.as_deref().unwrap_or(VARIABLE), path.display());
    }
    let profile = args.profile.clone().map(OsString::from).or_else(|| variable("ARIZE_PROFILE", system));
    if let Some(name) = profile {
        return format!("the profile {}", name.to_string_lossy());
    }
    match variable(FILE_VARIABLE, system) {
        Some(path) if variable(VARIABLE, system).is_none() => format!("the file {}", path.to_string_lossy()),
        _ => VARIABLE.to_owned(),
    }
}

/// A key that the client refuses, from the place that has it.
pub(crate) fn refused_by_client(problem: &str, console: &Console) -> Failure {
    refused(&printable(source(console)), &format!("it {problem}"))
}

fn refused(place: &str, defect: &str) -> Failure {
    Failure::new(Code::Usage, format!("{place} holds no usable API key: {defect}"))
}

fn read(path: &Path, console: &Console) -> Result<Vec<u8>, Failure> {
    match input::read(path, FILE_LIMIT, console) {
        Ok(content) => Ok(content),
        Err(_) if path.to_str().is_some_and(is_like_a_key) => {
            let message = "an API key is given in place of the path of a file that holds one";
            Err(Failure::new(Code::Usage, message)
                .hint("set ARIZE_API_KEY, or write the key to a file that only you can read"))
        }
        Err(error) => Err(Failure::input("read the API key from", path, &error)),
    }
}

/// The key of a file that should hold nothing else. Quotes, a byte order mark, `Bearer` and one setting of a variable leave no
/// doubt about the key.
fn in_file(content: &[u8]) -> Result<String, String> {
    let text = decode(content)?;
    let lines: Vec<&str> =
        text.lines().map(str::trim).filter(|line| !is_blank(line) && !line.starts_with('#')).collect();
    let names: Vec<&str> = lines.iter().filter_map(|line| name(line)).collect();
    match lines.as_slice() {
        [] => Err("it is empty".to_owned()),
        [first, ..] if first.starts_with('{') => Err("it is JSON: take the member `key` out of it".to_owned()),
        _ if names.contains(&VARIABLE) => alone(&setting(&text, VARIABLE)?),
        [line] => match name(line) {
            Some(name) => alone(&setting(&text, name)?),
            None => alone(line),
        },
        _ if names.len() == lines.len() => Err(format!(
            "it sets {} variables, and {VARIABLE} is not one of them: use --api-key-env-file with --api-key-env-name",
            names.len()
        )),
        lines => Err(format!("it has {} lines, and the key must be alone", lines.len())),
    }
}

/// Every key that the program might take out of this content: alone in it, or as the value of one of these variables.
pub(crate) fn all_in(content: &[u8], names: impl Iterator<Item = impl AsRef<str>>) -> Vec<String> {
    let text = decode(content).unwrap_or_default();
    let names = names.map(|name| name.as_ref().to_owned()).chain([VARIABLE.to_owned()]);
    let settings = names.filter_map(|name| setting(&text, &name).and_then(|value| alone(&value)).ok());
    settings.chain(in_file(content)).collect()
}

/// The name of the variable that a line sets. A key with `=` at its end sets none.
fn name(line: &str) -> Option<&str> {
    let line = line.strip_prefix("export ").unwrap_or(line).trim_start();
    let (name, value) = line.split_once('=')?;
    let name = name.trim_end();
    let is_name = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && name.bytes().next().is_some_and(|byte| !byte.is_ascii_digit());
    (is_name && (name == VARIABLE || !value.trim_matches('=').is_empty())).then_some(name)
}

/// The value of a variable in a `.env` file.
fn setting(text: &str, name: &str) -> Result<String, String> {
    let mut values: Vec<String> = dotenvy::from_read_iter(text.as_bytes())
        .filter_map(|setting| setting.ok().filter(|(found, _)| found == name).map(|(_, value)| value))
        .collect();
    values.sort();
    values.dedup();
    match values.len() {
        0 => Err(format!("it does not set {name}")),
        1 => Ok(values.remove(0)),
        _ => Err(format!("it sets {name} to {} different values", values.len())),
    }
}

fn decode(content: &[u8]) -> Result<String, String> {
    let utf16 = |read: fn([u8; 2]) -> u16| {
        let units: Vec<u16> =
            content.chunks_exact(2).filter_map(|pair| pair.try_into().ok().map(read)).skip(1).collect();
        String::from_utf16(&units).ok()
    };
    let text = match content {
        [0xff, 0xfe, ..] => utf16(u16::from_le_bytes),
        [0xfe, 0xff, ..] => utf16(u16::from_be_bytes),
        _ => str::from_utf8(content).ok().map(|text| text.trim_start_matches('\u{feff}').to_owned()),
    };
    text.ok_or_else(|| "it is not text in UTF-8".to_owned())
}

/// A key without the quotes and the `Bearer` around it.
fn alone(text: &str) -> Result<String, String> {
    let mut key = text.trim();
    for quote in ['"', '\''] {
        if let Some(inner) = key.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote)) {
            key = inner.trim();
        }
    }
    if let Some((scheme, rest)) = key.split_once(' ')
        && scheme.eq_ignore_ascii_case("bearer")
    {
        key = rest.trim_start();
    }
    match key.chars().position(|c| !c.is_ascii_graphic()) {
        _ if key.is_empty() => Err("it is empty".to_owned()),
        Some(_) if key.contains([' ', '\t']) => Err("there is a blank in it".to_owned()),
        Some(at) => Err(format!("its character {} is not visible ASCII", at + 1)),
        None if key.contains(['"', '\'']) => Err("it has a quote at one end or inside".to_owned()),
        None => Ok(key.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "ak-Ab9_cDe-01Zz";

    #[test]
    fn near_misses_that_leave_no_doubt() {
        let utf16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
        for content in [
            KEY.to_owned(),
            format!("{KEY}\r\n"),
            format!("\u{feff}{KEY}\n"),
            format!("\"{KEY}\""),
            format!(" '{KEY}' \n\n"),
            format!("ARIZE_API_KEY={KEY}"),
            format!("export ARIZE_API_KEY = \"{KEY}\"  # mine\r\n"),
            format!("# a comment\nMY_KEY='{KEY}'\n"),
            format!("A=1\nARIZE_API_KEY={KEY}\nB=2\n"),
            format!("ARIZE_API_KEY={KEY}\nARIZE_API_KEY={KEY}\n"),
            format!("\u{feff}ARIZE_API_KEY={KEY}"),
            format!("Bearer {KEY}"),
            format!("\"bearer  {KEY}\""),
        ] {
            assert_eq!(in_file(content.as_bytes()).as_deref(), Ok(KEY), "{content:?}");
        }
        assert_eq!(in_file(&utf16(&format!("\u{feff}{KEY}\r\n"))).as_deref(), Ok(KEY));
        for key in ["abc==", "abc=", "a/b+c="] {
            assert_eq!(in_file(key.as_bytes()).as_deref(), Ok(key));
        }
    }

    #[test]
    fn defects() {
        for (content, defect) in [
            ("", "it is empty"),
            ("\u{feff}\n # \n", "it is empty"),
            ("''", "it is empty"),
            ("ARIZE_API_KEY=", "it is empty"),
            ("{\"key\": \"ak-x\"}", "it is JSON: take the member `key` out of it"),
            (
                "A=1\nB=2",
                "it sets 2 variables, and ARIZE_API_KEY is not one of them: use --api-key-env-file with --api-key-env-name",
            ),
            ("ARIZE_API_KEY=a\nARIZE_API_KEY=b", "it sets ARIZE_API_KEY to 2 different values"),
            ("ak-one\nak-two", "it has 2 lines, and the key must be alone"),
            ("\"ak-one", "it has a quote at one end or inside"),
            ("“ak-one”", "its character 1 is not visible ASCII"),
            ("ak-\u{200b}one", "its character 4 is not visible ASCII"),
            ("ak-one two", "there is a blank in it"),
        ] {
            assert_eq!(in_file(content.as_bytes()), Err(defect.to_owned()), "{content:?}");
        }
        assert_eq!(in_file(b"ak-\xff"), Err("it is not text in UTF-8".to_owned()));
    }
}
