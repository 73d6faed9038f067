//! `create`, `create-service-key`, `refresh`: the commands that bring a new secret.

use std::time::Duration;

use arize_api_keys::secrecy::SecretString;
use arize_api_keys::time::OffsetDateTime;
use arize_api_keys::{
    ApiError, ApiKeyCreated, ApiKeysClient, CreateRequest, CreateServiceKeyRequest, Error, InvalidRequest,
    InventoryRequest, ListRequest, Outcome, RefreshRequest,
};
use glob::Pattern;

use crate::args::{self, Create, CreateServiceKey, Expiry, Format, Refresh};
use crate::console::Console;
use crate::failure::{Code, Effect, Failure, NOTHING_CHANGED, NOTHING_CREATED, printable, with_causes};
use crate::shell::quoted;
use crate::store::{NotStored, Rescue, Store};
use crate::times::{after, rfc3339_to_second};
use crate::{api_key, bindings, connect, inventory, output};

/// The time to revoke a key whose secret is lost.
const UNDO_TIMEOUT: Duration = Duration::from_secs(30);

pub(crate) fn create(args: &Create, console: &Console) -> Result<(), Failure> {
    let prepare = || {
        let request = user_key(&args.name, &args.key, console.system.now())?;
        let client = connect::client(console)?;
        request.validate(console.system.now()).map_err(invalid)?;
        Ok((request, client, Store::prepare(&args.secret, console)?))
    };
    let (request, client, mut store) = prepare().map_err(nothing_created)?;
    let client = connect::limited(&client, console);
    announce_create(&args.name, console);
    let created = client.create(&request).map_err(|error| not_created(&error, &args.name, "", &mut store))?;
    deliver(store, &created, "created", console, |store, cause| undo(&client, store, &created, &cause))
}

pub(crate) fn create_service_key(args: &CreateServiceKey, console: &Console) -> Result<(), Failure> {
    let prepare = || {
        let mut request = service_key(&args.name, &args.service.binding, &args.key, console)?;
        let client = connect::client(console)?;
        request.validate(client.stage(), console.system.now()).map_err(invalid)?;
        let store = Store::prepare(&args.secret, console)?;
        if let Some(binding) = bindings::resolve(&args.service.binding, &client, console)? {
            request = service_key(&args.name, &binding, &args.key, console)?;
            request.validate(client.stage(), console.system.now()).map_err(invalid)?;
        }
        Ok((request, client, store))
    };
    let (request, client, mut store) = prepare().map_err(nothing_created)?;
    let client = connect::limited(&client, console);
    announce_create(&args.name, console);
    let created = client.create_service_key(&request);
    let created = created.map_err(|error| not_created(&error, &args.name, " --all-spaces", &mut store))?;
    deliver(store, &created, "created", console, |store, cause| undo(&client, store, &created, &cause))
}

