//! Handing a new secret to commands, on their stdin.

use std::ffi::OsString;
use std::sync::Arc;
use std::time::Duration;

use arize_api_keys::{ApiKeyCreated, ExposeSecret};

use crate::console::Console;
use crate::failure::{Code, Failure, printable};
use crate::system::{Exit, ShellCommand, System};
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

/// The commands that take a new secret, in this order.
pub(crate) struct Commands {
    system: Arc<dyn System>,
    texts: Vec<String>,
    timeout: Duration,
    /// The variables that the commands do not get.
    removed: Vec<OsString>,
}

impl Commands {
    /// Before anything is created: checks that each command exists, where its first word is plain.
    pub(crate) fn prepare(texts: &[String], timeout: Duration, console: &Console) -> Result<Self, Failure> {
        let system = Arc::clone(&console.system);
        let commands = Self { system, texts: texts.to_vec(), timeout, removed: own_key_variables(console) };
        texts.iter().try_for_each(|text| commands.check(text))?;
        Ok(commands)
    }

    fn check(&self, text: &str) -> Result<(), Failure> {
        let word = text.split_whitespace().next().unwrap_or_default();
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '/' | '+' | '-');
        if cfg!(windows) || word.is_empty() || !word.chars().all(is_plain) {
            return Ok(());
        }
        match self.run(&format!("command -v {word}"), &[], &[]) {
            Ok(()) => Ok(()),
            Err(_) => {
                let message =
                    format!("--to-command: the command `{}` was not found; nothing was created", printable(word));
                Err(Failure::new(Code::Usage, message))
            }
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }

    /// The commands, for messages.
    pub(crate) fn location(&self) -> Option<String> {
        (!self.is_empty()).then(|| quoted(&self.texts))
    }

    /// Runs the commands one after the other, until one fails.
    ///
    /// # Errors
    ///
    /// The command that did not take the secret, and those that did.
    pub(crate) fn deliver(&self, created: &ApiKeyCreated) -> Result<(), String> {
        let set = |name: &str, value: &str| (OsString::from(name), Some(OsString::from(value)));
        let expires_at = created.expires_at.map(|at| OsString::from(rfc3339(at)));
        let environment = [
            set("ARIZE_KEY_ID", &created.id),
            set("ARIZE_KEY_NAME", &created.name),
            (OsString::from("ARIZE_KEY_EXPIRES_AT"), expires_at),
        ];
        for (n, text) in self.texts.iter().enumerate() {
            self.run(text, &environment, created.key.expose_secret().as_bytes()).map_err(|problem| {
                let taken = self.texts.get(..n).filter(|taken| !taken.is_empty());
                let taken = taken.map_or_else(String::new, |taken| format!("; {} took it", quoted(taken)));
                format!("the command `{}` did not take it: {problem}{taken}", printable(text))
            })?;
        }
        Ok(())
    }

    fn run(&self, text: &str, environment: &[(OsString, Option<OsString>)], input: &[u8]) -> Result<(), String> {
        let removed = self.removed.iter().map(|name| (name.clone(), None));
        let environment: Vec<_> = environment.iter().cloned().chain(removed).collect();
        let command = ShellCommand { text, environment: &environment, input, timeout: self.timeout };
        match self.system.shell(&command).map(|finished| finished.status) {
            Ok(Exit::Code(0)) => Ok(()),
            Ok(Exit::Code(code)) => Err(format!("it ended with status {code}")),
            Ok(Exit::Signal(signal)) => Err(format!("signal {signal} ended it")),
            Err(error) => Err(error.to_string()),
        }
    }
}

fn quoted(texts: &[String]) -> String {
    texts.iter().map(|text| format!("`{}`", printable(text))).collect::<Vec<_>>().join(", ")
}
