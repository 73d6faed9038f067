//! A soak test: 16 threads share one client and call a service that fails one request in twenty. No key, secret, connection,
//! thread or memory may be lost.
//!
//! ```text
//! cargo run --release --example soak --features emulator             # 200,000 calls
//! cargo run --release --example soak --features emulator -- 20000
//! ```
//!
//! The service is the emulator, served over HTTP by a second process, so that only the client's memory is measured. After
//! each call whose outcome is unknown, the caller lists its keys to find out. At the end the counts of the callers and of
//! the service must be equal. The exit status is 1 if they differ, or if a connection, a thread or memory has leaked (checked
//! on Linux).

mod process;
mod service;
mod worker;

use std::error::Error;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use arize_api_keys::{ApiKeyType, ApiKeysClient, Clock, ListRequest, RetryPolicy, SystemClock, time};

use crate::process::{average, files, resident_kib, threads};
use crate::service::{Service, serve};
use crate::worker::{Books, Worker};

const CALLS: u64 = 200_000;
const THREADS: u64 = 16;
const SEED: u64 = 2026;
/// A run of at least this many calls must meet every kind of fault; otherwise it fails.
const ENOUGH: u64 = 10_000;
/// Memory of the allocator may vary by this much between two averages.
const SLACK_KIB: u64 = 1024;

type Outcomes<T> = Result<T, Box<dyn Error + Send + Sync>>;

fn main() -> Outcomes<ExitCode> {
    match std::env::args().nth(1).as_deref() {
        Some("--serve") => serve().map(|()| ExitCode::SUCCESS),
        Some(calls) => soak(calls.parse()?),
        None => soak(CALLS),
    }
}

/// The system's clock, except that it sleeps for at most a millisecond.
struct Hurried;

impl Clock for Hurried {
    fn now(&self) -> time::OffsetDateTime {
        SystemClock.now()
    }

    fn elapsed(&self) -> Duration {
        SystemClock.elapsed()
    }

    fn sleep(&self, duration: Duration) {
        SystemClock.sleep(duration.min(Duration::from_millis(1)));
    }

    fn jitter(&self, max: Duration) -> Duration {
        SystemClock.jitter(max)
    }
}

fn soak(calls: u64) -> Outcomes<ExitCode> {
    let (mut service, port, key) = Service::start()?;
    let before = service.tell("storm")?;
    let own_before = (threads(), files());
    let client = ApiKeysClient::builder()
        .ignore_env()
        .scheme("http")
        .host("127.0.0.1")
        .port(port)
        .api_key(key)
        .retry(RetryPolicy::default().base_delay(Duration::from_millis(1)))
        .clock(Hurried)
        .build()?;

    let started = Instant::now();
    let made = AtomicU64::new(0);
    let (books, memory) = thread::scope(|scope| -> Outcomes<_> {
        let workers: Vec<_> = (0..THREADS)
            .map(|number| {
                let worker = Worker::new(client.clone(), number, &made);
                scope.spawn(move || worker.run(calls))
            })
            .collect();
        let mut memory = Vec::new();
        while !workers.iter().all(thread::ScopedJoinHandle::is_finished) {
            memory.extend(resident_kib().map(|kib| (made.load(Ordering::Relaxed), kib)));
            thread::sleep(Duration::from_millis(50));
        }
        let mut books = Books::default();
        for worker in workers {
            books.add(worker.join().map_err(|_| "a thread has panicked")??);
        }
        Ok((books, memory))
    })?;
    let took = started.elapsed();
    let mut wrong = books.wrong.clone();
    let mut expect = |what: &str, found: u64, expected: u64| {
        if found != expected {
            wrong.push(format!("{what}: {found}, and not {expected}"));
        }
    };

    let report = service.tell("calm")?;
    expect("keys created, and those that callers know of", report.created, books.created);
    expect("keys refreshed, and what callers know of", report.refreshed, books.refreshed);
    expect("secrets sent whole, and those that callers have", report.secrets, books.secrets);
    for key_type in [ApiKeyType::User, ApiKeyType::Service] {
        let keys = client.list_all(&ListRequest::new().key_type(key_type)).collect::<Result<Vec<_>, _>>()?;
        let strays = keys.iter().filter(|key| key.name.starts_with("soak-")).count();
        expect("live keys that no caller knows", strays as u64, 0);
    }

    drop(client);
    let mut after = service.tell("report")?;
    let mut own_after = (threads(), files());
    // The last threads on either side may still be on their way out.
    for _ in 0..50 {
        if (after.threads, after.files) == (before.threads, before.files) && own_after == own_before {
            break;
        }
        thread::sleep(Duration::from_millis(100));
        after = service.tell("report")?;
        own_after = (threads(), files());
    }
    expect("threads of the service", after.threads, before.threads);
    expect("open connections and files of the service", after.files, before.files);
    expect("threads of the client", own_after.0.unwrap_or(0), own_before.0.unwrap_or(0));
    expect("open connections and files of the client", own_after.1.unwrap_or(0), own_before.1.unwrap_or(0));

    let made = made.into_inner();
    let (early, late) = (average(&memory, made / 4..made / 2), average(&memory, made / 4 * 3..made));
    match (early, late) {
        (Some(early), Some(late)) if late > early + SLACK_KIB => {
            wrong.push(format!("memory grew from {early} KiB to {late} KiB"));
        }
        (Some(_), Some(_)) => {}
        _ if cfg!(target_os = "linux") && made >= ENOUGH => wrong.push("memory was not measured".to_owned()),
        _ => {}
    }
    for (what, met) in [
        ("fault", report.faults),
        ("call that failed", books.failed),
        ("outcome in doubt", books.doubts),
        ("secret that was saved from a broken answer", books.rescued),
    ] {
        if met == 0 && made >= ENOUGH {
            wrong.push(format!("not one {what}"));
        }
    }

    let seconds = took.as_secs_f64();
    println!("{made} calls by {THREADS} threads in {seconds:.1} s ({:.0}/s)", made as f64 / seconds);
    println!("{} requests, {} of them with a fault", report.requests, report.faults);
    println!("calls that failed: {}; outcome unknown or answer lost: {}", books.failed, books.doubts);
    println!("keys created {}, refreshed {}, secrets received {}", books.created, books.refreshed, books.secrets);
    println!("of these, saved from answers that broke off: {}", books.rescued);
    let told = |before: Option<u64>, after: Option<u64>| match (before, after) {
        (Some(before), Some(after)) => format!("{before} -> {after}"),
        _ => "not known".to_owned(),
    };
    println!(
        "threads of the client {}, of the service {}",
        told(own_before.0, own_after.0),
        told(Some(before.threads), Some(after.threads))
    );
    println!(
        "open files of the client {}, of the service {}",
        told(own_before.1, own_after.1),
        told(Some(before.files), Some(after.files))
    );
    println!("memory of the client {} KiB", told(early, late));
    for wrong in &wrong {
        eprintln!("WRONG: {wrong}");
    }
    Ok(if wrong.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
