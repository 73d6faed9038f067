//! `identify`: whose keys are in a text.

use std::path::Path;

use arize_api_keys::secrecy::SecretString;
use arize_api_keys::{ApiKeysClient, Error, FoundKey, ListRequest};
use serde_json::{Value, json};

use crate::args::Identify;
use crate::commands::delete::ask;
use crate::console::Console;
use crate::failure::{Code, Effect, Failure, printable};
use crate::output::Report;
use crate::{connect, input, inventory};

/// The most bytes of the text.
const MAX_TEXT: u64 = 256 * 1024 * 1024;

/// The least characters after `ak-` in a secret.
const MIN_LENGTH: usize = 8;

pub(crate) fn run(args: &Identify, console: &Console) -> Result<(), Failure> {
    let text = text(&args.file, console)?;
    let secrets = secrets(&text);
    for secret in &secrets {
        console.secrets.learn(secret);
    }
    if secrets.is_empty() {
        return Err(Failure::new(Code::NotFound, "there is no `ak-…` in the text"));
    }
    let client = connect::client(console)?;
    let read = inventory::read(&client, &args.scopes, true, console)?;
    inventory::report_unread(&read.unread, console);
    let matches: Vec<(&SecretString, Vec<&FoundKey>)> = secrets
        .iter()
        .map(|secret| (secret, read.keys.iter().filter(|found| found.key.matches(secret)).collect()))
        .collect();
    let unmatched = matches.iter().filter(|(_, found)| found.is_empty()).count();
    let is_probed = args.probe || args.revoke;
    let mut records = Vec::new();
    let mut to_revoke: Vec<&FoundKey> = Vec::new();
    let mut ambiguous = false;
    for (secret, found) in &matches {
        let is_accepted = if is_probed && !found.is_empty() { Some(is_accepted(&client, secret)?) } else { None };
        records.extend(found.iter().map(|found| record(found, is_accepted, console)));
        match found.as_slice() {
            [one] if is_accepted == Some(true) => to_revoke.push(one),
            [_, _, ..] => ambiguous = true,
            _ => {}
        }
    }
    let is_matched = !records.is_empty();
    let columns = &["id", "name", "key_type", "status", "spaces", "accepted", "last_used_at", "expires_at"];
    let mut report = Report::new("matches", records, columns);
    report.document.insert("unmatched".to_owned(), json!(unmatched));
    report.print(console).map(drop)?;
    if !is_matched {
        return Err(if read.unread.is_empty() {
            let message = match secrets.len() {
                1 => "no key that was read has the secret in the text".to_owned(),
                count => format!("no key that was read has one of the {count} secrets in the text"),
            };
            Failure::new(Code::NotFound, message).hint("the user keys of others are read with --user ID only")
        } else {
            inventory::incomplete(&read.unread)
        });
    }
    if !args.revoke {
        return Ok(());
    }
    if ambiguous {
        let message = "a secret has the redacted form of several keys; nothing was revoked";
        return Err(Failure::new(Code::NotFound, message).hint("revoke the right one by its id"));
    }
    revoke(&client, to_revoke, args.yes, console)
}

/// Only secrets that the service accepts: redacted forms are half public, so anybody can write a text that matches one.
fn revoke(client: &ApiKeysClient, mut keys: Vec<&FoundKey>, yes: bool, console: &Console) -> Result<(), Failure> {
    if keys.is_empty() {
        console.note("the service accepts none of the secrets; nothing was revoked");
        return Ok(());
    }
    let names: Vec<String> = keys.iter().map(|found| printable(&found.key.id)).collect();
    if !yes {
        ask(&format!("Revoke {}? It cannot be undone.", names.join(", ")), console)?;
    }
    // The key of this command last: the others are revoked with it.
    keys.sort_by_key(|found| inventory::is_own(&found.key, console));
    for found in keys {
        client.revoke(&found.key.id).map_err(|error| Failure::sdk(&error, Effect::Change))?;
        console.report(format_args!("revoked {}", printable(&found.key.id)));
    }
    Ok(())
}

fn record(found: &FoundKey, is_accepted: Option<bool>, console: &Console) -> Value {
    let mut value = inventory::to_json(found, console);
    if let Value::Object(members) = &mut value {
        members.insert("accepted".to_owned(), json!(is_accepted));
    }
    value
}

/// Whether the service accepts the secret.
fn is_accepted(client: &ApiKeysClient, secret: &SecretString) -> Result<bool, Failure> {
    let probed = client.with_api_key(secret).and_then(|client| client.list(&ListRequest::new().limit(1)));
    match probed {
        Ok(_) => Ok(true),
        Err(Error::Config(_)) => Ok(false),
        Err(error) => error.is_key_accepted().ok_or_else(|| Failure::sdk(&error, Effect::Read)),
    }
}

fn text(path: &Path, console: &Console) -> Result<String, Failure> {
    let bytes = input::read(path, MAX_TEXT, console).map_err(|error| Failure::input("read", path, &error))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Every `ak-…` in a text, each once.
fn secrets(text: &str) -> Vec<SecretString> {
    let mut found: Vec<&str> = Vec::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once("ak-") {
        let length = after.bytes().take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-')).count();
        let (word, more) = after.split_at(length);
        if length >= MIN_LENGTH && !found.contains(&word) {
            found.push(word);
        }
        rest = more;
    }
    found.into_iter().map(|word| SecretString::from(format!("ak-{word}"))).collect()
}

#[cfg(test)]
mod tests {
    use arize_api_keys::ExposeSecret;

    use super::*;

    #[test]
    fn keys_in_a_text() {
        let found = |text: &str| -> Vec<String> {
            secrets(text).iter().map(|secret| secret.expose_secret().to_owned()).collect()
        };
        assert_eq!(found("KEY='ak-0123456789' and ak-abcdefgh, ak-0123456789"), ["ak-0123456789", "ak-abcdefgh"]);
        assert!(found("ak-abc...xyz ak-short AK-0123456789").is_empty());
    }
}
