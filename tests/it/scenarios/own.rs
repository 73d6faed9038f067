//! Answers that were not recorded: every status, answers in a row, secrets in broken bodies, and secrets sent back.

use std::time::Duration;

use arize_api_keys::{ApiStage, Error, ExposeSecret, Outcome, TransportErrorKind};

use super::policy::{Op, is_about_something_else};
use super::script::{self, Answer, Response, Script};
use super::{Gained, SECRET, STAGES, all_is_well, check, is_key, perform};
use crate::support::{Jitter, OWN_KEY, TRANSPORT_FAILURES, TestClock, client, shown};

const JSON: (&str, &str) = ("content-type", "application/json");
const PROBLEM: (&str, &str) = ("content-type", "application/problem+json");
const HTML: (&str, &str) = ("content-type", "text/html");

fn whole(status: u16, headers: &[(&str, &str)], body: &str) -> Answer {
    Answer::Whole(Response::new(status, headers, body))
}

fn partial(status: u16, headers: &[(&str, &str)], body: &str) -> Answer {
    Answer::Partial(Response::new(status, headers, body))
}

#[test]
fn every_status_there_can_be() {
    for status in (100..600).chain([600, 799, 999]) {
        let answers = [
            whole(status, &[], ""),
            whole(status, &[PROBLEM], r#"{"title":"T","detail":"D","status":200}"#),
            whole(status, &[HTML], "<html>"),
            partial(status, &[PROBLEM, ("retry-after", "7")], r#"{"ti"#),
        ];
        // A success depends on more than its status.
        let answers = if (200..300).contains(&status) { &answers[..1] } else { &answers[..] };
        for (n, op) in Op::ALL.into_iter().enumerate() {
            let answer = answers[(n + usize::from(status)) % answers.len()].clone();
            let stage = STAGES[usize::from(status) % 2];
            check(&format!("{answer:?}"), op, stage, Jitter::Longest, &Script::of(vec![answer]));
        }
    }
}

#[test]
fn every_failure_of_a_transport() {
    for kind in TRANSPORT_FAILURES {
        for sent in [false, true] {
            let once = Script::of(vec![Answer::None { kind, sent }]);
            let always = Script { repeats: true, ..once.clone() };
            for (op, stage) in everything() {
                check(&format!("{kind:?}, sent: {sent}"), op, stage, Jitter::None, &once);
                check(&format!("{kind:?}, sent: {sent}, always"), op, stage, Jitter::Longest, &always);
            }
        }
    }
}

fn everything() -> impl Iterator<Item = (Op, ApiStage)> {
    Op::ALL.into_iter().flat_map(|op| STAGES.map(|stage| (op, stage)))
}

/// The result of one attempt decides about the next.
#[test]
fn answers_in_a_row() {
    let answers = [
        whole(200, &[JSON], "{}"),
        whole(302, &[("location", "https://elsewhere.example/")], ""),
        whole(400, &[PROBLEM], r#"{"title":"T"}"#),
        whole(404, &[PROBLEM], r#"{"title":"T"}"#),
        whole(408, &[], ""),
        whole(429, &[PROBLEM], "{}"),
        whole(429, &[PROBLEM, ("retry-after", "30")], "{}"),
        whole(429, &[PROBLEM, ("retry-after", "61")], "{}"),
        whole(500, &[HTML, ("retry-after", "3")], "<html>"),
        whole(503, &[PROBLEM, ("retry-after", "0")], "{}"),
        partial(404, &[PROBLEM], r#"{"tit"#),
        partial(200, &[JSON], r#"{"api_keys":[],"spaces":[],"pagination":{"has_mo"#),
        Answer::None { kind: TransportErrorKind::Interrupted, sent: true },
        Answer::None { kind: TransportErrorKind::Connect, sent: false },
    ];
    for first in &answers {
        for second in &answers {
            let script = Script::of(vec![first.clone(), second.clone()]);
            let repeated = Script { repeats: true, ..script.clone() };
            for (op, stage) in everything() {
                let name = format!("{first:?}, {second:?}");
                check(&name, op, stage, Jitter::None, &script);
                check(&name, op, stage, Jitter::Longest, &repeated);
            }
        }
    }
}

/// A 404 after a lost response means that the key is removed, as requested; after a refusal, it is an error.
#[test]
fn a_delete_that_finds_nothing_after_a_lost_answer_has_done_it() {
    let lost = Answer::None { kind: TransportErrorKind::Interrupted, sent: true };
    let never_sent = Answer::None { kind: TransportErrorKind::Connect, sent: false };
    let gone = whole(404, &[PROBLEM], r#"{"title":"T"}"#);
    let limited = whole(429, &[PROBLEM], "{}");
    let cases = [
        (Op::Delete, ApiStage::Alpha, vec![lost.clone(), gone.clone()], true),
        (Op::Delete, ApiStage::Alpha, vec![whole(502, &[HTML], "<html>"), gone.clone()], true),
        (Op::Delete, ApiStage::Alpha, vec![lost.clone(), limited.clone(), gone.clone()], true),
        (Op::Delete, ApiStage::Alpha, vec![gone.clone()], false),
        (Op::Delete, ApiStage::Alpha, vec![never_sent, gone.clone()], false),
        (Op::Delete, ApiStage::Alpha, vec![limited, gone.clone()], false),
        // Revoking what is revoked is no 404.
        (Op::Delete, ApiStage::Beta, vec![lost.clone(), gone.clone()], false),
        (Op::Revoke, ApiStage::Alpha, vec![lost, gone], false),
    ];
    for (op, stage, answers, done) in cases {
        let name = format!("{op:?} on {stage}: {answers:?}");
        let (transport, _) = script::transport(&Script::of(answers), is_key, all_is_well);
        let result = perform(op, &client(stage, &TestClock::new().jitter(Jitter::None), transport), stage);
        match result {
            Ok(Gained::Nothing) => assert!(done, "{name}"),
            Err(Error::NotFound(_)) => assert!(!done, "{name}"),
            other => panic!("{name}: {other:?}"),
        }
    }
}

/// The time of these tests is 03:04:05 on Friday, 2 January 2026.
#[test]
fn how_long_the_service_asks_to_wait() {
    let cases: [(&[&str], Option<u64>); 21] = [
        (&["0"], Some(0)),
        (&["2"], Some(2)),
        (&[" 2 "], Some(2)),
        (&["007"], Some(7)),
        (&["59"], Some(59)),
        (&["86400"], Some(86_400)),
        (&["99999999999999999999"], Some(u64::MAX)),
        (&["Fri, 02 Jan 2026 03:04:35 GMT"], Some(30)),
        (&["Friday, 02-Jan-26 03:04:35 GMT"], Some(30)),
        (&["Fri Jan  2 03:04:35 2026"], Some(30)),
        (&["Fri, 02 Jan 2026 03:00:00 GMT"], Some(0)),
        (&["Fri, 02 Jan 2099 03:00:00 GMT"], Some(2_303_682_955)),
        (&["2", "5", "3"], Some(5)),
        (&["soon", "4"], Some(4)),
        (&[""], None),
        (&["-1"], None),
        (&["+1"], None),
        (&["1.5"], None),
        (&["1e3"], None),
        (&["soon"], None),
        (&["2026-01-02T03:04:35Z"], None),
    ];
    for (values, seconds) in cases {
        let mut headers = vec![PROBLEM];
        headers.extend(values.iter().map(|value| ("retry-after", *value)));
        let asked = seconds.map(Duration::from_secs);
        let waited = asked.unwrap_or_default() < Duration::from_secs(60);
        for status in [429, 503] {
            let script = Script::of(vec![whole(status, &headers, "{}"), whole(400, &[], "")]);
            for op in [Op::List, Op::Revoke, Op::Create] {
                // A 503 may have minted a key.
                let again = waited && !(status == 503 && op.mints());
                let clock = TestClock::new().jitter(Jitter::None);
                let (transport, _) = script::transport(&script, is_key, all_is_well);
                let error = perform(op, &client(ApiStage::Beta, &clock, transport), ApiStage::Beta).unwrap_err();
                let context = format!("{status} to {op:?}: {values:?}");
                assert_eq!(error.status(), Some(if again { 400 } else { status }), "{context}");
                let refusal = error.previous_attempt().unwrap_or(&error);
                assert_eq!(refusal.retry_after(), asked, "{context}");
                let expected = if again { vec![asked.unwrap_or_default()] } else { Vec::new() };
                assert_eq!(clock.sleeps(), expected, "{context}");
            }
        }
    }
}

/// Wherever the secret is whole, it comes out; where it is not, nothing does, least of all a part of it.
#[test]
fn a_secret_is_found_whole_or_not_at_all() {
    let cases: Vec<(&str, Vec<u8>, bool)> = [
        ("nothing else", r#"{"key":"ak-SECRET-0123456789"}"#.to_owned(), true),
        ("blanks", "\r\n\t {\n\"key\" :\t\"ak-SECRET-0123456789\"\n}\n\n".to_owned(), true),
        ("escapes", r#"{"\u006bey":"ak-SECRET\u002d0123456789"}"#.to_owned(), true),
        ("byte order mark", "\u{feff}{\"key\":\"ak-SECRET-0123456789\"}".to_owned(), true),
        ("cut after it", r#"{"id":"x","key":"ak-SECRET-0123456789""#.to_owned(), true),
        ("cut in the next member", r#"{"key":"ak-SECRET-0123456789","na"#.to_owned(), true),
        ("cut in it", r#"{"id":"x","key":"ak-SECRET-01234567"#.to_owned(), false),
        ("cut before its last quote", r#"{"id":"x","key":"ak-SECRET-0123456789"#.to_owned(), false),
        ("cut before it", r#"{"id":"x","key":"#.to_owned(), false),
        ("another one after it", r#"{"key":"ak-SECRET-0123456789","key":"other"}"#.to_owned(), true),
        ("null before it", r#"{"key":null,"key":"ak-SECRET-0123456789"}"#.to_owned(), true),
        ("junk after it", r#"{"key":"ak-SECRET-0123456789"}<!-- served by -->"#.to_owned(), true),
        ("no number before it", r#"{"n":NaN,"key":"ak-SECRET-0123456789"}"#.to_owned(), true),
        ("a comma too many", r#"{"id":"x",,"key":"ak-SECRET-0123456789"}"#.to_owned(), true),
        ("a lone surrogate elsewhere", r#"{"name":"\ud800","key":"ak-SECRET-0123456789"}"#.to_owned(), true),
        ("a number too large", r#"{"id":1e999,"key":"ak-SECRET-0123456789"}"#.to_owned(), true),
        ("all of the wrong type", r#"{"id":[],"name":{},"description":1,"key_type":2,"status":[],"redacted_key":{},"created_at":5,"expires_at":true,"created_by_user_id":[[]],"last_used_at":{},"bot_user":7,"key":"ak-SECRET-0123456789"}"#.to_owned(), true),
        ("a bot user of the wrong types", r#"{"bot_user":{"id":1,"name":[],"account_role":"x","organizations":[1,null,{"spaces":{"key":"no"}},[]]},"key":"ak-SECRET-0123456789"}"#.to_owned(), true),
        ("one within another object first", r#"{"api_key":{"key":"other"},"key":"ak-SECRET-0123456789"}"#.to_owned(), true),
        ("only within another object", r#"{"api_key":{"key":"ak-SECRET-0123456789"}}"#.to_owned(), false),
        ("in a list", r#"[{"key":"ak-SECRET-0123456789"}]"#.to_owned(), false),
        ("a list of one", r#"{"key":["ak-SECRET-0123456789"]}"#.to_owned(), false),
        ("a number", r#"{"key":5}"#.to_owned(), false),
        ("null", r#"{"key":null}"#.to_owned(), false),
        ("empty", r#"{"key":""}"#.to_owned(), false),
        ("blank", r#"{"key":" \t"}"#.to_owned(), false),
        ("another name", r#"{"Key":"ak-SECRET-0123456789","api_key":"ak-SECRET-0123456789"}"#.to_owned(), false),
        ("in a text", r#"{"name":"\"key\":\"ak-SECRET-0123456789\""}"#.to_owned(), false),
        ("a text alone", r#""ak-SECRET-0123456789""#.to_owned(), false),
        ("no body", String::new(), false),
        ("a login page", "<html>key: ak-SECRET-0123456789</html>".to_owned(), false),
    ]
    .into_iter()
    .map(|(name, body, is_found)| (name, body.into_bytes(), is_found))
    .chain([
        ("bytes that are no text", b"{\"name\":\"\xff\xfe\",\"key\":\"ak-SECRET-0123456789\"}".to_vec(), true),
        ("deep nesting", format!(r#"{{"x":{}{},"key":"{SECRET}"}}"#, "[".repeat(9_999), "]".repeat(9_999)).into(), true),
    ])
    .collect();
    for (name, body, is_found) in cases {
        for (n, (op, stage)) in everything().filter(|(op, _)| op.mints()).enumerate() {
            for (m, status) in [200, 201, 202, 203, 206, 226].into_iter().enumerate() {
                let headers = [&[JSON][..], &[HTML], &[]][(n + m) % 3];
                let response = Response::new(status, headers, body.clone());
                let answer = if m % 2 == 0 { Answer::Whole(response) } else { Answer::Partial(response) };
                mint(&format!("{name}, {answer:?} to {op:?} on {stage}"), op, stage, &answer, &body, is_found);
            }
        }
    }
}

#[track_caller]
fn mint(context: &str, op: Op, stage: ApiStage, answer: &Answer, body: &[u8], is_found: bool) {
    let (transport, log) = script::transport(&Script::of(vec![answer.clone()]), is_key, all_is_well);
    let result = perform(op, &client(stage, &TestClock::new().jitter(Jitter::None), transport), stage);
    assert_eq!(log.lock().unwrap().len(), 1, "{context}");
    let text = match result {
        Ok(Gained::Key(created)) => {
            assert!(is_found, "{context}");
            assert_eq!(created.key.expose_secret(), SECRET, "{context}");
            format!("{created:?}")
        }
        Err(Error::SecretNotRecovered(error)) => {
            assert!(!is_found, "{context}");
            assert_eq!(error.raw_body().expose_secret(), body, "{context}");
            let error = Error::SecretNotRecovered(error);
            // JSON is the service's, unless it is about something else. An empty body is, too, unless a typed one was cut off.
            let (Answer::Whole(response) | Answer::Partial(response)) = answer else { panic!("{context}") };
            let media_type = response.media_type().unwrap_or_default();
            let is_whole = matches!(answer, Answer::Whole(_));
            let is_empty = body.is_empty() && (is_whole || media_type.is_empty());
            let is_json = media_type == "application/json" || body.starts_with(b"{");
            let is_foreign = !(is_json || is_empty) || body.starts_with(b"<") || is_about_something_else(body);
            let outcome = if is_foreign { Outcome::Unknown } else { Outcome::Applied };
            assert_eq!((error.outcome(), error.is_retryable()), (outcome, false), "{context}");
            shown(&error)
        }
        other => panic!("{context}: {other:?}"),
    };
    assert!(!text.contains(SECRET), "{context}: {text}");
}

/// Of the answers of success to a removal, only those that can be the service's are taken for one.
#[test]
fn what_is_not_the_answer_to_a_removal() {
    let cases = [
        (204, None, "", true),
        (200, None, "", true),
        (202, None, "", true),
        // What some frameworks put on every answer.
        (204, Some("text/html; charset=utf-8"), "", true),
        (200, Some("application/json"), "", true),
        (200, Some("application/json"), "null", true),
        (200, Some("application/json; charset=utf-8"), r#"{"id":"x","status":"REVOKED"}"#, true),
        (200, Some("Application/JSON"), "{}", true),
        (200, Some("text/html"), "<html>login</html>", false),
        (200, Some("text/html; charset=utf-8"), "<!doctype html>", false),
        (200, Some("text/plain"), "ok", false),
        (200, None, "<html>login</html>", false),
        (200, None, "ok", false),
        (200, Some("application/json"), "<html>login</html>", false),
        (200, Some("application/problem+json"), r#"{"title":"T403","status":403}"#, false),
        // It has no body, even if bytes follow.
        (204, Some("text/html"), "<html>", true),
    ];
    for (status, kind, body, is_done) in cases {
        let headers: Vec<_> = kind.map(|kind| ("content-type", kind)).into_iter().collect();
        for (op, stage) in everything().filter(|(op, _)| matches!(op, Op::Delete | Op::Revoke)) {
            let (transport, log) =
                script::transport(&Script::of(vec![whole(status, &headers, body)]), is_key, all_is_well);
            let result = perform(op, &client(stage, &TestClock::new().jitter(Jitter::None), transport), stage);
            let context = format!("{status} {kind:?} {body} to {op:?} on {stage}");
            assert_eq!(result.is_ok(), is_done, "{context}");
            assert_eq!(log.lock().unwrap().len(), 1, "{context}");
            if let Err(error) = result {
                assert!(matches!(error, Error::Decode(_)), "{context}: {error:?}");
                assert_eq!(error.outcome(), Outcome::Unknown, "{context}");
            }
        }
    }
}

/// A response may repeat the key of the client, or hold a new secret.
#[test]
fn secrets_that_come_back_are_not_shown() {
    let texts = format!("{OWN_KEY} Bearer {OWN_KEY} {SECRET} x{SECRET}x {OWN_KEY}{OWN_KEY}");
    let problem = format!(
        r#"{{"title":"{texts}","detail":"{texts}","type":"https://x/{OWN_KEY}","instance":"/{SECRET}","status":"{SECRET}"}}"#
    );
    let odd = format!(r#"{{"title":["{SECRET}"],"detail":{{"{OWN_KEY}":1}},"{SECRET}":"{OWN_KEY}"}}"#);
    let list =
        format!(r#"{{"api_keys":"{SECRET}","pagination":{{"has_more":"{SECRET}","next_cursor":["{OWN_KEY}"]}}}}"#);
    let html = format!("<html>{texts}</html>");
    let cut = format!(r#"{{"detail":"{SECRET}","title":"{OWN_KEY}"#);
    let bodies = [problem.as_str(), &odd, &list, &html, &cut, &texts, ""];
    let kinds = ["application/problem+json", "application/json", "text/html", &texts, &format!("x/{SECRET}")];
    for status in [200, 201, 204, 302, 400, 401, 403, 404, 409, 418, 422, 429, 500, 503] {
        for (n, body) in bodies.into_iter().enumerate() {
            let kind = kinds[(n + usize::from(status)) % kinds.len()];
            let headers = [
                ("content-type", kind),
                ("content-encoding", texts.as_str()),
                ("x-request-id", texts.as_str()),
                ("retry-after", texts.as_str()),
                ("location", html.as_str()),
            ];
            let response = Response::new(status, &headers, body);
            for (n, (op, stage)) in everything().enumerate() {
                let response = response.clone();
                let answer = if n % 3 == 0 { Answer::Partial(response) } else { Answer::Whole(response) };
                let script = Script { repeats: true, ..Script::of(vec![answer]) };
                let applies = if op.is_lookup() { super::is_space } else { is_key };
                let (transport, _) = script::transport(&script, applies, all_is_well);
                let result = perform(op, &client(stage, &TestClock::new().jitter(Jitter::None), transport), stage);
                let text = match &result {
                    Ok(gained) => format!("{gained:?}"),
                    Err(error) => shown(error),
                };
                let context = format!("{status} {kind} {body} to {op:?} on {stage}");
                assert!(!text.contains(SECRET), "{context}: the secret is shown: {text}");
                assert!(!text.contains(OWN_KEY), "{context}: the key is shown: {text}");
            }
        }
    }
}
