//! Every page of a list: rows 62 to 68 of the fault matrix, and the requests on the way.

use std::time::Duration;

use arize_api_keys::{
    ApiKey, ApiKeyStatus, ApiKeyType, ApiStage, Error, ListRequest, Outcome, PaginationErrorKind, SpaceRef,
    TransportErrorKind as Kind,
};

use crate::support::script::{Answer, Rig, SPACE_ID, everything, failed, html, json, reply};
use crate::support::variant;

/// A page of keys, and its `pagination`.
fn page(ids: &[&str], pagination: &str) -> Answer {
    let keys: Vec<_> = ids.iter().map(|id| format!(r#"{{"id":"{id}"}}"#)).collect();
    json(200, format!(r#"{{"api_keys":[{}],"pagination":{pagination}}}"#, keys.join(",")))
}

fn more(ids: &[&str], cursor: &str) -> Answer {
    page(ids, &format!(r#"{{"has_more":true,"next_cursor":"{cursor}"}}"#))
}

fn last(ids: &[&str]) -> Answer {
    page(ids, r#"{"has_more":false}"#)
}

/// The ids, and the error that the list ended with. It must end after one.
#[track_caller]
fn walk(keys: impl Iterator<Item = Result<ApiKey, Error>>) -> (Vec<String>, Option<Error>) {
    let mut keys = keys;
    let mut ids = Vec::new();
    while let Some(key) = keys.next() {
        match key {
            Ok(key) => ids.push(key.id),
            Err(error) => {
                assert!(keys.next().is_none() && keys.next().is_none(), "something came after the error");
                return (ids, Some(error));
            }
        }
    }
    assert!(keys.next().is_none(), "something came after the end");
    (ids, None)
}

/// The list ends with this error, after these ids and requests.
#[track_caller]
fn assert_endless(request: &ListRequest, answers: Vec<Answer>, ids: &[&str], kind: PaginationErrorKind, message: &str) {
    let pages = answers.len();
    let rig = Rig::new(answers);
    let (found, error) = walk(rig.client.list_all(request));
    let error = error.expect("an error");
    let Error::Pagination(pagination) = &error else { panic!("{error}") };
    assert_eq!(
        (found, pagination.kind(), pagination.pages() as usize),
        (ids.iter().map(|id| (*id).to_owned()).collect(), kind, pages)
    );
    assert_eq!(error.to_string(), message);
    assert_eq!((error.outcome(), error.is_retryable(), error.attempts()), (Outcome::Applied, false, 0));
    assert_eq!(rig.sent().len(), pages);
}

#[test]
fn every_page_in_turn() {
    let rig = Rig::new([more(&["a", "b"], "one/+=&"), more(&["c"], "two"), last(&["d"])]);
    let mut keys = rig.client.list_all(&ListRequest::new().limit(2));
    assert!(rig.lines().is_empty(), "nothing is fetched before it is asked for");
    assert_eq!(keys.next().unwrap().unwrap().id, "a");
    assert_eq!(rig.lines().len(), 1);
    let (ids, error) = walk(keys);
    assert_eq!((ids.join(""), error.is_none()), ("bcd".to_owned(), true));
    assert_eq!(
        rig.lines(),
        [
            "GET /v2/api-keys?limit=2",
            "GET /v2/api-keys?limit=2&cursor=one%2F%2B%3D%26",
            "GET /v2/api-keys?limit=2&cursor=two",
        ]
    );
}

#[test]
fn row_62_more_but_no_cursor() {
    let message = "list: the response has `has_more` and no cursor (after 1 page)";
    let kind = PaginationErrorKind::MissingCursor;
    let paginations = [
        r#"{"has_more":true}"#,
        r#"{"has_more":true,"next_cursor":""}"#,
        r#"{"has_more":true,"next_cursor":null}"#,
        r#"{"has_more":true,"next_cursor":[]}"#,
        r#"{"has_more":"true"}"#,
    ];
    for pagination in paginations {
        assert_endless(&ListRequest::new(), vec![page(&["a"], pagination)], &["a"], kind, message);
    }
}

#[test]
fn row_63_a_cursor_comes_again() {
    let kind = PaginationErrorKind::RepeatedCursor;
    let two = "list: the service sent a cursor for the second time (after 2 pages)";
    let three = "list: the service sent a cursor for the second time (after 3 pages)";
    assert_endless(&ListRequest::new(), vec![more(&["a"], "A"), more(&["b"], "A")], &["a", "b"], kind, two);
    let cycle = vec![more(&["a"], "A"), more(&["b"], "B"), more(&["c"], "A")];
    assert_endless(&ListRequest::new(), cycle, &["a", "b", "c"], kind, three);
    // The cursor of the request counts too.
    let from = ListRequest::new().cursor("A");
    let one = "list: the service sent a cursor for the second time (after 1 page)";
    assert_endless(&from, vec![more(&["b"], "A")], &["b"], kind, one);
}

#[test]
fn row_64_cursors_without_end() {
    let rig = Rig::new([more(&["a"], "A"), more(&["b"], "B"), more(&["c"], "C")]);
    let (ids, error) = walk(rig.client.list_all(&ListRequest::new()).max_pages(3));
    assert_eq!(ids.join(""), "abc");
    let error = error.unwrap();
    assert_eq!(error.to_string(), "list: the list has too many pages (after 3 pages)");
    let Error::Pagination(pagination) = error else { panic!("{error}") };
    assert_eq!((pagination.kind(), pagination.pages()), (PaginationErrorKind::TooManyPages, 3));

    // A caller that asks for one page at a time gets on.
    let rig = Rig::new([more(&["a"], "A")]);
    let mut keys = rig.client.list_all(&ListRequest::new()).max_pages(1);
    assert_eq!(keys.next().unwrap().unwrap().id, "a");
    assert!(keys.next().unwrap().is_err());
    assert_eq!(keys.resume_cursor(), Some("A"));

    // The last page that is allowed may be the last one.
    let rig = Rig::new([more(&["a"], "A"), last(&["b"])]);
    let (ids, error) = walk(rig.client.list_all(&ListRequest::new()).max_pages(2));
    assert_eq!((ids.join(""), error.is_none()), ("ab".to_owned(), true));
    // One page is the least.
    let rig = Rig::new([last(&["a"])]);
    assert!(walk(rig.client.list_all(&ListRequest::new()).max_pages(0)).1.is_none());
}

#[test]
fn row_64_the_default_is_ten_thousand_pages() {
    let pages = (0..10_000).map(|n| more(&[], &n.to_string()));
    let rig = Rig::new(pages);
    let (ids, error) = walk(rig.client.list_all(&ListRequest::new()));
    assert!(ids.is_empty());
    assert_eq!(error.unwrap().to_string(), "list: the list has too many pages (after 10000 pages)");
    assert_eq!(rig.sent().len(), 10_000);
}

#[test]
fn row_65_empty_pages_are_passed_over() {
    let rig = Rig::new([more(&[], "A"), more(&[], "B"), more(&["a"], "C"), more(&[], "D"), last(&[])]);
    let (ids, error) = walk(rig.client.list_all(&ListRequest::new()));
    assert_eq!((ids.join(""), error.is_none(), rig.sent().len()), ("a".to_owned(), true, 5));
}

#[test]
fn row_66_a_key_that_comes_twice_is_shown_twice() {
    let rig = Rig::new([more(&["a", "b"], "A"), last(&["b", "c"])]);
    assert_eq!(walk(rig.client.list_all(&ListRequest::new())).0.join(""), "abbc");
}

#[test]
fn row_67_the_end_with_a_cursor() {
    let rig = Rig::new([page(&["a"], r#"{"has_more":false,"next_cursor":"A"}"#)]);
    let (ids, error) = walk(rig.client.list_all(&ListRequest::new()));
    assert_eq!((ids.join(""), error.is_none()), ("a".to_owned(), true));
}

#[test]
fn a_page_that_does_not_say_whether_there_is_more() {
    for end in ["{}", "null", r#"{"has_more":null}"#, r#"{"next_cursor":""}"#] {
        let rig = Rig::new([page(&["a"], end)]);
        let (ids, error) = walk(rig.client.list_all(&ListRequest::new()));
        assert_eq!((ids.join(""), error.is_none()), ("a".to_owned(), true), "{end}");
    }
    // A cursor says it.
    for odd in [r#"{"next_cursor":"A"}"#, r#"{"next_cursor":"A","has_more":"perhaps"}"#] {
        let rig = Rig::new([page(&["a"], odd), last(&["b"])]);
        assert_eq!(walk(rig.client.list_all(&ListRequest::new())).0.join(""), "ab", "{odd}");
    }
}

#[test]
fn row_68_an_error_comes_once_and_the_list_can_go_on() {
    let faults = [failed(Kind::Tls), reply(403, ""), html(200)];
    for fault in faults {
        let rig = Rig::new([more(&["a"], "A"), more(&["b"], "B"), fault, last(&["c"])]);
        let mut keys = rig.client.list_all(&ListRequest::new().limit(7));
        let (ids, error) = walk(&mut keys);
        assert_eq!((ids.join(""), error.is_some()), ("ab".to_owned(), true));
        assert_eq!(keys.resume_cursor(), Some("B"));
        let rest = ListRequest::new().limit(7).cursor(keys.resume_cursor().unwrap());
        assert_eq!(walk(rig.client.list_all(&rest)).0.join(""), "c");
        assert_eq!(rig.lines()[2], rig.lines()[3]);
    }
}

#[test]
fn the_cursor_to_go_on_with() {
    let rig = Rig::new([more(&["a", "b"], "A"), last(&["c"])]);
    let mut keys = rig.client.list_all(&ListRequest::new());
    let mut cursors = vec![keys.resume_cursor().map(str::to_owned)];
    while let Some(key) = keys.next() {
        key.unwrap();
        cursors.push(keys.resume_cursor().map(str::to_owned));
    }
    let a = Some("A".to_owned());
    assert_eq!(cursors, [None, a.clone(), a.clone(), a]);

    let rig = Rig::new([reply(403, "")]);
    let mut keys = rig.client.list_all(&ListRequest::new().cursor("start"));
    assert!(keys.next().unwrap().is_err());
    assert_eq!(keys.resume_cursor(), Some("start"));
}

#[test]
fn the_space_is_looked_up_once() {
    let spaces = json(200, format!(r#"{{"spaces":[{{"id":"{SPACE_ID}","name":"prod"}}],"pagination":{{}}}}"#));
    let rig = Rig::new([spaces, more(&["a"], "A"), more(&["b"], "B"), last(&["c"])]);
    let (ids, error) = walk(rig.client.list_all(&ListRequest::new().space("prod")));
    assert_eq!((ids.join(""), error.is_none()), ("abc".to_owned(), true));
    assert_eq!(
        rig.lines(),
        [
            "GET /v2/spaces?name=prod&limit=100",
            "GET /v2/api-keys?space_id=U3BhY2U6MTIzNDU%3D&limit=50",
            "GET /v2/api-keys?space_id=U3BhY2U6MTIzNDU%3D&limit=50&cursor=A",
            "GET /v2/api-keys?space_id=U3BhY2U6MTIzNDU%3D&limit=50&cursor=B",
        ]
    );
}

#[test]
fn every_page_has_the_time_of_a_call() {
    let slow = |answer: Answer| answer.takes(Duration::from_secs(50));
    let rig = Rig::new([slow(more(&["a"], "A")), slow(more(&["b"], "B")), slow(last(&["c"]))]);
    assert_eq!(walk(rig.client.list_all(&ListRequest::new())).0.join(""), "abc");
}

#[test]
fn a_request_that_cannot_be_sent_is_the_only_item() {
    let rig = Rig::new([]);
    for request in
        [ListRequest::new().limit(0), ListRequest::new().limit(101), ListRequest::new().space(SpaceRef::name(""))]
    {
        let (ids, error) = walk(rig.client.list_all(&request));
        assert_eq!((ids.len(), variant(&error.unwrap())), (0, "InvalidRequest"));
    }
}

#[test]
fn the_iterator_shows_no_secret() {
    let rig = Rig::new([more(&["a"], "A"), html(200)]);
    let mut keys = rig.client.list_all(&ListRequest::new());
    let mut text = format!("{keys:?}");
    while let Some(key) = keys.next() {
        text += &format!("{keys:?}");
        if let Err(error) = key {
            text += &everything(&error);
        }
    }
    assert!(!text.contains("PLANTED"), "{text}");
}

#[test]
fn the_query_of_a_list() {
    let request = ListRequest::new()
        .key_type(ApiKeyType::Service)
        .status(ApiKeyStatus::Revoked)
        .space(SPACE_ID)
        .user_id("u+1=")
        .limit(100)
        .cursor("c/ d");
    let rest = "space_id=U3BhY2U6MTIzNDU%3D&user_id=u%2B1%3D&limit=100&cursor=c%2F%20d";
    for (stage, words) in
        [(ApiStage::Alpha, "key_type=service&status=revoked"), (ApiStage::Beta, "key_type=SERVICE&status=REVOKED")]
    {
        let rig = Rig::forever(stage, json(200, r#"{"api_keys":[]}"#));
        rig.client.list(&request).unwrap();
        assert_eq!(rig.lines(), [format!("GET /v2/api-keys?{words}&{rest}")]);
    }
    let rig = Rig::new([json(200, r#"{"api_keys":[]}"#)]);
    rig.client.list(&ListRequest::new().status(ApiKeyStatus::from("Paused"))).unwrap();
    assert_eq!(rig.lines(), ["GET /v2/api-keys?status=Paused&limit=50"]);
}
