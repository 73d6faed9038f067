//! Messages that say what to type: the whole text of each.

use arize_api_keys::http::{Request, Response};
use arize_api_keys::{ApiKeyStatus, ExposeSecret, ListRequest, Transport};
use expect_test::{Expect, expect};

use crate::double::{Double, Run};

fn double() -> Double {
    let double = Double::new();
    double.set("ARIZE_KEYS_NO_WARNING", "1");
    double
}

/// Runs the program, which ends with this code and tells this.
#[track_caller]
fn tells(double: &Double, args: &[&str], code: u8, expected: &Expect) -> Run {
    let run = double.run(args);
    assert_eq!(run.code, Some(code), "{run:?}");
    expected.assert_eq(&told(double, &run));
    run
}

/// stderr without the directory of the test.
fn told(double: &Double, run: &Run) -> String {
    run.err.replace(&double.path(""), "DIR/")
}

/// The service processes the requests that `is_lost` selects, and their responses are lost.
fn lose(double: &Double, is_lost: fn(&Request<Vec<u8>>) -> bool) {
    let emulator = double.world().emulator.clone();
    double.respond(move |request| {
        is_lost(request).then(|| {
            drop(emulator.send(request.clone()));
            Response::builder().status(502).body(Vec::new()).unwrap()
        })
    });
}

fn alive(double: &Double) -> usize {
    double.admin().list_all(&ListRequest::new().status(ApiKeyStatus::Active)).count() - 1
}

fn id_of(run: &Run) -> String {
    let document: serde_json::Value = serde_json::from_str(&run.out).unwrap();
    document["id"].as_str().unwrap().to_owned()
}

