//! The environment of real processes. A process cannot change its own environment safely, so each case runs in a child:
//! this test program, told to run `child` alone, with nothing in its environment but what the case says.
#![cfg(feature = "ureq")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking, and most of this is helpers, which clippy does not take for tests"
)]

use std::process::Command;

use arize_api_keys::{ApiKeysClient, ApiStage, ClientBuilder, Error, http};

const CASE: &str = "TEST_FROM_ENV_CASE";
const KEY: (&str, &str) = ("ARIZE_API_KEY", "ak-from-env");

fn outcome(client: Result<ApiKeysClient, Error>) -> String {
    match client {
        Ok(client) => format!("{client:?}"),
        Err(error @ Error::Config(_)) => error.to_string(),
        Err(error) => panic!("{error:?}"),
    }
}

/// The request of a client of this builder. With a transport of the caller, the variables of TLS and proxies do not count.
fn request_of(builder: ClientBuilder) -> String {
    let client = builder.transport(|request: http::Request<Vec<u8>>| {
        let key = request.headers()["authorization"].to_str().unwrap();
        println!("outcome: {} {} {key}", request.method(), request.uri());
        Ok(http::Response::builder().header("content-type", "application/json").body(b"{}".to_vec()).unwrap())
    });
    match client.build() {
        // Nothing can be deleted here; which request it would be, tells the stage.
        Ok(client) => client.delete("k").map_or_else(|error| error.to_string(), |()| "sent".to_owned()),
        Err(error) => error.to_string(),
    }
}

#[test]
fn child() {
    let Ok(case) = std::env::var(CASE) else { return };
    let builder = ApiKeysClient::builder;
    let outcome = match case.as_str() {
        "from_env" => outcome(ApiKeysClient::from_env()),
        "request" => request_of(builder()),
        "explicit" => request_of(
            builder().api_key("ak-explicit").host("own.example").scheme("https").port(8443).stage(ApiStage::Alpha),
        ),
        "explicit region" => request_of(builder().region("eu-west-1a")),
        "no_proxy" => outcome(builder().no_proxy().build()),
        "ignored" => outcome(builder().ignore_env().api_key("ak-explicit").build()),
        "ignored, no key" => outcome(builder().ignore_env().build()),
        other => panic!("no case {other}"),
    };
    println!("outcome: {outcome}");
}

/// The first outcome that a child with these variables tells.
#[track_caller]
fn run(case: &str, env: &[(&str, &str)]) -> String {
    let mut child = Command::new(std::env::current_exe().unwrap());
    let child = child.env_clear().env(CASE, case).envs(env.iter().copied());
    let output = child.args(["--exact", "child", "--nocapture"]).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let outcome = said.lines().find_map(|line| Some(line.split_once("outcome: ")?.1.to_owned()));
    outcome.unwrap_or_else(|| panic!("{said}{}", String::from_utf8_lossy(&output.stderr)))
}

fn built(outcome: &str) -> bool {
    outcome.starts_with("ApiKeysClient {")
}

#[test]
fn the_environment_goes_before_the_defaults() {
    assert_eq!(run("request", &[KEY]), "PUT https://api.arize.com/v2/api-keys/k/revoke Bearer ak-from-env");
    let env = [
        ("ARIZE_API_KEY", "  ak-padded\n"),
        ("ARIZE_API_HOST", "env.example/base"),
        ("ARIZE_API_PORT", "8080"),
        ("ARIZE_API_SCHEME", "HTTPS"),
        ("ARIZE_API_STAGE", "ALPHA"),
    ];
    assert_eq!(run("request", &env), "DELETE https://env.example:8080/base/v2/api-keys/k Bearer ak-padded");
    let region = run("request", &[KEY, ("ARIZE_REGION", "us-east-1b"), ("ARIZE_API_HOST", "ignored.example")]);
    assert_eq!(region, "PUT https://api.us-east-1b.arize.com/v2/api-keys/k/revoke Bearer ak-from-env");
    let single = run("request", &[KEY, ("ARIZE_SINGLE_HOST", "one.example"), ("ARIZE_SINGLE_PORT", "9000")]);
    assert_eq!(single, "PUT https://one.example:9000/v2/api-keys/k/revoke Bearer ak-from-env");
    let domain = run("request", &[KEY, ("ARIZE_BASE_DOMAIN", "corp.example")]);
    assert_eq!(domain, "PUT https://api.corp.example/v2/api-keys/k/revoke Bearer ak-from-env");
}

#[test]
fn the_program_goes_before_the_environment() {
    // A variable is not even read where the program has the setting.
    let env = [
        ("ARIZE_API_KEY", "Bearer nonsense"),
        ("ARIZE_API_HOST", "env.example"),
        ("ARIZE_API_PORT", "many"),
        ("ARIZE_API_SCHEME", "ftp"),
        ("ARIZE_API_STAGE", "gamma"),
    ];
    assert_eq!(run("explicit", &env), "DELETE https://own.example:8443/v2/api-keys/k Bearer ak-explicit");
}

