//! Delete an API key: `cargo run --example delete --features emulator`.

mod support;

use std::error::Error;

use arize_api_keys::{CreateRequest, Error as ArizeError, Outcome};

fn main() -> Result<(), Box<dyn Error>> {
    let (client, _, _service) = support::connect()?;
    let key = client.create(&CreateRequest::new("to-be-removed"))?;

    for id in [key.id.as_str(), "QXBpS2V5OjA6bm9uZQ=="] {
        match client.delete(id) {
            Ok(()) => println!("removed {id}"),
            Err(ArizeError::NotFound(e)) => println!("no api key to remove: {e}"),
            // A removal is idempotent, so the client has repeated it already.
            Err(e) if e.outcome() == Outcome::Unknown => return Err(format!("it may still be active: {e}").into()),
            Err(e) => return Err(e.into()),
        }
    }
    Ok(())
}
