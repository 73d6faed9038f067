//! Threads that share one client.

use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use arize_api_keys::{ApiKeysClient, ListRequest};

use crate::Fallible;

/// Lists so many keys in a call, with threads that begin at the same time and divide the calls among them. The time of them all.
pub fn list(client: &ApiKeysClient, threads: usize, calls: usize, limit: u32) -> Fallible<Duration> {
    let together = Barrier::new(threads + 1);
    thread::scope(|scope| {
        let list = || -> Fallible {
            together.wait();
            for _ in 0..calls / threads {
                client.list(&ListRequest::new().limit(limit))?;
            }
            Ok(())
        };
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(list)).collect();
        together.wait();
        let start = Instant::now();
        running.into_iter().try_for_each(|thread| thread.join().map_err(|_| "a thread died")?)?;
        Ok(start.elapsed())
    })
}
