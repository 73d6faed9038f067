//! Heads, and where bodies end. What two readers could take differently is refused (RFC 9112, section 11.2).

use std::net::IpAddr;

use ::http::header::{CONTENT_LENGTH, EXPECT, HOST, HeaderName, HeaderValue, TRANSFER_ENCODING};
use ::http::{HeaderMap, Method, Request, StatusCode, Uri, Version};

use super::limits::{Limits, MAX_HEAD, MAX_HEADERS};
use crate::emulator::api::problem::ProblemResponse;

/// A request without its body.
pub(super) struct Head {
    pub(super) request: Request<Vec<u8>>,
    /// The length of the head in bytes.
    pub(super) length: usize,
    pub(super) framing: Framing,
    /// Whether the client sends the body only after a `100 Continue`.
    pub(super) expects_continue: bool,
}

/// The rule by which a body ends.
pub(super) enum Framing {
    Length(usize),
    Chunked,
}

pub(super) fn malformed(detail: &str) -> ProblemResponse {
    ProblemResponse::bad_request(detail)
}

pub(super) fn too_large(max: usize) -> ProblemResponse {
    let detail = format!("the body is larger than {} MiB", max / (1024 * 1024));
    ProblemResponse::new(StatusCode::PAYLOAD_TOO_LARGE, detail)
}

fn head_too_large(detail: &str) -> ProblemResponse {
    ProblemResponse::new(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, detail)
}

/// The head that `bytes` begins with; nothing while a part of it is missing.
pub(super) fn parse_head(bytes: &[u8], is_loopback: bool, limits: Limits) -> Result<Option<Head>, ProblemResponse> {
    let mut fields = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut head = httparse::Request::new(&mut fields);
    let length = match head.parse(bytes) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) if bytes.len() <= MAX_HEAD => return Ok(None),
        Ok(httparse::Status::Partial) => return Err(head_too_large("the head is larger than 64 KiB")),
        Err(httparse::Error::TooManyHeaders) => return Err(head_too_large("there are more than 100 headers")),
        Err(httparse::Error::Version) => {
            let detail = "this server speaks HTTP/1.1";
            return Err(ProblemResponse::new(StatusCode::HTTP_VERSION_NOT_SUPPORTED, detail));
        }
        Err(_) => return Err(malformed("this is not an HTTP request")),
    };
    if length > MAX_HEAD {
        return Err(head_too_large("the head is larger than 64 KiB"));
    }
    if has_bare_newline(bytes.get(..length).unwrap_or_default()) {
        return Err(malformed("a line of the head ends without a carriage return"));
    }
    let mut request = Request::new(Vec::new());
    *request.method_mut() = Method::from_bytes(head.method.unwrap_or_default().as_bytes())
        .map_err(|_| malformed("this is not a method"))?;
    let target = head.path.filter(|target| !target.contains('#')).and_then(|target| Uri::try_from(target).ok());
    *request.uri_mut() = target.ok_or_else(|| malformed("the target of the request is malformed"))?;
    *request.version_mut() = if head.version == Some(0) { Version::HTTP_10 } else { Version::HTTP_11 };
    for field in head.headers.iter() {
        match (HeaderName::from_bytes(field.name.as_bytes()), HeaderValue::from_bytes(field.value)) {
            (Ok(name), Ok(value)) => drop(request.headers_mut().append(name, value)),
            _ => return Err(malformed("a header is malformed")),
        }
    }
    check_host(&request, is_loopback)?;
    let framing = Framing::of(request.headers(), request.version(), limits.body)?;
    let expects_continue = expects_continue(&request)?;
    Ok(Some(Head { request, length, framing, expects_continue }))
}

fn has_bare_newline(bytes: &[u8]) -> bool {
    bytes.first() == Some(&b'\n') || bytes.windows(2).any(|two| matches!(two, [before, b'\n'] if *before != b'\r'))
}

