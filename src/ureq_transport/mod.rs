//! The default transport.

mod body;
mod builder;
mod connect;
mod error;
mod head;
mod kept;
mod look_up;
mod pools;
mod proxy;
mod resolver;
mod settings;
mod tls;

use std::fmt;
use std::sync::{Arc, Once};
use std::time::{Duration, Instant};

use http::header::CONTENT_LENGTH;
use http::{HeaderValue, Method};
use ureq::SendBody;
use ureq::unversioned::transport::{ConnectProxyConnector, Connector};

use self::body::BodyProbe;
pub use self::builder::UreqTransportBuilder;
use self::connect::{AddressConnector, MarkConnectErrors};
use self::pools::Pools;
use self::proxy::ProxyUrl;
use self::resolver::CachingResolver;
use self::settings::TransportSettings;
pub(crate) use self::settings::default_transport;
use self::tls::Tls;
use crate::authority::is_loopback;
use crate::error::ConfigError;
use crate::retry::DURATIONS;
use crate::transport::{SendOptions, Transport, TransportError, TransportErrorKind};

/// The time for one request whose extensions hold no [`SendOptions`].
const TIMEOUT: Duration = Duration::from_secs(30);

/// Below the time of an attempt, so that a dead name server or host leaves time for another attempt. The phases after
/// them have no separate limit: [`SendOptions::timeout`] bounds them, and a slow service may need a longer one.
const RESOLVE_TIMEOUT: Duration = Duration::from_secs(5);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// The size of the two buffers of a connection.
const BUFFER: usize = 32 * 1024;

/// The head of a response. Below [`BUFFER`]: a head that fills the buffer first looks like a connection that broke.
const HEAD_LIMIT: usize = 24 * 1024;

/// One URI or header value. ureq writes each of them into one buffer, and gives up midway if it does not fit.
const LINE_LIMIT: usize = BUFFER / 2;

/// Of one pool. More than the threads that share a client in any sensible program: with fewer, busy threads close connections
/// that others are about to need.
const IDLE_CONNECTIONS: usize = 64;

/// Shorter than the idle time of common servers and load balancers, which begins at 20 s.
const IDLE_AGE: Duration = Duration::from_secs(15);

