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
    assert!(line.contains(" ARIZE_API_STAGE=alpha ; unset ") && !again.contains("STAGE"), "{line}");
    let created = shell(&line, "create ci -o json");
    assert!(!created.contains("\"expires_at\": null"), "{created}");
    assert!(shell(&line, "check").contains("alpha"));
}

/// A device or a pipe in its place would be removed.
#[test]
fn a_ready_file_is_a_regular_file() {
    let directory = tempfile::TempDir::new().unwrap();
    let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    let (pipe, socket, folder, link) = (path("pipe"), path("socket"), path("folder"), path("link"));
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    std::fs::create_dir(&folder).unwrap();
    std::os::unix::fs::symlink(&pipe, &link).unwrap();
    for path in [&pipe, &socket, &folder, &link, "/dev/null"] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_arize-keys"));
        let output = command.args(["emulator", "--ready-file", path]).env_clear().output().unwrap();
        let err = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{path}: {err}");
        assert_eq!(err, format!("error: --ready-file: `{path}` is there and is not a regular file\n"));
        assert!(std::fs::symlink_metadata(path).is_ok(), "{path} is removed");
    }
}

/// It is found before a script reads the line.
#[test]
fn a_ready_file_that_cannot_be_written() {
    let directory = tempfile::TempDir::new().unwrap();
    let path = directory.path().join("none").join("ready").to_str().unwrap().to_owned();
    let mut command = Command::new(env!("CARGO_BIN_EXE_arize-keys"));
    let output = command.args(["emulator", "--ready-file", &path]).env_clear().output().unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(1), &[][..]), "{err}");
    assert_eq!(err, format!("error: cannot write `{path}`: No such file or directory (os error 2)\n"));
}

