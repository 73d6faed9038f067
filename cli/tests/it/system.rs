//! The program on a system that fails or ends it at each step.

use std::time::Duration;

use arize_api_keys::{ApiKeyStatus, ListRequest};
use arize_keys::system::{Exit, Os, ShellCommand, System};
use expect_test::expect;

use crate::double::{Double, Plan, Run};

fn create(double: &Double) -> Run {
    double.run(&["create", "lab", "--out", &double.path("key")])
}

/// The names of the active keys beside the admin's.
fn active(double: &Double) -> Vec<String> {
    let request = ListRequest::new().status(ApiKeyStatus::Active);
    let names = double.admin().list_all(&request).map(|key| key.unwrap().name);
    names.filter(|name| name != "admin").collect()
}

#[test]
fn a_run_is_a_row_of_steps() {
    let double = Double::new();
    let run = create(&double);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert!(run.out.is_empty() && run.err.contains("created user key"), "{run:?}");
    let steps: Vec<&str> = run.steps.iter().map(String::as_str).filter(|step| *step != "stderr").collect();
    expect![[r#"
        metadata key
        link_metadata key
        metadata key
        link_metadata key
        open directory
        lock directory
        metadata key
        open key
        create key.arize-keys.tmp
        write key.arize-keys.tmp
        sync key.arize-keys.tmp
        POST /v2/api-keys
        open key
        rewind key.arize-keys.tmp
        write key.arize-keys.tmp
        rewind key.arize-keys.tmp
        sync key.arize-keys.tmp
        rename key.arize-keys.tmp key
        open directory
        sync directory
        open key
        read key
        read key
        read key"#]]
    .assert_eq(&steps.join("\n"));
}

/// Each step fails: the key is stored and reported, or it is revoked, or it was never created.
#[test]
fn a_step_that_fails_loses_no_secret() {
    let steps = create(&Double::new()).steps.len();
    for n in 0..steps {
        let double = Double::new();
        double.plan(move |step, _| if step == n { Plan::Fail(std::io::ErrorKind::StorageFull) } else { Plan::Go });
        let run = create(&double);
        let is_stored = double.world().dir.path().join("key").exists();
        assert_eq!(active(&double).len(), usize::from(is_stored), "step {n}: {run:?}");
        assert!(is_stored || run.code != Some(0), "step {n}: {run:?}");
        let left = std::fs::read_dir(double.world().dir.path()).unwrap();
        let left = left.filter(|entry| entry.as_ref().unwrap().file_name() != ".key.lock").count();
        assert_eq!(left, usize::from(is_stored), "step {n} leaves a file: {run:?}");
    }
}

/// A killed program does nothing more: what its destructors try is refused.
#[test]
fn a_kill_stops_the_program_there() {
    for (kill, is_renamed) in [(Plan::KillBefore, false), (Plan::KillAfter, true)] {
        let double = Double::new();
        double.plan(move |_, step| if step.starts_with("rename") { kill } else { Plan::Go });
        let run = create(&double);
        assert_eq!(run.code, None, "{run:?}");
        assert_eq!(run.steps.last().unwrap(), "rename key.arize-keys.tmp key");
        assert_eq!(active(&double), ["lab"]);
        assert_eq!(double.world().dir.path().join("key").exists(), is_renamed);
        assert_eq!(double.world().dir.path().join("key.arize-keys.tmp").exists(), !is_renamed);
    }
}

#[test]
fn shell_commands() {
    let command = |text| ShellCommand { text, environment: &[], input: b"the input", timeout: Duration::from_secs(20) };
    let ended = |text| {
        let finished = Os::new().shell(&command(text)).unwrap();
        (finished.status, String::from_utf8(finished.stdout).unwrap())
    };
    assert_eq!(ended("cat"), (Exit::Code(0), "the input".to_owned()));
    // Input that the command does not read is no error.
    assert_eq!(ended("exec <&-; exit 3"), (Exit::Code(3), String::new()));
    assert_eq!(ended("kill -9 $$"), (Exit::Signal(9), String::new()));
    // More than fits into a pipe.
    assert_eq!(ended("head -c 300000 /dev/zero; cat").1.len(), 300_009);

    let environment = [("ADDED".into(), Some("yes".into())), ("HOME".into(), None)];
    let changed = ShellCommand { environment: &environment, ..command("echo $ADDED ${HOME-unset}") };
    assert_eq!(Os::new().shell(&changed).unwrap().stdout, b"yes unset\n");
    // Also where something that the command has left behind holds its stdout.
    for text in ["sleep 20", "sleep 20 &"] {
        let late = Os::new().shell(&ShellCommand { timeout: Duration::from_millis(50), ..command(text) });
        assert_eq!(late.unwrap_err().kind(), std::io::ErrorKind::TimedOut, "{text}");
    }
}
