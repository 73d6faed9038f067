//! The connections of a transport.

use std::sync::atomic::{AtomicU64, Ordering};

use ureq::Agent;
use ureq::config::Config;

/// The requests under way at the same time that share a pool.
const REQUESTS: u32 = 16;
const POOLS: usize = 4;

/// Several pools of connections. ureq looks through a pool under its lock: with one pool, 64 threads make a tenth fewer calls than 16.
pub(super) struct Pools {
    /// An agent has one pool.
    agents: [Agent; POOLS],
    /// A bit for each number that a request under way has.
    taken: AtomicU64,
}

impl Pools {
    /// `agent` makes agents with the same settings.
    pub(super) fn new(agent: impl Fn() -> Agent) -> Self {
        Self { agents: std::array::from_fn(|_| agent()), taken: AtomicU64::new(0) }
    }

    pub(super) fn config(&self) -> &Config {
        let [agent, ..] = &self.agents;
        agent.config()
    }

    /// The pool for a request, until the place is dropped. A request gets the lowest number that no other one has, so that few requests
    /// at the same time use few connections.
    pub(super) fn place(&self) -> Place<'_> {
        let with_next = |taken: u64| Some(taken | taken.wrapping_add(1));
        let taken = self.taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, with_next).unwrap_or(u64::MAX);
        Place { pools: self, number: taken.trailing_ones() }
    }
}

/// The number of a request under way: 64 for all of them that have none of the 64 numbers.
pub(super) struct Place<'a> {
    pools: &'a Pools,
    number: u32,
}

impl Place<'_> {
    pub(super) fn agent(&self) -> &Agent {
        let [first @ .., last] = &self.pools.agents;
        usize::try_from(self.number / REQUESTS).ok().and_then(|n| first.get(n)).unwrap_or(last)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        if let Some(bit) = 1_u64.checked_shl(self.number) {
            self.pools.taken.fetch_and(!bit, Ordering::Relaxed);
        }
    }
}
