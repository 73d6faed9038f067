//! Calls like the recorded ones, with the requests that the SDKs make of them by the facts of the API.

use serde_json::{Value, json};

use super::Verdict::{self, Different, Inexpressible, Refused, Same};
use super::call::Inexpressible as Why;
use super::model::{Difference, Rule};
use super::recorded::Vector;

const KEY_ID: &str = "QXBpS2V5OjE6YWJjZA==";
const PROD: &str = "U3BhY2U6MzpzcGMw";
const OTHER: &str = "U3BhY2U6NDpzcGMx";
const ORG: &str = "T3JnYW5pemF0aW9uOjU6b3JnMA==";
const OTHER_ORG: &str = "T3JnYW5pemF0aW9uOjY6b3JnMQ==";

const GO_ALPHA: (&str, &str) = ("go", "alpha");
const GO: (&str, &str) = ("go", "beta");
const PYTHON: (&str, &str) = ("python", "beta");
const JS: (&str, &str) = ("js", "beta");
const CLI: (&str, &str) = ("ax-cli", "beta");

/// The calls, and their expected results.
pub(super) fn cases() -> Vec<(Vector, Verdict)> {
    let mut cases = Vec::new();
    cases.extend(lists());
    cases.extend(lookups());
    cases.extend(creates());
    cases.extend(service_keys());
    cases.extend(bindings());
    cases.extend(alpha_service_keys());
    cases.extend(ids());
    cases.extend(refreshes());
    cases
}

fn case(
    id: &str,
    sdk: (&str, &str),
    op: &str,
    args: Value,
    requests: Vec<Value>,
    verdict: Verdict,
) -> (Vector, Verdict) {
    ended(id, sdk, op, args, requests, "ok", verdict)
}

fn ended(
    id: &str,
    (sdk, revision): (&str, &str),
    op: &str,
    args: Value,
    requests: Vec<Value>,
    outcome: &str,
    verdict: Verdict,
) -> (Vector, Verdict) {
    let vector = Vector::read(&json!({
        "id": format!("{sdk}-{revision}/{op}/{id}"), "sdk": sdk, "version": "", "revision": revision,
        "call": {"op": op, "args": args}, "outcome": outcome, "requests": requests,
    }));
    (vector, verdict)
}

fn request(method: &str, target: &str, body: Value, status: u16, answer: Value) -> Value {
    let mut headers = json!({"authorization": "Bearer test-key-SECRET"});
    if !body.is_null() {
        headers["content-type"] = "application/json".into();
    }
    json!({
        "method": method, "target": target, "headers": headers, "body_json": body,
        "answered": {"status": status, "body_json": answer},
    })
}

fn get(target: &str) -> Value {
    request("GET", target, Value::Null, 200, Value::Null)
}

fn post(body: Value) -> Value {
    request("POST", "/v2/api-keys", body, 201, Value::Null)
}

/// A look-up, and the page that answers it.
fn found(target: &str, spaces: Value, pagination: Value) -> Value {
    request("GET", target, Value::Null, 200, json!({"spaces": spaces, "pagination": pagination}))
}

fn space(id: &str, name: &str, org_id: &str) -> Value {
    json!({"id": id, "name": name, "organization_id": org_id})
}

fn last() -> Value {
    json!({"has_more": false})
}

