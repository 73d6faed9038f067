//! The report as one HTML page, without scripts and requests.

use std::fmt::Write;

use arize_api_keys::time::OffsetDateTime;
use arize_api_keys::{ApiKey, FoundKey, UnreadScope};

use super::NOT_COVERED;
use super::rules::Finding;
use crate::console::Console;
use crate::messages;
use crate::output::{count, moment};
use crate::redact::printable;

const STYLE: &str = "\
:root{color-scheme:light dark;--fg:#1d2430;--bg:#fff;--dim:#667085;--line:#d0d5dd;--bar:#7aa2f7;--bad:#c4320a;--used:#12805c}
@media(prefers-color-scheme:dark){:root{--fg:#e6e9ef;--bg:#14171d;--dim:#98a2b3;--line:#344054;--bar:#5b7cd6;--bad:#ff8a5c;--used:#4cc38a}}
body{font:15px/1.5 system-ui,sans-serif;color:var(--fg);background:var(--bg);margin:2rem auto;max-width:72rem;padding:0 1rem}
h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2rem}
table{border-collapse:collapse;width:100%}tr{break-inside:avoid}
th,td{text-align:left;padding:.35rem .75rem .35rem 0;border-bottom:1px solid var(--line);vertical-align:top}
th{color:var(--dim);font-weight:600}.rule,.id,.type{white-space:nowrap}.text{overflow-wrap:anywhere;min-width:8rem}
.id{font:13px/1.75 ui-monospace,monospace}.rule{color:var(--bad)}.dim{color:var(--dim)}
.key{display:grid;grid-template-columns:minmax(8rem,16rem) minmax(0,1fr);gap:.25rem 1rem;align-items:center;margin:.3rem 0;break-inside:avoid}
.key span{overflow-wrap:anywhere;min-width:0}
.line{-webkit-print-color-adjust:exact;print-color-adjust:exact;position:relative;height:1rem;background:linear-gradient(var(--line),var(--line)) center/100% 1px no-repeat}
.line i{position:absolute;display:block}.life{top:.3rem;height:.4rem;background:var(--bar);border-radius:.2rem}
.used{top:.1rem;width:.5rem;height:.8rem;background:var(--used);border-radius:.25rem;margin-left:-.25rem}
.end{top:0;width:2px;margin-left:-2px;height:1rem;background:var(--bad)}.now{top:-.15rem;width:1px;height:1.3rem;background:var(--fg)}
@media(max-width:44rem){.key{grid-template-columns:minmax(0,1fr)}th,td:empty{display:none}td{display:block;border:0;padding:0}
.id{white-space:normal;overflow-wrap:anywhere}tr{display:block;padding:.5rem 0;border-bottom:1px solid var(--line)}tr:first-child{display:none}}
@media print{body{margin:0;max-width:none}}";

const LEGEND: &str = "\
Blue: from creation to expiry, or to the end for a key that does not expire. Green: the last use. Red: the expiry. The thin line: \
today.";

pub(super) fn page(
    keys: &[&FoundKey],
    findings: &[Finding<'_>],
    unread: &[UnreadScope],
    now: OffsetDateTime,
    console: &Console,
) -> String {
    let text = |text: &str| escaped(&printable(console.secrets.value(text)));
    let mut page = String::from("<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n");
    page.push_str("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
    let _ = write!(page, "<title>API keys</title>\n<style>\n{STYLE}\n</style>\n<h1>API keys</h1>\n");
    let today = text(&shown(Some(now)));
    let _ = writeln!(page, "<p>{}, {}. {today}</p>", count(keys.len(), "key"), count(findings.len(), "finding"));
    let _ = writeln!(page, "<p class=\"dim\">Not covered: {NOT_COVERED}.</p>");
    if !unread.is_empty() {
        page.push_str("<h2>Not read</h2>\n<ul>\n");
        for unread in unread {
            let (scope, message) = (text(&unread.scope.to_string()), text(&messages::of(&unread.error)));
            let _ = writeln!(page, "<li>{scope}: {message}</li>");
        }
        page.push_str("</ul>\n");
    }
    page.push_str("<h2>Findings</h2>\n");
    if findings.is_empty() {
        page.push_str("<p>None.</p>\n");
    } else {
        page.push_str("<table>\n<tr><th>Rule<th>Name<th>Id<th>Type<th>Spaces<th>Why\n");
        for Finding { found, rule, why } in findings {
            let spaces: Vec<String> = found.spaces.iter().map(|space| text(&space.name)).collect();
            let (name, id) = (text(&found.key.name), text(&found.key.id));
            let (kind, spaces, why) = (text(&found.key.key_type.to_string()), spaces.join(", "), text(why));
            let _ = write!(page, "<tr><td class=\"rule\">{rule}<td class=\"text\">{name}<td class=\"id\">{id}");
            let _ = writeln!(page, "<td class=\"type\">{kind}<td class=\"text\">{spaces}<td>{why}");
        }
        page.push_str("</table>\n");
    }
    let scale = Scale::of(keys, now);
    let (begin, end) = (text(&date(scale.begin)), text(&date(scale.begin.saturating_add(scale.length))));
    let _ = writeln!(page, "<h2>Time line</h2>\n<p class=\"dim\">From {begin} to {end}. {LEGEND}</p>");
    for found in keys {
        let _ = writeln!(
            page,
            "<div class=\"key\"><span>{}</span><span class=\"line\" role=\"img\" title=\"{}\">{}</span></div>",
            text(&found.key.name),
            text(&dates(&found.key)),
            scale.bar(&found.key, now)
        );
    }
    page.push_str("</html>\n");
    page
}

fn dates(key: &ApiKey) -> String {
    let at = |field, at| moment(field, at, &key.warnings);
    let created = at("created_at", key.created_at).unwrap_or_else(|| "unknown".to_owned());
    let used = at("last_used_at", key.last_used_at).unwrap_or_else(|| "never seen".to_owned());
    let expires = at("expires_at", key.expires_at).unwrap_or_else(|| "never".to_owned());
    format!("created {created}; last used {used}; expires {expires}")
}

fn shown(at: Option<OffsetDateTime>) -> String {
    moment("", at, &[]).unwrap_or_default()
}

fn date(second: i64) -> String {
    OffsetDateTime::from_unix_timestamp(second).map(|at| at.date().to_string()).unwrap_or_default()
}

/// The times at the two ends of the time line, in seconds.
struct Scale {
    begin: i64,
    length: i64,
}

impl Scale {
    fn of(keys: &[&FoundKey], now: OffsetDateTime) -> Self {
        let now = now.unix_timestamp();
        let created = keys.iter().filter_map(|found| found.key.created_at).map(OffsetDateTime::unix_timestamp);
        let expires = keys.iter().filter_map(|found| found.key.expires_at).map(OffsetDateTime::unix_timestamp);
        let begin = created.min().unwrap_or(now).min(now);
        // A key that expires in a century must not squeeze the others.
        let end = expires.max().unwrap_or(now).clamp(now, now.saturating_add(2 * 366 * 86_400));
        Self { begin, length: (end - begin).max(1) }
    }

    /// The place of a time, in thousandths of the line.
    fn place(&self, at: i64) -> i64 {
        (at.saturating_sub(self.begin).saturating_mul(1000) / self.length).clamp(0, 1000)
    }

    fn bar(&self, key: &ApiKey, now: OffsetDateTime) -> String {
        let place = |at: OffsetDateTime| self.place(at.unix_timestamp());
        let percent = |thousandths: i64| format!("{}.{}%", thousandths / 10, thousandths % 10);
        let begin = key.created_at.map_or(0, place);
        let end = key.expires_at.map_or(1000, place);
        let width = percent((end - begin).max(2));
        let mut bar = format!("<i class=\"life\" style=\"left:{};width:{width}\"></i>", percent(begin));
        if key.expires_at.is_some() {
            let _ = write!(bar, "<i class=\"end\" style=\"left:{}\"></i>", percent(end));
        }
        if let Some(at) = key.last_used_at {
            let _ = write!(bar, "<i class=\"used\" style=\"left:{}\"></i>", percent(place(at)));
        }
        let _ = write!(bar, "<i class=\"now\" style=\"left:{}\"></i>", percent(place(now)));
        bar
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}
