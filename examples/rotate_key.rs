//! Rotate a key while programs use it: in two ways, with every failure handled.
//!
//! ```text
//! cargo run --example rotate_key --features emulator
//! cargo run --example rotate_key --features emulator -- --live --space prod --key-id QXBpS2V5… --file path/to/secret
//! ```
//!
//! `rotate` makes a new key: create, store, verify, revoke. The file holds a working secret at every step.
//!
//! `refresh` keeps the key and replaces its secret, with a grace period in which both secrets work. That is one call, but if
//! its response is lost, the new secret is lost too, and the key must be refreshed again before the grace period ends.

#[path = "support/secret_file.rs"]
mod secret_file;
mod support;

use std::error::Error;
use std::fs;
use std::path::Path;
use std::time::Duration;

use arize_api_keys::{
    ApiKeyCreated, ApiKeysClient, CreateRequest, Error as ArizeError, ExposeSecret, Outcome, RefreshRequest,
    RotationError, time::OffsetDateTime,
};

fn main() -> Result<(), Box<dyn Error>> {
    let (client, _, service) = support::connect()?;
    if service.is_none() {
        let old_id = argument("--key-id").ok_or("with --live, name the key to rotate: --key-id")?;
        let file = argument("--file").ok_or("with --live, name the file that the programs read: --file")?;
        return rotate(&client, &old_id, Path::new(&file));
    }
    let directory = std::env::temp_dir().join(format!("arize-api-keys-{}", std::process::id()));
    fs::create_dir(&directory)?;
    let result = client
        .create(&CreateRequest::new("ci"))
        .map_err(Into::into)
        .and_then(|old| rotate(&client, &old.id, &directory.join("secret")));
    // The emulator's keys end with it.
    fs::remove_dir_all(directory)?;
    result
}

fn rotate(client: &ApiKeysClient, old_id: &str, file: &Path) -> Result<(), Box<dyn Error>> {
    let new = replace(client, old_id, file)?;
    println!("{old_id} is revoked, {} is in the file", new.id);

    // The old key may have been the client's own.
    let client = client.with_api_key(&new.key)?;
    refresh(&client, &new.id, file)?;
    println!("{} has a new secret, and it is in the file", new.id);
    Ok(())
}

/// Create, store, verify, revoke.
fn replace(client: &ApiKeysClient, old_id: &str, file: &Path) -> Result<ApiKeyCreated, Box<dyn Error>> {
    // A unique name: if this program is killed between create and store, the name finds the key.
    let name = format!("ci {}", OffsetDateTime::now_utc().unix_timestamp());
    match client
        .rotate(old_id, CreateRequest::new(&name), |created| secret_file::write(file, created.key.expose_secret()))
    {
        Ok(created) => Ok(created),
        // The response to the create was lost, so the new key may exist.
        Err(RotationError::Create(e)) if e.outcome() == Outcome::Unknown => {
            Err(format!("look for a key named `{name}`, and revoke it: {e}").into())
        }
        // The old key works and is in the file. The new key is revoked, or the message names it.
        Err(e @ RotationError::Store { .. }) => Err(e.to_string().into()),
        // Both keys work and the file has the new one. Revoke the old one later.
        Err(e @ RotationError::Revoke { .. }) => Err(format!("revoke {old_id} yourself: {e}").into()),
        Err(e) => Err(e.to_string().into()),
    }
}

/// The same key with a new secret; the old one works for another hour.
fn refresh(client: &ApiKeysClient, id: &str, file: &Path) -> Result<(), Box<dyn Error>> {
    let request = RefreshRequest::new(id).grace_period(Duration::from_secs(3600));
    let refreshed = match client.refresh(&request) {
        Ok(refreshed) => refreshed,
        // The service may have replaced the secret, and the new one is lost. The old one works for an hour, so there is time
        // to refresh again.
        Err(e) if matches!(e.outcome(), Outcome::Unknown | Outcome::Applied) => {
            eprintln!("{e}");
            client.refresh(&request)?
        }
        Err(ArizeError::UnprocessableEntity(e)) => {
            return Err(
                format!("a key that expires needs `.expires_at(…)`, no later than its present expiry: {e}").into()
            );
        }
        Err(e) => return Err(e.into()),
    };
    // This program has the only copy of the new secret.
    secret_file::write(file, refreshed.key.expose_secret()).map_err(|e| {
        format!(
            "the new secret of {id} could not be stored ({e}); the old one works for an hour: refresh again until then"
        )
    })?;
    Ok(())
}

/// The argument after `name` on the command line.
fn argument(name: &str) -> Option<String> {
    std::env::args().skip_while(|word| word != name).nth(1)
}
