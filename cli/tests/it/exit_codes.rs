//! One exit code for one cause, for every command and option.

use arize_api_keys::http::Response;

use crate::double::Double;
use crate::service::{Answer, Service, finish};

const ID: &str = "QXBpS2V5OjE6YWJjZA==";

#[test]
fn an_input_file_that_cannot_be_read_is_a_wrong_argument() {
    let service = Service::new();
    std::fs::create_dir(service.path("dir")).unwrap();
    for file in ["none", "dir", "none/key", "dir/"] {
        for args in [
            &["list", "--api-key-file", file][..],
            &["check", "--api-key-file", file],
            &["list", "--api-key-env-file", file],
            &["create", "x", "--api-key-env-file", file, "--api-key-env-name", "KEY"],
            &["revoke", ID, "--yes", "--api-key-file", file],
            &["create-service-key", "x", "--assignments", file],
            &["list", "--ca-file", file, "--scheme", "https"],
            &["check", "--offline", "--ca-file", file, "--scheme", "https"],
            &["rotate", ID, "--yes", "--out", "f", "--assignments", file],
            &["ensure", "x", "--out", "f", "--assignments", file],
            &["identify", file],
            &["emulator", "--account", file],
            &["emulator", "--admin-key-file", file],
        ] {
            let run = service.run(args);
            assert_eq!(run.code, Some(2), "{args:?}: {}", run.err);
            assert!(run.err.contains(file), "{args:?}: {}", run.err);
        }
    }
    assert!(service.seen().is_empty());
}

#[test]
fn a_missing_or_unusable_key() {
    let service = Service::new();
    service.write("empty", " \n", 0o600);
    service.write("two", "ak-one\nak-two\n", 0o600);
    for args in
        [&["list"][..], &["create", "x"], &["refresh", ID], &["revoke", "--yes", ID], &["check"], &["list", "--all"]]
    {
        for key in [None, Some(""), Some(" "), Some("a b"), Some("ak-\u{200b}x")] {
            let mut command = service.command(args);
            command.env_remove("ARIZE_API_KEY");
            let run = finish(command.envs(key.map(|key| ("ARIZE_API_KEY", key))));
            assert_eq!(run.code, Some(2), "{args:?} {key:?}: {}", run.err);
        }
        for file in ["empty", "two", "/dev/null"] {
            let run = service.run(&[args, &["--api-key-file", file]].concat());
            assert_eq!(run.code, Some(2), "{args:?} {file}: {}", run.err);
            assert!(run.err.contains(&format!("`{file}` holds no usable API key: it ")), "{}", run.err);
        }
    }
    assert!(service.seen().is_empty());
}

