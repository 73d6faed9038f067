//! No TLS.

use std::io::Write;
use std::net::Shutdown;
use std::path::PathBuf;
use std::sync::Arc;

use arize_api_keys::Outcome::NotSent;
use arize_api_keys::{ApiKeysClient, ClientBuilder, Error};
use rcgen::CertificateParams;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::harness::{Case, Conn, Expected, OWN_KEY, Row, again, fine, once, row};
use crate::support::http::read_request;
use crate::support::tls::{Authority, authority, file, server_config};

/// A server with this certificate, which answers if it gets so far.
fn with_certificate<'a>(row: &'a Row, config: &Arc<ServerConfig>, ca_file: Option<PathBuf>) -> Case<'a> {
    let config = Arc::clone(config);
    let case = row.serve(move |conn| {
        let session = ServerConnection::new(Arc::clone(&config)).unwrap();
        let mut stream = StreamOwned::new(session, &conn.stream);
        while read_request(&mut stream).is_some() {
            stream.write_all(&conn.operation.response()).unwrap();
        }
    });
    let trusting = move |builder: ClientBuilder| match &ca_file {
        Some(path) => builder.ca_file(path),
        None => builder,
    };
    case.connections().client(move |builder, address| trusting(builder).host(address.to_string()))
}

fn own() -> (Authority, PathBuf) {
    let authority = authority("authority of the matrix");
    let path = file("matrix.pem", authority.pem());
    (authority, path)
}

#[test]
fn row_06_unknown_authority() {
    let (authority, _) = own();
    let trusted = file("matrix_trusted.pem", authority.pem());
    let config = server_config(&authority, "127.0.0.1", |_| {});
    row(6, |row| {
        with_certificate(row, &config, Some(trusted)).all(fine()).control();
        with_certificate(row, &config, None).all(once("Transport(Tls)", NotSent)).check();
        let junk = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        for (name, content) in [("matrix_empty.pem", ""), ("matrix_text.pem", "none"), ("matrix_junk.pem", junk)] {
            let builder = ApiKeysClient::builder().ignore_env().api_key(OWN_KEY).ca_file(file(name, content));
            assert!(matches!(builder.build(), Err(Error::Config(e)) if e.setting() == "ca_file"), "{name}");
        }
    });
}

#[test]
fn row_07_certificate_of_another() {
    let (authority, _) = own();
    let trusted = file("matrix_other.pem", authority.pem());
    let expired = |params: &mut CertificateParams| params.not_after = rcgen::date_time_ymd(2020, 1, 1);
    row(7, |row| {
        for config in [
            server_config(&authority, "127.0.0.1", expired),
            server_config(&authority, "127.0.0.2", |_| {}),
            server_config(&authority, "other.example", |_| {}),
        ] {
            with_certificate(row, &config, Some(trusted.clone())).all(once("Transport(Tls)", NotSent)).check();
        }
    });
}

/// A server that does `script` where a handshake is expected.
#[track_caller]
fn instead_of_a_handshake(row: &Row, script: impl Fn(&mut Conn) + Send + Sync + 'static, expected: Expected) {
    row.serve(move |mut conn| script(&mut conn))
        .client(|builder, address| builder.host(address.to_string()))
        .connections()
        .all(expected)
        .check();
}

#[test]
fn row_08_plain_http_in_place_of_tls() {
    row(8, |row| {
        let script = |conn: &mut Conn| {
            conn.send("HTTP/1.1 400 Bad Request\r\n\r\n");
            conn.hold();
        };
        instead_of_a_handshake(row, script, once("Transport(Tls)", NotSent));
    });
}

#[test]
fn row_09_fatal_alert() {
    row(9, |row| {
        let script = |conn: &mut Conn| {
            // A fatal alert: the handshake failed.
            conn.send([21, 3, 3, 0, 2, 2, 40]);
            conn.hold();
        };
        instead_of_a_handshake(row, script, once("Transport(Tls)", NotSent));
    });
}

#[test]
fn row_10_handshake_that_hangs() {
    row(10, |row| {
        row.serve(|mut conn| conn.hold())
            .client(|builder, address| builder.host(address.to_string()))
            .connections()
            .stalls()
            .all(again("Transport(Timeout)", NotSent))
            .check();
    });
}

#[test]
fn row_11_handshake_that_breaks_off() {
    row(11, |row| {
        let reset = |conn: &mut Conn| conn.read_some(1);
        instead_of_a_handshake(row, reset, again("Transport(Connect)", NotSent));
        let closed = |conn: &mut Conn| {
            conn.stream.shutdown(Shutdown::Write).unwrap();
            conn.hold();
        };
        instead_of_a_handshake(row, closed, again("Transport(Connect)", NotSent));
    });
}