/// The default [`Transport`]: blocking HTTP/1.1 by [ureq](https://docs.rs/ureq).
///
/// A client builds one automatically. Build one yourself to wrap it in a transport of your own:
///
/// ```
/// use arize_api_keys::{ApiKeysClient, Transport, UreqTransport, http};
///
/// let inner = UreqTransport::builder().proxy("http://proxy.example:3128").build()?;
/// let client = ApiKeysClient::builder()
///     .ignore_env()
///     .api_key("ak-for-the-docs")
///     .transport(move |request: http::Request<Vec<u8>>| {
///         println!("{} {}", request.method(), request.uri().path());
///         inner.send(request)
///     })
///     .build()?;
/// # Ok::<(), arize_api_keys::Error>(())
/// ```
///
/// # Behaviour
///
/// * It sends the request as it is, with `host` and `content-length`, and adds no other header. It never follows a redirect,
///   never sends a request twice, keeps no cookies and reads no environment variables (TLS has the exceptions of the system).
/// * Clones share idle connections: to one host at most as many as there were requests at the same time, and at most 112; to all
///   hosts at most 256. They are in four pools: each serves 16 requests at the same time, and the last one also all above 64. A
///   request uses no connection that was idle for 15 s, and closes those of its pool, and the three other pools if they were not used
///   for 15 s. A request that wants a [fresh connection](SendOptions::fresh_connection) closes the idle ones of its pool to its host,
///   and leaves its own behind.
/// * After `fork`, parent and child may both use it: a connection of another process is never used. A fork during a request is not
///   supported.
/// * A request takes at most its [`SendOptions::timeout`], or 30 s without one; of that, looking up the name takes at most
///   5 s and connecting 10 s. Addresses are remembered for 30 s, and for longer if they cannot be looked up again. A look-up
///   runs in a separate thread, which is left behind if it hangs; nothing else starts a thread.
/// * The head of a response may have 24 KiB and 128 headers, its body 1 MiB. After a request that wants a fresh connection, the
///   head may have 256 KiB, any number of headers and malformed lines: only the headers that the client uses are in the
///   response, so that none can cost a one-time secret.
///
/// # TLS
///
/// | [`TlsBackend`](crate::TlsBackend) | [`TlsRoots`](crate::TlsRoots) | feature | trusted |
/// |---|---|---|---|
/// | `Rustls` (default) | `WebPki` (its default) | `rustls` (on by default) | the roots of Mozilla, compiled in |
/// | `Rustls` | `Platform` | `platform-verifier` | the roots of the operating system |
/// | `NativeTls` | `Platform` (its default) | `native-tls` | the roots of the operating system |
///
/// A choice whose feature is off is an error. A [CA file](UreqTransportBuilder::ca_file) adds to the trusted certificates. The
/// roots of the operating system are read at the first connection with TLS; if that fails, the request fails, too, as
/// [`Configuration`](TransportErrorKind::Configuration). Where OpenSSL or the verifier of the platform read certificates from
/// files, as on Linux, the variables `SSL_CERT_FILE` and `SSL_CERT_DIR` name these files to them, in place of the usual ones. A
/// client that builds its own transport also adds the certificates that they name to its roots.
///
/// # Logging
///
/// At level `TRACE` ureq logs every byte that it sends and receives, the API key and the secrets of new keys among them,
/// under the target `ureq_proto::util`. If a logger is set up that takes these records, this transport says so once, by
/// `log::warn!`. `RUST_LOG=trace,ureq_proto=debug,ureq=debug` keeps them out.
///
/// At level `DEBUG` ureq logs the method and the origin of each request, the status of each response, and of the headers of both
/// `accept`, `connection`, `content-type`, `date`, `host`, `server`, `user-agent` and those about encodings and lengths. Bodies,
/// paths, queries and the header `authorization` are not there, so the key is only if a server writes it into one of these headers.
/// With records of `TRACE` from `ureq`, those of `DEBUG` have paths and queries, too, and so the ids of keys. The client never puts its
/// own key there: it refuses such an id before it sends anything.
#[derive(Clone)]
pub struct UreqTransport {
    pools: Arc<Pools>,
}

impl UreqTransport {
    /// A transport with the defaults: no proxy, certificates checked.
    pub fn new() -> Self {
        Self::with(Tls::default(), None, CachingResolver::system())
    }

    /// A transport with other settings.
    pub fn builder() -> UreqTransportBuilder {
        UreqTransportBuilder::default()
    }

    fn open(settings: &TransportSettings) -> Result<Self, ConfigError> {
        let tls = Tls::new(settings.tls, &settings.ca_files)?;
        let proxy = settings.proxy.as_ref().map(ProxyUrl::to_ureq).transpose()?;
        Ok(Self::with(tls, proxy, CachingResolver::system()))
    }

    fn with(tls: Tls, proxy: Option<ureq::Proxy>, names: CachingResolver) -> Self {
        warn_of_trace();
        let config = ureq::Agent::config_builder()
            // A status of 400 or more is a response.
            .http_status_as_error(false)
            .max_redirects(0)
            // Empty: the headers are the request's own, here and towards a proxy.
            .user_agent("")
            .accept("")
            .accept_encoding("")
            // Also keeps ureq from reading the environment.
            .proxy(proxy)
            .timeout_global(Some(TIMEOUT))
            .timeout_resolve(Some(RESOLVE_TIMEOUT))
            .timeout_connect(Some(CONNECT_TIMEOUT))
            .max_response_header_size(HEAD_LIMIT)
            .input_buffer_size(BUFFER)
            .output_buffer_size(BUFFER)
            .max_idle_connections(IDLE_CONNECTIONS)
            .max_idle_connections_per_host(IDLE_CONNECTIONS)
            .max_idle_age(IDLE_AGE)
            .build();
        let connector =
            ().chain(ConnectProxyConnector::default()).chain(AddressConnector::new(names.clone())).chain(tls);
        let connector = MarkConnectErrors::new(connector, names.clone());
        let agent = move || ureq::Agent::with_parts(config.clone(), connector.clone(), names.clone());
        Self { pools: Arc::new(Pools::new(agent)) }
    }
}

