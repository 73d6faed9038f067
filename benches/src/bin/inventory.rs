//! The inventory of a large account, and `audit` of a small one, against the served emulator: `inventory <arize-keys>`.
//!
//! The program starts itself for each part: `serve` is the emulator, the others are the client, one a process.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitCode, Stdio};
use std::{env, fs};

use arize_api_keys::emulator::{AccountSpec, Emulator};
use arize_api_keys::{
    ApiKey, ApiKeyType, ApiKeysClient, ExposeSecret, InventoryRequest, ListRequest, ListSpacesRequest, SpaceRef,
};
use arize_api_keys_benches::Fallible;
use cpu_time::ProcessTime;

/// The size of an account.
#[derive(Clone, Copy)]
struct Account {
    spaces: usize,
    /// Service keys in each space.
    keys: usize,
    /// A name of 30 bytes in place of 10, half of the keys with a description of 33, a fifth with a time of last use: the texts take
    /// much of the memory of an inventory.
    long_texts: bool,
}

const LARGE: Account = Account { spaces: 1000, keys: 100, long_texts: false };
/// 20 keys: two are the admin's.
const SMALL: Account = Account { spaces: 3, keys: 6, long_texts: true };

/// Rounds of the comparison of CPU times. The smallest time of each side counts: other work only adds to it.
const ROUNDS: usize = 5;

fn main() -> Fallible<ExitCode> {
    let args: Vec<String> = env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["serve", spaces, keys, long_texts] => {
            serve(Account { spaces: spaces.parse()?, keys: keys.parse()?, long_texts: long_texts.parse()? })?
        }
        ["empty"] => println!("0 0 {}", peak()?),
        ["inventory", threads, url, secret] => report(inventory(&client(url, secret)?, threads.parse()?))?,
        ["walk", url, secret] => report(walk(&client(url, secret)?))?,
        [program] => return measure(Path::new(program)),
        _ => return Err("usage: inventory <path of arize-keys>".into()),
    }
    Ok(ExitCode::SUCCESS)
}

/// Serves an account, and prints the number of requests for each line of the input, until that ends.
fn serve(Account { spaces, keys, long_texts }: Account) -> Fallible {
    let names: Vec<_> = (0..spaces).map(|n| serde_json::json!({"name": format!("space-{n}")})).collect();
    let service_keys = (0..spaces * keys).map(|n| {
        let space = format!("space-{}", n / keys);
        serde_json::json!({
            "name": format!("{}-{n:06}", if long_texts { "deploy-pipeline-staging" } else { "key" }),
            "description": (long_texts && n % 2 == 0).then_some("rotated weekly by the release job"),
            "last_used_at": (long_texts && n % 5 == 0).then_some("2026-05-04T09:15:27Z"),
            "service": {"organizations": [{"organization": "acme", "spaces": [{"space": space}]}]},
        })
    });
    // One key of the admin is there without being listed here.
    let user_key = serde_json::json!({"name": "laptop"});
    let account = serde_json::json!({
        "organizations": [{"name": "acme", "spaces": names}],
        "keys": service_keys.chain([user_key]).collect::<Vec<_>>(),
    });
    let emulator = Emulator::builder().account(AccountSpec::from_json(&account.to_string())?).build();
    let server = emulator.serve()?;
    println!("http://127.0.0.1:{} {}", server.port(), emulator.admin_key().expose_secret());
    for line in std::io::stdin().lines() {
        line?;
        println!("{}", emulator.requests());
    }
    Ok(())
}

fn client(url: &str, secret: &str) -> Fallible<ApiKeysClient> {
    Ok(ApiKeysClient::builder().ignore_env().url(url).api_key(secret).on_warning(|_| {}).build()?)
}

fn inventory(client: &ApiKeysClient, threads: usize) -> Fallible<usize> {
    let inventory = client.inventory(&InventoryRequest::new().concurrency(threads))?;
    if inventory.unread.is_empty() { Ok(inventory.keys.len()) } else { Err("a scope was not read".into()) }
}

/// The same pages, one after the other, and the same keys kept.
fn walk(client: &ApiKeysClient) -> Fallible<usize> {
    let list = || ListRequest::new().limit(100);
    let mut keys: Vec<ApiKey> = client.list_all(&list().key_type(ApiKeyType::User)).collect::<Result<_, _>>()?;
    for space in client.list_spaces(&ListSpacesRequest::new()) {
        let request = list().key_type(ApiKeyType::Service).space(SpaceRef::id(space?.id));
        for key in client.list_all(&request) {
            keys.push(key?);
        }
    }
    Ok(keys.len())
}

/// Prints the number of keys, the CPU time in microseconds, and the peak of memory in kB.
fn report(keys: Fallible<usize>) -> Fallible {
    println!("{} {} {}", keys?, ProcessTime::now().as_duration().as_micros(), peak()?);
    Ok(())
}

fn peak() -> Fallible<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no peak of memory")?;
    Ok(peak.trim().trim_end_matches(" kB").parse()?)
}

/// The emulator in a separate process, which ends when this value is dropped.
struct Served {
    process: Child,
    questions: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    url: String,
    secret: String,
}

