//! Name look-up. ureq's own looks the host up for every request, even on a connection that it keeps, and starts a thread
//! for every request that has a deadline.

use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use std::{fmt, io};

use http::Uri;
use ureq::config::Config;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

use super::RESOLVE_TIMEOUT;
use super::error::BeforeSending;
use super::look_up::{LookUpError, in_time};
use crate::authority::without_brackets;
use crate::transport::TransportErrorKind;

/// The time for which a result is used without a new look-up.
const FRESH: Duration = Duration::from_secs(30);

/// The limit of a look-up while there is an old result to fall back on.
const REFRESH_TIMEOUT: Duration = Duration::from_secs(1);

/// The time for which an old result is used once its look-up is repeated: by other threads meanwhile, and if that fails.
const RESPITE: Duration = Duration::from_secs(5);

/// A client knows one host, perhaps two. A caller that sends to many hosts through one transport must not fill the memory.
const HOSTS: usize = 64;

/// More than ureq takes.
const ADDRESSES: usize = 16;

type LookUp = dyn Fn(&str) -> io::Result<Vec<SocketAddr>> + Send + Sync;

/// The addresses of hosts; clones share them.
#[derive(Clone)]
pub(super) struct CachingResolver {
    known: Arc<Mutex<Vec<Known>>>,
    look_up: Arc<LookUp>,
    fresh: Duration,
    refresh_timeout: Duration,
    respite: Duration,
}

struct Known {
    host: String,
    addresses: Vec<SocketAddr>,
    /// The address that took a connection last. It stays in front.
    preferred: Option<IpAddr>,
    state: Freshness,
}

#[derive(Clone, Copy)]
enum Freshness {
    /// A result that is valid until then. `None`: without an end.
    Fresh(Option<Instant>),
    Doubted,
    /// It is looked up again, or that has failed; until then no other thread tries.
    Asked(Option<Instant>),
}

impl Known {
    /// Moves the preferred address to the front.
    fn order(&mut self) {
        let at = self.addresses.iter().position(|address| Some(address.ip()) == self.preferred);
        if let Some(at) = at {
            let first = self.addresses.remove(at);
            self.addresses.insert(0, first);
        }
    }

    /// Whether the addresses are to be taken without asking.
    fn will_do(&self) -> bool {
        match self.state {
            Freshness::Fresh(until) | Freshness::Asked(until) => until.is_none_or(|end| Instant::now() < end),
            Freshness::Doubted => false,
        }
    }
}

impl CachingResolver {
    /// Asks the operating system.
    pub(super) fn system() -> Self {
        Self {
            known: Arc::default(),
            look_up: Arc::new(|host| Ok((host, 0).to_socket_addrs()?.collect())),
            fresh: FRESH,
            refresh_timeout: REFRESH_TIMEOUT,
            respite: RESPITE,
        }
    }

    /// Asks `look_up`, and keeps its results so long that no test depends on the time.
    #[cfg(test)]
    pub(super) fn asking(look_up: impl Fn(&str) -> io::Result<Vec<SocketAddr>> + Send + Sync + 'static) -> Self {
        let patience = tests::PATIENCE;
        Self {
            known: Arc::default(),
            look_up: Arc::new(look_up),
            fresh: patience,
            refresh_timeout: patience,
            respite: patience,
        }
    }

    /// Has the host looked up again before its addresses are used the next time.
    pub(super) fn doubt(&self, host: &str) {
        if let Some(known) = find(&mut self.lock(), host)
            && let Freshness::Fresh(_) = known.state
        {
            known.state = Freshness::Doubted;
        }
    }

    /// Notes that `address` took a connection while one before it did not.
    pub(super) fn prefer(&self, host: &str, address: IpAddr) {
        if let Some(known) = find(&mut self.lock(), host) {
            known.preferred = Some(address);
            known.order();
        }
    }

    /// Passes the addresses of `host` to `take`.
    fn addresses(&self, host: &str, timeout: Duration, mut take: impl FnMut(&[SocketAddr])) -> Result<(), LookUpError> {
        let mut old = false;
        if let Some(known) = find(&mut self.lock(), host) {
            if known.will_do() {
                take(&known.addresses);
                return Ok(());
            }
            // A name server that hangs would keep a thread for each request.
            known.state = Freshness::Asked(Instant::now().checked_add(self.respite));
            old = true;
        }
        match self.ask(host, if old { timeout.min(self.refresh_timeout) } else { timeout }) {
            Ok(addresses) => take(&addresses),
            Err(failure) => match find(&mut self.lock(), host) {
                Some(known) => take(&known.addresses),
                None => return Err(failure),
            },
        }
        Ok(())
    }

