//! What the program says to people, on stderr, and the system that its commands act on.

use std::fmt::Display;
use std::sync::Arc;

use anstyle::{AnsiColor, Style};
use indicatif::{ProgressBar, ProgressStyle};

use crate::args::Global;
use crate::failure::{Code, Failure};
use crate::system::{Stream, System};

const ERROR: Style = AnsiColor::Red.on_default().bold();
const WARNING: Style = AnsiColor::Yellow.on_default().bold();
const HINT: Style = AnsiColor::Cyan.on_default();

/// What a command gets beside its arguments.
#[derive(Clone)]
pub(crate) struct Console {
    pub(crate) system: Arc<dyn System>,
    pub(crate) global: Arc<Global>,
}

impl Console {
    pub(crate) fn new(system: Arc<dyn System>, global: Global) -> Self {
        Self { system, global: Arc::new(global) }
    }

    /// Something that is good to know.
    pub(crate) fn note(&self, text: impl Display) {
        if !self.global.quiet {
            self.report(text);
        }
    }

    /// Something that the user cannot find out later: an id, which step was reached.
    pub(crate) fn report(&self, text: impl Display) {
        // A step that was begun goes on, whether or not its messages can be written.
        let _ = self.system.stderr(&format!("{text}\n"));
    }

    pub(crate) fn warning(&self, text: impl Display) {
        self.note(format_args!("{WARNING}warning:{WARNING:#} {text}"));
    }

    pub(crate) fn failure(&self, failure: &Failure) {
        self.report(format_args!("{ERROR}error:{ERROR:#} {}", failure.message));
        if let Some(hint) = &failure.hint {
            self.report(format_args!("{HINT}hint:{HINT:#} {hint}"));
        }
    }

    /// Counts what is done, unless `--verbose` already tells.
    pub(crate) fn progress(&self, what: &'static str) -> ProgressBar {
        if self.global.quiet || self.global.verbose {
            return ProgressBar::hidden();
        }
        let bar = self.system.progress();
        if let Ok(style) = ProgressStyle::with_template("{spinner} {human_pos} {msg}") {
            bar.set_style(style);
        }
        bar.set_message(what);
        bar
    }

    /// Asks for a yes. `None` if there is no terminal.
    pub(crate) fn confirm(&self, question: &str) -> Option<bool> {
        if !self.system.is_terminal(Stream::Stdin) || !self.system.is_terminal(Stream::Stderr) {
            return None;
        }
        let _ = self.system.stderr(&format!("{question} [y/N] "));
        let mut answer = String::new();
        let read = self.system.stdin().read_line(&mut answer).is_ok();
        Some(read && matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
    }
}

/// Shows what clap has to say: a help text, or what is wrong with the arguments.
pub(crate) fn usage(system: &dyn System, error: &clap::Error) -> u8 {
    let text = error.render();
    if error.use_stderr() {
        let _ = system.stderr(&text.ansi().to_string());
        return Code::Usage as u8;
    }
    let text = if system.is_styled() { text.ansi().to_string() } else { text.to_string() };
    // Nothing was asked for but the text: whoever does not read it does not want it.
    let _ = system.stdout().and_then(|mut out| out.write_all(text.as_bytes()));
    0
}
