//! The connections of a transport.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use ureq::Agent;
use ureq::config::Config;

/// The requests at the same time that share a pool.
const REQUESTS: u32 = 16;

/// Several pools of connections. ureq looks through a pool under its lock: with one pool, 64 threads make a tenth fewer calls than 16.
pub(super) struct Pools {
    /// Makes agents with the same settings. An agent has one pool.
    agent: Box<dyn Fn() -> Agent + Send + Sync>,
    /// For 16 requests at the same time.
    first: Agent,
    others: Mutex<Option<Others>>,
    /// A bit for each number that a request has which is under way.
    taken: AtomicU64,
}

/// For more requests at the same time. ureq closes old connections only with a request that uses their pool: so these pools are
/// dropped when they are not used any more.
struct Others {
    agents: [Agent; 3],
    last_used: Instant,
}

impl Pools {
    pub(super) fn new(agent: impl Fn() -> Agent + Send + Sync + 'static) -> Self {
        Self { first: agent(), agent: Box::new(agent), others: Mutex::default(), taken: AtomicU64::new(0) }
    }

    pub(super) fn config(&self) -> &Config {
        self.first.config()
    }

    /// The pool for a request, until the lease is dropped. A request gets the lowest number that no other one has, so that few requests
    /// at the same time use few connections.
    pub(super) fn lease(&self, now: impl Fn() -> Instant) -> Lease<'_> {
        let with_next = |taken: u64| Some(taken | taken.wrapping_add(1));
        let taken = self.taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, with_next).unwrap_or(u64::MAX);
        let number = taken.trailing_ones();
        let agent = match number {
            0 => {
                drop(self.unused_others(now));
                self.first.clone()
            }
            1..REQUESTS => self.first.clone(),
            _ => self.other(number, now()),
        };
        Lease { taken: &self.taken, number, agent }
    }

    fn other(&self, number: u32, now: Instant) -> Agent {
        let mut others = self.others.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || Others { agents: std::array::from_fn(|_| (self.agent)()), last_used: now };
        let Others { agents: [second, third, fourth], last_used } = others.get_or_insert_with(new);
        *last_used = now;
        match number / REQUESTS {
            1 => second.clone(),
            2 => third.clone(),
            _ => fourth.clone(),
        }
    }

    /// Takes out the other pools if none of their connections would be used again.
    fn unused_others(&self, now: impl Fn() -> Instant) -> Option<Others> {
        let mut others = self.others.lock().unwrap_or_else(PoisonError::into_inner);
        others.take_if(|others| now().saturating_duration_since(others.last_used) >= self.config().max_idle_age())
    }
}

/// The number of a request under way: 64 for all of them that have none of the 64 numbers.
pub(super) struct Lease<'a> {
    taken: &'a AtomicU64,
    number: u32,
    pub(super) agent: Agent,
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        if let Some(bit) = 1_u64.checked_shl(self.number) {
            self.taken.fetch_and(!bit, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
    use ureq::unversioned::transport::NextTimeout;

    use super::*;

    /// Of each agent, and of this test.
    #[derive(Clone, Debug)]
    struct Token(Arc<()>);

    impl Resolver for Token {
        fn resolve(&self, _: &http::Uri, _: &Config, _: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
            Err(ureq::Error::HostNotFound)
        }
    }

    #[test]
    fn pools_that_are_not_used_any_more_are_dropped() {
        let token = Token(Arc::default());
        let resolver = token.clone();
        let config = Agent::config_builder().max_idle_age(Duration::from_secs(15)).build();
        let pools = Pools::new(move || Agent::with_parts(config.clone(), (), resolver.clone()));
        // The token is here and in the closure, too.
        let agents = || Arc::strong_count(&token.0) - 2;
        let start = Instant::now();
        let at = |seconds: u64| move || start + Duration::from_secs(seconds);
        let mut leases: Vec<_> = (0..16).map(|_| pools.lease(at(0))).collect();
        assert_eq!(agents(), 1);
        // A number that is free is used again.
        leases.pop();
        leases.push(pools.lease(at(0)));
        assert_eq!(agents(), 1);
        leases.extend((0..50).map(|_| pools.lease(at(1))));
        assert_eq!(agents(), 4);
        assert_eq!(
            leases.iter().map(|lease| lease.number).collect::<Vec<_>>(),
            [(0..64).collect(), vec![64; 2]].concat()
        );
        let second = leases.remove(16);
        drop(leases);
        assert_eq!(pools.taken.load(Ordering::Relaxed), 1 << 16);
        drop(pools.lease(at(15)));
        assert_eq!(agents(), 4);
        // 15 s after the last use, but a request is under way.
        drop(pools.lease(at(16)));
        assert_eq!(agents(), 2);
        drop(second);
        assert_eq!((agents(), pools.taken.load(Ordering::Relaxed)), (1, 0));
        let again: Vec<_> = (0..17).map(|_| pools.lease(at(17))).collect();
        assert_eq!((agents(), again.len()), (4, 17));
    }
}
