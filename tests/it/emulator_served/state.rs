//! The state in a file.

use std::fs;
use std::time::Duration;

use arize_api_keys::emulator::{Emulator, EmulatorBuilder, ManualClock, Role, StateError};
use arize_api_keys::{
    ApiKeyStatus, ApiKeyType, ApiKeysClient, CreateRequest, CreateServiceKeyRequest, ListRequest, RefreshRequest,
    RoleAssignment, SpaceRole,
};
use secrecy::{ExposeSecret, SecretString};
use time::OffsetDateTime;

use super::support::Folder;

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
fn what_a_crash_cuts_off_is_left_out() {
    let folder = Folder::new();
    let path = folder.file("state");
    let emulator = builder().open(&path).unwrap();
    let whole = fs::read(&path).unwrap();
    let created = client(&emulator, &emulator.admin_key()).create(&CreateRequest::new("last")).unwrap();
    drop(emulator);
    let text = fs::read(&path).unwrap();
    assert!(text.starts_with(&whole) && text.ends_with(b"\n"));
    let end_of_key = whole.len() + text[whole.len()..].iter().position(|byte| *byte == b'\n').unwrap() + 1;
    for length in [whole.len(), whole.len() + 1, end_of_key - 1, end_of_key, text.len() - 1, text.len()] {
        fs::write(&path, &text[..length]).unwrap();
        let emulator = builder().open(&path).unwrap();
        assert_eq!(emulator.authenticates(created.key.expose_secret()), length >= end_of_key, "{length}");
    }
}

#[test]
fn what_no_crash_leaves_behind_is_refused() {
    let folder = Folder::new();
    let path = folder.file("state");
    drop(builder().open(&path).unwrap());
    let text = fs::read_to_string(&path).unwrap();
    let cases = [
        ("a text\n".to_owned(), 1),
        ("{}".to_owned(), 1),
        (text.replacen("\"version\":1", "\"version\":2", 1), 1),
        (text.replacen("\"organization\"", "\"organisation\"", 1), 2),
        (text.lines().filter(|line| !line.contains("\"organization\":{")).collect::<Vec<_>>().join("\n"), 2),
        (text.clone() + &text, text.lines().count() as u64 + 1),
    ];
    for (text, expected) in cases {
        fs::write(&path, &text).unwrap();
        match builder().open(&path).unwrap_err() {
            StateError::Malformed { line, .. } => assert_eq!(line, expected, "{text}"),
            error => panic!("{error}"),
        }
        assert_eq!(fs::read_to_string(&path).unwrap(), text, "it is left as it was");
    }
    fs::write(&path, "").unwrap();
    assert!(builder().open(&path).is_ok(), "a new file may be there already");
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

#[cfg(target_os = "linux")]
#[test]
fn a_file_that_cannot_be_written_anew_is_written_on() {
    let folder = Folder::new();
    let path = folder.file("state");
    let emulator = builder().open(&path).unwrap();
    let admin = client(&emulator, &emulator.admin_key());
    // It grows until it has to be written anew, and its folder is gone then.
    fs::remove_dir_all(path.parent().unwrap()).unwrap();
    let long = CreateRequest::new("x").description("d".repeat(1000));
    let made: Vec<_> = (0..300).map(|_| admin.create(&long).unwrap()).collect();
    assert!(emulator.authenticates(made[299].key.expose_secret()));
}
