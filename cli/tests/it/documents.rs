//! The console blocks of README.md and docs/: each runs here, and prints what the page says. `UPDATE_EXPECT=1` writes the
//! output of commands that print something else into the page.
//!
//! A block is a shell script: a line that starts with `$ ` is a command, lines that start with `> ` continue it, and the rest is
//! its output. `…` in the output matches any text. Blocks of a page run in their order, in one directory, against an
//! emulator with the account of `data/account.json`.
//!
//! On the pages it is always [`TODAY`]. The program takes its time from the system, so all times are shifted: those of
//! commands and of the account by the time since then, those of the output back, down to the full hour.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use arize_api_keys::emulator::{AccountSpec, Emulator, EmulatorServer, ManualClock};
use arize_api_keys::time::format_description::well_known::Rfc3339;
use arize_api_keys::time::{Duration, OffsetDateTime};
use arize_api_keys::{ApiKeysClient, ListRequest};
use tempfile::TempDir;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
const TODAY: &str = "2026-11-23T12:00:00Z";
/// Ends the output of a command.
const END: char = '\u{1}';

/// A command and its output, as on the page.
struct Example {
    command: String,
    output: String,
}

/// A stretch of a page.
enum Part {
    /// Copied as it is.
    Text(String),
    Console(Vec<Example>),
}

#[test]
fn console_blocks_print_what_the_pages_say() {
    let pages = pages();
    let differences: Vec<String> = std::thread::scope(|scope| {
        let runs: Vec<_> = pages.iter().map(|page| scope.spawn(|| run(page))).collect();
        runs.into_iter().flat_map(|run| run.join().unwrap()).collect()
    });
    assert!(differences.is_empty(), "run again with UPDATE_EXPECT=1, and read the pages\n{}", differences.join("\n"));
}

#[test]
fn output_is_compared_with_wildcards() {
    for (expected, actual, fits) in [
        ("a\n", "a\n", true),
        ("a … c", "a b c", true),
        ("a …", "a b\nc", true),
        ("… c", "a b", false),
        ("a…a", "a", false),
        ("a", "ab", false),
        ("…b", "ab ab", true),
    ] {
        assert_eq!(matches(expected, actual), fits, "{expected:?} {actual:?}");
    }
    let later = Duration::days(3);
    assert_eq!(shift("at 2026-11-23T12:34:56.7Z", later, true), "at 2026-11-26T12:00:00Z");
    assert_eq!(
        shift("from 2026-11-23 to 2026-11-24T12:34:56Z", later, false),
        "from 2026-11-23 to 2026-11-27T12:34:56Z"
    );
}

/// README.md and the pages of docs/.
fn pages() -> Vec<PathBuf> {
    let docs = fs::read_dir(Path::new(ROOT).join("docs")).unwrap().map(|entry| entry.unwrap().path());
    let mut pages: Vec<PathBuf> = docs.filter(|path| path.extension().is_some_and(|end| end == "md")).collect();
    pages.push(Path::new(ROOT).join("README.md"));
    pages.sort();
    pages
}

/// Runs the blocks of a page. Returns the differences.
fn run(page: &Path) -> Vec<String> {
    let text = fs::read_to_string(page).unwrap();
    let mut parts = parse(&text);
    if !parts.iter().any(|part| matches!(part, Part::Console(_))) {
        return Vec::new();
    }
    let world = World::new();
    let mut differences = Vec::new();
    for part in &mut parts {
        let Part::Console(examples) = part else { continue };
        let outputs = world.run(examples);
        for (example, output) in examples.iter_mut().zip(outputs) {
            if !matches(&example.output, &output) {
                let Example { command, output: expected } = &example;
                differences.push(format!("{}: $ {command}\n{expected}--- prints\n{output}", page.display()));
                example.output = output;
            }
        }
    }
    if std::env::var_os("UPDATE_EXPECT").is_some() && !differences.is_empty() {
        fs::write(page, parts.iter().map(Part::to_string).collect::<String>()).unwrap();
        return Vec::new();
    }
    differences
}

fn parse(text: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    for (n, piece) in text.split("```console\n").enumerate() {
        let (block, rest) = if n == 0 { ("", piece) } else { piece.split_once("```\n").expect("the block ends") };
        if n > 0 {
            parts.push(Part::Console(examples(block)));
        }
        parts.push(Part::Text(rest.to_owned()));
    }
    parts
}

fn examples(block: &str) -> Vec<Example> {
    let mut examples: Vec<Example> = Vec::new();
    for line in block.lines() {
        if let Some(command) = line.strip_prefix("$ ") {
            examples.push(Example { command: command.to_owned(), output: String::new() });
            continue;
        }
        let last = examples.last_mut().expect("a block starts with a command");
        match line.strip_prefix("> ").filter(|_| last.output.is_empty()) {
            Some(more) => last.command.push_str(&format!("\n{more}")),
            None => last.output.push_str(&format!("{line}\n")),
        }
    }
    examples
}

impl std::fmt::Display for Part {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Console(examples) => {
                f.write_str("```console\n")?;
                for Example { command, output } in examples {
                    write!(f, "$ {}\n{output}", command.replace('\n', "\n> "))?;
                }
                f.write_str("```\n")
            }
        }
    }
}

