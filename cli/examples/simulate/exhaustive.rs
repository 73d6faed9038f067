//! Every kill at every boundary, with every fault before it; then one run that nothing disturbs.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use super::disk::Survival;
use super::faults::{ROWS, Row};
use super::process::{Decision, Director, Kill, Process, Run, Verb};
use super::scenario::{Case, SCENARIOS, Scenario};
use super::turns::Turns;

/// ENOSPC, EIO, EBUSY, EPERM: the rows F1 and F2.
const DISK_ERRORS: [ErrorKind; 4] =
    [ErrorKind::StorageFull, ErrorKind::Other, ErrorKind::ResourceBusy, ErrorKind::PermissionDenied];

/// How a process is ended: alone, or by a power cut in which the disk loses changes.
const CUTS: [Option<Survival>; 6] = [
    None,
    Some(Survival::Nothing),
    Some(Survival::Names),
    Some(Survival::Content),
    Some(Survival::Some(1)),
    Some(Survival::Some(2)),
];

/// The disturbance of the first process.
#[derive(Clone, Copy, Debug, Default)]
struct Plan {
    fault: Option<Injected>,
    /// Before this step.
    kill: Option<(usize, Option<Survival>)>,
    /// The other process runs from the first number, a step of the first process, to the second, a step of the other one.
    other: Option<(usize, usize)>,
}

#[derive(Clone, Copy, Debug)]
struct Injected {
    step: usize,
    what: What,
    /// Every later step of its kind meets it too.
    lasts: bool,
}

#[derive(Clone, Copy, Debug)]
enum What {
    Row(&'static Row),
    Disk(ErrorKind),
    Short,
}

impl What {
    fn meets(self, verb: Verb) -> bool {
        match (self, verb) {
            (Self::Row(row), Verb::Send(call)) => row.meets(call),
            (Self::Row(_), _) | (Self::Disk(_), Verb::Send(_)) => false,
            (Self::Short, verb) => verb == Verb::Write,
            // A directory that may be opened may be opened by the next run, too.
            (Self::Disk(ErrorKind::PermissionDenied), Verb::OpenDirectory | Verb::Lock) => false,
            (Self::Disk(_), _) => true,
        }
    }

    fn may_last(self) -> bool {
        match self {
            Self::Row(row) => row.may_last(),
            Self::Disk(kind) => kind == ErrorKind::Other,
            Self::Short => false,
        }
    }

    fn all() -> impl Iterator<Item = Self> {
        let disk = DISK_ERRORS.into_iter().map(Self::Disk).chain([Self::Short]);
        ROWS.iter().map(Self::Row).chain(disk)
    }
}

impl Director for Plan {
    fn decide(&mut self, step: usize, verb: Verb) -> Decision {
        if let Some((at, power_cut)) = self.kill
            && at == step
        {
            return Decision::Kill(Kill { is_after: false, power_cut });
        }
        match self.fault {
            Some(Injected { step: at, what, lasts }) if (at == step || lasts && at < step) && what.meets(verb) => {
                match what {
                    What::Row(row) => Decision::Fault(row),
                    What::Disk(kind) => Decision::Fail(kind),
                    What::Short => Decision::Short,
                }
            }
            _ => Decision::Go,
        }
    }
}

/// The figures of the run, and the violations.
#[derive(Default)]
pub(crate) struct Tally {
    boundaries: AtomicUsize,
    faults: AtomicUsize,
    runs: AtomicUsize,
    wrong: AtomicUsize,
    /// The violations and their scenarios: each kind is printed once.
    told: Mutex<BTreeMap<String, usize>>,
}

/// Which runs to make.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Choice<'a> {
    All,
    /// One in this many.
    OneIn(usize),
    /// `SCENARIO`, `SCENARIO/BOUNDARY` or `SCENARIO/BOUNDARY/NUMBER`.
    Only(&'a str),
}

impl Choice<'_> {
    fn has_scenario(self, scenario: &Scenario) -> bool {
        !matches!(self, Self::Only(only) if only.split('/').next() != Some(scenario.name))
    }

    fn has_boundary(self, boundary: usize) -> bool {
        !matches!(self, Self::Only(only) if only.split('/').nth(1).is_some_and(|text| text != boundary.to_string()))
    }

    fn has_run(self, number: usize) -> bool {
        !matches!(self, Self::Only(only) if only.split('/').nth(2).is_some_and(|text| text != number.to_string()))
    }

    /// Whether to make the runs with this fault, or with this turn of another process.
    fn has_fault(self, number: usize) -> bool {
        !matches!(self, Self::OneIn(count) if !number.is_multiple_of(count))
    }
}

/// Makes the runs. `false` if anything is wrong.
pub(crate) fn run(choice: Choice<'_>) -> bool {
    let tally = Tally::default();
    for scenario in SCENARIOS.iter().filter(|scenario| choice.has_scenario(scenario)) {
        explore(scenario, choice, &tally);
    }
    for (kind, count) in tally.told.lock().unwrap_or_else(PoisonError::into_inner).iter() {
        println!("{count} times: {kind}");
    }
    let count = |counter: &AtomicUsize| counter.load(Ordering::Relaxed);
    println!(
        "exhaustive: boundaries={} faults={} runs={} wrong={}",
        count(&tally.boundaries),
        count(&tally.faults),
        count(&tally.runs),
        count(&tally.wrong)
    );
    count(&tally.wrong) == 0
}

