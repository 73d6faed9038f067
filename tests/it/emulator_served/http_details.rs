//! What clients over HTTP rely on, beside the answers.

use arize_api_keys::emulator::{Emulator, ManualClock};
use secrecy::ExposeSecret;
use time::OffsetDateTime;

use crate::support::served::Connection;

#[test]
fn answers_are_dated_by_the_clock() {
    let clock = ManualClock::at(OffsetDateTime::UNIX_EPOCH + time::Duration::days(20_000));
    let server = Emulator::builder().clock(clock.clone()).build().serve().unwrap();
    let mut connection = Connection::open(server.addr()).unwrap();
    let get = "GET /v2/api-keys HTTP/1.1";
    let answer = connection.send(&format!("{get}\r\nhost: localhost"), "").unwrap();
    assert_eq!(answer.header("date"), Some("fri, 04 oct 2024 00:00:00 gmt"));
    // The format has no fraction of a second.
    clock.set(OffsetDateTime::UNIX_EPOCH - time::Duration::seconds(1));
    let answer = connection.send(&format!("{get}\r\nhost: localhost"), "").unwrap();
    assert_eq!((answer.status, answer.header("date")), (401, None));
}

#[test]
fn a_client_that_asks_is_told_to_go_on_and_one_that_does_not_wait_is_not() {
    let emulator = Emulator::new();
    let server = emulator.serve().unwrap();
    let key = emulator.admin_key();
    let head = format!(
        "POST /v2/api-keys HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {}\r\nexpect: 100-continue\r\ncontent-length: 32",
        key.expose_secret()
    );
    let body = r#"{"key_type":"USER","name":"abc"} "#.trim_end();
    assert_eq!(body.len(), 32);
    let mut connection = Connection::open(server.addr()).unwrap();
    connection.write(&format!("{head}\r\n\r\n")).unwrap();
    assert_eq!(connection.read().unwrap().status, 100);
    connection.write(body).unwrap();
    assert_eq!(connection.read().unwrap().status, 201);
    // All at once: the response comes alone, or after the interim one if the body was late.
    connection.write(&format!("{head}\r\n\r\n{body}")).unwrap();
    let mut answer = connection.read().unwrap();
    if answer.status == 100 {
        answer = connection.read().unwrap();
    }
    assert_eq!(answer.status, 201);
}

#[test]
fn paths_and_queries_are_decoded_as_every_client_encodes_them() {
    let emulator = Emulator::builder().empty().build();
    let org = emulator.add_organization("acme");
    emulator.add_space(&org, "R&D + tools/50%").unwrap();
    let server = emulator.serve().unwrap();
    let mut connection = Connection::open(server.addr()).unwrap();
    let key = emulator.admin_key();
    let mut send = |line: &str, more: &str| {
        let authorization = key.expose_secret();
        connection
            .send(&format!("{line} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {authorization}{more}"), "")
            .unwrap()
    };
    // Go, Python and JavaScript.
    for name in ["R%26D+%2B+tools%2F50%25", "R%26D%20%2B%20tools/50%25", "R%26D%20%2B%20tools%2F50%25"] {
        let found = send(&format!("GET /v2/spaces?name={name}&limit=100"), "").json();
        assert_eq!(found["spaces"][0]["name"], "R&D + tools/50%", "{name}");
    }
    let made = send("GET /v2/api-keys?limit=1", "").json();
    let id = made["api_keys"][0]["id"].as_str().unwrap().to_owned();
    assert!(id.ends_with('='));
    let odd_grace = |id: &str| format!("POST /v2/api-keys/{id}/refresh?x");
    for id in [id.clone(), id.replace('=', "%3D"), id.replace('=', "%3d"), id.trim_end_matches('=').to_owned()] {
        // Refused for its body, so it is found.
        let answer = send(&odd_grace(&id), "\r\ntransfer-encoding: chunked\r\n\r\n2\r\n[]\r\n0");
        assert_eq!(answer.status, 400, "{id}");
    }
    let answer = send("GET /v2/api-keys", "\r\naccept-encoding: gzip, deflate, br");
    assert_eq!((answer.status, answer.header("content-encoding")), (200, None));
}

#[test]
fn keys_without_bearer_and_odd_methods() {
    let emulator = Emulator::new();
    let server = emulator.serve().unwrap();
    let key = emulator.admin_key();
    let mut connection = Connection::open(server.addr()).unwrap();
    let mut status = |line: &str, scheme: &str| {
        let head = format!("{line} HTTP/1.1\r\nhost: localhost\r\nauthorization: {scheme}{}", key.expose_secret());
        connection.send(&head, "").unwrap().status
    };
    for scheme in ["Bearer ", "bearer ", ""] {
        assert_eq!(status("GET /v2/api-keys", scheme), 200);
    }
    for (line, expected) in [
        ("PATCH /v2/api-keys", 405),
        ("BREW /v2/spaces", 405),
        ("OPTIONS *", 404),
        ("GET http://localhost/v2/api-keys", 200),
    ] {
        assert_eq!(status(line, "Bearer "), expected, "{line}");
    }
}
