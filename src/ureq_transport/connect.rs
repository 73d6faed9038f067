//! Connecting, as a separate phase: its failures differ from those of requests.

use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ureq::unversioned::resolver::ResolvedSocketAddrs;
use ureq::unversioned::transport::time::{Duration, Instant};
use ureq::unversioned::transport::{Buffers, ConnectionDetails, Connector, NextTimeout, TcpConnector, Transport};
use ureq::{Error, Timeout};

use super::error::BeforeSending;
use super::head::HeadFilter;
use super::kept::KeptConnection;
use super::resolver::CachingResolver;

/// A chain of connectors whose errors say that nothing was sent: ureq's own do not tell a connection that is closed in
/// the handshake from one that is closed after the request.
#[derive(Debug)]
pub(super) struct MarkConnectErrors<C> {
    chain: Arc<C>,
    names: CachingResolver,
}

impl<C: Connector> MarkConnectErrors<C> {
    pub(super) fn new(chain: C, names: CachingResolver) -> Self {
        Self { chain: Arc::new(chain), names }
    }
}

impl<C> Clone for MarkConnectErrors<C> {
    fn clone(&self) -> Self {
        Self { chain: Arc::clone(&self.chain), names: self.names.clone() }
    }
}

impl<C: Connector> Connector for MarkConnectErrors<C> {
    type Out = KeptConnection<HeadFilter<C::Out>>;

    fn connect(&self, details: &ConnectionDetails, chained: Option<()>) -> Result<Option<Self::Out>, Error> {
        let connected = Arc::new(AtomicBool::new(false));
        let to_proxy = Arc::clone(&details.run_connector);
        let (started, timeout, flag) = (details.now, details.timeout, Arc::clone(&connected));
        let details = ConnectionDetails {
            uri: details.uri,
            addrs: details.addrs.clone(),
            config: details.config,
            request_level: details.request_level,
            resolver: details.resolver,
            now: details.now,
            timeout: details.timeout,
            current_time: Arc::clone(&details.current_time),
            run_connector: Arc::new(move |details| {
                let (connection, connected) = (to_proxy(details)?, Arc::clone(&flag));
                Ok(DeadlineTransport { connection, started, timeout, connected }.boxed())
            }),
            register_shutdown: Arc::clone(&details.register_shutdown),
        };
        let connection = self.chain.connect(&details, chained).map_err(|error| {
            // The address may have moved.
            if let Some(host) = details.uri.host() {
                self.names.doubt(host);
            }
            BeforeSending::connecting(error)
        })?;
        connected.store(true, Ordering::Relaxed);
        // Requests that bring a secret, and only these, never use a connection of the pool.
        let is_fresh = details.config.max_idle_age().is_zero();
        Ok(connection.map(|connection| KeptConnection::new(HeadFilter::new(connection, is_fresh))))
    }
}

/// The time for an address while there are others (RFC 8305).
const ADDRESS_TIMEOUT: std::time::Duration = std::time::Duration::from_millis(250);

/// Connects to one address after the other, so that a dead one costs little, and remembers the one that worked. It needs no
/// thread. If no address answers in its time, ureq tries them all again with the time that is left.
#[derive(Debug)]
pub(super) struct AddressConnector {
    tcp: TcpConnector,
    names: CachingResolver,
}

impl AddressConnector {
    pub(super) fn new(names: CachingResolver) -> Self {
        Self { tcp: TcpConnector::default(), names }
    }
}

impl<In: Transport> Connector<In> for AddressConnector {
    type Out = <TcpConnector as Connector<In>>::Out;

    fn connect(&self, details: &ConnectionDetails, chained: Option<In>) -> Result<Option<Self::Out>, Error> {
        let host = details.uri.host().unwrap_or_default();
        if chained.is_some() || details.addrs.len() < 2 {
            return self.tcp.connect(details, chained);
        }
        let connect = |addrs: &ResolvedSocketAddrs, limit: Option<std::time::Duration>| {
            let mut timeout = remaining(details.now, details.timeout);
            if timeout.after.is_zero() {
                return Err(Error::Timeout(timeout.reason));
            }
            if let Some(limit) = limit {
                timeout.after = Duration::Exact(limit.min(*timeout.after));
            }
            let details = ConnectionDetails {
                uri: details.uri,
                addrs: addrs.clone(),
                config: details.config,
                request_level: details.request_level,
                resolver: details.resolver,
                now: Instant::now(),
                timeout,
                current_time: Arc::clone(&details.current_time),
                run_connector: Arc::clone(&details.run_connector),
                register_shutdown: Arc::clone(&details.register_shutdown),
            };
            Connector::<In>::connect(&self.tcp, &details, None)
        };
        for (index, address) in details.addrs.iter().enumerate() {
            let mut one = details.resolver.empty();
            one.push(*address);
            if let Ok(Some(connection)) = connect(&one, Some(ADDRESS_TIMEOUT)) {
                if index > 0 {
                    self.names.prefer(host, address.ip());
                }
                return Ok(Some(connection));
            }
        }
        connect(&details.addrs, None)
    }
}

