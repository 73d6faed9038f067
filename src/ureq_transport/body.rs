//! The body of a request, watched, and the body of a response, kept.

use std::io::{self, Read};

use secrecy::zeroize::Zeroize;

use super::error;
use crate::transport::{BODY_LIMIT, ReusableBuffer, TransportError, TransportErrorKind};

/// ReusableBuffer for a body of unknown length, to begin with: 16 KiB.
const FIRST_ROOM: usize = 16_384;

/// The body of a request, which knows whether ureq has asked for it.
pub(super) struct BodyProbe<'a> {
    body: &'a [u8],
    pulled: bool,
}

impl<'a> BodyProbe<'a> {
    pub(super) fn new(body: &'a [u8]) -> Self {
        Self { body, pulled: false }
    }

    pub(super) fn pulled(&self) -> bool {
        self.pulled
    }
}

impl Read for BodyProbe<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.pulled = true;
        self.body.read(buffer)
    }
}

/// Reads the whole body. If that fails, the bytes so far are part of the error: a one-time secret may be in them.
pub(super) fn read(
    response: http::Response<ureq::Body>,
    ReusableBuffer(mut bytes): ReusableBuffer,
) -> Result<http::Response<Vec<u8>>, TransportError> {
    let (mut parts, mut body) = response.into_parts();
    // ureq's notes to itself.
    parts.extensions.clear();
    let length = body.content_length().and_then(|length| usize::try_from(length).ok());
    let needed = length.unwrap_or(FIRST_ROOM).min(BODY_LIMIT);
    if bytes.capacity() < needed {
        bytes = Vec::with_capacity(needed);
    }
    let outcome = read_into(&mut bytes, &mut body.as_reader());
    let response = http::Response::from_parts(parts, bytes);
    match outcome {
        Ok(true) => Ok(response),
        Ok(false) => {
            let error = TransportError::new(TransportErrorKind::TooLarge, "the body has more than 1 MiB");
            Err(error.with_partial_response(response))
        }
        Err(error) => Err(error::to_transport_error(error.into()).with_partial_response(response)),
    }
}

/// Whether the whole body fitted. Fills `bytes` from its start, over what is in it, up to its capacity, and then makes more
/// room.
fn read_into(bytes: &mut Vec<u8>, body: &mut impl Read) -> io::Result<bool> {
    let fresh = bytes.is_empty();
    let mut filled = 0;
    let outcome = loop {
        bytes.resize(bytes.capacity().min(BODY_LIMIT), 0);
        let room = bytes.get_mut(filled..).unwrap_or_default();
        // With no room left, one more byte tells whether that was all.
        let mut next = [0];
        let full = room.is_empty();
        match body.read(if full { &mut next } else { room }) {
            Ok(0) => break Ok(true),
            Ok(_) if full && filled >= BODY_LIMIT => break Ok(false),
            Ok(amount) => {
                if full {
                    grow(bytes);
                    bytes.extend_from_slice(&next);
                }
                filled += amount;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => break Err(error),
        }
    };
    if outcome.is_err() && fresh {
        // ureq drops the count of the bytes that it decoded in the read that failed, but not the bytes. No text has zeros. A
        // response that may hold a secret is always read into fresh memory.
        filled = filled.max(bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1));
    }
    bytes.truncate(filled);
    outcome
}

/// Doubles the room. `Vec` would leave the old buffer, and the secret in it, to the allocator as it is.
fn grow(bytes: &mut Vec<u8>) {
    let mut larger = Vec::with_capacity(bytes.capacity().saturating_mul(2).clamp(FIRST_ROOM, BODY_LIMIT));
    larger.extend_from_slice(bytes);
    bytes.zeroize();
    *bytes = larger;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_of_any_length_is_read_whole() {
        for length in [0, 1, FIRST_ROOM - 1, FIRST_ROOM, FIRST_ROOM + 1, 3 * FIRST_ROOM, BODY_LIMIT - 1, BODY_LIMIT] {
            let sent: Vec<u8> = (0..length).map(|i| (i % 251) as u8).collect();
            for room in [0, length, FIRST_ROOM] {
                let mut bytes = Vec::with_capacity(room);
                assert!(read_into(&mut bytes, &mut sent.as_slice()).unwrap(), "{length} bytes into {room}");
                assert_eq!(bytes, sent);
            }
        }
    }

    #[test]
    fn what_a_buffer_held_before_is_in_no_answer() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::ErrorKind::ConnectionReset.into())
            }
        }
        let mut bytes = b"an older and longer answer".to_vec();
        assert!(read_into(&mut bytes, &mut b"an answer".as_slice()).unwrap());
        assert_eq!(bytes, b"an answer");
        assert!(read_into(&mut bytes, &mut b"half".chain(Broken)).is_err());
        assert_eq!(bytes, b"half");
    }

    #[test]
    fn a_body_beyond_the_limit_is_cut_there() {
        let sent = vec![b'x'; BODY_LIMIT + 1];
        let mut bytes = Vec::new();
        assert!(!read_into(&mut bytes, &mut sent.as_slice()).unwrap());
        assert_eq!(bytes.len(), BODY_LIMIT);
    }

    #[test]
    fn what_arrived_before_a_failure_is_kept() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::ErrorKind::ConnectionReset.into())
            }
        }
        let mut bytes = Vec::new();
        let error = read_into(&mut bytes, &mut b"half".chain(Broken)).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
        assert_eq!(bytes, b"half");
    }

    #[test]
    fn a_read_that_a_signal_interrupts_is_made_again() {
        struct Interrupted(u8);
        impl Read for Interrupted {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                self.0 += 1;
                match self.0 {
                    1 | 3 => Err(io::ErrorKind::Interrupted.into()),
                    2 => {
                        buffer[..5].copy_from_slice(b"whole");
                        Ok(5)
                    }
                    _ => Ok(0),
                }
            }
        }
        let mut bytes = Vec::with_capacity(16);
        assert!(read_into(&mut bytes, &mut Interrupted(0)).unwrap());
        assert_eq!(bytes, b"whole");
    }

    #[test]
    fn what_a_failed_read_wrote_is_kept() {
        struct Hasty(bool);
        impl Read for Hasty {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                if std::mem::replace(&mut self.0, true) {
                    buffer[..3].copy_from_slice(b"lf\n");
                    return Err(io::ErrorKind::InvalidData.into());
                }
                buffer[..2].copy_from_slice(b"ha");
                Ok(2)
            }
        }
        let mut bytes = Vec::with_capacity(FIRST_ROOM);
        assert!(read_into(&mut bytes, &mut Hasty(false)).is_err());
        assert_eq!(bytes, b"half\n");
    }

    #[test]
    fn a_body_knows_whether_it_was_asked_for() {
        let mut body = BodyProbe::new(b"{}");
        assert!(!body.pulled());
        body.read_exact(&mut [0; 2]).unwrap();
        assert!(body.pulled());
    }
}
