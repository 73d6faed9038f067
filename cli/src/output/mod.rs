//! Data on stdout: tables, JSON, CSV.

mod csv;
mod record;
mod report;
mod table;

use std::io::{self, Write};

use arize_api_keys::{ApiKey, ApiKeyCreated, ExposeSecret, FoundKey, Pagination};
use serde::{Serialize, Serializer};
use serde_json::Value;

use self::csv::Csv;
pub(crate) use self::record::{Key, moment};
pub(crate) use self::report::{Report, report};
use crate::args::Format;
use crate::console::Console;
use crate::failure::{Code, Failure};
use crate::redact::{self, Secrets};
use crate::system::{File, Stream, System};

/// Whether stdout still has a reader. `head` ends early; that is no failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(crate) enum Reader {
    Here,
    Gone,
}

/// A number of things, like `1 key` or `2 keys`.
pub(crate) fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// The result of writing to stdout.
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

/// A new key on stdout, with its secret: alone on a line, or as the member or column `key`.
pub(crate) fn secret(format: Format, created: &ApiKeyCreated) -> io::Result<Vec<u8>> {
    let secret = created.key.expose_secret();
    match format {
        Format::Table => Ok(format!("{secret}\n").into_bytes()),
        // The keys that must not be shown are not known here; the program refuses a name that has one.
        _ => one(format, &Key::new(created, &Secrets::default()).with_secret(secret), false),
    }
}

/// One key, without its secret.
pub(crate) fn created(created: &ApiKeyCreated, console: &Console) -> Result<Reader, Failure> {
    let (format, key) = (console.global.output, Key::new(created, &console.secrets));
    let text = match format {
        Format::Table => Ok(table::of_one(&key.rows(), console).into_bytes()),
        _ => one(format, &key, is_raw(console)),
    };
    print(&text.map_err(|error| Failure::new(Code::Other, error.to_string()))?, &*console.system)
}

/// A key that was looked up, as a table.
pub(crate) fn found(found: &FoundKey, console: &Console) -> Result<Reader, Failure> {
    let mut rows = Key::new(&found.key, &console.secrets).rows();
    let spaces: Vec<&str> = found.spaces.iter().map(|space| space.name.as_str()).collect();
    rows.push(("spaces", Some(spaces.join(", ")).filter(|spaces| !spaces.is_empty())));
    print(table::of_one(&rows, console).as_bytes(), &*console.system)
}

/// One JSON value; as CSV its members without lists.
pub(crate) fn value(mut value: Value, console: &Console) -> Result<Reader, Failure> {
    report::clean(&mut value, console);
    let text = match (console.global.output, &value) {
        (Format::Csv, Value::Object(members)) => {
            let cell = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let plain: Vec<(&String, String)> = members
                .iter()
                .filter(|(_, value)| !value.is_array() && !value.is_object())
                .map(|(name, value)| (name, if value.is_null() { String::new() } else { cell(value) }))
                .collect();
            csv(
                [
                    plain.iter().map(|(name, _)| name.as_str()).collect(),
                    plain.iter().map(|(_, value)| value.as_str()).collect(),
                ],
                is_raw(console),
            )
        }
        (format, value) => json(format, value),
    };
    print(&text.map_err(|error| Failure::new(Code::Other, error.to_string()))?, &*console.system)
}

/// A document of another format.
pub(crate) fn text(text: &str, console: &Console) -> Result<Reader, Failure> {
    print(text.as_bytes(), &*console.system)
}

