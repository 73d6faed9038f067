//! Refresh an API key, that is, rotate its secret: `cargo run --example refresh --features emulator`.

mod support;

use std::error::Error;
use std::time::Duration;

use arize_api_keys::{CreateRequest, Error as ArizeError, RefreshRequest};

fn main() -> Result<(), Box<dyn Error>> {
    let (client, _, _service) = support::connect()?;
    let key = client.create(&CreateRequest::new("to-be-rotated"))?;

    // With a grace period, programs that hold the old secret go on working until they have the new one. A key that expires
    // needs `.expires_at(…)` too, not later than it has.
    let request = RefreshRequest::new(&key.id).grace_period(Duration::from_secs(3600));
    let rotated = match client.refresh(&request) {
        Err(ArizeError::NotFound(e)) => return Err(format!("api key not found: {e}").into()),
        rotated => rotated?,
    };
    println!("rotated key {} - from {} to {}", rotated.id, key.redacted_key, rotated.redacted_key);

    client.delete(&rotated.id)?;
    println!("removed it again");
    Ok(())
}
