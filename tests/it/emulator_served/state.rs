//! The state in a file.

use std::fs;
use std::time::Duration;

use arize_api_keys::emulator::{AccountSpec, Emulator, EmulatorBuilder, ManualClock, Role, StateError};
use arize_api_keys::{
    ApiKeyStatus, ApiKeyType, ApiKeysClient, CreateRequest, CreateServiceKeyRequest, ListRequest, RefreshRequest,
    RetryPolicy, RoleAssignment, SpaceRole,
};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use time::OffsetDateTime;

use crate::support::served::Folder;

fn builder() -> EmulatorBuilder {
    Emulator::builder().seed(1).clock(ManualClock::at(OffsetDateTime::UNIX_EPOCH + time::Duration::days(20_000)))
}

fn client(emulator: &Emulator, key: &SecretString) -> ApiKeysClient {
    ApiKeysClient::builder().ignore_env().api_key(key.clone()).transport(emulator.clone()).build().unwrap()
}

/// All that a client can see of the account.
fn seen(emulator: &Emulator) -> String {
    let client = client(emulator, &emulator.admin_key());
    let lists = [ApiKeyType::User, ApiKeyType::Service].into_iter().flat_map(|key_type| {
        [ApiKeyStatus::Active, ApiKeyStatus::Revoked].into_iter().map(move |status| (key_type.clone(), status))
    });
    let list = |(key_type, status)| {
        let request = ListRequest::new().key_type(key_type).status(status);
        client.list_all(&request).map(|key| format!("{:?}\n", key.unwrap())).collect::<String>()
    };
    lists.map(list).collect()
}

#[test]
fn what_was_done_is_there_after_a_restart() {
    let folder = Folder::new();
    let path = folder.file("state");
    let emulator = builder().open(&path).unwrap();
    let admin = client(&emulator, &emulator.admin_key());
    let user = emulator.add_user("jo");
    let space = emulator.space_id("acme", "prod").unwrap();
    emulator.set_space_role(&user, &space, Role::Member).unwrap();
    let of_jo = emulator.add_user_key(&user, "of jo").unwrap().secret;
    let auditor = emulator.add_custom_role("auditor");
    let plain = admin.create(&CreateRequest::new("plain \"quoted\" ü").description("d\n")).unwrap();
    let gone = admin.create(&CreateRequest::new("gone")).unwrap();
    admin.revoke(&gone.id).unwrap();
    let old = admin.create(&CreateRequest::new("fresh")).unwrap();
    let hour = Duration::from_secs(3600);
    let fresh = admin.refresh(&RefreshRequest::new(&old.id).grace_period(hour)).unwrap();
    let role = RoleAssignment::<SpaceRole>::custom(auditor);
    let bot = admin.create_service_key(&CreateServiceKeyRequest::new("bot", space.as_str()).space_role(role)).unwrap();
    let before = seen(&emulator);
    let secret = emulator.admin_key();
    drop((admin, emulator));

    for restart in 0..2 {
        let emulator = builder().open(&path).unwrap();
        assert_eq!(emulator.admin_key().expose_secret(), secret.expose_secret());
        assert_eq!(seen(&emulator), before, "restart {restart}");
        for alive in [&plain.key, &old.key, &fresh.key, &bot.key, &of_jo] {
            assert!(emulator.authenticates(alive.expose_secret()));
        }
        assert!(!emulator.authenticates(gone.key.expose_secret()));
        let jo = client(&emulator, &of_jo);
        assert_eq!(jo.list(&ListRequest::new().space("prod")).unwrap().api_keys.len(), 1);
        emulator.clock().advance(hour);
        assert!(!emulator.authenticates(old.key.expose_secret()), "its grace is over");
    }
}

#[test]
fn a_restart_does_not_throw_the_dice_again() {
    let folder = Folder::new();
    let create = |emulator: &Emulator| {
        let created = client(emulator, &emulator.admin_key()).create(&CreateRequest::new("x")).unwrap();
        (created.id.clone(), created.key.expose_secret().to_owned())
    };
    let without = builder().open(folder.file("without")).unwrap();
    let expected = [create(&without), create(&without), create(&without)];
    let with = [(); 3].map(|()| create(&builder().open(folder.file("with")).unwrap()));
    assert_eq!(with, expected);
}