fn lists() -> Vec<(Vector, Verdict)> {
    let list = |id, sdk, args, target: &str, verdict| case(id, sdk, "list", args, vec![get(target)], verdict);
    vec![
        list("cursor-empty", GO, json!({"cursor": ""}), "/v2/api-keys?limit=50", Same),
        list(
            "cursor-empty",
            PYTHON,
            json!({"cursor": ""}),
            "/v2/api-keys?limit=50&cursor=",
            Different(Difference::EmptyCursor),
        ),
        list(
            "cursor-empty",
            JS,
            json!({"cursor": ""}),
            "/v2/api-keys?limit=50&cursor=",
            Different(Difference::EmptyCursor),
        ),
        list("user-empty", GO_ALPHA, json!({"user_id": ""}), "/v2/api-keys?limit=50", Same),
        list("user-empty", JS, json!({"user_id": ""}), "/v2/api-keys?limit=50&user_id=", Same),
        list(
            "cursor-unicode",
            PYTHON,
            json!({"cursor": "ü€😀"}),
            "/v2/api-keys?limit=50&cursor=%C3%BC%E2%82%AC%F0%9F%98%80",
            Same,
        ),
        list("cursor-controls", GO, json!({"cursor": "a\r\nb\u{0}"}), "/v2/api-keys?limit=50&cursor=a%0D%0Ab%00", Same),
        list("status", GO_ALPHA, json!({"status": "active"}), "/v2/api-keys?limit=50&status=active", Same),
        list("status", GO_ALPHA, json!({"status": "revoked"}), "/v2/api-keys?limit=50&status=revoked", Same),
        list("status-deleted", GO_ALPHA, json!({"status": "deleted"}), "/v2/api-keys?limit=50&status=deleted", Same),
        list("status", GO, json!({"status": "REVOKED"}), "/v2/api-keys?limit=50&status=REVOKED", Same),
        list("status", PYTHON, json!({"status": "ACTIVE"}), "/v2/api-keys?limit=50&status=ACTIVE", Same),
        list("lower-case", JS, json!({"key_type": "user"}), "/v2/api-keys?limit=50&key_type=user", Same),
        list("limit100", PYTHON, json!({"limit": 100}), "/v2/api-keys?limit=100", Same),
        list("limit101", GO, json!({"limit": 101}), "/v2/api-keys?limit=101", Refused(Rule::Limit)),
        list("limit101", JS, json!({"limit": 101}), "/v2/api-keys?limit=101", Refused(Rule::Limit)),
        list("limit0", JS, json!({"limit": 0}), "/v2/api-keys?limit=0", Refused(Rule::Limit)),
        list("limit-100", JS, json!({"limit": -100}), "/v2/api-keys?limit=-100", Inexpressible(Why::NegativeNumber)),
        list("space-empty", GO, json!({"space": ""}), "/v2/api-keys?limit=50", Same),
        list("space-empty", JS, json!({"space": ""}), "/v2/api-keys?limit=50&space_id=", Refused(Rule::EmptySpace)),
        list("space-empty", PYTHON, json!({"space": ""}), "/v2/spaces?limit=100&name=", Refused(Rule::EmptySpace)),
        list("space-name", JS, json!({"space": "prod"}), "/v2/api-keys?limit=50&space_id=prod", Same),
        list("default", CLI, json!({"argv": ["list"]}), "/v2/api-keys?limit=15", Same),
        list(
            "flags",
            CLI,
            json!({"argv": ["list", "--key-type", "SERVICE", "--status", "REVOKED", "-l", "7", "--cursor", "c", "-o", "json"]}),
            "/v2/api-keys?key_type=SERVICE&status=REVOKED&limit=7&cursor=c",
            Same,
        ),
        list(
            "all",
            GO,
            json!({"key_type": "SERVICE", "status": "ACTIVE", "space": PROD, "user_id": "VXNlcjo3OmVmZ2g=", "limit": 25, "cursor": "abc"}),
            "/v2/api-keys?key_type=SERVICE&status=ACTIVE&space_id=U3BhY2U6MzpzcGMw&user_id=VXNlcjo3OmVmZ2g%3D&limit=25&cursor=abc",
            Same,
        ),
    ]
}

