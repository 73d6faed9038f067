//! Each line of `ensure` while 5 % of the requests meet a fault, by fixed seeds: in process and served, on both stages.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use arize_api_keys::emulator::{Emulator, EmulatorServer};
use arize_api_keys::{ApiKeysClient, CreateRequest, ExposeSecret, ListRequest};
use tempfile::TempDir;

use crate::double::Double;
use crate::service::finish;

const RATE: f64 = 0.05;
const SEEDS: u64 = 3;

const OUT: &[&str] = &["--out", "DIR/key"];
const COMMAND: &[&str] = &["--to-command", "cat > DIR/key", "--read-command", "cat DIR/key 2>&- || true"];

/// The lines that a store gets, one after the other: where it is, and the other options.
const LINES: [(&[&str], &[&str]); 10] = [
    (OUT, &[]),
    (OUT, &[]),
    (OUT, &["--renew-now"]),
    (OUT, &["--dry-run", "--renew-now"]),
    (OUT, &["--renew-now", "--overlap", "1h"]),
    (OUT, &["--renew-now", "--then", "true"]),
    (OUT, &["--to-command", "cat > DIR/taken", "--renew-now"]),
    (OUT, &["--adopt", "ADOPTED"]),
    (COMMAND, &[]),
    (COMMAND, &["--renew-now"]),
];

enum Way {
    InProcess(Double),
    Served { emulator: Emulator, server: EmulatorServer, dir: TempDir },
}

impl Way {
    fn emulator(&self) -> &Emulator {
        match self {
            Self::InProcess(double) => &double.world().emulator,
            Self::Served { emulator, .. } => emulator,
        }
    }

    fn dir(&self) -> &Path {
        match self {
            Self::InProcess(double) => double.world().dir.path(),
            Self::Served { dir, .. } => dir.path(),
        }
    }

    fn client(&self) -> ApiKeysClient {
        match self {
            Self::InProcess(double) => double.admin(),
            Self::Served { emulator, .. } => emulator.client(),
        }
    }

    /// The exit code, and all output.
    fn run(&self, args: &[&str]) -> (i32, String) {
        match self {
            Self::InProcess(double) => {
                let run = double.run(args);
                (run.code.unwrap().into(), run.out + &run.err)
            }
            Self::Served { emulator, server, .. } => {
                let mut command = Command::new(env!("CARGO_BIN_EXE_arize-keys"));
                command.args(args).args(["--url", &server.url()]).env_clear().stdin(Stdio::null());
                command.env("PATH", std::env::var_os("PATH").unwrap());
                command.env("ARIZE_API_KEY", emulator.admin_key().expose_secret());
                let run = finish(&mut command);
                (run.code.unwrap(), run.out + &run.err)
            }
        }
    }
}

fn life(way: &Way, stage: &str) {
    let dir = way.dir().to_str().unwrap();
    let adopted = way.client().create(&CreateRequest::new("by hand")).unwrap();
    for seed in 0..SEEDS {
        for (n, (place, options)) in LINES.iter().enumerate() {
            let fill = |text: &&str| text.replace("DIR", dir).replace("ADOPTED", &adopted.id);
            let usual = ["ensure", "etl", "--owner", "host-7:etl", "--force", "--stage", stage];
            let line: Vec<String> = usual.iter().chain(*place).chain(*options).map(fill).collect();
            let line: Vec<&str> = line.iter().map(String::as_str).collect();
            let undisturbed = &line[..usual.len() + place.len()];
            way.emulator().inject_randomly(RATE, seed * 100 + n as u64);
            let (code, output) = way.run(&line);
            way.emulator().inject_randomly(0.0, 0);
            assert!(matches!(code, 0 | 6..=11), "{line:?} ended with {code}: {output}");
            // Without a lock, the keys of the interrupted run are left alone for ten minutes.
            let is_locked = place.contains(&"--out");
            let (code, output) = way.run(undisturbed);
            assert_eq!(code, 0, "{undisturbed:?} after {line:?}: {output}");
            let keys = way.client().list_all(&ListRequest::new()).map(|key| key.unwrap());
            let live: Vec<_> = keys.filter(|key| key.name == "etl").collect();
            let secret = fs::read_to_string(way.dir().join("key")).unwrap();
            assert!(way.emulator().authenticates(secret.trim()), "{line:?}: {output}");
            assert!(live.iter().any(|key| key.matches(&secret.trim().into())), "{line:?}: {live:?}");
            assert!(!is_locked || live.len() == 1, "{line:?}: {live:?}");
        }
    }
    assert!(!way.emulator().authenticates(adopted.key.expose_secret()));
    assert!(way.emulator().faults_committed() > 3);
}

#[test]
fn in_process() {
    for stage in ["beta", "alpha"] {
        life(&Way::InProcess(Double::new()), stage);
    }
}

#[test]
fn served() {
    for stage in ["beta", "alpha"] {
        let emulator = Emulator::new();
        let server = emulator.serve().unwrap();
        life(&Way::Served { emulator, server, dir: TempDir::new().unwrap() }, stage);
    }
}
