//! Finding a space by its name, and the organization of a space: the requests and the messages.

use std::error::Error as _;
use std::time::Duration;

use arize_api_keys::{
    CreateServiceKeyRequest, Error, ListOrganizationsRequest, ListRequest, OrgBinding, Outcome, PaginationErrorKind,
    SpaceBinding, SpaceRef,
};

use crate::support::script::{Answer, CREATED, LIST, ORG_ID, OWN_KEY, Rig, SPACE_ID, html, json, problem, reply};
use crate::support::variant;

const POST: &str = "POST /v2/api-keys";

/// A page of spaces: id, name, organization.
fn spaces(items: &[(&str, &str, Option<&str>)], next: Option<&str>) -> Answer {
    let items: Vec<_> = items
        .iter()
        .map(|(id, name, organization)| {
            let organization = organization.map(|id| format!(r#","organization_id":"{id}""#)).unwrap_or_default();
            format!(r#"{{"id":"{id}","name":"{name}"{organization}}}"#)
        })
        .collect();
    listed("spaces", &items, next)
}

fn organizations(ids: &[&str], next: Option<&str>) -> Answer {
    let items: Vec<_> = ids.iter().map(|id| format!(r#"{{"id":"{id}","name":"o"}}"#)).collect();
    listed("organizations", &items, next)
}

fn listed(member: &str, items: &[String], next: Option<&str>) -> Answer {
    let next = next.map(|cursor| format!(r#","next_cursor":"{cursor}""#)).unwrap_or_default();
    let has_more = !next.is_empty();
    json(200, format!(r#"{{"{member}":[{}],"pagination":{{"has_more":{has_more}{next}}}}}"#, items.join(",")))
}

fn created() -> Answer {
    json(201, CREATED)
}

/// The error of a service key for the space `prod`, after these answers and no others.
#[track_caller]
fn refused(answers: Vec<Answer>) -> Error {
    let requests = answers.len();
    let rig = Rig::new(answers);
    let error = rig.client.create_service_key(&CreateServiceKeyRequest::new("ci", "prod")).unwrap_err();
    assert_eq!(rig.sent().len(), requests);
    assert!(!rig.lines().contains(&POST.to_owned()));
    assert_eq!(error.outcome(), Outcome::NotSent, "{error}");
    error
}

/// A service key is created with these requests, and names this organization and space.
#[track_caller]
fn assert_found(request: &CreateServiceKeyRequest, answers: Vec<Answer>, lines: &[&str], org_id: &str, space_id: &str) {
    let rig = Rig::new(answers.into_iter().chain([created()]));
    rig.client.create_service_key(request).unwrap();
    let expected: Vec<_> = lines.iter().copied().chain([POST]).collect();
    assert_eq!(rig.lines(), expected);
    let body = rig.sent().pop().unwrap().body;
    let bindings = format!(r#""organizations":[{{"org_id":"{org_id}","spaces":[{{"space_id":"{space_id}"}}]}}]"#);
    assert_eq!(body, format!(r#"{{"key_type":"SERVICE","name":"ci",{bindings}}}"#));
}

#[test]
fn which_words_are_ids() {
    let ids = [
        "U3BhY2U6MTIzNDU=",
        "U3BhY2U6MTIzNDU",
        "T3JnYW5pemF0aW9uOjEwMDE6eFl6Vw",
        "U3BhY2U6MTo/Pn4/",
        "YTrDqQ==",
        "YTrDqQ",
        "YTpi",
        "Og==",
        "Og",
        // Bits after the last byte, which some writers do not clear.
        "Oh==",
    ];
    for id in ids {
        assert_eq!(SpaceRef::from(id), SpaceRef::id(id), "{id}");
    }
    let names = [
        "prod",
        "my space",
        "U3BhY2U6MTo_Pn4_",
        "U3Bh-2U6",
        // Not UTF-8 inside.
        "YTr//g==",
        "U3BhY2U6\nMTIzNDU=",
        "U3BhY2U6MTIzNDU=\n",
        " U3BhY2U6MTIzNDU=",
        "U3BhY2U6MTIzNDU==",
        "=U3BhY2U6MTIzNDU",
        // No colon inside.
        "U3BhY2U=",
        "a:b",
        "é",
    ];
    for name in names {
        assert_eq!(SpaceRef::from(name), SpaceRef::name(name), "{name}");
        assert_eq!(SpaceRef::from(&name.to_owned()), SpaceRef::name(name));
    }
}

#[test]
fn an_id_is_sent_as_it_is_and_a_name_is_looked_up() {
    let rig = Rig::new([json(200, LIST), spaces(&[("s", "YTpi", None)], None), json(200, LIST)]);
    rig.client.list(&ListRequest::new().space("YTpi")).unwrap();
    rig.client.list(&ListRequest::new().space(SpaceRef::name("YTpi"))).unwrap();
    assert_eq!(
        rig.lines(),
        [
            "GET /v2/api-keys?space_id=YTpi&limit=50",
            "GET /v2/spaces?name=YTpi&limit=100",
            "GET /v2/api-keys?space_id=s&limit=50",
        ]
    );
    let rig = Rig::new([json(200, LIST)]);
    rig.client.list(&ListRequest::new().space(SpaceRef::id("prod"))).unwrap();
    assert_eq!(rig.lines(), ["GET /v2/api-keys?space_id=prod&limit=50"]);
}

#[test]
fn names_are_sent_as_given() {
    for (name, encoded) in [
        (" my space ", "%20my%20space%20"),
        ("a&b=c+d#e?f/g%20", "a%26b%3Dc%2Bd%23e%3Ff%2Fg%2520"),
        ("é\n", "%C3%A9%0A"),
    ] {
        let rig = Rig::new([spaces(&[], None)]);
        rig.client.list(&ListRequest::new().space(name)).unwrap_err();
        assert_eq!(rig.lines(), [format!("GET /v2/spaces?name={encoded}&limit=100")]);
    }
}

#[test]
fn names_are_matched_exactly_on_every_page() {
    let rig = Rig::new([
        spaces(&[("a", "Prod", None), ("b", "prod-2", None), ("c", "prod", None)], Some("A")),
        spaces(&[], Some("B")),
        spaces(&[("d", "prod ", None)], None),
        json(200, LIST),
    ]);
    rig.client.list(&ListRequest::new().space("prod")).unwrap();
    assert_eq!(
        rig.lines(),
        [
            "GET /v2/spaces?name=prod&limit=100",
            "GET /v2/spaces?name=prod&limit=100&cursor=A",
            "GET /v2/spaces?name=prod&limit=100&cursor=B",
            "GET /v2/api-keys?space_id=c&limit=50",
        ]
    );
}

#[test]
fn a_space_that_comes_twice_is_one_space() {
    let rig =
        Rig::new([spaces(&[("c", "prod", None)], Some("A")), spaces(&[("c", "prod", None)], None), json(200, LIST)]);
    rig.client.list(&ListRequest::new().space("prod")).unwrap();
    assert_eq!(rig.lines()[2], "GET /v2/api-keys?space_id=c&limit=50");
}

#[test]
fn odd_items_are_passed_over() {
    let odd = r#"{"spaces":[null,7,"prod",{"name":"prod"},{"id":null,"name":"prod"},{"id":"c","name":"prod","x":[]}]}"#;
    let rig = Rig::new([json(200, odd), json(200, LIST)]);
    rig.client.list(&ListRequest::new().space("prod")).unwrap();
    assert_eq!(rig.lines()[1], "GET /v2/api-keys?space_id=c&limit=50");
}

#[test]
fn no_space_of_the_name() {
    let error = refused(vec![spaces(&[], None)]);
    assert_eq!(
        error.to_string(),
        "no space is named `prod`; names must match exactly, and the API key must be allowed to see the space"
    );
    let error = refused(vec![spaces(&[("a", "Prod", None)], Some("A")), spaces(&[("b", "prod\\n2", Some("o"))], None)]);
    assert_eq!(
        error.to_string(),
        "no space is named `prod`; names must match exactly, similar ones: `Prod` with id `a`, \
         `prod\\n2` with id `b` in organization `o`"
    );
    assert_eq!((error.attempts(), error.is_retryable(), error.status()), (0, false, None));
    let Error::SpaceNotFound(not_found) = error else { panic!("{error}") };
    assert_eq!((not_found.name(), not_found.similar().len()), ("prod", 2));
    assert_eq!(not_found.similar()[1].name, "prod\n2");
}

#[test]
fn no_space_of_the_name_in_the_organization() {
    let rig = Rig::new([spaces(&[], None)]);
    let error = rig.client.list(&ListRequest::new().space("prod").org_id("o1")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "no space is named `prod` in organization `o1`; names must match exactly, and the API key must be allowed to see the space"
    );
    assert_eq!(rig.lines(), ["GET /v2/spaces?org_id=o1&name=prod&limit=100"]);
}

#[test]
fn several_spaces_of_the_name() {
    let error = refused(vec![
        spaces(&[("a", "prod", Some("o1")), ("x", "Prod", None)], Some("A")),
        spaces(&[("b", "prod", None)], None),
    ]);
    assert_eq!(
        error.to_string(),
        "2 spaces are named `prod`: `prod` with id `a` in organization `o1`, `prod` with id `b`; \
         pass the id of one of them, or its organization as `org_id`"
    );
    let Error::AmbiguousSpace(ambiguous) = error else { panic!("{error}") };
    let ids: Vec<_> = ambiguous.candidates().iter().map(|space| space.id.as_str()).collect();
    assert_eq!((ambiguous.name(), ids), ("prod", vec!["a", "b"]));
}

#[test]
fn a_message_names_ten_candidates_at_most() {
    let ids: Vec<String> = (0..12).map(|n| n.to_string()).collect();
    let items: Vec<_> = ids.iter().map(|id| (id.as_str(), "prod", None)).collect();
    let message = refused(vec![spaces(&items, None)]).to_string();
    let tail = "`prod` with id `9` and 2 more; pass the id of one of them, or its organization as `org_id`";
    assert!(
        message.starts_with("12 spaces are named `prod`: `prod` with id `0`, ") && message.ends_with(tail),
        "{message}"
    );
}

#[test]
fn pages_of_a_lookup_that_do_not_end() {
    let cases = [
        (
            vec![json(200, r#"{"spaces":[],"pagination":{"has_more":true}}"#)],
            PaginationErrorKind::MissingCursor,
            "list spaces: the response has `has_more` and no cursor (after 1 page)",
        ),
        (
            vec![spaces(&[], Some("A")), spaces(&[("a", "prod", None)], Some("B")), spaces(&[], Some("A"))],
            PaginationErrorKind::RepeatedCursor,
            "list spaces: the service sent a cursor for the second time (after 3 pages)",
        ),
    ];
    for (answers, kind, message) in cases {
        let error = refused(answers);
        assert_eq!(error.to_string(), message);
        let Error::Pagination(pagination) = error else { panic!("{error}") };
        assert_eq!(pagination.kind(), kind);
    }
}

#[test]
fn a_lookup_that_fails_was_not_the_call() {
    for (answer, name, requests, retryable, message) in [
        (
            reply(500, ""),
            "Server",
            3,
            true,
            "list spaces: the service answered 500 Internal Server Error (empty body) (after 3 attempts)",
        ),
        (
            problem(401, r#"{"title":"Unauthorized"}"#),
            "Unauthorized",
            1,
            false,
            "list spaces: the service answered 401 Unauthorized: Unauthorized; check that the API key is right, not expired and not revoked",
        ),
        (
            html(200),
            "Decode",
            1,
            false,
            "list spaces: the response with status 200 is not what the API promises \
             (not the promised JSON at line 1, column 1: text/html; charset=utf-8, 26 bytes)",
        ),
        (
            json(200, "{}"),
            "Decode",
            1,
            false,
            "list spaces: the response with status 200 is not what the API promises \
             (no `spaces` in the response: application/json, 2 bytes)",
        ),
        (
            json(200, r#"{"spaces":{},"pagination":{}}"#),
            "Decode",
            1,
            false,
            "list spaces: the response with status 200 is not what the API promises \
             (`spaces` is not an array: application/json, 29 bytes)",
        ),
    ] {
        let error = refused(vec![answer; requests]);
        assert_eq!((variant(&error), error.is_retryable(), error.attempts() as usize), (name, retryable, requests));
        assert_eq!(error.to_string(), message);
    }
}

#[test]
fn a_lookup_and_its_call_share_the_deadline() {
    let found = spaces(&[("c", "prod", Some("o"))], None);
    let request = CreateServiceKeyRequest::new("ci", "prod");

    let rig = Rig::new([found.clone().takes(Duration::from_secs(40)), created()]);
    rig.client.create_service_key(&request).unwrap();
    let timeouts: Vec<_> = rig.sent().iter().map(|sent| sent.options.timeout.as_secs()).collect();
    assert_eq!(timeouts, [30, 20]);

    let rig = Rig::new([found.takes(Duration::from_secs(60))]);
    let error = rig.client.create_service_key(&request).unwrap_err();
    assert_eq!((variant(&error), error.outcome(), error.attempts()), ("Transport", Outcome::NotSent, 0));
    assert_eq!(error.to_string(), "create_service_key: timed out");
    assert_eq!(error.source().unwrap().to_string(), "the deadline of the call has passed");
    assert_eq!(rig.lines(), ["GET /v2/spaces?name=prod&limit=100"]);
}

#[test]
fn the_item_names_its_organization() {
    let by_name = CreateServiceKeyRequest::new("ci", "prod");
    let found = vec![spaces(&[("c", "prod", Some("o"))], None)];
    assert_found(&by_name, found, &["GET /v2/spaces?name=prod&limit=100"], "o", "c");
}

#[test]
fn a_space_given_by_its_id_is_asked_for_its_organization() {
    let by_id = CreateServiceKeyRequest::new("ci", SPACE_ID);
    let line = "GET /v2/spaces/U3BhY2U6MTIzNDU%3D";
    let bodies = [
        r#"{"id":"U3BhY2U6MTIzNDU=","name":"prod","organization_id":"o"}"#.to_owned(),
        "\u{feff}{\"organization_id\":\"o\",\"id\":\"another\",\"name\":[]}".to_owned(),
    ];
    for body in bodies {
        assert_found(&by_id, vec![json(200, body)], &[line], "o", SPACE_ID);
    }
}

#[test]
fn the_organization_is_searched_where_the_server_does_not_tell() {
    let by_name = CreateServiceKeyRequest::new("ci", "prod");
    let answers = vec![
        spaces(&[("c", "prod", None)], None),
        organizations(&["o1", "o2"], Some("A")),
        spaces(&[("x", "prod", None)], None),
        spaces(&[("y", "prod-2", None)], Some("B")),
        spaces(&[], None),
        organizations(&["o3", "o4"], Some("C")),
        spaces(&[("z", "prod-3", None)], Some("D")),
        spaces(&[("c", "prod", None)], Some("E")),
    ];
    let lines = [
        "GET /v2/spaces?name=prod&limit=100",
        "GET /v2/organizations?limit=100",
        "GET /v2/spaces?org_id=o1&name=prod&limit=100",
        "GET /v2/spaces?org_id=o2&name=prod&limit=100",
        "GET /v2/spaces?org_id=o2&name=prod&limit=100&cursor=B",
        "GET /v2/organizations?limit=100&cursor=A",
        "GET /v2/spaces?org_id=o3&name=prod&limit=100",
        "GET /v2/spaces?org_id=o3&name=prod&limit=100&cursor=D",
    ];
    assert_found(&by_name, answers, &lines, "o3", "c");
}

/// Ids are written with the padding of base64 or without.
#[test]
fn the_organization_of_an_id_without_padding() {
    let request = CreateServiceKeyRequest::new("ci", SPACE_ID.trim_end_matches('='));
    let answers = vec![
        json(200, format!(r#"{{"id":"{SPACE_ID}","name":"prod"}}"#)),
        organizations(&["o1"], None),
        spaces(&[(SPACE_ID, "prod", None)], None),
    ];
    let lines = [
        "GET /v2/spaces/U3BhY2U6MTIzNDU",
        "GET /v2/organizations?limit=100",
        "GET /v2/spaces?org_id=o1&name=prod&limit=100",
    ];
    assert_found(&request, answers, &lines, "o1", "U3BhY2U6MTIzNDU");
}

#[test]
fn an_organization_whose_spaces_may_not_be_seen_is_passed_over() {
    let by_name = CreateServiceKeyRequest::new("ci", "prod");
    let found = || spaces(&[("c", "prod", None)], None);
    let lines = [
        "GET /v2/spaces?name=prod&limit=100",
        "GET /v2/organizations?limit=100",
        "GET /v2/spaces?org_id=o1&name=prod&limit=100",
        "GET /v2/spaces?org_id=o2&name=prod&limit=100",
        "GET /v2/spaces?org_id=o3&name=prod&limit=100",
    ];
    let answers = vec![found(), organizations(&["o1", "o2", "o3"], None), reply(403, ""), reply(404, ""), found()];
    assert_found(&by_name, answers, &lines, "o3", "c");
}

#[test]
fn the_name_of_a_space_given_by_its_id_narrows_the_search() {
    let by_id = CreateServiceKeyRequest::new("ci", SPACE_ID);
    for (space, query) in
        [(r#"{"name":"my prod"}"#, "&name=my%20prod"), ("{}", ""), (r#"{"organization_id":null}"#, "")]
    {
        let answers =
            vec![json(200, space), organizations(&["o1"], None), spaces(&[(SPACE_ID, "my prod", None)], None)];
        let search = format!("GET /v2/spaces?org_id=o1{query}&limit=100");
        let lines = ["GET /v2/spaces/U3BhY2U6MTIzNDU%3D", "GET /v2/organizations?limit=100", &search];
        assert_found(&by_id, answers, &lines, "o1", SPACE_ID);
    }
}

#[test]
fn a_search_for_the_organization_that_finds_nothing() {
    let message = "the organization of the space `c` was not found; pass it as `org_id`";
    let found = || spaces(&[("c", "prod", None)], None);

    for answers in [
        vec![found(), organizations(&[], None)],
        vec![found(), organizations(&["o1", ""], None), spaces(&[("x", "prod", None)], None)],
    ] {
        let error = refused(answers);
        assert_eq!(error.to_string(), message);
        assert!(error.source().is_none());
        let Error::OrganizationNotFound(not_found) = error else { panic!("{error}") };
        assert_eq!(not_found.space_id(), "c");
    }

    let error = refused(vec![found(), problem(403, r#"{"title":"Forbidden"}"#)]);
    assert_eq!((variant(&error), error.to_string().as_str()), ("OrganizationNotFound", message));
    assert_eq!(
        error.source().unwrap().to_string(),
        "list organizations: the service answered 403 Forbidden: Forbidden; the API key lacks the permission for this call"
    );
}

#[test]
fn a_search_for_the_organization_that_fails() {
    let found = || spaces(&[("c", "prod", None)], None);
    let error = refused(vec![found(), reply(401, "")]);
    assert_eq!(variant(&error), "Unauthorized");
    let error = refused(vec![found(), organizations(&["o1"], None), reply(400, "")]);
    assert_eq!(variant(&error), "BadRequest");
    let error =
        refused(vec![found(), organizations(&["o1"], Some("A")), spaces(&[], None), organizations(&[], Some("A"))]);
    assert_eq!(error.to_string(), "list organizations: the service sent a cursor for the second time (after 2 pages)");
}

#[test]
fn an_organization_that_is_named_is_not_looked_up() {
    let by_id = CreateServiceKeyRequest::new("ci", SPACE_ID).org_id(ORG_ID);
    assert_found(&by_id, vec![], &[], ORG_ID, SPACE_ID);
    let by_name = CreateServiceKeyRequest::new("ci", "prod").org_id(ORG_ID);
    let line = format!("GET /v2/spaces?org_id={ORG_ID}&name=prod&limit=100");
    assert_found(&by_name, vec![spaces(&[("c", "prod", None)], None)], &[&line], ORG_ID, "c");
}

#[test]
fn on_the_alpha_stage_only_the_space_is_looked_up() {
    for (request, line) in [
        (CreateServiceKeyRequest::new("ci", "prod"), "GET /v2/spaces?name=prod&limit=100"),
        (CreateServiceKeyRequest::new("ci", "prod").org_id("o"), "GET /v2/spaces?org_id=o&name=prod&limit=100"),
    ] {
        let rig = Rig::alpha([spaces(&[("c", "prod", None)], None), created()]);
        rig.client.create_service_key(&request).unwrap();
        assert_eq!(rig.lines(), [line, POST]);
        assert_eq!(rig.sent()[1].body, r#"{"key_type":"service","name":"ci","space_id":"c"}"#);
    }
    let rig = Rig::alpha([created()]);
    rig.client.create_service_key(&CreateServiceKeyRequest::new("ci", SPACE_ID)).unwrap();
    assert_eq!(rig.lines(), [POST]);
}

#[test]
fn names_are_looked_for_in_the_organization_of_their_binding() {
    let request = CreateServiceKeyRequest::for_organizations(
        "ci",
        [
            OrgBinding::new("o1").space(SpaceBinding::new("prod")).space(SpaceBinding::new(SPACE_ID)),
            OrgBinding::new("o2").space(SpaceBinding::new("prod")),
        ],
    );
    let rig = Rig::new([spaces(&[("a", "prod", None)], None), spaces(&[("b", "prod", None)], None), created()]);
    rig.client.create_service_key(&request).unwrap();
    assert_eq!(
        rig.lines(),
        ["GET /v2/spaces?org_id=o1&name=prod&limit=100", "GET /v2/spaces?org_id=o2&name=prod&limit=100", POST]
    );
    assert_eq!(
        rig.sent()[2].body,
        concat!(
            r#"{"key_type":"SERVICE","name":"ci","organizations":["#,
            r#"{"org_id":"o1","spaces":[{"space_id":"a"},{"space_id":"U3BhY2U6MTIzNDU="}]},"#,
            r#"{"org_id":"o2","spaces":[{"space_id":"b"}]}]}"#
        )
    );
}

#[test]
fn a_space_that_is_named_by_its_name_and_its_id_is_there_twice() {
    let request = CreateServiceKeyRequest::for_organizations(
        "ci",
        [OrgBinding::new("o1").space(SpaceBinding::new(SPACE_ID)).space(SpaceBinding::new("prod"))],
    );
    let rig = Rig::new([spaces(&[(SPACE_ID, "prod", None)], None)]);
    let error = rig.client.create_service_key(&request).unwrap_err();
    assert_eq!(error.to_string(), "invalid request: `organizations[0].spaces[1].space` is listed twice");
    assert_eq!(error.outcome(), Outcome::NotSent);
}

#[test]
fn a_space_of_another_organization_is_not_meant() {
    let request = ListRequest::new().space("prod").org_id("orgA=");
    let elsewhere = || spaces(&[("s1", "prod", Some("orgB"))], None);
    let error = Rig::new([elsewhere()]).client.list(&request).unwrap_err();
    assert_eq!(
        error.to_string(),
        "no space is named `prod` in organization `orgA=`; names must match exactly, and the API key must be allowed to see the space"
    );
    // Padding does not make another organization, and a server that does not say whose a space is, is believed.
    for organization in [Some("orgA"), Some("orgA="), None] {
        let rig = Rig::new([spaces(&[("s1", "prod", organization)], None), json(200, LIST)]);
        rig.client.list(&request).unwrap();
        assert_eq!(rig.lines().pop().unwrap(), "GET /v2/api-keys?space_id=s1&limit=50");
    }
}

#[test]
fn a_key_in_the_place_of_a_name_is_not_shown() {
    for items in
        [[("s1", OWN_KEY, None), (OWN_KEY, "prod-2", Some(OWN_KEY))], [("s1", "prod", None), (OWN_KEY, "prod", None)]]
    {
        let error = refused(vec![spaces(&items, None)]);
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains(OWN_KEY) && shown.contains("[redacted]"), "{shown}");
    }
    let rig = Rig::new([spaces(&[], None)]);
    let error = rig.client.list(&ListRequest::new().space(OWN_KEY)).unwrap_err();
    assert!(!error.to_string().contains(OWN_KEY), "{error}");
}

#[test]
fn organizations_as_json_and_as_a_table() {
    let body = r#"{"organizations":[{"id":"o","name":"n","description":"d","created_at":"2026-01-02T03:04:05Z"}],"pagination":{}}"#;
    let rig = Rig::new([json(200, body)]);
    let organizations: Vec<_> =
        rig.client.list_organizations(&ListOrganizationsRequest::new()).collect::<Result<_, _>>().unwrap();
    let expected = r#"[{"id":"o","name":"n","description":"d","created_at":"2026-01-02T03:04:05Z"}]"#;
    assert_eq!(serde_json::to_string(&organizations).unwrap(), expected);
    let mut table = csv::Writer::from_writer(Vec::new());
    organizations.iter().for_each(|organization| table.serialize(organization).unwrap());
    let table = String::from_utf8(table.into_inner().unwrap()).unwrap();
    assert_eq!(table, "id,name,description,created_at\no,n,d,2026-01-02T03:04:05Z\n");
}
