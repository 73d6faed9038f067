//! Secrets that are planted, everything that could show them, and a logger that takes every record.

mod service;

use std::error::Error as StdError;
use std::fmt::{Debug, Display};
use std::net::TcpListener;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock};
use std::time::Duration;

use arize_api_keys::emulator::{Emulator, ManualClock};
use arize_api_keys::time::OffsetDateTime;
use arize_api_keys::{
    ApiKeyCreated, ApiKeysClient, ApiStage, ClientBuilder, CreateRequest, CreateServiceKeyRequest, Error, ExposeSecret,
    ListRequest, OrgBinding, RefreshRequest, ReplacementKey, RotationError, SpaceBinding, SpaceRef, Transport,
    UreqTransport,
};
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use log::{Level, LevelFilter, Log, Metadata, Record};

use self::service::{Script, Service};

/// The key of the client.
pub(crate) const OWN: &str = "ak-PLANTED-OWN-0123456789";
/// The secret that the service mints.
pub(crate) const NEW: &str = "ak-PLANTED-NEW-9876543210";
/// The password of the proxy.
const PASSWORD: &str = "PLANTED-PASSWORD-55555";

/// Secrets that no text may show, besides the planted literals: those of an emulator.
static SECRETS: Mutex<Vec<String>> = Mutex::new(Vec::new());

fn plant(secret: &str) {
    SECRETS.lock().unwrap().push(secret.to_owned());
}

/// The planted secret that a text shows: plain, in base64 wherever they begin in it, as hexadecimal digits, or as a
/// list of bytes.
pub(crate) fn leak(text: &str) -> Option<String> {
    static PLANTED: OnceLock<Vec<String>> = OnceLock::new();
    let planted = PLANTED.get_or_init(|| {
        let mut forms: Vec<String> = [OWN, NEW, PASSWORD].into_iter().flat_map(base64_forms).collect();
        forms.push("504c414e544544".to_owned());
        forms.push("80, 76, 65, 78, 84, 69, 68".to_owned());
        forms
    });
    let secrets = SECRETS.lock().unwrap();
    let forms = planted.iter().chain(secrets.iter());
    let plain = text.to_lowercase().contains("planted").then(|| "planted".to_owned());
    plain.or_else(|| forms.into_iter().find(|form| text.contains(form.as_str())).cloned())
}

/// The part of the base64 of a text that does not depend on what stands before and after it, for the three places at
/// which it can begin.
fn base64_forms(secret: &str) -> [String; 3] {
    [0, 1, 2].map(|before| {
        let encoded = STANDARD_NO_PAD.encode(["x".repeat(before).as_str(), secret].concat());
        encoded[4..encoded.len() - 4].to_owned()
    })
}

#[track_caller]
fn clean(what: &str, text: &str) {
    if let Some(form) = leak(text) {
        panic!("{what} shows {form}: {text}");
    }
}

#[track_caller]
fn clean_debug(what: &str, value: &impl Debug) {
    clean(what, &format!("{value:?}"));
    clean(what, &format!("{value:#?}"));
}

/// All that an error says, down to its last source and its first attempt.
#[track_caller]
fn clean_error(what: &str, error: &Error) {
    clean_debug(what, error);
    clean(what, &error.to_string());
    let mut source = error.source();
    while let Some(error) = source {
        clean(what, &format!("{error} {error:?} {error:#?}"));
        source = error.source();
    }
    if let Some(api) = error.api() {
        let texts = [api.title(), api.detail(), api.problem_type(), api.instance(), api.request_id()];
        texts.into_iter().flatten().for_each(|text| clean(what, text));
    }
    if let Some(previous) = error.previous_attempt() {
        clean_error(what, previous);
    }
}

#[track_caller]
fn clean_result<T: Debug>(what: &str, result: &Result<T, Error>) {
    match result {
        Ok(value) => clean_debug(what, value),
        Err(error) => clean_error(what, error),
    }
}