pub(crate) fn refresh(args: &Refresh, console: &Console) -> Result<(), Failure> {
    let prepare = || {
        let mut request = RefreshRequest::new(&args.id);
        if let Some(expires_at) = expires_at(&args.expiry, console.system.now())? {
            request = request.expires_at(expires_at);
        }
        if let Some(grace) = args.grace {
            request = request.grace_period(grace);
        }
        let found = api_key::find(console)?;
        let client = connect::client_with(found.as_ref(), console)?;
        request.validate(console.system.now()).map_err(invalid)?;
        let store = Store::prepare(&args.secret, console)?;
        let client = connect::limited(&client, console);
        if let Some(own) = found.map(|found| found.key).filter(|_| args.grace.is_none() && !args.no_grace) {
            refuse_own_key(&args.id, &own, &client, console)?;
        }
        Ok((request, client, store))
    };
    let (request, client, mut store) = prepare().map_err(|failure: Failure| failure.state(NOTHING_CHANGED))?;
    console.report(format_args!(
        "refreshing the key {} at {}; if this is interrupted, its secret may have changed: refresh it again",
        printable(&args.id),
        rfc3339_to_second(console.system.now())
    ));
    let created = client.refresh(&request).map_err(|error| {
        let failure = not_minted(&error, NOTHING_CHANGED, &mut store);
        match error {
            Error::UnprocessableEntity(_) if expires_at_is_missing(&args.expiry) => {
                failure.hint("a key that expires needs --expires-in or --expires-at, no later than before")
            }
            Error::UnprocessableEntity(_) => failure.hint(format!(
                "the service cannot extend the life of a key: to get a key that lives longer, type arize-keys rotate {} --out FILE, \
                 or let `arize-keys ensure` renew it",
                printable(&args.id)
            )),
            _ => failure,
        }
    })?;
    deliver(store, &created, "refreshed", console, |store, cause| {
        // Revoking would end the old secret too.
        let rescue = store.rescue(&created.key);
        let message = format!("the key {} was refreshed, but {cause}; {rescue}", printable(&created.id));
        let failure = Failure::new(Code::SecretLost, message);
        let old = match args.grace {
            Some(grace) if !grace.is_zero() => {
                format!("the old secret works for {} more", humantime::format_duration(grace))
            }
            _ => "the old secret does not work any more".to_owned(),
        };
        match rescue {
            Rescue::Lost => failure.hint(format!("{old}: refresh the key again")),
            Rescue::File(_) | Rescue::Printed(_) => failure.hint(format!("{old}: put the new secret in its place")),
        }
    })
}

/// Refuses to end the secret that this program, and maybe others, work with.
fn refuse_own_key(id: &str, own: &SecretString, client: &ApiKeysClient, console: &Console) -> Result<(), Failure> {
    match is_own_key(id, own, client, console) {
        Ok(false) => Ok(()),
        Ok(true) => {
            let message = format!(
                "the key {} is the one of this program, and its secret would stop working at once",
                printable(id)
            );
            Err(Failure::new(Code::Usage, message).hint("pass --grace 1h, or --no-grace"))
        }
        Err(Error::Forbidden(_)) => {
            console.warning("this key may not list keys: whether it is the one to refresh is unknown");
            Ok(())
        }
        Err(error) => Err(Failure::sdk(&error, Effect::Read)),
    }
}

fn is_own_key(id: &str, own: &SecretString, client: &ApiKeysClient, console: &Console) -> Result<bool, Error> {
    let mut is_user_key = false;
    for key in client.list_all(&ListRequest::new().limit(100)) {
        let key = key?;
        if inventory::same_id(&key.id, id) {
            return Ok(key.matches(own));
        }
        inventory::warn_of_own_expiry(std::iter::once(&key), console);
        is_user_key |= key.matches(own);
    }
    if is_user_key {
        return Ok(false);
    }
    // The program works with a service key, which only the lists of its spaces have.
    let request = inventory::limited(InventoryRequest::new(), console);
    Ok(client.find_key(id, &request)?.is_some_and(|found| found.key.matches(own)))
}

pub(crate) fn nothing_created(failure: Failure) -> Failure {
    failure.state(NOTHING_CREATED)
}

/// A request that is refused before anything is sent.
pub(crate) fn invalid(error: InvalidRequest) -> Failure {
    Failure::sdk(&error.into(), Effect::Read)
}

