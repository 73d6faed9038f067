use std::collections::HashSet;

use arize_api_keys::emulator::Role;
use arize_api_keys::{
    ApiKey, ApiKeyStatus, ApiKeyType, ApiKeysClient, CreateRequest, CreateServiceKeyRequest, Error, ListRequest,
    Outcome, SpaceRef,
};

use super::world::{World, each, each_on, moment, names_of, redacted, rejected};

#[track_caller]
fn listed(world: &World, requests: u64, request: &ListRequest) -> Vec<String> {
    let page = world.costs(requests, |client| client.list(request)).unwrap();
    assert!(!page.pagination.has_more && page.pagination.next_cursor.is_none());
    names_of(&page.api_keys).into_iter().map(ToOwned::to_owned).collect()
}

/// User keys `mine` and `gone` (removed), service keys in three spaces, one of them of another creator and one removed.
fn some_keys(world: &World) -> String {
    let client = &world.client;
    let service = |name: &str, space: &str, org: &str| {
        client.create_service_key(&CreateServiceKeyRequest::new(name, space).org_id(org)).unwrap()
    };
    client.create(&CreateRequest::new("mine")).unwrap();
    let gone = client.create(&CreateRequest::new("gone")).unwrap();
    client.delete(&gone.id).unwrap();
    let names = &world.names;
    service("in-prod", &names.prod, &names.acme);
    service("in-staging", &names.staging, &names.acme);
    service("in-labs", &names.labs_sandbox, &names.labs);
    client.delete(&service("bot-gone", &names.prod, &names.acme).id).unwrap();
    let (other, of_other) = world.user_in(&names.prod, Role::Member);
    let theirs = CreateServiceKeyRequest::new("in-prod-too", names.prod.as_str()).org_id(names.acme.as_str());
    of_other.create_service_key(&theirs).unwrap();
    other
}

#[test]
fn what_each_filter_lists() {
    each(|world| {
        let other = some_keys(world);
        let all = ListRequest::new;
        let prod = || all().space(world.names.prod.as_str());

        assert_eq!(listed(world, 1, &all()), ["admin", "mine"]);
        assert_eq!(listed(world, 1, &all().key_type(ApiKeyType::User)), ["admin", "mine"]);
        assert_eq!(listed(world, 1, &all().status(ApiKeyStatus::Active)), ["admin", "mine"]);
        assert_eq!(listed(world, 1, &all().status(ApiKeyStatus::Revoked)), ["gone"]);
        let services = all().key_type(ApiKeyType::Service);
        assert_eq!(listed(world, 1, &services), ["in-prod", "in-staging", "in-labs"]);
        assert_eq!(listed(world, 1, &services.clone().status(ApiKeyStatus::Revoked)), ["bot-gone"]);

        assert_eq!(listed(world, 1, &prod()), ["in-prod", "in-prod-too"]);
        assert_eq!(listed(world, 1, &prod().key_type(ApiKeyType::Service)), ["in-prod", "in-prod-too"]);
        assert_eq!(listed(world, 1, &prod().key_type(ApiKeyType::User)), [""; 0]);
        assert_eq!(listed(world, 1, &prod().status(ApiKeyStatus::Revoked)), ["bot-gone"]);

        assert_eq!(listed(world, 1, &all().user_id(&other)), ["theirs"]);
        assert_eq!(listed(world, 1, &services.clone().user_id(&other)), ["in-prod-too"]);
        assert_eq!(listed(world, 1, &prod().user_id(&other)), ["in-prod-too"]);
        assert_eq!(listed(world, 1, &prod().user_id(world.emulator.admin_id())), ["in-prod"]);
    });
}

#[test]
fn a_space_by_its_name_costs_one_look_up() {
    each(|world| {
        some_keys(world);
        let by = |space: &str| ListRequest::new().space(space);
        assert_eq!(listed(world, 2, &by("prod")), ["in-prod", "in-prod-too"]);
        assert_eq!(listed(world, 2, &by("staging")), ["in-staging"]);
        assert_eq!(listed(world, 2, &by("prod-eu")), [""; 0]);
        // Ids, padded or not, are not looked up.
        assert_eq!(listed(world, 1, &by(world.names.prod.trim_end_matches('='))), ["in-prod", "in-prod-too"]);
        // A name for sure is looked up, even if it looks like an id.
        let named_like_an_id = world.emulator.add_space(&world.names.acme, "YTpi").unwrap();
        assert_eq!(listed(world, 2, &ListRequest::new().space(SpaceRef::name("YTpi"))), [""; 0]);
        assert_eq!(listed(world, 1, &ListRequest::new().space(SpaceRef::id(named_like_an_id))), [""; 0]);
    });
}

