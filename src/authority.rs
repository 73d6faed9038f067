//! Host and port, as URLs and users write them.

use std::net::{IpAddr, Ipv6Addr};

/// A port in digits. `parse` alone would accept `+80`.
pub(crate) fn parse_port(text: &str) -> Option<u16> {
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok())?
}

/// Splits `host[:port]`. The host comes out in lower case, an IPv6 address in brackets.
pub(crate) fn split_port(authority: &str) -> Result<(String, Option<u16>), &'static str> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (address, port) = rest.split_once(']').ok_or("has a bracket that is not closed")?;
            let address: Ipv6Addr = address.parse().map_err(|_| "has brackets around what is not an IPv6 address")?;
            (format!("[{address}]"), port)
        }
        None => {
            let (host, port) = authority.split_at(authority.find(':').unwrap_or(authority.len()));
            if port.matches(':').count() > 1 {
                return Err("has several colons: an IPv6 address goes in brackets");
            }
            if !is_host_name(host) {
                return Err("is not a host name");
            }
            (host.to_ascii_lowercase(), port)
        }
    };
    let port = match port.strip_prefix(':') {
        Some(port) => Some(parse_port(port).filter(|port| *port != 0).ok_or("has a port that is not from 1 to 65535")?),
        None if port.is_empty() => None,
        None => return Err("is not a host name"),
    };
    Ok((host, port))
}

fn is_host_name(host: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len()) && label.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
    };
    host.len() <= 253 && host.split('.').all(is_label)
}

/// Whether the host of a URI is this machine: `localhost`, 127.0.0.0/8 or `::1`, with or without the dot of an absolute
/// name. Not `*.localhost`: not every resolver knows that these names are reserved.
pub(crate) fn is_loopback(host: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host);
    match without_brackets(host).parse::<IpAddr>() {
        Ok(address) => address.to_canonical().is_loopback(),
        Err(_) => host.eq_ignore_ascii_case("localhost"),
    }
}

/// The host of a URI, an IPv6 address without its brackets.
pub(crate) fn without_brackets(host: &str) -> &str {
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
}
