//! The emulator, seen from outside: requests in, answers out, and no client in between.
#![cfg(feature = "emulator")]

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use arize_api_keys::emulator::{Emulator, EmulatorBuilder, ManualClock, Role};
use arize_api_keys::{ApiStage, Transport, http};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// An emulator whose time is 2026-01-02T03:04:05Z, and a key for requests.
struct Caller {
    emulator: Emulator,
    secret: String,
}

fn moment(text: &str) -> OffsetDateTime {
    OffsetDateTime::parse(text, &Rfc3339).unwrap()
}

fn builder() -> EmulatorBuilder {
    Emulator::builder().seed(1).clock(ManualClock::at(moment("2026-01-02T03:04:05Z")))
}

fn admin(emulator: &Emulator) -> Caller {
    Caller { emulator: emulator.clone(), secret: emulator.admin_key().expose_secret().to_owned() }
}

/// A user with a role in one space, and their key.
fn user_in(emulator: &Emulator, space: &str, role: Role) -> (String, Caller) {
    let id = emulator.add_user("somebody");
    emulator.set_space_role(&id, space, role).unwrap();
    let key = emulator.add_user_key(&id, "theirs").unwrap();
    (id, Caller { emulator: emulator.clone(), secret: key.secret.expose_secret().to_owned() })
}

fn encode(id: &str) -> String {
    id.replace('=', "%3D").replace('+', "%2B").replace('/', "%2F")
}

impl Caller {
    fn send(&self, method: &str, target: &str, body: &str) -> http::Response<Vec<u8>> {
        let request = http::Request::builder()
            .method(method)
            .uri(format!("http://emulator{target}"))
            .header("authorization", format!("Bearer {}", self.secret))
            .body(body.as_bytes().to_vec())
            .unwrap();
        self.emulator.send(request).unwrap()
    }

    /// The status and the body; `null` for an empty one.
    fn call(&self, method: &str, target: &str, body: Value) -> (u16, Value) {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let response = self.send(method, target, &body);
        let kind = response.headers().get("content-type").map(|kind| kind.to_str().unwrap().to_owned());
        let status = response.status().as_u16();
        let expected = match (response.body().is_empty(), status) {
            (true, _) => None,
            (false, 200..300) => Some("application/json"),
            (false, _) => Some("application/problem+json"),
        };
        assert_eq!(kind.as_deref(), expected);
        let body =
            if response.body().is_empty() { Value::Null } else { serde_json::from_slice(response.body()).unwrap() };
        (status, body)
    }

    #[track_caller]
    fn ok(&self, method: &str, target: &str, body: Value) -> Value {
        let (status, body) = self.call(method, target, body);
        assert!((200..300).contains(&status), "{status} {body}");
        body
    }

    /// The status and the detail of a refusal.
    #[track_caller]
    fn refusal(&self, method: &str, target: &str, body: Value) -> (u16, String) {
        let (status, body) = self.call(method, target, body);
        assert_eq!(body["status"], status, "{body}");
        (status, body["detail"].as_str().expect("a refusal").to_owned())
    }

    fn create(&self, body: Value) -> Value {
        self.ok("POST", "/v2/api-keys", body)
    }

    fn names(&self, target: &str) -> Vec<String> {
        let page = self.ok("GET", target, Value::Null);
        let list = page.as_object().unwrap().values().find_map(Value::as_array).unwrap();
        list.iter().map(|item| item["name"].as_str().unwrap().to_owned()).collect()
    }

    fn authenticates(&self, created: &Value) -> bool {
        self.emulator.authenticates(created["key"].as_str().unwrap())
    }
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap()
}

fn detail(status: u16, detail: &str) -> (u16, String) {
    (status, detail.to_owned())
}

/// A beta service key in one space.
fn service(emulator: &Emulator, name: &str, organization: &str, space: &str) -> Value {
    json!({"key_type": "SERVICE", "name": name, "organizations": [{
        "org_id": emulator.organization_id(organization).unwrap(),
        "spaces": [{"space_id": emulator.space_id(organization, space).unwrap()}],
    }]})
}

#[test]
fn a_user_key_in_both_stages() {
    let emulator = builder().build();
    let caller = admin(&emulator);
    let created = caller.call(
        "POST",
        "/v2/api-keys",
        json!({"key_type": "USER", "name": "n", "description": "", "expires_at": "2027-01-02T03:04:05.120000+02:00"}),
    );
    let key = text(&created.1, "key").to_owned();
    assert!(key.starts_with("ak-") && key.len() >= 43, "{key}");
    let expected = json!({
        "id": created.1["id"], "name": "n", "description": "", "key_type": "USER", "status": "ACTIVE",
        "redacted_key": format!("{}...{}", &key[..6], &key[key.len() - 3..]),
        "created_at": "2026-01-02T03:04:05Z", "expires_at": "2027-01-02T01:04:05.12Z",
        "created_by_user_id": emulator.admin_id(), "key": key,
    });
    assert_eq!(created, (201, expected));

    let created = caller.create(json!({"key_type": "user", "name": "", "unknown": 1}));
    assert_eq!((text(&created, "key_type"), text(&created, "status")), ("user", "active"));
    assert_eq!(created.as_object().unwrap().len(), 8);
    assert_eq!(caller.refusal("POST", "/v2/api-keys", json!({"name": "n"})), detail(400, "`key_type` is required"));
    let alpha = admin(&builder().stage(ApiStage::Alpha).build());
    assert_eq!(alpha.create(json!({"name": "n"}))["key_type"], "user");
    assert_eq!(emulator.keys_created(), 2);
}

#[test]
fn a_service_key_in_three_dialects() {
    let emulator = builder().build();
    let caller = admin(&emulator);
    let (organization, space) = (emulator.organization_id("acme").unwrap(), emulator.space_id("acme", "prod").unwrap());
    let role = emulator.add_custom_role("auditor");
    let predefined = |name: &str| json!({"type": "PREDEFINED", "name": name});

    let nested = caller.create(json!({"key_type": "SERVICE", "name": "s", "account_role": predefined("ADMIN"),
    "organizations": [{"org_id": organization, "role": predefined("MEMBER"), "spaces": [
        {"space_id": space, "role": {"type": "CUSTOM", "id": role}},
        {"space_id": emulator.space_id("acme", "staging").unwrap()},
    ]}]}));
    let bot = json!({"id": nested["bot_user"]["id"], "name": "s", "account_role": predefined("ADMIN"),
    "organizations": [{"org_id": organization, "role": predefined("MEMBER"), "spaces": [
        {"space_id": space, "role": {"type": "CUSTOM", "id": role, "name": "auditor"}},
        {"space_id": emulator.space_id("acme", "staging").unwrap(), "role": predefined("MEMBER")},
    ]}]});
    assert_eq!(nested["bot_user"], bot);
    assert!(caller.authenticates(&nested));

    let flat = caller.create(json!({"key_type": "SERVICE", "name": "f", "space_id": space,
        "roles": {"space_role": "READ_ONLY"}}));
    let bot = json!({"id": flat["bot_user"]["id"], "name": "f", "account_role": predefined("MEMBER"),
        "organizations": [{"org_id": organization, "role": predefined("READ_ONLY"),
            "spaces": [{"space_id": space, "role": predefined("READ_ONLY")}]}]});
    assert_eq!(flat["bot_user"], bot);

    let alpha = caller.create(json!({"key_type": "service", "name": "a", "space_id": space,
        "roles": {"space_role": "read-only", "org_role": "admin", "account_role": "admin"}}));
    assert_eq!((text(&alpha, "key_type"), alpha.get("bot_user")), ("service", None));

    // In a list of one space the organizations are left out; in another they are there.
    let page = caller.ok("GET", &format!("/v2/api-keys?space_id={}", encode(&space)), Value::Null);
    let bots: Vec<_> = page["api_keys"].as_array().unwrap().iter().map(|key| &key["bot_user"]).collect();
    assert_eq!(bots.len(), 3);
    assert!(bots.iter().all(|bot| bot["organizations"] == json!([])), "{page}");
    let page = caller.ok("GET", "/v2/api-keys?key_type=SERVICE", Value::Null);
    assert_eq!(page["api_keys"][0]["bot_user"], nested["bot_user"]);
    let page = caller.ok("GET", "/v2/api-keys?key_type=service", Value::Null);
    assert_eq!(page["api_keys"][0].get("bot_user"), None);
}

