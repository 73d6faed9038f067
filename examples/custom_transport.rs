//! A custom transport around another one: it logs the method, path and status of each request.
//!
//! `cargo run --example custom_transport --features emulator`

use std::error::Error;
use std::sync::Arc;

use arize_api_keys::emulator::Emulator;
use arize_api_keys::{ApiKeysClient, CreateRequest, ListRequest, Transport, TransportError, http};

/// Passes requests on to another transport and logs them. Headers and bodies are left out, because they hold secrets.
struct Logging<T>(T);

impl<T: Transport> Transport for Logging<T> {
    fn send(&self, request: http::Request<Vec<u8>>) -> Result<http::Response<Vec<u8>>, TransportError> {
        let line = format!("{} {}", request.method(), request.uri().path());
        let result = self.0.send(request);
        match &result {
            Ok(response) => println!("{line}: {}, {} bytes", response.status(), response.body().len()),
            Err(error) => println!("{line}: {error}"),
        }
        result
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let builder = if std::env::args().any(|word| word == "--live") {
        // Wraps the default transport with the settings of the environment.
        ApiKeysClient::builder().wrap_transport(|default| Arc::new(Logging(default)))
    } else {
        // The emulator is a transport, so no socket is opened.
        let emulator = Emulator::new();
        ApiKeysClient::builder().ignore_env().api_key(emulator.admin_key()).transport(Logging(emulator))
    };
    let client = builder.build()?;

    client.list(&ListRequest::new())?;
    let created = client.create(&CreateRequest::new("seen-by-the-log"))?;
    client.delete(&created.id)?;
    Ok(())
}
