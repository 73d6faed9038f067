//! Create a user API key: `cargo run --example create --features emulator`.

mod support;

use std::error::Error;

use arize_api_keys::time::{Duration, OffsetDateTime};
use arize_api_keys::{CreateRequest, Error as ArizeError, ExposeSecret, Outcome};

fn main() -> Result<(), Box<dyn Error>> {
    let (client, _, _service) = support::connect()?;

    let request = CreateRequest::new("personal-key")
        .description("key for local development")
        .expires_at(OffsetDateTime::now_utc() + Duration::days(30));
    let created = match client.create(&request) {
        Ok(created) => created,
        Err(ArizeError::BadRequest(e)) => return Err(format!("invalid request: {e}").into()),
        // The request was sent and no response came. A second create could make a second key; the message says how to
        // find the first one.
        Err(e) if e.outcome() == Outcome::Unknown => return Err(format!("a key may exist: {e}").into()),
        Err(e) => return Err(e.into()),
    };

    // The service shows the secret once. Store it before any other step that can fail.
    let secret = created.key.expose_secret();
    println!("created key {} - secret of {} characters, like {}", created.id, secret.len(), created.redacted_key);

    client.delete(&created.id)?;
    println!("removed the key");
    Ok(())
}
