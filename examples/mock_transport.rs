//! Unit tests with a mocked transport (mockall): which request the code sends, and how it handles a failure.
//!
//! `cargo run --example mock_transport`
//!
//! For a whole service instead of single responses, use the emulator: see the README. There is no `--live` here, because
//! the mock sends nothing.

use std::error::Error;

use arize_api_keys::{
    ApiKeysClient, Error as ArizeError, Outcome, RetryPolicy, Transport, TransportError, TransportErrorKind, http,
};
use mockall::predicate::function;

mockall::mock! {
    Wire {}
    impl Transport for Wire {
        fn send(&self, request: http::Request<Vec<u8>>) -> Result<http::Response<Vec<u8>>, TransportError>;
    }
}

/// The code under test: removes a key, and returns an instruction for the operator if the result is not certain.
fn remove(client: &ApiKeysClient, id: &str) -> Result<&'static str, ArizeError> {
    match client.delete(id) {
        Ok(()) | Err(ArizeError::NotFound(_)) => Ok("gone"),
        Err(e) if e.outcome() == Outcome::Unknown => Ok("check the list of keys"),
        Err(e) => Err(e),
    }
}

fn client(wire: MockWire) -> Result<ApiKeysClient, ArizeError> {
    let builder = ApiKeysClient::builder().ignore_env().api_key("ak-for-a-test").retry(RetryPolicy::none());
    builder.transport(wire).build()
}

fn main() -> Result<(), Box<dyn Error>> {
    let is_revoke = |request: &http::Request<Vec<u8>>| {
        request.method() == "PUT" && request.uri() == "https://api.arize.com/v2/api-keys/abc/revoke"
    };

    let mut wire = MockWire::new();
    wire.expect_send().with(function(is_revoke)).times(1).returning(|_| {
        let mut response = http::Response::new(Vec::new());
        *response.status_mut() = http::StatusCode::NO_CONTENT;
        Ok(response)
    });
    assert_eq!(remove(&client(wire)?, "abc")?, "gone");

    let mut wire = MockWire::new();
    wire.expect_send()
        .with(function(is_revoke))
        .times(1)
        .returning(|_| Err(TransportError::new(TransportErrorKind::Interrupted, "the connection was reset")));
    assert_eq!(remove(&client(wire)?, "abc")?, "check the list of keys");

    println!("both tests pass");
    Ok(())
}
