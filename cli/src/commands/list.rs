//! `list`

use arize_api_keys::{ApiKey, ApiKeysClient, ListRequest, Pagination};
use indicatif::ProgressBar;

use crate::args::{Format, List};
use crate::connect;
use crate::console::Console;
use crate::failure::{Effect, Failure, printable};
use crate::output::{Keys, Reader};
use crate::system::Stream;

/// The page size for `--all`: the largest, for the fewest requests.
const ALL_LIMIT: u32 = 100;

pub(crate) fn run(args: &List, console: &Console) -> Result<(), Failure> {
    let client = connect::client(console)?;
    let request = request(args);
    if args.all { every_page(&client, &request, console) } else { one_page(&client, &request, console) }
}

fn request(args: &List) -> ListRequest {
    let mut request = ListRequest::new();
    if let Some(key_type) = &args.key_type {
        request = request.key_type(key_type.clone());
    }
    if let Some(status) = &args.status {
        request = request.status(status.clone());
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
    let mut keys = Keys::begin(console)?;
    let is_empty = page.api_keys.is_empty();
    for (n, key) in page.api_keys.into_iter().enumerate() {
        report_warnings(&key, console);
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

/// What arrived before an error is printed, and the error tells where to go on.
fn every_page(client: &ApiKeysClient, request: &ListRequest, console: &Console) -> Result<(), Failure> {
    let bar = progress(console);
    let mut keys = Keys::begin(console)?;
    let mut pages = connect::for_walk(client, console).list_all(request);
    let mut count: u64 = 0;
    let mut failed = None;
    for key in &mut pages {
        match key {
            Ok(key) => {
                report_warnings(&key, console);
                count = count.saturating_add(1);
                bar.set_position(count);
                if keys.push(key, count == 1, console)? == Reader::Gone {
                    return Ok(());
                }
            }
            Err(error) => failed = Some(Failure::sdk(&error, Effect::Read)),
        }
    }
    bar.finish_and_clear();
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
fn progress(console: &Console) -> ProgressBar {
    let is_streamed = matches!(console.global.output, Format::Jsonl | Format::Csv);
    if is_streamed && console.system.is_terminal(Stream::Stdout) {
        ProgressBar::hidden()
    } else {
        console.progress("keys")
    }
}

fn report_warnings(key: &ApiKey, console: &Console) {
    for warning in &key.warnings {
        console.warning(format_args!("key {}: cannot read {warning}", printable(&key.id)));
    }
}
