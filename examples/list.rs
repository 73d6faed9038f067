//! List API keys page by page: `cargo run --example list --features emulator`.

mod support;

use std::error::Error;

use arize_api_keys::{ApiKeyStatus, ApiKeyType, CreateServiceKeyRequest, Error as ArizeError, ListRequest};

fn main() -> Result<(), Box<dyn Error>> {
    let (client, space, _service) = support::connect()?;
    if !std::env::args().any(|word| word == "--live") {
        // The emulator starts without service keys.
        for name in ["ci-bot", "etl", "nightly"] {
            client.create_service_key(&CreateServiceKeyRequest::new(name, space.as_str()))?;
        }
    }

    let mut request =
        ListRequest::new().key_type(ApiKeyType::Service).status(ApiKeyStatus::Active).space(space.as_str()).limit(2);
    loop {
        let page = match client.list(&request) {
            Err(ArizeError::Unauthorized(e)) => return Err(format!("unauthorized: {e}").into()),
            page => page?,
        };
        println!("a page of {}", page.api_keys.len());
        for key in &page.api_keys {
            println!("  {}: {} (type={} status={})", key.id, key.name, key.key_type, key.status);
        }
        // `client.list_all(&request)` is this loop, and fails if a cursor repeats.
        match page.pagination.next_cursor {
            Some(cursor) if page.pagination.has_more => request = request.cursor(cursor),
            _ => return Ok(()),
        }
    }
}
