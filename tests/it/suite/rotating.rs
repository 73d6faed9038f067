use std::panic::{AssertUnwindSafe, catch_unwind};

use arize_api_keys::{
    ApiKeyCreated, ApiKeyType, CreateRequest, CreateServiceKeyRequest, Error, ListRequest, NotReplaceable, Outcome,
    ReplacementKey, RotationError, RotationStep,
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
        // Find, create, verify, revoke.
        let new = world.costs(4, |client| {
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
        let new = world.costs(4, |_| client.rotate(&old.id, next(), store)).unwrap();
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
        let new = world.costs(4, |client| client.rotate(&old.id, request("new"), store)).unwrap();
        assert_eq!(new.key_type, ApiKeyType::Service);
        assert!(world.alive(&new.key) && !world.alive(&old.key));
    });
}

#[test]
fn a_key_that_cannot_be_stored_is_revoked() {
    each(|world| {
        let old = old_key(world);
        let error = world.costs(3, |client| client.rotate(&old.id, next(), |_| Err("disk full"))).unwrap_err();
        let new = error.created().unwrap();
        assert!(world.alive(&old.key) && !world.alive(&new.key));
        assert!(matches!(&error, RotationError::Store { cause: "disk full", revoked: Ok(()), .. }), "{error:?}");
        assert_eq!(
            error.to_string(),
            format!("the old key is unchanged; the new key `{}` was not stored (disk full) and is revoked", new.id)
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
        let error = world.costs(2, |client| client.rotate(NO_KEY, next(), store)).unwrap_err();
        assert!(matches!(error, RotationError::NotReplaceable { reason: NotReplaceable::NotFound, .. }), "{error:?}");
        assert_eq!(
            error.to_string(),
            format!(
                "nothing was created; the key `{NO_KEY}` is not among the active keys that a rotation looks through: your \
                 own user keys for a user key, the service keys of the spaces of the new binding for a service key. To \
                 replace it all the same, create a key, store it, then revoke this one"
            )
        );
        assert_eq!(world.emulator.keys_created(), 0);
    });
}

#[test]
fn rotations_that_create_nothing() {
    each(|world| {
        let old = old_key(world);
        for (id, request, message) in [
            ("..", next(), "invalid request: `old_id` must not be `.` or `..`: that would name another resource"),
            (&*old.id, CreateRequest::new("x".repeat(257)), "invalid request: `name` must have at most 256 characters"),
            (
                &*old.id,
                next().expires_at(time::OffsetDateTime::UNIX_EPOCH),
                "invalid request: `expires_at` must be in the future",
            ),
        ] {
            let error = world.costs(0, |client| client.rotate(id, request, store)).unwrap_err();
            let RotationError::Create(cause) = &error else { panic!("{error:?}") };
            assert_eq!((cause.to_string().as_str(), cause.outcome()), (message, Outcome::NotSent));
            let expected = format!("the old key is unchanged; creating the new one failed: {message}");
            assert_eq!(error.to_string(), expected);
        }
        assert!(world.alive(&old.key));
        assert_eq!(world.emulator.keys_created(), 1);
    });
}

#[test]
fn keys_that_a_rotation_refuses() {
    each(|world| {
        let (old, revoked) = (old_key(world), old_key(world));
        world.client.revoke(&revoked.id).unwrap();
        let service =
            |name: &str| CreateServiceKeyRequest::new(name, world.names.prod.as_str()).org_id(&world.names.acme);
        let bot = world.client.create_service_key(&service("bot")).unwrap();
        let elsewhere = CreateServiceKeyRequest::new("bot", world.names.staging.as_str()).org_id(&world.names.acme);
        let made = world.emulator.keys_created();
        let refuse = |id: &str, new: ReplacementKey, expected| {
            let error = world.client.rotate(id, new, store).unwrap_err();
            let RotationError::NotReplaceable { reason, old_id, .. } = &error else { panic!("{error:?}") };
            assert_eq!((*reason, old_id.as_str()), (expected, id), "{error}");
        };
        refuse(&revoked.id, next().into(), NotReplaceable::Revoked);
        refuse(&bot.id, next().into(), NotReplaceable::NotFound);
        refuse(&bot.id, elsewhere.into(), NotReplaceable::NotFound);
        refuse(&old.id, service("new").into(), NotReplaceable::NotFound);
        assert_eq!(world.emulator.keys_created(), made);
        assert!(world.alive(&old.key) && world.alive(&bot.key));
    });
}

#[test]
fn unset_values_carry_over() {
    each(|world| {
        let create = |description: &str, seconds: i64| {
            let request = CreateRequest::new("ci").description(description).expires_at(world.after(seconds));
            world.client.create(&request).unwrap()
        };
        let old = create("for ci", 1000);
        world.wait(300);
        let new = world.client.rotate(&old.id, CreateRequest::new(""), store).unwrap();
        assert_eq!((new.name.as_str(), new.expires_at), ("ci", Some(world.after(1000))));
        assert_eq!(new.description.as_deref(), Some(&*format!("for ci [arize-keys replaces={}]", old.id)));
        // A second rotation replaces the marker.
        let newer = world.client.rotate(&new.id, CreateRequest::new("other"), store).unwrap();
        assert_eq!(newer.description.as_deref(), Some(&*format!("for ci [arize-keys replaces={}]", new.id)));
        let never = world.client.rotate(&newer.id, ReplacementKey::from(CreateRequest::new("")).no_expiry(), store);
        assert_eq!(never.unwrap().expires_at, None);

        let old = create("x", 1000);
        let request = CreateRequest::new("").description("y").expires_at(world.after(5));
        let new = world.client.rotate(&old.id, request, store).unwrap();
        assert_eq!(new.expires_at, Some(world.after(5)));
        assert_eq!(new.description.as_deref(), Some(&*format!("y [arize-keys replaces={}]", old.id)));

        let long = create(&"é".repeat(1000), 1000);
        let error = world.costs(1, |client| client.rotate(&long.id, CreateRequest::new(""), store)).unwrap_err();
        let message = "invalid request: `description` must have at most 1000 characters with the marker \
                       `[arize-keys replaces=…]` at its end";
        assert_eq!(error.to_string(), format!("the old key is unchanged; creating the new one failed: {message}"));
        let request = CreateRequest::new("").description("é".repeat(1000));
        let error = world.costs(0, |client| client.rotate(&long.id, request, store)).unwrap_err();
        assert!(error.to_string().ends_with(message), "{error}");
    });
}

/// A crash after each step, then the same rotation once more: one key works, and it is the stored one.
#[test]
fn a_rotation_that_was_interrupted_goes_on() {
    each(|world| {
        for is_stored in [false, true] {
            let old = old_key(world);
            let description = format!("[arize-keys replaces={}]", old.id);
            let left = world.client.create(&next().description(description)).unwrap();
            let in_store = if is_stored { &left } else { &old };
            let request = ReplacementKey::from(next()).stored(Some(in_store.key.clone()));
            let mut stored = None;
            let new = world.client.rotate(&old.id, request, |created| {
                stored = Some(created.id.clone());
                Ok::<(), ()>(())
            });
            let new = new.unwrap();
            assert_eq!(new.id == left.id, is_stored);
            assert_eq!(stored, (!is_stored).then(|| new.id.clone()));
            assert!(world.alive(&new.key) && !world.alive(&old.key));
            assert_eq!(world.alive(&left.key), is_stored);
            world.client.revoke(&new.id).unwrap();
        }
    });
}

#[test]
fn each_step_is_announced_before_it_is_taken() {
    each(|world| {
        let old = old_key(world);
        let steps = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
        let (log, emulator) = (steps.clone(), world.emulator.clone());
        let request = ReplacementKey::from(next()).on_step(move |step| {
            let text = match step {
                RotationStep::Create { name, .. } => format!("create {name}"),
                RotationStep::Revoke { id, .. } => format!("revoke {id}"),
                step => format!("{step:?}"),
            };
            log.lock().unwrap().push((text, emulator.keys_created()));
        });
        world.client.rotate(&old.id, request, store).unwrap();
        let expected = [("Find", 1), ("create new", 1), ("Verify", 2), (&*format!("revoke {}", old.id), 2)];
        assert_eq!(*steps.lock().unwrap(), expected.map(|(text, keys)| (text.to_owned(), keys)));
    });
}

#[test]
fn a_hook_that_fails_keeps_both_keys() {
    each(|world| {
        let old = old_key(world);
        let new = ReplacementKey::from(next()).before_revoke(|created| {
            assert_eq!(created.name, "new");
            Err("the program did not reload".into())
        });
        let error = world.client.rotate(&old.id, new, store).unwrap_err();
        let RotationError::BeforeRevoke { created, .. } = &error else { panic!("{error}") };
        assert!(world.alive(&created.key) && world.alive(&old.key));
        let expected = format!(
            "the old key is unchanged; the new key `{}` is stored and works, but the program did not reload",
            created.id
        );
        assert_eq!(error.to_string(), expected);
        // Rotated again, both are replaced.
        let new = ReplacementKey::from(next()).before_revoke(|_| Ok(()));
        let new = world.client.rotate(&old.id, new, store).unwrap();
        assert_eq!(world.client.list(&ListRequest::new()).unwrap().api_keys.len(), 2);
        assert!(world.alive(&new.key) && !world.alive(&created.key));
    });
}
