//! `audit`: the keys that should go, as a report.

mod html;
mod openmetrics;
mod rules;

use arize_api_keys::FoundKey;
use serde_json::{Value, json};

use self::rules::{Finding, Rules};
use crate::args::{Audit, Format};
use crate::console::Console;
use crate::failure::{Code, Failure};
use crate::output::{self, Key, Report};
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
            let columns = &["rule", "id", "name", "key_type", "spaces", "owner", "why"];
            let mut report =
                Report::new("findings", findings.iter().map(|finding| record(finding, console)).collect(), columns);
            report.document.insert("keys".to_owned(), json!(keys.len()));
            report.document.insert("spaces".to_owned(), json!(read.spaces));
            report.document.insert("unread".to_owned(), inventory::unread_json(&read.unread));
            report.document.insert("not_covered".to_owned(), json!([NOT_COVERED]));
            report.print(console)?
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

/// A finding, with the members of the key that a reader needs.
fn record(finding: &Finding<'_>, console: &Console) -> Value {
    let key = Key::new(&finding.found.key, &console.secrets);
    json!({
        "rule": finding.rule,
        "id": key.id,
        "name": key.name,
        "key_type": key.key_type,
        "spaces": inventory::spaces(finding.found),
        "created_by_user_id": key.created_by_user_id,
        "created_at": key.created_at,
        "expires_at": key.expires_at,
        "last_used_at": key.last_used_at,
        "redacted_key": key.redacted_key,
        "owner": key.owner,
        "why": finding.why,
    })
}
