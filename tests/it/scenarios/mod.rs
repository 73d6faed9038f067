//! Every odd response, to every operation: the result, the number of retries, and the secrets that are not shown.

mod fields;
mod own;
mod policy;
mod script;

use arize_api_keys::{
    ApiKeyCreated, ApiKeyList, ApiKeysClient, ApiStage, CreateRequest, CreateServiceKeyRequest, Error, ExposeSecret,
    ListRequest, OrgBinding, RefreshRequest, SpaceBinding, SpaceRef,
};
use serde_json::Value;

use self::fields::Fields;
use self::policy::{End, Expected, Failure, Op};
use self::script::{Answer, Response, Script};
use crate::support::{Jitter, OWN_KEY, TestClock, client, shown, variant};
use crate::wire::Request;

/// The one-time secret in the recorded answers.
const SECRET: &str = "ak-SECRET-0123456789";

const KEY_ID: &str = "QXBpS2V5OjE6YWJjZA==";
const SPACE_ID: &str = "U3BhY2U6MzpzcGMw";
const ORG_ID: &str = "T3JnYW5pemF0aW9uOjU6b3JnMA==";

const STAGES: [ApiStage; 2] = [ApiStage::Alpha, ApiStage::Beta];

#[test]
fn every_recorded_answer_to_every_operation() {
    let scenarios = script::all();
    let (mut recorded, mut runs) = (0, 0);
    for scenario in &scenarios {
        let own = own_operation(&scenario.op, &scenario.script);
        for op in Op::ALL {
            // A response for a path concerns the operations that use it.
            if scenario.script.path.is_some() && !op.is_lookup() {
                continue;
            }
            recorded += usize::from(own == Some(op));
            for stage in STAGES {
                for jitter in [Jitter::None, Jitter::Longest] {
                    check(&scenario.id, op, stage, jitter, &scenario.script);
                    runs += 1;
                }
            }
        }
    }
    assert_eq!(scenarios.len(), 182);
    // The last one is a look-up by id: the next test.
    assert_eq!(recorded, 181);
    assert_eq!(runs, (181 * 8 + 2) * 4);
}

#[test]
fn the_recorded_answer_to_a_look_up_by_id() {
    let scenarios = script::all();
    let [scenario] = scenarios.iter().filter(|scenario| scenario.op == "get_space").collect::<Vec<_>>()[..] else {
        panic!("not one scenario");
    };
    let (transport, log) = script::transport(&scenario.script, is_space, all_is_well);
    let client = client(ApiStage::Beta, &TestClock::new().jitter(Jitter::None), transport);
    client.create_service_key(&CreateServiceKeyRequest::new("s", SPACE_ID)).unwrap();
    let requests = log.lock().unwrap();
    let [lookup, create] = requests.as_slice() else { panic!("not two requests: {requests:#?}") };
    assert!(lookup.is("GET", &["v2", "spaces", SPACE_ID]));
    assert_eq!(create.body.as_ref().unwrap()["organizations"][0]["org_id"], ORG_ID);
}

fn is_space(request: &Request) -> bool {
    request.path.get(1).is_some_and(|segment| segment == "spaces")
}

fn is_key(request: &Request) -> bool {
    request.path.get(1).is_some_and(|segment| segment == "api-keys")
}

/// The operation that the response was recorded for.
#[track_caller]
fn own_operation(op: &str, script: &Script) -> Option<Op> {
    Some(match op {
        "list" if script.path.as_deref() == Some("/v2/spaces") => Op::NameForList,
        "list" => Op::List,
        "create_user_key" => Op::Create,
        "create_service_key" => Op::CreateServiceKey,
        "refresh" => Op::Refresh,
        "delete" => Op::Delete,
        "revoke" => Op::Revoke,
        "get_space" => return None,
        other => panic!("unknown operation: {other}"),
    })
}

/// The value of a call that succeeds.
#[derive(Debug)]
enum Gained {
    Page(ApiKeyList),
    Key(Box<ApiKeyCreated>),
    Nothing,
}

fn perform(op: Op, client: &ApiKeysClient, stage: ApiStage) -> Result<Gained, Error> {
    let key = |created| Gained::Key(Box::new(created));
    match op {
        Op::List => client.list(&ListRequest::new()).map(Gained::Page),
        Op::NameForList => client.list(&ListRequest::new().space(SpaceRef::name("x"))).map(Gained::Page),
        Op::Create => client.create(&CreateRequest::new("n")).map(key),
        Op::CreateServiceKey => client.create_service_key(&service_key(SpaceRef::id(SPACE_ID), stage)).map(key),
        Op::NameForServiceKey => client.create_service_key(&service_key(SpaceRef::name("x"), stage)).map(key),
        Op::Refresh => client.refresh(&RefreshRequest::new(KEY_ID)).map(key),
        Op::Delete => client.delete(KEY_ID).map(|()| Gained::Nothing),
        Op::Revoke => client.revoke(KEY_ID).map(|()| Gained::Nothing),
    }
}

fn service_key(space: SpaceRef, stage: ApiStage) -> CreateServiceKeyRequest {
    match stage {
        ApiStage::Alpha => CreateServiceKeyRequest::new("s", space),
        _ => CreateServiceKeyRequest::for_organizations("s", [OrgBinding::new(ORG_ID).space(SpaceBinding::new(space))]),
    }
}

