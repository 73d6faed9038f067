//! The emulator behind a server that fails on demand, and the program run against it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::{fs, thread};

use arize_api_keys::emulator::{Emulator, ManualClock};
use arize_api_keys::time::{Duration, OffsetDateTime};
use arize_api_keys::{ApiKeyCreated, ApiKeysClient, CreateRequest, ExposeSecret, Transport, http};
use tempfile::TempDir;

/// The treatment of a request.
pub(crate) enum Answer {
    /// The response of the emulator.
    Honest,
    /// This status, with an empty body; the emulator never hears of the request.
    Status(u16),
    /// This status with this content type and body; the emulator never hears of the request.
    Body(u16, &'static str, &'static str),
    /// Nothing: the connection is closed. The emulator never hears of the request.
    Nothing,
    /// The emulator processes the request, but the response is lost.
    Lost,
    /// The emulator processes the request, and the response never comes.
    Silence,
}

type Rule = Box<dyn Fn(&http::Request<Vec<u8>>) -> Answer + Send + Sync>;

/// The service, and a directory for files.
pub(crate) struct Service {
    pub(crate) emulator: Emulator,
    pub(crate) clock: ManualClock,
    pub(crate) dir: TempDir,
    port: u16,
    shared: Arc<Shared>,
    silences: Receiver<()>,
}

struct Shared {
    rule: Mutex<Rule>,
    seen: Mutex<Vec<String>>,
    silent: Mutex<Sender<()>>,
}

/// How a run ended.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Service {
    pub(crate) fn new() -> Self {
        Self::of(|builder| builder)
    }

    pub(crate) fn of(
        set_up: impl FnOnce(arize_api_keys::emulator::EmulatorBuilder) -> arize_api_keys::emulator::EmulatorBuilder,
    ) -> Self {
        let clock = ManualClock::at(OffsetDateTime::UNIX_EPOCH + Duration::days(20_000));
        let emulator = set_up(Emulator::builder().seed(7).clock(clock.clone())).build();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (silent, silences) = mpsc::channel();
        let shared = Arc::new(Shared {
            rule: Mutex::new(Box::new(|_| Answer::Honest)),
            seen: Mutex::default(),
            silent: Mutex::new(silent),
        });
        let (served, state) = (emulator.clone(), Arc::clone(&shared));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (served, state) = (served.clone(), Arc::clone(&state));
                thread::spawn(move || state.answer(&served, stream.unwrap()));
            }
        });
        Self { emulator, clock, dir: TempDir::new().unwrap(), port, shared, silences }
    }

    /// From now on.
    pub(crate) fn rule(&self, rule: impl Fn(&http::Request<Vec<u8>>) -> Answer + Send + Sync + 'static) {
        *self.shared.rule.lock().unwrap() = Box::new(rule);
    }

    /// A new directory `dir` that vanishes while a key is made or refreshed.
    pub(crate) fn vanishing_dir(&self, rule: impl Fn(&http::Request<Vec<u8>>) -> Answer + Send + Sync + 'static) {
        let dir = self.path("dir");
        fs::create_dir_all(&dir).unwrap();
        self.rule(move |request| {
            if request.method() == "POST" {
                fs::remove_dir_all(&dir).unwrap();
            }
            rule(request)
        });
    }

    /// Methods and paths of the requests so far.
    pub(crate) fn seen(&self) -> Vec<String> {
        self.shared.seen.lock().unwrap().clone()
    }

    /// Waits until a request is left without an answer.
    pub(crate) fn wait_for_silence(&self) {
        self.silences.recv_timeout(std::time::Duration::from_secs(20)).unwrap();
    }

    /// The program, set up by its environment. It runs in the directory.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_arize-keys"));
        command.args(args).current_dir(&self.dir).env_clear();
        // For measuring coverage.
        command.envs(std::env::vars_os().filter(|(name, _)| name == "LLVM_PROFILE_FILE"));
        command.env("ARIZE_API_KEY", self.emulator.admin_key().expose_secret());
        command.env("ARIZE_API_SCHEME", "http").env("ARIZE_API_HOST", format!("127.0.0.1:{}", self.port));
        command.stdin(Stdio::null());
        command
    }

    /// Runs it to its end, without the pre-release warning.
    #[track_caller]
    pub(crate) fn run(&self, args: &[&str]) -> Run {
        finish(self.command(args).env("RUST_BACKTRACE", "0"))
    }

    /// A key of the admin, made without the program.
    pub(crate) fn key(&self, name: &str) -> ApiKeyCreated {
        self.client().create(&CreateRequest::new(name)).unwrap()
    }

    /// A client of the admin that does not go through the server.
    pub(crate) fn client(&self) -> ApiKeysClient {
        let builder = ApiKeysClient::builder().ignore_env().api_key(self.emulator.admin_key());
        builder.transport(self.emulator.clone()).clock(self.clock.clone()).build().unwrap()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    #[track_caller]
    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    #[track_caller]
    pub(crate) fn write(&self, name: &str, content: &str, mode: u32) {
        fs::write(self.path(name), content).unwrap();
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(mode)).unwrap();
    }

    #[track_caller]
    pub(crate) fn mode(&self, name: &str) -> u32 {
        fs::metadata(self.path(name)).unwrap().permissions().mode() & 0o7777
    }

    /// The names of the files that are there.
    pub(crate) fn files(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.dir).unwrap();
        let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

