//! What paths say about where a secret goes.

use std::io;
use std::path::{Path, PathBuf};

use crate::system::{Access, System};

/// Whether a path can only be that of a directory, whether or not there is one.
pub(super) fn names_a_directory(path: &Path) -> bool {
    let last = path.as_os_str().as_encoded_bytes().rsplit(|byte| std::path::is_separator(char::from(*byte))).next();
    matches!(last, None | Some(b"" | b"." | b".."))
}

/// The directory that a path is in.
pub(super) fn directory(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Whether this system or file system can never open, lock or sync the directory. The numbers are EBADF and ENOLCK, of NFS.
pub(super) fn is_impossible(error: &io::Error) -> bool {
    use io::ErrorKind::{InvalidInput, NotFound, PermissionDenied, Unsupported};
    matches!(error.kind(), InvalidInput | NotFound | PermissionDenied | Unsupported)
        || matches!(error.raw_os_error(), Some(9 | 37 | 77))
}

/// Brings the name of a file to the disk.
pub(super) fn sync_directory(path: &Path, system: &dyn System) -> io::Result<()> {
    let directory = match system.open(directory(path), Access::Read) {
        Err(error) if is_impossible(&error) => return Ok(()),
        opened => opened?,
    };
    match directory.sync() {
        Err(error) if error.kind() != io::ErrorKind::PermissionDenied && is_impossible(&error) => Ok(()),
        synced => synced,
    }
}

/// A name beside a file that begins with its name, so that the same ignore rules cover both.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(suffix);
    directory(path).join(name)
}

/// Fails if another user put this path where every user can: the secret would be theirs, or go where they want. The same if they
/// put the directory there that holds it.
pub(super) fn owned(path: &Path, system: &dyn System) -> io::Result<()> {
    let Ok(entry) = system.link_metadata(path) else { return Ok(()) };
    if entry.user == system.user() || entry.user == 0 {
        return Ok(());
    }
    let parent = directory(path);
    if system.metadata(parent)?.mode & 0o002 != 0 {
        let problem = "another user owns it, in a directory that every user can write to";
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, problem));
    }
    // Only a path from the root leads to all directories above. The root itself may be another user's in a container.
    match path.parent() {
        None => Ok(()),
        Some(parent) if path.is_absolute() => owned(parent, system),
        Some(_) => owned(&system.canonicalize(parent)?, system),
    }
}
