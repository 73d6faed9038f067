//! An API key in a file, which is read again when the service no longer accepts the key.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use http::HeaderValue;
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};

use super::headers;
use crate::error::ConfigError;

/// The file and the key that it had when it was last read. Threads share one read.
pub(crate) struct KeyFile {
    path: PathBuf,
    current: Mutex<ApiKey>,
}

/// A key, and the number of keys before it.
#[derive(Clone)]
pub(crate) struct ApiKey {
    pub(crate) secret: SecretString,
    pub(crate) bearer: HeaderValue,
    generation: u64,
}

impl KeyFile {
    /// Reads the file.
    pub(super) fn open(path: &Path, setting: &'static str) -> Result<Self, ConfigError> {
        let secret = read(path, setting)?;
        let bearer = headers::bearer(&secret)?;
        Ok(Self { path: path.to_owned(), current: Mutex::new(ApiKey { secret, bearer, generation: 0 }) })
    }

    pub(crate) fn current(&self) -> ApiKey {
        self.lock().clone()
    }

    /// A key other than `refused`, which the service answered with 401: the one that another thread has read, else the one in
    /// the file. `None` if there is no other key; a file that cannot be read keeps the key.
    pub(crate) fn newer_than(&self, refused: &ApiKey) -> Option<ApiKey> {
        let mut current = self.lock();
        if current.generation > refused.generation {
            return Some(current.clone());
        }
        let secret = read(&self.path, "api_key_file").ok()?;
        if secret.expose_secret() == current.secret.expose_secret() {
            return None;
        }
        let bearer = headers::bearer(&secret).ok()?;
        *current = ApiKey { secret, bearer, generation: current.generation + 1 };
        Some(current.clone())
    }

    fn lock(&self) -> MutexGuard<'_, ApiKey> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn read(path: &Path, setting: &'static str) -> Result<SecretString, ConfigError> {
    let shown = path.display();
    let fault = |problem: String| ConfigError::new(setting, problem);
    let text = std::fs::read_to_string(path)
        .map_err(|error| fault(format!("names the file {shown}, which cannot be read")).with_source(error))?;
    let text = Zeroizing::new(text);
    let key = alone(&text).map_err(|defect| fault(format!("names the file {shown}, which {defect}")))?;
    headers::checked_key(&SecretString::from(key), "api_key_file")
        .map_err(|_| fault(format!("names the file {shown}, which holds no usable API key")))
}

/// The key in a text: alone, in quotes, or as `NAME=value`. A byte order mark, blanks and comments do not count.
fn alone(text: &str) -> Result<&str, &'static str> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let line = lines.next().ok_or("is empty")?;
    if lines.next().is_some() {
        return Err("has several lines: keep the API key alone in it");
    }
    let is_name = |name: &str| name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') && !name.is_empty();
    let setting = line.strip_prefix("export ").unwrap_or(line);
    let value = match setting.split_once('=') {
        Some((name, value)) if is_name(name.trim()) && !value.is_empty() => value.trim(),
        _ => line,
    };
    let quoted = ['"', '\''].iter().find_map(|quote| value.strip_prefix(*quote)?.strip_suffix(*quote));
    Ok(quoted.unwrap_or(value).trim())
}
