//! TLS, against servers that use rustls, whichever library the client uses.

use std::io::Write;
use std::net::{Shutdown, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use arize_api_keys::{
    ApiKeysClient, CreateRequest, Error, ListRequest, Outcome, RetryPolicy, TlsBackend, TlsRoots, Transport,
    TransportErrorKind, UreqTransport, UreqTransportBuilder,
};
use rcgen::{CertificateParams, KeyPair};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::proxy::tunnel_to;
use super::server::{Server, assert_stalls, fault, fresh, get, ok, post};
use crate::support::http::read_request;
use crate::support::tls::{Authority, authority, file, server_config, server_config_for_known_clients};

/// A builder with the backend that `ARIZE_TEST_TLS` names, so that the same tests run with each.
fn builder() -> UreqTransportBuilder {
    match std::env::var("ARIZE_TEST_TLS").as_deref() {
        Ok("native-tls") => UreqTransport::builder().tls(TlsBackend::NativeTls),
        Ok("platform") => UreqTransport::builder().roots(TlsRoots::Platform),
        _ => UreqTransport::builder(),
    }
}

/// A server with a certificate for `name`, which answers every request with itself.
fn server(authority: &Authority, name: &str, change: impl FnOnce(&mut CertificateParams)) -> Server {
    serving(authority, name, change, |mut stream| {
        while let Some(request) = read_request(&mut stream) {
            stream.write_all(&ok(&request)).unwrap();
            stream.flush().unwrap();
        }
    })
}

type Stream = StreamOwned<ServerConnection, TcpStream>;

fn serving(
    authority: &Authority,
    name: &str,
    change: impl FnOnce(&mut CertificateParams),
    serve: impl Fn(Stream) + Send + Sync + 'static,
) -> Server {
    with_config(server_config(authority, name, change), serve)
}

fn with_config(config: Arc<ServerConfig>, serve: impl Fn(Stream) + Send + Sync + 'static) -> Server {
    Server::start(move |connection| {
        let session = ServerConnection::new(Arc::clone(&config)).unwrap();
        serve(StreamOwned::new(session, connection));
    })
}

fn trusting(authority: &Authority, name: &str) -> UreqTransport {
    builder().ca_file(file(name, authority.pem())).build().unwrap()
}

fn uri(server: &Server) -> String {
    format!("https://{}/", server.address)
}

/// Both kinds of request must end alike.
#[track_caller]
fn both(transport: &UreqTransport, server: &Server, expected: &str) {
    assert_eq!(fault(transport.send(get(uri(server)))), expected);
    assert_eq!(fault(transport.send(post(uri(server)))), expected);
}

#[test]
fn a_ca_file_adds_an_authority() {
    let authority = authority("test authority");
    let server = server(&authority, "127.0.0.1", |_| {});
    let transport = trusting(&authority, "adds.pem");
    for _ in 0..3 {
        let response = transport.send(post(uri(&server))).unwrap();
        assert!(response.body().starts_with(b"POST / HTTP/1.1\r\n"));
    }
    assert_eq!(server.accepted(), 1);
    transport.send(fresh(post(uri(&server)))).unwrap();
    assert_eq!(server.accepted(), 2);
}

#[test]
fn a_file_may_hold_several_authorities() {
    let (one, two) = (authority("one"), authority("two"));
    let both = file("several.pem", ["# a comment\n", &one.pem(), &two.pem()].concat());
    let transport = builder().ca_file(both).build().unwrap();
    for authority in [one, two] {
        let server = server(&authority, "127.0.0.1", |_| {});
        assert_eq!(transport.send(get(uri(&server))).unwrap().status(), 200);
    }
}

/// Run by the next test, in a separate process: the environment of this one could not be changed safely.
#[cfg(all(target_os = "linux", feature = "platform-verifier"))]
#[test]
#[ignore = "run by another test, in a separate process"]
fn child() {
    let own = file("besides.pem", authority("besides").pem());
    match builder().roots(TlsRoots::Platform).ca_file(own).build() {
        Ok(_) => println!("outcome: built"),
        Err(error) => println!("outcome: {error}"),
    }
}

/// Otherwise it would replace it unnoticed.
#[cfg(all(target_os = "linux", feature = "platform-verifier"))]
#[test]
fn a_file_is_not_added_to_a_system_that_trusts_nobody() {
    let outcome = |certificates: &std::path::Path| {
        let mut child = std::process::Command::new(std::env::current_exe().unwrap());
        child.env_clear().args(["--exact", "ureq_transport::tls::child", "--ignored", "--nocapture"]);
        let output = child.env("SSL_CERT_FILE", certificates).output().unwrap();
        let output = String::from_utf8(output.stdout).unwrap();
        output.lines().find_map(|line| line.strip_prefix("outcome: ")).unwrap_or_default().to_owned()
    };
    let system = file("system.pem", authority("system").pem());
    assert_eq!(outcome(&system), "built");
    assert_eq!(outcome(&system.with_file_name("missing.pem")), "configuration: `ca_file` cannot be used for TLS");
}

/// Run by the next test, in a separate process.
#[test]
#[ignore = "run by another test, in a separate process"]
fn child_with_variables() {
    let url = std::env::var("URL").unwrap();
    let client = ApiKeysClient::builder().api_key("ak-test-0123456789").url(url).retry(RetryPolicy::none()).build();
    match client.and_then(|client| client.list(&ListRequest::new())) {
        Err(Error::Transport(error)) => println!("outcome: {:?}", error.kind()),
        other => println!("outcome: {}", other.is_err_and(|error| error.status() == Some(200))),
    }
}

#[test]
fn the_certificates_of_the_machine_are_trusted() {
    let trusted = authority("test authority");
    let server = server(&trusted, "127.0.0.1", |_| {});
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("machine");
    std::fs::create_dir_all(&directory).unwrap();
    std::fs::write(directory.join("5ed36f99.0"), trusted.pem()).unwrap();
    std::fs::write(directory.join("README"), "no certificate").unwrap();
    let missing = directory.join("missing");
    let several = std::env::join_paths([&missing, &directory]).unwrap();
    let file = directory.join("5ed36f99.0");
    for (variable, path, expected) in [
        ("SSL_CERT_DIR", directory.as_os_str(), "true"),
        ("SSL_CERT_DIR", &several, "true"),
        ("SSL_CERT_DIR", missing.as_os_str(), "Tls"),
        ("SSL_CERT_DIR", file.as_os_str(), "Tls"),
        ("SSL_CERT_FILE", file.as_os_str(), "true"),
        ("SSL_CERT_FILE", missing.as_os_str(), "Tls"),
    ] {
        let mut child = std::process::Command::new(std::env::current_exe().unwrap());
        child.args(["--exact", "ureq_transport::tls::child_with_variables", "--ignored", "--nocapture"]);
        let output = child.env_clear().env("URL", uri(&server)).env(variable, path).output().unwrap();
        let output = String::from_utf8(output.stdout).unwrap();
        assert!(output.contains(&format!("outcome: {expected}\n")), "{variable}={path:?}: {output}");
    }
}

#[test]
fn a_large_answer_comes_whole() {
    let authority = authority("test authority");
    let server = server(&authority, "127.0.0.1", |_| {});
    let mut sent = post(uri(&server));
    *sent.body_mut() = vec![b'x'; 300_000];
    let response = trusting(&authority, "large.pem").send(sent).unwrap();
    assert!(response.body().ends_with(&[b'x'; 300_000]));
}

#[test]
fn certificates_that_are_refused() {
    let trusted = authority("test authority");
    let transport = trusting(&trusted, "refused.pem");
    let unknown = server(&authority("unknown"), "127.0.0.1", |_| {});
    both(&transport, &unknown, "Tls, not sent");
    let wrong_host = server(&trusted, "other.example", |_| {});
    both(&transport, &wrong_host, "Tls, not sent");
    let expired = server(&trusted, "127.0.0.1", |params| params.not_after = rcgen::date_time_ymd(2020, 1, 1));
    both(&transport, &expired, "Tls, not sent");
    let default = builder().build().unwrap();
    let private = server(&trusted, "127.0.0.1", |_| {});
    both(&default, &private, "Tls, not sent");
}

/// A server that sends these bytes, and reads its input.
fn raw(bytes: &'static [u8]) -> Server {
    Server::start(move |mut connection| {
        connection.write_all(bytes).unwrap();
        let _ = std::io::copy(&mut connection, &mut std::io::sink());
    })
}

/// The cause of a failure, in words; no name of the code of a library.
#[track_caller]
fn cause(transport: &UreqTransport, server: &Server) -> String {
    let error = transport.send(post(uri(server))).unwrap_err();
    let shown = format!("{error}: {}", std::error::Error::source(&error).unwrap());
    assert_eq!(error.kind(), TransportErrorKind::Tls, "{shown}");
    let is_camel = |word: &str| word.chars().skip(1).any(char::is_uppercase) && word.chars().any(char::is_lowercase);
    let mut words = shown.split(|c: char| !c.is_alphanumeric());
    // A term of X.509.
    assert!(!words.any(|word| is_camel(word) && word != "serverAuth"), "{shown}");
    shown.strip_prefix("the TLS handshake failed: ").unwrap_or(&shown).to_owned()
}

#[test]
fn failures_are_told_in_words() {
    let is_openssl = std::env::var("ARIZE_TEST_TLS").as_deref() == Ok("native-tls");
    let trusted = authority("test authority");
    let transport = trusting(&trusted, "words.pem");
    let of_certificate = |change: fn(&mut CertificateParams)| {
        let server = server(&trusted, "127.0.0.1", change);
        cause(&transport, &server)
    };
    let expired =
        "the certificate of the server, or of its authority, has expired: renew it, or check the clock of this machine";
    assert_eq!(of_certificate(|params| params.not_after = rcgen::date_time_ymd(2020, 1, 1)), expired);
    assert_eq!(
        of_certificate(|params| params.not_before = rcgen::date_time_ymd(4000, 1, 1)),
        "the certificate of the server is not valid yet: check the clock of this machine"
    );
    assert_eq!(
        of_certificate(|params| params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ClientAuth]),
        "the certificate of the server is for another purpose: issue it with the extended key usage serverAuth"
    );
    for name in ["other.example", "127.0.0.2"] {
        let server = server(&trusted, name, |_| {});
        assert_eq!(cause(&transport, &server), "the certificate of the server is for another host name");
    }
    let unknown = "the certificate of the server is from an unknown authority: add that authority with `ca_file`";
    assert_eq!(cause(&transport, &server(&authority("unknown"), "127.0.0.1", |_| {})), unknown);
    assert_eq!(cause(&builder().build().unwrap(), &server(&trusted, "127.0.0.1", |_| {})), unknown);
    // OpenSSL does not mind.
    if !is_openssl {
        assert_eq!(
            of_certificate(|params| params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained)),
            "the certificate of the server is one of an authority: issue the certificate with CA:FALSE"
        );
    }
    for plain in ["HTTP/1.1 400 Bad Request\r\n\r\n", "<html>", "SSH-2.0-OpenSSH_9.6\r\n"] {
        assert_eq!(
            cause(&transport, &raw(plain.as_bytes())),
            "the server does not speak TLS: does this port speak plain HTTP?"
        );
    }
    // Alerts: a handshake record of two bytes, level and number.
    for (alert, expected) in [
        (
            &[21, 3, 3, 0, 2, 2, 40],
            "the server refuses every cipher of this client, or requires a client certificate, which this client does not send \
             (TLS alert 40)",
        ),
        (&[21, 3, 3, 0, 2, 2, 70], "the server refuses the TLS versions of this client (TLS alert 70)"),
        (&[21, 3, 3, 0, 2, 2, 112], "the server does not know this host name (TLS alert 112)"),
        (&[21, 3, 3, 0, 2, 2, 80], "the server ended TLS with the alert 80"),
    ] {
        assert_eq!(cause(&transport, &raw(alert)), expected);
    }
    // A hello of TLS 1.0.
    let mut old = [0; 47];
    old[..11].copy_from_slice(&[22, 3, 1, 0, 42, 2, 0, 0, 38, 3, 1]);
    // Its cipher, and no compression.
    old[43..47].copy_from_slice(&[0, 0, 0x2f, 0]);
    let old: &'static [u8] = Box::leak(Box::new(old));
    assert_eq!(cause(&transport, &raw(old)), "the server and this client have no version of TLS in common");
    assert_eq!(cause(&transport, &raw(&[22, 3, 3, 0, 4, 99, 0, 0, 0])), "what the server sent is not valid TLS");
}