/// A connection to a proxy. ureq gives every read of the proxy's answer the whole time for connecting, so that a proxy that
/// sends byte after byte would never run out of it: until it is through to the host, here the time counts down.
#[derive(Debug)]
struct DeadlineTransport {
    connection: Box<dyn Transport>,
    started: Instant,
    /// The whole time for connecting.
    timeout: NextTimeout,
    connected: Arc<AtomicBool>,
}

impl DeadlineTransport {
    fn left(&self, timeout: NextTimeout) -> Result<NextTimeout, Error> {
        match remaining(self.started, self.timeout) {
            _ if self.connected.load(Ordering::Relaxed) => Ok(timeout),
            // ureq takes a time of nothing for a second.
            left if left.after.is_zero() => Err(Error::Timeout(Timeout::Connect)),
            left if left.after < timeout.after => Ok(left),
            _ => Ok(timeout),
        }
    }
}

impl Transport for DeadlineTransport {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.connection.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        let timeout = self.left(timeout)?;
        self.connection.transmit_output(amount, timeout)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        let timeout = self.left(timeout)?;
        self.connection.await_input(timeout)
    }

    fn is_open(&mut self) -> bool {
        self.connection.is_open()
    }

    fn is_tls(&self) -> bool {
        self.connection.is_tls()
    }
}

/// The time left for connecting.
pub(super) fn remaining(started: Instant, mut timeout: NextTimeout) -> NextTimeout {
    if let (Duration::Exact(after), Instant::Exact(started)) = (timeout.after, started) {
        timeout.after = Duration::Exact(after.saturating_sub(started.elapsed()));
    }
    timeout
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use ureq::unversioned::transport::LazyBuffers;

    use super::*;

    /// A connection that notes the time it is given.
    #[derive(Debug)]
    struct Line {
        given: Arc<Mutex<Vec<NextTimeout>>>,
        buffers: LazyBuffers,
        open: bool,
        tls: bool,
    }

    impl Transport for Line {
        fn buffers(&mut self) -> &mut dyn Buffers {
            &mut self.buffers
        }

        fn transmit_output(&mut self, _: usize, timeout: NextTimeout) -> Result<(), Error> {
            self.given.lock().unwrap().push(timeout);
            Ok(())
        }

        fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
            self.given.lock().unwrap().push(timeout);
            Ok(true)
        }

        fn is_open(&mut self) -> bool {
            self.open
        }

        fn is_tls(&self) -> bool {
            self.tls
        }
    }

    fn line(open: bool, tls: bool) -> Line {
        Line { given: Arc::default(), buffers: LazyBuffers::new(10, 10), open, tls }
    }

    /// With this time for connecting, which begins now.
    fn counting_down(line: Line, whole: Duration, connected: bool) -> DeadlineTransport {
        DeadlineTransport {
            connection: line.boxed(),
            started: Instant::now(),
            timeout: time(whole, Timeout::Connect),
            connected: Arc::new(AtomicBool::new(connected)),
        }
    }

    fn time(after: Duration, reason: Timeout) -> NextTimeout {
        NextTimeout { after, reason, ..NextTimeout::default() }
    }

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    /// The time for writing and for reading that a connection with this time for connecting gets.
    fn given(whole: Duration, connected: bool, asked: Duration) -> Vec<(Duration, Timeout)> {
        let line = line(true, false);
        let notes = Arc::clone(&line.given);
        let mut connection = counting_down(line, whole, connected);
        let asked = time(asked, Timeout::Global);
        let outcomes = [connection.transmit_output(0, asked), connection.await_input(asked).map(|_| ())];
        assert!(outcomes.iter().all(|outcome| matches!(outcome, Ok(()) | Err(Error::Timeout(Timeout::Connect)))));
        let given = notes.lock().unwrap();
        assert_eq!(given.len(), outcomes.iter().filter(|outcome| outcome.is_ok()).count());
        given.iter().map(|timeout| (timeout.after, timeout.reason)).collect()
    }

    #[test]
    fn the_time_for_connecting_counts_down() {
        for (after, reason) in given(seconds(600), false, Duration::NotHappening) {
            assert!(after <= seconds(600) && after > seconds(300));
            assert_eq!(reason, Timeout::Connect);
        }
        assert_eq!(given(seconds(600), false, Duration::NotHappening).len(), 2);
        // Less is less.
        assert_eq!(given(seconds(600), false, seconds(1)), [(seconds(1), Timeout::Global); 2]);
        // Without a bound there is nothing to count.
        let unbounded = (Duration::NotHappening, Timeout::Global);
        assert_eq!(given(Duration::NotHappening, false, Duration::NotHappening), [unbounded; 2]);
        assert_eq!(given(seconds(0), false, seconds(1)), []);
    }

    #[test]
    fn a_connection_is_what_it_was() {
        for (open, tls) in [(true, false), (false, true)] {
            let mut connection = counting_down(line(open, tls), seconds(1), false);
            assert_eq!((connection.is_open(), connection.is_tls()), (open, tls));
        }
    }

    #[test]
    fn a_connection_that_is_made_has_time_of_its_own() {
        for whole in [seconds(0), seconds(600)] {
            assert_eq!(given(whole, true, seconds(1000)), [(seconds(1000), Timeout::Global); 2]);
        }
    }
}
