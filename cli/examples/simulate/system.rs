//! [`System`] for a simulated process.

use std::ffi::{OsStr, OsString};
use std::io::{self, BufRead, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::Duration;

use arize_api_keys::http::{Method, Request, Response};
use arize_api_keys::time::OffsetDateTime;
use arize_api_keys::{ApiKeysClient, ClientBuilder, Clock, Transport, TransportError, TransportErrorKind};
use arize_keys::system::{
    Access, Child, Exit, File, FileKind, Finished, Metadata, Program, ShellCommand, Signal, Signals, System,
};

use super::child::{NoSignals, Started};
use super::file::{Handle, Stdout};
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

    fn read_stream(&self, _: Option<&Path>, _: u64, _: Option<Duration>) -> io::Result<Vec<u8>> {
        Err(ErrorKind::Unsupported.into())
    }

    fn stdout(&self) -> io::Result<Box<dyn File>> {
        Ok(Stdout::boxed(self))
    }

    fn stderr(&self, text: &str) -> io::Result<()> {
        self.step(Verb::Say, |_| {
            lock(&self.0.err).push_str(text);
            Ok(())
        })
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
        Ok(Handle::boxed(self, inode))
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn File>> {
        let inode = self.step(Verb::Create, |_| self.0.host.inner().disk.create(path))?;
        Ok(Handle::boxed(self, inode))
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

    /// `reload` tells the consumer to read its file. Every command is found.
    fn shell(&self, command: &ShellCommand<'_>) -> io::Result<Finished> {
        let is_reload = command.text == "reload";
        self.step(if is_reload { Verb::Spawn } else { Verb::Look }, |_| {
            if is_reload {
                self.0.host.reload();
            }
            Ok(Finished { status: Exit::Code(0), stdout: Vec::new() })
        })
    }

    fn find_program(&self, name: &OsStr) -> io::Result<PathBuf> {
        self.step(Verb::Look, |_| Ok(Path::new("/bin").join(name)))
    }

    fn spawn(&self, program: &Program<'_>) -> io::Result<Box<dyn Child>> {
        self.step(Verb::Spawn, |_| Ok(Started::boxed(self, program)))
    }

    fn signals(&self, _: &[Signal]) -> io::Result<Box<dyn Signals>> {
        self.step(Verb::Look, |_| Ok(NoSignals::boxed()))
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