#[test]
fn a_name_that_two_organizations_use() {
    each(|world| {
        some_keys(world);
        let sandbox = || ListRequest::new().space("sandbox");
        let error = world.costs(1, |client| client.list(&sandbox())).unwrap_err();
        let Error::AmbiguousSpace(ambiguous) = &error else { panic!("{error:?}") };
        let ids: Vec<&str> = ambiguous.candidates().iter().map(|space| space.id.as_str()).collect();
        assert_eq!(ids, [&world.names.sandbox, &world.names.labs_sandbox]);
        assert_eq!((error.outcome(), error.status()), (Outcome::NotSent, None));
        assert_eq!(listed(world, 2, &sandbox().org_id(&world.names.labs)), ["in-labs"]);
        assert_eq!(listed(world, 2, &sandbox().org_id(&world.names.acme)), [""; 0]);
    });
}

#[test]
fn a_key_whole() {
    each(|world| {
        let expires_at = world.after(86_400);
        let request = CreateRequest::new("whole").description("everything is there").expires_at(expires_at);
        let created = world.client.create(&request).unwrap();
        world.wait(60);
        world.client_of(&created.key).list(&ListRequest::new()).unwrap();

        let page = world.client.list(&ListRequest::new()).unwrap();
        let mut expected = ApiKey::default();
        expected.id.clone_from(&created.id);
        expected.name = "whole".into();
        expected.description = Some("everything is there".into());
        expected.key_type = ApiKeyType::User;
        expected.status = ApiKeyStatus::Active;
        expected.redacted_key = redacted(&created.key);
        expected.created_at = Some(moment("2026-01-02T03:04:05Z"));
        expected.expires_at = Some(expires_at);
        expected.created_by_user_id = world.emulator.admin_id();
        expected.last_used_at = Some(moment("2026-01-02T03:05:05Z"));
        assert_eq!(page.api_keys[1], expected);

        let mut admin = ApiKey::default();
        admin.id.clone_from(&page.api_keys[0].id);
        admin.name = "admin".into();
        admin.key_type = ApiKeyType::User;
        admin.status = ApiKeyStatus::Active;
        admin.redacted_key = redacted(&world.emulator.admin_key());
        admin.created_at = Some(moment("2026-01-02T03:04:05Z"));
        admin.created_by_user_id = world.emulator.admin_id();
        admin.last_used_at = Some(moment("2026-01-02T03:05:05Z"));
        assert_eq!(page.api_keys[0], admin);
    });
}

#[test]
fn what_the_words_print() {
    each(|world| {
        some_keys(world);
        let page = world.client.list(&ListRequest::new().space("staging")).unwrap();
        let key = &page.api_keys[0];
        assert_eq!(format!("{} {} {}", key.name, key.key_type, key.status), "in-staging service active");
        // Beta names the bot user of a service key, without its roles in a list of one space.
        let bot = key.bot_user.as_ref().map(|bot| (bot.name.as_str(), bot.organizations.len()));
        assert_eq!(bot, world.is_beta().then_some(("in-staging", 0)));
    });
}

/// The admin's key and these.
fn add_keys(world: &World, count: usize) {
    for n in 1..=count {
        world.emulator.add_user_key(&world.emulator.admin_id(), format!("key-{n}")).unwrap();
    }
}

fn walk(client: &ApiKeysClient, request: &ListRequest) -> Vec<Vec<ApiKey>> {
    let mut request = request.clone();
    let mut pages = Vec::new();
    loop {
        let page = client.list(&request).unwrap();
        assert_eq!(page.pagination.has_more, page.pagination.next_cursor.is_some());
        pages.push(page.api_keys);
        match page.pagination.next_cursor {
            Some(cursor) => request = request.cursor(cursor),
            None => return pages,
        }
    }
}

#[test]
fn pages_have_what_the_limit_says() {
    each(|world| {
        add_keys(world, 60);
        let sizes = |request: &ListRequest| walk(&world.client, request).iter().map(Vec::len).collect::<Vec<_>>();
        assert_eq!(world.costs(2, |_| sizes(&ListRequest::new())), [50, 11]);
        assert_eq!(world.costs(1, |_| sizes(&ListRequest::new().limit(100))), [61]);
        assert_eq!(world.costs(1, |_| sizes(&ListRequest::new().limit(61))), [61]);
        assert_eq!(world.costs(2, |_| sizes(&ListRequest::new().limit(60))), [60, 1]);
        assert_eq!(world.costs(61, |_| sizes(&ListRequest::new().limit(1))), [1; 61]);
    });
}

