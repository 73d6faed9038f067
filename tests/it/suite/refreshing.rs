use std::time::Duration;

use arize_api_keys::{
    ApiKeyCreated, ApiKeyStatus, CreateRequest, CreateServiceKeyRequest, ExposeSecret, ListRequest, RefreshRequest,
};

use super::world::{NO_KEY, World, each, each_on, redacted, rejected, without_secret};

fn unbounded(world: &World) -> ApiKeyCreated {
    world.client.create(&CreateRequest::new("rotated").description("d")).unwrap()
}

fn expiring(world: &World, seconds: i64) -> ApiKeyCreated {
    world.client.create(&CreateRequest::new("rotated").expires_at(world.after(seconds))).unwrap()
}

#[track_caller]
fn refreshed(world: &World, request: &RefreshRequest) -> ApiKeyCreated {
    let before = world.emulator.keys_refreshed();
    let refreshed = world.costs(1, |client| client.refresh(request)).unwrap();
    assert_eq!(world.emulator.keys_refreshed(), before + 1);
    assert!(world.alive(&refreshed.key));
    refreshed
}

#[test]
fn the_secret_is_another_and_all_else_stays() {
    each(|world| {
        let old = unbounded(world);
        world.wait(10);
        let new = refreshed(world, &RefreshRequest::new(&old.id));
        assert_ne!(new.key.expose_secret(), old.key.expose_secret());
        let mut expected = without_secret(&old);
        expected.redacted_key = redacted(&new.key);
        assert_eq!(without_secret(&new), expected);
        assert!(!world.alive(&old.key), "the old secret dies at once");
        rejected(world.client_of(&old.key).list(&ListRequest::new()), 401, "the API key is not known");
        let page = world.client.list(&ListRequest::new()).unwrap();
        assert_eq!(page.api_keys[1], expected);
        assert_eq!(world.emulator.keys_created(), 1);
    });
}

#[test]
fn a_service_key_is_refreshed_like_any_other() {
    each(|world| {
        let request = CreateServiceKeyRequest::new("bot", world.names.prod.as_str()).org_id(&world.names.acme);
        let old = world.client.create_service_key(&request).unwrap();
        let new = refreshed(world, &RefreshRequest::new(&old.id));
        assert_eq!((&new.id, &new.key_type, &new.bot_user), (&old.id, &old.key_type, &None));
        assert!(!world.alive(&old.key));
    });
}

#[test]
fn the_old_secret_lives_for_its_grace() {
    each(|world| {
        let old = unbounded(world);
        let new = refreshed(world, &RefreshRequest::new(&old.id).grace_period(Duration::from_secs(600)));
        assert!(world.alive(&old.key) && world.alive(&new.key));
        world.wait(599);
        world.client_of(&old.key).list(&ListRequest::new()).unwrap();
        world.wait(1);
        rejected(world.client_of(&old.key).list(&ListRequest::new()), 401, "the API key has expired");
        assert!(world.alive(&new.key));
    });
}

#[test]
fn a_grace_is_never_longer_than_the_old_secret_had_to_live() {
    each(|world| {
        let old = expiring(world, 60);
        let request =
            RefreshRequest::new(&old.id).expires_at(world.after(60)).grace_period(Duration::from_secs(86_400));
        let new = refreshed(world, &request);
        world.wait(59);
        assert!(world.alive(&old.key) && world.alive(&new.key));
        world.wait(1);
        assert!(!world.alive(&old.key) && !world.alive(&new.key));
    });
}

#[test]
fn no_grace_is_none() {
    each(|world| {
        let old = unbounded(world);
        refreshed(world, &RefreshRequest::new(&old.id).grace_period(Duration::ZERO));
        assert!(!world.alive(&old.key));
    });
}

