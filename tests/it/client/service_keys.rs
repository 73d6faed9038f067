//! Requests with a body: fields that are refused before any I/O, and the bodies that are sent.

use std::time::Duration;

use arize_api_keys::{
    AccountRole, ApiStage, CreateRequest, CreateServiceKeyRequest, ListRequest, OrgBinding, OrgRole, Outcome,
    RefreshRequest, RoleAssignment, SpaceBinding, SpaceRef, SpaceRole, time,
};

use crate::support::moment;
use crate::support::script::{CREATED, KEY_ID, ORG_ID, Rig, SPACE_ID, json};

fn simple() -> CreateServiceKeyRequest {
    CreateServiceKeyRequest::new("ci", SpaceRef::id(SPACE_ID)).org_id(ORG_ID)
}

fn wide(organizations: impl IntoIterator<Item = OrgBinding>) -> CreateServiceKeyRequest {
    CreateServiceKeyRequest::for_organizations("ci", organizations)
}

fn binding(spaces: impl IntoIterator<Item = SpaceBinding>) -> OrgBinding {
    OrgBinding::new(ORG_ID).spaces(spaces)
}

fn space() -> SpaceBinding {
    SpaceBinding::new(SPACE_ID)
}

/// The body that goes out.
#[track_caller]
fn body(stage: ApiStage, request: &CreateServiceKeyRequest) -> String {
    let rig = Rig::forever(stage, json(201, CREATED));
    rig.client.create_service_key(request).unwrap();
    assert_eq!(rig.lines(), ["POST /v2/api-keys"]);
    rig.sent()[0].body.clone()
}

/// It is refused, and nothing is sent.
#[track_caller]
fn assert_refused(stage: ApiStage, request: &CreateServiceKeyRequest, message: &str) {
    let rig = Rig::forever(stage, json(201, CREATED));
    let error = rig.client.create_service_key(request).unwrap_err();
    assert_eq!(error.to_string(), format!("invalid request: {message}"));
    assert_eq!((error.outcome(), error.attempts(), error.is_retryable()), (Outcome::NotSent, 0, false));
    assert!(rig.sent().is_empty());
}

fn unknown_role<R>() -> RoleAssignment<R> {
    RoleAssignment::Unknown("GROUP".to_owned())
}

#[test]
fn refused_on_both_stages() {
    let name = "é".repeat(257);
    let text = "é".repeat(1001);
    let past = moment("2026-01-02T03:04:05Z");
    let long = "é".repeat(256);
    let cases = [
        (CreateServiceKeyRequest::new(name, SPACE_ID), "`name` must have at most 256 characters"),
        (simple().description(text), "`description` must have at most 1000 characters"),
        (simple().expires_at(past), "`expires_at` must be in the future"),
        (CreateServiceKeyRequest::new("ci", ""), "`space` must not be empty"),
        (CreateServiceKeyRequest::new("ci", SpaceRef::id("")), "`space` must not be empty"),
        (CreateServiceKeyRequest::new("ci", long), "`space` must be a name of at most 255 characters, or an id"),
        (simple().org_id(""), "`org_id` must not be empty"),
        (simple().account_role(unknown_role()), "`account_role` must be a predefined role or `RoleAssignment::custom`"),
        (simple().org_role(unknown_role()), "`org_role` must be a predefined role or `RoleAssignment::custom`"),
        (simple().space_role(unknown_role()), "`space_role` must be a predefined role or `RoleAssignment::custom`"),
        (simple().account_role(RoleAssignment::custom("")), "`account_role` must have the id of the custom role"),
        (simple().org_role(RoleAssignment::custom("")), "`org_role` must have the id of the custom role"),
        (simple().space_role(RoleAssignment::custom("")), "`space_role` must have the id of the custom role"),
    ];
    for (request, message) in cases {
        for stage in [ApiStage::Alpha, ApiStage::Beta] {
            assert_refused(stage, &request, message);
        }
    }
}

#[test]
fn a_space_id_that_leaves_its_route_is_refused_before_it_is_asked_for() {
    let message = "`space` must not be `.` or `..`: that would name another resource";
    assert_refused(ApiStage::Beta, &CreateServiceKeyRequest::new("ci", SpaceRef::id("..")), message);
}

