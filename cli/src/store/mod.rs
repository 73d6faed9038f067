//! Where a new secret goes: to stdout, into a file, or to a pipe. Every obstacle that can be found before the secret exists is
//! found then.

mod hook_mark;
mod lock;
mod paths;
mod rescue;
mod stream;
mod target;

use std::fmt;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use arize_api_keys::secrecy::SecretString;
use arize_api_keys::{ApiKeyCreated, ExposeSecret};

pub(crate) use self::hook_mark::HookMark;
use self::lock::Lock;
pub(crate) use self::rescue::Rescue;
use self::stream::Stream;
pub(crate) use self::target::secret_in;
use self::target::{NotWritten, Target};
use crate::args::{Format, SecretTo};
use crate::console::Console;
use crate::deliver::{Commands, NotTaken};
use crate::failure::{Code, Failure, NOTHING_CREATED, printable};
use crate::output;
use crate::redact::{is_like_a_key, is_unsafe};
use crate::shell::Shell;
use crate::system::{File, FileKind, System};

/// The path that means stdout.
const STDOUT: &str = "-";

/// How long a lock and the reader of a FIFO are waited for, without `--timeout`.
const PATIENCE: Duration = Duration::from_secs(60);

/// A place for one secret, ready to take it. A file stays locked until this is dropped.
pub(crate) struct Store {
    system: Arc<dyn System>,
    place: Place,
    /// They take the secret before the place does.
    commands: Commands,
    /// Set before the secret is stored.
    hook_mark: Option<HookMark>,
    /// The lock of a file.
    _lock: Option<Lock>,
}

enum Place {
    /// The commands only.
    Nowhere,
    Stdout {
        out: Box<dyn File>,
        format: Format,
    },
    File(Box<Target>),
    Stream(Stream),
}

/// The reason why a secret was not stored.
#[derive(Debug)]
pub(crate) struct NotStored {
    problem: String,
    /// The commands that took it nevertheless.
    taken: Option<String>,
    /// Whether the file may have it nevertheless.
    may_be_there: bool,
}

impl NotStored {
    fn new(problem: impl Into<String>) -> Self {
        Self { problem: problem.into(), taken: None, may_be_there: false }
    }

    /// Whether the secret is in one of several stores, or may be in the file: its key must go on to work.
    pub(crate) fn is_partial(&self) -> bool {
        self.taken.is_some() || self.may_be_there
    }
}

impl fmt::Display for NotStored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.taken {
            None => f.write_str(&self.problem),
            Some(taken) => write!(f, "{}; {taken} took it", self.problem),
        }
    }
}

impl Store {
    /// Before anything is created or changed: locks the file, and proves that the place can take a secret.
    pub(crate) fn prepare(to: &SecretTo, console: &Console) -> Result<Self, Failure> {
        let system = Arc::clone(&console.system);
        let commands = Commands::prepare(&to.to_command, Shell::new(to.command_timeout, console))?;
        let is_file_only = is_file_only(&*system)?;
        let (path, env_name) = match (&to.out, &to.env_file) {
            (Some(path), _) if path != Path::new(STDOUT) => (path, None),
            (_, Some(path)) => (path, Some(to.env_name.as_str())),
            (None, None) if !commands.is_empty() => {
                return Ok(Self { system, place: Place::Nowhere, commands, hook_mark: None, _lock: None });
            }
            (_, None) if is_file_only => return Err(printing_is_refused()),
            (_, None) => {
                let place = stdout(console.global.output, &*system)?;
                return Ok(Self { system, place, commands, hook_mark: None, _lock: None });
            }
        };
        let patience = console.remaining().unwrap_or(PATIENCE);
        let failed = |(verb, error): (&str, io::Error)| Failure::file(verb, path, &error);
        if is_file_only && stream::is_standard(path, &*system) {
            return Err(printing_is_refused());
        }
        if paths::names_a_directory(path) {
            return Err(failed(("write", io::ErrorKind::IsADirectory.into())));
        }
        if let Some(stream) = stream::open(path, env_name.is_some(), patience, console).map_err(failed)? {
            return Ok(Self { system, place: Place::Stream(stream), commands, hook_mark: None, _lock: None });
        }
        let real = target::resolve(path, &*system).map_err(|error| failed(("write", error)))?;
        let lock = lock::acquire(&real, patience, console).map_err(|error| failed((lock::verb(&error), error)))?;
        let target = Target::prepare(path, real, env_name, patience, console).map_err(failed)?;
        learn(target.previous.as_ref(), console);
        Ok(Self { system, place: Place::File(Box::new(target)), commands, hook_mark: None, _lock: Some(lock) })
    }

