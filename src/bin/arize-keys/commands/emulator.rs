//! `emulator`: the service on this machine.

use std::io::{self, IsTerminal};
use std::net::Ipv4Addr;
use std::thread;

use arize_api_keys::emulator::Emulator;
use arize_api_keys::{ApiStage, ExposeSecret};

use crate::args;
use crate::exit::{Code, Failure};
use crate::output::{self, Reader};
use crate::terminal::Terminal;

pub(crate) fn run(args: &args::Emulator, terminal: Terminal) -> Result<(), Failure> {
    let mut builder = Emulator::builder().stage(args.stage).omit_organization_id(args.omit_organization_id);
    if let Some(seed) = args.seed {
        builder = builder.seed(seed);
    }
    if let Some(lifetime) = args.max_key_lifetime {
        builder = builder.max_key_lifetime(lifetime);
    }
    if args.empty {
        builder = builder.empty();
    }
    let emulator = builder.build();
    let server = emulator.serve_on((Ipv4Addr::LOCALHOST, args.port)).map_err(|error| {
        Failure::new(Code::Other, format!("cannot serve on port {}: {error}", args.port)).hint("take another --port")
    })?;

    // The port twice: the clients differ in whether they read one from the host or from a variable of its own.
    let port = server.port();
    let mut line = format!(
        "export ARIZE_API_KEY={} ARIZE_API_SCHEME=http ARIZE_API_HOST=127.0.0.1:{port} ARIZE_API_PORT={port} \
         ARIZE_BASE_URL=http://127.0.0.1:{port}",
        emulator.admin_key().expose_secret()
    );
    if args.stage == ApiStage::Alpha {
        line.push_str(" ARIZE_API_STAGE=alpha");
    }
    line.push('\n');
    if output::print(line.as_bytes())? == Reader::Gone {
        return Err(Failure::new(Code::Other, "nobody reads the address of the emulator"));
    }
    if io::stdout().is_terminal() {
        terminal.note("paste the line into another shell to use the emulator there; Ctrl-C ends it");
    }
    // Until the process is ended from outside. Everything is in memory: there is nothing to put away.
    loop {
        thread::park();
    }
}
