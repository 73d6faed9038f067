//! Lists whose pages do not add up. No other operation has pages.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use arize_api_keys::Outcome::{Applied, Rejected, Unknown};
use arize_api_keys::{ApiKeysClient, Error, ListRequest, http};

use super::harness::expected::name;
use super::harness::operation::{json_response, problem};
use super::harness::server::Server;
use super::harness::{Conn, Expected, OWN_KEY, Operation, Row, TestClock, again, fine, once, row};

/// A server that answers with these responses, one after the other, and the cursors that it was asked for.
fn serving(answers: impl IntoIterator<Item = Vec<u8>>) -> (Server, Arc<Mutex<Vec<String>>>) {
    let answers = Mutex::new(answers.into_iter().collect::<VecDeque<_>>());
    let cursors = Arc::new(Mutex::new(Vec::new()));
    let asked = Arc::clone(&cursors);
    let script = move |mut conn: Conn| {
        while let Some(request) = conn.request() {
            let target = request.split(' ').nth(1).unwrap();
            let cursor = target.split_once("cursor=").map_or("", |(_, cursor)| cursor);
            asked.lock().unwrap().push(cursor.to_owned());
            let answer = answers.lock().unwrap().pop_front().unwrap();
            conn.send(answer);
        }
    };
    (Server::start(Operation::List, Arc::new(script)), cursors)
}

fn client(server: &Server) -> ApiKeysClient {
    let builder = ApiKeysClient::builder().ignore_env().api_key(OWN_KEY).clock(TestClock::new());
    builder.scheme("http").host(server.address.to_string()).build().unwrap()
}

