//! A connection that ureq keeps for later requests.

use std::process;

use ureq::Error;
use ureq::unversioned::transport::time::Duration;
use ureq::unversioned::transport::{Buffers, NextTimeout, Transport};

/// A connection that saves system calls, and that only the process that made it uses.
///
/// After `fork`, parent and child would read each other's responses. The child drops the connection, which closes its copy of
/// the socket and sends nothing.
#[derive(Debug)]
pub(super) struct KeptConnection<T> {
    connection: T,
    process: u32,
    process_id: fn() -> u32,
    /// A request was sent since the last probe.
    is_used: bool,
    write_timeout: RoundedTimeout,
    read_timeout: RoundedTimeout,
}

impl<T> KeptConnection<T> {
    pub(super) fn new(connection: T) -> Self {
        Self::of_process(connection, process::id)
    }

    fn of_process(connection: T, process_id: fn() -> u32) -> Self {
        Self {
            connection,
            process: process_id(),
            process_id,
            is_used: false,
            write_timeout: RoundedTimeout::default(),
            read_timeout: RoundedTimeout::default(),
        }
    }
}

impl<T: Transport> Transport for KeptConnection<T> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.connection.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        self.is_used = true;
        let timeout = self.write_timeout.round(timeout);
        self.connection.transmit_output(amount, timeout)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        let timeout = self.read_timeout.round(timeout);
        self.connection.await_input(timeout)
    }

    /// ureq asks when it puts the connection into its pool and again when it takes it out. Only the second answer matters: a
    /// probe costs three system calls.
    fn is_open(&mut self) -> bool {
        if std::mem::take(&mut self.is_used) {
            return true;
        }
        (self.process_id)() == self.process && self.connection.is_open()
    }

    fn is_tls(&self) -> bool {
        self.connection.is_tls()
    }
}

/// The timeout that the socket has. Setting it is a system call, so a timeout that is at most 1/64 shorter is not set.
#[derive(Debug, Default)]
struct RoundedTimeout(Option<Duration>);

impl RoundedTimeout {
    fn round(&mut self, mut timeout: NextTimeout) -> NextTimeout {
        let Duration::Exact(after) = timeout.after else { return timeout };
        if after.is_zero() {
            return timeout;
        }
        let longest = after.saturating_add(after / 64);
        let rounded = match self.0 {
            Some(Duration::Exact(last)) if after <= last && last <= longest => last,
            _ => longest,
        };
        timeout.after = Duration::Exact(rounded);
        self.0 = Some(timeout.after);
        timeout
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use ureq::unversioned::transport::LazyBuffers;

    use super::*;

    thread_local!(static PROCESS: Cell<u32> = const { Cell::new(1) });

    #[derive(Debug)]
    struct Line {
        buffers: LazyBuffers,
        probes: Arc<AtomicUsize>,
    }

    impl Transport for Line {
        fn buffers(&mut self) -> &mut dyn Buffers {
            &mut self.buffers
        }

        fn transmit_output(&mut self, _: usize, _: NextTimeout) -> Result<(), Error> {
            Ok(())
        }

        fn await_input(&mut self, _: NextTimeout) -> Result<bool, Error> {
            Ok(true)
        }

        fn is_open(&mut self) -> bool {
            self.probes.fetch_add(1, Ordering::SeqCst);
            true
        }
    }

    #[test]
    fn a_connection_is_probed_when_it_is_taken_and_by_its_own_process() {
        let probes = Arc::new(AtomicUsize::new(0));
        let line = Line { buffers: LazyBuffers::new(10, 10), probes: Arc::clone(&probes) };
        let mut kept = KeptConnection::of_process(line, || PROCESS.get());
        for round in 0..3 {
            kept.transmit_output(0, NextTimeout::default()).unwrap();
            assert!(kept.is_open());
            assert_eq!(probes.load(Ordering::SeqCst), round);
            assert!(kept.is_open());
            assert_eq!(probes.load(Ordering::SeqCst), round + 1);
        }
        PROCESS.set(2);
        assert!(!kept.is_open());
        assert_eq!(probes.load(Ordering::SeqCst), 3);
        PROCESS.set(1);
        assert!(kept.is_open());
    }

    #[test]
    fn a_timeout_grows_by_a_64th_at_most() {
        let mut rounded = RoundedTimeout::default();
        let mut round = |millis: u64| {
            let timeout = NextTimeout { after: Duration::from_millis(millis), ..NextTimeout::default() };
            rounded.round(timeout).after
        };
        let first = round(6400);
        assert_eq!(first, Duration::from_millis(6500));
        assert_eq!([round(6500), round(6450), round(6401)], [first; 3]);
        assert_eq!(
            round(6300),
            Duration::Exact(std::time::Duration::from_micros(6_398_437) + std::time::Duration::from_nanos(500))
        );
        assert_eq!(round(0), Duration::from_millis(0));
        let unbounded = NextTimeout { after: Duration::NotHappening, ..NextTimeout::default() };
        assert_eq!(RoundedTimeout::default().round(unbounded).after, Duration::NotHappening);
    }
}