/// Before the request: who is interrupted knows what to look for.
pub(crate) fn announce_create(name: &str, console: &Console) {
    console.report(format_args!(
        "creating a key named `{}` at {}; if this is interrupted, look for that name in a list",
        printable(name),
        rfc3339_to_second(console.system.now())
    ));
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
    console: &Console,
) -> Result<CreateServiceKeyRequest, Failure> {
    let mut request = bindings::request(name, binding, console)?;
    if let Some(description) = &key.description {
        request = request.description(description);
    }
    Ok(match expires_at(&key.expiry, console.system.now())? {
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

/// A secret that a refusal has nevertheless is kept: it may be in use.
pub(crate) fn not_minted(error: &Error, nothing_done: &'static str, store: &mut Store) -> Failure {
    let failure = Failure::mint(error, nothing_done);
    match error.api().and_then(ApiError::secret) {
        Some(secret) => failure.and(store.rescue(secret)),
        None => failure,
    }
}

/// The failure of a create, with the command that finds the key which may exist. `scope` is the option of that command.
fn not_created(error: &Error, name: &str, scope: &str, store: &mut Store) -> Failure {
    let failure = not_minted(error, NOTHING_CREATED, store);
    if error.outcome() != Outcome::Unknown {
        return failure;
    }
    failure.hint(format!("arize-keys list{scope} --name {}", printable(quoted(&Pattern::escape(name)))))
}

/// Says which key it is, stores the secret, and then does everything else.
fn deliver(
    mut store: Store,
    created: &ApiKeyCreated,
    what: &str,
    console: &Console,
    lost: impl FnOnce(&mut Store, NotStored) -> Failure,
) -> Result<(), Failure> {
    console.secrets.learn(&created.key);
    console.report(format_args!("{what} {}", describe(created)));
    if store.had(&created.key) {
        return Err(repeated(&store, created, what));
    }
    store.store(created).map_err(|cause| lost(&mut store, cause))?;
    report_warnings(created, console);
    match store.location() {
        Some(location) => {
            console.note(format_args!("the secret is in {location}"));
            print_details(created, console);
        }
        None => console.note("this is the only time that the secret can be seen: store it now"),
    }
    Ok(())
}

/// The response has the secret that the file has already, like an old response from a cache. Its id may be as old, so nothing is
/// revoked by it.
fn repeated(store: &Store, created: &ApiKeyCreated, what: &str) -> Failure {
    let location = store.location().unwrap_or_default();
    let message =
        format!("the response has the secret that is in {location} already, and no new one; the file is unchanged");
    Failure::new(Code::SecretLost, message).hint(match what {
        "refreshed" => {
            format!("the old secret may not work any more: refresh the key {} again", printable(&created.id))
        }
        _ => how_to_revoke(created),
    })
}

/// Prints a key whose secret is stored. A stdout that fails does not undo that, and a script must not do it again.
pub(crate) fn print_details(created: &ApiKeyCreated, console: &Console) {
    // A table would repeat the messages.
    if console.global.output == Format::Table {
        return;
    }
    if let Err(failure) = output::created(created, console) {
        console.warning(format_args!("{}; the secret is stored", failure.message));
    }
}

/// A key whose secret is nowhere must not stay.
fn undo(client: &ApiKeysClient, store: &mut Store, created: &ApiKeyCreated, cause: &NotStored) -> Failure {
    let id = printable(&created.id);
    let problem = if created.has_duplicate_member() {
        format!("the new key was not revoked, because {UNCERTAIN_ID}")
    } else {
        // The time of the command may be over. This must be tried nevertheless.
        match client.with_time_limit(UNDO_TIMEOUT).revoke(&created.id) {
            Ok(()) => return Failure::new(Code::NotStored, format!("{cause}; the new key {id} was revoked")),
            Err(error) => format!("revoking the new key {id} failed: {}", with_causes(&error)),
        }
    };
    let message = format!("{cause}; {problem}; {}", store.rescue(&created.key));
    Failure::new(Code::SecretLost, message).hint(how_to_revoke(created))
}

/// Why a key is not revoked.
pub(crate) const UNCERTAIN_ID: &str = "the response has `id` or `key` twice, and its id may be the one of another key";

/// The way to end a key that should not stay.
pub(crate) fn how_to_revoke(created: &ApiKeyCreated) -> String {
    if created.id.is_empty() || created.has_duplicate_member() {
        return format!("look for the key named `{}` in a list, and revoke it", printable(&created.name));
    }
    format!("revoke it: arize-keys revoke {}", printable(&created.id))
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
        console.warning(format_args!("cannot read {warning} in the response"));
    }
}
