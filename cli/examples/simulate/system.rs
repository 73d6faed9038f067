//! [`System`] for a simulated process.

use std::ffi::OsString;
use std::io::{self, BufRead, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use arize_api_keys::http::{Method, Request, Response};
use arize_api_keys::time::OffsetDateTime;
use arize_api_keys::{ApiKeysClient, ClientBuilder, Clock, Transport, TransportError, TransportErrorKind};
use arize_keys::system::{Access, File, FileKind, Finished, Metadata, ShellCommand, Signal, Signals, Stream, System};
use indicatif::ProgressBar;

use super::disk::Inode;
use super::process::{Call, Decision, Process, Verb, lock};

/// How long a request takes.
const LATENCY: Duration = Duration::from_millis(20);

impl System for Process {
    fn now(&self) -> OffsetDateTime {
        self.0.service.clock.now()
    }

    fn elapsed(&self) -> Duration {
        self.0.service.clock.elapsed()
    }

    fn sleep(&self, duration: Duration) {
        self.wait(duration);
    }

    fn variables(&self) -> Vec<(OsString, OsString)> {
        self.0.variables.clone()
    }

    fn host_name(&self) -> io::Result<String> {
        Ok(self.0.host.name.clone())
    }

    fn process_id(&self) -> u32 {
        self.0.id
    }

    fn user(&self) -> u32 {
        1
    }

    fn concurrency(&self) -> usize {
        1
    }

    fn client(&self) -> ClientBuilder {
        let builder = ApiKeysClient::builder().ignore_env().api_key(self.0.service.emulator.admin_key());
        builder.clock(self.clone()).transport(self.clone())
    }

    fn stdin(&self) -> Box<dyn BufRead> {
        Box::new(io::empty())
    }

    fn stdout(&self) -> io::Result<Box<dyn File>> {
        Ok(Box::new(Stdout(self.clone())))
    }

    fn stderr(&self, text: &str) -> io::Result<()> {
        self.step(Verb::Say, |_| {
            lock(&self.0.err).push_str(text);
            Ok(())
        })
    }

    fn is_terminal(&self, _: Stream) -> bool {
        false
    }

    fn is_styled(&self) -> bool {
        false
    }

    fn width(&self) -> Option<u16> {
        None
    }

    fn progress(&self) -> ProgressBar {
        ProgressBar::hidden()
    }

    fn metadata(&self, path: &Path) -> io::Result<Metadata> {
        self.step(Verb::Look, |_| self.0.host.inner().disk.metadata(path))
    }

    fn link_metadata(&self, path: &Path) -> io::Result<Metadata> {
        self.step(Verb::Look, |_| self.0.host.inner().disk.metadata(path))
    }

    fn canonicalize(&self, path: &Path) -> io::Result<PathBuf> {
        self.step(Verb::Look, |_| self.0.host.inner().disk.metadata(path).map(|_| path.to_owned()))
    }

    fn names(&self, directory: &Path) -> io::Result<Vec<OsString>> {
        self.step(Verb::Look, |_| Ok(self.0.host.inner().disk.list(directory)))
    }

    fn open(&self, path: &Path, access: Access) -> io::Result<Box<dyn File>> {
        let is_directory = self.0.host.inner().disk.metadata(path).is_ok_and(|found| found.kind == FileKind::Directory);
        let verb = if is_directory { Verb::OpenDirectory } else { Verb::Open };
        let inode = self.step(verb, |_| self.0.host.inner().disk.open(path, access))?;
        Ok(Box::new(Handle { process: self.clone(), inode, position: 0, has_lock: false.into() }))
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn File>> {
        let inode = self.step(Verb::Create, |_| self.0.host.inner().disk.create(path))?;
        Ok(Box::new(Handle { process: self.clone(), inode, position: 0, has_lock: false.into() }))
    }

    fn create_directory(&self, path: &Path) -> io::Result<()> {
        self.step(Verb::CreateDirectory, |_| {
            self.0.host.inner().disk.create_directory(path);
            Ok(())
        })
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.step(Verb::Rename, |_| self.0.host.inner().disk.rename(from, to))
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.step(Verb::Remove, |_| self.0.host.inner().disk.remove(path))
    }

    fn shell(&self, _: &ShellCommand<'_>) -> io::Result<Finished> {
        Err(ErrorKind::Unsupported.into())
    }

    fn signals(&self) -> io::Result<Box<dyn Signals>> {
        Ok(Box::new(NoSignals))
    }
}

/// The clock of the client in the process.
impl Clock for Process {
    fn now(&self) -> OffsetDateTime {
        self.0.service.clock.now()
    }

    fn elapsed(&self) -> Duration {
        self.0.service.clock.elapsed()
    }

    fn sleep(&self, duration: Duration) {
        self.wait(duration);
    }

    fn jitter(&self, max: Duration) -> Duration {
        max
    }
}

impl Transport for Process {
    fn send(&self, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, TransportError> {
        let call = match *request.method() {
            Method::GET => Call::List,
            Method::POST => Call::Mint,
            _ => Call::Remove,
        };
        let sent = self.step(Verb::Send(call), |decision| {
            self.0.service.clock.advance(LATENCY);
            Ok(match decision {
                Decision::Fault(row) => row.commit(request, &self.0.service, self.0.id),
                _ => Ok(self.0.service.handle(request, self.0.id)),
            })
        });
        sent.unwrap_or_else(|error| Err(TransportError::new(TransportErrorKind::Configuration, error)))
    }
}

/// An open file or directory.
struct Handle {
    process: Process,
    inode: Inode,
    position: usize,
    has_lock: std::sync::atomic::AtomicBool,
}

impl Handle {
    fn on_disk<T>(&self, verb: Verb, act: impl FnOnce(&mut super::disk::Disk) -> io::Result<T>) -> io::Result<T> {
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
        self.has_lock.store(is_locked, std::sync::atomic::Ordering::Relaxed);
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
        if self.has_lock.load(std::sync::atomic::Ordering::Relaxed) {
            self.process.0.host.inner().disk.unlock(Some(self.inode), self.process.0.id);
        }
    }
}

struct Stdout(Process);

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

/// The simulator kills; it sends no signals.
struct NoSignals;

impl Signals for NoSignals {
    fn next(&mut self) -> Signal {
        Signal::Terminate
    }
}
