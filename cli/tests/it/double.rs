//! A system for tests in this process: real files, an emulator in place of the network, streams in memory, and errors or a kill
//! at chosen steps.

use std::ffi::{OsStr, OsString};
use std::io::{self, BufRead, Read, Write};
use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use arize_api_keys::emulator::{Emulator, ManualClock};
use arize_api_keys::http::{Request, Response};
use arize_api_keys::time::{self, OffsetDateTime};
use arize_api_keys::{
    ApiKeysClient, ClientBuilder, Clock, ExposeSecret, Transport, TransportError, TransportErrorKind,
};
use arize_keys::system::{
    Access, Caught, Child, Exit, File, FileKind, Finished, Metadata, Os, Program, ShellCommand, Signal, Signals, System,
};
use tempfile::TempDir;

/// What becomes of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Plan {
    Go,
    Fail(io::ErrorKind),
    KillBefore,
    KillAfter,
}

/// The panic with which a killed program unwinds.
struct Killed;

/// The response to a request. `None` leaves it to the emulator.
type Responder = Box<dyn Fn(&Request<Vec<u8>>) -> Option<Response<Vec<u8>>> + Send + Sync>;

type Planner = Box<dyn Fn(usize, &str) -> Plan + Send + Sync>;

/// Clones are the same system.
#[derive(Clone)]
pub(crate) struct Double(Arc<World>);

pub(crate) struct World {
    pub(crate) emulator: Emulator,
    pub(crate) clock: ManualClock,
    pub(crate) dir: TempDir,
    os: Os,
    variables: Mutex<Vec<(OsString, OsString)>>,
    out: Mutex<Vec<u8>>,
    err: Mutex<String>,
    steps: Mutex<Vec<String>>,
    plan: Mutex<Planner>,
    service: Mutex<Option<Responder>>,
    is_dead: AtomicBool,
}

/// How a run ended.
#[derive(Debug)]
pub(crate) struct Run {
    /// `None` for a run that was killed.
    pub(crate) code: Option<u8>,
    pub(crate) out: String,
    pub(crate) err: String,
    pub(crate) steps: Vec<String>,
}

impl Double {
    pub(crate) fn new() -> Self {
        let clock = ManualClock::at(OffsetDateTime::UNIX_EPOCH + time::Duration::days(20_000));
        let emulator = Emulator::builder().seed(7).clock(clock.clone()).build();
        let key = emulator.admin_key().expose_secret().into();
        Self(Arc::new(World {
            emulator,
            clock,
            // In memory where that is possible: a sync takes no time there.
            dir: TempDir::new_in("/dev/shm").or_else(|_| TempDir::new()).unwrap(),
            os: Os::new(),
            variables: Mutex::new(vec![("ARIZE_API_KEY".into(), key)]),
            out: Mutex::default(),
            err: Mutex::default(),
            steps: Mutex::default(),
            plan: Mutex::new(Box::new(|_, _| Plan::Go)),
            service: Mutex::default(),
            is_dead: AtomicBool::new(false),
        }))
    }

    pub(crate) fn world(&self) -> &World {
        &self.0
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.0.dir.path().join(name).into_os_string().into_string().unwrap()
    }

    /// Sets a variable of the environment.
    pub(crate) fn set(&self, name: &str, value: &str) {
        self.0.variables.lock().unwrap().push((name.into(), value.into()));
    }

    /// What becomes of the steps from now on, by their number in the run and their name.
    pub(crate) fn plan(&self, plan: impl Fn(usize, &str) -> Plan + Send + Sync + 'static) {
        *self.0.plan.lock().unwrap() = Box::new(plan);
    }

    /// Answers requests in place of the emulator from now on.
    pub(crate) fn respond(
        &self,
        respond: impl Fn(&Request<Vec<u8>>) -> Option<Response<Vec<u8>>> + Send + Sync + 'static,
    ) {
        *self.0.service.lock().unwrap() = Some(Box::new(respond));
    }

    /// Runs the program to its end, or to its kill.
    pub(crate) fn run(&self, args: &[&str]) -> Run {
        self.0.is_dead.store(false, Ordering::SeqCst);
        self.0.steps.lock().unwrap().clear();
        let args = std::iter::once("arize-keys").chain(args.iter().copied()).map(OsString::from);
        let system: Arc<dyn System> = Arc::new(self.clone());
        let code = match panic::catch_unwind(AssertUnwindSafe(|| arize_keys::run(args, system))) {
            Ok(code) => Some(code),
            Err(payload) if payload.is::<Killed>() => None,
            Err(payload) => panic::resume_unwind(payload),
        };
        Run {
            code,
            out: String::from_utf8(std::mem::take(&mut *self.0.out.lock().unwrap())).unwrap(),
            err: std::mem::take(&mut *self.0.err.lock().unwrap()),
            steps: self.0.steps.lock().unwrap().clone(),
        }
    }

