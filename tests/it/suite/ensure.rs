//! Keeping a working key in a store.

use std::time::Duration;

use arize_api_keys::secrecy::SecretString;
use arize_api_keys::{
    ApiKeyCreated, ApiKeyStatus, CreateRequest, CreateServiceKeyRequest, EnsureChange, EnsureError, EnsureRequest,
    Ensured, ExposeSecret, ListRequest,
};

use super::world::{World, each};

const DAY: u64 = 86_400;

/// A store in memory.
#[derive(Default)]
struct Store(Option<SecretString>);

impl Store {
    fn take(&mut self, created: &ApiKeyCreated) -> Result<(), &'static str> {
        self.0 = Some(created.key.clone());
        Ok(())
    }
}

fn request(world: &World) -> EnsureRequest {
    let service = CreateServiceKeyRequest::new("etl", world.names.prod.as_str()).org_id(&world.names.acme);
    EnsureRequest::new(service.description("for the jobs"), "host-7:/etc/etl.env").exclusive(true)
}

fn ensure(world: &World, request: &EnsureRequest, store: &mut Store) -> Ensured {
    let request = request.clone().stored(store.0.clone());
    world.client.ensure(&request, |created| store.take(created)).unwrap()
}

fn live(world: &World) -> Vec<String> {
    let request = ListRequest::new().space(world.names.prod.as_str());
    world.client.list_all(&request).map(|key| key.unwrap().id).collect()
}

#[test]
fn a_year_of_one_key() {
    each(|world| {
        let mut store = Store::default();
        let ensured = ensure(world, &request(world), &mut store);
        assert_eq!(ensured.change, EnsureChange::Created);
        let description = "for the jobs [arize-keys owner=host-7:/etc/etl.env]";
        assert_eq!(ensured.key.description.as_deref(), Some(description));
        assert_eq!(ensured.key.owner().as_deref(), Some("host-7:/etc/etl.env"));
        assert_eq!(ensured.key.expires_at, Some(world.after(90 * DAY as i64)));
        let mut changes = Vec::new();
        for day in 1..=365 {
            world.wait(DAY);
            let ensured = ensure(world, &request(world), &mut store);
            if ensured.change != EnsureChange::Unchanged {
                changes.push((day, ensured.change, ensured.retired.len()));
            }
            assert!(world.alive(store.0.as_ref().unwrap()));
            assert_eq!(live(world), [ensured.key.id]);
        }
        // In the last third of 90 days.
        let renewed = |day| (day, EnsureChange::Renewed, 1);
        assert_eq!(changes, [60, 120, 180, 240, 300, 360].map(renewed));
    });
}

#[test]
fn an_unchanged_key_costs_two_requests() {
    each(|world| {
        let mut store = Store::default();
        ensure(world, &request(world), &mut store);
        let ensured = world.costs(2, |_| ensure(world, &request(world), &mut store));
        assert_eq!(ensured.change, EnsureChange::Unchanged);
        assert!(ensured.retired.is_empty() && ensured.pending.is_empty());
    });
}

#[test]
fn a_stored_secret_that_is_missing_or_refused_is_replaced() {
    each(|world| {
        let mut store = Store::default();
        let first = ensure(world, &request(world), &mut store);
        store.0 = None;
        let second = ensure(world, &request(world), &mut store);
        assert_eq!((second.change, second.retired[0].id.as_str()), (EnsureChange::Renewed, first.key.id.as_str()));
        world.client.revoke(&second.key.id).unwrap();
        let third = ensure(world, &request(world), &mut store);
        assert_eq!(third.change, EnsureChange::Created);
        store.0 = Some("ak-unknown-0123456789".into());
        let fourth = ensure(world, &request(world), &mut store);
        assert_eq!(fourth.change, EnsureChange::Renewed);
        assert_eq!(live(world), [fourth.key.id]);
    });
}

#[test]
fn an_overlap_keeps_the_old_key() {
    each(|world| {
        let mut store = Store::default();
        let request = request(world).overlap(Duration::from_secs(DAY));
        let first = ensure(world, &request, &mut store);
        let old = store.0.clone().unwrap();
        world.wait(70 * DAY);
        let second = ensure(world, &request, &mut store);
        assert_eq!((second.change, second.pending[0].id.as_str()), (EnsureChange::Renewed, first.key.id.as_str()));
        assert!(world.alive(&old) && second.retired.is_empty());
        world.wait(DAY - 1);
        assert_eq!(ensure(world, &request, &mut store).pending.len(), 1);
        world.wait(1);
        let third = ensure(world, &request, &mut store);
        assert_eq!((third.change, third.retired[0].id.as_str()), (EnsureChange::Unchanged, first.key.id.as_str()));
        assert!(!world.alive(&old));
    });
}

#[test]
fn keys_of_others_are_never_touched() {
    each(|world| {
        let other = CreateServiceKeyRequest::new("etl", world.names.prod.as_str()).org_id(&world.names.acme);
        let mut others = vec![world.client.create_service_key(&other).unwrap()];
        for description in ["[arize-keys owner=host-8:/etc/etl.env]", "[arize-keys owner=host-7:/etc/etl.env] no more"]
        {
            others.push(world.client.create_service_key(&other.clone().description(description)).unwrap());
        }
        let mut store = Store::default();
        assert_eq!(ensure(world, &request(world), &mut store).change, EnsureChange::Created);
        store.0 = None;
        assert_eq!(ensure(world, &request(world), &mut store).change, EnsureChange::Renewed);
        assert!(others.iter().all(|key| world.alive(&key.key)));
    });
}

