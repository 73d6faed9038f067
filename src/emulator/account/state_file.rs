//! The state file: the account document, written whole before a change is acknowledged.
//!
//! The first waiting thread writes for all that wait. The document goes to a temporary file that then takes the name of the
//! state file, so that a crash finds the old document or the new one. The file itself is locked, and the temporary one
//! before it takes its place, so that there is no moment at which another emulator could lock it.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use super::document::{AccountError, AccountSpec, Document};

/// The time for another emulator to release the file: a second. A child process inherits the locks of its parent until it
/// calls `exec`, so a lock can outlive the emulator that took it.
const LOCK_TRIES: u32 = 50;
const LOCK_PAUSE: Duration = Duration::from_millis(20);

/// A state file that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StateError {
    /// Another emulator has it.
    #[error("the state file `{}` is in use by another emulator", path.display())]
    InUse {
        /// The state file.
        path: PathBuf,
    },
    /// It is a directory, a device, a FIFO or a socket.
    #[error("the state file `{}` is not a regular file", path.display())]
    NotAFile {
        /// The state file.
        path: PathBuf,
    },
    /// It does not hold a whole account document.
    #[error("the state file `{}`: {problem}", path.display())]
    Malformed {
        /// The state file.
        path: PathBuf,
        /// The defect of the document, and its place.
        problem: AccountError,
    },
    /// The given key of the admin opens nothing in this account.
    #[error("the state file `{}` has another admin key than the one that is given", path.display())]
    AdminKey {
        /// The state file.
        path: PathBuf,
    },
    /// It cannot be read or written.
    #[error("cannot {action} `{}`", path.display())]
    Io {
        /// The step that failed.
        action: &'static str,
        /// The file that it concerns.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
}

pub(crate) struct StateFile {
    path: PathBuf,
    progress: Mutex<WriteProgress>,
    /// Wakes the threads that wait for another one to write.
    written: Condvar,
    /// The file as it was opened, and the one that has its name now. Both stay locked: another name of the first one (a
    /// hard link) does not let a second emulator in. The system takes the locks back when the process ends, however.
    locks: Mutex<(File, Option<File>)>,
}

#[derive(Default)]
struct WriteProgress {
    /// The number of the last change that is on the disk.
    durable: u64,
    writing: bool,
}

impl StateFile {
    /// Locks the file, and reads the document in it. A new or an empty file has no document.
    pub(crate) fn open(path: &Path) -> Result<(Self, Option<AccountSpec>), StateError> {
        // A symbolic link stays: the write replaces its target.
        let path = match fs::symlink_metadata(path) {
            Ok(_) => fs::canonicalize(path).map_err(|error| failed("open", path, error))?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => path.to_owned(),
            Err(error) => return Err(failed("open", path, error)),
        };
        let mut file = lock(&path)?;
        let mut text = String::new();
        file.read_to_string(&mut text).map_err(|error| failed("read", &path, error))?;
        let account = match text.trim() {
            "" => None,
            _ => Some(AccountSpec::from_json(&text).map_err(|problem| malformed(&path, problem))?),
        };
        let state = Self { path, progress: Mutex::default(), written: Condvar::new(), locks: Mutex::new((file, None)) };
        Ok((state, account))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Waits until a change and all before it are on the disk. `snapshot` gives the document and the number of the last
    /// change in it.
    ///
    /// A write that fails is an error for those that waited for it. The next change tries again.
    pub(crate) fn make_durable(&self, change: u64, snapshot: impl FnOnce() -> (u64, Document)) -> io::Result<()> {
        let mut progress = self.progress();
        while progress.durable < change && progress.writing {
            progress = self.written.wait(progress).unwrap_or_else(PoisonError::into_inner);
        }
        if progress.durable >= change {
            return Ok(());
        }
        progress.writing = true;
        drop(progress);
        let (last, document) = snapshot();
        let result = self.write(&document);
        let mut progress = self.progress();
        progress.writing = false;
        if result.is_ok() {
            progress.durable = progress.durable.max(last);
        }
        drop(progress);
        self.written.notify_all();
        result
    }

    fn write(&self, document: &Document) -> io::Result<()> {
        let mut locks = self.locks.lock().unwrap_or_else(PoisonError::into_inner);
        let new_path = beside(&self.path);
        let write = || {
            remove_if_there(&new_path)?;
            let file = private().write(true).create_new(true).open(&new_path)?;
            file.try_lock().map_err(io::Error::from)?;
            let mut writer = BufWriter::new(&file);
            serde_json::to_writer_pretty(&mut writer, document)?;
            writer.write_all(b"\n")?;
            writer.flush()?;
            drop(writer);
            file.sync_all()?;
            fs::rename(&new_path, &self.path)?;
            Ok::<File, io::Error>(file)
        };
        match write() {
            Ok(file) => locks.1 = Some(file),
            Err(error) => {
                // The old document is in its place still. If this fails too, the next write removes the file first.
                drop(remove_if_there(&new_path));
                return Err(error);
            }
        }
        sync_directory(&self.path)
    }

    fn progress(&self) -> MutexGuard<'_, WriteProgress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn lock(path: &Path) -> Result<File, StateError> {
    for attempt in 0..=LOCK_TRIES {
        if attempt > 0 {
            thread::sleep(LOCK_PAUSE);
        }
        // Looked at first: to open a FIFO blocks, and a device may act on it.
        match fs::metadata(path) {
            Ok(metadata) if !metadata.is_file() => return Err(StateError::NotAFile { path: path.to_owned() }),
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed("open", path, error)),
            Ok(_) | Err(_) => {}
        }
        let file = private().read(true).write(true).create(true).truncate(false).open(path);
        let file = file.map_err(|error| failed("open", path, error))?;
        match file.try_lock() {
            // Another emulator may have replaced the file between the two steps.
            Ok(()) if is_at(&file, path) => return Ok(file),
            Ok(()) | Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => return Err(failed("lock", path, error)),
        }
    }
    Err(StateError::InUse { path: path.to_owned() })
}

#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let id = |metadata: &fs::Metadata| (metadata.dev(), metadata.ino());
    matches!((file.metadata(), fs::metadata(path)), (Ok(open), Ok(named)) if id(&open) == id(&named))
}

/// Other systems do not let a file be replaced that is open elsewhere.
#[cfg(not(unix))]
fn is_at(_file: &File, _path: &Path) -> bool {
    true
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// For files that no other user may read: they hold secrets.
fn private() -> OpenOptions {
    #[cfg_attr(not(unix), expect(unused_mut, reason = "other systems have no modes"))]
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// A file's new name is on the disk only once its directory is.
fn sync_directory(path: &Path) -> io::Result<()> {
    if cfg!(unix) {
        let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(directory)?.sync_all()?;
    }
    Ok(())
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    name.into()
}

fn malformed(path: &Path, problem: AccountError) -> StateError {
    StateError::Malformed { path: path.to_owned(), problem }
}

fn failed(action: &'static str, path: &Path, source: io::Error) -> StateError {
    StateError::Io { action, path: path.to_owned(), source }
}