#[test]
fn what_create_refuses() {
    let emulator = builder().build();
    let caller = admin(&emulator);
    let space = emulator.space_id("acme", "prod").unwrap();
    let user = |more: Value| {
        let mut body = json!({"key_type": "USER", "name": "n"});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let nested = |change: &dyn Fn(&mut Value)| {
        let mut body = service(&emulator, "s", "acme", "prod");
        change(&mut body);
        body
    };
    let annotator = json!({"type": "PREDEFINED", "name": "ANNOTATOR"});
    let custom = json!({"type": "CUSTOM", "id": emulator.add_custom_role("r")});
    let cases = [
        (json!([]), 400, "the body must be an object"),
        (json!({"key_type": "USER"}), 400, "`name` is required"),
        (user(json!({"name": null})), 400, "`name` must be a string"),
        (user(json!({"name": "é".repeat(257)})), 400, "`name` must have at most 256 characters"),
        (user(json!({"description": "y".repeat(1001)})), 400, "`description` must have at most 1000 characters"),
        (user(json!({"key_type": "User"})), 400, "`key_type` cannot be `User`"),
        (user(json!({"space_id": space})), 400, "`space_id` is not known here"),
        (user(json!({"key_type": "user", "roles": {}})), 400, "`roles` is for service keys"),
        (user(json!({"expires_at": "2027-01-02T03:04:05"})), 400, "`expires_at` must be an RFC 3339 date-time"),
        (
            user(json!({"expires_at": "9999-12-31T23:59:59-01:00"})),
            400,
            "`expires_at` must be in the years 0 to 9999, in UTC",
        ),
        (user(json!({"expires_at": "2026-01-02T03:04:05Z"})), 422, "`expires_at` must be in the future"),
        (json!({"key_type": "SERVICE", "name": "n"}), 400, "`organizations` is required"),
        (json!({"key_type": "service", "name": "n"}), 400, "`space_id` is required"),
        (
            json!({"key_type": "SERVICE", "name": "n", "space_id": space, "organizations": []}),
            400,
            "`organizations` is not known here",
        ),
        (
            json!({"key_type": "service", "name": "n", "space_id": space, "roles": {"space_role": "ADMIN"}}),
            400,
            "`roles.space_role` cannot be `ADMIN`",
        ),
        (
            json!({"key_type": "service", "name": "n", "space_id": space, "roles": {"account_role": "read-only"}}),
            400,
            "`roles.account_role` cannot be `read-only`",
        ),
        (
            json!({"key_type": "SERVICE", "name": "n", "space_id": space, "roles": {"org_role": "ANNOTATOR"}}),
            422,
            "`roles.org_role`: service keys cannot have `ANNOTATOR`",
        ),
        (nested(&|body| body["organizations"] = json!([])), 400, "`organizations` must have 1 to 100 entries"),
        (
            nested(&|body| body["organizations"][0]["spaces"] = json!([])),
            400,
            "`organizations[0].spaces` must have 1 to 100 entries",
        ),
        (
            nested(&|body| body["organizations"][0]["spaces"][0]["name"] = json!("prod")),
            400,
            "`organizations[0].spaces[0].name` is not known here",
        ),
        (
            nested(&|body| body["organizations"][0]["role"] = annotator.clone()),
            422,
            "`organizations[0].role.name`: service keys cannot have `ANNOTATOR`",
        ),
        (
            nested(&|body| body["account_role"] = annotator.clone()),
            400,
            "`account_role.name`: service keys cannot have `ANNOTATOR`",
        ),
        (
            nested(&|body| body["account_role"] = custom.clone()),
            422,
            "`account_role`: custom roles are for spaces only",
        ),
        (
            nested(&|body| body["organizations"][0]["role"] = custom.clone()),
            422,
            "`organizations[0].role`: custom roles are for spaces only",
        ),
        (
            nested(&|body| body["organizations"][0]["spaces"][0]["role"] = json!({"type": "CUSTOM", "id": "none"})),
            422,
            "`organizations[0].spaces[0].role.id`: there is no such role",
        ),
        (
            nested(&|body| body["organizations"][0]["spaces"][0]["space_id"] = json!("prod")),
            404,
            "`organizations[0].spaces[0].space_id`: there is no such space",
        ),
        (
            nested(&|body| body["organizations"][0]["org_id"] = json!("T3Jn")),
            404,
            "`organizations[0].org_id`: there is no such organization",
        ),
        (
            nested(&|body| {
                body["organizations"][0]["spaces"][0]["space_id"] =
                    json!(emulator.space_id("acme-labs", "sandbox").unwrap());
            }),
            422,
            "`organizations[0].spaces[0].space_id` is a space of another organization",
        ),
        (
            nested(&|body| {
                let space = body["organizations"][0]["spaces"][0].clone();
                body["organizations"][0]["spaces"].as_array_mut().unwrap().push(space);
            }),
            422,
            "`organizations[0].spaces[1].space_id` names a space a second time",
        ),
        (
            nested(&|body| {
                let organization = body["organizations"][0].clone();
                body["organizations"].as_array_mut().unwrap().push(organization);
            }),
            422,
            "`organizations[1].org_id` names an organization a second time",
        ),
    ];
    for (body, status, expected) in cases {
        assert_eq!(caller.refusal("POST", "/v2/api-keys", body.clone()), detail(status, expected), "{body}");
    }
    assert_eq!(emulator.keys_created(), 0);
    assert_eq!(caller.send("POST", "/v2/api-keys", "").status(), 400);
    assert_eq!(caller.send("POST", "/v2/api-keys", &"[".repeat(100_000)).status(), 400);
}

#[test]
fn a_problem_in_full() {
    let caller = admin(&builder().build());
    let response = caller.send("GET", "/v2/api-keys/a%2Fb", "");
    assert_eq!(response.headers()["allow"], "DELETE");
    assert_eq!(response.headers()["content-type"], "application/problem+json");
    assert!(response.headers()["x-request-id"].to_str().unwrap().starts_with("req-"));
    let body: Value = serde_json::from_slice(response.body()).unwrap();
    let expected = json!({"type": "about:blank", "title": "Method Not Allowed", "status": 405,
        "detail": "this path takes DELETE only", "instance": "/v2/api-keys/a%2Fb"});
    assert_eq!(body, expected);
}

#[test]
fn paths_and_methods() {
    let caller = admin(&builder().build());
    let cases = [
        ("GET", "/", 404),
        ("GET", "/v2", 404),
        ("GET", "/v1/api-keys", 404),
        ("GET", "/v2/api-keys/", 404),
        ("DELETE", "/v2/api-keys/", 404),
        ("PUT", "/v2/api-keys//revoke", 404),
        ("PUT", "/v2/api-keys/../revoke", 404),
        ("PUT", "/v2/api-keys/%2e%2e/revoke", 404),
        ("PUT", "/v2/revoke", 404),
        ("POST", "/v2/api-keys/refresh", 405),
        ("PUT", "/v2/api-keys/%FF/revoke", 404),
        ("PUT", "/v2/api-keys/unknown/revoke", 404),
        ("PUT", "/v2/api-keys/unknown/revoke/", 404),
        ("PATCH", "/v2/api-keys", 405),
        ("HEAD", "/v2/spaces", 405),
        ("PURGE", "/v2/organizations", 405),
        ("DELETE", "/v2/api-keys/%7Bapi_key_id%7D", 404),
        ("GET", "/v2/spaces/", 404),
        ("GET", "/v2/spaces/U3BhY2U6MTIzNDU=", 404),
    ];
    for (method, target, status) in cases {
        assert_eq!(caller.send(method, target, "").status(), status, "{method} {target}");
    }
    assert!(caller.send("HEAD", "/v2/spaces", "").body().is_empty());
    assert_eq!(caller.emulator.requests(), cases.len() as u64 + 1);
}

#[test]
fn who_is_let_in() {
    let emulator = builder().build();
    let caller = admin(&emulator);
    let with = |header: Option<&[u8]>| {
        let mut request = http::Request::get("/v2/spaces").body(Vec::new()).unwrap();
        if let Some(header) = header {
            request.headers_mut().insert("authorization", http::HeaderValue::from_bytes(header).unwrap());
        }
        let response = emulator.send(request).unwrap();
        let body: Value = serde_json::from_slice(response.body()).unwrap();
        let challenge = response.headers().get("www-authenticate").map(|value| value.to_str().unwrap().to_owned());
        (response.status().as_u16(), challenge.unwrap_or_default(), body["detail"].as_str().unwrap_or("").to_owned())
    };
    let refused = |detail: &str| (401, "Bearer".to_owned(), detail.to_owned());
    let unknown = || refused("the API key is not known");
    let secret = caller.secret.as_str();
    assert_eq!(with(None), refused("there is no API key in the request"));
    assert_eq!(with(Some(b"")), unknown());
    assert_eq!(with(Some(b"\xff")), unknown());
    assert_eq!(with(Some(format!("Bearer Bearer {secret}").as_bytes())), unknown());
    assert_eq!(with(Some(format!("Basic {secret}").as_bytes())), unknown());
    assert_eq!(with(Some(secret.as_bytes())).0, 200);
    assert_eq!(with(Some(format!("bearer {secret}").as_bytes())).0, 200);

    let created = caller.create(json!({"key_type": "USER", "name": "n", "expires_at": "2026-01-02T03:05:05Z"}));
    let bearer = format!("Bearer {}", text(&created, "key"));
    emulator.clock().advance(Duration::from_secs(59));
    assert_eq!(with(Some(bearer.as_bytes())).0, 200);
    emulator.clock().advance(Duration::from_secs(1));
    assert_eq!(with(Some(bearer.as_bytes())), refused("the API key has expired"));
    caller.ok("PUT", &format!("/v2/api-keys/{}/revoke", text(&created, "id")), Value::Null);
    assert_eq!(with(Some(bearer.as_bytes())), refused("the API key is revoked"));

    // A bad key is reported before a bad request, and a use of a key is noted.
    let listed = caller.ok("GET", "/v2/api-keys?status=REVOKED", Value::Null);
    assert_eq!(listed["api_keys"][0]["last_used_at"], "2026-01-02T03:05:04Z");
    let stranger = Caller { emulator: emulator.clone(), secret: "ak-unknown".to_owned() };
    assert_eq!(stranger.call("POST", "/v2/api-keys", json!([])).0, 401);
}

#[test]
fn lists_filter_and_page() {
    let emulator = builder().build();
    let caller = admin(&emulator);
    let prod = encode(&emulator.space_id("acme", "prod").unwrap());
    for number in 0..5 {
        caller.create(json!({"key_type": "USER", "name": format!("user-{number}")}));
        caller.create(service(&emulator, &format!("service-{number}"), "acme", "prod"));
    }
    assert_eq!(caller.names("/v2/api-keys"), ["admin", "user-0", "user-1", "user-2", "user-3", "user-4"]);
    let services = ["service-0", "service-1", "service-2", "service-3", "service-4"];
    assert_eq!(caller.names(&format!("/v2/api-keys?space_id={prod}")), services);
    assert_eq!(caller.names(&format!("/v2/api-keys?space_id={prod}&key_type=SERVICE&status=ACTIVE")), services);
    assert_eq!(caller.names(&format!("/v2/api-keys?space_id={prod}&key_type=USER")), [""; 0]);
    assert_eq!(caller.names("/v2/api-keys?key_type=SERVICE"), services);
    let me = encode(&emulator.admin_id());
    assert_eq!(caller.names(&format!("/v2/api-keys?space_id={prod}&user_id={me}")), services);
    assert_eq!(caller.names("/v2/api-keys?status=revoked"), [""; 0]);

    let mut seen = Vec::new();
    let mut target = format!("/v2/api-keys?space_id={prod}&limit=2");
    loop {
        let page = caller.ok("GET", &target, Value::Null);
        seen.extend(page["api_keys"].as_array().unwrap().iter().map(|key| text(key, "name").to_owned()));
        let Some(cursor) = page["pagination"].get("next_cursor") else {
            assert_eq!(page["pagination"], json!({"has_more": false}));
            break;
        };
        assert_eq!(page["pagination"], json!({"has_more": true, "next_cursor": cursor}));
        let cursor = encode(cursor.as_str().unwrap());
        // Of another listing it says nothing.
        assert_eq!(
            caller.refusal("GET", &format!("/v2/api-keys?cursor={cursor}"), Value::Null),
            detail(400, "`cursor` is not one that this listing has given")
        );
        target = format!("/v2/api-keys?space_id={prod}&limit=2&cursor={cursor}");
        if seen.len() == 2 {
            // A page does not shift when a key before it goes and one is added.
            let gone = caller.ok("GET", &format!("/v2/api-keys?space_id={prod}&limit=1"), Value::Null);
            caller.ok("DELETE", &format!("/v2/api-keys/{}", text(&gone["api_keys"][0], "id")), Value::Null);
            caller.create(service(&emulator, "service-5", "acme", "prod"));
        }
    }
    assert_eq!(seen, ["service-0", "service-1", "service-2", "service-3", "service-4", "service-5"]);
    assert_eq!(caller.names(&format!("/v2/api-keys?space_id={prod}&status=REVOKED")), ["service-0"]);
    assert_eq!(caller.names("/v2/api-keys?limit=1&cursor="), ["admin"]);

    let unknown = "U3BhY2U6MTIzNDU%3D";
    let cases = [
        ("limit=0".to_owned(), 400, "`limit` must be an integer from 1 to 100"),
        ("limit=101".to_owned(), 400, "`limit` must be an integer from 1 to 100"),
        ("limit=-1".to_owned(), 400, "`limit` must be an integer from 1 to 100"),
        ("limit=".to_owned(), 400, "`limit` must be an integer from 1 to 100"),
        ("limit=1&limit=2".to_owned(), 400, "`limit` is given more than once"),
        ("cursor=%FF".to_owned(), 400, "the query is not UTF-8"),
        ("cursor=abc".to_owned(), 400, "`cursor` is not one that this listing has given"),
        ("status=all".to_owned(), 400, "`status` cannot be `all`"),
        ("key_type=user&status=ACTIVE".to_owned(), 400, "`key_type` and `status` are words of two stages"),
        (format!("space_id={unknown}"), 404, "`space_id`: there is no such space"),
        ("space_id=prod".to_owned(), 404, "`space_id`: there is no such space"),
        (format!("user_id={unknown}"), 404, "`user_id`: there is no such user"),
    ];
    for (query, status, expected) in cases {
        assert_eq!(caller.refusal("GET", &format!("/v2/api-keys?{query}"), Value::Null), detail(status, expected));
    }
}

#[test]
fn alpha_words_are_answered_in_alpha() {
    let caller = admin(&builder().build());
    let words = |target: &str| {
        let page = caller.ok("GET", target, Value::Null);
        (text(&page["api_keys"][0], "key_type").to_owned(), text(&page["api_keys"][0], "status").to_owned())
    };
    let alpha = ("user".to_owned(), "active".to_owned());
    let beta = ("USER".to_owned(), "ACTIVE".to_owned());
    assert_eq!(words("/v2/api-keys"), beta);
    assert_eq!(words("/v2/api-keys?key_type=USER"), beta);
    assert_eq!(words("/v2/api-keys?key_type=user"), alpha);
    assert_eq!(words("/v2/api-keys?status=active&limit=1"), alpha);
    caller.names("/v2/api-keys?status=deleted");
    let caller = admin(&builder().stage(ApiStage::Alpha).build());
    let page = caller.ok("GET", "/v2/api-keys", Value::Null);
    assert_eq!(page["api_keys"][0]["key_type"], "user");
}

#[test]
fn refresh_replaces_the_secret() {
    let emulator = builder().build();
    let caller = admin(&emulator);
    let created = caller.create(json!({"key_type": "USER", "name": "n", "expires_at": "2026-02-01T00:00:00Z"}));
    let target = format!("/v2/api-keys/{}/refresh", encode(text(&created, "id")));

    let refusals = [
        (json!({}), 422, "`expires_at` is required: this API key has an expiry"),
        (Value::Null, 422, "`expires_at` is required: this API key has an expiry"),
        (
            json!({"expires_at": "2026-02-01T00:00:01Z"}),
            422,
            "`expires_at` must not be later than this API key's expiry",
        ),
        (json!({"expires_at": "2026-01-01T00:00:00Z"}), 422, "`expires_at` must be in the future"),
        (json!({"grace_period_seconds": -1}), 400, "`grace_period_seconds` must be an integer from 0 to 86400"),
        (json!({"grace_period_seconds": 86_401}), 400, "`grace_period_seconds` must be an integer from 0 to 86400"),
        (json!({"grace_period_seconds": 1.5}), 400, "`grace_period_seconds` must be an integer"),
        (json!({"name": "x"}), 400, "`name` is not known here"),
    ];
    for (body, status, expected) in refusals {
        assert_eq!(caller.refusal("POST", &target, body), detail(status, expected));
    }
    assert!(caller.authenticates(&created));
    assert_eq!(emulator.keys_refreshed(), 0);

    let (status, first) =
        caller.call("POST", &target, json!({"expires_at": "2026-01-31T00:00:00Z", "grace_period_seconds": 300}));
    let mut expected = created.clone();
    expected["expires_at"] = json!("2026-01-31T00:00:00Z");
    expected["key"] = first["key"].clone();
    expected["redacted_key"] = first["redacted_key"].clone();
    assert_eq!((status, &first), (200, &expected));
    assert_ne!(first["key"], created["key"]);
    assert!(caller.authenticates(&created) && caller.authenticates(&first));
    emulator.clock().advance(Duration::from_secs(299));
    assert!(caller.authenticates(&created));
    emulator.clock().advance(Duration::from_secs(1));
    assert!(!caller.authenticates(&created) && caller.authenticates(&first));

    let second = caller.ok("POST", &target, json!({"expires_at": "2026-01-31T00:00:00Z"}));
    assert!(!caller.authenticates(&first) && caller.authenticates(&second));
    assert_eq!((emulator.keys_created(), emulator.keys_refreshed()), (1, 2));

    // A grace ends with the old secret's own expiry, and with the key.
    emulator.clock().set(moment("2026-01-30T23:59:00Z"));
    let third =
        caller.ok("POST", &target, json!({"expires_at": "2026-01-31T00:00:00Z", "grace_period_seconds": 86_400}));
    emulator.clock().set(moment("2026-01-31T00:00:00Z"));
    assert!(!caller.authenticates(&second) && !caller.authenticates(&third));
    assert_eq!(
        caller.refusal("POST", &target, json!({"expires_at": "2026-02-01T00:00:00Z"})),
        detail(422, "`expires_at` must not be later than this API key's expiry")
    );

    let unbounded = caller.create(json!({"key_type": "USER", "name": "u"}));
    let target = format!("/v2/api-keys/{}/refresh", text(&unbounded, "id"));
    let graced = caller.ok("POST", &target, json!({"grace_period_seconds": 60}));
    assert_eq!(graced.get("expires_at"), None);
    assert!(caller.authenticates(&unbounded));
    caller.ok("PUT", &format!("/v2/api-keys/{}/revoke", text(&unbounded, "id")), Value::Null);
    assert!(!caller.authenticates(&unbounded) && !caller.authenticates(&graced));
    assert_eq!(caller.refusal("POST", &target, Value::Null), detail(404, "this API key is revoked"));
}

#[test]
fn alpha_refreshes_without_an_expiry() {
    let emulator = builder().stage(ApiStage::Alpha).build();
    let caller = admin(&emulator);
    let created = caller.create(json!({"key_type": "user", "name": "n", "expires_at": "2026-02-01T00:00:00Z"}));
    let target = format!("/v2/api-keys/{}/refresh", text(&created, "id"));
    assert_eq!(caller.ok("POST", &target, json!({})).get("expires_at"), None);
    let later = caller.ok("POST", &target, json!({"expires_at": "2030-01-01T00:00:00Z"}));
    assert_eq!((&later["expires_at"], &later["key_type"]), (&json!("2030-01-01T00:00:00Z"), &json!("user")));
}

#[test]
fn refresh_never_shows_the_bot() {
    let emulator = builder().build();
    let caller = admin(&emulator);
    let created = caller.create(service(&emulator, "s", "acme", "prod"));
    let refreshed = caller.ok("POST", &format!("/v2/api-keys/{}/refresh", text(&created, "id")), Value::Null);
    assert_eq!((&refreshed["id"], refreshed.get("bot_user")), (&created["id"], None));
}

#[test]
fn an_account_may_cap_the_lifetime() {
    let caller = admin(&builder().max_key_lifetime(Duration::from_secs(86_400)).build());
    let created = caller.create(json!({"key_type": "USER", "name": "n"}));
    assert_eq!(created["expires_at"], "2026-01-03T03:04:05Z");
    assert_eq!(
        caller.refusal(
            "POST",
            "/v2/api-keys",
            json!({"key_type": "USER", "name": "n", "expires_at": "2026-01-03T03:04:06Z"})
        ),
        detail(422, "`expires_at` is later than this account's longest key lifetime allows")
    );
    // The admin's key is from before the cap.
    let keys = caller.ok("GET", "/v2/api-keys?limit=1", Value::Null);
    let target = format!("/v2/api-keys/{}/refresh", text(&keys["api_keys"][0], "id"));
    assert_eq!(caller.ok("POST", &target, Value::Null)["expires_at"], "2026-01-03T03:04:05Z");
}

#[test]
fn revoking_twice_and_deleting_twice() {
    let caller = admin(&builder().build());
    let created = caller.create(json!({"key_type": "USER", "name": "n"}));
    let id = encode(text(&created, "id"));
    for _ in 0..2 {
        assert_eq!(caller.call("PUT", &format!("/v2/api-keys/{id}/revoke"), Value::Null), (204, Value::Null));
    }
    assert!(!caller.authenticates(&created));
    assert_eq!(caller.names("/v2/api-keys?status=revoked"), ["n"]);
    let created = caller.create(json!({"key_type": "USER", "name": "m"}));
    let target = format!("/v2/api-keys/{}", text(&created, "id"));
    assert_eq!(caller.call("DELETE", &target, Value::Null), (204, Value::Null));
    assert_eq!(caller.refusal("DELETE", &target, Value::Null), detail(404, "this API key is deleted"));
    // A key may end itself.
    let keys = caller.ok("GET", "/v2/api-keys", Value::Null);
    caller.ok("DELETE", &format!("/v2/api-keys/{}", text(&keys["api_keys"][0], "id")), Value::Null);
    assert_eq!(caller.refusal("GET", "/v2/spaces", Value::Null), detail(401, "the API key is revoked"));
}

#[test]
fn who_may_see_and_do_what() {
    let emulator = builder().build();
    let boss = admin(&emulator);
    let (acme, prod) = (emulator.organization_id("acme").unwrap(), emulator.space_id("acme", "prod").unwrap());
    let staging = emulator.space_id("acme", "staging").unwrap();
    let in_prod = format!("/v2/api-keys?space_id={}", encode(&prod));
    let (member_id, member) = user_in(&emulator, &prod, Role::Member);
    let (_, reader) = user_in(&emulator, &prod, Role::ReadOnly);
    let stranger = emulator.add_user_key(&emulator.add_user("stranger"), "theirs").unwrap();
    let stranger = Caller { emulator: emulator.clone(), secret: stranger.secret.expose_secret().to_owned() };

    assert_eq!(member.names("/v2/spaces"), ["prod"]);
    assert_eq!(member.names("/v2/organizations"), ["acme"]);
    assert_eq!(stranger.names("/v2/spaces"), [""; 0]);
    assert_eq!(member.call("GET", &format!("/v2/spaces/{}", encode(&staging)), Value::Null).0, 404);
    assert_eq!(member.names("/v2/api-keys"), ["theirs"]);

    // Listing.
    let own = format!("/v2/api-keys?user_id={}", encode(&member_id));
    assert_eq!(boss.names(&own), ["theirs"]);
    assert_eq!(
        member.refusal("GET", &own, Value::Null),
        detail(403, "`user_id` without `space_id` is for account admins")
    );
    assert_eq!(
        reader.refusal("GET", &in_prod, Value::Null),
        detail(403, "you may not read the service keys of this space")
    );
    assert_eq!(stranger.refusal("GET", &in_prod, Value::Null), detail(404, "`space_id`: there is no such space"));

    // Creating.
    let by_boss = boss.create(service(&emulator, "of the boss", "acme", "prod"));
    let by_member = member.create(service(&emulator, "of the member", "acme", "prod"));
    assert_eq!(member.names(&in_prod), ["of the boss", "of the member"]);
    assert_eq!(member.names(&format!("{in_prod}&user_id={}", encode(&member_id))), ["of the member"]);
    let flat = |roles: Value| json!({"key_type": "service", "name": "s", "space_id": prod, "roles": roles});
    let above = |path: &str| detail(422, &format!("`{path}`: the role is above your own"));
    let refused = [
        (flat(json!({"space_role": "admin"})), above("space_id")),
        (flat(json!({"org_role": "member"})), above("roles.org_role")),
        (flat(json!({"account_role": "admin"})), above("account_role")),
    ];
    for (body, expected) in refused {
        assert_eq!(member.refusal("POST", "/v2/api-keys", body), expected);
    }
    assert_eq!(
        reader.refusal("POST", "/v2/api-keys", flat(json!({"space_role": "read-only"}))),
        detail(403, "`space_id`: you may not create service keys in this space")
    );
    emulator.set_org_role(&member_id, &acme, Role::Admin).unwrap();
    member.create(flat(json!({"space_role": "admin", "org_role": "admin"})));
    assert_eq!(member.names("/v2/spaces"), ["prod", "prod-eu", "staging", "sandbox"]);
    emulator.set_org_role(&member_id, &acme, Role::ReadOnly).unwrap();

    // Refreshing and revoking.
    let target = |key: &Value, verb: &str| format!("/v2/api-keys/{}{verb}", encode(text(key, "id")));
    let hidden = detail(404, "there is no such API key");
    for caller in [&reader, &stranger] {
        assert_eq!(caller.refusal("PUT", &target(&by_boss, "/revoke"), Value::Null), hidden);
    }
    assert_eq!(
        member.refusal("PUT", &target(&by_boss, "/revoke"), Value::Null),
        detail(403, "you may not revoke this API key")
    );
    assert_eq!(
        member.refusal("POST", &target(&by_boss, "/refresh"), Value::Null),
        detail(403, "you may not refresh this API key")
    );
    member.ok("POST", &target(&by_member, "/refresh"), Value::Null);
    member.ok("PUT", &target(&by_member, "/revoke"), Value::Null);
    let personal = member.create(json!({"key_type": "USER", "name": "mine"}));
    assert_eq!(reader.refusal("DELETE", &target(&personal, ""), Value::Null), hidden);
    assert_eq!(boss.refusal("POST", &target(&personal, "/refresh"), Value::Null).0, 403);
    boss.ok("DELETE", &target(&personal, ""), Value::Null);

    // A service key acts with its own roles.
    let bot = Caller { emulator: emulator.clone(), secret: text(&by_boss, "key").to_owned() };
    assert_eq!(bot.names("/v2/api-keys"), [""; 0]);
    assert_eq!(bot.names(&in_prod), ["of the boss", "s"]);
    assert_eq!(bot.names("/v2/spaces"), ["prod"]);
}

#[test]
fn spaces_and_organizations() {
    let emulator = builder().build();
    let caller = admin(&emulator);
    let (acme, labs) = (emulator.organization_id("acme").unwrap(), emulator.organization_id("acme-labs").unwrap());
    assert!(!acme.contains('=') && acme.len() % 4 != 0, "{acme}");
    assert_eq!(caller.names("/v2/spaces"), ["prod", "prod-eu", "staging", "sandbox", "research", "sandbox"]);
    assert_eq!(caller.names("/v2/spaces?name=PROD&limit=100"), ["prod", "prod-eu"]);
    assert_eq!(caller.names(&format!("/v2/spaces?org_id={labs}")), ["research", "sandbox"]);
    assert_eq!(caller.names(&format!("/v2/spaces?org_id={labs}&name=sand%62ox")), ["sandbox"]);
    assert_eq!(caller.names("/v2/organizations?name=LABS"), ["acme-labs"]);
    emulator.add_space(&acme, "two words").unwrap();
    assert_eq!(caller.names("/v2/spaces?name=o+w"), ["two words"]);
    assert_eq!(caller.names("/v2/spaces?name=o%20w"), ["two words"]);

    let first = caller.ok("GET", "/v2/spaces?limit=2&name=o", Value::Null);
    let cursor = encode(text(&first["pagination"], "next_cursor"));
    assert_eq!(
        caller.names(&format!("/v2/spaces?limit=9&name=o&cursor={cursor}")),
        ["sandbox", "sandbox", "two words"]
    );

    let id = emulator.space_id("acme", "prod").unwrap();
    let space = json!({"id": id, "name": "prod", "description": "", "created_at": "2026-01-02T03:04:05Z",
        "is_private": false, "organization_id": acme});
    assert_eq!(caller.ok("GET", &format!("/v2/spaces/{}", encode(&id)), Value::Null), space);
    assert_eq!(caller.ok("GET", &format!("/v2/spaces/{}", id.trim_end_matches('=')), Value::Null), space);
    let organizations = caller.ok("GET", "/v2/organizations?limit=1", Value::Null);
    assert_eq!(
        organizations["organizations"],
        json!([{"id": acme, "name": "acme", "description": "", "created_at": "2026-01-02T03:04:05Z"}])
    );
    assert_eq!(
        caller.refusal("GET", &format!("/v2/spaces?name={}", "x".repeat(256)), Value::Null),
        detail(400, "`name` must have at most 255 characters")
    );
    assert_eq!(
        caller.refusal("GET", "/v2/spaces?org_id=acme", Value::Null),
        detail(404, "`org_id`: there is no such organization")
    );

    for older in [builder().omit_organization_id(true), builder().stage(ApiStage::Alpha)] {
        let emulator = older.build();
        let id = encode(&emulator.space_id("acme", "prod").unwrap());
        let space = admin(&emulator).ok("GET", &format!("/v2/spaces/{id}"), Value::Null);
        assert_eq!(space.get("organization_id"), None);
    }
}

#[test]
fn a_seed_makes_everything_the_same_again() {
    let run = || {
        let emulator = builder().build();
        let response = admin(&emulator).send("POST", "/v2/api-keys", r#"{"key_type":"USER","name":"n"}"#);
        (response.headers()["x-request-id"].clone(), response.into_body())
    };
    assert_eq!(run(), run());
    assert_ne!(Emulator::new().admin_key().expose_secret(), Emulator::new().admin_key().expose_secret());
}

#[test]
fn debug_shows_no_secret() {
    let emulator = builder().build();
    let user = emulator.add_user("somebody");
    let key = emulator.add_user_key(&user, "theirs").unwrap();
    let server = emulator.serve().unwrap();
    let shown = format!("{emulator:?} {key:?} {server:?}");
    for secret in [emulator.admin_key(), key.secret] {
        assert!(!shown.contains(&secret.expose_secret()[3..]), "{shown}");
    }
    assert_eq!(
        emulator.add_space("none", "s").unwrap_err().to_string(),
        "the account has no organization with this id"
    );
}

/// A connection to a served emulator.
struct Wire {
    stream: TcpStream,
    read: Vec<u8>,
}

impl Wire {
    fn open(server: &arize_api_keys::emulator::EmulatorServer) -> Self {
        let stream = TcpStream::connect(server.addr()).unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, read: Vec::new() }
    }

    fn write(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).unwrap();
    }

    /// The head and the body of the next answer.
    fn answer(&mut self) -> (String, String) {
        let mut buffer = [0; 4096];
        loop {
            if let Some(end) = self.read.windows(4).position(|four| four == b"\r\n\r\n") {
                let head = String::from_utf8(self.read[..end].to_vec()).unwrap();
                let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
                let length = length.map_or(0, |length| length.parse().unwrap());
                if self.read.len() >= end + 4 + length {
                    let body = String::from_utf8(self.read[end + 4..end + 4 + length].to_vec()).unwrap();
                    self.read.drain(..end + 4 + length);
                    return (head, body);
                }
            }
            let count = self.stream.read(&mut buffer).unwrap();
            assert_ne!(count, 0, "the connection ended after {:?}", String::from_utf8_lossy(&self.read));
            self.read.extend_from_slice(&buffer[..count]);
        }
    }

    /// The bytes until the server closes the connection.
    fn rest(mut self) -> String {
        self.stream.read_to_end(&mut self.read).unwrap();
        String::from_utf8(self.read).unwrap()
    }
}

