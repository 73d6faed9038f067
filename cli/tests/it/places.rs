//! Places for a secret that are more than a file in a directory, and files that several processes change at once.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use arize_api_keys::{ApiKeyStatus, ExposeSecret, ListRequest};

use crate::service::{Answer, Run, Service, finish, has_secret};

/// Runs a shell command in the directory of the service. `$KEYS` is the program.
fn shell(service: &Service, text: &str) -> Run {
    let mut command = Command::new("/bin/bash");
    command.arg("-c").arg(text).current_dir(&service.dir).env_clear().stdin(Stdio::null());
    let program = service.command(&[]);
    command.envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.env("KEYS", env!("CARGO_BIN_EXE_arize-keys")).env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
    finish(&mut command)
}

#[track_caller]
fn refused(service: &Service, text: &str, problem: &str) {
    let before = service.emulator.keys_created();
    let run = shell(service, text);
    assert!(run.code != Some(0) && run.err.contains(problem), "{text}: {run:?}");
    let state = if text.contains("$KEYS refresh") { "; nothing was changed\n" } else { "; nothing was created\n" };
    assert!(run.err.ends_with(state), "{run:?}");
    assert_eq!(service.emulator.keys_created(), before);
}

#[test]
fn stdout_by_name() {
    let service = Service::new();
    for (text, file) in [
        ("$KEYS create ci --out /dev/stdout > f1", "f1"),
        ("$KEYS create ci --out /dev/fd/1 > f2", "f2"),
        ("$KEYS create ci --out /proc/self/fd/1 >> f3", "f3"),
        ("ln -s /dev/stdout link; echo first > f4; { $KEYS create ci --out /dev/stdout; echo last; } >> f4", "f4"),
        ("$KEYS create ci --out /dev/stdout | cat > f5", "f5"),
        ("$KEYS create ci --out - > f7", "f7"),
        ("{ echo first; $KEYS create ci --out link; echo last; } > f8", "f8"),
        ("ln -s /proc/self/fd fds; { $KEYS create ci --out fds/1; echo last; } >> f9", "f9"),
        ("$KEYS create ci --out /dev/fd/3 3> >(cat > f6) > /dev/null; while [ ! -s f6 ]; do :; done", "f6"),
    ] {
        shell(&service, text).succeeded();
        let content = service.read(file);
        let secret = content.lines().find(|line| has_secret(line)).unwrap();
        assert!(service.emulator.authenticates(secret), "{text}: {content}");
    }
    for (file, first) in [("f4", "first\nak-"), ("f8", "first\nak-"), ("f9", "ak-")] {
        let content = service.read(file);
        assert!(content.starts_with(first) && content.ends_with("last\n"), "{content}");
    }
    assert!(!service.files().contains(&"-".to_owned()));
}

/// `-` is stdout, in the format that `-o` names.
#[test]
fn a_dash_is_stdout() {
    let service = Service::new();
    let old = service.key("old");
    let run = service.run(&["rotate", &old.id, "--yes", "--out", "-", "-o", "jsonl"]);
    assert!(run.succeeded().err.contains("2/4 storing its secret in stdout\n"), "{run:?}");
    let key: serde_json::Value = serde_json::from_str(&run.out).unwrap();
    assert!(service.emulator.authenticates(key["key"].as_str().unwrap()));
    refused(&service, "$KEYS create ci --env-file -", "cannot edit `-`: it is not a file");
    refused(&service, "$KEYS ensure ci --out -", "`-` is not a file");
    refused(&service, "$KEYS ensure ci --out - --dry-run", "`-` is not a file");
    let run = shell(&service, "$KEYS refresh x --out - > /dev/full");
    assert!(run.failed(2).err.contains("; nothing was changed\nhint: "), "{run:?}");
    assert!(service.files().is_empty());
}

