//! Everything that the program reads from and writes to the world outside it: one trait, [`System`].
//!
//! The clock, the environment, the streams, files, processes, signals and the network belong to the [`System`]. Commands get
//! one with their [`Console`](crate::console::Console). [`Os`] is the real one; a test wraps it to inject errors, and a
//! simulator replaces it. No other file of this program names `std::fs`, `std::process`, `std::env`, `SystemTime` or a standard
//! stream: a test reads the sources for them.
//!
//! # Steps
//!
//! Each call of a method of [`System`], [`File`], [`Child`] or [`Signals`] is one step: it happens or it fails, and no step does
//! the work of two. So an implementation can count the steps, fail any of them, and end the program before or after any of them. To
//! end it, the implementation unwinds with a panic that it knows and refuses every later step, so that destructors which run
//! during the unwinding change nothing. Requests are steps too: they go through the transport that [`System::client`] puts
//! into the client.
//!
//! # A new step
//!
//! 1. Add a method that does one thing, to [`File`] where it needs an open file, else to [`System`]. Take and return the types
//!    of this module, never those of `std::fs` or `std::process`, which a simulator cannot make.
//! 2. Implement it in `os/`, with what differs between operating systems behind `cfg` there and nowhere else.
//! 3. Implement it in the double of the tests (`tests/it/double.rs`) through its `step` function, with a name by which
//!    tests find it.
//!
//! A method never combines two changes ("write and rename"): the order of the steps is what the tests examine.

mod os;

use std::ffi::{OsStr, OsString};
use std::io::{self, BufRead, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use arize_api_keys::ClientBuilder;
use arize_api_keys::time::OffsetDateTime;
use indicatif::ProgressBar;

pub use self::os::Os;

/// The world outside the program. See the [module](self) for what an implementation must keep to.
pub trait System: Send + Sync {
    /// The date and time.
    fn now(&self) -> OffsetDateTime;

    /// The time since a fixed moment, never going back: deadlines are counted on it.
    fn elapsed(&self) -> Duration;

    /// Waits.
    fn sleep(&self, duration: Duration);

    /// The environment variables.
    fn variables(&self) -> Vec<(OsString, OsString)>;

    /// One environment variable. `None` if it is not set.
    fn variable(&self, name: &str) -> Option<OsString> {
        self.variables().into_iter().find_map(|(found, value)| (found == name).then_some(value))
    }

    /// The name of this host.
    fn host_name(&self) -> io::Result<String>;

    /// The id of this process.
    fn process_id(&self) -> u32;

    /// The id of the user that this process acts as. 0 where users have none.
    fn user(&self) -> u32;

    /// How many requests of one command may be in flight at the same time. With 1, a command starts no thread for them.
    fn concurrency(&self) -> usize;

    /// The start of every client: the settings of the environment, with the transport and the clock of this system.
    fn client(&self) -> ClientBuilder;

    /// Standard input, for the reply to a question. [`read_stream`](Self::read_stream) reads data from it.
    fn stdin(&self) -> Box<dyn BufRead>;

    /// All of a pipe or a device, or of standard input without a path: at most `limit` bytes.
    ///
    /// It may take this long: a FIFO without a writer never ends. After that, the error is of the kind `TimedOut`.
    fn read_stream(&self, path: Option<&Path>, limit: u64, timeout: Option<Duration>) -> io::Result<Vec<u8>>;

    /// Standard output, without a buffer.
    fn stdout(&self) -> io::Result<Box<dyn File>>;

    /// Writes to standard error. The text may have ANSI styles; they are removed where the stream does not take them.
    fn stderr(&self, text: &str) -> io::Result<()>;

    /// Whether a stream is a terminal. A system without a terminal leaves this and the next three as they are.
    fn is_terminal(&self, _: Stream) -> bool {
        false
    }

    /// Whether standard output takes ANSI styles: it is a terminal, and the environment does not say otherwise.
    fn is_styled(&self) -> bool {
        false
    }

    /// The width of the terminal at standard output, in columns. `None` if that is not a terminal.
    fn width(&self) -> Option<u16> {
        None
    }

    /// A progress bar on standard error, hidden where that is no terminal.
    fn progress(&self) -> ProgressBar {
        ProgressBar::hidden()
    }

    /// Metadata of a path. Follows symbolic links.
    fn metadata(&self, path: &Path) -> io::Result<Metadata>;

    /// Metadata of a path. Does not follow a symbolic link at its end.
    fn link_metadata(&self, path: &Path) -> io::Result<Metadata>;

    /// The absolute path without symbolic links.
    fn canonicalize(&self, path: &Path) -> io::Result<PathBuf>;

    /// The names in a directory, in no order.
    fn names(&self, directory: &Path) -> io::Result<Vec<OsString>>;

    /// Opens a file. A directory can be opened for reading on Unix, to lock and to sync it.
    fn open(&self, path: &Path, access: Access) -> io::Result<Box<dyn File>>;

    /// Creates a file with mode 0600. Fails if the path exists, even as a dangling link.
    fn create(&self, path: &Path) -> io::Result<Box<dyn File>>;

    /// Creates a directory and its parents. Succeeds if it exists.
    fn create_directory(&self, path: &Path) -> io::Result<()>;

    /// Renames a file, replacing a file at the new path.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Runs a shell command to its end, with the input on its stdin.
    ///
    /// A command that has not ended after the timeout is killed, and the error is of the kind `TimedOut`. A command that
    /// ends without having read its input is no error: its status decides. Its stderr is ours.
    fn shell(&self, command: &ShellCommand<'_>) -> io::Result<Finished>;

    /// The file that a shell runs for this name: the name itself if it is a path, else the first one in the folders of `PATH`.
    ///
    /// The error is of the kind `NotFound` if no file has the name, and of the kind `PermissionDenied` if this process may not execute it.
    fn find_program(&self, name: &OsStr) -> io::Result<PathBuf>;

    /// Starts a program, with the standard streams and in the process group of this one.
    fn spawn(&self, program: &Program<'_>) -> io::Result<Box<dyn Child>>;

    /// Catches these signals from now on, instead of their default effect. A signal that was ignored when this process started
    /// stays ignored, and the programs that it starts ignore it, too.
    fn signals(&self, signals: &[Signal]) -> io::Result<Box<dyn Signals>>;

    /// Calls `report` before Ctrl-C ends the process; `None` calls nothing any more. A Ctrl-C that was ignored when this process
    /// started stays ignored. Does nothing where there are no signals.
    fn on_interrupt(&self, report: Option<Report>) {
        drop(report);
    }
}

/// What Ctrl-C calls before it ends the process.
pub type Report = Arc<dyn Fn() + Send + Sync>;

/// An open file, pipe, device or directory. Dropping it closes it and releases its lock.
pub trait File: Read + Write + Send {
    /// Metadata of the open file, even if its path leads to another one by now.
    fn metadata(&self) -> io::Result<Metadata>;

    /// Whether it is a terminal.
    fn is_terminal(&self) -> bool;

    /// Gives the file to a user and a group. Does nothing where files have none.
    fn set_owner(&self, user: u32, group: u32) -> io::Result<()>;

    /// Changes the permissions. Does nothing where files have none.
    fn set_mode(&self, mode: u32) -> io::Result<()>;

    /// Cuts or extends the file to this length, and goes to its beginning.
    fn rewind(&mut self, len: u64) -> io::Result<()>;

    /// Waits until content and metadata are on the disk.
    fn sync(&self) -> io::Result<()>;

    /// Takes the advisory lock on the file, if no other process has it. `false` if one has.
    fn try_lock(&self) -> io::Result<bool>;
}

/// A program that was started. Dropping it does not end it.
pub trait Child: Send {
    /// How it ended. `None` if it runs. Does not wait.
    fn try_wait(&mut self) -> io::Result<Option<Exit>>;

    /// Sends it a signal.
    fn signal(&mut self, signal: Signal) -> io::Result<()>;
}

/// The signals that the program catches.
pub trait Signals: Send {
    /// Waits for the next signal.
    fn next(&mut self) -> Caught;

    /// The next signal, if one has come.
    fn try_next(&mut self) -> Option<Caught>;
}

/// A signal that has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caught {
    /// Which one.
    pub signal: Signal,
    /// Whether a process sent it. The terminal sends its signals to a whole process group.
    pub is_from_process: bool,
}

/// A signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// The end of the terminal.
    HangUp,
    /// Ctrl-C.
    Interrupt,
    /// Ctrl-\.
    Quit,
    /// From `kill` and supervisors.
    Terminate,
    /// A child has ended. Without signals: time to look for it.
    Child,
}

/// A standard stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Standard input.
    Stdin,
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// How a file is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// For reading.
    Read,
    /// For writing, from the beginning, without emptying it. Waits for the reader of a FIFO.
    Write,
    /// The same for a FIFO, without waiting: without a reader, it fails on Unix with ENXIO.
    WriteNow,
    /// For writing an empty file, which is created with the default mode if it does not exist.
    Replace,
}

