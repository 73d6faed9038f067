//! Files that an option names, read within `--timeout`.

use std::io::{self, Read};
use std::path::Path;
use std::time::Duration;

use crate::console::Console;
use crate::system::{Access, FileKind, System};

/// How long the writer of a FIFO is waited for, without `--timeout`.
const PATIENCE: Duration = Duration::from_secs(60);

/// All of a file, or of stdin for `-`.
///
/// # Errors
///
/// A file of `limit` bytes or more, and a FIFO or a stdin that does not end in time.
pub(crate) fn read(path: &Path, limit: u64, console: &Console) -> io::Result<Vec<u8>> {
    let system = &*console.system;
    let content = if path == Path::new("-") {
        system.read_stream(None, limit, console.remaining())
    } else if is_stream(path, system) {
        system.read_stream(Some(path), limit, Some(console.remaining().unwrap_or(PATIENCE)))
    } else {
        let mut content = Vec::new();
        system.open(path, Access::Read).and_then(|file| file.take(limit).read_to_end(&mut content)).map(|_| content)
    }?;
    if content.len() as u64 == limit {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("it has {} KiB or more", limit / 1024)));
    }
    Ok(content)
}

/// The same for a text in UTF-8.
pub(crate) fn read_text(path: &Path, limit: u64, console: &Console) -> io::Result<String> {
    String::from_utf8(read(path, limit, console)?).map_err(|_| io::Error::other("it is not text in UTF-8"))
}

/// Whether opening or reading it may wait for another process, or never end.
fn is_stream(path: &Path, system: &dyn System) -> bool {
    system.metadata(path).is_ok_and(|found| !matches!(found.kind, FileKind::Regular | FileKind::Directory))
}
