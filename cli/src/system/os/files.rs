//! Files of the operating system.

use std::fs::{self, OpenOptions, TryLockError};
use std::io::{self, IsTerminal, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use super::super::{Access, File, FileKind, Metadata};

/// A file of `std`.
struct OsFile(fs::File);

pub(super) fn open(path: &Path, access: Access) -> io::Result<Box<dyn File>> {
    let mut options = OpenOptions::new();
    options.read(access == Access::Read).write(access != Access::Read);
    if access == Access::Replace {
        options.create(true).truncate(true);
    }
    #[cfg(unix)]
    if access == Access::WriteNow {
        use std::os::unix::fs::OpenOptionsExt;

        options.custom_flags(rustix::fs::OFlags::NONBLOCK.bits().cast_signed());
    }
    Ok(Box::new(OsFile(options.open(path)?)))
}

/// In a separate thread, because the call that opens a FIFO cannot be ended. The thread ends with this process.
pub(super) fn read_stream(path: Option<PathBuf>, limit: u64, timeout: Option<Duration>) -> io::Result<Vec<u8>> {
    let read = move || {
        let mut content = Vec::new();
        match path {
            Some(path) => fs::File::open(path)?.take(limit).read_to_end(&mut content)?,
            None => io::stdin().take(limit).read_to_end(&mut content)?,
        };
        Ok(content)
    };
    let Some(timeout) = timeout else { return read() };
    let (sender, receiver) = mpsc::channel();
    // It fails if nothing waits for it any more.
    let send = move || drop(sender.send(read()));
    thread::Builder::new().spawn(send)?;
    receiver
        .recv_timeout(timeout)
        .unwrap_or_else(|_| Err(io::Error::new(io::ErrorKind::TimedOut, "no process wrote it to its end in time")))
}

pub(super) fn create(path: &Path) -> io::Result<Box<dyn File>> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;

        options.mode(0o600);
    }
    Ok(Box::new(OsFile(options.open(path)?)))
}

/// Without what the standard library puts before it: a buffer, and silence about a stdout that cannot be written.
#[cfg(unix)]
pub(super) fn stdout() -> io::Result<Box<dyn File>> {
    use std::os::fd::AsFd;

    let stdout = io::stdout().as_fd().try_clone_to_owned()?;
    Ok(Box::new(OsFile(stdout.into())))
}

#[cfg(windows)]
pub(super) fn stdout() -> io::Result<Box<dyn File>> {
    use std::os::windows::io::AsHandle;

    let stdout = io::stdout().as_handle().try_clone_to_owned()?;
    Ok(Box::new(OsFile(stdout.into())))
}

impl File for OsFile {
    fn metadata(&self) -> io::Result<Metadata> {
        self.0.metadata().map(|found| metadata(&found))
    }

    fn is_terminal(&self) -> bool {
        self.0.is_terminal()
    }

    #[cfg(unix)]
    fn set_owner(&self, user: u32, group: u32) -> io::Result<()> {
        std::os::unix::fs::fchown(&self.0, Some(user), Some(group))
    }

    #[cfg(not(unix))]
    fn set_owner(&self, _: u32, _: u32) -> io::Result<()> {
        Ok(())
    }

    #[cfg(unix)]
    fn set_mode(&self, mode: u32) -> io::Result<()> {
        use std::os::unix::fs::PermissionsExt;

        self.0.set_permissions(fs::Permissions::from_mode(mode))
    }

    #[cfg(not(unix))]
    fn set_mode(&self, _: u32) -> io::Result<()> {
        Ok(())
    }

    fn rewind(&mut self, len: u64) -> io::Result<()> {
        self.0.set_len(len)?;
        Seek::rewind(&mut self.0)
    }

    fn sync(&self) -> io::Result<()> {
        self.0.sync_all()
    }

    fn try_lock(&self) -> io::Result<bool> {
        match self.0.try_lock() {
            Ok(()) => Ok(true),
            Err(TryLockError::WouldBlock) => Ok(false),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }
}

impl Read for OsFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Write for OsFile {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.0.write(data)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(unix)]
pub(super) fn metadata(found: &fs::Metadata) -> Metadata {
    use std::os::unix::fs::{FileTypeExt, MetadataExt};

    let kind = found.file_type();
    let kind = match () {
        () if kind.is_file() => FileKind::Regular,
        () if kind.is_dir() => FileKind::Directory,
        () if kind.is_symlink() => FileKind::Link,
        () if kind.is_fifo() => FileKind::Pipe,
        () if kind.is_socket() => FileKind::Socket,
        () if kind.is_char_device() => FileKind::Character,
        () => FileKind::Other,
    };
    Metadata {
        kind,
        len: found.len(),
        mode: found.mode() & 0o7777,
        user: found.uid(),
        group: found.gid(),
        device: found.dev(),
        inode: found.ino(),
        links: found.nlink(),
    }
}

#[cfg(not(unix))]
pub(super) fn metadata(found: &fs::Metadata) -> Metadata {
    let kind = match () {
        () if found.is_file() => FileKind::Regular,
        () if found.is_dir() => FileKind::Directory,
        () if found.is_symlink() => FileKind::Link,
        () => FileKind::Other,
    };
    Metadata { kind, len: found.len(), mode: 0, user: 0, group: 0, device: 0, inode: 0, links: 1 }
}
