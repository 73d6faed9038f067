//! Faults and kills by chance.

use std::io::ErrorKind;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use fastrand::Rng;

use super::disk::Survival;
use super::faults::{ROWS, Row};
use super::process::{Decision, Director, Kill, Verb};

/// More steps than most runs have.
const STEPS: usize = 80;

const DISK_ERRORS: [ErrorKind; 3] = [ErrorKind::StorageFull, ErrorKind::Other, ErrorKind::ResourceBusy];

/// How likely it is that a step meets a fault, in a thousand, and that a run is killed, in a hundred.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Odds {
    pub(crate) request: u16,
    pub(crate) disk: u16,
    pub(crate) kill: u8,
}

/// The disturbances of one process.
pub(crate) struct Chaos {
    rng: Rng,
    odds: Odds,
    kill: Option<(usize, Kill)>,
    /// The service cannot be reached, or fails, all the time.
    outage: Option<&'static Row>,
    faults: Arc<AtomicUsize>,
}

impl Chaos {
    pub(crate) fn new(rng: &mut Rng, odds: Odds, outage: Option<&'static Row>, faults: &Arc<AtomicUsize>) -> Self {
        let mut rng = rng.fork();
        let is_killed = rng.u8(..100) < odds.kill;
        let kill = is_killed.then(|| {
            let power_cut = rng.bool().then(|| Survival::Some(rng.u64(..)));
            (rng.usize(..STEPS), Kill { is_after: rng.bool(), power_cut })
        });
        Self { rng, odds, kill, outage, faults: Arc::clone(faults) }
    }

    fn count(&self, decision: Decision) -> Decision {
        self.faults.fetch_add(1, Ordering::Relaxed);
        decision
    }
}

impl Director for Chaos {
    fn decide(&mut self, step: usize, verb: Verb) -> Decision {
        if let Some((at, kill)) = self.kill
            && at == step
        {
            return Decision::Kill(kill);
        }
        if let Verb::Send(call) = verb {
            if let Some(row) = self.outage {
                return self.count(Decision::Fault(row));
            }
            if self.rng.u16(..1000) < self.odds.request {
                let row = &ROWS[self.rng.usize(..ROWS.len())];
                if row.meets(call) {
                    return self.count(Decision::Fault(row));
                }
            }
        } else if self.rng.u16(..1000) < self.odds.disk {
            if verb == Verb::Write && self.rng.bool() {
                return self.count(Decision::Short);
            }
            let kind = DISK_ERRORS[self.rng.usize(..DISK_ERRORS.len())];
            // That is a mounted file, which is written in place: a torn write breaks it, and nothing can be done about it.
            if (verb, kind) != (Verb::Rename, ErrorKind::ResourceBusy) {
                return self.count(Decision::Fail(kind));
            }
        }
        Decision::Go
    }
}

/// A row that lasts as long as an outage.
pub(crate) fn outage(rng: &mut Rng) -> &'static Row {
    let lasting: Vec<&Row> = ROWS.iter().filter(|row| row.may_last()).collect();
    lasting[rng.usize(..lasting.len())]
}
