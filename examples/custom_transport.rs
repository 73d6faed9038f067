//! A transport of one's own, around the default one: it logs what goes out and how it ends.
//!
//! `cargo run --example custom_transport --features emulator`

use std::error::Error;
use std::sync::Arc;

use arize_api_keys::emulator::Emulator;
use arize_api_keys::{ApiKeysClient, CreateRequest, ListRequest, Transport, TransportError, http};

/// Hands on to another transport, and tells. Never the headers and never the bodies: they hold the key and its secrets.
struct Logging<T>(T);

impl<T: Transport> Transport for Logging<T> {
    fn send(&self, request: http::Request<Vec<u8>>) -> Result<http::Response<Vec<u8>>, TransportError> {
        let what = format!("{} {}", request.method(), request.uri().path());
        let result = self.0.send(request);
        match &result {
            Ok(response) => println!("{what}: {}, {} bytes", response.status(), response.body().len()),
            Err(error) => println!("{what}: {error}"),
        }
        result
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let builder = if std::env::args().any(|word| word == "--live") {
        // Around the default transport, as the environment sets it up.
        ApiKeysClient::builder().wrap_transport(|default| Arc::new(Logging(default)))
    } else {
        // An emulator is a transport, too: no socket is opened here.
        let emulator = Emulator::new();
        ApiKeysClient::builder().ignore_env().api_key(emulator.admin_key()).transport(Logging(emulator))
    };
    let client = builder.build()?;

    client.list(&ListRequest::new())?;
    let created = client.create(&CreateRequest::new("seen-by-the-log"))?;
    client.delete(&created.id)?;
    Ok(())
}
