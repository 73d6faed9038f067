//! `rotate`: the safe order, a failure at each step, and a kill at each step.

use std::fs;
use std::process::Stdio;

use arize_api_keys::{ApiKeyCreated, ApiKeyStatus, ExposeSecret, ListRequest};
use expect_test::expect;

type Request = arize_api_keys::http::Request<Vec<u8>>;

use crate::service::{Answer, Run, Service, assert_harmless, has_secret};

/// A service with an old key, whose secret is in `.env`.
fn service() -> (Service, ApiKeyCreated) {
    let service = Service::new();
    let old = service.key("ci 1");
    service.write(".env", &format!("A=1\nARIZE_API_KEY={}\n", old.key.expose_secret()), 0o600);
    (service, old)
}

fn rotate(service: &Service, old: &ApiKeyCreated) -> Run {
    service.run(&["rotate", &old.id, "ci 2", "--yes", "--env-file", ".env"])
}

fn stored(service: &Service) -> String {
    service.read(".env").lines().nth(1).unwrap().strip_prefix("ARIZE_API_KEY=").unwrap().to_owned()
}

/// The list that verifies the new key, and not the one that finds the old key.
fn verifies(request: &Request) -> bool {
    request.uri().query() == Some("limit=1")
}

/// The keys that work, but for the admin's.
fn alive(service: &Service) -> Vec<String> {
    let request = ListRequest::new().status(ApiKeyStatus::Active);
    service.client().list_all(&request).skip(1).map(|key| key.unwrap().name).collect()
}