/// An emulator, and a directory for the files of a page.
struct World {
    server: EmulatorServer,
    admin_key: String,
    directory: TempDir,
    /// The time from [`TODAY`] to the time of this run.
    offset: Duration,
}

impl World {
    fn new() -> Self {
        let now = OffsetDateTime::now_utc().replace_nanosecond(0).unwrap();
        let offset = now - OffsetDateTime::parse(TODAY, &Rfc3339).unwrap();
        let account = shift(include_str!("../data/account.json"), offset, false);
        let clock = ManualClock::at(now - Duration::days(6));
        let account = AccountSpec::from_json(&account).unwrap();
        let emulator = Emulator::builder().seed(7).clock(clock.clone()).account(account).build();
        use_key(&emulator, "ak-of-the-etl-job-in-the-documents");
        clock.set(now);
        use arize_api_keys::ExposeSecret;
        let admin_key = emulator.admin_key().expose_secret().to_owned();
        Self { server: emulator.serve().unwrap(), admin_key, directory: TempDir::new().unwrap(), offset }
    }

    /// The output of each command of a block.
    fn run(&self, examples: &[Example]) -> Vec<String> {
        let mut script = "exec 2>&1\n".to_owned();
        for example in examples {
            let command = shift(&example.command, self.offset, false);
            // The next command sees the status of this one.
            script.push_str(&format!("{command}\nstatus=$?; printf '\\001'; (exit $status)\n"));
        }
        let mut shell = Command::new("sh");
        shell.arg("-c").arg(script).current_dir(&self.directory).env_clear();
        shell.envs(std::env::vars_os().filter(|(name, _)| name == "LLVM_PROFILE_FILE"));
        let programs = Path::new(env!("CARGO_BIN_EXE_arize-keys")).parent().unwrap().display();
        shell.env("PATH", format!("{programs}:{}", std::env::var("PATH").unwrap())).env("HOME", self.directory.path());
        shell.env("ARIZE_API_KEY", &self.admin_key).env("ARIZE_KEYS_NO_WARNING", "1");
        shell.env("ARIZE_API_SCHEME", "http").env("ARIZE_API_HOST", self.server.addr().to_string());
        let output =
            assert_cmd::Command::from_std(shell).timeout(std::time::Duration::from_secs(120)).output().unwrap();
        let output = String::from_utf8(output.stdout).unwrap();
        let output = output.replace(&self.server.addr().to_string(), "127.0.0.1:4010");
        let output = shift(&without_secrets(&output), -self.offset, true);
        let outputs: Vec<String> = output.split_terminator(END).map(with_newline).collect();
        assert_eq!(outputs.len(), examples.len(), "{output}");
        outputs
    }
}

fn use_key(emulator: &Emulator, secret: &str) {
    let client = ApiKeysClient::builder().ignore_env().api_key(secret).transport(emulator.clone()).build().unwrap();
    client.list(&ListRequest::new()).unwrap();
}

/// The output of a command without a newline at its end, like that of `printf`, fills its line on the page.
fn with_newline(output: &str) -> String {
    if output.is_empty() || output.ends_with('\n') { output.to_owned() } else { format!("{output}\n") }
}

/// Whether a text is the expected one, in which `…` matches any text.
fn matches(expected: &str, actual: &str) -> bool {
    let Some((first, rest)) = expected.split_once('…') else { return expected == actual };
    let Some(mut left) = actual.strip_prefix(first) else { return false };
    let (middle, last) = rest.rsplit_once('…').map_or((None, rest), |(middle, last)| (Some(middle), last));
    for piece in middle.into_iter().flat_map(|middle| middle.split('…')) {
        let Some(at) = left.find(piece) else { return false };
        left = &left[at + piece.len()..];
    }
    left.ends_with(last)
}

/// The text with `ak-…` for every secret. Redacted forms are shorter.
fn without_secrets(text: &str) -> String {
    let mut pieces = text.split("ak-");
    let mut found = pieces.next().unwrap().to_owned();
    for piece in pieces {
        let end = piece.find(|c: char| !c.is_ascii_alphanumeric() && !"-_".contains(c)).unwrap_or(piece.len());
        found.push_str("ak-");
        found.push_str(if end > 20 { "…" } else { &piece[..end] });
        found.push_str(&piece[end..]);
    }
    found
}

/// The text with every RFC 3339 time in UTC moved.
fn shift(text: &str, by: Duration, to_the_hour: bool) -> String {
    let mut shifted = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('T') {
        let begin = at.checked_sub(10).filter(|begin| rest.is_char_boundary(*begin)).unwrap_or(at);
        let end = rest[at..].find('Z').map_or(at, |end| at + end + 1);
        match OffsetDateTime::parse(&rest[begin..end], &Rfc3339) {
            Ok(time) => {
                let mut time = time + by;
                if to_the_hour {
                    time = time.replace_nanosecond(0).unwrap().replace_second(0).unwrap().replace_minute(0).unwrap();
                }
                shifted.push_str(&format!("{}{}", &rest[..begin], time.format(&Rfc3339).unwrap()));
                rest = &rest[end..];
            }
            Err(_) => {
                shifted.push_str(&rest[..=at]);
                rest = &rest[at + 1..];
            }
        }
    }
    shifted + rest
}
