//! What is said to the person at the terminal: on stderr, all of it.

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::exit::Failure;

const ERROR: Style = AnsiColor::Red.on_default().bold();
const WARNING: Style = AnsiColor::Yellow.on_default().bold();
const HINT: Style = AnsiColor::Cyan.on_default();

/// How talkative the program is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terminal {
    pub(crate) quiet: bool,
    pub(crate) verbose: bool,
}

impl Terminal {
    /// Something that is good to know.
    pub(crate) fn note(self, text: impl Display) {
        if !self.quiet {
            line(&text);
        }
    }

    /// Something that is lost with the line: an id, which step was reached.
    pub(crate) fn report(self, text: impl Display) {
        line(&text);
    }

    pub(crate) fn warning(self, text: impl Display) {
        if !self.quiet {
            line(&format_args!("{WARNING}warning:{WARNING:#} {text}"));
        }
    }

    pub(crate) fn failure(self, failure: &Failure) {
        line(&format_args!("{ERROR}error:{ERROR:#} {}", failure.message));
        if let Some(hint) = &failure.hint {
            line(&format_args!("{HINT}hint:{HINT:#} {hint}"));
        }
    }

    /// How far it has come, unless nobody looks, or `--verbose` already tells.
    pub(crate) fn progress(self, what: &'static str) -> ProgressBar {
        if self.quiet || self.verbose || !io::stderr().is_terminal() {
            return ProgressBar::hidden();
        }
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        if let Ok(style) = ProgressStyle::with_template("{spinner} {human_pos} {msg}") {
            bar.set_style(style);
        }
        bar.set_message(what);
        bar.enable_steady_tick(Duration::from_millis(120));
        bar
    }
}

/// Not `eprintln`: it panics when nobody reads, and nothing that was begun may end by that.
fn line(text: &dyn Display) {
    let _ = writeln!(anstream::stderr().lock(), "{text}");
}

/// Asks for a yes. `None` if there is nobody to ask.
pub(crate) fn confirm(question: &str) -> Option<bool> {
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return None;
    }
    let _ = write!(anstream::stderr().lock(), "{question} [y/N] ");
    let mut answer = String::new();
    let read = io::stdin().read_line(&mut answer).is_ok();
    Some(read && matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}
