//! The canned server: a program beside the one that is measured, so that its work is in none of the figures.
//!
//! | path | answer |
//! |---|---|
//! | `/length/…`, `/chunked/…` | to a GET a page of `limit` keys, to a POST a created key |
//! | `/slow/…` | the same as `/length/…`, a millisecond later, and 50 ms on a new connection |
//! | `/walk/<total>/…` | pages of 100 keys until `total` were sent |

use std::collections::HashMap;
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use std::{fs, thread};

use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::{Fallible, canned};

/// The size of a chunk. A server that streams its JSON flushes about that much at once.
const CHUNK: usize = 8 * 1024;

/// Serves until the standard input ends: a server never outlives the program that started it.
pub fn serve(ca_file: &Path) -> Fallible {
    let canned = Arc::new(Canned::new());
    let tls = Arc::new(tls(ca_file)?);
    let (plain_listener, tls_listener) = (TcpListener::bind("127.0.0.1:0")?, TcpListener::bind("127.0.0.1:0")?);
    let counter = TcpListener::bind("127.0.0.1:0")?;
    println!("{} {} {}", plain_listener.local_addr()?, tls_listener.local_addr()?, counter.local_addr()?);

    let opened = Arc::new(AtomicUsize::new(0));
    accept(plain_listener, &opened, &canned, Ok);
    accept(tls_listener, &opened, &canned, move |stream| {
        Ok(StreamOwned::new(ServerConnection::new(Arc::clone(&tls))?, stream))
    });
    thread::spawn(move || {
        for stream in counter.incoming() {
            let _ = write!(stream?, "{}", opened.load(Ordering::SeqCst));
        }
        Fallible::Ok(())
    });
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}

fn accept<S: Read + Write>(
    listener: TcpListener,
    opened: &Arc<AtomicUsize>,
    canned: &Arc<Canned>,
    wrap: impl Fn(TcpStream) -> Fallible<S> + Send + Sync + 'static,
) {
    let (opened, canned, wrap) = (Arc::clone(opened), Arc::clone(canned), Arc::new(wrap));
    thread::spawn(move || {
        for stream in listener.incoming() {
            let stream = stream?;
            stream.set_nodelay(true)?;
            opened.fetch_add(1, Ordering::SeqCst);
            let (canned, wrap) = (Arc::clone(&canned), Arc::clone(&wrap));
            thread::spawn(move || converse(wrap(stream)?, &canned));
        }
        Fallible::Ok(())
    });
}

/// Answers one request after the other.
fn converse(mut stream: impl Read + Write, canned: &Canned) -> Fallible {
    let mut input = Vec::with_capacity(16 * 1024);
    let mut room = [0; 16 * 1024];
    let mut fresh = true;
    loop {
        let end = loop {
            if let Some(end) = input.windows(4).position(|four| four == b"\r\n\r\n") {
                break end + 4;
            }
            match stream.read(&mut room) {
                Ok(0) => return Ok(()),
                Ok(amount) => input.extend_from_slice(&room[..amount]),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        };
        let head = std::str::from_utf8(&input[..end])?.to_ascii_lowercase();
        let length = match head.split_once("content-length:") {
            Some((_, rest)) => rest.lines().next().unwrap_or_default().trim().parse()?,
            None => 0,
        };
        while input.len() < end + length {
            let amount = stream.read(&mut room)?;
            if amount == 0 {
                return Ok(());
            }
            input.extend_from_slice(&room[..amount]);
        }
        let mut words = head.split(' ');
        let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        if target.starts_with("/slow/") {
            thread::sleep(Duration::from_millis(if fresh { 50 } else { 1 }));
        }
        fresh = false;
        stream.write_all(&canned.answer(method, target))?;
        stream.flush()?;
        input.drain(..end + length);
    }
}

/// Whole answers, made once.
struct Canned {
    answers: HashMap<String, Arc<[u8]>>,
    hundred: String,
    later: Mutex<HashMap<String, Arc<[u8]>>>,
}

impl Canned {
    fn new() -> Self {
        let mut answers = HashMap::new();
        for limit in [1, 50, 100] {
            let body = canned::page(&canned::keys(limit), None);
            answers.insert(format!("length {limit}"), whole("200 OK", &body));
            answers.insert(format!("chunked {limit}"), chunked("200 OK", &body));
        }
        answers.insert("length post".into(), whole("201 Created", &canned::created()));
        answers.insert("chunked post".into(), chunked("201 Created", &canned::created()));
        Self { answers, hundred: canned::keys(100), later: Mutex::default() }
    }

    fn answer(&self, method: &str, target: &str) -> Arc<[u8]> {
        let mut segments = target.split('/').skip(1);
        let mut kind = segments.next().unwrap_or_default();
        if kind == "walk" {
            let total = segments.next().and_then(|total| total.parse().ok()).unwrap_or(0);
            return self.step(total, parameter(target, "cursor").unwrap_or(0));
        }
        if kind == "slow" {
            kind = "length";
        }
        let name = match method {
            "post" => format!("{kind} post"),
            _ => format!("{kind} {}", parameter(target, "limit").unwrap_or(50)),
        };
        match self.answers.get(&name) {
            Some(answer) => Arc::clone(answer),
            None => whole("404 Not Found", "{}"),
        }
    }

    /// The page of 100 that begins after `sent` keys.
    fn step(&self, total: usize, sent: usize) -> Arc<[u8]> {
        let sent = sent + 100;
        if sent < total {
            return whole("200 OK", &canned::page(&self.hundred, Some(&sent.to_string())));
        }
        let mut last = self.later.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        Arc::clone(last.entry("last".into()).or_insert_with(|| whole("200 OK", &canned::page(&self.hundred, None))))
    }
}

fn parameter(target: &str, name: &str) -> Option<usize> {
    let (_, query) = target.split_once('?')?;
    query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('=')?.parse().ok())
}

