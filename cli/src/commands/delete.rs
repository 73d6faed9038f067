//! `delete` and `revoke`.

use std::time::Duration;

use arize_api_keys::{ApiKey, ApiKeysClient, Error, InventoryRequest, ListRequest};

use crate::args::Remove;
use crate::console::Console;
use crate::failure::{Code, Effect, Failure, NOTHING_CHANGED, printable};
use crate::{connect, inventory, output};

/// The most time to find out whether a key is the program's own.
const OWN_KEY_TIMEOUT: Duration = Duration::from_secs(10);

pub(crate) fn delete(args: &Remove, console: &Console) -> Result<(), Failure> {
    run(args, console, "Delete", |client, id| client.delete(id))
}

pub(crate) fn revoke(args: &Remove, console: &Console) -> Result<(), Failure> {
    run(args, console, "Revoke", |client, id| client.revoke(id))
}

/// One key that cannot be removed does not keep the others; the first failure decides the exit code.
fn run(
    args: &Remove,
    console: &Console,
    verb: &str,
    remove: impl Fn(&ApiKeysClient, &str) -> Result<(), Error>,
) -> Result<(), Failure> {
    // A configuration that cannot work is no reason to ask.
    let client = connect::client(console)?;
    let own = if args.yes || console.can_ask() { own_id(&args.ids, &client, console) } else { None };
    let own = own.map(|id| format!("{} is the key that this command uses", printable(id)));
    if !args.yes {
        let what = match args.ids.as_slice() {
            [id] => format!("the key {}", printable(id)),
            ids => format!("{} keys ({} …)", ids.len(), printable(ids.first().map(String::as_str).unwrap_or_default())),
        };
        let own = own.map(|fact| format!("{fact}. ")).unwrap_or_default();
        ask(&format!("{verb} {what}? {own}It cannot be undone."), console)?;
    } else if let Some(fact) = own {
        console.warning(format_args!("{fact}: programs with this key will need another one"));
    }
    let client = connect::limited(&client, console);
    let progress = console.progress("keys");
    let mut failures = Vec::new();
    let mut removed = output::Ids::begin();
    for id in &args.ids {
        match remove(&client, id) {
            // A key that is removed is no failure, even if stdout is one: a script must not do it again.
            Ok(()) => {
                if let Err(failure) = removed.push(id, console) {
                    let done = format!("{}; the key {} was removed", failure.message, printable(id));
                    progress.suspend(|| console.warning(done));
                }
            }
            Err(error) => {
                let failure = Failure::sdk(&error, Effect::Change);
                let failure = failure.after(printable(id));
                // A single one is the error of the command.
                if args.ids.len() > 1 {
                    progress.suspend(|| console.failure(&failure));
                }
                failures.push(failure);
            }
        }
        progress.inc();
    }
    drop(progress);
    if let Err(failure) = removed.end(console) {
        console.warning(failure.message);
    }
    let count = failures.len();
    match failures.into_iter().next() {
        None => Ok(()),
        Some(failure) if args.ids.len() == 1 => Err(failure),
        Some(first) => Err(Failure::new(first.code, format!("{count} of {} failed", args.ids.len()))),
    }
}

/// Which of these keys the program works with. `None` also if the lists do not tell: they must not keep a key from its removal.
fn own_id<'a>(ids: &'a [String], client: &ApiKeysClient, console: &Console) -> Option<&'a str> {
    let time = console.remaining().map_or(OWN_KEY_TIMEOUT, |time| time.min(OWN_KEY_TIMEOUT));
    let is_own = |key: &ApiKey| inventory::is_own(key, console);
    let mut user_keys = client.with_time_limit(time).list_all(&ListRequest::new().limit(100));
    let own = match user_keys.find(|key| key.as_ref().map_or(true, is_own)) {
        Some(key) => key.ok()?,
        // Only the lists of spaces have service keys.
        None => {
            let found = client.inventory(&InventoryRequest::new().timeout(time)).ok()?.keys;
            found.into_iter().map(|found| found.key).find(is_own)?
        }
    };
    // The service takes an id without its padding, too.
    let bare = |id: &'a str| id.trim_end_matches('=');
    ids.iter().map(String::as_str).find(|id| bare(id) == own.id.trim_end_matches('='))
}

/// Asks before something is removed.
pub(crate) fn ask(question: &str, console: &Console) -> Result<(), Failure> {
    match console.confirm(question) {
        Some(true) => Ok(()),
        Some(false) => Err(Failure::new(Code::Declined, "not confirmed").state(NOTHING_CHANGED)),
        None => Err(Failure::new(Code::Usage, "there is no terminal to ask for a confirmation")
            .state(NOTHING_CHANGED)
            .hint("pass --yes")),
    }
}