/// Rows of a name and a value, or one JSON object or CSV record of them.
pub(crate) fn facts(facts: &[(&'static str, Option<String>)], console: &Console) -> Result<Reader, Failure> {
    let clean = |value: &Option<String>| value.as_deref().map(|value| console.secrets.value(value).into_owned());
    let facts: Vec<(&'static str, Option<String>)> = facts.iter().map(|(name, value)| (*name, clean(value))).collect();
    let text = match console.global.output {
        Format::Table => Ok(table::of_one(&facts, console).into_bytes()),
        Format::Csv => csv(
            [
                facts.iter().map(|(name, _)| *name).collect(),
                facts.iter().map(|(_, value)| value.as_deref().unwrap_or_default()).collect(),
            ],
            is_raw(console),
        ),
        format => json(format, &Facts(&facts)),
    };
    print(&text.map_err(|error| Failure::new(Code::Other, error.to_string()))?, &*console.system)
}

/// Cells are for people unless `--raw` is given; for a terminal they always are.
fn is_raw(console: &Console) -> bool {
    console.global.raw && !console.system.is_terminal(Stream::Stdout)
}

/// A JSON object in the order of its members.
struct Facts<'a>(&'a [(&'static str, Option<String>)]);

impl Serialize for Facts<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

fn one(format: Format, key: &Key<'_>, is_raw: bool) -> io::Result<Vec<u8>> {
    match format {
        Format::Csv => csv([key.csv_header(), key.csv_record()], is_raw),
        _ => json(format, key),
    }
}

fn csv<const N: usize>(records: [Vec<&str>; N], is_raw: bool) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    let mut csv = Csv::new(&mut text, is_raw);
    records.into_iter().try_for_each(|record| csv.write(record))?;
    csv.flush()?;
    drop(csv);
    Ok(text)
}

fn json(format: Format, value: &impl Serialize) -> io::Result<Vec<u8>> {
    let document =
        if format == Format::Json { serde_json::to_string_pretty(value)? } else { serde_json::to_string(value)? };
    let mut text = redact::json(document).into_bytes();
    text.push(b'\n');
    Ok(text)
}

/// Keys as they arrive. CSV and JSON lines are written at once; a table and a JSON document need the last key first.
pub(crate) enum Keys {
    Gathered { format: Format, keys: Vec<ApiKey> },
    Lines(io::BufWriter<Box<dyn File>>),
    Csv(Box<Csv<Box<dyn File>>>),
}

impl Keys {
    pub(crate) fn begin(console: &Console) -> Result<Self, Failure> {
        let out = || {
            let out = console.system.stdout();
            out.map_err(|error| Failure::new(Code::Other, format!("stdout cannot be used: {error}")))
        };
        Ok(match console.global.output {
            format @ (Format::Table | Format::Json | Format::Html | Format::Openmetrics) => {
                Self::Gathered { format, keys: Vec::new() }
            }
            Format::Jsonl => Self::Lines(io::BufWriter::new(out()?)),
            Format::Csv => Self::Csv(Box::new(Csv::new(out()?, is_raw(console)))),
        })
    }

    pub(crate) fn push(&mut self, key: ApiKey, is_first: bool, console: &Console) -> Result<Reader, Failure> {
        let shown = || Key::new(&key, &console.secrets);
        written(match self {
            Self::Gathered { keys, .. } => {
                keys.push(key);
                Ok(())
            }
            Self::Lines(out) => json(Format::Jsonl, &shown()).and_then(|line| out.write_all(&line)),
            Self::Csv(out) => {
                let header = if is_first { out.write(shown().csv_header()) } else { Ok(()) };
                header.and_then(|()| out.write(shown().csv_record()))
            }
        })
    }

    /// Writes the rest; a CSV of no keys has a header nevertheless.
    pub(crate) fn end(self, pagination: &Pagination, is_empty: bool, console: &Console) -> Result<Reader, Failure> {
        match self {
            Self::Gathered { format: Format::Json, keys } => {
                let keys: Vec<Key<'_>> = keys.iter().map(|key| Key::new(key, &console.secrets)).collect();
                let text = json(Format::Json, &record::page(&keys, pagination, &console.secrets));
                print(&text.map_err(|error| Failure::new(Code::Other, error.to_string()))?, &*console.system)
            }
            Self::Gathered { keys, .. } => print(table::of_keys(&keys, console).as_bytes(), &*console.system),
            Self::Lines(mut out) => written(out.flush()),
            Self::Csv(mut out) => {
                let none = ApiKey::default();
                let header = if is_empty { out.write(Key::new(&none, &console.secrets).csv_header()) } else { Ok(()) };
                written(header.and_then(|()| out.flush()))
            }
        }
    }
}

/// Ids of keys, each written as soon as it is known, but for a JSON document.
pub(crate) struct Ids {
    gathered: Vec<Id>,
    is_first: bool,
}

#[derive(Serialize)]
struct Id {
    id: String,
}

impl Ids {
    pub(crate) fn begin() -> Self {
        Self { gathered: Vec::new(), is_first: true }
    }

    pub(crate) fn push(&mut self, id: &str, console: &Console) -> Result<(), Failure> {
        let is_first = std::mem::replace(&mut self.is_first, false);
        let id = Id { id: id.to_owned() };
        let text = match console.global.output {
            Format::Table | Format::Html | Format::Openmetrics => {
                Ok(format!("{}\n", redact::printable(&id.id)).into_bytes())
            }
            Format::Csv if is_first => csv([vec!["id"], vec![&id.id]], is_raw(console)),
            Format::Csv => csv([vec![&id.id]], is_raw(console)),
            Format::Jsonl => json(Format::Jsonl, &id),
            Format::Json => {
                self.gathered.push(id);
                return Ok(());
            }
        };
        print(&text.map_err(|error| Failure::new(Code::Other, error.to_string()))?, &*console.system).map(drop)
    }

    pub(crate) fn end(self, console: &Console) -> Result<(), Failure> {
        if console.global.output != Format::Json {
            return Ok(());
        }
        let text = json(Format::Json, &self.gathered);
        print(&text.map_err(|error| Failure::new(Code::Other, error.to_string()))?, &*console.system).map(drop)
    }
}
