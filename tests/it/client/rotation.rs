//! Rotations with answers that a service in order does not give; `tests/it/suite` has the others.

use std::error::Error as _;
use std::panic::{AssertUnwindSafe, catch_unwind};

use arize_api_keys::{
    CreateRequest, CreateServiceKeyRequest, Error, RotationError, SpaceRef, TransportErrorKind as Kind,
};

use crate::support::script::{Answer, KEY_ID, NEW_KEY, OWN_KEY, Rig, failed, html, json, problem, reply};

type Rotation = Result<arize_api_keys::ApiKeyCreated, RotationError<&'static str>>;

fn rotate(rig: &Rig, old_id: &str, stored: Result<(), &'static str>) -> Rotation {
    rig.client.rotate(old_id, CreateRequest::new("ci 2"), |_| stored)
}

fn created(id: &str) -> String {
    format!(r#"{{"id":"{id}","key":"{NEW_KEY}"}}"#)
}

/// The list in which the old key is found.
fn found(id: &str, key_type: &str) -> Answer {
    json(
        200,
        format!(
            r#"{{"api_keys":[{{"id":"{id}","name":"ci","key_type":"{key_type}","status":"active"}}],
            "pagination":{{"has_more":false}}}}"#
        ),
    )
}

const VERIFIED: &str = r#"{"api_keys":[],"pagination":{"has_more":false}}"#;

#[test]
fn the_key_that_replaces_itself_is_never_revoked() {
    // With the padding of base64 or without, it is the same key.
    for old_id in [KEY_ID, KEY_ID.trim_end_matches('=')] {
        let rig = Rig::new([found(old_id, "user"), json(201, created(KEY_ID))]);
        let error = rotate(&rig, old_id, Err("disk full")).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!(
                "the old key is unchanged; the new key `{KEY_ID}` was not stored (disk full), and may still work, \
                 because revoking it failed: invalid request: `old_id` is the id of the new key"
            )
        );
        let rig = Rig::new([found(old_id, "user"), json(201, created(KEY_ID))]);
        let panic = catch_unwind(AssertUnwindSafe(|| {
            rig.client.rotate(old_id, CreateRequest::new("ci 2"), |_| -> Result<(), &str> { panic!("in store") })
        }));
        assert!(panic.is_err());
        assert_eq!(rig.sent().len(), 2);
        let rig = Rig::new([found(old_id, "user"), json(201, created(KEY_ID)), json(200, VERIFIED)]);
        let error = rotate(&rig, old_id, Ok(())).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!(
                "the new key `{KEY_ID}` is stored and works; revoking the old key failed: invalid request: `old_id` is \
                 the id of the new key"
            )
        );
        assert_eq!(rig.sent().len(), 3);
    }
}