#[test]
fn a_refresh_cannot_extend_a_key() {
    let double = double();
    let file = double.path("key");
    let id = id_of(&double.run(&["create", "ci", "--expires-in", "30d", "--out", &file, "-o", "json"]));
    let args = ["refresh", &id, "--expires-in", "90d", "--out", &file];
    tells(
        &double,
        &args,
        5,
        &expect![[r#"
        refreshing the key QXBpS2V5OjI6c0xZSFQ= at 2024-10-04T00:00:00Z; if this is interrupted, its secret may have changed: refresh it again
        error: refresh: the service answered 422 Unprocessable Entity: `expires_at` must not be later than this API key's expiry [request req-cea5a731a5c4cbf7]; nothing was changed
        hint: the service cannot extend the life of a key: to get a key that lives longer, type arize-keys rotate QXBpS2V5OjI6c0xZSFQ= --out FILE, or let `arize-keys ensure` renew it
    "#]],
    );
    tells(
        &double,
        &["refresh", &id, "--out", &file],
        5,
        &expect![[r#"
        refreshing the key QXBpS2V5OjI6c0xZSFQ= at 2024-10-04T00:00:00Z; if this is interrupted, its secret may have changed: refresh it again
        error: refresh: the service answered 422 Unprocessable Entity: `expires_at` is required: this API key has an expiry [request req-e11c9f8a1425625c]; nothing was changed
        hint: a key that expires needs --expires-in or --expires-at, no later than before
    "#]],
    );
    // The text of the hint, and the example of the help.
    assert_eq!(double.run(&["refresh", &id, "--expires-in", "7d", "--out", &file]).code, Some(0));
    assert_eq!(double.run(&["rotate", &id, "--yes", "--out", &file]).code, Some(0));
}

#[test]
fn a_service_key_needs_its_spaces() {
    let double = double();
    let file = double.path("key");
    let created = double.run(&["create-service-key", "etl", "--space", "prod", "--out", &file, "-o", "json"]);
    let id = id_of(&created);
    tells(
        &double,
        &["rotate", &id, "--out", &file, "--yes"],
        4,
        &expect![[r#"
        0/4 looking for the old key
        error: the key QXBpS2V5OjI6MWk1THE= is not among the active keys that a rotation looks through: your own user keys for a user key, the service keys of the spaces of the new binding for a service key; nothing was created
        hint: a service key needs --space NAME, or --grant ORG/SPACE: `arize-keys get QXBpS2V5OjI6MWk1THE=` shows its spaces
    "#]],
    );
    let args = ["ensure", "etl", "--owner", "o", "--out", &file, "--adopt", &id];
    tells(
        &double,
        &args,
        4,
        &expect![[r#"
        error: nothing was changed: the key to adopt is not among the keys of this type and these spaces
        hint: a service key needs --space NAME, or --grant ORG/SPACE: `arize-keys get QXBpS2V5OjI6MWk1THE=` shows its spaces
    "#]],
    );
    let wrong = ["rotate", &id, "--space", "staging", "--out", &file, "--yes"];
    tells(
        &double,
        &wrong,
        4,
        &expect![[r#"
        0/4 looking for the old key
        error: the key QXBpS2V5OjI6MWk1THE= is not among the active keys that a rotation looks through: your own user keys for a user key, the service keys of the spaces of the new binding for a service key; nothing was created
        hint: `arize-keys get QXBpS2V5OjI6MWk1THE=` shows its type and its spaces; a user key takes no --space, --grant or --assignments
    "#]],
    );
    let found = double.run(&["get", &id]);
    assert!(found.out.contains("\nspaces    prod\n"), "{}", found.out);
    let args = ["ensure", "etl", "--owner", "o", "--space", "prod", "--out", &file, "--adopt", &id, "-o", "json"];
    let id = id_of(&double.run(&args));
    assert_eq!(double.run(&["rotate", &id, "--space", "prod", "--out", &file, "--yes"]).code, Some(0));
}

#[test]
fn a_create_of_unknown_outcome() {
    let double = double();
    let file = double.path("key");
    lose(&double, |request| request.method() == "POST");
    tells(
        &double,
        &["create", "it's [me]", "--out", &file],
        8,
        &expect![[r#"
        creating a key named `it's [me]` at 2024-10-04T00:00:00Z; if this is interrupted, look for that name in a list
        error: create: the service answered 502 Bad Gateway (empty body); the key may exist: list the keys and revoke the one named `it's [me]` created since 2024-10-04T00:00:00Z
        hint: arize-keys list --name 'it'\''s [[]me[]]'
    "#]],
    );
    let found = double.run(&["list", "--name", "it's [[]me[]]", "-o", "csv"]);
    assert_eq!(found.out.lines().count(), 2, "{}", found.out);
    let args = ["create-service-key", "etl", "--space", "prod", "--out", &file];
    tells(
        &double,
        &args,
        8,
        &expect![[r#"
        creating a key named `etl` at 2024-10-04T00:00:00Z; if this is interrupted, look for that name in a list
        error: create_service_key: the service answered 502 Bad Gateway (empty body); the key may exist: list the service keys of its space and revoke the one named `etl` created since 2024-10-04T00:00:00Z
        hint: arize-keys list --all-spaces --name etl
    "#]],
    );
    let found = double.run(&["list", "--all-spaces", "--name", "etl", "-o", "csv"]);
    assert_eq!(found.out.lines().count(), 2, "{}", found.out);
}

/// The same command once more revokes the key whose secret was lost.
#[test]
fn an_ensure_of_unknown_outcome() {
    let double = double();
    let file = double.path("key");
    let args = ["ensure", "etl", "--owner", "o", "--out", &file];
    lose(&double, |request| request.method() == "POST");
    tells(
        &double,
        &args,
        8,
        &expect![[r#"
        error: no new key is stored: create: the service answered 502 Bad Gateway (empty body); the key may exist: list the keys and revoke the one named `etl` created since 2024-10-04T00:00:00Z
        hint: run the same command again: that run or a later one revokes that key, too
    "#]],
    );
    assert_eq!(alive(&double), 1);
    double.respond(|_| None);
    tells(
        &double,
        &args,
        0,
        &expect![[r#"
        created user key QXBpS2V5OjM6MWk1THE= named `etl` (expires 2025-01-02T00:00:00Z)
        storing its secret in `DIR/key`
        stored
        revoked the old key QXBpS2V5OjI6c0xZSFQ=
    "#]],
    );
    assert_eq!(alive(&double), 1);
}

#[test]
fn a_rotation_of_unknown_outcome() {
    let double = double();
    let file = double.path("key");
    let id = id_of(&double.run(&["create", "ci", "--out", &file, "-o", "json"]));
    let args = ["rotate", &id, "--yes", "--out", &file];
    lose(&double, |request| request.method() == "POST");
    tells(
        &double,
        &args,
        8,
        &expect![[r#"
        0/4 looking for the old key
        1/4 creating a key named `ci`; if this is interrupted, run the same command again
        error: the old key QXBpS2V5OjI6c0xZSFQ= is unchanged: create: the service answered 502 Bad Gateway (empty body); the key may exist: list the keys and revoke the one named `ci` created since 2024-10-04T00:00:00Z
        hint: run the same command again: it revokes that key, too
    "#]],
    );
    lose(&double, |request| request.method() == "PUT");
    tells(
        &double,
        &args,
        11,
        &expect![[r#"
        0/4 looking for the old key
        1/4 creating a key named `ci`; if this is interrupted, run the same command again
            created user key QXBpS2V5OjQ6bjdkTFA= named `ci` (never expires)
        2/4 storing its secret in `DIR/key`
            stored
        3/4 verifying the new key
        4/4 revoking the key QXBpS2V5OjM6MWk1THE=
        error: the new key `QXBpS2V5OjQ6bjdkTFA=` is stored and works; revoking the old key failed: delete: the service answered 502 Bad Gateway (empty body) (after 3 attempts); the key `QXBpS2V5OjM6MWk1THE=` may still be active: revoke it again, which does no harm
        hint: run the same command again, or revoke the old key: arize-keys revoke QXBpS2V5OjI6c0xZSFQ=
    "#]],
    );
    double.respond(|_| None);
    tells(
        &double,
        &args,
        0,
        &expect![[r#"
        0/4 looking for the old key
            an earlier rotation, interrupted or complete, created and stored the key QXBpS2V5OjQ6bjdkTFA=: going on with it
        3/4 verifying the new key
        4/4 revoking the key QXBpS2V5OjI6c0xZSFQ=
            done: QXBpS2V5OjQ6bjdkTFA= replaces QXBpS2V5OjI6c0xZSFQ=
    "#]],
    );
    assert_eq!(alive(&double), 1);
    // Once more, with nothing left to do.
    tells(
        &double,
        &args,
        0,
        &expect![[r#"
        0/4 looking for the old key
            an earlier rotation, interrupted or complete, created and stored the key QXBpS2V5OjQ6bjdkTFA=: going on with it
        3/4 verifying the new key
            done: QXBpS2V5OjQ6bjdkTFA= replaces QXBpS2V5OjI6c0xZSFQ=
    "#]],
    );
    // Without the secret of its successor, the key is not found.
    std::fs::remove_file(&file).unwrap();
    tells(
        &double,
        &args,
        4,
        &expect![[r#"
        0/4 looking for the old key
        error: nothing was created; the key `QXBpS2V5OjI6c0xZSFQ=` is revoked already
    "#]],
    );
}

#[test]
fn a_key_that_ensure_keeps_is_rotated() {
    let double = double();
    let (file, other) = (double.path("key"), double.path(".env"));
    let ensure = ["ensure", "etl", "--owner", "host:/o", "--out", &file];
    let id = id_of(&double.run(&[&ensure[..], &["-o", "json"]].concat()));
    tells(
        &double,
        &["rotate", &id, "--yes", "--out", &file],
        0,
        &expect![[r#"
        0/4 looking for the old key
        warning: `arize-keys ensure` keeps this key for the owner `host:/o`, and its next run will refuse the new one; in place of `rotate`, type arize-keys ensure etl … --renew-now
        1/4 creating a key named `etl`; if this is interrupted, run the same command again
            created user key QXBpS2V5OjM6MWk1THE= named `etl` (expires 2025-01-02T00:00:00Z)
        2/4 storing its secret in `DIR/key`
            stored
        3/4 verifying the new key
        4/4 revoking the key QXBpS2V5OjI6c0xZSFQ=
            done: QXBpS2V5OjM6MWk1THE= replaces QXBpS2V5OjI6c0xZSFQ=
    "#]],
    );
    tells(
        &double,
        &ensure,
        1,
        &expect![[r#"
        error: nothing was changed: the stored secret works and belongs to no key of this owner
        hint: pass --replace-stored, or --adopt ID to take the key over: arize-keys identify DIR/key shows the ID
    "#]],
    );
    let shown = double.run(&["identify", &file, "-o", "json"]);
    let shown: serde_json::Value = serde_json::from_str(&shown.out).unwrap();
    let new = shown["matches"][0]["id"].as_str().unwrap();
    assert_eq!(double.run(&[&ensure[..], &["--adopt", new]].concat()).code, Some(0));
    assert_eq!(alive(&double), 1);

    // The same for a file of variables, and a new name.
    let secret = double.world().emulator.admin_key();
    std::fs::write(&other, format!("KEY={}\n", secret.expose_secret())).unwrap();
    let ensure = ["ensure", "etl", "--owner", "o", "--env-file", &other, "--env-name", "KEY"];
    tells(
        &double,
        &ensure,
        1,
        &expect![[r#"
        error: nothing was changed: the stored secret works and belongs to no key of this owner
        hint: pass --replace-stored, or --adopt ID to take the key over: arize-keys identify DIR/.env shows the ID
    "#]],
    );
    let ensure = [&ensure[..], &["--replace-stored", "-o", "json"]].concat();
    let id = id_of(&double.run(&ensure));
    tells(
        &double,
        &["rotate", &id, "etl 2", "--yes", "--out", &file],
        0,
        &expect![[r#"
        0/4 looking for the old key
        warning: `arize-keys ensure` keeps this key for the owner `o`, and its next run will refuse the new one; in place of `rotate`, type arize-keys ensure NAME … --renew-now
        1/4 creating a key named `etl 2`; if this is interrupted, run the same command again
            created user key QXBpS2V5OjY6YWt5SzM= named `etl 2` (expires 2025-01-02T00:01:00Z)
        2/4 storing its secret in `DIR/key`
            stored
        3/4 verifying the new key
        4/4 revoking the key QXBpS2V5OjU6VWRaSW4=
            done: QXBpS2V5OjY6YWt5SzM= replaces QXBpS2V5OjU6VWRaSW4=
    "#]],
    );
}

#[test]
fn a_space_that_is_not_there() {
    let double = double();
    let file = double.path("key");
    tells(
        &double,
        &["create-service-key", "etl", "--space", "nope", "--out", &file],
        4,
        &expect![[r#"
        creating a key named `etl` at 2024-10-04T00:00:00Z; if this is interrupted, look for that name in a list
        error: no space is named `nope`; names must match exactly, and the API key must be allowed to see the space; nothing was created
        hint: `arize-keys spaces` lists them
    "#]],
    );
    tells(
        &double,
        &["list", "--space", "nope"],
        4,
        &expect![[r#"
        error: no space is named `nope`; names must match exactly, and the API key must be allowed to see the space
        hint: `arize-keys spaces` lists them
    "#]],
    );
}

#[test]
fn secrets_of_no_key() {
    let double = double();
    let file = double.path("text");
    std::fs::write(&file, "ak-0123456789").unwrap();
    tells(
        &double,
        &["identify", &file],
        4,
        &expect![[r#"
        error: no key that was read has the secret in the text
        hint: the user keys of others are read with --user ID only
    "#]],
    );
    std::fs::write(&file, "ak-0123456789 ak-9876543210").unwrap();
    tells(
        &double,
        &["identify", &file],
        4,
        &expect![[r#"
        error: no key that was read has one of the 2 secrets in the text
        hint: the user keys of others are read with --user ID only
    "#]],
    );
}

/// People read times to the second, programs read them whole.
#[test]
fn fractions_of_seconds_are_for_programs() {
    let double = double();
    double.world().clock.advance(std::time::Duration::from_nanos(123_456_789));
    let file = double.path("key");
    let ensure = ["ensure", "etl", "--owner", "o", "--out", &file, "--lifetime", "10d"];
    let mut texts = vec![("ensure", double.run(&ensure))];
    let id = id_of(&double.run(&[&ensure[..], &["-o", "json"]].concat()));
    for args in [
        &ensure[..],
        &["list"],
        &["get", &id],
        &["spaces"],
        &["organizations"],
        &["audit"],
        &["audit", "-o", "html"],
        &["prune", "--name", "etl"],
        &["identify", &file],
        &["check", "--api-key-file", &file],
        &["rotate", &id, "--yes", "--out", &file],
    ] {
        texts.push((args[0], double.run(args)));
    }
    for (command, run) in texts {
        let text = run.out + &run.err;
        assert!(text.contains("T00:00:00Z") && !text.contains("T00:00:00."), "{command}: {text}");
    }
    for args in [
        &["list", "-o", "json"][..],
        &["prune", "--name", "etl", "-o", "csv"],
        &["audit", "-o", "json"],
        &["check", "-o", "json", "--api-key-file", &file],
    ] {
        let run = double.run(args);
        assert!(run.out.contains("T00:00:00.12345"), "{args:?}: {run:?}");
    }
}