fn status_line(answer: &(String, String)) -> &str {
    answer.0.lines().next().unwrap()
}

#[test]
fn one_connection_carries_many_requests() {
    let emulator = builder().build();
    let server = emulator.serve().unwrap();
    assert_eq!(server.url(), format!("http://127.0.0.1:{}", server.port()));
    let caller = admin(&emulator);
    let auth = format!("authorization: Bearer {}\r\n", caller.secret);
    let mut wire = Wire::open(&server);

    let body = r#"{"key_type":"USER","name":"n"}"#;
    let halves = body.split_at(7);
    wire.write(format!(
        "POST /v2/api-keys HTTP/1.1\r\nhost: localhost\r\n{auth}content-length: {}\r\n\r\n{}",
        body.len(),
        halves.0
    ));
    wire.write(halves.1);
    let created = wire.answer();
    assert_eq!(status_line(&created), "HTTP/1.1 201 Created");
    let key: Value = serde_json::from_str(&created.1).unwrap();
    let id = encode(text(&key, "id"));

    wire.write(format!(
        "POST /v2/api-keys/{id}/refresh HTTP/1.1\r\nhost: localhost\r\n{auth}transfer-encoding: chunked\r\n\r\n\
         1;x=y\r\n{{\r\n1B \t;x\r\n\"grace_period_seconds\": 300\r\n1\r\n}}\r\n0\r\nafter: all\r\n\r\n"
    ));
    assert_eq!(status_line(&wire.answer()), "HTTP/1.1 200 OK");
    assert!(caller.authenticates(&key));

    wire.write(format!(
        "POST /v2/api-keys HTTP/1.1\r\nhost: localhost\r\n{auth}expect: 100-continue\r\ncontent-length: {}\r\n\r\n",
        body.len()
    ));
    assert_eq!(status_line(&wire.answer()), "HTTP/1.1 100 Continue");
    wire.write(body);
    assert_eq!(status_line(&wire.answer()), "HTTP/1.1 201 Created");

    wire.write(format!("PUT /v2/api-keys/{id}/revoke HTTP/1.1\r\nhost: localhost\r\n{auth}content-length: 0\r\n\r\n"));
    let revoked = wire.answer();
    assert_eq!(status_line(&revoked), "HTTP/1.1 204 No Content");
    assert_eq!((revoked.0.contains("content-length"), revoked.1.as_str()), (false, ""));
    assert!(!caller.authenticates(&key));

    // Two at once, and the second is the last.
    wire.write(format!(
        "GET /v2/spaces?limit=1 HTTP/1.1\r\nhost: localhost\r\n{auth}\r\nHEAD /v2/spaces HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"
    ));
    assert_eq!(status_line(&wire.answer()), "HTTP/1.1 200 OK");
    let last = wire.rest();
    assert!(last.starts_with("HTTP/1.1 405 Method Not Allowed\r\n") && last.ends_with("connection: close\r\n\r\n"));
    assert_eq!(emulator.requests(), 6);
}

