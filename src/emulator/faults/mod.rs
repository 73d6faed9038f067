//! The faults that wait to be committed: a queue, and a generator of random ones.

pub(crate) mod endpoint;
pub(crate) mod fault;
pub(crate) mod grammar;
pub(crate) mod rate_limit;

use std::collections::VecDeque;
use std::time::Duration;

use fastrand::Rng;
use http::Request;

use self::fault::Fault;
use super::Emulator;
use super::api::route::Route;

/// The faults that wait to be committed.
#[derive(Clone, Default)]
pub(crate) struct Faults {
    queue: VecDeque<Fault>,
    /// The probability of a fault for a request that no queued fault is for, and the generator that decides.
    chance: Option<(f64, Rng)>,
    committed: u64,
}

impl Faults {
    fn push(&mut self, fault: Fault) {
        if fault.times > 0 {
            self.queue.push_back(fault);
        }
    }

    /// Those in the queue, as text.
    pub(crate) fn texts(&self) -> Vec<String> {
        self.queue.iter().map(ToString::to_string).collect()
    }

    pub(crate) fn replace_queue(&mut self, faults: Vec<Fault>) {
        self.queue = faults.into();
    }

    /// Ends all faults, those by chance too.
    pub(crate) fn clear(&mut self) {
        self.queue.clear();
        self.chance = None;
    }

    fn left(&self) -> u64 {
        self.queue.iter().map(|fault| u64::from(fault.times)).sum()
    }

    /// The fault to commit for this request, if there is one.
    pub(crate) fn next(&mut self, request: &Request<Vec<u8>>) -> Option<Fault> {
        let fault = self.take(request).or_else(|| self.draw())?;
        self.committed += 1;
        Some(fault)
    }

    fn take(&mut self, request: &Request<Vec<u8>>) -> Option<Fault> {
        if self.queue.is_empty() {
            return None;
        }
        let endpoint = Route::find(request.method(), request.uri()).ok().map(|route| route.endpoint());
        let index = self.queue.iter().position(|fault| fault.only.is_none() || fault.only == endpoint)?;
        let waiting = self.queue.get_mut(index)?;
        waiting.times -= 1;
        if waiting.times > 0 { Some(waiting.clone()) } else { self.queue.remove(index) }
    }

    fn draw(&mut self) -> Option<Fault> {
        let (rate, rng) = self.chance.as_mut()?;
        (rng.f64() < *rate).then(|| draw(rng))
    }
}

fn draw(rng: &mut Rng) -> Fault {
    let wait = Duration::from_secs(rng.u64(..=1));
    let status = rng.choice([500, 502, 503, 504]).unwrap_or(500);
    let fault = match rng.u8(..8) {
        0 => return Fault::rate_limit(wait),
        1 => Fault::status(status),
        2 => Fault::status(503).retry_after(wait),
        3 => Fault::html(502),
        4 => Fault::html(200),
        5 => Fault::delay(Duration::from_millis(rng.u64(..=5))),
        6 => Fault::reset(),
        _ => Fault::truncate(rng.usize(..512)),
    };
    if rng.bool() { fault.after_handling() } else { fault }
}

/// Faults.
impl Emulator {
    /// Queues a fault. Each request meets the first one in the queue that is for it, and at most one.
    ///
    /// The request counts as one of [`requests`](Self::requests), and need not be authenticated.
    pub fn inject(&self, fault: Fault) {
        self.faults().push(fault);
    }

    /// Commits faults of all kinds by chance from now on, for a share of the requests that no queued fault is for. 0 ends
    /// it. Delays take up to 5 ms, and a `Retry-After` asks for at most a second.
    ///
    /// Requests that come in the same order meet the same faults on every run with the same `seed`.
    pub fn inject_randomly(&self, rate: f64, seed: u64) {
        self.faults().chance = (rate > 0.0).then(|| (rate, Rng::with_seed(seed)));
    }

    /// The number of requests that the queued faults are still for: 0 once all have happened.
    #[must_use]
    pub fn faults_left(&self) -> u64 {
        self.faults().left()
    }

    /// The number of requests that met a fault so far, queued or by chance.
    #[must_use]
    pub fn faults_committed(&self) -> u64 {
        self.faults().committed
    }
}
