//! Schedules by chance: runs, one or several at a time, with faults and kills; time that passes; an admin who revokes.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use arize_api_keys::CreateServiceKeyRequest;
use fastrand::Rng;

use super::chaos::{self, Chaos, Odds};
use super::faults::Row;
use super::process::{Process, Run};
use super::scenario::{Case, apps};
use super::turns::Turns;

/// The events of a schedule, at most.
const EVENTS: usize = 9;

/// After this many schedules that fail, no more are made.
const TOLD: usize = 3;

/// One schedule.
struct Schedule {
    rng: Rng,
    /// A key that `ensure` keeps, one that `rotate` replaces, keys that `prune` removes: on one account.
    apps: Vec<Case>,
    odds: Odds,
    outage: Option<&'static Row>,
    faults: Arc<AtomicUsize>,
    processes: u32,
    kills: usize,
    log: Vec<String>,
    wrong: Vec<String>,
}

/// How a schedule went.
struct Outcome {
    kills: usize,
    faults: usize,
    log: Vec<String>,
    wrong: Vec<String>,
}

/// Makes schedules, from this seed on. `false` if anything is wrong.
pub(crate) fn run(first: u64, count: u64, events: Option<usize>) -> bool {
    let started = Instant::now();
    let next = AtomicU64::new(0);
    let (kills, faults, wrong) = (AtomicUsize::new(0), AtomicUsize::new(0), Mutex::new(Vec::new()));
    let work = || {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let is_enough = wrong.lock().unwrap_or_else(PoisonError::into_inner).len() >= TOLD;
            if number >= count || is_enough {
                return;
            }
            let seed = first.wrapping_add(number);
            let outcome = schedule(seed, events.unwrap_or(EVENTS));
            kills.fetch_add(outcome.kills, Ordering::Relaxed);
            faults.fetch_add(outcome.faults, Ordering::Relaxed);
            if !outcome.wrong.is_empty() {
                wrong.lock().unwrap_or_else(PoisonError::into_inner).push(seed);
            }
        }
    };
    thread::scope(|threads| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            threads.spawn(work);
        }
    });
    let mut wrong = wrong.into_inner().unwrap_or_else(PoisonError::into_inner);
    wrong.sort_unstable();
    wrong.iter().take(TOLD).for_each(|seed| tell(*seed));
    println!(
        "schedules: seed={first} count={} kills={} faults={} wrong={} wall_s={:.1}",
        next.into_inner().min(count),
        kills.into_inner(),
        faults.into_inner(),
        wrong.len(),
        started.elapsed().as_secs_f64()
    );
    wrong.is_empty()
}

/// Prints the shortest prefix of a schedule that fails.
fn tell(seed: u64) {
    let shortest = (0..=EVENTS).find_map(|events| {
        let outcome = schedule(seed, events);
        (!outcome.wrong.is_empty()).then_some((events, outcome))
    });
    let Some((events, outcome)) = shortest else { return };
    println!("wrong: the schedule {seed} after {events} events");
    outcome.log.iter().for_each(|line| println!("{line}"));
    outcome.wrong.iter().for_each(|line| println!("  {line}"));
    println!(
        "  replay: cargo run --profile simulate -p arize-keys --example simulate -- --seed {seed} --schedules 1 --events {events}"
    );
}

fn schedule(seed: u64, events: usize) -> Outcome {
    let mut rng = Rng::with_seed(seed);
    let odds = Odds {
        request: [0, 50, 300][rng.usize(..3)],
        disk: [0, 0, 10, 50][rng.usize(..4)],
        kill: [0, 30, 60][rng.usize(..3)],
    };
    let apps = apps(&mut rng);
    let mut schedule = Schedule {
        rng,
        apps,
        odds,
        outage: None,
        faults: Arc::default(),
        processes: 100,
        kills: 0,
        log: Vec::new(),
        wrong: Vec::new(),
    };
    for _ in 0..events {
        schedule.event();
        if !schedule.wrong.is_empty() {
            break;
        }
    }
    if schedule.wrong.is_empty() {
        schedule.settle();
    }
    let faults = schedule.faults.load(Ordering::Relaxed);
    Outcome { kills: schedule.kills, faults, log: schedule.log, wrong: schedule.wrong }
}

