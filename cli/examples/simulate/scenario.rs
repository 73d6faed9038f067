//! The beginnings of the exhaustive mode: an account, a host, and the command that is killed.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use arize_api_keys::{CreateRequest, CreateServiceKeyRequest, ExposeSecret};

use fastrand::Rng;

use super::command::Command;
use super::host::Host;
use super::process::{Process, Run, undisturbed};
use super::service::Service;

/// The file of the consumer.
pub(crate) const FILE: &str = "/etc/app/key";

const DAY: Duration = Duration::from_secs(86_400);

/// A command that keeps or replaces a key, or removes keys.
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    /// How many processes run the command at the same time.
    pub(crate) processes: usize,
    build: fn() -> Case,
}

/// A world in which the command is about to run.
pub(crate) struct Case {
    pub(crate) service: Service,
    pub(crate) host: Arc<Host>,
    pub(crate) command: Arc<Command>,
    /// The name of the keys of which one must be left, stored and working. `None`: the command only removes.
    pub(crate) name: Option<&'static str>,
    /// The name of the keys of which none must be left.
    pub(crate) lent: Option<&'static str>,
    /// When the overlap of a run that begins now is over, or the lifetime of a lent key.
    pub(crate) overlap: Option<Duration>,
    /// Keys that must work in the end.
    pub(crate) kept: Vec<String>,
    /// Keys that must not.
    pub(crate) gone: Vec<String>,
}

pub(crate) static SCENARIOS: &[Scenario] = &[
    Scenario { name: "rotate", processes: 1, build: rotate },
    Scenario { name: "rotate-own", processes: 1, build: rotate_own },
    Scenario { name: "rotate-service", processes: 1, build: rotate_service },
    Scenario { name: "ensure-create", processes: 1, build: ensure_create },
    Scenario { name: "ensure-renew", processes: 1, build: || ensured(ENSURE, 70) },
    Scenario { name: "ensure-renew-own", processes: 1, build: ensure_own },
    Scenario { name: "ensure-overlap", processes: 1, build: || ensured(ENSURE_OVERLAP, 70) },
    Scenario { name: "ensure-retire", processes: 1, build: ensure_retire },
    Scenario { name: "prune", processes: 1, build: prune },
    Scenario { name: "run", processes: 1, build: lend },
    Scenario { name: "ensure-create-twice", processes: 2, build: ensure_create },
    Scenario { name: "ensure-renew-twice", processes: 2, build: || ensured(ENSURE, 70) },
];

const ENSURE_THEN: &str = "ensure etl --space prod-eu --then reload --out /etc/app/key -o json";
const ENSURE: &str = "ensure etl --space prod-eu --out /etc/app/key -o json";
const ENSURE_OVERLAP: &str = "ensure etl --space prod-eu --overlap 1d --env-file /etc/app/key -o json";

impl Scenario {
    pub(crate) fn build(&self) -> Case {
        (self.build)()
    }
}

impl Case {
    fn new(name: Option<&'static str>) -> Self {
        Self::on(&Service::new(7), "host", name)
    }

    /// A host of an account that has other hosts.
    fn on(service: &Service, host: &str, name: Option<&'static str>) -> Self {
        let (service, host) = (service.clone(), Arc::new(Host::new(host, FILE)));
        let command = Command::kept("man", &Process::new(0, &host, &service, None, undisturbed));
        Self { service, host, command, name, lent: None, overlap: None, kept: Vec::new(), gone: Vec::new() }
    }

    fn with(mut self, command: &str) -> Self {
        self.command = self.parsed(command);
        self.host.finish(&self.service);
        self
    }

    fn parsed(&self, command: &str) -> Arc<Command> {
        let process = Process::new(0, &self.host, &self.service, None, undisturbed);
        // Ids of random accounts are never seen again.
        let is_known = !command.starts_with("rotate ") || self.host.name == "host";
        if is_known { Command::kept(command, &process) } else { Command::new(command, &process) }
    }

    /// A key of the admin, in the file.
    fn key_in_file(&self, name: &str, line: fn(&str) -> String) -> String {
        let created = self.service.admin().create(&CreateRequest::new(name)).expect("the service works");
        self.put(&line(created.key.expose_secret()));
        created.id.clone()
    }

    fn put(&self, content: &str) {
        self.host.inner().disk.put(Path::new(FILE), content, 0o600);
    }

    /// Runs the command undisturbed.
    pub(crate) fn run_undisturbed(&self, id: u32) -> Run {
        Process::new(id, &self.host, &self.service, None, undisturbed).run(&self.command)
    }

    fn later(&self, days: u32) {
        self.service.clock.advance(DAY * days);
    }
}

fn rotate() -> Case {
    let case = Case::new(Some("etl"));
    let id = case.key_in_file("etl", |secret| format!("{secret}\n"));
    case.with(&format!("rotate {id} --yes --out {FILE} -o json"))
}

