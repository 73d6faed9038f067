//! No connection.

use std::net::{SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
use std::time::Duration;

use arize_api_keys::Outcome::NotSent;
use arize_api_keys::{TransportError, TransportErrorKind};

use super::harness::{again, fine, row};

#[test]
fn row_01_connection_refused() {
    row(1, |row| row.unserved().all(again("Transport(Connect)", NotSent)).check());
}

#[test]
fn row_02_name_that_does_not_exist() {
    row(2, |row| {
        // A name server that hangs makes it a matter of time.
        let expected = again("Transport(Resolve) or Transport(Timeout)", NotSent);
        row.unserved().client(|builder, _| builder.host("nope.invalid")).all(expected).check();
    });
}

/// A resolver of one's own cannot be set, so the transport is scripted. That the default one gives a look-up up in time is
/// tested where it is: in `ureq_transport/names.rs`.
#[test]
fn row_03_name_server_that_is_slow() {
    row(3, |row| {
        row.unserved()
            .client(|builder, _| {
                builder.transport(|_| Err(TransportError::new(TransportErrorKind::Timeout, "resolving").not_sent()))
            })
            .all(again("Transport(Timeout)", NotSent))
            .check();
    });
}

/// A listener whose queue is full: Linux then drops what asks for a connection.
fn black_hole() -> (TcpListener, Vec<TcpStream>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let mut queue = Vec::new();
    let mut dropped = 0;
    while dropped < 3 {
        match TcpStream::connect_timeout(&address, Duration::from_millis(100)) {
            Ok(stream) => queue.push(stream),
            Err(_) => dropped += 1,
        }
    }
    (listener, queue)
}

#[test]
fn row_04_black_hole() {
    let (listener, _queue) = black_hole();
    let address = listener.local_addr().unwrap();
    row(4, |row| {
        row.unserved()
            .client(move |builder, _| builder.scheme("http").host(address.to_string()))
            .stalls()
            .all(again("Transport(Timeout)", NotSent))
            .check();
    });
}

/// The addresses of a name are the system's: the server has the last of those of `localhost`. Where that is the only one,
/// the unit test of the same name in `ureq_transport` is the proof.
#[test]
fn row_05_first_address_is_dead() {
    let addresses: Vec<SocketAddr> = ("localhost", 0).to_socket_addrs().unwrap().collect();
    println!("localhost is {addresses:?}");
    row(5, |row| {
        row.serve(|mut conn| conn.serve())
            .client(|builder, address| builder.scheme("http").host(format!("localhost:{}", address.port())))
            .all(fine())
            .check();
    });
}
