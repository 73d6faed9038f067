//! `delete` and `revoke`.

use arize_api_keys::{ApiKeysClient, Error, ListRequest};

use crate::args::Remove;
use crate::console::Console;
use crate::failure::{Code, Effect, Failure, NOTHING_CHANGED, printable};
use crate::{connect, inventory, output};

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
    if !args.yes {
        let what = match args.ids.as_slice() {
            [id] => format!("the key {}", printable(id)),
            ids => format!("{} keys ({} …)", ids.len(), printable(ids.first().map(String::as_str).unwrap_or_default())),
        };
        let own = if console.can_ask() { own_id(&args.ids, &client, console) } else { None };
        let own = own.map(|id| format!("{} is the key that this command uses. ", printable(id))).unwrap_or_default();
        ask(&format!("{verb} {what}? {own}It cannot be undone."), console)?;
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

/// Which of these keys the program works with, for the question, by one request. `None` if it is not among the caller's first user
/// keys.
fn own_id<'a>(ids: &'a [String], client: &ApiKeysClient, console: &Console) -> Option<&'a str> {
    let keys = connect::limited(client, console).list(&ListRequest::new().limit(100)).ok()?.api_keys;
    let own = keys.into_iter().find(|key| inventory::is_own(key, console))?;
    ids.iter().map(String::as_str).find(|id| inventory::same_id(id, &own.id))
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