/// Runs a command to its end. No run may show a secret on stderr, or panic.
#[track_caller]
pub(crate) fn finish(command: &mut Command) -> Run {
    let output = assert_cmd::Command::from_std(std::mem::replace(command, Command::new("true")))
        .timeout(std::time::Duration::from_secs(60))
        .output()
        .unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    assert_harmless(&err);
    Run { code: output.status.code(), out: String::from_utf8(output.stdout).unwrap(), err }
}

#[track_caller]
pub(crate) fn assert_harmless(stderr: &str) {
    assert!(!has_secret(stderr), "a secret on stderr: {stderr}");
    assert!(!stderr.contains("panicked"), "{stderr}");
}

/// Whether there is anything in a text that looks like a whole key.
pub(crate) fn has_secret(text: &str) -> bool {
    text.match_indices("ak-").any(|(at, _)| {
        let is_of_key = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        text[at..].chars().take_while(is_of_key).count() > 20
    })
}

/// An announcement without its time, which is the real one.
fn without_time(line: &str) -> String {
    match line.split_once("; if this is interrupted") {
        Some((before, after)) if !line.starts_with("1/4") => {
            let (what, _) = before.rsplit_once(" at 2").unwrap();
            format!("{what} at TIME; if this is interrupted{after}")
        }
        _ => line.to_owned(),
    }
}

impl Run {
    /// stderr without the pre-release warning, which must be there once.
    #[track_caller]
    pub(crate) fn told(&self) -> String {
        let (warnings, rest): (Vec<&str>, Vec<&str>) =
            self.err.lines().partition(|line| line.starts_with("warning: [BETA]"));
        assert_eq!(warnings.len(), 1, "{}", self.err);
        rest.iter().map(|line| format!("{}\n", without_time(line))).collect()
    }

    #[track_caller]
    pub(crate) fn succeeded(&self) -> &Self {
        assert_eq!(self.code, Some(0), "{self:?}");
        self
    }

    #[track_caller]
    pub(crate) fn failed(&self, code: i32) -> &Self {
        assert_eq!(self.code, Some(code), "{self:?}");
        self
    }
}

impl Shared {
    /// One request on a connection.
    fn answer(&self, emulator: &Emulator, mut stream: TcpStream) {
        let Some(request) = read(&stream) else { return };
        let line = format!("{} {}", request.method(), request.uri().path());
        self.seen.lock().unwrap().push(line);
        let answer = (self.rule.lock().unwrap())(&request);
        let response = match answer {
            Answer::Honest => emulator.send(request).unwrap(),
            Answer::Status(status) => http::Response::builder().status(status).body(Vec::new()).unwrap(),
            Answer::Body(status, media_type, body) => {
                let response = http::Response::builder().status(status).header("content-type", media_type);
                response.body(body.as_bytes().to_vec()).unwrap()
            }
            Answer::Nothing => return,
            Answer::Lost => {
                emulator.send(request).unwrap();
                return;
            }
            Answer::Silence => {
                emulator.send(request).unwrap();
                self.silent.lock().unwrap().send(()).unwrap();
                // Until the program is gone.
                drop(stream.read(&mut [0]));
                return;
            }
        };
        let mut head = format!(
            "HTTP/1.1 {}\r\nconnection: close\r\ncontent-length: {}\r\n",
            response.status().as_u16(),
            response.body().len()
        );
        for (name, value) in
            response.headers().iter().filter(|(name, _)| *name != "content-length" && *name != "connection")
        {
            head.push_str(&format!("{name}: {}\r\n", value.to_str().unwrap()));
        }
        head.push_str("\r\n");
        drop(stream.write_all(&[head.as_bytes(), response.body()].concat()));
    }
}

fn read(stream: &TcpStream) -> Option<http::Request<Vec<u8>>> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut words = line.split(' ');
    let mut request = http::Request::builder().method(words.next()?).uri(words.next()?);
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.parse().ok()?;
        }
        request = request.header(name, value);
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    request.body(body).ok()
}