fn whole(status: &str, body: &str) -> Arc<[u8]> {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\ncontent-type: application/json\r\nx-request-id: bench\r\ncontent-length: {length}\r\n\r\n{body}")
        .into_bytes()
        .into()
}

fn chunked(status: &str, body: &str) -> Arc<[u8]> {
    let mut answer = format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\nx-request-id: bench\r\ntransfer-encoding: chunked\r\n\r\n"
    )
    .into_bytes();
    for chunk in body.as_bytes().chunks(CHUNK) {
        answer.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
        answer.extend_from_slice(chunk);
        answer.extend_from_slice(b"\r\n");
    }
    answer.extend_from_slice(b"0\r\n\r\n");
    answer.into()
}

/// A certificate for this machine, by an authority that is written to `ca_file`.
fn tls(ca_file: &Path) -> Fallible<ServerConfig> {
    let authority_key = rcgen::KeyPair::generate()?;
    let mut params = rcgen::CertificateParams::default();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    fs::write(ca_file, params.self_signed(&authority_key)?.pem())?;
    let issuer = rcgen::Issuer::new(params, authority_key);

    let key = rcgen::KeyPair::generate()?;
    let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
    let certificate = rcgen::CertificateParams::new(names)?.signed_by(&key, &issuer)?;
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    Ok(ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate.into()], key)?)
}

/// A canned server in a separate process, which ends when this value is dropped.
pub struct Server {
    process: Child,
    pub plain: SocketAddr,
    pub tls: SocketAddr,
    counter: SocketAddr,
    pub ca_file: std::path::PathBuf,
}

impl Server {
    /// Starts the program `serve` that was built beside this one.
    pub fn start() -> Fallible<Self> {
        let ca_file = std::env::temp_dir().join(format!("arize-api-keys-benches-{}.pem", std::process::id()));
        let program = std::env::current_exe()?.with_file_name("serve");
        let mut process = Command::new(program).arg(&ca_file).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let mut line = String::new();
        BufReader::new(process.stdout.take().ok_or("the server has no output")?).read_line(&mut line)?;
        let mut addresses = line.split_whitespace().map(str::parse);
        let mut next = || -> Fallible<SocketAddr> { Ok(addresses.next().ok_or("the server has no address")??) };
        Ok(Self { plain: next()?, tls: next()?, counter: next()?, process, ca_file })
    }

    /// How many connections were opened so far.
    pub fn opened(&self) -> Fallible<usize> {
        let mut text = String::new();
        TcpStream::connect(self.counter)?.read_to_string(&mut text)?;
        Ok(text.parse()?)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        let _ = self.process.wait();
        let _ = fs::remove_file(&self.ca_file);
    }
}
