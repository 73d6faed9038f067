//! One case, so many times: prints allocations and bytes per call.

use arize_api_keys_benches::allocations::{Counting, so_far};
use arize_api_keys_benches::{Fallible, cases};

#[global_allocator]
static COUNTING: Counting = Counting;

fn main() -> Fallible {
    let start = std::cell::Cell::new((0, 0));
    cases::run(
        || start.set(so_far()),
        |calls| {
            let (count, bytes) = so_far();
            let per_call = |end: u64, start: u64| (end - start) as f64 / f64::from(calls);
            println!("{} {}", per_call(count, start.get().0), per_call(bytes, start.get().1));
        },
    )
}