/// Takes every record that its filter lets through.
pub(crate) struct Logger {
    lets_through: fn(&Metadata<'_>) -> bool,
    records: Mutex<Vec<Taken>>,
}

#[derive(Clone, Debug)]
pub(crate) struct Taken {
    pub(crate) level: Level,
    pub(crate) target: String,
    pub(crate) text: String,
}

impl Logger {
    pub(crate) const fn new(lets_through: fn(&Metadata<'_>) -> bool) -> Self {
        Self { lets_through, records: Mutex::new(Vec::new()) }
    }

    pub(crate) fn start(&'static self) {
        log::set_logger(self).unwrap();
        log::set_max_level(LevelFilter::Trace);
    }

    pub(crate) fn records(&self) -> Vec<Taken> {
        self.records.lock().unwrap().clone()
    }

    /// The records of this crate.
    pub(crate) fn own(&self) -> Vec<Taken> {
        self.records().into_iter().filter(|record| record.target.starts_with("arize_api_keys")).collect()
    }
}

impl Log for Logger {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        (self.lets_through)(metadata)
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            let fields = (record.module_path(), record.file());
            let text = format!("{} {fields:?}", record.args());
            let taken = Taken { level: record.level(), target: record.target().to_owned(), text };
            self.records.lock().unwrap().push(taken);
        }
    }

    fn flush(&self) {}
}

/// Runs `work`, and asserts that nothing in it panicked, on any thread.
pub(crate) fn without_panic(work: impl FnOnce()) {
    static PANICS: AtomicUsize = AtomicUsize::new(0);
    let shown = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        PANICS.fetch_add(1, Ordering::SeqCst);
        shown(panic);
    }));
    work();
    assert_eq!(PANICS.load(Ordering::SeqCst), 0, "panics");
}

fn builder() -> ClientBuilder {
    // Waits pass at once.
    ApiKeysClient::builder().ignore_env().clock(ManualClock::at(OffsetDateTime::UNIX_EPOCH)).api_key(OWN)
}

/// Everything that the client can do, through both transports, with services of every kind.
pub(crate) fn everything() {
    let in_process = Service::default();
    let served = Service::default();
    let port = served.serve();
    for stage in [ApiStage::Beta, ApiStage::Alpha] {
        let over_loopback = builder().stage(stage).scheme("http").host("127.0.0.1").port(port).build().unwrap();
        let directly = builder().stage(stage).transport(in_process.clone()).build().unwrap();
        for (service, client) in [(&in_process, &directly), (&served, &over_loopback)] {
            for script in Script::all() {
                service.play(script);
                every_call(&format!("{stage} {script:?}"), client);
            }
        }
    }
    networks(port);
    emulators();
    configurations();
    slips();
    requests();
}

fn bindings() -> CreateServiceKeyRequest {
    CreateServiceKeyRequest::for_organizations("n", [OrgBinding::new("o").space(SpaceBinding::new(SpaceRef::id("s")))])
}

fn every_call(what: &str, client: &ApiKeysClient) {
    clean_debug("the client", client);
    let list = ListRequest::new();
    clean_result(what, &client.list(&list));
    clean_result(what, &client.list(&list.clone().space("prod")));
    let mut keys = client.list_all(&list);
    clean_debug(what, &keys);
    let listed: Result<Vec<_>, _> = keys.by_ref().collect();
    clean_result(what, &listed);
    clean_debug(what, &keys);
    clean_result(what, &client.create(&CreateRequest::new("n")));
    for request in [
        CreateServiceKeyRequest::new("n", "prod"),
        CreateServiceKeyRequest::new("n", SpaceRef::id("s")),
        CreateServiceKeyRequest::new("n", SpaceRef::id("s")).org_id("o"),
        bindings(),
    ] {
        clean_result(what, &client.create_service_key(&request));
    }
    let refreshed = client.refresh(&RefreshRequest::new("k").grace_period(Duration::from_secs(60)));
    clean_result(what, &refreshed);
    clean_result(what, &client.delete("k"));
    clean_result(what, &client.revoke("k"));
    clean_result(what, &client.delete(""));

    if let Err(Error::SecretNotRecovered(lost)) = &refreshed {
        clean_debug(what, lost.raw_body());
    }
    if let Ok(created) = &refreshed {
        assert_eq!(created.key.expose_secret(), NEW);
        clean_result(what, &client.with_api_key(&created.key));
    }
    for store in [Ok(()), Err("disk full")] {
        match client.rotate("k", ReplacementKey::from(CreateRequest::new("n")), |_: &ApiKeyCreated| store) {
            Ok(created) => clean_debug(what, &created),
            Err(error) => clean_rotation(what, &error),
        }
    }
}

