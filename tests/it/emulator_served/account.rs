//! Accounts that a file describes.

use arize_api_keys::emulator::{AccountSpec, Emulator};
use arize_api_keys::{
    ApiKeyStatus, ApiKeyType, ApiKeysClient, CreateRequest, ListRequest, RefreshRequest, RoleAssignment,
};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

fn file() -> Value {
    json!({
        "admin": { "name": "root", "secret": "ak-of-root-0123456789" },
        "organizations": [
            { "name": "acme", "description": "ours", "spaces": [{ "name": "prod", "description": "d" }, { "name": "dev" }] },
            { "name": "labs", "spaces": [{ "name": "dev" }] }
        ],
        "roles": [{ "name": "auditor" }],
        "users": [{ "name": "jo", "organizations": [
            { "organization": "acme", "role": "member", "spaces": [{ "space": "prod", "role": "READ_ONLY" }, { "space": "dev" }] }
        ] }],
        "keys": [
            { "name": "laptop", "user": "jo", "secret": "ak-jo", "description": "d", "created_at": "2025-01-01T00:00:00Z",
              "expires_at": "2999-01-01T00:00:00Z" },
            { "name": "old", "user": "jo", "secret": "ak-old", "revoked": true },
            { "name": "bot", "user": "jo", "secret": "ak-bot", "service": { "account_role": "admin", "organizations": [
                { "organization": "acme", "role": "admin", "spaces": [{ "space": "dev", "role": { "custom": "auditor" } }] }
            ] } }
        ]
    })
}

fn client(emulator: &Emulator, key: &str) -> ApiKeysClient {
    ApiKeysClient::builder().ignore_env().api_key(key).transport(emulator.clone()).build().unwrap()
}

#[test]
fn everything_in_the_file_is_there() {
    let spec = AccountSpec::from_json(&file().to_string()).unwrap();
    let emulator = Emulator::builder().account(spec).build();
    assert_eq!(emulator.admin_key().expose_secret(), "ak-of-root-0123456789");
    assert!(emulator.space_id("labs", "dev").is_some() && emulator.space_id("labs", "prod").is_none());
    let jo = client(&emulator, "ak-jo");
    let keys = jo.list(&ListRequest::new()).unwrap().api_keys;
    assert_eq!(keys.iter().map(|key| key.name.as_str()).collect::<Vec<_>>(), ["laptop"]);
    assert_eq!(keys[0].description.as_deref(), Some("d"));
    assert_eq!(keys[0].redacted_key, "...", "a short secret is not shown by half");
    assert_eq!(keys[0].created_at.unwrap().unix_timestamp(), 1_735_689_600);
    let revoked = jo.list(&ListRequest::new().status(ApiKeyStatus::Revoked)).unwrap().api_keys;
    assert_eq!(revoked[0].name, "old");
    assert!(!emulator.authenticates("ak-old"));
    assert!(jo.list(&ListRequest::new().space("prod")).is_err(), "jo only reads there");
    let admin = client(&emulator, "ak-of-root-0123456789");
    let service = ListRequest::new().key_type(ApiKeyType::Service).user_id(&keys[0].created_by_user_id);
    let bots = admin.list(&service).unwrap().api_keys;
    let bot = bots[0].bot_user.as_ref().unwrap();
    assert!(matches!(&bot.organizations[0].spaces[0].role, Some(RoleAssignment::Custom { .. })), "{bot:?}");
    assert!(!format!("{:?}", AccountSpec::from_json(&file().to_string())).contains("ak-"));
}

#[test]
fn keys_are_found_and_listed_by_their_numbers_in_any_order_of_the_document() {
    // The ids of the numbers 900, 5, 3 and 70.
    let ids = ["QXBpS2V5OjkwMDphYmNk", "QXBpS2V5OjU6YWJjZA==", "QXBpS2V5OjM6YWJjZA==", "QXBpS2V5OjcwOmFiY2Rl"];
    let key = |(n, id): (usize, &&str)| json!({ "id": id, "name": n.to_string() });
    let mut keys: Vec<Value> = ids.iter().enumerate().map(key).collect();
    keys.insert(1, json!({ "name": "without an id" }));
    let spec = AccountSpec::from_json(&json!({ "admin": { "secret": "ak-root" }, "keys": keys }).to_string()).unwrap();
    let emulator = Emulator::builder().account(spec).build();
    let client = emulator.client();
    for id in ids {
        assert_eq!(client.refresh(&RefreshRequest::new(id)).unwrap().id, id);
    }
    client.create(&CreateRequest::new("created")).unwrap();
    let listed = client.list_all(&ListRequest::new().limit(2)).map(|key| key.unwrap().name).collect::<Vec<_>>();
    assert_eq!(listed, ["2", "1", "3", "0", "admin", "without an id", "created"]);
}