#[test]
fn a_port_that_is_taken() {
    let (_running, line) = start(&[]);
    let port = line.split("ARIZE_API_PORT=").nth(1).unwrap().split(' ').next().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_arize-keys"));
    let output = command.args(["emulator", "--port", port]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let err = String::from_utf8(output.stderr).unwrap();
    assert!(err.starts_with(&format!("error: cannot serve at 127.0.0.1:{port}: ")), "{err}");
}

/// A file of this test's own.
fn file(name: &str, text: &str) -> std::path::PathBuf {
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{}-{name}", std::process::id()));
    std::fs::write(&path, text).unwrap();
    path
}

/// The message when it does not start.
fn refused(args: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_arize-keys")).arg("emulator").args(args).output().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn an_account_from_a_file_in_either_format() {
    let json = r#"{"admin": {"secret": "ak-known"}, "organizations": [{"name": "o", "spaces": [{"name": "s"}]}]}"#;
    let toml = "[admin]\nsecret = \"ak-known\"\n[[organizations]]\nname = \"o\"\nspaces = [{ name = \"s\" }]\n";
    for (name, text) in [("account.json", json), ("account.toml", toml)] {
        let path = file(name, text);
        let (_running, line) = start(&["--account", path.to_str().unwrap()]);
        assert!(line.starts_with("export ARIZE_API_KEY=ak-known "), "{line}");
        shell(&line, "create-service-key bot --space s --out /dev/stdout");
        let (_running, line) = start(&["--account", path.to_str().unwrap(), "--admin-key", "ak-$given"]);
        assert!(line.starts_with("export ARIZE_API_KEY='ak-$given' "), "{line}");
        assert_eq!(shell(&line, "list -q -o csv").lines().count(), 2);
    }
    let wrong = r#"{"users": [{"name": "jo", "organizations": [{"organization": "acme"}]}]}"#;
    let path = file("wrong.json", wrong);
    let (code, err) = refused(&["--account", path.to_str().unwrap()]);
    assert_eq!(code, Some(2));
    assert!(err.contains("`users[0].organizations[0].organization`: there is no organization `acme`"), "{err}");
    let (code, err) = refused(&["--admin-key", "a b"]);
    assert_eq!(code, Some(2));
    assert!(err.starts_with("error: --admin-key: a key is 1 to 4096 visible ASCII characters"), "{err}");
}

#[test]
fn the_admin_key_from_a_file() {
    let key = file("admin-key", "ak-in-a-file\n");
    let key = key.to_str().unwrap();
    let (_running, line) = start(&["--admin-key-file", key]);
    assert!(line.starts_with("export ARIZE_API_KEY=ak-in-a-file "), "{line}");
    assert_eq!(refused(&["--admin-key-file", key, "--admin-key", "ak-other"]).0, Some(2));
    assert_eq!(refused(&["--admin-key-file", "/nowhere"]).0, Some(2));
}

/// A file of the account, in either format, or the state: the message names the place and never a value.
#[test]
fn no_message_quotes_a_file() {
    let secret = "ak-0123456789abcdef";
    let cases = [
        (
            "a.json",
            format!(r#"{{"keys": [{{"name": "x", "revoked": "{secret}"}}]}}"#),
            "`keys[0].revoked`: expected a boolean at line 1",
        ),
        ("b.json", format!("{{\"admin\": {{\n\"secret\": \"{secret}\"\n"), "EOF while parsing"),
        (
            "c.json",
            format!(r#"{{"keys": [{{"name": "x", "created_at": "{secret}"}}]}}"#),
            "`keys[0].created_at`: must be an RFC 3339 date-time",
        ),
        ("d.toml", format!("[admin]\nsecret = '{secret}\n"), "not TOML at line 2"),
        ("e.toml", format!("[[keys]]\nname = 'x'\nrevoked = '{secret}'\n"), "`keys[0].revoked`: expected a boolean"),
        ("f.toml", format!("[admin]\nsecret = '{secret}'\nsecret = '{secret}'\n"), "not TOML at line 3"),
    ];
    for (name, text, expected) in cases {
        let path = file(name, &text);
        let path = path.to_str().unwrap();
        let (code, err) = refused(&["--account", path]);
        assert!(code == Some(2) && err.contains(expected) && !err.contains(secret), "{name}: {err}");
        if name.ends_with(".json") {
            let (code, err) = refused(&["--state", path]);
            assert!(code == Some(1) && err.contains(expected) && !err.contains(secret), "{name}: {err}");
        }
    }
}

#[test]
fn a_state_that_outlives_it() {
    let path = file("state", "");
    let state = path.to_str().unwrap();
    let (running, line) = start(&["--state", state, "--time", "2030-01-01", "--standing-clock"]);
    shell(&line, "create ci --out /dev/stdout");
    let (code, err) = refused(&["--state", state]);
    assert_eq!(code, Some(1));
    assert!(err.contains("in use by another emulator"), "{err}");
    drop(running);
    let (code, err) = refused(&["--state", state, "--admin-key", "ak-another-0123456789"]);
    assert!(code == Some(1) && err.contains("has another admin key than the one that is given"), "{err}");
    let (_running, line) = start(&["--state", state]);
    let list = shell(&line, "list -q -o csv");
    assert!(list.lines().count() == 3 && list.contains("2030-01-01T00:00:00Z"), "{list}");
}

#[test]
fn faults_and_limits() {
    let (_running, line) = start(&["--fault", "list:429,retry-after=1s", "--fault", "list:503"]);
    assert_eq!(shell(&line, "list -q -o csv").lines().count(), 2, "the program tries again");
    let (_running, line) = start(&["--rate-limit", "1"]);
    assert_eq!(shell(&line, "list -q -o csv && true").lines().count(), 2);
    for wrong in
        [["--fault", "keys:503"], ["--fault", "99"], ["--fault", "503*0"], ["--fault-rate", "2"], ["--rate-limit", "0"]]
    {
        assert_eq!(refused(&wrong).0, Some(2), "{wrong:?}");
    }
}
