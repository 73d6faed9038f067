//! The listener and its threads.

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::iter;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle, Scope};
use std::time::Duration;

use ::http::Request;

use super::connection::{self, Handler};
use super::delivery::{Delivery, Termination};
use super::limits::Limits;
use crate::emulator::Emulator;

/// The time for a client to read a response: [`EmulatorServer::stop`] waits for it.
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);

/// The end of the year 9999, in seconds since 1970.
const END_OF_HTTP_DATES: i64 = 253_402_300_800;

/// The number of connections that can wait to be accepted.
const BACKLOG: usize = 128;

/// The number of connections above the limit that get a response at a time. More are closed.
const TURNED_AWAY: usize = 64;

/// An [`Emulator`] that is served over HTTP. Dropping it stops it.
pub struct EmulatorServer {
    emulator: Emulator,
    server: Server,
}

impl EmulatorServer {
    pub(crate) fn start(emulator: Emulator, addr: impl ToSocketAddrs) -> io::Result<Self> {
        let server = Server::start(Box::new(emulator.clone()), emulator.inner.limits, addr)?;
        Ok(Self { emulator, server })
    }

    pub(crate) fn emulator(&self) -> &Emulator {
        &self.emulator
    }

    /// The address that it listens on.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.server.addr
    }

    /// The port that it listens on.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.server.addr.port()
    }

    /// The address at which programs of this machine reach it: loopback, if it listens on every address.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        reachable(self.server.addr)
    }

    /// `http://` and the address.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.server.addr)
    }

    /// A client of this server, over HTTP, with the admin key and the emulator's clock.
    #[cfg(feature = "ureq")]
    #[must_use]
    pub fn client(&self) -> crate::client::ApiKeysClient {
        let emulator = &self.emulator;
        let builder = crate::client::ApiKeysClient::builder().ignore_env().no_proxy().api_key(emulator.admin_key());
        let url = format!("http://{}", self.local_addr());
        crate::emulator::built(builder.clock(emulator.clock().clone()).allow_insecure_http().url(url))
    }

    /// Stops: it takes no more requests, finishes those that have arrived, and waits until every thread has ended.
    pub fn stop(mut self) {
        self.server.end();
    }
}

impl fmt::Debug for EmulatorServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmulatorServer").field("addr", &self.server.addr).finish_non_exhaustive()
    }
}

impl Handler for Emulator {
    fn answer(&self, request: &Request<Vec<u8>>) -> Delivery {
        Self::answer(self, request)
    }

    fn date(&self) -> Option<String> {
        let now = self.now().0;
        // The formatter panics on dates before 1970 and after 9999.
        let can_be_said = (0..END_OF_HTTP_DATES).contains(&now.unix_timestamp());
        can_be_said.then(|| httpdate::fmt_http_date(now.into()))
    }

    fn send(&self, termination: &Termination, write: &mut dyn FnMut() -> io::Result<()>) -> io::Result<()> {
        // Before the client has the secret: then it may ask at once.
        let secrets = u64::from(termination.delivers_secret());
        self.inner.secrets_sent.fetch_add(secrets, Ordering::Relaxed);
        let sent = write();
        if sent.is_err() {
            self.inner.secrets_sent.fetch_sub(secrets, Ordering::Relaxed);
        }
        sent
    }
}

/// A listener with a thread for each connection. Dropping it stops it.
pub(crate) struct Server {
    pub(crate) addr: SocketAddr,
    shared: Arc<Shared>,
    listener: Option<JoinHandle<()>>,
}

struct Shared {
    handler: Box<dyn Handler>,
    limits: Limits,
    stopping: AtomicBool,
    /// Every open connection, to wake the threads that wait for a request on one.
    connections: Mutex<HashMap<u64, Arc<TcpStream>>>,
}

impl Server {
    pub(crate) fn start(handler: Box<dyn Handler>, limits: Limits, addr: impl ToSocketAddrs) -> io::Result<Self> {
        let listener = TcpListener::bind(addr)?;
        let addr = listener.local_addr()?;
        let shared = Shared { handler, limits, stopping: AtomicBool::new(false), connections: Mutex::default() };
        let shared = Arc::new(shared);
        let thread = {
            let shared = Arc::clone(&shared);
            thread::Builder::new().name("emulator".to_owned()).spawn(move || shared.listen(&listener))?
        };
        Ok(Self { addr, shared, listener: Some(thread) })
    }