impl Served {
    fn start(account: Account) -> Fallible<Self> {
        let Account { spaces, keys, long_texts } = account;
        let mut process = Command::new(env::current_exe()?)
            .args(["serve", &spaces.to_string(), &keys.to_string(), &long_texts.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let questions = process.stdin.take();
        let mut answers = BufReader::new(process.stdout.take().ok_or("the emulator has no output")?);
        let mut line = String::new();
        answers.read_line(&mut line)?;
        let (url, secret) = line.trim().split_once(' ').ok_or("the emulator has no address")?;
        let (url, secret) = (url.to_owned(), secret.to_owned());
        Ok(Self { process, questions, answers, url, secret })
    }

    fn requests(&mut self) -> Fallible<u64> {
        writeln!(self.questions.as_mut().ok_or("the emulator has no input")?)?;
        let mut line = String::new();
        self.answers.read_line(&mut line)?;
        Ok(line.trim().parse()?)
    }

    /// Runs this program on the account, behind another one: keys, CPU time in microseconds, peak of memory in kB.
    fn run(&self, before: &[&str], what: &[&str]) -> Fallible<([u64; 3], String)> {
        let program = env::current_exe()?;
        let program = program.to_str().ok_or("the path of this program is not UTF-8")?;
        let words = [before, &[program], what, &[&self.url, &self.secret]].concat();
        let (stdout, stderr) = run(Command::new(words[0]).args(&words[1..]))?;
        let mut numbers = stdout.split_whitespace().map(str::parse);
        let mut next = || -> Fallible<u64> { Ok(numbers.next().ok_or("a number is missing")??) };
        Ok(([next()?, next()?, next()?], stderr))
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        drop(self.questions.take());
        let _ = self.process.wait();
    }
}

fn run(command: &mut Command) -> Fallible<(String, String)> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    // 13: the audit found something.
    if !matches!(output.status.code(), Some(0 | 13)) {
        return Err(format!("{command:?}: {}\n{stderr}", output.status).into());
    }
    Ok((String::from_utf8_lossy(&output.stdout).into_owned(), stderr))
}

fn measure(arize_keys: &Path) -> Fallible<ExitCode> {
    let mut missed = 0;
    let mut row = |name: &str, value: f64, goal: f64, is_exact: bool| {
        let is_reached = if is_exact { value == goal } else { value <= goal };
        // Only these repeat exactly, and may fail a check.
        missed += usize::from(is_exact && !is_reached);
        let (sign, note) = (if is_exact { '=' } else { '≤' }, if is_reached { "" } else { "  not reached" });
        println!("{name:<62} {value:>10.2}   {sign} {goal}{note}");
    };

    let mut large = Served::start(LARGE)?;
    let keys = (LARGE.spaces * LARGE.keys + 2) as u64;
    // The list of spaces, the user keys, and the service keys of each space: 100 items a page.
    let pages = LARGE.spaces.div_ceil(100) + 1 + LARGE.spaces * LARGE.keys.div_ceil(100);
    for threads in ["1", "8"] {
        let before = large.requests()?;
        let ([found, ..], _) = large.run(&[], &["inventory", threads])?;
        row(&format!("{keys} keys, {threads} threads: keys"), found as f64, keys as f64, true);
        let requests = large.requests()? - before;
        row(&format!("{keys} keys, {threads} threads: requests"), requests as f64, pages as f64, true);
    }
    let (mut inventory, mut walk) = (u64::MAX, u64::MAX);
    let mut peak = 0;
    for _ in 0..ROUNDS {
        let ([_, time, kilobytes], _) = large.run(&[], &["inventory", "1"])?;
        (inventory, peak) = (inventory.min(time), peak.max(kilobytes));
        walk = walk.min(large.run(&[], &["walk"])?.0[1]);
    }
    println!("CPU time: inventory {} ms, list_all {} ms", inventory / 1000, walk / 1000);
    row("CPU time against list_all one after the other", inventory as f64 / walk as f64, 1.3, false);
    let (empty, _) = run(Command::new(env::current_exe()?).arg("empty"))?;
    let empty: u64 = empty.split_whitespace().nth(2).ok_or("no peak of memory")?.parse()?;
    let a_key = |peak: u64| peak.saturating_sub(empty) as f64 * 1024.0 / keys as f64;
    row("peak memory over the empty program, bytes a key", a_key(peak), 600.0, false);
    let long = Served::start(Account { long_texts: true, ..LARGE })?;
    let ([_, _, peak], _) = long.run(&[], &["inventory", "1"])?;
    println!("the same for keys with long texts: {:.0}", a_key(peak));
    drop(long);
    let one_space = Served::start(Account { spaces: 1, keys: LARGE.spaces * LARGE.keys, ..LARGE })?;
    for threads in ["1", "8"] {
        let ([_, _, peak], _) = one_space.run(&[], &["inventory", threads])?;
        row(&format!("the same for one space, {threads} threads"), a_key(peak), 600.0, false);
    }
    drop(one_space);
    for threads in ["1", "8"] {
        let trace = ["strace", "-f", "-e", "trace=connect", "-o", "/dev/stderr"];
        let (_, calls) = large.run(&trace, &["inventory", threads])?;
        let connections = calls.lines().filter(|line| line.contains("connect(") && line.contains("AF_INET")).count();
        row(&format!("connections of {threads} threads"), connections as f64, threads.parse()?, true);
    }
    drop(large);

    let small = Served::start(SMALL)?;
    let valgrind = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"];
    let (_, walk) = small.run(&valgrind, &["walk"])?;
    let mut audit = Command::new(valgrind[0]);
    audit.args(&valgrind[1..]).arg(arize_keys).args(["audit", "-q", "-o", "json", "--url", &small.url]);
    let (_, audit) = run(audit.env("ARIZE_API_KEY", &small.secret))?;
    let (walk, audit) = (instructions(&walk)?, instructions(&audit)?);
    println!("instructions: audit {:.0} k, its list calls {:.0} k", audit / 1000.0, walk / 1000.0);
    row("audit of 3 spaces and 20 keys against its list calls: instructions", audit / walk, 2.5, false);
    Ok(if missed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn instructions(report: &str) -> Fallible<f64> {
    let (_, count) = report.rsplit_once("Collected :").ok_or("callgrind counted nothing")?;
    Ok(count.split_whitespace().next().unwrap_or_default().parse()?)
}