#[test]
fn a_proxy_that_forbids_proves_nothing() {
    for (answer, works) in
        [(html(403), false), (reply(403, ""), false), (problem(403, r#"{"title":"Forbidden"}"#), true)]
    {
        let rig = Rig::new([found("old", "service"), json(201, created("new")), answer, reply(204, "")]);
        let request = CreateServiceKeyRequest::new("bot", SpaceRef::id("s")).org_id("o");
        let result = rig.client.rotate("old", request, |_| Ok::<(), &str>(()));
        assert_eq!(result.is_ok(), works);
        assert_eq!(rig.sent().len(), if works { 4 } else { 3 });
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
        let rig = Rig::new([found("old", "user"), json(201, body), reply(204, "")]);
        let error = rotate(&rig, "old", Err("disk full")).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the old key is unchanged; the new key `new` was not stored (disk full) and is revoked"
        );
        assert_eq!(rig.lines()[2], "PUT /v2/api-keys/new/revoke");
    }
    let rig = Rig::new([found("old", "user"), json(201, created(""))]);
    let error = rotate(&rig, "old", Err("disk full")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the old key is unchanged; the new key named `ci 2` was not stored (disk full), and may still work, because revoking \
         it failed: invalid request: `id` must not be empty"
    );
    assert_eq!(error.created().unwrap().name, "ci 2");
    let rig = Rig::new([found("old", "service"), json(201, created(""))]);
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
    let user = || found("old", "user");
    let broken = || failed(Kind::Tls).not_sent();
    assert_eq!(source(vec![broken()], Ok(())), said);
    assert_eq!(source(vec![user(), broken()], Ok(())), said);
    assert_eq!(source(vec![user(), json(201, created("new")), broken()], Ok(())), said);
    assert_eq!(source(vec![user(), json(201, created("new")), json(200, VERIFIED), broken()], Ok(())), said);
    assert_eq!(source(vec![user(), json(201, created("new")), reply(204, "")], Err("disk full")), None);
}

#[test]
fn a_key_whose_id_or_secret_is_there_twice_is_neither_stored_nor_revoked() {
    for body in [
        format!(r#"{{"id":"one","key":"{NEW_KEY}","id":"two"}}"#),
        format!(r#"{{"id":"one","key":"{NEW_KEY}","key":"ak-ANOTHER-0123456789"}}"#),
        format!(r#"{{"key":"{NEW_KEY}","id":"old","\u0069d":"new"}}"#),
        format!(r#"{{"id":null,"key":"{NEW_KEY}","id":"new"}}"#),
    ] {
        let rig = Rig::new([found("old", "user"), json(201, body.as_str())]);
        let result = rig.client.rotate("old", CreateRequest::new("ci 2"), |_| -> Result<(), &str> { panic!("stored") });
        let error = result.unwrap_err();
        assert!(matches!(&error, RotationError::Ambiguous { .. }), "{body}: {error}");
        assert_eq!(rig.sent().len(), 2);
    }
}

#[test]
fn a_secret_that_is_the_clients_own_is_an_error() {
    let rig = Rig::new([found("old", "user"), json(201, format!(r#"{{"id":"new","key":"{OWN_KEY}"}}"#))]);
    let error = rotate(&rig, "old", Ok(())).unwrap_err();
    let RotationError::Create(Error::SecretNotRecovered(lost)) = &error else { panic!("{error:?}") };
    assert_eq!(lost.id(), Some("new"));
    assert_eq!(rig.sent().len(), 2);
}

/// To store it and to revoke the old key would leave no working key.
#[test]
fn a_secret_that_is_the_old_keys_is_an_error() {
    let redacted = format!("{}...{}", &NEW_KEY[..6], &NEW_KEY[NEW_KEY.len() - 3..]);
    let list = format!(
        r#"{{"api_keys":[{{"id":"old","key_type":"user","status":"active","redacted_key":"{redacted}"}}],"pagination":{{}}}}"#
    );
    let rig = Rig::new([json(200, list), json(201, created("new"))]);
    let result = rig.client.rotate("old", CreateRequest::new("ci 2"), |_| -> Result<(), &str> { panic!("stored") });
    let error = result.unwrap_err();
    assert!(matches!(error, RotationError::Ambiguous { .. }), "{error}");
    assert!(error.to_string().contains("the response to the create has the secret of the old key"), "{error}");
    assert_eq!(rig.sent().len(), 2);
}

#[test]
fn a_lifetime_that_cannot_be_read_is_not_no_expiry() {
    for dates in [
        r#""created_at":"2026-01-01T00:00:00Z","expires_at":"soon""#,
        r#""created_at":"?","expires_at":"2026-06-01T00:00:00Z""#,
        r#""expires_at":"2026-06-01T00:00:00Z""#,
        r#""created_at":"2026-06-01T00:00:00Z","expires_at":"2026-06-01T00:00:00Z""#,
    ] {
        let list = format!(r#"{{"api_keys":[{{"id":"old","key_type":"user","status":"active",{dates}}}]}}"#);
        let rig = Rig::new([json(200, list.as_str())]);
        let error = rotate(&rig, "old", Ok(())).unwrap_err();
        assert_eq!(
            error.to_string(),
            "nothing was created; the key `old` has a creation or expiry time that cannot be read: state the expiry of \
             the new key"
        );
        let rig = Rig::new([json(200, list), json(201, created("new")), json(200, VERIFIED), reply(204, "")]);
        let request = CreateRequest::new("n").expires_at(crate::support::moment("2027-01-01T00:00:00Z"));
        rig.client.rotate("old", request, |_| Ok::<(), &str>(())).unwrap();
    }
}
