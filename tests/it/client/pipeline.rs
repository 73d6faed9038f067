//! One request, whole: what a transport is handed.

use std::time::Duration;

use arize_api_keys::{
    ApiKeysClient, ApiStage, CreateRequest, CreateServiceKeyRequest, ListRequest, RefreshRequest, RetryPolicy,
    SendOptions, Transport, TransportError, http,
};

use crate::support::TestClock;
use crate::support::script::{CREATED, KEY_ID, LIST, NEW_KEY, OWN_KEY};

mockall::mock! {
    Network {}

    impl Transport for Network {
        fn send(&self, request: http::Request<Vec<u8>>) -> Result<http::Response<Vec<u8>>, TransportError>;
    }
}

fn client(network: MockNetwork, stage: ApiStage) -> ApiKeysClient {
    let retry = RetryPolicy::default().attempt_timeout(Duration::from_secs(7));
    ApiKeysClient::builder()
        .ignore_env()
        .api_key(OWN_KEY)
        .stage(stage)
        .retry(retry)
        .clock(TestClock::new())
        .transport(network)
        .build()
        .unwrap()
}

/// The next request is this one, and is answered with this.
#[track_caller]
fn expect(
    network: &mut MockNetwork,
    line: &'static str,
    body: &'static str,
    fresh: bool,
    status: u16,
    answer: &'static str,
) {
    network.expect_send().times(1).returning(move |request| {
        assert_eq!(format!("{} {}", request.method(), request.uri()), line);
        assert_eq!(std::str::from_utf8(request.body()).unwrap(), body);
        let options = SendOptions::new(Duration::from_secs(7));
        let options = if fresh { options.fresh_connection() } else { options };
        assert_eq!(request.extensions().get::<SendOptions>(), Some(&options));
        // A read may use memory again. A response with a secret has its own.
        assert_eq!(request.extensions().len(), if line.starts_with("GET ") { 2 } else { 1 });
        assert_headers(request.headers(), !body.is_empty());
        assert!(!format!("{request:?}").contains("PLANTED"), "the key is marked as sensitive");
        Ok(http::Response::builder().status(status).body(answer.into()).unwrap())
    });
}

#[track_caller]
fn assert_headers(headers: &http::HeaderMap, has_body: bool) {
    let value = |name: &str| headers.get(name).map(|value| value.to_str().unwrap().to_owned());
    assert_eq!(value("authorization"), Some(format!("Bearer {OWN_KEY}")));
    assert!(headers["authorization"].is_sensitive());
    assert_eq!(value("accept").as_deref(), Some("application/json, application/problem+json"));
    assert_eq!(value("accept-encoding").as_deref(), Some("identity"));
    assert_eq!(value("user-agent"), Some(format!("arize-api-keys/{}", env!("CARGO_PKG_VERSION"))));
    assert_eq!(value("content-type").as_deref(), has_body.then_some("application/json"));
    assert_eq!(value("content-length"), None);
}

#[test]
fn a_list() {
    for stage in [ApiStage::Alpha, ApiStage::Beta] {
        let mut network = MockNetwork::new();
        expect(&mut network, "GET https://api.arize.com/v2/api-keys?limit=50", "", false, 200, LIST);
        let page = client(network, stage).list(&ListRequest::new()).unwrap();
        assert_eq!((page.api_keys.len(), page.pagination.has_more), (1, false));
    }
}

#[test]
fn a_create() {
    let mut network = MockNetwork::new();
    let body = r#"{"key_type":"USER","name":"n"}"#;
    expect(&mut network, "POST https://api.arize.com/v2/api-keys", body, true, 201, CREATED);
    let created = client(network, ApiStage::Beta).create(&CreateRequest::new("n")).unwrap();
    assert!(!format!("{created:?} {created:#?}").contains(NEW_KEY));
}

#[test]
fn a_refresh() {
    let mut network = MockNetwork::new();
    let line = "POST https://api.arize.com/v2/api-keys/QXBpS2V5OjE6YWJjZA%3D%3D/refresh";
    expect(&mut network, line, "{}", true, 200, CREATED);
    client(network, ApiStage::Beta).refresh(&RefreshRequest::new(KEY_ID)).unwrap();
}

#[test]
fn a_revoke_and_a_delete() {
    let revoke = "PUT https://api.arize.com/v2/api-keys/QXBpS2V5OjE6YWJjZA%3D%3D/revoke";
    let delete = "DELETE https://api.arize.com/v2/api-keys/QXBpS2V5OjE6YWJjZA%3D%3D";
    for (stage, line) in [(ApiStage::Beta, revoke), (ApiStage::Alpha, delete)] {
        let mut network = MockNetwork::new();
        expect(&mut network, line, "", false, 204, "");
        client(network, stage).delete(KEY_ID).unwrap();
        let mut network = MockNetwork::new();
        expect(&mut network, revoke, "", false, 204, "");
        client(network, stage).revoke(KEY_ID).unwrap();
    }
}

/// A look-up may use any connection; what mints a key may not.
#[test]
fn a_service_key_with_its_look_up() {
    let mut network = MockNetwork::new();
    let spaces = r#"{"spaces":[{"id":"s","name":"prod","organization_id":"o"}]}"#;
    let lookup = "GET https://api.arize.com/v2/spaces?name=prod&limit=100";
    expect(&mut network, lookup, "", false, 200, spaces);
    let body = r#"{"key_type":"SERVICE","name":"ci","organizations":[{"org_id":"o","spaces":[{"space_id":"s"}]}]}"#;
    expect(&mut network, "POST https://api.arize.com/v2/api-keys", body, true, 201, CREATED);
    client(network, ApiStage::Beta).create_service_key(&CreateServiceKeyRequest::new("ci", "prod")).unwrap();
}

#[test]
fn a_client_knows_where_it_calls_and_in_which_words() {
    for stage in [ApiStage::Alpha, ApiStage::Beta] {
        let client = client(MockNetwork::new(), stage);
        assert_eq!((client.endpoint().as_str(), client.stage()), ("https://api.arize.com", stage));
    }
}
