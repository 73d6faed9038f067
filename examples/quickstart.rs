//! The whole life of API keys: list, create, use, rotate, remove. By the real client, over HTTP.
//!
//! ```text
//! cargo run --example quickstart --features emulator                          # on an emulator, nothing to set up
//! cargo run --example quickstart --features emulator -- --live --space prod   # on the service; needs ARIZE_API_KEY
//! ```

mod support;

use std::error::Error;
use std::time::Duration;

use arize_api_keys::time::{self, OffsetDateTime};
use arize_api_keys::{
    ApiKeyCreated, ApiKeyStatus, ApiKeyType, ApiKeysClient, CreateRequest, CreateServiceKeyRequest,
    Error as ArizeError, ListRequest, OrgRole, RefreshRequest, SpaceRole,
};

fn main() -> Result<(), Box<dyn Error>> {
    let (client, space, _service) = &support::connect()?;

    println!("1. the keys that are there, mine and those of the space `{space}`");
    list(client, &ListRequest::new())?;
    list(client, &ListRequest::new().space(space.as_str()))?;

    println!("2. create a user key, for 30 days");
    let personal = client.create(
        &CreateRequest::new("personal-key")
            .description("key for local development")
            .expires_at(OffsetDateTime::now_utc() + time::Duration::days(30)),
    )?;
    show(&personal);

    println!("3. create a service key in the space; its organization is found by itself");
    let service = client.create_service_key(
        &CreateServiceKeyRequest::new("ci-bot", space.as_str()).org_role(OrgRole::Member).space_role(SpaceRole::Member),
    )?;
    show(&service);

    println!("4. the service keys of the space");
    list(client, &ListRequest::new().key_type(ApiKeyType::Service).space(space.as_str()).limit(25))?;

    println!("5. rotate the service key; the old secret works for another hour");
    let rotated = client.refresh(&RefreshRequest::new(&service.id).grace_period(Duration::from_secs(3600)))?;
    println!("   {} is now {}", service.redacted_key, rotated.redacted_key);

    println!("6. remove both");
    client.delete(&personal.id)?;
    client.delete(&rotated.id)?;
    list(client, &ListRequest::new().status(ApiKeyStatus::Revoked))?;

    println!("7. what an error says");
    match client.delete("QXBpS2V5OjA6bm9uZQ==") {
        Err(ArizeError::NotFound(e)) => println!("   no api key to remove: {e}"),
        other => other?,
    }
    Ok(())
}

fn list(client: &ApiKeysClient, request: &ListRequest) -> Result<(), ArizeError> {
    for key in client.list_all(request) {
        let key = key?;
        println!("   {} {} (type={} status={})", key.redacted_key, key.name, key.key_type, key.status);
    }
    Ok(())
}

/// The secret is in `created.key`, for `expose_secret()` and a safe place: it cannot be seen again. Not for a terminal.
fn show(created: &ApiKeyCreated) {
    println!("   created {} with the id {}", created.redacted_key, created.id);
}
