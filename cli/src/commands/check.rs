//! `check`: where requests go, and whether the key is let in.

use arize_api_keys::secrecy::ExposeSecret;
use arize_api_keys::{ApiKey, ListRequest};

use crate::args::Check;
use crate::console::Console;
use crate::failure::{Effect, Failure};
use crate::output::moment;
use crate::{connect, output};

pub(crate) fn run(args: &Check, console: &Console) -> Result<(), Failure> {
    let key = connect::key(console)?;
    let client = connect::client_with(key.clone(), console)?;
    let mut own = Vec::new();
    let mut failed = None;
    for key in client.list_all(&ListRequest::new().limit(100)).take(if args.offline { 0 } else { usize::MAX }) {
        match key {
            Ok(key) => own.push(key),
            Err(error) => failed = Some(error),
        }
    }
    let source = match &console.global.connection.api_key_file {
        Some(path) if path.as_os_str() == "-" => "stdin".to_owned(),
        Some(path) => format!("the file {}", path.display()),
        None => "ARIZE_API_KEY".to_owned(),
    };
    let accepted = match (args.offline, &failed) {
        (true, _) => "not asked",
        (false, None) => "yes",
        // It is known, and may not list.
        (false, Some(error)) if error.status() == Some(403) => "yes, but it may not list keys",
        (false, Some(error)) if error.status() == Some(401) => "no",
        (false, Some(_)) => "unknown",
    };
    let key = key.as_ref().and_then(|key| itself(&own, key.expose_secret()));
    let facts = [
        ("endpoint", Some(client.endpoint())),
        ("stage", Some(client.stage().to_string())),
        ("key_from", Some(source)),
        ("accepted", Some(accepted.to_owned())),
        ("key_id", key.map(|key| key.id.clone())),
        ("key_name", key.map(|key| key.name.clone())),
        ("key_expires_at", key.and_then(|key| moment("expires_at", key.expires_at, &key.warnings))),
    ];
    let _ = output::facts(&facts, console)?;
    match failed {
        // The hint would be to run this.
        Some(error) if error.status() != Some(403) => Err(Failure { hint: None, ..Failure::sdk(&error, Effect::Read) }),
        _ => Ok(()),
    }
}

/// The one key whose redacted form this secret has.
fn itself<'a>(keys: &'a [ApiKey], secret: &str) -> Option<&'a ApiKey> {
    let mut matching = keys.iter().filter(|key| match key.redacted_key.split_once("...") {
        Some((head, tail)) => !head.is_empty() && secret.starts_with(head) && secret.ends_with(tail),
        None => false,
    });
    matching.next().filter(|_| matching.next().is_none())
}