    /// Looks the host up in a thread: the operating system offers no deadline. The thread keeps its result even if
    /// no caller waits for it any more, so that the next attempt has it.
    fn ask(&self, host: &str, timeout: Duration) -> Result<Vec<SocketAddr>, LookUpError> {
        let names = self.clone();
        let name = host.to_owned();
        in_time(timeout, move || {
            let mut addresses = (names.look_up)(&name)?;
            addresses.truncate(ADDRESSES);
            if addresses.is_empty() {
                return Err(io::Error::other("the name has no address"));
            }
            Ok(names.learn(name, addresses))
        })
    }

    /// Keeps the addresses, and returns them with the preferred one in front.
    fn learn(&self, host: String, addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
        let mut known = self.lock();
        let at = known.iter().position(|known| known.host == host);
        let preferred = at.and_then(|at| known.swap_remove(at).preferred);
        if known.len() >= HOSTS {
            known.retain(Known::will_do);
        }
        if known.len() >= HOSTS {
            known.clear();
        }
        let state = Freshness::Fresh(Instant::now().checked_add(self.fresh));
        let mut new = Known { host, addresses, preferred, state };
        new.order();
        let addresses = new.addresses.clone();
        known.push(new);
        addresses
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Known>> {
        // Nothing is half done under the lock.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn find<'a>(known: &'a mut [Known], host: &str) -> Option<&'a mut Known> {
    known.iter_mut().find(|known| known.host == host)
}

impl Resolver for CachingResolver {
    fn resolve(&self, uri: &Uri, _: &Config, timeout: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let host = uri.host().unwrap_or_default();
        let port = uri.port_u16().unwrap_or(if uri.scheme_str() == Some("https") { 443 } else { 80 });
        let mut resolved = self.empty();
        if let Ok(ip) = without_brackets(host).parse::<IpAddr>() {
            resolved.push(SocketAddr::new(ip, port));
            return Ok(resolved);
        }
        // The name of a proxy comes with the time for connecting.
        self.addresses(host, RESOLVE_TIMEOUT.min(*timeout.after), |addresses| {
            for address in addresses {
                let mut address = *address;
                address.set_port(port);
                resolved.push(address);
            }
        })
        .map_err(|failure| match failure {
            LookUpError::TimedOut => BeforeSending::wrap(TransportErrorKind::Timeout, "while looking up the name"),
            LookUpError::Failed(error) => BeforeSending::wrap(TransportErrorKind::Resolve, error),
        })?;
        Ok(resolved)
    }
}

impl fmt::Debug for CachingResolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CachingResolver")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc;
    use std::thread;

    use super::*;

    /// So long that no test is decided by it.
    pub(super) const PATIENCE: Duration = Duration::from_secs(600);

    /// Answers as scripted, then fails; and how often it was asked.
    fn scripted(answers: Vec<Vec<&'static str>>) -> (CachingResolver, Arc<AtomicUsize>) {
        let asked = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&asked);
        let names = CachingResolver::asking(move |_| {
            let turn = count.fetch_add(1, Ordering::SeqCst);
            let answer = answers.get(turn).ok_or_else(|| io::Error::other("the name server is down"))?;
            Ok(answer.iter().map(|ip| SocketAddr::new(ip.parse().unwrap(), 0)).collect())
        });
        (names, asked)
    }

    fn addresses(names: &CachingResolver, host: &str) -> Result<Vec<String>, String> {
        let mut found = Vec::new();
        match names.addresses(host, PATIENCE, |all| found.extend(all.iter().map(|a| a.ip().to_string()))) {
            Ok(()) => Ok(found),
            Err(LookUpError::TimedOut) => Err("timed out".into()),
            Err(LookUpError::Failed(error)) => Err(error.to_string()),
        }
    }

