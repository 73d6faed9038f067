//! The bytes of requests and responses, and their connections.

use std::error::Error;
use std::io::Write;
use std::sync::{Arc, Barrier};
use std::thread;

use arize_api_keys::http::{HeaderValue, Method, Request, Version};
use arize_api_keys::{Transport, TransportErrorKind, UreqTransport};

use super::server::{Server, fresh, get, ok, post, request, send};
use crate::support::http::read_request;

/// The requests that the server saw.
fn seen(request: Request<Vec<u8>>) -> String {
    String::from_utf8(send(request).unwrap().into_body()).unwrap()
}

#[test]
fn a_request_goes_out_as_it_is() {
    let server = Server::echoing();
    let host = server.address;
    for (sent, expected) in [
        (
            get(server.uri("/v2/api-keys?limit=5&x=a%2Fb")),
            format!("GET /v2/api-keys?limit=5&x=a%2Fb HTTP/1.1\r\nhost: {host}\r\n\r\n"),
        ),
        (
            post(server.uri("/v2/api-keys")),
            format!("POST /v2/api-keys HTTP/1.1\r\nhost: {host}\r\ncontent-length: 2\r\n\r\n{{}}"),
        ),
        (
            request(Method::POST, server.uri("/x"), ""),
            format!("POST /x HTTP/1.1\r\nhost: {host}\r\ncontent-length: 0\r\n\r\n"),
        ),
        (
            request(Method::PUT, server.uri("/x/revoke"), ""),
            format!("PUT /x/revoke HTTP/1.1\r\nhost: {host}\r\ncontent-length: 0\r\n\r\n"),
        ),
        (request(Method::DELETE, server.uri("/x"), ""), format!("DELETE /x HTTP/1.1\r\nhost: {host}\r\n\r\n")),
    ] {
        assert_eq!(seen(sent), expected);
    }
}

#[test]
fn no_header_is_added_or_doubled() {
    let server = Server::echoing();
    let mut sent = post(server.uri("/"));
    for (name, value) in [
        ("authorization", "Bearer ak-test"),
        ("accept", "application/json"),
        ("accept-encoding", "identity"),
        ("user-agent", "test/1"),
        ("content-type", "application/json"),
    ] {
        sent.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    // Wrong: the transport knows better.
    sent.headers_mut().insert("content-length", HeaderValue::from_static("7"));
    let mut lines: Vec<String> = seen(sent).lines().map(str::to_owned).collect();
    lines.sort();
    assert_eq!(
        lines,
        [
            "",
            "POST / HTTP/1.1",
            "accept-encoding: identity",
            "accept: application/json",
            "authorization: Bearer ak-test",
            "content-length: 2",
            "content-type: application/json",
            &format!("host: {}", server.address),
            "user-agent: test/1",
            "{}",
        ]
    );
}

#[test]
fn every_status_is_a_response() {
    for (status, body) in
        [("404 Not Found", "{\"title\":\"no\"}"), ("429 Slow", "wait"), ("500 Oops", ""), ("799 Odd", "x")]
    {
        let length = body.len();
        let server =
            Server::answering(format!("HTTP/1.1 {status}\r\nretry-after: 7\r\ncontent-length: {length}\r\n\r\n{body}"));
        let response = send(post(server.uri("/"))).unwrap();
        assert_eq!(response.status().as_str(), &status[..3]);
        assert_eq!(response.headers()["retry-after"], "7");
        assert_eq!(response.body(), body.as_bytes());
    }
}

#[test]
fn a_redirect_is_not_followed() {
    let elsewhere = Server::answering(ok(b"elsewhere"));
    for status in [301, 302, 303, 307, 308] {
        for location in [elsewhere.uri("/"), "/here".into(), "::".into()] {
            let server = Server::answering(format!(
                "HTTP/1.1 {status} Moved\r\nlocation: {location}\r\ncontent-length: 4\r\n\r\ngone"
            ));
            for sent in [get(server.uri("/")), post(server.uri("/"))] {
                let response = send(sent).unwrap();
                assert_eq!(response.status(), status);
                assert_eq!(response.body(), b"gone");
            }
        }
        let server = Server::answering(format!("HTTP/1.1 {status} Moved\r\ncontent-length: 0\r\n\r\n"));
        assert_eq!(send(get(server.uri("/"))).unwrap().status(), status);
    }
    assert_eq!(elsewhere.accepted(), 0);
}

#[test]
fn bodies_in_every_framing() {
    let large = "x".repeat(100_000);
    let mut chunked = String::from("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n");
    for _ in 0..100 {
        chunked += &format!("3e8\r\n{}\r\n", "x".repeat(1000));
    }
    chunked += "0\r\n\r\n";
    let until_closed = format!("HTTP/1.1 200 OK\r\n\r\n{large}");
    for answer in [ok(large.as_bytes()), chunked.into_bytes(), until_closed.into_bytes()] {
        let server = Server::answering_once(answer);
        assert!(send(get(server.uri("/"))).unwrap().into_body() == large.as_bytes());
    }
    let server = Server::answering("HTTP/1.1 204 No Content\r\n\r\n");
    assert_eq!(send(request(Method::DELETE, server.uri("/"), "")).unwrap().body(), b"");
}

#[test]
fn connections_are_kept_and_shared_with_clones() {
    let server = Server::echoing();
    let transport = UreqTransport::new();
    for _ in 0..5 {
        transport.send(get(server.uri("/"))).unwrap();
        transport.clone().send(post(server.uri("/"))).unwrap();
    }
    assert_eq!(server.accepted(), 1);
}

#[test]
fn an_error_status_keeps_the_connection() {
    let server = Server::answering("HTTP/1.1 404 No\r\ncontent-length: 2\r\n\r\nno");
    let transport = UreqTransport::new();
    for _ in 0..3 {
        assert_eq!(transport.send(get(server.uri("/"))).unwrap().status(), 404);
    }
    assert_eq!(server.accepted(), 1);
}

#[test]
fn a_fresh_connection_is_never_a_used_one() {
    let server = Server::echoing();
    let transport = UreqTransport::new();
    for _ in 0..3 {
        transport.send(fresh(post(server.uri("/")))).unwrap();
    }
    assert_eq!(server.accepted(), 3);
    // The last one serves any request.
    transport.send(get(server.uri("/"))).unwrap();
    assert_eq!(server.accepted(), 3);
}

#[test]
fn threads_open_as_many_connections_as_there_are_threads() {
    for threads in [16, 64, 70] {
        // No connection gets its first answer before all have been made.
        let together = Arc::new(Barrier::new(threads));
        let server = Server::start(move |mut connection| {
            read_request(&mut connection).unwrap();
            together.wait();
            connection.write_all(&ok(b"first")).unwrap();
            while read_request(&mut connection).is_some() {
                connection.write_all(&ok(b"next")).unwrap();
            }
        });
        let transport = UreqTransport::new();
        thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| {
                    for _ in 0..50 {
                        transport.send(get(server.uri("/"))).unwrap();
                    }
                });
            }
        });
        assert_eq!(server.accepted(), threads);
        // Fewer requests take none of their own, whichever thread sends them.
        for _ in 0..5 {
            thread::scope(|scope| scope.spawn(|| transport.send(get(server.uri("/"))).unwrap()).join().unwrap());
        }
        assert_eq!(server.accepted(), threads);
    }
}

