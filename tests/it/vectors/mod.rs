//! The calls of the official SDKs, and what this crate makes of them: the same requests.

mod call;
mod model;
mod own;
mod perform;
mod recorded;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use arize_api_keys::{
    ApiStage, CreateServiceKeyRequest, Error, ListRequest, OrgBinding, Outcome, SpaceBinding, SpaceRef, TransportError,
    http,
};
use serde_json::{Value, json};

use self::call::{Call, Inexpressible};
use self::model::{Difference, End, Rule};
use self::perform::perform;
use self::recorded::Vector;
use crate::support::{Jitter, OWN_KEY, TestClock, client, shown};
use crate::wire::Request;

/// What became of a recorded call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Verdict {
    /// The same requests, the same end.
    Same,
    /// Other requests, as intended.
    Different(Difference),
    /// Refused before any I/O, or before the request that matters.
    Refused(Rule),
    /// No call of this crate, but the shape of a request that its look-ups make.
    LookupOf(&'static str),
    Inexpressible(Inexpressible),
}

/// Calls that this crate has no words for, and why.
const INEXPRESSIBLE: [(&str, Inexpressible); 12] = [
    ("go-0.12.0/list/limit-1", Inexpressible::NegativeNumber),
    ("go-0.12.0/refresh/grace-1", Inexpressible::NegativeNumber),
    ("go-0.22.0/list/limit-1", Inexpressible::NegativeNumber),
    ("go-0.22.0/refresh/grace-1", Inexpressible::NegativeNumber),
    ("js-1.28.0/list/limit-1", Inexpressible::NegativeNumber),
    ("js-1.28.0/refresh/grace-1", Inexpressible::NegativeNumber),
    ("js-1.28.0/create/exp-string", Inexpressible::NoInstant),
    ("python-8.61.0/create/exp-naive", Inexpressible::NoInstant),
    // No look-up lists all spaces; the JavaScript SDK does so to find an organization.
    ("go-0.22.0/org/spaces", Inexpressible::NoSuchCall),
    ("js-1.28.0/org/spaces", Inexpressible::NoSuchCall),
    ("js-1.28.0/org/spaces-of-org", Inexpressible::NoSuchCall),
    ("python-8.61.0/org/spaces", Inexpressible::NoSuchCall),
];

#[test]
fn every_recorded_call_is_made_refused_or_listed() {
    let verdicts = judge_all(recorded::all());

    let mut inexpressible: Vec<(&str, Inexpressible)> = Vec::new();
    let mut counted = BTreeMap::new();
    for (id, verdict) in &verdicts {
        match verdict {
            Verdict::Inexpressible(why) => inexpressible.push((id, *why)),
            _ => *counted.entry(*verdict).or_insert(0) += 1,
        }
    }
    inexpressible.sort();
    let mut listed = INEXPRESSIBLE;
    listed.sort();
    assert_eq!(inexpressible, listed);
    let expected = BTreeMap::from([
        (Verdict::Same, 236),
        (Verdict::Different(Difference::LookedUpInItsOrganization), 2),
        (Verdict::Different(Difference::UnpaddedId), 3),
        (Verdict::Different(Difference::NameNotId), 2),
        (Verdict::Refused(Rule::Id), 17),
        (Verdict::Refused(Rule::Limit), 1),
        (Verdict::Refused(Rule::BlankName), 1),
        (Verdict::Refused(Rule::NameTooLong), 3),
        (Verdict::Refused(Rule::DescriptionTooLong), 3),
        (Verdict::Refused(Rule::Spaces), 1),
        (Verdict::LookupOf("a space"), 3),
        (Verdict::LookupOf("organizations"), 3),
        (Verdict::LookupOf("the spaces of an organization"), 1),
    ]);
    assert_eq!(counted, expected);
    assert_eq!(verdicts.len(), 288);
}

/// Cases of the same kinds that were not recorded, or not handed on.
#[test]
fn calls_like_the_recorded_ones_are_judged_alike() {
    let (vectors, expected): (Vec<_>, Vec<_>) =
        own::cases().into_iter().map(|(vector, verdict)| (vector.clone(), (vector.id, verdict))).unzip();
    assert_eq!(judge_all(vectors), expected);
}

