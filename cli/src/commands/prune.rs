//! `prune`: revoking what rules select.

use std::collections::BTreeSet;
use std::time::Duration;

use arize_api_keys::time::OffsetDateTime;
use arize_api_keys::{ApiKeyType, ApiKeysClient, FoundKey};
use serde_json::{Value, json};

use crate::args::{Format, Prune};
use crate::console::Console;
use crate::failure::{Code, Effect, Failure, printable};
use crate::inventory::{self, is_older};
use crate::output::{self, Report};
use crate::{connect, messages};

/// The time after its expiry from which a key counts as expired: clocks differ.
const EXPIRY_MARGIN: Duration = Duration::from_secs(300);

pub(crate) fn run(args: &Prune, console: &Console) -> Result<(), Failure> {
    let client = connect::client(console)?;
    let selected = select(args, &client, true, console)?;
    if selected.len() > args.max {
        let message = format!(
            "the rules select {}, more than --max {}; nothing was revoked",
            output::count(selected.len(), "key"),
            args.max
        );
        return Err(Failure::new(Code::Other, message).hint("narrow the rules, or pass a larger --max"));
    }
    // The lists may be minutes old, and a key may have been used since.
    let selected = if args.yes && !selected.is_empty() {
        let ids: BTreeSet<String> = selected.into_iter().map(|found| found.key.id).collect();
        select(args, &client, false, console)?.into_iter().filter(|found| ids.contains(&found.key.id)).collect()
    } else {
        selected
    };
    let mut revoked = Vec::new();
    let mut failure = None;
    if args.yes {
        for found in &selected {
            match client.revoke(&found.key.id) {
                Ok(()) => {
                    console.report(format_args!("revoked {}", printable(&found.key.id)));
                    revoked.push(found.key.id.clone());
                }
                Err(error) => {
                    let failed = Failure::sdk(&error, Effect::Change);
                    console.report(format_args!("{}: {}", printable(&found.key.id), messages::of(&error)));
                    failure.get_or_insert(failed);
                }
            }
        }
    } else {
        console.note(format_args!("a dry run selects {}; pass --yes to revoke", output::count(selected.len(), "key")));
    }
    match print(args, &selected, &revoked, console) {
        // The keys are revoked, even if stdout fails.
        Err(failed) if !revoked.is_empty() => console.warning(failed.message),
        printed => printed?,
    }
    failure.map_or(Ok(()), Err)
}

fn print(args: &Prune, selected: &[FoundKey], revoked: &[String], console: &Console) -> Result<(), Failure> {
    let records = selected.iter().map(|found| inventory::to_json(found, console)).collect();
    let columns = &["id", "name", "key_type", "spaces", "created_at", "last_used_at", "expires_at"];
    let mut report = Report::new("selected", records, columns);
    report.document.insert("dry_run".to_owned(), json!(!args.yes));
    report.document.insert("revoked".to_owned(), json!(revoked));
    if console.global.output == Format::Jsonl {
        let Report { mut document, records, .. } = report;
        document.insert("selected".to_owned(), Value::Array(records));
        return output::value(Value::Object(document), console).map(drop);
    }
    report.print(console).map(drop)
}

/// The keys that every rule selects, without the key of this command. The first selection names the keys with a time that
/// cannot be read.
fn select(args: &Prune, client: &ApiKeysClient, is_first: bool, console: &Console) -> Result<Vec<FoundKey>, Failure> {
    let read = inventory::read(client, &args.scopes, false, console)?;
    if !read.unread.is_empty() {
        inventory::report_unread(&read.unread, console);
        let failure = inventory::incomplete(&read.unread);
        return Err(failure.and("nothing was revoked"));
    }
    let is_kept = |found: &FoundKey| {
        let is_named = args.keep.as_ref().is_some_and(|id| inventory::same_id(id, &found.key.id));
        is_named || inventory::is_own(&found.key, console)
    };
    if args.keep.is_none() && !read.keys.iter().any(is_kept) {
        let message = "the key of this command is not among the keys that were read, so it cannot be spared";
        return Err(Failure::new(Code::Usage, message).hint("pass its id as --keep ID"));
    }
    let now = read.now;
    for found in read.keys.iter().filter(|found| is_first && is_in_scope(args, found) && !is_kept(found)) {
        for (field, is_looked_at) in [
            ("created_at", args.older_than.is_some()),
            ("last_used_at", args.unused_for.is_some()),
            ("expires_at", args.expired),
        ] {
            if is_looked_at {
                inventory::report_warning(&found.key, field, console);
            }
        }
    }
    let is_selected =
        |found: &FoundKey| is_in_scope(args, found) && matches_every_rule(args, found, now) && !is_kept(found);
    Ok(read.keys.into_iter().filter(is_selected).collect())
}

/// The caller's own user keys, or those of the scopes that the arguments name.
fn is_in_scope(args: &Prune, found: &FoundKey) -> bool {
    let is_service = found.key.key_type == ApiKeyType::Service;
    let is_of_user = args.scopes.user.contains(&found.key.created_by_user_id);
    match (args.all_spaces, args.scopes.space.is_empty(), args.scopes.user.is_empty()) {
        (true, ..) => true,
        (false, true, true) => !is_service,
        (false, no_space, no_user) => is_service && !no_space || !is_service && !no_user && is_of_user,
    }
}

/// A time that cannot be read selects nothing.
fn matches_every_rule(args: &Prune, found: &FoundKey, now: OffsetDateTime) -> bool {
    let key = &found.key;
    args.older_than.is_none_or(|age| is_older(key.created_at, age, now))
        && args.unused_for.is_none_or(|age| is_older(key.last_used_at, age, now))
        && (!args.expired || is_older(key.expires_at, EXPIRY_MARGIN, now))
        && args.name.as_ref().is_none_or(|pattern| pattern.matches(&key.name))
}
