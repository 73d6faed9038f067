//! A key in a file that another program replaces.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex};
use std::thread;
use std::time::Duration;

use arize_api_keys::{
    ApiKeysClient, ClientBuilder, CreateRequest, Error, ExposeSecret, ListRequest, Outcome, RefreshRequest,
    RetryPolicy, http,
};

use crate::support::TestClock;
use crate::support::script::{CREATED, LIST, OWN_KEY};

const NEXT_KEY: &str = "ak-PLANTED-NEXT-5555555555";
const REFUSED: &str = r#"{"title":"Unauthorized","status":401,"detail":"the key TOLD is unknown"}"#;

/// A service that takes one key, and the file that the client reads.
#[derive(Clone)]
struct Rig {
    path: PathBuf,
    accepted: Arc<Mutex<String>>,
    /// The keys of the requests.
    seen: Arc<Mutex<Vec<String>>>,
    /// The 401 for a request with another key: content type and body.
    refusal: (&'static str, &'static str),
}

impl Rig {
    fn new(name: &str, content: &str) -> Self {
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("key-file-{name}"));
        fs::write(&path, content).unwrap();
        Self {
            path,
            accepted: Arc::new(Mutex::new(OWN_KEY.to_owned())),
            seen: Arc::default(),
            refusal: ("application/problem+json", REFUSED),
        }
    }

    fn builder(&self) -> ClientBuilder {
        let rig = self.clone();
        let transport = move |request: http::Request<Vec<u8>>| {
            let key = request.headers()["authorization"].to_str().unwrap().strip_prefix("Bearer ").unwrap().to_owned();
            let is_accepted = key == *rig.accepted.lock().unwrap();
            rig.seen.lock().unwrap().push(key.clone());
            let (status, kind, body) = match (is_accepted, request.method().as_str()) {
                (false, _) => (401, rig.refusal.0, rig.refusal.1.replace("TOLD", &key)),
                (true, "GET") => (200, "application/json", LIST.to_owned()),
                (true, "POST") => (200, "application/json", CREATED.to_owned()),
                (true, _) => (204, "application/json", String::new()),
            };
            Ok(http::Response::builder().status(status).header("content-type", kind).body(body.into_bytes()).unwrap())
        };
        ApiKeysClient::builder().ignore_env().retry(RetryPolicy::none()).transport(transport)
    }

    fn client(&self) -> ApiKeysClient {
        self.builder().api_key_file(&self.path).build().unwrap()
    }

    fn rotate(&self, content: &str) {
        fs::write(&self.path, content).unwrap();
        *self.accepted.lock().unwrap() = NEXT_KEY.to_owned();
    }

    fn seen(&self) -> Vec<String> {
        std::mem::take(&mut self.seen.lock().unwrap())
    }
}

#[test]
fn every_verb_is_sent_once_more_with_the_new_key() {
    type Call = fn(&ApiKeysClient) -> Result<(), Error>;
    let verbs: [(&str, Call); 5] = [
        ("list", |client| client.list(&ListRequest::new()).map(drop)),
        ("create", |client| client.create(&CreateRequest::new("ci")).map(drop)),
        ("refresh", |client| client.refresh(&RefreshRequest::new("QXBpS2V5OjE6YWJjZA==")).map(drop)),
        ("delete", |client| client.delete("QXBpS2V5OjE6YWJjZA==")),
        ("revoke", |client| client.revoke("QXBpS2V5OjE6YWJjZA==")),
    ];
    for (name, verb) in verbs {
        let rig = Rig::new(name, OWN_KEY);
        let client = rig.client();
        verb(&client).unwrap();
        rig.rotate(&format!("ARIZE_API_KEY=\"{NEXT_KEY}\"\n"));
        verb(&client).unwrap();
        // A clone has the new key from then on.
        verb(&client.clone()).unwrap();
        assert_eq!(rig.seen(), [OWN_KEY, OWN_KEY, NEXT_KEY, NEXT_KEY], "{name}");
    }
}

#[test]
fn only_a_problem_document_has_a_create_sent_again() {
    let mut rig = Rig::new("foreign", OWN_KEY);
    rig.refusal = ("text/html", "<html>log in</html>");
    let client = rig.client();
    rig.rotate(NEXT_KEY);
    let error = client.create(&CreateRequest::new("ci")).unwrap_err();
    assert!(matches!(error, Error::Unauthorized(_)), "{error}");
    let error = client.refresh(&RefreshRequest::new("QXBpS2V5OjE6YWJjZA==")).unwrap_err();
    assert!(matches!(error, Error::Unauthorized(_)), "{error}");
    assert_eq!(rig.seen(), [OWN_KEY, OWN_KEY]);
    client.list(&ListRequest::new()).unwrap();
    assert_eq!(rig.seen(), [OWN_KEY, NEXT_KEY]);
}

#[test]
fn an_unusable_file_keeps_the_old_key_and_the_401() {
    for (name, content) in [("empty", ""), ("blank", " \n"), ("two", "ak-one\nak-two"), ("same", OWN_KEY)] {
        let rig = Rig::new(name, OWN_KEY);
        let client = rig.client();
        rig.rotate(content);
        for _ in 0..2 {
            let error = client.list(&ListRequest::new()).unwrap_err();
            assert_eq!(error.outcome(), Outcome::Rejected, "{name}");
        }
        assert_eq!(rig.seen(), [OWN_KEY, OWN_KEY], "{name}");
        fs::remove_file(&rig.path).unwrap();
        assert!(matches!(client.list(&ListRequest::new()), Err(Error::Unauthorized(_))));
        fs::create_dir(&rig.path).unwrap();
        assert!(matches!(client.list(&ListRequest::new()), Err(Error::Unauthorized(_))));
        fs::remove_dir(&rig.path).unwrap();
        rig.rotate(NEXT_KEY);
        client.list(&ListRequest::new()).unwrap();
    }
}

