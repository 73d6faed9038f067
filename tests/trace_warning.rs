//! The warning that the log shows secrets. A program has one logger, so this is a separate program.
#![cfg(feature = "ureq")]
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use arize_api_keys::{Transport, UreqTransport, http};
use log::{Level, LevelFilter, Log, Metadata, Record};

/// Takes everything, save what ureq says of bytes while it `spares` that.
struct Logger {
    spares: AtomicBool,
    warnings: Mutex<Vec<String>>,
}

static LOGGER: Logger = Logger { spares: AtomicBool::new(true), warnings: Mutex::new(Vec::new()) };

impl Log for Logger {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() != "ureq_proto::util" || !self.spares.load(Ordering::SeqCst)
    }

    fn log(&self, record: &Record<'_>) {
        if record.level() == Level::Warn {
            self.warnings.lock().unwrap().push(record.args().to_string());
        }
    }

    fn flush(&self) {}
}

#[test]
fn a_log_that_shows_secrets_is_told_of_once() {
    log::set_logger(&LOGGER).unwrap();
    log::set_max_level(LevelFilter::Trace);
    let transport = UreqTransport::new();
    assert!(LOGGER.warnings.lock().unwrap().is_empty());
    LOGGER.spares.store(false, Ordering::SeqCst);
    // There is no server: the warning would have been logged by then. A program that only reads shows its own key.
    for _ in 0..2 {
        let request = http::Request::get("http://127.0.0.1:1/").body(Vec::new()).unwrap();
        transport.send(request).unwrap_err();
    }
    assert_eq!(
        *LOGGER.warnings.lock().unwrap(),
        ["the log takes TRACE records of `ureq_proto::util`: they show the API key and the secrets of new keys. \
          RUST_LOG=trace,ureq_proto=debug,ureq=debug keeps them out"]
    );
}
