//! Testing one's own code with a mock of the transport (mockall): what is asked, and what to do when it fails.
//!
//! `cargo run --example mock_transport`
//!
//! Where a test needs a service that behaves, rather than single answers, the emulator is less work: see the README.
//! This example has no `--live`: a mock answers, nobody else.

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

/// The code under test: removes a key, and says what to tell the person on duty if that is not certain.
fn remove(client: &ApiKeysClient, id: &str) -> Result<&'static str, ArizeError> {
    match client.delete(id) {
        Ok(()) | Err(ArizeError::NotFound(_)) => Ok("gone"),
        Err(e) if e.outcome() == Outcome::Unknown => Ok("look at the list of keys"),
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
    assert_eq!(remove(&client(wire)?, "abc")?, "look at the list of keys");

    println!("both tests pass");
    Ok(())
}
