//! One HTTP/1.1 connection: requests in, answers out.

use std::io::{self, Read, Write};
use std::mem;
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use http::header::{CONNECTION, CONTENT_LENGTH, DATE, EXPECT, HeaderName, HeaderValue, TRANSFER_ENCODING};
use http::{HeaderMap, Method, Request, Response, StatusCode, Uri, Version};

use super::problem::Problem;
use super::reply::{Ending, Reply};

const MAX_HEAD: usize = 64 * 1024;
const MAX_HEADERS: usize = 100;
const MAX_BODY: usize = 1024 * 1024;
/// The line that announces a chunk, with its extensions.
const MAX_CHUNK_LINE: usize = 1024;

/// How much is read at a time.
const PIECE: usize = 8 * 1024;

/// How much is read after the last answer, and how long a client may take to send more of it.
const LINGER_BYTES: u64 = 16 * 1024 * 1024;
const LINGER_TIME: Duration = Duration::from_millis(500);

/// Who answers.
pub(super) trait Host {
    fn answer(&self, request: &Request<Vec<u8>>) -> Reply;

    /// Holds an answer back, unless the server is stopping.
    fn wait(&self, delay: Duration);

    /// The time, as the header `date` has it.
    fn date(&self) -> Option<String>;

    /// Sends an answer by `write`. It counts as sent before the client can have it.
    fn send(&self, ending: &Ending, write: impl FnOnce() -> io::Result<()>) -> io::Result<()>;

    fn is_stopping(&self) -> bool;
}

/// Answers requests until the client is done, the server is stopping, or what comes is not HTTP.
pub(super) fn converse(stream: TcpStream, host: &impl Host) -> io::Result<()> {
    let mut connection = Connection { stream, unread: Vec::new(), held: 0 };
    loop {
        let next = connection.read();
        let date = host.date();
        let request = match next {
            Ok(Some(request)) => request,
            Ok(None) => return Ok(()),
            Err(Refusal::Broken(error)) => return Err(error),
            Err(Refusal::Answer(problem)) => {
                let response = problem.into_response(None);
                connection.write(&Method::GET, &response, response.body(), date.as_deref(), false)?;
                return connection.linger();
            }
        };
        let Reply { delay, ending } = host.answer(&request);
        if !delay.is_zero() {
            host.wait(delay);
        }
        let keep_alive = wants_another(&request) && !host.is_stopping();
        let (response, sent, goes_on) = match &ending {
            Ending::Whole(response) => (response, response.body().as_slice(), keep_alive),
            Ending::Cut(response, length) => (response, response.body().get(..*length).unwrap_or_default(), false),
            // With something held, that is a reset.
            Ending::Reset => return Ok(()),
        };
        let date = date.as_deref();
        host.send(&ending, || connection.write(request.method(), response, sent, date, keep_alive))?;
        if !goes_on {
            return connection.linger();
        }
    }
}

struct Connection {
    stream: TcpStream,
    /// What has arrived and is not read yet.
    unread: Vec<u8>,
    /// How much of what has arrived the socket still holds. To close a socket with something unread in it resets the
    /// connection, and nothing else does in `std`: so what came last is left there until a request is answered. (Of several
    /// requests in one piece, that is the first.)
    held: usize,
}

/// Why there is no request.
enum Refusal {
    Broken(io::Error),
    Answer(Problem),
}

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Self {
        Self::Broken(error)
    }
}

impl Refusal {
    fn new(status: StatusCode, detail: &str) -> Self {
        Self::Answer(Problem::new(status, detail))
    }

    fn malformed(detail: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }
}

