//! `delete` and `revoke`.

use arize_api_keys::{ApiKeysClient, Error};

use crate::args::Remove;
use crate::console::Console;
use crate::failure::{Code, Effect, Failure, printable};
use crate::{connect, output};

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
        ask(&format!("{verb} {what}? It cannot be undone."), console)?;
    }
    let client = connect::limited(&client, console);
    let bar = console.progress("keys done");
    let mut failed: usize = 0;
    let mut code = None;
    let mut removed = output::Ids::begin();
    for id in &args.ids {
        // A stdout that fails does not keep the others either.
        let ended = match remove(&client, id) {
            Ok(()) => removed.push(id, console),
            Err(error) => {
                let failure = Failure::sdk(&error, Effect::Change);
                Err(Failure { message: format!("{}: {}", printable(id), failure.message), ..failure })
            }
        };
        if let Err(failure) = ended {
            if args.ids.len() == 1 {
                return Err(failure);
            }
            bar.suspend(|| console.failure(&failure));
            failed = failed.saturating_add(1);
            code.get_or_insert(failure.code);
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    removed.end(console)?;
    match code {
        None => Ok(()),
        Some(code) => Err(Failure::new(code, format!("{failed} of {} failed", args.ids.len()))),
    }
}

/// Asks before something is removed.
pub(crate) fn ask(question: &str, console: &Console) -> Result<(), Failure> {
    match console.confirm(question) {
        Some(true) => Ok(()),
        Some(false) => Err(Failure::new(Code::Declined, "not confirmed; nothing was changed")),
        None => Err(Failure::new(Code::Usage, "there is no terminal to ask for a confirmation; nothing was changed")
            .hint("pass --yes")),
    }
}
