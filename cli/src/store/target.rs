//! A file that takes the secret: replaced as a whole, or written in place where it cannot be replaced.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use arize_api_keys::secrecy::SecretString;

use super::hook_mark::HookMark;
use super::lock::{self, Lock};
use super::paths::{beside, owned, sync_directory};
use super::rescue;
use crate::console::Console;
use crate::env_file;
use crate::system::{Access, File, FileKind, Metadata, System};

/// More than a secret and its name take: reserved beside the content of the file.
const RESERVE: usize = 4096;

/// The end of the name of a temporary file, after the name of the target.
const DRAFT: &str = ".arize-keys.tmp";

/// The mode of a file with a secret.
const SECRET_MODE: u32 = 0o600;

/// A locked file.
pub(super) struct Target {
    system: Arc<dyn System>,
    /// As the user wrote it.
    shown: PathBuf,
    path: PathBuf,
    /// The variable of a `.env` file. Without one, the secret is all that the file has.
    env_name: Option<String>,
    /// The secret that it held when it was prepared.
    pub(super) previous: Option<SecretString>,
    /// Who owned the file before.
    existing: Option<Metadata>,
    /// Where its temporary files are.
    drafts: PathBuf,
    /// Whether it cannot be renamed over: it is a mount point, or its directory cannot be changed.
    is_in_place: bool,
    /// The locks of a file that is written in place: other processes may see it in other directories.
    locks: Vec<Lock>,
    /// `None` once it was used.
    draft: Option<Draft>,
}

/// The secret in the content of a file. A text that is no valid key is one that the service does not accept.
pub(crate) fn secret_in(content: &[u8], env_name: Option<&str>) -> Option<SecretString> {
    match env_name {
        Some(name) => env_file::get(content, name),
        None => Some(String::from_utf8_lossy(content).trim().to_owned()),
    }
    .filter(|secret| !secret.is_empty())
    .map(SecretString::from)
}

/// The file to write: behind a symbolic link lies another one.
pub(super) fn resolve(path: &Path, system: &dyn System) -> io::Result<PathBuf> {
    owned(path, system)?;
    match system.metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound && system.link_metadata(path).is_err() => {
            Ok(path.to_owned())
        }
        Err(error) => Err(error),
        Ok(_) => {
            let path = system.canonicalize(path)?;
            owned(&path, system)?;
            Ok(path)
        }
    }
}

impl Target {
    /// Proves that the file can be replaced: replaces it by a copy of itself. Reserves the space for the secret.
    ///
    /// # Errors
    ///
    /// The verb of what failed, and the error.
    pub(super) fn prepare(
        shown: &Path,
        path: PathBuf,
        env_name: Option<&str>,
        patience: Duration,
        console: &Console,
    ) -> Result<Self, (&'static str, io::Error)> {
        let system = &console.system;
        let existing = match system.metadata(&path) {
            Ok(found) if found.kind != FileKind::Regular => return Err(("write", io::ErrorKind::InvalidInput.into())),
            Ok(found) => Some(found),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(("write", error)),
        };
        let drafts = beside(&path, DRAFT);
        let mut target = Self {
            system: Arc::clone(system),
            shown: shown.to_owned(),
            path,
            env_name: env_name.map(str::to_owned),
            previous: None,
            existing,
            drafts,
            is_in_place: false,
            locks: Vec::new(),
            draft: None,
        };
        let content = target.content().map_err(|error| ("read", error))?;
        target.previous = secret_in(&content, env_name);
        target.with_secret(&content, env_file::PLACEHOLDER).map_err(|error| ("edit", error))?;
        target.prove(&content, patience, console).map_err(|error| ("replace", error))?;
        if target.is_in_place {
            let lock = lock::acquire_file(&target.path, patience, console);
            target.locks.push(lock.map_err(|error| (lock::verb(&error), error))?);
            target.prove_in_place().map_err(|error| ("write", error))?;
        }
        target.draft = Some(target.reserve(content.len()).map_err(|error| ("write", error))?);
        Ok(target)
    }

    pub(super) fn shown(&self) -> &Path {
        &self.shown
    }

    pub(super) fn location(&self) -> String {
        match &self.env_name {
            None => format!("`{}`", self.shown.display()),
            Some(name) => format!("`{}` as {name}", self.shown.display()),
        }
    }

