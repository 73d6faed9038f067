//! That the environment is read, and only if it may be. A process cannot change its own environment safely, so each
//! case runs in a child: this test program, told to run `config::child` alone.

use std::process::Command;

use arize_api_keys::{ApiKeysClient, http};

const IGNORE: &str = "TEST_IGNORE_ENV";

/// The output of a child with this environment about the client that it builds.
fn built_with(env: &[(&str, &str)]) -> String {
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.env_clear().args(["--exact", "config::child", "--ignored", "--nocapture"]).envs(env.iter().copied());
    let output = String::from_utf8(child.output().unwrap().stdout).unwrap();
    let line = output.lines().find_map(|line| line.split_once("outcome: "));
    line.unwrap_or_else(|| panic!("no outcome in {output}")).1.to_owned()
}

#[test]
#[ignore = "run by the other tests, in a separate process"]
fn child() {
    let builder = ApiKeysClient::builder().transport(|_| Ok(http::Response::default()));
    let builder = if std::env::var_os(IGNORE).is_some() { builder.ignore_env() } else { builder };
    match builder.build() {
        Ok(_) => println!("outcome: built"),
        Err(error) => println!("outcome: {error}"),
    }
}

#[test]
fn the_environment_is_read() {
    let key = ("ARIZE_API_KEY", "ak-test");
    assert_eq!(built_with(&[key]), "built");
    assert_eq!(
        built_with(&[key, ("ARIZE_API_PORT", "many")]),
        "configuration: `ARIZE_API_PORT` must be a number from 0 to 65535"
    );
    assert_eq!(built_with(&[]), "configuration: `api_key` is missing: set it, or the variable ARIZE_API_KEY");
}

#[test]
fn the_environment_can_be_ignored() {
    assert_eq!(
        built_with(&[("ARIZE_API_KEY", "ak-test"), (IGNORE, "1")]),
        "configuration: `api_key` is missing: set it, or the variable ARIZE_API_KEY"
    );
}
