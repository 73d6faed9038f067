//! Where a new secret goes: to stdout or into a file. Everything that can be found out before the secret exists is found
//! out then.

use std::fmt;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use arize_api_keys::{ApiKeyCreated, ExposeSecret};
use tempfile::NamedTempFile;

use crate::args::{Format, SecretTo};
use crate::env_file;
use crate::exit::{Code, Failure};
use crate::output;

/// A place for one secret, ready to take it.
pub(crate) enum Store {
    Stdout {
        out: File,
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
        stream: File,
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
    pub(crate) fn prepare(to: &SecretTo, format: Format) -> Result<Self, Failure> {
        match (&to.out, &to.env_file) {
            (Some(path), _) => Self::file(path, None),
            (None, Some(path)) => Self::file(path, Some(to.env_name.clone())),
            (None, None) => Self::stdout(format),
        }
    }

    fn stdout(format: Format) -> Result<Self, Failure> {
        let stdout = output::raw_stdout().and_then(|out| Ok((is_null_device(&out)?, out)));
        match stdout {
            Ok((false, out)) => Ok(Self::Stdout { out, format }),
            Ok((true, _)) => {
                let message = "the secret would be lost: stdout is closed, or the null device; nothing was created";
                Err(Failure::new(Code::Usage, message).hint("pass --out FILE or --env-file FILE"))
            }
            Err(error) => {
                Err(Failure::new(Code::Other, format!("stdout cannot be used: {error}; nothing was created")))
            }
        }
    }

    fn file(path: &Path, env_name: Option<String>) -> Result<Self, Failure> {
        let failed = |verb: &str, error: &io::Error| {
            let failure = Failure::file(verb, path, error);
            Failure { message: format!("{}; nothing was created", failure.message), ..failure }
        };
        match fs::metadata(path) {
            Ok(found) if found.is_dir() => Err(failed("write", &io::ErrorKind::IsADirectory.into())),
            Ok(found) if !found.is_file() && env_name.is_none() => {
                let stream = OpenOptions::new().write(true).open(path).map_err(|error| failed("write", &error))?;
                Ok(Self::Stream { path: path.to_owned(), stream })
            }
            Ok(found) if !found.is_file() => {
                Err(failed("edit", &io::Error::new(io::ErrorKind::InvalidInput, "it is not a file")))
            }
            found => {
                let replacement = Replacement::new(path, found).map_err(|error| failed("write", &error))?;
                if env_name.is_some() {
                    replacement.current().map_err(|error| failed("read", &error))?;
                }
                Ok(Self::File { file: replacement, env_name })
            }
        }
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
                let content = match env_name {
                    None => format!("{secret}\n").into_bytes(),
                    Some(name) => {
                        // Read again: somebody may have edited it while the key was made.
                        let current = file.current().map_err(|error| cannot_write(&path, &error))?;
                        env_file::set(&current, &name, secret)
                            .ok_or_else(|| NotStored("the secret has characters that such a file cannot hold".into()))?
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
    beside: NamedTempFile,
}

impl Replacement {
    fn new(path: &Path, found: io::Result<Metadata>) -> io::Result<Self> {
        let shown = path.to_owned();
        let existing = match found {
            Ok(found) => Some(found),
            Err(error) if error.kind() == io::ErrorKind::NotFound && !path.is_symlink() => None,
            Err(error) => return Err(error),
        };
        // Behind a symbolic link lies the file to replace.
        let path = if existing.is_some() { path.canonicalize()? } else { path.to_owned() };
        let name = path.file_name().ok_or(io::ErrorKind::IsADirectory)?;
        let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut prefix = std::ffi::OsString::from(".");
        prefix.push(name);
        // `tempfile` gives it the mode 0600.
        let beside = tempfile::Builder::new().prefix(&prefix).suffix(".new").tempfile_in(directory)?;
        if let Some(existing) = &existing {
            keep_owner(existing, beside.as_file())?;
        }
        Ok(Self { shown, path, beside })
    }

    /// What the file holds now; nothing, if there is none yet.
    fn current(&self) -> io::Result<Vec<u8>> {
        match fs::read(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            read => read,
        }
    }

    /// Whole and on the disk, or not at all.
    fn replace(mut self, content: &[u8]) -> io::Result<()> {
        self.beside.write_all(content)?;
        self.beside.as_file().sync_all()?;
        self.beside.persist(&self.path).map_err(|error| error.error)?;
        // The file is in place; that the directory cannot be synced (some file systems) does not undo it.
        if let Some(directory) = self.path.parent().and_then(|parent| File::open(parent).ok()) {
            let _ = directory.sync_all();
        }
        Ok(())
    }
}

/// An administrator who edits somebody's file leaves it theirs.
#[cfg(unix)]
fn keep_owner(existing: &Metadata, new: &File) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt, fchown};

    let made = new.metadata()?;
    if (existing.uid(), existing.gid()) == (made.uid(), made.gid()) {
        return Ok(());
    }
    fchown(new, Some(existing.uid()), Some(existing.gid()))
}

#[cfg(not(unix))]
fn keep_owner(_: &Metadata, _: &File) -> io::Result<()> {
    Ok(())
}

/// Whether everything that is written there is lost. A closed stdout is, too: the runtime opens the null device in its
/// place.
#[cfg(unix)]
fn is_null_device(out: &File) -> io::Result<bool> {
    use std::os::unix::fs::{FileTypeExt, MetadataExt};

    let found = out.metadata()?;
    Ok(found.file_type().is_char_device() && found.rdev() == fs::metadata("/dev/null")?.rdev())
}

#[cfg(not(unix))]
fn is_null_device(_: &File) -> io::Result<bool> {
    Ok(false)
}
