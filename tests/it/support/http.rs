//! Requests, read byte by byte.

use std::io::Read;

/// An address that nothing listens on: one that no server of another test can be given.
pub(crate) const CLOSED: &str = "127.0.0.1:1";

/// The bytes of one request, head and body; `None` once the client has closed the connection.
pub(crate) fn read_request(connection: &mut impl Read) -> Option<Vec<u8>> {
    let head = read_head(connection)?;
    let mut body = vec![0; content_length(&head)];
    connection.read_exact(&mut body).ok()?;
    Some([head, body].concat())
}

pub(crate) fn read_head(connection: &mut impl Read) -> Option<Vec<u8>> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        connection.read_exact(&mut byte).ok()?;
        head.push(byte[0]);
    }
    Some(head)
}

/// The framing of the body by the head of the request.
pub(crate) fn content_length(head: &[u8]) -> usize {
    let text = String::from_utf8_lossy(head);
    text.lines().find_map(|line| line.strip_prefix("content-length: ")).map_or(0, |length| length.parse().unwrap())
}
