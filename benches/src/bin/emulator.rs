//! The emulator with few and with many keys: the time of each operation in process and over HTTP, and the memory of a key. Without a
//! state file.
//!
//! Each account has a separate process, so that neither finds the memory that the other one left.

use std::hint::black_box;
use std::process::{Command, Stdio};
use std::time::Instant;
use std::{env, fs};

use arize_api_keys::emulator::{AccountSpec, Emulator};
use arize_api_keys::{ApiKeysClient, CreateRequest, ListRequest, RefreshRequest};
use arize_api_keys_benches::Fallible;

const FEW: usize = 1_000;
const MANY: usize = 1_000_000;

/// Calls of each operation. The median of their times counts.
const CALLS: usize = 2_001;

/// Pairs of processes. The median of their ratios counts.
const ROUNDS: usize = 5;

/// Keys of the document that an emulator starts from.
const DOCUMENT: usize = 100_000;

const OPERATIONS: [&str; 4] = ["list", "create", "refresh", "revoke"];

fn main() -> Fallible {
    if let Some(keys) = env::args().nth(1) {
        for figure in measure(keys.parse()?)? {
            println!("{figure}");
        }
        return Ok(());
    }
    let rounds = (0..ROUNDS).map(|_| Ok((process(FEW)?, process(MANY)?))).collect::<Fallible<Vec<_>>>()?;
    let ways = ["in process", "over HTTP "].into_iter().flat_map(|way| OPERATIONS.map(|operation| (way, operation)));
    for (at, (way, operation)) in ways.enumerate() {
        let (few, many) =
            (middle(rounds.iter().map(|(few, _)| few[at])), middle(rounds.iter().map(|(_, many)| many[at])));
        let ratio = middle(rounds.iter().map(|(few, many)| many[at] / few[at]));
        println!("{way} {operation:<8} {FEW} keys: {few:6.1} µs   {MANY} keys: {many:6.1} µs   {ratio:.2}   ≤ 1.15");
    }
    println!("{MANY} keys: {:.0} bytes a key   ≤ 354", middle(rounds.iter().map(|(_, many)| many[8])));
    let keys: Vec<_> =
        (0..DOCUMENT).map(|n| serde_json::json!({"name": format!("deploy-pipeline-staging-{n:06}")})).collect();
    let document = serde_json::json!({ "keys": keys }).to_string();
    let start = Instant::now();
    black_box(Emulator::builder().account(AccountSpec::from_json(&document)?).build());
    println!("start from a document of {DOCUMENT} keys: {:.2} s   ≤ 2", start.elapsed().as_secs_f64());
    Ok(())
}

/// The figures of an account with so many keys, measured in a separate process.
fn process(keys: usize) -> Fallible<Vec<f64>> {
    let output = Command::new(env::current_exe()?).arg(keys.to_string()).stderr(Stdio::inherit()).output()?;
    if !output.status.success() {
        return Err(format!("measuring {keys} keys ended with {}", output.status).into());
    }
    Ok(String::from_utf8(output.stdout)?.lines().map(str::parse).collect::<Result<_, _>>()?)
}

/// The times of the operations in process and over HTTP, in microseconds, and the bytes of a key.
fn measure(keys: usize) -> Fallible<Vec<f64>> {
    let emulator = Emulator::new();
    let client = emulator.client();
    let before = resident()?;
    for n in 0..keys {
        client.create(&CreateRequest::new(format!("deploy-pipeline-staging-{n:06}")))?;
    }
    let bytes = resident()?.saturating_sub(before) as f64 / keys as f64;
    let in_process = times(&client)?;
    let over_http = times(&emulator.serve()?.client())?;
    Ok([&in_process[..], &over_http, &[bytes]].concat())
}

/// In the order of [`OPERATIONS`].
fn times(client: &ApiKeysClient) -> Fallible<[f64; 4]> {
    let name = || CreateRequest::new("deploy-pipeline-staging-another");
    let mut ids = Vec::with_capacity(CALLS);
    Ok([
        median(|| client.list(&ListRequest::new().limit(50)).map(drop))?,
        median(|| client.create(&name()).map(|created| ids.push(created.details.id)))?,
        {
            let mut ids = ids.iter();
            median(|| refresh(client, ids.next().map_or("", String::as_str)))?
        },
        {
            let mut ids = ids.iter();
            median(|| client.revoke(ids.next().map_or("", String::as_str)))?
        },
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
    Ok(middle(times.into_iter()))
}

fn middle(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<_> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// The memory of this process, in bytes.
fn resident() -> Fallible<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no size in memory")?;
    Ok(resident.trim().trim_end_matches(" kB").parse::<u64>()? * 1024)
}
