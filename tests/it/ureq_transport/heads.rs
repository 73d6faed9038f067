//! The head of a response on a fresh connection, which may bring a one-time secret.

use std::io::Write;
use std::time::Duration;

use arize_api_keys::http::Response;
use arize_api_keys::{Transport, TransportError, UreqTransport};

use super::server::{Server, assert_stalls, fault, fresh, get, ok, post, send};
use crate::support::http::read_request;

/// Answers requests with these bytes, in pieces of this length.
fn in_pieces(answer: impl Into<Vec<u8>>, length: usize) -> Server {
    let answer = answer.into();
    Server::start(move |mut connection| {
        connection.set_nodelay(true).unwrap();
        while read_request(&mut connection).is_some() {
            for piece in answer.chunks(length) {
                if connection.write_all(piece).is_err() {
                    return;
                }
            }
        }
    })
}

fn mint(server: &Server) -> Result<Response<Vec<u8>>, TransportError> {
    send(fresh(post(server.uri("/"))))
}

fn head(lines: &str) -> String {
    format!("HTTP/1.1 201 Created\r\n{lines}content-length: 4\r\n\r\nbody")
}

#[track_caller]
fn assert_body(answer: impl Into<Vec<u8>>) -> Response<Vec<u8>> {
    let answer = answer.into();
    let mut last = None;
    for length in [1, 7, answer.len()] {
        // Byte by byte, a long head takes too long.
        if answer.len() / length > 5_000 {
            continue;
        }
        let response = mint(&in_pieces(answer.clone(), length)).unwrap();
        assert_eq!((response.status().as_u16(), response.body().as_slice()), (201, b"body".as_slice()));
        last = Some(response);
    }
    last.unwrap()
}

#[test]
fn malformed_lines_are_skipped() {
    for lines in [
        "x-a : v\r\n",
        "x-a\t: v\r\n",
        "no colon\r\n",
        ": no name\r\n",
        ":\r\n",
        "x: a\r\n folded\r\n\tand again\r\n",
        " folded first\r\n",
        "no colon\r\n folded\r\n",
        "x: nul \0\r\n",
        "x\0: y\r\n",
        "b\u{e4}d name: v\r\n",
        "x: bare \r return\r\n",
        "x: y\nz: bare newline\n",
        "(x): y\r\n",
        "retry-after: \u{7f}\r\n",
        "content-type: application/json;\r\n charset=utf-8\r\n",
    ] {
        println!("{}", lines.escape_default());
        assert_body(head(lines));
    }
    // Also between and after the lines that count, in any case.
    let mixed = "HTTP/1.1 201 Created\r\nbad\r\nCONTENT-Length : 4\r\nX-Request-Id: r-1\r\nbad\r\n\r\nbody";
    let response = assert_body(mixed);
    assert_eq!(response.headers()["x-request-id"], "r-1");
}

#[test]
fn many_and_long_headers_are_skipped() {
    let many = |line: &str, count: usize| (0..count).map(|n| line.replace('#', &n.to_string())).collect::<String>();
    for lines in [
        many("x-#: y\r\n", 200),
        many("x: y\r\n", 2_000),
        many("set-cookie: a#=b; path=/\r\n", 1_000),
        many("retry-after: #\r\n", 500),
        many("x-request-id: #\r\n", 500),
        many("connection: keep-alive\r\n", 200),
        format!("x: {}\r\n", "y".repeat(30_000)),
        format!("{}: y\r\n", "x".repeat(30_000)),
        format!("x-request-id: {}\r\n", "y".repeat(30_000)),
        format!("content-type: {}\r\n", "y".repeat(30_000)),
        format!("x: {}\r\n", "y".repeat(255_000)),
        // The head ends just before, at and behind the end of a buffer.
        format!("x: {}\r\n", "y".repeat(32 * 1024 - 57)),
        format!("x: {}\r\n", "y".repeat(32 * 1024 - 53)),
        format!("x: {}\r\n", "y".repeat(32 * 1024 - 49)),
    ] {
        assert_body(head(&lines));
    }
    let reason = format!("HTTP/1.1 201 {}\r\ncontent-length: 4\r\n\r\nbody", "reason".repeat(5_000));
    assert_body(reason);
}

#[test]
fn what_the_client_uses_is_kept() {
    let lines = "Date: Sun, 01 Mar 2026 12:00:00 GMT\r\nx-other: z\r\nRetry-After: 2\r\nretry-after: 7\r\n\
                 X-Request-ID: r-1\r\ncontent-type: application/json\r\ncontent-encoding: gzip\r\n";
    let response = assert_body(head(lines));
    let mut kept: Vec<String> =
        response.headers().iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect();
    kept.sort();
    assert_eq!(
        kept,
        [
            "content-encoding: gzip",
            "content-length: 4",
            "content-type: application/json",
            "date: Sun, 01 Mar 2026 12:00:00 GMT",
            "retry-after: 2",
            "retry-after: 7",
            "x-request-id: r-1",
        ]
    );
}

