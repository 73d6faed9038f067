//! Tables for reading: without lines around the cells, so that a key stays one line where there is room.

use arize_api_keys::{ApiKey, ApiKeyStatus};
use comfy_table::presets::NOTHING;
use comfy_table::{Attribute, Cell, CellAlignment, Color, ColumnConstraint, ContentArrangement, Table};

use super::record::{Key, moment};
use crate::console::Console;
use crate::redact::printable;
use crate::times::to_second;

/// A narrower table cannot be read.
const MIN_WIDTH: u16 = 40;

pub(super) fn of_keys(keys: &[ApiKey], console: &Console) -> String {
    let mut table = table(console);
    let has_owner = keys.iter().any(|key| key.owner().is_some());
    let columns = ["ID", "NAME", "TYPE", "STATUS", "KEY", "EXPIRES", "LAST USED"];
    table.set_header(columns.into_iter().chain(has_owner.then_some("OWNER")).map(heading));
    let now = console.system.now();
    for key in keys {
        let has_expired = key.expires_at.is_some_and(|at| at <= now);
        let color = match key.status {
            ApiKeyStatus::Active if !has_expired => None,
            _ => Some(Color::DarkGrey),
        };
        let time = |field, at| moment(field, at, &key.warnings).unwrap_or_else(|| "never".to_owned());
        let expires = time("expires_at", key.expires_at);
        let last_used = time("last_used_at", key.last_used_at);
        let shown = Key::new(key, &console.secrets);
        let status = if has_expired && key.status == ApiKeyStatus::Active {
            format!("{} (expired)", shown.status)
        } else {
            shown.status
        };
        let (id, name, redacted_key) =
            (shown.id.into_owned(), shown.name.into_owned(), shown.redacted_key.into_owned());
        let cells = [id, name, shown.key_type, status, redacted_key, expires, last_used];
        let owner = has_owner.then(|| shown.owner.unwrap_or_default());
        table.add_row(cells.into_iter().chain(owner).map(|text| {
            let cell = cell(&text, console);
            match color {
                Some(color) => cell.fg(color),
                None => cell,
            }
        }));
    }
    // An id that is broken over lines cannot be copied.
    if let Some(id) = table.column_mut(0) {
        id.set_constraint(ColumnConstraint::ContentWidth);
    }
    text(table)
}

/// Records below a header of their members.
pub(super) fn of_rows(columns: &[&str], rows: &[Vec<String>], console: &Console) -> String {
    let mut table = table(console);
    table.set_header(columns.iter().map(|column| heading(&column.to_uppercase().replace('_', " "))));
    for row in rows {
        let shown = columns.iter().zip(row).map(|(name, text)| cell(&value(name, text), console));
        table.add_row(shown);
    }
    text(table)
}

/// A name and a value on each line; those without a value are left out.
pub(super) fn of_one(rows: &[(&'static str, Option<String>)], console: &Console) -> String {
    let mut table = table(console);
    for (name, text) in rows {
        if let Some(text) = text {
            table.add_row([heading(name), cell(&value(name, text), console)]);
        }
    }
    text(table)
}

/// The text of a member, which for a time is shorter in a table.
fn value(member: &str, text: &str) -> String {
    if member.ends_with("_at") { to_second(text) } else { text.to_owned() }
}

fn heading(text: &str) -> Cell {
    Cell::new(text).add_attribute(Attribute::Bold).set_alignment(CellAlignment::Left)
}

fn cell(text: &str, console: &Console) -> Cell {
    Cell::new(printable(console.secrets.value(text)))
}

fn table(console: &Console) -> Table {
    let mut table = Table::new();
    table.load_style(NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    // A file or a pipe has no width.
    table.set_width(console.system.width().map_or(u16::MAX, |width| width.max(MIN_WIDTH)));
    if console.system.is_styled() {
        table.enforce_styling();
    } else {
        table.force_no_tty();
    }
    table
}

/// Without the blanks that pad the cells at the end of a line.
fn text(mut table: Table) -> String {
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    let mut text = String::new();
    for line in table.lines() {
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}
