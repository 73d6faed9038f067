//! A look-up in a thread of its own, with a time limit.

use std::net::SocketAddr;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;
use std::{io, thread};

#[derive(Debug)]
pub(super) enum Failure {
    TimedOut,
    Failed(io::Error),
}

/// Runs `look_up` in a thread, and waits for it so long. If the time is over, the thread goes on alone.
pub(super) fn in_time(
    timeout: Duration,
    look_up: impl FnOnce() -> io::Result<Vec<SocketAddr>> + Send + 'static,
) -> Result<Vec<SocketAddr>, Failure> {
    let end = Arc::new(End::default());
    let signal = Signal(Arc::clone(&end));
    let run = move || {
        let _signal = signal;
        look_up()
    };
    let thread = thread::Builder::new().name("arize-api-keys-dns".into()).spawn(run).map_err(Failure::Failed)?;
    if !end.wait(timeout) {
        return Err(Failure::TimedOut);
    }
    thread.join().unwrap_or_else(|_| Err(io::Error::other("the look-up died"))).map_err(Failure::Failed)
}

/// Whether the look-up has ended. A channel could say it, too, but would add 30 kB to every program.
#[derive(Default)]
struct End {
    has_come: Mutex<bool>,
    changed: Condvar,
}

impl End {
    /// False if it does not come in time.
    fn wait(&self, timeout: Duration) -> bool {
        let has_come = self.has_come.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.changed.wait_timeout_while(has_come, timeout, |has_come| !*has_come);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }
}

/// Reports the end when it is dropped, so that a panic is an end, too.
struct Signal(Arc<End>);

impl Drop for Signal {
    fn drop(&mut self) {
        *self.0.has_come.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.0.changed.notify_one();
    }
}
