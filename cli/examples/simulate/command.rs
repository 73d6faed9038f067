//! A command line of the program, parsed once for many runs.

use std::collections::HashMap;
use std::ffi::OsString;
use std::sync::{Arc, Mutex, PoisonError};

use arize_keys::CommandLine;

use super::process::Process;

pub(crate) struct Command {
    pub(crate) text: String,
    pub(crate) parsed: CommandLine,
}

static PARSED: Mutex<Option<HashMap<String, Arc<Command>>>> = Mutex::new(None);

impl Command {
    /// Parses a command line, whose words have no blanks.
    pub(crate) fn new(text: &str, process: &Process) -> Arc<Self> {
        let args = std::iter::once("arize-keys").chain(text.split_whitespace()).map(OsString::from);
        let parsed = CommandLine::parse(args, process);
        let parsed = parsed.unwrap_or_else(|code| panic!("`{text}` is refused with {code}"));
        Arc::new(Self { text: text.to_owned(), parsed })
    }

    /// The same, kept for the next time.
    pub(crate) fn kept(text: &str, process: &Process) -> Arc<Self> {
        let known = || PARSED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(command) = known().get_or_insert_default().get(text) {
            return Arc::clone(command);
        }
        let command = Self::new(text, process);
        known().get_or_insert_default().insert(text.to_owned(), Arc::clone(&command));
        command
    }
}
