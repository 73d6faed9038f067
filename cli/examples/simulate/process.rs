//! A run of the program: its steps, one after the other, and what becomes of each.

use std::ffi::OsString;
use std::io;
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arize_api_keys::Clock;
use arize_keys::system::System;

use super::command::Command;
use super::disk::Survival;
use super::faults::Row;
use super::host::Host;
use super::service::Service;
use super::turns::Seat;

/// The kinds of steps, as far as faults differ by them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    /// Changes nothing.
    Look,
    /// Writes to a stream.
    Say,
    Open,
    OpenDirectory,
    Create,
    CreateDirectory,
    Rename,
    Remove,
    SetMode,
    SetOwner,
    Rewind,
    Read,
    Write,
    Sync,
    Lock,
    Spawn,
    Send(Call),
}

/// A request, as far as faults differ by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    List,
    Mint,
    Remove,
}

/// What becomes of a step.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Decision {
    Go,
    /// A step on the disk fails.
    Fail(io::ErrorKind),
    /// A write takes only the first half.
    Short,
    /// A request meets a row of the fault matrix.
    Fault(&'static Row),
    Kill(Kill),
}

/// How a process is ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Kill {
    /// After the step, and not before it.
    pub(crate) is_after: bool,
    /// A power cut: every process of the host ends, and the disk loses changes.
    pub(crate) power_cut: Option<Survival>,
}

/// Decides what becomes of each step of a process, by its number.
pub(crate) trait Director: Send {
    fn decide(&mut self, step: usize, verb: Verb) -> Decision;
}

impl<F: FnMut(usize, Verb) -> Decision + Send> Director for F {
    fn decide(&mut self, step: usize, verb: Verb) -> Decision {
        self(step, verb)
    }
}

/// Lets every step happen.
pub(crate) fn undisturbed(_: usize, _: Verb) -> Decision {
    Decision::Go
}

/// A run of the program on a host. Clones are the same run.
#[derive(Clone)]
pub(crate) struct Process(pub(super) Arc<State>);

pub(super) struct State {
    pub(super) id: u32,
    pub(super) host: Arc<Host>,
    pub(super) service: Service,
    pub(super) variables: Vec<(OsString, OsString)>,
    boot: u32,
    /// Where it waits for its turn, if other processes run at the same time.
    seat: Option<Seat>,
    director: Mutex<Box<dyn Director>>,
    steps: AtomicUsize,
    trace: Mutex<Vec<Verb>>,
    is_dead: AtomicBool,
    pub(super) out: Mutex<String>,
    pub(super) err: Mutex<String>,
}

/// The content of the panic that ends a killed process.
struct Killed;

/// How a run ended.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    pub(crate) process: u32,
    /// `None` for a run that was killed.
    pub(crate) code: Option<u8>,
    pub(crate) out: String,
    pub(crate) err: String,
    pub(crate) steps: Vec<Verb>,
}

impl Process {
    /// A process with the admin's key in its environment.
    pub(crate) fn new(
        id: u32,
        host: &Arc<Host>,
        service: &Service,
        seat: Option<Seat>,
        director: impl Director + 'static,
    ) -> Self {
        let variables = vec![
            (OsString::from("ARIZE_API_KEY"), OsString::from(service.admin_secret())),
            (OsString::from("ARIZE_KEYS_NO_WARNING"), OsString::from("1")),
        ];
        Self(Arc::new(State {
            id,
            host: Arc::clone(host),
            service: service.clone(),
            variables,
            boot: host.inner().boot,
            seat,
            director: Mutex::new(Box::new(director)),
            steps: AtomicUsize::new(0),
            trace: Mutex::default(),
            is_dead: AtomicBool::new(false),
            out: Mutex::default(),
            err: Mutex::default(),
        }))
    }

    /// Runs the program to its end, or to its kill.
    pub(crate) fn run(self, command: &Command) -> Run {
        let system: Arc<dyn System> = Arc::new(self.clone());
        let code = match panic::catch_unwind(AssertUnwindSafe(|| command.parsed.run(system))) {
            Ok(code) => Some(code),
            Err(payload) if payload.is::<Killed>() => None,
            Err(payload) => panic::resume_unwind(payload),
        };
        let state = &*self.0;
        state.host.inner().disk.unlock(None, state.id);
        if state.seat.is_none() {
            state.host.inner().disk.collect();
        }
        if code == Some(0) {
            state.host.finish(&state.service);
        }
        if let Some(seat) = &state.seat {
            seat.leave();
        }
        Run {
            process: state.id,
            code,
            out: std::mem::take(&mut *lock(&state.out)),
            err: std::mem::take(&mut *lock(&state.err)),
            steps: std::mem::take(&mut *lock(&state.trace)),
        }
    }

    /// One step: it happens, it fails, or the process ends before or after it.
    pub(super) fn step<T>(&self, verb: Verb, act: impl FnOnce(Decision) -> io::Result<T>) -> io::Result<T> {
        let state = &*self.0;
        if state.is_dead.load(Ordering::Relaxed) {
            return Err(io::Error::other("the process was killed"));
        }
        if let Some(seat) = &state.seat {
            seat.pause();
        }
        if state.host.inner().boot != state.boot {
            self.die(None);
        }
        let number = state.steps.fetch_add(1, Ordering::Relaxed);
        lock(&state.trace).push(verb);
        let decision = lock(&state.director).decide(number, verb);
        let result = match decision {
            Decision::Kill(kill) if !kill.is_after => self.die(kill.power_cut),
            Decision::Fail(kind) => Err(kind.into()),
            other => act(other),
        };
        if matches!(verb, Verb::Rename | Verb::Remove | Verb::Rewind | Verb::Write | Verb::SetMode | Verb::Create)
            || matches!(verb, Verb::Send(Call::Mint | Call::Remove))
        {
            state.host.observe(&state.service, &format!("step {number}, {verb:?}"));
        }
        if let Decision::Kill(kill) = decision {
            drop(result);
            self.die(kill.power_cut);
        }
        result
    }

    fn die(&self, power_cut: Option<Survival>) -> ! {
        let state = &*self.0;
        state.is_dead.store(true, Ordering::Relaxed);
        if let Some(survival) = power_cut {
            state.host.cut_power(survival);
            state.host.observe(&state.service, &format!("a power cut ({survival:?})"));
        }
        panic::resume_unwind(Box::new(Killed))
    }

    /// Waits in virtual time. A process that unwinds does not.
    pub(super) fn wait(&self, duration: Duration) {
        if self.0.is_dead.load(Ordering::Relaxed) {
            return;
        }
        match &self.0.seat {
            Some(seat) => seat.sleep(duration),
            None => self.0.service.clock.sleep(duration),
        }
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
