//! `run`: a key for one command, revoked when the command ends.

use std::ffi::{OsStr, OsString};
use std::io::{self, ErrorKind};
use std::path::Path;
use std::time::Duration;

use arize_api_keys::secrecy::{ExposeSecret, SecretString};
use arize_api_keys::time::OffsetDateTime;
use arize_api_keys::{ApiKeyCreated, ApiKeysClient, CreateRequest, CreateServiceKeyRequest, ListRequest};

use crate::args::{Binding, Run};
use crate::commands::secret_commands::{
    UNCERTAIN_ID, announce_create, describe, how_to_revoke, invalid, report_warnings,
};
use crate::console::Console;
use crate::failure::{Code, Failure, printable, with_causes};
use crate::shell::own_key_variables;
use crate::system::{Child, Exit, Program, Signal, Signals};
use crate::times::{after, rfc3339_to_second};
use crate::{bindings, connect};

/// The time to revoke the key without `--timeout`.
const REVOKE_TIMEOUT: Duration = Duration::from_secs(30);

/// The state after a refusal.
const NO_KEY: &str = "no key was created";

/// Returns the code of the command.
pub(crate) fn run(args: &Run, console: &Console) -> Result<u8, Failure> {
    lend(args, console).map_err(|failure| match failure.code {
        Code::NotExecutable | Code::CommandNotFound => failure,
        // No failure of this program may look like one of the command.
        _ => Failure { code: Code::RunFailed, ..failure },
    })
}

fn lend(args: &Run, console: &Console) -> Result<u8, Failure> {
    let system = &*console.system;
    let Some((command, arguments)) = args.command.split_first() else {
        return Err(Failure::new(Code::Usage, "the command is missing"));
    };
    let path = system.find_program(command).map_err(|error| not_started(command, &error).state(NO_KEY))?;
    let prepare = || {
        let binding = &args.service.binding;
        let mut request = Request::new(args, binding, command, console)?;
        let client = connect::client(console)?;
        request.validate(&client, console)?;
        if let Some(binding) = bindings::resolve(binding, &client, console)? {
            request = Request::new(args, &binding, command, console)?;
            request.validate(&client, console)?;
        }
        Ok((request, client))
    };
    let (request, client) = prepare().map_err(|failure: Failure| failure.state(NO_KEY))?;
    // From here on a signal ends the command, and not this program before it has revoked the key.
    let signals = [Signal::HangUp, Signal::Interrupt, Signal::Quit, Signal::Terminate, Signal::Child];
    let mut signals = system
        .signals(&signals)
        .map_err(|error| Failure::new(Code::Other, format!("cannot catch signals: {error}")).state(NO_KEY))?;
    announce_create(&request.name, console);
    let created = request.create(&client)?;
    console.secrets.learn(&created.key);
    console.report(format_args!("created {}", describe(&created)));
    report_warnings(&created, console);
    let lent = Lent { expires_at: created.expires_at.unwrap_or(request.expires_at), created, client, console };
    let started = lent.verify().and_then(|()| match signals.try_next() {
        None => Ok(()),
        Some(_) => Err(Failure::new(Code::Other, "interrupted before the command was started")),
    });
    let started = started.and_then(|()| {
        let environment = environment(&args.env_name, &lent.created.key, console);
        let program = Program { path: &path, name: command, args: arguments, environment: &environment };
        let ttl = humantime::format_duration(args.ttl);
        console.note(format_args!("running the command; if it takes longer than {ttl}, the key stops working"));
        system.spawn(&program).map_err(|error| not_started(command, &error))
    });
    let ended = started.and_then(|mut child| {
        wait(&mut *child, &mut *signals).map_err(|error| {
            Failure::new(Code::Other, format!("how the command ended is not known: {error}; it may still run"))
        })
    });
    let revoked = lent.revoke();
    match (ended, revoked) {
        (Ok(exit), revoked) => {
            match revoked {
                Ok(()) => console.note(format_args!("revoked the key {}", lent.id())),
                Err(failure) => console.failure(&failure),
            }
            Ok(code(exit))
        }
        (Err(failure), Ok(())) => Err(failure.and(format_args!("the key {} was revoked", lent.id()))),
        (Err(failure), Err(revoke)) => {
            let message = format!("{}; {}", failure.message, revoke.message);
            Err(Failure { message, hint: revoke.hint, ..failure })
        }
    }
}

/// The request for the key.
struct Request {
    name: String,
    expires_at: OffsetDateTime,
    kind: Kind,
}

enum Kind {
    User(CreateRequest),
    Service(CreateServiceKeyRequest),
}

impl Request {
    fn new(args: &Run, binding: &Binding, command: &OsStr, console: &Console) -> Result<Self, Failure> {
        let system = &*console.system;
        let now = system.now();
        let expires_at = after(now, args.ttl)
            .ok_or_else(|| Failure::new(Code::Usage, "--ttl ends after the year 9999: pass a shorter one"))?;
        let name = match &args.name {
            Some(name) => name.clone(),
            None => default_name(now, console)?,
        };
        // Not the arguments, which may hold passwords.
        let file = Path::new(command).file_name().unwrap_or(command).to_string_lossy();
        let description = format!("created by `arize-keys run` for the command `{}`", printable(file));
        let kind = if binding.is_given() {
            let request = bindings::request(&name, binding, console)?;
            Kind::Service(request.description(description).expires_at(expires_at))
        } else {
            Kind::User(CreateRequest::new(&name).description(description).expires_at(expires_at))
        };
        Ok(Self { name, expires_at, kind })
    }

