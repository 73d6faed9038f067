//! `ensure`: a working key kept in a file.

use arize_api_keys::{ApiKey, EnsureChange, EnsureError, EnsureRequest, Ensured};
use serde_json::json;

use crate::args::{Ensure, Format};
use crate::commands::secret_commands::{describe, service_key, user_key};
use crate::console::Console;
use crate::failure::{Code, Effect, Failure, printable};
use crate::store::{NotStored, Store};
use crate::times::rfc3339;
use crate::{args, connect, output};

pub(crate) fn run(args: &Ensure, console: &Console) -> Result<(), Failure> {
    let owner = owner(args, console)?;
    let client = connect::client(console)?;
    let mut store = Store::prepare(&args.secret, console)?;
    let request = request(args, &owner, console)?.stored(store.current_secret());
    let client = connect::for_walk(&client, console);
    let location = store.location().unwrap_or_default();
    let ensured = client.ensure(&request, |created| {
        console.secrets.learn(&created.key);
        console.report(format_args!("created {}", describe(created)));
        console.report(format_args!("storing its secret in {location}"));
        store.store(created)?;
        console.report("stored");
        Ok::<(), NotStored>(())
    });
    match ensured {
        Ok(ensured) => print(&ensured, args, &owner, console),
        Err(error) => Err(failure(&error)),
    }
}

fn request(args: &Ensure, owner: &str, console: &Console) -> Result<EnsureRequest, Failure> {
    let binding = &args.service.binding;
    let is_service = binding.space.is_some() || !binding.grant.is_empty() || binding.assignments.is_some();
    let key = args::NewKeyArgs {
        description: args.description.clone(),
        expiry: args::Expiry { expires_in: None, expires_at: None },
    };
    let request = if is_service {
        EnsureRequest::new(service_key(&args.name, binding, &key, &*console.system)?, owner)
    } else {
        EnsureRequest::new(user_key(&args.name, &key, console.system.now())?, owner)
    };
    // The store is locked until this command ends.
    let request = request.lifetime(args.lifetime).overlap(args.overlap).exclusive(true);
    let request = request.renew_now(args.renew_now).force(args.force).replace_stored(args.replace_stored);
    let request = if let Some(before) = args.renew_before { request.renew_before(before) } else { request };
    Ok(if let Some(id) = &args.adopt { request.adopt(id) } else { request })
}

/// The host and the path of the store.
fn owner(args: &Ensure, console: &Console) -> Result<String, Failure> {
    if let Some(owner) = &args.owner {
        return Ok(owner.clone());
    }
    let path = args.secret.out.as_ref().or(args.secret.env_file.as_ref());
    let shown = path.map(|path| console.system.canonicalize(path).unwrap_or_else(|_| path.clone()));
    let host = console.system.host_name().map_err(|error| {
        Failure::new(Code::Usage, format!("the name of this host is not known: {error}")).hint("pass --owner TEXT")
    })?;
    Ok(format!("{host}:{}", shown.unwrap_or_default().display()))
}

fn print(ensured: &Ensured, args: &Ensure, owner: &str, console: &Console) -> Result<(), Failure> {
    let change = match ensured.change {
        EnsureChange::Created => "created",
        EnsureChange::Renewed => "renewed",
        _ => "unchanged",
    };
    let ids = |keys: &[ApiKey]| keys.iter().map(|key| key.id.clone()).collect::<Vec<_>>();
    for key in &ensured.retired {
        console.report(format_args!("revoked the old key {}", printable(&key.id)));
    }
    let value = json!({
        "change": change,
        "id": ensured.key.id,
        "name": args.name,
        "owner": owner,
        "expires_at": ensured.key.expires_at.map(rfc3339),
        "retired": ids(&ensured.retired),
        "pending": ids(&ensured.pending),
    });
    if console.global.output == Format::Table {
        let expires = ensured.key.expires_at.map_or_else(|| "never".to_owned(), rfc3339);
        let text = format!("{change}: {} expires {expires}\n", printable(console.secrets.value(&ensured.key.id)));
        return output::text(&text, console).map(drop);
    }
    output::value(&output::clean(value, console), console).map(drop)
}

fn failure(error: &EnsureError<NotStored>) -> Failure {
    let message = error.to_string();
    match error {
        EnsureError::Find(cause) => {
            let failure = Failure::sdk(cause, Effect::Read);
            Failure { message: format!("nothing was changed: {}", failure.message), ..failure }
        }
        EnsureError::Create(cause) => {
            let failure = Failure::sdk(cause, Effect::Change);
            Failure { message: format!("no new key is stored: {}", failure.message), ..failure }
        }
        EnsureError::StoredIsForeign => {
            Failure::new(Code::Other, message).hint("pass --replace-stored, or --adopt ID to take the key over")
        }
        EnsureError::TooManyKeys => Failure::new(Code::Other, message).hint("pass --force if only one does"),
        EnsureError::Store { revoked: Ok(()), .. } | EnsureError::NotListed { revoked: Ok(()), .. } => {
            Failure::new(Code::NotStored, message)
        }
        EnsureError::Store { created, .. } | EnsureError::NotListed { created, .. } => {
            Failure::new(Code::SecretLost, message)
                .hint(format!("revoke it: arize-keys revoke {}", printable(&created.id)))
        }
        EnsureError::Verify { .. } | EnsureError::Retire { .. } => {
            Failure::new(Code::HalfRotated, message).hint("run the same command again")
        }
        _ => Failure::new(Code::Other, message),
    }
}
