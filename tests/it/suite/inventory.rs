//! Spaces, organizations, and every key of an account.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use arize_api_keys::emulator::{Fault, Role};
use arize_api_keys::{
    ApiKeyStatus, ApiKeyType, CreateRequest, CreateServiceKeyRequest, Error, Inventory, InventoryRequest,
    ListOrganizationsRequest, ListSpacesRequest, OrgRole, Scope, SpaceRole,
};

use super::world::{NO_KEY, World, each};

fn names(inventory: &Inventory) -> BTreeSet<&str> {
    inventory.keys.iter().map(|found| found.key.name.as_str()).collect()
}

fn service_key(world: &World, name: &str, space: &str, org_id: &str) -> String {
    let request = CreateServiceKeyRequest::new(name, space).org_id(org_id);
    world.client.create_service_key(&request).unwrap().id.clone()
}

#[test]
fn spaces_and_organizations() {
    each(|world| {
        let spaces: Vec<_> = world.client.list_spaces(&ListSpacesRequest::new()).map(Result::unwrap).collect();
        assert!(spaces.iter().any(|space| space.id == world.names.prod && space.name == "prod"));
        let named = ListSpacesRequest::new().name("PROD").organization(&world.names.acme);
        let named: Vec<_> = world.client.list_spaces(&named).map(|space| space.unwrap().name).collect();
        assert_eq!(named, ["prod", "prod-eu"]);
        let organizations = world.client.list_organizations(&ListOrganizationsRequest::new().name("labs"));
        let ids: Vec<_> = organizations.map(|organization| organization.unwrap().id).collect();
        assert_eq!(ids, [world.names.labs.as_str()]);
        for request in [ListSpacesRequest::new().name(""), ListSpacesRequest::new().name("x".repeat(256))] {
            world.refused_unsent("name", "must have 1 to 255 characters", |client| {
                client.list_spaces(&request).next().unwrap()
            });
        }
        world.refused_unsent("organization", "must not be empty", |client| {
            client.list_spaces(&ListSpacesRequest::new().organization("")).next().unwrap()
        });
        let mut spaces = world.client_of(&"ak-unknown-0123456789".into()).list_spaces(&ListSpacesRequest::new());
        assert!(matches!(spaces.next(), Some(Err(Error::Unauthorized(_)))));
        assert!(spaces.next().is_none() && spaces.next().is_none());
    });
}

#[test]
fn more_spaces_than_a_page() {
    each(|world| {
        for n in 0..150 {
            world.emulator.add_space(&world.names.acme, format!("extra-{n}")).unwrap();
        }
        let request = ListSpacesRequest::new().name("extra-");
        let names = world
            .costs(2, |client| client.list_spaces(&request).map(|space| space.unwrap().name).collect::<BTreeSet<_>>());
        assert_eq!(names.len(), 150);
    });
}

#[test]
fn every_key_once_with_its_spaces() {
    each(|world| {
        let old = world.client.create(&CreateRequest::new("mine")).unwrap();
        world.client.create(&CreateRequest::new("gone")).map(|key| world.client.revoke(&key.id).unwrap()).unwrap();
        service_key(world, "bot", &world.names.prod, &world.names.acme);
        let (user_id, user) = world.user_in(&world.names.prod, Role::Member);
        user.create(&CreateRequest::new("of another user")).unwrap();

        let request = InventoryRequest::new();
        let inventory = world.client.inventory(&request).unwrap();
        assert_eq!(names(&inventory), BTreeSet::from(["admin", "mine", "bot"]));
        assert!(inventory.unread.is_empty(), "{:?}", inventory.unread);
        let bot = inventory.keys.iter().find(|found| found.key.name == "bot").unwrap();
        assert_eq!(bot.key.key_type, ApiKeyType::Service);
        assert_eq!(bot.spaces.iter().map(|space| space.name.as_str()).collect::<Vec<_>>(), ["prod"]);

        let all = InventoryRequest::new().include_revoked(true).user_keys_of(&user_id).space("prod");
        let inventory = world.client.inventory(&all).unwrap();
        assert_eq!(names(&inventory), BTreeSet::from(["admin", "mine", "gone", "bot", "theirs", "of another user"]));
        // The caller named twice is no second key.
        let twice = InventoryRequest::new().user_keys_of(world.emulator.admin_id());
        let inventory = world.client.inventory(&twice).unwrap();
        assert_eq!(inventory.keys.iter().filter(|found| found.key.id == old.id).count(), 1);
    });
}