#[test]
fn what_an_interrupted_run_left_is_retired() {
    each(|world| {
        let mut store = Store::default();
        let first = ensure(world, &request(world), &mut store);
        let left = CreateServiceKeyRequest::new("etl", world.names.prod.as_str()).org_id(&world.names.acme);
        let left = left.description("[arize-keys owner=host-7:/etc/etl.env]");
        world.wait(1);
        let left = world.client.create_service_key(&left).unwrap();
        // Without a lock, another run may be about to store it.
        let shared = request(world).exclusive(false);
        assert_eq!(ensure(world, &shared, &mut store).pending[0].id, left.id);
        world.wait(600);
        let ensured = ensure(world, &shared, &mut store);
        assert_eq!((ensured.key.id, ensured.retired[0].id.as_str()), (first.key.id, left.id.as_str()));
    });
}

#[test]
fn a_key_is_adopted() {
    each(|world| {
        let by_hand = CreateServiceKeyRequest::new("by hand", world.names.prod.as_str()).org_id(&world.names.acme);
        let by_hand = world.client.create_service_key(&by_hand).unwrap();
        let mut store = Store(Some(by_hand.key.clone()));
        let ensured = ensure(world, &request(world).adopt(&by_hand.id), &mut store);
        assert_eq!((ensured.change, ensured.retired[0].id.as_str()), (EnsureChange::Renewed, by_hand.id.as_str()));
        // Adopted already: nothing to do.
        let ensured = ensure(world, &request(world).adopt(&by_hand.id), &mut store);
        assert_eq!(ensured.change, EnsureChange::Unchanged);
    });
}

#[test]
fn runs_that_change_nothing() {
    each(|world| {
        let foreign = world.client.create(&CreateRequest::new("somebody's")).unwrap();
        let run = |request: EnsureRequest| world.client.ensure(&request, |_| Ok::<(), &str>(())).unwrap_err();
        let error = run(request(world).stored(Some(foreign.key.clone())));
        assert!(matches!(error, EnsureError::StoredIsForeign), "{error}");
        for (bad, message) in [
            (EnsureRequest::new(CreateRequest::new("n"), " "), "`owner` must have 1 to 200 bytes, percent-encoded"),
            (
                EnsureRequest::new(CreateRequest::new("n"), "é".repeat(34)),
                "`owner` must have 1 to 200 bytes, percent-encoded",
            ),
            (request(world).lifetime(Duration::from_secs(59)), "`lifetime` must be at least 1 minute"),
            (
                request(world).lifetime(Duration::from_secs(60)).renew_before(Duration::from_secs(60)),
                "`renew_before` must be less than `lifetime`",
            ),
        ] {
            let error = world.costs(0, |_| run(bad));
            assert_eq!(error.to_string(), format!("nothing was changed: invalid request: {message}"));
        }
        assert_eq!(world.emulator.keys_created(), 1);
        // Two programs that write one store.
        let mut store = Store::default();
        for _ in 0..6 {
            store.0 = None;
            ensure(world, &request(world), &mut store);
        }
        assert!(matches!(run(request(world).stored(None)), EnsureError::TooManyKeys));
        ensure(world, &request(world).renew_now(true).force(true), &mut store);
    });
}

#[test]
fn a_key_that_is_not_stored_is_revoked() {
    each(|world| {
        let mut store = Store::default();
        let first = ensure(world, &request(world), &mut store);
        let request = request(world).stored(store.0.clone()).renew_now(true);
        let error = world.client.ensure(&request, |_| Err("disk full")).unwrap_err();
        let EnsureError::Store { created, revoked: Ok(()), .. } = &error else { panic!("{error}") };
        assert!(!world.alive(&created.key));
        assert_eq!(live(world), [first.key.id]);
        assert!(!error.to_string().contains(created.key.expose_secret()));
    });
}

#[test]
fn a_user_key_renews_itself() {
    each(|world| {
        let mut store = Store::default();
        let request = EnsureRequest::new(CreateRequest::new("own"), "me").exclusive(true);
        let first = ensure(world, &request, &mut store);
        let client = world.client_of(store.0.as_ref().unwrap());
        let renewed = request.clone().stored(store.0.clone()).renew_now(true);
        let ensured = client.ensure(&renewed, |created| store.take(created)).unwrap();
        assert_eq!((ensured.change, ensured.retired[0].id.as_str()), (EnsureChange::Renewed, first.key.id.as_str()));
        assert!(world.alive(store.0.as_ref().unwrap()));
        let gone = ListRequest::new().status(ApiKeyStatus::Revoked);
        assert_eq!(world.client.list(&gone).unwrap().api_keys[0].id, first.key.id);
    });
}

#[test]
fn a_panic_of_the_store_leaves_no_key_behind() {
    each(|world| {
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let request = request(world).stored(None);
            world.client.ensure(&request, |_| -> Result<(), ()> { panic!("on purpose, in a test") })
        }));
        assert!(panicked.is_err());
        assert!(live(world).is_empty());
    });
}

/// The ids of keys are random, so that some order two keys of one second the wrong way round.
#[test]
fn the_overlap_holds_for_a_predecessor_of_the_same_second() {
    each(|world| {
        let mut store = Store::default();
        let overlap = Duration::from_secs(3600);
        let mut old = ensure(world, &request(world).overlap(overlap), &mut store).key.id;
        for _ in 0..8 {
            let renewed = ensure(world, &request(world).overlap(overlap).renew_now(true).force(true), &mut store);
            assert!(renewed.retired.is_empty(), "{:?}", renewed.retired);
            assert!(renewed.pending.iter().any(|key| key.id == old) && live(world).contains(&old));
            old = renewed.key.id;
        }
    });
}
