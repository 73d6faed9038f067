//! The advisory lock on a file that is about to change.

use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::time::Duration;

use super::paths::{directory, is_impossible};
use crate::console::Console;
use crate::system::{Access, File};

/// How often it is tried.
const PAUSE: Duration = Duration::from_millis(20);

/// Released when it is dropped, and when the process ends.
pub(super) struct Lock {
    _file: Box<dyn File>,
}

/// Waits until no other process changes files in this directory.
///
/// The lock is on the directory, because a file that is replaced loses its own lock. Where directories cannot be locked, it is on
/// the file `.NAME.lock` beside the file, which is never removed: another process may wait for it.
pub(super) fn acquire(path: &Path, patience: Duration, console: &Console) -> io::Result<Lock> {
    let system = &*console.system;
    let deadline = system.elapsed() + patience;
    let on_directory =
        system.open(directory(path), Access::Read).and_then(|directory| wait(directory, path, deadline, console));
    match on_directory {
        // After any other error, another process may have the lock on the directory.
        Err(error) if is_impossible(&error) => {
            let mut name = OsString::from(".");
            name.push(path.file_name().unwrap_or_default());
            name.push(".lock");
            let file = system.open(&directory(path).join(name), Access::Replace)?;
            wait(file, path, deadline, console)
        }
        result => result,
    }
}

/// Waits until no other process has a lock on the file itself.
pub(super) fn acquire_file(path: &Path, patience: Duration, console: &Console) -> io::Result<Lock> {
    let file = console.system.open(path, Access::Read)?;
    wait(file, path, console.system.elapsed() + patience, console)
}

fn wait(file: Box<dyn File>, path: &Path, deadline: Duration, console: &Console) -> io::Result<Lock> {
    let mut is_told = false;
    while !file.try_lock()? {
        if console.system.elapsed() >= deadline {
            return Err(io::Error::new(io::ErrorKind::TimedOut, "another process holds the lock"));
        }
        if !is_told {
            console.note(format_args!("waiting for another process that changes `{}`", path.display()));
            is_told = true;
        }
        console.system.sleep(PAUSE);
    }
    Ok(Lock { _file: file })
}

/// What failed, for messages.
pub(super) fn verb(error: &io::Error) -> &'static str {
    if error.kind() == io::ErrorKind::TimedOut { "lock" } else { "write" }
}