#[test]
fn threads_do_not_change_the_report() {
    each(|world| {
        for (n, space) in [&world.names.prod, &world.names.staging, &world.names.prod_eu].into_iter().enumerate() {
            service_key(world, &format!("bot {n}"), space, &world.names.acme);
        }
        let report = |threads| {
            let request = InventoryRequest::new().concurrency(threads);
            let inventory = world.client.inventory(&request).unwrap();
            format!("{:?}", inventory.keys.iter().map(|key| (&key.key.id, &key.spaces)).collect::<Vec<_>>())
        };
        let one = report(1);
        assert_eq!(report(2), one);
        assert_eq!(report(8), one);
    });
}

#[test]
fn scopes_that_cannot_be_read_are_named() {
    each(|world| {
        let (_, user) = world.user_in(&world.names.prod, Role::Member);
        let id = world.emulator.admin_id();
        let inventory = user.inventory(&InventoryRequest::new().user_keys_of(&id)).unwrap();
        assert!(names(&inventory).contains("theirs"));
        assert!(
            inventory.unread.iter().any(
                |unread| unread.scope == Scope::UserKeys(id.clone()) && matches!(unread.error, Error::Forbidden(_))
            )
        );
    });
}

#[test]
fn failures_that_leave_no_answer_are_errors() {
    each(|world| {
        let stranger = world.client_of(&"ak-unknown-0123456789".into());
        assert!(matches!(stranger.inventory(&InventoryRequest::new()), Err(Error::Unauthorized(_))));
        assert!(matches!(stranger.find_key("x", &InventoryRequest::new()), Err(Error::Unauthorized(_))));
        let named = world.client.inventory(&InventoryRequest::new().space("nowhere"));
        assert!(matches!(named, Err(Error::SpaceNotFound(_))), "{named:?}");
        for (request, field) in [
            (InventoryRequest::new().concurrency(0), "concurrency"),
            (InventoryRequest::new().concurrency(65), "concurrency"),
            (InventoryRequest::new().timeout(Duration::ZERO), "timeout"),
            (InventoryRequest::new().user_keys_of(" "), "user_keys_of"),
            (InventoryRequest::new().space(""), "space"),
        ] {
            let error = world.costs(0, |client| client.inventory(&request)).unwrap_err();
            let Error::InvalidRequest(error) = error else { panic!("{error:?}") };
            assert_eq!(error.field(), field);
        }
    });
}

#[test]
fn a_key_is_found_by_its_id() {
    each(|world| {
        let mine = world.client.create(&CreateRequest::new("mine")).unwrap();
        let bot = service_key(world, "bot", &world.names.staging, &world.names.acme);
        let find = |id: &str| world.client.find_key(id, &InventoryRequest::new()).unwrap();
        // The first scope has it.
        let found = world.costs(2, |_| find(&mine.id)).unwrap();
        assert_eq!((found.key, found.spaces.len()), (mine.details.clone(), 0));
        let found = find(bot.trim_end_matches('=')).unwrap();
        assert_eq!((found.key.id.as_str(), found.spaces[0].id.as_str()), (&*bot, &*world.names.staging));
        assert!(find(NO_KEY).is_none());
        world.client.revoke(&mine.id).unwrap();
        assert!(find(&mine.id).is_none());
        let request = InventoryRequest::new().include_revoked(true);
        let found = world.client.find_key(&mine.id, &request).unwrap().unwrap();
        assert_eq!(found.key.status, ApiKeyStatus::Revoked);
    });
}

#[test]
fn progress_counts_the_scopes() {
    each(|world| {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&seen);
        let request = InventoryRequest::new().space("prod").space("staging").on_progress(move |progress| {
            log.lock().unwrap().push((progress.scopes_done, progress.scopes_known));
        });
        world.client.inventory(&request).unwrap();
        assert_eq!(*seen.lock().unwrap(), [(1, 3), (2, 3), (3, 3)]);
    });
}

