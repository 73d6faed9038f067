//! The keys that the program could read, for messages that are shown before it has read one.

use std::ffi::OsString;
use std::io::Read;
use std::path::{Path, PathBuf};

use arize_api_keys::secrecy::SecretString;

use crate::redact::{Secrets, is_like_a_key};
use crate::system::{Access, FileKind, System};
use crate::{api_key, profile};

/// A larger file is not worth the time.
const FILE_LIMIT: u64 = 256 * 1024;

/// Learns the keys in the files that the arguments and the environment name, whether or not the arguments are right. Only
/// regular files: a pipe can be read once, and may block.
pub(crate) fn learn(secrets: &Secrets, args: &[OsString], system: &dyn System) {
    let mut files: Vec<PathBuf> = values(args, "--api-key-file");
    files.extend(values(args, "--api-key-env-file"));
    files.extend(system.variable("ARIZE_API_KEY_FILE").map(PathBuf::from));
    let profiles = values(args, "--profile").into_iter().chain(system.variable("ARIZE_PROFILE").map(PathBuf::from));
    files.extend(profiles.flat_map(|name| profile::files(&name.to_string_lossy(), system)));
    let names = values(args, "--api-key-env-name");
    for content in files.iter().filter_map(|path| regular(path, system)) {
        // The last one is in a profile.
        let names = names.iter().map(|name| name.to_string_lossy()).chain(["api_key".into()]);
        for key in api_key::all_in(&content, names) {
            secrets.learn(&SecretString::from(key));
        }
        let text = String::from_utf8_lossy(&content);
        let words = text.split(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '=' | ',' | ':'));
        words.filter(|word| is_like_a_key(word)).for_each(|word| secrets.learn(&word.into()));
    }
}

/// The values of an option, before `--`.
fn values(args: &[OsString], option: &str) -> Vec<PathBuf> {
    let mut values = Vec::new();
    let mut args = args.iter().take_while(|arg| *arg != "--");
    while let Some(arg) = args.next() {
        if arg == option {
            values.extend(args.next().map(PathBuf::from));
        } else if let Some(value) = arg.to_str().and_then(|arg| arg.strip_prefix(option)?.strip_prefix('=')) {
            values.push(value.into());
        }
    }
    values
}

fn regular(path: &Path, system: &dyn System) -> Option<Vec<u8>> {
    let found = system.metadata(path).ok()?;
    let mut content = Vec::new();
    if found.kind == FileKind::Regular && found.len < FILE_LIMIT {
        system.open(path, Access::Read).ok()?.take(FILE_LIMIT).read_to_end(&mut content).ok()?;
    }
    Some(content)
}
