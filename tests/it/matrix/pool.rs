//! Connections that are kept. What mints a secret never travels on one that was used before.

use arize_api_keys::Outcome::{NotSent, Unknown};
use arize_api_keys::{ApiKeysClient, RetryPolicy, TransportError, TransportErrorKind};

use super::harness::operation::json_response;
use super::harness::server::Server;
use super::harness::{Conn, Operation, again, fine, fine_after, later, row};

/// A list, over the connection that the call afterwards finds.
fn list(client: &ApiKeysClient, _: &Server) {
    Operation::List.call(client).unwrap();
}

/// As [`list`], and the server has done what it does to the connection.
fn list_and_wait(client: &ApiKeysClient, server: &Server) {
    list(client, server);
    server.wait_for_mark();
}

#[test]
fn row_44_response_that_nobody_asked_for() {
    row(44, |row| {
        row.serve(|mut conn| {
            if conn.number == 0 {
                conn.request();
                conn.send(Operation::List.response());
                conn.send(json_response("200 OK", r#"{"api_keys":[{"name":"stray"}],"key":"ak-stray-012345678"}"#));
                conn.mark();
            }
            conn.serve();
        })
        .first(list_and_wait)
        .connections()
        .all(fine())
        .inspect(|_, seen| assert!(!format!("{seen:?}").contains("stray")));
    });
}

#[test]
fn row_55_closed_before_the_next_request() {
    row(55, |row| {
        row.serve(|mut conn| {
            if conn.number == 0 {
                conn.request();
                conn.send(Operation::List.response());
                conn.close_and_mark();
            } else {
                conn.serve();
            }
        })
        .first(list_and_wait)
        .connections()
        .all(fine())
        .check();
    });
}

#[test]
fn row_56_closed_in_the_next_request() {
    row(56, |row| {
        let reset: fn(&mut Conn) = |conn| conn.arrival();
        let closed: fn(&mut Conn) = |conn| _ = conn.request();
        for end in [reset, closed] {
            let closing = || {
                row.serve(move |mut conn| {
                    if conn.number == 0 {
                        conn.request();
                        conn.send(Operation::List.response());
                        end(&mut conn);
                    } else {
                        conn.serve();
                    }
                })
            };
            closing().first(list).list(fine_after(2)).mint(fine()).remove(fine_after(2)).check();
            let alone = closing().first(list).policy(RetryPolicy::none(), 1);
            let error = later("Transport(Interrupted)", Unknown);
            alone.list(error).remove(error).check();
        }
    });
}

#[test]
fn row_57_half_open() {
    row(57, |row| {
        let half_open = || {
            row.serve(|mut conn| {
                if conn.number == 0 {
                    conn.request();
                    conn.send(Operation::List.response());
                    conn.request();
                    conn.hold();
                } else {
                    conn.serve();
                }
            })
            .first(list)
            .stalls()
        };
        half_open().list(fine_after(2)).mint(fine()).remove(fine_after(2)).check();
        let error = later("Transport(Timeout)", Unknown);
        half_open().policy(RetryPolicy::none(), 1).list(error).remove(error).check();
    });
}

/// A name server cannot be killed here, so the failure is scripted. The default transport does better than that row: it
/// remembers addresses, and falls back on the old ones (`ureq_transport/names.rs`), so the second request needs none.
#[test]
fn row_58_name_server_dies() {
    row(58, |row| {
        row.unserved()
            .client(|builder, _| {
                builder.transport(|_| Err(TransportError::new(TransportErrorKind::Resolve, "no answer").not_sent()))
            })
            .all(again("Transport(Resolve)", NotSent))
            .check();
        row.serve(|mut conn| conn.serve())
            .client(|builder, address| builder.scheme("http").host(format!("localhost:{}", address.port())))
            .first(list)
            .all(fine())
            .check();
    });
}
