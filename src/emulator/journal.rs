//! The state file: what has changed is in it, and on the disk, before anybody is told.
//!
//! It is a journal of lines that is only appended to. Whoever waits first writes for all who wait, and the disk is asked
//! once for all of them. When the changes have grown longer than what they change, and at every start, the account is
//! written anew beside the file, and takes its name: a crash finds the old file or the new one, and both are whole.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use super::account::Account;
use super::restore::{self, BadLine};

/// Shorter journals are not worth writing anew.
const MIN_REWRITE: u64 = 256 * 1024;

/// How long another emulator may take to let go of the file: a second. A process that is just being started holds the locks
/// of the one that starts it for a moment, and so a lock can outlive the emulator that took it.
const LOCK_TRIES: u32 = 50;
const LOCK_PAUSE: Duration = Duration::from_millis(20);

/// Why a state file cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StateError {
    /// Another emulator has it.
    #[error("the state file `{}` is in use by another emulator", path.display())]
    InUse {
        /// The state file.
        path: PathBuf,
    },
    /// It does not hold the state of an emulator, or not all of it. What a crash leaves behind is no reason for this.
    #[error("line {line} of the state file `{}`: {problem}", path.display())]
    Malformed {
        /// The state file.
        path: PathBuf,
        /// The number of the line, counted from 1.
        line: u64,
        /// What is wrong with it.
        problem: String,
    },
    /// It cannot be read or written.
    #[error("cannot {action} `{}`", path.display())]
    Io {
        /// What could not be done.
        action: &'static str,
        /// The file that it concerns.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
}

pub(super) struct Journal {
    path: PathBuf,
    progress: Mutex<Progress>,
    /// Wakes those that wait for somebody else to write.
    written: Condvar,
    storage: Mutex<Storage>,
    /// Held as long as the journal lives: the system takes the lock back when the process ends, however it ends.
    _lock: File,
}

#[derive(Default)]
struct Progress {
    /// The number of the last change that is on the disk.
    durable: u64,
    writing: bool,
    failure: Option<String>,
}

struct Storage {
    file: File,
    /// The length of the account as it was last written in one piece, and of what has been appended since.
    whole: u64,
    appended: u64,
}

/// A state file that is locked and has been read.
pub(super) struct Opened {
    path: PathBuf,
    lock: File,
    /// Whether there was an account in it.
    pub(super) restored: bool,
}

impl Opened {
    /// Locks the file, and reads it into an empty account if there is something in it.
    pub(super) fn open(path: &Path, account: &mut Account) -> Result<Self, StateError> {
        // A link keeps its place: the file that it names is replaced.
        let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let lock_path = beside(&path, ".lock");
        let lock = private().write(true).create(true).truncate(false).open(&lock_path);
        let lock = lock.map_err(|error| failed("open", &lock_path, error))?;
        let mut tries = LOCK_TRIES;
        // By its name: newer versions of `std` have a method like it.
        while let Err(error) = fs4::FileExt::try_lock(&lock) {
            match error {
                fs4::TryLockError::WouldBlock if tries > 0 => thread::sleep(LOCK_PAUSE),
                fs4::TryLockError::WouldBlock => return Err(StateError::InUse { path }),
                fs4::TryLockError::Error(error) => return Err(failed("lock", &lock_path, error)),
            }
            tries -= 1;
        }
        let restored = match File::open(&path) {
            Ok(file) => {
                let empty = file.metadata().map_err(|error| failed("read", &path, error))?.len() == 0;
                if !empty {
                    let read = restore::read(account, &mut BufReader::new(file));
                    read.map_err(|error| failed("read", &path, error))?.map_err(|BadLine { line, problem }| {
                        StateError::Malformed { path: path.clone(), line, problem }
                    })?;
                }
                !empty
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => false,
            Err(error) => return Err(failed("read", &path, error)),
        };
        Ok(Self { path, lock, restored })
    }

    /// Writes the account anew, and keeps what changes from now on.
    pub(super) fn keep(self, account: &mut Account) -> Result<Journal, StateError> {
        let storage = Storage::write(&self.path, account)?;
        sync_folder(&self.path).map_err(|error| failed("write", &self.path, error))?;
        account.keep_changes();
        Ok(Journal {
            path: self.path,
            progress: Mutex::default(),
            written: Condvar::new(),
            storage: Mutex::new(storage),
            _lock: self.lock,
        })
    }
}

impl Journal {
    /// Waits until a change and all before it are on the disk. `account` gives the account, unless it is in use.
    pub(super) fn make_durable<'a>(
        &self,
        change: u64,
        account: impl Fn() -> MutexGuard<'a, Account>,
    ) -> Result<(), String> {
        let mut progress = self.progress();
        loop {
            if let Some(failure) = &progress.failure {
                return Err(failure.clone());
            }
            if progress.durable >= change {
                return Ok(());
            }
            if !progress.writing {
                break;
            }
            progress = self.written.wait(progress).unwrap_or_else(PoisonError::into_inner);
        }
        progress.writing = true;
        drop(progress);
        let written = self.write(account);
        let mut progress = self.progress();
        progress.writing = false;
        match written {
            Ok(durable) => progress.durable = durable,
            // What is in the file now, nobody knows, and a second try may not tell: nothing is acknowledged any more.
            Err(error) => progress.failure = Some(format!("the state file cannot be written: {error}")),
        }
        let failure = progress.failure.clone();
        drop(progress);
        self.written.notify_all();
        failure.map_or(Ok(()), Err)
    }

