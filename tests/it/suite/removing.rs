use arize_api_keys::emulator::Role;
use arize_api_keys::{
    ApiKeyCreated, ApiKeyStatus, ApiKeysClient, CreateRequest, CreateServiceKeyRequest, Error, ListRequest,
    RefreshRequest,
};

use super::world::{NO_KEY, World, each, names_of, refused, rejected};

type Removal = fn(&ApiKeysClient, &str) -> Result<(), Error>;

/// `delete` and `revoke`: the tests of one hold for the other, unless a test says otherwise.
const REMOVALS: [Removal; 2] = [|client, id| client.delete(id), |client, id| client.revoke(id)];

fn user_key(world: &World) -> ApiKeyCreated {
    world.client.create(&CreateRequest::new("doomed")).unwrap()
}

#[test]
fn a_removed_key_is_dead_and_listed_as_revoked() {
    each(|world| {
        for remove in REMOVALS {
            let key = user_key(world);
            world.costs(1, |client| remove(client, &key.id)).unwrap();
            assert!(!world.alive(&key.key));
            rejected(world.client_of(&key.key).list(&ListRequest::new()), 401, "the API key is revoked");
        }
        let active = world.client.list(&ListRequest::new()).unwrap();
        assert_eq!(names_of(&active.api_keys), ["admin"]);
        let revoked = world.client.list(&ListRequest::new().status(ApiKeyStatus::Revoked)).unwrap();
        assert_eq!(names_of(&revoked.api_keys), ["doomed", "doomed"]);
        assert!(revoked.api_keys.iter().all(|key| key.status == ApiKeyStatus::Revoked));
    });
}

#[test]
fn a_service_key_goes_like_any_other() {
    each(|world| {
        for remove in REMOVALS {
            let request = CreateServiceKeyRequest::new("bot", world.names.prod.as_str()).org_id(&world.names.acme);
            let key = world.client.create_service_key(&request).unwrap();
            world.costs(1, |client| remove(client, &key.id)).unwrap();
            assert!(!world.alive(&key.key));
        }
        assert!(world.client.list(&ListRequest::new().space("prod")).unwrap().api_keys.is_empty());
    });
}

#[test]
fn removing_takes_the_graces_with_it() {
    each(|world| {
        let key = user_key(world);
        let grace = std::time::Duration::from_secs(600);
        let next = world.client.refresh(&RefreshRequest::new(&key.id).grace_period(grace)).unwrap();
        assert!(world.alive(&key.key));
        world.client.delete(&key.id).unwrap();
        assert!(!world.alive(&key.key) && !world.alive(&next.key));
    });
}

/// The PUT is a no-op on a revoked key; the DELETE of the alpha stage takes the key away.
#[test]
fn removing_again() {
    each(|world| {
        let deleted = user_key(world);
        world.client.delete(&deleted.id).unwrap();
        let again = world.costs(1, |client| client.delete(&deleted.id));
        if world.is_beta() {
            again.unwrap()
        } else {
            rejected(again, 404, "this API key is deleted")
        }
        world.costs(1, |client| client.revoke(&deleted.id)).unwrap();

        let revoked = user_key(world);
        world.client.revoke(&revoked.id).unwrap();
        world.costs(1, |client| client.revoke(&revoked.id)).unwrap();
        let again = world.costs(1, |client| client.delete(&revoked.id));
        if world.is_beta() { again.unwrap() } else { rejected(again, 404, "this API key is deleted") }
    });
}

#[test]
fn the_seed_s_way_to_tell_that_there_was_nothing() {
    each(|world| match world.client.delete(NO_KEY) {
        Err(Error::NotFound(e)) => {
            let request = e.request_id().unwrap().to_owned();
            assert_eq!(
                e.to_string(),
                format!(
                    "delete: the service answered 404 Not Found: there is no such API key [request {request}]; \
                     it does not exist, or the API key may not see it"
                )
            );
        }
        other => panic!("{other:?}"),
    });
}

#[test]
fn an_id_never_leaves_its_route() {
    each(|world| {
        let key = user_key(world);
        for remove in REMOVALS {
            let refused = |problem: &str, id: &str| world.refused_unsent("id", problem, |client| remove(client, id));
            refused("must not be empty", "");
            refused("must not be `.` or `..`: that would name another resource", ".");
            refused("must not be `.` or `..`: that would name another resource", "..");
            refused("must not contain control characters", "a\nb");
            refused("must have at most 512 bytes", &"x".repeat(513));
        }
        // It is one segment in any case: the request names exactly this key.
        let odd = [
            ("a/b", "a%2Fb"),
            ("../spaces", "..%2Fspaces"),
            ("a?b=c&d#e", "a%3Fb%3Dc%26d%23e"),
            ("%2e%2e", "%252e%252e"),
            ("...", "..."),
            ("é +=;,\\", "%C3%A9%20%2B%3D%3B%2C%5C"),
        ];
        for (id, segment) in odd {
            let error = refused(world.costs(1, |client| client.revoke(id)), 404, "there is no such API key");
            let path = format!("/v2/api-keys/{segment}/revoke");
            assert_eq!(error.api().unwrap().instance(), Some(path.as_str()));
            let error = refused(world.costs(1, |client| client.delete(id)), 404, "there is no such API key");
            let path = if world.is_beta() { path } else { format!("/v2/api-keys/{segment}") };
            assert_eq!(error.api().unwrap().instance(), Some(path.as_str()));
            let error = refused(world.client.refresh(&RefreshRequest::new(id)), 404, "there is no such API key");
            assert_eq!(error.api().unwrap().instance(), Some(&*format!("/v2/api-keys/{segment}/refresh")));
        }
        assert!(world.alive(&key.key) && world.alive(&world.emulator.admin_key()));
    });
}

#[test]
fn ids_work_with_their_padding_and_without() {
    each(|world| {
        for remove in REMOVALS {
            let key = user_key(world);
            assert!(key.id.ends_with('='));
            remove(&world.client, key.id.trim_end_matches('=')).unwrap();
            assert!(!world.alive(&key.key));
        }
    });
}

#[test]
fn who_may_not_remove() {
    each(|world| {
        let request = CreateServiceKeyRequest::new("bot", world.names.prod.as_str()).org_id(&world.names.acme);
        let bot = world.client.create_service_key(&request).unwrap();
        let mine = user_key(world);
        let (_, member) = world.user_in(&world.names.prod, Role::Member);
        let (_, admin) = world.user_in(&world.names.prod, Role::Admin);
        for remove in REMOVALS {
            rejected(remove(&member, &bot.id), 403, "you may not revoke this API key");
            // A key that the caller may not see does not exist.
            rejected(remove(&member, &mine.id), 404, "there is no such API key");
        }
        assert!(world.alive(&bot.key) && world.alive(&mine.key));
        admin.delete(&bot.id).unwrap();
        assert!(!world.alive(&bot.key));
    });
}

#[test]
fn a_key_may_remove_itself() {
    each(|world| {
        let key = user_key(world);
        let client = world.client_of(&key.key);
        client.delete(&key.id).unwrap();
        rejected(client.delete(&key.id), 401, "the API key is revoked");
    });
}
