//! Broken connections and responses, and the certainty about the request.

use std::error::Error as StdError;
use std::io::{Read, Write};
use std::net::Shutdown;
use std::time::Duration;

use arize_api_keys::http::Method;
use arize_api_keys::{SendOptions, Transport, UreqTransport};

use super::server::{Server, assert_stalls, fault, get, post, request, send};
use crate::support::http::{CLOSED, read_request};

#[test]
fn refused() {
    let uri = format!("http://{CLOSED}/");
    for sent in [get(&uri), post(&uri), request(Method::PUT, &uri, ""), request(Method::DELETE, &uri, "")] {
        assert_eq!(fault(send(sent)), "Connect, not sent");
    }
}

#[test]
fn a_name_that_does_not_exist() {
    for sent in [get("http://nope.invalid/"), post("https://nope.invalid/")] {
        // A name server that hangs makes it a matter of time.
        let fault = fault(send(sent));
        assert!(matches!(fault.as_str(), "Resolve, not sent" | "Timeout, not sent"), "{fault}");
    }
}

#[test]
fn closed_before_the_answer() {
    // Reset: closing with bytes unread.
    let reset = Server::start(|mut connection| connection.read_exact(&mut [0]).unwrap());
    let closed = Server::start(|mut connection| {
        connection.shutdown(Shutdown::Write).unwrap();
        let _ = connection.read_to_end(&mut Vec::new());
    });
    let closed_later = Server::start(|mut connection| {
        read_request(&mut connection).unwrap();
    });
    for server in [reset, closed, closed_later] {
        assert_eq!(fault(send(get(server.uri("/")))), "Interrupted, perhaps sent");
        assert_eq!(fault(send(post(server.uri("/")))), "Interrupted, perhaps sent");
    }
}

#[test]
fn no_answer() {
    let server = Server::silent();
    let transport = UreqTransport::new();
    assert_stalls(&transport, &get(server.uri("/")), "Timeout, perhaps sent");
    assert_stalls(&transport, &post(server.uri("/")), "Timeout, perhaps sent");
}

#[test]
fn a_head_that_breaks_off() {
    for head in ["HTTP/1.1 20", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\ncontent-le"] {
        let server = Server::answering_once(head);
        assert_eq!(fault(send(get(server.uri("/")))), "Interrupted, perhaps sent");
    }
}

#[test]
fn what_is_not_http() {
    for answer in
        ["<html>\r\n\r\n", "HTTP/2 200\r\n\r\n", "HTTP/1.1 abc\r\n\r\n", "\0\0\0\r\n\r\n", "SSH-2.0-x\r\n\r\n"]
    {
        let server = Server::answering_once(answer);
        assert_eq!(fault(send(post(server.uri("/")))), "Protocol, perhaps sent", "{answer:?}");
    }
    let lengths = "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nxx";
    assert_eq!(fault(send(get(Server::answering_once(lengths).uri("/")))), "Protocol, perhaps sent");
    let headers = format!("HTTP/1.1 200 OK\r\n{}\r\n", "x: y\r\n".repeat(129));
    assert_eq!(fault(send(get(Server::answering_once(headers).uri("/")))), "Protocol, perhaps sent");
}

#[test]
fn a_head_without_end() {
    let head = "HTTP/1.1 200 OK\r\nx: y\r\n";
    for (start, line, expected) in [
        (head, "x".repeat(10_000), "TooLarge, perhaps sent"),
        (head, format!("x: {}\r\n", "y".repeat(1000)), "TooLarge, perhaps sent"),
        (head, "x: y\r\n".repeat(20), "Protocol, perhaps sent"),
        ("", "HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n".repeat(50), "TooLarge, perhaps sent"),
    ] {
        let server = Server::start(move |mut connection| {
            read_request(&mut connection).unwrap();
            let mut going = connection.write_all(start.as_bytes()).is_ok();
            while going {
                going = connection.write_all(line.as_bytes()).is_ok();
            }
        });
        assert_eq!(fault(send(get(server.uri("/")))), expected);
    }
}