#[test]
fn what_is_not_http_is_refused() {
    let emulator = builder().build();
    let server = emulator.serve().unwrap();
    let long = "x".repeat(70_000);
    let cases = [
        ("\u{0}\u{1}\u{2}\r\n\r\n".to_owned(), "400 Bad Request"),
        ("GET\r\n\r\n".to_owned(), "400 Bad Request"),
        ("GET / HTTP/2.0\r\n\r\n".to_owned(), "505 HTTP Version Not Supported"),
        ("GET /\u{7f} HTTP/1.1\r\nhost: localhost\r\n\r\n".to_owned(), "400 Bad Request"),
        ("GET / HTTP/1.1\r\nhost: localhost\r\nno colon\r\n\r\n".to_owned(), "400 Bad Request"),
        (format!("GET / HTTP/1.1\r\nhost: localhost\r\nlong: {long}\r\n\r\n"), "431 Request Header Fields Too Large"),
        (
            format!("GET / HTTP/1.1\r\nhost: localhost\r\n{}\r\n", "a: b\r\n".repeat(101)),
            "431 Request Header Fields Too Large",
        ),
        ("POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: x\r\n\r\n".to_owned(), "400 Bad Request"),
        ("POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: -1\r\n\r\n".to_owned(), "400 Bad Request"),
        ("POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length:\r\n\r\n".to_owned(), "400 Bad Request"),
        (
            "POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n".to_owned(),
            "400 Bad Request",
        ),
        (
            "POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n".to_owned(),
            "400 Bad Request",
        ),
        ("POST / HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: gzip\r\n\r\n".to_owned(), "501 Not Implemented"),
        (
            "POST / HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n".to_owned(),
            "400 Bad Request",
        ),
        (
            "POST / HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n1\r\nabc\r\n".to_owned(),
            "400 Bad Request",
        ),
        (
            "POST / HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\nfffffffffffffff\r\n".to_owned(),
            "413 Payload Too Large",
        ),
        ("POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1048577\r\n\r\n".to_owned(), "413 Payload Too Large"),
        (
            format!("POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: {}\r\n\r\n", u64::MAX),
            "413 Payload Too Large",
        ),
        (
            format!("POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: {}0\r\n\r\n", u64::MAX),
            "413 Payload Too Large",
        ),
    ];
    for (request, expected) in cases {
        let mut wire = Wire::open(&server);
        wire.write(&request);
        wire.stream.shutdown(std::net::Shutdown::Write).unwrap();
        let answer = wire.rest();
        let start: String = request.chars().take(60).collect();
        assert_eq!(answer.lines().next(), Some(format!("HTTP/1.1 {expected}").as_str()), "{start:?}");
        assert!(answer.contains("\r\ncontent-type: application/problem+json\r\n"), "{answer}");
    }
    // Half a request is no request, and none of this was one.
    let mut wire = Wire::open(&server);
    wire.write("GET / HT");
    wire.stream.shutdown(std::net::Shutdown::Write).unwrap();
    assert_eq!(wire.rest(), "");
    assert_eq!(emulator.requests(), 0);

    // The largest body that is read, with any content.
    let mut wire = Wire::open(&server);
    let body = "[".repeat(1024 * 1024);
    wire.write(format!(
        "POST /v2/api-keys HTTP/1.1\r\nhost: localhost\r\nauthorization: {}\r\ncontent-length: {}\r\n\r\n{body}",
        emulator.admin_key().expose_secret(),
        body.len()
    ));
    let answer = wire.answer();
    assert_eq!(status_line(&answer), "HTTP/1.1 400 Bad Request");
    assert!(answer.1.contains("the body is not JSON"), "{}", answer.1);
}

