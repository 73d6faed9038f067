//! Handing a new secret to commands, on their stdin.

use arize_api_keys::{ApiKeyCreated, ExposeSecret};

use crate::failure::{Failure, printable};
use crate::shell::{Shell, about_key};

/// The commands that take a new secret, in this order.
pub(crate) struct Commands {
    shell: Shell,
    texts: Vec<String>,
}

/// A command that did not take the secret.
pub(crate) struct NotTaken {
    pub(crate) problem: String,
    /// The commands before it, which did.
    pub(crate) taken: Option<String>,
}

impl Commands {
    /// Before anything is created: checks that each command exists.
    pub(crate) fn prepare(texts: &[String], shell: Shell) -> Result<Self, Failure> {
        texts.iter().try_for_each(|text| shell.check("--to-command", text))?;
        Ok(Self { shell, texts: texts.to_vec() })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }

    /// The commands, for messages.
    pub(crate) fn location(&self) -> Option<String> {
        quoted(&self.texts)
    }

    /// Runs the commands one after the other, until one fails.
    pub(crate) fn deliver(&self, created: &ApiKeyCreated) -> Result<(), NotTaken> {
        let environment = about_key(&created.id, &created.name, created.expires_at);
        for (n, text) in self.texts.iter().enumerate() {
            if let Err(problem) = self.shell.run(text, &environment, created.key.expose_secret().as_bytes()) {
                let problem = format!("the command `{}` did not take it: {problem}", printable(text));
                return Err(NotTaken { problem, taken: self.texts.get(..n).and_then(quoted) });
            }
        }
        Ok(())
    }
}

fn quoted(texts: &[String]) -> Option<String> {
    let texts: Vec<String> = texts.iter().map(|text| format!("`{}`", printable(text))).collect();
    (!texts.is_empty()).then(|| texts.join(", "))
}