/// Names of spaces, and the rule for names.
fn lookups() -> Vec<(Vector, Verdict)> {
    let list =
        |id, sdk, name: &str, requests, verdict| case(id, sdk, "list", json!({"space": name}), requests, verdict);
    let fails = |id, sdk, name: &str, requests, outcome, verdict| {
        ended(id, sdk, "list", json!({"space": name}), requests, outcome, verdict)
    };
    let prod = |more: Value| json!([space(PROD, "prod", ORG), space(OTHER, "Prod", ORG), more]);
    let end = get("/v2/api-keys?limit=50&space_id=U3BhY2U6MzpzcGMw");
    let not_utf8 = "U3BhY2U6MTr/";
    vec![
        list(
            "space-name",
            GO_ALPHA,
            "prod",
            vec![found("/v2/spaces?name=prod&limit=100", prod(space("x", "production", ORG)), last()), end.clone()],
            Same,
        ),
        list(
            "space-name-unicode",
            PYTHON,
            "prüf-😀",
            vec![
                found("/v2/spaces?name=pr%C3%BCf-%F0%9F%98%80&limit=100", json!([space(PROD, "prüf-😀", ORG)]), last()),
                end.clone(),
            ],
            Same,
        ),
        list(
            "space-name-255",
            GO,
            &"ü".repeat(255),
            vec![
                found(
                    &format!("/v2/spaces?name={}&limit=100", "%C3%BC".repeat(255)),
                    json!([space(PROD, &"ü".repeat(255), ORG)]),
                    last(),
                ),
                end.clone(),
            ],
            Same,
        ),
        list(
            "space-name-256",
            PYTHON,
            &"x".repeat(256),
            vec![found(&format!("/v2/spaces?name={}&limit=100", "x".repeat(256)), json!([]), last())],
            Refused(Rule::SpaceNameTooLong),
        ),
        // No organization is named here, so two spaces of the name are two.
        fails(
            "space-name-dup",
            GO,
            "dup",
            vec![found(
                "/v2/spaces?name=dup&limit=100",
                json!([space(PROD, "dup", ORG), space(OTHER, "dup", OTHER_ORG)]),
                last(),
            )],
            "error: AmbiguousNameError",
            Same,
        ),
        list(
            "space-name-page2",
            PYTHON,
            "prod",
            vec![
                found(
                    "/v2/spaces?name=prod&limit=100",
                    json!([space(OTHER, "prod-eu", ORG)]),
                    json!({"has_more": true, "next_cursor": "a+b/c="}),
                ),
                found(
                    "/v2/spaces?name=prod&limit=100&cursor=a%2Bb%2Fc%3D",
                    json!([]),
                    json!({"has_more": true, "next_cursor": "d"}),
                ),
                found("/v2/spaces?name=prod&limit=100&cursor=d", json!([space(PROD, "prod", ORG)]), last()),
                end.clone(),
            ],
            Same,
        ),
        fails(
            "space-name-dup-page2",
            GO_ALPHA,
            "dup",
            vec![
                found(
                    "/v2/spaces?name=dup&limit=100",
                    json!([space(PROD, "dup", ORG)]),
                    json!({"has_more": true, "next_cursor": "c"}),
                ),
                found("/v2/spaces?name=dup&limit=100&cursor=c", json!([space(OTHER, "dup", ORG)]), last()),
            ],
            "error: AmbiguousNameError",
            Same,
        ),
        fails(
            "space-on-two-pages",
            PYTHON,
            "prod",
            vec![
                found(
                    "/v2/spaces?name=prod&limit=100",
                    json!([space(PROD, "prod", ORG)]),
                    json!({"has_more": true, "next_cursor": "c"}),
                ),
                found("/v2/spaces?name=prod&limit=100&cursor=c", json!([space(PROD, "prod", ORG)]), last()),
            ],
            "error: AmbiguousNameError",
            Different(Difference::OnTwoPages),
        ),
        fails(
            "space-cursor-loop",
            PYTHON,
            "prod",
            vec![
                found("/v2/spaces?name=prod&limit=100", json!([]), json!({"has_more": true, "next_cursor": "c"})),
                found(
                    "/v2/spaces?name=prod&limit=100&cursor=c",
                    json!([]),
                    json!({"has_more": true, "next_cursor": "c"}),
                ),
                found(
                    "/v2/spaces?name=prod&limit=100&cursor=c",
                    json!([]),
                    json!({"has_more": true, "next_cursor": "c"}),
                ),
            ],
            "error: the recorder gave in",
            Different(Difference::Pages),
        ),
        fails(
            "space-cursor-empty",
            GO,
            "prod",
            vec![
                found("/v2/spaces?name=prod&limit=100", json!([]), json!({"has_more": true, "next_cursor": ""})),
                found("/v2/spaces?name=prod&limit=100", json!([]), json!({"has_more": true, "next_cursor": ""})),
            ],
            "error: the recorder gave in",
            Different(Difference::Pages),
        ),
        // It is not known whether the space that was found is the only one.
        list(
            "space-hasmore-nocursor",
            PYTHON,
            "prod",
            vec![
                found("/v2/spaces?name=prod&limit=100", json!([space(PROD, "prod", ORG)]), json!({"has_more": true})),
                end.clone(),
            ],
            Different(Difference::Pages),
        ),
        list(
            "space-cursor-without-more",
            PYTHON,
            "prod",
            vec![
                found(
                    "/v2/spaces?name=prod&limit=100",
                    json!([space(PROD, "prod", ORG)]),
                    json!({"has_more": false, "next_cursor": "c"}),
                ),
                found("/v2/spaces?name=prod&limit=100&cursor=c", json!([]), last()),
                end.clone(),
            ],
            Different(Difference::Pages),
        ),
        fails(
            "space-id-urlsafe",
            PYTHON,
            "U3BhY2U6MTo-Pj4_Pz8=",
            vec![found("/v2/spaces?name=U3BhY2U6MTo-Pj4_Pz8%3D&limit=100", json!([]), last())],
            "error: NotFoundError",
            Same,
        ),
        list(
            "space-id-not-utf8",
            GO,
            not_utf8,
            vec![get("/v2/api-keys?limit=50&space_id=U3BhY2U6MTr%2F")],
            Different(Difference::NameNotId),
        ),
        fails(
            "space-id-not-utf8",
            PYTHON,
            not_utf8,
            vec![found("/v2/spaces?name=U3BhY2U6MTr%2F&limit=100", json!([]), last())],
            "error: NotFoundError",
            Same,
        ),
        list(
            "space-id-trailing-newline",
            GO_ALPHA,
            "U3BhY2U6MzpzcGMw\n",
            vec![get("/v2/api-keys?limit=50&space_id=U3BhY2U6MzpzcGMw%0A")],
            Different(Difference::NameNotId),
        ),
        fails(
            "space-id-unpadded",
            PYTHON,
            "U3BhY2U6MTo+Pj4/Pz8",
            vec![found("/v2/spaces?name=U3BhY2U6MTo%2BPj4%2FPz8&limit=100", json!([]), last())],
            "error: NotFoundError",
            Different(Difference::UnpaddedId),
        ),
        fails(
            "space-id-over-padded",
            PYTHON,
            "U3BhY2U6MzpzcGMw==",
            vec![found("/v2/spaces?name=U3BhY2U6MzpzcGMw%3D%3D&limit=100", json!([]), last())],
            "error: NotFoundError",
            Same,
        ),
        list(
            "space-id-newline",
            JS,
            "U3Bh\nY2U6MzpzcGMw",
            vec![get("/v2/api-keys?limit=50&space_id=U3Bh%0AY2U6MzpzcGMw")],
            Same,
        ),
    ]
}

