//! With the filter that the documentation recommends, no log record of any crate shows a secret. A program has one
//! logger, so this is a separate program.
#![cfg(all(feature = "emulator", feature = "ureq"))]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking, and most of this is helpers, which clippy does not take for tests"
)]

mod planted;

use log::{Level, Metadata};

use self::planted::{Logger, everything, leak, without_panic};

/// `RUST_LOG=trace,ureq=debug,ureq_proto=debug`, read as env_logger reads it: the longest prefix of the target counts.
fn documented(metadata: &Metadata<'_>) -> bool {
    let directives = [("ureq_proto", Level::Debug), ("ureq", Level::Debug), ("", Level::Trace)];
    let level = directives.into_iter().find(|(prefix, _)| metadata.target().starts_with(prefix));
    level.is_some_and(|(_, level)| metadata.level() <= level)
}

static LOGGER: Logger = Logger::new(documented);

#[test]
fn nothing_shows_a_secret_and_nothing_warns_of_it() {
    LOGGER.start();
    without_panic(everything);
    for record in LOGGER.records() {
        assert!(leak(&record.text).is_none(), "{record:?}");
    }
    assert!(LOGGER.records().iter().any(|record| record.target.starts_with("ureq")), "the logger takes records");
    let own = LOGGER.own();
    assert!(!own.is_empty() && own.iter().all(|record| record.level == Level::Warn));
    assert!(!own.iter().any(|record| record.text.contains("TRACE")));
}

#[test]
fn the_filter_is_the_documented_one() {
    let page = include_str!("../docs/security.md");
    assert!(page.contains("`RUST_LOG=trace,ureq=debug,ureq_proto=debug`"));
}
