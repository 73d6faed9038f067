//! Through a proxy.

use std::error::Error;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Mutex;
use std::sync::mpsc::{self, Receiver};
use std::{io, thread};

use arize_api_keys::{Transport, UreqTransport};

use super::server::{Server, assert_stalls, fault, get, post};
use crate::support::http::{CLOSED, read_head};

/// Connects every tunnel to `target`, and returns the requests for tunnels.
pub(crate) fn tunnel_to(target: SocketAddr) -> (Server, Receiver<String>) {
    let (asked, asks) = mpsc::channel();
    let asked = Mutex::new(asked);
    let proxy = Server::start(move |mut client| {
        let head = read_head(&mut client).unwrap();
        asked.lock().unwrap().send(String::from_utf8(head).unwrap()).unwrap();
        let mut service = TcpStream::connect(target).unwrap();
        client.write_all(b"HTTP/1.1 200 Connected\r\n\r\n").unwrap();
        let (mut from_client, mut to_service) = (client.try_clone().unwrap(), service.try_clone().unwrap());
        thread::spawn(move || io::copy(&mut from_client, &mut to_service));
        let _ = io::copy(&mut service, &mut client);
    });
    (proxy, asks)
}

fn through(proxy: impl std::fmt::Display) -> UreqTransport {
    UreqTransport::builder().proxy(format!("http://{proxy}")).build().unwrap()
}

#[test]
fn a_tunnel() {
    let service = Server::echoing();
    let (proxy, asks) = tunnel_to(service.address);
    let transport = through(proxy.address);
    for _ in 0..2 {
        let response = transport.send(post("http://service.example:81/x")).unwrap();
        assert_eq!(response.body(), b"POST /x HTTP/1.1\r\nhost: service.example:81\r\ncontent-length: 2\r\n\r\n{}");
    }
    assert_eq!(
        asks.recv().unwrap(),
        "CONNECT service.example:81 HTTP/1.1\r\nHost: service.example:81\r\nProxy-Connection: Keep-Alive\r\n\r\n"
    );
    assert_eq!(proxy.accepted(), 1);
}

#[test]
fn user_and_password() {
    let service = Server::echoing();
    let (proxy, asks) = tunnel_to(service.address);
    let transport = through(format!("user:p%40ss@{}", proxy.address));
    transport.send(get("http://service.example/")).unwrap();
    // user:p@ss
    assert!(asks.recv().unwrap().contains("\r\nProxy-Authorization: Basic dXNlcjpwQHNz\r\n"));
    let shown = format!("{transport:?} {:?}", UreqTransport::builder().proxy("http://planted:planted@proxy.example"));
    assert!(!shown.contains("p@ss") && !shown.contains("p%40ss") && !shown.contains("planted"), "{shown}");
}

#[test]
fn what_a_proxy_can_do_wrong() {
    let answers = [
        ("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "Proxy, not sent"),
        ("HTTP/1.1 502 Bad Gateway\r\n\r\n", "Connect, not sent"),
        ("HTTP/1.1 403 No\r\n\r\n", "Connect, not sent"),
        ("garbage\r\n\r\n", "Connect, not sent"),
        ("", "Connect, not sent"),
    ];
    for (answer, expected) in answers {
        let proxy = Server::start(move |mut client| {
            read_head(&mut client).unwrap();
            client.write_all(answer.as_bytes()).unwrap();
        });
        let transport = through(proxy.address);
        let failed = transport.send(get("http://service.example/"));
        let cause = failed.as_ref().unwrap_err().source().unwrap().to_string();
        assert_eq!(
            cause == "the proxy does not answer with HTTP",
            answer.starts_with("garbage"),
            "{answer:?}: {cause}"
        );
        assert_eq!(fault(failed), expected, "{answer:?}");
        assert_eq!(fault(transport.send(post("https://service.example/"))), expected, "{answer:?}");
    }
    assert_eq!(fault(through(CLOSED).send(get("https://service.example/"))), "Connect, not sent");
    let silent = through(Server::silent().address);
    assert_stalls(&silent, &get("https://service.example/"), "Timeout, not sent");
    assert_stalls(&silent, &post("http://service.example/"), "Timeout, not sent");
}

#[test]
fn what_goes_to_this_machine_never_meets_the_proxy() {
    let service = Server::echoing();
    let proxy = Server::start(|mut client| {
        let _ = client.read_to_end(&mut Vec::new());
    });
    let transport = through(proxy.address);
    let port = service.address.port();
    for host in ["127.0.0.1", "localhost"] {
        assert!(transport.send(get(format!("http://{host}:{port}/"))).is_ok());
    }
    assert_eq!(proxy.accepted(), 0);
}

#[test]
fn a_proxy_that_is_none_is_refused() {
    let build = |url: &str| UreqTransport::builder().proxy(url).build().unwrap_err().to_string();
    assert_eq!(
        build("socks5://proxy.example"),
        "configuration: `proxy` names a SOCKS proxy: only http:// and https:// proxies are supported"
    );
    assert_eq!(
        build("http://user:planted@proxy.example:notaport"),
        "configuration: `proxy` must be a proxy URL, `http://[user:password@]host[:port]` or `https://…`"
    );
}