impl Transport for UreqTransport {
    fn send(&self, request: http::Request<Vec<u8>>) -> Result<http::Response<Vec<u8>>, TransportError> {
        let (mut parts, body) = request.into_parts();
        let options = parts.extensions.remove().unwrap_or_else(|| SendOptions::new(TIMEOUT));
        // A logger may have been set up since this transport was.
        warn_of_trace();
        check_lines(&parts)?;
        let room = parts.extensions.remove().unwrap_or_default();
        // Until the body is read, which gives the connection back.
        let lease = self.pools.lease(Instant::now);

        if body.is_empty() {
            match parts.method {
                Method::POST | Method::PUT | Method::PATCH => {
                    parts.headers.insert(CONTENT_LENGTH, HeaderValue::from_static("0"))
                }
                _ => parts.headers.remove(CONTENT_LENGTH),
            };
            return match run(&lease.agent, parts, SendBody::none(), options) {
                Ok(response) => body::read(response, room),
                Err(error) => Err(error::to_transport_error(error)),
            };
        }
        // A reader without a length would be sent in chunks.
        parts.headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
        let mut tracked = BodyProbe::new(&body);
        match run(&lease.agent, parts, SendBody::from_reader(&mut tracked), options) {
            Ok(response) => body::read(response, room),
            // ureq asks for the body once the head is out: never asked means that the request was never complete.
            Err(error) if !tracked.pulled() => Err(error::to_transport_error(error).not_sent()),
            Err(error) => Err(error::to_transport_error(error)),
        }
    }
}

fn run(
    agent: &ureq::Agent,
    parts: http::request::Parts,
    body: SendBody<'_>,
    options: SendOptions,
) -> Result<http::Response<ureq::Body>, ureq::Error> {
    let direct = agent.config().proxy().is_some() && parts.uri.host().is_some_and(is_loopback);
    let timeout = options.timeout.clamp(*DURATIONS.start(), *DURATIONS.end());
    let request = http::Request::from_parts(parts, body);
    let mut config = agent.configure_request(request).timeout_global(Some(timeout));
    if options.fresh_connection {
        config = config.max_idle_age(Duration::ZERO);
    }
    if direct {
        // A request to this machine must not travel to another one.
        config = config.proxy(None);
    }
    agent.run(config.build())
}

impl Default for UreqTransport {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for UreqTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UreqTransport").field("proxy", &self.pools.config().proxy().is_some()).finish_non_exhaustive()
    }
}

fn check_lines(parts: &http::request::Parts) -> Result<(), TransportError> {
    let refused = |problem| Err(TransportError::new(TransportErrorKind::Configuration, problem).not_sent());
    if !matches!(parts.uri.scheme_str(), Some("http" | "https")) || parts.uri.host().is_none_or(str::is_empty) {
        return refused("the URI of the request needs a scheme, http or https, and a host");
    }
    if parts.uri.path_and_query().is_some_and(|path| path.as_str().len() > LINE_LIMIT)
        || parts.headers.values().any(|value| value.len() > LINE_LIMIT)
    {
        return refused("the URI and each header of the request may have 16 KiB");
    }
    Ok(())
}

/// Where ureq logs all that is sent and received.
const LEAKING_TARGET: &str = "ureq_proto::util";

fn warn_of_trace() {
    static SAID: Once = Once::new();
    if log::log_enabled!(target: LEAKING_TARGET, log::Level::Trace) {
        SAID.call_once(|| {
            log::warn!(
                "the log takes TRACE records of `{LEAKING_TARGET}`: they show the API key and the secrets of new keys. \
                 RUST_LOG=trace,ureq_proto=debug,ureq=debug keeps them out"
            );
        });
    }
}