/// A name of stdout or the terminal does not get round the setting that forbids to print secrets.
#[test]
fn printing_under_another_name_is_forbidden() {
    let service = Service::new();
    for (command, path) in [
        ("create ci", "-"),
        ("create ci", "/dev/stdout"),
        ("refresh x", "/proc/thread-self/fd/1"),
        ("create ci", "/dev/fd/../fd/1"),
        ("rotate x --yes", "link"),
        ("create ci --to-command cat", "/dev/stderr"),
    ] {
        let text = format!(
            "ln -sf /dev/stdout link; export ARIZE_KEYS_SECRETS=file-only; $KEYS {command} --out {path} | cat; exit $PIPESTATUS"
        );
        let before = service.emulator.keys_created();
        let run = shell(&service, &text);
        assert!(run.failed(2).err.contains("ARIZE_KEYS_SECRETS=file-only forbids that"), "{run:?}");
        assert_eq!(service.emulator.keys_created(), before);
    }
}

#[test]
fn descriptors_that_keep_nothing_or_are_elsewhere() {
    let service = Service::new();
    for text in [
        "$KEYS create ci --out /dev/stdout > /dev/null",
        "$KEYS create ci --out /dev/stdout > /dev/full",
        "$KEYS create ci --out /dev/stdout >&-",
        "$KEYS create ci --out /dev/fd/3 3> /dev/null",
        "ln -s /dev/null sink; $KEYS refresh x --out sink",
        "$KEYS rotate x --yes --out /dev/random",
        "$KEYS rotate x --yes --out /dev/ptmx",
    ] {
        refused(&service, text, "it is closed, or a device that keeps nothing: the secret would be lost");
    }
    for text in ["$KEYS create ci --out /dev/fd/3 3> f", "$KEYS create ci --out /dev/fd/7 7>> f"] {
        refused(&service, text, "it is a file that is open already: pass the path of the file");
    }
    refused(&service, "$KEYS create ci --env-file /dev/stdout > f", "it is not a file");
}

#[test]
fn a_fifo_without_a_reader() {
    let service = Service::new();
    refused(&service, "mkfifo p; $KEYS create ci --out p --timeout 100ms", "no process opened it for reading in time");
    // A reader that comes late is waited for.
    let run = shell(&service, "(sleep 0.2; cat p > got) & $KEYS create ci --out p; wait");
    run.succeeded();
    assert!(service.emulator.authenticates(service.read("got").trim_end()));
}

/// The signal SIGXFSZ does not end the program, with the secret in its hands.
#[test]
fn a_file_size_limit() {
    let service = Service::new();
    let key = service.key("ci");
    refused(&service, "ulimit -f 0; $KEYS create ci --out f", "File too large");
    // The copies fit, the announced reserve does not.
    service.write("big.env", &format!("A='{}'\n", "x".repeat(60_000)), 0o600);
    refused(&service, "ulimit -f 60; $KEYS create ci --env-file big.env", "File too large");
    refused(&service, &format!("ulimit -f 60; $KEYS refresh {} --env-file big.env", key.id), "File too large");
    assert!(service.emulator.authenticates(key.key.expose_secret()));
    assert_eq!(service.files(), ["big.env"]);
}

