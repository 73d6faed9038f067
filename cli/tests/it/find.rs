//! `spaces`, `organizations`, `get`, `audit`, `identify`, `prune`, and the options of `list` that read everything.

use std::io::Write;
use std::process::Stdio;

use arize_api_keys::time::{Duration, OffsetDateTime};
use arize_api_keys::{Clock, CreateRequest, CreateServiceKeyRequest, ExposeSecret, ListRequest};
use serde_json::Value;

use crate::service::{Answer, Run, Service};

fn json(run: &Run) -> Value {
    serde_json::from_str(&run.out).unwrap()
}

fn names(value: &Value) -> Vec<&str> {
    value.as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap()).collect()
}

fn bot(service: &Service, name: &str, space: &str) -> String {
    let client = service.client();
    client.create_service_key(&CreateServiceKeyRequest::new(name, space)).unwrap().id.clone()
}

#[test]
fn spaces_and_organizations() {
    let service = Service::new();
    let run = service.run(&["spaces", "--name", "PROD", "-o", "json"]);
    assert_eq!(names(&json(run.succeeded())["spaces"]), ["prod", "prod-eu"]);
    let run = service.run(&["spaces", "-o", "jsonl"]);
    let first: Value = serde_json::from_str(run.succeeded().out.lines().next().unwrap()).unwrap();
    let org = first["organization_id"].as_str().unwrap();
    assert_eq!(
        names(&json(&service.run(&["spaces", "--org", org, "--name", "prod", "-o", "json"]))["spaces"]).len(),
        2
    );
    let run = service.run(&["organizations", "-o", "csv"]);
    assert!(run.succeeded().out.starts_with("id,name,created_at\n"), "{}", run.out);
    let run = service.run(&["organizations", "--name", "labs", "-o", "json"]);
    assert_eq!(names(&json(run.succeeded())["organizations"]), ["acme-labs"]);
    let run = service.run(&["spaces", "--name", "nowhere"]);
    assert_eq!(run.succeeded().out, "");
    service.run(&["spaces", "--name", ""]).failed(2);
}

#[test]
fn one_key_by_its_id() {
    let service = Service::new();
    let mine = service.key("mine");
    let bot = bot(&service, "bot", "prod");
    let run = service.run(&["get", &bot, "-o", "json"]);
    let key = json(run.succeeded());
    assert_eq!((&key["name"], &key["spaces"][0]["name"]), (&"bot".into(), &"prod".into()));
    assert!(service.run(&["get", &mine.id]).succeeded().out.contains("mine"));
    service.run(&["get", "QXBpS2V5Ojk5OTp6enp6"]).failed(4);
    service.run(&["get", &bot, "--space", "nowhere"]).failed(4);
    // A scope that could not be read may have it.
    service.rule(|request| {
        if request.uri().query().is_some_and(|query| query.contains("space_id")) {
            Answer::Status(403)
        } else {
            Answer::Honest
        }
    });
    service.run(&["get", &bot]).failed(14);
}

/// Reads the tags of a page. Only these elements and attributes may be there, and no address.
#[track_caller]
fn assert_static(page: &str) {
    const ELEMENTS: [&str; 17] = [
        "!doctype", "html", "meta", "title", "style", "h1", "h2", "p", "ul", "li", "table", "tr", "th", "td", "div",
        "span", "i",
    ];
    const ATTRIBUTES: [&str; 8] = ["class", "style", "title", "role", "lang", "charset", "name", "content"];
    for piece in page.split('<').skip(1) {
        let (tag, text) = piece.split_once('>').unwrap();
        assert!(!text.contains('>'), "{piece}");
        let (name, attributes) = tag.split_once(' ').unwrap_or((tag, ""));
        assert!(ELEMENTS.contains(&name.trim_start_matches('/')), "{tag}");
        // `name="value"`, without quotes in values.
        let mut quoted = attributes.split('"');
        while let (Some(before), Some(_value)) = (quoted.next(), quoted.next()) {
            assert!(ATTRIBUTES.contains(&before.trim().trim_end_matches('=')), "{tag}");
        }
    }
    for address in ["src=", "href=", "url(", "@import", "http://", "https://"] {
        let is_of_w3 = |at: usize| page[at..].starts_with("http://www.w3.org/");
        assert!(page.match_indices(address).all(|(at, _)| is_of_w3(at)), "{address}");
    }
}