#[test]
fn refused_bindings() {
    let many = |n: usize| (0..n).map(|m| SpaceBinding::new(SpaceRef::id(format!("s{m}"))));
    let organizations = |n: usize| (0..n).map(|m| OrgBinding::new(format!("o{m}")).space(space()));
    let cases = [
        (wide([]), "`organizations` must have 1 to 100 entries"),
        (wide(organizations(101)), "`organizations` must have 1 to 100 entries"),
        (wide([OrgBinding::new("").space(space())]), "`organizations[0].org_id` must not be empty"),
        (wide([binding([])]), "`organizations[0].spaces` must have 1 to 100 entries"),
        (wide([binding(many(101))]), "`organizations[0].spaces` must have 1 to 100 entries"),
        (
            wide([binding([space()]), binding([space()])]),
            "`organizations[1].org_id` is listed twice: put its spaces into one binding",
        ),
        (wide([binding([space(), SpaceBinding::new("")])]), "`organizations[0].spaces[1].space` must not be empty"),
        (
            wide([binding([SpaceBinding::new("x".repeat(256))])]),
            "`organizations[0].spaces[0].space` must be a name of at most 255 characters, or an id",
        ),
        (
            wide([binding([space(), space().role(SpaceRole::Admin)])]),
            "`organizations[0].spaces[1].space` is listed twice",
        ),
        (
            wide([binding([space()]).role(unknown_role())]),
            "`organizations[0].role` must be a predefined role or `RoleAssignment::custom`",
        ),
        (
            wide([binding([space().role(RoleAssignment::custom(""))])]),
            "`organizations[0].spaces[0].role` must have the id of the custom role",
        ),
        (wide([binding([space()])]).org_id(ORG_ID), "`org_id` must be passed to `OrgBinding::new` instead"),
        (
            wide([binding([space()])]).org_role(OrgRole::Admin),
            "`org_role` must be passed to `OrgBinding::role` instead",
        ),
        (
            wide([binding([space()])]).space_role(SpaceRole::Admin),
            "`space_role` must be passed to `SpaceBinding::role` instead",
        ),
    ];
    for (request, message) in cases {
        assert_refused(ApiStage::Beta, &request, message);
    }
    body(ApiStage::Beta, &wide(organizations(100)));
    body(ApiStage::Beta, &wide([binding(many(100))]));
}

#[test]
fn refused_on_the_alpha_stage_only() {
    let others = "must be `admin`, `member` or `read-only` on the alpha stage: use the beta stage for others";
    let account = "`account_role` must be `admin` or `member` on the alpha stage: use the beta stage for others";
    let cases = [
        (simple().account_role(AccountRole::Annotator), account.to_owned()),
        (simple().account_role(AccountRole::MemberUiOnly), account.to_owned()),
        (simple().account_role(RoleAssignment::custom("r")), account.to_owned()),
        (simple().org_role(OrgRole::Annotator), format!("`org_role` {others}")),
        (simple().org_role(RoleAssignment::custom("r")), format!("`org_role` {others}")),
        (simple().space_role(SpaceRole::Annotator), format!("`space_role` {others}")),
        (simple().space_role(RoleAssignment::custom("r")), format!("`space_role` {others}")),
    ];
    for (request, message) in cases {
        assert_refused(ApiStage::Alpha, &request, &message);
        body(ApiStage::Beta, &request);
    }
    assert_refused(
        ApiStage::Alpha,
        &wide([binding([space()])]),
        "`organizations` the alpha stage has one space per key: use `CreateServiceKeyRequest::new`, or the beta stage",
    );
}

