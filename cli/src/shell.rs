//! Shell commands of the user: without the caller's own key in their environment.

use std::ffi::OsString;
use std::time::Duration;

use arize_api_keys::ExposeSecret;
use arize_api_keys::time::OffsetDateTime;

use crate::console::Console;
use crate::failure::{Code, Failure, printable};
use crate::system::{Exit, ShellCommand};
use crate::times::rfc3339;

/// The variables that lead to the caller's own key.
const OWN_KEY_VARIABLES: [&str; 3] = ["ARIZE_API_KEY", "ARIZE_API_KEY_FILE", "ARIZE_PROFILE"];

/// The variables that lead to the caller's own key, and those that hold it, as `Bearer …` for one.
pub(crate) fn own_key_variables(console: &Console) -> Vec<OsString> {
    let own = console.own_key().map(ExposeSecret::expose_secret);
    let holds_own_key = |value: &OsString| own.is_some_and(|own| value.to_string_lossy().contains(own));
    let variables = console.system.variables().into_iter();
    let holding = variables.filter(|(_, value)| holds_own_key(value)).map(|(name, _)| name);
    OWN_KEY_VARIABLES.into_iter().map(OsString::from).chain(holding).collect()
}

/// Variables to set, and, with `None`, to remove.
pub(crate) type Environment = Vec<(OsString, Option<OsString>)>;

/// The shell for the commands of one run.
#[derive(Clone)]
pub(crate) struct Shell {
    console: Console,
    /// For each command, as far as `--timeout` leaves it.
    timeout: Duration,
    /// The variables that the commands do not get.
    removed: Vec<OsString>,
}

impl Shell {
    pub(crate) fn new(timeout: Duration, console: &Console) -> Self {
        Self { console: console.clone(), timeout, removed: own_key_variables(console) }
    }

    /// Before anything is created: checks that the command of this option exists, where its first word is plain.
    pub(crate) fn check(&self, option: &str, text: &str) -> Result<(), Failure> {
        let word = text.split_whitespace().next().unwrap_or_default();
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '/' | '+' | '-');
        if cfg!(windows) || word.is_empty() || !word.chars().all(is_plain) {
            return Ok(());
        }
        match self.run(&format!("command -v {word}"), &Environment::new(), &[]) {
            Ok(_) => Ok(()),
            Err(_) => {
                let word = printable(word);
                Err(Failure::new(Code::Usage, format!("{option}: the command `{word}` was not found")))
            }
        }
    }

    /// Runs a command to its end. Returns its stdout.
    ///
    /// # Errors
    ///
    /// How it ended, if not with status 0.
    pub(crate) fn run(&self, text: &str, environment: &Environment, input: &[u8]) -> Result<Vec<u8>, String> {
        let removed = self.removed.iter().map(|name| (name.clone(), None));
        let environment: Environment = environment.iter().cloned().chain(removed).collect();
        let timeout = self.console.remaining().map_or(self.timeout, |time| time.min(self.timeout));
        let command = ShellCommand { text, environment: &environment, input, timeout };
        match self.console.system.shell(&command) {
            Ok(finished) => match finished.status {
                Exit::Code(0) => Ok(finished.stdout),
                Exit::Code(code) => Err(format!("it ended with status {code}")),
                Exit::Signal(signal) => Err(format!("signal {signal} ended it")),
            },
            Err(error) => Err(error.to_string()),
        }
    }
}

/// A text as one word of a shell.
pub(crate) fn quoted(text: &str) -> String {
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:/=+@%".contains(&byte)) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// The new key, as a command learns about it.
pub(crate) fn about_key(id: &str, name: &str, expires_at: Option<OffsetDateTime>) -> Environment {
    let set = |variable: &str, value: &str| (OsString::from(variable), Some(OsString::from(value)));
    vec![
        set("ARIZE_KEY_ID", id),
        set("ARIZE_KEY_NAME", name),
        (OsString::from("ARIZE_KEY_EXPIRES_AT"), expires_at.map(|at| OsString::from(rfc3339(at)))),
    ]
}
