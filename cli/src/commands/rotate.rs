//! `rotate`: create, store, prove, revoke.

use arize_api_keys::{Error, ReplacementKey, RotationError};

use crate::args::Rotate;
use crate::commands::delete::ask;
use crate::commands::secret_commands::{describe, print_details, report_warnings, service_key, user_key};
use crate::connect;
use crate::console::Console;
use crate::failure::{Code, Effect, Failure, printable, with_causes};
use crate::store::{NotStored, Store};

/// Every step is told before it is taken, and what it came to before the next: whoever is interrupted knows which keys live.
pub(crate) fn run(args: &Rotate, console: &Console) -> Result<(), Failure> {
    let binding = &args.service.binding;
    let is_service = binding.space.is_some() || !binding.grant.is_empty() || binding.assignments.is_some();
    let new: ReplacementKey = if is_service {
        service_key(&args.name, binding, &args.key, &*console.system)?.into()
    } else {
        user_key(&args.name, &args.key, console.system.now())?.into()
    };
    let client = connect::client(console)?;
    let old = printable(&args.id);
    if !args.yes {
        ask(&format!("Replace the key {old} by a new one, and revoke it?"), console)?;
    }
    let mut store = Store::prepare(&args.secret, console)?;
    let location = store.location().unwrap_or_default();

    console.report(format_args!(
        "1/4 creating a key named `{}`; if this is interrupted, look for that name in a list",
        printable(&args.name)
    ));
    let rotated = client.rotate(&args.id, new, |created| {
        console.report(format_args!("    created {}", describe(created)));
        console.report(format_args!("2/4 storing its secret in {location}"));
        store.store(created)?;
        console.report("    stored");
        console.report("3/4 proving that it works");
        console.report(format_args!("4/4 then revoking the old key {old}"));
        Ok::<(), NotStored>(())
    });
    match rotated {
        Ok(created) => {
            console.report(format_args!("    done: {} replaces {old}", printable(&created.id)));
            report_warnings(&created, console);
            print_details(&created, console);
            Ok(())
        }
        Err(error) => Err(failure(&error, &args.id, &mut store)),
    }
}

fn failure(error: &RotationError<NotStored>, old: &str, store: &mut Store) -> Failure {
    let old = printable(old);
    match error {
        RotationError::Create(cause) => {
            let failure = Failure::sdk(cause, Effect::Change);
            Failure { message: format!("the old key {old} was not touched: {}", failure.message), ..failure }
        }
        RotationError::Store { revoked: Ok(()), .. } => Failure::new(Code::NotStored, error.to_string()),
        RotationError::Store { revoked: Err(cause), created, .. } => {
            Failure::new(Code::SecretLost, format!("{}; {}", message(error, cause), store.rescue(created)))
                .hint(format!("revoke it: arize-keys revoke {}", printable(&created.id)))
        }
        RotationError::Verify { cause, created, .. } => {
            Failure::new(Code::HalfRotated, message(error, cause)).hint(format!(
                "when the new key works, revoke the old one: arize-keys revoke {old}; else put the old secret back and \
                 revoke the new one: arize-keys revoke {}",
                printable(&created.id)
            ))
        }
        RotationError::Revoke { cause, .. } => Failure::new(Code::HalfRotated, message(error, cause))
            .hint(format!("revoke it later: arize-keys revoke {old}")),
        _ => Failure::new(Code::HalfRotated, error.to_string()),
    }
}

/// The message with the causes of its cause, which it does not tell.
fn message(error: &RotationError<NotStored>, cause: &Error) -> String {
    let message = error.to_string();
    let causes = with_causes(cause);
    let causes = causes.strip_prefix(&cause.to_string()).unwrap_or_default();
    format!("{message}{causes}")
}
