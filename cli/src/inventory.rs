//! The keys of several scopes, for the commands that look through an account.

use std::borrow::Cow;
use std::time::Duration;

use arize_api_keys::time::OffsetDateTime;
use arize_api_keys::{ApiKey, ApiKeysClient, Error, FieldWarning, FoundKey, InventoryRequest, Scope, UnreadScope};
use serde::Serialize;
use serde_json::{Value, json};

use crate::args::Scopes;
use crate::console::Console;
use crate::failure::{Code, Effect, Failure, printable};
use crate::messages;
use crate::output::{Key, count, moment};

/// The program warns when its key expires within this many days.
const OWN_EXPIRY_DAYS: i64 = 14;

/// The shortest time that a request takes.
const LEAST_TIME: Duration = Duration::from_millis(1);

/// The keys that were read, and the scopes that were not.
pub(crate) struct Read {
    pub(crate) keys: Vec<FoundKey>,
    pub(crate) spaces: usize,
    pub(crate) unread: Vec<UnreadScope>,
    /// The time of the service, or of this machine if the service does not say it.
    pub(crate) now: OffsetDateTime,
}

/// Reads every scope: the caller's keys, those of the users that are named, those of the spaces.
pub(crate) fn read(
    client: &ApiKeysClient,
    scopes: &Scopes,
    include_revoked: bool,
    console: &Console,
) -> Result<Read, Failure> {
    let request = with_progress(request(scopes, include_revoked, console), console);
    let inventory = client.inventory(&request).map_err(|error| Failure::sdk(&error, Effect::Read));
    // It holds the progress bar.
    drop(request);
    let inventory = inventory?;
    // A scope that was named and is not there is a mistake; one that the walk found is not.
    let missing = inventory.unread.iter().find(|unread| {
        matches!(unread.error, Error::NotFound(_))
            && match &unread.scope {
                Scope::UserKeys(_) => true,
                Scope::ServiceKeys(_) => !scopes.space.is_empty(),
                _ => false,
            }
    });
    if let Some(unread) = missing {
        let failure = Failure::sdk(&unread.error, Effect::Read);
        return Err(failure.after(&unread.scope));
    }
    warn_of_own_expiry(inventory.keys.iter().map(|found| &found.key), console);
    let now = inventory.server_time.unwrap_or_else(|| console.system.now());
    Ok(Read { keys: inventory.keys, spaces: inventory.spaces.len(), unread: inventory.unread, now })
}

/// The request for these scopes.
pub(crate) fn request(scopes: &Scopes, include_revoked: bool, console: &Console) -> InventoryRequest {
    let request = limited(InventoryRequest::new(), console);
    let request = request.include_revoked(include_revoked).concurrency(console.system.concurrency());
    let request = scopes.space.iter().fold(request, |request, space| request.space(space.as_str()));
    scopes.user.iter().fold(request, |request, user| request.user_keys_of(user))
}

/// The same request for the time that is left of `--timeout`.
pub(crate) fn limited(request: InventoryRequest, console: &Console) -> InventoryRequest {
    match console.remaining() {
        Some(time) => request.timeout(time.max(LEAST_TIME)),
        None => request,
    }
}

/// The same request with a progress bar, which ends when the request is dropped.
pub(crate) fn with_progress(request: InventoryRequest, console: &Console) -> InventoryRequest {
    let progress = console.progress("scopes");
    request.on_progress(move |done| progress.set(done.scopes_done, done.scopes_known))
}

/// Warns once if the program's own key is among these and expires soon.
pub(crate) fn warn_of_own_expiry<'a>(keys: impl Iterator<Item = &'a ApiKey>, console: &Console) {
    let Some(own) = console.own_key() else { return };
    let now = console.system.now();
    let mut expiring = keys.filter(|key| key.matches(own)).filter_map(|key| Some((key, key.expires_at?)));
    if let Some((key, at)) = expiring.find(|(_, at)| (*at - now).whole_days() < OWN_EXPIRY_DAYS)
        && console.is_first_expiry_warning()
    {
        let when = moment("expires_at", Some(at), &key.warnings).unwrap_or_default();
        console.warning(format_args!("the API key of this command, {}, expires at {when}", printable(&key.id)));
    }
}

/// Whether two texts are one id. The service takes an id without its padding, too.
pub(crate) fn same_id(one: &str, other: &str) -> bool {
    one.trim_end_matches('=') == other.trim_end_matches('=')
}

/// Whether a key is the program's own, by the redacted form.
pub(crate) fn is_own(key: &ApiKey, console: &Console) -> bool {
    console.own_key().is_some_and(|own| key.matches(own))
}

/// Names the members of a key that cannot be read.
pub(crate) fn report_warnings(key: &ApiKey, console: &Console) {
    key.warnings.iter().for_each(|warning| report(key, warning, console));
}

/// The same for one member.
pub(crate) fn report_warning(key: &ApiKey, field: &str, console: &Console) {
    if let Some(warning) = key.warnings.iter().find(|warning| warning.field == field) {
        report(key, warning, console);
    }
}

fn report(key: &ApiKey, warning: &FieldWarning, console: &Console) {
    console.warning(format_args!("key {}: cannot read {warning}", printable(&key.id)));
}

/// A key with its spaces, as JSON.
pub(crate) fn to_json(found: &FoundKey, console: &Console) -> Value {
    let mut value = serde_json::to_value(Key::new(&found.key, &console.secrets)).unwrap_or_default();
    if let Value::Object(members) = &mut value {
        members.insert("spaces".to_owned(), json!(spaces(found, console)));
    }
    value
}

/// A space in a report, without secrets.
#[derive(Serialize)]
pub(crate) struct ShownSpace<'a> {
    id: Cow<'a, str>,
    name: Cow<'a, str>,
}

pub(crate) fn spaces<'a>(found: &'a FoundKey, console: &Console) -> Vec<ShownSpace<'a>> {
    let shown = |text| console.secrets.value(text);
    found.spaces.iter().map(|space| ShownSpace { id: shown(&space.id), name: shown(&space.name) }).collect()
}

/// The unread scopes, as JSON without secrets.
pub(crate) fn unread_json(unread: &[UnreadScope], console: &Console) -> Value {
    let one = |unread: &UnreadScope| {
        json!({
            "scope": console.secrets.value(&unread.scope.to_string()),
            "status": unread.error.status(),
            "message": console.secrets.value(&messages::of(&unread.error)),
        })
    };
    unread.iter().map(one).collect()
}

/// Names the unread scopes on stderr.
pub(crate) fn report_unread(unread: &[UnreadScope], console: &Console) {
    for UnreadScope { scope, error, .. } in unread {
        console.report(format_args!("not read: {}: {}", printable(scope), messages::of(error)));
    }
}

/// The failure of a command that found nothing, where not every scope was read.
pub(crate) fn incomplete(unread: &[UnreadScope]) -> Failure {
    Failure::new(Code::Incomplete, format!("{} could not be read", count(unread.len(), "scope")))
}

/// Whether a time lies at least `age` before `now`.
pub(crate) fn is_older(at: Option<OffsetDateTime>, age: std::time::Duration, now: OffsetDateTime) -> bool {
    at.is_some_and(|at| now - at >= age)
}
