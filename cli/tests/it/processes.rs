//! Two, four and eight processes at once on one file, 50 rounds each: nothing is lost.

use std::fs;
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use arize_api_keys::{ApiKeyStatus, ExposeSecret, ListRequest};
use tempfile::TempDir;

use crate::service::{Answer, Service, assert_harmless};

/// The command of the processes.
#[derive(Clone, Copy, Debug)]
enum Job {
    /// Each of them changes another variable.
    EnvFile,
    /// Each of them replaces the file.
    Out,
}

/// The service takes this time for each request that makes a secret. Without a lock, another process would read the file
/// meanwhile, and later write what it read.
const DELAY: Duration = Duration::from_millis(5);

const ROUNDS: usize = 50;

fn round(service: &Service, directory: &TempDir, count: usize, job: Job) {
    let path = directory.path().join(".env");
    let file = path.to_str().unwrap();
    let mut content = "# keys\n".to_owned();
    let mut commands: Vec<Vec<String>> = Vec::new();
    for n in 0..count {
        let key = service.key(&format!("key {n}"));
        content.push_str(&format!("KEY_{n}={}\n", key.key.expose_secret()));
        let verb = match n % 3 {
            0 => vec!["rotate", &key.id, "--yes"],
            1 => vec!["refresh", &key.id, "--no-grace"],
            _ => vec!["create", "new"],
        };
        let variable = format!("KEY_{n}");
        let place = match job {
            Job::EnvFile => vec!["--env-file", file, "--env-name", &variable],
            Job::Out => vec!["--out", file],
        };
        commands.push(verb.into_iter().chain(place).map(str::to_owned).collect());
    }
    fs::write(&path, content).unwrap();
    let children: Vec<_> = commands
        .iter()
        .map(|args| {
            let args: Vec<&str> = args.iter().map(String::as_str).collect();
            let mut command = service.command(&args);
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
        })
        .collect();
    for child in children {
        let output = child.wait_with_output().unwrap();
        let err = String::from_utf8(output.stderr).unwrap();
        assert_harmless(&err);
        assert_eq!(output.status.code(), Some(0), "{job:?} {count}: {err}");
    }
    let content = fs::read_to_string(&path).unwrap();
    let secrets: Vec<&str> = match job {
        Job::EnvFile => content.lines().skip(1).map(|line| line.split_once('=').unwrap().1).collect(),
        Job::Out => content.lines().collect(),
    };
    assert_eq!(secrets.len(), if matches!(job, Job::Out) { 1 } else { count }, "{job:?} {count}: {content}");
    for secret in secrets {
        assert!(service.emulator.authenticates(secret), "{job:?} {count}: {content}");
    }
    let request = ListRequest::new().status(ApiKeyStatus::Active);
    for key in service.client().list_all(&request).map(|key| key.unwrap()).filter(|key| key.name != "admin") {
        service.client().revoke(&key.id).unwrap();
    }
    fs::remove_file(&path).unwrap();
    assert_eq!(fs::read_dir(directory).unwrap().count(), 0);
}

fn rounds(count: usize) {
    let service = Service::new();
    // In memory where that is possible: a sync takes no time there.
    let directory = TempDir::new_in("/dev/shm").or_else(|_| TempDir::new()).unwrap();
    service.rule(|request| {
        if request.method() == "POST" {
            thread::sleep(DELAY);
        }
        Answer::Honest
    });
    for n in 0..ROUNDS {
        round(&service, &directory, count, if n % 5 == 4 { Job::Out } else { Job::EnvFile });
    }
}

#[test]
fn two() {
    rounds(2);
}

#[test]
fn four() {
    rounds(4);
}

#[test]
fn eight() {
    rounds(8);
}
