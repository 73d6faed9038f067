//! The file of the program's own key, rotated while a command runs.

use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};

use arize_api_keys::{ApiKeyStatus, CreateRequest, ExposeSecret, ListRequest};

use crate::service::{Answer, Service, finish};

/// A key in the file `key`, written in this form, and another one in its place at the first request of this method.
fn rotated_at(method: &'static str, form: fn(&str) -> String) -> Service {
    let service = Service::new();
    let first = service.key("own");
    service.write("key", &form(first.key.expose_secret()), 0o600);
    let (client, path, is_done) = (service.client(), service.path("key"), AtomicBool::new(false));
    service.rule(move |request| {
        if request.method().as_str() == method && !is_done.swap(true, Ordering::SeqCst) {
            let second = client.create(&CreateRequest::new("own")).unwrap();
            std::fs::write(&path, form(second.key.expose_secret())).unwrap();
            client.revoke(&first.id).unwrap();
        }
        Answer::Honest
    });
    service
}

#[test]
fn a_command_goes_on_with_the_new_key() {
    let forms: [fn(&str) -> String; 3] =
        [|key| format!("{key}\n"), |key| format!("A=1\nARIZE_API_KEY=\"{key}\"\n"), |key| format!("\u{feff}'{key}'")];
    for form in forms {
        for (method, args) in [("GET", &["list", "--all"][..]), ("POST", &["create", "ci", "--out", "new"])] {
            let service = rotated_at(method, form);
            let mut command = service.command(&[args, &["--api-key-file", "key"]].concat());
            finish(command.env_remove("ARIZE_API_KEY")).succeeded();
            let service = rotated_at(method, form);
            let mut command = service.command(args);
            finish(command.env_remove("ARIZE_API_KEY").env("ARIZE_API_KEY_FILE", "key")).succeeded();
        }
    }
}

/// The key of the caller is rotated while the command runs: the lent key is revoked all the same.
#[test]
fn run_revokes_with_the_new_key() {
    let service = rotated_at("PUT", |key| format!("{key}\n"));
    let mut command = service.command(&["run", "--api-key-file", "key", "--", "true"]);
    let run = finish(command.env_remove("ARIZE_API_KEY"));
    assert!(run.succeeded().err.contains("revoked the key "), "{}", run.err);
    let active = service.client().list_all(&ListRequest::new().status(ApiKeyStatus::Active));
    assert!(active.map(Result::unwrap).all(|key| !key.name.starts_with("run:")));
}

/// Forms that the client does not read from the file: the program reads them and passes the key on.
#[test]
fn other_forms_and_pipes() {
    let service = Service::new();
    let own = service.emulator.admin_key().expose_secret().to_owned();
    service.write("key", &format!("Bearer {own}\n"), 0o600);
    let list = |file: &str| {
        let mut command = service.command(&["list", "--api-key-file", file]);
        command.env_remove("ARIZE_API_KEY");
        command
    };
    finish(&mut list("key")).succeeded();
    for file in ["-", "/dev/stdin"] {
        let mut command = list(file);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), own.as_bytes()).unwrap();
        assert!(child.wait().unwrap().success(), "{file}");
    }
}
