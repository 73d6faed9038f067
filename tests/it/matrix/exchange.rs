//! A request that gets no answer, or no head of one.

use std::net::Shutdown;

use arize_api_keys::Outcome::Unknown;

use super::harness::{Case, again, once, row};

/// The request may have been processed: a read or a removal is retried, a create or a refresh is not.
fn may_have_been_processed<'a>(case: Case<'a>, error: &'static str) -> Case<'a> {
    case.list(again(error, Unknown)).mint(once(error, Unknown)).remove(again(error, Unknown))
}

#[test]
fn row_12_closed_at_once() {
    row(12, |row| {
        let reset = row.serve(|mut conn| conn.read_some(1));
        may_have_been_processed(reset.connections(), "Transport(Interrupted)").check();
        let closed = row.serve(|mut conn| {
            conn.stream.shutdown(Shutdown::Write).unwrap();
            conn.hold();
        });
        may_have_been_processed(closed.connections(), "Transport(Interrupted)").check();
    });
}

#[test]
fn row_13_reset_in_the_request() {
    row(13, |row| {
        // All of the head but its last line; behind it, the body perhaps.
        let reset = row.serve(|mut conn| conn.read_some(60));
        may_have_been_processed(reset.connections(), "Transport(Interrupted)").check();
    });
}

#[test]
fn row_14_closed_after_the_request() {
    row(14, |row| {
        let reset = row.serve(|mut conn| conn.arrival());
        may_have_been_processed(reset, "Transport(Interrupted)").check();
        let closed = row.serve(|mut conn| {
            conn.request();
        });
        may_have_been_processed(closed, "Transport(Interrupted)").check();
    });
}

#[test]
fn row_15_no_answer() {
    row(15, |row| {
        let silent = row.serve(|mut conn| {
            conn.request();
            conn.hold();
        });
        may_have_been_processed(silent, "Transport(Timeout)").stalls().check();
    });
}

#[test]
fn row_16_head_that_breaks_off() {
    row(16, |row| {
        for head in ["HTTP/1.1 20", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 201 Created\r\ncontent-le"] {
            let case = row.answer_and_close(move |_| head.into());
            may_have_been_processed(case, "Transport(Interrupted)").check();
        }
    });
}

#[test]
fn row_17_head_that_drips() {
    row(17, |row| {
        let dripping = row.serve(|mut conn| {
            conn.request();
            conn.send("HTTP/1.1 200 OK\r\nx-drip: ");
            conn.drip("x");
        });
        may_have_been_processed(dripping, "Transport(Timeout)").stalls().check();
    });
}