    /// A client of the admin that is no part of the run.
    pub(crate) fn admin(&self) -> ApiKeysClient {
        let builder = ApiKeysClient::builder().ignore_env().api_key(self.0.emulator.admin_key());
        builder.transport(self.0.emulator.clone()).clock(self.0.clock.clone()).build().unwrap()
    }
}

impl World {
    fn step<T>(&self, name: &str, act: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        if self.is_dead.load(Ordering::SeqCst) {
            return Err(io::Error::other("the program was killed"));
        }
        let plan = {
            let mut steps = self.steps.lock().unwrap();
            steps.push(name.to_owned());
            (self.plan.lock().unwrap())(steps.len() - 1, name)
        };
        match plan {
            Plan::Go => act(),
            Plan::Fail(kind) => Err(kind.into()),
            Plan::KillBefore => self.die(),
            Plan::KillAfter => {
                drop(act());
                self.die()
            }
        }
    }

    fn die(&self) -> ! {
        self.is_dead.store(true, Ordering::SeqCst);
        panic::resume_unwind(Box::new(Killed))
    }
}

/// The name of a file in the name of a step: without the directory, which differs from test to test.
fn name(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

impl System for Double {
    fn now(&self) -> OffsetDateTime {
        self.0.clock.now()
    }

    fn elapsed(&self) -> Duration {
        self.0.clock.elapsed()
    }

    fn sleep(&self, duration: Duration) {
        self.0.clock.sleep(duration);
    }

    fn variables(&self) -> Vec<(OsString, OsString)> {
        self.0.variables.lock().unwrap().clone()
    }

    fn host_name(&self) -> io::Result<String> {
        Ok("host".to_owned())
    }

    fn process_id(&self) -> u32 {
        4711
    }

    fn user(&self) -> u32 {
        self.0.os.user()
    }

    fn concurrency(&self) -> usize {
        self.0.os.concurrency()
    }

    fn client(&self) -> ClientBuilder {
        let builder = ApiKeysClient::builder().ignore_env().clock(self.0.clock.clone()).transport(self.clone());
        match self.variable("ARIZE_API_KEY") {
            Some(key) => builder.api_key(key.into_string().unwrap()),
            None => builder,
        }
    }

    fn stdin(&self) -> Box<dyn BufRead> {
        Box::new(io::empty())
    }

    fn read_stream(&self, path: Option<&Path>, limit: u64, timeout: Option<Duration>) -> io::Result<Vec<u8>> {
        self.0.step("read_stream", || self.0.os.read_stream(path, limit, timeout))
    }

    fn stdout(&self) -> io::Result<Box<dyn File>> {
        Ok(Box::new(Stdout(self.clone())))
    }

    fn stderr(&self, text: &str) -> io::Result<()> {
        let text = anstream::adapter::strip_str(text).to_string();
        self.0.step("stderr", || {
            self.0.err.lock().unwrap().push_str(&text);
            Ok(())
        })
    }

    fn metadata(&self, path: &Path) -> io::Result<Metadata> {
        self.0.step(&format!("metadata {}", name(path)), || self.0.os.metadata(path))
    }

    fn link_metadata(&self, path: &Path) -> io::Result<Metadata> {
        self.0.step(&format!("link_metadata {}", name(path)), || self.0.os.link_metadata(path))
    }

    fn canonicalize(&self, path: &Path) -> io::Result<PathBuf> {
        self.0.step(&format!("canonicalize {}", name(path)), || self.0.os.canonicalize(path))
    }

    fn names(&self, directory: &Path) -> io::Result<Vec<OsString>> {
        self.0.step("names", || self.0.os.names(directory))
    }

    fn open(&self, path: &Path, access: Access) -> io::Result<Box<dyn File>> {
        let name = if path == self.0.dir.path() { "directory".to_owned() } else { name(path) };
        let file = self.0.step(&format!("open {name}"), || self.0.os.open(path, access))?;
        Ok(Box::new(Watched { file, name, system: self.clone() }))
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn File>> {
        let name = name(path);
        let file = self.0.step(&format!("create {name}"), || self.0.os.create(path))?;
        Ok(Box::new(Watched { file, name, system: self.clone() }))
    }

    fn create_directory(&self, path: &Path) -> io::Result<()> {
        self.0.step(&format!("create_directory {}", name(path)), || self.0.os.create_directory(path))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.0.step(&format!("rename {} {}", name(from), name(to)), || self.0.os.rename(from, to))
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.0.step(&format!("remove {}", name(path)), || self.0.os.remove(path))
    }

    fn shell(&self, command: &ShellCommand<'_>) -> io::Result<Finished> {
        self.0.step(&format!("shell {}", command.text), || self.0.os.shell(command))
    }

    fn find_program(&self, name: &OsStr) -> io::Result<PathBuf> {
        self.0.step(&format!("find_program {}", name.display()), || self.0.os.find_program(name))
    }

    fn spawn(&self, program: &Program<'_>) -> io::Result<Box<dyn Child>> {
        let child = self.0.step(&format!("spawn {}", program.name.display()), || self.0.os.spawn(program))?;
        Ok(Box::new(WatchedChild { child, system: self.clone() }))
    }

    fn signals(&self, signals: &[Signal]) -> io::Result<Box<dyn Signals>> {
        let has_child = signals.contains(&Signal::Child);
        self.0.step("signals", || Ok(Box::new(Planned { has_child }) as Box<dyn Signals>))
    }
}

/// Somebody ends the program at once, unless it waits for a child.
struct Planned {
    has_child: bool,
}

impl Signals for Planned {
    fn next(&mut self) -> Caught {
        // A child needs a while to end.
        std::thread::sleep(Duration::from_millis(u64::from(self.has_child)));
        let signal = if self.has_child { Signal::Child } else { Signal::Terminate };
        Caught { signal, is_from_process: true }
    }

    fn try_next(&mut self) -> Option<Caught> {
        None
    }
}

struct WatchedChild {
    child: Box<dyn Child>,
    system: Double,
}

impl Child for WatchedChild {
    fn try_wait(&mut self) -> io::Result<Option<Exit>> {
        // No step until it has ended: how often the program looks depends on the time.
        match self.child.try_wait()? {
            Some(exit) => self.system.0.step("wait", || Ok(Some(exit))),
            None => Ok(None),
        }
    }

    fn signal(&mut self, signal: Signal) -> io::Result<()> {
        let Self { child, system } = self;
        system.0.step(&format!("signal {signal:?}"), || child.signal(signal))
    }
}

impl Transport for Double {
    fn send(&self, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, TransportError> {
        let name = format!("{} {}", request.method(), request.uri().path());
        let sent = self.0.step(&name, || {
            let response = self.0.service.lock().unwrap().as_ref().and_then(|respond| respond(&request));
            Ok(response.map_or_else(|| self.0.emulator.send(request), Ok))
        });
        sent.unwrap_or_else(|error| Err(TransportError::new(TransportErrorKind::Connect, error)))
    }
}

struct Stdout(Double);

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
        Err(io::ErrorKind::NotSeekable.into())
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
        let world = &self.0.0;
        world.step("stdout", || world.out.lock().unwrap().write(data))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A real file whose steps are planned.
struct Watched {
    file: Box<dyn File>,
    name: String,
    system: Double,
}

impl Watched {
    fn step<T>(&self, verb: &str, act: impl FnOnce(&dyn File) -> io::Result<T>) -> io::Result<T> {
        self.system.0.step(&format!("{verb} {}", self.name), || act(&*self.file))
    }
}

impl File for Watched {
    fn metadata(&self) -> io::Result<Metadata> {
        self.step("metadata of", |file| file.metadata())
    }

    fn is_terminal(&self) -> bool {
        self.file.is_terminal()
    }

    fn set_owner(&self, user: u32, group: u32) -> io::Result<()> {
        self.step("set_owner", |file| file.set_owner(user, group))
    }

    fn set_mode(&self, mode: u32) -> io::Result<()> {
        self.step("set_mode", |file| file.set_mode(mode))
    }

    fn rewind(&mut self, len: u64) -> io::Result<()> {
        let Self { file, name, system } = self;
        system.0.step(&format!("rewind {name}"), || file.rewind(len))
    }

    fn sync(&self) -> io::Result<()> {
        self.step("sync", |file| file.sync())
    }

    fn try_lock(&self) -> io::Result<bool> {
        // A process that another test is starting has a copy of a released lock until it runs its program. That moment
        // must not show as steps.
        self.step("lock", |file| {
            for _ in 0..1000 {
                if file.try_lock()? {
                    return Ok(true);
                }
                std::thread::sleep(Duration::from_millis(1));
            }
            Ok(false)
        })
    }
}

impl Read for Watched {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Self { file, name, system } = self;
        system.0.step(&format!("read {name}"), || file.read(buffer))
    }
}

impl Write for Watched {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let Self { file, name, system } = self;
        system.0.step(&format!("write {name}"), || file.write(data))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
