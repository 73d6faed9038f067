//! Where a new secret goes: to stdout or into a file. Everything that can be found out before the secret exists is found
//! out then.

use std::fmt;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arize_api_keys::secrecy::SecretString;
use arize_api_keys::{ApiKeyCreated, ExposeSecret};

use crate::args::{Format, SecretTo};
use crate::env_file;
use crate::failure::{Code, Failure};
use crate::output;
use crate::system::{Access, File, FileKind, Metadata, System};

/// A place for one secret, ready to take it.
pub(crate) enum Store {
    Stdout {
        out: Box<dyn File>,
        format: Format,
    },
    /// A file that is replaced as a whole.
    File {
        file: Replacement,
        env_name: Option<String>,
    },
    /// A pipe or a device: written to as it is.
    Stream {
        path: PathBuf,
        stream: Box<dyn File>,
    },
}

/// Why a secret is not where it should be.
#[derive(Debug)]
pub(crate) struct NotStored(String);

impl fmt::Display for NotStored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Store {
    /// Before anything is created: the place exists, and can be written.
    pub(crate) fn prepare(to: &SecretTo, format: Format, system: &Arc<dyn System>) -> Result<Self, Failure> {
        match (&to.out, &to.env_file) {
            (Some(path), _) => Self::file(path, None, system),
            (None, Some(path)) => Self::file(path, Some(to.env_name.clone()), system),
            (None, None) => Self::stdout(format, &**system),
        }
    }

    fn stdout(format: Format, system: &dyn System) -> Result<Self, Failure> {
        let stdout = system.stdout().and_then(|out| Ok((keeps_nothing(&*out)?, out)));
        match stdout {
            Ok((false, out)) => Ok(Self::Stdout { out, format }),
            Ok((true, _)) => {
                let message =
                    "the secret would be lost: stdout is closed, or a device that keeps nothing; nothing was created";
                Err(Failure::new(Code::Usage, message).hint("pass --out FILE or --env-file FILE"))
            }
            Err(error) => {
                Err(Failure::new(Code::Other, format!("stdout cannot be used: {error}; nothing was created")))
            }
        }
    }

    fn file(path: &Path, env_name: Option<String>, system: &Arc<dyn System>) -> Result<Self, Failure> {
        let failed = |verb: &str, error: &io::Error| {
            let failure = Failure::file(verb, path, error);
            Failure { message: format!("{}; nothing was created", failure.message), ..failure }
        };
        match system.metadata(path) {
            Ok(found) if found.kind == FileKind::Directory => Err(failed("write", &io::ErrorKind::IsADirectory.into())),
            Ok(found) if found.kind != FileKind::Regular && env_name.is_none() => {
                let stream = system.open(path, Access::Write).map_err(|error| failed("write", &error))?;
                Ok(Self::Stream { path: path.to_owned(), stream })
            }
            Ok(found) if found.kind != FileKind::Regular => {
                Err(failed("edit", &io::Error::new(io::ErrorKind::InvalidInput, "it is not a file")))
            }
            found => {
                let replacement = Replacement::new(path, found, system).map_err(|error| failed("write", &error))?;
                if let Some(name) = &env_name {
                    let current = replacement.current().map_err(|error| failed("read", &error))?;
                    env_file::set(&current, name, env_file::PLACEHOLDER)
                        .map_err(|error| failed("edit", &io::Error::other(error.to_string())))?;
                }
                Ok(Self::File { file: replacement, env_name })
            }
        }
    }

    /// The secret that the place holds now, if there is one and it can be read.
    pub(crate) fn current_secret(&self) -> Option<SecretString> {
        let Self::File { file, env_name } = self else { return None };
        let content = file.current().ok()?;
        let secret = match env_name {
            Some(name) => env_file::get(&content, name)?,
            None => String::from_utf8(content).ok()?.trim().to_owned(),
        };
        (!secret.is_empty()).then(|| secret.into())
    }

    /// Where the secret is then, for messages. `None` if it was shown.
    pub(crate) fn location(&self) -> Option<String> {
        match self {
            Self::Stdout { .. } => None,
            Self::File { file, env_name: None } => Some(format!("`{}`", file.shown.display())),
            Self::File { file, env_name: Some(name) } => Some(format!("`{}` as {name}", file.shown.display())),
            Self::Stream { path, .. } => Some(format!("`{}`", path.display())),
        }
    }