#[test]
fn an_admin_without_a_key_that_works_gets_one() {
    let folder = Folder::new();
    let path = folder.file("state");
    let emulator = builder().open(&path).unwrap();
    let admin = client(&emulator, &emulator.admin_key());
    let own = admin.list(&ListRequest::new()).unwrap().api_keys.remove(0);
    admin.revoke(&own.id).unwrap();
    let old = emulator.admin_key();
    drop((admin, emulator));
    let emulator = builder().open(&path).unwrap();
    let new = emulator.admin_key();
    assert_ne!(new.expose_secret(), old.expose_secret());
    assert_eq!(client(&emulator, &new).list(&ListRequest::new()).unwrap().api_keys.len(), 1);
    drop(emulator);
    assert!(builder().open(&path).unwrap().authenticates(new.expose_secret()));
}

#[test]
fn a_document_that_is_not_whole_is_refused_with_the_place() {
    let folder = Folder::new();
    let path = folder.file("state");
    let emulator = builder().open(&path).unwrap();
    client(&emulator, &emulator.admin_key()).create(&CreateRequest::new("last")).unwrap();
    let secret = emulator.admin_key().expose_secret().to_owned();
    drop(emulator);
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.ends_with("}\n"));
    let cut = |length: usize| (text[..length].to_owned(), "EOF while parsing");
    let cases = [
        cut(1),
        cut(text.len() / 2),
        cut(text.len() - 2),
        ("a text\n".to_owned(), "expected value at line 1 column 1"),
        (text.clone() + &text, "trailing characters at line"),
        (
            text.replacen("\"name\"", "\"nmae\"", 1),
            "`admin.nmae`: not known here; known: one of `id`, `name`, `secret` at line",
        ),
        (text.replacen(&format!("\"{secret}\""), "[1]", 1), "`keys[0].secret`: expected a string at line"),
        (
            text.replacen("\"user\"", "\"revoked\"", 1).replacen(
                "\"name\": \"last\"",
                "\"name\": \"last\", \"revoked\": \"ak-secret-of-somebody\"",
                1,
            ),
            "`keys[1].revoked`: expected a boolean at line",
        ),
        (
            text.replacen("1", "x", 1).replacen("\"created_at\": \"2", "\"created_at\": \"ak-secret-of-somebody", 1),
            "must be an RFC 3339 date-time at line",
        ),
        (text.replacen("\"created_at\": \"2024", "\"created_at\": \"-001", 1), "must be an RFC 3339 date-time at line"),
        (text.replacen("T00:00:00Z", "T00:00:00+99:00", 1), "must be an RFC 3339 date-time at line"),
    ];
    for (text, expected) in cases {
        fs::write(&path, &text).unwrap();
        let error = builder().open(&path).unwrap_err();
        assert!(matches!(error, StateError::Malformed { .. }), "{error}");
        let shown = error.to_string();
        assert!(shown.contains(expected), "{shown}\n{text}");
        assert!(!shown.contains("ak-"), "{shown}");
        assert_eq!(fs::read_to_string(&path).unwrap(), text, "it is left as it was");
    }
    fs::write(&path, "").unwrap();
    assert!(builder().open(&path).is_ok(), "a new file may be there already");
}

