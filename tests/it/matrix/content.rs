//! Bodies that arrive whole, with something else in them.

use arize_api_keys::Outcome::{Applied, Unknown};
use arize_api_keys::{Error, ExposeSecret};

use super::harness::operation::{json_response, response};
use super::harness::{Case, Operation, SECRET, again, fine, once, rescue, row};

/// Not the content of a list, no secret to be found, and a removal that is done all the same.
fn unreadable(case: Case<'_>) -> Case<'_> {
    case.list(once("Decode", Applied)).mint(once("SecretNotRecovered", Applied)).remove(fine())
}

/// The part of a response that an error keeps, for a person to look at.
fn raw_body(error: &Error) -> &[u8] {
    match error {
        Error::SecretNotRecovered(error) => error.raw_body().expose_secret(),
        other => panic!("{other}"),
    }
}

/// `{"api_keys":[{…"name":"ci"}],…,"key":"ak-new-…","pagination":{"has_more":false}}`, compressed by gzip.
const COMPRESSED: &[u8] = b"\x1f\x8b\x08\0\0\0\0\0\x02\x03\xab\x56\x4a\x2c\xc8\x8c\xcf\x4e\xad\x2c\x56\xb2\x8a\xae\x56\
    \xca\x4c\x51\xb2\x52\x0a\x8c\x70\x2a\x08\x36\x0a\x33\xf5\xcf\x72\x35\x8b\x0c\xf7\xca\x8a\x72\x54\xd2\x51\xca\x4b\
    \xcc\x4d\x05\xca\x25\x67\x2a\xd5\xc6\xea\xe0\x51\x07\x34\x0a\x28\x95\x98\xad\x9b\x97\x5a\xae\x9b\x96\x9a\x92\x9c\
    \x94\x68\x69\x61\x6e\x66\x6a\x62\x6c\x64\x68\0\x94\x2f\x48\x4c\xcf\xcc\x4b\x2c\xc9\xcc\xcf\x53\xb2\xaa\x56\xca\x48\
    \x2c\x8e\xcf\xcd\x2f\x02\x9a\x9c\x96\x98\x53\x9c\x5a\x5b\x0b\0\x67\xd7\x52\xa0\x90\0\0\0";

fn encoded(encoding: &str, body: &[u8]) -> Vec<u8> {
    response("200 OK", &format!("content-type: application/json\r\ncontent-encoding: {encoding}\r\n"), body)
}

/// No more than 1 MiB of it is decoded.
#[test]
fn row_34_compressed_bomb() {
    // The form of 200 MB of zeros: a head, and a few hundred kB that each expand to a thousand times as much.
    let bomb = [&COMPRESSED[..10], &[0xed; 2], &[0; 204_000][..]].concat();
    row(34, |row| unreadable(row.answer(move |_| encoded("gzip", &bomb))).check());
}

/// A broken compression is no worse than one that the client does not know.
#[test]
fn row_35_broken_compression() {
    let cut = &COMPRESSED[..COMPRESSED.len() / 2];
    let wrong_sum = [&COMPRESSED[..COMPRESSED.len() - 8], &[0; 8]].concat();
    row(35, |row| {
        for body in [cut.to_vec(), wrong_sum, b"garbage".to_vec()] {
            unreadable(row.answer(move |_| encoded("gzip", &body))).check();
        }
        // Half of a body that never was compressed, and says that it is.
        let half = |op: Operation| encoded("gzip", op.json().trim_end_matches('}').as_bytes());
        row.answer(half).mint(rescue()).check();
    });
}

#[test]
fn row_36_compression_that_nobody_asked_for() {
    row(36, |row| {
        for encoding in ["gzip", "X-Gzip"] {
            row.answer(move |_| encoded(encoding, COMPRESSED)).all(fine()).check();
        }
        for encoding in ["br", "gzip, gzip"] {
            unreadable(row.answer(move |_| encoded(encoding, COMPRESSED))).inspect(|operation, seen| {
                if let Err(error) = &seen.result {
                    assert!(error.to_string().contains(&format!("encoded as {encoding}, 134 bytes")), "{error}");
                }
                if operation.mints() {
                    assert_eq!(raw_body(seen.result.as_ref().unwrap_err()), COMPRESSED);
                }
            });
        }
    });
}

#[test]
fn row_37_login_page() {
    row(37, |row| {
        for kind in ["text/html", "text/html; charset=utf-8", "application/json", ""] {
            row.answer(move |_| {
                response("200 OK", &format!("content-type: {kind}\r\n"), "<!doctype html><title>Sign in</title>")
            })
            .list(once("Decode", Applied))
            .mint(once("SecretNotRecovered", Unknown))
            .remove(once("Decode", Unknown))
            .check();
        }
    });
}

#[test]
fn row_38_nothing() {
    row(38, |row| {
        for head in ["200 OK\r\ncontent-length: 0", "204 No Content"] {
            unreadable(row.answer(move |_| format!("HTTP/1.1 {head}\r\n\r\n").into())).check();
        }
    });
}

#[test]
fn row_39_text_that_is_none() {
    let with_name = |name: &[u8]| {
        let name = name.to_vec();
        move |op: Operation| {
            let json = op.json();
            let body = match json.split_once("\"ci\"") {
                Some((before, after)) => [before.as_bytes(), b"\"", &name, b"\"", after.as_bytes()].concat(),
                None => name.clone(),
            };
            json_response("200 OK", body)
        }
    };
    row(39, |row| {
        row.answer(|op| json_response("200 OK", ["\u{feff}", &op.json()].concat())).all(fine()).check();
        for name in [&b"\xff\xfe"[..], b"\\ud800", b"\x07"] {
            row.answer(with_name(name)).list(once("Decode", Applied)).mint(rescue()).remove(fine()).check();
        }
        // In the secret itself: what it was cannot be known.
        for bad in [&b"\xff"[..], b"\\ud800"] {
            let answer = move |_| {
                let secret = [b"{\"key\":\"ak-new-".as_slice(), bad, b"0123456789\"}"].concat();
                json_response("201 Created", secret)
            };
            row.answer(answer).mint(once("SecretNotRecovered", Applied)).check();
        }
    });
}

#[test]
fn row_40_deep_nesting() {
    let deep = |member: &str, op: Operation| {
        let json = op.json();
        let (open, close) = ("[".repeat(100_000), "]".repeat(100_000));
        let rest = json.strip_prefix('{').unwrap_or("\"x\":1}");
        json_response("200 OK", format!("{{{member}{open}{close},{rest}"))
    };
    row(40, |row| {
        row.answer(move |op| deep("\"new\":", op)).all(fine()).check();
        let known = move |op: Operation| {
            let member = if op == Operation::List { "\"pagination\":" } else { "\"name\":" };
            deep(member, op)
        };
        row.answer(known).list(once("Decode", Applied)).mint(rescue()).remove(fine()).check();
        // And without an end.
        row.answer(|_| json_response("200 OK", "[".repeat(100_000)))
            .list(again("Decode", Unknown))
            .mint(once("SecretNotRecovered", Applied))
            .remove(fine())
            .check();
    });
}

#[test]
fn row_41_other_shapes() {
    row(41, |row| {
        for body in ["{}", "[]", r#"["a"]"#, "null"] {
            println!("{body}");
            unreadable(row.answer(move |_| json_response("200 OK", body))).check();
        }
        // Not a key: a proxy or a login page may have sent it.
        for body in [
            r#""ok""#,
            "5",
            "true",
            r#"{"api_keys":{"a":1}}"#,
            r#"{"api_keys":"none"}"#,
            r#"{"api_keys":false}"#,
            r#"{"status":"ok"}"#,
            r#"{"error":{"id":"login_required"},"name":"sso"}"#,
        ] {
            println!("{body}");
            let foreign = row.answer(move |_| json_response("200 OK", body)).mint(once("SecretNotRecovered", Unknown));
            foreign.list(once("Decode", Applied)).remove(fine()).check();
        }
        // A key in another shape.
        for body in [
            r#"{"data":{"id":"x","key":"ak-new-0123456789"}}"#,
            r#"{"redacted_key":"ak-abc...xyz"}"#,
            r#"{"secret":"ak-new-0123456789"}"#,
            r#""ak-new-0123456789""#,
        ] {
            println!("{body}");
            row.answer(move |_| json_response("200 OK", body)).mint(once("SecretNotRecovered", Applied)).check();
        }
        for body in [
            r#"{"api_keys":[{"id":"x","name":"ci","status":"SUSPENDED","key_type":"ROBOT"}]}"#,
            r#"{"api_keys":[{"id":7,"name":"ci","status":null,"created_at":"yesterday","bot_user":[]}]}"#,
            r#"{"api_keys":[{"id":"x","id":"y","name":"ci"}],"pagination":{}}"#,
        ] {
            row.answer(move |_| json_response("200 OK", body)).list(fine()).check();
        }
        for (odd, expected) in [
            (r#""status":"SUSPENDED","key_type":"ROBOT""#, fine()),
            (r#""id":7,"name":[],"status":null,"created_at":{},"expires_at":1"#, rescue()),
            (r#""id":"x","id":"y""#, rescue()),
            (r#""key":"ak-second-0123456789""#, rescue()),
        ] {
            let answer = move |_| json_response("201 Created", format!(r#"{{"key":"{SECRET}",{odd}}}"#));
            row.answer(answer).mint(expected).check();
        }
        for key in ["null", "5", "true", r#""""#, r#"[]"#, r#"{"key":"ak-inner-0123456789"}"#] {
            let answer = move |_| json_response("201 Created", format!(r#"{{"id":"x","key":{key}}}"#));
            row.answer(answer).mint(once("SecretNotRecovered", Applied)).inspect(|_, seen| match &seen.result {
                Err(Error::SecretNotRecovered(error)) => assert_eq!(error.id(), Some("x")),
                other => panic!("{other:?}"),
            });
        }
    });
}

#[test]
fn row_42_other_2xx() {
    row(42, |row| {
        for status in ["200 OK", "201 Created", "202 Accepted", "203 Non-Authoritative Information", "299 Odd"] {
            row.answer(|op| json_response(status, op.json())).all(fine()).check();
        }
    });
}

/// What follows a 204 belongs to no answer: not to this one, and not to the next.
#[test]
fn row_43_smuggled_response() {
    let smuggled = json_response("200 OK", r#"{"api_keys":[{"name":"smuggled"}],"key":"ak-smuggled-0123456"}"#);
    let with_second = [b"HTTP/1.1 204 No Content\r\n\r\n", smuggled.as_slice()].concat();
    let with_body =
        response("204 No Content", "content-type: application/json\r\n", r#"{"key":"ak-smuggled-0123456"}"#);
    row(43, |row| {
        for answer in [with_second, with_body] {
            let bytes = answer.clone();
            unreadable(row.answer(move |_| bytes.clone())).check();
            let then_in_order = row.serve(move |mut conn| {
                if conn.number == 0 {
                    conn.request();
                    conn.send(&answer);
                    conn.mark();
                }
                conn.serve();
            });
            then_in_order
                .first(|client, server| {
                    Operation::List.call(client).unwrap_err();
                    server.wait_for_mark();
                })
                .all(fine())
                .inspect(|_, seen| assert!(!format!("{seen:?}").contains("smuggled")));
        }
    });
}