impl Schedule {
    fn event(&mut self) {
        match self.rng.u8(..10) {
            0..6 => self.run(),
            6 | 7 => {
                let hours = [1, 24, 24 * 7, 24 * 20][self.rng.usize(..4)];
                self.log.push(format!("-- {hours} hours pass"));
                self.apps[0].service.clock.advance(Duration::from_secs(3600 * hours));
            }
            8 => self.admin(),
            _ => {
                self.outage = if self.outage.is_some() { None } else { Some(chaos::outage(&mut self.rng)) };
                self.log.push(format!("-- outage: {:?}", self.outage));
            }
        }
    }

    /// One to three processes at the same time.
    fn run(&mut self) {
        let count = [1, 1, 2, 3][self.rng.usize(..4)];
        let chosen: Vec<usize> = (0..count).map(|_| self.rng.usize(..self.apps.len())).collect();
        let mut rng = self.rng.fork();
        let seats = Turns::seats(count, &self.apps[0].service.clock, move |current, ready| {
            let is_next = !ready.contains(&current) || rng.u8(..4) == 0;
            if is_next { ready[rng.usize(..ready.len())] } else { current }
        });
        let mut processes = Vec::new();
        for (seat, app) in seats.into_iter().zip(&chosen) {
            self.processes += 1;
            let chaos = Chaos::new(&mut self.rng, self.odds, self.outage, &self.faults);
            let case = &self.apps[*app];
            let seat = (count > 1).then_some(seat);
            processes.push((case, seat.clone(), Process::new(self.processes, &case.host, &case.service, seat, chaos)));
        }
        let runs: Vec<Run> = if count == 1 {
            processes.into_iter().map(|(case, _, process)| process.run(&case.command)).collect()
        } else {
            thread::scope(|threads| {
                let threads: Vec<_> = processes
                    .into_iter()
                    .map(|(case, seat, process)| {
                        threads.spawn(move || {
                            seat.inspect(super::turns::Seat::begin);
                            process.run(&case.command)
                        })
                    })
                    .collect();
                threads.into_iter().map(|thread| thread.join().expect("a killed process is caught")).collect()
            })
        };
        for (app, run) in chosen.into_iter().zip(runs) {
            self.kills += usize::from(run.code.is_none());
            let case = &self.apps[app];
            self.log.push(format!(
                "-- {}: {:?} after {} steps\n{}",
                case.command.text,
                run.code,
                run.steps.len(),
                run.err
            ));
            self.wrong.extend(case.after(&run, count == 1));
        }
    }

    /// The admin revokes a key, or creates one.
    fn admin(&mut self) {
        let service = &self.apps[0].service;
        let live = service.live();
        let admin = service.admin();
        if self.rng.bool() || live.is_empty() {
            self.log.push("-- the admin creates a key".to_owned());
            admin.create_service_key(&CreateServiceKeyRequest::new("another", "prod-eu")).expect("the service works");
            return;
        }
        let (id, key) = &live[self.rng.usize(..live.len())];
        self.log.push(format!("-- the admin revokes {id}, {}", key.name));
        admin.revoke(id).expect("the service works");
        for case in &mut self.apps {
            case.kept.retain(|kept| kept != id);
            case.host.observe(&case.service, "the admin");
        }
    }

    /// Every command runs once more, and nothing disturbs it.
    fn settle(&mut self) {
        self.log.push("-- nothing disturbs from here on".to_owned());
        for case in &self.apps {
            // More keys than usual may have been created within the last hour.
            case.service.clock.advance(Duration::from_secs(2 * 3600));
            for round in 0..2 {
                self.processes += 1;
                let run = case.run_undisturbed(self.processes);
                let text = &case.command.text;
                self.log.push(format!("-- {text}: {:?} after {} steps\n{}", run.code, run.steps.len(), run.err));
                match case.overlap {
                    Some(overlap) if round == 0 => {
                        self.wrong.extend(case.after(&run, true));
                        case.service.clock.advance(overlap);
                    }
                    _ => {
                        self.wrong.extend(case.after_undisturbed(&run));
                        break;
                    }
                }
            }
        }
    }
}
