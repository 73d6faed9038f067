//! The pre-release warning: once per process and operation, at the first call, before anything else is done. The
//! count is one per process, so each case runs in a child: this test program, with the test `child` alone.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking, and most of this is helpers, which clippy does not take for tests"
)]

use std::process::Command;
use std::sync::{Arc, Barrier, Mutex};
use std::thread;

use arize_api_keys::{
    ApiKeysClient, ApiStage, CreateRequest, CreateServiceKeyRequest, Error, ListRequest, RefreshRequest, http,
};
use log::{LevelFilter, Log, Metadata, Record};

const CASE: &str = "TEST_WARNING_CASE";

/// The events, in order: warnings in the log, warnings of `on_warning`, requests.
static EVENTS: Mutex<Vec<String>> = Mutex::new(Vec::new());

fn note(event: String) {
    EVENTS.lock().unwrap().push(event);
}

/// What happened since the last time.
fn events() -> Vec<String> {
    std::mem::take(&mut *EVENTS.lock().unwrap())
}

struct Logger;

impl Log for Logger {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        note(format!("{} {}: {}", record.level(), record.target(), record.args()));
    }

    fn flush(&self) {}
}

fn client(name: &'static str, stage: ApiStage) -> ApiKeysClient {
    ApiKeysClient::builder()
        .ignore_env()
        .api_key("ak-test")
        .stage(stage)
        .on_warning(move |warning| note(format!("{name} gets: {warning}")))
        .transport(|request: http::Request<Vec<u8>>| {
            note(format!("{} {}", request.method(), request.uri().path()));
            let body = match request.uri().path() {
                "/v2/spaces" => r#"{"spaces":[{"id":"s","name":"prod"}],"pagination":{}}"#,
                "/v2/organizations" => r#"{"organizations":[{"id":"o"}],"pagination":{}}"#,
                _ if request.method() == "GET" => r#"{"api_keys":[{"id":"k"}],"pagination":{}}"#,
                _ => r#"{"id":"k","key":"ak-new"}"#,
            };
            let response = http::Response::builder().header("content-type", "application/json");
            Ok(response.body(body.as_bytes().to_vec()).unwrap())
        })
        .build()
        .unwrap()
}

fn text(operation: &str, stage: ApiStage) -> String {
    let version = env!("CARGO_PKG_VERSION");
    let (label, an) = if stage == ApiStage::Beta { ("BETA", "a beta") } else { ("ALPHA", "an alpha") };
    format!(
        "[{label}] api_keys.{operation} is {an} API in the crate arize-api-keys v{version} and may change without \
         notice; keep the crate up to date"
    )
}

/// The two channels, in their order.
fn warned(operation: &str, stage: ApiStage) -> Vec<String> {
    let text = text(operation, stage);
    vec![format!("WARN arize_api_keys::prerelease: {text}"), format!("first gets: {text}")]
}

