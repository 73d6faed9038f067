//! Refresh an API key: the key stays, its secret is replaced.
//!
//! `cargo run --example refresh --features emulator`

mod support;

use std::error::Error;
use std::time::Duration;

use arize_api_keys::{CreateRequest, Error as ArizeError, RefreshRequest};

fn main() -> Result<(), Box<dyn Error>> {
    let (client, _, _service) = support::connect()?;
    let key = client.create(&CreateRequest::new("to-be-refreshed"))?;

    // During the grace period both secrets work. For a key that expires, the service also requires `.expires_at(…)`, and
    // answers 422 if that is later than the present expiry.
    let request = RefreshRequest::new(&key.id).grace_period(Duration::from_secs(3600));
    let refreshed = match client.refresh(&request) {
        Err(ArizeError::NotFound(e)) => return Err(format!("api key not found: {e}").into()),
        refreshed => refreshed?,
    };
    println!("refreshed key {} - from {} to {}", refreshed.id, key.redacted_key, refreshed.redacted_key);

    client.delete(&refreshed.id)?;
    println!("removed the key");
    Ok(())
}
