//! Several processes, one at a time: at each step, a chooser says who goes on.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arize_api_keys::Clock;
use arize_api_keys::emulator::ManualClock;

/// The next process, from those that can go on; the first argument is the one that had the last step.
type Chooser = Box<dyn FnMut(usize, &[usize]) -> usize + Send>;

/// The table at which the processes sit.
pub(crate) struct Turns {
    inner: Mutex<Inner>,
    /// One for each seat.
    calls: Vec<Condvar>,
    clock: ManualClock,
}

struct Inner {
    current: usize,
    seats: Vec<Occupant>,
    choose: Chooser,
}

#[derive(Clone, Copy, PartialEq)]
enum Occupant {
    Ready,
    /// Until this time of [`Clock::elapsed`].
    Sleeps(Duration),
    Gone,
}

/// The place of one process.
#[derive(Clone)]
pub(crate) struct Seat {
    turns: Arc<Turns>,
    number: usize,
}

impl Turns {
    /// Seats for this many processes, of which the first one begins.
    pub(crate) fn seats(
        count: usize,
        clock: &ManualClock,
        choose: impl FnMut(usize, &[usize]) -> usize + Send + 'static,
    ) -> Vec<Seat> {
        let inner = Inner { current: 0, seats: vec![Occupant::Ready; count], choose: Box::new(choose) };
        let calls = (0..count).map(|_| Condvar::new()).collect();
        let turns = Arc::new(Self { inner: Mutex::new(inner), calls, clock: clock.clone() });
        (0..count).map(|number| Seat { turns: Arc::clone(&turns), number }).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Chooses the next process. If all of them sleep, the clock goes on to the first that wakes.
    fn choose(&self, inner: &mut Inner) {
        loop {
            let now = self.clock.elapsed();
            let mut ready = Vec::new();
            let mut first = None;
            for (number, seat) in inner.seats.iter_mut().enumerate() {
                match *seat {
                    Occupant::Ready => ready.push(number),
                    Occupant::Sleeps(until) if until <= now => {
                        *seat = Occupant::Ready;
                        ready.push(number);
                    }
                    Occupant::Sleeps(until) => first = Some(first.map_or(until, |first: Duration| first.min(until))),
                    Occupant::Gone => {}
                }
            }
            if !ready.is_empty() {
                inner.current = (inner.choose)(inner.current, &ready);
                if let Some(call) = self.calls.get(inner.current) {
                    call.notify_one();
                }
                return;
            }
            match first {
                Some(until) => self.clock.advance(until - now),
                None => return,
            }
        }
    }
}

impl Seat {
    /// Waits for the first turn.
    pub(crate) fn begin(&self) {
        self.wait(self.turns.lock());
    }

    /// Before a step: gives the turn away, and waits until it is back.
    pub(crate) fn pause(&self) {
        let mut inner = self.turns.lock();
        self.turns.choose(&mut inner);
        self.wait(inner);
    }

    pub(crate) fn sleep(&self, duration: Duration) {
        let mut inner = self.turns.lock();
        let until = self.turns.clock.elapsed() + duration;
        if let Some(seat) = inner.seats.get_mut(self.number) {
            *seat = Occupant::Sleeps(until);
        }
        self.turns.choose(&mut inner);
        self.wait(inner);
    }

    /// The process has ended.
    pub(crate) fn leave(&self) {
        let mut inner = self.turns.lock();
        if let Some(seat) = inner.seats.get_mut(self.number) {
            *seat = Occupant::Gone;
        }
        self.turns.choose(&mut inner);
    }

    fn wait(&self, mut inner: MutexGuard<'_, Inner>) {
        let Some(call) = self.turns.calls.get(self.number) else { return };
        while inner.current != self.number {
            inner = call.wait(inner).unwrap_or_else(PoisonError::into_inner);
        }
    }
}
