//! The life of an API key: list, create, refresh, remove, with the real client over HTTP.
//!
//! ```text
//! cargo run --example quickstart --features emulator                          # on the emulator: nothing to set up
//! cargo run --example quickstart --features emulator -- --live --space prod   # on the service: needs ARIZE_API_KEY
//! ```
//!
//! In a clone of the repository, `cargo run --manifest-path examples/quickstart/Cargo.toml` runs the same program and
//! compiles fewer crates.

mod support;

use std::error::Error;
use std::time::Duration;

use arize_api_keys::time::{self, OffsetDateTime};
use arize_api_keys::{
    ApiKey, ApiKeyCreated, ApiKeyStatus, ApiKeyType, ApiKeysClient, CreateRequest, CreateServiceKeyRequest,
    Error as ArizeError, ListRequest, OrgRole, RefreshRequest, SpaceRole,
};

fn main() -> Result<(), Box<dyn Error>> {
    let (client, space, _service) = &support::connect()?;

    println!("1. list my own keys, then the keys of the space `{space}`");
    list(client, &ListRequest::new())?;
    list(client, &ListRequest::new().space(space.as_str()))?;

    println!("2. create a user key that expires in 30 days");
    let personal = client.create(
        &CreateRequest::new("personal-key")
            .description("key for local development")
            .expires_at(OffsetDateTime::now_utc() + time::Duration::days(30)),
    )?;
    show(&personal);

    println!("3. create a service key in the space; the client looks up the organization");
    let service = client.create_service_key(
        &CreateServiceKeyRequest::new("ci-bot", space.as_str()).org_role(OrgRole::Member).space_role(SpaceRole::Member),
    )?;
    show(&service);

    println!("4. list the service keys of the space");
    let service_keys = ListRequest::new().key_type(ApiKeyType::Service).space(space.as_str());
    list(client, &service_keys)?;

    println!("5. refresh the service key: it gets a new secret, and the old one works for another hour");
    let refreshed = client.refresh(&RefreshRequest::new(&service.id).grace_period(Duration::from_secs(3600)))?;
    println!("   {} is replaced by {}", service.redacted_key, refreshed.redacted_key);

    println!("6. remove both keys, and find them in the list of revoked keys");
    client.delete(&personal.id)?;
    client.delete(&refreshed.id)?;
    find(client, &ListRequest::new().status(ApiKeyStatus::Revoked), &personal.id)?;
    find(client, &service_keys.status(ApiKeyStatus::Revoked), &refreshed.id)?;

    println!("7. remove a key that does not exist");
    match client.delete("QXBpS2V5OjA6bm9uZQ==") {
        Err(ArizeError::NotFound(e)) => println!("   no api key to remove: {e}"),
        other => other?,
    }
    Ok(())
}

/// Prints every key of the list; the client fetches the pages as the loop needs them.
fn list(client: &ApiKeysClient, request: &ListRequest) -> Result<(), ArizeError> {
    for key in client.list_all(request) {
        print(&key?);
    }
    Ok(())
}

/// Prints one key of the list.
fn find(client: &ApiKeysClient, request: &ListRequest, id: &str) -> Result<(), Box<dyn Error>> {
    for key in client.list_all(request) {
        let key = key?;
        if key.id == id {
            print(&key);
            return Ok(());
        }
    }
    Err(format!("the service does not list the key {id}").into())
}

fn print(key: &ApiKey) {
    println!("   {} {} (type={} status={})", key.redacted_key, key.name, key.key_type, key.status);
}

/// The secret is in `created.key`: read it with `expose_secret()` and store it, because the service never shows it again.
/// A terminal is not a safe place for it, so this prints its redacted form.
fn show(created: &ApiKeyCreated) {
    println!("   created {} with the id {}", created.redacted_key, created.id);
}