    /// Where its temporary files are, since its own directory may not take a file.
    pub(super) fn hook_mark(&self) -> HookMark {
        HookMark::of(&self.drafts.with_file_name(self.path.file_name().unwrap_or_default()), &self.system)
    }

    pub(super) fn secret(&self) -> io::Result<Option<SecretString>> {
        Ok(secret_in(&self.content()?, self.env_name.as_deref()))
    }

    /// Stores the secret and reads it back. After an error, the content of the file is the old one, if that can be written.
    pub(super) fn store(&mut self, secret: &str) -> Result<(), NotWritten> {
        // Read again: an editor takes no lock.
        let old = self.content()?;
        let new = self.with_secret(&old, secret)?;
        if self.env_name.as_ref().is_some_and(|name| !env_file::holds(&new, name, secret)) {
            return Err(io::Error::other("other programs would not find the secret in this file").into());
        }
        let draft = self.draft.take().ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
        let synced = if self.is_in_place {
            self.write_in_place(draft, &old, &new)?;
            Ok(())
        } else {
            self.replace(draft, &new)?;
            sync_directory(&self.path, &*self.system)
        };
        let problem = match (synced, self.content()) {
            (Ok(()), Ok(content)) if content == new => return Ok(()),
            (Err(error), _) => format!("the secret was written, but its directory cannot be synced: {error}"),
            _ => "the secret was written, but it cannot be read back".to_owned(),
        };
        Err(match self.restore(&old) {
            Ok(()) => NotWritten { error: io::Error::other(problem), may_be_there: false },
            Err(error) => {
                let problem = format!("{problem}, and the old content cannot be put back: {error}");
                NotWritten { error: io::Error::other(problem), may_be_there: true }
            }
        })
    }

    /// Releases the reserve, so that the secret can be kept elsewhere: beside this path.
    pub(super) fn give_up(&mut self) -> &Path {
        self.draft = None;
        &self.path
    }

    /// The current content of the file. Empty if the file does not exist.
    fn content(&self) -> io::Result<Vec<u8>> {
        match self.system.read(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            read => read,
        }
    }

    fn with_secret(&self, content: &[u8], secret: &str) -> io::Result<Vec<u8>> {
        match &self.env_name {
            None => Ok(format!("{secret}\n").into_bytes()),
            Some(name) => env_file::set(content, name, secret)
                .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error.to_string())),
        }
    }

    fn prove(&mut self, content: &[u8], patience: Duration, console: &Console) -> io::Result<()> {
        let Some(existing) = self.existing.clone() else { return Ok(()) };
        let mut copy = match self.reserve(content.len()) {
            Err(error) if is_read_only(&error) => return self.keep_drafts_elsewhere(&error, patience, console),
            reserved => reserved?,
        };
        copy.write(content)?;
        // The secret is not in it yet: it looks as it did before.
        copy.file.set_mode(existing.mode)?;
        match copy.rename(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::ResourceBusy => {
                self.is_in_place = true;
                Ok(())
            }
            renamed => renamed.and_then(|()| sync_directory(&self.path, &*self.system)),
        }
    }

    /// In a directory that cannot be changed, a file can be written in place, with a copy in the user's state directory.
    fn keep_drafts_elsewhere(&mut self, cause: &io::Error, patience: Duration, console: &Console) -> io::Result<()> {
        let usable = |directory: &PathBuf| {
            self.path.parent() != Some(directory.as_path()) && self.system.create_directory(directory).is_ok()
        };
        let Some(state) = rescue::state_directory(&*self.system).filter(usable) else {
            let problem = "the directory cannot be changed, and there is no $XDG_STATE_HOME/arize-keys for a copy";
            return Err(io::Error::new(cause.kind(), format!("{cause}: {problem}")));
        };
        self.drafts = beside(&state.join(self.path.file_name().unwrap_or_default()), DRAFT);
        // Another file may have the same name.
        self.locks.push(lock::acquire(&self.drafts, patience, console)?);
        self.is_in_place = true;
        Ok(())
    }

    fn prove_in_place(&self) -> io::Result<()> {
        let content = self.content()?;
        let mode = self.existing.as_ref().map_or(SECRET_MODE, |existing| existing.mode);
        self.write_padded(&content, content.len() + RESERVE, mode).inspect_err(|_| {
            // What follows the content is a part of the reserve.
            let cut = |mut file: Box<dyn File>| file.rewind(length(content.len())).and_then(|()| file.set_mode(mode));
            let _ = self.system.open(&self.path, Access::Write).and_then(cut);
        })
    }

    /// An empty file for the owner alone, with space for the content and the secret.
    fn reserve(&self, len: usize) -> io::Result<Draft> {
        let mut draft = Draft::new(&self.drafts, &self.system)?;
        // An administrator who edits the file of another user leaves it theirs.
        if let Some(existing) = &self.existing
            && existing.user != draft.file.metadata()?.user
        {
            draft.file.set_owner(existing.user, existing.group)?;
        }
        draft.file.write_all(&vec![b'\n'; len + RESERVE])?;
        draft.file.sync()?;
        draft.reserved = len + RESERVE;
        Ok(draft)
    }

    /// All of it, or nothing.
    fn replace(&self, mut draft: Draft, content: &[u8]) -> io::Result<()> {
        draft.write(content)?;
        draft.rename(&self.path)
    }

    /// The draft keeps the old content until the new one is written.
    fn write_in_place(&self, mut draft: Draft, old: &[u8], new: &[u8]) -> Result<(), NotWritten> {
        draft.write(old)?;
        let Err(error) = self.write_padded(new, old.len(), SECRET_MODE) else { return Ok(()) };
        if self.write_padded(old, new.len(), SECRET_MODE).is_ok() {
            return Err(error.into());
        }
        let copy = draft.keep();
        let problem = format!("{error}, and the old content cannot be put back: it is in `{}`", copy.display());
        Err(NotWritten { error: io::Error::other(problem), may_be_there: true })
    }

    /// Writes over the file. One write has all of it: blank lines at the end cover longer old content, and are then cut off.
    fn write_padded(&self, content: &[u8], len: usize, mode: u32) -> io::Result<()> {
        let mut file = self.system.open(&self.path, Access::Write)?;
        file.set_mode(mode)?;
        let mut padded = content.to_vec();
        padded.resize(len.max(content.len()), b'\n');
        file.write_all(&padded)?;
        file.rewind(length(content.len()))?;
        file.sync()
    }

    fn restore(&self, old: &[u8]) -> io::Result<()> {
        match &self.existing {
            None => self.system.remove(&self.path),
            Some(_) if self.is_in_place => self.write_padded(old, old.len() + RESERVE, SECRET_MODE),
            Some(_) => {
                let draft = self.reserve(old.len())?;
                self.replace(draft, old)?;
                sync_directory(&self.path, &*self.system)
            }
        }
    }
}