fn creates() -> Vec<(Vector, Verdict)> {
    let create = |id, sdk, args, body, verdict| case(id, sdk, "create_user_key", args, vec![post(body)], verdict);
    let until = |sdk, at: &str, sent: &str, verdict| {
        let body = json!({"key_type": "USER", "name": "n", "expires_at": sent});
        create("exp", sdk, json!({"name": "n", "expires_at": at}), body, verdict)
    };
    let user = |name: &str| json!({"key_type": "USER", "name": name});
    vec![
        create(
            "name-empty",
            GO_ALPHA,
            json!({"name": ""}),
            json!({"key_type": "user", "name": ""}),
            Refused(Rule::BlankName),
        ),
        create("name-empty", JS, json!({"name": ""}), user(""), Refused(Rule::BlankName)),
        create("name-blank", PYTHON, json!({"name": "  "}), user("  "), Refused(Rule::BlankName)),
        create("name-256-characters", PYTHON, json!({"name": "😀".repeat(256)}), user(&"😀".repeat(256)), Same),
        create(
            "name-257-characters",
            GO,
            json!({"name": "é".repeat(257)}),
            user(&"é".repeat(257)),
            Refused(Rule::NameTooLong),
        ),
        create("name-quotes", GO, json!({"name": "\"}{\u{1f}\u{7f}\u{2028}"}), user("\"}{\u{1f}\u{7f}\u{2028}"), Same),
        create("desc-empty", GO, json!({"name": "n", "description": ""}), user("n"), Same),
        create(
            "desc-empty",
            PYTHON,
            json!({"name": "n", "description": ""}),
            json!({"key_type": "USER", "name": "n", "description": ""}),
            Same,
        ),
        create("desc-null", JS, json!({"name": "n", "description": null}), user("n"), Same),
        create(
            "desc-1001",
            JS,
            json!({"name": "n", "description": "ü".repeat(1001)}),
            json!({}),
            Refused(Rule::DescriptionTooLong),
        ),
        until(GO, "2027-01-02T03:04:05.12Z", "2027-01-02T03:04:05.12Z", Same),
        until(GO, "2027-01-02T03:04:05.1234567+05:45", "2027-01-02T03:04:05.1234567+05:45", Same),
        until(GO, "9999-12-31T23:59:59Z", "9999-12-31T23:59:59Z", Same),
        until(PYTHON, "2027-01-02T03:04:05.123456789Z", "2027-01-02T03:04:05.123456+00:00", Same),
        until(JS, "2027-01-02T03:04:05.123456-08:00", "2027-01-02T11:04:05.123Z", Same),
        until(JS, "2025-01-01T00:00:00Z", "2025-01-01T00:00:00.000Z", Refused(Rule::ExpiresInThePast)),
        until(GO, "2026-01-02T03:04:05Z", "2026-01-02T03:04:05Z", Refused(Rule::ExpiresInThePast)),
        until(PYTHON, "2027-01-02T03:04:05", "2027-01-02T03:04:05", Inexpressible(Why::NoInstant)),
        create("no-name", JS, json!({}), json!({"key_type": "USER"}), Inexpressible(Why::MissingArgument)),
        create(
            "date-only",
            CLI,
            json!({"argv": ["create", "--name", "n", "--description", "d", "--expires-at", "2027-01-02"]}),
            json!({"key_type": "USER", "name": "n", "description": "d", "expires_at": "2027-01-02T00:00:00+00:00"}),
            Same,
        ),
        create(
            "naive",
            CLI,
            json!({"argv": ["create", "--name", "n", "--expires-at", "2027-01-02T03:04:05", "-v"]}),
            json!({"key_type": "USER", "name": "n", "expires_at": "2027-01-02T03:04:05+00:00"}),
            Same,
        ),
    ]
}

fn predefined(word: &str) -> Value {
    json!({"type": "PREDEFINED", "name": word})
}

fn custom(id: &str) -> Value {
    json!({"type": "CUSTOM", "id": id})
}

fn nested(organizations: Value) -> Value {
    json!({"key_type": "SERVICE", "name": "s", "organizations": organizations})
}

/// One organization and one space, the latter under the name `space` or `space_id`.
fn in_prod(member: &str, of_org: Value, of_space: Value) -> Value {
    let mut org = json!({"org_id": ORG, "spaces": [{member: PROD}]});
    if !of_org.is_null() {
        org["role"] = of_org;
    }
    if !of_space.is_null() {
        org["spaces"][0]["role"] = of_space;
    }
    json!([org])
}

