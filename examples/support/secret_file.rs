//! Shared by the examples: a file with a secret.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Writes a file that only its owner can read. The rename is atomic, so readers see the old secret or the new one.
pub(crate) fn write(file: &Path, secret: &str) -> io::Result<()> {
    // `create_new` fails if the file exists, so the mode below is the mode of the file.
    let draft = PathBuf::from(format!("{}.{}.new", file.display(), std::process::id()));
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut writer = options.open(&draft)?;
    let written = writer.write_all(secret.as_bytes()).and_then(|()| writer.sync_all());
    written.and_then(|()| fs::rename(&draft, file)).inspect_err(|_| drop(fs::remove_file(&draft)))
}
