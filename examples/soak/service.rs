//! The service: an emulator in a second process.

use std::io::{self, BufRead, BufReader, Lines, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use arize_api_keys::ExposeSecret;
use arize_api_keys::emulator::Emulator;

use crate::process::{files, threads};
use crate::{Outcomes, SEED};

const FAULT_RATE: f64 = 0.05;

/// Runs the service on loopback: reads commands from standard input until that ends, and prints a report after each.
pub(crate) fn serve() -> Outcomes<()> {
    let emulator = Emulator::new();
    let server = emulator.serve()?;
    println!("{} {}", server.port(), emulator.admin_key().expose_secret());
    for line in io::stdin().lines() {
        match line?.as_str() {
            "storm" => emulator.inject_randomly(FAULT_RATE, SEED),
            "calm" => emulator.inject_randomly(0.0, SEED),
            _ => {}
        }
        let report = Report {
            requests: emulator.requests(),
            faults: emulator.faults_committed(),
            created: emulator.keys_created(),
            refreshed: emulator.keys_refreshed(),
            secrets: emulator.secrets_sent(),
            threads: threads().unwrap_or(0),
            files: files().unwrap_or(0),
        };
        println!("{}", report.to_line());
    }
    Ok(())
}

/// The counts of the service.
pub(crate) struct Report {
    pub(crate) requests: u64,
    pub(crate) faults: u64,
    pub(crate) created: u64,
    pub(crate) refreshed: u64,
    pub(crate) secrets: u64,
    pub(crate) threads: u64,
    pub(crate) files: u64,
}

impl Report {
    fn to_line(&self) -> String {
        let Self { requests, faults, created, refreshed, secrets, threads, files } = self;
        format!("{requests} {faults} {created} {refreshed} {secrets} {threads} {files}")
    }

    fn from_line(line: &str) -> Outcomes<Self> {
        let mut numbers = line.split(' ').map(str::parse::<u64>);
        let mut next = || numbers.next().ok_or("the report of the service is too short");
        Ok(Self {
            requests: next()??,
            faults: next()??,
            created: next()??,
            refreshed: next()??,
            secrets: next()??,
            threads: next()??,
            files: next()??,
        })
    }
}

/// The process of the service. Ends when it is dropped.
pub(crate) struct Service {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: Lines<BufReader<ChildStdout>>,
}

impl Service {
    /// The service, its port and its key.
    pub(crate) fn start() -> Outcomes<(Self, u16, String)> {
        let mut command = Command::new(std::env::current_exe()?);
        let mut child = command.arg("--serve").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let stdin = child.stdin.take();
        let stdout = BufReader::new(child.stdout.take().ok_or("no pipe")?).lines();
        let mut service = Self { child, stdin, stdout };
        let greeting = service.read()?;
        let (port, key) = greeting.split_once(' ').ok_or("no port and no key")?;
        Ok((service, port.parse()?, key.to_owned()))
    }

    pub(crate) fn tell(&mut self, word: &str) -> Outcomes<Report> {
        writeln!(self.stdin.as_mut().ok_or("no pipe")?, "{word}")?;
        Report::from_line(&self.read()?)
    }

    fn read(&mut self) -> Outcomes<String> {
        Ok(self.stdout.next().ok_or("the service has ended")??)
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        drop(self.stdin.take());
        self.child.wait().ok();
    }
}