/// With the key that it replaces.
fn rotate_own() -> Case {
    let case = Case::new(Some("etl"));
    let id = case.key_in_file("etl", |secret| format!("A=1\nARIZE_API_KEY={secret}\n"));
    case.with(&format!("rotate {id} --yes --api-key-file {FILE} --env-file {FILE} -o json"))
}

fn rotate_service() -> Case {
    let case = Case::new(Some("etl"));
    let request = CreateServiceKeyRequest::new("etl", "prod-eu");
    let created = case.service.admin().create_service_key(&request).expect("the service works");
    case.put(created.key.expose_secret());
    let id = created.id.clone();
    case.with(&format!("rotate {id} --space prod-eu --yes --out {FILE} -o json"))
}

fn ensure_create() -> Case {
    Case::new(Some("etl")).with(ENSURE_THEN)
}

/// After a first run, these days later.
fn ensured(command: &str, days: u32) -> Case {
    let mut case = Case::new(Some("etl")).with(command);
    case.overlap = command.contains("--overlap").then_some(DAY);
    let run = case.run_undisturbed(1);
    assert_eq!(run.code, Some(0), "{run:?}");
    case.later(days);
    case
}

/// A user key that renews itself.
fn ensure_own() -> Case {
    let mut case = Case::new(Some("etl")).with("ensure etl --out /etc/app/key -o json");
    let run = case.run_undisturbed(1);
    assert_eq!(run.code, Some(0), "{run:?}");
    case.command = case.parsed("ensure etl --out /etc/app/key --api-key-file /etc/app/key -o json");
    case.later(70);
    case
}

/// The old key waits for the end of the overlap, which is over.
fn ensure_retire() -> Case {
    let case = ensured(ENSURE_OVERLAP, 70);
    let run = case.run_undisturbed(2);
    assert_eq!(run.code, Some(0), "{run:?}");
    case.later(2);
    case
}

/// Two keys to remove, and two to keep.
fn prune() -> Case {
    let mut case = Case::new(None);
    let admin = case.service.admin();
    let create = |name: &str, days: u64| {
        let request = CreateServiceKeyRequest::new(name, "prod-eu").expires_in(Duration::from_secs(days * 86_400));
        admin.create_service_key(&request).expect("the service works").id.clone()
    };
    case.gone = vec![create("ci-1", 90), create("ci-2", 90)];
    case.kept = vec![create("etl", 90)];
    case.later(40);
    case.kept.push(create("ci-3", 90));
    let id = case.key_in_file("app", |secret| format!("{secret}\n"));
    case.kept.push(id);
    case.with("prune --older-than 30d --name ci-* --space prod-eu --yes -o json")
}

/// A key for one command. A key that a killed run leaves ends with its lifetime.
fn lend() -> Case {
    let mut case = Case::new(None);
    case.lent = Some("job");
    case.overlap = Some(Duration::from_secs(3600));
    case.with("run --space prod-eu --name job -- work")
}

/// Three hosts of one account: keys that `prune` removes, one that `ensure` keeps, one that `rotate` replaces.
pub(crate) fn apps(rng: &mut Rng) -> Vec<Case> {
    let service = Service::new(rng.u64(..));
    let mut pruned = Case::on(&service, "operators", None);
    let create = |name: &str| {
        let created = service.admin().create_service_key(&CreateServiceKeyRequest::new(name, "prod-eu"));
        created.expect("the service works").id.clone()
    };
    pruned.gone = vec![create("ci-1"), create("ci-2")];
    pruned.kept = vec![create("app")];
    pruned.later(40);
    let pruned = pruned.with("prune --older-than 30d --name ci-* --space prod-eu --yes -o json");

    let ways = [
        ENSURE_THEN,
        "ensure etl --space prod-eu --overlap 1d --env-file /etc/app/key -o json",
        "ensure etl --lifetime 30d --out /etc/app/key -o json",
    ];
    let way = ways[rng.usize(..ways.len())];
    let mut ensured = Case::on(&service, "app-1", Some("etl"));
    ensured.overlap = way.contains("--overlap").then_some(DAY);
    let ensured = ensured.with(way);

    let rotated = Case::on(&service, "app-2", Some("bot"));
    let rotated = if rng.bool() {
        let id = rotated.key_in_file("bot", |secret| format!("{secret}\n"));
        rotated.with(&format!("rotate {id} --yes --out {FILE} -o json"))
    } else {
        let id = rotated.key_in_file("bot", |secret| format!("A=1\nARIZE_API_KEY={secret}\n"));
        rotated.with(&format!("rotate {id} --yes --api-key-file {FILE} --env-file {FILE} -o json"))
    };
    vec![pruned, ensured, rotated]
}
