//! The figures that repeat: instructions, allocations, system calls, threads, connections, memory, crates.
//!
//! `figures` prints them beside the goals; `figures --check` also compares them with `recorded.json`, and fails if one has
//! grown by more than 3 %; `figures --record` writes that file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::{env, fs};

use arize_api_keys::ApiKeysClient;
use arize_api_keys_benches::peers::{self, Place};
use arize_api_keys_benches::server::Server;
use arize_api_keys_benches::{Fallible, together};
use serde::{Deserialize, Serialize};

/// The growth of a figure that does not count.
const TOLERANCE: f64 = 0.03;

/// The same for ratios to raw ureq by another toolchain than the recorded one.
const TOLERANCE_ELSEWHERE: f64 = 0.10;

/// Set-up is the same in a short and in a long run, so the difference is what the calls cost.
const SHORT: u32 = 20;
const LONG: u32 = 120;

/// The committed figures.
#[derive(Serialize, Deserialize, PartialEq)]
struct Recorded {
    /// Instructions depend on all of these.
    made_with: String,
    figures: BTreeMap<String, f64>,
}

struct Row {
    name: String,
    value: f64,
    goal: Goal,
}

#[derive(Clone, Copy)]
enum Goal {
    None,
    AtMost(f64),
    Exactly(f64),
}

impl Goal {
    fn holds(self, value: f64) -> bool {
        match self {
            Self::None => true,
            Self::AtMost(most) => value <= most,
            Self::Exactly(exact) => value == exact,
        }
    }
}

fn main() -> Fallible<ExitCode> {
    let mode = env::args().nth(1).unwrap_or_default();
    let whole = !matches!(mode.as_str(), "--check" | "--record");
    let bench = Bench { server: Server::start()? };
    let rows = bench.rows(whole)?;
    let made_with = made_with()?;

    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("recorded.json");
    let recorded: Option<Recorded> = match fs::read_to_string(&file) {
        Ok(text) => Some(serde_json::from_str(&text)?),
        Err(_) => None,
    };
    println!("made with {made_with}\n");
    println!("{:<58} {:>10} {:>10} {:>10}", "", "measured", "goal", "recorded");
    for Row { name, value, goal } in &rows {
        let goal_text = match goal {
            Goal::None => String::new(),
            Goal::AtMost(most) => format!("≤ {}", shown(*most)),
            Goal::Exactly(exact) => format!("= {}", shown(*exact)),
        };
        let before = recorded.as_ref().and_then(|recorded| recorded.figures.get(name));
        let missed = if goal.holds(*value) { "" } else { "  not reached" };
        let before = before.map_or_else(String::new, |value| shown(*value));
        println!("{name:<58} {:>10} {goal_text:>10} {before:>10}{missed}", shown(*value));
    }
    println!();
    match mode.as_str() {
        "--record" => {
            let figures = rows.into_iter().map(|row| (row.name, row.value)).collect();
            fs::write(&file, serde_json::to_string_pretty(&Recorded { made_with, figures })? + "\n")?;
            println!("recorded");
            Ok(ExitCode::SUCCESS)
        }
        "--check" => {
            let recorded = recorded.ok_or("there is no recorded.json: run benches/check --record")?;
            Ok(check(&rows, &recorded, &made_with))
        }
        _ => Ok(ExitCode::SUCCESS),
    }
}

fn shown(value: f64) -> String {
    if value.fract() == 0.0 { format!("{value}") } else { format!("{value:.2}") }
}

/// Instructions are compared as they are with the recorded ones by the same tools, and by their ratio to those of raw ureq
/// otherwise: a compiler or a C library moves both.
fn check(rows: &[Row], recorded: &Recorded, made_with: &str) -> ExitCode {
    let same_tools = recorded.made_with == made_with;
    if !same_tools {
        println!("recorded with {}: instructions are compared by their ratio to raw ureq", recorded.made_with);
    }
    let now: BTreeMap<&str, f64> = rows.iter().map(|row| (row.name.as_str(), row.value)).collect();
    let ratio = |name: &str, figures: &dyn Fn(&str) -> Option<f64>| -> Option<f64> {
        let reference = if name.contains("create") { "ureq create" } else { "ureq list(50)" };
        Some(figures(name)? / figures(&format!("{reference}: {INSTRUCTIONS}"))?)
    };
    let mut failures = 0;
    for Row { name, value, goal } in rows {
        let Some(before) = recorded.figures.get(name).copied() else {
            println!("not recorded: {name}");
            failures += 1;
            continue;
        };
        let of_client = name.starts_with("client");
        let (value, before, tolerance) = if of_client && name.ends_with(INSTRUCTIONS) && !same_tools {
            let ratios =
                (ratio(name, &|name| now.get(name).copied()), ratio(name, &|name| recorded.figures.get(name).copied()));
            let (Some(value), Some(before)) = ratios else { continue };
            (value, before, TOLERANCE_ELSEWHERE)
        } else {
            (*value, before, TOLERANCE)
        };
        if name.ends_with(MEGABYTES) {
            // Where the allocator's pages lie differs from run to run.
            if !goal.holds(value) {
                println!("above the goal: {name}");
                failures += 1;
            }
        } else if of_client && value > before * (1.0 + tolerance) {
            println!("grew from {} to {}: {name}", shown(before), shown(value));
            failures += 1;
        } else if of_client && value < before * (1.0 - tolerance) {
            println!("shrank from {} to {}, worth recording: {name}", shown(before), shown(value));
        }
        if matches!(goal, Goal::Exactly(_)) && !goal.holds(value) {
            println!("must be exact: {name}");
            failures += 1;
        }
    }
    if failures > 0 {
        println!("\n{failures} figures failed. Where the cost is meant, record it: benches/check --record");
        return ExitCode::FAILURE;
    }
    println!("nothing grew");
    ExitCode::SUCCESS
}