#[test]
fn the_page_of_an_audit_shows_texts_of_the_service_as_text() {
    let service = Service::new();
    let names =
        ["<script>alert(1)</script>", "<img src=http://example.com/x>", "\"' onload=\"x", "&lt;b&gt;", "</style>"];
    for name in names {
        bot(&service, name, "prod");
        service.key(name);
    }
    let run = service.run(&["audit", "-o", "html"]);
    // Harmless as text; `assert_static` is stricter than that.
    let page = run.failed(13).out.replace("src=http://example.com", "");
    assert_static(&page);
    assert!(page.contains("<td class=\"text\">&lt;script&gt;alert(1)&lt;/script&gt;<"), "{page}");
    assert!(page.contains("<td class=\"text\">&amp;lt;b&amp;gt;<"), "{page}");
    for text in
        ["Not covered: user keys of users", "<h2>Findings</h2>", "<h2>Time line</h2>", "prefers-color-scheme:dark"]
    {
        assert!(page.contains(text), "{text}");
    }
    // A report without keys is a page, too.
    let run = service.run(&["audit", "-o", "html", "--ignore", "*"]);
    assert_static(&run.succeeded().out);
    assert!(run.out.contains("0 keys, 0 findings") && run.out.contains("<p>None.</p>"), "{}", run.out);
}

#[test]
fn an_audit() {
    let service = Service::new();
    bot(&service, "bot <script>alert(1)</script>", "prod");
    // The keys of the emulator are years old by the clock of the program.
    let run = service.run(&["audit", "-o", "json"]);
    run.failed(13);
    let report = json(&run);
    assert_eq!((&report["keys"], &report["unread"]), (&2.into(), &Value::Array(Vec::new())));
    let rules: Vec<&str> =
        report["findings"].as_array().unwrap().iter().map(|finding| finding["rule"].as_str().unwrap()).collect();
    assert!(["older-than", "never-used", "no-expiry"].iter().all(|rule| rules.contains(rule)), "{rules:?}");
    let finding = &report["findings"][0];
    for member in ["id", "name", "key_type", "spaces", "created_at", "expires_at", "redacted_key", "why"] {
        assert!(finding.get(member).is_some(), "{member}");
    }

    let run = service.run(&["audit", "--expires-within", "14d"]);
    assert_eq!(run.succeeded().out, "");
    let run = service.run(&["audit", "--no-expiry", "--ignore", "bot*", "--ignore", "admin"]);
    assert_eq!(run.succeeded().out, "");

    let page = service.run(&["audit", "-o", "html"]).out;
    assert!(page.starts_with("<!doctype html>") && page.ends_with("</html>\n"));
    assert_static(&page);
    assert!(page.contains("bot &lt;script&gt;alert(1)&lt;/script&gt;"));
    let metrics = service.run(&["audit", "-o", "openmetrics"]).out;
    assert!(metrics.ends_with("# EOF\n"));
    assert!(metrics.contains("arize_api_key_findings{rule=\"no-expiry\"} 2\n"), "{metrics}");
    assert!(metrics.contains("# TYPE arize_api_key_created_timestamp_seconds gauge\n"));
    for args in [["list", "-o", "html"], ["spaces", "-o", "openmetrics"]] {
        service.run(&args).failed(2);
    }
    service.run(&["audit", "--ignore", "[x"]).failed(2);
    service.run(&["audit", "--space", "nowhere"]).failed(4);
}

#[test]
fn an_audit_that_could_not_read_everything() {
    let service = Service::new();
    service.rule(|request| {
        if request.uri().query().is_some_and(|query| query.contains("space_id")) {
            Answer::Status(403)
        } else {
            Answer::Honest
        }
    });
    let run = service.run(&["audit", "--expires-within", "1d", "-o", "json"]);
    run.failed(14);
    assert_eq!(json(&run)["unread"][0]["status"], 403);
    assert!(run.err.contains("not read: the service keys of space prod"), "{}", run.err);
}

