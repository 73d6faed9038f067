//! Events in the middle of a call, in the program or the service.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use arize_api_keys::Outcome::{NotSent, Unknown};
use arize_api_keys::time::OffsetDateTime;
use arize_api_keys::{ApiKeysClient, Clock, Transport, UreqTransport, http};

use super::harness::expected::{Observed, name};
use super::harness::operation::problem;
use super::harness::server::Server;
use super::harness::{Conn, OWN_KEY, Operation, SECRET, TestClock, again, fine, once, row};

/// A clock that panics at the first wait.
struct Panicking(TestClock, AtomicBool);

impl Clock for Panicking {
    fn now(&self) -> OffsetDateTime {
        self.0.now()
    }

    fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }

    fn sleep(&self, duration: Duration) {
        assert!(self.1.swap(true, Ordering::SeqCst), "the caller's clock is broken");
        self.0.sleep(duration);
    }

    fn jitter(&self, max: Duration) -> Duration {
        max
    }
}

/// A transport that panics once the first answer is there.
fn panicking() -> impl Transport {
    let (inner, panicked) = (UreqTransport::new(), AtomicBool::new(false));
    move |request: http::Request<Vec<u8>>| {
        let response = inner.send(request);
        assert!(panicked.swap(true, Ordering::SeqCst), "the caller's transport is broken");
        response
    }
}

#[test]
fn row_77_panic_of_the_caller() {
    row(77, |row| {
        for operation in Operation::ALL {
            let script = move |mut conn: Conn| {
                if conn.number == 0 {
                    conn.request();
                    conn.send(problem(429, "connection: close\r\n"));
                } else {
                    conn.serve();
                }
            };
            let server = Server::start(operation, Arc::new(script));
            let builder = || {
                let builder = ApiKeysClient::builder().ignore_env().api_key(OWN_KEY).stage(operation.stage());
                builder.scheme("http").host(server.address.to_string())
            };
            let clock = Panicking(TestClock::new(), AtomicBool::new(false));
            for client in [
                builder().clock(clock).build().unwrap(),
                builder().clock(TestClock::new()).transport(panicking()).build().unwrap(),
            ] {
                let clone = client.clone();
                catch_unwind(AssertUnwindSafe(|| operation.call(&client))).unwrap_err();
                for client in [&client, &clone] {
                    let answer = operation.call(client).unwrap();
                    assert_eq!(answer.secret.as_deref(), operation.mints().then_some(SECRET));
                }
            }
            assert_eq!(server.requests(6), 6);
            row.proven(operation.column(), fine().code());
        }
    });
}

/// A client has no shutdown; instead, the service goes away in the middle of a call. The first attempt reaches
/// it, and the others find no server: for a removal, that does not undo the first.
#[test]
fn row_78_service_goes_away() {
    row(78, |row| {
        for operation in Operation::ALL {
            let script = |mut conn: Conn| {
                conn.request();
                conn.stop_server();
            };
            let server = Server::start(operation, Arc::new(script));
            let clock = TestClock::new();
            let client = ApiKeysClient::builder()
                .ignore_env()
                .api_key(OWN_KEY)
                .stage(operation.stage())
                .clock(clock.clone())
                .scheme("http")
                .host(server.address.to_string())
                .build()
                .unwrap();
            let expected = match operation {
                Operation::List => again("Transport(Connect)", NotSent),
                Operation::Create | Operation::Refresh => once("Transport(Interrupted)", Unknown),
                Operation::Revoke | Operation::Delete => again("Transport(Connect)", Unknown),
            };
            let result = operation.call(&client);
            let seen = Observed { result, slept: clock.sleeps(), count: None };
            let error = seen.result.as_ref().unwrap_err();
            let first = std::iter::successors(Some(error), |error| error.previous_attempt()).last().unwrap();
            assert_eq!((name(first).as_str(), first.outcome()), ("Transport(Interrupted)", Unknown));
            expected.check(operation, &seen, 3).unwrap_or_else(|problem| panic!("{operation:?}: {problem}"));
            assert_eq!(server.requests(1), 1);
            row.proven(operation.column(), expected.code());
        }
    });
}
