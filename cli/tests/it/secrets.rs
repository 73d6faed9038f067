//! `create` and `refresh`: where the secret goes, and what happens when it cannot get there.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read};
use std::os::unix::fs::symlink;
use std::process::Stdio;

use arize_api_keys::{
    ApiKeyStatus, CreateRequest, CreateServiceKeyRequest, ExposeSecret, ListRequest, OrgRole, SpaceRole, Transport,
    http,
};
use expect_test::expect;

use crate::double::{Double, Plan};
use crate::service::{Answer, Run, Service, assert_harmless, finish, has_secret};

#[test]
fn alone_on_stdout() {
    let service = Service::new();
    let run = service.run(&["create", "ci", "--description", "for CI", "--expires-at", "2099-01-01"]);
    let secret = run.succeeded().out.strip_suffix('\n').unwrap();
    assert!(service.emulator.authenticates(secret));
    expect![[r#"
        creating a key named `ci` at TIME; if this is interrupted, look for that name in a list
        created user key QXBpS2V5OjI6c0xZSFQ= named `ci` (expires 2099-01-01T00:00:00Z)
        this is the only time that the secret can be seen: store it now
    "#]]
    .assert_eq(&run.told());
    assert!(service.files().is_empty());
}

#[test]
fn in_data_formats_as_key() {
    for (format, expected) in [
        (
            "json",
            expect![[r#"
        {
          "id": "QXBpS2V5OjI6c0xZSFQ=",
          "name": "ci",
          "description": null,
          "key_type": "user",
          "status": "active",
          "redacted_key": "ak-HjA...P3O",
          "created_at": "2024-10-04T00:00:00Z",
          "expires_at": "2099-01-01T10:00:00Z",
          "created_by_user_id": "VXNlcjoxOjY3bFU=",
          "last_used_at": null,
          "key": "ak-HjASwhmewnhSI2rWgHimC1V1AFnUc58CY4tErYdTWeDvRP3O"
        }
    "#]],
        ),
        (
            "jsonl",
            expect![[r#"
        {"id":"QXBpS2V5OjI6c0xZSFQ=","name":"ci","description":null,"key_type":"user","status":"active","redacted_key":"ak-HjA...P3O","created_at":"2024-10-04T00:00:00Z","expires_at":"2099-01-01T10:00:00Z","created_by_user_id":"VXNlcjoxOjY3bFU=","last_used_at":null,"key":"ak-HjASwhmewnhSI2rWgHimC1V1AFnUc58CY4tErYdTWeDvRP3O"}
    "#]],
        ),
        (
            "csv",
            expect![[r#"
        id,name,description,key_type,status,redacted_key,created_at,expires_at,created_by_user_id,last_used_at,bot_user_id,bot_user_name,key
        QXBpS2V5OjI6c0xZSFQ=,ci,,user,active,ak-HjA...P3O,2024-10-04T00:00:00Z,2099-01-01T10:00:00Z,VXNlcjoxOjY3bFU=,,,,ak-HjASwhmewnhSI2rWgHimC1V1AFnUc58CY4tErYdTWeDvRP3O
    "#]],
        ),
    ] {
        let service = Service::new();
        let run = service.run(&["create", "ci", "-o", format, "--expires-at", "2099-01-01T12:00:00+02:00"]);
        expected.assert_eq(&run.succeeded().out);
        assert!(has_secret(&run.out));
    }
}

#[test]
fn in_a_file() {
    let service = Service::new();
    for (format, expected) in [
        ("table", expect![""]),
        (
            "json",
            expect![[r#"
            {
              "id": "QXBpS2V5OjM6MWk1THE=",
              "name": "ci",
              "description": null,
              "key_type": "user",
              "status": "active",
              "redacted_key": "ak-bvp...5rp",
              "created_at": "2024-10-04T00:00:00Z",
              "expires_at": null,
              "created_by_user_id": "VXNlcjoxOjY3bFU=",
              "last_used_at": null
            }
        "#]],
        ),
        (
            "jsonl",
            expect![[r#"
            {"id":"QXBpS2V5OjQ6bjdkTFA=","name":"ci","description":null,"key_type":"user","status":"active","redacted_key":"ak-C6t...MGm","created_at":"2024-10-04T00:00:00Z","expires_at":null,"created_by_user_id":"VXNlcjoxOjY3bFU=","last_used_at":null}
        "#]],
        ),
        (
            "csv",
            expect![[r#"
            id,name,description,key_type,status,redacted_key,created_at,expires_at,created_by_user_id,last_used_at,bot_user_id,bot_user_name
            QXBpS2V5OjU6VWRaSW4=,ci,,user,active,ak-jFl...YR5,2024-10-04T00:00:00Z,,VXNlcjoxOjY3bFU=,,,
        "#]],
        ),
    ] {
        let run = service.run(&["create", "ci", "-o", format, "--out", "ci.key"]);
        expected.assert_eq(&run.succeeded().out);
        assert!(run.told().ends_with("the secret is in `ci.key`\n"), "{}", run.err);
        assert!(service.emulator.authenticates(service.read("ci.key").strip_suffix('\n').unwrap()));
        assert_eq!(service.mode("ci.key"), 0o600);
        assert_eq!(service.files(), ["ci.key"]);
    }
}

#[test]
fn in_an_env_file() {
    let service = Service::new();
    service.write(".env", "# ours\nA=1\nexport ARIZE_API_KEY=\"ak-old\"\nB='x y'", 0o644);
    let run = service.run(&["create", "ci", "--env-file", ".env"]);
    assert!(run.succeeded().told().ends_with("the secret is in `.env` as ARIZE_API_KEY\n"), "{}", run.err);
    assert!(!has_secret(&run.out));
    let content = service.read(".env");
    let secret = content.lines().nth(2).unwrap().strip_prefix("export ARIZE_API_KEY=").unwrap();
    assert!(service.emulator.authenticates(secret));
    assert_eq!(content, format!("# ours\nA=1\nexport ARIZE_API_KEY={secret}\nB='x y'"));
    assert_eq!(service.mode(".env"), 0o600);

    service.run(&["create", "ci", "--env-file", ".env", "--env-name", "OTHER"]).succeeded();
    assert!(service.read(".env").starts_with(&format!("{content}\nOTHER=ak-")));
    service.run(&["create", "ci", "--env-file", "new.env"]).succeeded();
    assert!(service.read("new.env").starts_with("ARIZE_API_KEY=ak-"));
    assert_eq!(service.files(), [".env", "new.env"]);
}

#[test]
fn behind_a_link() {
    let service = Service::new();
    fs::create_dir(service.path("real")).unwrap();
    service.write("real/env", "A=1\n", 0o640);
    symlink("real/env", service.path("link")).unwrap();
    service.run(&["create", "ci", "--env-file", "link"]).succeeded();
    assert!(fs::symlink_metadata(service.path("link")).unwrap().is_symlink());
    assert!(service.read("real/env").starts_with("A=1\nARIZE_API_KEY=ak-"));
    assert_eq!(service.mode("real/env"), 0o600);
}

#[test]
fn in_a_pipe() {
    let service = Service::new();
    let fifo = service.path("pipe");
    rustix::fs::mkfifoat(rustix::fs::CWD, &fifo, 0o600.into()).unwrap();
    let reader = std::thread::spawn(move || {
        let mut text = String::new();
        File::open(fifo).unwrap().read_to_string(&mut text).unwrap();
        text
    });
    service.run(&["create", "ci", "--out", "pipe"]).succeeded();
    assert!(service.emulator.authenticates(reader.join().unwrap().trim_end()));
}

/// Nothing is created if it is known before that the secret would be lost.
#[test]
fn places_that_cannot_take_it() {
    let service = Service::new();
    symlink("nowhere", service.path("dangling")).unwrap();
    service.write("file", "", 0o600);
    for (args, code, problem) in [
        (["--out", "."], 1, "cannot write `.`: is a directory; nothing was"),
        (["--out", "no/such/dir"], 1, "cannot write `no/such/dir`: No such file or directory"),
        (["--out", "dangling"], 1, "cannot write `dangling`: No such file or directory"),
        (["--out", "file/below"], 1, "cannot write `file/below`: Not a directory"),
        (["--env-file", "."], 1, "cannot write `.`: is a directory; nothing was"),
        (["--env-file", "/dev/full"], 1, "cannot edit `/dev/full`: it is not a file; nothing was"),
        (["--out", "dir/"], 1, "cannot write `dir/`: is a directory; nothing was"),
        (["--out", "dir/."], 1, "cannot write `dir/.`: is a directory; nothing was"),
        (["--out", "/dev/null"], 1, "cannot write `/dev/null`: it is closed, or a device that keeps nothing"),
        (["--out", "/dev/zero"], 1, "cannot write `/dev/zero`: it is closed, or a device that keeps nothing"),
        (["--out", "/dev/full"], 1, "cannot write `/dev/full`: it is closed, or a device that keeps nothing"),
        (["--out", "/dev/urandom"], 1, "cannot write `/dev/urandom`: it is closed, or a device that keeps nothing"),
    ] {
        for (command, state) in [("create", "nothing was created"), ("refresh", "nothing was changed")] {
            let run = service.run(&[&[command, "x"], &args[..]].concat());
            run.failed(code);
            assert!(run.err.starts_with(&format!("error: {problem}")), "{}", run.err);
            assert!(run.err.ends_with(&format!("; {state}\n")), "{}", run.err);
        }
    }
    assert_eq!((service.seen().len(), service.files()), (0, vec!["dangling".to_owned(), "file".to_owned()]));
}

#[test]
fn a_stdout_that_goes_nowhere_is_refused() {
    let service = Service::new();
    for redirection in [">/dev/null", ">&-"] {
        let mut shell = std::process::Command::new("/bin/sh");
        let program = env!("CARGO_BIN_EXE_arize-keys");
        shell.arg("-c").arg(format!("exec {program} create ci {redirection}"));
        let command = service.command(&[]);
        shell.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        let output = shell.output().unwrap();
        let err = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{err}");
        assert!(
            err.starts_with("error: the secret would be lost: stdout is closed, or a device that keeps nothing"),
            "{err}"
        );
    }
    assert_eq!(service.emulator.keys_created(), 0);
}

fn broken(service: &Service, args: &[&str], stdout: impl Into<Stdio>) -> Run {
    let output = service.command(args).stdout(stdout).output().unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    assert_harmless(&err);
    Run { code: output.status.code(), out: String::new(), err }
}

fn full() -> File {
    OpenOptions::new().write(true).open("/dev/full").unwrap()
}

/// A pipe without a reader.
fn closed_pipe() -> std::io::PipeWriter {
    std::io::pipe().unwrap().1
}

fn active_names(service: &Service) -> Vec<String> {
    let request = ListRequest::new().status(ApiKeyStatus::Active);
    service.client().list_all(&request).map(|key| key.unwrap().name).collect()
}

#[test]
fn a_secret_that_cannot_be_printed_revokes_its_key() {
    let service = Service::new();
    for format in ["table", "json", "jsonl", "csv"] {
        let run = broken(&service, &["create", "lost", "-o", format], closed_pipe());
        run.failed(10);
        assert!(run.err.contains("\nerror: stdout cannot be written: Broken pipe"), "{}", run.err);
        assert!(run.err.ends_with("was revoked\n"), "{}", run.err);
        // A device that keeps nothing is known before the key is created.
        broken(&service, &["create", "lost", "-o", format], full()).failed(2);
    }
    assert_eq!((service.emulator.keys_created(), active_names(&service)), (4, vec!["admin".to_owned()]));
}

#[test]
fn a_secret_that_cannot_be_stored_revokes_its_key() {
    let service = Service::new();
    for option in ["--out", "--env-file"] {
        service.vanishing_dir(|_| Answer::Honest);
        let run = service.run(&["create", "lost", option, "dir/file"]);
        run.failed(10);
        assert!(run.err.contains("\nerror: cannot write `dir/file`: No such file or directory"), "{}", run.err);
        assert!(run.err.ends_with("was revoked\n"), "{}", run.err);
    }
    assert_eq!((service.emulator.keys_created(), active_names(&service)), (2, vec!["admin".to_owned()]));
}

/// The secret is kept beside the file, in the state directory, or on stdout.
#[test]
fn a_key_that_cannot_be_revoked_either_is_named() {
    let service = Service::new();
    let forbidden =
        |request: &http::Request<Vec<u8>>| if request.method() == "PUT" { Answer::Status(403) } else { Answer::Honest };
    service.vanishing_dir(forbidden);
    let run = service.run(&["create", "lost", "--out", "dir/key"]);
    run.failed(9);
    expect![[r#"
        creating a key named `lost` at TIME; if this is interrupted, look for that name in a list
        created user key QXBpS2V5OjI6c0xZSFQ= named `lost` (never expires)
        error: cannot write `dir/key`: No such file or directory (os error 2); revoking the new key QXBpS2V5OjI6c0xZSFQ= failed: revoke: the service answered 403 Forbidden (empty body); the API key lacks the permission for this call; its secret was printed on stdout
        hint: revoke it: arize-keys revoke QXBpS2V5OjI6c0xZSFQ=
    "#]].assert_eq(&run.told());
    assert!(service.emulator.authenticates(run.out.trim_end()));

    service.vanishing_dir(forbidden);
    let mut command = service.command(&["create", "lost", "--env-file", "dir/env", "-q"]);
    let run = finish(command.env("XDG_STATE_HOME", service.path("state")));
    run.failed(9);
    assert!(run.err.contains("state/arize-keys/secret.rescued`\nhint: revoke it: arize-keys revoke"), "{}", run.err);
    assert!(service.emulator.authenticates(service.read("state/arize-keys/secret.rescued").trim_end()));
    assert_eq!((service.mode("state/arize-keys/secret.rescued"), run.out.as_str()), (0o600, ""));
}

#[test]
fn refresh() {
    let service = Service::new();
    let old = service.key("ci");
    let run = service.run(&["refresh", &old.id, "--grace", "1h", "-o", "json"]);
    expect![[r#"
        {
          "id": "QXBpS2V5OjI6c0xZSFQ=",
          "name": "ci",
          "description": null,
          "key_type": "user",
          "status": "active",
          "redacted_key": "ak-bvp...5rp",
          "created_at": "2024-10-04T00:00:00Z",
          "expires_at": null,
          "created_by_user_id": "VXNlcjoxOjY3bFU=",
          "last_used_at": null,
          "key": "ak-bvpXFQAeZzcchXxhg3UmZ0OxVzndU-grOmIMAnCCLHH1n5rp"
        }
    "#]]
    .assert_eq(&run.succeeded().out);
    expect![[r#"
        refreshing the key QXBpS2V5OjI6c0xZSFQ= at TIME; if this is interrupted, its secret may have changed: refresh it again
        refreshed user key QXBpS2V5OjI6c0xZSFQ= named `ci` (never expires)
        this is the only time that the secret can be seen: store it now
    "#]]
    .assert_eq(&run.told());
    let secret = |key: &arize_api_keys::ApiKeyCreated| arize_api_keys::ExposeSecret::expose_secret(&key.key).to_owned();
    assert!(service.emulator.authenticates(&secret(&old)), "the grace period runs");
    service.clock.advance(std::time::Duration::from_secs(3601));
    assert!(!service.emulator.authenticates(&secret(&old)));

    service.run(&["refresh", &old.id, "--env-file", ".env", "--grace", "0", "--expires-in", "30d"]).succeeded();
    let content = service.read(".env");
    assert!(service.emulator.authenticates(content.trim_end().strip_prefix("ARIZE_API_KEY=").unwrap()));
}

/// The key stays: revoking it would end the old secret, too.
#[test]
fn a_refreshed_secret_that_cannot_be_stored_is_kept() {
    let service = Service::new();
    let key = service.key("ci");
    service.vanishing_dir(|_| Answer::Honest);
    let run = service.run(&["refresh", &key.id, "--grace", "1h", "--out", "dir/key"]);
    run.failed(9);
    expect![[r#"
        refreshing the key QXBpS2V5OjI6c0xZSFQ= at TIME; if this is interrupted, its secret may have changed: refresh it again
        refreshed user key QXBpS2V5OjI6c0xZSFQ= named `ci` (never expires)
        error: the key QXBpS2V5OjI6c0xZSFQ= was refreshed, but cannot write `dir/key`: No such file or directory (os error 2); its secret was printed on stdout
        hint: the old secret works for 1h more: put the new secret in its place
    "#]].assert_eq(&run.told());
    assert!(service.emulator.authenticates(run.out.trim_end()));
    assert_eq!(active_names(&service), ["admin", "ci"]);

    // Twice, with no grace: the files do not replace each other.
    service.rule(|_| Answer::Honest);
    for name in ["secret.rescued", "secret.rescued-2"] {
        let mut command = service.command(&["refresh", &key.id]);
        command.env("HOME", service.path("home")).stdout(closed_pipe()).stderr(Stdio::piped());
        let output = command.output().unwrap();
        let err = String::from_utf8(output.stderr).unwrap();
        let place = format!("home/.local/state/arize-keys/{name}");
        let hint = "hint: the old secret does not work any more: put the new secret in its place\n";
        assert!(err.ends_with(&format!("{place}`\n{hint}")), "{err}");
        assert_eq!(output.status.code(), Some(9));
        assert!(service.emulator.authenticates(service.read(&place).trim_end()));
    }
}

/// One list tells whether it is the own key.
#[test]
fn refreshing_the_own_key_needs_a_word() {
    let service = Service::new();
    let own = service.client().list(&ListRequest::new()).unwrap().api_keys.pop().unwrap();
    let run = service.run(&["refresh", &own.id, "--out", "f"]);
    run.failed(2);
    expect![[r#"
        error: the key QXBpS2V5OjE6YzVWTnk= is the one of this program, and its secret would stop working at once; nothing was changed
        hint: pass --grace 1h, or --no-grace
    "#]].assert_eq(&run.told());
    assert_eq!((service.seen(), service.files().len()), (vec!["GET /v2/api-keys".to_owned()], 0));
    // Another key is refreshed; a client key without the right to list refreshes any key.
    let other = service.key("other");
    service.run(&["refresh", &other.id]).succeeded();
    service.rule(|request| if request.method() == "GET" { Answer::Status(403) } else { Answer::Honest });
    let run = service.run(&["refresh", &other.id]);
    let warning = "warning: this key may not list keys: whether it is the one to refresh is unknown";
    assert!(run.succeeded().err.contains(warning), "{}", run.err);
    service.rule(|request| if request.method() == "GET" { Answer::Status(503) } else { Answer::Honest });
    let run = service.run(&["refresh", &other.id]);
    run.failed(7);
    assert!(run.err.contains("\nerror: list: ") && run.err.contains("; nothing was changed\n"), "{}", run.err);
    // Without its padding, it is the same id.
    let bare = own.id.trim_end_matches('=');
    assert_ne!(bare, own.id);
    service.rule(|_| Answer::Honest);
    assert!(service.run(&["refresh", bare]).failed(2).err.contains("is the one of this program"));
    // Nothing is looked up if the old secret ends in a way that was asked for.
    for option in ["--grace=1h", "--grace=0s", "--no-grace"] {
        let service = Service::new();
        let own = service.client().list(&ListRequest::new()).unwrap().api_keys.pop().unwrap();
        service.run(&["refresh", &own.id, option, "--out", "f"]).succeeded();
        assert_eq!(service.seen().len(), 1, "{option}");
        assert!(service.emulator.authenticates(service.read("f").trim_end()));
    }
}

/// The list without a space does not have it.
#[test]
fn the_own_key_may_be_a_service_key() {
    let service = Service::new();
    let request = CreateServiceKeyRequest::new("bot", "prod").org_role(OrgRole::Admin).space_role(SpaceRole::Admin);
    let [own, other] = [&request, &request].map(|request| service.client().create_service_key(request).unwrap());
    let user_key = service.key("a user key");
    let run = |args: &[&str]| finish(service.command(args).env("ARIZE_API_KEY", own.key.expose_secret()));
    let refused = run(&["refresh", &own.id, "--out", "f"]);
    assert!(refused.failed(2).err.contains("is the one of this program"), "{refused:?}");
    assert!(service.files().is_empty());
    run(&["refresh", &other.id, "--out", "f"]).succeeded();
    assert!(!run(&["refresh", &user_key.id, "--out", "f"]).err.contains("is the one of this program"));
    run(&["refresh", &own.id, "--no-grace", "--out", "own"]).succeeded();
    assert!(service.emulator.authenticates(service.read("own").trim_end()));
}

#[test]
fn refreshing_what_expires_needs_an_expiry() {
    let service = Service::new();
    let run = service.run(&["create", "ci", "--expires-at", "2099-01-01", "-o", "json"]);
    let key: serde_json::Value = serde_json::from_str(&run.out).unwrap();
    let run = service.run(&["refresh", key["id"].as_str().unwrap()]);
    run.failed(5);
    let hint = "hint: a key that expires needs --expires-in or --expires-at, no later than before\n";
    assert!(run.err.ends_with(hint), "{}", run.err);
}

#[test]
fn an_answer_without_a_secret() {
    let service = Service::new();
    service.rule(|_| Answer::Body(201, "application/json", r#"{"id":"QXBpS2V5OjE6YQ=="}"#));
    let run = service.run(&["create", "ci"]);
    run.failed(9);
    expect![[r#"
        creating a key named `ci` at TIME; if this is interrupted, look for that name in a list
        error: create: the service did it, but the response has no readable secret (application/json, 25 bytes); the key `QXBpS2V5OjE6YQ==` exists: refresh it to get a new secret, or revoke it
    "#]].assert_eq(&run.told());
}

#[test]
fn a_lost_answer() {
    let service = Service::new();
    service.rule(|request| if request.method() == "POST" { Answer::Lost } else { Answer::Honest });
    let run = service.run(&["create", "ci", "--out", "ci.key"]);
    run.failed(8);
    assert!(run.err.contains("the key may exist: list the keys and revoke the one named `ci`"), "{}", run.err);
    assert_eq!(service.emulator.keys_created(), 1, "nothing is minted twice");
    assert!(service.files().is_empty(), "{:?}", service.files());
}

#[test]
fn the_key_of_the_client_comes_from_a_file_or_stdin() {
    let service = Service::new();
    let key = service.emulator.admin_key();
    let key = arize_api_keys::ExposeSecret::expose_secret(&key).to_owned();
    service.write("key", &format!("{key}\n"), 0o600);
    let run = finish(service.command(&["list", "--api-key-file", "key"]).env_remove("ARIZE_API_KEY"));
    run.succeeded();
    let mut command = service.command(&["list", "--api-key-file", "-"]);
    command.env_remove("ARIZE_API_KEY");
    let output = assert_cmd::Command::from_std(command).write_stdin(format!("{key}\n")).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
}

/// The last of several ids is the one of another key. No command revokes a key by it.
#[test]
fn an_id_that_is_there_twice_is_not_revoked() {
    for command in [
        &["create", "new", "--out", "-"][..],
        &["create-service-key", "new", "--space", "prod", "--out", "-"],
        &["rotate", "OLD", "--yes", "--out", "-"],
        &["ensure", "new", "--owner", "o", "--no-read", "--to-command", "cat > /dev/null"],
        &["run", "--name", "new", "--", "true"],
    ] {
        let double = Double::new();
        let old = double.admin().create(&CreateRequest::new("old")).unwrap();
        let victim = double.admin().create(&CreateRequest::new("victim")).unwrap();
        let (emulator, second) = (double.world().emulator.clone(), format!(r#","id":"{}"}}"#, victim.id));
        double.respond(move |request| {
            if request.method() != "POST" {
                return None;
            }
            let mut response = emulator.send(request.clone()).unwrap();
            let body = response.body_mut();
            body.pop();
            body.extend_from_slice(second.as_bytes());
            Some(response)
        });
        double.plan(|_, name| if name == "stdout" { Plan::Fail(ErrorKind::StorageFull) } else { Plan::Go });
        let command: Vec<&str> =
            command.iter().map(|word| if *word == "OLD" { old.id.as_str() } else { word }).collect();
        let run = double.run(&command);
        assert!(run.err.contains("twice"), "{command:?}: {}", run.err);
        assert!(run.err.contains("look for"), "{command:?}: {}", run.err);
        assert!(run.steps.iter().all(|step| !step.starts_with("PUT ")), "{command:?}: {:?}", run.steps);
        assert!(double.world().emulator.authenticates(victim.key.expose_secret()), "{command:?}");
    }
}

/// Nor is the secret of the new key dropped, which the list does not show under that id.
#[test]
fn a_secret_whose_id_is_there_twice_is_kept() {
    for (first, second) in [(true, "id"), (false, "id"), (false, "\\u0069d")] {
        for command in [&["rotate", "OLD", "--yes"][..], &["ensure", "new", "--owner", "o"], &["create", "new"]] {
            let double = Double::new();
            let old = double.admin().create(&CreateRequest::new("old")).unwrap();
            let (emulator, member) = (double.world().emulator.clone(), format!(r#""{second}":"{}""#, old.id));
            double.respond(move |request| {
                if request.method() != "POST" {
                    return None;
                }
                let mut response = emulator.send(request.clone()).unwrap();
                let body = String::from_utf8(response.body().clone()).unwrap();
                let inner = body.trim_start_matches('{').trim_end_matches('}');
                let members = if first { format!("{member},{inner}") } else { format!("{inner},{member}") };
                *response.body_mut() = format!("{{{members}}}").into_bytes();
                Some(response)
            });
            let path = double.path("f");
            let command = command.iter().map(|word| if *word == "OLD" { old.id.as_str() } else { word });
            let args: Vec<&str> = command.chain(["--out", &path]).collect();
            let run = double.run(&args);
            let context = format!("{args:?}: {}", run.err);
            assert!(run.err.contains("twice") || run.err.contains("a duplicate member"), "{context}");
            assert!(double.world().emulator.authenticates(old.key.expose_secret()), "{context}");
            let mut kept = fs::read_dir(double.world().dir.path()).unwrap().map(|entry| entry.unwrap().path());
            let is_kept = |path: std::path::PathBuf| {
                double.world().emulator.authenticates(fs::read_to_string(path).unwrap().trim())
            };
            assert!(kept.any(is_kept), "{context}");
        }
    }
}

/// A refreshed secret with characters that a terminal would act on is stored nowhere, and kept in an escaped form.
#[test]
fn control_characters_in_the_last_resort_are_escaped() {
    const BODY: &str = r#"{"id":"QXBpS2V5OjE6YWJjZA==","name":"n","key":"ak-\u001b[2J\n\u202e\u009b0123456789"}"#;
    const ESCAPED: &str = "ak-\\u{1b}[2J\\n\\u{202e}\\u{9b}0123456789\n";
    for (has_disk, has_stdout) in [(true, true), (false, true), (false, false)] {
        for format in ["table", "json"] {
            let double = Double::new();
            let path = double.path("f");
            double.respond(|request| {
                (request.method() == "POST").then(|| http::Response::builder().status(200).body(BODY.into()).unwrap())
            });
            double.plan(move |_, step| {
                let is_lost = step.starts_with("create f.rescued") && !has_disk || step == "stdout" && !has_stdout;
                if is_lost { Plan::Fail(ErrorKind::StorageFull) } else { Plan::Go }
            });
            let run = double.run(&["refresh", "QXBpS2V5OjE6YWJjZA==", "--no-grace", "--out", &path, "-o", format]);
            assert_eq!(run.code, Some(9), "{run:?}");
            assert!(run.err.contains("the secret has control or invisible characters in it"), "{run:?}");
            let kept = match (has_disk, has_stdout) {
                (true, _) => fs::read_to_string(format!("{path}.rescued")).unwrap(),
                (false, true) => run.out.clone(),
                (false, false) => run.err.clone(),
            };
            assert!(kept.contains(ESCAPED), "{has_disk} {has_stdout}: {run:?}");
            let is_raw = |c: char| c != '\n' && (c.is_control() || c == '\u{202e}');
            assert!(!kept.contains(is_raw) && !run.err.contains(is_raw) && !run.out.contains(is_raw), "{run:?}");
            assert!(!fs::exists(&path).unwrap());
        }
    }
}

/// The same for one key whose secret is in the file: there is no new secret to store, and no key to revoke.
#[test]
fn a_secret_that_the_file_has_already_is_no_new_one() {
    for (command, place) in [
        (&["refresh", "OLD"][..], "--out"),
        (&["refresh", "OLD", "--grace", "1h"], "--env-file"),
        (&["refresh", "OLD", "-o", "json"], "--out"),
        (&["create", "other"], "--out"),
        (&["create-service-key", "other", "--space", "prod"], "--env-file"),
    ] {
        let double = Double::new();
        let path = double.path("f");
        let old = double.admin().create(&CreateRequest::new("old")).unwrap();
        let secret = old.key.expose_secret().to_owned();
        let content = if place == "--out" { format!("{secret}\n") } else { format!("A=1\nARIZE_API_KEY={secret}\n") };
        fs::write(&path, &content).unwrap();
        let body = format!(r#"{{"id":"{}","name":"old","key":"{secret}"}}"#, old.id);
        double.respond(move |request| {
            (request.method() == "POST")
                .then(|| http::Response::builder().status(200).body(body.clone().into()).unwrap())
        });
        let command = command.iter().map(|word| if *word == "OLD" { old.id.as_str() } else { word });
        let args: Vec<&str> = command.chain([place, &path]).collect();
        let run = double.run(&args);
        assert_eq!((run.code, run.out.as_str()), (Some(9), ""), "{args:?}: {}", run.err);
        assert!(run.err.contains("already, and no new one; the file is unchanged\nhint: "), "{args:?}: {}", run.err);
        assert!(run.steps.iter().all(|step| !step.starts_with("PUT ")), "{args:?}: {:?}", run.steps);
        assert_eq!(fs::read_to_string(&path).unwrap(), content, "{args:?}");
        assert_eq!(fs::read_dir(double.world().dir.path()).unwrap().count(), 1, "{args:?}: {}", run.err);
    }
}

/// A response that is an old one, from a cache, has the secret that is stored already: its key must not be revoked.
#[test]
fn a_secret_of_the_old_key_is_not_stored_as_the_new_one() {
    for command in [
        &["rotate", "OLD", "--yes"][..],
        &["rotate", "OLD", "another name", "--yes", "-o", "json"],
        &["ensure", "name", "--owner", "o", "--renew-now", "--overlap", "0s"],
    ] {
        let double = Double::new();
        let path = double.path("f");
        double.run(&["ensure", "name", "--owner", "o", "--out", &path]);
        let secret = fs::read_to_string(&path).unwrap();
        let keys = double.admin().list(&ListRequest::new()).unwrap().api_keys;
        let old = keys.iter().find(|key| key.name == "name").unwrap();
        let (emulator, replayed) = (double.world().emulator.clone(), secret.trim().to_owned());
        double.respond(move |request| {
            if request.method() != "POST" {
                return None;
            }
            let mut response = emulator.send(request.clone()).unwrap();
            let mut body: serde_json::Value = serde_json::from_slice(response.body()).unwrap();
            body["key"] = replayed.as_str().into();
            *response.body_mut() = body.to_string().into_bytes();
            Some(response)
        });
        let command = command.iter().map(|word| if *word == "OLD" { old.id.as_str() } else { word });
        let args: Vec<&str> = command.chain(["--out", &path]).collect();
        let run = double.run(&args);
        assert_eq!(run.code, Some(9), "{args:?}: {}", run.err);
        assert!(run.steps.iter().all(|step| !step.starts_with("PUT ")), "{args:?}: {:?}", run.steps);
        assert_eq!(fs::read_to_string(&path).unwrap(), secret, "{args:?}");
        assert_eq!(fs::read_dir(double.world().dir.path()).unwrap().count(), 1, "{args:?}: {}", run.err);
        assert!(double.world().emulator.authenticates(secret.trim()), "{args:?}");
    }
}
