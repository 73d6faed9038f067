//! The head of a response that may bring a one-time secret. ureq refuses more than 128 headers, long ones and malformed lines,
//! and the body is lost with them.

use std::fmt;

use secrecy::zeroize::Zeroizing;
use ureq::Error;
use ureq::unversioned::transport::{Buffers, NextTimeout, Transport};

/// The most bytes before a body, interim responses among them.
const LIMIT: usize = 256 * 1024;

/// The headers that say where the body ends.
const FRAMING: [&[u8]; 2] = [b"content-length", b"transfer-encoding"];

/// The other headers that the client uses.
const USED: [&[u8]; 6] =
    [b"connection", b"content-encoding", b"content-type", b"date", b"retry-after", b"x-request-id"];

/// The most lines of those that are passed on, and the bytes of each.
const MAX_LINES: usize = 64;
const MAX_LINE: usize = 256;

/// A connection that passes on of the first head only what the client uses. Everything after it passes unchanged.
pub(super) struct HeadFilter<T> {
    connection: T,
    state: HeadState,
}

enum HeadState {
    Head {
        /// The part of the head that has arrived, and at last perhaps the start of the body.
        bytes: Zeroizing<Vec<u8>>,
        /// The length of the interim responses before it.
        skipped: usize,
    },
    /// What ureq's buffer has no room for yet.
    Pending(Zeroizing<Vec<u8>>),
    Passing,
}

impl<T: Transport> HeadFilter<T> {
    /// `filters`: whether the first response may bring a secret.
    pub(super) fn new(connection: T, filters: bool) -> Self {
        let state =
            if filters { HeadState::Head { bytes: Zeroizing::default(), skipped: 0 } } else { HeadState::Passing };
        Self { connection, state }
    }

    /// Moves as much as there is room for into ureq's buffer.
    fn pass_on(&mut self) -> bool {
        let HeadState::Pending(pending) = &mut self.state else { return true };
        let buffers = self.connection.buffers();
        let moved = pending.len().min(buffers.input_append_buf().len());
        for (to, from) in buffers.input_append_buf().iter_mut().zip(pending.drain(..moved)) {
            *to = from;
        }
        buffers.input_appended(moved);
        if pending.is_empty() {
            self.state = HeadState::Passing;
        }
        moved > 0
    }
}

impl<T: Transport> Transport for HeadFilter<T> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.connection.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        // Bytes before the request are no response to it; ureq treats them as without this filter.
        if !self.connection.buffers().input().is_empty() {
            self.state = HeadState::Passing;
        }
        self.connection.transmit_output(amount, timeout)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        match &mut self.state {
            HeadState::Passing => return self.connection.await_input(timeout),
            HeadState::Pending(_) => return Ok(self.pass_on()),
            HeadState::Head { bytes, skipped } => {
                let is_open = self.connection.await_input(timeout)?;
                let buffers = self.connection.buffers();
                let arrived = buffers.input().len();
                bytes.extend_from_slice(buffers.input());
                buffers.input_consume(arrived);
                match read(bytes, skipped, arrived) {
                    Progress::Incomplete if is_open => return Ok(true),
                    Progress::TooLong => return Err(Error::LargeResponseHeader(LIMIT + 1, LIMIT)),
                    Progress::Complete(filtered) => self.state = HeadState::Pending(filtered),
                    // ureq reports its defect.
                    Progress::Incomplete | Progress::NotHttp => {
                        self.state = HeadState::Pending(std::mem::take(bytes));
                    }
                }
            }
        }
        Ok(self.pass_on())
    }

    fn is_open(&mut self) -> bool {
        // Bytes that follow a response belong to no other one.
        matches!(self.state, HeadState::Passing) && self.connection.is_open()
    }

    fn is_tls(&self) -> bool {
        self.connection.is_tls()
    }
}

impl<T> fmt::Debug for HeadFilter<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HeadFilter")
    }
}

enum Progress {
    Incomplete,
    /// The filtered head and the bytes after it.
    Complete(Zeroizing<Vec<u8>>),
    TooLong,
    NotHttp,
}

