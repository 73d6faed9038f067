//! Rotations with answers that a service in order does not give; `tests/it/suite` has the others.

use std::error::Error as _;
use std::panic::{AssertUnwindSafe, catch_unwind};

use arize_api_keys::{CreateRequest, CreateServiceKeyRequest, RotationError, SpaceRef, TransportErrorKind as Kind};

use super::support::{KEY_ID, NEW_KEY, Rig, failed, html, json, problem, reply};

type Rotation = Result<arize_api_keys::ApiKeyCreated, RotationError<&'static str>>;

fn rotate(rig: &Rig, old_id: &str, stored: Result<(), &'static str>) -> Rotation {
    rig.client.rotate(old_id, CreateRequest::new("ci 2"), |_| stored)
}

fn created(id: &str) -> String {
    format!(r#"{{"id":"{id}","key":"{NEW_KEY}"}}"#)
}

const PROVEN: &str = r#"{"api_keys":[],"pagination":{"has_more":false}}"#;

#[test]
fn the_key_that_replaces_itself_is_never_revoked() {
    // With the padding of base64 or without, it is the same key.
    for old_id in [KEY_ID, KEY_ID.trim_end_matches('=')] {
        let rig = Rig::new([json(201, created(KEY_ID))]);
        let error = rotate(&rig, old_id, Err("disk full")).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!(
                "the old key is as it was; the new key `{KEY_ID}` could not be stored (disk full), and may work too: \
                 revoking it failed: invalid request: `old_id` is the id of the new key"
            )
        );
        let rig = Rig::new([json(201, created(KEY_ID))]);
        let panic = catch_unwind(AssertUnwindSafe(|| {
            rig.client.rotate(old_id, CreateRequest::new("ci 2"), |_| -> Result<(), &str> { panic!("in store") })
        }));
        assert!(panic.is_err());
        assert_eq!(rig.sent().len(), 1);
        let rig = Rig::new([json(201, created(KEY_ID)), json(200, PROVEN)]);
        let error = rotate(&rig, old_id, Ok(())).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!(
                "the new key `{KEY_ID}` is stored and works; revoking the old key failed: invalid request: `old_id` is \
                 the id of the new key"
            )
        );
        assert_eq!(rig.sent().len(), 2);
    }
}

#[test]
fn a_proxy_that_forbids_proves_nothing() {
    for (answer, works) in
        [(html(403), false), (reply(403, ""), false), (problem(403, r#"{"title":"Forbidden"}"#), true)]
    {
        let rig = Rig::new([json(201, created("new")), answer, reply(204, "")]);
        let request = CreateServiceKeyRequest::new("bot", SpaceRef::id("s")).org_id("o");
        let result = rig.client.rotate("old", request, |_| Ok::<(), &str>(()));
        assert_eq!(result.is_ok(), works);
        assert_eq!(rig.sent().len(), if works { 3 } else { 2 });
        assert!(works || matches!(result, Err(RotationError::Verify { .. })));
    }
}

#[test]
fn a_new_key_is_found_by_its_id_wherever_that_stands_or_by_its_name() {
    for body in [
        format!(r#"{{"name":"\ud800","key":"{NEW_KEY}","id":"new"}}"#),
        format!(r#"{{"created_at":1e999,"key":"{NEW_KEY}","id":"new"}}"#),
        format!(r#"{{"key":"{NEW_KEY}","x":NaN,"id":"new"}}"#),
    ] {
        let rig = Rig::new([json(201, body), reply(204, "")]);
        let error = rotate(&rig, "old", Err("disk full")).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the old key is as it was; the new key `new` could not be stored (disk full) and was revoked"
        );
        assert_eq!(rig.lines()[1], "PUT /v2/api-keys/new/revoke");
    }
    let rig = Rig::new([json(201, created(""))]);
    let error = rotate(&rig, "old", Err("disk full")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the old key is as it was; the new key named `ci 2` could not be stored (disk full), and may work too: revoking it \
         failed: invalid request: `id` must not be empty"
    );
    assert_eq!(error.created().unwrap().name, "ci 2");
    let rig = Rig::new([json(201, created(""))]);
    let request = CreateServiceKeyRequest::new("bot 2", SpaceRef::id("s")).org_id("o");
    let error = rig.client.rotate("old", request, |_| Err("disk full")).unwrap_err();
    assert_eq!(error.created().unwrap().name, "bot 2");
}

#[test]
fn what_lies_below_the_cause_is_the_source() {
    let source = |answers: Vec<_>, stored| {
        let error = rotate(&Rig::new(answers), "old", stored).unwrap_err();
        error.source().map(ToString::to_string)
    };
    let said = Some("what the network said".to_owned());
    let broken = || failed(Kind::Tls).not_sent();
    assert_eq!(source(vec![broken()], Ok(())), said);
    assert_eq!(source(vec![json(201, created("new")), broken()], Ok(())), said);
    assert_eq!(source(vec![json(201, created("new")), json(200, PROVEN), broken()], Ok(())), said);
    assert_eq!(source(vec![json(201, created("new")), reply(204, "")], Err("disk full")), None);
}
