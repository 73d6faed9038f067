//! The mark that the command of `--then` has not succeeded since a secret was stored.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::paths::{beside, sync_directory};
use crate::system::System;

/// The end of the name of the mark, after the name of the file with the secret.
const SUFFIX: &str = ".arize-keys.then";

/// An empty file beside the one with the secret. A run that has nothing to change runs the command if it is there.
#[derive(Clone)]
pub(crate) struct HookMark {
    system: Arc<dyn System>,
    path: PathBuf,
}

impl HookMark {
    pub(super) fn of(path: &Path, system: &Arc<dyn System>) -> Self {
        Self { system: Arc::clone(system), path: beside(path, SUFFIX) }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn is_set(&self) -> bool {
        self.system.link_metadata(&self.path).is_ok()
    }

    /// Before a secret is stored, so that no crash comes between. Returns whether it is new.
    pub(super) fn set(&self) -> io::Result<bool> {
        match self.system.create(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(false),
            created => created?,
        };
        sync_directory(&self.path, &*self.system).inspect_err(|_| self.remove())?;
        Ok(true)
    }

    /// If it cannot be removed, the command runs once more than needed.
    pub(crate) fn remove(&self) {
        let _ = self.system.remove(&self.path);
    }
}
