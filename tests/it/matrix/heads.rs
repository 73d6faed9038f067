//! Heads that are wrong.

use arize_api_keys::Outcome::Unknown;

use super::harness::operation::json_response;
use super::harness::{Operation, again, fine, once, row};

/// An answer to a call that succeeds, with these lines in its head.
fn with_lines(lines: &str) -> impl Fn(Operation) -> Vec<u8> + Send + Sync + 'static {
    let lines = lines.to_owned();
    move |op| {
        let response = op.response();
        let at = response.windows(2).position(|pair| pair == b"\r\n").unwrap() + 2;
        [&response[..at], lines.as_bytes(), &response[at..]].concat()
    }
}

#[test]
fn row_18_head_without_end() {
    row(18, |row| {
        for line in ["x".repeat(1000), format!("x: {}\r\n", "y".repeat(1000))] {
            let endless = row.serve(move |mut conn| {
                conn.request();
                conn.send("HTTP/1.1 200 OK\r\nx: ");
                conn.flood(&line);
            });
            endless.all(once("Transport(TooLarge)", Unknown)).check();
        }
        // Only a request that mints takes a long head.
        let large = |length| format!("x: {}\r\n", "y".repeat(length));
        let refused = once("Transport(TooLarge)", Unknown);
        for length in [30_000, 66_000, 250_000] {
            row.answer(with_lines(&large(length))).list(refused).mint(fine()).remove(refused).check();
        }
        row.answer_and_close(with_lines(&large(263_000))).all(refused).check();
    });
}

#[test]
fn row_19_too_many_headers() {
    row(19, |row| {
        let refused = once("Transport(Protocol)", Unknown);
        for headers in [129, 200, 2000] {
            row.answer(with_lines(&"x: y\r\n".repeat(headers))).list(refused).mint(fine()).remove(refused).check();
        }
    });
}

#[test]
fn row_20_flood_of_early_hints() {
    const HINT: &str = "HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n";
    row(20, |row| {
        row.serve(|mut conn| {
            conn.request();
            conn.flood(HINT.repeat(50));
        })
        .all(once("Transport(TooLarge)", Unknown))
        .check();
        row.serve(|mut conn| {
            conn.request();
            conn.drip(HINT);
        })
        .stalls()
        .list(again("Transport(Timeout)", Unknown))
        .mint(once("Transport(Timeout)", Unknown))
        .remove(again("Transport(Timeout)", Unknown))
        .check();
    });
}

#[test]
fn row_21_continue_with_headers() {
    row(21, |row| {
        let answer = |op: Operation| [b"HTTP/1.1 100 Continue\r\nx: y\r\n\r\n".to_vec(), op.response()].concat();
        let refused = once("Transport(Protocol)", Unknown);
        row.answer_and_close(answer).list(refused).mint(fine()).remove(refused).check();
    });
}

#[test]
fn row_22_switching_protocols() {
    row(22, |row| {
        let answer = "HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n";
        row.answer_and_close(move |_| answer.into()).all(once("UnexpectedStatus", Unknown)).check();
    });
}

#[test]
fn row_23_garbage() {
    row(23, |row| {
        for garbage in [
            &b"garbage\r\n\r\n"[..],
            b"<html><body>Sign in</body></html>\r\n\r\n",
            b"\0\0\x06\x04\0\0\0\0\0\0\x05\0\0\x40\0",
            b"HTTP/2 200\r\n\r\n",
            b"SSH-2.0-x\r\n\r\n",
            b"HTTP/1.1 099 No\r\n\r\n",
            b"HTTP/1.1 1000 No\r\n\r\n",
            b"HTTP/1.1 abc No\r\n\r\n",
        ] {
            println!("{}", garbage.escape_ascii());
            row.answer_and_close(|_| garbage.into()).all(once("Transport(Protocol)", Unknown)).check();
        }
        // Only a request that mints skips a malformed line.
        let refused = once("Transport(Protocol)", Unknown);
        for lines in ["x: a\0b\r\n", "x: a\r\n b\r\n", "no colon\r\n", "x-a : v\r\n", ": v\r\n"] {
            println!("{}", lines.escape_default());
            row.answer_and_close(with_lines(lines)).list(refused).mint(fine()).remove(refused).check();
        }
    });
}

#[test]
fn row_24_odd_but_readable() {
    row(24, |row| {
        let bare = |op: Operation| {
            let response = String::from_utf8(op.response()).unwrap();
            response.replace("\r\n", "\n").into_bytes()
        };
        row.answer(bare).all(fine()).check();
        for line in [&b"HTTP/1.1 200 \r\n"[..], b"HTTP/1.1 200\r\n", b"HTTP/1.1 200 \xc4h\r\n"] {
            let answer = move |op: Operation| {
                let response = json_response("200 OK", op.json());
                [line, &response["HTTP/1.1 200 OK\r\n".len()..]].concat()
            };
            row.answer(answer).all(fine()).check();
        }
        row.answer(|_| b"HTTP/1.1 799 Odd\r\ncontent-length: 0\r\n\r\n".to_vec())
            .all(once("UnexpectedStatus", Unknown))
            .check();
    });
}
