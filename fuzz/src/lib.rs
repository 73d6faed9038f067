//! What the fuzz targets do, through the public surface of the crate, so that the corpus can be run as ordinary tests, too.
//!
//! Each takes any bytes, and panics where a promise of the crate does not hold.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use arize_api_keys::http::{Request, Response};
use arize_api_keys::time::OffsetDateTime;
use arize_api_keys::{
    ApiKeysClient, Clock, CreateRequest, Error, ExposeSecret, ListRequest, Outcome, RefreshRequest, TransportError,
};

/// The client's own key. No error may show it.
const OWN_KEY: &str = "ak-own-key-0123456789";

/// A clock that does not wait, and adds up what it should have waited.
#[derive(Clone, Default)]
struct Impatient(Arc<AtomicU64>);

impl Impatient {
    fn waited(&self) -> Duration {
        Duration::from_nanos(self.0.load(Ordering::Relaxed))
    }
}

impl Clock for Impatient {
    fn now(&self) -> OffsetDateTime {
        OffsetDateTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000)
    }

    fn elapsed(&self) -> Duration {
        self.waited()
    }

    fn sleep(&self, duration: Duration) {
        let nanos = u64::try_from(duration.as_nanos()).expect("the client waits no centuries");
        self.0.fetch_add(nanos, Ordering::Relaxed);
    }

    fn jitter(&self, max: Duration) -> Duration {
        max
    }
}

fn client(
    clock: Impatient,
    answer: impl Fn(Request<Vec<u8>>) -> Response<Vec<u8>> + Send + Sync + 'static,
) -> ApiKeysClient {
    let transport = move |request: Request<Vec<u8>>| Ok::<_, TransportError>(answer(request));
    ApiKeysClient::builder()
        .ignore_env()
        .api_key(OWN_KEY)
        .clock(clock)
        .transport(transport)
        .build()
        .expect("the settings are right")
}

fn answer(status: u16, body: &[u8]) -> Response<Vec<u8>> {
    Response::builder()
        .status(status)
        .header("content-type", "application/json")
        .body(body.to_vec())
        .expect("the parts are right")
}

/// Shows the error in every way that there is.
fn show(error: &Error) -> String {
    let shown = format!("{error} {error:?} {error:#?}");
    assert!(!shown.contains(OWN_KEY), "the key is shown");
    shown
}

/// The answer to a create and a refresh.
pub fn created(data: &[u8]) {
    let body = data.to_vec();
    let client = client(Impatient::default(), move |_| answer(201, &body));
    for result in [client.create(&CreateRequest::new("n")), client.refresh(&RefreshRequest::new("i"))] {
        match result {
            Ok(created) => {
                let secret = created.key.expose_secret();
                assert!(!secret.trim().is_empty());
                // What is not escaped is in the body as it is, between quotes: nothing was cut or replaced.
                if !data.contains(&b'\\') {
                    let quoted = format!("\"{secret}\"");
                    assert!(data.windows(quoted.len()).any(|window| window == quoted.as_bytes()));
                }
                let _ = format!("{created:?}");
            }
            Err(error) => {
                assert!(matches!(error, Error::SecretNotRecovered(_)), "{error:?}");
                assert_eq!((error.outcome(), error.attempts()), (Outcome::Applied, 1));
                show(&error);
            }
        }
    }
}

/// A page of a list.
pub fn list(data: &[u8]) {
    let body = data.to_vec();
    let client = client(Impatient::default(), move |_| answer(200, &body));
    match client.list(&ListRequest::new()) {
        Ok(page) => drop(format!("{page:?}")),
        Err(error) => drop(show(&error)),
    }
}

/// The body of a refusal.
pub fn problem(data: &[u8]) {
    let body = data.to_vec();
    let client = client(Impatient::default(), move |_| answer(422, &body));
    let error = client.revoke("i").expect_err("422 is no success");
    let shown = error.to_string();
    assert!(matches!(error, Error::UnprocessableEntity(_)));
    assert!(shown.len() < 16 * 1024, "a message of {} bytes", shown.len());
    assert!(!shown.chars().any(char::is_control), "control characters are shown: {shown:?}");
    show(&error);
}

/// The value of `Retry-After`.
pub fn retry_after(data: &[u8]) {
    let Ok(value) = arize_api_keys::http::HeaderValue::from_bytes(data) else { return };
    let clock = Impatient::default();
    let client = client(clock.clone(), move |_| {
        let mut response = answer(429, b"");
        response.headers_mut().insert("retry-after", value.clone());
        response
    });
    let error = client.list(&ListRequest::new()).expect_err("429 is no success");
    assert!(error.attempts() <= 3);
    assert!(clock.waited() <= Duration::from_secs(60), "waited {:?}", clock.waited());
    show(&error);
}

