//! Pipes, terminals and open descriptors: a secret is written to them as they are.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::paths::{directory, owned};
use crate::console::Console;
use crate::system::{Access, File, FileKind, Metadata, System};

/// How often a FIFO is tried.
const PAUSE: Duration = Duration::from_millis(20);

/// A FIFO that is opened without waiting has no reader: the same number on every Unix.
const ENXIO: i32 = 6;

pub(super) struct Stream {
    pub(super) path: PathBuf,
    file: Box<dyn File>,
    patience: Duration,
}

/// Opens what the path leads to, if that is not a file to replace.
///
/// # Errors
///
/// The verb of what failed, and the error. With `is_edited`, only a file will do.
pub(super) fn open(
    path: &Path,
    is_edited: bool,
    patience: Duration,
    console: &Console,
) -> Result<Option<Stream>, (&'static str, io::Error)> {
    let system = &*console.system;
    if is_edited && path == Path::new(super::STDOUT) {
        return Err(("edit", io::Error::new(io::ErrorKind::InvalidInput, "it is not a file")));
    }
    let Ok(found) = system.metadata(path) else { return Ok(None) };
    if found.kind == FileKind::Directory {
        return Err(("write", io::ErrorKind::IsADirectory.into()));
    }
    // A link to such a name, like one to `/dev/stdout`, has another name: the file itself tells.
    let is_descriptor = is_descriptor(path, system) || is_stdout(&found, system);
    if found.kind == FileKind::Regular && !is_descriptor {
        return Ok(None);
    }
    if is_edited {
        return Err(("edit", io::Error::new(io::ErrorKind::InvalidInput, "it is not a file")));
    }
    let opened = owned(path, system).and_then(|()| {
        let file = open_as(path, &found, is_descriptor, patience, console)?;
        // A new terminal, which ends with this program.
        let is_pty = system.canonicalize(path).is_ok_and(|path| path.ends_with("ptmx"));
        if keeps_nothing(&*file)? || is_pty {
            let problem = "it is closed, or a device that keeps nothing: the secret would be lost";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, problem));
        }
        Ok(Stream { path: path.to_owned(), file, patience })
    });
    opened.map(Some).map_err(|error| ("write", error))
}

fn open_as(
    path: &Path,
    found: &Metadata,
    is_descriptor: bool,
    patience: Duration,
    console: &Console,
) -> io::Result<Box<dyn File>> {
    let system = &*console.system;
    if is_descriptor && is_stdout(found, system) {
        return system.stdout();
    }
    match found.kind {
        // Opened again, it would have another position: the next write to the descriptor would overwrite the secret.
        FileKind::Regular => Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "it is a file that is open already: pass the path of the file",
        )),
        FileKind::Pipe => open_fifo(path, patience, console),
        _ => system.open(path, Access::Write),
    }
}

/// Waits for a reader.
fn open_fifo(path: &Path, patience: Duration, console: &Console) -> io::Result<Box<dyn File>> {
    let system = &*console.system;
    let mut is_told = false;
    let deadline = system.elapsed() + patience;
    loop {
        match system.open(path, Access::WriteNow) {
            Err(error) if error.raw_os_error() == Some(ENXIO) => {
                if system.elapsed() >= deadline {
                    return Err(io::Error::new(io::ErrorKind::TimedOut, "no process opened it for reading in time"));
                }
                if !is_told {
                    console.note(format_args!("waiting for a reader of `{}`", path.display()));
                    is_told = true;
                }
                system.sleep(PAUSE);
            }
            opened => return opened,
        }
    }
}

/// Whether the path is the name of an open descriptor of this process, like `/dev/stdout` or `/dev/fd/3`.
fn is_descriptor(path: &Path, system: &dyn System) -> bool {
    let is_link = system.link_metadata(path).is_ok_and(|found| found.kind == FileKind::Link);
    if !is_link {
        return false;
    }
    if matches!(path.to_str(), Some("/dev/stdout" | "/dev/stderr")) {
        return true;
    }
    let directory = system.canonicalize(directory(path)).unwrap_or_default();
    directory.starts_with("/proc") && directory.ends_with("fd")
}

fn is_stdout(found: &Metadata, system: &dyn System) -> bool {
    system.stdout().and_then(|out| out.metadata()).is_ok_and(|out| is_same(&out, found))
}

fn is_same(one: &Metadata, other: &Metadata) -> bool {
    // Not every system has such numbers.
    one.inode != 0 && (one.device, one.inode) == (other.device, other.inode)
}

/// Whether a path leads to stdout, stderr or the terminal.
pub(super) fn is_standard(path: &Path, system: &dyn System) -> bool {
    let Ok(found) = system.metadata(path) else { return false };
    let is_stderr = || system.metadata(Path::new("/dev/stderr")).is_ok_and(|stderr| is_same(&stderr, &found));
    path == Path::new("/dev/tty") || is_stdout(&found, system) || is_stderr()
}

/// Whether everything that is written there is lost. A closed stdout is, too: the runtime opens the null device in its
/// place.
pub(super) fn keeps_nothing(out: &dyn File) -> io::Result<bool> {
    let found = out.metadata()?;
    Ok(matches!(found.kind, FileKind::Character | FileKind::Other) && !out.is_terminal())
}

impl Stream {
    /// Waits while the reader of a FIFO takes nothing.
    pub(super) fn write(&mut self, text: &str, system: &dyn System) -> io::Result<()> {
        let deadline = system.elapsed() + self.patience;
        let mut rest = text.as_bytes();
        while !rest.is_empty() {
            match self.file.write(rest) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => rest = rest.get(written..).unwrap_or_default(),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock && system.elapsed() < deadline => {
                    system.sleep(PAUSE);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}
