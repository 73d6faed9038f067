//! Two runners of `ensure` with one owner and no lock, in any order of their steps, and killed at any step.
#![cfg(feature = "emulator")]

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread;
use std::time::Duration;

use arize_api_keys::emulator::{Emulator, ManualClock};
use arize_api_keys::http::{Request, Response};
use arize_api_keys::secrecy::SecretString;
use arize_api_keys::time::OffsetDateTime;
use arize_api_keys::{
    ApiKeysClient, ApiStage, CreateRequest, EnsureChange, EnsureRequest, Ensured, ExposeSecret, ListRequest, Transport,
    TransportError, TransportErrorKind,
};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

const OWNER: &str = "host-7:etl";
const DAY: u64 = 86_400;

/// Which runner takes the next step. One runs at a time, so that a run with the same choices is the same.
#[derive(Default)]
struct Turns {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// The runners that wait for a turn.
    waiting: BTreeSet<usize>,
    done: BTreeSet<usize>,
    turn: Option<usize>,
}

/// The panic with which a killed runner unwinds.
struct Killed;

/// One runner's view of the turns.
#[derive(Clone)]
struct Runner {
    number: usize,
    turns: Arc<Turns>,
    /// The steps until it is killed.
    life: Arc<Mutex<usize>>,
}

impl Turns {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Waits until no runner runs. Returns those that wait.
    fn at_rest(&self, runners: usize) -> Vec<usize> {
        let is_busy = |state: &mut State| state.turn.is_some() || state.waiting.len() + state.done.len() < runners;
        let state = self.changed.wait_while(self.state(), is_busy).unwrap();
        state.waiting.iter().copied().collect()
    }

    fn give(&self, runner: usize) {
        let mut state = self.state();
        state.waiting.remove(&runner);
        state.turn = Some(runner);
        self.changed.notify_all();
        drop(self.changed.wait_while(state, |state| state.turn.is_some()).unwrap());
    }

    fn end(&self, runner: usize) {
        let mut state = self.state();
        state.done.insert(runner);
        state.turn = None;
        self.changed.notify_all();
    }
}

impl Runner {
    /// Waits for the turn. `false` if this runner is dead.
    fn step(&self) -> bool {
        let mut life = self.life.lock().unwrap();
        if *life == 0 {
            return false;
        }
        let mut state = self.turns.state();
        state.waiting.insert(self.number);
        if state.turn == Some(self.number) {
            state.turn = None;
        }
        self.turns.changed.notify_all();
        drop(self.turns.changed.wait_while(state, |state| state.turn != Some(self.number)).unwrap());
        *life -= 1;
        if *life == 0 {
            drop(life);
            resume_unwind(Box::new(Killed));
        }
        true
    }
}

/// A transport whose requests wait for their turn.
struct Scheduled {
    runner: Runner,
    emulator: Emulator,
}

impl Transport for Scheduled {
    fn send(&self, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, TransportError> {
        if !self.runner.step() {
            // The requests of destructors during the unwinding.
            return Err(TransportError::new(TransportErrorKind::Connect, std::io::Error::other("killed")));
        }
        self.emulator.send(request)
    }
}

#[derive(Clone, Copy, Debug)]
enum Start {
    /// The store holds nothing, and there is no key.
    Empty,
    /// The key in the store is due.
    Due,
    /// There is a key, and the store lost its secret.
    Lost,
}

#[derive(Clone, Debug)]
struct Case {
    stage: ApiStage,
    start: Start,
    /// Whether the clock of the service moves between steps: else all keys are of one second.
    is_ticking: bool,
    /// How many steps each runner lives.
    lives: Vec<usize>,
    choices: Vec<u8>,
}

struct World {
    emulator: Emulator,
    clock: ManualClock,
    store: Arc<Mutex<Option<SecretString>>>,
    stage: ApiStage,
}

impl World {
    fn new(case: &Case) -> Self {
        let clock = ManualClock::at(OffsetDateTime::UNIX_EPOCH + Duration::from_secs(20_000 * DAY));
        let emulator = Emulator::builder().seed(7).clock(clock.clone()).stage(case.stage).build();
        let world = Self { emulator, clock, store: Arc::default(), stage: case.stage };
        if !matches!(case.start, Start::Empty) {
            world.ensure(&world.client(world.emulator.clone())).unwrap();
            world.clock.advance(Duration::from_secs(80 * DAY));
        }
        if matches!(case.start, Start::Lost) {
            *world.store.lock().unwrap() = None;
        }
        world
    }

    fn client(&self, transport: impl Transport + 'static) -> ApiKeysClient {
        let builder = ApiKeysClient::builder().ignore_env().api_key(self.emulator.admin_key()).stage(self.stage);
        builder.clock(self.clock.clone()).transport(transport).build().unwrap()
    }

    fn ensure(&self, client: &ApiKeysClient) -> Result<Ensured, String> {
        ensure(client, &self.store, || ())
    }

