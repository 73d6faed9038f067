//! `check`: where requests go, and whether the service accepts the key.

use arize_api_keys::secrecy::SecretString;
use arize_api_keys::{ApiKey, ApiKeyList, ListRequest};

use crate::api_key::{self, Found, Source};
use crate::args::Check;
use crate::console::Console;
use crate::failure::{Effect, Failure};
use crate::{connect, inventory, output};

pub(crate) fn run(args: &Check, console: &Console) -> Result<(), Failure> {
    let (found, client) = match api_key::find(console) {
        Ok(found) => {
            let client = connect::client_with(found.as_ref(), console);
            (found, client)
        }
        Err(failure) => (None, Err(failure)),
    };
    let no_key = Found { key: "no-key".into(), source: Source::Value };
    let (client, unusable) = match client {
        Ok(client) => (client, None),
        // The endpoint does not depend on the key. This client sends nothing.
        Err(failure) => match connect::client_with(Some(&no_key), console) {
            Ok(client) => (client, Some(failure)),
            Err(_) => return Err(failure),
        },
    };
    // One page tells whether the key is accepted.
    let is_asked = !args.offline && unusable.is_none();
    let answer = is_asked.then(|| client.list(&ListRequest::new().limit(100)));
    let accepted = match &answer {
        None if unusable.is_some() => "no usable key",
        None => "not asked",
        Some(Ok(_)) => "yes",
        Some(Err(error)) => match error.is_key_accepted() {
            Some(true) => "yes, but it may not list keys",
            Some(false) => "no",
            None => "unknown",
        },
    };
    let own = answer.as_ref().and_then(|answer| answer.as_ref().ok());
    let key = found.zip(own).and_then(|(found, own)| itself(own, &found.key));
    inventory::warn_of_own_expiry(key.into_iter(), console);
    let facts = [
        ("endpoint", Some(console.secrets.message(client.endpoint()))),
        ("stage", Some(client.stage().to_string())),
        // A user may have given a key where a path or a name belongs.
        ("key_from", Some(console.secrets.message(api_key::source(console)))),
        ("accepted", Some(accepted.to_owned())),
        ("key_id", key.map(|key| key.id.clone())),
        ("key_name", key.map(|key| key.name.clone())),
        ("key_expires_at", key.and_then(|key| output::Key::new(key, &console.secrets).expires_at)),
    ];
    let _ = output::facts(&facts, console)?;
    if let Some(failure) = unusable {
        return Err(failure);
    }
    match answer {
        Some(Err(_)) if accepted.starts_with("yes") => Ok(()),
        // The hint would be to run this.
        Some(Err(error)) => Err(Failure { hint: None, ..Failure::sdk(&error, Effect::Read) }),
        _ => Ok(()),
    }
}

/// The key with this secret, by its redacted form. `None` if several keys may be it, or if there are more pages.
fn itself<'a>(page: &'a ApiKeyList, secret: &SecretString) -> Option<&'a ApiKey> {
    if page.pagination.has_more {
        return None;
    }
    let mut matching = page.api_keys.iter().filter(|key| key.matches(secret));
    matching.next().filter(|_| matching.next().is_none())
}
