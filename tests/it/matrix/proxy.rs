//! Proxies.

use std::process::Command;

use arize_api_keys::ApiKeysClient;
use arize_api_keys::Outcome::NotSent;

use super::harness::{Case, Conn, Expected, Row, again, fine, once, refused, row};
use crate::support::http::CLOSED;

/// The server is the proxy.
fn through(case: Case<'_>) -> Case<'_> {
    case.connections().client(|builder, address| builder.host("service.example").proxy(format!("http://{address}")))
}

/// The server is the proxy, and behind it the service, without TLS.
fn tunnel(case: Case<'_>) -> Case<'_> {
    case.connections().client(|builder, address| {
        let proxy = format!("http://{address}");
        builder.scheme("http").allow_insecure_http().host("service.example").proxy(proxy)
    })
}

/// No server, and this proxy.
fn through_url<'a>(row: &'a Row, url: &'static str) -> Case<'a> {
    row.unserved().client(move |builder, _| builder.host("service.example").proxy(url))
}

#[test]
fn row_59_proxy_that_cannot_be_reached() {
    row(59, |row| {
        let opens = row.serve(|mut conn| {
            conn.head();
            conn.send("HTTP/1.1 200 Connected\r\n\r\n");
            conn.serve();
        });
        tunnel(opens).all(fine()).control();
        assert_eq!(CLOSED, "127.0.0.1:1");
        through_url(row, "http://127.0.0.1:1").all(again("Transport(Connect)", NotSent)).check();
        let unknown = again("Transport(Resolve) or Transport(Timeout)", NotSent);
        through_url(row, "http://nope.invalid:3128").all(unknown).check();
        through(row.serve(|mut conn| conn.hold())).stalls().all(again("Transport(Timeout)", NotSent)).check();
    });
}

/// A proxy that answers CONNECT in this way.
#[track_caller]
fn proxy(row: &Row, answer: impl Fn(&mut Conn) + Send + Sync + 'static, expected: Expected) {
    let proxy = row.serve(move |mut conn| {
        conn.head();
        answer(&mut conn);
    });
    through(proxy).all(expected).check();
}

#[test]
fn row_60_proxy_that_refuses() {
    row(60, |row| {
        let wrong_password = |conn: &mut Conn| _ = conn.send("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n");
        proxy(row, wrong_password, once("Transport(Proxy)", NotSent));
        for answer in ["HTTP/1.1 502 Bad Gateway\r\n\r\n", "HTTP/1.1 403 No\r\n\r\n", "garbage\r\n\r\n", ""] {
            println!("{answer:?}");
            proxy(row, move |conn| _ = conn.send(answer), again("Transport(Connect)", NotSent));
        }
        let endless = |conn: &mut Conn| {
            conn.send("HTTP/1.1 200 Connected\r\nx: ");
            conn.flood("y".repeat(1000));
        };
        proxy(row, endless, again("Transport(Connect)", NotSent));
        // It lets the client through in the end, but after the deadline.
        let drips = row.serve(|mut conn| {
            conn.head();
            conn.send("HTTP/1.1 200 Connected\r\nx: ");
            if conn.drip_times(200, "y") {
                conn.send("\r\n\r\n");
                conn.serve();
            }
        });
        tunnel(drips).stalls().all(again("Transport(Timeout)", NotSent)).check();
    });
}

/// The client that a setting makes, in a process with this environment: that of this process could not be changed safely.
#[test]
#[ignore = "run by row 61, in a separate process"]
fn child() {
    match ApiKeysClient::builder().api_key("ak-child").build() {
        Ok(_) => println!("outcome: built"),
        Err(error) => println!("outcome: {error}"),
    }
}

#[test]
fn row_61_proxy_that_is_none() {
    const BAD: [&str; 4] = ["http://u:pa ss@p", "http://u:planted@px:notaport", "socks5://px:1080", "ftp://px.example"];
    row(61, |row| {
        for url in BAD {
            through_url(row, url).all(refused("Config")).inspect(|_, seen| {
                let shown = seen.result.as_ref().unwrap_err().to_string();
                assert!(shown.starts_with("configuration: `proxy` "), "{shown}");
                assert!(!shown.contains("planted") && !shown.contains("pa ss"), "{shown}");
            });
        }
    });
    for url in BAD {
        let mut child = Command::new(std::env::current_exe().unwrap());
        child.env_clear().args(["--exact", "matrix::proxy::child", "--ignored", "--nocapture"]).env("HTTPS_PROXY", url);
        let output = String::from_utf8(child.output().unwrap().stdout).unwrap();
        assert!(output.contains("outcome: configuration: `HTTPS_PROXY` "), "{output}");
        assert!(!output.contains("planted") && !output.contains("pa ss"), "{output}");
    }
}
