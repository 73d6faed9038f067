//! Which stage answers: the words of a request, then the headers of official clients, then the stage that is set.

use arize_api_keys::emulator::Emulator;
use arize_api_keys::{ApiStage, Transport, http};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

const GO_0_11: &[(&str, &str)] = &[("sdk-language", "go"), ("sdk-version", "0.11.0")];
const GO_0_12: &[(&str, &str)] = &[("sdk-language", "go"), ("sdk-version", "0.12.0")];
const GO_V0_15: &[(&str, &str)] = &[("sdk-language", "go"), ("sdk-version", "v0.15.0")];
const GO_0_16: &[(&str, &str)] = &[("sdk-language", "go"), ("sdk-version", "0.16.0")];
const GO_0_22: &[(&str, &str)] = &[("sdk-language", "go"), ("sdk-version", "0.22.0")];
const GO_1_0: &[(&str, &str)] = &[("sdk-language", "go"), ("sdk-version", "1.0.0")];
const PYTHON: &[(&str, &str)] = &[("sdk-language", "python"), ("sdk-version", "8.61.0")];
const JAVASCRIPT: &[(&str, &str)] = &[("sdk-language", "javascript"), ("sdk-version", "1.28.0")];

fn both_stages() -> [Emulator; 2] {
    [ApiStage::Alpha, ApiStage::Beta].map(|stage| Emulator::builder().stage(stage).build())
}

/// Sends as a client of these headers does: the oldest ones send the bare key.
fn call(emulator: &Emulator, headers: &[(&str, &str)], method: &str, target: &str, body: &str) -> (u16, Value) {
    let key = emulator.admin_key();
    let bearer = if headers == GO_0_11 { "" } else { "Bearer " };
    let mut request = http::Request::builder()
        .method(method)
        .uri(format!("http://emulator{target}"))
        .header("authorization", format!("{bearer}{}", key.expose_secret()));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = emulator.send(request.body(body.as_bytes().to_vec()).unwrap()).unwrap();
    let status = response.status().as_u16();
    (status, serde_json::from_slice(response.body()).unwrap_or_default())
}

#[test]
fn lists_without_filters_are_in_the_words_of_the_client() {
    for emulator in both_stages() {
        for (headers, word) in [
            (GO_0_11, "active"),
            (GO_0_12, "active"),
            (GO_V0_15, "active"),
            (GO_0_16, "active"),
            (GO_0_22, "ACTIVE"),
            (GO_1_0, "ACTIVE"),
            (PYTHON, "ACTIVE"),
            (JAVASCRIPT, "ACTIVE"),
        ] {
            let (_, page) = call(&emulator, headers, "GET", "/v2/api-keys?limit=50", "");
            assert_eq!(page["api_keys"][0]["status"], word, "{headers:?}");
        }
        // A filter is a word of the request, and wins.
        let (_, page) = call(&emulator, GO_0_12, "GET", "/v2/api-keys?status=ACTIVE", "");
        assert_eq!(page["api_keys"][0]["status"], "ACTIVE");
    }
}

#[test]
fn where_the_headers_do_not_tell_the_stage_that_is_set_decides() {
    for (emulator, word) in both_stages().iter().zip(["active", "ACTIVE"]) {
        let (_, page) = call(emulator, &[], "GET", "/v2/api-keys", "");
        assert_eq!(page["api_keys"][0]["status"], word);
        for (language, version) in [("rust", "0.1.0"), ("go", "devel"), ("go", "0"), ("go", "")] {
            let headers = [("sdk-language", language), ("sdk-version", version)];
            let (_, page) = call(emulator, &headers, "GET", "/v2/api-keys", "");
            assert_eq!(page["api_keys"][0]["status"], word, "{headers:?}");
        }
    }
}

