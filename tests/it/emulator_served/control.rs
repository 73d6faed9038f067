//! The controls, over HTTP.

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

use arize_api_keys::emulator::{ControlServer, Emulator, EmulatorServer, Endpoint, Fault, ManualClock};
use arize_api_keys::{ApiKeysClient, CreateRequest, ExposeSecret, ListRequest, RefreshRequest, RetryPolicy};
use serde_json::{Value, json};
use time::OffsetDateTime;

use crate::support::served::{Answer, Connection, Folder};

struct Served {
    emulator: Emulator,
    server: EmulatorServer,
    control: ControlServer,
}

impl Served {
    fn new(emulator: Emulator) -> Self {
        let server = emulator.serve().unwrap();
        let control = server.control().unwrap();
        Self { emulator, server, control }
    }

    fn send(&self, line: &str, headers: &str, body: &str) -> Answer {
        let mut connection = Connection::open(self.control.addr()).unwrap();
        connection.send(&format!("{line} HTTP/1.1\r\nhost: localhost{headers}"), body).unwrap()
    }

    /// The status and the body.
    fn call(&self, line: &str, body: &Value) -> (u16, Value) {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let answer = self.send(line, "", &body);
        (answer.status, if answer.body.is_empty() { Value::Null } else { answer.json() })
    }

    fn detail(&self, line: &str, body: &Value) -> (u16, String) {
        let (status, body) = self.call(line, body);
        (status, body["detail"].as_str().unwrap().to_owned())
    }

    fn client(&self) -> ApiKeysClient {
        let builder = ApiKeysClient::builder().ignore_env().api_key(self.emulator.admin_key());
        builder
            .transport(self.emulator.clone())
            .clock(self.emulator.clock().clone())
            .retry(RetryPolicy::none())
            .build()
            .unwrap()
    }
}

fn standing() -> Emulator {
    let clock = ManualClock::at(OffsetDateTime::UNIX_EPOCH + time::Duration::days(20_000));
    Emulator::builder().seed(1).clock(clock).build()
}

#[test]
fn health_and_counters() {
    let served = Served::new(standing());
    assert_eq!(served.call("GET /v0/health", &Value::Null), (200, json!({"status": "ok"})));
    let created = served.client().create(&CreateRequest::new("k")).unwrap();
    served.client().refresh(&RefreshRequest::new(&created.id)).unwrap();
    served.emulator.inject(Fault::status(503).times(3));
    assert!(served.client().list(&ListRequest::new()).is_err());
    let stats = json!({"requests": 3, "keys_created": 1, "keys_refreshed": 1, "secrets_sent": 2,
        "faults_committed": 1, "faults_left": 2});
    assert_eq!(served.call("GET /v0/stats", &Value::Null), (200, stats));
    assert_eq!(served.server.addr().ip(), served.control.addr().ip());
    assert_eq!(served.control.url(), format!("http://{}", served.control.addr()));
}

#[test]
fn faults_are_put_read_and_taken_away() {
    let served = Served::new(standing());
    let texts = ["create:reset,after", "list:429,retry-after=1000ms*2", "html=200"];
    assert_eq!(served.call("PUT /v0/faults", &json!({"faults": texts})), (204, Value::Null));
    assert_eq!(served.call("GET /v0/faults", &Value::Null), (200, json!({"faults": texts})));
    assert!(served.client().create(&CreateRequest::new("k")).is_err());
    assert_eq!(served.emulator.keys_created(), 1);
    assert!(served.client().list(&ListRequest::new()).is_err());
    let left = json!({"faults": ["list:429,retry-after=1000ms", "html=200"]});
    assert_eq!(served.call("GET /v0/faults", &Value::Null), (200, left));
    assert_eq!(served.call("PUT /v0/faults", &json!({"faults": ["create:503"]})), (204, Value::Null));
    served.client().list(&ListRequest::new()).unwrap();
    assert_eq!(served.call("DELETE /v0/faults", &Value::Null), (204, Value::Null));
    served.client().create(&CreateRequest::new("k")).unwrap();
}

#[test]
fn the_clock_moves() {
    let served = Served::new(standing());
    let created = served.client().create(&CreateRequest::new("k").expires_in(Duration::from_secs(3600))).unwrap();
    let (status, body) = served.call("PUT /v0/clock", &json!({"advance": "59m 59s"}));
    assert_eq!((status, body), (200, json!({"now": "2024-10-04T00:59:59Z"})));
    assert!(served.emulator.authenticates(created.key.expose_secret()));
    served.call("PUT /v0/clock", &json!({"advance": "1s"}));
    assert!(!served.emulator.authenticates(created.key.expose_secret()));
    let (status, body) = served.call("PUT /v0/clock", &json!({"now": "2024-10-04T02:30:00+02:00"}));
    assert_eq!((status, body), (200, json!({"now": "2024-10-04T00:30:00Z"})));
    assert!(served.emulator.authenticates(created.key.expose_secret()));
}