const INSTRUCTIONS: &str = "thousand instructions";
const MEGABYTES: &str = "peak memory in MB";

struct Bench {
    server: Server,
}

impl Bench {
    /// Only the table needs the peers that nothing is compared with in the check.
    fn rows(&self, whole: bool) -> Fallible<Vec<Row>> {
        use Goal::{AtMost, Exactly, None};
        let mut rows = Vec::new();
        let mut add = |name: String, value: f64, goal: Goal| rows.push(Row { name, value, goal });

        let others: &[&str] = if whole { &peers::PEERS[1..] } else { &["ureq"] };
        let calls = [
            ("list(50)", "length/50", [AtMost(440.0), AtMost(280.0), AtMost(34_000.0)]),
            ("create", "length/create", [AtMost(66.0), AtMost(68.0), None]),
        ];
        let mut list = 0.0;
        for (label, case, goals) in calls {
            let instructions = self.instructions("client", case)?;
            if case == "length/50" {
                list = instructions;
            }
            let (count, bytes) = self.allocations("client", case)?;
            add(format!("client {label}: {INSTRUCTIONS}"), thousands(instructions), goals[0]);
            add(format!("client {label}: allocations"), count, goals[1]);
            add(format!("client {label}: bytes allocated"), bytes.round(), goals[2]);
            for other in others {
                let instructions = self.instructions(other, case)?;
                let (count, bytes) = self.allocations(other, case)?;
                add(format!("{other} {label}: {INSTRUCTIONS}"), thousands(instructions), None);
                add(format!("{other} {label}: allocations"), count, None);
                add(format!("{other} {label}: bytes allocated"), bytes.round(), None);
            }
        }
        let chunked = self.instructions("client", "chunked/50")?;
        add("client list(50) chunked: against content-length".into(), hundredths(chunked / list), AtMost(1.03));
        if whole {
            add(
                format!("ureq list(50) chunked: {INSTRUCTIONS}"),
                thousands(self.instructions("ureq", "chunked/50")?),
                None,
            );
        }

        // The cost of an empty page is that of the request, not of the decoding.
        let decoding = self.instructions("client", "decode/100")? - self.instructions("client", "decode/0")?;
        let (with, _) = self.allocations("client", "decode/100")?;
        let (without, _) = self.allocations("client", "decode/0")?;
        add(format!("client decoding 100 keys: {INSTRUCTIONS}"), thousands(decoding), AtMost(780.0));
        add("client decoding 100 keys: allocations".into(), with - without, AtMost(460.0));
        if whole {
            for typed in ["floor", "from_str"] {
                let (count, _) = self.allocations(typed, "decode/100")?;
                let instructions = self.instructions(typed, "decode/100")?;
                add(format!("{typed} decoding 100 keys: {INSTRUCTIONS}"), thousands(instructions), None);
                add(format!("{typed} decoding 100 keys: allocations"), count, None);
            }
        }

        let port = self.server.plain.port();
        for host in ["127.0.0.1", "localhost"] {
            let (calls, threads) = self.system_calls("client", "length/50", &format!("{host}:{port}"))?;
            // One call in fifty makes one more.
            add(format!("client list(50) from {host}: system calls"), calls.round(), AtMost(6.0));
            add(format!("client list(50) from {host}: threads"), threads, Exactly(0.0));
        }
        for threads in [8, 16] {
            let opened = self.connections(threads, if whole { 10_000 } else { 2_000 })?;
            add(format!("client with {threads} threads: connections"), opened as f64, Exactly(threads as f64));
        }
        let walks: &[u32] = if whole { &[100_000, 1_000_000] } else { &[100_000] };
        for total in walks {
            let peak = self.peak("client", &format!("walk/{total}"))?;
            add(format!("client list_all of {total} keys: {MEGABYTES}"), hundredths(peak), AtMost(7.0));
        }
        add("client crates, default features".into(), crates(&[])? as f64, AtMost(39.0));
        add("client crates, no default features".into(), crates(&["--no-default-features"])? as f64, AtMost(24.0));
        Ok(rows)
    }

