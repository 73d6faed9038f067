//! `--to-command`, and the refusal to print secrets.

use arize_api_keys::ListRequest;

use crate::service::{Answer, Service, finish, has_secret};

fn names(service: &Service) -> Vec<String> {
    service.client().list_all(&ListRequest::new()).skip(1).map(|key| key.unwrap().name).collect()
}

#[test]
fn commands_take_the_secret_on_stdin_and_the_file_comes_last() {
    let service = Service::new();
    let show = "printf '%s %s %s' \"$ARIZE_KEY_NAME\" \"$ARIZE_KEY_EXPIRES_AT\" \"${ARIZE_API_KEY-none}\" > seen";
    let run = service.run(&["create", "ci", "--to-command", "cat > taken", "--to-command", show, "--out", "file"]);
    run.succeeded();
    let secret = service.read("taken");
    assert!(service.emulator.authenticates(&secret), "no newline is added");
    assert_eq!(service.read("file"), format!("{secret}\n"));
    assert_eq!(service.read("seen"), "ci  none");
}

#[test]
fn a_command_that_fails_leaves_no_key() {
    for (command, problem) in [
        ("cat >taken; exit 3", "it ended with status 3"),
        ("kill -9 $$", "signal 9 ended it"),
        ("! true", "it ended with status 1"),
    ] {
        let service = Service::new();
        let run = service.run(&["create", "ci", "--to-command", "true", "--to-command", command]);
        assert_eq!(run.code, Some(10), "{}", run.err);
        assert!(
            run.err.contains(&format!("the command `{command}` did not take it: {problem}; `true` took it")),
            "{}",
            run.err
        );
        assert!(names(&service).is_empty());
    }
}

#[test]
fn a_command_that_does_not_exist_is_found_before_the_key_is_made() {
    let service = Service::new();
    let run = service.run(&["create", "ci", "--to-command", "no-such-program-here put"]);
    assert_eq!(run.code, Some(2));
    assert!(run.err.contains("the command `no-such-program-here` was not found; nothing was created"), "{}", run.err);
    assert_eq!(service.emulator.requests(), 0);
}

#[test]
fn a_rotation_delivers_to_a_command() {
    let service = Service::new();
    let old = service.key("ci 1");
    let run = service.run(&["rotate", &old.id, "ci 2", "--yes", "--to-command", "cat > taken"]);
    run.succeeded();
    assert_eq!(names(&service), ["ci 2"]);
    assert!(service.emulator.authenticates(&service.read("taken")));
}

#[test]
fn file_only_refuses_to_print_before_the_key_is_made() {
    let service = Service::new();
    for args in [
        &["create", "ci"][..],
        &["create", "ci", "-o", "json"],
        &["create", "ci", "--out", "/dev/stdout"],
        &["create-service-key", "ci", "--space", "prod"],
        &["refresh", "QXBpS2V5Ojk5OTp6enp6", "--grace", "1h"],
    ] {
        let run = finish(service.command(args).env("ARIZE_KEYS_SECRETS", "file-only"));
        assert_eq!((run.code, run.out.as_str()), (Some(2), ""), "{}", run.err);
        let state = if args[0] == "refresh" { "nothing was changed" } else { "nothing was created" };
        assert!(run.err.contains(&format!("ARIZE_KEYS_SECRETS=file-only forbids that; {state}")), "{}", run.err);
    }
    assert_eq!(service.emulator.requests(), 0);
    let run = finish(service.command(&["create", "ci", "--out", "file"]).env("ARIZE_KEYS_SECRETS", "file-only"));
    run.succeeded();
    let run = finish(service.command(&["create", "ci"]).env("ARIZE_KEYS_SECRETS", "never"));
    assert!(run.code == Some(2) && run.err.contains("ARIZE_KEYS_SECRETS must be `file-only`"), "{}", run.err);
}

#[test]
fn github_actions_masks_a_secret_that_is_printed() {
    let service = Service::new();
    // Not by `finish`, which accepts no secret on stderr: here GitHub needs it there.
    let output = service.command(&["create", "ci", "-q"]).env("GITHUB_ACTIONS", "true").output().unwrap();
    let (out, err) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert!(output.status.success() && service.emulator.authenticates(out.trim()));
    assert_eq!(
        err.lines().filter(|line| has_secret(line)).collect::<Vec<_>>(),
        [format!("::add-mask::{}", out.trim())]
    );
    // Under another name, and as the last resort.
    let output =
        service.command(&["create", "ci", "-q", "--out", "/dev/stdout"]).env("GITHUB_ACTIONS", "true").output();
    let (out, err) = (output.as_ref().unwrap().stdout.clone(), String::from_utf8(output.unwrap().stderr).unwrap());
    assert!(err.contains(&format!("::add-mask::{}", String::from_utf8(out).unwrap())), "{err}");
    let key = service.key("other");
    service.vanishing_dir(|_| Answer::Honest);
    let output = service.command(&["refresh", &key.id, "--out", "dir/key"]).env("GITHUB_ACTIONS", "true").output();
    let (out, err) = (output.as_ref().unwrap().stdout.clone(), String::from_utf8(output.unwrap().stderr).unwrap());
    assert!(err.contains(&format!("::add-mask::{}", String::from_utf8(out).unwrap())), "{err}");
    assert!(err.contains("its secret was printed on stdout"), "{err}");
    service.vanishing_dir(|_| Answer::Honest);
    let mut command = service.command(&["refresh", &key.id, "--out", "dir/key"]);
    let run = finish(command.env("ARIZE_KEYS_SECRETS", "file-only"));
    // It is replaced already: it would be lost.
    assert!(run.failed(9).err.contains("its secret was printed on stdout"), "{run:?}");
    assert!(service.emulator.authenticates(run.out.trim()), "{run:?}");
    service.rule(|_| Answer::Honest);
    let run = finish(service.command(&["create", "ci", "--out", "file"]).env("GITHUB_ACTIONS", "true"));
    assert!(run.code == Some(0) && !has_secret(&run.err), "{}", run.err);
}

#[test]
fn the_recipes_of_the_documentation_deliver_the_secret() {
    let docs = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/renewing.md");
    let docs = std::fs::read_to_string(docs).unwrap();
    let recipes = docs.split("Recipes for it:\n\n```sh\n").nth(1).unwrap().split("```").next().unwrap();
    assert_eq!(recipes.lines().count(), 6);
    for recipe in recipes.lines() {
        let service = Service::new();
        // A stand-in that keeps its arguments and its stdin; `-f -` gets what the other one writes.
        let stand_in =
            "#!/bin/sh\n{ printf '%s\\n' \"$@\"; case \"$*\" in *credential*) ;; *) cat ;; esac; } | tee -a taken\n";
        std::fs::create_dir(service.path("bin")).unwrap();
        for name in ["gh", "kubectl", "vault", "aws", "op", "secret-tool"] {
            service.write(&format!("bin/{name}"), stand_in, 0o755);
        }
        let path = format!("{}:{}", service.path("bin").display(), std::env::var("PATH").unwrap());
        let args = ["create", "ci", "--out", "file", "--to-command", recipe];
        let run = finish(service.command(&args).env("PATH", path));
        assert_eq!(run.code, Some(0), "{recipe}: {}", run.err);
        let secret = service.read("file");
        assert!(service.read("taken").contains(secret.trim()), "{recipe}");
        assert!(run.out.is_empty() && !has_secret(&run.err), "{recipe}");
    }
}