#[test]
fn the_account_is_read_and_put_back() {
    let served = Served::new(standing());
    let early = served.client().create(&CreateRequest::new("early")).unwrap();
    let (status, state) = served.call("GET /v0/state", &Value::Null);
    assert_eq!((status, state["keys"][1]["secret"].as_str()), (200, Some(early.key.expose_secret())));
    let late = served.client().create(&CreateRequest::new("late")).unwrap();
    assert_eq!(served.call("PUT /v0/state", &state), (204, Value::Null));
    assert!(served.emulator.authenticates(early.key.expose_secret()));
    assert!(!served.emulator.authenticates(late.key.expose_secret()));
    assert_eq!(served.call("GET /v0/state", &Value::Null).1, state);
    // The next key is the same again.
    let again = served.client().create(&CreateRequest::new("late")).unwrap();
    assert_eq!((&again.id, again.key.expose_secret()), (&late.id, late.key.expose_secret()));
}

#[test]
fn a_reset_restores_what_was_there_when_the_controls_started() {
    let emulator = standing();
    emulator.add_user("jo");
    emulator.inject(Fault::status(503).only(Endpoint::RefreshKey));
    let served = Served::new(emulator);
    let before = served.call("GET /v0/state", &Value::Null);
    let key = served.emulator.admin_key();
    let created = served.client().create(&CreateRequest::new("k")).unwrap();
    served.client().refresh(&RefreshRequest::new(&created.id)).unwrap_err();
    let own = served.client().list(&ListRequest::new()).unwrap().api_keys.remove(0);
    served.client().revoke(&own.id).unwrap();
    served.call("PUT /v0/clock", &json!({"advance": "9d"}));
    assert_eq!(served.call("POST /v0/reset", &Value::Null), (204, Value::Null));
    assert_eq!(served.call("GET /v0/state", &Value::Null), before);
    assert_eq!(served.call("GET /v0/faults", &Value::Null).1, json!({"faults": ["refresh:503"]}));
    assert!(served.emulator.authenticates(key.expose_secret()));
    assert_eq!(
        (served.emulator.requests(), served.emulator.keys_created(), served.emulator.faults_committed()),
        (0, 0, 0)
    );
    assert_eq!(arize_api_keys::Clock::now(served.emulator.clock()).unix_timestamp(), 20_000 * 86_400);
}

#[test]
fn what_is_put_is_in_the_state_file() {
    let folder = Folder::new();
    let path = folder.file("state");
    let served = Served::new(Emulator::builder().open(&path).unwrap());
    let mut state = served.call("GET /v0/state", &Value::Null).1;
    state["organizations"] = json!([{"name": "put"}]);
    assert_eq!(served.call("PUT /v0/state", &state).0, 204);
    assert!(fs::read_to_string(&path).unwrap().contains("\"put\""));
    assert_eq!(served.call("POST /v0/reset", &Value::Null).0, 204);
    assert!(fs::read_to_string(&path).unwrap().contains("\"acme-labs\""));
}

#[test]
fn bad_input_is_named() {
    let served = Served::new(standing());
    let cases = [
        ("PUT /v0/faults", json!({}), "`faults` is required"),
        ("PUT /v0/faults", json!({"faults": "503"}), "`faults` must be an array"),
        ("PUT /v0/faults", json!({"faults": [], "x": 1}), "`x` is not known here"),
        ("PUT /v0/faults", json!({"faults": ["503", 503]}), "`faults[1]`: must be a string"),
        (
            "PUT /v0/faults",
            json!({"faults": ["503*0"]}),
            "`faults[0]`: `0` is not a number of times from 1 on, as in `503*2`",
        ),
        ("PUT /v0/clock", json!({}), "either `advance` or `now` is required"),
        (
            "PUT /v0/clock",
            json!({"advance": "1h", "now": "2026-01-01T00:00:00Z"}),
            "either `advance` or `now` is required",
        ),
        (
            "PUT /v0/clock",
            json!({"advance": "soon"}),
            "`advance`: `soon` is not a duration, as in `500ms`, `90s` or `1h 30m`",
        ),
        ("PUT /v0/clock", json!({"now": "soon"}), "`now` must be an RFC 3339 date-time"),
        ("PUT /v0/clock", json!([]), "the body must be an object"),
        ("PUT /v0/state", json!({"keys": [{"nam": "x"}]}), "`keys[0].nam`: not known here; known: one of "),
    ];
    for (line, body, expected) in cases {
        let (status, detail) = served.detail(line, &body);
        assert!(status == 400 && detail.starts_with(expected), "{line} {body}: {status} {detail}");
    }
    for (line, allow) in [
        ("POST /v0/health", "GET"),
        ("PUT /v0/stats", "GET"),
        ("POST /v0/faults", "GET, PUT, DELETE"),
        ("GET /v0/clock", "PUT"),
        ("DELETE /v0/state", "GET, PUT"),
        ("GET /v0/reset", "POST"),
    ] {
        let answer = served.send(line, "", "");
        assert_eq!((answer.status, answer.header("allow")), (405, Some(allow.to_ascii_lowercase().as_str())), "{line}");
    }
    for path in ["/", "/v0", "/v0/health/", "/v1/health", "/v2/api-keys"] {
        assert_eq!(served.detail(&format!("GET {path}"), &Value::Null).0, 404, "{path}");
    }
    for origin in ["http://evil.example", "null", "http://localhost"] {
        let answer = served.send("POST /v0/reset", &format!("\r\norigin: {origin}"), "");
        assert_eq!(answer.status, 403);
        assert_eq!(answer.json()["detail"], "web pages may not control the emulator");
    }
    let mut connection = Connection::open(served.control.addr()).unwrap();
    assert_eq!(connection.send("GET /v0/state HTTP/1.1\r\nhost: evil.example", "").unwrap().status, 421);
    assert_eq!(served.emulator.requests(), 0);
}