/// A server that does not know `org_id` answers with the spaces of all organizations, and says whose each one is.
#[test]
fn an_organization_tells_spaces_apart_where_the_server_does_not() {
    let sent = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&sent);
    let transport = move |request: http::Request<Vec<u8>>| -> Result<http::Response<Vec<u8>>, TransportError> {
        let request = Request::sent(&request);
        let spaces = json!([
            {"id": "b25l", "name": "dup", "organization_id": "org1"},
            {"id": "dHdv", "name": "dup", "organization_id": "org2"},
        ]);
        let (status, body) = if recorded::is_space_lookup(&request) {
            (200, json!({"spaces": spaces, "pagination": {"has_more": false}}))
        } else {
            usual_answer(&request)
        };
        log.lock().unwrap().push(request);
        Ok(response(status, &body))
    };
    let client = client(ApiStage::Beta, &TestClock::new().jitter(Jitter::None), transport);
    let last = || sent.lock().unwrap().last().unwrap().clone();

    client.list(&ListRequest::new().space("dup").org_id("org2")).unwrap();
    assert_eq!(last().parameter("space_id"), Some("dHdv"));
    let bindings = ["org1", "org2"].map(|org_id| OrgBinding::new(org_id).space(SpaceBinding::new("dup")));
    client.create_service_key(&CreateServiceKeyRequest::for_organizations("s", bindings)).unwrap();
    let organizations = &last().body.unwrap()["organizations"];
    assert_eq!(organizations[0]["spaces"][0]["space_id"], "b25l");
    assert_eq!(organizations[1]["spaces"][0]["space_id"], "dHdv");

    // None is in the organization that is named, so none is meant.
    let error = client.list(&ListRequest::new().space("dup").org_id("org3")).unwrap_err();
    assert!(matches!(error, Error::SpaceNotFound(_)), "{error:?}");
}

#[track_caller]
fn judge_all(vectors: Vec<Vector>) -> Vec<(String, Verdict)> {
    let mut verdicts = Vec::new();
    let mut wrong = Vec::new();
    for vector in vectors {
        match judge(&vector) {
            Ok(verdict) => verdicts.push((vector.id, verdict)),
            Err(why) => wrong.push(format!("{}: {why}", vector.id)),
        }
    }
    assert!(wrong.is_empty(), "{} calls:\n{}", wrong.len(), wrong.join("\n"));
    verdicts
}

/// Makes the call, and compares.
fn judge(vector: &Vector) -> Result<Verdict, String> {
    let call = match Call::of(vector) {
        Ok(call) => call,
        Err(Inexpressible::NoSuchCall) => return Ok(judge_lookup(vector)),
        Err(why) => return Ok(Verdict::Inexpressible(why)),
    };
    let step = vector.sdk.clock_step();
    let in_steps = |requests: Vec<Request>| -> Vec<Request> {
        requests.into_iter().map(|request| request.with_instants(step)).collect()
    };
    let recorded = in_steps(vector.exchanges.iter().map(|exchange| exchange.request.clone()).collect());
    let expected = model::expected(vector, &call);
    let model = in_steps(expected.requests);
    let difference = model::differences(vector, &call).into_iter().next();
    let verdict = match (&expected.end, difference) {
        (End::Refused(rule, _), _) => Verdict::Refused(*rule),
        (_, Some(difference)) => Verdict::Different(difference),
        (end, None) => {
            // Without a difference, the SDK's requests and end are those of the model, or the model is wrong.
            same("the model of the SDK's requests", &model, &recorded)?;
            same("the model of the SDK's end", end, &recorded_end(vector))?;
            Verdict::Same
        }
    };
    if let (Some(model), Some(recorded), Verdict::Different(_)) = (model.last(), recorded.last(), verdict) {
        let both_act = difference != Some(Difference::EmptyCursor)
            && model.path != ["v2", "spaces"]
            && recorded.path != ["v2", "spaces"];
        same("the request that matters", &both_act.then_some(model), &both_act.then_some(recorded))?;
    }
    for call in variants(&call, vector.stage) {
        let (requests, result) = run(vector, &call);
        same("the requests", &in_steps(requests), &model)?;
        check_end(result, &expected.end)?;
    }
    Ok(verdict)
}

/// On beta, deleting and revoking are the same.
fn variants(call: &Call, stage: ApiStage) -> Vec<Call> {
    match call {
        Call::Revoke { id } if stage == ApiStage::Beta => vec![call.clone(), Call::Delete { id: id.clone() }],
        _ => vec![call.clone()],
    }
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, found: &T, expected: &T) -> Result<(), String> {
    if found == expected { Ok(()) } else { Err(format!("{what}: found {found:#?}, expected {expected:#?}")) }
}

fn recorded_end(vector: &Vector) -> End {
    match vector.outcome.as_str() {
        "ok" => End::Done,
        outcome if outcome.contains("mbiguous") => End::AmbiguousSpace,
        outcome if outcome.contains("NotFoundError") => End::SpaceNotFound,
        outcome => panic!("{}: unknown outcome: {outcome}", vector.id),
    }
}