#[test]
fn from_env_builds_with_the_default_transport() {
    let client = run("from_env", &[KEY, ("ARIZE_REGION", "eu-west-1a"), ("ARIZE_API_STAGE", "alpha")]);
    assert!(built(&client), "{client}");
    assert!(client.contains("api.eu-west-1a.arize.com") && client.contains("stage: Alpha"), "{client}");
    assert!(!client.contains("ak-from-env"));
}

#[test]
fn what_cannot_be_used_is_named() {
    for (env, message) in [
        (vec![], "`api_key` is missing: set it, or the variable ARIZE_API_KEY"),
        (vec![("ARIZE_API_KEY", " ")], "`ARIZE_API_KEY` is blank"),
        (vec![("ARIZE_API_KEY", "Bearer ak-x")], "`ARIZE_API_KEY` begins with `Bearer`: give the key alone"),
        (vec![KEY, ("ARIZE_API_STAGE", "gamma")], "`ARIZE_API_STAGE` must be `alpha` or `beta`"),
        (vec![KEY, ("ARIZE_API_SCHEME", "ftp")], "`ARIZE_API_SCHEME` must be `https` or `http`"),
        (vec![KEY, ("ARIZE_API_PORT", "many")], "`ARIZE_API_PORT` must be a number from 0 to 65535"),
        (
            vec![KEY, ("ARIZE_REGION", "mars")],
            "`ARIZE_REGION` must be one of ca-central-1a, eu-west-1a, us-central-1a, us-east-1b",
        ),
        (
            vec![KEY, ("ARIZE_REQUEST_VERIFY", "maybe")],
            "`ARIZE_REQUEST_VERIFY` must be `true` or `false` (or 1, 0, yes, no, on, off)",
        ),
        (
            vec![KEY, ("HTTPS_PROXY", "://garbage at all")],
            "`HTTPS_PROXY` must be a proxy URL, `http://[user:password@]host[:port]` or `https://…`",
        ),
        (
            vec![KEY, ("ARIZE_PROXY_URL", "socks5://proxy.example")],
            "`ARIZE_PROXY_URL` names a SOCKS proxy: only http:// and https:// proxies are supported",
        ),
    ] {
        assert_eq!(run("from_env", &env), format!("configuration: {message}"));
    }
}

#[test]
fn places_exclude_each_other_wherever_they_come_from() {
    let excludes = "set one of a region, a single host and a base domain";
    assert_eq!(
        run("from_env", &[KEY, ("ARIZE_REGION", "eu-west-1a"), ("ARIZE_SINGLE_HOST", "one.example")]),
        format!("configuration: `ARIZE_REGION` excludes `ARIZE_SINGLE_HOST`: {excludes}")
    );
    assert_eq!(
        run("explicit region", &[KEY, ("ARIZE_SINGLE_HOST", "one.example")]),
        format!("configuration: `region` excludes `ARIZE_SINGLE_HOST`: {excludes}")
    );
    assert_eq!(
        run("explicit region", &[KEY, ("ARIZE_BASE_DOMAIN", "d.example"), ("ARIZE_SINGLE_HOST", "one.example")]),
        format!("configuration: `region` excludes `ARIZE_SINGLE_HOST` and `ARIZE_BASE_DOMAIN`: {excludes}")
    );
}

#[test]
fn the_usual_variables_of_proxies() {
    let garbage = ("HTTPS_PROXY", "http://");
    for env in [
        [KEY, ("HTTPS_PROXY", "http://proxy.example:3128"), ("NO_PROXY", "")],
        [KEY, ("https_proxy", "proxy.example"), ("HTTP_PROXY", "http://")],
        // Nothing is parsed that is not used.
        [KEY, garbage, ("NO_PROXY", "arize.com")],
        [KEY, garbage, ("ARIZE_PROXY_URL", "http://proxy.example")],
    ] {
        let outcome = run("from_env", &env);
        assert!(built(&outcome), "{env:?}: {outcome}");
    }
    assert!(run("from_env", &[KEY, garbage]).starts_with("configuration: `HTTPS_PROXY` must be"));
    assert!(built(&run("no_proxy", &[KEY, garbage])));
}

#[test]
fn the_environment_can_be_ignored() {
    let nonsense = [
        KEY,
        ("ARIZE_API_HOST", "env.example"),
        ("ARIZE_API_PORT", "many"),
        ("ARIZE_API_SCHEME", "ftp"),
        ("ARIZE_API_STAGE", "gamma"),
        ("ARIZE_REGION", "mars"),
        ("ARIZE_SINGLE_HOST", "one.example"),
        ("ARIZE_SINGLE_PORT", "0"),
        ("ARIZE_BASE_DOMAIN", "d.example"),
        ("ARIZE_REQUEST_VERIFY", "maybe"),
        ("ARIZE_SSL_CA_CERT", "/nowhere/ca.pem"),
        ("SSL_CERT_FILE", "/nowhere/ca.pem"),
        ("ARIZE_PROXY_URL", "socks5://x"),
        ("HTTPS_PROXY", "garbage://"),
        ("ALL_PROXY", "garbage://"),
    ];
    let client = run("ignored", &nonsense);
    assert!(built(&client) && client.contains("api.arize.com") && client.contains("stage: Beta"), "{client}");
    let missing = "configuration: `api_key` is missing: set it, or the variable ARIZE_API_KEY";
    assert_eq!(run("ignored, no key", &nonsense), missing);
}
