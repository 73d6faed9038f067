//! Bodies that do not arrive as they were announced. A secret that came whole is never lost, and one that was cut never
//! given out.

use arize_api_keys::Outcome::{Applied, Unknown};

use super::harness::operation::json_response;
use super::harness::{Case, Conn, Expected, Operation, SECRET, again, fine, once, rescue, row};

/// What arrives of a body: all of it, or what stands before the middle of the secret.
#[derive(Clone, Copy)]
enum Part {
    Whole,
    Cut,
}

impl Part {
    const BOTH: [Self; 2] = [Self::Whole, Self::Cut];

    fn of(self, operation: Operation) -> String {
        let mut json = operation.json();
        match (self, json.find(SECRET)) {
            (Self::Cut, Some(start)) => json.truncate(start + SECRET.len() / 2),
            (Self::Cut, None) => json.truncate(json.len() / 2),
            (Self::Whole, _) => {}
        }
        if json.is_empty() { "{}".to_owned() } else { json }
    }

    /// Create and refresh: the secret, or the bytes that arrived for a person to look at.
    fn minted(self) -> Expected {
        match self {
            Self::Whole => rescue(),
            Self::Cut => once("SecretNotRecovered", Applied),
        }
    }
}

/// A 2xx head means that the thing is done; only a list needs the body.
fn broken(part: Part, case: Case<'_>, list: Expected) -> Case<'_> {
    case.list(list).mint(part.minted()).remove(fine())
}

/// A head of success, with what stands between it and the body.
fn head(framing: &str) -> String {
    format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n{framing}\r\n")
}

fn chunk(text: &str) -> String {
    format!("{:x}\r\n{text}\r\n", text.len())
}

/// The head of a body in chunks, and its first chunk.
fn chunked(part: Part, operation: Operation) -> String {
    head("transfer-encoding: chunked\r\n") + &chunk(&part.of(operation))
}

const BROKE: &str = "Transport(Interrupted)";

#[test]
fn row_25_shorter_than_announced() {
    row(25, |row| {
        for part in Part::BOTH {
            let bytes = move |op: Operation| head("content-length: 1000\r\n") + &part.of(op);
            let closed = row.answer_and_close(move |op| bytes(op).into());
            broken(part, closed, again(BROKE, Unknown)).check();
            let reset = row.serve(move |mut conn| {
                conn.arrival();
                conn.send(bytes(conn.operation));
            });
            broken(part, reset, again(BROKE, Unknown)).check();
        }
    });
}

/// Bytes beyond the announced length belong to no response: not to this one, and not to the next.
#[test]
fn row_26_longer_than_announced() {
    let stray = |op: Operation| {
        let json = Part::Whole.of(op);
        let second = json_response("200 OK", r#"{"api_keys":[{"name":"stray"}],"key":"ak-stray-012345678"}"#);
        [json_response("200 OK", json), second].concat()
    };
    row(26, |row| {
        row.answer(stray).all(fine()).check();
        row.serve(move |mut conn| {
            if conn.number == 0 {
                conn.request();
                conn.send(stray(Operation::List));
                conn.mark();
            }
            conn.serve();
        })
        .first(|client, server| {
            Operation::List.call(client).unwrap();
            server.wait_for_mark();
        })
        .all(fine())
        .inspect(|_, seen| assert!(!format!("{seen:?}").contains("stray")));
        // The announced length ends within the JSON, before the secret does.
        let cut = |op: Operation| [head("content-length: 40\r\n"), op.json()].concat();
        row.answer_and_close(move |op| cut(op).into())
            .list(again("Decode", Unknown))
            .mint(once("SecretNotRecovered", Applied))
            .check();
    });
}

#[test]
fn row_27_lengths_that_are_none() {
    row(27, |row| {
        for framing in [
            "content-length: 2\r\ncontent-length: 3\r\n",
            "content-length: -1\r\n",
            "content-length: two\r\n",
            "content-length: 99999999999999999999\r\n",
        ] {
            row.answer_and_close(|op| (head(framing) + &op.json()).into())
                .all(once("Transport(Protocol)", Unknown))
                .check();
        }
    });
}

#[test]
fn row_28_chunks_that_break_off() {
    row(28, |row| {
        for part in Part::BOTH {
            for rest in ["", "5", "5\r\nab"] {
                // In the line of a length, it looks like a line that does not end.
                let list = if rest == "5" { once("Transport(Protocol)", Unknown) } else { again(BROKE, Unknown) };
                let case = row.answer_and_close(move |op| (chunked(part, op) + rest).into());
                broken(part, case, list).check();
            }
        }
    });
}

#[test]
fn row_29_chunks_that_are_none() {
    row(29, |row| {
        for part in Part::BOTH {
            for rest in ["xyz\r\n", "2\r\nab5\r\n", "99999999999999999999\r\n"] {
                println!("{rest:?}");
                let case = row.answer_and_close(move |op| (chunked(part, op) + rest).into());
                broken(part, case, once("Transport(Protocol)", Unknown)).check();
            }
            for (rest, line) in [("", "1"), ("0\r\n", "x")] {
                println!("endless after {rest:?}");
                let case = row.serve(move |mut conn| {
                    conn.request();
                    conn.send(chunked(part, conn.operation) + rest);
                    conn.flood(line.repeat(1000));
                });
                broken(part, case, once("Transport(Protocol)", Unknown)).check();
            }
        }
    });
}

#[test]
fn row_30_trailers_without_end() {
    row(30, |row| {
        for part in Part::BOTH {
            let case = row.serve(move |mut conn| {
                conn.request();
                conn.send(chunked(part, conn.operation) + "0\r\n");
                conn.drip("x: y\r\n");
            });
            broken(part, case, again("Transport(Timeout)", Unknown)).stalls().check();
        }
    });
}

#[test]
fn row_31_no_length_and_reset() {
    row(31, |row| {
        for part in Part::BOTH {
            // However it ends, the end of the connection is that of such a body: only its content can tell that it came too
            // early.
            let (list, mint) = match part {
                Part::Whole => (fine(), fine()),
                Part::Cut => (again("Decode", Unknown), part.minted()),
            };
            let case = row.serve(move |mut conn| {
                conn.arrival();
                conn.send(head("") + &part.of(conn.operation));
            });
            case.list(list).mint(mint).remove(fine()).check();
            let case = row.answer_and_close(move |op| (head("") + &part.of(op)).into());
            case.list(list).mint(mint).remove(fine()).check();
        }
        // It ends behind the secret.
        row.answer_and_close(|op| (head("") + op.json().trim_end_matches('}')).into()).mint(rescue()).check();
    });
}

#[test]
fn row_32_body_that_stalls() {
    row(32, |row| {
        let stall: fn(&mut Conn) = |conn| conn.hold();
        let drip: fn(&mut Conn) = |conn| conn.drip(" ");
        for part in Part::BOTH {
            for go_on in [stall, drip] {
                let case = row.serve(move |mut conn| {
                    conn.request();
                    conn.send(head("content-length: 1000000\r\n") + &part.of(conn.operation));
                    go_on(&mut conn);
                });
                broken(part, case, again("Transport(Timeout)", Unknown)).stalls().check();
            }
        }
    });
}

#[test]
fn row_33_body_beyond_the_limit() {
    row(33, |row| {
        for part in Part::BOTH {
            for framing in ["", "content-length: 2097152\r\n", "content-length: 5000000000\r\n"] {
                let case = row.serve(move |mut conn| {
                    conn.request();
                    let mut body = part.of(conn.operation);
                    if matches!(part, Part::Whole) {
                        body.truncate(body.len() - 1);
                        body += if body.len() > 1 { r#","pad":""# } else { r#""pad":""# };
                    }
                    body += &"x".repeat(2 * 1024 * 1024 - body.len());
                    conn.send(head(framing) + &body);
                });
                broken(part, case, once("Transport(TooLarge)", Unknown)).check();
            }
        }
    });
}
