//! The emulator over HTTP/1.1: the listener, its threads, and how they end.

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::iter;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle, Scope};
use std::time::Duration;

use http::Request;

use super::Emulator;
use super::connection::{self, Host};
use super::reply::{Ending, Reply};

/// How long a client may leave an answer unread: [`EmulatorServer::stop`] waits for it.
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);

/// The end of the year 9999, in seconds since 1970.
const END_OF_HTTP_DATES: i64 = 253_402_300_800;

/// How many connections can wait to be accepted.
const BACKLOG: usize = 128;

/// An [`Emulator`] that is served over HTTP. Dropping it stops it.
pub struct EmulatorServer {
    addr: SocketAddr,
    shared: Arc<Shared>,
    listener: Option<JoinHandle<()>>,
}

struct Shared {
    emulator: Emulator,
    stopping: AtomicBool,
    /// Wakes the threads that hold an answer back. It goes with the lock on the connections.
    stopped: Condvar,
    /// A handle on every open connection, to wake the threads that wait for a request on one.
    connections: Mutex<HashMap<u64, TcpStream>>,
}

impl EmulatorServer {
    pub(super) fn start(emulator: Emulator, addr: impl ToSocketAddrs) -> io::Result<Self> {
        let listener = TcpListener::bind(addr)?;
        let addr = listener.local_addr()?;
        let connections = Mutex::new(HashMap::new());
        let shared =
            Arc::new(Shared { emulator, stopping: AtomicBool::new(false), stopped: Condvar::new(), connections });
        let thread = {
            let shared = Arc::clone(&shared);
            thread::Builder::new().name("emulator".to_owned()).spawn(move || shared.listen(&listener))?
        };
        Ok(Self { addr, shared, listener: Some(thread) })
    }

    /// The address that it listens on.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The port that it listens on.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.addr.port()
    }

    /// `http://` and the address.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// A client of this server, over HTTP, with the admin key and the emulator's clock.
    #[cfg(feature = "ureq")]
    #[must_use]
    pub fn client(&self) -> crate::client::ApiKeysClient {
        let emulator = &self.shared.emulator;
        let builder = crate::client::ApiKeysClient::builder().ignore_env().no_proxy().api_key(emulator.admin_key());
        // An emulator that listens on every address is reached by loopback.
        let host = if self.addr.is_ipv6() { "[::1]" } else { "127.0.0.1" };
        let is_everywhere = self.addr.ip().is_unspecified();
        let url = if is_everywhere { format!("http://{host}:{}", self.addr.port()) } else { self.url() };
        super::built(builder.clock(emulator.clock().clone()).allow_insecure_http().url(url))
    }

    /// Takes no more requests, lets those finish that have arrived, and waits until every thread has ended.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        let Some(listener) = self.listener.take() else { return };
        self.shared.stopping.store(true, Ordering::SeqCst);
        // Whoever has just seen that it is not stopping holds the lock until it waits.
        drop(self.shared.connections());
        self.shared.stopped.notify_all();
        // The listener waits in `accept`: a connection wakes it. If none can be made, it is not waiting.
        drop(TcpStream::connect_timeout(&reachable(self.addr), Duration::from_secs(1)));
        // Its threads do not panic; if one did, its request is lost and nothing else is.
        drop(listener.join());
    }
}

impl Drop for EmulatorServer {
    fn drop(&mut self) {
        self.end();
    }
}

impl fmt::Debug for EmulatorServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmulatorServer").field("addr", &self.addr).finish_non_exhaustive()
    }
}

impl Shared {
    /// Accepts until told to stop, with a thread for each connection; returns when they have all ended.
    fn listen(&self, listener: &TcpListener) {
        thread::scope(|scope| {
            let mut numbers = 0..;
            let mut welcome = |stream| self.welcome(scope, numbers.next().unwrap_or(u64::MAX), stream);
            while !self.is_stopping() {
                match listener.accept() {
                    Ok((stream, _)) => welcome(stream),
                    // Too many open files, for one: some may be closed soon.
                    Err(_) => thread::sleep(Duration::from_millis(10)),
                }
            }
            // Those that connected before are let in still: their requests may have arrived.
            if listener.set_nonblocking(true).is_ok() {
                iter::from_fn(|| listener.accept().ok()).take(BACKLOG).for_each(|(stream, _)| welcome(stream));
            }
            for connection in self.connections().values() {
                // Those that wait for a request read the end of the stream; answers can still be written.
                connection.shutdown(Shutdown::Read).ok();
            }
        });
    }

    fn welcome<'scope>(&'scope self, scope: &'scope Scope<'scope, '_>, number: u64, stream: TcpStream) {
        let Ok(handle) = stream.try_clone() else { return };
        self.connections().insert(number, handle);
        let thread = thread::Builder::new().name(format!("emulator-{number}"));
        if thread.spawn_scoped(scope, move || self.converse(number, stream)).is_err() {
            self.connections().remove(&number);
        }
    }

    fn converse(&self, number: u64, stream: TcpStream) {
        // Nagle's algorithm would hold back the end of an answer until the client has acknowledged its beginning.
        // And some systems hand the listener's mode on to what it accepts.
        let ready = stream
            .set_nodelay(true)
            .and_then(|()| stream.set_nonblocking(false))
            .and_then(|()| stream.set_write_timeout(Some(WRITE_TIMEOUT)));
        if ready.is_ok() {
            // An error here is a client that went away.
            connection::converse(stream, self).ok();
        }
        self.connections().remove(&number);
    }

    fn connections(&self) -> MutexGuard<'_, HashMap<u64, TcpStream>> {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Host for Shared {
    fn answer(&self, request: &Request<Vec<u8>>) -> Reply {
        self.emulator.answer(request)
    }

    fn wait(&self, delay: Duration) {
        drop(self.stopped.wait_timeout_while(self.connections(), delay, |_| !self.is_stopping()));
    }

    fn date(&self) -> Option<String> {
        let now = self.emulator.now();
        // The formatter panics on what four digits and a count from 1970 cannot say.
        let can_be_said = (0..END_OF_HTTP_DATES).contains(&now.unix_timestamp());
        can_be_said.then(|| httpdate::fmt_http_date(now.into()))
    }

    fn send(&self, ending: &Ending, write: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
        self.emulator.sending(ending, write)
    }

    fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::SeqCst)
    }
}

/// Where a listener can be reached that may listen everywhere.
fn reachable(addr: SocketAddr) -> SocketAddr {
    let ip = match addr.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, addr.port())
}
