//! `rotate`: find, create, store, verify, revoke.

use std::sync::{Arc, OnceLock};

use arize_api_keys::{Error, NotReplaceable, Outcome, ReplacementKey, RotationError, RotationStep};

use crate::args::{Binding, Rotate};
use crate::commands::delete::ask;
use crate::commands::secret_commands::{
    describe, how_to_revoke, invalid, not_minted, nothing_created, print_details, report_warnings, service_key,
    user_key,
};
use crate::console::Console;
use crate::failure::{Code, Effect, Failure, NOTHING_CREATED, printable};
use crate::messages::{causes, phrases};
use crate::shell::quoted;
use crate::store::{NotStored, Store};
use crate::{bindings, connect};

/// Announces every step before it is taken, so that after an interruption the user knows which keys work.
pub(crate) fn run(args: &Rotate, console: &Console) -> Result<(), Failure> {
    let prepare = || {
        let mut new = replacement(args, &args.service.binding, console)?;
        let client = connect::client(console)?;
        new.validate(&args.id, client.stage(), console.system.now()).map_err(invalid)?;
        if !args.yes {
            ask(&format!("Replace the key {} by a new one, and revoke it?", printable(&args.id)), console)?;
        }
        let store = Store::prepare(&args.secret, console)?;
        let client = connect::limited(&client, console);
        if let Some(binding) = bindings::resolve(&args.service.binding, &client, console)? {
            new = replacement(args, &binding, console)?;
        }
        let new = new.stored(store.current_secret()?);
        Ok((new, client, store))
    };
    let (new, client, mut store) = prepare().map_err(nothing_created)?;
    let old = printable(&args.id);
    let location = store.location().unwrap_or_else(|| "stdout".to_owned());
    let steps = console.clone();
    let partial = Arc::new(OnceLock::new());
    let name = args.name.clone();
    let new = new.on_step(move |step| announce(step, name.as_deref(), &steps));
    let is_partial = Arc::clone(&partial);
    let new = new.before_revoke(move |_| match is_partial.get() {
        None => Ok(()),
        Some(_) => Err("a store did not take it".into()),
    });
    let rotated = client.rotate(&args.id, new, |created| {
        console.secrets.learn(&created.key);
        console.report(format_args!("    created {}", describe(created)));
        console.report(format_args!("2/4 storing its secret in {location}"));
        match store.store(created) {
            Ok(()) => console.report("    stored"),
            // One store has it, so that it must go on to work.
            Err(problem) if problem.is_partial() => drop(partial.set(store.partly(&problem, &created.key))),
            Err(problem) => return Err(problem),
        }
        Ok::<(), NotStored>(())
    });
    match rotated {
        Ok(created) => {
            console.report(format_args!("    done: {} replaces {old}", printable(&created.id)));
            report_warnings(&created, console);
            // stdout has them already, with the secret.
            if store.location().is_some() {
                print_details(&created, console);
            }
            Ok(())
        }
        Err(error) => Err(match partial.get() {
            Some(problem) => partly_stored(problem, &error),
            None => failure(&error, args, &mut store),
        }),
    }
}

fn replacement(args: &Rotate, binding: &Binding, console: &Console) -> Result<ReplacementKey, Failure> {
    // Without a name, that of the old key carries over.
    let name = args.name.as_deref().unwrap_or_default();
    let new: ReplacementKey = if binding.is_given() {
        service_key(name, binding, &args.key, console)?.into()
    } else {
        user_key(name, &args.key, console.system.now())?.into()
    };
    Ok(if args.no_expiry { new.no_expiry() } else { new })
}

