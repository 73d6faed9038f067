//! Keep a working service key in a file. Run it every day: it changes nothing until the key is due.
//!
//! ```text
//! cargo run --example ensure --features emulator
//! cargo run --example ensure --features emulator -- --live --space prod --file path/to/secret
//! ```

#[path = "support/secret_file.rs"]
mod secret_file;
mod support;

use std::error::Error;
use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, absolute};

use arize_api_keys::{ApiKeysClient, CreateServiceKeyRequest, EnsureError, EnsureRequest, ExposeSecret};

fn main() -> Result<(), Box<dyn Error>> {
    let (client, space, service) = support::connect()?;
    if service.is_none() {
        let file = std::env::args().skip_while(|word| word != "--file").nth(1);
        let file = file.ok_or("with --live, name the file that the programs read: --file")?;
        return ensure(&client, &space, Path::new(&file), false);
    }
    let directory = std::env::temp_dir().join(format!("arize-api-keys-{}", std::process::id()));
    fs::create_dir(&directory)?;
    let file = directory.join("secret");
    // The second run has nothing to do. The third one replaces the key before it is due.
    let mut runs = [false, false, true].into_iter();
    let result = runs.try_for_each(|renew_now| ensure(&client, &space, &file, renew_now));
    // The emulator's keys end with it.
    fs::remove_dir_all(directory)?;
    result
}

fn ensure(client: &ApiKeysClient, space: &str, file: &Path, renew_now: bool) -> Result<(), Box<dyn Error>> {
    // The lock is on another file, because a rename replaces `file`. It ends when `lock` is dropped.
    let lock = File::create(format!("{}.lock", file.display()))?;
    lock.lock()?;
    let stored = match fs::read_to_string(file) {
        Ok(text) => Some(text.trim().into()),
        Err(e) if e.kind() == ErrorKind::NotFound => None,
        // The file may hold a working secret.
        Err(e) => return Err(format!("{} cannot be read; nothing was changed: {e}", file.display()).into()),
    };
    // The owner identifies the file: add the name of the host if several hosts have a file with this path.
    let owner = absolute(file)?.display().to_string();
    let request = EnsureRequest::new(CreateServiceKeyRequest::new("etl", space), owner)
        .stored(stored)
        .exclusive(true) // this program holds the lock
        .renew_now(renew_now);
    match client.ensure(&request, |created| secret_file::write(file, created.key.expose_secret())) {
        Ok(ensured) => {
            println!("{:?}: {} is in the file", ensured.change, ensured.key.id);
            for old in &ensured.retired {
                println!("revoked {}", old.id);
            }
            for old in &ensured.pending {
                println!("a later run revokes {}", old.id);
            }
            for warning in &ensured.warnings {
                eprintln!("warning: {warning}");
            }
            Ok(())
        }
        // The file has a working secret. The next run revokes the old key.
        Err(e @ EnsureError::Retire { .. }) => {
            eprintln!("warning: {e}");
            Ok(())
        }
        // Another file is one way out. `adopt` takes over the key, `replace_stored` overwrites its secret in the file.
        Err(e @ EnsureError::StoredIsForeign) => Err(format!("{e}: choose another file, or adopt the key").into()),
        // The next run does not find this key. Every other key that a failed run leaves, it revokes.
        Err(e @ EnsureError::NotListed { revoked: Err(_), .. }) => Err(format!("{e}: revoke that key yourself").into()),
        // The message says which keys work.
        Err(e) => Err(e.to_string().into()),
    }
}