    /// Where the secret is then, for messages. `None` if it was shown.
    pub(crate) fn location(&self) -> Option<String> {
        let place = match &self.place {
            Place::Stdout { .. } => return None,
            Place::Nowhere => None,
            Place::File(target) => Some(target.location()),
            Place::Stream(stream) => Some(format!("`{}`", stream.path.display())),
        };
        let both: Vec<String> = self.commands.location().into_iter().chain(place).collect();
        Some(both.join(", "))
    }

    /// Whether the place is a file: it can be read, and is locked.
    pub(crate) fn is_file(&self) -> bool {
        matches!(self.place, Place::File(_))
    }

    /// From now on, a secret that is stored leaves a mark, which the caller removes when a command has succeeded. `None` without a
    /// file.
    pub(crate) fn leave_hook_mark(&mut self) -> Option<HookMark> {
        if let Place::File(target) = &self.place {
            self.hook_mark = Some(target.hook_mark());
        }
        self.hook_mark.clone()
    }

    /// The secret that the file holds now. `None` if it holds none, or the place is no file.
    pub(crate) fn current_secret(&self) -> Result<Option<SecretString>, Failure> {
        match &self.place {
            Place::File(target) => target.secret().map_err(|error| unreadable(target.shown(), &error)),
            Place::Nowhere | Place::Stdout { .. } | Place::Stream(_) => Ok(None),
        }
    }

    /// Whether the file has held this secret since before the request.
    pub(crate) fn had(&self, secret: &SecretString) -> bool {
        let Place::File(target) = &self.place else { return false };
        target.previous.as_ref().is_some_and(|previous| previous.expose_secret() == secret.expose_secret())
    }

    /// Stores the secret, and reads it back from a file. After an error, a file has the content that it had before, as far as
    /// it can be written at all.
    pub(crate) fn store(&mut self, created: &ApiKeyCreated) -> Result<(), NotStored> {
        let secret = created.key.expose_secret();
        // It could not be copied from a terminal, and a reader of the file would take a part of it.
        if secret.chars().any(is_unsafe) {
            return Err(NotStored::new("the secret has control or invisible characters in it"));
        }
        let Some(mark) = self.hook_mark.clone() else { return self.deliver(created) };
        let is_new = mark.set().map_err(|error| NotStored::new(cannot_write(mark.path(), &error)))?;
        self.deliver(created).inspect_err(|problem| {
            if is_new && !problem.is_partial() {
                mark.remove();
            }
        })
    }

    /// To the commands, and then into the place.
    fn deliver(&mut self, created: &ApiKeyCreated) -> Result<(), NotStored> {
        self.commands
            .deliver(created)
            .map_err(|NotTaken { problem, taken }| NotStored { taken, ..NotStored::new(problem) })?;
        let taken = self.commands.location();
        self.put(created).map_err(|problem| NotStored { taken, ..problem })
    }

    /// Into the place.
    fn put(&mut self, created: &ApiKeyCreated) -> Result<(), NotStored> {
        let secret = created.key.expose_secret();
        match &mut self.place {
            Place::Nowhere => Ok(()),
            Place::Stdout { out, format } => mask(secret, &*self.system)
                .and_then(|()| output::secret(*format, created))
                .and_then(|text| out.write_all(&text))
                .map_err(|error| NotStored::new(format!("stdout cannot be written: {error}"))),
            // It may be stdout under another name.
            Place::Stream(stream) => mask(secret, &*self.system)
                .and_then(|()| stream.write(&format!("{secret}\n"), &*self.system))
                .map_err(|error| NotStored::new(cannot_write(&stream.path, &error))),
            Place::File(target) => target.store(secret).map_err(|NotWritten { error, may_be_there }| NotStored {
                may_be_there,
                ..NotStored::new(cannot_write(target.shown(), &error))
            }),
        }
    }

    /// The message about a secret that one of several stores took. If the file may have it or not, it is kept elsewhere, too.
    pub(crate) fn partly(&mut self, problem: &NotStored, secret: &SecretString) -> String {
        if problem.may_be_there { format!("{problem}; {}", self.rescue(secret)) } else { problem.to_string() }
    }

