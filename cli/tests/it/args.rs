//! The grammar of the command line: which options go where, and which values are refused before anything happens.

use std::path::Path;

use arize_api_keys::ExposeSecret;

use crate::service::Service;

const ID: &str = "QXBpS2V5OjE6YWJjZA==";

#[test]
fn global_options_before_and_after_the_command() {
    let service = Service::new();
    let after = service.run(&["list", "-o", "csv", "-q", "--stage", "beta"]);
    for args in [
        &["-o", "csv", "-q", "--stage", "beta", "list"][..],
        &["-o", "csv", "-q", "list", "--stage", "beta"],
        &["--stage", "beta", "list", "-qo", "csv"],
        // The one after the command decides.
        &["-o", "json", "--stage", "alpha", "list", "-qo", "csv", "--stage", "beta"],
    ] {
        let run = service.run(args);
        assert_eq!(run.succeeded().out, after.out, "{args:?}");
        assert_eq!(run.err, "", "{args:?}");
    }
    let key = service.path("key");
    std::fs::write(&key, service.emulator.admin_key().expose_secret()).unwrap();
    let mut command = service.command(&["--api-key-file", "key", "--timeout", "30s", "check", "-o", "json"]);
    let run = crate::service::finish(command.env_remove("ARIZE_API_KEY"));
    assert!(run.succeeded().out.contains(r#""key_from": "the file key""#), "{}", run.out);
}

#[test]
fn options_without_an_effect_are_refused() {
    let service = Service::new();
    for (args, problem) in [
        (&["-q", "list", "-v"][..], "--quiet and --verbose exclude each other"),
        (&["list", "-v", "-q"], "--quiet and --verbose exclude each other"),
        (&["create", "x", "--env-name", "KEY"], "--env-file <FILE>"),
        (&["create", "x", "--out", "f", "--env-name", "KEY"], "cannot be used with '--env-name <NAME>'"),
        (&["refresh", ID, "--env-name", "KEY"], "--env-file <FILE>"),
        (&["create-service-key", "x", "--space", "s", "--env-name", "ARIZE_API_KEY"], "--env-file <FILE>"),
        (&["rotate", ID, "x", "--out", "f", "--env-name", "KEY"], "cannot be used with '--env-name <NAME>'"),
        (&["list", "--org", "T3Jn"], "--space <NAME|ID>"),
        (&["create-service-key", "x", "--grant", "o/s", "--org", "T3Jn"], "cannot be used with"),
        (&["rotate", ID, "x", "--out", "f", "--space-role", "admin"], "--space <NAME|ID>|--grant"),
        (&["--host", "example.com", "man"], "--host has no effect on `man`"),
        (&["completions", "bash", "-o", "json"], "--output has no effect on `completions`"),
        (&["emulator", "--region", "eu-west-1a"], "--region has no effect on `emulator`"),
        (&["-v", "emulator"], "--verbose has no effect on `emulator`"),
        (&["--host", "example.com", "list", "--region", "eu-west-1a"], "--host excludes --region, --single-host and"),
        (
            &["list", "--host", "example.com", "--single-host", "example.org"],
            "--host excludes --region, --single-host and",
        ),
        (
            &["list", "--base-domain", "example.org", "--host", "example.com"],
            "--host excludes --region, --single-host and",
        ),
        (&["list", "--port", "1", "--single-port", "2"], "--port and --single-port exclude each other"),
        (&["create-service-key", "x", "--grant", "o/s=member", "--space-role", "member"], "every --grant has a role"),
        (
            &["rotate", ID, "--out", "f", "--grant", "o/s=member", "--grant", "o/t=admin", "--space-role", "member"],
            "every --grant has a role: --space-role has no effect",
        ),
        (&["ensure", "x", "--to-command", "cat", "--no-read", "--replace-stored"], "'--replace-stored'"),
        (&["identify", "--api-key-file", "-"], "--api-key-file and FILE both read stdin"),
        (&["create-service-key", "x", "--assignments", "-", "--api-key-file", "-"], "--assignments both read stdin"),
        (&["--api-key-file", "-", "ensure", "x", "--out", "f", "--assignments", "-"], "--assignments both read stdin"),
    ] {
        let run = service.run(args);
        run.failed(2);
        assert!(run.err.contains(problem), "{args:?}: {}", run.err);
    }
    assert!(service.seen().is_empty());
    assert!(service.files().is_empty());
}

#[test]
fn blank_values_are_refused_and_the_argument_is_named() {
    let service = Service::new();
    for blank in ["", " ", "\t", "\u{a0}", "\u{200b}\n", "\u{feff} ", "\u{2800}", "\u{ad}\u{3164}"] {
        for (args, name) in [
            (&["create", blank][..], "<NAME>"),
            (&["create-service-key", blank, "--space", "s"], "<NAME>"),
            (&["create-service-key", "x", "--space", blank], "--space <NAME|ID>"),
            (&["create-service-key", "x", "--space", "s", "--org", blank], "--org <ORG_ID>"),
            (&["create-service-key", "x", "--assignments", blank], "--assignments <FILE>"),
            (&["refresh", blank], "<ID>"),
            (&["revoke", "--yes", blank], "<ID>..."),
            (&["delete", "--yes", ID, blank], "<ID>..."),
            (&["rotate", blank, "x", "--out", "f"], "<ID>"),
            (&["rotate", ID, blank, "--out", "f"], "[NAME]"),
            (&["create", "x", "--out", blank], "--out <FILE>"),
            (&["create", "x", "--env-file", blank], "--env-file <FILE>"),
            (&["create", "x", "--env-file", "f", "--env-name", blank], "--env-name <NAME>"),
            (&["list", "--space", blank], "--space <NAME|ID>"),
            (&["list", "--user", blank], "--user <USER_ID>"),
            (&["list", "--api-key-file", blank], "--api-key-file <FILE>"),
            (&["--host", blank, "list"], "--host <HOST>"),
            (&["list", "--region", blank], "--region <REGION>"),
            (&["list", "--ca-file", blank], "--ca-file <FILE>"),
            (&["man", "--dir", blank], "--dir <DIR>"),
        ] {
            let run = service.run(args);
            run.failed(2);
            assert!(run.err.contains(&format!("for '{name}': ")), "{args:?}: {}", run.err);
        }
    }
    assert!(service.seen().is_empty());
    assert!(service.files().is_empty());
}

/// A script that walks the pages has no cursor in its first round.
#[test]
fn an_empty_cursor_is_the_first_page() {
    let service = Service::new();
    let first = service.run(&["list", "-o", "json"]);
    assert_eq!(service.run(&["list", "-o", "json", "--cursor", ""]).succeeded().out, first.succeeded().out);
}

#[test]
fn commands_that_send_nothing_do_not_show_the_options_of_requests() {
    let service = Service::new();
    for command in ["man", "completions", "emulator"] {
        let help = service.run(&[command, "--help"]);
        assert!(!help.succeeded().out.contains("--api-key-file"), "{}", help.out);
    }
    assert!(service.run(&["emulator", "--help"]).out.contains("--port"));
    assert!(service.run(&["--help"]).out.contains("--api-key-file"));
    service.run(&["man", "--dir", "pages"]).succeeded();
    assert!(!service.read("pages/arize-keys-man.1").contains("api-key-file"));
    assert!(service.read("pages/arize-keys-list.1").contains("api\\-key\\-file"));
    assert!(!Path::new(&service.path("pages/arize-keys-help.1")).exists());
}
