//! One HTTP/1.1 connection: requests in, responses out.

use std::io::{self, Read, Write};
use std::mem;
use std::net::{Shutdown, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use ::http::header::{CONNECTION, CONTENT_LENGTH, DATE, HeaderName};
use ::http::{Method, Request, Response, StatusCode, Version};

use super::delivery::{Delivery, Termination};
use super::framing::{Framing, Head, chunk_size, is_field, malformed, parse_head, too_large};
use super::limits::{Limits, MAX_CHUNK_LINE, MAX_HEAD, MAX_HEADERS};
use crate::emulator::api::problem::ProblemResponse;

/// The bytes of one read.
const PIECE: usize = 8 * 1024;

/// The limits of reading after the last response.
const LINGER_BYTES: usize = 16 * 1024 * 1024;
const LINGER_TIME: Duration = Duration::from_millis(500);

/// The interval of the checks whether the client is still connected while a response is delayed.
const WATCH: Duration = Duration::from_millis(50);

/// The service behind a listener.
pub(crate) trait Handler: Send + Sync {
    fn answer(&self, request: &Request<Vec<u8>>) -> Delivery;

    /// The value of the header `date`.
    fn date(&self) -> Option<String>;

    /// Sends a response by `write`. It counts as sent before the client can have it.
    fn send(&self, termination: &Termination, write: &mut dyn FnMut() -> io::Result<()>) -> io::Result<()>;
}

/// Handles requests until the client is done, the server is stopping, or the input is not HTTP.
pub(super) fn serve_connection(
    stream: &TcpStream,
    handler: &dyn Handler,
    limits: Limits,
    stopping: &AtomicBool,
) -> io::Result<()> {
    let is_loopback = stream.local_addr()?.ip().to_canonical().is_loopback();
    let mut connection = Connection { stream, handler, is_loopback, unread: Vec::new(), held: 0, limits };
    stream.set_read_timeout(Some(limits.read_timeout))?;
    loop {
        let request = match connection.read() {
            Ok(Some(request)) => request,
            Ok(None) => return Ok(()),
            Err(NoRequest::Broken(error)) => return Err(error),
            Err(NoRequest::Refused(problem)) => return connection.refuse(problem),
        };
        let Delivery { delay, termination } = handler.answer(&request);
        if !delay.is_zero() && !connection.wait(delay, stopping)? {
            return Ok(());
        }
        let keep_alive = wants_another(&request) && !stopping.load(Ordering::SeqCst);
        let (response, sent, goes_on) = match &termination {
            Termination::Whole(response) => (response, response.body().as_slice(), keep_alive),
            Termination::Cut(response, length) => (response, response.body().get(..*length).unwrap_or_default(), false),
            // With something held, that is a reset.
            Termination::Reset => return Ok(()),
        };
        handler.send(&termination, &mut || connection.write(request.method(), response, sent, keep_alive))?;
        if !goes_on {
            return connection.linger();
        }
    }
}

/// Responds with 503 to a client above the limit of connections, without reading its request.
pub(super) fn turn_away(stream: &TcpStream, handler: &dyn Handler, limits: Limits) -> io::Result<()> {
    let detail = format!("this emulator keeps at most {} connections", limits.connections);
    let problem = ProblemResponse::new(StatusCode::SERVICE_UNAVAILABLE, detail);
    Connection { stream, handler, is_loopback: true, unread: Vec::new(), held: 0, limits }.refuse(problem)
}

struct Connection<'a> {
    stream: &'a TcpStream,
    handler: &'a dyn Handler,
    is_loopback: bool,
    /// The bytes that have arrived and are not read yet.
    unread: Vec<u8>,
    /// The number of those bytes that the socket still holds. To close a socket with something unread in it resets the
    /// connection, and nothing else does in `std`: so the last bytes stay there until a request has its response. (Of several
    /// requests in one piece, that is the first.)
    held: usize,
    limits: Limits,
}

/// The reason for which a read returned no request.
enum NoRequest {
    Broken(io::Error),
    Refused(ProblemResponse),
}

/// The error of a read: a client that is too slow gets a response.
impl From<io::Error> for NoRequest {
    fn from(error: io::Error) -> Self {
        if is_timeout(&error) { too_late() } else { Self::Broken(error) }
    }
}