    fn program(&self, name: &str) -> Fallible<PathBuf> {
        Ok(env::current_exe()?.with_file_name(name))
    }

    fn address(&self) -> String {
        self.server.plain.to_string()
    }

    fn instructions(&self, peer: &str, case: &str) -> Fallible<f64> {
        let mut totals = [0.0; 2];
        for (total, calls) in totals.iter_mut().zip([SHORT, LONG]) {
            let mut valgrind = Command::new("valgrind");
            valgrind.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]).arg(self.program("measure")?);
            let report = run(valgrind.args([peer, case, &calls.to_string(), &self.address()]))?.stderr;
            let (_, count) = report.rsplit_once("Collected :").ok_or("callgrind counted nothing")?;
            *total = count.split_whitespace().next().unwrap_or_default().parse()?;
        }
        Ok((totals[1] - totals[0]) / f64::from(LONG - SHORT))
    }

    fn allocations(&self, peer: &str, case: &str) -> Fallible<(f64, f64)> {
        let report = run(Command::new(self.program("allocations")?).args([peer, case, "100", &self.address()]))?.stdout;
        let (count, bytes) = report.trim().split_once(' ').ok_or("no allocations were counted")?;
        Ok((hundredths(count.parse()?), bytes.parse()?))
    }

    /// System calls and new threads per call.
    fn system_calls(&self, peer: &str, case: &str, address: &str) -> Fallible<(f64, f64)> {
        let mut totals = [[0.0; 2]; 2];
        for (total, calls) in totals.iter_mut().zip([SHORT, LONG]) {
            let mut strace = Command::new("strace");
            strace.args(["-f", "-c", "-U", "calls,name", "-o", "/dev/stdout"]).arg(self.program("measure")?);
            let report = run(strace.args([peer, case, &calls.to_string(), address]))?.stdout;
            for line in report.lines() {
                let mut columns = line.split_whitespace();
                let (Some(Ok(count)), Some(name)) = (columns.next().map(str::parse::<f64>), columns.next()) else {
                    continue;
                };
                match name {
                    "total" => total[0] = count,
                    "clone" | "clone3" => total[1] += count,
                    _ => {}
                }
            }
        }
        let per_call = |which: usize| (totals[1][which] - totals[0][which]) / f64::from(LONG - SHORT);
        Ok((hundredths(per_call(0)), hundredths(per_call(1))))
    }

    /// How many connections that many threads open that share a client. The server takes its time, so that they need them
    /// at the same time.
    fn connections(&self, threads: usize, calls: usize) -> Fallible<usize> {
        let address = self.address();
        let client: ApiKeysClient = peers::client(Place { address: &address, route: "slow" }).build()?;
        let before = self.server.opened()?;
        together::list(&client, threads, calls, 1)?;
        Ok(self.server.opened()? - before)
    }

    /// In MB.
    fn peak(&self, peer: &str, case: &str) -> Fallible<f64> {
        let report = run(Command::new(self.program("measure")?).args([peer, case, "1", &self.address()]))?.stdout;
        Ok(report.trim().parse::<f64>()? * 1024.0 / 1e6)
    }
}

/// The crates that a program gets with the client: itself and all that it runs on.
fn crates(features: &[&str]) -> Fallible<usize> {
    let mut cargo = Command::new("cargo");
    cargo.current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    cargo.args(["tree", "--edges", "normal,no-proc-macro", "--prefix", "none", "--no-dedupe"]).args(features);
    let tree = run(&mut cargo)?.stdout;
    Ok(tree.lines().collect::<std::collections::HashSet<_>>().len())
}

fn made_with() -> Fallible<String> {
    let rustc = run(Command::new("rustc").arg("--version"))?.stdout;
    let valgrind = run(Command::new("valgrind").arg("--version"))?.stdout;
    let libc = run(Command::new("ldd").arg("--version"))?.stdout;
    let libc = libc.lines().next().unwrap_or_default().rsplit(' ').next().unwrap_or_default();
    // Both choose the way to copy memory by the features of the processor.
    let avx2 = fs::read_to_string("/proc/cpuinfo")?.contains(" avx2");
    let rustc = rustc.split(" (").next().unwrap_or_default();
    Ok(format!("{rustc}, {}, libc {libc}, {}, avx2 {avx2}", valgrind.trim(), env::consts::ARCH))
}

struct Printed {
    stdout: String,
    stderr: String,
}

fn run(command: &mut Command) -> Fallible<Printed> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    let printed = Printed {
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    };
    if !output.status.success() {
        return Err(format!("{command:?}: {}\n{}", output.status, printed.stderr).into());
    }
    Ok(printed)
}

fn thousands(value: f64) -> f64 {
    hundredths(value / 1000.0)
}

fn hundredths(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}
