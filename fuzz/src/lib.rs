//! The bodies of the fuzz targets, through the public surface of the crate, so that the corpus can be run as ordinary tests, too.
//!
//! Each takes any bytes, and panics where a promise of the crate does not hold.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use arize_api_keys::http::{Request, Response};
use arize_api_keys::time::OffsetDateTime;
use arize_api_keys::{
    ApiKeysClient, Clock, CreateRequest, Error, ExposeSecret, ListRequest, Outcome, PaginationErrorKind,
    RefreshRequest, TransportError,
};
use serde_json::Value;

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
                // A secret without escapes is in the body as it is, between quotes: nothing was cut or replaced.
                if !data.contains(&b'\\') {
                    let quoted = format!("\"{secret}\"");
                    assert!(data.windows(quoted.len()).any(|window| window == quoted.as_bytes()));
                }
                let _ = format!("{created:?}");
            }
            Err(error) => {
                assert!(matches!(error, Error::SecretNotRecovered(_)), "{error:?}");
                // Markup under the type of JSON is a login page: the request may not have reached the service.
                let text = data.strip_prefix(b"\xef\xbb\xbf").unwrap_or(data).trim_ascii_start();
                let outcome = if text.starts_with(b"<") { Outcome::Unknown } else { Outcome::Applied };
                assert_eq!((error.outcome(), error.attempts()), (outcome, 1));
                show(&error);
            }
        }
    }
}

/// A page of a list.
pub fn list(data: &[u8]) {
    let body = data.to_vec();
    let client = client(Impatient::default(), move |_| answer(200, &body));
    let page = match client.list(&ListRequest::new()) {
        Ok(page) => page,
        Err(error) => {
            show(&error);
            return;
        }
    };
    drop(format!("{page:?}"));
    // The reading of another parser. A body that it does not read as JSON is not compared.
    let Ok(value) = serde_json::from_slice::<Value>(data) else { return };
    let items = value["api_keys"].as_array().map(Vec::as_slice).unwrap_or_default();
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        Value::Number(number) if !number.is_f64() => number.to_string(),
        _ => String::new(),
    };
    let ids = |id: fn(&Value) -> &Value| items.iter().map(|item| text(id(item))).collect::<Vec<_>>();
    assert_eq!(page.api_keys.iter().map(|key| key.id.clone()).collect::<Vec<_>>(), ids(|item| &item["id"]));
    assert_eq!(page.api_keys.iter().map(|key| key.name.clone()).collect::<Vec<_>>(), ids(|item| &item["name"]));
    let cursor = Some(text(&value["pagination"]["next_cursor"])).filter(|cursor| !cursor.is_empty());
    assert_eq!(page.pagination.next_cursor, cursor);
    if let Some(has_more) = value["pagination"]["has_more"].as_bool() {
        assert_eq!(page.pagination.has_more, has_more);
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
    let sent = value.clone();
    let client = client(clock.clone(), move |_| {
        let mut response = answer(429, b"");
        response.headers_mut().insert("retry-after", sent.clone());
        response
    });
    let error = client.list(&ListRequest::new()).expect_err("429 is no success");
    let (attempts, waited, asked) = (error.attempts(), clock.waited(), error.retry_after());
    assert!((1..=3).contains(&attempts));
    assert!(waited <= Duration::from_secs(60), "waited {waited:?}");
    show(&error);

    let text = value.to_str().unwrap_or_default().trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        let seconds = Duration::from_secs(text.parse().unwrap_or(u64::MAX));
        assert_eq!(asked, Some(seconds));
        assert!(waited >= seconds * (attempts - 1), "asked for {seconds:?}, waited {waited:?}");
        assert!(attempts == 3 || seconds > Duration::from_secs(20), "{attempts} attempts of 3 for {seconds:?}");
    } else if !text.bytes().any(|byte| byte.is_ascii_digit()) {
        assert_eq!((asked, attempts), (None, 3), "neither seconds nor a date");
    }
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
    client.list(&ListRequest::new()).expect("the response is right");
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
    // Each entry costs a few clients: longer lists say nothing new.
    if list.contains('\0') || list.len() > 48 {
        return;
    }
    // To read the certificates of the machine for every client would take most of the time.
    std::env::remove_var("SSL_CERT_FILE");
    // An invalid proxy is an error, unless the list excludes the host from proxies.
    std::env::set_var("HTTPS_PROXY", "http://user:hidden@");
    for host in ["api.arize.com", "10.1.2.3", "[2001:db8::1]:8443"] {
        let covers = |list: &str| {
            std::env::set_var("NO_PROXY", list);
            match ApiKeysClient::builder().api_key(OWN_KEY).host(host).build() {
                Ok(_) => true,
                Err(error) => {
                    assert!(matches!(error, Error::Config(_)) && !show(&error).contains("hidden"), "{error}");
                    false
                }
            }
        };
        let covered = covers(list);
        let entries: Vec<&str> = list.split(|c: char| c == ',' || c.is_whitespace()).collect();
        assert_eq!(covered, entries.iter().any(|entry| covers(entry)), "{list:?}: each entry counts alone");
        assert_eq!(covered, covers(&entries.join(" , \r\n\t")), "{list:?}: blanks do not count");
        assert_eq!(covered, covers(&format!("other.example,{list}")), "{list:?}: a name of another");
        assert_eq!(covered, covers(&list.to_ascii_uppercase()), "{list:?}: case does not count");
        assert!(covers(&format!("{list},*")) && covers(&format!("{host},{list}")), "{list:?}: everything, and itself");
    }
}