    /// Puts the secret there. When this returns, it is there, or it is not.
    pub(crate) fn store(self, created: &ApiKeyCreated) -> Result<(), NotStored> {
        let secret = created.key.expose_secret();
        match self {
            Self::Stdout { mut out, format } => output::secret(format, created)
                .and_then(|text| out.write_all(&text))
                .map_err(|error| NotStored(format!("stdout cannot be written: {error}"))),
            Self::Stream { path, mut stream } => {
                stream.write_all(format!("{secret}\n").as_bytes()).map_err(|error| cannot_write(&path, &error))
            }
            Self::File { file, env_name } => {
                let path = file.shown.clone();
                let content = match &env_name {
                    None => format!("{secret}\n").into_bytes(),
                    Some(name) => {
                        // Read again: somebody may have edited it while the key was made.
                        let current = file.current().map_err(|error| cannot_write(&path, &error))?;
                        env_file::set(&current, name, secret)
                            .map_err(|error| cannot_write(&path, &io::Error::other(error.to_string())))?
                    }
                };
                file.replace(&content).map_err(|error| cannot_write(&path, &error))
            }
        }
    }
}

fn cannot_write(path: &Path, error: &io::Error) -> NotStored {
    NotStored(format!("cannot write `{}`: {error}", path.display()))
}

/// A file that is about to be replaced: the new one lies beside it, empty, for the owner alone.
pub(crate) struct Replacement {
    /// As the user wrote it.
    shown: PathBuf,
    path: PathBuf,
    beside: Beside,
}

impl Replacement {
    fn new(path: &Path, found: io::Result<Metadata>, system: &Arc<dyn System>) -> io::Result<Self> {
        let shown = path.to_owned();
        let existing = match found {
            Ok(found) => Some(found),
            Err(error) if error.kind() == io::ErrorKind::NotFound && system.link_metadata(path).is_err() => None,
            Err(error) => return Err(error),
        };
        // Behind a symbolic link lies the file to replace.
        let path = if existing.is_some() { system.canonicalize(path)? } else { path.to_owned() };
        let mut beside = Beside::new(&path, system)?;
        if let Some(existing) = &existing {
            keep_owner(existing, &mut beside)?;
        }
        Ok(Self { shown, path, beside })
    }

    /// What the file holds now; nothing, if there is none yet.
    fn current(&self) -> io::Result<Vec<u8>> {
        match self.beside.system.read(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            read => read,
        }
    }

    /// Whole and on the disk, or not at all.
    fn replace(self, content: &[u8]) -> io::Result<()> {
        let Self { path, mut beside, .. } = self;
        beside.file.write_all(content)?;
        beside.file.sync()?;
        beside.system.rename(&beside.path, &path)?;
        beside.is_renamed = true;
        // The file is in place; that the directory cannot be synced (some file systems) does not undo it.
        if let Ok(directory) = beside.system.open(directory(&path), Access::Read) {
            let _ = directory.sync();
        }
        Ok(())
    }
}

/// A temporary file beside a target. It is removed, unless it was renamed.
struct Beside {
    system: Arc<dyn System>,
    path: PathBuf,
    file: Box<dyn File>,
    is_renamed: bool,
}

impl Beside {
    fn new(target: &Path, system: &Arc<dyn System>) -> io::Result<Self> {
        let mut name = std::ffi::OsString::from(".");
        name.push(target.file_name().ok_or(io::ErrorKind::IsADirectory)?);
        name.push(format!(".{}.new", system.process_id()));
        let path = directory(target).join(name);
        let file = system.create(&path)?;
        Ok(Self { system: Arc::clone(system), path, file, is_renamed: false })
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        if !self.is_renamed {
            let _ = self.system.remove(&self.path);
        }
    }
}

fn directory(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// An administrator who edits somebody's file leaves it theirs.
fn keep_owner(existing: &Metadata, new: &mut Beside) -> io::Result<()> {
    let created = new.file.metadata()?;
    if (existing.user, existing.group) == (created.user, created.group) {
        return Ok(());
    }
    new.file.set_owner(existing.user, existing.group)
}

/// Whether everything that is written there is lost. A closed stdout is, too: the runtime opens the null device in its
/// place.
fn keeps_nothing(out: &dyn File) -> io::Result<bool> {
    Ok(out.metadata()?.kind == FileKind::Character && !out.is_terminal())
}
