//! `spaces`, `organizations` and `get`: looking things up.

use arize_api_keys::{ListOrganizationsRequest, ListSpacesRequest};
use serde::Serialize;

use crate::args::{Format, Get, Organizations, Spaces};
use crate::console::Console;
use crate::failure::{Code, Effect, Failure, printable};
use crate::output::{self, Report};
use crate::{connect, inventory};

pub(crate) fn spaces(args: &Spaces, console: &Console) -> Result<(), Failure> {
    let mut request = ListSpacesRequest::new();
    if let Some(name) = &args.name {
        request = request.name(name);
    }
    if let Some(org_id) = &args.org {
        request = request.organization(org_id);
    }
    let client = connect::for_walk(&connect::client(console)?, console);
    let columns = &["id", "name", "organization_id", "created_at"];
    list("spaces", client.list_spaces(&request), columns, console)
}

pub(crate) fn organizations(args: &Organizations, console: &Console) -> Result<(), Failure> {
    let mut request = ListOrganizationsRequest::new();
    if let Some(name) = &args.name {
        request = request.name(name);
    }
    let client = connect::for_walk(&connect::client(console)?, console);
    list("organizations", client.list_organizations(&request), &["id", "name", "created_at"], console)
}

fn list<T: Serialize>(
    member: &'static str,
    items: impl Iterator<Item = Result<T, arize_api_keys::Error>>,
    columns: &'static [&'static str],
    console: &Console,
) -> Result<(), Failure> {
    let mut records = Vec::new();
    for item in items {
        let item = item.map_err(|error| Failure::sdk(&error, Effect::Read))?;
        records.push(serde_json::to_value(&item).map_err(|error| Failure::new(Code::Other, error.to_string()))?);
    }
    if records.is_empty() {
        console.note(format_args!("no {member}"));
    }
    Report::new(member, records, columns).print(console).map(drop)
}

pub(crate) fn get(args: &Get, console: &Console) -> Result<(), Failure> {
    let client = connect::for_walk(&connect::client(console)?, console);
    let request = inventory::with_progress(inventory::request(&args.scopes, true, console), console);
    let found = client.find_key(&args.id, &request);
    // It holds the progress bar.
    drop(request);
    match found {
        Ok(Some(found)) => {
            inventory::warn_of_own_expiry(std::iter::once(&found.key), console);
            if console.global.output == Format::Table {
                return output::found(&found, console).map(drop);
            }
            output::value(inventory::to_json(&found, console), console).map(drop)
        }
        Ok(None) => Err(Failure::new(
            Code::NotFound,
            format!("the key {} is in none of the lists that your key may read", printable(&args.id)),
        )),
        // A scope that was named and is not there is a mistake.
        Err(error @ arize_api_keys::Error::NotFound(_))
            if !args.scopes.space.is_empty() || !args.scopes.user.is_empty() =>
        {
            Err(Failure::sdk(&error, Effect::Read))
        }
        Err(error) => {
            let failure = Failure::sdk(&error, Effect::Read);
            let is_partial = matches!(
                error,
                arize_api_keys::Error::Forbidden(_)
                    | arize_api_keys::Error::NotFound(_)
                    | arize_api_keys::Error::Server(_)
            );
            if !is_partial {
                return Err(failure);
            }
            let message = format!(
                "the key {} is in none of the lists that were read, and one could not be read: {}",
                printable(&args.id),
                failure.message
            );
            Err(Failure::new(Code::Incomplete, message))
        }
    }
}