/// One host in HTTP/1.1. On loopback a foreign one is a page in a browser that was made to resolve its own name to this
/// machine (DNS rebinding).
fn check_host(request: &Request<Vec<u8>>, is_loopback: bool) -> Result<(), ProblemResponse> {
    let hosts: Vec<&HeaderValue> = request.headers().get_all(HOST).iter().collect();
    let host = match hosts.as_slice() {
        [] if request.version() == Version::HTTP_11 => return Err(malformed("there is no header `host`")),
        [] => None,
        [host] => Some(host.to_str().map_err(|_| malformed("the header `host` is malformed"))?),
        _ => return Err(malformed("there is more than one header `host`")),
    };
    let is_foreign = |host: &str| !is_own_name(host);
    if is_loopback && (host.is_some_and(is_foreign) || request.uri().host().is_some_and(is_foreign)) {
        let detail = "this emulator answers to `localhost` and to loopback addresses only";
        return Err(ProblemResponse::new(StatusCode::MISDIRECTED_REQUEST, detail));
    }
    Ok(())
}

/// Whether a host, with or without a port, is `localhost` or a loopback address.
fn is_own_name(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) && !name.ends_with(':') => name,
        _ => host,
    };
    let literal = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
    let is_loopback = literal.parse::<IpAddr>().is_ok_and(|ip| ip.to_canonical().is_loopback());
    is_loopback || name.strip_suffix('.').unwrap_or(name).eq_ignore_ascii_case("localhost")
}

/// RFC 9110, section 10.1.1: an unknown expectation cannot be fulfilled. HTTP/1.0 does not know the header.
fn expects_continue(request: &Request<Vec<u8>>) -> Result<bool, ProblemResponse> {
    let mut expectations = request.headers().get_all(EXPECT).iter();
    if request.version() != Version::HTTP_11 {
        return Ok(false);
    }
    match (expectations.next(), expectations.next()) {
        (None, _) => Ok(false),
        (Some(value), None) if value.as_bytes().eq_ignore_ascii_case(b"100-continue") => Ok(true),
        _ => {
            let detail = "the only expectation that the emulator supports is `100-continue`";
            Err(ProblemResponse::new(StatusCode::EXPECTATION_FAILED, detail))
        }
    }
}

impl Framing {
    fn of(headers: &HeaderMap, version: Version, max: usize) -> Result<Self, ProblemResponse> {
        let mut encodings = headers.get_all(TRANSFER_ENCODING).iter();
        let mut lengths = headers.get_all(CONTENT_LENGTH).iter();
        match (encodings.next(), lengths.next()) {
            (None, None) => Ok(Self::Length(0)),
            (Some(_), Some(_)) => Err(malformed("a length and a transfer encoding exclude each other")),
            (Some(_), None) if version != Version::HTTP_11 => Err(malformed("HTTP/1.0 has no transfer encodings")),
            (Some(_), None) if encodings.next().is_some() => {
                Err(malformed("there is more than one header `transfer-encoding`"))
            }
            (Some(encoding), None) if encoding.as_bytes().eq_ignore_ascii_case(b"chunked") => Ok(Self::Chunked),
            (Some(_), None) => {
                let detail = "the only transfer encoding is `chunked`";
                Err(ProblemResponse::new(StatusCode::NOT_IMPLEMENTED, detail))
            }
            (None, Some(length)) => {
                let text = length.to_str().ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
                match text.map(str::parse::<usize>) {
                    _ if lengths.any(|other| other != length) => Err(malformed("there are two lengths")),
                    None => Err(malformed("the length is not a number")),
                    Some(Ok(length)) if length <= max => Ok(Self::Length(length)),
                    // All digits, so what does not parse is either nothing or a number too large.
                    Some(Err(_)) if length.is_empty() => Err(malformed("the length is not a number")),
                    Some(_) => Err(too_large(max)),
                }
            }
        }
    }
}

/// Whether a line (without its end) is a field, as after the last chunk.
pub(super) fn is_field(line: &[u8]) -> bool {
    let fields = [line, b"\r\n\r\n"].concat();
    httparse::parse_headers(&fields, &mut [httparse::EMPTY_HEADER]).is_ok_and(|found| found.is_complete())
}

/// The size in the line that announces a chunk (without its end): hexadecimal digits, and perhaps an extension.
pub(super) fn chunk_size(line: &[u8], max: usize) -> Result<usize, ProblemResponse> {
    let text = std::str::from_utf8(line).map_err(|_| malformed("a chunk has no size"))?;
    let digits = text.split_once(';').map_or(text, |(digits, _)| digits.trim_end_matches([' ', '\t']));
    let is_size = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !is_size || text.contains(['\r', '\n']) {
        return Err(malformed("a chunk has no size"));
    }
    usize::from_str_radix(digits, 16).map_err(|_| too_large(max))
}
