//! Keys that are in the lists of several spaces.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use arize_api_keys::{ApiKeysClient, FoundKey, Inventory, InventoryRequest, Space, http};

/// The space whose list breaks off after the first page.
const BROKEN: &str = "broken";

/// A client of an account whose spaces have these keys. The own user keys come first, as the space ``.
fn client(lists: &[(&str, &[&str])]) -> ApiKeysClient {
    let spaces: Vec<_> = lists.iter().map(|(space, _)| *space).filter(|space| !space.is_empty()).collect();
    let spaces: Vec<_> = spaces.iter().map(|space| serde_json::json!({"id": space, "name": space})).collect();
    let keys: HashMap<String, Vec<_>> = lists
        .iter()
        .map(|(space, ids)| ((*space).to_owned(), ids.iter().map(|id| serde_json::json!({"id": id})).collect()))
        .collect();
    let transport = move |request: http::Request<Vec<u8>>| {
        let query = request.uri().query().unwrap_or_default();
        let space = query.split('&').find_map(|pair| pair.strip_prefix("space_id=")).unwrap_or_default();
        let page = match request.uri().path() {
            "/v2/spaces" => serde_json::json!({"spaces": spaces, "pagination": {"has_more": false}}),
            "/v2/api-keys" if query.contains("cursor=") => {
                return Ok(http::Response::builder().status(403).body(Vec::new()).unwrap());
            }
            "/v2/api-keys" => {
                let pagination = serde_json::json!({"has_more": space == BROKEN, "next_cursor": "next"});
                serde_json::json!({"api_keys": keys.get(space), "pagination": pagination})
            }
            path => panic!("{path}"),
        };
        Ok(http::Response::new(page.to_string().into_bytes()))
    };
    let builder = ApiKeysClient::builder().ignore_env().api_key("ak-for-the-tests").on_warning(|_| {});
    builder.transport(transport).build().unwrap()
}

fn inventory(lists: &[(&str, &[&str])], threads: usize) -> Inventory {
    client(lists).inventory(&InventoryRequest::new().concurrency(threads)).unwrap()
}

/// Each id with its spaces.
fn found(inventory: &Inventory) -> Vec<(&str, Vec<&str>)> {
    inventory
        .keys
        .iter()
        .map(|FoundKey { key, spaces, .. }| (&*key.id, spaces.iter().map(|space| &*space.id).collect()))
        .collect()
}

#[test]
fn a_key_is_there_once_with_its_spaces_in_their_order() {
    let lists: &[(&str, &[&str])] = &[
        ("", &["mine", "stray"]),
        ("s1", &["everywhere", "twice", "twice", "padded", ""]),
        ("s2", &["everywhere", "only", "padded==", "stray", ""]),
        ("s3", &["twice", "everywhere", "everywhere", "padded=", "also everywhere but s1"]),
        ("s4", &["everywhere", "also everywhere but s1"]),
    ];
    for threads in [1, 2, 8] {
        let inventory = inventory(lists, threads);
        assert_eq!(
            found(&inventory),
            [
                ("mine", vec![]),
                ("stray", vec!["s2"]),
                ("everywhere", vec!["s1", "s2", "s3", "s4"]),
                ("twice", vec!["s1", "s3"]),
                ("padded", vec!["s1", "s2", "s3"]),
                ("", vec!["s1"]),
                ("only", vec!["s2"]),
                ("", vec!["s2"]),
                ("also everywhere but s1", vec!["s3", "s4"]),
            ]
        );
    }
}

#[test]
fn keys_of_the_same_spaces_share_them() {
    let inventory = inventory(&[("s1", &["a", "b", "c"]), ("s2", &["a", "b", "d"])], 1);
    let spaces = |id: &str| inventory.keys.iter().find(|found| found.key.id == id).unwrap().spaces.as_ptr();
    assert_eq!(spaces("a"), spaces("b"));
    assert_ne!(spaces("a"), spaces("c"));
    assert_ne!(spaces("c"), spaces("d"));
    // They read as a vector.
    let shared = &inventory.keys[0].spaces;
    let vector: &Vec<Space> = shared;
    assert_eq!((vector.as_slice(), vector.len()), (&shared[..], 2));
    let mut names = Vec::new();
    for space in shared {
        names.push(space.name.clone());
    }
    assert_eq!(names, shared.clone().into_iter().map(|space| space.name).collect::<Vec<_>>());
    assert_eq!(serde_json::to_value(shared).unwrap(), serde_json::to_value(shared.to_vec()).unwrap());
}

/// The inventory looks an id up by 32 bits of this hash.
#[test]
fn ids_with_the_same_hash_are_different_keys() {
    let mut ids: HashMap<[u8; 4], String> = HashMap::new();
    let (one, other) = (0..)
        .find_map(|n| {
            let id = format!("id-{n}");
            let mut hasher = DefaultHasher::new();
            id.hash(&mut hasher);
            let hash = hasher.finish().to_ne_bytes();
            ids.insert([hash[0], hash[1], hash[2], hash[3]], id.clone()).map(|known| (known, id))
        })
        .unwrap();
    let inventory = inventory(&[("s1", &[&one, &other]), ("s2", &[&other, &one, "third"])], 1);
    let both = vec!["s1", "s2"];
    assert_eq!(found(&inventory), [(one.as_str(), both.clone()), (other.as_str(), both), ("third", vec!["s2"])]);
}

#[test]
fn a_found_key_as_json() {
    let inventory = inventory(&[("s", &["k"])], 1);
    let expected = concat!(
        r#"{"id":"k","name":"","description":null,"key_type":"","status":"","redacted_key":"","created_at":null,"#,
        r#""expires_at":null,"created_by_user_id":"","last_used_at":null,"bot_user":null,"warnings":[],"#,
        r#""spaces":[{"id":"s","name":"s","organization_id":null,"description":null,"created_at":null}]}"#,
    );
    assert_eq!(serde_json::to_string(&inventory.keys[0]).unwrap(), expected);
}

/// The inventory takes the keys of a large scope while it is read, and the rest at its end.
#[test]
fn large_scopes_that_share_keys_and_one_that_breaks_off() {
    let ids: Vec<_> = (0..400).map(|n| format!("k{n:03}")).collect();
    let ids: Vec<_> = ids.iter().map(String::as_str).collect();
    let lists: &[(&str, &[&str])] =
        &[("", &["mine"]), ("s1", &ids[..250]), (BROKEN, &ids[120..]), ("s3", &["k000", "last"])];
    let spaces_of = |n: usize| match n {
        0 => vec!["s1", "s3"],
        1..120 => vec!["s1"],
        120..250 => vec!["s1", BROKEN],
        _ => vec![BROKEN],
    };
    let expected: Vec<_> = [("mine", vec![])]
        .into_iter()
        .chain(ids.iter().enumerate().map(|(n, id)| (*id, spaces_of(n))))
        .chain([("last", vec!["s3"])])
        .collect();
    for threads in [1, 2, 8] {
        let inventory = inventory(lists, threads);
        assert_eq!(found(&inventory), expected);
        let unread: Vec<_> = inventory.unread.iter().map(|unread| unread.scope.to_string()).collect();
        assert_eq!(unread, ["the service keys of space broken (broken)"]);
        // Keys in the same spaces share them, whichever hundred they came in.
        let shared = |n: usize| inventory.keys[n].spaces.as_ptr();
        assert!((2..120).all(|n| shared(n + 1) == shared(2)) && (250..400).all(|n| shared(n + 1) == shared(251)));
    }
}