#[test]
fn list_all_brings_every_key_once() {
    each(|world| {
        add_keys(world, 24);
        for (limit, pages) in [(7, 4), (5, 5), (24, 2), (25, 1), (100, 1)] {
            let request = ListRequest::new().limit(limit);
            let keys = world.costs(pages, |client| client.list_all(&request).collect::<Result<Vec<_>, _>>()).unwrap();
            let expected: Vec<String> =
                std::iter::once("admin".into()).chain((1..=24).map(|n| format!("key-{n}"))).collect();
            assert_eq!(names_of(&keys), expected, "pages of {limit}");
            assert_eq!(keys.iter().map(|key| &key.id).collect::<HashSet<_>>().len(), 25);
            assert_eq!(keys, walk(&world.client, &request).concat());
        }
    });
}

#[test]
fn list_all_fetches_no_page_before_it_is_needed() {
    each(|world| {
        add_keys(world, 9);
        let mut keys = world.costs(0, |client| client.list_all(&ListRequest::new().limit(4)));
        for (n, requests) in [1, 0, 0, 0, 1, 0, 0, 0, 1, 0].into_iter().enumerate() {
            world.costs(requests, |_| keys.next()).unwrap().unwrap_or_else(|error| panic!("key {n}: {error}"));
        }
        assert!(world.costs(0, |_| keys.next()).is_none());
        assert!(world.costs(0, |_| keys.next()).is_none());
    });
}

#[test]
fn list_all_looks_a_space_up_once() {
    each(|world| {
        for n in 0..7 {
            let request = CreateServiceKeyRequest::new(format!("bot-{n}"), world.names.prod.as_str());
            world.client.create_service_key(&request.org_id(world.names.acme.as_str())).unwrap();
        }
        let request = ListRequest::new().space("prod").limit(2);
        let keys = world.costs(1 + 4, |client| client.list_all(&request).collect::<Result<Vec<_>, _>>()).unwrap();
        assert_eq!(names_of(&keys), ["bot-0", "bot-1", "bot-2", "bot-3", "bot-4", "bot-5", "bot-6"]);
    });
}

#[test]
fn a_walk_goes_on_where_its_key_expired() {
    each(|world| {
        let mine = world.client.create(&CreateRequest::new("short").expires_at(world.after(60))).unwrap();
        add_keys(world, 5);
        let mut keys = world.client_of(&mine.key).list_all(&ListRequest::new().limit(3));
        let first: Vec<_> = keys.by_ref().take(3).map(Result::unwrap).collect();
        assert_eq!(names_of(&first), ["admin", "short", "key-1"]);
        world.wait(60);
        rejected(world.costs(1, |_| keys.next()).unwrap(), 401, "the API key has expired");
        assert!(world.costs(0, |_| keys.next()).is_none(), "an error ends the walk");

        let cursor = keys.resume_cursor().unwrap().to_owned();
        let rest = ListRequest::new().limit(3).cursor(cursor);
        let rest = world.costs(2, |client| client.list_all(&rest).collect::<Result<Vec<_>, _>>()).unwrap();
        assert_eq!(names_of(&rest), ["key-2", "key-3", "key-4", "key-5"]);
    });
}

#[test]
fn a_list_of_nothing() {
    each_on(
        |builder| builder.empty(),
        |world| {
            let request = ListRequest::new().status(ApiKeyStatus::Revoked);
            assert_eq!(listed(world, 1, &request), [""; 0]);
            assert!(world.costs(1, |client| client.list_all(&request).next()).is_none());
        },
    );
}

#[test]
fn lists_that_are_refused_before_any_io() {
    each(|world| {
        let bad = "must be from 1 to 100";
        world.refused_unsent("limit", bad, |client| client.list(&ListRequest::new().limit(0)));
        world.refused_unsent("limit", bad, |client| client.list(&ListRequest::new().limit(101)));
        world.refused_unsent("limit", bad, |client| client.list_all(&ListRequest::new().limit(101)).next().unwrap());
        world.refused_unsent("space", "must not be empty", |client| client.list(&ListRequest::new().space("")));
        world.refused_unsent("space", "must be a name of at most 255 characters, or an id", |client| {
            client.list(&ListRequest::new().space("x".repeat(256)))
        });
        world.refused_unsent("org_id", "has no effect without `space`", |client| {
            client.list(&ListRequest::new().org_id(&world.names.acme))
        });
    });
}

#[test]
fn a_cursor_belongs_to_its_list() {
    each(|world| {
        add_keys(world, 3);
        let first = world.client.list(&ListRequest::new().limit(2)).unwrap();
        let cursor = first.pagination.next_cursor.unwrap();
        let elsewhere = ListRequest::new().status(ApiKeyStatus::Revoked).cursor(&cursor);
        let detail = "`cursor` is not one that this listing has given";
        rejected(world.costs(1, |client| client.list(&elsewhere)), 400, detail);
        rejected(world.client.list(&ListRequest::new().cursor("made up & odd?")), 400, detail);
        let mut keys = world.client.list_all(&elsewhere);
        rejected(keys.next().unwrap(), 400, detail);
        assert!(keys.next().is_none());
    });
}