    fn stored(&self) -> Option<SecretString> {
        self.store.lock().unwrap().clone()
    }

    fn works(&self, secret: &SecretString) -> bool {
        self.emulator.authenticates(secret.expose_secret())
    }

    fn live(&self) -> Vec<arize_api_keys::ApiKey> {
        let client = self.client(self.emulator.clone());
        let keys = client.list_all(&ListRequest::new()).map(|key| key.unwrap());
        keys.filter(|key| key.name == "etl").collect()
    }
}

fn ensure(client: &ApiKeysClient, store: &Mutex<Option<SecretString>>, step: impl Fn()) -> Result<Ensured, String> {
    step();
    let stored = store.lock().unwrap().clone();
    let request = EnsureRequest::new(CreateRequest::new("etl"), OWNER).stored(stored);
    let ensured = client.ensure(&request, |created| {
        step();
        *store.lock().unwrap() = Some(created.key.clone());
        Ok::<(), &str>(())
    });
    ensured.map_err(|error| error.to_string())
}

/// Returns the results of the runners that were not killed.
fn run(case: &Case) -> Vec<Ensured> {
    let results = Mutex::new(Vec::new());
    let world = World::new(case);
    let turns = Arc::new(Turns::default());
    let made = world.emulator.keys_created();
    let mut is_kept = true;
    thread::scope(|scope| {
        for (number, life) in case.lives.iter().enumerate() {
            let runner = Runner { number, turns: Arc::clone(&turns), life: Arc::new(Mutex::new(*life)) };
            let client = world.client(Scheduled { runner: runner.clone(), emulator: world.emulator.clone() });
            let store = Arc::clone(&world.store);
            let (turns, results) = (Arc::clone(&turns), &results);
            scope.spawn(move || {
                let step = || assert!(runner.step(), "a killed runner goes on");
                let ended = catch_unwind(AssertUnwindSafe(|| ensure(&client, &store, step)));
                turns.end(number);
                match ended {
                    Ok(ended) => results.lock().unwrap().push(ended.unwrap()),
                    Err(payload) if payload.is::<Killed>() => {}
                    Err(payload) => resume_unwind(payload),
                }
            });
        }
        let mut choices = case.choices.iter().cycle();
        loop {
            let waiting = turns.at_rest(case.lives.len());
            // A secret that a program may read is never revoked.
            is_kept &= world.stored().is_none_or(|secret| world.works(&secret));
            let Some(choice) = choices.next().filter(|_| !waiting.is_empty()) else { break };
            if case.is_ticking {
                world.clock.advance(Duration::from_secs(1));
            }
            turns.give(waiting[usize::from(*choice) % waiting.len()]);
        }
    });
    assert!(is_kept, "the stored secret was revoked");
    assert!(world.emulator.keys_created() - made <= case.lives.len() as u64);
    world.clock.advance(Duration::from_secs(600));
    world.ensure(&world.client(world.emulator.clone())).unwrap();
    let secret = world.stored().unwrap();
    let live = world.live();
    assert_eq!(live.len(), 1, "{live:?}");
    assert!(world.works(&secret) && live[0].matches(&secret));
    results.into_inner().unwrap()
}

fn cases() -> impl Strategy<Value = Case> {
    let stage = prop_oneof![Just(ApiStage::Beta), Just(ApiStage::Alpha)];
    let start = prop_oneof![Just(Start::Empty), Just(Start::Due), Just(Start::Lost)];
    // Most runners live to the end.
    let life = prop_oneof![2 => Just(usize::MAX), 1 => 1..12_usize];
    let lives = prop::collection::vec(life, 2..=3);
    let choices = prop::collection::vec(any::<u8>(), 40);
    (stage, start, any::<bool>(), lives, choices).prop_map(|(stage, start, is_ticking, lives, choices)| Case {
        stage,
        start,
        is_ticking,
        lives,
        choices,
    })
}

#[test]
fn runners_without_a_lock_end_with_one_key() {
    let mut runner = TestRunner::deterministic();
    runner
        .run(&cases(), |case| {
            run(&case);
            Ok(())
        })
        .unwrap();
}

/// Both list before one creates, and both create before one lists again.
#[test]
fn the_older_key_wins() {
    for is_ticking in [true, false] {
        let (stage, start, lives) = (ApiStage::Beta, Start::Due, vec![usize::MAX; 2]);
        let results = run(&Case { stage, start, is_ticking, lives, choices: vec![0, 1] });
        let changes: BTreeSet<_> = results.iter().map(|ensured| format!("{:?}", ensured.change)).collect();
        assert_eq!(changes.into_iter().collect::<Vec<_>>(), ["Renewed", "Unchanged"]);
        assert_eq!(results[0].key.id, results[1].key.id);
        let winner = results.iter().find(|ensured| ensured.change == EnsureChange::Renewed).unwrap();
        assert_eq!(winner.retired.len(), 1);
    }
}
