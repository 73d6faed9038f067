//! Every kill at every boundary, with every fault before it; then one run that nothing disturbs.

use std::io::ErrorKind;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
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

/// How a process is ended: alone, or with the power and what the disk loses then.
const CUTS: [Option<Survival>; 4] = [None, Some(Survival::Nothing), Some(Survival::Names), Some(Survival::Content)];

/// What is done to the first process.
#[derive(Clone, Copy, Debug, Default)]
struct Plan {
    fault: Option<Injected>,
    /// Before this step.
    kill: Option<(usize, Option<Survival>)>,
    /// The other process runs from this step of the first one on, to this step of its own.
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
            Some(Injected { step: at, what, lasts }) if (at == step || lasts && at < step) && what.meets(verb) => match what {
                What::Row(row) => Decision::Fault(row),
                What::Disk(kind) => Decision::Fail(kind),
                What::Short => Decision::Short,
            },
            _ => Decision::Go,
        }
    }
}

/// What was done, and what was wrong.
#[derive(Default)]
pub(crate) struct Tally {
    boundaries: AtomicUsize,
    faults: AtomicUsize,
    runs: AtomicUsize,
    wrong: AtomicUsize,
    told: Mutex<usize>,
}

/// The runs to make: all, or one of them, `SCENARIO/BOUNDARY/NUMBER`.
pub(crate) fn run(only: Option<&str>) -> bool {
    let tally = Tally::default();
    let mut parts = only.unwrap_or_default().split('/');
    let (name, boundary, number) = (parts.next().unwrap_or_default(), parts.next(), parts.next());
    let read = |text: Option<&str>| text.and_then(|text| text.parse::<usize>().ok());
    for scenario in SCENARIOS.iter().filter(|scenario| name.is_empty() || scenario.name == name) {
        let started = std::time::Instant::now();
        let before = tally.runs.load(Ordering::Relaxed);
        explore(scenario, read(boundary), read(number), &tally);
        let runs = tally.runs.load(Ordering::Relaxed) - before;
        eprintln!("{}: {runs} runs in {:.1} s", scenario.name, started.elapsed().as_secs_f64());
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

fn explore(scenario: &Scenario, boundary: Option<usize>, number: Option<usize>, tally: &Tally) {
    let steps = check(scenario, Plan::default(), "undisturbed", tally).steps;
    let next = AtomicUsize::new(0);
    tally.boundaries.fetch_add(steps.len() + 1, Ordering::Relaxed);
    let work = || {
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            if at > steps.len() {
                return;
            }
            if boundary.is_none_or(|boundary| boundary == at) {
                Boundary { scenario, at, number, done: 0, tally }.explore(steps.get(at).copied(), steps.len());
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
    /// The only run to make.
    number: Option<usize>,
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
            for until in 0..=steps {
                self.check(Plan { other: Some((at, until)), ..Plan::default() });
                self.check(Plan { other: Some((at, until)), kill: Some((at + 1, None)), ..Plan::default() });
            }
        }
        let Some(verb) = verb else { return };
        for what in What::all().filter(|what| what.meets(verb)) {
            for lasts in [false, true].into_iter().take(if what.may_last() { 2 } else { 1 }) {
                self.tally.faults.fetch_add(1, Ordering::Relaxed);
                let fault = Some(Injected { step: at, what, lasts });
                let run = self.always(Plan { fault, ..Plan::default() });
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
        if self.number.is_none_or(|number| number == self.done) {
            let id = format!("{}/{}/{}", self.scenario.name, self.at, self.done);
            check(self.scenario, plan, &id, self.tally);
        }
    }

    /// Makes a run whose steps are needed, too.
    fn always(&mut self, plan: Plan) -> Run {
        self.done += 1;
        let id = format!("{}/{}/{}", self.scenario.name, self.at, self.done);
        check(self.scenario, plan, &id, self.tally)
    }
}

/// Makes a run by a plan, and one that nothing disturbs.
fn check(scenario: &Scenario, plan: Plan, id: &str, tally: &Tally) -> Run {
    let case = scenario.build();
    let runs = disturb(&case, scenario, plan);
    let mut wrong: Vec<String> = runs.iter().flat_map(|run| case.after(run)).collect();
    case.service.clock.advance(Duration::from_secs(60));
    let last = case.run_undisturbed(99);
    wrong.extend(case.after_undisturbed(&last));
    tally.runs.fetch_add(1, Ordering::Relaxed);
    if !wrong.is_empty() {
        tally.wrong.fetch_add(1, Ordering::Relaxed);
        let mut told = tally.told.lock().expect("no holder panics");
        *told += 1;
        if *told <= 5 {
            println!("wrong: {plan:?}");
            wrong.iter().for_each(|wrong| println!("  {wrong}"));
            for run in runs.iter().chain([&last]) {
                println!("  -- code {:?} after {} steps: {}\n{}", run.code, run.steps.len(), run.out.trim(), run.err);
            }
            println!("  replay: cargo run --release -p arize-keys --example simulate -- --exhaustive {id}");
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