fn is_read_only(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem)
}

fn length(len: usize) -> u64 {
    u64::try_from(len).unwrap_or(u64::MAX)
}

/// Why a secret is not stored.
pub(super) struct NotWritten {
    pub(super) error: io::Error,
    /// Whether the file may have the secret, now or after a power cut, although it should not.
    pub(super) may_be_there: bool,
}

impl From<io::Error> for NotWritten {
    fn from(error: io::Error) -> Self {
        Self { error, may_be_there: false }
    }
}

/// A temporary file of a target. It is removed, unless it was renamed.
struct Draft {
    system: Arc<dyn System>,
    path: PathBuf,
    file: Box<dyn File>,
    reserved: usize,
    is_renamed: bool,
}

impl Draft {
    /// A file of this name is what a killed run left: the lock keeps others away.
    fn new(path: &Path, system: &Arc<dyn System>) -> io::Result<Self> {
        let file = match system.create(path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                system.remove(path)?;
                system.create(path)?
            }
            created => created?,
        };
        Ok(Self { system: Arc::clone(system), path: path.to_owned(), file, reserved: 0, is_renamed: false })
    }

    /// Writes over the reserved space, and then cuts the rest off: no space is given back before it is used.
    fn write(&mut self, content: &[u8]) -> io::Result<()> {
        self.file.rewind(length(self.reserved.max(content.len())))?;
        self.file.write_all(content)?;
        self.file.rewind(length(content.len()))?;
        self.file.sync()
    }

    fn rename(mut self, target: &Path) -> io::Result<()> {
        self.system.rename(&self.path, target)?;
        self.is_renamed = true;
        Ok(())
    }

    /// Under a name that the next run does not remove, if it can be renamed.
    fn keep(mut self) -> PathBuf {
        self.is_renamed = true;
        let kept = self.path.with_extension("old");
        if self.system.rename(&self.path, &kept).is_ok() { kept } else { self.path.clone() }
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.is_renamed {
            let _ = self.system.remove(&self.path);
        }
    }
}