/// `new_name` is the name that the arguments give the new key.
fn announce(step: RotationStep<'_>, new_name: Option<&str>, console: &Console) {
    match step {
        RotationStep::Find => console.note("0/4 looking for the old key"),
        RotationStep::Create { name, owner, .. } => {
            if let Some(owner) = owner {
                let old_name = if new_name.is_none() { quoted(name) } else { "NAME".to_owned() };
                console.warning(format_args!(
                    "`arize-keys ensure` keeps this key for the owner `{}`, and its next run will refuse the new one; in place of `rotate`, type \
                     arize-keys ensure {} … --renew-now",
                    printable(owner),
                    printable(old_name)
                ));
            }
            console.report(format_args!(
                "1/4 creating a key named `{}`; if this is interrupted, run the same command again",
                printable(name)
            ));
        }
        RotationStep::Resume { id, .. } => console.report(format_args!(
            "    an earlier rotation, interrupted or complete, created and stored the key {}: going on with it",
            printable(id)
        )),
        RotationStep::Verify => console.report("3/4 verifying the new key"),
        RotationStep::Revoke { id, .. } => console.report(format_args!("4/4 revoking the key {}", printable(id))),
        // A step of a later version of the SDK.
        _ => {}
    }
}

/// One of several stores took the new key.
fn partly_stored(problem: &str, error: &RotationError<NotStored>) -> Failure {
    let state = match error {
        RotationError::BeforeRevoke { created, .. } => {
            format!("the new key {} and the old one work; none was revoked", printable(&created.id))
        }
        error => phrases(&error.to_string()),
    };
    Failure::new(Code::HalfRotated, format!("{problem}; {state}"))
        .hint("repair the store, then run the same command again: it makes another key and revokes these")
}

fn failure(error: &RotationError<NotStored>, args: &Rotate, store: &mut Store) -> Failure {
    let old = printable(&args.id);
    match error {
        RotationError::Find(cause) => Failure::sdk(cause, Effect::Read).state(NOTHING_CREATED),
        RotationError::NotReplaceable { old_id, reason: reason @ NotReplaceable::NotFound, .. } => {
            let message = format!("the key {} {reason}", printable(old_id));
            let failure = Failure::new(Code::NotFound, message).state(NOTHING_CREATED);
            failure.hint(bindings::find_hint(old_id, &args.service.binding))
        }
        RotationError::NotReplaceable { reason: NotReplaceable::Revoked, .. } => {
            Failure::new(Code::NotFound, error.to_string())
        }
        RotationError::NotReplaceable { .. } => Failure::new(Code::Usage, error.to_string()),
        RotationError::Create(cause) => {
            let failure = not_minted(cause, NOTHING_CREATED, store);
            let failure = failure.after(format_args!("the old key {old} is unchanged"));
            match cause.outcome() {
                Outcome::Unknown => failure.hint("run the same command again: it revokes that key, too"),
                _ => failure,
            }
        }
        // It is the secret of the old key.
        RotationError::Ambiguous { created, .. } if !created.has_duplicate_member() => {
            Failure::new(Code::SecretLost, error.to_string()).hint(how_to_revoke(created))
        }
        RotationError::Ambiguous { created, .. } => {
            Failure::new(Code::SecretLost, format!("{error}; {}", store.rescue(&created.key)))
        }
        RotationError::Store { revoked: Ok(()), .. } => Failure::new(Code::NotStored, error.to_string()),
        RotationError::Store { revoked: Err(cause), created, .. } => {
            Failure::new(Code::SecretLost, format!("{}; {}", message(error, cause), store.rescue(&created.key)))
                .hint(how_to_revoke(created))
        }
        RotationError::Verify { cause, .. } => Failure::new(Code::HalfRotated, message(error, cause))
            .hint("the old key still works: run the same command again, which verifies the stored key and goes on"),
        RotationError::Revoke { cause, .. } => Failure::new(Code::HalfRotated, message(error, cause))
            .hint(format!("run the same command again, or revoke the old key: arize-keys revoke {old}")),
        _ => Failure::new(Code::HalfRotated, phrases(&error.to_string())),
    }
}

/// The message with the causes of its cause, which it does not include.
fn message(error: &RotationError<NotStored>, cause: &Error) -> String {
    format!("{}{}", phrases(&error.to_string()), causes(cause))
}