fn explore(scenario: &Scenario, choice: Choice<'_>, tally: &Tally) {
    let steps = check(scenario, Plan::default(), "undisturbed", tally).steps;
    let next = AtomicUsize::new(0);
    tally.boundaries.fetch_add(steps.len() + 1, Ordering::Relaxed);
    let work = || {
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            if at > steps.len() {
                return;
            }
            if choice.has_boundary(at) {
                Boundary { scenario, at, choice, done: 0, tally }.explore(steps.get(at).copied(), steps.len());
            }
        }
    };
    thread::scope(|threads| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            threads.spawn(work);
        }
    });
}

/// One boundary: before a step of the undisturbed run.
struct Boundary<'a> {
    scenario: &'a Scenario,
    at: usize,
    choice: Choice<'a>,
    done: usize,
    tally: &'a Tally,
}

impl Boundary<'_> {
    fn explore(&mut self, verb: Option<Verb>, steps: usize) {
        let at = self.at;
        for cut in CUTS {
            self.check(Plan { kill: Some((at, cut)), ..Plan::default() });
        }
        if self.scenario.processes > 1 {
            // The other one begins here, and is at any of its steps when the first one goes on.
            let choice = self.choice;
            for until in (0..=steps).filter(|until| choice.has_fault(at + until)) {
                self.check(Plan { other: Some((at, until)), ..Plan::default() });
                self.check(Plan { other: Some((at, until)), kill: Some((at + 1, None)), ..Plan::default() });
            }
        }
        let Some(verb) = verb else { return };
        for what in What::all().filter(|what| what.meets(verb)) {
            for lasts in [false, true].into_iter().take(if what.may_last() { 2 } else { 1 }) {
                if !self.choice.has_fault(at + self.done) {
                    self.done += 1;
                    continue;
                }
                self.tally.faults.fetch_add(1, Ordering::Relaxed);
                let fault = Some(Injected { step: at, what, lasts });
                self.done += 1;
                // Not chosen either: its steps are needed.
                let run = check(self.scenario, Plan { fault, ..Plan::default() }, &self.id(), self.tally);
                for kill in at + 1..=run.steps.len() {
                    for cut in [None, Some(Survival::Nothing)] {
                        self.check(Plan { fault, kill: Some((kill, cut)), ..Plan::default() });
                    }
                }
            }
        }
    }

    fn check(&mut self, plan: Plan) {
        self.done += 1;
        if self.choice.has_run(self.done) {
            check(self.scenario, plan, &self.id(), self.tally);
        }
    }

    fn id(&self) -> String {
        format!("{}/{}/{}", self.scenario.name, self.at, self.done)
    }
}

/// Makes a run by a plan, and one that nothing disturbs.
fn check(scenario: &Scenario, plan: Plan, id: &str, tally: &Tally) -> Run {
    let case = scenario.build();
    let runs = disturb(&case, scenario, plan);
    let mut wrong: Vec<String> = runs.iter().flat_map(|run| case.after(run, true)).collect();
    case.service.clock.advance(Duration::from_secs(60));
    let mut last = case.run_undisturbed(98);
    if let Some(overlap) = case.overlap {
        // A later run retires what this one must leave.
        wrong.extend(case.after(&last, true));
        case.service.clock.advance(overlap);
        last = case.run_undisturbed(99);
    }
    wrong.extend(case.after_undisturbed(&last));
    tally.runs.fetch_add(1, Ordering::Relaxed);
    if !wrong.is_empty() {
        tally.wrong.fetch_add(1, Ordering::Relaxed);
        let is_of_id = |c: char| c.is_ascii_digit() || c == '"';
        let kind = format!("{}: {}", scenario.name, wrong.join("; ").replace(is_of_id, ""));
        let mut told = tally.told.lock().unwrap_or_else(PoisonError::into_inner);
        let count = told.entry(kind).or_default();
        *count += 1;
        if *count == 1 {
            println!("wrong: {plan:?}");
            wrong.iter().for_each(|wrong| println!("  {wrong}"));
            for run in runs.iter().chain([&last]) {
                println!("  -- code {:?} after {} steps: {}\n{}", run.code, run.steps.len(), run.out.trim(), run.err);
            }
            println!("  replay: cargo run --profile simulate -p arize-keys --example simulate -- --exhaustive {id}");
        }
    }
    runs.into_iter().next().unwrap_or(last)
}

/// Runs the command: once, or in two processes at the same time.
fn disturb(case: &Case, scenario: &Scenario, plan: Plan) -> Vec<Run> {
    if scenario.processes == 1 {
        return vec![Process::new(10, &case.host, &case.service, None, plan).run(&case.command)];
    }
    let mut steps = [0, 0];
    // Without a plan for the other process, the two alternate.
    let seats = Turns::seats(2, &case.service.clock, move |current, ready| {
        let next = match plan.other {
            None => 1 - current,
            Some((from, until)) => {
                steps[current] += 1;
                usize::from(steps[0] > from && steps[1] <= until)
            }
        };
        if ready.contains(&next) { next } else { ready[0] }
    });
    thread::scope(|threads| {
        let processes = seats.into_iter().enumerate().map(|(n, seat)| {
            let mine = if n == 0 { plan } else { Plan::default() };
            let id = 10 + u32::try_from(n).unwrap_or_default();
            let process = Process::new(id, &case.host, &case.service, Some(seat.clone()), mine);
            threads.spawn(move || {
                seat.begin();
                process.run(&case.command)
            })
        });
        let processes: Vec<_> = processes.collect();
        processes.into_iter().map(|process| process.join().expect("a killed process is caught")).collect()
    })
}
