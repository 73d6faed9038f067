//! `emulator`: the service on this machine.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use arize_api_keys::emulator::{AccountSpec, ControlServer, Emulator, EmulatorBuilder, ManualClock};
use arize_api_keys::time::OffsetDateTime;
use arize_api_keys::{ApiStage, ExposeSecret};
use serde::Deserialize;

use crate::console::Console;
use crate::failure::{Code, Failure, printable};
use crate::output::{self, Reader};
use crate::shell::quoted;
use crate::system::{FileKind, Signal, Stream, System};
use crate::{args, input};

/// More than an account of a hundred thousand keys has, and than a key, in bytes.
const ACCOUNT_LIMIT: u64 = 256 * 1024 * 1024;
const KEY_LIMIT: u64 = 64 * 1024;

pub(crate) fn run(args: &args::Emulator, console: &Console) -> Result<(), Failure> {
    let system = &*console.system;
    // It would be removed, be it a device.
    let is_special = |path: &&PathBuf| system.metadata(path).is_ok_and(|found| found.kind != FileKind::Regular);
    if let Some(path) = args.ready_file.as_ref().filter(is_special) {
        let message = format!("--ready-file: `{}` is there and is not a regular file", printable(path.display()));
        return Err(Failure::new(Code::Usage, message));
    }
    let builder = builder(args, console)?;
    let emulator = match &args.state {
        None => builder.build(),
        Some(path) => builder.open(path).map_err(|error| {
            let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}")).unwrap_or_default();
            Failure::new(Code::Other, printable(format!("{error}{cause}")))
        })?,
    };
    for fault in &args.faults {
        emulator.inject(fault.clone());
    }
    if let Some(share) = args.fault_rate {
        emulator.inject_randomly(share, args.seed.unwrap_or_default());
    }
    if let Some(path) = &args.ready_file {
        remove_ready(path, system)?;
        check_ready(path, system)?;
    }
    let server = emulator.serve_on((args.address, args.port)).map_err(|error| {
        let address = SocketAddr::new(args.address, args.port);
        Failure::new(Code::Other, format!("cannot serve at {address}: {error}")).hint("take another --port")
    })?;
    if !args.address.is_loopback() {
        console.warning("any machine that reaches this one can use the emulator, and nothing is encrypted");
    }
    let control = args.control_port.map(|port| server.control_at(port)).transpose().map_err(|error| {
        Failure::new(Code::Other, format!("cannot serve the controls: {error}")).hint("take another --control-port")
    })?;
    let line = exports(
        server.local_addr(),
        emulator.admin_key().expose_secret(),
        args.stage,
        control.as_ref().map(ControlServer::url).as_deref(),
    );
    if output::print(line.as_bytes(), system)? == Reader::Gone {
        return Err(Failure::new(Code::Other, "the address of the emulator cannot be printed: stdout is closed"));
    }
    if system.is_terminal(Stream::Stdout) {
        console.note("paste the line into another shell to use the emulator there; Ctrl-C ends it");
    }
    // A handler, not the default effect: as process 1 of a container, the program would ignore both signals. Nothing remains
    // to be written: every change that was acknowledged is in the state file.
    let signals = system.signals(&[Signal::Interrupt, Signal::Terminate]);
    let mut signals = signals.map_err(|error| Failure::new(Code::Other, format!("cannot catch signals: {error}")))?;
    // After the handler: a script that waits for the file may end the program at once.
    if let Some(path) = &args.ready_file {
        write_ready(path, &line, system)?;
    }
    signals.next();
    args.ready_file.as_ref().map_or(Ok(()), |path| remove_ready(path, system))
}

fn builder(args: &args::Emulator, console: &Console) -> Result<EmulatorBuilder, Failure> {
    let mut builder = Emulator::builder().stage(args.stage).omit_organization_id(args.omit_organization_id);
    if let Some(seed) = args.seed {
        builder = builder.seed(seed);
    }
    if let Some(lifetime) = args.max_key_lifetime {
        builder = builder.max_key_lifetime(lifetime);
    }
    if let Some(requests) = args.rate_limit {
        builder = builder.rate_limit(requests);
    }
    if args.empty {
        builder = builder.empty();
    }
    if let Some(path) = &args.account {
        builder = builder.account(account(path, console)?);
    }
    let in_file = args.admin_key_file.as_ref().map(|path| key_in(path, console)).transpose()?;
    if let Some(key) = in_file.as_deref().or(args.admin_key.as_deref()) {
        let option = if in_file.is_some() { "--admin-key-file" } else { "--admin-key" };
        builder = builder.admin_key(key).map_err(|error| {
            let text = error.to_string();
            let problem = text.strip_prefix("`admin_key`: ").unwrap_or(&text);
            Failure::new(Code::Usage, format!("{option}: {problem}"))
        })?;
    }
    Ok(builder.clock(clock(args.time, args.standing_clock, &*console.system)))
}

