//! `check`: it never shows the key.

use arize_api_keys::ExposeSecret;
use arize_api_keys::http::Response;
use expect_test::expect;

use crate::double::Double;
use crate::service::{Answer, Service, finish, has_secret};

/// The port differs from run to run.
fn without_port(text: &str) -> String {
    let (before, after) = text.split_once("127.0.0.1:").unwrap();
    let after = after.trim_start_matches(|c: char| c.is_ascii_digit());
    format!("{before}127.0.0.1:PORT{after}")
}

#[test]
fn formats() {
    let service = Service::new();
    for (format, expected) in [
        (
            "table",
            expect![[r#"
            endpoint  http://127.0.0.1:PORT
            stage     beta
            key_from  ARIZE_API_KEY
            accepted  yes
            key_id    QXBpS2V5OjE6YzVWTnk=
            key_name  admin
        "#]],
        ),
        (
            "json",
            expect![[r#"
            {
              "endpoint": "http://127.0.0.1:PORT",
              "stage": "beta",
              "key_from": "ARIZE_API_KEY",
              "accepted": "yes",
              "key_id": "QXBpS2V5OjE6YzVWTnk=",
              "key_name": "admin",
              "key_expires_at": null
            }
        "#]],
        ),
        (
            "jsonl",
            expect![[r#"
            {"endpoint":"http://127.0.0.1:PORT","stage":"beta","key_from":"ARIZE_API_KEY","accepted":"yes","key_id":"QXBpS2V5OjE6YzVWTnk=","key_name":"admin","key_expires_at":null}
        "#]],
        ),
        (
            "csv",
            expect![[r#"
            endpoint,stage,key_from,accepted,key_id,key_name,key_expires_at
            http://127.0.0.1:PORT,beta,ARIZE_API_KEY,yes,QXBpS2V5OjE6YzVWTnk=,admin,
        "#]],
        ),
    ] {
        let run = service.run(&["check", "-o", format]);
        assert_eq!(run.succeeded().told(), "");
        expected.assert_eq(&without_port(&run.out));
        assert!(!has_secret(&run.out));
    }
}

#[test]
fn offline_sends_nothing() {
    let service = Service::new();
    let mut command = service.command(&["check", "--offline", "--region", "eu-west-1a", "--stage", "alpha"]);
    let run = finish(command.env("ARIZE_API_SCHEME", "https"));
    assert_eq!(run.succeeded().err, "");
    expect![[r#"
        endpoint  https://api.eu-west-1a.arize.com
        stage     alpha
        key_from  ARIZE_API_KEY
        accepted  not asked
    "#]]
    .assert_eq(&run.out);
    assert!(service.seen().is_empty());
}

#[test]
fn a_key_that_is_not_accepted() {
    let service = Service::new();
    service.write("wrong", "ak-this-is-a-key-that-does-not-exist", 0o600);
    let run = service.run(&["check", "--api-key-file", "wrong"]);
    run.failed(3);
    expect![[r#"
        endpoint  http://127.0.0.1:PORT
        stage     beta
        key_from  the file wrong
        accepted  no
    "#]]
    .assert_eq(&without_port(&run.out));
    expect![[r#"
        error: list: the service answered 401 Unauthorized: the API key is not known [request req-654cf8af04137896]; check that the API key is right, not expired and not revoked
    "#]].assert_eq(&run.told());
}

#[test]
fn a_key_that_may_not_list_is_a_key() {
    let service = Service::new();
    service.rule(|_| Answer::Body(403, "application/problem+json", r#"{"title":"Forbidden","status":403}"#));
    let run = service.run(&["check"]);
    assert!(run.succeeded().out.contains("yes, but it may not list keys"), "{}", run.out);
}

/// The status of a proxy or a login page says nothing about the key.
#[test]
fn a_response_that_is_not_of_the_service() {
    let double = Double::new();
    for (status, media_type, body) in [
        (403, "text/html", "<h1>Blocked</h1>"),
        (403, "text/plain", ""),
        (403, "application/json", r#"{"message":"Forbidden"}"#),
        (401, "text/html", "<h1>Sign in</h1>"),
        (407, "text/html", "<h1>Proxy</h1>"),
        (200, "text/html", "<h1>Sign in</h1>"),
    ] {
        double.respond(move |_| {
            let response = Response::builder().status(status).header("content-type", media_type);
            Some(response.body(body.as_bytes().to_vec()).unwrap())
        });
        let run = double.run(&["check"]);
        assert_ne!(run.code, Some(0), "{status}");
        assert!(run.out.contains("accepted  unknown"), "{status} {body}: {}", run.out);
    }
}

#[test]
fn without_a_usable_key_it_shows_the_endpoint() {
    let service = Service::new();
    for args in [&["check"][..], &["check", "--offline"]] {
        for key in [None, Some(""), Some("ak-0123 45")] {
            let mut command = service.command(args);
            command.env_remove("ARIZE_API_KEY");
            let run = finish(command.envs(key.map(|key| ("ARIZE_API_KEY", key))));
            run.failed(2);
            assert!(without_port(&run.out).contains("endpoint  http://127.0.0.1:PORT\n"), "{}", run.out);
            assert!(run.out.contains("accepted  no usable key\n"), "{}", run.out);
        }
    }
    let run = service.run(&["check", "--api-key-file", "none"]);
    assert!(without_port(&run.failed(2).out).contains("endpoint  http://127.0.0.1:PORT\n"), "{}", run.out);
    assert!(service.seen().is_empty());
}

/// A key that cannot be one is refused before it is sent, and the message names the place and the defect.
#[test]
fn near_misses_name_their_place() {
    let service = Service::new();
    for (text, defect) in [
        ("ak-abc...xyz", "it is the redacted form of a key"),
        ("${KEY}", "it is a placeholder that was not replaced"),
        ("null", "it is the word that programs print for a missing value"),
        ("ak-0123456789,", "it ends with a comma"),
        (&"a".repeat(5000), "it has more than 4096 bytes"),
        ("Authorization: Bearer ak-0123456789", "there is a blank in it"),
    ] {
        service.write("key", text, 0o600);
        for (env, args, place) in [
            (("ARIZE_API_KEY", text), &[][..], "ARIZE_API_KEY"),
            (("ARIZE_API_KEY_FILE", "key"), &[], "`key`"),
            (("ARIZE_KEYS_NO_WARNING", "1"), &["--api-key-file", "key"], "`key`"),
        ] {
            for command in ["list", "check"] {
                let mut command = service.command(&[&[command], args].concat());
                let run = finish(command.env_remove("ARIZE_API_KEY").env(env.0, env.1));
                run.failed(2);
                let place = place.trim_matches('`');
                assert!(run.err.contains(place) && run.err.contains(defect), "{text:.40} {args:?}: {}", run.err);
                assert!(!run.err.contains("hint: set ARIZE_API_KEY"), "{text:.40}: {}", run.err);
            }
        }
    }
    // A setting without a value, as in a template of a `.env` file.
    service.write("key", "ARIZE_API_KEY=\n", 0o600);
    let run = service.run(&["list", "--api-key-file", "key"]);
    assert!(run.failed(2).err.contains("`key` holds no usable API key: it is empty"), "{}", run.err);
    assert!(service.seen().is_empty());
}

#[test]
fn a_key_in_place_of_a_path_is_not_shown() {
    let service = Service::new();
    let key = "ak-0123456789012345678901";
    for args in [["--api-key-file", key], ["--api-key-env-file", key], ["--profile", key]] {
        let run = service.run(&[&["check", "--offline"], &args[..]].concat());
        run.failed(2);
        assert!(!format!("{}{}", run.out, run.err).contains("0123456789"), "{args:?}: {}{}", run.out, run.err);
    }
}

#[test]
fn nobody_there() {
    let service = Service::new();
    let mut command = service.command(&["check"]);
    let run = finish(command.env("ARIZE_API_HOST", "127.0.0.1:1"));
    run.failed(7);
    assert!(run.out.contains("accepted  unknown"), "{}", run.out);
    assert!(run.err.contains("no connection could be made"), "{}", run.err);
}

#[test]
fn settings_that_cannot_be() {
    let service = Service::new();
    for (args, env, problem) in [
        (&["--region", "mars"][..], None, "error: --region must be one of"),
        (&["--region", "eu-west-1a"], Some(("ARIZE_SINGLE_HOST", "h")), "error: --region excludes ARIZE_SINGLE_HOST: "),
        (&["--scheme", "ftp"], None, "error: --scheme must be `https` or `http`"),
        (&[], Some(("ARIZE_API_STAGE", "gamma")), "error: ARIZE_API_STAGE must be `alpha` or `beta`"),
        (
            &[],
            Some(("ARIZE_API_HOST", "example.com")),
            "error: ARIZE_API_SCHEME is plain http, which would show the API key",
        ),
        (
            &[],
            Some(("ARIZE_API_KEY", "")),
            "error: ARIZE_API_KEY is blank; nothing was sent\nhint: set ARIZE_API_KEY, or pass",
        ),
        (
            &[],
            Some(("ARIZE_API_KEY", "ak-01 234")),
            "error: ARIZE_API_KEY holds no usable API key: there is a blank in it; nothing was sent",
        ),
        (&["--api-key-file", "none"], None, "cannot read the API key from `none`: No such file"),
        (&["--api-key-file", "/dev/null"], None, "`/dev/null` holds no usable API key: it is empty"),
        (
            &["--ca-file", "none", "--scheme", "https"],
            None,
            "error: --ca-file names the file none, which cannot be read: ",
        ),
    ] {
        let mut command = service.command(&[&["check"], args].concat());
        let run = finish(command.envs(env));
        run.failed(2);
        assert!(run.err.starts_with("error: ") && run.err.contains(problem), "{args:?} {env:?}: {}", run.err);
    }
    let admin = service.emulator.admin_key();
    let run = service.run(&["check", "--region", "mars"]);
    assert!(!run.err.contains(admin.expose_secret()));
    assert_eq!(run.err.lines().count(), 1, "{}", run.err);
}