/// RFC 9112, section 11.2: what two readers could take differently.
#[test]
fn what_is_ambiguous_is_refused() {
    let emulator = builder().build();
    let server = emulator.serve().unwrap();
    let chunked =
        |body: &str| format!("POST / HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n{body}");
    let get = |head: &str| format!("GET / HTTP/1.1\r\n{head}\r\n");
    let cases = [
        (
            get("host: localhost\r\ntransfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n"),
            400,
            "there is more than one header `transfer-encoding`",
        ),
        (
            "GET / HTTP/1.0\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n".to_owned(),
            400,
            "HTTP/1.0 has no transfer encodings",
        ),
        (get(""), 400, "there is no header `host`"),
        (get("host: localhost\r\nhost: localhost\r\n"), 400, "there is more than one header `host`"),
        (
            "GET / HTTP/1.0\r\nhost: localhost\r\nhost: 127.0.0.1\r\n\r\n".to_owned(),
            400,
            "there is more than one header `host`",
        ),
        (
            get("host: localhost\r\nexpect: 200-ok\r\n"),
            417,
            "the only expectation that the emulator supports is `100-continue`",
        ),
        (
            get("host: localhost\r\nexpect: 100-continue\r\nexpect: 100-continue\r\n"),
            417,
            "the only expectation that the emulator supports is `100-continue`",
        ),
        (get("host: localhost\nx: y\r\n"), 400, "a line of the head ends without a carriage return"),
        ("GET / HTTP/1.1\nhost: localhost\n\n".to_owned(), 400, "a line of the head ends without a carriage return"),
        (get("host: localhost\r\nx: y\r\n folded\r\n"), 400, "this is not an HTTP request"),
        (get("host: localhost\r\nx : y\r\n"), 400, "this is not an HTTP request"),
        (chunked(";ext\r\n\r\n"), 400, "a chunk has no size"),
        (chunked("\r\n"), 400, "a chunk has no size"),
        (chunked("0x1\r\na\r\n0\r\n\r\n"), 400, "a chunk has no size"),
        (chunked("1\na\r\n0\r\n\r\n"), 400, "a chunk has no size"),
        (chunked("1;a\nb\r\na\r\n0\r\n\r\n"), 400, "a chunk has no size"),
        (chunked("-1\r\n"), 400, "a chunk has no size"),
        (chunked("+1\r\na\r\n0\r\n\r\n"), 400, "a chunk has no size"),
        (chunked(" 1\r\na\r\n0\r\n\r\n"), 400, "a chunk has no size"),
        (chunked("1 2\r\na\r\n0\r\n\r\n"), 400, "a chunk has no size"),
        (chunked("1_0\r\n"), 400, "a chunk has no size"),
        (chunked("1 \r\na\r\n0\r\n\r\n"), 400, "a chunk has no size"),
        (chunked("0\r\nx: y\nz: a\r\n\r\n"), 400, "a trailer is malformed"),
        (chunked("0\r\nGET /v2/spaces HTTP/1.1\r\n\r\n"), 400, "a trailer is malformed"),
        (chunked("0\r\nx : y\r\n\r\n"), 400, "a trailer is malformed"),
        (chunked("0\r\nx: y\r\n folded\r\n\r\n"), 400, "a trailer is malformed"),
        (
            "GET /v2/spaces#part HTTP/1.1\r\nhost: localhost\r\n\r\n".to_owned(),
            400,
            "the target of the request is malformed",
        ),
        (chunked(&format!("0\r\n{}\r\n", "a: b\r\n".repeat(101))), 400, "there are more than 100 trailers"),
        (chunked(&format!("0\r\na: {}\r\n\r\n", "x".repeat(70_000))), 400, "the trailers are larger than 64 KiB"),
        (get("host: evil.example\r\n"), 421, "this emulator answers to `localhost` and to loopback addresses only"),
        (
            get("host: localhost.evil.example:80\r\n"),
            421,
            "this emulator answers to `localhost` and to loopback addresses only",
        ),
        (
            get("host: 127.0.0.1.evil.example\r\n"),
            421,
            "this emulator answers to `localhost` and to loopback addresses only",
        ),
        (get("host: 10.0.0.1:80\r\n"), 421, "this emulator answers to `localhost` and to loopback addresses only"),
        (get("host: x:localhost\r\n"), 421, "this emulator answers to `localhost` and to loopback addresses only"),
        (get("host:\r\n"), 421, "this emulator answers to `localhost` and to loopback addresses only"),
        (
            "GET http://evil.example/v2/spaces HTTP/1.1\r\nhost: localhost\r\n\r\n".to_owned(),
            421,
            "this emulator answers to `localhost` and to loopback addresses only",
        ),
    ];
    for (request, status, detail) in cases {
        let mut wire = Wire::open(&server);
        wire.write(&request);
        let answer = wire.rest();
        let start: String = request.chars().take(90).collect();
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{start:?}: {answer}");
        assert!(answer.contains(&format!("\"detail\":\"{detail}\"")), "{start:?}: {answer}");
        assert!(answer.contains("\r\nconnection: close\r\n"), "{answer}");
    }
    assert_eq!(emulator.requests(), 0);
    for host in ["LOCALHOST", "localhost.", "localhost:1", "127.0.0.1", "127.0.0.2:80", "[::1]:9", "[::1]", "::1"] {
        let mut wire = Wire::open(&server);
        wire.write(format!("GET / HTTP/1.1\r\nhost: {host}\r\n\r\n"));
        assert_eq!(status_line(&wire.answer()), "HTTP/1.1 404 Not Found", "{host}");
    }
}

