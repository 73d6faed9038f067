//! `list`: filters, formats, pages.

use std::process::Stdio;

use arize_api_keys::time::Duration;
use arize_api_keys::{ApiKeysClient, CreateRequest};
use expect_test::expect;

use crate::double::Double;
use crate::service::{Answer, Service};

/// The admin's key and three more: one that will never expire, one that has, and one that was revoked.
fn service_with_keys() -> Service {
    let service = Service::new();
    let soon = arize_api_keys::Clock::now(&service.clock) + Duration::days(30);
    service.key("laptop, \"old\"");
    service.client().create(&CreateRequest::new("trial").description("for a month").expires_at(soon)).unwrap();
    service.client().revoke(&service.key("gone").id).unwrap();
    service
}

#[test]
fn table() {
    let service = service_with_keys();
    let run = service.run(&["list"]);
    assert_eq!(run.succeeded().told(), "");
    expect![[r#"
        ID                    NAME           TYPE  STATUS            KEY           EXPIRES               LAST USED
        QXBpS2V5OjE6YzVWTnk=  admin          user  active            ak-mV3...keS  never                 2024-10-04T00:00:00Z
        QXBpS2V5OjI6c0xZSFQ=  laptop, "old"  user  active            ak-HjA...P3O  never                 never
        QXBpS2V5OjM6MWk1THE=  trial          user  active (expired)  ak-bvp...5rp  2024-11-03T00:00:00Z  never
    "#]].assert_eq(&run.out);
    let run = service.run(&["list", "--status", "revoked"]);
    expect![[r#"
        ID                    NAME  TYPE  STATUS   KEY           EXPIRES  LAST USED
        QXBpS2V5OjQ6bjdkTFA=  gone  user  revoked  ak-C6t...MGm  never    never
    "#]]
    .assert_eq(&run.succeeded().out);
}

#[test]
fn json() {
    let run = service_with_keys().run(&["list", "-o", "json", "--limit", "2"]);
    expect![[r#"
        there are more: pass --all, or --cursor 0vVLmJyQ6toAAAAAAAAAAg==
    "#]]
    .assert_eq(&run.succeeded().told());
    expect![[r#"
        {
          "api_keys": [
            {
              "id": "QXBpS2V5OjE6YzVWTnk=",
              "name": "admin",
              "description": null,
              "key_type": "user",
              "status": "active",
              "redacted_key": "ak-mV3...keS",
              "created_at": "2024-10-04T00:00:00Z",
              "expires_at": null,
              "created_by_user_id": "VXNlcjoxOjY3bFU=",
              "last_used_at": "2024-10-04T00:00:00Z"
            },
            {
              "id": "QXBpS2V5OjI6c0xZSFQ=",
              "name": "laptop, \"old\"",
              "description": null,
              "key_type": "user",
              "status": "active",
              "redacted_key": "ak-HjA...P3O",
              "created_at": "2024-10-04T00:00:00Z",
              "expires_at": null,
              "created_by_user_id": "VXNlcjoxOjY3bFU=",
              "last_used_at": null
            }
          ],
          "pagination": {
            "has_more": true,
            "next_cursor": "0vVLmJyQ6toAAAAAAAAAAg=="
          }
        }
    "#]]
    .assert_eq(&run.out);
}

#[test]
fn jsonl() {
    let run = service_with_keys().run(&["list", "-o", "jsonl"]);
    assert_eq!(run.succeeded().told(), "");
    expect![[r#"
        {"id":"QXBpS2V5OjE6YzVWTnk=","name":"admin","description":null,"key_type":"user","status":"active","redacted_key":"ak-mV3...keS","created_at":"2024-10-04T00:00:00Z","expires_at":null,"created_by_user_id":"VXNlcjoxOjY3bFU=","last_used_at":"2024-10-04T00:00:00Z"}
        {"id":"QXBpS2V5OjI6c0xZSFQ=","name":"laptop, \"old\"","description":null,"key_type":"user","status":"active","redacted_key":"ak-HjA...P3O","created_at":"2024-10-04T00:00:00Z","expires_at":null,"created_by_user_id":"VXNlcjoxOjY3bFU=","last_used_at":null}
        {"id":"QXBpS2V5OjM6MWk1THE=","name":"trial","description":"for a month","key_type":"user","status":"active","redacted_key":"ak-bvp...5rp","created_at":"2024-10-04T00:00:00Z","expires_at":"2024-11-03T00:00:00Z","created_by_user_id":"VXNlcjoxOjY3bFU=","last_used_at":null}
    "#]].assert_eq(&run.out);
}

#[test]
fn csv() {
    let run = service_with_keys().run(&["list", "-o", "csv"]);
    assert_eq!(run.succeeded().told(), "");
    expect![[r#"
        id,name,description,key_type,status,redacted_key,created_at,expires_at,created_by_user_id,last_used_at,bot_user_id,bot_user_name
        QXBpS2V5OjE6YzVWTnk=,admin,,user,active,ak-mV3...keS,2024-10-04T00:00:00Z,,VXNlcjoxOjY3bFU=,2024-10-04T00:00:00Z,,
        QXBpS2V5OjI6c0xZSFQ=,"laptop, ""old""",,user,active,ak-HjA...P3O,2024-10-04T00:00:00Z,,VXNlcjoxOjY3bFU=,,,
        QXBpS2V5OjM6MWk1THE=,trial,for a month,user,active,ak-bvp...5rp,2024-10-04T00:00:00Z,2024-11-03T00:00:00Z,VXNlcjoxOjY3bFU=,,,
    "#]].assert_eq(&run.out);
}

#[test]
fn nothing_to_list() {
    let service = Service::new();
    for (format, expected) in [
        ("table", "ID  NAME  TYPE  STATUS  KEY  EXPIRES  LAST USED\n"),
        (
            "json",
            "{\n  \"api_keys\": [],\n  \"pagination\": {\n    \"has_more\": false,\n    \"next_cursor\": null\n  }\n}\n",
        ),
        ("jsonl", ""),
        (
            "csv",
            "id,name,description,key_type,status,redacted_key,created_at,expires_at,created_by_user_id,last_used_at,\
             bot_user_id,bot_user_name\n",
        ),
    ] {
        for all in [false, true] {
            let mut args = vec!["list", "--status", "revoked", "-o", format];
            args.extend(all.then_some("--all"));
            let run = service.run(&args);
            assert_eq!(run.succeeded().told(), "no keys\n");
            assert_eq!(run.out, expected);
        }
    }
}

#[test]
fn every_page() {
    let service = Service::new();
    (0..24).for_each(|n| drop(service.key(&format!("key-{n}"))));
    let run = service.run(&["list", "--all", "--limit", "10", "-o", "jsonl"]);
    assert_eq!(run.succeeded().told(), "");
    assert_eq!(run.out.lines().count(), 25);
    assert_eq!(service.seen(), ["GET /v2/api-keys"; 3]);
    let run = service.run(&["list", "--all", "-o", "json"]);
    assert_eq!(service.seen().len(), 4, "100 to a page");
    let page: serde_json::Value = serde_json::from_str(&run.out).unwrap();
    assert_eq!(page["api_keys"].as_array().unwrap().len(), 25);
    assert_eq!(page["pagination"], serde_json::json!({"has_more": false, "next_cursor": null}));
}

#[test]
fn the_cursor_goes_on() {
    let service = service_with_keys();
    let first = service.run(&["list", "-o", "json", "--limit", "2"]);
    let page: serde_json::Value = serde_json::from_str(&first.out).unwrap();
    let cursor = page["pagination"]["next_cursor"].as_str().unwrap();
    let run = service.run(&["list", "-o", "csv", "--cursor", cursor]);
    assert!(run.succeeded().out.lines().nth(1).unwrap().contains(",trial,for a month,"), "{}", run.out);
}

#[test]
fn filters_are_sent() {
    let service = Service::new();
    let space = service.emulator.space_id("acme-labs", "sandbox").unwrap();
    let org = service.emulator.organization_id("acme-labs").unwrap();
    let user = service.emulator.admin_id();
    let (seen, queries) = std::sync::mpsc::channel();
    let seen = std::sync::Mutex::new(seen);
    service.rule(move |request| {
        seen.lock().unwrap().send(request.uri().to_string()).unwrap();
        Answer::Honest
    });
    let filters = ["--key-type", "SERVICE", "--status", "active", "--space", "sandbox", "--org", &org, "--user", &user];
    service.run(&[&["list", "--limit", "7"][..], &filters].concat()).succeeded();
    let list = queries.try_iter().last().unwrap();
    let encoded = |text: &str| text.replace('=', "%3D").replace('+', "%2B").replace('/', "%2F");
    let expected = format!(
        "/v2/api-keys?key_type=SERVICE&status=ACTIVE&space_id={}&user_id={}&limit=7",
        encoded(&space),
        encoded(&user)
    );
    assert_eq!(list.replace("%3d", "%3D"), expected);
}

#[test]
fn what_came_before_an_error_is_printed() {
    let service = Service::new();
    (0..4).for_each(|n| drop(service.key(&format!("key-{n}"))));
    service.rule(|request| match request.uri().query() {
        Some(query) if query.contains("cursor") => Answer::Status(403),
        _ => Answer::Honest,
    });
    for format in ["table", "json", "jsonl", "csv"] {
        let run = service.run(&["list", "--all", "--limit", "3", "-o", format]);
        run.failed(3);
        assert_eq!(run.out.matches("key-").count(), 2, "{}", run.out);
        assert!(
            run.err.contains("the list is not complete, 3 keys came: list: the service answered 403"),
            "{}",
            run.err
        );
        assert!(run.err.contains("hint: go on with --cursor "), "{}", run.err);
        assert_eq!(format == "json", run.out.contains("\"has_more\": true"));
    }
}

#[test]
fn an_early_end_of_the_reader_is_no_failure() {
    let service = Service::new();
    (0..300).for_each(|n| drop(service.key(&format!("key-{n}"))));
    for format in ["table", "json", "jsonl", "csv"] {
        let mut child = service
            .command(&["list", "--all", "-q", "-o", format])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!(
            (output.status.code(), String::from_utf8(output.stderr).unwrap().as_str()),
            (Some(0), ""),
            "{format}"
        );
    }
}

#[test]
fn a_full_disk_is_a_failure() {
    let full = || std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let service = Service::new();
    for format in ["table", "json", "jsonl", "csv"] {
        let mut command = service.command(&["list", "-q", "-o", format]);
        let output = command.stdout(full()).output().unwrap();
        let err = String::from_utf8(output.stderr).unwrap();
        assert_eq!(err, "error: stdout cannot be written: No space left on device (os error 28)\n", "{format}");
        assert_eq!(output.status.code(), Some(1));
    }
}

#[test]
fn what_others_wrote_cannot_command_the_terminal() {
    let service = Service::new();
    service.key("\u{1b}[2J\u{202e}evil\n");
    let run = service.run(&["list"]);
    assert!(run.out.contains("\\u{1b}[2J\\u{202e}evil\\n"), "{}", run.out);
    let run = service.run(&["list", "-o", "json"]);
    assert!(run.out.contains("\\u001b[2J"), "{}", run.out);
}

#[test]
fn odd_answers_are_told() {
    let service = Service::new();
    let page = r#"{"api_keys":[{"id":"a","name":"n","key_type":"ROBOT","status":"ACTIVE","expires_at":"soon"}]}"#;
    service.rule(|_| Answer::Body(200, "application/json", page));
    let run = service.run(&["list", "-o", "jsonl"]);
    assert_eq!(run.succeeded().told(), "warning: key a: cannot read `expires_at`: `soon`\n");
    expect![[r#"
        {"id":"a","name":"n","description":null,"key_type":"robot","status":"active","redacted_key":"","created_at":null,"expires_at":"unreadable: soon","created_by_user_id":"","last_used_at":null,"warnings":["`expires_at`: `soon`"]}
    "#]].assert_eq(&run.out);
}

/// A value that was sent and cannot be read is never shown as absent.
#[test]
fn unreadable_values_are_marked_in_every_format() {
    let service = Service::new();
    let page = r#"{"api_keys":[{"id":"a","name":["n"],"key_type":7,"status":"active","redacted_key":{},"description":[],
        "created_at":17890,"expires_at":"","last_used_at":"2027-01-01T00:00:00+0100"}]}"#;
    service.rule(move |_| Answer::Body(200, "application/json", page));
    for (format, expected) in [
        (
            "table",
            expect![[r#"
                ID  NAME                  TYPE     STATUS  KEY                    EXPIRES       LAST USED
                a   unreadable: an array  unknown  active  unreadable: an object  unreadable:   2026-12-31T23:00:00Z
            "#]],
        ),
        (
            "jsonl",
            expect![[r#"
            {"id":"a","name":"unreadable: an array","description":"unreadable: an array","key_type":"unknown","status":"active","redacted_key":"unreadable: an object","created_at":"unreadable: 17890","expires_at":"unreadable: ","created_by_user_id":"","last_used_at":"2026-12-31T23:00:00Z","warnings":["`name`: `an array`","`key_type`: `7`","`redacted_key`: `an object`","`description`: `an array`","`created_at`: `17890`","`expires_at`: ``"]}
        "#]],
        ),
        (
            "csv",
            expect![[r#"
            id,name,description,key_type,status,redacted_key,created_at,expires_at,created_by_user_id,last_used_at,bot_user_id,bot_user_name
            a,unreadable: an array,unreadable: an array,unknown,active,unreadable: an object,unreadable: 17890,unreadable: ,,2026-12-31T23:00:00Z,,
        "#]],
        ),
    ] {
        let run = service.run(&["list", "-q", "-o", format]);
        expected.assert_eq(&run.succeeded().out);
    }
    service.rule(|_| Answer::Body(201, "application/json", r#"{"id":"a","key":"ak-0123456789","expires_at":17890}"#));
    let run = service.run(&["create", "x", "--out", "f"]);
    assert!(run.succeeded().err.contains(" (expires unreadable: 17890)\n"), "{}", run.err);
}

/// A key that a selection leaves out because its time cannot be read is named; no time that was sent is shown as `never`.
#[test]
fn a_time_that_cannot_be_read_is_named_where_it_decides() {
    use arize_api_keys::Transport as _;
    let double = Double::new();
    let emulator = double.world().emulator.clone();
    double.respond(move |request| {
        let mut response = emulator.send(request.clone()).unwrap();
        let text = String::from_utf8(std::mem::take(response.body_mut())).unwrap();
        let text = text.replace(r#""expires_at":"2"#, r#""expires_at":"soon 2"#);
        *response.body_mut() = text.replace(r#""last_used_at":"2"#, r#""last_used_at":"once 2"#).into_bytes();
        Some(response)
    });
    let (run, file) = (|args: &[&str]| double.run(args), double.path("etl.env"));
    let made = run(&["create", "late", "--expires-in", "5d", "--out", &double.path("late")]);
    assert_eq!(made.code, Some(0), "{}", made.err);
    let ensured = run(&["ensure", "etl", "--owner", "o", "--env-file", &file]);
    assert_eq!(ensured.code, Some(0), "{}", ensured.err);
    assert!(ensured.out.contains(" expires unreadable: soon 2"), "{}", ensured.out);
    assert!(ensured.err.contains(": cannot read `expires_at`: `soon 2"), "{}", ensured.err);
    let ensured = run(&["ensure", "etl", "--owner", "o", "--env-file", &file, "-o", "json"]);
    assert!(ensured.out.contains(r#""expires_at": "unreadable: soon 2"#), "{}", ensured.out);
    for (args, field) in [
        (&["list", "--expiring-within", "14d"][..], "expires_at"),
        (&["list", "--all-spaces", "--expiring-within", "14d", "--name", "late"], "expires_at"),
        (&["prune", "--expired"], "expires_at"),
        (&["prune", "--unused-for", "1d"], "last_used_at"),
    ] {
        let run = run(args);
        assert_eq!(run.code, Some(0), "{args:?}: {}", run.err);
        assert!(run.err.contains(&format!("cannot read `{field}`: `")), "{args:?}: {}", run.err);
    }
}

#[test]
fn the_alpha_stage_is_spoken() {
    let service = Service::new();
    let (seen, queries) = std::sync::mpsc::channel();
    let seen = std::sync::Mutex::new(seen);
    service.rule(move |request| {
        seen.lock().unwrap().send(request.uri().to_string()).unwrap();
        Answer::Honest
    });
    let run = service.run(&["list", "--key-type", "user", "--stage", "alpha"]);
    assert!(run.succeeded().err.starts_with("warning: [ALPHA] api_keys.list is an alpha API"), "{}", run.err);
    assert_eq!(queries.recv().unwrap(), "/v2/api-keys?key_type=user&limit=50");
    let mut command = service.command(&["list", "--key-type", "user"]);
    assert_eq!(crate::service::finish(command.env("ARIZE_API_STAGE", "alpha")).code, Some(0));
    assert_eq!(queries.recv().unwrap(), "/v2/api-keys?key_type=user&limit=50");
}

#[test]
fn verbose_shows_requests_and_nothing_else() {
    let service = Service::new();
    let run = service.run(&["list", "-v", "--limit", "5"]);
    let told = run.succeeded().told();
    let (line, ms) = told.rsplit_once(" in ").unwrap();
    assert!(line.starts_with("GET http://127.0.0.1:") && line.ends_with("/v2/api-keys?limit=5 -> 200"), "{told}");
    assert!(ms.ends_with(" ms\n"));
    service.rule(|_| Answer::Nothing);
    let run = service.run(&["create", "x", "-v"]);
    assert!(run.failed(8).err.contains("/v2/api-keys -> the connection broke after "), "{}", run.err);
}

#[test]
fn clients_of_the_library_see_the_same() {
    let service = service_with_keys();
    let listed: Vec<String> =
        ApiKeysClient::list_all(&service.client(), &Default::default()).map(|key| key.unwrap().id).collect();
    let run = service.run(&["list", "-q", "-o", "csv"]);
    let ids: Vec<&str> = run.out.lines().skip(1).map(|line| line.split(',').next().unwrap()).collect();
    assert_eq!(ids, listed);
}