    fn end(&mut self) {
        let Some(listener) = self.listener.take() else { return };
        self.shared.stopping.store(true, Ordering::SeqCst);
        // The listener waits in `accept`: a connection wakes it. If none can be made, it is not waiting.
        drop(TcpStream::connect_timeout(&reachable(self.addr), Duration::from_secs(1)));
        // Its threads do not panic; if one did, its request is lost and nothing else is.
        drop(listener.join());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end();
    }
}

impl Shared {
    /// Accepts until told to stop, with a thread for each connection; returns when they have all ended.
    fn listen(&self, listener: &TcpListener) {
        thread::scope(|scope| {
            let mut numbers = 0..;
            let mut welcome = |stream| self.welcome(scope, numbers.next().unwrap_or(u64::MAX), stream);
            while !self.stopping.load(Ordering::SeqCst) {
                match listener.accept() {
                    Ok((stream, _)) => welcome(stream),
                    // Too many open files, for one: some may be closed soon.
                    Err(_) => thread::sleep(Duration::from_millis(10)),
                }
            }
            // Earlier connections are still accepted: their requests may have arrived.
            if listener.set_nonblocking(true).is_ok() {
                iter::from_fn(|| listener.accept().ok()).take(BACKLOG).for_each(|(stream, _)| welcome(stream));
            }
            for connection in self.connections().values() {
                // A thread that waits for a request reads the end of the stream. Responses can still be written.
                drop(connection.shutdown(Shutdown::Read));
            }
        });
    }

    fn welcome<'scope>(&'scope self, scope: &'scope Scope<'scope, '_>, number: u64, stream: TcpStream) {
        let stream = Arc::new(stream);
        let open = {
            let mut connections = self.connections();
            if connections.len() >= self.limits.connections.saturating_add(TURNED_AWAY) {
                drop(connections);
                // No thread is left to wait for this client: it gets what can be written at once.
                let ready = stream.set_nonblocking(true);
                drop(ready.and_then(|()| connection::turn_away(&stream, &*self.handler, self.limits)));
                return;
            }
            connections.insert(number, Arc::clone(&stream));
            connections.len()
        };
        let thread = thread::Builder::new().name(format!("emulator-{number}"));
        let is_full = open > self.limits.connections;
        if thread.spawn_scoped(scope, move || self.serve(number, &stream, is_full)).is_err() {
            self.connections().remove(&number);
        }
    }

    fn serve(&self, number: u64, stream: &TcpStream, is_full: bool) {
        // Nagle's algorithm would hold back the end of a response until the client has acknowledged its beginning.
        // And some systems pass the mode of the listener on to accepted connections.
        let ready = stream
            .set_nodelay(true)
            .and_then(|()| stream.set_nonblocking(false))
            .and_then(|()| stream.set_write_timeout(Some(WRITE_TIMEOUT)));
        // An error of a connection is a client that went away.
        drop(ready.and_then(|()| match is_full {
            false => connection::serve_connection(stream, &*self.handler, self.limits, &self.stopping),
            true => connection::turn_away(stream, &*self.handler, self.limits),
        }));
        self.connections().remove(&number);
    }

    fn connections(&self) -> MutexGuard<'_, HashMap<u64, Arc<TcpStream>>> {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The address at which this machine reaches a listener that may listen on every address.
fn reachable(addr: SocketAddr) -> SocketAddr {
    let ip = match addr.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, addr.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_programs_of_this_machine_reach_it() {
        let addr = |text: &str| reachable(text.parse().unwrap()).to_string();
        assert_eq!(
            (addr("0.0.0.0:1"), addr("[::]:1"), addr("10.0.0.1:1")),
            ("127.0.0.1:1".to_owned(), "[::1]:1".to_owned(), "10.0.0.1:1".to_owned())
        );
    }
}
