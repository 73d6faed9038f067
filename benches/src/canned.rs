//! The answers of the canned server: keys as the service sends them, about 330 bytes each.

use std::fmt::Write;

/// `count` keys, separated by commas.
pub fn keys(count: usize) -> String {
    let mut json = String::new();
    for i in 0..count {
        let comma = if i == 0 { "" } else { "," };
        // Every second key has a description: the only member of a key that is a text and may be missing.
        let description = if i % 2 == 0 { r#""rotated weekly by the release job""# } else { "null" };
        let expires = if i % 2 == 0 { "null" } else { r#""2027-01-12T08:30:00Z""# };
        let last_used = if i % 5 == 0 { r#""2026-05-04T09:15:27.482913Z""# } else { "null" };
        let (kind, id) = if i % 4 == 0 { ("SERVICE", 7000 + i) } else { ("USER", 9000 + i) };
        let _ = write!(
            json,
            r#"{comma}{{"id":"QXBpS2V5OjE{id}OmFiQ2RFZmdIaUpr","name":"deploy-pipeline-staging-{i:04}","description":{description},"key_type":"{kind}","status":"ACTIVE","redacted_key":"ak-{id}aBcD...wXyZ","created_at":"2026-01-12T08:30:{:02}.123456Z","expires_at":{expires},"last_used_at":{last_used},"created_by_user_id":"VXNlcjoyMDQ4OmpLbE1uT3BR"}}"#,
            i % 60,
        );
    }
    json
}

/// A page of `keys`, with a next one if there is a cursor.
pub fn page(keys: &str, cursor: Option<&str>) -> String {
    match cursor {
        Some(cursor) => {
            format!(r#"{{"api_keys":[{keys}],"pagination":{{"has_more":true,"next_cursor":"{cursor}"}}}}"#)
        }
        None => format!(r#"{{"api_keys":[{keys}],"pagination":{{"has_more":false}}}}"#),
    }
}

/// The answer to a create. Its secret opens nothing.
pub fn created() -> String {
    let key = keys(1);
    format!(r#"{},"key":"ak-00000000-canned-secret-of-the-benches-00000000"}}"#, key.trim_end_matches('}'))
}

/// The body that the peers send to create a key; the client under test writes its own, which is the same.
pub const CREATE: &str = r#"{"key_type":"USER","name":"bench"}"#;

/// The API key of every peer.
pub const API_KEY: &str = "ak-00000000-the-key-of-every-peer-here-00000000000";

/// The headers that the client under test sends besides `host`, `content-length` and `content-type`. All send the same request.
pub const HEADERS: [(&str, &str); 7] = [
    ("authorization", "Bearer ak-00000000-the-key-of-every-peer-here-00000000000"),
    ("accept", "application/json, application/problem+json"),
    ("accept-encoding", "identity"),
    ("user-agent", "arize-api-keys/0.1.0"),
    ("sdk-language", "rust"),
    ("sdk-version", "0.1.0"),
    ("sdk-package-name", "arize-api-keys"),
];