#[test]
fn the_whole_way() {
    let (service, old) = service();
    let run = rotate(&service, &old);
    expect![[r#"
        0/4 looking for the old key
        1/4 creating a key named `ci 2`; if this is interrupted, run the same command again
            created user key QXBpS2V5OjM6MWk1THE= named `ci 2` (never expires)
        2/4 storing its secret in `.env` as ARIZE_API_KEY
            stored
        3/4 verifying the new key
        4/4 revoking the key QXBpS2V5OjI6c0xZSFQ=
            done: QXBpS2V5OjM6MWk1THE= replaces QXBpS2V5OjI6c0xZSFQ=
    "#]]
    .assert_eq(&run.succeeded().told());
    expect![""].assert_eq(&run.out);
    assert!(service.emulator.authenticates(&stored(&service)));
    assert!(service.read(".env").starts_with("A=1\n"));
    assert_eq!(alive(&service), ["ci 2"]);
    assert_eq!(
        service.seen(),
        [
            "GET /v2/api-keys",
            "POST /v2/api-keys",
            "GET /v2/api-keys",
            &format!("PUT /v2/api-keys/{}/revoke", old.id).replace('=', "%3D")
        ]
    );
}

#[test]
fn a_service_key_replaces_a_service_key() {
    let service = Service::new();
    let run = service.run(&["create-service-key", "bot 1", "--space", "prod", "-o", "json"]);
    let old: serde_json::Value = serde_json::from_str(&run.out).unwrap();
    let id = old["id"].as_str().unwrap();
    let args =
        ["rotate", id, "bot 2", "--yes", "--space", "prod", "--space-role", "admin", "--out", "key", "-o", "json"];
    let run = service.run(&args);
    let new: serde_json::Value = serde_json::from_str(&run.succeeded().out).unwrap();
    assert_eq!(new["key"], serde_json::Value::Null);
    assert_eq!(new["bot_user"]["organizations"][0]["spaces"][0]["role"], "admin");
    assert!(service.emulator.authenticates(service.read("key").trim_end()));
    assert!(!service.emulator.authenticates(old["key"].as_str().unwrap()));
}

#[test]
fn creating_fails() {
    let (service, old) = service();
    service.rule(|request| if request.method() == "POST" { Answer::Status(403) } else { Answer::Honest });
    let run = rotate(&service, &old);
    run.failed(3);
    expect![[r#"
        0/4 looking for the old key
        1/4 creating a key named `ci 2`; if this is interrupted, run the same command again
        error: the old key QXBpS2V5OjI6c0xZSFQ= is unchanged: create: the service answered 403 Forbidden (empty body); the API key lacks the permission for this call; nothing was created
    "#]].assert_eq(&run.told());
    service.rule(|request| if request.method() == "POST" { Answer::Lost } else { Answer::Honest });
    let run = rotate(&service, &old);
    run.failed(8);
    expect![[r#"
        0/4 looking for the old key
        1/4 creating a key named `ci 2`; if this is interrupted, run the same command again
        error: the old key QXBpS2V5OjI6c0xZSFQ= is unchanged: create: the connection broke; the key may exist: list the keys and revoke the one named `ci 2` created since DATE
        hint: run the same command again: it revokes that key, too
    "#]].assert_eq(&without_date(&run.told()));
    assert_eq!(stored(&service), old.key.expose_secret());
    assert_eq!(alive(&service), ["ci 1", "ci 2"]);
}

/// The client's time is the real one.
fn without_date(text: &str) -> String {
    match text.split_once("since ") {
        Some((before, after)) => format!("{before}since DATE{}", after.trim_start_matches(|c: char| c != '\n')),
        None => text.to_owned(),
    }
}

#[test]
fn storing_fails() {
    let (service, old) = service();
    service.vanishing_dir(|_| Answer::Honest);
    let run = service.run(&["rotate", &old.id, "ci 2", "--yes", "--out", "dir/key"]);
    run.failed(10);
    expect![[r#"
        0/4 looking for the old key
        1/4 creating a key named `ci 2`; if this is interrupted, run the same command again
            created user key QXBpS2V5OjM6MWk1THE= named `ci 2` (never expires)
        2/4 storing its secret in `dir/key`
        error: the old key is unchanged; the new key `QXBpS2V5OjM6MWk1THE=` was not stored (cannot write `dir/key`: No such file or directory (os error 2)) and is revoked
    "#]].assert_eq(&run.told());
    assert_eq!(alive(&service), ["ci 1"]);

    service.vanishing_dir(|request| if request.method() == "PUT" { Answer::Status(403) } else { Answer::Honest });
    let run = service.run(&["rotate", &old.id, "ci 2", "--yes", "--out", "dir/key"]);
    run.failed(9);
    expect![[r#"
        0/4 looking for the old key
        1/4 creating a key named `ci 2`; if this is interrupted, run the same command again
            created user key QXBpS2V5OjQ6bjdkTFA= named `ci 2` (never expires)
        2/4 storing its secret in `dir/key`
        error: the old key is unchanged; the new key `QXBpS2V5OjQ6bjdkTFA=` was not stored (cannot write `dir/key`: No such file or directory (os error 2)), and may still work, because revoking it failed: delete: the service answered 403 Forbidden (empty body); the API key lacks the permission for this call; its secret was printed on stdout
        hint: revoke it: arize-keys revoke QXBpS2V5OjQ6bjdkTFA=
    "#]].assert_eq(&run.told());
    assert_eq!(alive(&service), ["ci 1", "ci 2"]);
    assert!(service.emulator.authenticates(run.out.trim_end()), "the secret is kept");
}

#[test]
fn verifying_fails() {
    let (service, old) = service();
    service.rule(|request| if verifies(request) { Answer::Status(401) } else { Answer::Honest });
    let run = rotate(&service, &old);
    run.failed(11);
    expect![[r#"
        0/4 looking for the old key
        1/4 creating a key named `ci 2`; if this is interrupted, run the same command again
            created user key QXBpS2V5OjM6MWk1THE= named `ci 2` (never expires)
        2/4 storing its secret in `.env` as ARIZE_API_KEY
            stored
        3/4 verifying the new key
        error: the old key is unchanged; the new key `QXBpS2V5OjM6MWk1THE=` is stored, but a call with it failed: list: the service answered 401 Unauthorized (empty body); check that the API key is right, not expired and not revoked
        hint: the old key still works: run the same command again, which verifies the stored key and goes on
    "#]].assert_eq(&run.told());
    assert!(service.emulator.authenticates(&stored(&service)));
    assert_eq!(alive(&service), ["ci 1", "ci 2"]);
}

#[test]
fn revoking_fails() {
    let (service, old) = service();
    service.rule(|request| if request.method() == "PUT" { Answer::Status(403) } else { Answer::Honest });
    let run = rotate(&service, &old);
    run.failed(11);
    expect![[r#"
        0/4 looking for the old key
        1/4 creating a key named `ci 2`; if this is interrupted, run the same command again
            created user key QXBpS2V5OjM6MWk1THE= named `ci 2` (never expires)
        2/4 storing its secret in `.env` as ARIZE_API_KEY
            stored
        3/4 verifying the new key
        4/4 revoking the key QXBpS2V5OjI6c0xZSFQ=
        error: the new key `QXBpS2V5OjM6MWk1THE=` is stored and works; revoking the old key failed: delete: the service answered 403 Forbidden (empty body); the API key lacks the permission for this call
        hint: run the same command again, or revoke the old key: arize-keys revoke QXBpS2V5OjI6c0xZSFQ=
    "#]].assert_eq(&run.told());
    assert!(service.emulator.authenticates(&stored(&service)));
    assert_eq!(alive(&service), ["ci 1", "ci 2"]);
}

#[test]
fn nothing_is_begun_that_cannot_end() {
    let (service, old) = service();
    service.run(&["rotate", &old.id, "ci 2", "--yes", "--out", "no/dir"]).failed(1);
    assert!(service.seen().is_empty());
    service.run(&["rotate", "..", "ci 2", "--yes", "--out", "key"]).failed(2);
    assert!(service.seen().is_empty());
    assert_eq!(service.files(), [".env"]);
}

/// Kills the program at the first request of this method, when the emulator has processed it and before the response.
/// Returns the output until then.
fn killed_at(service: &Service, old: &ApiKeyCreated, at: fn(&Request) -> bool) -> String {
    service.rule(move |request| if at(request) { Answer::Silence } else { Answer::Honest });
    let mut command = service.command(&["rotate", &old.id, "ci 2", "--yes", "--env-file", ".env"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    service.wait_for_silence();
    child.kill().unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.stdout.is_empty());
    let err = String::from_utf8(output.stderr).unwrap();
    assert_harmless(&err);
    err
}

/// The worst moment: the key exists, and its secret is lost. Its name was printed before.
#[test]
fn killed_while_creating() {
    let (service, old) = service();
    let err = killed_at(&service, &old, |request| request.method() == "POST");
    let told = "1/4 creating a key named `ci 2`; if this is interrupted, run the same command again
";
    assert!(err.contains(told), "{err}");
    assert_eq!(alive(&service), ["ci 1", "ci 2"]);
    assert_eq!(stored(&service), old.key.expose_secret(), "the old secret is untouched");
}

#[test]
fn killed_while_storing() {
    let (service, old) = service();
    // A pipe whose reader takes nothing more: storing waits.
    let fifo = service.path("pipe");
    rustix::fs::mkfifoat(rustix::fs::CWD, &fifo, 0o600.into()).unwrap();
    let both = fs::OpenOptions::new().read(true).write(true).open(&fifo).unwrap();
    rustix::io::ioctl_fionbio(&both, true).unwrap();
    while std::io::Write::write(&mut &both, &[b'x'; 4096]).is_ok() {}
    rustix::io::ioctl_fionbio(&both, false).unwrap();
    let mut command = service.command(&["rotate", &old.id, "ci 2", "--yes", "--out", "pipe"]);
    let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(child.stderr.take().unwrap()));
    let told: Vec<String> =
        std::iter::from_fn(|| lines.next()?.ok()).take_while(|line| !line.starts_with("2/4")).collect();
    child.kill().unwrap();
    child.wait().unwrap();
    let new = service.client().list_all(&ListRequest::new()).last().unwrap().unwrap();
    assert_eq!(alive(&service), ["ci 1", "ci 2"]);
    assert!(told.last().unwrap().contains(&new.id), "{told:?}");
}

#[test]
fn killed_while_verifying() {
    let (service, old) = service();
    let err = killed_at(&service, &old, verifies);
    assert!(err.contains("    stored\n3/4 verifying the new key\n"), "{err}");
    assert_eq!(alive(&service), ["ci 1", "ci 2"]);
    let new = service.client().list_all(&ListRequest::new()).last().unwrap().unwrap();
    assert!(err.contains(&new.id), "{err}");
    assert!(service.emulator.authenticates(&stored(&service)));
}

#[test]
fn killed_while_revoking() {
    let (service, old) = service();
    let err = killed_at(&service, &old, |request| request.method() == "PUT");
    assert!(err.contains(&format!("4/4 revoking the key {}\n", old.id)), "{err}");
    assert_eq!(alive(&service), ["ci 2"]);
    assert!(service.emulator.authenticates(&stored(&service)));
    assert!(!has_secret(&err));
}

/// After a kill at any step, the same command once more leaves one key that works, the stored one.
#[test]
fn the_same_command_once_more() {
    let steps: [fn(&Request) -> bool; 4] = [
        |request| request.method() == "GET",
        |request| request.method() == "POST",
        verifies,
        |request| request.method() == "PUT",
    ];
    for at in steps {
        let (service, old) = service();
        killed_at(&service, &old, at);
        service.rule(|_| Answer::Honest);
        rotate(&service, &old).succeeded();
        assert_eq!(alive(&service), ["ci 2"]);
        assert!(service.emulator.authenticates(&stored(&service)));
    }
}

#[test]
fn keys_that_are_refused() {
    let (service, old) = service();
    let bot = service.run(&["create-service-key", "bot", "--space", "prod", "-o", "json"]);
    let bot: serde_json::Value = serde_json::from_str(&bot.out).unwrap();
    let gone = service.key("gone");
    service.client().revoke(&gone.id).unwrap();
    let keys = alive(&service);
    for (args, code) in [
        (vec![bot["id"].as_str().unwrap()], 4),
        (vec![&*old.id, "--space", "prod"], 4),
        (vec![&*gone.id], 4),
        (vec!["QXBpS2V5Ojk5OTp6enp6"], 4),
        (vec![&*old.id, ""], 2),
        (vec![&*old.id, "--no-expiry", "--expires-in", "1d"], 2),
    ] {
        let run = service.run(&[&["rotate", "--yes", "--env-file", ".env"], &*args].concat());
        run.failed(code);
        assert!(!run.err.contains("1/4"), "{}", run.err);
    }
    assert_eq!(alive(&service), keys);
    assert_eq!(stored(&service), old.key.expose_secret());
}

#[test]
fn the_name_carries_over() {
    let (service, old) = service();
    service.run(&["rotate", &old.id, "-y", "--env-file", ".env"]).succeeded();
    assert_eq!(alive(&service), ["ci 1"]);
    assert!(
        service.emulator.authenticates(&stored(&service)) && !service.emulator.authenticates(old.key.expose_secret())
    );
}
