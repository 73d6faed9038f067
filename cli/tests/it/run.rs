//! `run`: a key for one command.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Mutex, mpsc};

use arize_api_keys::time::{self, OffsetDateTime};
use arize_api_keys::{ApiKey, ApiKeyStatus, ExposeSecret, ListRequest};
use expect_test::expect;
use rustix::process::{Pid, Signal, kill_process};

use crate::double::{Double, Plan};
use crate::service::{Answer, Service, assert_harmless, finish};

/// The keys that `run` has made, with this status.
pub(crate) fn keys(service: &Service, status: ApiKeyStatus) -> Vec<ApiKey> {
    let keys = service.client().list_all(&ListRequest::new().status(status)).map(Result::unwrap);
    keys.filter(|key| key.name != "admin").collect()
}

/// Every key that was made is revoked.
#[track_caller]
pub(crate) fn assert_revoked(service: &Service, count: usize) {
    assert_eq!(keys(service, ApiKeyStatus::Active).len(), 0);
    assert_eq!(keys(service, ApiKeyStatus::Revoked).len(), count);
}

/// The program while its command runs.
struct Running {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
}

impl Running {
    fn start(service: &Service, script: &str) -> Self {
        let mut command = service.command(&["run", "--", "sh", "-c", script]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (stdin, stdout) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        Self { child, stdin, stdout }
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// Waits for the end. Returns the code and stderr.
    fn end(self) -> (Option<i32>, String) {
        // The command of most tests waits for this end.
        drop(self.stdin);
        drop(self.stdout);
        let output = self.child.wait_with_output().unwrap();
        let err = String::from_utf8(output.stderr).unwrap();
        assert_harmless(&err);
        (output.status.code(), err)
    }
}

#[test]
fn the_key_works_while_the_command_runs() {
    let service = Service::new();
    let mut running = Running::start(&service, r#"echo "$ARIZE_API_KEY"; read line; echo "read $line"; exit 7"#);
    let secret = running.line();
    assert_ne!(secret, service.emulator.admin_key().expose_secret());
    assert!(service.emulator.authenticates(&secret));
    running.stdin.write_all(b"a line\n").unwrap();
    assert_eq!(running.line(), "read a line");
    let (code, err) = running.end();
    assert_eq!(code, Some(7), "{err}");
    assert!(!service.emulator.authenticates(&secret));
    assert_revoked(&service, 1);
}

#[test]
fn what_is_told() {
    let service = Service::new();
    let run = service.run(&["run", "--name", "lent", "--", "true"]);
    let id = &keys(&service, ApiKeyStatus::Revoked)[0].id;
    let told = run.succeeded().told().replace(id, "ID");
    let told: Vec<String> = told
        .lines()
        .map(|line| match line.split_once(" (expires ") {
            Some((before, _)) => format!("{before} (expires TIME)"),
            None => line.to_owned(),
        })
        .collect();
    expect![[r#"
        creating a key named `lent` at TIME; if this is interrupted, look for that name in a list
        created user key ID named `lent` (expires TIME)
        running the command; if it takes longer than 1h, the key stops working
        revoked the key ID"#]]
    .assert_eq(&told.join("\n"));
    let run = service.run(&["run", "-q", "--name", "lent", "--", "true"]);
    assert_eq!(run.succeeded().err.lines().count(), 2, "the name before, the id after: {}", run.err);
    let run = service.run(&["run", "-v", "--", "true"]);
    assert!(run.succeeded().err.contains("POST ") && run.err.contains("/revoke -> 204 in "), "{}", run.err);
    assert_eq!(run.out, "");
}

#[test]
fn the_key_says_what_made_it_and_ends_by_itself() {
    let service = Service::new();
    service.run(&["run", "--ttl", "10m", "--", "/bin/sh", "-c", "true a-password"]).succeeded();
    let key = &keys(&service, ApiKeyStatus::Revoked)[0];
    let mut parts = key.name.splitn(4, ':').skip(2);
    assert!(key.name.starts_with("run:") && parts.next().unwrap().parse::<u32>().is_ok(), "{}", key.name);
    let begun = OffsetDateTime::parse(parts.next().unwrap(), &time::format_description::well_known::Rfc3339).unwrap();
    assert_eq!(key.expires_at, Some(begun + time::Duration::minutes(10)));
    assert_eq!(key.description.as_deref(), Some("created by `arize-keys run` for the command `sh`"));
}

#[test]
fn a_service_key() {
    for args in [&["--space", "prod"][..], &["--assignments", "roles.json"]] {
        let service = Service::new();
        let spaces = service.client().list_spaces(&arize_api_keys::ListSpacesRequest::new().name("prod"));
        let space = spaces.map(Result::unwrap).next().unwrap();
        let organization = service.client().list_organizations(&arize_api_keys::ListOrganizationsRequest::new());
        let organization = organization.map(Result::unwrap).next().unwrap();
        let roles =
            format!(r#"{{"organizations": [{{"org_id": "{}", "spaces": [{{"space": "prod"}}]}}]}}"#, organization.id);
        service.write("roles.json", &roles, 0o600);
        service.run(&[&["run"], args, &["--", "true"]].concat()).succeeded();
        let revoked = ListRequest::new().space(space.id.as_str()).status(ApiKeyStatus::Revoked);
        let revoked: Vec<ApiKey> = service.client().list_all(&revoked).map(Result::unwrap).collect();
        assert!(revoked.len() == 1 && revoked[0].name.starts_with("run:"), "{revoked:?}");
    }
}

/// The variables of the command, without those that the shell adds.
fn environment(service: &Service, args: &[&str], variables: &[(&str, &str)]) -> Vec<String> {
    let mut command = service.command(&[&["run"], args, &["--", "env"]].concat());
    let run = finish(command.envs(variables.iter().copied()).env("PATH", std::env::var_os("PATH").unwrap()));
    let mut lines: Vec<String> = run.succeeded().out.lines().map(str::to_owned).collect();
    lines.retain(|line| !line.starts_with("LLVM_PROFILE_FILE=") && !line.starts_with("PATH="));
    lines.sort();
    lines
}

#[test]
fn the_command_does_not_get_the_key_of_its_caller() {
    let service = Service::new();
    let own = service.emulator.admin_key().expose_secret().to_owned();
    let header = format!("Bearer {own}");
    service.write("key", &own, 0o600);
    let kept: Vec<String> = ["ARIZE_API_HOST", "ARIZE_API_SCHEME", "MINE"].map(str::to_owned).to_vec();
    let names = |lines: &[String]| -> Vec<String> {
        lines.iter().map(|line| line.split('=').next().unwrap().to_owned()).collect()
    };
    let lent = |variable: &str| [&kept[..], &[variable.to_owned()]].concat();
    let seen = environment(&service, &[], &[("MINE", "x"), ("HEADER", &header), ("COPY", &own)]);
    let mut expected = lent("ARIZE_API_KEY");
    expected.sort();
    assert_eq!(names(&seen), expected);
    assert!(seen.iter().all(|line| !line.contains(&own)));

    let seen = environment(&service, &["--env-name", "TOKEN"], &[("MINE", "x"), ("TOKEN", "old")]);
    assert_eq!(names(&seen), lent("TOKEN"));

    // The key of a file and the variables that lead to one.
    let variables = [("MINE", "x"), ("ARIZE_API_KEY", " "), ("ARIZE_API_KEY_FILE", "key")];
    assert_eq!(names(&environment(&service, &["--env-name", "TOKEN"], &variables)), lent("TOKEN"));
    std::fs::create_dir_all(service.path(".arize/profiles")).unwrap();
    service.write(".arize/profiles/p.toml", &format!("[auth]\napi_key = \"{own}\""), 0o600);
    let home = service.dir.path().to_str().unwrap();
    let host =
        service.command(&[]).get_envs().find(|(name, _)| *name == "ARIZE_API_HOST").unwrap().1.unwrap().to_owned();
    let url = format!("http://{}", host.to_str().unwrap());
    let variables = [("MINE", "x"), ("HOME", home), ("ARIZE_API_KEY", ""), ("ARIZE_PROFILE", "p")];
    let seen = names(&environment(&service, &["--env-name", "TOKEN", "--url", &url], &variables));
    assert!(seen.contains(&"TOKEN".to_owned()) && !seen.contains(&"ARIZE_PROFILE".to_owned()), "{seen:?}");
}

#[test]
fn the_exit_code_is_that_of_the_command() {
    let service = Service::new();
    for (script, code) in
        [("exit 0", 0), ("exit 1", 1), ("exit 2", 2), ("exit 255", 255), ("kill -9 $$", 137), ("kill -TERM $$", 143)]
    {
        service.run(&["run", "-q", "--", "sh", "-c", script]).failed(code);
    }
    assert_revoked(&service, 6);
}

#[test]
fn a_command_that_cannot_run_gets_no_key() {
    let service = Service::new();
    service.write("plain", "text", 0o644);
    std::fs::create_dir(service.path("dir")).unwrap();
    service.write("dir/tool", "#!/bin/sh\nexit 5\n", 0o755);
    let path = format!("{}:{}", service.path("none").display(), service.dir.path().display());
    let run = |command: &str| finish(service.command(&["run", "--", command]).env("PATH", &path));
    for (command, code, problem) in [
        ("no-such-command", 127, "the command `no-such-command` was not found; no key was created"),
        ("./none", 127, "the command `./none` was not found; no key was created"),
        ("", 127, "the command `` was not found; no key was created"),
        ("dir", 127, "the command `dir` was not found; no key was created"),
        ("plain", 126, "the command `plain` cannot be executed: permission denied; no key was created"),
        ("./plain", 126, "the command `./plain` cannot be executed: permission denied; no key was created"),
        ("./dir", 126, "the command `./dir` cannot be executed: permission denied; no key was created"),
    ] {
        assert_eq!(run(command).failed(code).err, format!("error: {problem}\n"));
    }
    assert!(service.seen().is_empty());
    run("dir/tool").failed(5);
    // Its own folder is where it is called.
    finish(service.command(&["run", "--", "tool"]).env("PATH", "dir")).failed(5);
    finish(service.command(&["run", "--", "tool"]).env("PATH", ":").current_dir(service.path("dir"))).failed(5);
}

#[test]
fn a_command_that_does_not_start_leaves_no_key() {
    let service = Service::new();
    service.write("script", "#!/no/such/interpreter\n", 0o755);
    service.write("broken", "\u{1}\u{2}", 0o755);
    let run = service.run(&["run", "--", "./script"]);
    assert!(run.failed(127).err.contains("error: the command `./script` was not found; the key "), "{}", run.err);
    let run = service.run(&["run", "--", "./broken"]);
    assert!(
        run.failed(126).err.contains("error: the command `./broken` cannot be executed: Exec format"),
        "{}",
        run.err
    );
    assert_revoked(&service, 2);
}

#[test]
fn its_own_mistakes_have_a_code_of_their_own() {
    let service = Service::new();
    for args in [
        &["run"][..],
        &["run", "--"],
        &["run", "true"],
        &["run", "--ttl", "soon", "--", "true"],
        &["run", "--ttl", "9999999y", "--", "true"],
        &["run", "--space", " ", "--", "true"],
        &["run", "--space", "a", "--assignments", "b", "--", "true"],
        &["--profile", "list", "run", "--env-name", "a b", "--", "true"],
        &["-o", "json", "run", "--", "true"],
        &["run", "--raw", "--", "true"],
        &["run", "--api-key-file", "none", "--", "true"],
        &["run", "--region", "mars", "--", "true"],
    ] {
        let run = service.run(args);
        assert!(run.failed(125).err.starts_with("error: "), "{args:?}: {}", run.err);
    }
    let own = service.emulator.admin_key().expose_secret().to_owned();
    service.run(&["run", "--", "echo", &own]).failed(125);
    assert!(service.seen().is_empty());
    service.run(&["run", "--help"]).succeeded();
    service.run(&["run", "--space", "none", "--", "true"]).failed(125);
}

#[test]
fn a_create_without_a_response() {
    let service = Service::new();
    service.rule(|request| if request.method() == "POST" { Answer::Lost } else { Answer::Honest });
    let run = service.run(&["run", "--name", "lent", "--", "touch", "started"]);
    let told = run.failed(125).err.lines().rev().take(2).collect::<Vec<_>>().join(" ");
    assert!(told.starts_with("hint: if the key `lent` exists, it stops working at 2"), "{told}");
    assert!(told.contains("the key may exist: list the keys and revoke the one named `lent`"), "{told}");
    assert_eq!(keys(&service, ApiKeyStatus::Active).len(), 1);
    assert!(!service.path("started").exists());
    service.rule(|_| Answer::Status(422));
    let run = service.run(&["run", "--", "touch", "started"]);
    assert!(!run.failed(125).err.contains("hint:"), "{}", run.err);
}

const REFUSED: Answer = Answer::Body(401, "application/problem+json", r#"{"title":"Unauthorized"}"#);

#[test]
fn a_key_that_does_not_work_is_revoked() {
    let service = Service::new();
    service.rule(|request| if request.method() == "GET" { REFUSED } else { Answer::Honest });
    let run = service.run(&["run", "--", "touch", "started"]);
    let err = &run.failed(125).err;
    assert!(err.contains("error: the new key does not work: ") && err.contains("; the key QXBp"), "{err}");
    assert!(err.ends_with(" was revoked\n"), "{err}");
    assert!(!service.path("started").exists());
    assert_revoked(&service, 1);
    // It may not list: that is no defect.
    service.rule(|request| match request.method().as_str() {
        "GET" => Answer::Body(403, "application/problem+json", r#"{"title":"Forbidden"}"#),
        _ => Answer::Honest,
    });
    service.run(&["run", "--", "true"]).succeeded();
    service.rule(|_| Answer::Honest);
    assert_revoked(&service, 2);
}

#[test]
fn a_key_that_cannot_be_revoked_is_told() {
    let service = Service::new();
    service.rule(|request| if request.method() == "PUT" { Answer::Status(403) } else { Answer::Honest });
    for (script, code) in [("exit 0", 0), ("exit 7", 7)] {
        let run = service.run(&["run", "-q", "--name", "lent", "--", "sh", "-c", script]);
        let id = keys(&service, ApiKeyStatus::Active).pop().unwrap().id;
        let told = &run.failed(code).err;
        assert!(told.contains(&format!("error: revoking the key {id} failed: ")), "{told}");
        assert!(told.contains("; it works until 2"), "{told}");
        assert!(told.ends_with(&format!("hint: revoke it: arize-keys revoke {id}\n")), "{told}");
        service.client().revoke(&id).unwrap();
    }
    service.rule(|request| match request.method().as_str() {
        "PUT" => Answer::Status(403),
        "GET" => REFUSED,
        _ => Answer::Honest,
    });
    let run = service.run(&["run", "--", "true"]);
    assert!(run.failed(125).err.contains("; the command was not started; revoking the key "), "{}", run.err);
}

/// Only the program gets the signal.
#[test]
fn signals_of_processes_are_forwarded() {
    for (signal, code) in [(Signal::TERM, 143), (Signal::HUP, 129), (Signal::INT, 130), (Signal::QUIT, 131)] {
        let service = Service::new();
        let mut running = Running::start(&service, "ulimit -c 0; echo ready; exec cat");
        assert_eq!(running.line(), "ready");
        kill_process(running.pid(), signal).unwrap();
        let mut rest = String::new();
        running.stdout.read_to_string(&mut rest).unwrap();
        let (ended, err) = running.end();
        assert_eq!(ended, Some(code), "{signal:?}: {err}");
        assert_revoked(&service, 1);
    }
}

#[test]
fn a_command_may_survive_a_signal() {
    let service = Service::new();
    let script = "trap 'echo got it' TERM; echo ready; until read line; do :; done; exit 4";
    let mut running = Running::start(&service, script);
    assert_eq!(running.line(), "ready");
    kill_process(running.pid(), Signal::TERM).unwrap();
    assert_eq!(running.line(), "got it");
    running.stdin.write_all(b"go on\n").unwrap();
    let (code, err) = running.end();
    assert_eq!(code, Some(4), "{err}");
    assert_revoked(&service, 1);
}

#[test]
fn a_command_that_is_killed() {
    let service = Service::new();
    let mut running = Running::start(&service, "echo $$; exec cat");
    let pid = Pid::from_raw(running.line().parse().unwrap()).unwrap();
    kill_process(pid, Signal::KILL).unwrap();
    assert_eq!(running.end().0, Some(137));
    assert_revoked(&service, 1);
}

#[test]
fn a_signal_before_the_command_starts() {
    let service = Service::new();
    let (sender, pids) = mpsc::channel::<Pid>();
    let pids = Mutex::new(pids);
    service.rule(move |request| {
        if request.method() == "POST" {
            kill_process(pids.lock().unwrap().recv().unwrap(), Signal::TERM).unwrap();
        }
        Answer::Honest
    });
    let running = Running::start(&service, "touch started");
    sender.send(running.pid()).unwrap();
    let (code, err) = running.end();
    assert_eq!(code, Some(125), "{err}");
    assert!(err.contains("error: interrupted before the command was started; the key "), "{err}");
    assert!(!service.path("started").exists());
    service.rule(|_| Answer::Honest);
    assert_revoked(&service, 1);
}

/// As `nohup` and scripts start background jobs.
#[cfg(target_os = "linux")]
#[test]
fn ignored_signals_stay_ignored() {
    let service = Service::new();
    let program = service.command(&["run", "-q", "--", "grep", "SigIgn", "/proc/self/status"]);
    let mut shell = Command::new("sh");
    shell.args(["-c", "trap '' HUP INT; exec \"$@\"", "sh"]).arg(program.get_program()).args(program.get_args());
    shell.current_dir(&service.dir).env_clear();
    shell.envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let run = finish(&mut shell);
    let mask = run.succeeded().out.split_whitespace().last().unwrap().to_owned();
    assert_eq!(u64::from_str_radix(&mask, 16).unwrap() & 0b1111, 0b0011, "{mask}");
}

/// The time that the command takes does not count as time of the program.
#[test]
fn a_command_may_take_longer_than_the_timeout() {
    let double = Double::new();
    let world = double.clone();
    double.plan(move |_, step| {
        if step.starts_with("spawn") {
            world.world().clock.advance(std::time::Duration::from_secs(7200));
        }
        Plan::Go
    });
    let run = double.run(&["run", "--timeout", "30s", "--ttl", "3h", "--", "true"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert!(run.steps.iter().any(|step| step.ends_with("/revoke")), "{run:?}");
}

/// Each step fails: no key is active, or the message says which one.
#[test]
fn a_step_that_fails_leaves_no_key() {
    let args = ["run", "--name", "lent", "--", "true"];
    let steps = Double::new().run(&args).steps;
    expect![[r#"
        find_program true
        signals
        POST /v2/api-keys
        GET /v2/api-keys
        spawn true
        wait
        PUT /v2/api-keys/ID/revoke"#]]
    .assert_eq(&without_ids(&steps));
    for (n, failed) in steps.iter().enumerate() {
        let double = Double::new();
        double.plan(move |step, _| if step == n { Plan::Fail(std::io::ErrorKind::Other) } else { Plan::Go });
        let run = double.run(&args);
        let active = ListRequest::new().status(ApiKeyStatus::Active);
        let left = double.admin().list_all(&active).map(Result::unwrap).filter(|key| key.name == "lent").count();
        assert_eq!(left, 0, "step {n}, {}: {run:?}", failed);
        let expected = match failed.split(' ').next().unwrap() {
            "find_program" | "spawn" => 126,
            "signals" | "POST" | "wait" => 125,
            _ => 0,
        };
        assert_eq!(run.code, Some(expected), "step {n}, {}: {run:?}", failed);
    }
}

/// With faults in 5 % of the requests: a key that is left is named, and the code of the command is kept.
#[test]
fn faults_leave_no_key_that_is_not_told() {
    for stage in ["beta", "alpha"] {
        let double = Double::new();
        let mut ended = [0; 2];
        for n in 0..120 {
            let name = format!("lent {n}");
            let space: &[&str] = if n % 2 == 0 { &["--space", "prod"] } else { &[] };
            let args = [&["run", "--stage", stage, "--name", &name], space, &["--", "false"]].concat();
            double.world().emulator.inject_randomly(0.05, n);
            let run = double.run(&args);
            double.world().emulator.inject_randomly(0.0, 0);
            let request = ListRequest::new().status(ApiKeyStatus::Active);
            let request = if space.is_empty() { request } else { request.space("prod") };
            let left = double.admin().list_all(&request).map(Result::unwrap).find(|key| key.name == name);
            if let Some(key) = left {
                let told = ["it works until", &format!("if the key `{}` exists", key.name)];
                assert!(told.iter().any(|told| run.err.contains(told)), "{stage} {n}: {run:?}");
            }
            match run.code {
                Some(1) => ended[0] += 1,
                Some(125) => ended[1] += 1,
                _ => panic!("{stage} {n}: {run:?}"),
            }
        }
        assert!(ended[0] > 90 && ended[1] > 0, "{stage}: {ended:?}");
    }
}

fn without_ids(steps: &[String]) -> String {
    let steps = steps.iter().filter(|step| *step != "stderr");
    let steps = steps.map(|step| match step.strip_suffix("/revoke").and_then(|step| step.rsplit_once('/')) {
        Some((before, _)) => format!("{before}/ID/revoke"),
        None => step.clone(),
    });
    steps.collect::<Vec<_>>().join("\n")
}
