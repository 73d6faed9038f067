//! A client against a service that fails: every fault of the emulator, for every verb, in process and over a socket.
#![cfg(all(feature = "emulator", feature = "ureq"))]

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use arize_api_keys::emulator::{Emulator, EmulatorServer, Endpoint, Fault, ManualClock};
use arize_api_keys::{
    ApiKeyCreated, ApiKeysClient, ApiStage, Clock, CreateRequest, CreateServiceKeyRequest, Error, ExposeSecret,
    ListRequest, Outcome, RefreshRequest, RetryPolicy, SendOptions, Transport, TransportError, TransportErrorKind,
    http,
};
use time::OffsetDateTime;

use crate::support::{REFUSALS, variant};

const SECOND: Duration = Duration::from_secs(1);

/// Far longer than any client here waits.
const LONG: Duration = Duration::from_secs(600);

#[derive(Clone, Copy, Debug, PartialEq)]
enum Verb {
    List,
    Create,
    Refresh,
    Delete,
}

use Verb::{Create, Delete, List, Refresh};

const VERBS: [Verb; 4] = [List, Create, Refresh, Delete];

impl Verb {
    fn endpoint(self) -> Endpoint {
        match self {
            List => Endpoint::ListKeys,
            Create => Endpoint::CreateKey,
            Refresh => Endpoint::RefreshKey,
            Delete => Endpoint::RemoveKey,
        }
    }

    fn mints(self) -> bool {
        matches!(self, Create | Refresh)
    }
}

/// An account, a key in it, and a client whose clock stands: nothing here waits but for a socket.
struct Scene {
    emulator: Emulator,
    clock: ManualClock,
    client: ApiKeysClient,
    key: String,
    _server: Option<EmulatorServer>,
}

#[derive(Clone, Copy, Debug)]
enum Way {
    InProcess,
    OverHttp,
}

const WAYS: [Way; 2] = [Way::InProcess, Way::OverHttp];

impl Scene {
    fn new(way: Way, stage: ApiStage, retry: RetryPolicy) -> Self {
        let clock = ManualClock::at(OffsetDateTime::from_unix_timestamp(1_800_000_000).unwrap());
        let emulator = Emulator::builder().seed(3).stage(stage).clock(clock.clone()).build();
        let builder = ApiKeysClient::builder()
            .ignore_env()
            .api_key(emulator.admin_key())
            .stage(stage)
            .retry(retry)
            .clock(clock.clone());
        let (builder, server) = match way {
            Way::InProcess => (builder.transport(emulator.clone()), None),
            Way::OverHttp => {
                let server = emulator.serve().unwrap();
                (builder.scheme("http").host("127.0.0.1").port(server.port()), Some(server))
            }
        };
        let key = emulator.add_user_key(&emulator.admin_id(), "old").unwrap();
        Self { emulator, clock, client: builder.build().unwrap(), key: key.id, _server: server }
    }

    /// Nothing but what was called for, and a secret that works.
    fn call(&self, verb: Verb) -> Result<(), Error> {
        let minted = match verb {
            List => {
                let keys = self.client.list(&ListRequest::new())?.api_keys;
                assert!(keys.iter().any(|key| key.name == "old"));
                return Ok(());
            }
            Delete => return self.client.delete(&self.key),
            Create => self.client.create(&CreateRequest::new("new"))?,
            Refresh => self.client.refresh(&RefreshRequest::new(&self.key))?,
        };
        assert!(self.emulator.authenticates(minted.key.expose_secret()));
        Ok(())
    }

    fn minted(&self) -> u64 {
        self.emulator.keys_created() + self.emulator.keys_refreshed()
    }

    /// Whether the key of the scene is still active.
    fn key_is_active(&self) -> bool {
        self.client.list(&ListRequest::new()).unwrap().api_keys.iter().any(|key| key.id == self.key)
    }
}

