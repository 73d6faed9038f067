//! A year of cron: every host runs `ensure` once a day, the operators `audit` and `prune` once a week, and an admin revokes and
//! creates keys. One request in twenty meets a fault, one run in a hundred is killed, and the service has outages.
//!
//! The spaces are divided among accounts, so that processors can share the work and the result depends on the seed alone.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use arize_api_keys::time::OffsetDateTime;
use arize_api_keys::{CreateServiceKeyRequest, SpaceRef};
use fastrand::Rng;

use super::chaos::{self, Chaos, Odds};
use super::command::Command;
use super::faults::Row;
use super::host::Host;
use super::process::{Process, Run, undisturbed};
use super::scenario::FILE;
use super::service::Service;

const ACCOUNTS: u64 = 4;
const DAY: i64 = 86_400;
const ODDS: Odds = Odds { request: 50, disk: 1, kill: 1 };
/// The service keys of a space, of which `ensure` manages one.
const KEYS: usize = 10;
/// The time before its expiry at which a key of 90 days is due.
const DUE: Duration = Duration::from_secs(30 * 86_400);

/// The size of the world.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Size {
    pub(crate) days: i64,
    pub(crate) spaces: usize,
}

/// The figures, as sums over the accounts.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    kills: usize,
    faults: usize,
    overdue: usize,
    orphans: usize,
    keyless_seconds: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    /// By the number of the host.
    Ensure(usize),
    Audit,
    Prune,
    Admin,
    OutageBegins,
    OutageEnds,
}

/// One account, and the hosts whose keys are on it.
struct Account {
    seed: u64,
    rng: Rng,
    service: Service,
    /// The start, in seconds.
    start: i64,
    hosts: Vec<Managed>,
    operators: Arc<Host>,
    spaces: Vec<String>,
    /// The next events, with a number that keeps equal times in order.
    queue: BinaryHeap<Reverse<(i64, usize, Event)>>,
    events: usize,
    processes: u32,
    /// The host of each key that `ensure` created.
    owners: HashMap<String, usize>,
    outage: Option<&'static Row>,
    faults: Arc<AtomicUsize>,
    counts: Counts,
    wrong: Vec<String>,
}

/// A host with a key that `ensure` keeps.
struct Managed {
    host: Arc<Host>,
    command: Arc<Command>,
    /// The ids of the keys that it created and that may work.
    keys: Vec<String>,
}

