//! Processes of the operating system.

use std::ffi::OsStr;
use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Instant;
#[cfg(unix)]
use std::{env, fs, path::Path};

use wait_timeout::ChildExt;

use super::super::{Child, Exit, Finished, Program, ShellCommand, Signal};

/// By default, writing past the file size limit ends the process by SIGXFSZ, with no word and with the secret in its hands. With
/// a handler, the write fails instead. Not "ignore": the commands that the program starts would inherit it.
#[cfg(unix)]
pub(super) fn survive_file_size_limit() {
    // It fails only for signals that cannot be caught.
    let _ = signal_hook::flag::register(rustix::process::Signal::XFSZ.as_raw(), std::sync::Arc::default());
}

#[cfg(not(unix))]
pub(super) fn survive_file_size_limit() {}

#[cfg(unix)]
pub(super) fn host_name() -> io::Result<String> {
    Ok(rustix::system::uname().nodename().to_string_lossy().into_owned())
}

#[cfg(not(unix))]
pub(super) fn host_name() -> io::Result<String> {
    std::env::var("COMPUTERNAME").map_err(io::Error::other)
}

#[cfg(unix)]
pub(super) fn user() -> u32 {
    rustix::process::geteuid().as_raw()
}

#[cfg(not(unix))]
pub(super) fn user() -> u32 {
    0
}

pub(super) fn shell(command: &ShellCommand<'_>) -> io::Result<Finished> {
    let (shell, flag) = if cfg!(windows) { ("cmd", "/C") } else { ("sh", "-c") };
    let mut process = Command::new(shell);
    process.arg(flag).arg(command.text).stdin(Stdio::piped()).stdout(Stdio::piped());
    for (name, value) in command.environment {
        match value {
            Some(value) => process.env(name, value),
            None => process.env_remove(name),
        };
    }
    let mut child = process.spawn()?;
    let started = Instant::now();
    let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
    let input = command.input.to_vec();
    // Threads, because a command may write before it has read, or never read. They are not joined: a process that the command
    // left behind may hold the pipes open for ever.
    thread::spawn(move || stdin.map(|mut stdin| stdin.write_all(&input)));
    let (sender, output) = mpsc::channel();
    thread::spawn(move || {
        let mut text = Vec::new();
        let read = stdout.map_or(Ok(0), |mut stdout| stdout.read_to_end(&mut text));
        sender.send(read.map(|_| text))
    });
    let late = || io::Error::new(io::ErrorKind::TimedOut, "it did not end in time");
    let Some(status) = child.wait_timeout(command.timeout)? else {
        child.kill()?;
        child.wait()?;
        return Err(late());
    };
    let rest = command.timeout.saturating_sub(started.elapsed());
    Ok(Finished { status: exit(status), stdout: output.recv_timeout(rest).map_err(|_| late())?? })
}

#[cfg(unix)]
fn exit(status: ExitStatus) -> Exit {
    use std::os::unix::process::ExitStatusExt;

    match status.signal() {
        Some(signal) => Exit::Signal(signal),
        None => Exit::Code(status.code().unwrap_or_default()),
    }
}

#[cfg(not(unix))]
fn exit(status: ExitStatus) -> Exit {
    Exit::Code(status.code().unwrap_or_default())
}

/// Elsewhere, the operating system looks for the program when it is started.
#[cfg(not(unix))]
pub(super) fn find_program(name: &OsStr) -> io::Result<PathBuf> {
    Ok(name.into())
}

#[cfg(unix)]
pub(super) fn find_program(name: &OsStr) -> io::Result<PathBuf> {
    use rustix::fs::{Access, AtFlags, CWD, accessat};

    let is_path = name.as_encoded_bytes().contains(&b'/');
    let folders = env::var_os("PATH").unwrap_or_else(|| "/usr/bin:/bin".into());
    let files: Vec<PathBuf> = match () {
        () if name.is_empty() => Vec::new(),
        () if is_path => vec![name.into()],
        // An empty folder is the current one.
        () => env::split_paths(&folders).map(|folder| Path::new(".").join(folder).join(name)).collect(),
    };
    let mut problem = io::ErrorKind::NotFound;
    for file in files {
        match fs::metadata(&file) {
            Ok(found) if found.is_file() && accessat(CWD, &file, Access::EXEC_OK, AtFlags::EACCESS).is_ok() => {
                return Ok(file);
            }
            Ok(found) if found.is_file() || is_path => problem = io::ErrorKind::PermissionDenied,
            Err(error) if is_path => return Err(error),
            Ok(_) | Err(_) => {}
        }
    }
    Err(problem.into())
}

pub(super) fn spawn(program: &Program<'_>) -> io::Result<Box<dyn Child>> {
    let mut command = Command::new(program.path);
    #[cfg(unix)]
    std::os::unix::process::CommandExt::arg0(&mut command, program.name);
    command.args(program.args).env_clear().envs(program.environment.iter().cloned());
    Ok(Box::new(OsChild(command.spawn()?)))
}

struct OsChild(std::process::Child);

impl Child for OsChild {
    fn try_wait(&mut self) -> io::Result<Option<Exit>> {
        self.0.try_wait().map(|status| status.map(exit))
    }

    #[cfg(unix)]
    fn signal(&mut self, signal: Signal) -> io::Result<()> {
        use rustix::process::{Pid, Signal as Native, kill_process};

        let signal = match signal {
            Signal::HangUp => Native::HUP,
            Signal::Interrupt => Native::INT,
            Signal::Quit => Native::QUIT,
            Signal::Terminate => Native::TERM,
            Signal::Child => Native::CHILD,
        };
        Ok(kill_process(Pid::from_child(&self.0), signal)?)
    }

    #[cfg(not(unix))]
    fn signal(&mut self, _: Signal) -> io::Result<()> {
        self.0.kill()
    }
}