    #[test]
    fn a_host_is_looked_up_once() {
        let (names, asked) = scripted(vec![vec!["192.0.2.1", "2001:db8::1"]]);
        for _ in 0..3 {
            assert_eq!(addresses(&names, "api.example").unwrap(), ["192.0.2.1", "2001:db8::1"]);
        }
        assert_eq!(asked.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn a_doubted_host_is_looked_up_again() {
        let (names, _) = scripted(vec![vec!["192.0.2.1"], vec!["192.0.2.2"]]);
        assert_eq!(addresses(&names, "api.example").unwrap(), ["192.0.2.1"]);
        names.doubt("api.example");
        assert_eq!(addresses(&names, "api.example").unwrap(), ["192.0.2.2"]);
    }

    #[test]
    fn an_old_answer_outlives_the_name_server() {
        let (names, asked) = scripted(vec![vec!["192.0.2.1"]]);
        assert_eq!(addresses(&names, "api.example").unwrap(), ["192.0.2.1"]);
        for _ in 0..3 {
            names.doubt("api.example");
            assert_eq!(addresses(&names, "api.example").unwrap(), ["192.0.2.1"]);
        }
        // It is left in peace for a while.
        assert_eq!(asked.load(Ordering::SeqCst), 2);
    }

    #[test]
    fn an_old_answer_is_looked_up_again_by_one_at_a_time() {
        let (go, gate) = mpsc::channel::<()>();
        let gate = Mutex::new(gate);
        let (ask, asked) = mpsc::channel();
        let names = CachingResolver::asking(move |_| {
            ask.send(()).unwrap();
            gate.lock().unwrap().recv().unwrap();
            Ok(vec!["192.0.2.2:0".parse().unwrap()])
        });
        names.learn("api.example".to_owned(), vec!["192.0.2.1:0".parse().unwrap()]);
        names.doubt("api.example");
        let other = names.clone();
        let refresh = thread::spawn(move || addresses(&other, "api.example"));
        asked.recv().unwrap();
        // Meanwhile the others have the old one, at once.
        for _ in 0..3 {
            names.doubt("api.example");
            assert_eq!(addresses(&names, "api.example").unwrap(), ["192.0.2.1"]);
        }
        go.send(()).unwrap();
        assert_eq!(refresh.join().unwrap().unwrap(), ["192.0.2.2"]);
        assert_eq!(addresses(&names, "api.example").unwrap(), ["192.0.2.2"]);
        assert!(asked.try_recv().is_err());
    }

    #[test]
    fn a_failed_look_up_is_not_remembered() {
        let (names, asked) = scripted(vec![vec![]]);
        assert_eq!(addresses(&names, "api.example").unwrap_err(), "the name has no address");
        assert_eq!(addresses(&names, "api.example").unwrap_err(), "the name server is down");
        assert_eq!(asked.load(Ordering::SeqCst), 2);
    }

    #[test]
    fn a_look_up_that_hangs_is_left_behind_and_its_answer_kept() {
        let (go, gate) = mpsc::channel::<()>();
        let gate = Mutex::new(gate);
        let names = CachingResolver::asking(move |_| {
            gate.lock().unwrap().recv().unwrap();
            Ok(vec!["192.0.2.1:0".parse().unwrap()])
        });
        let outcome = names.addresses("api.example", Duration::from_millis(1), |_| {});
        assert!(matches!(outcome, Err(LookUpError::TimedOut)));
        go.send(()).unwrap();
        while names.lock().is_empty() {
            thread::yield_now();
        }
        assert_eq!(addresses(&names, "api.example").unwrap(), ["192.0.2.1"]);
    }

    #[test]
    fn a_look_up_that_panics_is_an_error() {
        let names = CachingResolver::asking(|_| panic!("broken"));
        assert_eq!(addresses(&names, "api.example").unwrap_err(), "the look-up died");
    }

    #[test]
    fn the_preferred_address_stays_in_front() {
        let answer = vec!["192.0.2.1", "192.0.2.2", "2001:db8::1"];
        let (names, _) = scripted(vec![answer.clone(), answer, vec!["192.0.2.9"]]);
        names.prefer("unknown.example", "192.0.2.2".parse().unwrap());
        addresses(&names, "api.example").unwrap();
        names.prefer("api.example", "2001:db8::1".parse().unwrap());
        let preferred = ["2001:db8::1", "192.0.2.1", "192.0.2.2"];
        assert_eq!(addresses(&names, "api.example").unwrap(), preferred);
        names.doubt("api.example");
        assert_eq!(addresses(&names, "api.example").unwrap(), preferred);
        names.doubt("api.example");
        assert_eq!(addresses(&names, "api.example").unwrap(), ["192.0.2.9"]);
    }

    #[test]
    fn the_number_of_hosts_is_bounded() {
        let (names, _) = scripted(vec![vec!["192.0.2.1"]; 2 * HOSTS]);
        for i in 0..2 * HOSTS {
            addresses(&names, &format!("{i}.example")).unwrap();
        }
        assert!(names.lock().len() <= HOSTS);
    }

    #[test]
    fn what_is_in_doubt_makes_room_for_others() {
        let (names, _) = scripted(vec![vec!["192.0.2.1"]; HOSTS + 1]);
        for i in 0..HOSTS {
            addresses(&names, &format!("{i}.example")).unwrap();
        }
        assert_eq!(names.lock().len(), HOSTS);
        names.doubt("0.example");
        addresses(&names, "another.example").unwrap();
        let mut known = names.lock();
        assert_eq!(known.len(), HOSTS);
        assert!(find(&mut known, "0.example").is_none() && find(&mut known, "1.example").is_some());
        assert_eq!(format!("{names:?}"), "CachingResolver");
    }

    #[test]
    fn an_address_needs_no_look_up() {
        let (names, asked) = scripted(vec![]);
        for (uri, expected) in [
            ("http://127.0.0.1:8080/", "127.0.0.1:8080"),
            ("http://[::1]/", "[::1]:80"),
            ("https://192.0.2.7/", "192.0.2.7:443"),
        ] {
            let uri: Uri = uri.parse().unwrap();
            let resolved = names.resolve(&uri, &Config::default(), NextTimeout::default()).unwrap();
            assert_eq!(resolved.iter().map(ToString::to_string).collect::<Vec<_>>(), [expected]);
        }
        assert_eq!(asked.load(Ordering::SeqCst), 0);
    }
}