/// The result of a call.
#[derive(Debug, PartialEq)]
struct Found {
    /// The variant of the error and its outcome; nothing for success.
    error: Option<(&'static str, Outcome)>,
    requests: u64,
    minted: u64,
}

fn ok(requests: u64, minted: u64) -> Found {
    Found { error: None, requests, minted }
}

fn err(variant: &'static str, outcome: Outcome, requests: u64, minted: u64) -> Found {
    Found { error: Some((variant, outcome)), requests, minted }
}

/// Commits `fault` once for each verb, in process and over HTTP.
fn check(fault: Fault, expected: impl Fn(Verb) -> Found + Sync) {
    check_with(&RetryPolicy::default(), fault, 1, expected);
}

fn check_with(retry: &RetryPolicy, fault: Fault, times: u32, expected: impl Fn(Verb) -> Found + Sync) {
    std::thread::scope(|scope| {
        for way in WAYS {
            for verb in VERBS {
                let (fault, expected) = (fault.clone().times(times).only(verb.endpoint()), &expected);
                scope.spawn(move || check_one(way, verb, retry, times, fault, &expected(verb)));
            }
        }
    });
}

fn check_one(way: Way, verb: Verb, retry: &RetryPolicy, times: u32, fault: Fault, expected: &Found) {
    let scene = Scene::new(way, ApiStage::Beta, retry.clone());
    let what = format!("{verb:?} {way:?} {fault:?}");
    scene.emulator.inject(fault);
    let result = scene.call(verb);
    let what = format!("{what}: {result:?}");
    let requests = scene.emulator.requests();
    let error = result.as_ref().err().map(|error| (variant(error), error.outcome()));
    assert_eq!(Found { error, requests, minted: scene.minted() }, *expected, "{what}");
    assert_eq!(scene.emulator.faults_left(), u64::from(times).saturating_sub(requests), "{what}");
    assert_eq!(scene.emulator.faults_committed(), requests.min(times.into()), "{what}");
    if let Err(error) = &result {
        assert_eq!(u64::from(error.attempts()), requests, "{what}");
    }
    // A response that was not sent whole did not reach the caller, and the reverse.
    assert_eq!(scene.emulator.secrets_sent(), u64::from(verb.mints() && result.is_ok()), "{what}");
    if verb == Delete && result.is_ok() {
        assert!(!scene.key_is_active(), "{what}");
    }
}

#[test]
fn a_status_that_may_pass() {
    for status in [408, 500, 502, 503, 504] {
        let failed = if status == 408 { "UnexpectedStatus" } else { "Server" };
        check(Fault::status(status), |verb| match verb {
            List | Delete => ok(2, 0),
            Create | Refresh => err(failed, Outcome::Unknown, 1, 0),
        });
        check(Fault::status(status).after_handling(), |verb| match verb {
            List | Delete => ok(2, 0),
            Create | Refresh => err(failed, Outcome::Unknown, 1, 1),
        });
        check_with(&RetryPolicy::default(), Fault::status(status), 3, |verb| match verb {
            List | Delete => err(failed, Outcome::Unknown, 3, 0),
            Create | Refresh => err(failed, Outcome::Unknown, 1, 0),
        });
    }
}

#[test]
fn a_status_that_stays() {
    for (status, failed) in REFUSALS {
        check(Fault::status(status), |_| err(failed, Outcome::Rejected, 1, 0));
    }
    check(Fault::status(501), |_| err("Server", Outcome::Unknown, 1, 0));
    check(Fault::status(302), |verb| {
        err("UnexpectedStatus", if verb == List { Outcome::Rejected } else { Outcome::Unknown }, 1, 0)
    });
}

#[test]
fn a_503_that_vouches_for_itself() {
    let fault = Fault::status(503).retry_after(SECOND);
    check(fault, |verb| match verb {
        List | Delete => ok(2, 0),
        Create | Refresh => err("Server", Outcome::Unknown, 1, 0),
    });
}

#[test]
fn a_rate_limit() {
    check(Fault::rate_limit(2 * SECOND), |verb| ok(2, verb.mints().into()));
    check_with(&RetryPolicy::default(), Fault::rate_limit(2 * SECOND), 3, |_| {
        err("RateLimited", Outcome::Rejected, 3, 0)
    });
    check(Fault::rate_limit(3600 * SECOND), |_| err("RateLimited", Outcome::Rejected, 1, 0));
    for way in WAYS {
        let scene = Scene::new(way, ApiStage::Beta, RetryPolicy::default());
        let start = scene.clock.now();
        scene.emulator.inject(Fault::rate_limit(Duration::from_millis(1500)));
        scene.call(List).unwrap();
        assert_eq!(scene.clock.now() - start, Duration::from_millis(2200), "2 s in whole seconds, a tenth on top");
        scene.emulator.inject(Fault::rate_limit(Duration::MAX));
        assert_eq!(scene.call(List).unwrap_err().retry_after(), Some(Duration::from_secs(u64::MAX)));
    }
}

#[test]
fn a_page_of_html() {
    check(Fault::html(502), |verb| match verb {
        List | Delete => ok(2, 0),
        Create | Refresh => err("Server", Outcome::Unknown, 1, 0),
    });
    let login = |minted| {
        move |verb: Verb| match verb {
            List => err("Decode", Outcome::Applied, 1, 0),
            Create | Refresh => err("SecretNotRecovered", Outcome::Unknown, 1, minted),
            Delete => err("Decode", Outcome::Unknown, 1, 0),
        }
    };
    check(Fault::html(200), login(0));
    check(Fault::html(200).after_handling(), login(1));
}

#[test]
fn an_answer_that_is_late() {
    check(Fault::delay(Duration::from_millis(5)), |verb| ok(1, verb.mints().into()));
    // Over HTTP that is real time, in which a busy machine must get as far as an idle one: if not at first, then with more.
    let patience = |seconds: u32| {
        let policy = RetryPolicy::default().attempt_timeout(seconds * SECOND);
        check_with(&policy, Fault::delay(LONG), 1, |verb| match verb {
            List | Delete => ok(2, 0),
            Create | Refresh => err("Transport", Outcome::Unknown, 1, 1),
        });
    };
    if ![1, 5].into_iter().any(|seconds| std::panic::catch_unwind(|| patience(seconds)).is_ok()) {
        patience(30);
    }
}

#[test]
fn a_reset() {
    for (fault, minted) in [(Fault::reset(), 0), (Fault::reset().after_handling(), 1)] {
        check(fault.clone(), |verb| match verb {
            List | Delete => ok(2, 0),
            Create | Refresh => err("Transport", Outcome::Unknown, 1, minted),
        });
        check_with(&RetryPolicy::default(), fault, 3, |verb| match verb {
            List | Delete => err("Transport", Outcome::Unknown, 3, 0),
            Create | Refresh => err("Transport", Outcome::Unknown, 1, minted),
        });
    }
}

#[test]
fn a_body_that_breaks_off() {
    for bytes in [0, 20] {
        check(Fault::truncate(bytes), |verb| match verb {
            List => ok(2, 0),
            Create | Refresh => err("SecretNotRecovered", Outcome::Applied, 1, 1),
            // There is no body that could break off.
            Delete => ok(1, 0),
        });
    }
    check(Fault::truncate(usize::MAX), |verb| ok(1, verb.mints().into()));
}

/// A response that breaks off anywhere: if the secret had arrived, the caller has it, whole.
#[test]
fn a_secret_that_arrived_is_never_lost() {
    for way in WAYS {
        let scene = Scene::new(way, ApiStage::Beta, RetryPolicy::default());
        let Scene { emulator, client, .. } = &scene;
        let service_key = CreateServiceKeyRequest::new("bot", emulator.space_id("acme", "prod").unwrap())
            .org_id(emulator.organization_id("acme").unwrap());
        let key = client.create(&CreateRequest::new("new")).unwrap().details.id;
        let calls: [&dyn Fn() -> Result<ApiKeyCreated, Error>; 3] =
            [&|| client.create(&CreateRequest::new("new")), &|| client.create_service_key(&service_key), &|| {
                client.refresh(&RefreshRequest::new(&key))
            }];
        for call in calls {
            let (mut lost, mut rescued) = (0, 0);
            for bytes in 0.. {
                let (minted, sent) = (scene.minted(), emulator.secrets_sent());
                emulator.inject(Fault::truncate(bytes));
                let result = call();
                assert_eq!(scene.minted(), minted + 1);
                let arrived = emulator.secrets_sent() - sent;
                match result {
                    Ok(created) => {
                        assert!(emulator.authenticates(created.key.expose_secret()), "{bytes} {way:?}");
                        assert_eq!(arrived, 1, "{bytes} {way:?}");
                        rescued += 1;
                        if created.warnings.is_empty() {
                            break;
                        }
                    }
                    Err(error) => {
                        assert_eq!((arrived, error.outcome()), (0, Outcome::Applied), "{bytes} {way:?} {error}");
                        lost += 1;
                    }
                }
            }
            assert!(lost > 100 && rescued > 1, "{lost} {rescued}");
        }
    }
}

/// On the alpha stage, a key that is gone cannot be deleted again.
#[test]
fn a_delete_whose_answer_was_lost() {
    for way in WAYS {
        let scene = Scene::new(way, ApiStage::Alpha, RetryPolicy::default());
        scene.emulator.inject(Fault::reset().after_handling());
        scene.call(Delete).unwrap();
        assert_eq!(scene.emulator.requests(), 2);
        assert!(!scene.key_is_active());
        assert_eq!(variant(&scene.call(Delete).unwrap_err()), "NotFound");
    }
}

#[test]
fn the_queue() {
    let scene = Scene::new(Way::InProcess, ApiStage::Beta, RetryPolicy::none());
    let Scene { emulator, .. } = &scene;
    emulator.inject(Fault::status(500).times(0));
    assert_eq!(emulator.faults_left(), 0);
    emulator.inject(Fault::status(501).only(Endpoint::CreateKey).times(2));
    emulator.inject(Fault::status(502).only(Endpoint::ListKeys));
    emulator.inject(Fault::status(503));
    emulator.inject(Fault::status(504).only(Endpoint::ListSpaces));
    assert_eq!(emulator.faults_left(), 5);
    // Each meets the first one that is for it: a list passes by what waits for a create.
    let status = |verb| scene.call(verb).err().and_then(|error| error.status());
    assert_eq!([List, List, List].map(status), [Some(502), Some(503), None]);
    assert_eq!([Create, Create, Create].map(status), [Some(501), Some(501), None]);
    assert_eq!((emulator.faults_left(), emulator.faults_committed()), (1, 4));
    assert_eq!(emulator.requests(), 6);
    // The look-up before the call, not the call.
    let error = scene.client.list(&ListRequest::new().space("prod")).unwrap_err();
    assert_eq!((error.status(), error.outcome()), (Some(504), Outcome::NotSent));
}

#[test]
fn a_fault_need_not_be_authenticated_nor_for_anything_that_is_there() {
    let emulator = Emulator::new();
    let send = |target: &str| emulator.send(http::Request::get(target).body(Vec::new()).unwrap()).unwrap();
    emulator.inject(Fault::status(503).only(Endpoint::ListKeys));
    emulator.inject(Fault::html(502));
    assert_eq!(send("http://emulator/nowhere").status(), 502);
    assert_eq!(send("http://emulator/nowhere").status(), 404);
    assert_eq!(send("http://emulator/v2/api-keys").status(), 503);
    assert_eq!(send("http://emulator/v2/api-keys").status(), 401);
}

#[test]
fn what_is_no_status_is_a_500() {
    let emulator = Emulator::new();
    for status in [0, 99, 100, 199, 1000, u16::MAX] {
        for fault in [Fault::status(status), Fault::html(status)] {
            emulator.inject(fault);
            let response = emulator.send(http::Request::new(Vec::new())).unwrap();
            assert_eq!(response.status(), 500, "{status}");
        }
    }
}

/// The transport in process returns only results that a transport over a socket could return.
#[test]
fn what_a_client_hears_in_process() {
    let scene = Scene::new(Way::InProcess, ApiStage::Beta, RetryPolicy::none());
    let hear = |fault: Fault| -> (TransportErrorKind, TransportError) {
        let request = http::Request::get("http://emulator/v2/api-keys")
            .extension(SendOptions::new(SECOND))
            .body(Vec::new())
            .unwrap();
        scene.emulator.inject(fault);
        let error = scene.emulator.send(request).unwrap_err();
        assert!(error.may_have_been_sent());
        (error.kind(), error)
    };
    assert_eq!(hear(Fault::reset()).0, TransportErrorKind::Interrupted);
    let (kind, error) = hear(Fault::truncate(7));
    assert_eq!(kind, TransportErrorKind::Interrupted);
    assert!(format!("{error:?}").contains("PartialResponse(401, 7 bytes)"), "{error:?}");
    let start = scene.clock.now();
    assert_eq!(hear(Fault::delay(2 * SECOND)).0, TransportErrorKind::Timeout);
    assert_eq!(scene.clock.now() - start, SECOND);

    // A caller without a limit waits.
    scene.emulator.inject(Fault::delay(LONG));
    assert!(scene.emulator.send(http::Request::new(Vec::new())).is_ok());
    assert_eq!(scene.clock.now() - start, SECOND + LONG);
}

/// The answers without a body leave the connection in order.
#[test]
fn an_answer_without_a_body() {
    let scene = Scene::new(Way::OverHttp, ApiStage::Beta, RetryPolicy::none());
    for fault in [Fault::status(204), Fault::html(204), Fault::status(205), Fault::status(304), Fault::html(304)] {
        scene.emulator.inject(fault.clone());
        assert!(scene.call(List).is_err(), "{fault:?}");
        scene.call(List).unwrap();
    }
}

const ASK: &[u8] = b"GET /v2/api-keys HTTP/1.1\r\nhost: localhost\r\n\r\n";

#[test]
fn a_reset_is_one_on_the_wire() {
    let emulator = Emulator::new();
    let server = emulator.serve().unwrap();
    emulator.inject(Fault::status(503));
    emulator.inject(Fault::reset());
    let mut stream = TcpStream::connect(server.addr()).unwrap();
    stream.write_all(ASK).unwrap();
    let mut answer = [0; 4096];
    let mut length = 0;
    while !answer[..length].ends_with(b"}") {
        length += stream.read(&mut answer[length..]).unwrap();
    }
    stream.write_all(ASK).unwrap();
    let ended = stream.read(&mut [0]);
    if cfg!(target_os = "linux") {
        assert_eq!(ended.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
    }
    assert_eq!(emulator.requests(), 2);
}

#[test]
fn a_body_that_breaks_off_was_announced_whole() {
    let emulator = Emulator::new();
    let server = emulator.serve().unwrap();
    emulator.inject(Fault::truncate(9));
    let mut stream = TcpStream::connect(server.addr()).unwrap();
    stream.write_all(ASK).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
    assert!(length.parse::<usize>().unwrap() > 9, "{head}");
    assert!(!head.contains("connection: close"), "{head}");
    assert_eq!(body.len(), 9);
}

#[test]
fn a_server_that_stops_does_not_wait_for_a_delay() {
    let emulator = Emulator::new();
    let server = emulator.serve().unwrap();
    emulator.inject(Fault::delay(LONG));
    let mut stream = TcpStream::connect(server.addr()).unwrap();
    stream.write_all(ASK).unwrap();
    while emulator.faults_left() > 0 {
        std::thread::yield_now();
    }
    server.stop();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
}

#[test]
fn chance() {
    let run = |rate: f64| {
        let scene = Scene::new(Way::InProcess, ApiStage::Beta, RetryPolicy::none());
        scene.emulator.inject_randomly(rate, 5);
        let told = |_| scene.call(List).err().map_or("ok".to_owned(), |e| format!("{} {:?}", variant(&e), e.status()));
        let told: Vec<String> = (0..400).map(told).collect();
        (told, scene.emulator.faults_committed())
    };
    let (told, committed) = run(0.25);
    assert_eq!((&told, committed), (&run(0.25).0, run(0.25).1));
    assert!((60..140).contains(&committed), "{committed}");
    for kind in ["ok", "RateLimited Some(429)", "Server Some(503)", "Decode Some(200)", "Transport None"] {
        assert!(told.iter().any(|told| told == kind), "{kind}");
    }
    assert_eq!([run(0.0).1, run(-1.0).1, run(f64::NAN).1], [0, 0, 0]);
    assert_eq!([run(1.0).1, run(f64::INFINITY).1], [400, 400]);
}

/// Queued faults come first.
#[test]
fn chance_leaves_the_queue_its_turn() {
    let scene = Scene::new(Way::InProcess, ApiStage::Beta, RetryPolicy::none());
    scene.emulator.inject_randomly(1.0, 5);
    scene.emulator.inject(Fault::status(418));
    assert_eq!(scene.call(List).unwrap_err().status(), Some(418));
    scene.emulator.inject_randomly(0.0, 5);
    scene.call(List).unwrap();
}