/// Roles of today's service keys.
fn service_keys() -> Vec<(Vector, Verdict)> {
    let svc = |id, sdk, args, body, verdict| case(id, sdk, "create_service_key", args, vec![post(body)], verdict);
    let mut cases = Vec::new();
    for sdk in [GO, PYTHON, JS] {
        for word in ["ADMIN", "MEMBER", "READ_ONLY", "ANNOTATOR", "OWNER_OF_TOMORROW"] {
            let (asked, sent) = (word.into(), predefined(word));
            let orgs = in_prod("space", Value::Null, asked);
            cases.push(svc(
                "space_role",
                sdk,
                json!({"name": "s", "orgs": orgs}),
                nested(in_prod("space_id", Value::Null, sent.clone())),
                Same,
            ));
            let orgs = in_prod("space", word.into(), Value::Null);
            cases.push(svc(
                "org_role",
                sdk,
                json!({"name": "s", "orgs": orgs}),
                nested(in_prod("space_id", sent, Value::Null)),
                Same,
            ));
        }
        for word in ["ADMIN", "MEMBER", "ANNOTATOR", "MEMBER_UI_ONLY", "member"] {
            let mut body = nested(in_prod("space_id", Value::Null, Value::Null));
            body["account_role"] = predefined(word);
            let args = json!({"name": "s", "account_role": word, "orgs": in_prod("space", Value::Null, Value::Null)});
            cases.push(svc("account_role", sdk, args, body, Same));
        }
        // The service refuses custom roles but in spaces; that is its word to say.
        let args = json!({"name": "s", "orgs": [{"org_id": ORG, "custom_role": "r", "spaces": [{"space": PROD, "custom_role": "Um9sZToxMTp6enp6"}]}]});
        cases.push(svc(
            "custom-roles",
            sdk,
            args,
            nested(in_prod("space_id", custom("r"), custom("Um9sZToxMTp6enp6"))),
            Same,
        ));
        let args = json!({"name": "s", "description": "ü", "expires_at": "2027-01-02T03:04:05Z", "orgs": in_prod("space", Value::Null, Value::Null)});
        let mut body = nested(in_prod("space_id", Value::Null, Value::Null));
        body["description"] = "ü".into();
        body["expires_at"] = "2027-01-02T03:04:05Z".into();
        cases.push(svc("texts", sdk, args, body, Same));
    }
    let empty = json!({"name": "s", "orgs": [{"org_id": ORG, "spaces": [{"space": PROD, "custom_role": ""}]}]});
    cases.push(svc("custom-role-empty", JS, empty, json!({}), Refused(Rule::EmptyRoleId)));
    let unpadded = json!([{"org_id": "T3JnYW5pemF0aW9uOjEwMDE6eFl6Vw", "spaces": [{"space": PROD}]}]);
    let body = nested(json!([{"org_id": "T3JnYW5pemF0aW9uOjEwMDE6eFl6Vw", "spaces": [{"space_id": PROD}]}]));
    cases.push(svc("org-unpadded", GO, json!({"name": "s", "orgs": unpadded}), body, Same));
    let argv = json!([
        "create-service-key",
        "--name",
        "s",
        "--account-role",
        "MEMBER",
        "--assignments",
        format!(
            r#"[{{"org_id": "{ORG}", "role": {{"type": "PREDEFINED", "name": "ADMIN"}}, "spaces": [{{"space": "{PROD}", "role": "READ_ONLY"}}]}}]"#
        )
    ]);
    let mut body = nested(in_prod("space_id", predefined("ADMIN"), predefined("READ_ONLY")));
    body["account_role"] = predefined("MEMBER");
    cases.push(svc("assignments", CLI, json!({"argv": argv}), body, Same));
    cases
}