/// The URL of a proxy: up to a line end what stands behind its password, and what stands behind its host.
pub fn proxy(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (user, host) = text.split_once('\n').unwrap_or(("", text));
    let url = format!("http://user:hidden-password{user}@proxy.example{host}");
    let builder = ApiKeysClient::builder().ignore_env().api_key(OWN_KEY).host("api.example").proxy(url);
    assert!(!format!("{builder:?}").contains("hidden"));
    match builder.build() {
        Ok(client) => assert!(!format!("{client:?}").contains("hidden")),
        Err(error) => assert!(matches!(error, Error::Config(_)) && !show(&error).contains("hidden"), "{error}"),
    }
}

/// What ends a walk through pages.
type End = Option<PaginationErrorKind>;

/// The number of keys that the pages of a script have until they end, and how they do.
fn walk(script: &[u8], max_pages: usize) -> (usize, End) {
    let mut seen = HashSet::new();
    let mut keys = 0;
    for page in 0.. {
        let byte = script.get(page).copied().unwrap_or_default();
        keys += usize::from(byte % 2 == 0);
        match byte % 6 {
            0 => break,
            1 | 2 => return (keys, Some(PaginationErrorKind::MissingCursor)),
            _ if !seen.insert(byte / 6) => return (keys, Some(PaginationErrorKind::RepeatedCursor)),
            _ if page + 1 >= max_pages => return (keys, Some(PaginationErrorKind::TooManyPages)),
            _ => {}
        }
    }
    (keys, None)
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
    // Fewer pages than there are cursors, so that both ends are reached.
    let max_pages = 1 + data.len() % 40;
    let mut keys = client.list_all(&ListRequest::new()).max_pages(u32::try_from(max_pages).expect("small"));
    let (mut arrived, mut end) = (0, None);
    for key in keys.by_ref() {
        match key {
            Ok(key) => {
                assert_eq!((key.id.as_str(), end), ("k", None), "an error ends the list");
                arrived += 1;
            }
            Err(Error::Pagination(error)) => end = Some(error.kind()),
            Err(error) => panic!("{error}"),
        }
    }
    assert_eq!((arrived, end), walk(data, max_pages));
    assert!(keys.next().is_none(), "what has ended stays so");
    let asked = asked.lock().expect("nothing panics here");
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
    fn proxy() {
        run("proxy", super::proxy);
    }

    #[test]
    fn pager() {
        run("pager", super::pager);
    }
}