/// Metadata of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metadata {
    /// Its type.
    pub kind: FileKind,
    /// Its length in bytes.
    pub len: u64,
    /// Its permissions, like 0o600. Elsewhere than on Unix, as the other numbers below, 0.
    pub mode: u32,
    /// The id of its owner.
    pub user: u32,
    /// The id of its group.
    pub group: u32,
    /// The device that it is on; with `inode`, its identity.
    pub device: u64,
    /// Its number on the device.
    pub inode: u64,
    /// How many names it has.
    pub links: u64,
}

/// The type of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// A regular file.
    Regular,
    /// A directory.
    Directory,
    /// A symbolic link that was not followed.
    Link,
    /// A FIFO or a pipe.
    Pipe,
    /// A socket.
    Socket,
    /// A character device: a terminal, or a device like `/dev/null` that keeps nothing.
    Character,
    /// A block device, or an unknown type.
    Other,
}

/// A command for the shell.
#[derive(Clone, Debug)]
pub struct ShellCommand<'a> {
    /// What `sh -c` gets.
    pub text: &'a str,
    /// Changes of the environment: variables to set, and, with `None`, to remove.
    pub environment: &'a [(OsString, Option<OsString>)],
    /// The bytes on its stdin.
    pub input: &'a [u8],
    /// How long it may take.
    pub timeout: Duration,
}

/// A program to start.
#[derive(Clone, Debug)]
pub struct Program<'a> {
    /// Its file.
    pub path: &'a Path,
    /// The name by which it was called.
    pub name: &'a OsStr,
    /// Its arguments.
    pub args: &'a [OsString],
    /// Its environment.
    pub environment: &'a [(OsString, OsString)],
}

/// How a command ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finished {
    /// Its status.
    pub status: Exit,
    /// The bytes that it wrote to stdout.
    pub stdout: Vec<u8>,
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// With a code.
    Code(i32),
    /// By a signal.
    Signal(i32),
}

impl dyn System + '_ {
    /// All of a file.
    pub fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let mut content = Vec::new();
        self.open(path, Access::Read)?.read_to_end(&mut content)?;
        Ok(content)
    }
}
