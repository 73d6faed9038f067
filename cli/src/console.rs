//! The messages of the program on stderr, and the system that its commands act on.

use std::ffi::OsString;
use std::fmt::Display;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use arize_api_keys::secrecy::SecretString;
use indicatif::{ProgressBar, ProgressStyle};

use crate::args::Global;
use crate::failure::{Code, Failure};
use crate::redact::Secrets;
use crate::system::{Stream, System};

const ERROR: Style = AnsiColor::Red.on_default().bold();
const WARNING: Style = AnsiColor::Yellow.on_default().bold();
const HINT: Style = AnsiColor::Cyan.on_default();

/// The surroundings of a command: the system, the global options, and the keys that must not be shown.
#[derive(Clone)]
pub(crate) struct Console {
    pub(crate) system: Arc<dyn System>,
    pub(crate) global: Arc<Global>,
    args: Arc<[OsString]>,
    /// When `--timeout` ends, by the clock of the system.
    deadline: Arc<Mutex<Option<Duration>>>,
    pub(crate) secrets: Arc<Secrets>,
    /// The key that requests are made with, once it is known.
    own_key: Arc<OnceLock<SecretString>>,
    is_expiry_told: Arc<AtomicBool>,
}

impl Console {
    pub(crate) fn new(system: Arc<dyn System>, global: Global, args: Vec<OsString>, secrets: Secrets) -> Self {
        let deadline = global.connection.timeout.map(|timeout| system.elapsed().saturating_add(timeout));
        let (global, deadline, secrets) = (Arc::new(global), Arc::new(Mutex::new(deadline)), Arc::new(secrets));
        Self {
            system,
            global,
            args: args.into(),
            deadline,
            secrets,
            own_key: Arc::default(),
            is_expiry_told: Arc::default(),
        }
    }

    /// The time that is left of `--timeout`. `None` if it was not given.
    pub(crate) fn remaining(&self) -> Option<Duration> {
        let deadline = *self.deadline.lock().unwrap_or_else(PoisonError::into_inner);
        deadline.map(|deadline| deadline.saturating_sub(self.system.elapsed()))
    }

    /// The key that requests are made with.
    pub(crate) fn own_key(&self) -> Option<&SecretString> {
        self.own_key.get()
    }

    /// Keeps a key out of every output from now on. Refuses it if an argument holds it.
    pub(crate) fn learn(&self, key: &SecretString) -> Result<(), Failure> {
        self.secrets.learn(key);
        let _ = self.own_key.set(key.clone());
        match self.args.iter().position(|arg| self.secrets.are_in(&arg.to_string_lossy())) {
            None => Ok(()),
            Some(n) => {
                let message = format!("argument {n} holds the API key itself");
                Err(Failure::new(Code::Usage, message).hint(
                    "every user of this machine can read arguments, and shells record them: replace the key with `arize-keys rotate`. \
                     `arize-keys check` shows the id of a key",
                ))
            }
        }
    }

    /// Prints something that is good to know, unless `--quiet` is given.
    pub(crate) fn note(&self, text: impl Display) {
        if !self.global.quiet {
            self.report(text);
        }
    }

    /// Prints something that the user cannot find out later: an id, which step was reached.
    pub(crate) fn report(&self, text: impl Display) {
        self.write(&"", text);
    }

    pub(crate) fn warning(&self, text: impl Display) {
        if !self.global.quiet {
            self.write(&format_args!("{WARNING}warning:{WARNING:#} "), text);
        }
    }

    pub(crate) fn failure(&self, failure: &Failure) {
        let state = failure.state.map(|state| format!("; {state}")).unwrap_or_default();
        self.write(&format_args!("{ERROR}error:{ERROR:#} "), format_args!("{}{state}", failure.message));
        if let Some(hint) = &failure.hint {
            self.write(&format_args!("{HINT}hint:{HINT:#} "), hint);
        }
    }

    /// Every message goes through here, so that none shows a secret.
    fn write(&self, label: &dyn Display, text: impl Display) {
        // A step that was begun goes on, whether or not its messages can be written.
        let _ = self.system.stderr(&format!("{label}{}\n", self.secrets.message(text)));
    }