#[test]
fn a_refusal_of_the_service() {
    let commands: [&[&str]; 7] = [
        &["list"],
        &["list", "--all"],
        &["list", "--space", "prod"],
        &["create", "x"],
        &["create-service-key", "x", "--space", "prod"],
        &["refresh", ID],
        &["revoke", "--yes", ID],
    ];
    for (status, code) in [(400, 5), (401, 3), (403, 3), (404, 4), (409, 5), (422, 5), (429, 6)] {
        let double = Double::new();
        double.respond(move |_| {
            let response = Response::builder().status(status).header("content-type", "application/problem+json");
            Some(response.body(br#"{"title":"no"}"#.to_vec()).unwrap())
        });
        for args in commands {
            let run = double.run(args);
            assert_eq!(run.code, Some(code), "{status} {args:?}: {}", run.err);
        }
        let run = double.run(&["check"]);
        assert_eq!(run.code, Some(if status == 403 { 0 } else { code }), "{status}: {}", run.err);
    }
}

#[test]
fn a_near_miss_is_read() {
    let service = Service::new();
    let key = arize_api_keys::ExposeSecret::expose_secret(&service.emulator.admin_key()).to_owned();
    service.write(".env", &format!("A=1\nexport ARIZE_API_KEY=\"{key}\" # mine\nOTHER={key}x\n"), 0o600);
    service.write("quoted", &format!("\u{feff}'{key}'\r\n"), 0o600);
    service.run(&["check", "--api-key-file", ".env"]).succeeded();
    service.run(&["check", "--api-key-file", "quoted"]).succeeded();
    let run = service.run(&["check", "--api-key-env-file", ".env"]);
    assert!(run.succeeded().out.contains("key_from  ARIZE_API_KEY in the file .env\n"), "{}", run.out);
    service.run(&["check", "--api-key-env-file", ".env", "--api-key-env-name", "OTHER"]).failed(3);
    for value in
        [format!("\"{key}\""), format!("ARIZE_API_KEY={key}"), format!("Bearer {key}"), format!("\u{feff}{key}\n")]
    {
        finish(service.command(&["check"]).env("ARIZE_API_KEY", value)).succeeded();
    }
    let mut command = service.command(&["check"]);
    let run = finish(command.env_remove("ARIZE_API_KEY").env("ARIZE_API_KEY_FILE", "quoted"));
    assert!(run.succeeded().out.contains("key_from  the file quoted\n"), "{}", run.out);
    let run = finish(service.command(&["list"]).env("ARIZE_API_KEY_FILE", "quoted"));
    assert!(run.failed(2).err.contains("ARIZE_API_KEY and ARIZE_API_KEY_FILE are both set"), "{}", run.err);
    finish(service.command(&["list", "--api-key-file", "quoted"]).env("ARIZE_API_KEY_FILE", "none")).succeeded();
    finish(service.command(&["list"]).env("ARIZE_API_KEY_FILE", " ")).succeeded();
    let run = service.run(&["list", "--api-key-env-file", ".env", "--api-key-env-name", "MISSING"]);
    assert_eq!(run.failed(2).err, "error: `.env` holds no usable API key: it does not set MISSING; nothing was sent\n");
    service.run(&["list", "--api-key-env-name", "OTHER"]).failed(2);
    service.run(&["--api-key-file", "quoted", "list", "--api-key-env-file", ".env"]).failed(2);
}

#[test]
fn the_warning_can_be_silenced_alone() {
    let service = Service::new();
    let warned = format!(
        "warning: [BETA] api_keys.list is a beta API and may change without notice; keep arize-keys v{} up to date (-q or \
         ARIZE_KEYS_NO_WARNING=1 hides this)\n",
        env!("CARGO_PKG_VERSION")
    );
    for (value, expected) in [("1", ""), ("yes", ""), ("", &*warned), ("0", &*warned)] {
        let mut command = service.command(&["list", "--limit", "1"]);
        let run = finish(command.env("ARIZE_KEYS_NO_WARNING", value));
        assert_eq!(run.succeeded().err, expected);
    }
    assert_eq!(service.run(&["list", "--limit", "1", "-q"]).succeeded().err, "");
    service.rule(|_| {
        Answer::Body(
            200,
            "application/json",
            r#"{"api_keys":[{"id":"a","expires_at":"soon"}],"pagination":{"has_more":false}}"#,
        )
    });
    let run = finish(service.command(&["list"]).env("ARIZE_KEYS_NO_WARNING", "1"));
    assert_eq!(run.succeeded().err, "warning: key a: cannot read `expires_at`: `soon`\n");
}

#[test]
fn a_request_that_is_too_long_is_a_wrong_argument() {
    let service = Service::new();
    let long = "x".repeat(20_000);
    for args in [&["list", "--cursor", &long][..], &["list", "--all", "--cursor", &long]] {
        let run = service.run(args);
        assert!(run.failed(2).err.contains("the URI and each header of the request may have 16 KiB"), "{}", run.err);
    }
    assert!(service.seen().is_empty());
}

#[test]
fn negative_values_get_a_message_of_their_own() {
    let service = Service::new();
    for args in [
        &["create", "x", "--expires-in", "-1d"][..],
        &["create", "x", "--expires-in=-1d"],
        &["refresh", ID, "--grace", "-1h"],
        &["list", "--timeout", "-5s"],
    ] {
        let run = service.run(args);
        assert!(run.failed(2).err.contains("': a duration is not negative; write `"), "{}", run.err);
        assert!(!run.err.contains("tip:"), "{}", run.err);
    }
    assert!(service.run(&["list", "--limit", "-1"]).failed(2).err.contains("-1 is not in 1..=100"));
}