impl From<ProblemResponse> for NoRequest {
    fn from(problem: ProblemResponse) -> Self {
        Self::Refused(problem)
    }
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}

impl Connection<'_> {
    /// The next request; nothing if the client is done, or has been silent for too long.
    fn read(&mut self) -> Result<Option<Request<Vec<u8>>>, NoRequest> {
        let mut deadline = None;
        let Head { mut request, length, framing, expects_continue } = loop {
            if let Some(head) = parse_head(&self.unread, self.is_loopback, self.limits)? {
                break head;
            }
            match self.fill() {
                Err(error) if self.unread.is_empty() && is_timeout(&error) => return Ok(None),
                Ok(0) => return Ok(None),
                Ok(_) => {}
                Err(error) => return Err(error.into()),
            }
            self.check(*deadline.get_or_insert_with(|| self.deadline()))?;
        };
        self.unread.drain(..length);
        // A client that has sent the body already does not wait for this.
        let has_body = matches!(framing, Framing::Length(length) if length <= self.unread.len());
        if expects_continue && !has_body {
            self.stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").map_err(NoRequest::Broken)?;
        }
        let deadline = self.deadline();
        *request.body_mut() = match framing {
            Framing::Length(length) => self.take(length, deadline)?,
            Framing::Chunked => self.take_chunks(deadline)?,
        };
        Ok(Some(request))
    }

    fn deadline(&self) -> Option<Instant> {
        Instant::now().checked_add(self.limits.read_timeout)
    }

    /// The timeout of the socket counts from byte to byte. This counts all of a head or a body.
    fn check(&self, deadline: Option<Instant>) -> Result<(), NoRequest> {
        if deadline.is_some_and(|deadline| deadline <= Instant::now()) { Err(too_late()) } else { Ok(()) }
    }

    fn take(&mut self, length: usize, deadline: Option<Instant>) -> Result<Vec<u8>, NoRequest> {
        while self.unread.len() < length {
            self.fill_or_fail(deadline)?;
        }
        Ok(self.unread.drain(..length).collect())
    }

    fn take_chunks(&mut self, deadline: Option<Instant>) -> Result<Vec<u8>, NoRequest> {
        let mut body = Vec::new();
        loop {
            let line = self.take_line(MAX_CHUNK_LINE, "a chunk has no size", deadline)?;
            let size = chunk_size(&line, self.limits.body)?;
            if size == 0 {
                self.skip_trailers(deadline)?;
                return Ok(body);
            }
            if size > self.limits.body.saturating_sub(body.len()) {
                return Err(too_large(self.limits.body).into());
            }
            body.append(&mut self.take(size, deadline)?);
            if self.take(2, deadline)? != b"\r\n" {
                return Err(malformed("a chunk is longer than it says").into());
            }
        }
    }

    /// Reads the fields after the last chunk, up to the empty line, and ignores them.
    fn skip_trailers(&mut self, deadline: Option<Instant>) -> Result<(), NoRequest> {
        let mut left = MAX_HEAD;
        for _ in 0..=MAX_HEADERS {
            let line = self.take_line(left, "the trailers are larger than 64 KiB", deadline)?;
            match line.as_slice() {
                [] => return Ok(()),
                line if line.contains(&b'\n') || !is_field(line) => {
                    return Err(malformed("a trailer is malformed").into());
                }
                line => left = left.saturating_sub(line.len()),
            }
        }
        Err(malformed("there are more than 100 trailers").into())
    }

    /// A line without its end.
    fn take_line(&mut self, max: usize, problem: &str, deadline: Option<Instant>) -> Result<Vec<u8>, NoRequest> {
        loop {
            match self.unread.windows(2).position(|two| two == b"\r\n") {
                Some(end) if end <= max => {
                    let line = self.unread.drain(..end).collect();
                    self.unread.drain(..2);
                    return Ok(line);
                }
                None if self.unread.len() <= max => self.fill_or_fail(deadline)?,
                _ => return Err(malformed(problem).into()),
            }
        }
    }

    /// Waits for more, without taking it from the socket.
    fn fill(&mut self) -> io::Result<usize> {
        self.release();
        let mut buffer = [0; PIECE];
        loop {
            match self.stream.peek(&mut buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
                Ok(count) => {
                    self.unread.extend_from_slice(buffer.get(..count).unwrap_or_default());
                    self.held = count;
                    return Ok(count);
                }
            }
        }
    }

    /// Takes from the socket what it still holds. Some systems have dropped that when the server is stopping, and it is
    /// read already. Any other failure shows at the next step.
    fn release(&mut self) {
        let held = mem::take(&mut self.held);
        drop(self.stream.read_exact([0; PIECE].get_mut(..held).unwrap_or_default()));
    }

    fn fill_or_fail(&mut self, deadline: Option<Instant>) -> Result<(), NoRequest> {
        self.check(deadline)?;
        match self.fill()? {
            0 => Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
            _ => Ok(()),
        }
    }

    /// Delays a response, unless the server is stopping. False if the client has left meanwhile.
    fn wait(&mut self, delay: Duration, stopping: &AtomicBool) -> io::Result<bool> {
        self.release();
        let start = Instant::now();
        loop {
            let left = delay.saturating_sub(start.elapsed());
            if left.is_zero() || stopping.load(Ordering::SeqCst) {
                break;
            }
            self.stream.set_read_timeout(Some(left.min(WATCH)))?;
            match self.stream.peek(&mut [0]) {
                // The server ends the waiting of all its connections so.
                Ok(0) if stopping.load(Ordering::SeqCst) => break,
                Ok(0) => return Ok(false),
                // The next request has come already.
                Ok(_) => thread::sleep(left.min(WATCH)),
                Err(error) if is_timeout(&error) || error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.stream.set_read_timeout(Some(self.limits.read_timeout))?;
        Ok(true)
    }

    fn refuse(mut self, problem: ProblemResponse) -> io::Result<()> {
        let response = problem.into_response(None);
        self.write(&Method::GET, &response, response.body(), false)?;
        self.linger()
    }

    /// Writes a response in one piece, with this part of its body.
    fn write(
        &mut self,
        method: &Method,
        response: &Response<Vec<u8>>,
        body: &[u8],
        keep_alive: bool,
    ) -> io::Result<()> {
        self.release();
        let status = response.status();
        let mut bytes =
            format!("HTTP/1.1 {} {}\r\n", status.as_u16(), status.canonical_reason().unwrap_or_default()).into_bytes();
        for (name, value) in response.headers() {
            write_field(&mut bytes, name, value.as_bytes());
        }
        if let Some(date) = self.handler.date() {
            write_field(&mut bytes, &DATE, date.as_bytes());
        }
        if status != StatusCode::NO_CONTENT {
            write_field(&mut bytes, &CONTENT_LENGTH, response.body().len().to_string().as_bytes());
        }
        if !keep_alive {
            write_field(&mut bytes, &CONNECTION, b"close");
        }
        bytes.extend_from_slice(b"\r\n");
        if method != Method::HEAD {
            bytes.extend_from_slice(body);
        }
        self.stream.write_all(&bytes)
    }

    /// Reads on a little after the last response. To close a socket with something unread in it resets the connection,
    /// and the client may lose the response.
    fn linger(mut self) -> io::Result<()> {
        self.stream.shutdown(Shutdown::Write)?;
        let start = Instant::now();
        let mut buffer = [0; PIECE];
        for _ in 0..LINGER_BYTES / PIECE {
            let left = LINGER_TIME.saturating_sub(start.elapsed());
            if left.is_zero() {
                break;
            }
            self.stream.set_read_timeout(Some(left))?;
            if self.stream.read(&mut buffer)? == 0 {
                break;
            }
        }
        Ok(())
    }
}

fn too_late() -> NoRequest {
    ProblemResponse::new(StatusCode::REQUEST_TIMEOUT, "the request takes too long to arrive").into()
}

fn write_field(bytes: &mut Vec<u8>, name: &HeaderName, value: &[u8]) {
    bytes.extend_from_slice(name.as_str().as_bytes());
    bytes.extend_from_slice(b": ");
    bytes.extend_from_slice(value);
    bytes.extend_from_slice(b"\r\n");
}

fn wants_another(request: &Request<Vec<u8>>) -> bool {
    let options = request.headers().get_all(CONNECTION);
    let mut options = options.iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
    request.version() == Version::HTTP_11 && !options.any(|option| option.trim().eq_ignore_ascii_case("close"))
}