/// The response of the service without a script.
fn all_is_well(request: &Request) -> Response {
    let json = [("content-type", "application/json")];
    match (request.method.as_str(), request.path.len()) {
        ("GET", _) if is_space(request) => {
            Response::new(200, &json, r#"{"spaces":[{"id":"cA==","name":"x"}],"pagination":{"has_more":false}}"#)
        }
        ("GET", _) => Response::new(200, &json, r#"{"api_keys":[],"pagination":{"has_more":false}}"#),
        ("POST", 2) => Response::new(201, &json, format!(r#"{{"id":"{KEY_ID}","key":"{SECRET}"}}"#)),
        ("POST", _) => Response::new(200, &json, format!(r#"{{"id":"{KEY_ID}","key":"{SECRET}"}}"#)),
        _ => Response::new(204, &[], ""),
    }
}

/// Runs the operation against the script, and compares with the policy.
#[track_caller]
fn check(name: &str, op: Op, stage: ApiStage, jitter: Jitter, script: &Script) {
    let expected = policy::expected(op, stage, script, jitter);
    let context = format!("{name}, {op:?} on {stage}, jitter {jitter:?}");
    let clock = TestClock::new().jitter(jitter);
    let (transport, log) = script::transport(script, if op.is_lookup() { is_space } else { is_key }, all_is_well);
    let result = perform(op, &client(stage, &clock, transport), stage);

    let seen = log.lock().unwrap();
    let asked = seen.iter().filter(|request| is_space(request) == op.is_lookup()).count();
    let found = Expected { requests: asked, sleeps: clock.sleeps(), end: end_of(&result) };
    assert_eq!(found, expected, "{context}: {result:#?}");
    assert!(seen.iter().all(|request| request == &seen[0]) || op.is_lookup(), "{context}: {seen:#?}");

    let last = script.answer(expected.requests - 1);
    let response = match last {
        Some(Answer::Whole(response) | Answer::Partial(response)) => Some(response),
        Some(Answer::None { .. }) => None,
        None if op.is_lookup() => None,
        None => Some(&all_is_well(&seen[0])),
    };
    match &result {
        Ok(value) => check_value(&context, value, response),
        Err(error) => check_error(&context, op, error, response, expected.requests),
    }
    let text = match &result {
        Ok(value) => format!("{value:?} {value:#?}"),
        Err(error) => shown(error),
    };
    assert!(!text.contains(SECRET), "{context}: the secret is shown: {text}");
    assert!(!text.contains(OWN_KEY), "{context}: the key is shown: {text}");
}

fn end_of<T>(result: &Result<T, Error>) -> End {
    match result {
        Ok(_) => End::Done,
        Err(error) => End::Failed(Failure {
            error: variant(error),
            transport: match error {
                Error::Transport(error) => Some(error.kind()),
                _ => None,
            },
            status: error.status(),
            outcome: error.outcome(),
            retryable: error.is_retryable(),
            retry_after: error.retry_after(),
        }),
    }
}

/// Checks that every value of the response comes out.
#[track_caller]
fn check_value(context: &str, value: &Gained, response: Option<&Response>) {
    let Some(body) = response.and_then(|response| policy::json(&response.body)) else { return };
    match value {
        Gained::Nothing => {}
        Gained::Key(created) => {
            assert_eq!(created.key.expose_secret(), policy::secret(&body).unwrap(), "{context}");
            assert_eq!(Fields::created(created), Fields::expected(&body), "{context}");
        }
        Gained::Page(page) => {
            let found: Vec<Fields> = page.api_keys.iter().map(Fields::listed).collect();
            let items = body["api_keys"].as_array().map(Vec::as_slice).unwrap_or_default();
            let expected: Vec<Fields> = items.iter().map(Fields::expected).collect();
            assert_eq!(found, expected, "{context}");
            let cursor = body["pagination"]["next_cursor"].as_str().filter(|cursor| !cursor.is_empty());
            assert_eq!(page.pagination.next_cursor.as_deref(), cursor, "{context}");
            let has_more = body["pagination"]["has_more"].as_bool().unwrap_or(cursor.is_some());
            assert_eq!(page.pagination.has_more, has_more, "{context}");
        }
    }
}

/// Checks that the problem document of the service comes out.
#[track_caller]
fn check_error(context: &str, op: Op, error: &Error, response: Option<&Response>, requests: usize) {
    // Of a look-up that was answered and found nothing, no request failed.
    if !matches!(error, Error::SpaceNotFound(_) | Error::Pagination(_)) {
        assert_eq!(error.attempts() as usize, requests, "{context}");
    }
    assert_eq!(error.previous_attempt().is_some(), error.attempts() > 1, "{context}");
    let body = response.and_then(|response| policy::json(&response.body));
    if let Some(api) = error.api() {
        let body = body.as_ref().unwrap_or(&Value::Null);
        let members = [
            ("title", api.title()),
            ("detail", api.detail()),
            ("type", api.problem_type()),
            ("instance", api.instance()),
        ];
        for (name, found) in members {
            match &body[name] {
                Value::Number(_) => {}
                value => assert_eq!(found, value.as_str(), "{context}: {name}"),
            }
        }
        let reason = body["detail"].as_str().or(body["title"].as_str()).unwrap_or_default();
        assert!(error.to_string().contains(reason), "{context}: {error}");
    }
    if let Error::SecretNotRecovered(error) = error {
        let response = response.unwrap();
        assert_eq!(error.raw_body().expose_secret(), response.body, "{context}");
        let id = body.as_ref().and_then(|body| body["id"].as_str());
        assert!(body.is_none() || error.id() == id, "{context}: {:?}", error.id());
        assert!(op.mints(), "{context}");
    }
}