fn check_end(result: Result<(), Error>, expected: &End) -> Result<(), String> {
    let end = match &result {
        Ok(()) => End::Done,
        Err(Error::SpaceNotFound(_)) => End::SpaceNotFound,
        Err(Error::AmbiguousSpace(_)) => End::AmbiguousSpace,
        Err(Error::Pagination(_)) => End::Pagination,
        // The rule is the model's word for it.
        Err(Error::InvalidRequest(error)) => match expected {
            End::Refused(rule, _) => End::Refused(*rule, error.to_string()),
            _ => return Err(format!("refused: {error}")),
        },
        Err(error) => End::Status(error.status().unwrap_or_default()),
    };
    same("the end", &end, expected)?;
    if let Err(error) = result {
        same("the outcome", &error.outcome(), &Outcome::NotSent)?;
        same("whether the key is shown", &shown(&error).contains(OWN_KEY), &false)?;
    }
    Ok(())
}

/// Makes the call with a transport that answers as was recorded.
fn run(vector: &Vector, call: &Call) -> (Vec<Request>, Result<(), Error>) {
    let sent = Arc::new(Mutex::new(Vec::new()));
    let (log, script) = (Arc::clone(&sent), vector.clone());
    let transport = move |request: http::Request<Vec<u8>>| -> Result<http::Response<Vec<u8>>, TransportError> {
        let request = Request::sent(&request);
        let (status, body) =
            if recorded::is_space_lookup(&request) { model::answer(&script, &request) } else { usual_answer(&request) };
        log.lock().unwrap().push(request);
        Ok(response(status, &body))
    };
    let client = client(vector.stage, &TestClock::new().jitter(Jitter::None), transport);
    let result = perform(call, &client, vector.stage);
    let requests = sent.lock().unwrap().clone();
    (requests, result)
}

/// The response of the service to a valid request.
fn usual_answer(request: &Request) -> (u16, Value) {
    let key = json!({"id": "QXBpS2V5OjE6YWJjZA==", "name": "n", "key": "ak-SECRET-0123456789"});
    match (request.method.as_str(), request.path.len()) {
        ("GET", _) => (200, json!({"api_keys": [], "pagination": {"has_more": false}})),
        ("POST", 2) => (201, key),
        ("POST", _) => (200, key),
        _ => (204, Value::Null),
    }
}

fn response(status: u16, body: &Value) -> http::Response<Vec<u8>> {
    let response = http::Response::builder().status(status);
    if body.is_null() {
        return response.body(Vec::new()).unwrap();
    }
    response.header("content-type", "application/json").body(serde_json::to_vec(body).unwrap()).unwrap()
}

/// Calls that this crate does not offer are tested through steps of its calls: with a page size of 100.
fn judge_lookup(vector: &Vector) -> Verdict {
    let [exchange] = vector.exchanges.as_slice() else { return Verdict::Inexpressible(Inexpressible::NoSuchCall) };
    let mut recorded = exchange.request.clone();
    for (name, value) in &mut recorded.query {
        if name == "limit" {
            *value = "100".to_owned();
        }
    }
    let space = vector.args.get("space").and_then(Value::as_str).unwrap_or("U3BhY2U6MzpzcGMw");
    let org_id = vector.args.get("org").and_then(Value::as_str).unwrap_or("T3JnYW5pemF0aW9uOjU6b3JnMA==");
    let made = discovery(vector.stage, space, org_id);
    match made.iter().position(|request| *request == recorded) {
        Some(0) => Verdict::LookupOf("a space"),
        Some(1) => Verdict::LookupOf("organizations"),
        Some(2) => Verdict::LookupOf("the spaces of an organization"),
        _ => Verdict::Inexpressible(Inexpressible::NoSuchCall),
    }
}

/// The requests that find the organization of a space on a server that does not say it.
fn discovery(stage: ApiStage, space: &str, org_id: &str) -> Vec<Request> {
    let sent = Arc::new(Mutex::new(Vec::new()));
    let (log, space_id, owner) = (Arc::clone(&sent), space.to_owned(), org_id.to_owned());
    let transport = move |request: http::Request<Vec<u8>>| -> Result<http::Response<Vec<u8>>, TransportError> {
        let request = Request::sent(&request);
        let pagination = json!({"has_more": false});
        let (status, body) = match request.path.last().map(String::as_str) {
            Some("organizations") => (200, json!({"organizations": [{"id": owner}], "pagination": pagination})),
            Some("spaces") => (200, json!({"spaces": [{"id": space_id, "name": "s"}], "pagination": pagination})),
            Some("api-keys") => usual_answer(&request),
            // Without its name, which would narrow the search.
            _ => (200, json!({"id": space_id})),
        };
        log.lock().unwrap().push(request);
        Ok(response(status, &body))
    };
    let client = client(stage, &TestClock::new().jitter(Jitter::None), transport);
    client.create_service_key(&CreateServiceKeyRequest::new("s", SpaceRef::id(space))).unwrap();
    sent.lock().unwrap().clone()
}
