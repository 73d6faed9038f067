use std::time::Duration;

use arize_api_keys::time::UtcOffset;
use arize_api_keys::{ApiKey, ApiKeyStatus, ApiKeyType, CreateRequest, ExposeSecret, ListRequest};

use super::world::{World, each, each_on, moment, names_of, redacted, rejected, without_secret};

#[test]
fn a_user_key_with_everything() {
    each(|world| {
        let request = CreateRequest::new("laptop \"ß\" \u{1f511}").description("").expires_at(world.after(3600));
        let created = world.costs(1, |client| client.create(&request)).unwrap();

        let mut expected = ApiKey::default();
        expected.id.clone_from(&created.id);
        expected.name = "laptop \"ß\" \u{1f511}".into();
        expected.description = Some(String::new());
        expected.key_type = ApiKeyType::User;
        expected.status = ApiKeyStatus::Active;
        expected.redacted_key = redacted(&created.key);
        expected.created_at = Some(moment("2026-01-02T03:04:05Z"));
        expected.expires_at = Some(moment("2026-01-02T04:04:05Z"));
        expected.created_by_user_id = world.emulator.admin_id();
        assert_eq!(without_secret(&created), expected);
        assert!(!created.id.is_empty());
        // The list says the same, the secret apart.
        assert_eq!(world.client.list(&ListRequest::new()).unwrap().api_keys[1], expected);
        assert_eq!(world.emulator.keys_created(), 1);
    });
}

#[test]
fn a_user_key_with_a_name_alone() {
    each(|world| {
        let created = world.costs(1, |client| client.create(&CreateRequest::new("n"))).unwrap();
        assert_eq!((created.description.as_deref(), created.expires_at, &created.bot_user), (None, None, &None));
        assert!(created.warnings.is_empty() && created.last_used_at.is_none());
        // Names need not be unique.
        let again = world.costs(1, |client| client.create(&CreateRequest::new("n"))).unwrap();
        assert_ne!((&created.id, created.key.expose_secret()), (&again.id, again.key.expose_secret()));
        for blank in ["", " ", "\t\n", "\u{200b}", "\u{a0}\u{feff}", "\u{2800}", "\u{3164}\u{ad}"] {
            let error = world.costs(0, |client| client.create(&CreateRequest::new(blank))).unwrap_err();
            assert_eq!(error.to_string(), "invalid request: `name` must not be empty or blank");
        }
        assert_eq!(world.emulator.keys_created(), 2);
    });
}

#[test]
fn the_secret_opens_the_account_and_nothing_shows_it() {
    each(|world| {
        let created = world.client.create(&CreateRequest::new("n")).unwrap();
        let secret = created.key.expose_secret();
        assert!(world.alive(&created.key) && secret.starts_with("ak-"));
        let page = world.client_of(&created.key).list(&ListRequest::new()).unwrap();
        assert_eq!(names_of(&page.api_keys), ["admin", "n"]);
        let client = world.client_of(&created.key);
        for shown in [
            format!("{created:?} {created:#?}"),
            format!("{:?}", without_secret(&created)),
            format!("{page:?} {page:#?}"),
            format!("{client:?} {client:#?}"),
            format!("{:?}", world.builder().api_key(created.key.clone())),
            format!("{:?}", world.emulator),
        ] {
            assert!(!shown.contains(secret), "{shown}");
        }
    });
}

#[test]
fn a_key_works_until_it_expires() {
    each(|world| {
        let created = world.client.create(&CreateRequest::new("short").expires_at(world.after(60))).unwrap();
        let client = world.client_of(&created.key);
        let request = ListRequest::new();
        world.wait(59);
        client.list(&request).unwrap();
        world.wait(1);
        assert!(!world.alive(&created.key));
        rejected(world.costs(1, |_| client.list(&request)), 401, "the API key has expired");
        // Expired is not revoked.
        assert_eq!(names_of(&world.client.list(&request).unwrap().api_keys), ["admin", "short"]);
    });
}

#[test]
fn an_expiry_is_a_moment_in_whatever_zone_it_is_written() {
    each(|world| {
        for written in ["2026-06-01T00:00:00+05:30", "2026-05-31T18:30:00Z", "2026-05-31T14:30:00.000001-04:00"] {
            let expires_at = moment(written);
            let created = world.client.create(&CreateRequest::new("n").expires_at(expires_at)).unwrap();
            assert_eq!(created.expires_at, Some(expires_at));
            assert_eq!(created.expires_at.unwrap().offset(), UtcOffset::UTC);
        }
    });
}

#[test]
fn the_longest_life_that_an_account_allows() {
    each_on(
        |builder| builder.max_key_lifetime(Duration::from_secs(86_400)),
        |world| {
            let unbounded = world.client.create(&CreateRequest::new("n")).unwrap();
            assert_eq!(unbounded.expires_at, Some(world.after(86_400)));
            let longest = CreateRequest::new("n").expires_at(world.after(86_400));
            assert_eq!(world.client.create(&longest).unwrap().expires_at, Some(world.after(86_400)));
            let longer = CreateRequest::new("n").expires_at(world.after(86_401));
            let detail = "`expires_at` is later than this account's longest key lifetime allows";
            rejected(world.costs(1, |client| client.create(&longer)), 422, detail);
            assert_eq!(world.emulator.keys_created(), 2);
        },
    );
}

#[test]
fn keys_that_are_refused_before_any_io() {
    each(|world| {
        let refused = |field: &str, problem: &str, request: CreateRequest| {
            world.refused_unsent(field, problem, |client| client.create(&request));
        };
        refused("name", "must have at most 256 characters", CreateRequest::new("é".repeat(257)));
        let long = CreateRequest::new("n").description("é".repeat(1001));
        refused("description", "must have at most 1000 characters", long);
        refused("expires_at", "must be in the future", CreateRequest::new("n").expires_at(world.now()));
        refused("expires_at", "must be in the future", CreateRequest::new("n").expires_at(world.after(-1)));
        assert_eq!(world.emulator.keys_created(), 0);

        // Characters are counted, not bytes.
        let longest = CreateRequest::new("é".repeat(256)).description("é".repeat(1000));
        let created = world.costs(1, |client| client.create(&longest)).unwrap();
        assert_eq!(created.name.chars().count(), 256);
        assert_eq!(created.details.description.unwrap().chars().count(), 1000);
    });
}

#[test]
fn a_clock_that_is_behind_is_put_right_by_the_service() {
    each(|world: &World| {
        let slow = arize_api_keys::emulator::ManualClock::at(moment("2025-01-01T00:00:00Z"));
        let client = world.builder().clock(slow).api_key(world.emulator.admin_key()).build().unwrap();
        let request = CreateRequest::new("n").expires_at(moment("2025-06-01T00:00:00Z"));
        rejected(world.costs(1, |_| client.create(&request)), 422, "`expires_at` must be in the future");
        assert_eq!(world.emulator.keys_created(), 0);
    });
}