/// Longer ones would not fit into the buffer that ureq writes them to, beside what is listed twice.
#[test]
fn the_longest_uri_and_the_longest_header() {
    let server = Server::echoing();
    let long = |length: usize| "x".repeat(length);
    let with_header = |length: usize| {
        let mut sent = post(server.uri("/"));
        sent.headers_mut().insert("x-long", HeaderValue::from_str(&long(length)).unwrap());
        sent
    };
    let with_path = |length: usize| get(server.uri(&format!("/{}", long(length - 1))));
    assert!(seen(with_header(16_384)).contains(&format!("\r\nx-long: {}\r\n", long(16_384))));
    assert!(seen(with_path(16_384)).starts_with(&format!("GET /{} HTTP/1.1\r\n", long(16_383))));
    for beyond in [with_header(16_385), with_path(16_385)] {
        let error = send(beyond).unwrap_err();
        assert_eq!((error.kind(), error.may_have_been_sent()), (TransportErrorKind::Configuration, false));
        assert_eq!(error.source().unwrap().to_string(), "the URI and each header of the request may have 16 KiB");
    }
}

/// ureq speaks HTTP/1.1 and 1.0. It says so before it asks for the body.
#[test]
fn a_body_that_is_never_asked_for_was_not_sent() {
    let server = Server::echoing();
    let mut sent = post(server.uri("/"));
    *sent.version_mut() = Version::HTTP_2;
    let error = send(sent).unwrap_err();
    assert_eq!((error.kind(), error.may_have_been_sent()), (TransportErrorKind::Protocol, false));
}

#[test]
fn the_debug_output_of_a_transport() {
    assert_eq!(format!("{:?}", UreqTransport::new()), "UreqTransport { proxy: false, .. }");
    let builder = UreqTransport::builder().proxy("http://user:hidden@proxy.example");
    assert_eq!(
        format!("{builder:?}"),
        "UreqTransportBuilder { tls: None, roots: None, ca_file: None, danger_accept_invalid_certs: false, \
         proxy: Some(SecretBox<str>([REDACTED])) }"
    );
    assert_eq!(format!("{:?}", builder.build().unwrap()), "UreqTransport { proxy: true, .. }");
}

/// In one header, and in many.
#[test]
fn the_longest_head_of_a_response() {
    let answer = |length: usize, headers: usize| {
        let header = format!("x: {}\r\n", "y".repeat(length / headers));
        let head = format!("HTTP/1.1 200 OK\r\n{}content-length: 2\r\n\r\n", header.repeat(headers));
        send(get(Server::answering(head + "ok").uri("/")))
    };
    for headers in [1, 100] {
        assert_eq!(answer(23 * 1024, headers).unwrap().body(), b"ok");
        let error = answer(25 * 1024, headers).unwrap_err();
        assert_eq!((error.kind(), error.may_have_been_sent()), (TransportErrorKind::TooLarge, true));
    }
}
