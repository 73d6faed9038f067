//! Runs the simulator of the program. See docs/proof.md.
//!
//! ```text
//! cargo run --release -p arize-keys --example simulate                        # a year
//! cargo run --release -p arize-keys --example simulate -- --seed 7
//! cargo run --release -p arize-keys --example simulate -- --exhaustive
//! cargo run --release -p arize-keys --example simulate -- --schedules 20000
//! ```

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "the simulator is a test, which may fail by panicking"
)]

#[path = "mod.rs"]
mod simulate;

fn main() -> std::process::ExitCode {
    simulate::main(std::env::args().skip(1).collect())
}
