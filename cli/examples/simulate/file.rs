//! The open files of a simulated process.

use std::io::{self, ErrorKind, Read, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use arize_keys::system::{File, FileKind, Metadata};

use super::disk::{Disk, Inode};
use super::process::{Decision, Process, Verb, lock};

/// An open file or directory.
pub(super) struct Handle {
    process: Process,
    inode: Inode,
    position: usize,
    has_lock: AtomicBool,
}

impl Handle {
    pub(super) fn boxed(process: &Process, inode: Inode) -> Box<dyn File> {
        Box::new(Self { process: process.clone(), inode, position: 0, has_lock: AtomicBool::new(false) })
    }

    fn on_disk<T>(&self, verb: Verb, act: impl FnOnce(&mut Disk) -> io::Result<T>) -> io::Result<T> {
        self.process.step(verb, |_| act(&mut self.process.0.host.inner().disk))
    }
}

impl File for Handle {
    fn metadata(&self) -> io::Result<Metadata> {
        self.on_disk(Verb::Look, |disk| disk.metadata_of(self.inode))
    }

    fn is_terminal(&self) -> bool {
        false
    }

    fn set_owner(&self, _: u32, _: u32) -> io::Result<()> {
        self.on_disk(Verb::SetOwner, |_| Ok(()))
    }

    fn set_mode(&self, mode: u32) -> io::Result<()> {
        self.on_disk(Verb::SetMode, |disk| disk.set_mode(self.inode, mode))
    }

    fn rewind(&mut self, len: u64) -> io::Result<()> {
        let len = usize::try_from(len).map_err(io::Error::other)?;
        self.on_disk(Verb::Rewind, |disk| disk.resize(self.inode, len))?;
        self.position = 0;
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        self.on_disk(Verb::Sync, |disk| disk.sync(self.inode))
    }

    fn try_lock(&self) -> io::Result<bool> {
        let is_locked = self.on_disk(Verb::Lock, |disk| disk.try_lock(self.inode, self.process.0.id))?;
        self.has_lock.store(is_locked, Ordering::Relaxed);
        Ok(is_locked)
    }
}

impl Read for Handle {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let (inode, position) = (self.inode, self.position);
        let count = self.on_disk(Verb::Read, |disk| {
            let rest = disk.read(inode, position)?;
            let count = rest.len().min(buffer.len());
            let filled = buffer.iter_mut().zip(rest).map(|(to, from)| *to = *from).count();
            debug_assert_eq!(filled, count);
            Ok(count)
        })?;
        self.position += count;
        Ok(count)
    }
}

impl Write for Handle {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let (inode, position, process) = (self.inode, self.position, &self.process);
        let count = process.step(Verb::Write, |decision| {
            let len = if matches!(decision, Decision::Short) { data.len().div_ceil(2) } else { data.len() };
            let data = data.get(..len).unwrap_or_default();
            process.0.host.inner().disk.write(inode, position, data)?;
            Ok(len)
        })?;
        self.position += count;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The kernel closes a file when its process ends or the program drops it: no step.
impl Drop for Handle {
    fn drop(&mut self) {
        if self.has_lock.load(Ordering::Relaxed) {
            self.process.0.host.inner().disk.unlock(Some(self.inode), self.process.0.id);
        }
    }
}

/// Standard output: a pipe.
pub(super) struct Stdout(Process);

impl Stdout {
    pub(super) fn boxed(process: &Process) -> Box<dyn File> {
        Box::new(Self(process.clone()))
    }
}

impl File for Stdout {
    fn metadata(&self) -> io::Result<Metadata> {
        Ok(Metadata { kind: FileKind::Pipe, len: 0, mode: 0, user: 0, group: 0, device: 0, inode: 0, links: 1 })
    }

    fn is_terminal(&self) -> bool {
        false
    }

    fn set_owner(&self, _: u32, _: u32) -> io::Result<()> {
        Ok(())
    }

    fn set_mode(&self, _: u32) -> io::Result<()> {
        Ok(())
    }

    fn rewind(&mut self, _: u64) -> io::Result<()> {
        Err(ErrorKind::NotSeekable.into())
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }

    fn try_lock(&self) -> io::Result<bool> {
        Ok(true)
    }
}

impl Read for Stdout {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Ok(0)
    }
}

impl Write for Stdout {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.0.step(Verb::Say, |_| {
            lock(&self.0.0.out).push_str(&String::from_utf8_lossy(data));
            Ok(data.len())
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
