//! The client's own key in places where none belongs, and a new secret in a response that is no success.

use arize_api_keys::{
    ApiKeyType, CreateRequest, CreateServiceKeyRequest, Error, ExposeSecret, ListOrganizationsRequest, ListRequest,
    ListSpacesRequest, Outcome, RefreshRequest, SpaceRef,
};

use crate::support::script::{KEY_ID, NEW_KEY, OWN_KEY, Rig, Verb, everything, html, json, problem, reply};
use crate::support::{TestClock, variant};

/// In a URL it would be in the log of every proxy.
#[test]
fn an_id_that_is_the_own_key_is_refused_before_anything_is_sent() {
    for own_key in [OWN_KEY, "PLANTED/+key=="] {
        let rig = Rig::with([], false, TestClock::new(), |builder| builder.api_key(own_key));
        let client = &rig.client;
        let service_key = CreateServiceKeyRequest::new("n", SpaceRef::id(own_key));
        for (field, error) in [
            ("id", client.revoke(own_key).unwrap_err()),
            ("id", client.delete(own_key).unwrap_err()),
            ("id", client.delete(format!(" {own_key}x")).unwrap_err()),
            ("id", client.refresh(&RefreshRequest::new(own_key)).unwrap_err()),
            ("request", client.list(&ListRequest::new().user_id(own_key)).unwrap_err()),
            ("request", client.list(&ListRequest::new().cursor(own_key)).unwrap_err()),
            ("request", client.list(&ListRequest::new().space(SpaceRef::id(own_key))).unwrap_err()),
            ("request", client.list(&ListRequest::new().space(SpaceRef::name(own_key))).unwrap_err()),
            ("request", client.list_spaces(&ListSpacesRequest::new().name(own_key)).next().unwrap().unwrap_err()),
            ("request", client.create_service_key(&service_key).unwrap_err()),
        ] {
            let Error::InvalidRequest(invalid) = &error else { panic!("{error}") };
            assert_eq!((invalid.field(), error.outcome()), (field, Outcome::NotSent));
            assert!(error.to_string().ends_with("must not be or contain the API key of the client"), "{error}");
            assert!(!everything(&error).contains(own_key));
        }
        assert_eq!(rig.sent().len(), 0);
    }
}

#[test]
fn the_own_key_is_in_no_text_of_a_good_response() {
    let page = |member: &str, item: &str| {
        let pagination = format!(r#"{{"has_more":true,"next_cursor":"c-{OWN_KEY}"}}"#);
        json(200, format!(r#"{{"{member}":[{item}],"pagination":{pagination}}}"#))
    };
    // A text may also be written with escapes.
    let escaped = OWN_KEY.replace('P', r"\u0050");
    let key = format!(
        r#"{{"id":"{OWN_KEY}","name":"my {escaped} key","description":"{OWN_KEY}","redacted_key":"{OWN_KEY}","key_type":"x{OWN_KEY}",
            "status":"{OWN_KEY}","created_by_user_id":"{OWN_KEY}","created_at":"{OWN_KEY}","bot_user":{{"id":"{OWN_KEY}","name":"{OWN_KEY}",
            "organizations":[{{"org_id":"{OWN_KEY}","spaces":[{{"space_id":"{OWN_KEY}","role":{{"type":"custom","id":"{OWN_KEY}"}}}}]}}]}}}}"#
    );
    let space =
        format!(r#"{{"id":"{OWN_KEY}","name":"{escaped}","organization_id":"{OWN_KEY}","description":"{OWN_KEY}"}}"#);

    let list = Rig::new([page("api_keys", &key)]).client.list(&ListRequest::new()).unwrap();
    assert!(!format!("{list:?}").contains("PLANTED"), "{list:?}");
    assert_eq!(list.api_keys[0].name, "my [redacted] key");
    assert_eq!(list.api_keys[0].key_type, ApiKeyType::Unknown("x[redacted]".to_owned()));
    assert!(list.api_keys[0].warnings.iter().any(|warning| warning.field == "name"));
    assert_eq!(list.pagination.next_cursor.as_deref(), Some("c-[redacted]"));

    let spaces = Rig::new([page("spaces", &space)]).client.list_spaces(&ListSpacesRequest::new()).next();
    let organizations =
        Rig::new([page("organizations", &space)]).client.list_organizations(&ListOrganizationsRequest::new()).next();
    assert!(!format!("{spaces:?} {organizations:?}").contains("PLANTED"));
    assert_eq!(spaces.unwrap().unwrap().name, "[redacted]");

    let answer = json(201, key.replacen('{', &format!(r#"{{"key":"{NEW_KEY}","#), 1));
    let created = Rig::new([answer]).client.create(&CreateRequest::new("n")).unwrap();
    assert!(!format!("{:?}", created.details).contains("PLANTED"), "{created:?}");
    assert_eq!(created.key.expose_secret(), NEW_KEY);
}

#[test]
fn a_secret_in_a_response_that_is_no_success_is_kept() {
    let body = format!(r#"{{"title":"no","id":"{KEY_ID}","key":"{NEW_KEY}"}}"#);
    for status in [300, 307, 400, 401, 403, 404, 408, 409, 418, 422, 429, 500, 502, 503, 504, 599] {
        for with_secret in [problem(status, body.clone()), json(status, body.clone()), reply(status, body.clone())] {
            for verb in Verb::MINTING {
                // The retries and the outcome are those of the same response without a secret.
                let without = reply(status, "{}");
                let plain = Rig::forever(verb.stage(), without);
                let expected = verb.call(&plain.client).unwrap_err();
                let rig = Rig::forever(verb.stage(), with_secret.clone());
                let error = verb.call(&rig.client).unwrap_err();
                let facts = |error: &Error| (variant(error), error.outcome(), error.is_retryable(), error.attempts());
                assert_eq!(facts(&error), facts(&expected), "{status} {verb:?}");
                let api = error.api().unwrap();
                assert_eq!(api.secret().unwrap().expose_secret(), NEW_KEY, "{status} {verb:?}");
                assert!(
                    error.to_string().contains("; the response has the secret of a new key nevertheless"),
                    "{error}"
                );
                assert!(!everything(&error).contains(NEW_KEY));
            }
        }
    }
}

/// Documents of errors have other members of that name.
#[test]
fn what_is_no_secret_is_not_kept_as_one() {
    for body in [
        r#"{"key":"expires_at"}"#.to_owned(),
        r#"{"key":"ak-abc...xyz"}"#.to_owned(),
        r#"{"key":"ak-"}"#.to_owned(),
        format!(r#"{{"key":"{OWN_KEY}"}}"#),
        format!(r#"{{"key":"no {NEW_KEY}"}}"#),
        format!(r#"{{"errors":[{{"key":"{NEW_KEY}"}}]}}"#),
    ] {
        let error = Rig::new([problem(422, body.clone())]).client.create(&CreateRequest::new("n")).unwrap_err();
        assert!(error.api().unwrap().secret().is_none(), "{body}");
    }
    // Only a request that mints brings one.
    let body = format!(r#"{{"key":"{NEW_KEY}"}}"#);
    let error = Rig::new([problem(422, body)]).client.list(&ListRequest::new()).unwrap_err();
    assert!(error.api().unwrap().secret().is_none());
    let error = Rig::new([html(422)]).client.create(&CreateRequest::new("n")).unwrap_err();
    assert!(error.api().unwrap().secret().is_none());
}
