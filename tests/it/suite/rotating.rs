use std::panic::{AssertUnwindSafe, catch_unwind};

use arize_api_keys::{
    ApiKeyCreated, ApiKeyType, CreateRequest, CreateServiceKeyRequest, Error, ListRequest, Outcome, RotationError,
};

use super::world::{NO_KEY, World, each, names_of, rejected};

fn old_key(world: &World) -> ApiKeyCreated {
    world.client.create(&CreateRequest::new("old")).unwrap()
}

fn next() -> CreateRequest {
    CreateRequest::new("new")
}

/// A `store` to which nothing happens.
fn store(_: &ApiKeyCreated) -> Result<(), &'static str> {
    Ok(())
}

#[test]
fn the_new_key_lives_and_the_old_one_is_gone() {
    each(|world| {
        let old = old_key(world);
        let mut stored = None;
        // Create, prove, revoke.
        let new = world.costs(3, |client| {
            client.rotate(&old.id, next(), |created| {
                assert!(world.alive(&created.key) && world.alive(&old.key), "both live while one is stored");
                stored = Some(created.id.clone());
                Ok::<(), String>(())
            })
        });
        let new = new.unwrap();
        assert_eq!(stored.as_ref(), Some(&new.id));
        assert!(world.alive(&new.key) && !world.alive(&old.key));
        assert_eq!(names_of(&world.client.list(&ListRequest::new()).unwrap().api_keys), ["admin", "new"]);
    });
}

#[test]
fn a_client_rotates_its_own_key_and_goes_on_with_the_new_one() {
    each(|world| {
        let old = old_key(world);
        let client = world.client_of(&old.key);
        let new = world.costs(3, |_| client.rotate(&old.id, next(), store)).unwrap();
        rejected(client.list(&ListRequest::new()), 401, "the API key is revoked");
        client.with_api_key(&new.key).unwrap().list(&ListRequest::new()).unwrap();
    });
}

#[test]
fn a_service_key_replaces_a_service_key() {
    each(|world| {
        let request =
            |name: &str| CreateServiceKeyRequest::new(name, world.names.prod.as_str()).org_id(&world.names.acme);
        let old = world.client.create_service_key(&request("old")).unwrap();
        let new = world.costs(3, |client| client.rotate(&old.id, request("new"), store)).unwrap();
        assert_eq!(new.key_type, ApiKeyType::Service);
        assert!(world.alive(&new.key) && !world.alive(&old.key));
    });
}

#[test]
fn a_key_that_cannot_be_stored_is_revoked() {
    each(|world| {
        let old = old_key(world);
        let error = world.costs(2, |client| client.rotate(&old.id, next(), |_| Err("disk full"))).unwrap_err();
        let new = error.created().unwrap();
        assert!(world.alive(&old.key) && !world.alive(&new.key));
        assert!(matches!(&error, RotationError::Store { cause: "disk full", revoked: Ok(()), .. }), "{error:?}");
        assert_eq!(
            error.to_string(),
            format!(
                "the old key is as it was; the new key `{}` could not be stored (disk full) and was revoked",
                new.id
            )
        );
    });
}

#[test]
fn a_key_that_can_neither_be_stored_nor_revoked_is_named() {
    each(|world| {
        let (own, old) = (old_key(world), old_key(world));
        let client = world.client_of(&own.key);
        let error = client.rotate(&old.id, next(), |_| {
            world.client.revoke(&own.id).unwrap();
            Err("disk full")
        });
        let error = error.unwrap_err();
        let RotationError::Store { created, revoked: Err(cause), .. } = &error else { panic!("{error:?}") };
        assert!(matches!(cause, Error::Unauthorized(_)), "{cause:?}");
        assert!(world.alive(&created.key) && world.alive(&old.key));
        assert!(error.to_string().contains(&created.id));
    });
}

#[test]
fn a_panic_leaves_no_key_behind() {
    each(|world| {
        let old = old_key(world);
        let mut new = None;
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            world.client.rotate(&old.id, next(), |created| -> Result<(), ()> {
                new = Some(created.clone());
                panic!("on purpose, in a test")
            })
        }));
        assert!(panicked.is_err());
        assert!(world.alive(&old.key) && !world.alive(&new.unwrap().key));
    });
}

#[test]
fn a_key_that_does_not_work_is_not_trusted() {
    each(|world| {
        let old = old_key(world);
        let error = world.client.rotate(&old.id, next().expires_at(world.after(60)), |_| {
            world.wait(60);
            Ok::<(), ()>(())
        });
        let Err(RotationError::Verify { cause, created, .. }) = error else { panic!("{error:?}") };
        rejected(Err::<(), _>(cause), 401, "the API key has expired");
        assert!(world.alive(&old.key) && !world.alive(&created.key));
    });
}

#[test]
fn an_old_key_that_is_not_there() {
    each(|world| {
        let error = world.costs(3, |client| client.rotate(NO_KEY, next(), store)).unwrap_err();
        let RotationError::Revoke { cause, created, .. } = error else { panic!("{error:?}") };
        rejected(Err::<(), _>(cause), 404, "there is no such API key");
        assert!(world.alive(&created.key));
    });
}

#[test]
fn rotations_that_create_nothing() {
    each(|world| {
        let old = old_key(world);
        for (id, request, message) in [
            ("..", next(), "invalid request: `old_id` must not be `.` or `..`: that would name another resource"),
            (&*old.id, CreateRequest::new("x".repeat(257)), "invalid request: `name` must have at most 256 characters"),
        ] {
            let error = world.costs(0, |client| client.rotate(id, request, store)).unwrap_err();
            let RotationError::Create(cause) = &error else { panic!("{error:?}") };
            assert_eq!((cause.to_string().as_str(), cause.outcome()), (message, Outcome::NotSent));
            let expected = format!("the old key is as it was; creating the new one failed: {message}");
            assert_eq!(error.to_string(), expected);
        }
        assert!(world.alive(&old.key));
        assert_eq!(world.emulator.keys_created(), 1);
    });
}