    fn validate(&self, client: &ApiKeysClient, console: &Console) -> Result<(), Failure> {
        let now = console.system.now();
        let valid = match &self.kind {
            Kind::User(request) => request.validate(now),
            Kind::Service(request) => request.validate(client.stage(), now),
        };
        valid.map_err(invalid)
    }

    fn create(&self, client: &ApiKeysClient) -> Result<ApiKeyCreated, Failure> {
        let created = match &self.kind {
            Kind::User(request) => client.create(request),
            Kind::Service(request) => client.create_service_key(request),
        };
        created.map_err(|error| {
            let failure = Failure::mint(&error, NO_KEY);
            // A secret in a refusal is not kept: no command uses it, and its key ends with --ttl.
            if failure.state.is_some() {
                return failure;
            }
            let name = printable(&self.name);
            failure
                .hint(format!("if the key `{name}` exists, it stops working at {}", rfc3339_to_second(self.expires_at)))
        })
    }
}

fn default_name(now: OffsetDateTime, console: &Console) -> Result<String, Failure> {
    let host = console.system.host_name().map_err(|error| {
        Failure::new(Code::Other, format!("the name of this host is not known: {error}")).hint("pass --name NAME")
    })?;
    Ok(format!("run:{host}:{}:{}", console.system.process_id(), rfc3339_to_second(now)))
}

/// The key of the command.
struct Lent<'a> {
    created: ApiKeyCreated,
    expires_at: OffsetDateTime,
    client: ApiKeysClient,
    console: &'a Console,
}

impl Lent<'_> {
    fn id(&self) -> String {
        printable(&self.created.id)
    }

    /// The service accepts the key in a list.
    fn verify(&self) -> Result<(), Failure> {
        let client = self.client.with_api_key(&self.created.key);
        match client.and_then(|client| client.list(&ListRequest::new().limit(1))) {
            Ok(_) => Ok(()),
            // The service knows the key and does not let it list.
            Err(error) if error.is_key_accepted() == Some(true) => Ok(()),
            Err(error) => {
                let message =
                    format!("the new key does not work: {}; the command was not started", with_causes(&error));
                Err(Failure::new(Code::Other, message))
            }
        }
    }

    fn revoke(&self) -> Result<(), Failure> {
        if self.created.has_duplicate_member() {
            let expiry = rfc3339_to_second(self.expires_at);
            let message = format!("the new key was not revoked, because {UNCERTAIN_ID}; it works until {expiry}");
            return Err(Failure::new(Code::Other, message).hint(how_to_revoke(&self.created)));
        }
        // The time of the command does not count, and that of the first calls may be over.
        let limit = self.console.global.connection.timeout.unwrap_or(REVOKE_TIMEOUT);
        self.client.with_time_limit(limit).revoke(&self.created.id).map_err(|error| {
            let (id, problem, expiry) = (self.id(), with_causes(&error), rfc3339_to_second(self.expires_at));
            Failure::new(Code::Other, format!("revoking the key {id} failed: {problem}; it works until {expiry}"))
                .hint(how_to_revoke(&self.created))
        })
    }
}

/// The variables of this program, with the new key in place of the one that it uses.
fn environment(name: &str, key: &SecretString, console: &Console) -> Vec<(OsString, OsString)> {
    let removed = own_key_variables(console);
    let is_kept = |(variable, _): &(OsString, OsString)| variable != name && !removed.contains(variable);
    let kept = console.system.variables().into_iter().filter(is_kept);
    kept.chain([(name.into(), key.expose_secret().into())]).collect()
}

fn not_started(command: &OsStr, error: &io::Error) -> Failure {
    let command = printable(command.display());
    match error.kind() {
        ErrorKind::NotFound => Failure::new(Code::CommandNotFound, format!("the command `{command}` was not found")),
        _ => Failure::new(Code::NotExecutable, format!("the command `{command}` cannot be executed: {error}")),
    }
}

fn wait(child: &mut dyn Child, signals: &mut dyn Signals) -> io::Result<Exit> {
    loop {
        if let Some(exit) = child.try_wait()? {
            return Ok(exit);
        }
        let caught = signals.next();
        // The child is in our process group: the terminal has sent it Ctrl-C and Ctrl-\, too.
        let has_it = !caught.is_from_process && matches!(caught.signal, Signal::Interrupt | Signal::Quit);
        if caught.signal != Signal::Child && !has_it {
            // It fails only if the child has ended.
            let _ = child.signal(caught.signal);
        }
    }
}

/// As shells do it.
fn code(exit: Exit) -> u8 {
    let code = match exit {
        Exit::Code(code) => code,
        Exit::Signal(signal) => signal.saturating_add(128),
    };
    u8::try_from(code).unwrap_or(u8::MAX)
}
