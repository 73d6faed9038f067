//! Compressed bodies. The client asks for none, but a gateway may compress a response all the same, and a one-time secret may
//! be in it.

use http::HeaderMap;
use http::header::CONTENT_ENCODING;
use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::inflate_flags::{
    TINFL_FLAG_PARSE_ZLIB_HEADER, TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF,
};
use miniz_oxide::inflate::core::{DecompressorOxide, decompress};
use secrecy::zeroize::{Zeroize, Zeroizing};

use crate::transport::BODY_LIMIT;

/// The result of decoding a compressed body.
pub(super) struct Decoded {
    pub(super) bytes: Zeroizing<Vec<u8>>,
    /// False if the body ends early, or decodes to more than [`BODY_LIMIT`].
    pub(super) is_whole: bool,
}

/// Decodes a body in gzip or deflate. `None` if it has another encoding or none, or if it is corrupt.
pub(super) fn decode(headers: &HeaderMap, body: &[u8]) -> Option<Decoded> {
    let codings = headers.get_all(CONTENT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    let mut codings = codings.flat_map(|value| value.split(',')).map(str::trim).filter(|coding| !coding.is_empty());
    let coding = codings.next()?.to_ascii_lowercase();
    if codings.next().is_some() {
        return None;
    }
    let mut output = Output { bytes: vec![0; BODY_LIMIT], length: 0, touched: 0 };
    let end = match coding.as_str() {
        "gzip" | "x-gzip" => gunzip(body, &mut output),
        "deflate" => match output.inflate(body, TINFL_FLAG_PARSE_ZLIB_HEADER) {
            // Some servers leave out the frame of zlib. Without it, text in no encoding may look like the start of a stream.
            End::Corrupt => match output.inflate(body, 0) {
                End::Whole(read) if read == body.len() => End::Whole(read),
                _ => End::Corrupt,
            },
            end => end,
        },
        _ => return None,
    };
    // An exact copy: the buffer is wiped, and is too large to keep.
    let bytes = || Zeroizing::new(output.bytes.get(..output.length).unwrap_or_default().to_vec());
    match end {
        End::Whole(_) => Some(Decoded { bytes: bytes(), is_whole: true }),
        End::Early => Some(Decoded { bytes: bytes(), is_whole: false }),
        End::Corrupt => None,
    }
}

enum End {
    /// After so many bytes of the input.
    Whole(usize),
    /// The input or the room for the output ended.
    Early,
    Corrupt,
}

struct Output {
    bytes: Vec<u8>,
    length: usize,
    /// So many bytes were written, some of them perhaps in vain.
    touched: usize,
}

impl Drop for Output {
    fn drop(&mut self) {
        self.bytes.get_mut(..self.touched).unwrap_or_default().zeroize();
    }
}

impl Output {
    /// Appends what one stream of deflate decodes to.
    fn inflate(&mut self, input: &[u8], format: u32) -> End {
        let room = self.bytes.get_mut(self.length..).unwrap_or_default();
        let flags = format | TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF;
        let (status, read, written) = decompress(&mut DecompressorOxide::new(), input, room, 0, flags);
        self.touched = self.touched.max(self.length + written);
        match status {
            TINFLStatus::Done => {
                self.length += written;
                End::Whole(read)
            }
            TINFLStatus::FailedCannotMakeProgress | TINFLStatus::HasMoreOutput => {
                self.length += written;
                End::Early
            }
            _ => End::Corrupt,
        }
    }
}

/// Decodes the members of a gzip file (RFC 1952). Bytes after the last one are ignored, as by gzip itself.
fn gunzip(mut input: &[u8], output: &mut Output) -> End {
    let mut end = End::Corrupt;
    while input.starts_with(&[0x1f, 0x8b]) {
        let start = output.length;
        let Some(data) = skip_header(input) else { return End::Early };
        let read = match output.inflate(data, 0) {
            End::Whole(read) => read,
            end => return end,
        };
        let Some((trailer, rest)) = data.get(read..).and_then(<[u8]>::split_first_chunk::<8>) else {
            return End::Early;
        };
        let content = output.bytes.get(start..output.length).unwrap_or_default();
        let [a, b, c, d, ..] = *trailer;
        if u32::from_le_bytes([a, b, c, d]) != crc32(content) {
            return End::Corrupt;
        }
        input = rest;
        end = End::Whole(0);
    }
    end
}

/// The data after the header of a member; `None` if the header ends early.
fn skip_header(member: &[u8]) -> Option<&[u8]> {
    const CRC: u8 = 2;
    const EXTRA: u8 = 4;
    const NAME: u8 = 8;
    const COMMENT: u8 = 16;
    let flags = member.get(3)?;
    let mut rest = member.get(10..)?;
    if flags & EXTRA != 0 {
        let (length, after) = rest.split_first_chunk::<2>()?;
        rest = after.get(usize::from(u16::from_le_bytes(*length))..)?;
    }
    for text in [NAME, COMMENT] {
        if flags & text != 0 {
            let end = rest.iter().position(|byte| *byte == 0)?;
            rest = rest.get(end + 1..)?;
        }
    }
    if flags & CRC != 0 {
        rest = rest.get(2..)?;
    }
    Some(rest)
}

/// The checksum of gzip (RFC 1952, section 8). Bit by bit: such a body is rare and small.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg()))
    })
}