#[test]
fn people_can_edit_the_state() {
    let folder = Folder::new();
    let path = folder.file("state");
    let emulator = builder().open(&path).unwrap();
    let admin = client(&emulator, &emulator.admin_key());
    let first = admin.create(&CreateRequest::new("first")).unwrap();
    let second = admin.create(&CreateRequest::new("second")).unwrap();
    drop((admin, emulator));
    let mut document: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    let keys = document["keys"].as_array_mut().unwrap();
    assert_eq!(keys.iter().map(|key| key["name"].as_str().unwrap()).collect::<Vec<_>>(), ["admin", "first", "second"]);
    keys.remove(1);
    keys.insert(0, json!({ "name": "by hand", "secret": "ak-by-hand" }));
    document["users"] = json!([{ "name": "jo" }]);
    fs::write(&path, document.to_string()).unwrap();
    let emulator = builder().open(&path).unwrap();
    assert!(!emulator.authenticates(first.key.expose_secret()));
    assert!(emulator.authenticates(second.key.expose_secret()) && emulator.authenticates("ak-by-hand"));
    let admin = client(&emulator, &emulator.admin_key());
    let names =
        |admin: &ApiKeysClient| admin.list_all(&ListRequest::new()).map(|key| key.unwrap().name).collect::<Vec<_>>();
    assert_eq!(names(&admin), ["admin", "second", "by hand"], "from the oldest id to the newest");
    let third = admin.create(&CreateRequest::new("third")).unwrap();
    let ids: Vec<_> = admin.list_all(&ListRequest::new()).map(|key| key.unwrap().id).collect();
    assert_eq!(ids.iter().collect::<std::collections::HashSet<_>>().len(), 4);
    admin.revoke(&second.id).unwrap();
    assert_eq!(names(&admin), ["admin", "by hand", "third"]);
    // It is an account document like any other.
    drop((admin, emulator));
    let account = AccountSpec::from_json(&fs::read_to_string(&path).unwrap()).unwrap();
    assert!(Emulator::builder().account(account).build().authenticates(third.key.expose_secret()));
}

#[test]
fn names_that_several_have_stand_for_nobody() {
    let folder = Folder::new();
    let path = folder.file("state");
    let emulator = builder().open(&path).unwrap();
    let organization = emulator.organization_id("acme").unwrap();
    let twin = emulator.add_space(&organization, "prod").unwrap();
    let users = [emulator.add_user("jo"), emulator.add_user("jo"), emulator.add_user("admin")];
    for user in &users {
        emulator.set_space_role(user, &twin, Role::Admin).unwrap();
        emulator.add_user_key(user, "k").unwrap();
    }
    let admin = client(&emulator, &emulator.admin_key());
    admin.create_service_key(&CreateServiceKeyRequest::new("bot", twin.as_str())).unwrap();
    let before = seen(&emulator);
    let of = |emulator: &Emulator, user: &str| {
        client(emulator, &emulator.admin_key()).list(&ListRequest::new().user_id(user)).unwrap().api_keys.len()
    };
    drop((admin, emulator));
    let emulator = builder().open(&path).unwrap();
    assert_eq!(seen(&emulator), before);
    assert_eq!(users.each_ref().map(|user| of(&emulator, user)), [1, 1, 1]);
}

#[test]
fn a_given_admin_key_must_be_the_one_of_the_state() {
    let folder = Folder::new();
    let path = folder.file("state");
    let open = |key: &str| builder().admin_key(key).unwrap().open(&path);
    let emulator = open("ak-first-0123456789").unwrap();
    assert_eq!(emulator.admin_key().expose_secret(), "ak-first-0123456789");
    drop(emulator);
    assert!(matches!(open("ak-other-0123456789"), Err(StateError::AdminKey { .. })));
    assert_eq!(open("ak-first-0123456789").unwrap().admin_key().expose_secret(), "ak-first-0123456789");
}

#[test]
fn former_secrets_go_when_their_grace_is_over() {
    let folder = Folder::new();
    let path = folder.file("state");
    let emulator = builder().open(&path).unwrap();
    let admin = client(&emulator, &emulator.admin_key());
    let key = admin.create(&CreateRequest::new("k")).unwrap();
    let request = RefreshRequest::new(&key.id).grace_period(Duration::from_secs(60));
    let mut secrets = vec![key.key.expose_secret().to_owned()];
    for _ in 0..10 {
        secrets.push(admin.refresh(&request).unwrap().key.expose_secret().to_owned());
        emulator.clock().advance(Duration::from_secs(45));
    }
    let alive: Vec<_> = secrets.iter().map(|secret| emulator.authenticates(secret)).collect();
    assert_eq!(alive.iter().filter(|alive| **alive).count(), 2);
    admin.create(&CreateRequest::new("another")).unwrap();
    let text = fs::read_to_string(&path).unwrap();
    assert_eq!(secrets.iter().map(|secret| text.contains(secret.as_str())).collect::<Vec<_>>(), alive);
}

