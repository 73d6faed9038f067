//! `docs/fault-matrix.md`, held against the code.

use std::collections::BTreeSet;

const TEXT: &str = include_str!("../../../../docs/fault-matrix.md");

/// A row of the table.
#[derive(Debug)]
pub(crate) struct Documented {
    pub(crate) number: usize,
    pub(crate) test: String,
    /// List, create and refresh, remove.
    cells: [String; 3],
}

/// Every row of the table, in its order.
pub(crate) fn rows() -> Vec<Documented> {
    TEXT.lines().filter_map(parse).collect()
}

fn parse(line: &str) -> Option<Documented> {
    let cells: Vec<&str> = line.strip_prefix('|')?.strip_suffix('|')?.split('|').map(str::trim).collect();
    let number = cells.first()?.parse().ok()?;
    let [_, _, test, list, mint, remove] = cells.as_slice() else { panic!("row {number} has not six cells") };
    Some(Documented {
        number,
        test: test.trim_matches('`').to_owned(),
        cells: [list, mint, remove].map(|s| (*s).into()),
    })
}

/// Whether a row says what its test has proven, no less and no more.
#[track_caller]
pub(crate) fn compare(number: usize, proven: &[BTreeSet<String>; 3]) {
    let documented = rows().into_iter().find(|row| row.number == number);
    let documented = documented.map(|row| row.cells).unwrap_or_default();
    let documented = documented.map(|cell| {
        let codes = cell.split("; ").map(str::to_owned).filter(|code| code != "–" && !code.is_empty());
        codes.collect::<BTreeSet<String>>()
    });
    if documented != *proven {
        let cells = proven.clone().map(|codes| match codes.is_empty() {
            true => "–".to_owned(),
            false => codes.into_iter().collect::<Vec<_>>().join("; "),
        });
        panic!("docs/fault-matrix.md must say of row {number}: | {} |", cells.join(" | "));
    }
}
