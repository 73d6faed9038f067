//! [`System`] by the operating system.

mod files;
mod process;
mod signals;

use std::env;
use std::ffi::{OsStr, OsString};
use std::io::{self, BufRead, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anstream::{AutoStream, ColorChoice};
use arize_api_keys::time::OffsetDateTime;
use arize_api_keys::{ApiKeysClient, ClientBuilder, Clock, SystemClock};
use indicatif::{ProgressBar, ProgressDrawTarget};
use terminal_size::{Width, terminal_size_of};

use super::{Access, Child, File, Finished, Metadata, Program, Report, ShellCommand, Signal, Signals, Stream, System};

/// The operating system.
#[derive(Debug)]
pub struct Os(());

impl Os {
    /// Prepares this process.
    #[must_use]
    pub fn new() -> Self {
        process::survive_file_size_limit();
        Self(())
    }

    /// The arguments of this process, with its name.
    pub fn args() -> impl Iterator<Item = OsString> {
        env::args_os()
    }
}

impl Default for Os {
    fn default() -> Self {
        Self::new()
    }
}

impl System for Os {
    fn now(&self) -> OffsetDateTime {
        SystemClock.now()
    }

    fn elapsed(&self) -> Duration {
        SystemClock.elapsed()
    }

    fn sleep(&self, duration: Duration) {
        SystemClock.sleep(duration);
    }

    fn variables(&self) -> Vec<(OsString, OsString)> {
        env::vars_os().collect()
    }

    // The default reads all of them.
    fn variable(&self, name: &str) -> Option<OsString> {
        env::var_os(name)
    }

    fn host_name(&self) -> io::Result<String> {
        process::host_name()
    }

    fn process_id(&self) -> u32 {
        std::process::id()
    }

    fn user(&self) -> u32 {
        process::user()
    }

    fn concurrency(&self) -> usize {
        8
    }

    fn client(&self) -> ClientBuilder {
        ApiKeysClient::builder()
    }

    fn stdin(&self) -> Box<dyn BufRead> {
        Box::new(io::stdin().lock())
    }

    fn read_stream(&self, path: Option<&Path>, limit: u64, timeout: Option<Duration>) -> io::Result<Vec<u8>> {
        files::read_stream(path.map(Path::to_owned), limit, timeout)
    }

    fn stdout(&self) -> io::Result<Box<dyn File>> {
        files::stdout()
    }

    fn stderr(&self, text: &str) -> io::Result<()> {
        anstream::stderr().lock().write_all(text.as_bytes())
    }

    fn is_terminal(&self, stream: Stream) -> bool {
        match stream {
            Stream::Stdin => io::stdin().is_terminal(),
            Stream::Stdout => io::stdout().is_terminal(),
            Stream::Stderr => io::stderr().is_terminal(),
        }
    }

    fn is_styled(&self) -> bool {
        AutoStream::choice(&io::stdout()) != ColorChoice::Never
    }

    fn width(&self) -> Option<u16> {
        let (Width(width), _) = terminal_size_of(io::stdout())?;
        Some(width)
    }

    fn progress(&self) -> ProgressBar {
        if !io::stderr().is_terminal() {
            return ProgressBar::hidden();
        }
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        bar.enable_steady_tick(Duration::from_millis(120));
        bar
    }

    fn metadata(&self, path: &Path) -> io::Result<Metadata> {
        std::fs::metadata(path).map(|found| files::metadata(&found))
    }

    fn link_metadata(&self, path: &Path) -> io::Result<Metadata> {
        std::fs::symlink_metadata(path).map(|found| files::metadata(&found))
    }

    fn canonicalize(&self, path: &Path) -> io::Result<PathBuf> {
        std::fs::canonicalize(path)
    }

    fn names(&self, directory: &Path) -> io::Result<Vec<OsString>> {
        std::fs::read_dir(directory)?.map(|entry| entry.map(|entry| entry.file_name())).collect()
    }

    fn open(&self, path: &Path, access: Access) -> io::Result<Box<dyn File>> {
        files::open(path, access)
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn File>> {
        files::create(path)
    }

    fn create_directory(&self, path: &Path) -> io::Result<()> {
        std::fs::create_dir_all(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        std::fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        std::fs::remove_file(path)
    }

    fn shell(&self, command: &ShellCommand<'_>) -> io::Result<Finished> {
        process::shell(command)
    }

    fn find_program(&self, name: &OsStr) -> io::Result<PathBuf> {
        process::find_program(name)
    }

    fn spawn(&self, program: &Program<'_>) -> io::Result<Box<dyn Child>> {
        process::spawn(program)
    }

    fn signals(&self, signals: &[Signal]) -> io::Result<Box<dyn Signals>> {
        signals::catch(signals)
    }

    fn on_interrupt(&self, report: Option<Report>) {
        signals::on_interrupt(report);
    }
}
