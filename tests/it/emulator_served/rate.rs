//! The rate limit.

use std::num::NonZeroU32;
use std::time::Duration;

use arize_api_keys::emulator::{Emulator, Endpoint, Fault, ManualClock};
use time::OffsetDateTime;

use crate::support::served::Connection;

#[test]
fn what_is_too_much_in_a_second_is_told_to_come_back() {
    let clock = ManualClock::at(OffsetDateTime::UNIX_EPOCH);
    let emulator = Emulator::builder().clock(clock.clone()).rate_limit(NonZeroU32::new(3).unwrap()).build();
    emulator.inject(Fault::status(503).only(Endpoint::ListKeys));
    let server = emulator.serve().unwrap();
    let mut connection = Connection::open(server.addr()).unwrap();
    let mut list = || connection.send("GET /v2/api-keys HTTP/1.1\r\nhost: localhost", "").unwrap();
    assert_eq!([list().status, list().status, list().status], [503, 401, 401]);
    let answer = list();
    assert_eq!((answer.status, answer.header("retry-after")), (429, Some("1")));
    assert_eq!(answer.header("content-type"), Some("application/problem+json"));
    assert_eq!(answer.json()["status"], 429);
    // A third of the second gives one request back, and no pause more than all.
    clock.advance(Duration::from_millis(333));
    assert_eq!(list().status, 429);
    clock.advance(Duration::from_millis(1));
    assert_eq!([list().status, list().status], [401, 429]);
    for pause in [Duration::from_secs(1), Duration::from_secs(60)] {
        clock.advance(pause);
        assert_eq!([list().status, list().status, list().status, list().status], [401, 401, 401, 429]);
    }
}