/// With TLS 1.3, the server says so after the handshake. Another attempt would end alike.
#[test]
fn a_server_that_requires_a_client_certificate() {
    let trusted = authority("test authority");
    let transport = trusting(&trusted, "client_certificate.pem");
    for (version, alert) in [(&rustls::version::TLS13, "116"), (&rustls::version::TLS12, "")] {
        let config = server_config_for_known_clients(&trusted, version);
        let server = with_config(config, |mut stream| {
            let _ = read_request(&mut stream);
            // Unread input would reset the connection.
            let _ = std::io::copy(&mut stream.sock, &mut std::io::sink());
        });
        let cause = cause(&transport, &server);
        assert!(
            cause.contains("requires a client certificate, which this client does not send (TLS alert "),
            "{cause}"
        );
        assert!(cause.contains(alert), "{cause}");
    }
}

/// After the handshake, a broken record is a broken connection: a read is sent again.
#[test]
fn a_record_that_breaks_after_the_handshake() {
    let trusted = authority("test authority");
    let broken: [&'static [u8]; 3] =
        [b"\x17\x03\x03\x00\x20................................", b"HTTP/1.1 200 OK\r\n\r\n", &[23, 3, 3, 255, 255, 0]];
    for bytes in broken {
        let server = serving(
            &trusted,
            "127.0.0.1",
            |_| {},
            move |mut stream| {
                let _ = read_request(&mut stream);
                stream.sock.write_all(bytes).unwrap();
                let _ = std::io::copy(&mut stream.sock, &mut std::io::sink());
            },
        );
        both(&trusting(&trusted, "record.pem"), &server, "Interrupted, perhaps sent");
        let client = ApiKeysClient::builder()
            .ignore_env()
            .api_key("ak-test-0123456789")
            .url(uri(&server))
            .transport(trusting(&trusted, "record.pem"))
            .retry(RetryPolicy::default().base_delay(Duration::from_millis(1)))
            .build()
            .unwrap();
        let error = client.list(&ListRequest::new()).unwrap_err();
        assert_eq!((error.attempts(), error.outcome()), (3, Outcome::Unknown));
        let error = client.create(&CreateRequest::new("n")).unwrap_err();
        assert_eq!((error.attempts(), error.outcome()), (1, Outcome::Unknown));
        let cause = std::error::Error::source(&error).unwrap().to_string();
        assert!(!cause.contains(|c: char| c == '(' || c.is_uppercase() && c != 'T' && c != 'L' && c != 'S'), "{cause}");
    }
}

#[test]
fn accepting_invalid_certificates() {
    let server = server(&authority("test authority"), "other.example", |_| {});
    let transport = builder().danger_accept_invalid_certs(true).build().unwrap();
    assert_eq!(transport.send(post(uri(&server))).unwrap().status(), 200);
}

#[test]
fn handshakes_that_fail() {
    let transport = builder().build().unwrap();
    let plain = Server::start(|mut connection| {
        connection.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").unwrap();
        let _ = std::io::copy(&mut connection, &mut std::io::sink());
    });
    both(&transport, &plain, "Tls, not sent");
    let alert = Server::start(|mut connection| {
        // A fatal alert: the handshake failed.
        connection.write_all(&[21, 3, 3, 0, 2, 2, 40]).unwrap();
        let _ = std::io::copy(&mut connection, &mut std::io::sink());
    });
    both(&transport, &alert, "Tls, not sent");
    let closed = Server::start(|mut connection| {
        connection.shutdown(Shutdown::Write).unwrap();
        let _ = std::io::copy(&mut connection, &mut std::io::sink());
    });
    both(&transport, &closed, "Connect, not sent");
    let reset = Server::start(|mut connection| std::io::Read::read_exact(&mut connection, &mut [0]).unwrap());
    both(&transport, &reset, "Connect, not sent");
    let silent = Server::silent();
    assert_stalls(&transport, &get(uri(&silent)), "Timeout, not sent");
    assert_stalls(&transport, &post(uri(&silent)), "Timeout, not sent");
}

#[test]
fn through_a_tunnel() {
    let authority = authority("test authority");
    let service = server(&authority, "service.example", |_| {});
    let (proxy, asks) = tunnel_to(service.address);
    let transport = builder()
        .ca_file(file("tunnel.pem", authority.pem()))
        .proxy(format!("http://{}", proxy.address))
        .build()
        .unwrap();
    assert_eq!(transport.send(post("https://service.example/")).unwrap().status(), 200);
    assert!(asks.recv().unwrap().starts_with("CONNECT service.example:443 HTTP/1.1\r\n"));
    // The name is checked behind the proxy, too.
    assert_eq!(fault(transport.send(post("https://other.example/"))), "Tls, not sent");
}

#[test]
fn a_proxy_may_speak_tls() {
    let authority = authority("test authority");
    let proxy = serving(
        &authority,
        "127.0.0.1",
        |_| {},
        |mut stream| {
            assert!(read_request(&mut stream).unwrap().starts_with(b"CONNECT service.example:80 HTTP/1.1\r\n"));
            stream.write_all(b"HTTP/1.1 200 Connected\r\n\r\n").unwrap();
            // The bytes that come through the tunnel.
            let request = read_request(&mut stream).unwrap();
            stream.write_all(&ok(&request)).unwrap();
        },
    );
    let transport = builder()
        .ca_file(file("tls_proxy.pem", authority.pem()))
        .proxy(format!("https://{}", proxy.address))
        .build()
        .unwrap();
    let response = transport.send(get("http://service.example/x")).unwrap();
    assert_eq!(response.body(), b"GET /x HTTP/1.1\r\nhost: service.example\r\n\r\n");
}

#[test]
fn a_ca_file_that_is_none_is_refused() {
    let cut = authority("test authority").pem().replace("-----END CERTIFICATE-----", "");
    let junk = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let second_is_junk = authority("test authority").pem() + junk;
    for (name, content, problem) in [
        ("empty.pem", "", "holds no PEM certificate"),
        ("text.pem", "hello", "holds no PEM certificate"),
        ("key.pem", KeyPair::generate().unwrap().serialize_pem().as_str(), "holds no PEM certificate"),
        ("cut.pem", cut.as_str(), "is not valid PEM"),
        ("junk.pem", junk, "whose certificate 1 cannot be parsed"),
        ("second.pem", second_is_junk.as_str(), "whose certificate 2 cannot be parsed"),
    ] {
        let path = file(name, content);
        let shown = path.display().to_string();
        let error = builder().ca_file(path).build().unwrap_err().to_string();
        let relation = if problem.starts_with("whose") { "" } else { "which " };
        assert_eq!(error, format!("configuration: `ca_file` names the file {shown}, {relation}{problem}"));
    }
    let missing = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("missing.pem");
    let shown = missing.display().to_string();
    let error = builder().ca_file(missing).build().unwrap_err().to_string();
    assert_eq!(error, format!("configuration: `ca_file` names the file {shown}, which cannot be read"));
    let both = builder().ca_file("x.pem").danger_accept_invalid_certs(true).build().unwrap_err();
    assert_eq!(
        both.to_string(),
        "configuration: `ca_file` has no effect with `danger_accept_invalid_certs`: set one of them"
    );
}

/// A choice whose feature is off is refused, and the message names the feature.
#[test]
fn choices_of_tls() {
    let message = |builder: UreqTransportBuilder| builder.build().err().map(|error| error.to_string());
    let needs = |setting: &str, choice: &str, feature: &str, is_on: bool| {
        let text = format!(
            "configuration: `{setting}` `{choice}` needs the feature `{feature}` of the crate `arize-api-keys`"
        );
        (!is_on).then_some(text)
    };
    let builder = UreqTransport::builder;
    let (native, platform) = (cfg!(feature = "native-tls"), cfg!(feature = "platform-verifier"));
    assert_eq!(message(builder().tls(TlsBackend::Rustls)), needs("tls", "rustls", "rustls", cfg!(feature = "rustls")));
    assert_eq!(message(builder().tls(TlsBackend::NativeTls)), needs("tls", "native-tls", "native-tls", native));
    assert_eq!(message(builder().roots(TlsRoots::Platform)), needs("roots", "platform", "platform-verifier", platform));
    assert_eq!(message(builder().roots(TlsRoots::WebPki)), None);
    if native {
        assert_eq!(message(builder().tls(TlsBackend::NativeTls).roots(TlsRoots::Platform)), None);
        let refused = message(builder().tls(TlsBackend::NativeTls).roots(TlsRoots::WebPki)).unwrap();
        assert!(refused.starts_with("configuration: `roots` `webpki` is not available with the backend `native-tls`"));
    }
    // The default stays rustls, with every set of features; plain http to this machine needs no backend.
    let client = |url: &str| {
        let client = ApiKeysClient::builder().ignore_env().api_key("ak-0123456789").url(url).build();
        client.err().map(|error| error.to_string())
    };
    assert_eq!(client("https://api.example"), needs("tls", "rustls", "rustls", cfg!(feature = "rustls")));
    assert_eq!(client("http://127.0.0.1:1"), None);
}
