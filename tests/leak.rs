//! No secret in anything that this crate shows or logs, for any response. The logger takes every record, so this is a
//! separate program; `leak_filtered` has the filter that the documentation recommends.
#![cfg(all(feature = "emulator", feature = "ureq"))]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking, and most of this is helpers, which clippy does not take for tests"
)]

mod planted;

use log::Level;

use self::planted::{Logger, NEW, OWN, everything, leak, without_panic};

static LOGGER: Logger = Logger::new(|_| true);

#[test]
fn nothing_shows_a_secret() {
    LOGGER.start();
    without_panic(everything);

    let own = LOGGER.own();
    assert!(own.iter().all(|record| record.level == Level::Warn), "warnings and nothing else");
    if let Some(record) = own.iter().find(|record| leak(&record.text).is_some()) {
        panic!("{record:?}");
    }
    // ureq logs bodies and headers at TRACE, and at no other level. The client warns of it once.
    let said = own.iter().filter(|record| record.text.starts_with("the log takes TRACE records of `ureq_proto::util`"));
    assert_eq!(said.count(), 1);
    for record in LOGGER.records() {
        let shown = leak(&record.text).filter(|_| record.level <= Level::Debug || !record.target.starts_with("ureq"));
        assert!(shown.is_none(), "{record:?}");
    }
    // And it is true: else the warning could go, and this logger would prove nothing.
    let wire: String = LOGGER
        .records()
        .iter()
        .filter(|record| record.target == "ureq_proto::util")
        .map(|record| record.text.get(41..57).unwrap_or_default().to_owned())
        .collect();
    assert!(wire.contains(OWN) && wire.contains(NEW));
}
