//! A client whose key is in a file that changes.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use arize_api_keys::emulator::{Endpoint, Fault};
use arize_api_keys::secrecy::SecretString;
use arize_api_keys::{ApiKeysClient, CreateRequest, Error, ExposeSecret, ListRequest, RefreshRequest, RetryPolicy};

use super::world::{World, each};

/// A file that is removed at the end.
struct KeyFile(PathBuf);

impl KeyFile {
    fn new(secret: &SecretString) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let n = NUMBER.fetch_add(1, Ordering::Relaxed);
        let file = Self(std::env::temp_dir().join(format!("arize-key-file-{}-{n}", std::process::id())));
        file.write(secret.expose_secret());
        file
    }

    /// Renamed into place, as every writer of secrets does it.
    fn write(&self, text: &str) {
        let beside = self.0.with_extension("new");
        fs::write(&beside, text).unwrap();
        fs::rename(beside, &self.0).unwrap();
    }
}

impl Drop for KeyFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

fn client(world: &World, file: &KeyFile) -> ApiKeysClient {
    let builder = world.builder().clock(world.emulator.clock().clone()).retry(RetryPolicy::none());
    builder.api_key_file(&file.0).build().unwrap()
}

fn rotate(admin: &ApiKeysClient, old: &str, file: &KeyFile) -> String {
    let new = admin.rotate(old, CreateRequest::new("service"), |created| -> Result<(), ()> {
        file.write(created.key.expose_secret());
        Ok(())
    });
    new.unwrap().id.clone()
}

#[test]
fn a_service_survives_the_rotation_of_its_key() {
    each(|world| {
        let first = world.client.create(&CreateRequest::new("service")).unwrap();
        let file = KeyFile::new(&first.key);
        let client = client(world, &file);
        client.list(&ListRequest::new()).unwrap();
        let second = rotate(&world.client, &first.id, &file);
        // The refused request and the one with the new key; then no more.
        world.costs(2, |_| client.list(&ListRequest::new())).unwrap();
        world.costs(1, |_| client.list(&ListRequest::new())).unwrap();
        // Every verb, since the service refused before it did anything.
        let third = rotate(&world.client, &second, &file);
        let made = world.costs(2, |_| client.create(&CreateRequest::new("made"))).unwrap();
        assert_eq!(
            world.client.list_all(&ListRequest::new()).filter(|key| key.as_ref().unwrap().name == "made").count(),
            1
        );
        let fourth = rotate(&world.client, &third, &file);
        world.costs(2, |_| client.refresh(&RefreshRequest::new(&made.id))).unwrap();
        rotate(&world.client, &fourth, &file);
        world.costs(2, |_| client.revoke(&made.id)).unwrap();
    });
}

#[test]
fn a_file_without_another_key_keeps_the_refusal() {
    each(|world| {
        let key = world.client.create(&CreateRequest::new("service")).unwrap();
        let file = KeyFile::new(&key.key);
        let client = client(world, &file);
        world.client.revoke(&key.id).unwrap();
        for content in [key.key.expose_secret(), "", "two\nlines", "\u{1b}"] {
            file.write(content);
            let error = world.costs(1, |_| client.list(&ListRequest::new())).unwrap_err();
            assert!(matches!(error, Error::Unauthorized(_)), "{content:?}: {error}");
        }
        // Another key that does not work either is tried once.
        file.write("ak-unknown-0123456789");
        let error = world.costs(2, |_| client.list(&ListRequest::new())).unwrap_err();
        assert!(matches!(error, Error::Unauthorized(_)), "{error}");
        fs::remove_file(&file.0).unwrap();
        world.costs(1, |_| client.list(&ListRequest::new())).unwrap_err();
    });
}

