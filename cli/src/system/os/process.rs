//! Processes and signals of the operating system.

use std::io::{self, Read, Write};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Instant;

use wait_timeout::ChildExt;

use super::super::{Exit, Finished, ShellCommand, Signal, Signals};

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

#[cfg(unix)]
pub(super) fn signals() -> io::Result<Box<dyn Signals>> {
    use signal_hook::consts::{SIGINT, SIGTERM};

    struct Caught(signal_hook::iterator::Signals);

    impl Signals for Caught {
        fn next(&mut self) -> Signal {
            match self.0.forever().next() {
                Some(SIGINT) => Signal::Interrupt,
                _ => Signal::Terminate,
            }
        }
    }

    Ok(Box::new(Caught(signal_hook::iterator::Signals::new([SIGINT, SIGTERM])?)))
}

/// Without handlers: Ctrl-C ends the process.
#[cfg(not(unix))]
pub(super) fn signals() -> io::Result<Box<dyn Signals>> {
    struct Never;

    impl Signals for Never {
        fn next(&mut self) -> Signal {
            loop {
                thread::park();
            }
        }
    }

    Ok(Box::new(Never))
}
