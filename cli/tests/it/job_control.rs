//! `run` in a terminal: Ctrl-C, Ctrl-\, Ctrl-Z and a shell as the command work as without it.
//!
//! `setsid` of util-linux makes the terminal that of the program.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::process::{Child, Command};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use arize_api_keys::ApiKeyStatus;

use crate::run::{assert_revoked, keys};
use crate::service::{Service, assert_harmless};
use crate::terminal;

/// How long a test waits before it fails.
const LIMIT: Duration = Duration::from_secs(60);

/// Runs its arguments, and stays until it gets a line: when the first process of a terminal ends, the system discards what the
/// terminal has not shown yet.
const LEADER: &str = "trap : INT QUIT; \"$@\"; code=$?; echo; echo '[end]'; read line; exit $code";

/// A program in its terminal.
struct Session {
    child: Child,
    keyboard: File,
    screen: Receiver<Vec<u8>>,
    shown: String,
}

impl Session {
    /// Runs the program, with these words before it.
    fn start(service: &Service, before: &[&str], args: &[&str]) -> Self {
        let program = service.command(args);
        let mut command = Command::new("setsid");
        command.args(["-c", "sh", "-c", LEADER, "sh"]).args(before).arg(program.get_program()).args(program.get_args());
        command.current_dir(&service.dir).env_clear();
        command.envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command.env("PATH", std::env::var_os("PATH").unwrap());
        let (master, name) = terminal::open();
        let slave = || OpenOptions::new().read(true).write(true).open(&name).unwrap();
        let child = command.stdin(slave()).stdout(slave()).stderr(slave()).spawn().unwrap();
        let mut reader = master.try_clone().unwrap();
        let (sender, screen) = mpsc::channel();
        // It ends with an error when the last program lets go of the terminal.
        thread::spawn(move || {
            let mut bytes = [0; 1024];
            loop {
                match reader.read(&mut bytes) {
                    Ok(count @ 1..) => drop(sender.send(bytes[..count].to_vec())),
                    // By a signal to this process, from another test.
                    Err(error) if error.kind() == ErrorKind::Interrupted => {}
                    _ => return,
                }
            }
        });
        Self { child, keyboard: master, screen, shown: String::new() }
    }

    fn types(&mut self, text: &str) {
        self.keyboard.write_all(text.as_bytes()).unwrap();
    }

    /// Waits until the terminal shows this, after the text of the wait before. Returns the text before it.
    #[track_caller]
    fn shows(&mut self, text: &str) -> String {
        while !self.shown.contains(text) {
            match self.screen.recv_timeout(LIMIT) {
                Ok(bytes) => self.shown.push_str(&String::from_utf8_lossy(&bytes).replace('\r', "")),
                Err(error) => panic!("{error}, and no `{text}` in: {}", self.shown),
            }
        }
        assert_harmless(&self.shown);
        let (before, after) = self.shown.split_once(text).unwrap();
        let (before, after) = (before.to_owned(), after.to_owned());
        self.shown = after;
        before
    }

    /// Waits for the end. Returns the code, and the output on the terminal since the last wait.
    #[track_caller]
    fn end(mut self) -> (Option<i32>, String) {
        let shown = self.shows("\n[end]\n");
        self.types("\n");
        (self.child.wait().unwrap().code(), shown)
    }
}

#[test]
fn ctrl_c_ends_the_command_and_revokes_the_key() {
    for (key, code) in [("\u{3}", 130), ("\u{1c}", 131)] {
        let service = Service::new();
        let mut session =
            Session::start(&service, &[], &["run", "--", "sh", "-c", "ulimit -c 0; echo ready; exec cat"]);
        session.shows("\nready\n");
        session.types(key);
        let (ended, shown) = session.end();
        assert_eq!(ended, Some(code), "{shown}");
        assert!(shown.contains("revoked the key "), "{shown}");
        assert_revoked(&service, 1);
    }
}

#[test]
fn a_command_that_catches_ctrl_c_gets_it_once() {
    let service = Service::new();
    let script = "trap 'echo caught' INT; echo ready; until read line; do :; done; exit 5";
    let mut session = Session::start(&service, &[], &["run", "--", "sh", "-c", script]);
    session.shows("\nready\n");
    session.types("\u{3}");
    session.shows("caught\n");
    assert_eq!(keys(&service, ApiKeyStatus::Active).len(), 1);
    session.types("go on\n");
    let (ended, shown) = session.end();
    assert_eq!(ended, Some(5), "{shown}");
    assert!(!shown.contains("caught"), "{shown}");
    assert_revoked(&service, 1);
}

#[test]
fn ctrl_z_stops_the_job_and_fg_goes_on() {
    let service = Service::new();
    let shell = ["bash", "-mc", "\"$@\"; echo stopped $?; fg; echo ended $?", "bash"];
    let mut session = Session::start(&service, &shell, &["run", "--", "sh", "-c", "echo ready; exec cat"]);
    session.shows("\nready\n");
    session.types("\u{1a}");
    session.shows("stopped 148\n");
    assert_eq!(keys(&service, ApiKeyStatus::Active).len(), 1);
    // `fg` shows the job that goes on. Then the terminal echoes the line, and the command repeats it.
    session.shows("\"$@\"\n");
    session.types("hello\n");
    session.shows("hello\nhello\n");
    session.types("\u{4}");
    session.shows("ended 0\n");
    assert_eq!(session.end().0, Some(0));
    assert_revoked(&service, 1);
}

#[test]
fn a_shell_as_the_command() {
    let service = Service::new();
    let shell = ["bash", "-mc", "export PS1='prompt> '; \"$@\"; echo ended $?; read line; echo read $line", "bash"];
    let mut session = Session::start(&service, &shell, &["run", "--", "bash", "--norc", "-i"]);
    session.shows("prompt> ");
    session.types("echo rea''dy; cat\n");
    session.shows("ready\n");
    session.types("hello\n");
    session.shows("hello\nhello\n");
    // A job of the inner shell: the outer one does not notice.
    session.types("\u{1a}");
    session.shows("Stopped");
    session.shows("prompt> ");
    session.types("fg; echo con''tinued\n");
    session.shows("\ncat\n");
    session.types("\u{4}");
    session.shows("continued\n");
    session.shows("prompt> ");
    session.types("exit 3\n");
    session.shows("ended 3\n");
    // The terminal belongs to the outer shell again.
    session.types("a line\n");
    session.shows("read a line\n");
    assert_eq!(session.end().0, Some(0));
    assert_revoked(&service, 1);
}