#[test]
fn what_is_wrong_is_named_with_its_place() {
    let with = |pointer: &str, value: Value| {
        let mut file = file();
        *file.pointer_mut(pointer).unwrap() = value;
        AccountSpec::from_json(&file.to_string()).unwrap_err().to_string()
    };
    let cases = [
        (
            "/users/0/organizations/0/organization",
            json!("acm"),
            "`users[0].organizations[0].organization`: there is no organization `acm`",
        ),
        (
            "/users/0/organizations/0/spaces/1/space",
            json!("staging"),
            "`users[0].organizations[0].spaces[1].space`: there is no space of that organization `staging`",
        ),
        (
            "/users/0/organizations/0/spaces/1/space",
            json!("prod"),
            "`users[0].organizations[0].spaces[1].space`: the space is named a second time",
        ),
        ("/keys/1/secret", json!("ak-jo"), "`keys[1].secret`: another key has this secret"),
        (
            "/keys/1/secret",
            json!("a b"),
            "`keys[1].secret`: a key is 1 to 4096 visible ASCII characters, without blanks",
        ),
        ("/keys/0/user", json!("al"), "`keys[0].user`: there is no user `al`"),
        (
            "/keys/2/service/organizations",
            json!([]),
            "`keys[2].service.organizations`: a service key is bound to one space or more",
        ),
        (
            "/keys/2/service/account_role",
            json!("read-only"),
            "`keys[2].service.account_role`: the account has admins and members only",
        ),
        (
            "/organizations/1/name",
            json!("acme"),
            "`users[0].organizations[0].organization`: there is more than one organization `acme`: use the id",
        ),
    ];
    for (pointer, value, message) in cases {
        assert_eq!(with(pointer, value), message);
    }
    for (text, part) in [
        ("{", "line 1 column 1"),
        (r#"{ "organisations": [] }"#, "`organisations`: not known here; known: one of `admin`, `organizations`"),
        ("{\n \"keys\": [{ \"nam\": 1 }] }", "line 2"),
        (
            r#"{ "keys": [{ "name": "x", "expires_at": "0000-01-01T00:00:00+01:00" }] }"#,
            "must be in the years 0 to 9999, in UTC",
        ),
        (
            r#"{ "keys": [{ "name": "x" }, { "name": "x", "ak-0123456789": 1 }] }"#,
            "`keys[1]`: not known here; known: one of `id`, `name`",
        ),
        ("[]", "expected an account document: an object"),
        (
            r#"{ "keys": [{ "name": "x", "id": "ak-0123456789" }] }"#,
            "`keys[0].id`: must be an id, as the emulator writes them at line 1",
        ),
        // `ApiKey:7:a` and `ApiKey:7:b`, and the highest number, which leaves none for a new key.
        (
            r#"{ "keys": [{ "name": "x", "id": "QXBpS2V5Ojc6YQ==" }, { "name": "y", "id": "QXBpS2V5Ojc6Yg==" }] }"#,
            "`keys[1].id`: another one has the number of this id",
        ),
        (
            r#"{ "keys": [{ "name": "x", "id": "QXBpS2V5OjE4NDQ2NzQ0MDczNzA5NTUxNjE1OmE=" }] }"#,
            "`keys[0].id`: its number is above 9223372036854775807",
        ),
        (r#"{ "keys": [{ "name": "x", "user": "ak-0123456789" }] }"#, "`keys[0].user`: there is no user"),
        (
            r#"{ "users": [{ "name": "x", "account_role": "boss" }] }"#,
            "`users[0].account_role`: a role is `admin`, `member` or `read-only` at line 1 column",
        ),
        (
            r#"{ "users": [{ "name": "x", "organizations": [
                { "organization": "x", "spaces": [{ "space": "x", "role": "boss" }] }] }] }"#,
            "`users[0].organizations[0].spaces[0].role`: a role is `admin`, `member`, `read-only` or `{ custom: ",
        ),
        (
            r#"{ "users": [{ "name": "x", "organizations": [
                { "organization": "x", "spaces": [{ "space": "x", "role": { "custom": "x", "id": 1 } }] }] }] }"#,
            "`users[0].organizations[0].spaces[0].role`: a role is `admin`, `member`, `read-only` or `{ custom: ",
        ),
        (
            r#"{ "keys": [{ "name": "x", "expires_at": "soon" }] }"#,
            "`keys[0].expires_at`: must be an RFC 3339 date-time at line 1 column",
        ),
    ] {
        let message = AccountSpec::from_json(text).unwrap_err().to_string();
        assert!(message.contains(part), "{message}");
        assert!(!message.contains("ak-0"), "{message}");
    }
}

#[test]
fn the_admin_can_be_named() {
    let account = |admin: &str, user: &str| {
        let text = format!(
            r#"{{ "admin": {{ "name": "root" }}, "users": [{{ "name": "{admin}" }}],
            "keys": [{{ "name": "x", "user": "{user}", "secret": "ak-x" }}] }}"#
        );
        AccountSpec::from_json(&text)
    };
    let emulator = Emulator::builder().account(account("jo", "root").unwrap()).build();
    let names: Vec<_> = client(&emulator, "ak-x").list(&ListRequest::new()).unwrap().api_keys;
    assert_eq!(names.iter().map(|key| key.name.as_str()).collect::<Vec<_>>(), ["admin", "x"]);
    let error = account("root", "root").unwrap_err().to_string();
    assert_eq!(error, "`keys[0].user`: there is more than one user `root`: use the id");
}

#[test]
fn a_key_for_the_admin_wins_over_that_of_the_file() {
    let spec = || AccountSpec::from_json(&file().to_string()).unwrap();
    for builder in [
        Emulator::builder().account(spec()).admin_key("ak-given").unwrap(),
        Emulator::builder().admin_key("ak-given").unwrap().account(spec()),
        Emulator::builder().admin_key("ak-given").unwrap().empty(),
    ] {
        let emulator = builder.build();
        assert_eq!(emulator.admin_key().expose_secret(), "ak-given");
        assert!(emulator.authenticates("ak-given") && !emulator.authenticates("ak-of-root-0123456789"));
    }
    assert!(Emulator::builder().admin_key("").is_err());
    assert!(Emulator::builder().account(spec()).admin_key("ak-jo").is_err());
}
