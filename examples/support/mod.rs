//! Shared by the examples: a client of the emulator, or with `--live` of the service.

use std::error::Error;

use arize_api_keys::ApiKeysClient;
use arize_api_keys::emulator::{Emulator, EmulatorServer};

/// A client, the name or id of a space, and the emulator's server, which stops when it is dropped.
pub(crate) type Connection = (ApiKeysClient, String, Option<EmulatorServer>);

/// Connects to an emulator on loopback, or with `--live` to the service that the environment names (`ARIZE_API_KEY`,
/// `ARIZE_REGION`, …). A live run requires `--space` with the name or id of a space, and says so before it creates a key.
pub(crate) fn connect() -> Result<Connection, Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let space = arguments.iter().skip_while(|word| *word != "--space").nth(1).cloned();
    if arguments.iter().any(|word| word == "--live") {
        let space = space.ok_or("with --live, name a space: --space your-space-name-or-id")?;
        let client = ApiKeysClient::from_env()?;
        eprintln!("live: {client:?}");
        return Ok((client, space, None));
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
    eprintln!("the emulator listens at {}", server.url());
    Ok((client, space.unwrap_or_else(|| "prod".into()), Some(server)))
}