/// Runs the year. `false` if anything is wrong.
pub(crate) fn run(seed: u64, size: Size, events: usize) -> bool {
    let started = Instant::now();
    let next = Mutex::new(0..ACCOUNTS);
    let done = Mutex::new(Vec::new());
    thread::scope(|threads| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            threads.spawn(|| {
                while let Some(n) = { next.lock().unwrap_or_else(PoisonError::into_inner).next() } {
                    let spaces =
                        size.spaces / ACCOUNTS as usize + usize::from((n as usize) < size.spaces % ACCOUNTS as usize);
                    let mut account = Account::new(seed.wrapping_mul(ACCOUNTS).wrapping_add(n), spaces);
                    account.live(size.days, events);
                    done.lock().unwrap_or_else(PoisonError::into_inner).push((
                        n,
                        account.events,
                        account.counts,
                        account.wrong,
                    ));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(n, ..)| *n);
    let mut sum = Counts::default();
    let mut is_right = true;
    for (n, events, counts, wrong) in done {
        sum.kills += counts.kills;
        sum.faults += counts.faults;
        sum.overdue += counts.overdue;
        sum.orphans += counts.orphans;
        sum.keyless_seconds += counts.keyless_seconds;
        if !wrong.is_empty() {
            is_right = false;
            println!("wrong: account {n} after {events} events");
            wrong.iter().for_each(|line| println!("  {line}"));
            println!(
                "  replay: cargo run --profile simulate -p arize-keys --example simulate -- --seed {seed} --days {} --spaces {} --events {events}",
                size.days, size.spaces
            );
        }
    }
    println!(
        "simulate: days={} spaces={} keys={} kills={} faults={} overdue={} orphans={} keyless_minutes={} wall_s={:.1}",
        size.days,
        size.spaces,
        size.spaces * KEYS,
        sum.kills,
        sum.faults,
        sum.overdue,
        sum.orphans,
        (sum.keyless_seconds + 59) / 60,
        started.elapsed().as_secs_f64()
    );
    is_right && sum.overdue == 0 && sum.orphans == 0 && sum.keyless_seconds == 0
}

impl Account {
    fn new(seed: u64, spaces: usize) -> Self {
        let service = Service::empty(seed);
        let organization = service.emulator.add_organization("acme");
        let spaces: Vec<String> = (0..spaces)
            .map(|n| service.emulator.add_space(&organization, format!("team-{n}")).expect("the organization is there"))
            .collect();
        let admin = service.admin();
        let mut hosts = Vec::new();
        for (n, space) in spaces.iter().enumerate() {
            for key in 1..KEYS {
                let request = CreateServiceKeyRequest::new(format!("app-{key}"), SpaceRef::id(space));
                let request = if key % 3 == 0 { request.expires_in(Duration::from_secs(60 * 86_400)) } else { request };
                admin.create_service_key(&request).expect("the service works");
            }
            let host = Arc::new(Host::new(&format!("host-{n}"), FILE));
            let process = Process::new(0, &host, &service, None, undisturbed);
            let command = Command::new(&format!("ensure etl --space {space} --out {FILE} -o json"), &process);
            hosts.push(Managed { host, command, keys: Vec::new() });
        }
        service.ledger().log.clear();
        Self {
            seed,
            rng: Rng::with_seed(seed),
            start: service.now().unix_timestamp(),
            hosts,
            operators: Arc::new(Host::new("operators", FILE)),
            spaces,
            queue: BinaryHeap::new(),
            events: 0,
            processes: 0,
            owners: HashMap::new(),
            outage: None,
            faults: Arc::default(),
            counts: Counts::default(),
            wrong: Vec::new(),
            service,
        }
    }

    fn live(&mut self, days: i64, events: usize) {
        for host in 0..self.hosts.len() {
            let minute = self.rng.i64(0..24 * 60);
            self.schedule(minute * 60, Event::Ensure(host));
        }
        for (event, count) in [(Event::Audit, 1), (Event::Prune, 1), (Event::Admin, 2)] {
            for _ in 0..count {
                let at = self.rng.i64(0..DAY);
                self.schedule(at, event);
            }
        }
        for _ in 0..(days / 60).max(1) {
            let at = self.rng.i64(0..days * DAY);
            self.schedule(at, Event::OutageBegins);
        }
        while let Some(Reverse((at, _, event))) = self.queue.pop() {
            if at >= days * DAY || self.events >= events {
                break;
            }
            self.events += 1;
            let late = self.service.now().unix_timestamp() - self.start - at;
            self.service.clock.advance(Duration::from_secs(u64::try_from(-late).unwrap_or(0)));
            self.handle(at, event);
            if !self.wrong.is_empty() {
                self.wrong
                    .push(format!("at {event:?}, {at} s after the start, in the account with the seed {}", self.seed));
                return;
            }
        }
        self.outage = None;
        for host in 0..self.hosts.len() {
            self.ensure(host, false);
            let host = &self.hosts[host].host;
            host.observe(&self.service, "the end of the year");
            self.counts.keyless_seconds += host.inner().consumer.keyless.whole_seconds();
        }
        self.counts.faults = self.faults.load(Ordering::Relaxed);
    }

    fn schedule(&mut self, at: i64, event: Event) {
        let number = self.queue.len() + self.events * 8;
        self.queue.push(Reverse((at, number, event)));
    }

    fn handle(&mut self, at: i64, event: Event) {
        match event {
            Event::Ensure(host) => {
                self.ensure(host, true);
                self.schedule(at + DAY, event);
            }
            Event::Audit => {
                self.operate("audit --expires-within 14d -o json");
                self.schedule(at + 7 * DAY, event);
            }
            Event::Prune => {
                self.operate("prune --expired --all-spaces --max 100000 --yes -o json");
                self.schedule(at + 7 * DAY, event);
            }
            Event::Admin => {
                self.administer();
                self.schedule(at + DAY, event);
            }
            Event::OutageBegins => {
                self.outage = Some(chaos::outage(&mut self.rng));
                let hours = self.rng.i64(1..72);
                self.schedule(at + hours * 3600, Event::OutageEnds);
            }
            Event::OutageEnds => self.outage = None,
        }
    }

    /// Runs a command, with faults or without, and checks what must hold after any run. Returns whether a fault met it.
    fn process(&mut self, host: &Arc<Host>, command: &Command, is_disturbed: bool) -> (Run, bool) {
        host.observe(&self.service, "the time");
        self.processes += 1;
        let before = self.faults.load(Ordering::Relaxed);
        let process = if is_disturbed {
            let chaos = Chaos::new(&mut self.rng, ODDS, self.outage, &self.faults);
            Process::new(self.processes, host, &self.service, None, chaos)
        } else {
            Process::new(self.processes, host, &self.service, None, undisturbed)
        };
        let run = process.run(command);
        self.counts.kills += usize::from(run.code.is_none());
        if run.leaks() {
            self.wrong.push("the output has a secret".to_owned());
        }
        let was_disturbed = run.code.is_none() || self.faults.load(Ordering::Relaxed) != before;
        (run, was_disturbed)
    }

    /// Looks at the consumers whose key was created or revoked, and says which host they are on.
    fn notice(&mut self, event: &str) {
        let changed = std::mem::take(&mut self.service.ledger().log);
        for id in changed {
            if let Some(host) = self.owners.get(&id) {
                let host = &self.hosts[*host].host;
                host.observe(&self.service, event);
                self.wrong.append(&mut host.inner().consumer.wrong);
            }
        }
    }

    fn ensure(&mut self, number: usize, is_disturbed: bool) {
        let (host, command) = (Arc::clone(&self.hosts[number].host), Arc::clone(&self.hosts[number].command));
        let (run, was_disturbed) = self.process(&host, &command, is_disturbed);
        let minted: Vec<String> = {
            let ledger = self.service.ledger();
            let is_mine = |id: &&String| ledger.keys.get(*id).is_some_and(|key| key.by == run.process);
            ledger.log.iter().filter(is_mine).cloned().collect()
        };
        if minted.len() > 1 && minted.iter().any(|id| *id != minted[0]) {
            self.wrong.push("one run created two keys".to_owned());
        }
        for id in minted {
            self.owners.insert(id.clone(), number);
            self.hosts[number].keys.push(id);
        }
        self.notice("a run");
        self.wrong.append(&mut host.inner().consumer.wrong);
        if !self.wrong.is_empty() {
            self.wrong.push(format!("{:?} after {} steps: {}", run.code, run.steps.len(), run.err));
        }
        if !was_disturbed {
            self.check(number, &run);
        }
    }

    /// After a run that nothing disturbed: one key, stored, working and not due.
    fn check(&mut self, number: usize, run: &Run) {
        if run.code != Some(0) {
            self.wrong.push(format!("an undisturbed run ends with {:?}: {}", run.code, run.err));
        }
        let stored = self.hosts[number].host.stored();
        let ledger = self.service.ledger();
        let service = &self.service;
        let keys = &mut self.hosts[number].keys;
        keys.retain(|id| ledger.keys.get(id).is_some_and(|key| service.accepts(&key.secret)));
        keys.dedup();
        let is_stored = |id: &String| ledger.keys.get(id).is_some_and(|key| Some(&key.secret) == stored.as_ref());
        self.counts.orphans += keys.iter().filter(|id| !is_stored(id)).count();
        let current = keys.iter().find(|id| is_stored(id)).and_then(|id| ledger.keys.get(id));
        // A minute, because the run began before.
        let is_due = |at: OffsetDateTime| at - DUE + Duration::from_secs(60) <= service.now();
        match current {
            None => self.wrong.push(format!("host {number} has no working key: {}", run.err)),
            Some(key) if key.expires_at.is_none_or(is_due) => {
                self.counts.overdue += 1;
            }
            Some(_) => {}
        }
    }

    /// `audit` and `prune`, by the operators.
    fn operate(&mut self, command: &str) {
        let host = Arc::clone(&self.operators);
        let command = Command::kept(command, &Process::new(0, &host, &self.service, None, undisturbed));
        let changes = self.service.ledger().changes;
        let (run, was_disturbed) = self.process(&host, &command, true);
        let is_audit = command.text.starts_with("audit");
        if is_audit && self.service.ledger().changes != changes {
            self.wrong.push("`audit` changed something".to_owned());
        }
        if !was_disturbed && !matches!((is_audit, run.code), (true, Some(0 | 13)) | (false, Some(0))) {
            self.wrong.push(format!("`{}` ends with {:?}: {}", command.text, run.code, run.err));
        }
        self.notice(&command.text);
    }

    /// The admin creates keys, and revokes some: seldom one that a host works with.
    fn administer(&mut self) {
        let admin = self.service.admin();
        let space = self.rng.usize(..self.spaces.len());
        let request = CreateServiceKeyRequest::new("app-10", SpaceRef::id(&self.spaces[space]));
        admin.create_service_key(&request.expires_in(Duration::from_secs(60 * 86_400))).expect("the service works");
        let id = if self.rng.u8(..10) == 0 {
            self.hosts[space].keys.last().cloned()
        } else {
            let ledger = self.service.ledger();
            let ids: Vec<&String> = ledger.keys.iter().filter(|(_, key)| key.name != "etl").map(|(id, _)| id).collect();
            ids.get(self.rng.usize(..ids.len())).map(|id| (*id).clone())
        };
        if let Some(id) = id {
            // It may be revoked already.
            let _ = admin.revoke(id);
        }
        self.notice("the admin");
    }
}