#[test]
fn the_forms_of_a_key_in_a_file() {
    each(|world| {
        let key = world.client.create(&CreateRequest::new("service")).unwrap();
        let (secret, file) = (key.key.expose_secret().to_owned(), KeyFile::new(&key.key));
        for content in [
            format!("  {secret}\r\n\r\n"),
            format!("\u{feff}{secret}"),
            format!("\"{secret}\"\n"),
            format!("'{secret}'"),
            format!("# the key\nARIZE_API_KEY={secret}\n"),
            format!("export ARIZE_API_KEY = \"{secret}\"\n"),
        ] {
            file.write(&content);
            client(world, &file).list(&ListRequest::new()).unwrap();
        }
        for (content, problem) in [
            ("", "which is empty"),
            (" \n# nothing\n", "which is empty"),
            ("A=1\nB=2\n", "which sets 2 variables, and ARIZE_API_KEY is not one of them"),
            ("two words", "whose key holds blanks, control characters or characters that are not ASCII"),
            ("Bearer ak-planted-0123456789", "whose key begins with `Bearer`: give the key alone"),
        ] {
            file.write(content);
            let error = world.builder().api_key_file(&file.0).build().unwrap_err().to_string();
            let path = file.0.display();
            assert_eq!(error, format!("configuration: `api_key_file` names the file {path}, {problem}"));
        }
        let both = world.builder().api_key_file(&file.0).api_key("ak-0123456789").build().unwrap_err();
        assert_eq!(both.to_string(), "configuration: `api_key_file` excludes `api_key`: set one of them");
    });
}

/// Marks the end of a thread, also by a panic.
struct Ended<'a>(&'a AtomicU32);

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        self.0.store(u32::MAX, Ordering::Relaxed);
    }
}

/// 16 threads make 20,000 calls, and 50 rotations change the key beneath them: no call fails.
#[test]
fn a_service_under_load_survives_its_rotations() {
    each(|world| {
        let first = world.client.create(&CreateRequest::new("service")).unwrap();
        let file = KeyFile::new(&first.key);
        let client = client(world, &file);
        under_load(&world.client, first.id.clone(), &file, &|_| client.list(&ListRequest::new().limit(1)).map(drop));
    });
}

/// The same, with faults in 5 % of the calls.
#[test]
fn a_service_under_load_survives_rotations_and_faults() {
    each(|world| {
        let first = world.client.create(&CreateRequest::new("service")).unwrap();
        let file = KeyFile::new(&first.key);
        // A call may meet the faults of several threads.
        let retry = RetryPolicy::default().max_attempts(10).base_delay(Duration::from_millis(1));
        let builder = world.builder().clock(world.emulator.clock().clone()).retry(retry);
        let client = builder.clone().api_key_file(&file.0).build().unwrap();
        let admin = builder.api_key(world.emulator.admin_key()).build().unwrap();
        under_load(&admin, first.id.clone(), &file, &|n| {
            if n % 20 == 0 && world.emulator.faults_left() < 4 {
                let faults = [Fault::status(503), Fault::reset(), Fault::html(502), Fault::truncate(10)];
                let fault = faults[n as usize / 20 % faults.len()].clone();
                world.emulator.inject(fault.only(Endpoint::ListKeys));
            }
            client.list(&ListRequest::new().limit(1)).map(drop)
        });
    });
}

const THREADS: usize = 16;
const CALLS: u32 = 1250;
const ROTATIONS: u32 = 50;

/// Rotates the key in the file while threads make calls. A call gets a number, another one in each thread.
fn under_load(admin: &ApiKeysClient, mut id: String, file: &KeyFile, call: &(dyn Fn(u32) -> Result<(), Error> + Sync)) {
    // How many calls each thread has made; the last number means that it has ended.
    let made = [const { AtomicU32::new(0) }; THREADS];
    let mut rotations = 0;
    thread::scope(|threads| {
        for (thread, made) in (0..).zip(&made) {
            threads.spawn(move || {
                let ended = Ended(made);
                for n in 0..CALLS {
                    call(thread + n).unwrap();
                    made.fetch_add(1, Ordering::Relaxed);
                }
                drop(ended);
            });
        }
        for _ in 0..ROTATIONS {
            // At even distances.
            let due = CALLS / (ROTATIONS + 1) * (rotations + 1);
            while made.iter().any(|made| made.load(Ordering::Relaxed) < due) {
                thread::yield_now();
            }
            id = rotate(admin, &id, file);
            rotations += 1;
            // A call may span one rotation, not two: it is sent once more, and no more.
            let before = made.each_ref().map(|made| made.load(Ordering::Relaxed));
            let goes_on = |(made, before): (&AtomicU32, u32)| {
                let now = made.load(Ordering::Relaxed);
                now == u32::MAX || now > before.saturating_add(1)
            };
            while !made.iter().zip(before).all(goes_on) {
                thread::yield_now();
            }
        }
    });
    assert_eq!((rotations, made.map(|made| made.load(Ordering::Relaxed))), (ROTATIONS, [u32::MAX; THREADS]));
}
