//! `--timeout` bounds a command as a whole.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use std::io::ErrorKind;

use arize_api_keys::http::Response;
use arize_api_keys::{CreateRequest, SendOptions};

use crate::double::{Double, Plan};

const ID: &str = "QXBpS2V5OjE6YWJjZA==";

/// A service that takes this long for each page, and always names a next one.
fn endless(seconds: u64) -> Double {
    let double = Double::new();
    let (clock, pages) = (double.world().clock.clone(), AtomicU32::new(0));
    double.respond(move |_| {
        clock.advance(Duration::from_secs(seconds));
        let page = pages.fetch_add(1, Ordering::Relaxed);
        let body = format!(
            r#"{{"api_keys":[{{"id":"{page}","name":"n"}}],"spaces":[],"pagination":{{"has_more":true,"next_cursor":"c{page}"}}}}"#
        );
        Some(Response::builder().header("content-type", "application/json").body(body.into_bytes()).unwrap())
    });
    double
}

fn requests(steps: &[String]) -> usize {
    steps.iter().filter(|step| step.starts_with("GET ") || step.starts_with("PUT ")).count()
}

#[test]
fn every_page_counts() {
    for format in ["table", "json", "jsonl", "csv"] {
        let run = endless(1).run(&["list", "--all", "--timeout", "3s", "-o", format]);
        assert_eq!((run.code, requests(&run.steps)), (Some(7), 3), "{}", run.err);
        assert!(run.err.contains("the list is not complete, 3 keys came: list: "), "{}", run.err);
        assert!(run.err.contains("hint: go on with --cursor c2\n"), "{}", run.err);
        assert!(run.out.contains('2'), "{}", run.out);
    }
}

#[test]
fn a_walk_without_a_timeout_ends_after_ten_minutes() {
    let run = endless(50).run(&["list", "--all"]);
    assert_eq!((run.code, requests(&run.steps)), (Some(7), 12), "{}", run.err);
    // A timeout of more than the longest time of a call is one of the command.
    let run = endless(1000).run(&["list", "--all", "--timeout", "2h"]);
    assert_eq!((run.code, requests(&run.steps)), (Some(7), 8), "{}", run.err);
}

#[test]
fn look_ups_count() {
    let run = endless(1).run(&["list", "--space", "prod", "--timeout", "3s"]);
    assert_eq!((run.code, requests(&run.steps)), (Some(7), 3), "{}", run.err);
}

#[test]
fn check_makes_one_request() {
    let run = endless(1).run(&["check"]);
    assert_eq!((run.code, requests(&run.steps)), (Some(0), 1), "{}", run.err);
    assert!(run.out.contains("accepted  yes"), "{}", run.out);
}

#[test]
fn several_calls_count() {
    let double = Double::new();
    let clock = double.world().clock.clone();
    double.respond(move |_| {
        clock.advance(Duration::from_secs(2));
        Some(Response::builder().status(204).body(Vec::new()).unwrap())
    });
    let run = double.run(&["revoke", "--yes", "--timeout", "3s", ID, "QXBpS2V5OjE6YWJjZQ==", "QXBpS2V5OjE6YWJjZg=="]);
    assert_eq!((run.code, requests(&run.steps)), (Some(7), 2), "{}", run.err);
    assert_eq!(run.out, format!("{ID}\nQXBpS2V5OjE6YWJjZQ==\n"));
}

/// The key of a secret that cannot be printed is revoked, even when the time is over.
#[test]
fn cleaning_up_has_time_of_its_own() {
    let double = Double::new();
    let world = double.world();
    let clock = world.clock.clone();
    double.respond(move |_| {
        clock.advance(Duration::from_secs(2));
        None
    });
    double.plan(|_, name| if name == "stdout" { Plan::Fail(ErrorKind::StorageFull) } else { Plan::Go });
    let run = double.run(&["create", "x", "--timeout", "1s"]);
    assert_eq!((run.code, requests(&run.steps)), (Some(10), 1), "{}", run.err);
}

#[test]
fn look_ups_of_a_key_count() {
    let run = endless(1).run(&["get", ID, "--timeout", "3s"]);
    assert_eq!((run.code, requests(&run.steps)), (Some(7), 3), "{}", run.err);
}

/// A command that takes the secret has no more time than the program. The key that it did not take is revoked.
#[test]
fn commands_count() {
    let double = Double::new();
    let run = double.run(&["create", "x", "--to-command", "sleep 50", "--timeout", "500ms"]);
    assert_eq!((run.code, requests(&run.steps)), (Some(10), 1), "{}", run.err);
    assert!(run.err.contains("the command `sleep 50` did not take it: "), "{}", run.err);
}

/// Nor does `--timeout` bound the requests that clean up.
#[test]
fn cleaning_up_has_the_usual_time_for_a_request() {
    for command in [&["create", "x"][..], &["create-service-key", "x", "--space", "prod"], &["rotate", "", "--yes"]] {
        let double = Double::new();
        let old = double.admin().create(&CreateRequest::new("old")).unwrap();
        double.respond(|request| {
            let options = request.extensions().get::<SendOptions>().unwrap();
            let time = options.timeout;
            assert!(request.method() != "PUT" || time > Duration::from_secs(5), "{time:?} for a removal");
            None
        });
        double.plan(|_, name| if name == "stdout" { Plan::Fail(ErrorKind::StorageFull) } else { Plan::Go });
        let command = command.iter().map(|word| if word.is_empty() { old.id.as_str() } else { word });
        let args: Vec<&str> = command.chain(["--out", "-", "--timeout", "1s"]).collect();
        let run = double.run(&args);
        assert_eq!(run.code, Some(10), "{}", run.err);
        assert!(run.steps.iter().any(|step| step.starts_with("PUT ")), "{:?}", run.steps);
    }
}
