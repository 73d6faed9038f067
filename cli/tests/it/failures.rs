//! Exit codes by class, and the messages.

use arize_api_keys::http::Response;
use expect_test::expect;

use crate::double::Double;
use crate::service::{Answer, Service, finish};

#[test]
fn usage() {
    let service = Service::new();
    for args in [
        &["lsit"][..],
        &["list", "--limit", "0"],
        &["list", "--limit", "101"],
        &["list", "--key-type", "robot"],
        &["list", "--org", "T3Jn"],
        &["list", "-o", "yaml"],
        &["create"],
        &["create", "x", "--expires-in", "soon"],
        &["create", "x", "--expires-at", "2027-13-01"],
        &["create", "x", "--expires-in", "1d", "--expires-at", "2099-01-01"],
        &["create", "x", "--expires-at", "2001-01-01"],
        &["create", "x", "--expires-in", "9000y"],
        &["create", "x", "--out", "a", "--env-file", "b"],
        &["create", "x", "--env-file", "b", "--env-name", "1A"],
        &["create-service-key", "x"],
        &["create-service-key", "x", "--space", "a", "--grant", "o/s"],
        &["create-service-key", "x", "--grant", "prod"],
        &["create-service-key", "x", "--space", "a", "--space-role", "boss"],
        &["refresh", "id", "--grace", "25h"],
        &["refresh", ".."],
        &["delete"],
        &["delete", "--yes", ".."],
        &["rotate", "id", "name"],
        &["rotate", "id", "--out", "f"],
    ] {
        service.run(args).failed(2);
    }
    // Nothing of a key that is given there nevertheless is repeated: `run` looks for it.
    service.run(&["create", "x", "--api-key", "ak-0123456789012345678901234"]).failed(2);
    service.run(&["create", "x", "--api-key=ak-0123456789012345678901234"]).failed(2);
    assert!(service.seen().is_empty());
    assert!(service.files().is_empty());
    let run = service.run(&["create", "x", "--expires-at", "2001-01-01"]);
    expect![[r#"
        error: the time of --expires-in or --expires-at must be in the future; nothing was created
    "#]]
    .assert_eq(&run.err);
}

const ID: &str = "QXBpS2V5OjE6YWJjZA==";
/// Every command that brings a secret, with a place for it.
const COMMANDS: [&[&str]; 6] = [
    &["create", "x", "--out", "f"],
    &["create-service-key", "x", "--space", "prod", "--out", "f"],
    &["refresh", ID, "--out", "f"],
    &["rotate", ID, "x", "--yes", "--out", "f"],
    &["ensure", "x", "--owner", "o", "--out", "f"],
    &["run", "--", "true"],
];

/// A request that cannot be right is refused before its key is announced and before the file is touched.
#[test]
fn an_invalid_request_is_not_announced() {
    let service = Service::new();
    let (name, text) = ("n".repeat(257), "d".repeat(1001));
    let (name, text) = (name.as_str(), text.as_str());
    let id = "i".repeat(513);
    service.write("f", "as it was\n", 0o644);
    for args in [
        &["create", "x", "--expires-at", "2001-01-01", "--out", "f"][..],
        &["create", name, "--out", "f"],
        &["create", "x", "--description", text, "--env-file", "f"],
        &["create-service-key", "x", "--space", "prod", "--expires-at", "2001-01-01", "--out", "f"],
        &["create-service-key", name, "--space", "prod", "--out", "f"],
        &["create-service-key", "x", "--space", "prod", "--grant", "acme/prod", "--out", "f"],
        &["create-service-key", "x", "--grant", "T3JnOjE=/prod", "--grant", "T3JnOjE=/prod", "--out", "f"],
        &[
            "create-service-key",
            "x",
            "--space",
            "prod",
            "--space-role",
            "custom:Um9sZTox",
            "--stage",
            "alpha",
            "--out",
            "f",
        ],
        &["refresh", ID, "--expires-at", "2001-01-01", "--no-grace", "--out", "f"],
        &["refresh", &id, "--no-grace", "--out", "f"],
        &["rotate", ID, "x", "--expires-at", "2001-01-01", "--yes", "--out", "f"],
        &["rotate", ID, name, "--yes", "--out", "f"],
        &["rotate", ID, "--description", text, "--yes", "--out", "f"],
        &[
            "rotate",
            ID,
            "--space",
            "prod",
            "--space-role",
            "custom:Um9sZTox",
            "--stage",
            "alpha",
            "--yes",
            "--out",
            "f",
        ],
        &["ensure", name, "--out", "f"],
        &["ensure", "x", "--description", text, "--out", "f"],
        &["run", "--name", name, "--", "true"],
    ] {
        let run = service.run(args);
        run.failed(if args[0] == "run" { 125 } else { 2 });
        let announced = ["creating a key", "refreshing the key", "0/4", "1/4"];
        assert!(announced.iter().all(|text| !run.err.contains(text)), "{args:?}: {}", run.err);
        assert_eq!((service.read("f").as_str(), service.mode("f")), ("as it was\n", 0o644), "{args:?}");
    }
    assert_eq!(service.seen(), [""; 0]);
    assert_eq!(service.files(), ["f"]);
}

/// Each failure of a command that brings a secret says which keys exist afterwards.
#[test]
fn every_failure_says_what_is_true_now() {
    let service = Service::new();
    service.write("empty", "", 0o600);
    std::fs::create_dir(service.path("dir")).unwrap();
    let says = |run: &crate::service::Run| {
        let last = run.err.lines().rfind(|line| line.starts_with("error: ")).unwrap_or_default();
        ["nothing was created", "nothing was changed", "no key was created"].iter().any(|state| last.ends_with(state))
    };
    for command in COMMANDS {
        for extra in [
            &["--api-key-file", "none"][..],
            &["--api-key-file", "empty"],
            &["--api-key-file", "."],
            &["--api-key-env-file", "empty"],
            &["--profile", "none"],
            &["--region", "mars"],
            &["--ca-file", "none"],
            &["--url", "http://example.com"],
            &["--url", "http://127.0.0.1:1", "--timeout", "2s"],
        ] {
            let run = service.run(&[&command[..1], extra, &command[1..]].concat());
            assert_ne!(run.code, Some(0), "{command:?} {extra:?}");
            assert!(says(&run), "{command:?} {extra:?}: {}", run.err);
        }
        for status in [400, 401, 403, 404, 409, 422] {
            service.rule(move |_| Answer::Body(status, "application/problem+json", r#"{"title":"no"}"#));
            let run = service.run(command);
            assert!(says(&run), "{command:?} {status}: {}", run.err);
        }
        service.rule(|_| Answer::Honest);
        if command[0] != "run" {
            for place in ["dir", "none/f", "dir/", "/dev/null"] {
                let args: Vec<&str> = command.iter().map(|word| if *word == "f" { place } else { word }).collect();
                let run = service.run(&args);
                assert_ne!(run.code, Some(0), "{args:?}");
                assert!(says(&run), "{args:?}: {}", run.err);
            }
        }
    }
    for args in [
        &["create-service-key", "x", "--space", "none"][..],
        &["create-service-key", "x", "--assignments", "none"],
        &["create-service-key", "x", "--assignments", "empty"],
        &["create-service-key", "x", "--grant", "none/prod"],
        &["rotate", ID, "--space", "none", "--yes", "--out", "f"],
        &["ensure", "x", "--assignments", "none", "--out", "f"],
        &["ensure", "x", "--no-read", "--to-command", "no-such-command"],
        &["create", "x", "--to-command", "no-such-command"],
        &["run", "--", "no-such-command"],
        &["run", "--space", "none", "--", "true"],
    ] {
        let run = service.run(args);
        assert_ne!(run.code, Some(0), "{args:?}");
        assert!(says(&run), "{args:?}: {}", run.err);
    }
    assert_eq!(service.emulator.keys_created(), 0);
}

#[test]
fn classes() {
    let double = Double::new();
    for (status, read, write) in [
        (400, 5, 5),
        (401, 3, 3),
        (403, 3, 3),
        (404, 4, 4),
        (409, 5, 5),
        (422, 5, 5),
        (429, 6, 6),
        (301, 7, 8),
        (501, 7, 8),
        (204, 7, 9),
    ] {
        double.respond(move |_| Some(Response::builder().status(status).body(Vec::new()).unwrap()));
        let run = double.run(&["list"]);
        assert_eq!(run.code, Some(read), "list, {status}: {}", run.err);
        let run = double.run(&["create", "x"]);
        assert_eq!(run.code, Some(write), "create, {status}: {}", run.err);
    }
}

#[test]
fn a_revoke_that_is_not_certain() {
    let service = Service::new();
    service.rule(|_| Answer::Body(200, "text/html", "<h1>Sign in</h1>"));
    let run = service.run(&["revoke", "QXBpS2V5OjE6YWJjZA==", "--yes"]);
    run.failed(8);
    assert_eq!(run.out, "");
    expect![[r#"
        error: QXBpS2V5OjE6YWJjZA==: revoke: the response with status 200 is not what the API promises (not the response of the service to a removal: text/html, 16 bytes); the key `QXBpS2V5OjE6YWJjZA==` may still be active: revoke it again, which does no harm
    "#]].assert_eq(&run.told());
}

#[test]
fn nobody_there() {
    let service = Service::new();
    let mut command = service.command(&["create", "x"]);
    let run = finish(command.env("ARIZE_API_HOST", "127.0.0.1:1"));
    run.failed(7);
    let told = run.told();
    assert!(told.contains("\nerror: create: no connection could be made"), "{told}");
    assert!(
        told.contains(" (after 3 attempts): Connection refused (os error 111); nothing was created\nhint: `arize-keys check` shows where"),
        "{told}"
    );
    assert_eq!(service.emulator.keys_created(), 0);
}

#[test]
fn pages_that_do_not_end() {
    let service = Service::new();
    let page = r#"{"api_keys":[{"id":"a","name":"n"}],"pagination":{"has_more":true,"next_cursor":"again"}}"#;
    service.rule(|_| Answer::Body(200, "application/json", page));
    let run = service.run(&["list", "--all", "-o", "csv"]);
    run.failed(1);
    assert!(run.err.contains("the service sent a cursor for the second time"), "{}", run.err);
}

#[test]
fn spaces() {
    let service = Service::new();
    let run = service.run(&["list", "--space", "prd"]);
    run.failed(4);
    expect![[r#"
        error: no space is named `prd`; names must match exactly, and the API key must be allowed to see the space
        hint: `arize-keys spaces` lists them
    "#]]
    .assert_eq(&run.told());
    let run = service.run(&["create-service-key", "bot", "--space", "sandbox"]);
    run.failed(4);
    expect![[r#"
        creating a key named `bot` at TIME; if this is interrupted, look for that name in a list
        error: 2 spaces are named `sandbox`: `sandbox` with id `U3BhY2U6NDpqMDF4SA==` in organization `T3JnYW5pemF0aW9uOjE6RU5DRzI`, `sandbox` with id `U3BhY2U6NjpTN3ZSNQ==` in organization `T3JnYW5pemF0aW9uOjI6eHcwSHU`; pass the id of one of them, or its organization with --org; nothing was created
    "#]].assert_eq(&run.told());
    assert_eq!(service.emulator.keys_created(), 0);
}

#[test]
fn a_rate_limit() {
    let double = Double::new();
    double.respond(|_| {
        let response = Response::builder().status(429).header("content-type", "application/problem+json");
        Some(response.body(br#"{"title":"Too Many Requests","detail":"Slow down."}"#.to_vec()).unwrap())
    });
    let run = double.run(&["list"]);
    assert_eq!(run.code, Some(6), "{}", run.err);
    assert!(run.err.contains("429 Too Many Requests: Slow down.; wait before the next call"), "{}", run.err);
}

/// The key may be in use. Which code the program ends with does not change.
#[test]
fn a_secret_in_a_refusal_is_kept_in_a_file() {
    const BODY: &str = r#"{"title":"no","id":"QXBpS2V5OjE6YWJjZA==","key":"ak-0123456789-from-a-refusal"}"#;
    let service = Service::new();
    let old = service.key("old").id.clone();
    for (status, code) in [(409, 5), (429, 6), (503, 8)] {
        service.rule(move |request| match request.method().as_str() {
            "POST" => Answer::Body(status, "application/problem+json", BODY),
            _ => Answer::Honest,
        });
        let out = format!("key-{status}");
        for args in [
            &["create", "x", "--out", out.as_str()][..],
            &["create-service-key", "x", "--grant", "T3JnOjE=/U3BhY2U6MTIzNDU=", "--out", &out],
            &["refresh", "QXBpS2V5OjE6YWJjZA==", "--grace", "1h", "--out", &out],
            &["rotate", &old, "--yes", "--out", &out],
            &["ensure", "x", "--owner", "o", "--out", &out],
        ] {
            let run = service.run(&[args, &["--timeout", "5s"]].concat());
            assert_eq!(run.code, Some(code), "{args:?}: {}", run.err);
            let rescued = format!("{out}.rescued");
            assert!(run.err.contains("has the secret of a new key nevertheless"), "{}", run.err);
            assert!(run.err.contains(&rescued), "{}", run.err);
            assert!(!run.err.contains("from-a-refusal"), "{}", run.err);
            assert_eq!(service.read(&rescued), "ak-0123456789-from-a-refusal\n");
            std::fs::remove_file(service.dir.path().join(&rescued)).unwrap();
        }
        // Without a file, the state directory of the user has it.
        let args = ["ensure", "x", "--owner", "o", "--to-command", "cat", "--no-read", "--timeout", "5s"];
        let run = finish(service.command(&args).env("XDG_STATE_HOME", service.dir.path()));
        assert_eq!(run.code, Some(code), "{}", run.err);
        let rescued = "arize-keys/secret.rescued";
        assert!(run.err.contains(rescued), "{}", run.err);
        assert_eq!(service.read(rescued), "ak-0123456789-from-a-refusal\n");
        std::fs::remove_file(service.path(rescued)).unwrap();
    }
}

/// The command never starts, so nothing would use the secret. The key ends with its lifetime.
#[test]
fn run_says_when_a_key_of_a_refusal_ends() {
    const BODY: &str = r#"{"title":"no","key":"ak-0123456789-from-a-refusal"}"#;
    let service = Service::new();
    service.rule(|_| Answer::Body(409, "application/problem+json", BODY));
    let run = service.run(&["run", "--name", "job", "--ttl", "1h", "--", "true"]);
    run.failed(125);
    assert!(run.err.contains("has the secret of a new key nevertheless"), "{}", run.err);
    assert!(run.err.contains("\nhint: if the key `job` exists, it stops working at "), "{}", run.err);
    assert!(!run.err.contains("from-a-refusal"), "{}", run.err);
    assert!(service.files().is_empty(), "{:?}", service.files());
}