/// Organizations and spaces of today's service keys: none, several, the same ones again, and by name.
fn bindings() -> Vec<(Vector, Verdict)> {
    let svc = |id, sdk, orgs: Value, requests, verdict| {
        case(id, sdk, "create_service_key", json!({"name": "s", "orgs": orgs}), requests, verdict)
    };
    let numbered = |prefix: &str, count: usize| (0..count).map(|n| format!("{prefix}{n}")).collect::<Vec<_>>();
    let orgs = |count: usize, space: &str| -> Value {
        numbered("org", count).iter().map(|org| json!({"org_id": org, "spaces": [{space: PROD}]})).collect()
    };
    let spaces = |count: usize, space: &str| -> Value {
        let spaces: Value = numbered("U3BhY2U6MTI6", count).iter().map(|id| json!({space: id})).collect();
        json!([{"org_id": ORG, "spaces": spaces}])
    };
    let at = |name: &str, spaces| found(&format!("/v2/spaces?name={name}&limit=100"), spaces, last());
    let in_org = Different(Difference::LookedUpInItsOrganization);
    let dups = json!([space(PROD, "dup", ORG), space(OTHER, "dup", OTHER_ORG)]);
    let both = nested(
        json!([{"org_id": ORG, "spaces": [{"space_id": PROD}]}, {"org_id": OTHER_ORG, "spaces": [{"space_id": OTHER}]}]),
    );
    vec![
        svc("no-orgs", JS, json!([]), vec![post(nested(json!([])))], Refused(Rule::Organizations)),
        svc("orgs-100", PYTHON, orgs(100, "space"), vec![post(nested(orgs(100, "space_id")))], Same),
        svc(
            "orgs-101",
            JS,
            orgs(101, "space"),
            vec![post(nested(orgs(101, "space_id")))],
            Refused(Rule::Organizations),
        ),
        svc(
            "org-empty",
            PYTHON,
            json!([{"org_id": "", "spaces": [{"space": PROD}]}]),
            vec![],
            Refused(Rule::EmptyOrganizationId),
        ),
        svc("org-missing", GO, json!([{"spaces": [{"space": PROD}]}]), vec![], Refused(Rule::EmptyOrganizationId)),
        svc(
            "second-org-no-spaces",
            GO,
            json!([{"org_id": ORG, "spaces": [{"space": PROD}]}, {"org_id": OTHER_ORG}]),
            vec![],
            Refused(Rule::Spaces),
        ),
        svc("spaces-100", JS, spaces(100, "space"), vec![post(nested(spaces(100, "space_id")))], Same),
        svc("spaces-101", JS, spaces(101, "space"), vec![post(nested(spaces(101, "space_id")))], Refused(Rule::Spaces)),
        svc(
            "space-empty",
            GO,
            json!([{"org_id": ORG, "spaces": [{"space": PROD}, {"space": ""}]}]),
            vec![],
            Refused(Rule::EmptySpace),
        ),
        svc(
            "same-org-twice",
            JS,
            json!([{"org_id": ORG, "spaces": [{"space": PROD}]}, {"org_id": ORG, "spaces": [{"space": OTHER}]}]),
            vec![],
            Refused(Rule::Twice),
        ),
        svc(
            "same-id-twice",
            PYTHON,
            json!([{"org_id": ORG, "spaces": [{"space": PROD}, {"space": PROD}]}]),
            vec![],
            Refused(Rule::Twice),
        ),
        svc(
            "same-name-twice-lookups",
            GO,
            json!([{"org_id": ORG, "spaces": [{"space": "prod"}, {"space": "prod"}]}]),
            vec![],
            Refused(Rule::Twice),
        ),
        // Found out by the look-up only: the POST is not sent.
        svc(
            "id-and-name",
            PYTHON,
            json!([{"org_id": ORG, "spaces": [{"space": PROD}, {"space": "prod"}]}]),
            vec![at("prod", json!([space(PROD, "prod", ORG)]))],
            Refused(Rule::Twice),
        ),
        // The same space in two organizations cannot be, but that is not for the client to know.
        svc(
            "same-id-two-orgs",
            JS,
            json!([{"org_id": ORG, "spaces": [{"space": PROD}]}, {"org_id": OTHER_ORG, "spaces": [{"space": PROD}]}]),
            vec![post(nested(
                json!([{"org_id": ORG, "spaces": [{"space_id": PROD}]}, {"org_id": OTHER_ORG, "spaces": [{"space_id": PROD}]}]),
            ))],
            Same,
        ),
        ended(
            "same-name-two-orgs",
            PYTHON,
            "create_service_key",
            json!({"name": "s", "orgs": [
                {"org_id": ORG, "spaces": [{"space": "dup"}]},
                {"org_id": OTHER_ORG, "spaces": [{"space": "dup"}]},
            ]}),
            vec![at("dup", dups.clone())],
            "error: AmbiguousNameError",
            in_org,
        ),
        // The binding is the same for every way of looking it up.
        svc(
            "two-orgs-by-name",
            GO,
            json!([{"org_id": ORG, "spaces": [{"space": "dup"}]}, {"org_id": OTHER_ORG, "spaces": [{"space": "dup"}]}]),
            vec![at("dup", dups), post(both)],
            in_org,
        ),
        svc(
            "names-and-ids",
            GO,
            json!([
                {"org_id": ORG, "role": "ADMIN", "spaces": [{"space": "prod", "role": "MEMBER"}, {"space": OTHER}, {"space": "prüf", "custom_role": "r"}]},
                {"org_id": OTHER_ORG, "spaces": [{"space": "a/b"}]},
            ]),
            vec![
                at("prod", json!([space(PROD, "prod", ORG)])),
                at("pr%C3%BCf", json!([space("cA==", "prüf", ORG), space("cQ==", "prüf-2", ORG)])),
                at("a%2Fb", json!([space("Yg==", "a/b", OTHER_ORG)])),
                post(nested(json!([
                    {"org_id": ORG, "role": predefined("ADMIN"), "spaces": [
                        {"space_id": PROD, "role": predefined("MEMBER")}, {"space_id": OTHER}, {"space_id": "cA==", "role": custom("r")},
                    ]},
                    {"org_id": OTHER_ORG, "spaces": [{"space_id": "Yg=="}]},
                ]))),
            ],
            in_org,
        ),
        // A space of this name, but of another organization than the binding's.
        svc(
            "name-elsewhere",
            GO,
            json!([{"org_id": ORG, "spaces": [{"space": "prod"}]}]),
            vec![at("prod", json!([space(OTHER, "prod", OTHER_ORG)]))],
            in_org,
        ),
        // Servers before the newest do not say whose a space is.
        svc(
            "name-of-unknown-org",
            GO,
            json!([{"org_id": ORG, "spaces": [{"space": "prod"}]}]),
            vec![
                at("prod", json!([{"id": PROD, "name": "prod"}])),
                post(nested(json!([{"org_id": ORG, "spaces": [{"space_id": PROD}]}]))),
            ],
            in_org,
        ),
        svc(
            "space-unpadded",
            PYTHON,
            json!([{"org_id": ORG, "spaces": [{"space": "U3BhY2U6MTIzNDU"}]}]),
            vec![at("U3BhY2U6MTIzNDU", json!([]))],
            Different(Difference::UnpaddedId),
        ),
        svc(
            "space-name",
            JS,
            json!([{"org_id": ORG, "spaces": [{"space": "prod"}]}]),
            vec![post(nested(json!([{"org_id": ORG, "spaces": [{"space_id": "prod"}]}])))],
            Same,
        ),
        svc(
            "lookup-refused",
            GO,
            json!([{"org_id": ORG, "spaces": [{"space": "prod"}]}]),
            vec![request(
                "GET",
                "/v2/spaces?name=prod&limit=100",
                Value::Null,
                404,
                json!({"title": "no such organization"}),
            )],
            in_org,
        ),
    ]
}