#[test]
fn faults_as_text() {
    let seconds = Duration::from_secs;
    let cases = [
        ("503", Fault::status(503)),
        ("create:503*2", Fault::status(503).times(2).only(Endpoint::CreateKey)),
        ("list:429,retry-after=2s", Fault::rate_limit(seconds(2)).only(Endpoint::ListKeys)),
        ("refresh:reset,after", Fault::reset().after_handling().only(Endpoint::RefreshKey)),
        ("remove:html=200", Fault::html(200).only(Endpoint::RemoveKey)),
        ("spaces:delay=1s 500ms*3", Fault::delay(Duration::from_millis(1500)).times(3).only(Endpoint::ListSpaces)),
        ("space:delay=1h30m", Fault::delay(seconds(5400)).only(Endpoint::GetSpace)),
        ("organizations:truncate=20", Fault::truncate(20).only(Endpoint::ListOrganizations)),
        ("503,after,retry-after=1s", Fault::status(503).after_handling().retry_after(seconds(1))),
        ("delay=1w 1d 1m", Fault::delay(seconds(691_260))),
    ];
    for (text, fault) in cases {
        assert_eq!(text.parse(), Ok(fault.clone()), "{text}");
        assert_eq!(fault.to_string().parse(), Ok(fault), "{text}");
    }
    for text in [
        "",
        "create:",
        "99",
        "600",
        "keys:503",
        "503*",
        "503*0",
        "503*x",
        "503,before",
        "delay=soon",
        "delay=",
        "delay=1",
        "delay=1x",
        "delay=-1s",
        "delay=99999999999999999999s",
        "truncate=-1",
        "html=",
        "reset=1",
    ] {
        assert!(text.parse::<Fault>().is_err(), "{text}");
    }
    let useless = "reset,after,retry-after=1s".parse::<Fault>().unwrap_err();
    assert_eq!(useless.to_string(), "a `reset` has no response, and so no `retry-after`");
    assert_eq!(Fault::reset().retry_after(seconds(1)), Fault::reset());
}

/// `docs/emulator.schema.json` knows the members that the emulator knows: a message names them all.
#[test]
fn the_schema_has_every_member() {
    let schema: Value = serde_json::from_str(include_str!("../../../docs/emulator.schema.json")).unwrap();
    let served = Served::new(standing());
    let space = json!({"space": "prod", "?": 1});
    let grant = json!({"organization": "acme", "?": 1});
    for (definition, document) in [
        ("account", json!({"?": 1})),
        ("admin", json!({"admin": {"?": 1}})),
        ("organization", json!({"organizations": [{"?": 1}]})),
        ("space", json!({"organizations": [{"name": "x", "spaces": [{"?": 1}]}]})),
        ("role", json!({"roles": [{"?": 1}]})),
        ("user", json!({"users": [{"?": 1}]})),
        ("organization_grant", json!({"users": [{"name": "x", "organizations": [grant]}]})),
        ("space_grant", json!({"users": [{"name": "x", "organizations": [{"organization": "x", "spaces": [space]}]}]})),
        ("key", json!({"keys": [{"?": 1}]})),
        ("service", json!({"keys": [{"name": "x", "service": {"?": 1}}]})),
        ("grace", json!({"keys": [{"name": "x", "graces": [{"?": 1}]}]})),
        ("counters", json!({"counters": {"?": 1}})),
    ] {
        let (status, detail) = served.detail("PUT /v0/state", &document);
        assert_eq!(status, 400, "{detail}");
        let known = detail.split_once("known: ").expect(&detail).1;
        let known: BTreeSet<&str> = known.split('`').skip(1).step_by(2).collect();
        let properties = &schema["$defs"][definition]["properties"];
        let described: BTreeSet<&str> = properties.as_object().expect(definition).keys().map(String::as_str).collect();
        assert_eq!(described, known, "{definition}");
    }
    let stats = served.call("GET /v0/stats", &Value::Null).1;
    let described = &schema["$defs"]["stats"]["properties"];
    assert_eq!(
        stats.as_object().unwrap().keys().collect::<Vec<_>>(),
        described.as_object().unwrap().keys().collect::<Vec<_>>()
    );
}