#[test]
fn neither_key_is_shown() {
    for (before, after) in [(OWN_KEY, "ak-PLANTED-THIRD-77777777"), ("planted-plain-1", "planted-plain-2")] {
        let mut rig = Rig::new("shown", before);
        rig.refusal.1 =
            r#"{"title":"Unauthorized","status":401,"detail":"TOLD, not planted-plain-1, planted-plain-2"}"#;
        let client = rig.client();
        rig.rotate(after);
        let error = client.list(&ListRequest::new()).unwrap_err();
        let shown = format!("{error} {error:?}");
        assert_eq!(rig.seen(), [before, after]);
        if before.starts_with("planted") {
            assert!(!shown.contains("planted-plain"), "{shown}");
        }
        assert!(!shown.contains("PLANTED"), "{shown}");
    }
    let builder = ApiKeysClient::builder().ignore_env().api_key_file(OWN_KEY);
    assert!(!format!("{builder:?}").contains("PLANTED"));
    let error = builder.build().unwrap_err();
    assert_eq!(error.to_string(), "configuration: `api_key_file` names the file [redacted], which cannot be read");
}

#[test]
fn a_minted_key_that_the_client_has_used_is_not_accepted() {
    let rig = Rig::new("minted", OWN_KEY);
    let client = rig.client();
    rig.rotate("ak-PLANTED-NEW-9876543210");
    *rig.accepted.lock().unwrap() = "ak-PLANTED-NEW-9876543210".to_owned();
    let error = client.create(&CreateRequest::new("ci")).unwrap_err();
    assert!(matches!(error, Error::SecretNotRecovered(_)), "{error}");
}

/// 16 threads are refused at the same time: one reads the file, and all go on.
#[test]
fn threads_survive_a_rotation() {
    let rig = Rig::new("threads", OWN_KEY);
    let client = rig.client();
    rig.rotate(NEXT_KEY);
    let (barrier, done) = (Barrier::new(16), AtomicUsize::new(0));
    thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                barrier.wait();
                for _ in 0..20 {
                    client.list(&ListRequest::new()).unwrap();
                    done.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
    });
    assert_eq!(done.into_inner(), 320);
}

/// A call that began with the old key takes the new one that the client has by now. The file may be gone.
#[test]
fn a_late_refusal_does_not_read_the_file() {
    let rig = Rig::new("late", OWN_KEY);
    let other: Arc<Mutex<Option<ApiKeysClient>>> = Arc::default();
    let (inner, rival) = (rig.clone(), Arc::clone(&other));
    let wrapped = rig.builder().wrap_transport(move |transport| {
        let (rig, rival) = (inner.clone(), Arc::clone(&rival));
        Arc::new(move |request: http::Request<Vec<u8>>| {
            // While the first call is under way, another thread's call meets the rotation.
            let rival = rival.lock().unwrap().take();
            let response = transport.send(request);
            if let Some(client) = rival {
                rig.rotate(NEXT_KEY);
                client.list(&ListRequest::new()).unwrap();
                fs::remove_file(&rig.path).unwrap();
            }
            response
        })
    });
    let client = wrapped.api_key_file(&rig.path).build().unwrap();
    client.list(&ListRequest::new()).unwrap();
    *rig.accepted.lock().unwrap() = NEXT_KEY.to_owned();
    *other.lock().unwrap() = Some(client.clone());
    client.list(&ListRequest::new()).unwrap();
    assert_eq!(rig.seen(), [OWN_KEY, OWN_KEY, OWN_KEY, NEXT_KEY, NEXT_KEY]);
}

/// The second request needs time, too.
#[test]
fn nothing_is_sent_again_after_the_deadline() {
    let rig = Rig::new("deadline", OWN_KEY);
    let clock = TestClock::new();
    let slow = clock.clone();
    let builder = rig.builder().clock(clock).timeout(Duration::from_secs(10)).wrap_transport(move |transport| {
        let slow = slow.clone();
        Arc::new(move |request: http::Request<Vec<u8>>| {
            slow.advance(Duration::from_secs(11));
            transport.send(request)
        })
    });
    let client = builder.api_key_file(&rig.path).build().unwrap();
    rig.rotate(NEXT_KEY);
    let error = client.list(&ListRequest::new()).unwrap_err();
    assert!(matches!(error, Error::Unauthorized(_)), "{error}");
    assert_eq!(rig.seen(), [OWN_KEY]);
    // The next call has the new key.
    client.list(&ListRequest::new()).unwrap();
    assert_eq!(rig.seen(), [NEXT_KEY]);
}

#[test]
fn a_file_and_a_key_exclude_each_other() {
    let rig = Rig::new("both", OWN_KEY);
    let error = rig.builder().api_key("ak-x").api_key_file(&rig.path).build().unwrap_err();
    assert_eq!(error.to_string(), "configuration: `api_key_file` excludes `api_key`: set one of them");
    assert_eq!(
        rig.client().create(&CreateRequest::new("ci")).unwrap().key.expose_secret(),
        "ak-PLANTED-NEW-9876543210"
    );
}
