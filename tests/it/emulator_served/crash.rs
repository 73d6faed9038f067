//! `kill -9` in a loop while writing: nothing that was acknowledged is lost.

use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::{env, thread};

use arize_api_keys::emulator::Emulator;
use secrecy::ExposeSecret;

use crate::support::served::{Connection, Folder};

const STATE: &str = "EMULATOR_CRASH_TEST_STATE";
const READY: &str = "the emulator listens at ";
const WRITERS: usize = 6;

/// The key as a client knows it.
#[derive(Clone, Debug)]
struct Known {
    id: String,
    secret: String,
    /// Secrets that a refresh has replaced, and that are dead.
    dead: Vec<String>,
    revoked: bool,
    /// Something was asked of it that was not answered: it may or may not have been done.
    in_doubt: bool,
}

/// The process that is killed: this test, run alone with a state file in its environment.
#[test]
#[ignore = "the other test runs it"]
fn serve() {
    let Some(path) = env::var_os(STATE) else { return };
    let emulator = Emulator::builder().open(path).unwrap();
    let server = emulator.serve().unwrap();
    println!("\n{READY}{} {}", server.addr(), emulator.admin_key().expose_secret());
    loop {
        thread::park();
    }
}

fn spawn(path: &Path) -> Child {
    Command::new(env::current_exe().unwrap())
        .args(["--exact", "emulator_served::crash::serve", "--ignored", "--nocapture"])
        .env(STATE, path)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

fn address(child: &mut Child) -> (SocketAddr, String) {
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let line = lines.map(Result::unwrap).find_map(|line| line.strip_prefix(READY).map(str::to_owned)).unwrap();
    let (addr, key) = line.split_once(' ').unwrap();
    (addr.parse().unwrap(), key.to_owned())
}

/// Creates, refreshes and revokes until the server is gone.
fn write(
    addr: SocketAddr,
    admin: &str,
    acknowledged: &AtomicUsize,
    known: &Mutex<HashMap<String, Known>>,
) -> Option<()> {
    let mut connection = Connection::open(addr).ok()?;
    let mut call = |line: &str, body: &str| {
        let head = format!("{line} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {admin}");
        let answer = connection.send(&head, body).ok()?;
        assert!(answer.status < 300, "{}", String::from_utf8_lossy(&answer.body));
        acknowledged.fetch_add(1, Ordering::SeqCst);
        Some(answer)
    };
    let doubt = |id: &str, doubt: bool| known.lock().unwrap().get_mut(id).unwrap().in_doubt = doubt;
    // Long enough to have the file written anew now and then.
    let create = format!(r#"{{"key_type":"USER","name":"x","description":"{}"}}"#, "d".repeat(1000));
    for n in 0.. {
        let made = call("POST /v2/api-keys", &create)?.json();
        let text = |name: &str| made[name].as_str().unwrap().to_owned();
        let (id, secret) = (text("id"), text("key"));
        let key = Known { id: id.clone(), secret, dead: Vec::new(), revoked: false, in_doubt: false };
        known.lock().unwrap().insert(id.clone(), key);
        if n % 2 == 0 {
            doubt(&id, true);
            let fresh = call(&format!("POST /v2/api-keys/{id}/refresh"), "{}")?.json();
            let mut known = known.lock().unwrap();
            let key = known.get_mut(&id).unwrap();
            key.dead.push(std::mem::replace(&mut key.secret, fresh["key"].as_str().unwrap().to_owned()));
            key.in_doubt = false;
        }
        if n % 3 == 0 {
            doubt(&id, true);
            call(&format!("PUT /v2/api-keys/{id}/revoke"), "")?;
            let mut known = known.lock().unwrap();
            let key = known.get_mut(&id).unwrap();
            (key.revoked, key.in_doubt) = (true, false);
        }
    }
    None
}

fn check(path: &Path, known: &HashMap<String, Known>) {
    let emulator = Emulator::builder().open(path).unwrap();
    for key in known.values().filter(|key| !key.in_doubt) {
        assert_eq!(emulator.authenticates(&key.secret), !key.revoked, "{}", key.id);
        assert!(!key.dead.iter().any(|secret| emulator.authenticates(secret)), "{}", key.id);
    }
}

fn kill_again_and_again(rounds: usize, answers: usize) -> (usize, usize) {
    let folder = Folder::new();
    let path = folder.file("state");
    let known = Arc::new(Mutex::new(HashMap::new()));
    let total = AtomicUsize::new(0);
    for round in 0..rounds {
        let mut child = spawn(&path);
        if round % 4 == 3 {
            // While it starts, and writes the file anew.
            child.kill().unwrap();
            child.wait().unwrap();
            check(&path, &known.lock().unwrap());
            continue;
        }
        let (addr, admin) = address(&mut child);
        let acknowledged = AtomicUsize::new(0);
        thread::scope(|scope| {
            let writers: Vec<_> =
                (0..WRITERS).map(|_| scope.spawn(|| write(addr, &admin, &acknowledged, &known))).collect();
            // By what was answered, not by time: the others are in the middle of something.
            while acknowledged.load(Ordering::SeqCst) < answers && !writers.iter().all(|writer| writer.is_finished()) {
                thread::yield_now();
            }
            child.kill().unwrap();
            child.wait().unwrap();
        });
        total.fetch_add(acknowledged.load(Ordering::SeqCst), Ordering::SeqCst);
        check(&path, &known.lock().unwrap());
    }
    let keys = known.lock().unwrap().len();
    (total.into_inner(), keys)
}

#[test]
fn nothing_acknowledged_is_lost() {
    let (answers, _) = kill_again_and_again(6, 150);
    assert!(answers >= 5 * 150);
}

#[test]
#[ignore = "minutes: `cargo test --features emulator --test it -- --ignored --nocapture crash::long`"]
fn long() {
    let (answers, keys) = kill_again_and_again(100, 200);
    println!("100 starts and kills, {answers} acknowledged changes, {keys} keys: nothing lost");
}
