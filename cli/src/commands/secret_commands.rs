//! `create`, `create-service-key`, `refresh`: the commands that bring a new secret.

use std::time::Duration;

use arize_api_keys::time::OffsetDateTime;
use arize_api_keys::{ApiKeyCreated, ApiKeysClient, CreateRequest, CreateServiceKeyRequest, Error, RefreshRequest};

use crate::args::{self, Create, CreateServiceKey, Expiry, Format, Refresh};
use crate::console::Console;
use crate::failure::{Code, Effect, Failure, printable, with_causes};
use crate::store::{NotStored, Store};
use crate::system::System;
use crate::times::after;
use crate::{bindings, connect, output};

/// The time to revoke a key whose secret is lost.
const UNDO_TIMEOUT: Duration = Duration::from_secs(30);

pub(crate) fn create(args: &Create, console: &Console) -> Result<(), Failure> {
    let request = user_key(&args.name, &args.key, console.system.now())?;
    let store = Store::prepare(&args.secret, console.global.output, &console.system)?;
    let client = connect::client(console)?;
    let created = minted(client.create(&request))?;
    deliver(store, &created, "created", console, |cause| undo(&client, &created, cause))
}

pub(crate) fn create_service_key(args: &CreateServiceKey, console: &Console) -> Result<(), Failure> {
    let request = service_key(&args.name, &args.service.binding, &args.key, &*console.system)?;
    let store = Store::prepare(&args.secret, console.global.output, &console.system)?;
    let client = connect::client(console)?;
    let created = minted(client.create_service_key(&request))?;
    deliver(store, &created, "created", console, |cause| undo(&client, &created, cause))
}

pub(crate) fn refresh(args: &Refresh, console: &Console) -> Result<(), Failure> {
    let mut request = RefreshRequest::new(&args.id);
    if let Some(expires_at) = expires_at(&args.expiry, console.system.now())? {
        request = request.expires_at(expires_at);
    }
    if let Some(grace) = args.grace {
        request = request.grace_period(grace);
    }
    let store = Store::prepare(&args.secret, console.global.output, &console.system)?;
    let client = connect::client(console)?;
    let created = client.refresh(&request).map_err(|error| {
        let failure = Failure::sdk(&error, Effect::Change);
        match error {
            Error::UnprocessableEntity(_) if expires_at_is_missing(&args.expiry) => {
                failure.hint("a key that expires needs --expires-in or --expires-at, no later than before")
            }
            _ => failure,
        }
    })?;
    deliver(store, &created, "refreshed", console, |cause| {
        // Revoking would end what the old secret is still good for, and refreshing again mends it.
        Failure::new(Code::SecretLost, format!("the key {} was refreshed, but {cause}", printable(&created.id)))
            .hint("the new secret is lost; the old one works until its grace period ends: refresh the key again")
    })
}

fn expires_at_is_missing(expiry: &Expiry) -> bool {
    expiry.expires_at.is_none() && expiry.expires_in.is_none()
}

pub(crate) fn user_key(name: &str, key: &args::NewKeyArgs, now: OffsetDateTime) -> Result<CreateRequest, Failure> {
    let mut request = CreateRequest::new(name);
    if let Some(description) = &key.description {
        request = request.description(description);
    }
    Ok(match expires_at(&key.expiry, now)? {
        Some(expires_at) => request.expires_at(expires_at),
        None => request,
    })
}

pub(crate) fn service_key(
    name: &str,
    binding: &args::Binding,
    key: &args::NewKeyArgs,
    system: &dyn System,
) -> Result<CreateServiceKeyRequest, Failure> {
    let mut request = bindings::request(name, binding, system)?;
    if let Some(description) = &key.description {
        request = request.description(description);
    }
    Ok(match expires_at(&key.expiry, system.now())? {
        Some(expires_at) => request.expires_at(expires_at),
        None => request,
    })
}

fn expires_at(expiry: &Expiry, now: OffsetDateTime) -> Result<Option<OffsetDateTime>, Failure> {
    match expiry.expires_in {
        Some(duration) => after(now, duration)
            .map(Some)
            .ok_or_else(|| Failure::new(Code::Usage, "--expires-in ends after the year 9999: leave it out for never")),
        None => Ok(expiry.expires_at),
    }
}

fn minted(result: Result<ApiKeyCreated, Error>) -> Result<ApiKeyCreated, Failure> {
    result.map_err(|error| Failure::sdk(&error, Effect::Change))
}

/// The secret first, then everything else.
fn deliver(
    store: Store,
    created: &ApiKeyCreated,
    what: &str,
    console: &Console,
    lost: impl FnOnce(NotStored) -> Failure,
) -> Result<(), Failure> {
    let location = store.location();
    store.store(created).map_err(lost)?;
    console.report(format_args!("{what} {}", describe(created)));
    report_warnings(created, console);
    match location {
        Some(location) => {
            console.note(format_args!("the secret is in {location}"));
            // The key is stored: that nobody reads what it is called does not matter.
            // The messages say all that the table would.
            if console.global.output == Format::Table {
                return Ok(());
            }
            output::created(created, console).map(drop)
        }
        None => {
            console.note("this is the only time that the secret can be seen: store it now");
            Ok(())
        }
    }
}

/// A key whose secret is nowhere shall not live on.
fn undo(client: &ApiKeysClient, created: &ApiKeyCreated, cause: NotStored) -> Failure {
    let key = describe(created);
    // The time of the command may be over. This must be tried nevertheless.
    match client.with_time_limit(UNDO_TIMEOUT).revoke(&created.id) {
        Ok(()) => Failure::new(Code::NotStored, format!("{cause}; the new {key} was revoked")),
        Err(error) => {
            let problem = with_causes(&error);
            Failure::new(
                Code::SecretLost,
                format!("{cause}; the new {key} exists, its secret is lost, and revoking it failed: {problem}"),
            )
            .hint(format!("revoke it: arize-keys revoke {}", printable(&created.id)))
        }
    }
}

/// One line that finds the key again.
pub(crate) fn describe(created: &ApiKeyCreated) -> String {
    let expiry = output::moment("expires_at", created.expires_at, &created.warnings);
    let expiry = expiry.map_or_else(|| "never expires".to_owned(), |expiry| format!("expires {}", printable(expiry)));
    format!(
        "{} key {} named `{}` ({expiry})",
        printable(&created.key_type),
        printable(&created.id),
        printable(&created.name)
    )
}

pub(crate) fn report_warnings(created: &ApiKeyCreated, console: &Console) {
    for warning in &created.warnings {
        console.warning(format_args!("cannot read {warning} in the answer"));
    }
}
