//! Whole messages of errors, and secrets that no error, no `Debug` and no warning shows.

use std::error::Error as _;
use std::time::Duration;

use arize_api_keys::{
    ApiKeysClient, ApiStage, CreateRequest, CreateServiceKeyRequest, Error, ExposeSecret, ListRequest, OrgBinding,
    RefreshRequest, ReplacementKey, RetryPolicy, RotationError, SpaceBinding, SpaceRef, TransportError,
    TransportErrorKind as Kind, UnknownStage, http,
};

use crate::support::script::{
    Answer, CREATED, NEW_KEY, OWN_KEY, Rig, Verb, everything, failed, html, json, problem, reply,
};
use crate::support::{TestClock, moment, variant};

#[track_caller]
fn assert_message(verb: Verb, answer: Answer, name: &str, message: &str) {
    let error = verb.call(&Rig::forever(verb.stage(), answer).client).unwrap_err();
    assert_eq!((variant(&error), error.to_string().as_str()), (name, message));
    // All but what has no answer say its status.
    assert_eq!(error.status().is_none(), matches!(name, "Transport" | "Config"), "{error}");
}

#[test]
fn answers_with_a_problem() {
    let both = r#"{"title":"T","detail":"D","type":"https://errors.example/t","instance":"/i/1","status":400}"#;
    assert_message(Verb::Create, problem(400, both), "BadRequest", "create: the service answered 400 Bad Request: D");
    assert_message(
        Verb::List,
        problem(401, r#"{"title":"Unauthorized"}"#).header("x-request-id", "r-1"),
        "Unauthorized",
        "list: the service answered 401 Unauthorized: Unauthorized [request r-1]; check that the API key is right, not expired and not revoked",
    );
    // JSON of a gateway is no conclusion about the key either.
    assert_message(
        Verb::List,
        problem(403, r#"{"error":"denied"}"#),
        "Forbidden",
        "list: the service answered 403 Forbidden (application/problem+json, 18 bytes); \
         a proxy or a login page may have sent this, so it says nothing about the key: check the host",
    );
    assert_message(
        Verb::CreateServiceKey,
        html(403),
        "Forbidden",
        "create_service_key: the service answered 403 Forbidden (text/html; charset=utf-8, 26 bytes); \
         a proxy or a login page may have sent this, so it says nothing about the key: check the host",
    );
    assert_message(
        Verb::Revoke,
        reply(404, ""),
        "NotFound",
        "revoke: the service answered 404 Not Found (empty body); it does not exist, or the API key may not see it",
    );
    assert_message(
        Verb::DeleteBeta,
        problem(409, r#"{"title":"T"}"#),
        "Conflict",
        "delete: the service answered 409 Conflict: T",
    );
    assert_message(
        Verb::Refresh,
        problem(422, r#"{"detail":"expires_at is required"}"#),
        "UnprocessableEntity",
        "refresh: the service answered 422 Unprocessable Entity: expires_at is required",
    );
}

#[test]
fn the_parts_of_a_problem() {
    let both = r#"{"title":"T","detail":"D","type":"https://errors.example/t","instance":"/i/1","status":400}"#;
    let answer = problem(400, both).header("x-request-id", "r-1").header("retry-after", "3");
    let error = Verb::Create.call(&Rig::new([answer]).client).unwrap_err();
    let api = error.api().unwrap();
    assert_eq!((api.title(), api.detail(), api.request_id()), (Some("T"), Some("D"), Some("r-1")));
    assert_eq!((api.problem_type(), api.instance()), (Some("https://errors.example/t"), Some("/i/1")));
    assert_eq!((api.status(), error.status()), (400, Some(400)));
    assert_eq!((api.retry_after(), error.retry_after()), (Some(Duration::from_secs(3)), Some(Duration::from_secs(3))));
    assert!(error.source().is_none());
}

#[test]
fn answers_to_come_back_later() {
    let slow = problem(429, r#"{"title":"slow down"}"#);
    assert_message(
        Verb::Create,
        slow.clone().header("retry-after", "86400"),
        "RateLimited",
        "create: the service answered 429 Too Many Requests: slow down; wait 86400 s before the next call",
    );
    assert_message(
        Verb::Create,
        slow,
        "RateLimited",
        "create: the service answered 429 Too Many Requests: slow down; wait before the next call (after 3 attempts)",
    );
}

#[test]
fn a_wait_is_told_in_whole_seconds_that_are_enough() {
    for (now, seconds) in [("2026-01-02T03:04:05Z", 10), ("2026-01-02T03:04:05.5Z", 10), ("2026-01-02T03:04:06Z", 9)] {
        let answer = reply(429, "").header("retry-after", "Fri, 02 Jan 2026 03:04:15 GMT");
        let rig = Rig::with([answer], false, TestClock::new(), |builder| builder.retry(RetryPolicy::none()));
        rig.clock.set_date(moment(now));
        let error = rig.client.list(&ListRequest::new()).unwrap_err();
        let message = "list: the service answered 429 Too Many Requests (empty body)";
        assert_eq!(error.to_string(), format!("{message}; wait {seconds} s before the next call"));
    }
}

#[test]
fn what_is_at_fault_is_named() {
    let config = ApiKeysClient::builder().ignore_env().api_key("ak-x").region("mars").build().unwrap_err();
    assert!(matches!(&config, Error::Config(error) if error.setting() == "region"), "{config:?}");
    assert!(config.source().is_none());
    let request = Rig::new([]).client.list(&ListRequest::new().limit(0)).unwrap_err();
    assert!(matches!(&request, Error::InvalidRequest(error) if error.field() == "limit"), "{request:?}");
    let decode = Rig::new([html(203)]).client.list(&ListRequest::new()).unwrap_err();
    assert!(matches!(&decode, Error::Decode(error) if error.status() == 203), "{decode:?}");
}

#[test]
fn what_may_have_happened() {
    let create = "; the key may exist: list the keys and revoke the one named `n` created since \
                  2026-01-02T03:04:05Z";
    let service = create.replace("the keys", "the service keys of its space");
    let refresh = "; the secret may have been replaced: compare `redacted_key` of the key `QXBpS2V5OjE6YWJjZA==` \
                   in a list, and refresh it again to get a new secret";
    let remove = "; the key `QXBpS2V5OjE6YWJjZA==` may still be active: call again, a repeated call does no harm";
    for (verb, advice) in [
        (Verb::Create, create),
        (Verb::CreateServiceKey, service.as_str()),
        (Verb::Refresh, refresh),
        (Verb::Revoke, remove),
        (Verb::DeleteAlpha, remove),
        (Verb::DeleteBeta, remove),
        (Verb::List, ""),
    ] {
        let name = match verb {
            Verb::List => "list",
            Verb::Create => "create",
            Verb::CreateServiceKey => "create_service_key",
            Verb::Refresh => "refresh",
            Verb::Revoke => "revoke",
            Verb::DeleteBeta | Verb::DeleteAlpha => "delete",
        };
        assert_message(
            verb,
            reply(501, ""),
            "Server",
            &format!("{name}: the service answered 501 Not Implemented (empty body){advice}"),
        );
        assert_message(
            verb,
            failed(Kind::Protocol),
            "Transport",
            &format!("{name}: the response is not HTTP/1.1{advice}"),
        );
        assert_message(
            verb,
            reply(799, "x"),
            "UnexpectedStatus",
            &format!("{name}: the service answered 799 (no content type, 1 bytes){advice}"),
        );
        let redirect = "the client does not follow redirects: check the host, and any proxy or login page before it";
        assert_message(
            verb,
            reply(302, "").header("location", "https://elsewhere.example/?token=secret"),
            "UnexpectedStatus",
            &format!("{name}: the service answered 302 Found (empty body); {redirect}{advice}"),
        );
        let not_sent = failed(Kind::Connect).not_sent();
        let message = format!("{name}: no connection could be made (after 3 attempts)");
        assert_message(verb, not_sent, "Transport", &message);
    }
}

#[test]
fn the_cause_of_a_transport_error_is_its_source() {
    let texts = [
        (Kind::Resolve, "the host name could not be resolved"),
        (Kind::Connect, "no connection could be made"),
        (Kind::Tls, "the TLS handshake failed"),
        (Kind::Proxy, "the proxy refused"),
        (Kind::Timeout, "timed out"),
        (Kind::Interrupted, "the connection broke"),
        (Kind::Protocol, "the response is not HTTP/1.1"),
        (Kind::TooLarge, "the response is too large"),
        (Kind::Configuration, "the request could not be made"),
        (Kind::Other, "the transport failed"),
    ];
    for (kind, text) in texts {
        let error = Verb::Create.call(&Rig::forever(ApiStage::Beta, failed(kind)).client).unwrap_err();
        assert!(error.to_string().starts_with(&format!("create: {text}; the key may exist: ")), "{error}");
        assert_eq!(error.source().unwrap().to_string(), "what the network said");
        let Error::Transport(failure) = error else { panic!("{error}") };
        assert_eq!(failure.kind(), kind);
    }
}

#[test]
fn a_secret_that_was_not_recovered() {
    let named = json(201, r#"{"id":"new","key":null}"#);
    let message = "the service did it, but the response has no readable secret (application/json, 23 bytes); \
                   the key `new` exists: refresh it to get a new secret, or revoke it";
    assert_message(Verb::Create, named.clone(), "SecretNotRecovered", &format!("create: {message}"));
    assert_message(
        Verb::CreateServiceKey,
        named.clone(),
        "SecretNotRecovered",
        &format!("create_service_key: {message}"),
    );
    assert_message(
        Verb::Refresh,
        named,
        "SecretNotRecovered",
        "refresh: the service did it, but the response has no readable secret (application/json, 23 bytes); the old secret is \
         replaced: refresh the key `new` again to get a new one",
    );
    assert_message(
        Verb::Refresh,
        reply(204, ""),
        "SecretNotRecovered",
        "refresh: the service did it, but the response has no readable secret (empty body); the old secret is \
         replaced: refresh the key `QXBpS2V5OjE6YWJjZA==` again to get a new one",
    );
    assert_message(
        Verb::CreateServiceKey,
        reply(204, ""),
        "SecretNotRecovered",
        "create_service_key: the service did it, but the response has no readable secret (empty body); the key exists: list the \
         service keys of its space, and refresh or revoke the one named `n` created since 2026-01-02T03:04:05Z",
    );
    assert_message(
        Verb::Create,
        reply(204, ""),
        "SecretNotRecovered",
        "create: the service did it, but the response has no readable secret (empty body); the key exists: list the keys, \
         and refresh or revoke the one named `n` created since 2026-01-02T03:04:05Z",
    );
}

#[test]
fn an_answer_that_is_none() {
    assert_message(
        Verb::Revoke,
        html(200),
        "Decode",
        "revoke: the response with status 200 is not what the API promises (not the response of the service to a removal: \
         text/html; charset=utf-8, 26 bytes); the key `QXBpS2V5OjE6YWJjZA==` may still be active: call again, a repeated call does no harm",
    );
    assert_message(
        Verb::List,
        json(200, r#"{"api_keys":["#),
        "Decode",
        "list: the response with status 200 is not what the API promises \
         (JSON that ends early at line 1, column 13: application/json, 13 bytes) (after 3 attempts)",
    );
    assert_message(
        Verb::List,
        reply(204, ""),
        "Decode",
        "list: the response with status 204 is not what the API promises (no body where the API promises JSON: empty body)",
    );
}

#[test]
fn names_in_messages_are_tame() {
    let rig = Rig::new([reply(500, "")]);
    let error = rig.client.create(&CreateRequest::new("a\u{1b}[2J\n`\u{202e}b")).unwrap_err();
    assert!(error.to_string().contains(r"the one named `a\u{1b}[2J\n`\u{202e}b` created since"), "{error}");
}

#[test]
fn settings_and_stages() {
    let error = ApiKeysClient::builder().ignore_env().build().unwrap_err();
    assert_eq!(error.to_string(), "configuration: `api_key` is missing: set it, or the variable ARIZE_API_KEY");
    assert_eq!((error.attempts(), error.is_retryable(), error.status()), (0, false, None));
    assert_eq!(UnknownStage.to_string(), "the stage must be `alpha` or `beta`");
    assert_eq!(("BETA".parse(), "Alpha".parse()), (Ok(ApiStage::Beta), Ok(ApiStage::Alpha)));
    assert_eq!("gamma".parse::<ApiStage>(), Err(UnknownStage));
}

/// Answers that have both keys wherever an answer can have a text.
fn telltales() -> Vec<Answer> {
    let both = format!("{OWN_KEY} {NEW_KEY}");
    let bodies = [
        both.clone(),
        format!(r#""{both}""#),
        format!(r#"["{both}"]"#),
        format!(r#"{{"{both}":1}}"#),
        format!(r#"{{"title":"{both}","detail":"{both}","type":"{both}","instance":"{both}","status":"{both}"}}"#),
        format!(r#"{{"id":7,"key":["{NEW_KEY}"],"name":{{"{both}":"{both}"}}}}"#),
        format!(
            r#"{{"created_at":"{both}","expires_at":"{both}","key":"{NEW_KEY}","api_keys":[{{"created_at":"{both}"}}]}}"#
        ),
        format!(r#"{{"key":"{NEW_KEY}","name":{both}"#),
        format!(r#"{{"key":"{NEW_KEY}"#),
        format!(r#"{{"api_keys":"{both}","pagination":"{both}"}}"#),
        format!(
            r#"{{"api_keys":[{{"key_type":{{"{both}":"{both}"}}}}],"pagination":{{"next_cursor":"{both}","has_more":true}}}}"#
        ),
        format!(r#"{{"spaces":[{{"id":"s","name":"Prod","description":"{both}"}}]}}"#),
        format!("<html>{both}</html>"),
    ];
    let mut answers = Vec::new();
    for body in bodies {
        for status in [101, 200, 201, 204, 302, 400, 401, 403, 404, 409, 418, 422, 429, 500, 503, 799] {
            for content_type in ["application/json", "application/problem+json", "text/html", both.as_str()] {
                let answer = reply(status, body.clone())
                    .header("content-type", content_type)
                    .header("content-encoding", both.clone())
                    .header("x-request-id", both.clone())
                    .header("retry-after", both.clone())
                    .header("location", format!("https://x.example/{OWN_KEY}"));
                answers.push(answer);
            }
        }
        for kind in [Kind::Interrupted, Kind::TooLarge] {
            answers.push(json(200, body.clone()).cut(kind));
        }
    }
    answers
}

#[track_caller]
fn assert_clean(text: &str) {
    assert!(!text.contains("PLANTED"), "{text}");
}

#[test]
fn no_error_shows_a_key() {
    let mut seen = std::collections::BTreeSet::new();
    for answer in telltales() {
        for verb in Verb::ALL {
            let rig = Rig::forever(verb.stage(), answer.clone());
            if let Err(error) = verb.call(&rig.client) {
                assert_clean(&everything(&error));
                seen.insert(variant(&error));
            }
            assert_clean(&format!("{:?}", rig.client));
        }
        let lookup = CreateServiceKeyRequest::new("ci", "prod");
        if let Err(error) = Rig::forever(ApiStage::Beta, answer.clone()).client.create_service_key(&lookup) {
            assert_clean(&everything(&error));
            seen.insert(variant(&error));
        }
        let list = Rig::forever(ApiStage::Beta, answer).client;
        for key in list.list_all(&ListRequest::new()).max_pages(3) {
            match key {
                Ok(key) => assert_clean(&format!("{key:?} {key:#?}")),
                Err(error) => {
                    assert_clean(&everything(&error));
                    seen.insert(variant(&error));
                }
            }
        }
    }
    let expected = [
        "BadRequest",
        "Conflict",
        "Decode",
        "Forbidden",
        "NotFound",
        "Pagination",
        "RateLimited",
        "SecretNotRecovered",
        "Server",
        "SpaceNotFound",
        "Transport",
        "Unauthorized",
        "UnexpectedStatus",
        "UnprocessableEntity",
    ];
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), expected);
}

#[test]
fn no_created_key_shows_its_secret() {
    let odd =
        format!(r#"{{"id":"i","key":"{NEW_KEY}","key":"{NEW_KEY}2","created_at":"{NEW_KEY}","status":["{NEW_KEY}"]}}"#);
    for body in [CREATED.to_owned(), odd] {
        let rig = Rig::new([json(201, body.clone()), json(200, body)]);
        let created = rig.client.create(&CreateRequest::new("n")).unwrap();
        let refreshed = rig.client.refresh(&RefreshRequest::new("i")).unwrap();
        assert_clean(&format!("{created:?} {created:#?} {refreshed:?} {:?} {:?}", created.clone(), created.warnings));
        assert_eq!((created.key.expose_secret(), refreshed.key.expose_secret()), (NEW_KEY, NEW_KEY));
    }
}

#[test]
fn no_rotation_shows_a_key() {
    let created = json(201, CREATED);
    let cases = [
        vec![reply(400, OWN_KEY)],
        vec![created.clone(), reply(204, "")],
        vec![created.clone(), problem(403, format!(r#"{{"detail":"{NEW_KEY}"}}"#))],
    ];
    for answers in cases {
        let rig = Rig::new(answers);
        let new = ReplacementKey::from(CreateRequest::new("n"));
        let error: RotationError<&str> = rig.client.rotate("old", new, |_| Err("disk full")).unwrap_err();
        assert_clean(&format!("{error} {error:?} {error:#?}"));
    }
    let rig = Rig::new([created, problem(401, format!(r#"{{"detail":"{NEW_KEY}"}}"#))]);
    let error = rig.client.rotate("old", CreateRequest::new("n"), |_| Ok::<(), &str>(())).unwrap_err();
    assert_clean(&format!("{error} {error:?} {error:#?}"));
}

#[test]
fn no_set_up_shows_a_key() {
    let builder = ApiKeysClient::builder().ignore_env().api_key(OWN_KEY).header("x-gateway", NEW_KEY);
    assert_clean(&format!("{builder:?} {builder:#?}"));
    let error = builder.proxy(format!("http://u:{NEW_KEY}@p")).transport(|_| panic!("no call is made")).build();
    assert_clean(&format!("{error:?}"));
    for bad in [format!("Bearer {OWN_KEY}"), format!("{OWN_KEY}\n{NEW_KEY}"), format!("{OWN_KEY} x")] {
        let error = ApiKeysClient::builder().ignore_env().api_key(bad).build().unwrap_err();
        assert_clean(&everything(&error));
    }
}

#[test]
fn no_transport_error_shows_what_arrived() {
    let partial = http::Response::builder().header("x", NEW_KEY).body(CREATED.into()).unwrap();
    let error = TransportError::new(Kind::Interrupted, "reset").with_partial_response(partial);
    assert_eq!(error.partial_response().unwrap().body(), CREATED.as_bytes());
    let text = format!("{error} {error:?} {error:#?}");
    assert_clean(&text);
    assert!(text.contains("PartialResponse(200, 74 bytes)"), "{text}");
}

#[test]
fn no_request_shows_a_key_that_stands_where_none_belongs() {
    let organization = OrgBinding::new(OWN_KEY).space(SpaceBinding::new(NEW_KEY));
    for request in [
        format!("{:?}", ListRequest::new().space(OWN_KEY).org_id(OWN_KEY).user_id(NEW_KEY).cursor(NEW_KEY)),
        format!("{:?}", ReplacementKey::from(CreateRequest::new(OWN_KEY).description(NEW_KEY))),
        format!(
            "{:?}",
            CreateServiceKeyRequest::new(OWN_KEY, SpaceRef::id(NEW_KEY)).description(NEW_KEY).org_id(OWN_KEY)
        ),
        format!("{:?}", CreateServiceKeyRequest::for_organizations(NEW_KEY, [organization])),
        format!("{:?}", RefreshRequest::new(NEW_KEY)),
    ] {
        assert_clean(&request);
        assert!(request.contains("[redacted]"), "{request}");
    }
}

#[test]
fn no_look_up_shows_a_key_that_stands_where_none_belongs() {
    let nothing = || json(200, r#"{"spaces":[],"organizations":[],"pagination":{"has_more":false}}"#);
    let two = format!(r#"{{"spaces":[{{"id":"a","name":"{NEW_KEY}"}},{{"id":"b","name":"{NEW_KEY}"}}]}}"#);
    let list = ListRequest::new().space(SpaceRef::name(NEW_KEY)).org_id(NEW_KEY);
    for answer in [nothing(), json(200, two)] {
        let error = Rig::new([answer]).client.list(&list).unwrap_err();
        assert_clean(&everything(&error));
        assert!(error.to_string().contains("`[redacted]`"), "{error}");
    }
    let request = CreateServiceKeyRequest::new("n", SpaceRef::id(NEW_KEY));
    let error = Rig::new([json(200, "{}"), nothing()]).client.create_service_key(&request).unwrap_err();
    assert_clean(&everything(&error));
    assert!(matches!(&error, Error::OrganizationNotFound(e) if e.space_id() == "[redacted]"), "{error:?}");
}

/// A key of the account may have other characters than those that keys are known by.
#[test]
fn the_clients_key_is_hidden_as_it_stands_in_a_url_too() {
    let own_key = "PLANTED/+key==";
    let body = r#"{"title":"no","detail":"bad token PLANTED%2F%2Bkey%3D%3D, PLANTED/+key=="}"#;
    let rig = Rig::with([problem(400, body)], false, TestClock::new(), |builder| builder.api_key(own_key));
    let error = rig.client.list(&ListRequest::new()).unwrap_err();
    assert_eq!(error.api().unwrap().detail(), Some("bad token [redacted], [redacted]"));
}