#[test]
fn faults_on_the_way_do_not_change_the_report() {
    each(|world| {
        world.emulator.inject(Fault::status(503));
        world.emulator.inject(Fault::rate_limit(Duration::from_secs(1)));
        let inventory = world.client.inventory(&InventoryRequest::new()).unwrap();
        assert!(inventory.unread.is_empty());
        assert_eq!(names(&inventory), BTreeSet::from(["admin"]));
    });
}

#[test]
fn words_are_parsed_in_the_spelling_of_either_stage() {
    for text in ["service", "SERVICE", " Service "] {
        assert_eq!(text.parse(), Ok(ApiKeyType::Service));
    }
    assert_eq!("deleted".parse(), Ok(ApiKeyStatus::Revoked));
    for text in ["read-only", "READ_ONLY", "Read_Only"] {
        assert_eq!((text.parse(), text.parse()), (Ok(SpaceRole::ReadOnly), Ok(OrgRole::ReadOnly)));
    }
    let error = "robot".parse::<ApiKeyType>().unwrap_err();
    assert_eq!(
        (error.to_string().as_str(), error.allowed()),
        ("`robot` is not one of user, service", &["user", "service"][..])
    );
    assert!("".parse::<SpaceRole>().is_err());
}

#[test]
fn a_secret_matches_its_redacted_form() {
    each(|world| {
        let created = world.client.create(&CreateRequest::new("n").expires_in(Duration::from_secs(60))).unwrap();
        assert!(created.matches(&created.key));
        assert_eq!(created.expires_at, Some(world.after(60)));
        let mut key = created.details.clone();
        for (redacted, secret, expected) in [
            ("ak-abc...xyz", "ak-abc0123456789xyz", true),
            ("ak-abc***xyz", "ak-abcxyz", true),
            ("ak-abc.xyz", "ak-abc0123456789xyz", true),
            ("ak-abc...xyz", "ak-abd0123456789xyz", false),
            ("ak-abc...xyz", "ak-abc0123456789xyy", false),
            ("ak-abc...xyz", "ak-abcyz", false),
            ("ak-ab...xyz", "ak-ab0123456789xyz", false),
            ("ak-abcdef...", "ak-abcdef0123456789", true),
            ("...abcdef", "ak-0123456789abcdef", true),
            ("ak-abc..-..xyz", "ak-abc0123456789xyz", false),
            ("ak-abcxyz", "ak-abcxyz", false),
            ("...", "ak-abc0123456789xyz", false),
            ("", "", false),
        ] {
            redacted.clone_into(&mut key.redacted_key);
            assert_eq!(key.matches(&secret.into()), expected, "{redacted} {secret}");
        }
    });
}

#[test]
fn responses_without_a_secret_are_serialized_with_the_names_of_the_api() {
    each(|world| {
        let bot = service_key(world, "bot", &world.names.prod, &world.names.acme);
        let found = world.client.find_key(&bot, &InventoryRequest::new().space("prod")).unwrap().unwrap();
        let json = serde_json::to_value(&found).unwrap();
        assert_eq!(json["id"], bot.as_str());
        assert_eq!((&json["key_type"], &json["status"]), (&"service".into(), &"active".into()));
        assert_eq!(json["created_at"], "2026-01-02T03:04:05Z");
        assert_eq!(json["expires_at"], serde_json::Value::Null);
        assert_eq!(json["spaces"][0]["id"], world.names.prod.as_str());
        assert_eq!(json["warnings"], serde_json::json!([]));
    });
}

#[test]
fn ready_clients() {
    let emulator = arize_api_keys::emulator::Emulator::new();
    let created = emulator.client().create(&CreateRequest::new("ci")).unwrap();
    assert_eq!(emulator.keys_created(), 1);
    #[cfg(feature = "ureq")]
    for address in ["127.0.0.1:0", "0.0.0.0:0"] {
        let server = emulator.serve_on(address).unwrap();
        assert_eq!(server.client().find_key(&created.id, &InventoryRequest::new()).unwrap().unwrap().key.name, "ci");
    }
    #[cfg(not(feature = "ureq"))]
    drop(created);
}
