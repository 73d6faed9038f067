//! Statuses other than success.

use std::net::Shutdown;
use std::sync::Arc;

use arize_api_keys::Outcome::{Rejected, Unknown};
use arize_api_keys::{ApiError, ApiKeysClient};

use super::harness::expected::name;
use super::harness::operation::{problem, response};
use super::harness::server::Server;
use super::harness::{Conn, OWN_KEY, Operation, SECRET, TestClock, again, fine_after, once, row, then_once};
use crate::support::REFUSALS;

#[test]
fn row_45_redirect() {
    row(45, |row| {
        let other = Server::start(Operation::List, Arc::new(|mut conn| conn.serve()));
        let elsewhere = [
            "/v2/elsewhere".to_owned(),
            format!("http://{}/v2/api-keys", other.address),
            "https://login.example/".to_owned(),
        ];
        for location in elsewhere {
            for status in [300, 301, 302, 303, 307, 308] {
                let answer = response(&format!("{status} Moved"), &format!("location: {location}\r\n"), "");
                row.answer(move |_| answer.clone())
                    .list(once("UnexpectedStatus", Rejected))
                    .mint(once("UnexpectedStatus", Unknown))
                    .remove(once("UnexpectedStatus", Unknown))
                    .check();
            }
        }
        assert_eq!(other.connections(0), 0);
    });
}

#[test]
fn row_46_refusal() {
    row(46, |row| {
        for (status, error) in REFUSALS.into_iter().chain([(405, "UnexpectedStatus")]) {
            row.answer(move |_| problem(status, "")).all(once(error, Rejected)).inspect(|_, seen| {
                let error = seen.result.as_ref().unwrap_err();
                assert_eq!((error.status(), error.api().and_then(ApiError::title)), (Some(status), Some("refused")));
            });
        }
        // The first attempt got no answer. A `DELETE` that then finds nothing has done it. A `PUT …/revoke` would find the
        // key that it has revoked: what became of it is not known, and neither is it after another refusal.
        for (status, error) in [(403, "Forbidden"), (404, "NotFound")] {
            row.serve(move |mut conn| {
                conn.request();
                if conn.number > 0 {
                    let gone = conn.operation == Operation::Delete;
                    conn.send(problem(if gone { 404 } else { status }, ""));
                }
            })
            .operation(Operation::Revoke, then_once(2, error, Unknown))
            .operation(Operation::Delete, fine_after(2))
            .check();
        }
    });
}

/// The answer comes before the body of the request is read. All bodies of this API are small.
#[test]
fn row_47_refusal_before_the_body() {
    row(47, |row| {
        row.serve(|mut conn| {
            conn.head();
            conn.send(problem(401, "connection: close\r\n"));
            conn.stream.shutdown(Shutdown::Write).unwrap();
            conn.hold();
        })
        .connections()
        .all(once("Unauthorized", Rejected))
        .check();
    });
    // If the body of the request is reset, the response may be lost with it. Then less is known, and either way the
    // request is not made again.
    for operation in [Operation::Create, Operation::Refresh] {
        let script = |mut conn: Conn| {
            conn.head();
            conn.send(problem(401, "connection: close\r\n"));
        };
        let server = Server::start(operation, Arc::new(script));
        let builder = ApiKeysClient::builder().ignore_env().api_key(OWN_KEY).clock(TestClock::new());
        let client = builder.scheme("http").host(server.address.to_string()).build().unwrap();
        let error = operation.call(&client).unwrap_err();
        let seen = (name(&error), error.outcome());
        let known = [("Unauthorized".to_owned(), Rejected), ("Transport(Interrupted)".to_owned(), Unknown)];
        assert!(known.contains(&seen), "{seen:?}");
        assert_eq!((error.attempts(), error.is_retryable(), server.connections(1)), (1, false, 1));
    }
}

#[test]
fn row_48_problem_that_is_odd() {
    let title = "\\r\\nset-cookie: x\\u001b[2J\\u202e";
    let documents = [
        r#"{"title":5,"detail":["a"],"status":"two hundred","type":null,"instance":{}}"#.to_owned(),
        format!(r#"{{"title":"{title}","status":200}}"#),
        format!(r#"{{"detail":"{}"}}"#, "long ".repeat(50_000)),
        format!(r#"{{"detail":"the key {OWN_KEY} may not, and {SECRET} neither","title":"{OWN_KEY}"}}"#),
        r#"{"detail":"cut"#.to_owned(),
        "not JSON".to_owned(),
    ];
    row(48, |row| {
        for document in documents {
            let answer = response("403 Forbidden", "content-type: application/problem+json\r\n", document);
            row.answer(move |_| answer.clone()).all(once("Forbidden", Rejected)).inspect(|_, seen| {
                let error = seen.result.as_ref().unwrap_err();
                let shown = error.to_string();
                assert_eq!(error.status(), Some(403));
                assert!(shown.len() < 1500 && !shown.contains(|c: char| c.is_control() || c == '\u{202e}'), "{shown}");
            });
        }
    });
}

#[test]
fn row_49_server_error() {
    row(49, |row| {
        for status in [500, 502, 503, 504] {
            for answer in [
                problem(status, ""),
                response(&format!("{status} Down"), "content-type: text/html\r\n", "<h1>down</h1>"),
            ] {
                row.answer(move |_| answer.clone())
                    .list(again("Server", Unknown))
                    .mint(once("Server", Unknown))
                    .remove(again("Server", Unknown))
                    .check();
            }
        }
    });
}