/// Service keys of one space.
fn alpha_service_keys() -> Vec<(Vector, Verdict)> {
    let svc = |id, sdk, args, requests, verdict| case(id, sdk, "create_service_key", args, requests, verdict);
    let flat = |roles: Value| {
        let mut body = json!({"key_type": "service", "name": "s", "space_id": PROD});
        if !roles.is_null() {
            body["roles"] = roles;
        }
        vec![post(body)]
    };
    let at = |name: &str, spaces| found(&format!("/v2/spaces?name={name}&limit=100"), spaces, last());
    let mut cases = Vec::new();
    for field in ["space_role", "org_role", "account_role"] {
        for word in ["admin", "member", "read-only", "owner", "READ_ONLY"] {
            cases.push(svc(
                field,
                GO_ALPHA,
                json!({"name": "s", "space": PROD, field: word}),
                flat(json!({field: word})),
                Same,
            ));
        }
        let args = json!({"name": "s", "space": PROD, field: "annotator"});
        cases.push(svc(field, GO_ALPHA, args, flat(json!({field: "annotator"})), Refused(Rule::BeyondAlpha)));
        cases.push(svc(field, GO_ALPHA, json!({"name": "s", "space": PROD, field: ""}), flat(Value::Null), Same));
    }
    let mut by_name = vec![at("prod", json!([{"id": PROD, "name": "prod"}, {"id": OTHER, "name": "PROD"}]))];
    by_name.extend(flat(Value::Null));
    cases.extend([
        svc("by-name", GO_ALPHA, json!({"name": "s", "space": "prod"}), by_name, Same),
        ended(
            "by-name-dup",
            GO_ALPHA,
            "create_service_key",
            json!({"name": "s", "space": "dup"}),
            vec![at("dup", json!([{"id": PROD, "name": "dup"}, {"id": OTHER, "name": "dup"}]))],
            "error: AmbiguousNameError",
            Same,
        ),
        ended(
            "by-name-unpadded",
            GO_ALPHA,
            "create_service_key",
            json!({"name": "s", "space": "U3BhY2U6MTIzNDU"}),
            vec![at("U3BhY2U6MTIzNDU", json!([]))],
            "error: ResourceNotFoundError",
            Different(Difference::UnpaddedId),
        ),
        svc("no-space", GO_ALPHA, json!({"name": "s", "space": ""}), vec![], Refused(Rule::EmptySpace)),
        svc("name-257", GO_ALPHA, json!({"name": "x".repeat(257), "space": PROD}), vec![], Refused(Rule::NameTooLong)),
        svc(
            "orgs",
            GO_ALPHA,
            json!({"name": "s", "orgs": [{"org_id": ORG, "spaces": [{"space": PROD}]}]}),
            vec![],
            Refused(Rule::BeyondAlpha),
        ),
        svc(
            "flat",
            GO,
            json!({"name": "s", "space": PROD, "space_role": "ADMIN"}),
            vec![],
            Inexpressible(Why::FlatBeta),
        ),
    ]);
    cases
}

