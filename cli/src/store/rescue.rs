//! The last resort for a secret that cannot be stored and cannot be had again.

use std::fmt;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::paths::beside;
use super::stream::keeps_nothing;
use crate::redact::printable;
use crate::system::System;

/// More secrets than this are not kept under one name.
const MOST: u32 = 1000;

/// What became of the secret.
#[derive(Debug)]
pub(crate) enum Rescue {
    /// It is in this file.
    File(PathBuf),
    /// It was printed on this stream.
    Printed(&'static str),
    /// Both streams are closed, or keep nothing.
    Lost,
}

impl fmt::Display for Rescue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "its secret is in `{}`", path.display()),
            Self::Printed(stream) => write!(f, "its secret was printed on {stream}"),
            Self::Lost => f.write_str("its secret is lost"),
        }
    }
}

/// Writes the secret into a file beside the target, else into one of the user's state directory, else to stdout, else to stderr.
///
/// It is printed even if the environment forbids that: no file can take it, and it cannot be had again.
pub(super) fn keep(secret: &str, target: Option<&Path>, system: &dyn System) -> Rescue {
    // A terminal would act on control characters.
    let line = format!("{}\n", printable(secret));
    let in_state = || {
        let directory = state_directory(system)?;
        system.create_directory(&directory).ok()?;
        write(&line, &directory.join("secret"), system).ok()
    };
    let file = target.and_then(|target| write(&line, target, system).ok()).or_else(in_state);
    match file {
        Some(path) => Rescue::File(path),
        None if print(secret, &line, system).is_ok() => Rescue::Printed("stdout"),
        None if system.stderr(&line).is_ok() => Rescue::Printed("stderr"),
        None => Rescue::Lost,
    }
}

fn print(secret: &str, line: &str, system: &dyn System) -> io::Result<()> {
    let mut out = system.stdout()?;
    if keeps_nothing(&*out)? {
        return Err(io::ErrorKind::WriteZero.into());
    }
    super::mask(secret, system)?;
    out.write_all(line.as_bytes())
}

/// Writes a new file whose name begins with that of the target.
fn write(line: &str, target: &Path, system: &dyn System) -> io::Result<PathBuf> {
    let mut n = 1;
    let (path, mut file) = loop {
        let path = beside(target, &if n == 1 { ".rescued".to_owned() } else { format!(".rescued-{n}") });
        match system.create(&path) {
            Ok(file) => break (path, file),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && n < MOST => n += 1,
            Err(error) => return Err(error),
        }
    };
    let written = file.write_all(line.as_bytes()).and_then(|()| file.sync());
    if let Err(error) = written {
        let _ = system.remove(&path);
        return Err(error);
    }
    Ok(path)
}

/// `$XDG_STATE_HOME/arize-keys`, by default in `~/.local/state`.
pub(super) fn state_directory(system: &dyn System) -> Option<PathBuf> {
    let absolute = |name| system.variable(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let state = absolute("XDG_STATE_HOME").or_else(|| Some(absolute("HOME")?.join(".local/state")))?;
    Some(state.join("arize-keys"))
}
