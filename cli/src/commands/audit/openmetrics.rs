//! The report as OpenMetrics text, for the text file collector of the Prometheus node exporter.

use std::collections::BTreeMap;
use std::fmt::Write;

use arize_api_keys::FoundKey;
use arize_api_keys::time::OffsetDateTime;

use super::NOT_COVERED;
use super::rules::Finding;
use crate::console::Console;
use crate::redact::printable;

pub(super) fn metrics(keys: &[&FoundKey], findings: &[Finding<'_>], console: &Console) -> String {
    let mut text = String::new();
    type At = fn(&FoundKey) -> Option<OffsetDateTime>;
    let times: [(&str, &str, At); 3] = [
        ("created", "The time of creation of the key.", |found| found.key.created_at),
        ("expires", "The time at which the key expires.", |found| found.key.expires_at),
        ("last_used", "The approximate time of the last use of the key.", |found| found.key.last_used_at),
    ];
    for (name, help, at) in times {
        let metric = format!("arize_api_key_{name}_timestamp_seconds");
        header(&mut text, &metric, help);
        for found in keys {
            if let Some(at) = at(found) {
                let labels = labels(found, console);
                let _ = writeln!(text, "{metric}{{{labels}}} {}", at.unix_timestamp());
            }
        }
    }
    let help = format!("The number of findings of the audit, by rule. Not covered: {NOT_COVERED}.");
    header(&mut text, "arize_api_key_findings", &help);
    let rules = ["expired", "expires-within", "never-used", "no-expiry", "older-than", "unreadable", "unused-for"];
    let mut counts: BTreeMap<&str, usize> = rules.into_iter().map(|rule| (rule, 0)).collect();
    for finding in findings {
        *counts.entry(finding.rule).or_default() += 1;
    }
    for (rule, count) in counts {
        let _ = writeln!(text, "arize_api_key_findings{{rule=\"{rule}\"}} {count}");
    }
    text.push_str("# EOF\n");
    text
}

fn header(text: &mut String, metric: &str, help: &str) {
    let _ = write!(text, "# HELP {metric} {help}\n# TYPE {metric} gauge\n");
}

fn labels(found: &FoundKey, console: &Console) -> String {
    let label = |name: &str, value: &str| format!("{name}=\"{}\"", escaped(&console.secrets.value(value)));
    let key = &found.key;
    [label("id", &key.id), label("name", &key.name), label("key_type", &key.key_type.to_string())].join(",")
}

/// No control character is left, for a terminal, nor a line feed.
fn escaped(value: &str) -> String {
    printable(value).replace('\\', "\\\\").replace('"', "\\\"")
}