/// The rows of the fault matrix that need names of their own.
#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{SocketAddr, TcpListener};
    use std::sync::{Mutex, mpsc};
    use std::thread;

    use super::*;

    fn transport(names: CachingResolver) -> UreqTransport {
        UreqTransport::with(Tls::default(), None, names)
    }

    fn post(host: &str) -> http::Request<Vec<u8>> {
        http::Request::post(format!("http://{host}/")).body(b"{}".to_vec()).unwrap()
    }

    #[test]
    fn row_03_name_server_that_is_slow() {
        let (release, held) = mpsc::channel::<()>();
        let held = Mutex::new(held);
        let transport = transport(CachingResolver::asking(move |_| {
            let _ = held.lock().unwrap().recv();
            Ok(Vec::new())
        }));
        for method in [Method::GET, Method::POST, Method::PUT] {
            let mut request = post("api.example");
            *request.method_mut() = method;
            request.extensions_mut().insert(SendOptions::new(Duration::from_millis(50)));
            let error = transport.send(request).unwrap_err();
            assert_eq!((error.kind(), error.may_have_been_sent()), (TransportErrorKind::Timeout, false));
        }
        drop(release);
    }

    /// Answers every request, one connection after the other. Its port.
    fn serve(listener: TcpListener) -> u16 {
        let port = listener.local_addr().unwrap().port();
        thread::spawn(move || {
            for mut connection in listener.incoming().flatten() {
                let mut request = Vec::new();
                let mut byte = [0];
                while !request.ends_with(b"{}") && connection.read_exact(&mut byte).is_ok() {
                    request.extend(byte);
                }
                let _ = connection.write_all(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n");
            }
        });
        port
    }

    /// And once the host is known, the name server may die (row 58).
    #[test]
    fn row_05_first_address_is_dead() {
        let port = serve(TcpListener::bind("127.0.0.1:0").unwrap());
        let asked = Mutex::new(0);
        let names = CachingResolver::asking(move |_| {
            *asked.lock().unwrap() += 1;
            // Nothing listens on that port of the first one.
            let addresses = ["127.0.0.2:0", "127.0.0.1:0"].map(|address| address.parse::<SocketAddr>().unwrap());
            if *asked.lock().unwrap() == 1 { Ok(addresses.to_vec()) } else { Err(std::io::Error::other("dead")) }
        });
        let transport = transport(names.clone());
        let host = format!("api.example:{port}");
        assert_eq!(transport.send(post(&host)).unwrap().status(), 204);
        names.doubt("api.example");
        assert_eq!(transport.send(post(&host)).unwrap().status(), 204);
    }

    /// The first address gets two thirds of the time for connecting.
    #[cfg(target_os = "linux")]
    #[test]
    fn row_05_first_address_is_silent() {
        let silent = TcpListener::bind("127.0.0.2:0").unwrap();
        let address = silent.local_addr().unwrap();
        // With its queue full, Linux drops what asks for a connection.
        let mut queue = Vec::new();
        while let Ok(connection) = std::net::TcpStream::connect_timeout(&address, Duration::from_millis(300)) {
            queue.push(connection);
        }
        serve(TcpListener::bind(("127.0.0.1", address.port())).unwrap());
        let names = CachingResolver::asking(|_| {
            Ok(["127.0.0.2:0", "127.0.0.1:0"].map(|address| address.parse().unwrap()).to_vec())
        });
        let transport = transport(names);
        // First little time, then more, so that a slow machine gets as far as a fast one.
        let reached = |millis: &u64| {
            let mut request = post(&format!("api.example:{}", address.port()));
            request.extensions_mut().insert(SendOptions::new(Duration::from_millis(*millis)));
            transport.send(request).is_ok_and(|response| response.status() == 204)
        };
        for _ in 0..2 {
            assert!([300, 3_000, 30_000].iter().any(reached));
        }
    }
}
