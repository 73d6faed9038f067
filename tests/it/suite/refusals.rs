use arize_api_keys::emulator::Role;
use arize_api_keys::{
    AccountRole, ApiKeyType, ApiKeysClient, CreateRequest, CreateServiceKeyRequest, Error, ListRequest, OrgRole,
    Outcome, RefreshRequest, SpaceRole,
};

use super::world::{NO_KEY, NO_SPACE, NO_USER, World, each, refused, rejected};

/// Every call that there is, with a request that would succeed.
fn every_call(world: &World, client: &ApiKeysClient) -> Vec<(&'static str, Option<Error>)> {
    let target = world.emulator.add_user_key(&world.emulator.admin_id(), "target").unwrap();
    let service = CreateServiceKeyRequest::new("n", world.names.prod.as_str()).org_id(&world.names.acme);
    vec![
        ("list", client.list(&ListRequest::new()).err()),
        ("list", client.list_all(&ListRequest::new()).find_map(Result::err)),
        ("create", client.create(&CreateRequest::new("n")).err()),
        ("create_service_key", client.create_service_key(&service).err()),
        ("refresh", client.refresh(&RefreshRequest::new(&target.id)).err()),
        ("delete", client.delete(&target.id).err()),
        ("revoke", client.revoke(&target.id).err()),
    ]
}

#[test]
fn every_call_with_a_key_that_opens_nothing() {
    each(|world| {
        let expired = world.client.create(&CreateRequest::new("n").expires_at(world.after(1))).unwrap();
        world.wait(1);
        let revoked = world.client.create(&CreateRequest::new("n")).unwrap();
        world.client.revoke(&revoked.id).unwrap();
        let replaced = world.client.create(&CreateRequest::new("n")).unwrap();
        world.client.refresh(&RefreshRequest::new(&replaced.id)).unwrap();
        let dead = [
            ("ak-unknown-key".to_owned().into(), "the API key is not known"),
            (expired.key, "the API key has expired"),
            (revoked.key, "the API key is revoked"),
            (replaced.key, "the API key is not known"),
        ];
        for (key, detail) in dead {
            let client = world.client_of(&key);
            for (operation, error) in world.costs(7, |_| every_call(world, &client)) {
                let error = refused(Err::<(), _>(error.unwrap()), 401, detail);
                assert_eq!(error.outcome(), Outcome::Rejected);
                let request = error.api().unwrap().request_id().unwrap().to_owned();
                assert_eq!(
                    error.to_string(),
                    format!(
                        "{operation}: the service answered 401 Unauthorized: {detail} [request {request}]; \
                         check that the API key is right, not expired and not revoked"
                    )
                );
            }
            // A look-up before the call is the first to hear it.
            let by_name = CreateServiceKeyRequest::new("n", "prod");
            let error = refused(world.costs(1, |_| client.create_service_key(&by_name)), 401, detail);
            assert_eq!(error.outcome(), Outcome::NotSent);
            assert!(error.to_string().starts_with("list spaces: the service answered 401"), "{error}");
        }
        assert_eq!((world.emulator.keys_created(), world.emulator.keys_refreshed()), (3, 1));
        // With a key that is alive, all of them succeed.
        for (operation, error) in every_call(world, &world.client) {
            assert!(error.is_none(), "{operation}: {error:?}");
        }
    });
}

#[test]
fn what_a_role_does_not_allow() {
    each(|world| {
        let prod = world.names.prod.as_str();
        let (_, member) = world.user_in(prod, Role::Member);
        let (_, reader) = world.user_in(prod, Role::ReadOnly);
        let others = ListRequest::new().user_id(world.emulator.admin_id());
        let detail = "`user_id` without `space_id` is for account admins";
        rejected(world.costs(1, |_| member.list(&others)), 403, detail);
        let in_prod = ListRequest::new().space(prod);
        member.list(&in_prod).unwrap();
        rejected(world.costs(1, |_| reader.list(&in_prod)), 403, "you may not read the service keys of this space");
        let service = CreateServiceKeyRequest::new("n", prod).org_id(&world.names.acme);
        let path = if world.is_beta() { "organizations[0].spaces[0].space_id" } else { "space_id" };
        let detail = format!("`{path}`: you may not create service keys in this space");
        rejected(world.costs(1, |_| reader.create_service_key(&service)), 403, &detail);
        assert_eq!(world.emulator.keys_created(), 0);
    });
}

#[test]
fn nobody_gives_more_than_they_have() {
    each(|world| {
        let (_, member) = world.user_in(&world.names.prod, Role::Member);
        let service = || CreateServiceKeyRequest::new("n", world.names.prod.as_str()).org_id(world.names.acme.as_str());
        let [space, org] = match world.is_beta() {
            true => ["organizations[0].spaces[0].space_id", "organizations[0].role"],
            false => ["space_id", "roles.org_role"],
        };
        for (path, request) in [
            (space, service().space_role(SpaceRole::Admin)),
            (org, service().org_role(OrgRole::Member)),
            ("account_role", service().account_role(AccountRole::Admin)),
        ] {
            let detail = format!("`{path}`: the role is above your own");
            rejected(world.costs(1, |_| member.create_service_key(&request)), 422, &detail);
        }
        assert_eq!(world.emulator.keys_created(), 0);
        member.create_service_key(&service().space_role(SpaceRole::Member)).unwrap();
    });
}

#[test]
fn what_is_not_there_or_not_to_be_seen() {
    each(|world| {
        let (_, member) = world.user_in(&world.names.prod, Role::Member);
        let list = |request: ListRequest| world.costs(1, |client| client.list(&request));
        rejected(list(ListRequest::new().space(NO_SPACE)), 404, "`space_id`: there is no such space");
        rejected(list(ListRequest::new().user_id(NO_USER)), 404, "`user_id`: there is no such user");
        rejected(list(ListRequest::new().user_id("no id")), 404, "`user_id`: there is no such user");
        let unseen = ListRequest::new().space(world.names.staging.as_str());
        rejected(member.list(&unseen), 404, "`space_id`: there is no such space");
        // By its name, a space that one does not see is not even found.
        let unnamed = world.costs(1, |_| member.list(&ListRequest::new().space("staging"))).unwrap_err();
        assert!(matches!(unnamed, Error::SpaceNotFound(_)), "{unnamed:?}");
        rejected(member.refresh(&RefreshRequest::new(NO_KEY)), 404, "there is no such API key");
        rejected(member.delete(NO_KEY), 404, "there is no such API key");
        rejected(member.revoke(NO_KEY), 404, "there is no such API key");
    });
}

#[test]
fn words_that_the_service_does_not_know() {
    each(|world| {
        let robots = ListRequest::new().key_type(ApiKeyType::from("robot"));
        rejected(world.costs(1, |client| client.list(&robots)), 400, "`key_type` cannot be `robot`");
        let asleep = ListRequest::new().status("asleep".into());
        rejected(world.costs(1, |client| client.list(&asleep)), 400, "`status` cannot be `asleep`");
    });
}