    /// Writes what there is, and returns the number of the last change in it.
    fn write<'a>(&self, account: impl Fn() -> MutexGuard<'a, Account>) -> io::Result<u64> {
        let mut storage = self.storage.lock().unwrap_or_else(PoisonError::into_inner);
        let mut account = account();
        let dice = account.dice();
        let Some(outbox) = &mut account.outbox else { return Ok(0) };
        let (changes, mut lines) = (outbox.changes, std::mem::take(&mut outbox.lines));
        if storage.appended > storage.whole.max(MIN_REWRITE) {
            match Storage::write(&self.path, &account) {
                Ok(rewritten) => {
                    *storage = rewritten;
                    sync_folder(&self.path)?;
                    return Ok(changes);
                }
                // The old file is as good as it was. The next try comes when it has doubled.
                Err(_) => storage.whole = storage.whole.saturating_add(storage.appended),
            }
        }
        drop(account);
        dice.write(&mut lines);
        storage.file.write_all(&lines)?;
        storage.file.sync_data()?;
        storage.appended = storage.appended.saturating_add(lines.len() as u64);
        Ok(changes)
    }

    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Storage {
    /// Writes the whole account to a file beside `path`, and gives it that name. If it fails, the old file is there still.
    fn write(path: &Path, account: &Account) -> Result<Self, StateError> {
        let new_path = beside(path, ".new");
        let write = || {
            // One that a crash left behind.
            fs::remove_file(&new_path).or_else(|error| match error.kind() {
                io::ErrorKind::NotFound => Ok(()),
                _ => Err(error),
            })?;
            let mut file = BufWriter::new(private().write(true).create_new(true).open(&new_path)?);
            let whole = restore::write(account, &mut file)?;
            let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
            file.sync_all()?;
            Ok(Self { file, whole, appended: 0 })
        };
        let storage = write().map_err(|error| failed("write", &new_path, error))?;
        fs::rename(&new_path, path).map_err(|error| failed("replace", path, error))?;
        Ok(storage)
    }
}

/// For files that nobody else may read: they hold secrets.
fn private() -> OpenOptions {
    #[cfg_attr(not(unix), expect(unused_mut, reason = "other systems have no modes"))]
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// A file's new name is on the disk only once its folder is.
fn sync_folder(path: &Path) -> io::Result<()> {
    if cfg!(unix) {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}

fn failed(action: &'static str, path: &Path, source: io::Error) -> StateError {
    StateError::Io { action, path: path.to_owned(), source }
}

impl From<StateError> for io::Error {
    fn from(error: StateError) -> Self {
        match error {
            StateError::Io { source, .. } => source,
            error => Self::other(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use fastrand::Rng;
    use time::OffsetDateTime;

    use super::*;

    #[test]
    fn after_a_write_that_failed_nothing_is_acknowledged() {
        let folder = std::env::temp_dir().join(format!("arize-journal-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join("state");
        let mut account = Account::new(Rng::with_seed(1));
        let journal = Opened::open(&path, &mut account).unwrap().keep(&mut account).unwrap();
        let account = Mutex::new(account);
        let change = || {
            let mut account = account.lock().unwrap();
            account.add_organization("acme".to_owned(), String::new(), OffsetDateTime::UNIX_EPOCH);
            account.changes()
        };
        let make_durable = |change| journal.make_durable(change, || account.lock().unwrap());
        assert_eq!(make_durable(change()), Ok(()));
        journal.storage.lock().unwrap().file = File::open(&path).unwrap();
        let seen_before = change();
        assert!(make_durable(seen_before).unwrap_err().starts_with("the state file cannot be written: "));
        journal.storage.lock().unwrap().file = OpenOptions::new().append(true).open(&path).unwrap();
        assert!(make_durable(change()).is_err(), "the file may be torn in the middle now");
        fs::remove_dir_all(folder).unwrap();
    }
}
