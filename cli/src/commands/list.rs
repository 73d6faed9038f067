//! `list`

use arize_api_keys::time::OffsetDateTime;
use arize_api_keys::{ApiKey, ApiKeyStatus, ApiKeysClient, ListRequest, Pagination};

use crate::args::{Format, List, Scopes, Sort, Status};
use crate::console::{Console, Progress};
use crate::failure::{Effect, Failure, printable};
use crate::output::{Keys, Reader};
use crate::system::Stream;
use crate::{connect, inventory};

/// The page size for `--all`: the largest, for the fewest requests.
const ALL_LIMIT: u32 = 100;

pub(crate) fn run(args: &List, console: &Console) -> Result<(), Failure> {
    let client = connect::client(console)?;
    if args.is_gathered() {
        return gathered(args, &client, console);
    }
    let request = request(args, args.statuses().into_iter().next().flatten());
    if args.all { every_page(&client, &request, console) } else { one_page(&client, &request, console) }
}

fn request(args: &List, status: Option<ApiKeyStatus>) -> ListRequest {
    let mut request = ListRequest::new();
    if let Some(key_type) = &args.key_type {
        request = request.key_type(key_type.clone());
    }
    if let Some(status) = status {
        request = request.status(status);
    }
    if let Some(space) = &args.space {
        request = request.space(space.as_str());
    }
    if let Some(org_id) = &args.org {
        request = request.org_id(org_id);
    }
    if let Some(user_id) = &args.user {
        request = request.user_id(user_id);
    }
    if let Some(limit) = args.limit.or(args.all.then_some(ALL_LIMIT)) {
        request = request.limit(limit);
    }
    // A script's first round has an empty one.
    match args.cursor.as_deref() {
        Some(cursor) if !cursor.is_empty() => request.cursor(cursor),
        _ => request,
    }
}

fn one_page(client: &ApiKeysClient, request: &ListRequest, console: &Console) -> Result<(), Failure> {
    let page = client.list(request).map_err(|error| Failure::sdk(&error, Effect::Read))?;
    inventory::warn_of_own_expiry(page.api_keys.iter(), console);
    let mut keys = Keys::begin(console)?;
    let is_empty = page.api_keys.is_empty();
    for (n, key) in page.api_keys.into_iter().enumerate() {
        inventory::report_warnings(&key, console);
        if keys.push(key, n == 0, console)? == Reader::Gone {
            return Ok(());
        }
    }
    if keys.end(&page.pagination, is_empty, console)? == Reader::Here {
        if is_empty {
            console.note("no keys");
        }
        if let Some(cursor) = page.pagination.next_cursor.filter(|_| page.pagination.has_more) {
            console.note(format_args!("there are more: pass --all, or --cursor {}", printable(cursor)));
        }
    }
    Ok(())
}

/// Every key of the list, selected and sorted, before the first is printed.
fn gathered(args: &List, client: &ApiKeysClient, console: &Console) -> Result<(), Failure> {
    let mut all = Vec::new();
    if args.all_spaces {
        let scopes = Scopes { space: Vec::new(), user: Vec::new() };
        let read =
            inventory::read(client, &scopes, args.status != Some(Status::Active) && args.status.is_some(), console)?;
        if !read.unread.is_empty() {
            inventory::report_unread(&read.unread, console);
            return Err(inventory::incomplete(&read.unread));
        }
        let is_wanted = |key: &ApiKey| args.status != Some(Status::Revoked) || key.status == ApiKeyStatus::Revoked;
        all.extend(read.keys.into_iter().map(|found| found.key).filter(is_wanted));
    } else {
        let progress = progress(console);
        let client = connect::for_walk(client, console);
        for status in args.statuses() {
            for key in client.list_all(&request(args, status).limit(ALL_LIMIT)) {
                all.push(key.map_err(|error| Failure::sdk(&error, Effect::Read))?);
                progress.inc();
            }
        }
        drop(progress);
        inventory::warn_of_own_expiry(all.iter(), console);
    }
    let now = console.system.now();
    all.retain(|key| args.name.as_ref().is_none_or(|pattern| pattern.matches(&key.name)));
    all.retain(|key| {
        let Some(time) = args.expiring_within else { return true };
        // A key that is left out although it may expire.
        if key.expires_at.is_none() {
            inventory::report_warning(key, "expires_at", console);
        }
        key.expires_at.is_some_and(|at| at > now && at - now <= time)
    });
    sort(&mut all, args.sort);
    let mut keys = Keys::begin(console)?;
    let is_empty = all.is_empty();
    for (n, key) in all.into_iter().enumerate() {
        inventory::report_warnings(&key, console);
        if keys.push(key, n == 0, console)? == Reader::Gone {
            return Ok(());
        }
    }
    if keys.end(&Pagination::default(), is_empty, console)? == Reader::Here && is_empty {
        console.note("no keys");
    }
    Ok(())
}

/// Keys without the value come last; keys with the same one stay in the order of the service.
fn sort(keys: &mut [ApiKey], by: Option<Sort>) {
    let last = |at: Option<OffsetDateTime>| (at.is_none(), at);
    match by {
        None => {}
        Some(Sort::Name) => keys.sort_by(|one, other| one.name.cmp(&other.name)),
        Some(Sort::Created) => keys.sort_by_key(|key| last(key.created_at)),
        Some(Sort::Expires) => keys.sort_by_key(|key| last(key.expires_at)),
        Some(Sort::LastUsed) => keys.sort_by_key(|key| last(key.last_used_at)),
    }
}

/// What arrived before an error is printed, and the error tells where to go on.
fn every_page(client: &ApiKeysClient, request: &ListRequest, console: &Console) -> Result<(), Failure> {
    let progress = progress(console);
    let mut keys = Keys::begin(console)?;
    let mut pages = connect::for_walk(client, console).list_all(request);
    let mut count: u64 = 0;
    let mut own = None;
    let mut failed = None;
    for key in &mut pages {
        match key {
            Ok(key) => {
                inventory::report_warnings(&key, console);
                count = count.saturating_add(1);
                progress.inc();
                if inventory::is_own(&key, console) {
                    own = Some(key.clone());
                }
                if keys.push(key, count == 1, console)? == Reader::Gone {
                    return Ok(());
                }
            }
            Err(error) => failed = Some(Failure::sdk(&error, Effect::Read)),
        }
    }
    drop(progress);
    // Not between the lines of a list.
    inventory::warn_of_own_expiry(own.iter(), console);
    let Some(failure) = failed else {
        if keys.end(&Pagination::default(), count == 0, console)? == Reader::Here && count == 0 {
            console.note("no keys");
        }
        return Ok(());
    };
    if count == 0 {
        return Err(failure);
    }
    let mut rest = Pagination::default();
    rest.has_more = true;
    rest.next_cursor = pages.resume_cursor().map(str::to_owned);
    let _ = keys.end(&rest, false, console)?;
    let message = format!("the list is not complete, {count} keys came: {}", failure.message);
    Err(match &rest.next_cursor {
        Some(cursor) => Failure { message, ..failure }.hint(format!("go on with --cursor {}", printable(cursor))),
        None => Failure { message, ..failure },
    })
}

/// None where it would be drawn between lines of output on the same terminal.
fn progress(console: &Console) -> Progress {
    let is_streamed = matches!(console.global.output, Format::Jsonl | Format::Csv);
    if is_streamed && console.system.is_terminal(Stream::Stdout) {
        console.hidden_progress("keys")
    } else {
        console.progress("keys")
    }
}