#[test]
fn the_body_of_the_alpha_stage() {
    assert_eq!(body(ApiStage::Alpha, &simple()), r#"{"key_type":"service","name":"ci","space_id":"U3BhY2U6MTIzNDU="}"#);
    let full = simple()
        .description("d")
        .expires_at(moment("2026-12-31T23:59:59.5+02:00"))
        .space_role(SpaceRole::ReadOnly)
        .org_role(OrgRole::Member)
        .account_role(AccountRole::Admin);
    assert_eq!(
        body(ApiStage::Alpha, &full),
        concat!(
            r#"{"key_type":"service","name":"ci","description":"d","expires_at":"2026-12-31T23:59:59.5+02:00","#,
            r#""space_id":"U3BhY2U6MTIzNDU=","#,
            r#""roles":{"space_role":"read-only","org_role":"member","account_role":"admin"}}"#
        )
    );
    assert_eq!(
        body(ApiStage::Alpha, &simple().space_role(SpaceRole::from("Curator"))),
        r#"{"key_type":"service","name":"ci","space_id":"U3BhY2U6MTIzNDU=","roles":{"space_role":"Curator"}}"#
    );
    // Each alone.
    let one =
        |role: &str| format!(r#"{{"key_type":"service","name":"ci","space_id":"{SPACE_ID}","roles":{{{role}}}}}"#);
    assert_eq!(body(ApiStage::Alpha, &simple().org_role(OrgRole::Admin)), one(r#""org_role":"admin""#));
    assert_eq!(body(ApiStage::Alpha, &simple().account_role(AccountRole::Admin)), one(r#""account_role":"admin""#));
}

#[test]
fn the_body_of_the_beta_stage() {
    assert_eq!(
        body(ApiStage::Beta, &simple()),
        concat!(
            r#"{"key_type":"SERVICE","name":"ci","organizations":[{"org_id":"T3JnYW5pemF0aW9uOjEwMDE6eFl6Vw","#,
            r#""spaces":[{"space_id":"U3BhY2U6MTIzNDU="}]}]}"#
        )
    );
    let full = simple()
        .description("")
        .expires_at(moment("2026-12-31T23:59:59.000000001Z"))
        .space_role(SpaceRole::ReadOnly)
        .org_role(OrgRole::Member)
        .account_role(AccountRole::MemberUiOnly);
    assert_eq!(
        body(ApiStage::Beta, &full),
        concat!(
            r#"{"key_type":"SERVICE","name":"ci","description":"","expires_at":"2026-12-31T23:59:59.000000001Z","#,
            r#""account_role":{"type":"PREDEFINED","name":"MEMBER_UI_ONLY"},"#,
            r#""organizations":[{"org_id":"T3JnYW5pemF0aW9uOjEwMDE6eFl6Vw","role":{"type":"PREDEFINED","name":"MEMBER"},"#,
            r#""spaces":[{"space_id":"U3BhY2U6MTIzNDU=","role":{"type":"PREDEFINED","name":"READ_ONLY"}}]}]}"#
        )
    );
    let several = wide([
        binding([space().role(RoleAssignment::custom("r/1")), SpaceBinding::new(SpaceRef::id("s2"))]),
        OrgBinding::new("o2").role(OrgRole::from("curator")).space(space().role(SpaceRole::Annotator)),
    ])
    .account_role(AccountRole::Member);
    assert_eq!(
        body(ApiStage::Beta, &several),
        concat!(
            r#"{"key_type":"SERVICE","name":"ci","account_role":{"type":"PREDEFINED","name":"MEMBER"},"#,
            r#""organizations":[{"org_id":"T3JnYW5pemF0aW9uOjEwMDE6eFl6Vw","#,
            r#""spaces":[{"space_id":"U3BhY2U6MTIzNDU=","role":{"type":"CUSTOM","id":"r/1"}},{"space_id":"s2"}]},"#,
            r#"{"org_id":"o2","role":{"type":"PREDEFINED","name":"curator"},"#,
            r#""spaces":[{"space_id":"U3BhY2U6MTIzNDU=","role":{"type":"PREDEFINED","name":"ANNOTATOR"}}]}]}"#
        )
    );
}

#[test]
fn the_body_of_a_user_key() {
    for (stage, word) in [(ApiStage::Alpha, "user"), (ApiStage::Beta, "USER")] {
        let rig = Rig::forever(stage, json(201, CREATED));
        rig.client.create(&CreateRequest::new("n\"\\\u{1f}é")).unwrap();
        let request = CreateRequest::new("m").description("d").expires_at(moment("2027-01-01T00:00:00-01:30"));
        rig.client.create(&request).unwrap();
        let bodies: Vec<_> = rig.sent().into_iter().map(|sent| sent.body).collect();
        assert_eq!(bodies[0], format!(r#"{{"key_type":"{word}","name":"n\"\\\u001fé"}}"#));
        let tail = r#""name":"m","description":"d","expires_at":"2027-01-01T00:00:00-01:30"}"#;
        assert_eq!(bodies[1], format!(r#"{{"key_type":"{word}",{tail}"#));
    }
}

#[test]
fn refused_user_keys() {
    let rig = Rig::new([]);
    let offset = moment("2027-01-01T00:00:00Z").to_offset(time::UtcOffset::from_hms(1, 2, 3).unwrap());
    for (request, message) in [
        (CreateRequest::new("x".repeat(257)), "`name` must have at most 256 characters"),
        (CreateRequest::new("n").description("x".repeat(1001)), "`description` must have at most 1000 characters"),
        (CreateRequest::new("n").expires_at(moment("2026-01-02T03:04:05Z")), "`expires_at` must be in the future"),
        (
            CreateRequest::new("n").expires_at(offset),
            "`expires_at` must have a year up to 9999 and an offset in whole minutes",
        ),
    ] {
        let error = rig.client.create(&request).unwrap_err();
        assert_eq!(error.to_string(), format!("invalid request: {message}"));
    }
    let rig = Rig::new([json(201, CREATED), json(201, CREATED)]);
    rig.client.create(&CreateRequest::new("é".repeat(256)).description("é".repeat(1000))).unwrap();
    rig.client.create(&CreateRequest::new("n").expires_at(moment("2026-01-02T03:04:05.000000001Z"))).unwrap();
}

#[test]
fn the_body_of_a_refresh() {
    for (request, expected) in [
        (RefreshRequest::new(KEY_ID), "{}"),
        (RefreshRequest::new(KEY_ID).grace_period(Duration::ZERO), r#"{"grace_period_seconds":0}"#),
        (
            RefreshRequest::new(KEY_ID)
                .grace_period(Duration::from_secs(86_400))
                .expires_at(moment("2027-01-01T00:00:00Z")),
            r#"{"expires_at":"2027-01-01T00:00:00Z","grace_period_seconds":86400}"#,
        ),
    ] {
        let rig = Rig::new([json(200, CREATED)]);
        rig.client.refresh(&request).unwrap();
        assert_eq!(rig.lines(), ["POST /v2/api-keys/QXBpS2V5OjE6YWJjZA%3D%3D/refresh"]);
        assert_eq!(rig.sent()[0].body, expected);
    }
}

#[test]
fn refused_refreshes() {
    let rig = Rig::new([]);
    let grace = "`grace_period` must be whole seconds from 0 to 86400";
    for (request, message) in [
        (RefreshRequest::new(""), "`id` must not be empty"),
        (RefreshRequest::new(".."), "`id` must not be `.` or `..`: that would name another resource"),
        (RefreshRequest::new(KEY_ID).grace_period(Duration::from_secs(86_401)), grace),
        (RefreshRequest::new(KEY_ID).grace_period(Duration::from_millis(1500)), grace),
        (RefreshRequest::new(KEY_ID).grace_period(Duration::MAX), grace),
        (RefreshRequest::new(KEY_ID).expires_at(moment("2020-01-01T00:00:00Z")), "`expires_at` must be in the future"),
    ] {
        let error = rig.client.refresh(&request).unwrap_err();
        assert_eq!(error.to_string(), format!("invalid request: {message}"));
        assert_eq!((error.outcome(), error.attempts()), (Outcome::NotSent, 0));
    }
}

#[test]
fn row_69_ids_that_leave_their_route() {
    for stage in [ApiStage::Alpha, ApiStage::Beta] {
        let rig = Rig::forever(stage, json(200, CREATED));
        let long = "x".repeat(513);
        for id in ["", ".", "..", "a\nb", "\0", long.as_str()] {
            let errors = [
                rig.client.delete(id).unwrap_err(),
                rig.client.revoke(id).unwrap_err(),
                rig.client.refresh(&RefreshRequest::new(id)).unwrap_err(),
            ];
            for error in errors {
                assert!(error.to_string().starts_with("invalid request: `id` must "), "{error}");
                assert_eq!(error.outcome(), Outcome::NotSent);
            }
        }
        assert!(rig.sent().is_empty());
    }
}

#[test]
fn row_70_ids_that_need_encoding() {
    for (id, segment) in
        [("a/b", "a%2Fb"), ("%2F", "%252F"), ("a?x", "a%3Fx"), ("a#b", "a%23b"), ("+ =", "%2B%20%3D"), ("é", "%C3%A9")]
    {
        let rig = Rig::forever(ApiStage::Alpha, json(200, CREATED));
        rig.client.delete(id).unwrap();
        rig.client.revoke(id).unwrap();
        rig.client.refresh(&RefreshRequest::new(id)).unwrap();
        assert_eq!(
            rig.lines(),
            [
                format!("DELETE /v2/api-keys/{segment}"),
                format!("PUT /v2/api-keys/{segment}/revoke"),
                format!("POST /v2/api-keys/{segment}/refresh"),
            ]
        );
        assert_eq!(rig.sent()[0].body, "");
        assert_eq!(rig.sent()[1].body, "");
    }
}

#[test]
fn refused_lists() {
    let rig = Rig::new([]);
    for (request, message) in [
        (ListRequest::new().limit(0), "`limit` must be from 1 to 100"),
        (ListRequest::new().limit(101), "`limit` must be from 1 to 100"),
        (ListRequest::new().space(""), "`space` must not be empty"),
        (ListRequest::new().space("x".repeat(256)), "`space` must be a name of at most 255 characters, or an id"),
        (ListRequest::new().org_id("o"), "`org_id` has no effect without `space`"),
        (ListRequest::new().space("prod").org_id(""), "`org_id` must not be empty"),
    ] {
        assert_eq!(rig.client.list(&request).unwrap_err().to_string(), format!("invalid request: {message}"));
    }
}