fn clean_rotation<E: Debug + Display + 'static>(what: &str, error: &RotationError<E>) {
    clean_debug(what, error);
    clean(what, &error.to_string());
    if let RotationError::Create(cause) | RotationError::Verify { cause, .. } | RotationError::Revoke { cause, .. } =
        error
    {
        clean_error(what, cause);
    }
}

/// No server, a server without TLS, and a proxy that refuses.
fn networks(port: u16) {
    let closed = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
    let unreachable = builder().scheme("http").host("127.0.0.1").port(closed).build().unwrap();
    every_call("no server", &unreachable);
    let no_tls = builder().host("127.0.0.1").port(port).build().unwrap();
    every_call("no TLS", &no_tls);

    // The host does not exist, and need not: the proxy is asked for it.
    let url = format!("http://user:{PASSWORD}@127.0.0.1:{port}");
    let by_proxy = builder().host("api.invalid").proxy(url.as_str());
    clean_debug("a builder with a proxy", &by_proxy);
    every_call("a proxy that refuses", &by_proxy.build().unwrap());
    let transport = UreqTransport::builder().proxy(url.as_str());
    clean_debug("a builder with a proxy", &transport);
    let transport = transport.build().unwrap();
    clean_debug("a transport with a proxy", &transport);
    clean_debug("a transport", &UreqTransport::new());
    let wrapped = move |request: arize_api_keys::http::Request<Vec<u8>>| {
        clean_debug("the headers of a request", request.headers());
        clean_debug("a request", &request.map(|_| ()));
        Ok(arize_api_keys::http::Response::default())
    };
    every_call("an empty answer", &builder().transport(wrapped).build().unwrap());
    // A key whose request does not even start.
    let unsendable = arize_api_keys::http::Request::get("ftp://127.0.0.1/").header("x", OWN).body(NEW.into()).unwrap();
    let error = transport.send(unsendable).unwrap_err();
    clean_debug("a transport error", &error);
    clean("a transport error", &error.to_string());
}

/// The emulator with its own secrets, which a test cannot choose: in process and served.
fn emulators() {
    for stage in [ApiStage::Beta, ApiStage::Alpha] {
        let emulator = Emulator::builder().stage(stage).build();
        plant(emulator.admin_key().expose_secret());
        let server = emulator.serve().unwrap();
        clean_debug("the server", &server);
        let user = emulator.add_user("u");
        let added = emulator.add_user_key(&user, "n").unwrap();
        plant(added.secret.expose_secret());
        clean_debug("an added key", &added);
        let builder = || ApiKeysClient::builder().ignore_env().stage(stage).api_key(emulator.admin_key());
        clean_debug("a builder", &builder());
        let over_loopback = builder().scheme("http").host("127.0.0.1").port(server.port()).build().unwrap();
        for client in [builder().transport(emulator.clone()).build().unwrap(), over_loopback] {
            let created = client.create(&CreateRequest::new("n")).unwrap();
            plant(created.key.expose_secret());
            clean_debug("a created key", &created);
            let service = client.create_service_key(&CreateServiceKeyRequest::new("n", "prod")).unwrap();
            plant(service.key.expose_secret());
            clean_debug("a service key", &service);
            let refreshed = client.refresh(&RefreshRequest::new(&created.id)).unwrap();
            plant(refreshed.key.expose_secret());
            clean_debug("a refreshed key", &refreshed);
            clean_result("a list", &client.list(&ListRequest::new()));
            client.delete(&created.id).unwrap();
            let dead = client.with_api_key(&refreshed.key).unwrap();
            clean_debug("a dead client", &dead);
            clean_result("a list", &dead.list(&ListRequest::new()));
            clean_result("a create", &dead.create(&CreateRequest::new("n")));
            clean_result("an unknown key", &client.delete("nothing"));
            clean_result("an unknown space", &client.list(&ListRequest::new().space("nowhere")));
            clean_result("two spaces", &client.list(&ListRequest::new().space("sandbox")));
            clean_debug("the emulator", &emulator);
            clean_debug("the server", &server);
        }
    }
}

