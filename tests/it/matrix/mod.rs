//! The fault matrix: every fault that was thought of, and what each operation does about it. The rows, their tests and
//! what came of them are in `docs/fault-matrix.md`; a row fails if the table says more or less than it has proven.
//!
//! Each row runs list, create, refresh, revoke and (on the alpha stage) delete through a whole client with the default
//! transport, against a server on loopback that does the wrong thing byte by byte. Of every call it is asserted what it
//! ends as, what is then known of the key, how many attempts were made, and that the server saw exactly these; every secret
//! that comes, comes whole, and no error shows one. Nothing is decided by timing: waits between attempts are instant, and
//! where the fault is that time runs out, a slow machine is given more of it.
#![cfg(feature = "rustls")]

mod bodies;
mod connection;
mod content;
mod exchange;
mod harness;
mod heads;
mod life;
mod pages;
mod pool;
mod proxy;
mod rate;
mod setup;
mod statuses;
mod tls;

use harness::document;

/// Where the rows are.
const SOURCES: [&str; 13] = [
    include_str!("bodies.rs"),
    include_str!("connection.rs"),
    include_str!("content.rs"),
    include_str!("exchange.rs"),
    include_str!("heads.rs"),
    include_str!("life.rs"),
    include_str!("pages.rs"),
    include_str!("pool.rs"),
    include_str!("proxy.rs"),
    include_str!("rate.rs"),
    include_str!("setup.rs"),
    include_str!("statuses.rs"),
    include_str!("tls.rs"),
];

/// The names of the tests of rows, each after `#[test]`, in the order of the rows.
fn tests() -> Vec<&'static str> {
    let after_attribute = |source: &'static str| source.split("#[test]\nfn ").skip(1);
    let name = |text: &'static str| text.split('(').next().unwrap();
    let mut names: Vec<_> = SOURCES.into_iter().flat_map(after_attribute).map(name).collect();
    names.retain(|name| name.starts_with("row_"));
    names.sort_unstable();
    names
}

#[test]
fn every_row_has_one_test() {
    let tests = tests();
    let numbers: Vec<usize> = tests.iter().map(|name| name.split('_').nth(1).unwrap().parse().unwrap()).collect();
    assert_eq!(numbers, (1..=78).collect::<Vec<_>>(), "{tests:#?}");

    let documented = document::rows();
    for row in &documented {
        println!("{row:?}");
    }
    assert_eq!(documented.iter().map(|row| row.number).collect::<Vec<_>>(), numbers);
    assert_eq!(documented.iter().map(|row| row.test.as_str()).collect::<Vec<_>>(), tests);
}
