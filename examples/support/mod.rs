//! What the examples have in common: the emulator unless `--live` is said, and then the live service.

use std::error::Error;

use arize_api_keys::ApiKeysClient;
use arize_api_keys::emulator::{Emulator, EmulatorServer};

/// A client, and the service that it talks to.
pub struct Connection {
    pub client: ApiKeysClient,
    /// A space that exists.
    pub space: String,
    /// Held, because dropping it stops the service.
    _server: Option<EmulatorServer>,
}

/// Talks to an emulator on loopback, or with `--live` to the service that the environment names (`ARIZE_API_KEY`,
/// `ARIZE_REGION`, …). A live run takes the name or id of a space with `--space`.
pub fn connect() -> Result<Connection, Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let space = arguments.iter().skip_while(|word| *word != "--space").nth(1).cloned();
    if arguments.iter().any(|word| word == "--live") {
        let client = ApiKeysClient::from_env()?;
        eprintln!("live: {client:?}");
        return Ok(Connection { client, space: space.unwrap_or_else(|| "your-space-name-or-id".into()), _server: None });
    }
    let emulator = Emulator::new();
    let server = emulator.serve()?;
    let client = ApiKeysClient::builder()
        .ignore_env()
        .scheme("http")
        .host("127.0.0.1")
        .port(server.port())
        .api_key(emulator.admin_key())
        .build()?;
    eprintln!("an emulator of the service answers at {}", server.url());
    Ok(Connection { client, space: space.unwrap_or_else(|| "prod".into()), _server: Some(server) })
}
