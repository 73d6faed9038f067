//! Files that are none: a FIFO without a writer, a stdin that does not end, a device without an end, a pipe of the shell.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use arize_api_keys::ExposeSecret;

use crate::service::{Run, Service, finish};

/// A line for a shell with the program as `$KEYS`, without the key in the environment.
fn shell(service: &Service, line: &str) -> Run {
    let program = service.command(&[]);
    let mut bash = Command::new("bash");
    bash.args(["-c", line]).current_dir(&service.dir).env_clear().stdin(Stdio::null());
    bash.envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))));
    bash.env("KEYS", program.get_program()).env("PATH", "/usr/bin:/bin").env("HOME", service.dir.path());
    finish(&mut bash)
}

const ID: &str = "QXBpS2V5OjE6YWJjZA==";

/// The time of the command is over, or the file is refused at once.
#[test]
fn nothing_waits_longer_than_the_timeout() {
    let service = Service::new();
    std::fs::create_dir_all(service.path(".arize/profiles")).unwrap();
    shell(&service, "mkfifo p .arize/profiles/p.toml").succeeded();
    for (line, problem) in [
        ("list --api-key-file p", "cannot read the API key from `p`: no process wrote it to its end in time"),
        ("list --api-key-env-file p", "cannot read the API key from `p`: no process"),
        ("create x --api-key-file p --out f", "in time; nothing was created"),
        ("refresh ID --api-key-file p --out f", "in time; nothing was changed"),
        ("list --profile p", "cannot read the profile"),
        ("list --api-key-file - < <(sleep 30 2> /dev/null)", "cannot read the API key from `-`: no process"),
        ("list --api-key-file <(sleep 30 2> /dev/null)", "no process wrote it"),
        ("create-service-key x --assignments p", "cannot read `p`: no process"),
        ("create-service-key x --assignments - < <(sleep 30 2> /dev/null)", "cannot read `-`: no process"),
        ("identify p", "cannot read `p`: no process"),
        ("identify < <(sleep 30 2> /dev/null)", "cannot read `-`: no process"),
        ("list --ca-file p --scheme https", "--ca-file names the file p, which cannot be read: it is a FIFO"),
        ("create x --env-file p", "cannot edit `p`: it is not a file"),
        ("ensure x --out p --owner o", "`p` is not a file"),
        ("rotate ID --yes --assignments p --out f", "cannot read `p`: no process"),
        ("run --assignments p -- true", "cannot read `p`: no process"),
    ] {
        let begun = Instant::now();
        let run = shell(&service, &format!("$KEYS --timeout 300ms {}", line.replace("ID", ID)));
        assert!(begun.elapsed() < Duration::from_secs(20), "{line}: {:?}", begun.elapsed());
        assert_ne!(run.code, Some(0), "{line}");
        assert!(run.err.contains(problem), "{line}: {}", run.err);
    }
    // From the environment.
    let run = shell(&service, "unset ARIZE_API_KEY; ARIZE_API_KEY_FILE=p $KEYS list --timeout 300ms");
    assert!(run.failed(2).err.contains("no process wrote it"), "{}", run.err);
    assert!(service.seen().is_empty());
    // `emulator` takes no --timeout: a FIFO is read.
    let run = shell(&service, "echo '{' > p & $KEYS emulator --account p");
    assert!(run.failed(2).err.contains("the account in `p`"), "{}", run.err);
}

#[test]
fn a_device_without_an_end_is_not_read_for_ever() {
    let service = Service::new();
    for (line, problem) in [
        ("list --api-key-file /dev/zero", "`/dev/zero`: it has 64 KiB or more"),
        ("list --api-key-env-file /dev/zero", "`/dev/zero`: it has 64 KiB or more"),
        ("create-service-key x --assignments /dev/zero", "`/dev/zero`: it has 4096 KiB or more"),
        ("list --ca-file /dev/zero --scheme https", "cannot be read: it has 16 MiB or more"),
        ("list --api-key-file - < /dev/zero", "`-`: it has 64 KiB or more"),
    ] {
        let run = shell(&service, &format!("ulimit -v 4000000; $KEYS {line}"));
        assert!(run.failed(2).err.contains(problem), "{line}: {}", run.err);
    }
}

/// A pipe with a writer is read, by its path or as stdin, also if the writer comes later.
#[test]
fn a_pipe_with_a_writer_is_read() {
    let service = Service::new();
    let own = service.emulator.admin_key().expose_secret().to_owned();
    service.write("key", &own, 0o600);
    service.write("env", &format!("MINE={own}\n"), 0o600);
    let bindings = r#"{"organizations":[{"org_id":"ORG","spaces":[{"space":"prod"}]}]}"#;
    let org = service.emulator.organization_id("acme").unwrap();
    service.write("bindings", &bindings.replace("ORG", &org), 0o600);
    shell(&service, "mkfifo p").succeeded();
    for line in [
        "$KEYS list --api-key-file <(cat key)",
        "$KEYS list --timeout 20s --api-key-file <(cat key)",
        "$KEYS list --timeout 20s --api-key-file <(sleep 0.2; cat key)",
        "$KEYS list --timeout 20s --api-key-env-file <(cat env) --api-key-env-name MINE",
        "ARIZE_API_KEY_FILE=<(cat key) $KEYS list",
        "cat key | $KEYS list --timeout 20s --api-key-file -",
        "cat key | $KEYS list --timeout 20s --api-key-file /dev/stdin",
        "(sleep 0.2; cat key > p) & $KEYS list --timeout 20s --api-key-file p",
        "(sleep 0.2; cat key > p) & $KEYS list --api-key-file p",
        "$KEYS create-service-key x --api-key-file <(cat key) --assignments <(cat bindings)",
        "$KEYS create-service-key y --api-key-file key --assignments - --timeout 20s < bindings",
        "$KEYS list --api-key-file key --ca-file <(cat key) 2>&1 | grep -q 'holds no PEM certificate'",
    ] {
        shell(&service, &format!("unset ARIZE_API_KEY; {line}")).succeeded();
    }
}