/// The host of the service.
pub fn host(data: &[u8]) {
    let Ok(host) = std::str::from_utf8(data) else { return };
    let seen = Arc::new(Mutex::new(Vec::new()));
    let uris = Arc::clone(&seen);
    let transport = move |request: Request<Vec<u8>>| {
        uris.lock().expect("nothing panics here").push(request.uri().clone());
        Ok::<_, TransportError>(answer(200, b"{\"api_keys\":[]}"))
    };
    let built = ApiKeysClient::builder().ignore_env().api_key(OWN_KEY).host(host).transport(transport).build();
    let client = match built {
        Ok(client) => client,
        Err(error) => {
            assert!(matches!(error, Error::Config(_)));
            show(&error);
            return;
        }
    };
    client.list(&ListRequest::new()).expect("the answer is right");
    for uri in seen.lock().expect("nothing panics here").iter() {
        assert_eq!(uri.scheme_str(), Some("https"));
        assert!(uri.path().ends_with("/v2/api-keys"), "{uri}");
        assert!(!uri.path().split('/').any(|segment| matches!(segment, "." | "..")), "{uri}");
        assert_eq!(uri.query(), Some("limit=50"));
        let authority = uri.authority().expect("a URI of the client has one");
        assert!(!authority.as_str().contains('@') && !authority.host().is_empty(), "{uri}");
    }
}

/// The id of a key.
pub fn id(data: &[u8]) {
    let Ok(id) = std::str::from_utf8(data) else { return };
    let seen = Arc::new(Mutex::new(Vec::new()));
    let paths = Arc::clone(&seen);
    let client = client(Impatient::default(), move |request| {
        paths.lock().expect("nothing panics here").push(request.uri().to_string());
        answer(204, b"")
    });
    let result = client.revoke(id);
    let sent = seen.lock().expect("nothing panics here");
    if let Err(error) = result {
        assert!(matches!(error, Error::InvalidRequest(_)) && sent.is_empty());
        show(&error);
        return;
    }
    let [uri] = sent.as_slice() else { panic!("one request for one call") };
    let path = uri.strip_prefix("https://api.arize.com").expect("the one origin");
    let ["", "v2", "api-keys", segment, "revoke"] = path.split('/').collect::<Vec<_>>()[..] else {
        panic!("{uri} left its route")
    };
    assert!(!segment.contains(['?', '#']) && !matches!(segment, "." | ".."));
    assert_eq!(percent_encoding::percent_decode_str(segment).decode_utf8().as_deref(), Ok(id));
}

/// The variable NO_PROXY.
pub fn no_proxy(data: &[u8]) {
    let Ok(list) = std::str::from_utf8(data) else { return };
    if list.contains('\0') {
        return;
    }
    std::env::set_var("NO_PROXY", list);
    std::env::set_var("HTTPS_PROXY", "http://user:password@proxy.example:3128");
    for host in ["api.arize.com", "10.1.2.3", "[2001:db8::1]:8443"] {
        let built = ApiKeysClient::builder().api_key(OWN_KEY).host(host).build();
        let client = built.expect("no list is an error");
        assert!(!format!("{client:?}").contains("password"));
    }
}

/// A list whose pages are as the bytes say.
pub fn pager(data: &[u8]) {
    let script = data.to_vec();
    let asked = Arc::new(Mutex::new(Vec::<String>::new()));
    let requests = Arc::clone(&asked);
    let client = client(Impatient::default(), move |request| {
        let mut requests = requests.lock().expect("nothing panics here");
        let page = script.get(requests.len()).copied().unwrap_or_default();
        requests.push(request.uri().query().unwrap_or_default().to_owned());
        let cursor = match page % 6 {
            0 => "{\"has_more\":false}".to_owned(),
            1 => "{\"has_more\":true}".to_owned(),
            2 => "{\"has_more\":true,\"next_cursor\":\"\"}".to_owned(),
            3 => format!("{{\"next_cursor\":\"c{}\"}}", page / 6),
            _ => format!("{{\"has_more\":true,\"next_cursor\":\"c{}\"}}", page / 6),
        };
        let keys = if page % 2 == 0 { "{\"id\":\"k\"}" } else { "" };
        answer(200, format!("{{\"api_keys\":[{keys}],\"pagination\":{cursor}}}").as_bytes())
    });
    let mut keys = client.list_all(&ListRequest::new()).max_pages(1000);
    let errors = keys.by_ref().filter(|key| key.is_err()).count();
    assert!(errors <= 1, "an error ends the list");
    assert!(keys.next().is_none(), "what has ended stays so");
    let asked = asked.lock().expect("nothing panics here");
    assert!(asked.len() <= 1000);
    assert_eq!(asked.iter().collect::<HashSet<_>>().len(), asked.len(), "a page was asked for twice: {asked:?}");
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    /// Every file of the corpus, and every beginning of it that is not too long to go through them all.
    #[track_caller]
    fn run(name: &str, target: fn(&[u8])) {
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(name);
        let mut files = 0;
        for entry in fs::read_dir(&corpus).expect("the corpus is there") {
            let data = fs::read(entry.expect("readable").path()).expect("readable");
            files += 1;
            for end in (0..=data.len()).rev().take(512) {
                target(&data[..end]);
            }
        }
        assert!(files > 0, "no corpus for {name}");
    }

    #[test]
    fn created() {
        run("created", super::created);
    }

    #[test]
    fn list() {
        run("list", super::list);
    }

    #[test]
    fn problem() {
        run("problem", super::problem);
    }

    #[test]
    fn retry_after() {
        run("retry_after", super::retry_after);
    }

    #[test]
    fn host() {
        run("host", super::host);
    }

    #[test]
    fn id() {
        run("id", super::id);
    }

    #[test]
    fn no_proxy() {
        run("no_proxy", super::no_proxy);
    }

    #[test]
    fn pager() {
        run("pager", super::pager);
    }
}
