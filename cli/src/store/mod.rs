//! Where a new secret goes: to stdout, into a file, or to a pipe. Every obstacle that can be found before the secret exists is
//! found then.

mod lock;
mod paths;
mod rescue;
mod stream;
mod target;

use std::fmt;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use arize_api_keys::secrecy::SecretString;
use arize_api_keys::{ApiKeyCreated, ExposeSecret};

use self::lock::Lock;
pub(crate) use self::rescue::Rescue;
use self::stream::Stream;
use self::target::Target;
use crate::args::{Format, SecretTo};
use crate::console::Console;
use crate::failure::{Code, Failure};
use crate::output;
use crate::redact::is_unsafe;
use crate::system::{File, System};

/// How long a lock and the reader of a FIFO are waited for, without `--timeout`.
const PATIENCE: Duration = Duration::from_secs(60);

/// A place for one secret, ready to take it. A file stays locked until this is dropped.
pub(crate) struct Store {
    system: Arc<dyn System>,
    place: Place,
    /// The lock of a file.
    _lock: Option<Lock>,
}

enum Place {
    Stdout { out: Box<dyn File>, format: Format },
    File(Target),
    Stream(Stream),
}

/// The reason why a secret was not stored.
#[derive(Debug)]
pub(crate) struct NotStored(String);

impl fmt::Display for NotStored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Store {
    /// Before anything is created: locks the file, and proves that the place can take a secret.
    pub(crate) fn prepare(to: &SecretTo, console: &Console) -> Result<Self, Failure> {
        let system = Arc::clone(&console.system);
        let (path, env_name) = match (&to.out, &to.env_file) {
            (Some(path), _) => (path, None),
            (None, Some(path)) => (path, Some(to.env_name.as_str())),
            (None, None) => {
                let place = stdout(console.global.output, &*system)?;
                return Ok(Self { system, place, _lock: None });
            }
        };
        let patience = console.remaining().unwrap_or(PATIENCE);
        let failed = |(verb, error): (&str, io::Error)| {
            let failure = Failure::file(verb, path, &error);
            Failure { message: format!("{}; nothing was created", failure.message), ..failure }
        };
        if paths::names_a_directory(path) {
            return Err(failed(("write", io::ErrorKind::IsADirectory.into())));
        }
        if let Some(stream) = stream::open(path, env_name.is_some(), patience, console).map_err(failed)? {
            return Ok(Self { system, place: Place::Stream(stream), _lock: None });
        }
        let real = target::resolve(path, &*system).map_err(|error| failed(("write", error)))?;
        let lock = lock::acquire(&real, patience, console).map_err(|error| failed((lock::verb(&error), error)))?;
        let target = Target::prepare(path, real, env_name, patience, console).map_err(failed)?;
        Ok(Self { system, place: Place::File(target), _lock: Some(lock) })
    }

    /// Where the secret is then, for messages. `None` if it was shown.
    pub(crate) fn location(&self) -> Option<String> {
        match &self.place {
            Place::Stdout { .. } => None,
            Place::File(target) => Some(target.location()),
            Place::Stream(stream) => Some(format!("`{}`", stream.path.display())),
        }
    }

    /// The secret that the place holds now. `None` if it holds none, or cannot be read.
    pub(crate) fn current_secret(&self) -> Option<SecretString> {
        match &self.place {
            Place::File(target) => target.secret(),
            Place::Stdout { .. } | Place::Stream(_) => None,
        }
    }

    /// Stores the secret, and reads it back from a file. After an error, a file has the content that it had before, as far as
    /// it can be written at all.
    pub(crate) fn store(&mut self, created: &ApiKeyCreated) -> Result<(), NotStored> {
        let secret = created.key.expose_secret();
        // It could not be copied from a terminal, and a reader of the file would take a part of it.
        if secret.chars().any(is_unsafe) {
            return Err(NotStored("the secret has control or invisible characters in it".to_owned()));
        }
        match &mut self.place {
            Place::Stdout { out, format } => output::secret(*format, created)
                .and_then(|text| out.write_all(&text))
                .map_err(|error| NotStored(format!("stdout cannot be written: {error}"))),
            Place::Stream(stream) => {
                stream.write(&format!("{secret}\n"), &*self.system).map_err(|error| cannot_write(&stream.path, &error))
            }
            Place::File(target) => target.store(secret).map_err(|error| cannot_write(target.shown(), &error)),
        }
    }

    /// Keeps a secret that could not be stored, and that is worth keeping.
    pub(crate) fn rescue(&mut self, created: &ApiKeyCreated) -> Rescue {
        let beside = match &mut self.place {
            Place::File(target) => Some(target.give_up()),
            Place::Stdout { .. } | Place::Stream(_) => None,
        };
        rescue::keep(created.key.expose_secret(), beside, &*self.system)
    }
}

fn cannot_write(path: &Path, error: &io::Error) -> NotStored {
    NotStored(format!("cannot write `{}`: {error}", path.display()))
}

fn stdout(format: Format, system: &dyn System) -> Result<Place, Failure> {
    let stdout = system.stdout().and_then(|out| Ok((stream::keeps_nothing(&*out)?, out)));
    match stdout {
        Ok((false, out)) => Ok(Place::Stdout { out, format }),
        Ok((true, _)) => {
            let message =
                "the secret would be lost: stdout is closed, or a device that keeps nothing; nothing was created";
            Err(Failure::new(Code::Usage, message).hint("pass --out FILE or --env-file FILE"))
        }
        Err(error) => Err(Failure::new(Code::Other, format!("stdout cannot be used: {error}; nothing was created"))),
    }
}
