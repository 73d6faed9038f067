//! No output shows the client's key, or lets a text of the service act on a terminal.

use arize_api_keys::{CreateRequest, ExposeSecret};
use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use expect_test::expect;

use crate::service::{Answer, Service, finish};

const ID: &str = "QXBpS2V5OjE6YWJjZA==";

/// A key in an argument is refused before anything is sent, and not shown, whichever argument it is in and however.
#[test]
fn the_key_in_an_argument() {
    let service = Service::new();
    let key = service.emulator.admin_key().expose_secret().to_owned();
    let percent: String = key.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let with_invisible: String = key.chars().map(|c| format!("{c}\u{200b}")).collect();
    service.write("key", &key, 0o600);
    for form in [key.clone(), key.to_uppercase(), percent, with_invisible] {
        for args in [
            &["revoke", "--yes", &form][..],
            &["delete", "--yes", ID, &form],
            &["refresh", &form],
            &["rotate", &form, "x", "--out", "f", "--yes"],
            &["create", &form],
            &["create", "x", "--description", &form],
            &["list", "--space", &form],
            &["list", "--user", &form],
            &["list", "--cursor", &form],
            &["list", "--api-key-file", &form],
            &["list", &form],
            &["list", &format!("--limit={form}")],
            &["list", &format!("--api-key={form}")],
            &["-v", "create", "x", "--env-file", "f", "--env-name", &form],
        ] {
            let run = service.run(args);
            run.failed(2);
            assert!(!run.err.to_lowercase().contains(&form.to_lowercase()), "{args:?}: {}", run.err);
        }
    }
    assert_eq!(service.seen(), [""; 0]);
    assert_eq!(service.files(), ["key"]);

    let run = service.run(&["create", &key]);
    expect![[r#"
        error: argument 2 holds the API key itself; nothing was created
        hint: every user of this machine can read arguments, and shells record them: replace the key with `arize-keys rotate`. `arize-keys check` shows the id of a key
    "#]]
    .assert_eq(&run.err);
    // A key of somebody else, where an id belongs.
    let run = service.run(&["revoke", "--yes", "ak-0123456789012345678901234"]);
    expect![[r#"
        error: invalid value '[redacted]' for '<ID>...': it is an API key, and no id; `arize-keys check` shows the id of a key

        For more information, try '--help'.
    "#]]
    .assert_eq(&run.err);
    let mut command = service.command(&["list", "--api-key-file", "ak-0123456789012345678901234"]);
    let run = finish(command.env_remove("ARIZE_API_KEY"));
    expect![[r#"
        error: an API key is given in place of the path of a file that holds one; nothing was sent
        hint: set ARIZE_API_KEY, or write the key to a file that only you can read
    "#]]
    .assert_eq(&run.err);
}

/// A service that repeats the key of the request cannot make the program show it.
#[test]
fn the_key_in_a_response() {
    let service = Service::new();
    let key = service.emulator.admin_key().expose_secret().to_owned();
    let hex: String = key.bytes().map(|byte| format!("{byte:02x}")).collect();
    let page = format!(
        r#"{{"api_keys":[{{"id":"i {key}","name":"n {hex}","description":"{}","key_type":"{key}","status":"active","redacted_key":"{key}","expires_at":"{key}"}}],"pagination":{{"has_more":true,"next_cursor":"{key}"}}}}"#,
        key.to_uppercase()
    );
    let problem = format!(r#"{{"title":"no","detail":"{hex} {key}"}}"#);
    let (page, problem): (&str, &str) = (page.leak(), problem.leak());
    for (status, body) in [(200, page), (400, problem), (500, problem)] {
        service.rule(move |_| Answer::Body(status, "application/problem+json", body));
        for format in ["table", "json", "jsonl", "csv"] {
            for args in [&["list", "-v"][..], &["check"], &["list", "--all", "-v"], &["list", "--status", "all"]] {
                let run = service.run(&[args, &["-o", format, "--timeout", "300ms"]].concat());
                for text in [&run.out, &run.err].map(|text| text.to_lowercase()) {
                    assert!(!text.contains(&key.to_lowercase()) && !text.contains(&hex), "{args:?}: {text}");
                }
            }
        }
    }
}

/// A response that repeats the new secret, in any form.
#[test]
fn the_new_secret_in_a_response() {
    let service = Service::new();
    let secret = "ak-New_Secret-0123456789";
    let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
    let body =
        format!(r#"{{"id":"a {hex}","key":"{secret}","name":"{}","description":"{hex}"}}"#, secret.to_uppercase());
    let body: &str = body.leak();
    service.rule(move |_| Answer::Body(201, "application/json", body));
    for format in ["table", "json", "csv"] {
        let file = format!("f-{format}");
        let run = service.run(&["create", "x", "--out", &file, "-o", format]);
        assert_eq!(service.read(&file), format!("{secret}\n"));
        for text in [&run.succeeded().out, &run.err].map(|text| text.to_lowercase()) {
            assert!(!text.contains(&hex) && !text.contains(&secret.to_lowercase()), "{text}");
        }
    }
}

/// A secret that cannot be shown as it is, is stored nowhere, and its key is revoked.
#[test]
fn a_secret_with_control_characters_is_refused() {
    let service = Service::new();
    for c in ["\\n", "\\u001b", "\\u0085", "\\u200b", "\\u061c", "\\u202e", "\\ufeff", "\\udb40\\udc41"] {
        let body = format!(r#"{{"id":"QXBpS2V5OjE6YWJjZA==","key":"ak-0123456789{c}0123456789","name":"x"}}"#);
        let body: &str = body.leak();
        service.rule(move |request| match request.method().as_str() {
            "POST" => Answer::Body(201, "application/json", body),
            _ => Answer::Status(204),
        });
        for args in [
            &["create", "x"][..],
            &["create", "x", "-o", "json"],
            &["create", "x", "-o", "csv"],
            &["create", "x", "--out", "f"],
            &["create", "x", "--env-file", "f"],
        ] {
            let run = service.run(args);
            assert_eq!(run.code, Some(10), "{c} {args:?}: {run:?}");
            assert_eq!(run.out, "", "{c} {args:?}");
            assert_eq!(service.seen().last().unwrap(), "PUT /v2/api-keys/QXBpS2V5OjE6YWJjZA%3D%3D/revoke");
            assert!(!service.path("f").exists(), "{c} {args:?}");
        }
    }
}

#[test]
fn a_text_cannot_act_on_a_terminal_in_any_format() {
    let service = Service::new();
    let name = "=\u{1b}]0;x\u{7}\u{9b}2J\u{202e}\u{61c}\u{200b}\u{e0041}";
    service.client().create(&CreateRequest::new(name).description("-1\n\u{7f}")).unwrap();
    for (format, expected) in [
        ("table", r"=\u{1b}]0;x\u{7}\u{9b}2J\u{202e}\u{61c}\u{200b}\u{e0041}"),
        ("json", r#""=\u001b]0;x\u0007\u009b2J\u202e\u061c\u200b\udb40\udc41""#),
        ("jsonl", r#""=\u001b]0;x\u0007\u009b2J\u202e\u061c\u200b\udb40\udc41""#),
        ("csv", r"'=\u{1b}]0;x\u{7}\u{9b}2J\u{202e}\u{61c}\u{200b}\u{e0041},'-1\n\u{7f},"),
    ] {
        let run = service.run(&["list", "-o", format]);
        assert!(run.succeeded().out.contains(expected), "{}", run.out);
    }
    for format in ["table", "json", "jsonl", "csv", "html", "openmetrics"] {
        for args in [&["audit", "-o", format][..], &["list", "-o", format], &["prune", "--name", "=*", "-o", format]] {
            let run = service.run(args);
            let shown = format!("{}{}", run.out, run.err);
            let acts = |c: char| c.is_control() && c != '\n' || "\u{202e}\u{61c}\u{200b}\u{e0041}".contains(c);
            assert!(!shown.contains(acts), "{args:?}: {shown:?}");
        }
    }
    // For programs.
    let run = service.run(&["list", "-o", "csv", "--raw"]);
    assert!(run.succeeded().out.contains(&format!("{name},\"-1\n\u{7f}\",")), "{}", run.out);
    assert!(service.run(&["list", "--raw"]).failed(2).err.contains("--raw requires --output csv"));
}

#[test]
fn a_usage_error_escapes_what_it_quotes() {
    let service = Service::new();
    for args in [
        &["li\u{1b}[2Jst"][..],
        &["list", "--limit", "\u{202e}\n"],
        &["list", "--\u{200b}x"],
        &["create", "x", "\u{9b}"],
    ] {
        let run = service.run(args);
        run.failed(2);
        let is_unsafe = |c: char| (c.is_control() && c != '\n') || matches!(c, '\u{200b}' | '\u{202e}');
        assert!(!run.err.contains(is_unsafe), "{:?}", run.err);
        assert!(run.err.contains("\\u{"), "{}", run.err);
    }
}

#[test]
fn removed_ids_in_every_format() {
    let service = Service::new();
    for (format, expected) in [
        ("table", "ID1\nID2\n"),
        ("json", "[\n  {\n    \"id\": \"ID1\"\n  },\n  {\n    \"id\": \"ID2\"\n  }\n]\n"),
        ("jsonl", "{\"id\":\"ID1\"}\n{\"id\":\"ID2\"}\n"),
        ("csv", "id\nID1\nID2\n"),
    ] {
        let (one, two) = (service.key("one").id.clone(), service.key("two").id.clone());
        let run = service.run(&["revoke", "--yes", "-o", format, &one, &two]);
        assert_eq!(run.succeeded().out, expected.replace("ID1", &one).replace("ID2", &two));
    }
}

/// Every text that gives a key away.
fn forms(key: &str) -> Vec<String> {
    let hex = |text: &str| text.bytes().map(|byte| format!("{byte:02x}")).collect::<String>();
    let bearer = format!("Bearer {key}");
    vec![
        key.to_owned(),
        key.to_uppercase(),
        hex(key),
        hex(key).to_uppercase(),
        BASE64_STANDARD.encode(key),
        BASE64_STANDARD.encode(&bearer),
        BASE64_URL_SAFE_NO_PAD.encode(format!("x{key}")),
        key.bytes().map(|byte| format!("%{byte:02X}")).collect(),
        key.chars().map(|c| format!("{c}\u{200b}")).collect(),
    ]
}

/// No message shows the key, whichever argument has it, and whether or not the arguments are right.
#[test]
fn a_key_that_only_a_file_has_is_not_shown_in_any_form() {
    let service = Service::new();
    // Not every argument in every form of every source: that takes half a minute.
    let mut turn = 0;
    // The second has not the form of a key of the service.
    for key in ["ak-0123456789_abcdefXYZ", "Zz9/0123456789+abcdefXYZ"] {
        service.write("key", &format!("{key}\n"), 0o600);
        service.write("quoted", &format!("# mine\nexport MY_KEY = \"{key}\"\n"), 0o600);
        service.write("bad", &format!("ARIZE_API_KEY={key}\nARIZE_API_KEY=ak-another\n{key}\n"), 0o600);
        std::fs::create_dir_all(service.path(".arize/profiles")).unwrap();
        service.write(".arize/profiles/p.toml", &format!("[auth]\napi_key = '{key}'\n"), 0o600);
        for (source, variable) in [
            (&["--api-key-file", "key"][..], None),
            (&["--api-key-file=key"], None),
            (&["--api-key-file", "quoted"], None),
            (&["--api-key-env-file", "quoted", "--api-key-env-name", "MY_KEY"], None),
            (&["--api-key-file", "key", "--api-key-env-file", "quoted"], None),
            (&["--profile", "p"], None),
            (&[], Some(("ARIZE_API_KEY_FILE", "key"))),
            (&[], Some(("ARIZE_PROFILE", "p"))),
            (&["--api-key-file", "bad"], None),
        ] {
            let is_bad = source.contains(&"bad");
            for form in forms(key).iter().filter(|_| !is_bad || key.starts_with("ak-")) {
                turn += 1;
                let all = [
                    &["list", "--limit", form][..],
                    &["list", form],
                    &["create", "x", "--expires-in", form],
                    &["create", "x", &format!("--{form}")],
                    &[form],
                    &["revoke", "--yes", form],
                    &["refresh", form],
                    &["create-service-key", "x", "--assignments", form],
                    &["create-service-key", "x", "--grant", form],
                    &["identify", form],
                    &["list", "--ca-file", form, "--scheme", "https"],
                    &["run", "--name", form, "--", form],
                    &["emulator", "--account", form],
                ];
                for args in all.iter().cycle().skip(turn * 5).take(2) {
                    let args = if variable.is_some() { args.to_vec() } else { [source, args].concat() };
                    let mut command = service.command(&args);
                    command.env_remove("ARIZE_API_KEY").env("HOME", service.dir.path()).envs(variable);
                    let run = finish(&mut command);
                    assert_ne!(run.code, Some(0), "{args:?}");
                    let shown = [&run.out, &run.err].map(|text| text.to_lowercase().contains(&form.to_lowercase()));
                    assert_eq!(shown, [false, false], "{args:?}: {}", run.err);
                }
            }
        }
    }
    assert_eq!(service.seen(), [""; 0]);
}

/// The secret that is in the target, and that a response repeats.
#[test]
fn a_stored_secret_is_not_shown() {
    let service = Service::new();
    let stored = "ak-0123456789_abcdefXYZ";
    service.write("f", &format!("{stored}\n"), 0o600);
    for form in forms(stored) {
        let detail: &str = format!(r#"{{"title":"no","detail":"{form}"}}"#).leak();
        service.rule(move |_| Answer::Body(400, "application/problem+json", detail));
        for args in [
            &["create", "x", "--out", "f"][..],
            &["refresh", ID, "--no-grace", "--out", "f"],
            &["ensure", "x", "--owner", "o", "--out", "f", "--dry-run"],
            &["ensure", "x", "--owner", "o", "--to-command", "cat > /dev/null", "--read-command", "cat f"],
        ] {
            let run = finish(service.command(args).env("PATH", "/usr/bin:/bin"));
            run.failed(5);
            assert!(!run.err.to_lowercase().contains(&form.to_lowercase()), "{args:?}: {}", run.err);
        }
    }
}

/// The file of the key changes while the command runs, and the client reads it again.
#[test]
fn a_newer_key_from_the_file_is_not_shown_either() {
    let newer = "Zz9_0123456789_abcdefXYZ";
    for form in forms(newer) {
        let service = Service::new();
        service.write("key", "ak-0123456789_abcdefXYZ\n", 0o600);
        let path = service.path("key");
        let detail: &str = format!(r#"{{"title":"no","detail":"{form}"}}"#).leak();
        service.rule(move |request| {
            let is_newer = request.headers()["authorization"].to_str().unwrap().ends_with(newer);
            std::fs::write(&path, newer).unwrap();
            let (status, body) = if is_newer { (400, detail) } else { (401, r#"{"title":"no"}"#) };
            Answer::Body(status, "application/problem+json", body)
        });
        for args in [&["list", "-v"][..], &["create", "x"], &["audit"], &["run", "--", "true"]] {
            service.write("key", "ak-0123456789_abcdefXYZ\n", 0o600);
            let mut command = service.command(&[args, &["--api-key-file", "key"]].concat());
            if args[0] == "run" {
                command = service.command(&["run", "--api-key-file", "key", "--", "true"]);
            }
            let run = finish(command.env_remove("ARIZE_API_KEY"));
            assert_ne!(run.code, Some(0), "{args:?}");
            for text in [&run.out, &run.err].map(|text| text.to_lowercase()) {
                assert!(!text.contains(&form.to_lowercase()), "{args:?}: {text}");
            }
            assert!(run.err.contains("400") || args[0] == "audit", "{args:?}: {}", run.err);
        }
    }
}

/// A key that the program knows and the client does not, in every text of a report.
#[test]
fn a_key_of_the_environment_is_not_shown_in_a_report() {
    let service = Service::new();
    let key = "Zz9_0123456789_abcdefXYZ";
    service.write("key", service.emulator.admin_key().expose_secret(), 0o600);
    let spaces: &str = format!(r#"{{"spaces":[{{"id":"{key}","name":"{key}"}},{{"id":"x","name":"{key}"}}]}}"#).leak();
    let keys: &str = format!(
        r#"{{"api_keys":[{{"id":"{key}","name":"{key}","description":"[arize-keys owner={key}]","key_type":"{key}","status":"{key}",
            "redacted_key":"{key}","created_by_user_id":"{key}","created_at":"{key}","expires_at":"{key}","last_used_at":"{key}"}}]}}"#
    )
    .leak();
    let problem: &str = format!(r#"{{"title":"no","detail":"{key}"}}"#).leak();
    service.rule(move |request| match request.uri().to_string() {
        uri if uri.contains("/spaces") => Answer::Body(200, "application/json", spaces),
        uri if uri.contains("space_id=x") => Answer::Body(403, "application/problem+json", problem),
        _ => Answer::Body(200, "application/json", keys),
    });
    for format in ["table", "json", "jsonl", "csv", "html", "openmetrics"] {
        let mut command = service.command(&["audit", "--api-key-file", "key", "-o", format]);
        let run = finish(command.env("ARIZE_API_KEY", key));
        assert_eq!(run.code, Some(13), "{format}: {run:?}");
        assert!(run.err.contains("403"), "{format}: {}", run.err);
        assert!(run.out.contains("redacted") || format == "openmetrics", "{format}: {}", run.out);
        assert!(!format!("{}{}", run.out, run.err).contains(key), "{format}: {run:?}");
    }
}