fn clock(time: Option<OffsetDateTime>, stands: bool, system: &dyn System) -> ManualClock {
    if stands {
        return ManualClock::at(time.unwrap_or_else(|| system.now()));
    }
    let clock = ManualClock::running();
    if let Some(time) = time {
        clock.set(time);
    }
    clock
}

fn account(path: &Path, console: &Console) -> Result<AccountSpec, Failure> {
    let text = input::read_text(path, ACCOUNT_LIMIT, console).map_err(|error| Failure::input("read", path, &error))?;
    let read = if path.extension().is_some_and(|end| end.eq_ignore_ascii_case("toml")) {
        from_toml(&text)
    } else {
        AccountSpec::from_json(&text).map_err(|error| error.to_string())
    };
    read.map_err(|error| Failure::new(Code::Usage, format!("the account in `{}`: {error}", path.display())))
}

/// The messages of the TOML parser show the line, in which a secret may stand.
fn from_toml(text: &str) -> Result<AccountSpec, String> {
    let value: serde_json::Value = toml::from_str(text).map_err(|error| {
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        format!("not TOML at line {}", before.matches('\n').count().saturating_add(1))
    })?;
    AccountSpec::deserialize(value).map_err(|error| error.to_string())
}

/// The key in a file, without the end of its line.
fn key_in(path: &Path, console: &Console) -> Result<String, Failure> {
    let text = input::read_text(path, KEY_LIMIT, console).map_err(|error| Failure::input("read", path, &error))?;
    Ok(text.trim().to_owned())
}

/// The file beside the one of --ready-file, which is written first.
fn new_ready(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    PathBuf::from(name)
}

/// Before anything is printed: whether the file can be written.
fn check_ready(path: &Path, system: &dyn System) -> Result<(), Failure> {
    let new = new_ready(path);
    let checked = remove_if_there(&new, system).and_then(|()| system.create(&new).map(drop));
    checked.and_then(|()| system.remove(&new)).map_err(|error| Failure::file("write", path, &error))
}

/// Writes the file whole: a script that sees it can read the line. It holds a key, so only its owner may read it.
fn write_ready(path: &Path, line: &str, system: &dyn System) -> Result<(), Failure> {
    let new = new_ready(path);
    let write = || {
        remove_if_there(&new, system)?;
        system.create(&new)?.write_all(line.as_bytes())?;
        system.rename(&new, path)
    };
    write().map_err(|error| {
        // It holds the key. If it cannot be removed either, the next start does it.
        drop(remove_if_there(&new, system));
        Failure::file("write", path, &error)
    })
}

fn remove_ready(path: &Path, system: &dyn System) -> Result<(), Failure> {
    remove_if_there(path, system).map_err(|error| Failure::file("remove", path, &error))
}

fn remove_if_there(path: &Path, system: &dyn System) -> io::Result<()> {
    match system.remove(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// One line for a shell, after which clients talk to the emulator there.
fn exports(addr: SocketAddr, key: &str, stage: ApiStage, control: Option<&str>) -> String {
    // The port twice: the clients differ in whether they read one from the host or from a separate variable.
    let (key, port) = (quoted(key), addr.port());
    let mut line = format!(
        "export ARIZE_API_KEY={key} ARIZE_API_SCHEME=http ARIZE_API_HOST={addr} ARIZE_API_PORT={port} \
         ARIZE_BASE_URL=http://{addr}"
    );
    if stage == ApiStage::Alpha {
        line.push_str(" ARIZE_API_STAGE=alpha");
    }
    if let Some(url) = control {
        line.push_str(" ARIZE_EMULATOR_CONTROL=");
        line.push_str(url);
    }
    // What else would send them somewhere else.
    line.push_str(" ; unset ARIZE_REGION ARIZE_SINGLE_HOST ARIZE_SINGLE_PORT ARIZE_BASE_DOMAIN ARIZE_PROXY_URL\n");
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_is_for_a_shell() {
        let line = exports("127.0.0.1:4010".parse().unwrap(), "ak-1", ApiStage::Alpha, Some("http://127.0.0.1:9"));
        assert_eq!(
            line,
            "export ARIZE_API_KEY=ak-1 ARIZE_API_SCHEME=http ARIZE_API_HOST=127.0.0.1:4010 ARIZE_API_PORT=4010 \
             ARIZE_BASE_URL=http://127.0.0.1:4010 ARIZE_API_STAGE=alpha ARIZE_EMULATOR_CONTROL=http://127.0.0.1:9 ; \
             unset ARIZE_REGION ARIZE_SINGLE_HOST ARIZE_SINGLE_PORT ARIZE_BASE_DOMAIN ARIZE_PROXY_URL\n"
        );
        assert_eq!(quoted("it's $HOME"), r"'it'\''s $HOME'");
    }
}