#[test]
fn the_oldest_clients_hear_of_deleted_keys() {
    let emulator = Emulator::new();
    let (_, made) = call(&emulator, GO_0_11, "POST", "/v2/api-keys", r#"{"name":"old"}"#);
    let id = made["id"].as_str().unwrap();
    assert_eq!(made["key_type"], "user");
    assert_eq!(call(&emulator, GO_0_11, "DELETE", &format!("/v2/api-keys/{id}"), "").0, 204);
    for (word, headers) in [("deleted", GO_0_11), ("revoked", GO_0_12), ("REVOKED", PYTHON)] {
        let (_, page) = call(&emulator, headers, "GET", &format!("/v2/api-keys?status={word}"), "");
        assert_eq!(page["api_keys"][0]["status"], word);
        assert_eq!(page["api_keys"][0]["id"], id);
    }
}

#[test]
fn the_key_type_may_be_left_out_in_alpha_only() {
    for emulator in both_stages() {
        for (headers, status) in [(GO_0_12, 201), (GO_0_16, 201), (GO_0_22, 400), (PYTHON, 400)] {
            assert_eq!(call(&emulator, headers, "POST", "/v2/api-keys", r#"{"name":"x"}"#).0, status, "{headers:?}");
        }
    }
}

#[test]
fn the_rule_for_the_expiry_of_a_refreshed_key_is_that_of_the_client() {
    for emulator in both_stages() {
        for (headers, status, word) in [
            (GO_0_12, 200, "active"),
            (GO_V0_15, 200, "active"),
            (GO_0_16, 422, "active"),
            (GO_0_22, 422, "ACTIVE"),
            (PYTHON, 422, "ACTIVE"),
        ] {
            let expires = "2999-01-01T00:00:00Z";
            let body = json!({"key_type": "USER", "name": "x", "expires_at": expires}).to_string();
            let (_, made) = call(&emulator, headers, "POST", "/v2/api-keys", &body);
            let target = format!("/v2/api-keys/{}/refresh", made["id"].as_str().unwrap());
            let (answered, fresh) = call(&emulator, headers, "POST", &target, "{}");
            assert_eq!(answered, status, "{headers:?}");
            if status == 200 {
                assert_eq!(fresh.get("expires_at"), None);
            }
            let body = json!({"expires_at": "2998-01-01T00:00:00Z"}).to_string();
            let (answered, fresh) = call(&emulator, headers, "POST", &target, &body);
            assert_eq!((answered, fresh["status"].as_str()), (200, Some(word)), "{headers:?}");
        }
    }
}

#[test]
fn every_form_of_a_service_key_is_taken_whatever_the_headers() {
    let emulator = Emulator::new();
    let (space, org) = (emulator.space_id("acme", "prod").unwrap(), emulator.organization_id("acme").unwrap());
    let flat = |word: &str, role: &str| json!({"key_type": word, "name": "bot", "space_id": space, "roles": {"space_role": role}});
    let nested = json!({"key_type": "SERVICE", "name": "bot",
        "organizations": [{"org_id": org, "spaces": [{"space_id": space}]}]});
    for headers in [&[][..], GO_0_12, GO_0_22, PYTHON] {
        for (body, word, bot) in [
            (flat("service", "read-only"), "service", false),
            (flat("SERVICE", "READ_ONLY"), "SERVICE", true),
            (nested.clone(), "SERVICE", true),
        ] {
            let (status, made) = call(&emulator, headers, "POST", "/v2/api-keys", &body.to_string());
            assert_eq!((status, made["key_type"].as_str()), (201, Some(word)), "{made}");
            assert_eq!(made.get("bot_user").is_some(), bot);
        }
    }
}

#[test]
fn spaces_have_what_the_stage_of_the_client_knows() {
    for emulator in both_stages() {
        for (headers, known) in [(GO_0_12, false), (GO_0_22, true), (PYTHON, true), (JAVASCRIPT, true)] {
            let (_, page) = call(&emulator, headers, "GET", "/v2/spaces?limit=50", "");
            assert_eq!(page["spaces"][0].get("organization_id").is_some(), known, "{headers:?}");
            assert_eq!(page["spaces"][0].get("is_private").is_some(), known, "{headers:?}");
        }
    }
}
