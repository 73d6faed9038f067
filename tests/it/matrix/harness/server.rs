//! Servers on loopback, which count what they see.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::operation::Operation;
use crate::support::http::{content_length, read_head, read_request};

/// The observations of a server.
#[derive(Default)]
struct Counters {
    connections: AtomicUsize,
    requests: AtomicUsize,
    marks: AtomicUsize,
    stopped: AtomicBool,
}

/// A server for one operation of one case: each connection gets a thread that runs the script.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    counters: Arc<Counters>,
}

impl Server {
    pub(crate) fn start(operation: Operation, script: Arc<dyn Fn(Conn) + Send + Sync>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let counters = Arc::new(Counters::default());
        let seen = Arc::clone(&counters);
        thread::spawn(move || {
            for stream in listener.incoming() {
                if seen.stopped.load(Ordering::SeqCst) {
                    return;
                }
                let number = seen.connections.fetch_add(1, Ordering::SeqCst);
                let conn = Conn { stream: stream.unwrap(), operation, number, counters: Arc::clone(&seen) };
                let script = Arc::clone(&script);
                thread::spawn(move || script(conn));
            }
        });
        Self { address, counters }
    }

    /// The connections, once there are as many as expected: a client that gave up early may be ahead of the server.
    pub(crate) fn connections(&self, expected: usize) -> usize {
        settled(&self.counters.connections, expected)
    }

    /// The whole requests, once there are as many as expected.
    pub(crate) fn requests(&self, expected: usize) -> usize {
        settled(&self.counters.requests, expected)
    }

    /// Waits until the script has said that it is so far.
    pub(crate) fn wait_for_mark(&self) {
        assert!(settled(&self.counters.marks, 1) > 0, "the script never got so far");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.counters.stopped.store(true, Ordering::SeqCst);
        // Wakes the thread that accepts.
        let _ = TcpStream::connect(self.address);
    }
}

fn settled(counter: &AtomicUsize, expected: usize) -> usize {
    let patience = Instant::now() + Duration::from_secs(20);
    while counter.load(Ordering::SeqCst) < expected && Instant::now() < patience {
        thread::sleep(Duration::from_millis(1));
    }
    counter.load(Ordering::SeqCst)
}

/// A connection, as a script sees it. Dropping it closes it: with FIN if all that came was read, and with RST if not.
pub(crate) struct Conn {
    pub(crate) stream: TcpStream,
    pub(crate) operation: Operation,
    /// How many connections came before.
    pub(crate) number: usize,
    counters: Arc<Counters>,
}

impl Conn {
    /// Reads a whole request; `None` once the client has closed the connection.
    pub(crate) fn request(&mut self) -> Option<String> {
        let request = read_request(&mut self.stream)?;
        self.count_request();
        Some(String::from_utf8(request).unwrap())
    }

    /// Reads the head of a request, and leaves its body.
    pub(crate) fn head(&mut self) {
        read_head(&mut self.stream);
    }

    /// Reads a part of the input, and no more.
    pub(crate) fn read_some(&mut self, length: usize) {
        let _ = self.stream.read_exact(&mut vec![0; length]);
    }

    /// Waits for a whole request, and leaves it unread: closing the connection then resets it.
    pub(crate) fn arrival(&mut self) {
        let mut seen = vec![0; 64 * 1024];
        loop {
            let length = self.stream.peek(&mut seen).unwrap_or(0);
            let head = seen[..length].windows(4).position(|four| four == b"\r\n\r\n").map(|end| end + 4);
            if head.is_some_and(|head| length >= head + content_length(&seen[..head])) {
                return self.count_request();
            }
            if length == 0 {
                return;
            }
            thread::sleep(Duration::from_millis(1));
        }
    }

    fn count_request(&self) {
        self.counters.requests.fetch_add(1, Ordering::SeqCst);
    }

    /// Lets [`Server::wait_for_mark`] go on.
    pub(crate) fn mark(&self) {
        self.counters.marks.fetch_add(1, Ordering::SeqCst);
    }

    /// Closes the connection, and says so.
    pub(crate) fn close_and_mark(self) {
        let counters = Arc::clone(&self.counters);
        drop(self);
        counters.marks.fetch_add(1, Ordering::SeqCst);
    }

    /// Ends the server, but not this connection: from now on, connections are refused.
    pub(crate) fn stop_server(&self) {
        self.counters.stopped.store(true, Ordering::SeqCst);
        let address = self.stream.local_addr().unwrap();
        // The first of these wakes the thread that accepts.
        while TcpStream::connect(address).is_ok() {
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// False once the client does not want any more.
    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        self.stream.write_all(bytes.as_ref()).is_ok()
    }

    /// Sends without end, with pauses.
    pub(crate) fn drip(&mut self, bytes: impl AsRef<[u8]>) {
        self.drip_times(usize::MAX, bytes);
    }

    /// Sends the same so many times, with pauses; false once the client does not want any more.
    pub(crate) fn drip_times(&mut self, times: usize, bytes: impl AsRef<[u8]>) -> bool {
        (0..times).all(|_| {
            thread::sleep(Duration::from_millis(20));
            self.send(bytes.as_ref())
        })
    }

    /// Sends without end.
    pub(crate) fn flood(&mut self, bytes: impl AsRef<[u8]>) {
        while self.send(bytes.as_ref()) {}
    }

    /// Says nothing more until the client closes the connection.
    pub(crate) fn hold(&mut self) {
        let mut sink = [0; 1024];
        while self.stream.read(&mut sink).is_ok_and(|length| length > 0) {}
    }

    /// Answers every request as a service in order does.
    pub(crate) fn serve(&mut self) {
        while let Some(request) = self.request() {
            let operation = asked(&request);
            self.send(operation.response());
        }
    }
}

/// The operation that a request is of: a script may see a list before its own.
fn asked(request: &str) -> Operation {
    match request.split(' ').next() {
        Some("GET") => Operation::List,
        Some("POST") => Operation::Create,
        _ => Operation::Delete,
    }
}
