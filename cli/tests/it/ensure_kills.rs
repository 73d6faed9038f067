//! `ensure`, killed at random steps, by fixed seeds: after one undisturbed run, one live key of the owner is left, and its secret
//! is stored.
//!
//! 200 kills by default. `ARIZE_KEYS_KILLS=1000` asks for more, `ARIZE_KEYS_SEED=17` for the world of one seed.

use std::fs;
use std::time::Duration;

use arize_api_keys::{ApiKey, CreateRequest, ExposeSecret, ListRequest};

use crate::double::{Double, Plan, Run};

const MINUTE: u64 = 60;
const DAY: u64 = 86_400;
const OWNER: &str = "[arize-keys owner=host-7:etl]";

/// xorshift64*, so that a seed means the same everywhere.
struct Random(u64);

impl Random {
    fn new(seed: u64) -> Self {
        Self(seed.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        usize::try_from(self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33).unwrap() % limit
    }

    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Place {
    File,
    EnvFile,
    /// A command, and then a file.
    Both,
    /// A command that another one reads: no lock.
    Command,
}

struct World {
    double: Double,
    random: Random,
    place: Place,
    stage: &'static str,
    has_hook: bool,
    /// A key of the same name that is somebody else's.
    foreign: arize_api_keys::ApiKeyCreated,
}

impl World {
    fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let double = Double::new();
        let foreign = double.admin().create(&CreateRequest::new("etl").description("by hand")).unwrap();
        Self {
            place: random.pick(&[Place::File, Place::EnvFile, Place::Both, Place::Command]),
            stage: random.pick(&["beta", "alpha"]),
            has_hook: random.below(2) == 0,
            double,
            random,
            foreign,
        }
    }

    fn run(&self, options: &[&str]) -> Run {
        let (path, taken) = (self.double.path("key"), self.double.path("taken"));
        let (to, read) = (format!("cat > '{taken}'"), format!("cat '{taken}' 2>&- || true"));
        let place: &[&str] = match self.place {
            Place::File => &["--out", &path],
            Place::EnvFile => &["--env-file", &path],
            Place::Both => &["--to-command", &to, "--out", &path],
            Place::Command => &["--to-command", &to, "--read-command", &read],
        };
        let told = format!("cp '{path}' '{}'", self.double.path("told"));
        // A program reads the file; without one it has nothing to read.
        let hook: &[&str] = match self.place {
            _ if !self.has_hook => &[],
            Place::Command => &["--then", "true"],
            Place::File | Place::EnvFile | Place::Both => &["--then", &told],
        };
        // The killed runs of one hour make more keys than a healthy program.
        let usual = ["ensure", "etl", "--owner", "host-7:etl", "--force", "--stage", self.stage, "-o", "json"];
        self.double.run(&[&usual, place, hook, options].concat())
    }

    fn stored(&self) -> Option<String> {
        let name = if self.place == Place::Command { "taken" } else { "key" };
        let text = fs::read_to_string(self.double.path(name)).ok()?;
        let line = text.lines().find(|line| line.contains("ak-"))?;
        Some(line.trim_start_matches("ARIZE_API_KEY=").to_owned())
    }

    fn works(&self, secret: &str) -> bool {
        self.double.world().emulator.authenticates(secret)
    }

    fn live(&self) -> Vec<ApiKey> {
        let admin = self.double.admin();
        let keys = admin.list_all(&ListRequest::new()).map(|key| key.unwrap());
        keys.filter(|key| key.description.as_deref().is_some_and(|text| text.ends_with(OWNER))).collect()
    }

    /// Changes of the account and of the store between two runs.
    fn disturb(&mut self) {
        let wait = self.random.pick(&[0, 0, 1, MINUTE, 20 * MINUTE, DAY, 70 * DAY, 100 * DAY]);
        self.double.world().clock.advance(Duration::from_secs(wait));
        match self.random.below(8) {
            0 => drop(fs::remove_file(self.double.path("key"))),
            // The commands beside a file are not read back.
            1 if self.place == Place::Command => drop(fs::remove_file(self.double.path("taken"))),
            2 => {
                if let [key] = self.live().as_slice() {
                    self.double.admin().revoke(&key.id).unwrap();
                }
            }
            _ => {}
        }
    }

    /// Runs the program, and kills it at a random step if it comes that far; one run in two meets faults of the service, too.
    /// Returns the number of kills.
    fn run_and_kill(&mut self) -> u32 {
        let at = self.random.below(90);
        let kill = self.random.pick(&[Plan::KillBefore, Plan::KillAfter]);
        self.double.plan(move |step, _| if step == at { kill } else { Plan::Go });
        let options: &[&str] = if self.random.below(3) == 0 { &["--renew-now"] } else { &[] };
        let before = self.stored().filter(|secret| self.works(secret));
        let is_faulty = self.random.below(2) == 0;
        let emulator = &self.double.world().emulator;
        emulator.inject_randomly(if is_faulty { 0.05 } else { 0.0 }, self.random.below(1000) as u64);
        let run = self.run(options);
        self.double.world().emulator.inject_randomly(0.0, 0);
        self.double.plan(|_, _| Plan::Go);
        assert!(is_faulty || matches!(run.code, None | Some(0)), "{run:?}");
        assert!(!matches!(run.code, Some(2..=5)), "{run:?}");
        // Where a program found a secret that works, it still does.
        let after = self.stored();
        assert!(before.is_none() || after.is_some_and(|secret| self.works(&secret)), "{run:?}");
        u32::from(run.code.is_none())
    }

    fn check(&self) {
        // Without a lock, the keys of other runs are left alone so long.
        self.double.world().clock.advance(Duration::from_secs(10 * MINUTE));
        let run = self.run(&[]);
        assert_eq!(run.code, Some(0), "{run:?}");
        let (live, stored) = (self.live(), self.stored().unwrap());
        assert_eq!(live.len(), 1, "{live:?} {run:?}");
        assert!(self.works(&stored) && live[0].matches(&stored.as_str().into()), "{run:?}");
        assert!(self.works(self.foreign.key.expose_secret()));
        if self.place == Place::Both {
            assert_eq!(fs::read_to_string(self.double.path("taken")).ok().as_ref(), Some(&stored), "{run:?}");
        }
        if self.has_hook && self.place != Place::Command {
            let read = |name| fs::read_to_string(self.double.path(name)).unwrap();
            assert_eq!(read("told"), read("key"), "{run:?}");
        }
        let names = fs::read_dir(self.double.world().dir.path()).unwrap().map(|entry| entry.unwrap().file_name());
        let is_known = |name: &str| ["key", "taken", "told"].contains(&name) || name.starts_with("key.rescued");
        let left: Vec<_> = names.filter(|name| !is_known(&name.to_string_lossy())).collect();
        assert!(left.is_empty(), "{left:?}");
    }
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|text| text.parse().unwrap())
}

#[test]
fn random_kills_leave_one_live_key() {
    let wanted = u32::try_from(number("ARIZE_KEYS_KILLS").unwrap_or(200)).unwrap();
    let mut kills = 0;
    let only = number("ARIZE_KEYS_SEED");
    for seed in only.unwrap_or(0).. {
        println!("ARIZE_KEYS_SEED={seed}");
        let mut world = World::new(seed);
        println!("{:?}, {}, hook: {}", world.place, world.stage, world.has_hook);
        for _ in 0..6 {
            world.disturb();
            kills += world.run_and_kill();
        }
        world.check();
        if only.is_some() || kills >= wanted {
            break;
        }
    }
}