/// Ids of keys, wherever one goes into a path.
fn ids() -> Vec<(Vector, Verdict)> {
    let sent = [
        ("=", "%3D"),
        ("a+b/c=", "a%2Bb%2Fc%3D"),
        ("a%2e%2e", "a%252e%252e"),
        ("%2e%2e", "%252e%252e"),
        ("...", "..."),
        (".a", ".a"),
        ("../spaces", "..%2Fspaces"),
        ("./", ".%2F"),
        (" ", "%20"),
        ("..\\..", "..%5C.."),
        ("a//b", "a%2F%2Fb"),
        ("//evil.example", "%2F%2Fevil.example"),
        ("a:b@c", "a%3Ab%40c"),
        ("{api_key_id}", "%7Bapi_key_id%7D"),
        ("\u{202e}😀\u{2028}", "%E2%80%AE%F0%9F%98%80%E2%80%A8"),
        ("revoke", "revoke"),
    ];
    let long = "x".repeat(513);
    let refused = ["", ".", "..", "a\nb", "\r", "a\tb", "\u{0}", "a\u{7f}", "a\u{85}", long.as_str()];
    let mut cases = Vec::new();
    let mut add = |id: &str, segment: &str, verdict| {
        let put = request("PUT", &format!("/v2/api-keys/{segment}/revoke"), Value::Null, 204, Value::Null);
        let delete = request("DELETE", &format!("/v2/api-keys/{segment}"), Value::Null, 204, Value::Null);
        let refresh = request("POST", &format!("/v2/api-keys/{segment}/refresh"), json!({}), 200, Value::Null);
        for sdk in [GO_ALPHA, GO, PYTHON, JS] {
            cases.push(case(id, sdk, "revoke", json!({"id": id}), vec![put.clone()], verdict));
            cases.push(case(id, sdk, "refresh", json!({"id": id}), vec![refresh.clone()], verdict));
        }
        cases.push(case(id, GO_ALPHA, "delete", json!({"id": id}), vec![delete], verdict));
        let argv = json!({"argv": ["refresh", id, "--output", "json"]});
        cases.push(case(id, CLI, "refresh", argv, vec![refresh], verdict));
    };
    for (id, segment) in sent {
        add(id, segment, Same);
    }
    add(&"x".repeat(512), &"x".repeat(512), Same);
    for id in refused {
        add(id, "", Refused(Rule::Id));
    }
    cases.push(case("id-undefined", JS, "revoke", json!({}), vec![], Inexpressible(Why::MissingArgument)));
    cases.push(case("id-undefined", GO, "revoke", json!({}), vec![], Refused(Rule::Id)));
    cases
}

fn refreshes() -> Vec<(Vector, Verdict)> {
    let refresh = |id, sdk, mut args: Value, body, verdict| {
        args["id"] = KEY_ID.into();
        let target = "/v2/api-keys/QXBpS2V5OjE6YWJjZA==/refresh";
        case(id, sdk, "refresh", args, vec![request("POST", target, body, 200, Value::Null)], verdict)
    };
    let grace = |seconds: i64| json!({"grace_period_seconds": seconds});
    vec![
        refresh("grace0", GO, grace(0), json!({}), Same),
        refresh("grace0", PYTHON, grace(0), grace(0), Same),
        refresh("grace0", JS, grace(0), grace(0), Same),
        refresh("grace86400", GO_ALPHA, grace(86_400), grace(86_400), Same),
        refresh("grace86401", GO, grace(86_401), grace(86_401), Refused(Rule::GracePeriod)),
        refresh("grace86401", JS, grace(86_401), grace(86_401), Refused(Rule::GracePeriod)),
        refresh("grace-86400", JS, grace(-86_400), grace(-86_400), Inexpressible(Why::NegativeNumber)),
        refresh(
            "exp",
            PYTHON,
            json!({"expires_at": "2027-01-02T03:04:05.5-03:30"}),
            json!({"expires_at": "2027-01-02T03:04:05.500000-03:30"}),
            Same,
        ),
        refresh("exp-zero", GO, json!({"expires_at": "zero"}), json!({}), Same),
        refresh(
            "exp-string",
            JS,
            json!({"expires_at": "str:tomorrow"}),
            json!({"expires_at": "tomorrow"}),
            Inexpressible(Why::NoInstant),
        ),
        refresh(
            "exp-past",
            GO_ALPHA,
            json!({"expires_at": "2020-01-01T00:00:00Z"}),
            json!({"expires_at": "2020-01-01T00:00:00Z"}),
            Refused(Rule::ExpiresInThePast),
        ),
        case(
            "grace0",
            CLI,
            "refresh",
            json!({"argv": ["refresh", KEY_ID, "--grace-period-seconds", "0", "--expires-at", "2027-01-02"]}),
            vec![request(
                "POST",
                "/v2/api-keys/QXBpS2V5OjE6YWJjZA%3D%3D/refresh",
                json!({"grace_period_seconds": 0, "expires_at": "2027-01-02T00:00:00+00:00"}),
                200,
                Value::Null,
            )],
            Same,
        ),
    ]
}
