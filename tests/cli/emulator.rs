//! `emulator`: one line for a shell, then the service.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use crate::service::has_secret;

/// Ended with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

fn start(args: &[&str]) -> (Running, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_arize-keys"));
    let mut child = command.arg("emulator").args(args).env_clear().stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    (Running(child), line)
}

/// The line is pasted into a shell, which then runs the program.
fn shell(line: &str, command: &str) -> String {
    let program = env!("CARGO_BIN_EXE_arize-keys");
    let mut shell = Command::new("/bin/sh");
    let output = shell.env_clear().arg("-c").arg(format!("{line}\n{program} {command}")).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_line_points_the_program_at_it() {
    let (_running, line) = start(&[]);
    assert!(line.starts_with("export ARIZE_API_KEY=ak-") && has_secret(&line), "{line}");
    assert_eq!(line.matches('\n').count(), 1);
    assert_eq!(shell(&line, "list -q -o csv").lines().count(), 2);
    shell(&line, "create-service-key bot --space prod --out /dev/stdout");
    assert_eq!(shell(&line, "list -q -o csv --space prod").lines().count(), 2);
}

#[test]
fn options() {
    let (_one, line) = start(&["--seed", "7", "--stage", "alpha", "--empty", "--max-key-lifetime", "90d"]);
    let (_two, again) = start(&["--seed", "7"]);
    let key = |line: &str| line.split(' ').nth(1).unwrap().to_owned();
    assert_eq!(key(&line), key(&again));
    assert!(line.ends_with(" ARIZE_API_STAGE=alpha\n") && !again.contains("STAGE"), "{line}");
    let created = shell(&line, "create ci -o json");
    assert!(!created.contains("\"expires_at\": null"), "{created}");
    assert!(shell(&line, "check").contains("alpha"));
}

#[test]
fn a_port_that_is_taken() {
    let (_running, line) = start(&[]);
    let port = line.split("ARIZE_API_PORT=").nth(1).unwrap().split(' ').next().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_arize-keys"));
    let output = command.args(["emulator", "--port", port]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let err = String::from_utf8(output.stderr).unwrap();
    assert!(err.starts_with(&format!("error: cannot serve on port {port}: ")), "{err}");
}
