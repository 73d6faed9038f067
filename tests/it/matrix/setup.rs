//! Ids and settings that cannot work: refused before anything is sent.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use arize_api_keys::{ApiKeysClient, ClientBuilder, Error, RefreshRequest, RetryPolicy, UreqTransport};

use super::harness::expected::{Observed, name};
use super::harness::server::Server;
use super::harness::{Conn, OWN_KEY, Operation, Row, TestClock, fine, refused, row};

/// Refresh, revoke and delete with this id, each against the server.
fn with_id(server: &Server, id: &str) -> [(Operation, Result<(), Error>); 3] {
    [Operation::Refresh, Operation::Revoke, Operation::Delete].map(|operation| {
        let client = ApiKeysClient::builder()
            .ignore_env()
            .api_key(OWN_KEY)
            .stage(operation.stage())
            .clock(TestClock::new())
            .scheme("http")
            .host(server.address.to_string())
            .build()
            .unwrap();
        let result = match operation {
            Operation::Refresh => client.refresh(&RefreshRequest::new(id)).map(|_| ()),
            Operation::Revoke => client.revoke(id),
            _ => client.delete(id),
        };
        (operation, result)
    })
}

#[test]
fn row_69_id_that_is_none() {
    row(69, |row| {
        let server = Server::start(Operation::Refresh, Arc::new(|mut conn| conn.serve()));
        let long = "x".repeat(513);
        for id in ["", ".", "..", "a\nb", "a\0", "\u{85}", &long] {
            for (operation, result) in with_id(&server, id) {
                let expected = refused("InvalidRequest");
                let observed = Observed { result: result.map(|()| Default::default()), slept: vec![], count: None };
                expected.check(operation, &observed, 3).unwrap_or_else(|problem| panic!("{id:?}: {problem}"));
                row.proven(operation.column(), expected.code());
            }
        }
        assert_eq!(server.connections(0), 0);
    });
}

#[test]
fn row_70_id_that_must_be_escaped() {
    row(70, |row| {
        let targets = Arc::new(Mutex::new(Vec::new()));
        let asked = Arc::clone(&targets);
        let script = move |mut conn: Conn| {
            while let Some(request) = conn.request() {
                asked.lock().unwrap().push(request.split(' ').nth(1).unwrap().to_owned());
                let post = request.starts_with("POST");
                conn.send(if post { Operation::Refresh } else { Operation::Revoke }.response());
            }
        };
        let server = Server::start(Operation::Refresh, Arc::new(script));
        for (id, segment) in [
            ("a/b", "a%2Fb"),
            ("a%2Fb", "a%252Fb"),
            ("a?x", "a%3Fx"),
            ("a#b", "a%23b"),
            ("+ =", "%2B%20%3D"),
            ("é", "%C3%A9"),
            ("../x", "..%2Fx"),
            ("%2e%2e", "%252e%252e"),
        ] {
            for (operation, result) in with_id(&server, id) {
                result.unwrap_or_else(|error| panic!("{id:?}: {error}"));
                row.proven(operation.column(), fine().code());
            }
            let path = format!("/v2/api-keys/{segment}");
            let expected = [format!("{path}/refresh"), format!("{path}/revoke"), path];
            assert_eq!(*targets.lock().unwrap(), expected);
            targets.lock().unwrap().clear();
        }
    });
}

/// No client comes of this setting, and the error names it without its value.
#[track_caller]
fn assert_refused(
    row: &Row,
    setting: &str,
    configure: impl Fn(ClientBuilder) -> ClientBuilder + Send + Sync + 'static,
) {
    row.unserved().client(move |builder, _| configure(builder)).all(refused("Config")).inspect(|_, seen| {
        match seen.result.as_ref().unwrap_err() {
            Error::Config(error) => assert_eq!(error.setting(), setting, "{error}"),
            other => panic!("{}", name(other)),
        }
        assert!(!format!("{seen:?}").contains("planted"), "{seen:?}");
    });
}

#[test]
fn row_71_header_that_cannot_be_sent() {
    row(71, |row| {
        for bad in ["planted\r\nx: y", "planted\ny", "planted\0", "planted\u{e9}", "planted key"] {
            assert_refused(row, "api_key", move |builder| builder.api_key(bad));
        }
        for bad in ["planted\r\nx: y", "planted\ny", "planted\0", ""] {
            assert_refused(row, "user_agent", move |builder| builder.user_agent(bad));
            if !bad.is_empty() {
                assert_refused(row, "header", move |builder| builder.header("x-gateway", bad));
            }
        }
    });
}

#[test]
fn row_72_key_that_is_too_long() {
    row(72, |row| {
        for length in [4097, 200_000] {
            assert_refused(row, "api_key", move |builder| {
                builder.api_key("planted".repeat(length)[..length].to_owned())
            });
        }
        let longest = |builder: ClientBuilder, address: std::net::SocketAddr| {
            builder.scheme("http").host(address.to_string()).api_key("x".repeat(4096))
        };
        row.answer(Operation::response).client(longest).all(fine()).control();
    });
}

#[test]
fn row_73_host_that_is_none() {
    row(73, |row| {
        for host in [
            "http://api.example",
            "https://api.example",
            "ftp://api.example",
            "",
            "user:planted@api.example",
            "h:99999",
            "h:0",
            "h:port",
            "[::1",
            "a b",
            "h?planted",
            "h#planted",
            "h/../x",
        ] {
            println!("{host}");
            assert_refused(row, "host", move |builder| builder.host(host));
        }
        assert_refused(row, "scheme", |builder| builder.scheme("http").host("api.example"));
        assert_refused(row, "scheme", |builder| builder.scheme("ftp"));
        assert_refused(row, "region", |builder| builder.region("mars-1"));
    });
}

#[test]
fn row_74_time_that_is_none() {
    type Set = fn(Duration) -> RetryPolicy;
    let set: [(&str, Set); 4] = [
        ("retry.base_delay", |time| RetryPolicy::default().base_delay(time)),
        ("retry.max_delay", |time| RetryPolicy::default().max_delay(time)),
        ("retry.max_retry_after", |time| RetryPolicy::default().max_retry_after(time)),
        ("retry.attempt_timeout", |time| RetryPolicy::default().attempt_timeout(time)),
    ];
    row(74, |row| {
        for time in [Duration::ZERO, Duration::MAX] {
            assert_refused(row, "timeout", move |builder| builder.timeout(time));
            for (setting, policy) in set {
                assert_refused(row, setting, move |builder| builder.retry(policy(time)));
            }
        }
        for attempts in [0, 11] {
            let policy = RetryPolicy::default().max_attempts(attempts);
            assert_refused(row, "retry.max_attempts", move |builder| builder.retry(policy.clone()));
        }
        // A decorator that asks for more than a clock can count gets the most that it can.
        let boundless = |builder: ClientBuilder, address: std::net::SocketAddr| {
            let inner = UreqTransport::new();
            let forward = move |mut request: arize_api_keys::http::Request<Vec<u8>>| {
                request.extensions_mut().insert(arize_api_keys::SendOptions::new(Duration::MAX));
                arize_api_keys::Transport::send(&inner, request)
            };
            builder.scheme("http").host(address.to_string()).transport(forward)
        };
        row.answer(Operation::response).client(boundless).all(fine()).control();
    });
}