#[test]
fn one_emulator_at_a_time() {
    let folder = Folder::new();
    let path = folder.file("state");
    let emulator = builder().open(&path).unwrap();
    assert!(matches!(builder().open(&path), Err(StateError::InUse { .. })));
    let clone = emulator.clone();
    drop(emulator);
    assert!(matches!(builder().open(&path), Err(StateError::InUse { .. })));
    drop(clone);
    assert!(builder().open(&path).is_ok());
    assert!(matches!(builder().open(folder.file("no/folder")), Err(StateError::Io { .. })));
}

#[cfg(unix)]
#[test]
fn another_name_of_the_file_lets_no_second_emulator_in() {
    let folder = Folder::new();
    let (path, other) = (folder.file("state"), folder.file("other"));
    drop(builder().open(&path).unwrap());
    fs::hard_link(&path, &other).unwrap();
    let emulator = builder().open(&path).unwrap();
    client(&emulator, &emulator.admin_key()).create(&CreateRequest::new("k")).unwrap();
    assert!(matches!(builder().open(&other), Err(StateError::InUse { .. })));
}

#[cfg(unix)]
#[test]
fn what_is_no_regular_file_is_refused_before_it_is_opened() {
    let folder = Folder::new();
    let fifo = folder.file("fifo");
    assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let directory = fifo.parent().unwrap().to_owned();
    for path in [fifo, directory, "/dev/null".into(), "/dev/zero".into()] {
        assert!(matches!(builder().open(&path), Err(StateError::NotAFile { .. })), "{path:?}");
    }
    let (link, gone) = (folder.file("dangling"), folder.file("gone"));
    std::os::unix::fs::symlink(&gone, &link).unwrap();
    assert!(matches!(builder().open(&link), Err(StateError::Io { action: "open", .. })));
    assert!(!gone.exists());
}

#[cfg(unix)]
#[test]
fn nobody_else_may_read_it() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    let path = folder.file("state");
    fs::write(&path, "").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    let emulator = builder().open(&path).unwrap();
    for entry in fs::read_dir(path.parent().unwrap()).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", entry.path());
    }
    drop(emulator);
    // A link keeps its place.
    let link = folder.file("link");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    drop(builder().open(&link).unwrap());
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink() && !fs::read(&path).unwrap().is_empty());
}

#[test]
fn a_file_that_cannot_be_written_is_tried_again() {
    let folder = Folder::new();
    let path = folder.file("directory/state");
    let directory = path.parent().unwrap();
    fs::create_dir(directory).unwrap();
    let emulator = builder().open(&path).unwrap();
    let admin = ApiKeysClient::builder()
        .ignore_env()
        .api_key(emulator.admin_key())
        .transport(emulator.clone())
        .retry(RetryPolicy::none())
        .build()
        .unwrap();
    fs::remove_dir_all(directory).unwrap();
    let error = admin.create(&CreateRequest::new("unsaved")).unwrap_err();
    assert_eq!(error.status(), Some(500));
    assert!(error.to_string().contains("the state file cannot be written: "), "{error}");
    assert_eq!(admin.list(&ListRequest::new()).unwrap_err().status(), Some(500), "it would show what may be gone");
    fs::create_dir(directory).unwrap();
    let keys = admin.list(&ListRequest::new()).unwrap().api_keys;
    assert_eq!(keys.iter().map(|key| key.name.as_str()).collect::<Vec<_>>(), ["admin", "unsaved"]);
    assert_eq!(fs::read_dir(directory).unwrap().count(), 1, "no temporary file is left");
    drop((admin, emulator));
    assert!(seen(&builder().open(&path).unwrap()).contains("unsaved"));
}