    /// Keeps a secret that could not be stored, and that is worth keeping.
    pub(crate) fn rescue(&mut self, secret: &SecretString) -> Rescue {
        let beside = match &mut self.place {
            Place::File(target) => Some(target.give_up()),
            Place::Nowhere | Place::Stdout { .. } | Place::Stream(_) => None,
        };
        rescue::keep(secret.expose_secret(), beside, &*self.system)
    }
}

/// Whether the environment forbids to print a secret.
fn is_file_only(system: &dyn System) -> Result<bool, Failure> {
    match system.variable("ARIZE_KEYS_SECRETS").filter(|value| !value.is_empty()) {
        None => Ok(false),
        Some(value) if value == "file-only" => Ok(true),
        Some(_) => Err(Failure::new(Code::Usage, "ARIZE_KEYS_SECRETS must be `file-only`")),
    }
}

/// In GitHub Actions: hides a secret in the log before it is printed.
fn mask(secret: &str, system: &dyn System) -> io::Result<()> {
    if system.variable("GITHUB_ACTIONS").is_some_and(|value| value == "true") {
        return system.stderr(&format!("::add-mask::{secret}\n"));
    }
    Ok(())
}

fn printing_is_refused() -> Failure {
    let message = "the secret would be printed, and ARIZE_KEYS_SECRETS=file-only forbids that";
    Failure::new(Code::Usage, message).hint("pass --out FILE, --env-file FILE or --to-command CMD")
}

fn cannot_write(path: &Path, error: &io::Error) -> String {
    format!("cannot write `{}`: {error}", path.display())
}

fn unreadable(path: &Path, error: &io::Error) -> Failure {
    Failure::file("read", path, error).state(NOTHING_CREATED)
}

/// Keeps a stored key out of every output. Another text in its place is no secret.
pub(crate) fn learn(stored: Option<&SecretString>, console: &Console) {
    if let Some(key) = stored.filter(|text| is_like_a_key(text.expose_secret())) {
        console.secrets.learn(key);
    }
}

/// The secret in a file, without a lock and without a change. `None` if it holds none, or there is no file.
pub(crate) fn peek(to: &SecretTo, console: &Console) -> Result<Option<SecretString>, Failure> {
    let Some(path) = to.out.as_ref().or(to.env_file.as_ref()) else { return Ok(None) };
    let env_name = to.env_file.as_ref().map(|_| to.env_name.as_str());
    match console.system.read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(unreadable(path, &error)),
        Ok(content) => Ok(secret_in(&content, env_name)),
    }
}

/// Refuses a pipe or a device, for a command that reads the secret back in a later run.
pub(crate) fn refuse_stream(to: &SecretTo, console: &Console) -> Result<(), Failure> {
    let path = to.out.as_ref().or(to.env_file.as_ref());
    let found = path.and_then(|path| Some((path, console.system.metadata(path).ok()?)));
    match found.filter(|(_, found)| !matches!(found.kind, FileKind::Regular | FileKind::Directory)) {
        None if path.is_some_and(|path| path == Path::new(STDOUT)) => Err(no_file(Path::new(STDOUT))),
        None => Ok(()),
        Some((path, _)) => Err(no_file(path)),
    }
}

/// The path of a file from the root: the same before and after the file is created.
pub(crate) fn absolute(path: &Path, console: &Console) -> PathBuf {
    match (console.system.canonicalize(paths::directory(path)), path.file_name()) {
        (Ok(directory), Some(name)) => directory.join(name),
        _ => path.to_owned(),
    }
}

/// A path that is not that of a file.
pub(crate) fn no_file(path: &Path) -> Failure {
    let message = format!("`{}` is not a file, so that no later run could read the secret", printable(path.display()));
    Failure::new(Code::Usage, message).state(NOTHING_CREATED)
}

fn stdout(format: Format, system: &dyn System) -> Result<Place, Failure> {
    let stdout = system.stdout().and_then(|out| Ok((stream::keeps_nothing(&*out)?, out)));
    match stdout {
        Ok((false, out)) => Ok(Place::Stdout { out, format }),
        Ok((true, _)) => {
            let message = "the secret would be lost: stdout is closed, or a device that keeps nothing";
            Err(Failure::new(Code::Usage, message).hint("pass --out FILE or --env-file FILE"))
        }
        Err(error) => Err(Failure::new(Code::Other, format!("stdout cannot be used: {error}"))),
    }
}
