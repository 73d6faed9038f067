//! `delete` and `revoke`.

use arize_api_keys::ExposeSecret;
use expect_test::expect;

use crate::service::{Answer, Service, finish};

#[test]
fn several_keys() {
    let service = Service::new();
    let keys = [service.key("a"), service.key("b")];
    for command in ["delete", "revoke"] {
        let run = service.run(&[command, "--yes", &keys[0].id, &keys[1].id]);
        assert_eq!(run.succeeded().told(), "");
        assert_eq!(run.out, format!("{}\n{}\n", keys[0].id, keys[1].id));
    }
    assert!(keys.iter().all(|key| !service.emulator.authenticates(key.key.expose_secret())));
    assert_eq!(
        service.seen(),
        keys.iter()
            .chain(&keys)
            .map(|key| format!("PUT /v2/api-keys/{}/revoke", key.id).replace('=', "%3D"))
            .collect::<Vec<_>>()
    );
}

#[test]
fn one_that_fails_does_not_keep_the_others() {
    let service = Service::new();
    let key = service.key("a");
    let run = service.run(&["revoke", "--yes", "QXBpS2V5OjA6bm9uZQ==", &key.id, "QXBpS2V5OjA6bm9uZQ=="]);
    run.failed(4);
    assert_eq!(run.out, format!("{}\n", key.id));
    expect![[r#"
        error: QXBpS2V5OjA6bm9uZQ==: revoke: the service answered 404 Not Found: there is no such API key [request req-efa4b21996ea9dc9]; it does not exist, or the API key may not see it
        error: QXBpS2V5OjA6bm9uZQ==: revoke: the service answered 404 Not Found: there is no such API key [request req-33fd60ac379a683f]; it does not exist, or the API key may not see it
        error: 2 of 3 failed
    "#]].assert_eq(&run.told());
}

/// An id that would change the path of the request is refused before any key is removed.
#[test]
fn a_path_is_no_id() {
    let service = Service::new();
    let key = service.key("a");
    for id in [".", ".."] {
        for args in [&["revoke", "--yes", &key.id, id][..], &["refresh", id], &["rotate", id, "--yes", "--out", "f"]] {
            let run = service.run(args);
            assert!(run.failed(2).err.contains("it would name another resource"), "{run:?}");
        }
    }
    assert!(service.seen().is_empty() && service.files().is_empty());
}

#[test]
fn without_a_terminal_it_wants_a_yes() {
    let service = Service::new();
    let key = service.key("a");
    for args in [&["delete", &key.id][..], &["revoke", &key.id], &["rotate", &key.id, "b", "--out", "f"]] {
        let run = service.run(args);
        run.failed(2);
        assert_eq!(run.out, "");
        let expected = "error: there is no terminal to ask for a confirmation; nothing was changed\nhint: pass --yes\n";
        assert_eq!(run.err, expected);
        // Somebody who pipes `yes` in is no terminal.
        let output = assert_cmd::Command::from_std(service.command(args)).write_stdin("y\n").output().unwrap();
        assert_eq!(output.status.code(), Some(2));
    }
    assert!(service.seen().is_empty() && service.files().is_empty());
}

#[test]
fn the_alpha_stage_deletes() {
    let service = Service::new();
    let key = service.key("a");
    service.run(&["delete", "--yes", "--stage", "alpha", &key.id]).succeeded();
    assert_eq!(service.seen(), [format!("DELETE /v2/api-keys/{}", key.id).replace('=', "%3D")]);
    assert!(!service.emulator.authenticates(key.key.expose_secret()));
}

#[test]
fn a_key_that_may_still_be_active() {
    let service = Service::new();
    service.rule(|_| Answer::Nothing);
    let mut command = service.command(&["revoke", "--yes", "QXBpS2V5OjE6YQ=="]);
    let run = finish(&mut command);
    run.failed(8);
    assert!(
        run.err.contains("the key `QXBpS2V5OjE6YQ==` may still be active: revoke it again, which does no harm"),
        "{}",
        run.err
    );
}

/// The keys are removed: a script that runs the command again because of stdout would find nothing to do.
#[test]
fn a_stdout_that_fails_does_not_undo_a_removal() {
    let service = Service::new();
    for format in ["table", "json", "jsonl", "csv"] {
        for command in ["delete", "revoke"] {
            let keys = [service.key("a"), service.key("b")];
            let mut run = service.command(&[command, "--yes", "-q", "-o", format, &keys[0].id, &keys[1].id]);
            run.env("ARIZE_KEYS_NO_WARNING", "1");
            let output =
                run.stdout(std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap()).output().unwrap();
            assert_eq!(output.status.code(), Some(0), "{command} {format}: {output:?}");
            assert!(keys.iter().all(|key| !service.emulator.authenticates(key.key.expose_secret())));
        }
    }
    let key = service.key("a");
    let mut run = service.command(&["revoke", "--yes", &key.id]);
    let run = run.env("ARIZE_KEYS_NO_WARNING", "1");
    let output = run.stdout(std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap()).output().unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    let expected = format!(
        "warning: stdout cannot be written: No space left on device (os error 28); the key {} was removed\n",
        key.id
    );
    assert_eq!(err, expected);
}

/// A program that reads the output gets a document after every failure.
#[test]
fn the_document_of_a_failed_removal_is_whole() {
    let service = Service::new();
    let run = service.run(&["revoke", "--yes", "-o", "json", "QXBpS2V5OjA6bm9uZQ=="]);
    assert_eq!(run.failed(4).out, "[]\n");
}