/// Looks for the end of the head, and drops interim responses. The last `arrived` bytes are new.
fn read(bytes: &mut Vec<u8>, skipped: &mut usize, mut arrived: usize) -> Progress {
    loop {
        let blank = bytes.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        bytes.drain(..blank);
        *skipped += blank;
        if !bytes.starts_with(b"HTTP/1.") && !b"HTTP/1.".starts_with(bytes) {
            return Progress::NotHttp;
        }
        let end = head_end(bytes, bytes.len().saturating_sub(arrived));
        if *skipped + end.unwrap_or(bytes.len()) > LIMIT {
            return Progress::TooLong;
        }
        let Some(end) = end else { return Progress::Incomplete };
        let (head, rest) = bytes.split_at(end);
        if !is_interim(head) {
            let mut filtered =
                Zeroizing::new(Vec::with_capacity(head.len().min(MAX_LINES * MAX_LINE) + 32 + rest.len()));
            filter(head, &mut filtered);
            filtered.extend_from_slice(rest);
            return Progress::Complete(filtered);
        }
        bytes.drain(..end);
        *skipped += end;
        arrived = bytes.len();
    }
}

/// The position after the blank line, which does not end before `from`.
fn head_end(bytes: &[u8], from: usize) -> Option<usize> {
    let start = from.saturating_sub(3);
    let tail = bytes.get(start..).unwrap_or_default();
    tail.iter().enumerate().filter(|(_, byte)| **byte == b'\n').find_map(|(at, _)| {
        let after = tail.get(at + 1..).unwrap_or_default();
        let blank = if after.starts_with(b"\r\n") { 2 } else { usize::from(after.starts_with(b"\n")) };
        (blank > 0).then_some(start + at + 1 + blank)
    })
}

/// Whether another head follows: any 1xx but 101, which is final.
fn is_interim(head: &[u8]) -> bool {
    let status = head.get(8..12).unwrap_or_default();
    status.starts_with(b" 1") && status != b" 101" && !head.get(12).is_some_and(u8::is_ascii_digit)
}

/// Writes the status line and the headers that the client uses. After a malformed line, the connection is not used again: where
/// the body ends may be in doubt.
fn filter(head: &[u8], filtered: &mut Vec<u8>) {
    let mut lines = head.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let status = lines.next().unwrap_or_default();
    filtered.extend_from_slice(status.get(..MAX_LINE).unwrap_or(status));
    let (headers, mut is_malformed) = parse(lines);
    let mut written = Vec::new();
    for header in &headers {
        let (name, value) = header;
        let is_framing = FRAMING.contains(&&**name);
        let fits = is_framing || written.len() < MAX_LINES && name.len() + value.len() < MAX_LINE;
        let is_used = is_framing || USED.contains(&&**name);
        if !is_used || !fits || written.contains(&header) {
            continue;
        }
        if value.iter().any(|byte| byte.is_ascii_control() && *byte != b'\t') {
            is_malformed = true;
            continue;
        }
        written.push(header);
        filtered.extend([b"\r\n", &**name, b": ", value].concat());
    }
    if is_malformed {
        filtered.extend_from_slice(b"\r\nconnection: close");
    }
    filtered.extend_from_slice(b"\r\n\r\n");
}

type Header = (Vec<u8>, Vec<u8>);

/// The headers, names in lower case, and whether a line is malformed. A folded line continues the one before it (RFC 9112,
/// section 5.2).
fn parse<'a>(lines: impl Iterator<Item = &'a [u8]>) -> (Vec<Header>, bool) {
    let mut headers: Vec<Header> = Vec::new();
    let mut is_malformed = false;
    for line in lines.filter(|line| !line.is_empty()) {
        let is_folded = line.starts_with(b" ") || line.starts_with(b"\t");
        let mut parts = line.splitn(2, |byte| *byte == b':');
        match (parts.next(), parts.next(), headers.last_mut()) {
            (Some(name), Some(value), _) if !is_folded => {
                is_malformed |= name.trim_ascii_end() != name;
                headers.push((name.trim_ascii_end().to_ascii_lowercase(), value.trim_ascii().to_vec()));
            }
            (_, _, Some((_, value))) if is_folded => {
                is_malformed = true;
                value.push(b' ');
                value.extend_from_slice(line.trim_ascii());
            }
            // Neither it nor its continuation belongs to the header before it.
            _ => {
                is_malformed = true;
                headers.push(Header::default());
            }
        }
    }
    (headers, is_malformed)
}