#[test]
fn a_body_that_breaks_off_is_handed_over() {
    for (answer, expected) in [
        (
            "HTTP/1.1 201 Created\r\ncontent-length: 100\r\n\r\n{\"key\":\"ak-",
            "Interrupted, perhaps sent, 201, 11 bytes",
        ),
        (
            "HTTP/1.1 201 Created\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n5\r\nwo",
            "Interrupted, perhaps sent, 201, 7 bytes",
        ),
        (
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\nxyz\r\n",
            "Protocol, perhaps sent, 200, 5 bytes",
        ),
    ] {
        let server = Server::answering_once(answer);
        assert_eq!(fault(send(post(server.uri("/")))), expected);
    }
}

#[test]
fn a_body_that_stalls_is_handed_over() {
    let server = Server::start(|mut connection| {
        read_request(&mut connection).unwrap();
        connection.write_all(b"HTTP/1.1 201 Created\r\ncontent-length: 100\r\n\r\nhello").unwrap();
        let _ = connection.read_to_end(&mut Vec::new());
    });
    let transport = UreqTransport::new();
    assert_stalls(&transport, &post(server.uri("/")), "Timeout, perhaps sent, 201, 5 bytes");
}

#[test]
fn a_body_beyond_the_limit_is_cut() {
    let body = vec![b'x'; 2 * 1024 * 1024];
    let declared = [b"HTTP/1.1 200 OK\r\ncontent-length: 5000000000\r\n\r\n".as_slice(), &body].concat();
    let until_closed = [b"HTTP/1.1 200 OK\r\n\r\n".as_slice(), &body].concat();
    for answer in [declared, until_closed] {
        let server = Server::answering_once(answer);
        assert_eq!(fault(send(get(server.uri("/")))), "TooLarge, perhaps sent, 200, 1048576 bytes");
    }
}

#[test]
fn a_request_that_cannot_be_written_is_not() {
    let server = Server::echoing();
    let long = server.uri(&format!("/{}", "x".repeat(17_000)));
    for sent in [get(&long), get("/no-host"), get("ftp://host.example/")] {
        assert_eq!(fault(send(sent)), "Configuration, not sent");
    }
    let mut wide = get(server.uri("/"));
    wide.headers_mut().insert("x-wide", "x".repeat(17_000).parse().unwrap());
    assert_eq!(fault(send(wide)), "Configuration, not sent");
    assert_eq!(server.accepted(), 0);
    // Far more than fits into the buffer, but not in one line.
    let mut many = get(server.uri("/"));
    for n in 0..6 {
        many.headers_mut().insert(["a", "b", "c", "d", "e", "f"][n], "x".repeat(10_000).parse().unwrap());
    }
    assert_eq!(send(many).unwrap().status(), 200);
}

#[test]
fn a_transport_outlives_its_faults() {
    let server = Server::echoing();
    let broken = Server::answering_once("garbage\r\n\r\n");
    let transport = UreqTransport::new();
    for _ in 0..3 {
        assert!(transport.send(get(broken.uri("/"))).is_err());
        assert!(transport.send(get(server.uri("/"))).is_ok());
    }
    assert_eq!(server.accepted(), 1);
}

#[test]
fn an_error_repeats_nothing_of_the_request_or_the_response() {
    let dead = CLOSED.parse().unwrap();
    let garbage = Server::answering_once("planted garbage\r\n\r\n");
    let half = Server::answering_once("HTTP/1.1 200 OK\r\nx-planted: planted\r\ncontent-length: 100\r\n\r\nplanted");
    let silent = Server::silent();
    for origin in [dead, garbage.address, half.address, silent.address] {
        for scheme in ["http", "https", "planted"] {
            let uri = format!("{scheme}://planted:planted@{origin}/planted?name=planted");
            let mut sent = request(Method::POST, uri, "planted");
            sent.headers_mut().insert("authorization", "Bearer planted".parse().unwrap());
            sent.extensions_mut().insert(SendOptions::new(Duration::from_millis(200)));
            let error = send(sent).unwrap_err();
            let mut shown = format!("{error:?} {error}");
            let mut source = error.source();
            while let Some(cause) = source {
                shown += &format!(" {cause:?} {cause}");
                source = cause.source();
            }
            assert!(!shown.contains("planted"), "{shown}");
        }
    }
}
