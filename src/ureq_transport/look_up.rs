//! A look-up in a separate thread, with a time limit.

use std::net::SocketAddr;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;
use std::{io, thread};

#[derive(Debug)]
pub(super) enum LookUpError {
    TimedOut,
    Failed(io::Error),
}

/// Runs `look_up` in a thread, and waits for it so long. If the time is over, the thread goes on alone.
pub(super) fn in_time(
    timeout: Duration,
    look_up: impl FnOnce() -> io::Result<Vec<SocketAddr>> + Send + 'static,
) -> Result<Vec<SocketAddr>, LookUpError> {
    let completion = Arc::new(Completion::default());
    let notify = NotifyOnDrop(Arc::clone(&completion));
    let run = move || {
        let _notify = notify;
        look_up()
    };
    let thread = thread::Builder::new().name("arize-api-keys-dns".into()).spawn(run).map_err(LookUpError::Failed)?;
    if !completion.wait(timeout) {
        return Err(LookUpError::TimedOut);
    }
    thread.join().unwrap_or_else(|_| Err(io::Error::other("the look-up died"))).map_err(LookUpError::Failed)
}

/// Whether the look-up has ended. A channel could say it, too, but would add 30 kB to every program.
#[derive(Default)]
struct Completion {
    has_ended: Mutex<bool>,
    changed: Condvar,
}

impl Completion {
    /// False if the time is over before.
    fn wait(&self, timeout: Duration) -> bool {
        let has_ended = self.has_ended.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.changed.wait_timeout_while(has_ended, timeout, |has_ended| !*has_ended);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }
}

/// Reports the end when it is dropped, so that a panic is an end, too.
struct NotifyOnDrop(Arc<Completion>);

impl Drop for NotifyOnDrop {
    fn drop(&mut self) {
        *self.0.has_ended.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.0.changed.notify_one();
    }
}
