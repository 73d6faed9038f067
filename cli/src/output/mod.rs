//! What goes to stdout: tables, JSON, CSV.

mod record;
mod table;

use std::io::{self, Write};

use arize_api_keys::{ApiKey, ApiKeyCreated, ExposeSecret, Pagination};
use serde::{Serialize, Serializer};

pub(crate) use self::record::Key;
use crate::args::Format;
use crate::failure::{Code, Failure};
use crate::system::{File, System};

/// Whether anybody still reads stdout. `head` goes away early; that is no failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(crate) enum Reader {
    Here,
    Gone,
}

/// Sorts out what writing to stdout came to.
fn written(result: io::Result<()>) -> Result<Reader, Failure> {
    match result {
        Ok(()) => Ok(Reader::Here),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Reader::Gone),
        Err(error) => Err(Failure::new(Code::Other, format!("stdout cannot be written: {error}"))),
    }
}

/// Writes data that is not secret.
pub(crate) fn print(data: &[u8], system: &dyn System) -> Result<Reader, Failure> {
    written(system.stdout().and_then(|mut out| out.write_all(data)))
}

/// What a new key looks like on stdout, with its secret: alone on a line, or as the member or column `key`.
pub(crate) fn secret(format: Format, created: &ApiKeyCreated) -> io::Result<Vec<u8>> {
    match format {
        Format::Table => Ok(format!("{}\n", created.key.expose_secret()).into_bytes()),
        _ => one(format, &Key::created(created).with_secret(created.key.expose_secret())),
    }
}

/// One key, without its secret.
pub(crate) fn created(format: Format, created: &ApiKeyCreated, system: &dyn System) -> Result<Reader, Failure> {
    let text = match format {
        Format::Table => Ok(table::of_one(&Key::created(created).rows(), system).into_bytes()),
        _ => one(format, &Key::created(created)),
    };
    print(&text.map_err(|error| Failure::new(Code::Other, error.to_string()))?, system)
}

/// Rows of a name and a value, or one JSON object or CSV record of them.
pub(crate) fn facts(
    format: Format,
    facts: &[(&'static str, Option<String>)],
    system: &dyn System,
) -> Result<Reader, Failure> {
    let text = match format {
        Format::Table => Ok(table::of_one(facts, system).into_bytes()),
        Format::Json | Format::Jsonl => json(format, &Facts(facts)),
        Format::Csv => {
            let mut csv = csv::Writer::from_writer(Vec::new());
            csv.write_record(facts.iter().map(|(name, _)| name))
                .and_then(|()| csv.write_record(facts.iter().map(|(_, value)| value.as_deref().unwrap_or_default())))
                .map_err(io_error)
                .and_then(|()| csv.into_inner().map_err(|error| error.into_error()))
        }
    };
    print(&text.map_err(|error| Failure::new(Code::Other, error.to_string()))?, system)
}

/// A JSON object in the order of its members.
struct Facts<'a>(&'a [(&'static str, Option<String>)]);

impl Serialize for Facts<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

fn one(format: Format, key: &Key<'_>) -> io::Result<Vec<u8>> {
    match format {
        Format::Csv => {
            let mut csv = csv::Writer::from_writer(Vec::new());
            csv.write_record(key.csv_header()).map_err(io_error)?;
            csv.write_record(key.csv_record()).map_err(io_error)?;
            csv.into_inner().map_err(|error| error.into_error())
        }
        _ => json(format, key),
    }
}

/// `io::Error::from` would hide that the reader is gone.
fn io_error(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        kind => io::Error::other(format!("{kind:?}")),
    }
}

fn json(format: Format, value: &impl Serialize) -> io::Result<Vec<u8>> {
    let mut text = if format == Format::Json { serde_json::to_vec_pretty(value)? } else { serde_json::to_vec(value)? };
    text.push(b'\n');
    Ok(text)
}

/// Keys as they come. CSV and JSON lines go out at once; a table and a JSON document need the last one first.
pub(crate) enum Keys {
    Gathered { format: Format, keys: Vec<ApiKey> },
    Lines(io::BufWriter<Box<dyn File>>),
    Csv(Box<csv::Writer<Box<dyn File>>>),
}

impl Keys {
    pub(crate) fn begin(format: Format, system: &dyn System) -> Result<Self, Failure> {
        let out =
            || system.stdout().map_err(|error| Failure::new(Code::Other, format!("stdout cannot be used: {error}")));
        Ok(match format {
            Format::Table | Format::Json => Self::Gathered { format, keys: Vec::new() },
            Format::Jsonl => Self::Lines(io::BufWriter::new(out()?)),
            Format::Csv => Self::Csv(Box::new(csv::Writer::from_writer(out()?))),
        })
    }

    pub(crate) fn push(&mut self, key: ApiKey, is_first: bool) -> Result<Reader, Failure> {
        let result = match self {
            Self::Gathered { keys, .. } => {
                keys.push(key);
                Ok(())
            }
            Self::Lines(out) => json(Format::Jsonl, &Key::listed(&key)).and_then(|line| out.write_all(&line)),
            Self::Csv(out) => {
                let key = Key::listed(&key);
                let header = if is_first { out.write_record(key.csv_header()) } else { Ok(()) };
                header.and_then(|()| out.write_record(key.csv_record())).map_err(io_error)
            }
        };
        written(result)
    }

    /// What is still to be written; a CSV of no keys has a header nevertheless.
    pub(crate) fn end(self, pagination: &Pagination, is_empty: bool, system: &dyn System) -> Result<Reader, Failure> {
        match self {
            Self::Gathered { format: Format::Json, keys } => {
                let keys: Vec<Key<'_>> = keys.iter().map(Key::listed).collect();
                let text = json(Format::Json, &record::page(&keys, pagination));
                print(&text.map_err(|error| Failure::new(Code::Other, error.to_string()))?, system)
            }
            Self::Gathered { keys, .. } => print(table::of_keys(&keys, system).as_bytes(), system),
            Self::Lines(mut out) => written(out.flush()),
            Self::Csv(mut out) => {
                let header =
                    if is_empty { out.write_record(Key::listed(&ApiKey::default()).csv_header()) } else { Ok(()) };
                written(header.map_err(io_error).and_then(|()| out.flush()))
            }
        }
    }
}
