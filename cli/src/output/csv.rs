//! Comma-separated values, by default in a form that is safe to open in a spreadsheet and to print to a terminal.

use std::borrow::Cow;
use std::io::{self, Write};

use crate::redact::{is_unsafe, printable};

/// Writes records.
pub(crate) struct Csv<W: Write> {
    writer: csv::Writer<W>,
    /// Whether cells are written as they are: without escapes, and without a guard before a formula.
    is_raw: bool,
}

impl<W: Write> Csv<W> {
    pub(super) fn new(out: W, is_raw: bool) -> Self {
        Self { writer: csv::Writer::from_writer(out), is_raw }
    }

    pub(super) fn write<'a>(&mut self, record: impl IntoIterator<Item = &'a str>) -> io::Result<()> {
        let cells = record.into_iter().map(|cell| if self.is_raw { Cow::Borrowed(cell) } else { guarded(cell) });
        let cells: Vec<Cow<'_, str>> = cells.collect();
        self.writer.write_record(cells.iter().map(|cell| cell.as_bytes())).map_err(io_error)
    }

    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

/// The cell as text to a spreadsheet, which runs a cell that begins like a formula.
fn guarded(cell: &str) -> Cow<'_, str> {
    let is_formula = |c| matches!(c, '=' | '+' | '-' | '@' | '\t' | '\r' | '\n' | '＝' | '＋' | '－' | '＠');
    let cell = if cell.chars().any(is_unsafe) { Cow::Owned(printable(cell)) } else { Cow::Borrowed(cell) };
    if cell.trim_start_matches(' ').starts_with(is_formula) { Cow::Owned(format!("'{cell}")) } else { cell }
}

/// `io::Error::from` would hide that the reader is gone.
fn io_error(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        kind => io::Error::other(format!("{kind:?}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells() {
        for (cell, expected) in [
            ("prod", "prod"),
            ("a=b", "a=b"),
            ("=1+1", "'=1+1"),
            ("  @SUM(A1)", "'  @SUM(A1)"),
            ("-2", "'-2"),
            ("+49", "'+49"),
            ("＝1", "'＝1"),
            ("\t=1", "\\t=1"),
            ("\r\n", "\\r\\n"),
            ("\u{200b}=1", "\\u{200b}=1"),
            ("\u{1b}[2J", "\\u{1b}[2J"),
        ] {
            assert_eq!(guarded(cell), expected, "{cell:?}");
        }
    }
}