fn each_operation_once(stage: ApiStage) {
    let first = client("first", stage);
    assert_eq!(events(), [""; 0], "a client alone warns of nothing");

    // The warning, and then the result of the call: even one that is refused before any I/O.
    assert!(matches!(first.create(&CreateRequest::new("x".repeat(257))), Err(Error::InvalidRequest(_))));
    assert_eq!(events(), warned("create", stage));
    assert!(matches!(first.delete(""), Err(Error::InvalidRequest(_))));
    assert_eq!(events(), warned("delete", stage));
    first.refresh(&RefreshRequest::new("k")).unwrap();
    assert_eq!(events(), [warned("refresh", stage), vec!["POST /v2/api-keys/k/refresh".into()]].concat());
    first.revoke("k").unwrap();
    assert_eq!(events(), [warned("revoke", stage), vec!["PUT /v2/api-keys/k/revoke".into()]].concat());

    // Every page of every list is one operation, and the look-up of a space none.
    let mut keys = first.list_all(&ListRequest::new().space("prod"));
    assert_eq!(events(), [""; 0], "nothing is done before a key is asked for");
    keys.next().unwrap().unwrap();
    assert_eq!(events(), [warned("list", stage), vec!["GET /v2/spaces".into(), "GET /v2/api-keys".into()]].concat());
    first.create_service_key(&CreateServiceKeyRequest::new("n", "prod")).unwrap();
    let requests: &[&str] = match stage {
        ApiStage::Beta => &["GET /v2/spaces", "GET /v2/organizations", "GET /v2/spaces", "POST /v2/api-keys"],
        _ => &["GET /v2/spaces", "POST /v2/api-keys"],
    };
    let requests: Vec<String> = requests.iter().map(|&request| request.into()).collect();
    assert_eq!(events(), [warned("create_service_key", stage), requests].concat());

    // Never again in this process: not by a clone, not by another client, not on another stage.
    let other = if stage == ApiStage::Beta { ApiStage::Alpha } else { ApiStage::Beta };
    for client in [first.clone(), client("second", stage), client("third", other)] {
        client.list(&ListRequest::new()).unwrap();
        client.create(&CreateRequest::new("n")).unwrap();
        client.create_service_key(&CreateServiceKeyRequest::new("n", "prod")).unwrap();
        client.refresh(&RefreshRequest::new("k")).unwrap();
        client.delete("k").unwrap();
        client.revoke("k").unwrap();
        // The old key is not in the list.
        client.rotate("old", CreateRequest::new("n"), |_| Ok::<(), ()>(())).unwrap_err();
    }
    let again: Vec<String> = events().into_iter().filter(|event| event.contains("may change")).collect();
    assert_eq!(again, [""; 0]);
}

fn once_whoever_comes_first() {
    let client = client("first", ApiStage::Beta);
    let start = Barrier::new(8);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                start.wait();
                client.list(&ListRequest::new()).unwrap();
            });
        }
    });
    let warnings: Vec<String> = events().into_iter().filter(|event| event.contains("may change")).collect();
    assert_eq!(warnings, warned("list", ApiStage::Beta));
}

fn nobody_needs_to_listen() {
    let calls = Arc::new(Mutex::new(0));
    let counted = Arc::clone(&calls);
    let transport = move |_: http::Request<Vec<u8>>| {
        *counted.lock().unwrap() += 1;
        Ok(http::Response::new(br#"{"api_keys":[]}"#.to_vec()))
    };
    let client = ApiKeysClient::builder().ignore_env().api_key("ak-test").transport(transport).build().unwrap();
    client.list(&ListRequest::new()).unwrap();
    assert_eq!(*calls.lock().unwrap(), 1);
    let [warning] = <[String; 1]>::try_from(events()).unwrap();
    assert!(warning.contains("api_keys.list"));
}

#[test]
fn child() {
    let Ok(case) = std::env::var(CASE) else { return };
    log::set_logger(&Logger).unwrap();
    log::set_max_level(LevelFilter::Warn);
    match case.as_str() {
        "beta" => each_operation_once(ApiStage::Beta),
        "alpha" => each_operation_once(ApiStage::Alpha),
        "threads" => once_whoever_comes_first(),
        "no listener" => nobody_needs_to_listen(),
        other => panic!("no case {other}"),
    }
    println!("the case {case} is through");
}

#[track_caller]
fn run(case: &str) {
    let mut child = Command::new(std::env::current_exe().unwrap());
    let child = child.args(["--exact", "child", "--nocapture"]).env(CASE, case).output().unwrap();
    let said = [child.stdout, child.stderr].map(|said| String::from_utf8_lossy(&said).into_owned()).concat();
    assert!(child.status.success() && said.contains(&format!("the case {case} is through")), "{said}");
}

#[test]
fn on_the_beta_stage() {
    run("beta");
}

#[test]
fn on_the_alpha_stage() {
    run("alpha");
}

#[test]
fn once_among_threads_that_begin_together() {
    run("threads");
}

#[test]
fn in_the_log_alone_if_no_one_else_listens() {
    run("no listener");
}
