//! `audit`: the keys that should go, as a report.

mod html;
mod openmetrics;
mod record;
mod rules;

use arize_api_keys::FoundKey;

use self::record::{AuditReport, Record};
use self::rules::{Finding, Rules};
use crate::args::{Audit, Format};
use crate::console::Console;
use crate::failure::{Code, Failure};
use crate::output;
use crate::{connect, inventory};

/// Said in every report: the API has no list of users.
const NOT_COVERED: &str = "user keys of users that were not named with --user";

pub(crate) fn run(args: &Audit, console: &Console) -> Result<(), Failure> {
    let client = connect::client(console)?;
    let read = inventory::read(&client, &args.scopes, false, console)?;
    let rules = Rules::of(args);
    let now = console.system.now();
    let is_audited = |found: &&FoundKey| {
        !args.ignore.iter().any(|pattern| pattern.matches(&found.key.name))
            && (!args.managed || rules::is_managed(found))
    };
    let keys: Vec<&FoundKey> = read.keys.iter().filter(is_audited).collect();
    let findings: Vec<Finding<'_>> = keys.iter().flat_map(|found| rules.check(found, now)).collect();
    let _ = match console.global.output {
        Format::Html => output::text(&html::page(&keys, &findings, &read.unread, now, console), console)?,
        Format::Openmetrics => output::text(&openmetrics::metrics(&keys, &findings, console), console)?,
        _ => {
            let document = AuditReport {
                findings: findings.iter().map(|finding| Record::new(finding, console)).collect(),
                keys: keys.len(),
                not_covered: [NOT_COVERED],
                spaces: read.spaces,
                unread: inventory::unread_json(&read.unread, console),
            };
            let columns = &["rule", "id", "name", "key_type", "spaces", "owner", "why"];
            output::report(&document, &document.findings, columns, console)?
        }
    };
    console.note(format_args!(
        "{} in {}, {}; not covered: {NOT_COVERED}",
        output::count(keys.len(), "key"),
        output::count(read.spaces, "space"),
        output::count(findings.len(), "finding")
    ));
    inventory::report_unread(&read.unread, console);
    if !findings.is_empty() {
        return Err(Failure::new(Code::Findings, output::count(findings.len(), "finding")));
    }
    if read.unread.is_empty() { Ok(()) } else { Err(inventory::incomplete(&read.unread)) }
}