    /// Shows how much of a walk is done, unless `--verbose` already tells.
    pub(crate) fn progress(&self, what: &'static str) -> Progress {
        self.progress_in(what, !self.global.quiet && !self.global.verbose)
    }

    /// The same without anything on the terminal, unless Ctrl-C ends the program.
    pub(crate) fn hidden_progress(&self, what: &'static str) -> Progress {
        self.progress_in(what, false)
    }

    fn progress_in(&self, what: &'static str, is_shown: bool) -> Progress {
        let bar = if is_shown { self.system.progress() } else { ProgressBar::hidden() };
        let (console, interrupted) = (self.clone(), bar.clone());
        self.system.on_interrupt(Some(Arc::new(move || {
            interrupted.finish_and_clear();
            let known = interrupted.length().map(|known| format!(" of {known}")).unwrap_or_default();
            console.report(format_args!("interrupted after {}{known} {what}", interrupted.position()));
        })));
        let progress = Progress { bar, system: Arc::clone(&self.system) };
        progress.style("{spinner} {human_pos} {msg}");
        // This draws the bar, so that a short walk shows it, too.
        progress.bar.set_message(what);
        progress
    }

    /// Whether the program has yet to warn that its own key expires. True once.
    pub(crate) fn is_first_expiry_warning(&self) -> bool {
        !self.is_expiry_told.swap(true, Ordering::Relaxed)
    }

    /// Whether there is a terminal for a question.
    pub(crate) fn can_ask(&self) -> bool {
        self.system.is_terminal(Stream::Stdin) && self.system.is_terminal(Stream::Stderr)
    }

    /// Asks for a yes. `None` if there is no terminal.
    pub(crate) fn confirm(&self, question: &str) -> Option<bool> {
        if !self.can_ask() {
            return None;
        }
        let _ = self.system.stderr(&format!("{} [y/N] ", self.secrets.message(question)));
        let mut answer = String::new();
        let asked = self.system.elapsed();
        let read = self.system.stdin().read_line(&mut answer).is_ok();
        // The time in which a person thinks does not count.
        if let Some(deadline) = &mut *self.deadline.lock().unwrap_or_else(PoisonError::into_inner) {
            *deadline = deadline.saturating_add(self.system.elapsed().saturating_sub(asked));
        }
        Some(read && matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
    }
}

/// A walk over pages or scopes. Until it is dropped, Ctrl-C prints how far it came.
pub(crate) struct Progress {
    bar: ProgressBar,
    system: Arc<dyn System>,
}

impl Progress {
    /// Counts one more.
    pub(crate) fn inc(&self) {
        self.bar.inc(1);
    }

    /// Shows how many of a known number are done.
    pub(crate) fn set(&self, done: usize, known: usize) {
        if self.bar.length().is_none() {
            self.style("{spinner} [{bar:30}] {human_pos} of {human_len} {msg}");
        }
        self.bar.set_length(known as u64);
        self.bar.set_position(done as u64);
    }

    /// Prints something without the bar in between.
    pub(crate) fn suspend(&self, print: impl FnOnce()) {
        self.bar.suspend(print);
    }

    fn style(&self, template: &str) {
        if self.bar.is_hidden() {
            return;
        }
        if let Ok(style) = ProgressStyle::with_template(template) {
            self.bar.set_style(style.progress_chars("=> "));
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.system.on_interrupt(None);
        self.bar.finish_and_clear();
    }
}

/// Shows a message of clap: a help text, or an error in the arguments.
pub(crate) fn usage(system: &dyn System, error: &clap::Error) -> u8 {
    let text = error.render();
    if error.use_stderr() {
        let _ = system.stderr(&text.ansi().to_string());
        return Code::Usage as u8;
    }
    let text = if system.is_styled() { text.ansi().to_string() } else { text.to_string() };
    // A reader that is gone does not need the rest.
    let _ = system.stdout().and_then(|mut out| out.write_all(text.as_bytes()));
    0
}