impl Connection {
    /// The next request; nothing if the client is done.
    fn read(&mut self) -> Result<Option<Request<Vec<u8>>>, Refusal> {
        let Head { mut request, length } = loop {
            let head = parse_head(&self.unread)?;
            if head.as_ref().map_or(self.unread.len(), |head| head.length) > MAX_HEAD {
                return Err(Refusal::new(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "the head is too large"));
            }
            match head {
                Some(head) => break head,
                None if self.fill()? == 0 => return Ok(None),
                None => {}
            }
        };
        self.unread.drain(..length);
        let framing = Framing::of(request.headers())?;
        // Who has sent the body already does not wait for it, and HTTP/1.0 does not know it.
        let waits = request.version() == Version::HTTP_11
            && !matches!(framing, Framing::Length(length) if length <= self.unread.len());
        if waits
            && request.headers().get(EXPECT).is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"100-continue"))
        {
            self.stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        }
        *request.body_mut() = match framing {
            Framing::Length(length) => self.take(length)?,
            Framing::Chunked => self.take_chunks()?,
        };
        Ok(Some(request))
    }

    fn take(&mut self, length: usize) -> Result<Vec<u8>, Refusal> {
        while self.unread.len() < length {
            self.fill_or_fail()?;
        }
        Ok(self.unread.drain(..length).collect())
    }

    fn take_chunks(&mut self) -> Result<Vec<u8>, Refusal> {
        let mut body = Vec::new();
        loop {
            let size = self.take_chunk_size()?;
            if size == 0 {
                self.skip_trailers()?;
                return Ok(body);
            }
            if size > MAX_BODY.saturating_sub(body.len()) {
                return Err(too_large());
            }
            body.append(&mut self.take(size)?);
            if self.take(2)? != b"\r\n" {
                return Err(Refusal::malformed("a chunk is longer than it says"));
            }
        }
    }

    fn take_chunk_size(&mut self) -> Result<usize, Refusal> {
        loop {
            match httparse::parse_chunk_size(&self.unread) {
                Ok(httparse::Status::Complete((length, size))) => {
                    self.unread.drain(..length);
                    return usize::try_from(size).map_err(|_| too_large());
                }
                Ok(httparse::Status::Partial) if self.unread.len() <= MAX_CHUNK_LINE => self.fill_or_fail()?,
                Ok(httparse::Status::Partial) | Err(_) => return Err(Refusal::malformed("a chunk has no size")),
            }
        }
    }

    /// Reads the fields after the last chunk, up to the empty line. They say nothing that is of interest here.
    fn skip_trailers(&mut self) -> Result<(), Refusal> {
        loop {
            match self.unread.windows(2).position(|two| two == b"\r\n") {
                Some(0) => {
                    self.unread.drain(..2);
                    return Ok(());
                }
                Some(end) => drop(self.unread.drain(..end.saturating_add(2))),
                None if self.unread.len() > MAX_HEAD => return Err(Refusal::malformed("a trailer is too long")),
                None => self.fill_or_fail()?,
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
    /// read already; any other failure shows at the next step.
    fn release(&mut self) {
        let held = mem::take(&mut self.held);
        self.stream.read_exact([0; PIECE].get_mut(..held).unwrap_or_default()).ok();
    }

    fn fill_or_fail(&mut self) -> io::Result<()> {
        if self.fill()? == 0 { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
    }

    /// Writes an answer in one piece, with this much of its body.
    fn write(
        &mut self,
        method: &Method,
        response: &Response<Vec<u8>>,
        body: &[u8],
        date: Option<&str>,
        keep_alive: bool,
    ) -> io::Result<()> {
        self.release();
        let status = response.status();
        let mut bytes =
            format!("HTTP/1.1 {} {}\r\n", status.as_u16(), status.canonical_reason().unwrap_or_default()).into_bytes();
        for (name, value) in response.headers() {
            write_field(&mut bytes, name, value.as_bytes());
        }
        if let Some(date) = date {
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

    /// Reads on a little after the last answer. To close a socket with something unread in it resets the connection,
    /// and the client may lose the answer.
    fn linger(self) -> io::Result<()> {
        self.stream.shutdown(Shutdown::Write)?;
        self.stream.set_read_timeout(Some(LINGER_TIME))?;
        io::copy(&mut self.stream.take(LINGER_BYTES), &mut io::sink())?;
        Ok(())
    }
}

fn write_field(bytes: &mut Vec<u8>, name: &HeaderName, value: &[u8]) {
    bytes.extend_from_slice(name.as_str().as_bytes());
    bytes.extend_from_slice(b": ");
    bytes.extend_from_slice(value);
    bytes.extend_from_slice(b"\r\n");
}

/// A request without its body, and how many bytes of the stream that was.
struct Head {
    request: Request<Vec<u8>>,
    length: usize,
}

/// The head that `bytes` begins with; nothing while a part of it is missing.
fn parse_head(bytes: &[u8]) -> Result<Option<Head>, Refusal> {
    let mut fields = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut head = httparse::Request::new(&mut fields);
    let length = match head.parse(bytes) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(httparse::Error::TooManyHeaders) => {
            return Err(Refusal::new(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "there are too many headers"));
        }
        Err(httparse::Error::Version) => {
            return Err(Refusal::new(StatusCode::HTTP_VERSION_NOT_SUPPORTED, "this server speaks HTTP/1.1"));
        }
        Err(_) => return Err(Refusal::malformed("this is not an HTTP request")),
    };
    let mut request = Request::new(Vec::new());
    *request.method_mut() = Method::from_bytes(head.method.unwrap_or_default().as_bytes())
        .map_err(|_| Refusal::malformed("this is not a method"))?;
    *request.uri_mut() = Uri::try_from(head.path.unwrap_or_default())
        .map_err(|_| Refusal::malformed("the target of the request is malformed"))?;
    *request.version_mut() = if head.version == Some(0) { Version::HTTP_10 } else { Version::HTTP_11 };
    for field in head.headers.iter() {
        match (HeaderName::from_bytes(field.name.as_bytes()), HeaderValue::from_bytes(field.value)) {
            (Ok(name), Ok(value)) => drop(request.headers_mut().append(name, value)),
            _ => return Err(Refusal::malformed("a header is malformed")),
        }
    }
    Ok(Some(Head { request, length }))
}

/// How the end of a body is found.
enum Framing {
    Length(usize),
    Chunked,
}

impl Framing {
    fn of(headers: &HeaderMap) -> Result<Self, Refusal> {
        let mut lengths = headers.get_all(CONTENT_LENGTH).iter();
        match (headers.get(TRANSFER_ENCODING), lengths.next()) {
            (None, None) => Ok(Self::Length(0)),
            // What follows such a request could be read in two ways.
            (Some(_), Some(_)) => Err(Refusal::malformed("a length and a transfer encoding exclude each other")),
            (Some(encoding), None) if encoding.as_bytes().eq_ignore_ascii_case(b"chunked") => Ok(Self::Chunked),
            (Some(_), None) => {
                Err(Refusal::new(StatusCode::NOT_IMPLEMENTED, "the only transfer encoding is `chunked`"))
            }
            (None, Some(length)) => {
                let text = length.to_str().ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
                match text.map(str::parse::<usize>) {
                    _ if lengths.any(|other| other != length) => Err(Refusal::malformed("there are two lengths")),
                    None => Err(Refusal::malformed("the length is not a number")),
                    Some(Ok(length)) if length <= MAX_BODY => Ok(Self::Length(length)),
                    // All digits, so what does not parse is either nothing or a number too large.
                    Some(Err(_)) if length.is_empty() => Err(Refusal::malformed("the length is not a number")),
                    Some(_) => Err(too_large()),
                }
            }
        }
    }
}

fn too_large() -> Refusal {
    Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "the body is larger than 1 MiB")
}

fn wants_another(request: &Request<Vec<u8>>) -> bool {
    let options = request.headers().get_all(CONNECTION);
    let mut options = options.iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
    request.version() == Version::HTTP_11 && !options.any(|option| option.trim().eq_ignore_ascii_case("close"))
}
