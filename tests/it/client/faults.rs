//! Faults that only a transport of one's own can show, and details that the rows of the [fault matrix](crate::matrix)
//! leave out.

use std::time::Duration;

use arize_api_keys::{
    ApiKeyCreated, ApiKeysClient, ApiStage, CreateRequest, Error, ExposeSecret, ListRequest, Outcome, RetryPolicy,
    TransportErrorKind as Kind,
};

use crate::support::script::{
    Answer, CREATED, KEY_ID, LIST, NEW_KEY, OWN_KEY, Rig, Verb, Want, again, check, failed, html, json, once, problem,
    reply, row,
};
use crate::support::{REFUSALS, TestClock, moment, variant};

use Outcome::{Applied, NotSent, Rejected, Unknown};

/// A response of success that breaks off, before and after the secret.
#[test]
fn a_part_of_a_response() {
    for (kind, list) in [
        (Kind::Interrupted, again("Transport", Unknown)),
        (Kind::Timeout, again("Transport", Unknown)),
        (Kind::Protocol, once("Transport", Unknown)),
        (Kind::TooLarge, once("Transport", Unknown)),
        (Kind::Other, once("Transport", Unknown)),
    ] {
        let whole = json(200, format!("{CREATED}  ")).cut(kind);
        let after_secret = json(200, CREATED.strip_suffix('}').unwrap()).cut(kind);
        for answer in [whole, after_secret] {
            row(&answer, list, Want::Done, Want::Done);
        }
        let in_secret = json(200, CREATED.strip_suffix(r#"3210"}"#).unwrap()).cut(kind);
        row(&in_secret, list, once("SecretNotRecovered", Applied), Want::Done);
    }
}

/// Nor does the status, as long as it is one of success.
#[test]
fn the_content_type_of_a_secret_does_not_count() {
    for verb in Verb::MINTING {
        for status in [200, 206] {
            check(verb, &reply(status, CREATED), Want::Done);
            check(verb, &reply(status, CREATED).header("content-type", "text/html"), Want::Done);
        }
    }
}

#[test]
fn no_body() {
    let (list, mint) = (once("Decode", Applied), once("SecretNotRecovered", Applied));
    for answer in [reply(200, ""), reply(204, ""), json(200, ""), json(204, "")] {
        row(&answer, list, mint, Want::Done);
    }
    row(&html(204), list, once("SecretNotRecovered", Unknown), Want::Done);
    // Some frameworks put a type on every answer.
    for kind in ["text/html", "text/plain", "application/octet-stream"] {
        let answer = || reply(200, "").header("content-type", kind);
        row(&answer(), list, mint, Want::Done);
        // But a response that is truncated before its first byte may have been a page.
        let lost = once("SecretNotRecovered", Unknown);
        row(&answer().cut(Kind::Interrupted), again("Transport", Unknown), lost, once("Decode", Unknown));
    }
    row(&reply(204, "").header("content-type", "text/html; charset=utf-8"), list, mint, Want::Done);
}

#[test]
fn a_204_with_a_body() {
    for verb in Verb::REMOVING {
        check(verb, &reply(204, "stray"), Want::Done);
        check(verb, &json(204, "{}"), Want::Done);
    }
}

#[test]
fn a_problem_with_a_status_of_success_is_no_removal() {
    for verb in Verb::REMOVING {
        check(verb, &problem(200, r#"{"title":"no"}"#), once("Decode", Unknown));
    }
}

#[test]
fn a_refusal_with_any_body() {
    let others = [(405, "UnexpectedStatus"), (418, "UnexpectedStatus"), (431, "UnexpectedStatus")];
    for (status, name) in REFUSALS.into_iter().chain(others) {
        let outcome = if status == 418 { Unknown } else { Rejected };
        let want = once(name, outcome);
        row(&problem(status, r#"{"title":"T","status":200,"detail":"D"}"#), want, want, want);
        row(&html(status), want, want, want);
        row(&reply(status, ""), want, want, want);
        // The head has said it all.
        row(&problem(status, r#"{"tit"#).cut(Kind::Interrupted), want, want, want);
    }
}

#[test]
fn an_odd_problem_document() {
    let error = |answer: Answer| Verb::Create.call(&Rig::new([answer]).client).unwrap_err();

    let wrong_types = error(problem(400, r#"{"title":5,"detail":["x"],"status":"teapot","type":{},"instance":null}"#));
    let api = wrong_types.api().unwrap();
    assert_eq!((api.status(), api.title(), api.detail()), (400, Some("5"), None));
    assert_eq!((api.problem_type(), api.instance()), (None, None));

    let huge = error(problem(400, format!(r#"{{"detail":"{}"}}"#, "é".repeat(100_000))));
    assert_eq!(huge.api().unwrap().detail(), Some(format!("{}…", "é".repeat(512)).as_str()));

    let rude = error(problem(400, "{\"title\":\"a\\r\\nb\\u001b[31m\\u202ec\\u061cd\\u0000\"}"));
    assert_eq!(rude.api().unwrap().title(), Some(r"a\r\nb\u{1b}[31m\u{202e}c\u{61c}d\u{0}"));

    let echo = error(problem(401, format!(r#"{{"title":"{OWN_KEY}","detail":"no key {OWN_KEY}; try {NEW_KEY}!"}}"#)));
    assert_eq!(echo.api().unwrap().title(), Some("[redacted]"));
    assert_eq!(echo.api().unwrap().detail(), Some("no key [redacted]; try [redacted]!"));

    let lying = error(problem(422, r#"{"title":"ok","status":200}"#));
    assert_eq!((variant(&lying), lying.status()), ("UnprocessableEntity", Some(422)));

    let cut = error(problem(409, r#"{"title":"read","detail":"not re"#));
    assert_eq!((cut.api().unwrap().title(), cut.api().unwrap().detail()), (Some("read"), None));
}

#[test]
fn no_wait_past_the_deadline() {
    let slow = reply(503, "").takes(Duration::from_secs(25));
    for verb in [Verb::List, Verb::Revoke, Verb::DeleteAlpha] {
        let rig = Rig::forever(verb.stage(), slow.clone());
        let error = verb.call(&rig.client).unwrap_err();
        // 25 s, 0.5 s, 25 s, 1 s: what is left is less than an attempt of 30 s, and is what it gets.
        assert_eq!(error.attempts(), 3);
        let timeouts: Vec<_> = rig.sent().iter().map(|sent| sent.options.timeout.as_millis()).collect();
        assert_eq!(timeouts, [30_000, 30_000, 8500]);
    }

    // The wait would end after the deadline, so the call ends at once.
    let rig = Rig::forever(ApiStage::Beta, reply(429, "").header("retry-after", "40").takes(Duration::from_secs(15)));
    let error = Verb::Create.call(&rig.client).unwrap_err();
    assert_eq!((variant(&error), error.outcome(), error.attempts()), ("RateLimited", Rejected, 2));
    rig.assert_sleeps(&[44_000]);

    let rig = Rig::forever(ApiStage::Beta, failed(Kind::Timeout).takes(Duration::from_secs(61)));
    let error = Verb::List.call(&rig.client).unwrap_err();
    assert_eq!((error.attempts(), rig.clock.sleeps()), (1, vec![]));
}

#[test]
fn a_date_that_cannot_be_compared() {
    // The clock is set to where no HTTP date can be compared with it: the header counts as absent.
    let slow = problem(429, "{}").header("retry-after", "Fri, 02 Jan 2026 03:04:15 GMT");
    let rig = Rig::new([slow.sets_date(moment("1969-12-31T00:00:00Z")), json(200, LIST)]);
    Verb::List.call(&rig.client).unwrap();
    rig.assert_sleeps(&[500]);
}

#[test]
fn a_404_after_a_delete_that_may_have_worked_is_success() {
    let gone = problem(404, r#"{"title":"Not Found"}"#);
    let unsure = [failed(Kind::Interrupted), failed(Kind::Timeout), reply(500, ""), reply(408, ""), html(502)];
    for first in unsure {
        let rig = Rig::alpha([first.clone(), gone.clone()]);
        rig.client.delete(KEY_ID).unwrap();
        let path = "DELETE /v2/api-keys/QXBpS2V5OjE6YWJjZA%3D%3D";
        assert_eq!(rig.lines(), [path, path]);
        // The attempt in between does not make it certain again.
        let rig = Rig::alpha([first.clone(), failed(Kind::Connect).not_sent(), gone.clone()]);
        rig.client.delete(KEY_ID).unwrap();
        // A revoke is repeatable on the server's side, so there a 404 is what it says.
        for stage in [ApiStage::Alpha, ApiStage::Beta] {
            let rig = Rig::with([first.clone(), gone.clone()], false, TestClock::new(), |b| b.stage(stage));
            let error = rig.client.revoke(KEY_ID).unwrap_err();
            assert_eq!((variant(&error), error.attempts()), ("NotFound", 2));
        }
        let rig = Rig::new([first, gone.clone()]);
        assert_eq!(variant(&rig.client.delete(KEY_ID).unwrap_err()), "NotFound");
    }
    // It was not sent, or it was refused, so the key was not removed.
    for first in [failed(Kind::Connect).not_sent(), failed(Kind::Timeout).not_sent(), reply(429, "")] {
        let rig = Rig::alpha([first, gone.clone()]);
        let error = rig.client.delete(KEY_ID).unwrap_err();
        assert_eq!((variant(&error), error.outcome(), error.attempts()), ("NotFound", Rejected, 2));
    }
    let rig = Rig::alpha([gone]);
    assert_eq!(variant(&rig.client.delete(KEY_ID).unwrap_err()), "NotFound");
}

#[test]
fn a_later_attempt_succeeds() {
    for verb in Verb::ALL {
        let answers = [failed(Kind::Connect).not_sent(), reply(429, ""), verb.good_answer()];
        let rig = Rig::with(answers, false, TestClock::new(), |builder| builder.stage(verb.stage()));
        verb.call(&rig.client).unwrap();
        rig.assert_sleeps(&[500, 1000]);
        let sent = rig.sent();
        assert!(
            sent.iter().all(|one| (&one.method, &one.uri, &one.body) == (&sent[0].method, &sent[0].uri, &sent[0].body))
        );
    }
}

#[test]
fn the_last_attempt_decides() {
    let rig = Rig::new([failed(Kind::Connect).not_sent(), reply(429, ""), failed(Kind::Timeout)]);
    let error = Verb::Create.call(&rig.client).unwrap_err();
    assert_eq!((variant(&error), error.outcome(), error.attempts()), ("Transport", Unknown, 3));
    assert!(!error.is_retryable());
    let second = error.previous_attempt().unwrap();
    assert_eq!((variant(second), second.outcome(), second.attempts()), ("RateLimited", Rejected, 2));
    let first = second.previous_attempt().unwrap();
    assert_eq!((variant(first), first.outcome(), first.attempts()), ("Transport", NotSent, 1));
    assert!(first.previous_attempt().is_none());
}

#[test]
fn no_retries() {
    for verb in Verb::ALL {
        let rig = Rig::with([failed(Kind::Connect).not_sent()], true, TestClock::new(), |builder| {
            builder.stage(verb.stage()).retry(RetryPolicy::none())
        });
        let error = verb.call(&rig.client).unwrap_err();
        assert_eq!((error.attempts(), rig.sent().len(), error.is_retryable()), (1, 1, true));
        rig.assert_sleeps(&[]);
    }
}

#[test]
fn clones_share_a_budget_and_first_attempts_are_free() {
    let rig = Rig::forever(ApiStage::Beta, failed(Kind::Timeout));
    let clients: Vec<ApiKeysClient> = vec![rig.client.clone(); 4];
    let mut attempts = Vec::new();
    for n in 0..8 {
        attempts.push(Verb::List.call(&clients[n % 4]).unwrap_err().attempts());
    }
    // 100 tokens, 10 for a retry after a timeout.
    assert_eq!(attempts, [3, 3, 3, 3, 3, 1, 1, 1]);
}

#[test]
fn success_refills_the_budget() {
    let down = std::iter::repeat_n(failed(Kind::Interrupted), 30);
    let up = std::iter::repeat_n(json(200, LIST), 5);
    let rig = Rig::new(
        down.chain([failed(Kind::Interrupted)]).chain(up).chain(std::iter::repeat_n(failed(Kind::Interrupted), 2)),
    );
    for _ in 0..10 {
        assert_eq!(Verb::List.call(&rig.client).unwrap_err().attempts(), 3);
    }
    assert_eq!(Verb::List.call(&rig.client).unwrap_err().attempts(), 1);
    for _ in 0..5 {
        Verb::List.call(&rig.client).unwrap();
    }
    // 5 tokens: one retry.
    assert_eq!(Verb::List.call(&rig.client).unwrap_err().attempts(), 2);
}

#[test]
fn the_secret_that_was_rescued_is_whole() {
    let answer = json(201, CREATED.strip_suffix('}').unwrap()).cut(Kind::Interrupted);
    let created = Rig::new([answer]).client.create(&CreateRequest::new("n")).unwrap();
    assert_eq!((created.key.expose_secret(), created.id.as_str()), (NEW_KEY, KEY_ID));
    assert_eq!(created.warnings.len(), 1);
    assert_eq!(created.warnings[0].to_string(), "`body`: `not whole JSON (line 1, column 73)`");
}

#[test]
fn what_is_not_recovered_is_kept() {
    let cut = &CREATED[..CREATED.len() - 6];
    let error = Rig::new([json(201, cut)]).client.create(&CreateRequest::new("n")).unwrap_err();
    let Error::SecretNotRecovered(lost) = &error else { panic!("{error}") };
    assert_eq!((lost.id(), lost.status()), (Some(KEY_ID), 201));
    assert_eq!(lost.raw_body().expose_secret(), cut.as_bytes());
    assert_eq!((error.status(), error.outcome()), (Some(201), Applied));
}

/// Success in its form, failure in its words.
#[test]
fn a_removal_that_is_told_to_have_failed() {
    for body in [
        r#"{"title":"Forbidden","status":403}"#,
        r#" {"status":500,"detail":"no"} "#,
        "\u{feff}<html>log in</html>",
        "\u{feff}{\"title\":\"Forbidden\",\"status\":403}",
        r#"{"title":"Forbidden","status":"403"}"#,
        r#"{"status":403,"detail":"not yo"#,
        "\u{feff} <!doctype html>",
    ] {
        for verb in [Verb::DeleteAlpha, Verb::Revoke] {
            let rig = Rig::new([json(200, body)]);
            let error = verb.call(&rig.client).unwrap_err();
            assert_eq!((variant(&error), error.outcome()), ("Decode", Unknown), "{body}");
        }
    }
    for body in [
        r#"{"id":"x","status":"REVOKED"}"#,
        r#"{"status":"ACTIVE"}"#,
        r#"{"status":200}"#,
        r#"{"status":399}"#,
        "{}",
        "null",
    ] {
        assert!(Verb::Revoke.call(&Rig::new([json(200, body)]).client).is_ok(), "{body}");
    }
}

/// `redacted_key` that is not redacted, for one.
#[test]
fn a_secret_that_is_repeated_is_not_shown() {
    let bot = |members: &str| format!(r#""bot_user":{{{members}}}"#);
    let role = |role: &str| bot(&format!(r#""organizations":[{{"spaces":[{{"role":{role}}}]}}]"#));
    for secret in [NEW_KEY, "of another shape"] {
        for (field, member) in [
            ("id", format!(r#""id":"<{secret}>""#)),
            ("name", format!(r#""name":"<{secret}>""#)),
            ("description", format!(r#""description":"<{secret}>""#)),
            ("key_type", format!(r#""key_type":"<{secret}>""#)),
            ("status", format!(r#""status":"<{secret}>""#)),
            ("redacted_key", format!(r#""redacted_key":"<{secret}>""#)),
            ("created_by_user_id", format!(r#""created_by_user_id":"<{secret}>""#)),
            ("bot_user", bot(&format!(r#""id":"<{secret}>""#))),
            ("bot_user", bot(&format!(r#""name":"<{secret}>""#))),
            ("bot_user", bot(&format!(r#""account_role":{{"type":"<{secret}>"}}"#))),
            ("bot_user", bot(&format!(r#""organizations":[{{"org_id":"<{secret}>"}}]"#))),
            ("bot_user", bot(&format!(r#""organizations":[{{"role":{{"type":"PREDEFINED","name":"<{secret}>"}}}}]"#))),
            ("bot_user", bot(&format!(r#""organizations":[{{"spaces":[{{"space_id":"<{secret}>"}}]}}]"#))),
            ("bot_user", role(&format!(r#"{{"type":"CUSTOM","id":"<{secret}>"}}"#))),
            ("bot_user", role(&format!(r#"{{"type":"CUSTOM","id":"r","name":"<{secret}>"}}"#))),
        ] {
            // Before the key or after it.
            for body in [format!(r#"{{{member},"key":"{secret}"}}"#), format!(r#"{{"key":"{secret}",{member}}}"#)] {
                let created = Rig::new([json(201, body.as_str())]).client.create(&CreateRequest::new("n")).unwrap();
                assert_eq!(created.key.expose_secret(), secret);
                let shown = format!("{created:?}");
                assert!(!shown.contains(secret) && shown.contains("<[redacted]>"), "{body}: {shown}");
                assert_eq!(warnings(&created), [format!("`{field}`: `the secret`")], "{body}");
            }
        }
        let body = format!(r#"{{"expires_at":"<{secret}>","key":"{secret}"}}"#);
        let created = Rig::new([json(201, body)]).client.create(&CreateRequest::new("n")).unwrap();
        assert_eq!(warnings(&created), ["`expires_at`: `<[redacted]>`"]);
    }
}

fn warnings(created: &ApiKeyCreated) -> Vec<String> {
    created.warnings.iter().map(ToString::to_string).collect()
}

/// Such a short secret matches other texts by chance, and a changed id is lost.
#[test]
fn a_secret_of_a_few_letters_is_left_in_other_texts() {
    let rig = Rig::new([json(201, r#"{"id":"QXBpS2V5OjE6YWJjZA==","name":"abcde key","key":"abcde"}"#)]);
    let created = rig.client.create(&CreateRequest::new("n")).unwrap();
    assert_eq!((created.key.expose_secret(), created.name.as_str()), ("abcde", "abcde key"));
    for (own_key, detail) in [("abcde", "no such key: abcdef"), ("abcdef", "no such key: [redacted]")] {
        let answer = problem(404, r#"{"detail":"no such key: abcdef"}"#);
        let rig = Rig::with([answer], false, TestClock::new(), |builder| builder.api_key(own_key));
        let error = rig.client.revoke(KEY_ID).unwrap_err();
        assert_eq!(error.api().unwrap().detail(), Some(detail));
    }
}

/// The service says of a key that it has forgotten what a gateway says of everything.
#[test]
fn a_gateway_that_finds_nothing_has_removed_nothing() {
    for (answer, done) in [
        (problem(404, r#"{"title":"Not Found","status":404}"#), true),
        (json(404, "{}"), true),
        (reply(404, ""), true),
        (reply(404, "").header("content-type", "text/html"), true),
        (html(404), false),
        (reply(404, "404 page not found").header("content-type", "text/plain"), false),
        (json(404, "<html>no such route</html>"), false),
    ] {
        let rig = Rig::with([html(502), answer], false, TestClock::new(), |builder| builder.stage(ApiStage::Alpha));
        match rig.client.delete(KEY_ID) {
            Ok(()) => assert!(done),
            Err(error) => {
                assert!(!done, "{error}");
                assert_eq!((variant(&error), error.outcome(), error.attempts()), ("NotFound", Unknown, 2));
            }
        }
    }
}

#[test]
fn a_problem_with_a_byte_order_mark() {
    let answer = problem(422, "\u{feff}{\"title\":\"t\",\"detail\":\"too long\"}");
    let error = Rig::new([answer]).client.create(&CreateRequest::new("n")).unwrap_err();
    assert_eq!(error.api().unwrap().detail(), Some("too long"));
}

/// Which of the two is meant? Neither is taken for the list.
#[test]
fn a_list_that_comes_twice() {
    for (body, member) in [
        (r#"{"api_keys":[{"id":"a"}],"api_keys":null,"pagination":{}}"#, "api_keys"),
        (r#"{"api_keys":[],"pagination":{"has_more":true,"next_cursor":"A"},"pagination":null}"#, "pagination"),
    ] {
        let error = Rig::new([json(200, body)]).client.list(&ListRequest::new()).unwrap_err();
        assert_eq!((variant(&error), error.outcome()), ("Decode", Applied));
        assert!(error.to_string().contains(&format!("(`{member}` is there twice: ")), "{error}");
    }
}

/// The message names what is wrong with the page, also if it is as long as a page may be.
#[test]
fn a_page_that_is_too_long() {
    for (items, end, fault) in [
        (1001, "]}", "more than 1000 items in an array, line 1"),
        (1000, r#"],"api_keys":[]}"#, "`api_keys` is there twice"),
        (1000, r#"],"pagination":1}"#, "`pagination` is not an object"),
        (1000, r#"]]"#, "not the promised JSON at line 1"),
    ] {
        let body = format!(r#"{{"api_keys":[{}{end}"#, vec!["{}"; items].join(","));
        let error = Rig::new([json(200, body)]).client.list(&ListRequest::new()).unwrap_err();
        assert!(error.to_string().contains(fault), "{error}");
    }
}

#[test]
fn an_answer_that_broke_off_is_an_oddity() {
    let rig = Rig::new([json(201, CREATED).cut(Kind::Interrupted)]);
    let created = rig.client.create(&CreateRequest::new("n")).unwrap();
    assert_eq!(warnings(&created), ["`body`: `a truncated response`"]);
}