/// A caller who gives the secret of a key where its id belongs. In process only: the URL has to hold it, and ureq logs that.
fn slips() {
    for stage in [ApiStage::Beta, ApiStage::Alpha] {
        let service = Service::default();
        let client = builder().stage(stage).transport(service.clone()).build().unwrap();
        for script in Script::all() {
            service.play(script);
            let what = format!("{stage} {script:?}, a slip");
            for secret in [OWN, NEW] {
                let request = RefreshRequest::new(secret);
                clean_debug(&what, &request);
                clean_result(&what, &client.refresh(&request));
                clean_result(&what, &client.delete(secret));
                clean_result(&what, &client.revoke(secret));
                if let Err(error) = client.rotate(secret, CreateRequest::new("n"), |_| Ok::<(), &str>(())) {
                    clean_rotation(&what, &error);
                }
            }
        }
    }
}

/// Clients that cannot be built, because of what holds the secret.
fn configurations() {
    let bare = || ApiKeysClient::builder().ignore_env();
    let odd_keys = ["", " ", "\n", "Bearer ", "é", "\0"].map(|odd| format!("{odd}{OWN}\nx{odd}"));
    let mut builders: Vec<ClientBuilder> = odd_keys.into_iter().map(|key| bare().api_key(key)).collect();
    builders.push(bare().api_key(OWN.repeat(200)));
    builders.push(bare().api_key(format!("Bearer {OWN}")));
    builders.push(builder().header("x-gateway", format!("{NEW}\nx")));
    builders.push(builder().header("authorization", NEW));
    builders.push(builder().header("no token", NEW));
    for proxy in [
        format!("http://user:{PASSWORD}@"),
        format!("http://user:{PASSWORD}@proxy.example:port"),
        format!("http://user:{PASSWORD} x@proxy.example"),
        format!("socks5://user:{PASSWORD}@proxy.example"),
        format!("ftp://user:{PASSWORD}@proxy.example"),
        format!("http://user:{PASSWORD}@proxy.example/path"),
    ] {
        let error = UreqTransport::builder().proxy(proxy.as_str()).build().unwrap_err();
        clean_error("an invalid proxy", &error);
        builders.push(builder().proxy(proxy));
    }
    for host in [format!("user:{PASSWORD}@api.example"), format!("https://user:{PASSWORD}@api.example")] {
        builders.push(builder().host(host.as_str()));
        builders.push(builder().single_host(host.as_str()));
        builders.push(builder().base_domain(host));
    }
    for refused in builders {
        clean_debug("a builder", &refused);
        clean_error("a builder that is refused", &refused.build().unwrap_err());
    }
    let own_header = builder().header("x-gateway", NEW).transport(Service::default()).build().unwrap();
    clean_debug("a client with a header", &own_header);
    let client = builder().transport(Service::default()).build().unwrap();
    clean_result("a bad key", &client.with_api_key(&format!("{NEW}\n{NEW}").into()));
}

/// A caller who gives a secret where a name or an id belongs.
fn requests() {
    let organization = OrgBinding::new(OWN).space(SpaceBinding::new(NEW)).space(SpaceBinding::new(SpaceRef::id(OWN)));
    let service_keys = [
        CreateServiceKeyRequest::new(OWN, NEW).description(NEW).org_id(OWN),
        CreateServiceKeyRequest::new(NEW, SpaceRef::id(OWN)),
        CreateServiceKeyRequest::for_organizations(NEW, [organization]),
    ];
    let user_key = CreateRequest::new(OWN).description(NEW);
    let lists = [
        ListRequest::new().space(OWN).org_id(NEW).user_id(OWN).cursor(NEW),
        ListRequest::new().space(SpaceRef::id(NEW)).user_id(NEW),
    ];
    clean_debug("requests", &(&service_keys, &user_key, &lists));
    clean_debug("a new key", &(ReplacementKey::from(user_key.clone()), service_keys.clone().map(ReplacementKey::from)));
    let service = Service::default();
    let client = builder().transport(service.clone()).build().unwrap();
    for script in Script::all() {
        service.play(script);
        let what = format!("{script:?}, a slip in a request");
        clean_result(&what, &client.create(&user_key));
        for request in &service_keys {
            clean_result(&what, &client.create_service_key(request));
        }
        for request in &lists {
            clean_result(&what, &client.list(request));
            clean_debug(&what, &client.list_all(request));
        }
    }
}