#[test]
fn a_member_or_a_key_that_is_there_twice_is_refused() {
    let emulator = builder().build();
    let caller = admin(&emulator);
    for (body, member) in [
        (r#"{"key_type":"USER","name":"a","name":"b"}"#, "name"),
        (r#"{"key_type":"USER","key_type":"USER","name":"a"}"#, "key_type"),
        (r#"{"key_type":"USER","name":"a","x":{"y":[{"z":1,"z":1}]}}"#, "z"),
    ] {
        let response = caller.send("POST", "/v2/api-keys", body);
        assert_eq!(response.status(), 400);
        let text = String::from_utf8_lossy(response.body()).into_owned();
        assert!(text.contains(&format!("the member `{member}` is there twice at line 1")), "{text}");
    }
    let request = http::Request::get("http://emulator/v2/spaces")
        .header("authorization", format!("Bearer {}", caller.secret))
        .header("authorization", "Bearer ak-other")
        .body(Vec::new())
        .unwrap();
    let response = emulator.send(request).unwrap();
    assert_eq!(response.status(), 400);
    assert_eq!(emulator.keys_created(), 0);
}

/// Each wait ends on its own. The test does not look at the time.
#[test]
fn a_client_that_is_slow_or_silent_is_let_go() {
    let emulator = builder().read_timeout(Duration::from_millis(100)).build();
    let server = emulator.serve().unwrap();
    let idle = Wire::open(&server);
    assert_eq!(idle.rest(), "", "silence is no request");
    let head = "POST /v2/api-keys HTTP/1.1\r\nhost: localhost\r\n";
    for begun in [
        "POST /v2/api-keys HT".to_owned(),
        format!("{head}content-length: 10\r\n\r\n{{"),
        format!("{head}transfer-encoding: chunked\r\n\r\n1"),
        format!("{head}transfer-encoding: chunked\r\n\r\n0\r\ntrailer: x\r\n"),
    ] {
        let mut wire = Wire::open(&server);
        wire.write(&begun);
        let answer = wire.rest();
        assert!(answer.starts_with("HTTP/1.1 408 Request Timeout\r\n"), "{begun:?}: {answer}");
    }
    // Byte by byte for ever: the whole head has the time, not each byte.
    let mut wire = Wire::open(&server);
    let mut reader = wire.stream.try_clone().unwrap();
    let answer = std::thread::scope(|scope| {
        let reading = scope.spawn(move || {
            let mut answer = Vec::new();
            drop(reader.read_to_end(&mut answer));
            String::from_utf8_lossy(&answer).into_owned()
        });
        while !reading.is_finished() && wire.stream.write_all(b"x").is_ok() {
            std::thread::sleep(Duration::from_millis(5));
        }
        reading.join().unwrap()
    });
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert_eq!(emulator.requests(), 0);
}

#[test]
fn more_connections_than_it_keeps_are_told_so() {
    let emulator = builder().max_connections(std::num::NonZeroUsize::new(2).unwrap()).build();
    let server = emulator.serve().unwrap();
    let get = "GET / HTTP/1.1\r\nhost: localhost\r\n\r\n";
    let mut kept = [Wire::open(&server), Wire::open(&server)];
    for wire in &mut kept {
        wire.write(get);
        assert_eq!(status_line(&wire.answer()), "HTTP/1.1 404 Not Found");
    }
    let refused = Wire::open(&server).rest();
    assert!(refused.starts_with("HTTP/1.1 503 Service Unavailable\r\n"), "{refused}");
    assert!(refused.contains("\"detail\":\"this emulator keeps at most 2 connections\""), "{refused}");
    // However many come at once, and although none of them leaves.
    let crowd: Vec<Wire> = (0..100).map(|_| Wire::open(&server)).collect();
    for wire in crowd {
        let refused = wire.rest();
        assert!(refused.starts_with("HTTP/1.1 503 Service Unavailable\r\n"), "{refused}");
    }
    let [first, _second] = kept;
    drop(first);
    // The place is free once the server has noticed.
    let status = std::iter::repeat_with(|| {
        let mut wire = Wire::open(&server);
        wire.write(get);
        status_line(&wire.answer()).to_owned()
    });
    assert!(status.take(10_000).any(|status| status == "HTTP/1.1 404 Not Found"));
}

#[cfg(target_os = "linux")]
#[test]
fn a_connection_takes_one_descriptor() {
    let descriptors = || std::fs::read_dir("/proc/self/fd").unwrap().count();
    let server = builder().build().serve().unwrap();
    let get = "GET / HTTP/1.1\r\nhost: localhost\r\n\r\n";
    let open = |_| {
        let mut wire = Wire::open(&server);
        wire.write(get);
        wire.answer();
        wire
    };
    // Other tests of this process open and close some meanwhile.
    let before = descriptors();
    let wires: Vec<_> = (0..400).map(open).collect();
    let taken = descriptors().saturating_sub(before);
    assert!(taken < 2 * wires.len() + 300, "{taken}");
}

#[test]
fn a_delayed_answer_ends_when_its_client_leaves() {
    let emulator = builder().build();
    let server = emulator.serve().unwrap();
    emulator.inject(arize_api_keys::emulator::Fault::delay(Duration::from_secs(3600)));
    let mut wire = Wire::open(&server);
    wire.write("GET /v2/api-keys HTTP/1.1\r\nhost: localhost\r\n\r\n");
    while emulator.faults_committed() == 0 {
        std::thread::yield_now();
    }
    // Nothing but the end of the thread closes the other side after this one has shut down.
    wire.stream.shutdown(std::net::Shutdown::Write).unwrap();
    assert_eq!(wire.rest(), "");
}

#[test]
fn stopping_ends_every_thread() {
    let emulator = builder().build();
    let server = emulator.serve().unwrap();
    let addr = server.addr();
    let (mut idle, mut half) = (Wire::open(&server), Wire::open(&server));
    idle.write("GET / HTTP/1.1\r\nhost: localhost\r\n\r\n");
    idle.answer();
    half.write("POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 10\r\n\r\nabc");
    let mut waiting = Wire::open(&server);
    waiting.write("GET / HTTP/1.1\r\nhost: localhost\r\n\r\n");
    server.stop();
    assert!(waiting.rest().starts_with("HTTP/1.1 404 Not Found\r\n"));
    assert_eq!((idle.rest(), half.rest()), (String::new(), String::new()));
    assert!(TcpStream::connect(addr).is_err());

    // The account outlives its server, and can be served again.
    let server = emulator.serve_on(addr).unwrap();
    let mut wire = Wire::open(&server);
    wire.write("GET / HTTP/1.0\r\n\r\n");
    assert!(wire.rest().starts_with("HTTP/1.1 404 Not Found\r\n"));
    drop(server);
    assert!(TcpStream::connect(addr).is_err());
}

#[test]
fn many_clients_at_once() {
    let emulator = builder().build();
    let server = emulator.serve().unwrap();
    let secret = emulator.admin_key().expose_secret().to_owned();
    let ids: std::collections::HashSet<String> = std::thread::scope(|scope| {
        let client = || {
            let mut wire = Wire::open(&server);
            let body = r#"{"key_type":"USER","name":"n"}"#;
            let request = format!(
                "POST /v2/api-keys HTTP/1.1\r\nhost: localhost\r\nauthorization: {secret}\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            );
            let create = |_| {
                wire.write(&request);
                let key: Value = serde_json::from_str(&wire.answer().1).unwrap();
                format!("{} {}", text(&key, "id"), text(&key, "key"))
            };
            (0..50).map(create).collect::<Vec<_>>()
        };
        let clients: Vec<_> = (0..8).map(|_| scope.spawn(client)).collect();
        clients.into_iter().flat_map(|client| client.join().unwrap()).collect()
    });
    assert_eq!((ids.len(), emulator.keys_created(), emulator.requests()), (400, 400, 400));
}

/// Any input gets a response or ends the connection, and the server goes on.
#[test]
fn no_bytes_break_the_server() {
    use proptest::prelude::*;

    let emulator = builder().build();
    let server = emulator.serve().unwrap();
    let auth = format!("authorization: {}\r\n", emulator.admin_key().expose_secret());
    let pieces = [
        "GET ",
        "POST ",
        "PUT ",
        "/v2/api-keys",
        "/v2/spaces",
        "?limit=",
        "&cursor=",
        "%",
        "%2F",
        "/refresh",
        "/revoke",
        " HTTP/1.1\r\nhost: localhost\r\n",
        " HTTP/1.1\r\nhost: localhost\r\n\r\n",
        "\r\n",
        "\r\n\r\n",
        "content-length: 3\r\n",
        "transfer-encoding: chunked\r\n",
        "expect: 100-continue\r\n",
        "3\r\n",
        "0\r\n\r\n",
        "{\"key_type\":",
        "\"SERVICE\"",
        "{}",
        "[]",
        "1",
        ":",
        "\u{e9}",
        auth.as_str(),
    ];
    let piece = prop_oneof![
        proptest::sample::select(pieces.map(|piece| piece.as_bytes().to_vec()).to_vec()),
        proptest::collection::vec(any::<u8>(), 0..6),
    ];
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) };
    proptest!(config, |(request in proptest::collection::vec(piece, 1..12))| {
        let mut wire = Wire::open(&server);
        wire.write(request.concat());
        wire.stream.shutdown(std::net::Shutdown::Write).unwrap();
        let mut answer = Vec::new();
        wire.stream.read_to_end(&mut answer).unwrap();
        prop_assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 "));
    });
    assert_eq!(admin(&emulator).call("GET", "/v2/api-keys", Value::Null).0, 200);
    server.stop();
}