/// A page with keys of these names.
fn page(names: &[&str], pagination: &str) -> Vec<u8> {
    let keys: Vec<String> = names.iter().map(|name| format!(r#"{{"id":"id-{name}","name":"{name}"}}"#)).collect();
    json_response("200 OK", format!(r#"{{"api_keys":[{}],"pagination":{{{pagination}}}}}"#, keys.join(",")))
}

fn more(names: &[&str], cursor: &str) -> Vec<u8> {
    page(names, &format!(r#""has_more":true,"next_cursor":"{cursor}""#))
}

/// The names of the keys, and what else came of the walk.
fn walk(keys: &mut arize_api_keys::ApiKeys) -> Vec<Result<String, Error>> {
    let all: Vec<_> = keys.by_ref().map(|key| key.map(|key| key.name)).collect();
    assert!(keys.next().is_none(), "an iterator that has ended has ended");
    all
}

/// The keys that came, and the error at the end.
#[track_caller]
fn walk_to_error(server: &Server) -> (Vec<String>, Error) {
    let mut all = walk(&mut client(server).list_all(&ListRequest::new()));
    let error = all.pop().unwrap().unwrap_err();
    (all.into_iter().map(Result::unwrap).collect(), error)
}

/// An error of the pages themselves: the requests were answered, and not one was made again.
#[track_caller]
fn assert_pages(row: &Row, error: &Error, kind: &'static str) {
    let Expected::Fault { error: expected, outcome, .. } = once(kind, Applied) else { panic!("no fault") };
    assert_eq!((name(error).as_str(), error.outcome()), (expected, outcome));
    assert!(!error.is_retryable());
    row.proven(0, once(kind, Applied).code());
}

#[test]
fn row_62_more_without_a_cursor() {
    row(62, |row| {
        for pagination in
            [r#""has_more":true"#, r#""has_more":true,"next_cursor":"""#, r#""has_more":true,"next_cursor":null"#]
        {
            let (server, cursors) = serving([page(&["a"], pagination)]);
            let (names, error) = walk_to_error(&server);
            assert_eq!(names, ["a"]);
            assert_eq!(*cursors.lock().unwrap(), [""]);
            assert_pages(row, &error, "Pagination(MissingCursor)");
        }
    });
}

#[test]
fn row_63_cursor_that_repeats() {
    row(63, |row| {
        let same = [more(&["a"], "A"), more(&["b"], "A")];
        let cycle = [more(&["a"], "A"), more(&["b"], "B"), more(&["c"], "A")];
        for (answers, keys) in [(same.to_vec(), &["a", "b"][..]), (cycle.to_vec(), &["a", "b", "c"])] {
            let (server, cursors) = serving(answers);
            let (names, error) = walk_to_error(&server);
            assert_eq!(names, keys);
            assert_eq!(*cursors.lock().unwrap(), ["", "A", "B"][..keys.len()]);
            assert_pages(row, &error, "Pagination(RepeatedCursor)");
        }
    });
}

/// As many pages as are followed by default come from a transport in memory; a few over a socket.
#[test]
fn row_64_cursors_without_end() {
    row(64, |row| {
        let (server, cursors) = serving((0..3).map(|n| more(&["a"], &n.to_string())));
        let mut keys = client(&server).list_all(&ListRequest::new()).max_pages(3);
        let error = walk(&mut keys).pop().unwrap().unwrap_err();
        assert_eq!(*cursors.lock().unwrap(), ["", "0", "1"]);
        assert_pages(row, &error, "Pagination(TooManyPages)");

        let sent = Arc::new(Mutex::new(0));
        let count = Arc::clone(&sent);
        let endless = move |_: http::Request<Vec<u8>>| {
            let mut sent = count.lock().unwrap();
            *sent += 1;
            let body = format!(r#"{{"api_keys":[],"pagination":{{"has_more":true,"next_cursor":"{sent}"}}}}"#);
            Ok(http::Response::new(body.into_bytes()))
        };
        let client = ApiKeysClient::builder().ignore_env().api_key(OWN_KEY).transport(endless).build().unwrap();
        let error = walk(&mut client.list_all(&ListRequest::new())).pop().unwrap().unwrap_err();
        assert_eq!(*sent.lock().unwrap(), 10_000);
        assert_pages(row, &error, "Pagination(TooManyPages)");
    });
}

/// A walk that ends well.
#[track_caller]
fn assert_walks(row: &Row, answers: Vec<Vec<u8>>, names: &[&str], asked: &[&str]) {
    let (server, cursors) = serving(answers);
    let found: Vec<String> =
        walk(&mut client(&server).list_all(&ListRequest::new())).into_iter().map(Result::unwrap).collect();
    assert_eq!(found, names);
    assert_eq!(*cursors.lock().unwrap(), asked);
    row.proven(0, fine().code());
}

const LAST: &str = r#""has_more":false"#;

#[test]
fn row_65_empty_page_with_more() {
    row(65, |row| {
        let answers = vec![more(&[], "A"), more(&[], "B"), page(&["a"], LAST)];
        assert_walks(row, answers, &["a"], &["", "A", "B"]);
    });
}

#[test]
fn row_66_key_on_two_pages() {
    row(66, |row| {
        let answers = vec![more(&["a", "b"], "A"), page(&["b", "c"], LAST)];
        assert_walks(row, answers, &["a", "b", "b", "c"], &["", "A"]);
    });
}

#[test]
fn row_67_cursor_without_more() {
    row(67, |row| {
        assert_walks(row, vec![page(&["a"], r#""has_more":false,"next_cursor":"A""#)], &["a"], &[""]);
    });
}

#[test]
fn row_68_error_on_a_later_page() {
    row(68, |row| {
        let down = || vec![problem(500, ""); 3];
        for (failure, expected) in
            [(vec![problem(403, "")], once("Forbidden", Rejected)), (down(), again("Server", Unknown))]
        {
            let tries = failure.len();
            let rest = [vec![more(&["a"], "A")], failure, vec![more(&["b"], "B"), page(&["c"], LAST)]].concat();
            let (server, cursors) = serving(rest);
            let client = client(&server);
            let mut keys = client.list_all(&ListRequest::new());
            let mut all = walk(&mut keys);
            let error = all.pop().unwrap().unwrap_err();
            let Expected::Fault { error: wanted, outcome, retryable, .. } = expected else { panic!("no fault") };
            assert_eq!((name(&error).as_str(), error.outcome(), error.is_retryable()), (wanted, outcome, retryable));
            assert_eq!(error.attempts() as usize, tries);
            assert_eq!(all.len(), 1);
            let mut keys = client.list_all(&ListRequest::new().cursor(keys.resume_cursor().unwrap()));
            let rest: Vec<String> = walk(&mut keys).into_iter().map(Result::unwrap).collect();
            assert_eq!(rest, ["b", "c"]);
            assert_eq!(cursors.lock().unwrap()[tries + 1..], ["A", "B"]);
            row.proven(0, expected.code());
        }
    });
}