/// Beta: a key that expires stays one, and gets no more time. Alpha: what is asked, and nothing means never.
#[test]
fn the_expiry_of_a_key_that_has_one() {
    each(|world| {
        let old = expiring(world, 3600);
        let omitted = RefreshRequest::new(&old.id);
        let extended = RefreshRequest::new(&old.id).expires_at(world.after(3601));
        if world.is_beta() {
            let refusals = [
                (&omitted, "`expires_at` is required: this API key has an expiry"),
                (&extended, "`expires_at` must not be later than this API key's expiry"),
            ];
            for (request, detail) in refusals {
                rejected(world.costs(1, |client| client.refresh(request)), 422, detail);
            }
            assert_eq!(world.emulator.keys_refreshed(), 0);
            assert!(world.alive(&old.key), "a refusal does not cost the old secret");
            let same = refreshed(world, &RefreshRequest::new(&old.id).expires_at(world.after(3600)));
            assert_eq!(same.expires_at, Some(world.after(3600)));
            let shorter = refreshed(world, &RefreshRequest::new(&old.id).expires_at(world.after(60)));
            assert_eq!(shorter.expires_at, Some(world.after(60)));
            world.wait(60);
            assert!(!world.alive(&shorter.key));
        } else {
            assert_eq!(refreshed(world, &extended).expires_at, Some(world.after(3601)));
            let forever = refreshed(world, &omitted);
            assert_eq!(forever.expires_at, None);
            world.wait(86_400 * 365);
            assert!(world.alive(&forever.key));
        }
    });
}

#[test]
fn an_unbounded_key_may_gain_an_expiry() {
    each(|world| {
        let old = unbounded(world);
        let new = refreshed(world, &RefreshRequest::new(&old.id).expires_at(world.after(60)));
        assert_eq!(new.expires_at, Some(world.after(60)));
    });
}

#[test]
fn the_longest_life_of_an_account_holds_for_new_secrets_too() {
    each_on(
        |builder| builder.max_key_lifetime(Duration::from_secs(3600)),
        |world| {
            let added = world.emulator.add_user_key(&world.emulator.admin_id(), "unbounded").unwrap();
            let detail = "`expires_at` is later than this account's longest key lifetime allows";
            let longer = RefreshRequest::new(&added.id).expires_at(world.after(3601));
            rejected(world.costs(1, |client| client.refresh(&longer)), 422, detail);
            let capped = refreshed(world, &RefreshRequest::new(&added.id));
            assert_eq!(capped.expires_at, Some(world.after(3600)));
        },
    );
}

#[test]
fn a_client_that_refreshes_its_own_key() {
    each(|world| {
        let mine = unbounded(world);
        let client = world.client_of(&mine.key);
        let request = RefreshRequest::new(&mine.id).grace_period(Duration::from_secs(60));
        let next = client.refresh(&request).unwrap();
        client.list(&ListRequest::new()).unwrap();
        world.wait(60);
        rejected(client.list(&ListRequest::new()), 401, "the API key has expired");
        world.client_of(&next.key).list(&ListRequest::new()).unwrap();
    });
}

#[test]
fn refreshes_that_are_refused_before_any_io() {
    each(|world| {
        let refused = |field: &str, problem: &str, request: RefreshRequest| {
            world.refused_unsent(field, problem, |client| client.refresh(&request));
        };
        let grace = "must be whole seconds from 0 to 86400";
        refused("grace_period", grace, RefreshRequest::new("k").grace_period(Duration::from_secs(86_401)));
        refused("grace_period", grace, RefreshRequest::new("k").grace_period(Duration::from_millis(1500)));
        refused("grace_period", grace, RefreshRequest::new("k").grace_period(Duration::MAX));
        refused("expires_at", "must be in the future", RefreshRequest::new("k").expires_at(world.now()));
        refused("id", "must not be empty", RefreshRequest::new(""));
        let dots = "must not be `.` or `..`: that would name another resource";
        refused("id", dots, RefreshRequest::new(".."));
        assert_eq!(world.emulator.keys_refreshed(), 0);
    });
}

#[test]
fn refreshes_that_the_service_refuses() {
    each(|world| {
        let refresh = |id: &str| world.costs(1, |client| client.refresh(&RefreshRequest::new(id)));
        rejected(refresh(NO_KEY), 404, "there is no such API key");
        rejected(refresh("no id at all"), 404, "there is no such API key");
        let revoked = unbounded(world);
        world.client.revoke(&revoked.id).unwrap();
        rejected(refresh(&revoked.id), 404, "this API key is revoked");
        // Not even an admin is handed a secret with which they would be somebody else.
        let user = world.emulator.add_user("somebody");
        let theirs = world.emulator.add_user_key(&user, "theirs").unwrap();
        rejected(refresh(&theirs.id), 403, "you may not refresh this API key");
        assert_eq!(world.emulator.keys_refreshed(), 0);
        let page = world.client.list(&ListRequest::new().status(ApiKeyStatus::Revoked)).unwrap();
        assert_eq!(page.api_keys.len(), 1);
    });
}