fn identify(service: &Service, text: &str, args: &[&str]) -> Run {
    let mut command = service.command(&[&["identify"], args].concat());
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Run { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

#[test]
fn leaked_keys() {
    let service = Service::new();
    let leaked = service.key("leaked");
    let secret = leaked.key.expose_secret();
    let text = format!("KEY='{secret}' and again {secret}, ak-strange-0123456789\n");
    let run = identify(&service, &text, &["-o", "json"]);
    assert_eq!(run.code, Some(0), "{}", run.err);
    assert!(!run.out.contains(secret) && !run.err.contains(secret));
    let report = json(&run);
    assert_eq!((names(&report["matches"]), &report["unmatched"]), (vec!["leaked"], &1.into()));
    assert_eq!(identify(&service, "nothing here", &[]).code, Some(4));
    assert_eq!(identify(&service, "ak-strange-0123456789", &[]).code, Some(4));

    // The redacted form is half public: a forged middle revokes nothing.
    let (head, tail) = leaked.redacted_key.split_once("...").unwrap();
    let forged = format!("{head}0000000000000000{tail}");
    let run = identify(&service, &forged, &["--revoke", "--yes"]);
    assert_eq!(run.code, Some(0), "{}", run.err);
    assert!(service.emulator.authenticates(secret));
    let run = identify(&service, secret, &["--revoke", "--yes", "-o", "json"]);
    assert_eq!((run.code, &json(&run)["matches"][0]["accepted"]), (Some(0), &Value::Bool(true)));
    assert!(!service.emulator.authenticates(secret));
}

#[test]
fn keys_are_pruned_by_every_rule_at_once() {
    let service = Service::new();
    for n in 0..3 {
        service.key(&format!("run:{n}"));
    }
    service.key("other");
    let bot = bot(&service, "run:bot", "prod");
    let run = service.run(&["prune", "--name", "run:*", "-o", "json"]);
    let report = json(run.succeeded());
    assert_eq!((&report["dry_run"], names(&report["selected"]).len()), (&Value::Bool(true), 3));
    assert_eq!(report["revoked"], Value::Array(Vec::new()));
    service.run(&["prune", "--name", "run:*", "--max", "2", "--yes"]).failed(1);
    service.run(&["prune", "--yes"]).failed(2);
    assert_eq!(service.client().list_all(&ListRequest::new()).count(), 5);

    let run = service.run(&["prune", "--name", "run:*", "--older-than", "1d", "--yes", "-o", "json"]);
    assert_eq!(json(run.succeeded())["revoked"].as_array().unwrap().len(), 3);
    let left: Vec<String> = service.client().list_all(&ListRequest::new()).map(|key| key.unwrap().name).collect();
    assert_eq!(left, ["admin", "other"]);
    // The key of the command itself is never selected.
    let run = service.run(&["prune", "--name", "*", "--all-spaces", "-o", "json"]);
    assert_eq!(names(&json(run.succeeded())["selected"]), ["other", "run:bot"]);
    // Nor is one that is named, with or without the padding of its id.
    for id in [bot.as_str(), bot.trim_end_matches('=')] {
        let run = service.run(&["prune", "--name", "*", "--space", "prod", "--keep", id, "-o", "json"]);
        assert_eq!(json(run.succeeded())["selected"], Value::Array(Vec::new()), "{id}");
    }
    let run = service.run(&["prune", "--name", "*", "--space", "prod", "--yes", "-o", "json"]);
    assert_eq!(json(run.succeeded())["revoked"][0], bot.as_str());
    let run = service.run(&["prune", "--expired", "-o", "json"]);
    assert_eq!(json(run.succeeded())["selected"], Value::Array(Vec::new()));
}

#[test]
fn keys_expire_by_the_clock_of_the_service() {
    let service = Service::new();
    let expiring = CreateRequest::new("short").expires_at(service.clock.now() + Duration::hours(1));
    service.client().create(&expiring).unwrap();
    let server = service.emulator.serve().unwrap();
    let selected = || {
        let url = format!("http://127.0.0.1:{}", server.port());
        let mut command = service.command(&["prune", "--expired", "--url", &url, "-o", "json"]);
        let run = crate::service::finish(command.env_remove("ARIZE_API_SCHEME").env_remove("ARIZE_API_HOST"));
        names(&json(run.succeeded())["selected"]).len()
    };
    // By the clock of this machine it expired long ago.
    assert_eq!(selected(), 0);
    service.clock.advance(std::time::Duration::from_secs(3600 + 299));
    assert_eq!(selected(), 0);
    service.clock.advance(std::time::Duration::from_secs(2));
    assert_eq!(selected(), 1);
}

#[test]
fn an_incomplete_list_prunes_nothing() {
    let service = Service::new();
    service.key("run:1");
    service.rule(|request| {
        if request.uri().query().is_some_and(|query| query.contains("space_id")) {
            Answer::Status(403)
        } else {
            Answer::Honest
        }
    });
    let run = service.run(&["prune", "--name", "run:*", "--yes"]);
    run.failed(14);
    assert_eq!(service.client().list_all(&ListRequest::new()).count(), 2);
}

#[test]
fn lists_that_read_everything() {
    let service = Service::new();
    service.client().create(&CreateRequest::new("b")).unwrap();
    service.key("a");
    let gone = service.key("c-gone");
    service.client().revoke(&gone.id).unwrap();
    bot(&service, "bot", "prod");
    let listed = |args: &[&str]| -> Vec<String> {
        let run = service.run(&[&["list", "-o", "json"], args].concat());
        names(&json(run.succeeded())["api_keys"]).into_iter().map(str::to_owned).collect()
    };
    assert_eq!(listed(&["--sort", "name"]), ["a", "admin", "b"]);
    assert_eq!(listed(&["--name", "[ab]"]), ["b", "a"]);
    assert_eq!(listed(&["--status", "all", "--sort", "name"]), ["a", "admin", "b", "c-gone"]);
    assert_eq!(listed(&["--status", "revoked"]), ["c-gone"]);
    assert_eq!(listed(&["--all-spaces", "--sort", "name"]), ["a", "admin", "b", "bot"]);
    assert!(listed(&["--expiring-within", "14d"]).is_empty());
    for args in [
        &["list", "--name", "a", "--cursor", "x"][..],
        &["list", "--status", "all", "--cursor", "x"],
        &["list", "--all-spaces", "--space", "prod"],
    ] {
        service.run(args).failed(2);
    }
}

#[test]
fn a_negative_duration_is_refused_with_its_argument() {
    let service = Service::new();
    for (args, option) in [
        (&["audit", "--older-than", "-1d"][..], "--older-than"),
        (&["audit", "--unused-for", "-1d"], "--unused-for"),
        (&["audit", "--expires-within", "-1d"], "--expires-within"),
        (&["prune", "--older-than", "-1d"], "--older-than"),
        (&["prune", "--unused-for", "-1d"], "--unused-for"),
        (&["list", "--expiring-within", "-1d"], "--expiring-within"),
        (&["ensure", "etl", "--out", "etl.key", "--lifetime", "-1d"], "--lifetime"),
    ] {
        let run = service.run(args);
        run.failed(2);
        assert!(run.err.contains(option) && run.err.contains("a duration is not negative"), "{args:?}: {}", run.err);
    }
    let run = service.run(&["prune", "--expired", "--max", "-1"]);
    run.failed(2);
    assert!(run.err.contains("invalid value '-1' for '--max <N>'"), "{}", run.err);
    assert!(service.seen().is_empty());
}

#[test]
fn the_own_key_that_expires_is_told_once() {
    let service = Service::new();
    let own = CreateRequest::new("own").expires_at(OffsetDateTime::now_utc() + Duration::days(10));
    let own = service.client().create(&own).unwrap();
    let other = service.key("other");
    let mut leaked = String::new();
    for n in 0..120 {
        leaked = service.key(&format!("run:{n}")).key.expose_secret().to_owned();
    }
    service.write("leaked", &leaked, 0o600);
    for args in [
        &["list"][..],
        &["list", "--limit", "2", "-o", "json"],
        &["list", "--all", "-o", "jsonl"],
        &["list", "--name", "o*"],
        &["list", "--all-spaces"],
        &["get", &own.id],
        &["audit"],
        &["identify", "leaked"],
        &["prune", "--name", "run:1", "--yes"],
        &["refresh", &other.id, "--out", "other"],
    ] {
        let mut command = service.command(args);
        command.env("ARIZE_API_KEY", own.key.expose_secret());
        let run = crate::service::finish(&mut command);
        let warning = format!("warning: the API key of this command, {}, expires at ", own.id);
        assert_eq!(run.err.matches(&warning).count(), 1, "{args:?}: {}", run.err);
        let run = service.run(args);
        assert!(!run.err.contains("the API key of this command"), "{args:?}: {}", run.err);
    }
}

#[cfg(unix)]
#[test]
fn an_interrupted_walk_says_how_far_it_came() {
    for (args, message) in [
        (&["list", "--all"][..], "interrupted after 100 keys\n"),
        (&["list", "--sort", "name"], "interrupted after 100 keys\n"),
        (&["audit"], "interrupted after 0 scopes\n"),
        (&["audit", "-q"], "interrupted after 0 scopes\n"),
        (&["get", "QXBpS2V5Ojk5OTp6enp6"], "interrupted after 0 scopes\n"),
    ] {
        let service = Service::new();
        (0..110).for_each(|n| drop(service.key(&format!("key {n}"))));
        // The first page arrives; the second page and the service keys do not.
        service.rule(|request| {
            let query = request.uri().query().unwrap_or_default();
            if query.contains("cursor=") || query.contains("space_id") { Answer::Silence } else { Answer::Honest }
        });
        let mut command = service.command(args);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        service.wait_for_silence();
        let id = rustix::process::Pid::from_child(&child);
        rustix::process::kill_process(id, rustix::process::Signal::INT).unwrap();
        let output = child.wait_with_output().unwrap();
        let err = String::from_utf8(output.stderr).unwrap();
        assert!(err.ends_with(message), "{args:?}: {err}");
        assert_eq!(std::os::unix::process::ExitStatusExt::signal(&output.status), Some(2), "{args:?}");
    }
}