#[test]
fn stdout_fails_after_the_secret_is_stored() {
    let service = Service::new();
    let old = service.key("old");
    for (text, file) in [
        ("$KEYS create ci --out f1 -o jsonl > /dev/full".to_owned(), "f1"),
        ("$KEYS create-service-key bot --space prod --out f2 -o json > /dev/full".to_owned(), "f2"),
        (format!("$KEYS rotate {} --yes --out f3 -o csv > /dev/full", old.id), "f3"),
        ("$KEYS create ci --out f4 >&-".to_owned(), "f4"),
        ("$KEYS ensure e --owner o --out f5 > /dev/full".to_owned(), "f5"),
        ("$KEYS ensure e --owner o --out f5 -o json > /dev/full".to_owned(), "f5"),
        ("$KEYS ensure e --owner o --out f5 --renew-now -o jsonl > /dev/full".to_owned(), "f5"),
    ] {
        let run = shell(&service, &text);
        run.succeeded();
        let is_told = run.err.contains("warning: stdout cannot be written: No space left on device");
        assert!(is_told || text.ends_with(">&-"), "{run:?}");
        assert!(service.emulator.authenticates(service.read(file).trim_end()));
    }
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// In a directory that every user can write to, another user may have put the file, or a link to another place.
#[test]
fn files_of_others_in_a_shared_directory() {
    if !is_root() {
        println!("not run: only root can give files to other users");
        return;
    }
    let service = Service::new();
    for mode in ["1777", "0777"] {
        shell(
            &service,
            &format!(
                "rm -rf tmp; mkdir -m {mode} tmp home; touch tmp/key home/key; mkfifo tmp/pipe; \
                                   ln -s ../home/key tmp/link; chown -h 12345 tmp/* home home/key"
            ),
        )
        .succeeded();
        for (option, name) in [("--out", "key"), ("--env-file", "key"), ("--out", "link"), ("--out", "pipe")] {
            let problem = "another user owns it, in a directory that every user can write to";
            refused(&service, &format!("$KEYS create ci {option} tmp/{name}"), problem);
        }
        // The file is in a directory that its owner put there, or behind a link to one.
        shell(
            &service,
            "mkdir -p tmp/own/deep home/own; touch tmp/own/deep/key home/own/key; mkfifo tmp/own/pipe; \
             ln -s \"$PWD/home/own\" tmp/dir; chown -hR 12345 tmp/own tmp/dir home",
        )
        .succeeded();
        for path in ["tmp/own/deep/key", "$PWD/tmp/own/deep/key", "tmp/own/pipe", "$PWD/tmp/dir/key"] {
            let line = format!("$KEYS create ci --out {path} --timeout 1s");
            let run = shell(&service, &line);
            assert!(run.code == Some(1) && run.err.contains("; nothing was created"), "{line}: {run:?}");
        }
        shell(&service, "rm -r home").succeeded();
    }
    // Elsewhere, an administrator who edits the file of a user leaves it theirs.
    shell(&service, "mkdir home; echo A=1 > home/env; chown 12345:23456 home/env; $KEYS create ci --env-file home/env")
        .succeeded();
    let owner = std::os::unix::fs::MetadataExt::uid(&fs::metadata(service.path("home/env")).unwrap());
    assert_eq!((owner, service.mode("home/env")), (12345, 0o600));
}

/// A file that a container mounts alone cannot be renamed over.
#[test]
fn a_mounted_file() {
    let service = Service::new();
    let mount = "touch source target; unshare -m sh -c 'mount --bind source target'";
    if !is_root() || shell(&service, mount).code != Some(0) {
        println!("not run: no mounts here");
        return;
    }
    let long = "x".repeat(200);
    service.write("source", &format!("A=1\nARIZE_API_KEY={long} # ours\nB=2\n"), 0o644);
    shell(&service, "unshare -m sh -c 'mount --bind source target; $KEYS create ci --env-file target'").succeeded();
    let content = service.read("source");
    let secret = content.strip_prefix("A=1\n# ours\nARIZE_API_KEY=").unwrap().strip_suffix("\nB=2\n").unwrap();
    assert!(service.emulator.authenticates(secret), "{content}");
    assert_eq!((service.mode("source"), service.files()), (0o600, vec!["source".to_owned(), "target".to_owned()]));
}

/// A program in a container may have one file that it can write, in a directory that it cannot.
#[test]
fn a_file_in_a_read_only_directory() {
    let service = Service::new();
    let mount = "mkdir -p d home; mount -t tmpfs none d; touch d/env d/key; echo A=1 > env; touch key; \
                 mount --bind env d/env; mount --bind key d/key; mount -o remount,ro d";
    if !is_root() || shell(&service, &format!("unshare -m sh -c '{mount}'")).code != Some(0) {
        println!("not run: no mounts here");
        return;
    }
    let in_mount = |text: &str| format!("unshare -m sh -c '{mount}; {text}'");
    for (option, name) in [("--env-file", "env"), ("--out", "key")] {
        let problem = "Read-only file system (os error 30): the directory cannot be changed, and there is no \
                       $XDG_STATE_HOME/arize-keys for a copy";
        refused(&service, &in_mount(&format!("$KEYS create ci {option} d/{name}")), problem);
        let text = format!("XDG_STATE_HOME=$PWD/home $KEYS create ci {option} d/{name}");
        shell(&service, &in_mount(&text)).succeeded();
        let content = service.read(name);
        let secret = content.trim_start_matches("A=1\nARIZE_API_KEY=").strip_suffix('\n').unwrap();
        assert!(service.emulator.authenticates(secret), "{content}");
        assert_eq!((service.mode(name), fs::read_dir(service.path("home/arize-keys")).unwrap().count()), (0o600, 0));
    }
    // Without a file, there is nothing to write in place.
    let text = in_mount("XDG_STATE_HOME=$PWD/home $KEYS create ci --out d/new");
    refused(&service, &text, "cannot write `d/new`: Read-only file system");
}

/// The reserve of a mounted file does not stay in it.
#[test]
fn a_mounted_file_on_a_full_disk() {
    let service = Service::new();
    let text = "mkdir -p d; mount -t tmpfs -o size=8k none d; echo A=1 > d/source; touch env; mount --bind d/source env; \
                head -c 9000 /dev/zero > d/fill; $KEYS create ci --env-file env; echo $?; cat env; stat -c %a env";
    let run = shell(&service, &format!("unshare -m sh -c '{text}'"));
    if !is_root() || run.err.contains("unshare") || run.err.contains("mount:") {
        println!("not run: no mounts here");
        return;
    }
    assert_eq!(run.out, "1\nA=1\n644\n", "{run:?}");
    assert!(
        run.err.contains("cannot write `env`: No space left on device (os error 28); nothing was created"),
        "{run:?}"
    );
}

#[test]
fn an_immutable_file_is_known_before() {
    let service = Service::new();
    service.write("env", "A=1\n", 0o644);
    if !is_root() || shell(&service, "chattr +i env").code != Some(0) {
        println!("not run: files cannot be made immutable here");
        return;
    }
    let key = service.key("ci");
    refused(
        &service,
        &format!("$KEYS refresh {} --env-file env", key.id),
        "cannot replace `env`: Operation not permitted",
    );
    shell(&service, "chattr -i env").succeeded();
    assert!(service.emulator.authenticates(key.key.expose_secret()));
    assert_eq!((service.read("env").as_str(), service.mode("env")), ("A=1\n", 0o644));
}

/// A failed request leaves the file as it was.
#[test]
fn a_request_that_fails() {
    let service = Service::new();
    service.rule(|_| Answer::Status(403));
    service.write("env", "A=1\n", 0o640);
    service.run(&["create", "ci", "--env-file", "env"]).failed(3);
    service.run(&["create", "ci", "--out", "new"]).failed(3);
    assert_eq!(
        (service.read("env").as_str(), service.mode("env"), service.files()),
        ("A=1\n", 0o640, vec!["env".to_owned()])
    );
}

#[test]
fn another_process_has_the_lock() {
    let service = Service::new();
    let lock = File::open(&service.dir).unwrap();
    lock.lock().unwrap();
    for option in ["--out", "--env-file"] {
        let run = service.run(&["create", "ci", option, "f", "--timeout", "100ms"]);
        run.failed(1);
        assert!(
            run.err.ends_with("error: cannot lock `f`: another process holds the lock; nothing was created\n"),
            "{}",
            run.err
        );
    }
    assert_eq!(service.emulator.keys_created(), 0);
}

/// Runs commands at once, while the service takes its time for each new key.
fn at_once(service: &Service, commands: &[Vec<String>]) {
    service.rule(|request| {
        if request.method() == "POST" {
            thread::sleep(Duration::from_millis(30));
        }
        Answer::Honest
    });
    thread::scope(|scope| {
        for args in commands {
            let args: Vec<&str> = args.iter().map(String::as_str).collect();
            let mut command = service.command(&args);
            scope.spawn(move || finish(&mut command).succeeded().code);
        }
    });
}

/// Two, four and eight processes change one file: it has all secrets, and they work.
#[test]
fn many_at_once() {
    for count in [2, 4, 8] {
        let service = Service::new();
        let mut content = "# keys\n".to_owned();
        let mut commands = Vec::new();
        for n in 0..count {
            let key = service.key(&format!("key {n}"));
            content.push_str(&format!("KEY_{n}={}\n", key.key.expose_secret()));
            let verb = match n % 3 {
                0 => vec!["rotate", &key.id, "--yes"],
                1 => vec!["refresh", &key.id],
                _ => vec!["create", "new"],
            };
            let place = ["--env-file".to_owned(), ".env".to_owned(), "--env-name".to_owned(), format!("KEY_{n}")];
            commands.push(verb.into_iter().map(str::to_owned).chain(place).collect());
        }
        service.write(".env", &content, 0o600);
        at_once(&service, &commands);
        let content = service.read(".env");
        let secrets: Vec<&str> = content.lines().skip(1).map(|line| line.split_once('=').unwrap().1).collect();
        assert_eq!(secrets.len(), count, "{content}");
        for secret in secrets {
            assert!(service.emulator.authenticates(secret), "{content}");
        }
        assert_eq!(service.files(), [".env"]);
    }
}

/// The last one wins, whole, and no key is without a name on stderr.
#[test]
fn many_write_one_secret() {
    let service = Service::new();
    let commands = vec![["create", "ci", "--out", "f"].map(str::to_owned).to_vec(); 4];
    at_once(&service, &commands);
    assert!(service.emulator.authenticates(service.read("f").strip_suffix('\n').unwrap()));
    assert_eq!((service.emulator.keys_created(), service.files()), (4, vec!["f".to_owned()]));
}

/// The second rotation of a key finds it replaced.
#[test]
fn one_key_is_rotated_twice_at_once() {
    let service = Service::new();
    let old = service.key("ci");
    service.write(".env", &format!("ARIZE_API_KEY={}\n", old.key.expose_secret()), 0o600);
    let command = ["rotate", &old.id, "--yes", "--env-file", ".env"].map(str::to_owned).to_vec();
    at_once(&service, &[command.clone(), command]);
    let request = ListRequest::new().status(ApiKeyStatus::Active);
    let alive = service.client().list_all(&request).filter(|key| key.as_ref().unwrap().name != "admin").count();
    assert_eq!(alive, 1);
    assert!(service.emulator.authenticates(service.read(".env").trim_end().strip_prefix("ARIZE_API_KEY=").unwrap()));
}

/// A killed run leaves a temporary file whose name begins with that of the target, for the owner alone; the next run removes it.
#[test]
fn what_a_killed_run_leaves() {
    let service = Service::new();
    service.write(".env", "A=1\n", 0o644);
    service.rule(|_| Answer::Silence);
    let mut child = service.command(&["create", "ci", "--env-file", ".env"]).stderr(Stdio::null()).spawn().unwrap();
    service.wait_for_silence();
    child.kill().unwrap();
    child.wait().unwrap();
    let names = service.files();
    assert_eq!(names.len(), 2, "{names:?}");
    assert!(names.iter().all(|name| name.starts_with(".env")), "{names:?}");
    let left = fs::metadata(service.path(&names[1])).unwrap().permissions().mode() & 0o777;
    assert_eq!(left, 0o600);
    service.rule(|_| Answer::Honest);
    service.run(&["create", "ci", "--env-file", ".env"]).succeeded();
    assert_eq!(service.files(), [".env"]);
}