#[test]
fn bodies_in_every_framing() {
    let long = format!("x: {}\r\nbad line\r\n", "y".repeat(40_000));
    let text = "z".repeat(200_000);
    let chunk = "z".repeat(1000);
    let chunks = format!("3e8\r\n{chunk}\r\n").repeat(200) + "0\r\nx-trailer: t\r\n\r\n";
    for answer in [
        format!("HTTP/1.1 201 Created\r\n{long}content-length: {}\r\n\r\n{text}", text.len()),
        format!("HTTP/1.1 201 Created\r\n{long}transfer-encoding: chunked\r\n\r\n{chunks}"),
        format!("HTTP/1.1 201 Created\r\ntransfer-encoding:\r\n chunked\r\n{long}\r\n{chunks}"),
        format!("HTTP/1.1 201 Created\r\n{long}\r\n{text}"),
        format!("HTTP/1.0 201 Created\r\n{long}\r\n{text}"),
    ] {
        let server = Server::answering_once(answer);
        assert!(mint(&server).unwrap().body() == text.as_bytes());
    }
}

#[test]
fn interim_responses_are_skipped() {
    for interim in [
        "HTTP/1.1 100 Continue\r\n\r\n",
        "HTTP/1.1 103 Early Hints\r\nlink: x\r\nbad line\r\n\r\n",
        "HTTP/1.1 102\r\n\r\n",
        "\r\n\r\n",
        "HTTP/1.1 199 \nx: y\n\n",
    ] {
        for count in [1, 2, 500] {
            assert_body(interim.repeat(count) + &head("x: y\r\n"));
        }
    }
    let switching = "HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\n\r\n";
    assert_eq!(mint(&Server::answering_once(switching)).unwrap().status(), 101);
}

#[test]
fn a_head_over_the_limit_is_refused() {
    let long = head(&format!("x: {}\r\n", "y".repeat(256 * 1024)));
    let interim = "HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n".repeat(8_000) + &head("");
    let endless = format!("HTTP/1.1 200 OK\r\n{}", "x: y\r\n".repeat(50_000));
    for answer in [long, interim, endless] {
        let error = mint(&Server::answering_once(answer)).unwrap_err();
        assert_eq!(std::error::Error::source(&error).unwrap().to_string(), "the head has more than 256 KiB");
        assert_eq!(fault(Err(error)), "TooLarge, perhaps sent");
    }
}

#[test]
fn heads_that_end_early_or_are_none() {
    let long = format!("HTTP/1.1 200 OK\r\nx: {}", "y".repeat(100_000));
    for head in ["", "HTT", "HTTP/1.1 20", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\ncontent-le"] {
        assert_eq!(fault(mint(&Server::answering_once(head))), "Interrupted, perhaps sent", "{head}");
    }
    assert_eq!(fault(mint(&Server::answering_once(long))), "TooLarge, perhaps sent");
    // Known at once, although the connection stays open.
    for garbage in ["<html>", "HTTP/2 200\r\n\r\n", "SSH-2.0-x\r\n", "\0\0\x06\x04\0\0"] {
        assert_eq!(fault(mint(&Server::answering(garbage))), "Protocol, perhaps sent", "{garbage}");
    }
    let drips = Server::start(|mut connection| {
        read_request(&mut connection);
        let _ = connection.write_all(b"HTTP/1.1 200 OK\r\nx: ");
        while connection.write_all(b"y").is_ok() {
            std::thread::sleep(Duration::from_millis(20));
        }
    });
    assert_stalls(&UreqTransport::new(), &fresh(post(drips.uri("/"))), "Timeout, perhaps sent");
}

/// Where the body ends may be in doubt after a malformed line.
#[test]
fn a_connection_is_kept_after_a_sound_head_only() {
    for (lines, connections) in [("x: y\r\n", 1), ("bad line\r\n", 2), ("x : y\r\n", 2), ("connection: close\r\n", 2)] {
        let server = in_pieces(head(lines), 1000);
        let transport = UreqTransport::new();
        transport.send(fresh(post(server.uri("/")))).unwrap();
        let next = transport.send(get(server.uri("/")));
        // A read takes no malformed lines.
        assert_eq!(next.is_ok(), connections == 1 || lines.starts_with("connection"), "{lines}");
        assert_eq!(server.accepted(), connections, "{lines}");
    }
    // What follows a response belongs to no other one, even where it does not fit into the buffer of a connection.
    for stray in [100, 100_000] {
        let stray = [head("x: y\r\n").into_bytes(), ok(&vec![b'z'; stray])].concat();
        let server = Server::start(move |mut connection| {
            read_request(&mut connection);
            let _ = connection.write_all(&stray);
            while read_request(&mut connection).is_some() {
                connection.write_all(&ok(b"second")).unwrap();
            }
        });
        let transport = UreqTransport::new();
        assert_eq!(transport.send(fresh(post(server.uri("/")))).unwrap().body(), b"body");
        assert!(!transport.send(get(server.uri("/"))).is_ok_and(|response| response.body().starts_with(b"z")));
    }
}
