//! The emulator with few and with many keys: the time of each operation, and the memory of a key. In process, without a state file.

use std::fs;
use std::hint::black_box;
use std::time::Instant;

use arize_api_keys::emulator::{AccountSpec, Emulator};
use arize_api_keys::{ApiKeysClient, CreateRequest, ListRequest, RefreshRequest};
use arize_api_keys_benches::Fallible;

const FEW: usize = 1_000;
const MANY: usize = 1_000_000;

/// Calls of each operation. The median of their times counts.
const CALLS: usize = 2_001;

/// Keys of the document that an emulator starts from.
const DOCUMENT: usize = 100_000;

fn main() -> Fallible {
    let few = measure(FEW)?;
    let many = measure(MANY)?;
    for ((operation, few), (_, many)) in few.iter().zip(&many) {
        println!("{operation:<8} {FEW} keys: {few:6.1} µs   {MANY} keys: {many:6.1} µs   {:.2}   ≤ 1.15", many / few);
    }
    let keys: Vec<_> =
        (0..DOCUMENT).map(|n| serde_json::json!({"name": format!("deploy-pipeline-staging-{n:06}")})).collect();
    let document = serde_json::json!({ "keys": keys }).to_string();
    let start = Instant::now();
    black_box(Emulator::builder().account(AccountSpec::from_json(&document)?).build());
    println!("start from a document of {DOCUMENT} keys: {:.2} s   ≤ 2", start.elapsed().as_secs_f64());
    Ok(())
}

/// The median time of each operation, in microseconds, in an account with so many keys.
fn measure(keys: usize) -> Fallible<[(&'static str, f64); 4]> {
    let emulator = Emulator::new();
    let client = emulator.client();
    let before = resident()?;
    for n in 0..keys {
        client.create(&CreateRequest::new(format!("deploy-pipeline-staging-{n:06}")))?;
    }
    if keys == MANY {
        println!("{keys} keys: {} bytes a key   ≤ 354", resident()?.saturating_sub(before) / keys as u64);
    }

    let name = || CreateRequest::new("deploy-pipeline-staging-another");
    let mut ids = Vec::with_capacity(CALLS);
    Ok([
        ("list", median(|| client.list(&ListRequest::new().limit(50)).map(drop))?),
        ("create", median(|| client.create(&name()).map(|created| ids.push(created.details.id)))?),
        ("refresh", {
            let mut ids = ids.iter();
            median(|| refresh(&client, ids.next().map_or("", String::as_str)))?
        }),
        ("revoke", {
            let mut ids = ids.iter();
            median(|| client.revoke(ids.next().map_or("", String::as_str)))?
        }),
    ])
}

fn refresh(client: &ApiKeysClient, id: &str) -> Result<(), arize_api_keys::Error> {
    client.refresh(&RefreshRequest::new(id)).map(drop)
}

fn median(mut call: impl FnMut() -> Result<(), arize_api_keys::Error>) -> Fallible<f64> {
    let mut times = Vec::with_capacity(CALLS);
    for _ in 0..CALLS {
        let start = Instant::now();
        call()?;
        times.push(start.elapsed().as_secs_f64() * 1e6);
    }
    times.sort_by(f64::total_cmp);
    Ok(times[CALLS / 2])
}

/// The memory of this process, in bytes.
fn resident() -> Fallible<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no size in memory")?;
    Ok(resident.trim().trim_end_matches(" kB").parse::<u64>()? * 1024)
}
