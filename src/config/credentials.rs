//! The API key of a client, which a file may replace while the client is in use.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::HeaderValue;
use secrecy::zeroize::Zeroize;
use secrecy::{ExposeSecret, SecretString};

use super::key_text::{self, KEY_VARIABLE};
use super::source::{Env, Sourced};
use crate::error::ConfigError;
use crate::percent::percent_encode;
use crate::redact::{sanitize, shows_secret};

const FILE_VARIABLE: &str = "ARIZE_API_KEY_FILE";

/// More than any `.env` file has.
const FILE_LIMIT: u64 = 64 * 1024;

/// The keys that messages must not show: the key in use and those before it.
const KNOWN_KEYS: usize = 4;

/// One key, ready to send.
pub(crate) struct Credential {
    authorization: HeaderValue,
    /// This key first, then those before it, one a line.
    known_keys: SecretString,
    /// The same keys as they are in a URL.
    keys_in_url: SecretString,
}

impl Credential {
    fn new(key: &str, before: &str) -> Result<Self, ConfigError> {
        let mut authorization = HeaderValue::try_from(["Bearer ", key].concat())
            .map_err(|_| ConfigError::new("api_key", "cannot be sent in a header"))?;
        authorization.set_sensitive(true);
        let known: Vec<&str> = [key].into_iter().chain(before.lines()).take(KNOWN_KEYS).collect();
        let in_url: Vec<String> = known.iter().map(|key| percent_encode(key).to_string()).collect();
        let (known_keys, keys_in_url) = (known.join("\n").into(), in_url.join("\n").into());
        Ok(Self { authorization, known_keys, keys_in_url })
    }

    pub(crate) fn authorization(&self) -> HeaderValue {
        self.authorization.clone()
    }

    /// The key and those that the client had before it, one a line: texts for people must not hold them.
    pub(crate) fn known_keys(&self) -> &str {
        self.known_keys.expose_secret()
    }

    /// Whether the secret is the key or one that the client had before it.
    pub(crate) fn is_known(&self, secret: &SecretString) -> bool {
        self.known_keys().lines().any(|key| key == secret.expose_secret())
    }

    /// Whether the target of a request shows the key or one before it.
    pub(crate) fn is_in_target(&self, target: &str) -> bool {
        self.keys_in_url.expose_secret().lines().any(|key| shows_secret(target, key))
    }

    fn key(&self) -> &str {
        self.known_keys().lines().next().unwrap_or_default()
    }
}

/// The key of a client and its clones, and the file that it comes from.
pub(crate) struct Credentials {
    current: Mutex<Arc<Credential>>,
    file: Option<KeyFile>,
}

struct KeyFile {
    path: PathBuf,
    setting: &'static str,
    /// How often a read after a 401 began.
    reads: AtomicU64,
    reading: Mutex<()>,
}

impl Credentials {
    /// Two sources of one rank exclude each other: a program that sets both would not know which key it uses.
    pub(super) fn resolve(key: Option<&SecretString>, file: Option<&Path>, env: &Env<'_>) -> Result<Self, ConfigError> {
        let excludes =
            |one: &'static str, other| Err(ConfigError::new(one, format!("excludes `{other}`: set one of them")));
        match (key, file) {
            (Some(_), Some(_)) => return excludes("api_key_file", "api_key"),
            (Some(key), None) => return Self::of_key(key, "api_key"),
            (None, Some(path)) => {
                return Self::of_file(Sourced { value: path.to_owned(), setting: "api_key_file" });
            }
            (None, None) => {}
        }
        let key = env.read_blank(KEY_VARIABLE)?;
        match (key, env.path(FILE_VARIABLE)) {
            (Some(key), Some(_)) if !key.value.trim().is_empty() => excludes(FILE_VARIABLE, KEY_VARIABLE),
            (_, Some(path)) => Self::of_file(path),
            (Some(key), None) => Self::of_key(&SecretString::from(key.value), KEY_VARIABLE),
            (None, None) => Err(ConfigError::new("api_key", "is missing: set it, or the variable ARIZE_API_KEY")),
        }
    }

    pub(super) fn of_key(key: &SecretString, setting: &'static str) -> Result<Self, ConfigError> {
        let key = key_text::in_setting(key.expose_secret()).map_err(|problem| ConfigError::new(setting, problem))?;
        Ok(Self { current: Mutex::new(Arc::new(Credential::new(key, "")?)), file: None })
    }

    fn of_file(file: Sourced<PathBuf>) -> Result<Self, ConfigError> {
        let file =
            KeyFile { path: file.value, setting: file.setting, reads: AtomicU64::new(0), reading: Mutex::default() };
        let key = file.read()?;
        Ok(Self { current: Mutex::new(Arc::new(Credential::new(key.expose_secret(), "")?)), file: Some(file) })
    }

    pub(crate) fn current(&self) -> Arc<Credential> {
        Arc::clone(&lock(&self.current))
    }

    /// After a 401: whether there is a newer key than the refused one. It reads the file unless the client has a newer key
    /// already. Threads that are refused at the same time share one read.
    pub(crate) fn renew(&self, refused: &Credential) -> bool {
        let Some(file) = &self.file else { return false };
        let reads = file.reads.load(Ordering::SeqCst);
        let is_newer = || self.current().key() != refused.key();
        if is_newer() {
            return true;
        }
        let _reading = lock(&file.reading);
        if is_newer() {
            return true;
        }
        // A read that began after this 401 found the same key.
        if file.reads.load(Ordering::SeqCst) != reads {
            return false;
        }
        file.reads.fetch_add(1, Ordering::SeqCst);
        // A pipe would block.
        if !file.path.is_file() {
            return false;
        }
        let Ok(key) = file.read() else { return false };
        let current = self.current();
        if key.expose_secret() == current.key() {
            return false;
        }
        let Ok(newer) = Credential::new(key.expose_secret(), current.known_keys()) else { return false };
        *lock(&self.current) = Arc::new(newer);
        true
    }
}

impl KeyFile {
    fn read(&self) -> Result<SecretString, ConfigError> {
        let fault = |problem: &str| {
            ConfigError::new(self.setting, format!("names the file {}, {problem}", shown_path(&self.path)))
        };
        let mut content = self.content().map_err(|error| fault("which cannot be read").with_source(error))?;
        let key = if content.len() as u64 > FILE_LIMIT {
            Err("which has more than 64 KiB".to_owned())
        } else {
            key_text::in_file(&content)
        };
        content.zeroize();
        key.map(SecretString::from).map_err(|problem| fault(&problem))
    }

    fn content(&self) -> io::Result<Vec<u8>> {
        let mut content = Vec::new();
        File::open(&self.path)?.take(FILE_LIMIT + 1).read_to_end(&mut content)?;
        Ok(content)
    }
}

/// A path for a message. It may be a key, given in place of the path.
pub(super) fn shown_path(path: &Path) -> String {
    sanitize(&path.to_string_lossy(), "")
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // No code panics while it holds a lock half-way through a change.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Without the keys.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("file", &self.file.as_ref().map(|file| shown_path(&file.path))).finish()
    }
}
