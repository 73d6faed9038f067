//! `--to-command`, and the refusal to print secrets.

use arize_api_keys::ListRequest;

use crate::service::Service;

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
