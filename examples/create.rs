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
        // Sent, and no answer: do not just try again, or there are two keys. The message says how to find out.
        Err(e) if e.outcome() == Outcome::Unknown => return Err(format!("look before you try again: {e}").into()),
        Err(e) => return Err(e.into()),
    };

    // The secret is shown once, here: store it before anything else can go wrong.
    let secret = created.key.expose_secret();
    println!("created key {} - secret of {} characters, like {}", created.id, secret.len(), created.redacted_key);

    client.delete(&created.id)?;
    println!("removed it again");
    Ok(())
}
