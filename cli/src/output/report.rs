//! Lists of records with columns: the same data as a table, as JSON, and as CSV.

use std::borrow::Cow;
use std::io;

use serde::Serialize;
use serde_json::{Map, Value};

use super::{Reader, csv, is_raw, json, print, table};
use crate::args::Format;
use crate::console::Console;
use crate::failure::{Code, Failure};

/// A JSON document with a list of records in it, and the members that make the columns of a table.
pub(crate) struct Report {
    /// The document without the list.
    pub(crate) document: Map<String, Value>,
    /// The member of the document that holds the list.
    pub(crate) member: &'static str,
    pub(crate) records: Vec<Value>,
    /// The members of a record that a table and CSV show.
    pub(crate) columns: &'static [&'static str],
}

impl Report {
    pub(crate) fn new(member: &'static str, records: Vec<Value>, columns: &'static [&'static str]) -> Self {
        Self { document: Map::new(), member, records, columns }
    }

    pub(crate) fn print(self, console: &Console) -> Result<Reader, Failure> {
        let Self { mut document, member, records, columns } = self;
        document.insert(member.to_owned(), Value::Array(records));
        document.values_mut().for_each(|value| clean(value, console));
        let records = document.get(member).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        report(&document, records, columns, console)
    }
}

/// Prints a document whose texts are clean already, or the records in it. `columns` are the members that a table and CSV show.
pub(crate) fn report<R: Serialize>(
    document: &impl Serialize,
    records: &[R],
    columns: &'static [&'static str],
    console: &Console,
) -> Result<Reader, Failure> {
    let rows = || -> io::Result<Vec<Vec<String>>> {
        let values = records.iter().map(serde_json::to_value).collect::<Result<Vec<_>, _>>()?;
        let cells =
            |value: &Value| columns.iter().map(|column| cell(value.get(column).unwrap_or(&Value::Null))).collect();
        Ok(values.iter().map(cells).collect())
    };
    let text =
        match console.global.output {
            Format::Json => json(Format::Json, document),
            Format::Jsonl => records
                .iter()
                .map(|record| json(Format::Jsonl, record))
                .collect::<Result<Vec<_>, _>>()
                .map(|lines| lines.concat()),
            Format::Csv => rows().and_then(|rows| csv_of(columns, &rows, is_raw(console))),
            Format::Table | Format::Html | Format::Openmetrics => rows().map(|rows| {
                if rows.is_empty() { Vec::new() } else { table::of_rows(columns, &rows, console).into_bytes() }
            }),
        };
    print(&text.map_err(|error| Failure::new(Code::Other, error.to_string()))?, &*console.system)
}

fn csv_of(columns: &[&str], rows: &[Vec<String>], is_raw: bool) -> io::Result<Vec<u8>> {
    let mut text = csv([columns.to_vec()], is_raw)?;
    for row in rows {
        text.extend(csv([row.iter().map(String::as_str).collect()], is_raw)?);
    }
    Ok(text)
}

/// Replaces the secrets that must not be shown in every text of a value.
pub(super) fn clean(value: &mut Value, console: &Console) {
    match value {
        Value::String(text) => {
            if let Cow::Owned(clean) = console.secrets.value(text) {
                *text = clean;
            }
        }
        Value::Array(values) => values.iter_mut().for_each(|value| clean(value, console)),
        Value::Object(members) => members.values_mut().for_each(|value| clean(value, console)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The text of a cell: a list shows the names of its items.
fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(name).collect::<Vec<_>>().join(", "),
        value => value.to_string(),
    }
}

fn name(item: &Value) -> String {
    let named = item.get("name").and_then(Value::as_str).filter(|name| !name.is_empty());
    named.or_else(|| item.get("id").and_then(Value::as_str)).map_or_else(|| cell(item), str::to_owned)
}
