//! The inventory of an account whose service fails, or changes, while it is read. 1, 2 and 8 threads.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use arize_api_keys::emulator::Fault;
use arize_api_keys::{
    ApiKeysClient, CreateRequest, CreateServiceKeyRequest, Error, Inventory, InventoryRequest, Transport, http,
};

use super::world::{World, each};

const THREADS: [usize; 3] = [1, 2, 8];
const SEEDS: u64 = 6;
const RATE: f64 = 0.05;

/// User keys on two pages, and service keys in three spaces, two pages of them in `prod`.
fn fill(world: &World) {
    let client = world.emulator.client();
    for n in 0..105 {
        client.create(&CreateRequest::new(format!("mine {n}"))).unwrap();
        client.create_service_key(&bot(world, &world.names.prod, &format!("bot {n}"))).unwrap();
    }
    client.create_service_key(&bot(world, &world.names.staging, "staging bot")).unwrap();
    client.create_service_key(&bot(world, &world.names.prod_eu, "prod-eu bot")).unwrap();
}

fn bot(world: &World, space: &str, name: &str) -> CreateServiceKeyRequest {
    CreateServiceKeyRequest::new(name, space).org_id(&world.names.acme)
}

/// The ids of the keys, each with the ids of its spaces, in their order; and the unread scopes.
fn report(inventory: &Inventory) -> (Vec<(String, Vec<String>)>, Vec<String>) {
    let spaces = |found: &arize_api_keys::FoundKey| found.spaces.iter().map(|space| space.id.clone()).collect();
    let keys = inventory.keys.iter().map(|found| (found.key.id.clone(), spaces(found))).collect();
    let unread = inventory.unread.iter().map(|unread| format!("{} {:?}", unread.scope, unread.error.status()));
    (keys, unread.collect())
}

type Hook = Box<dyn Fn(&http::Request<Vec<u8>>) -> Option<http::Response<Vec<u8>>> + Send + Sync>;

/// A client of the admin whose requests meet the hook first.
fn client_with(world: &World, hook: Hook) -> ApiKeysClient {
    let hook = Arc::new(hook);
    let hooked = move |inner: Arc<dyn Transport>| -> Arc<dyn Transport> {
        let hook = Arc::clone(&hook);
        Arc::new(move |request: http::Request<Vec<u8>>| match hook(&request) {
            Some(response) => Ok(response),
            None => inner.send(request),
        })
    };
    let builder = world.builder().clock(world.emulator.clock().clone()).api_key(world.emulator.admin_key());
    builder.wrap_transport(hooked).build().unwrap()
}

/// A refusal of the service.
fn problem(status: u16) -> http::Response<Vec<u8>> {
    let body = format!(r#"{{"type": "about:blank", "title": "No", "status": {status}, "detail": "no such space"}}"#);
    let response = http::Response::builder().status(status).header("content-type", "application/problem+json");
    response.body(body.into_bytes()).unwrap()
}

fn is_list_of(request: &http::Request<Vec<u8>>, space: &str) -> bool {
    let query = request.uri().query().unwrap_or_default();
    query.contains(&format!("space_id={}", space.trim_end_matches('=')))
}

#[test]
fn random_faults() {
    each(|world| {
        fill(world);
        let healthy = report(&world.client.inventory(&InventoryRequest::new()).unwrap());
        assert_eq!((healthy.0.len(), healthy.1.len()), (1 + 105 + 105 + 2, 0));
        let expected: BTreeMap<_, _> = healthy.0.iter().cloned().collect();
        let mut whole = 0;
        for seed in 0..SEEDS {
            for threads in THREADS {
                world.emulator.inject_randomly(RATE, seed);
                let read = world.client.inventory(&InventoryRequest::new().concurrency(threads));
                world.emulator.inject_randomly(0.0, 0);
                // Threads send their requests in any order, so that one may meet more faults than the client retries.
                let found = report(&read.unwrap());
                if found.1.is_empty() {
                    assert_eq!(found, healthy, "seed {seed}, {threads} threads");
                    whole += 1;
                } else {
                    assert!(found.0.iter().all(|(id, spaces)| expected.get(id) == Some(spaces)));
                }
            }
        }
        assert!(whole > 0 && world.emulator.faults_committed() > 0);
    });
}

#[test]
fn a_rate_limit() {
    each(|world| {
        fill(world);
        let healthy = report(&world.client.inventory(&InventoryRequest::new()).unwrap());
        for threads in THREADS {
            let begun = world.now();
            world.emulator.inject(Fault::rate_limit(Duration::from_secs(7)).times(2));
            let request = InventoryRequest::new().concurrency(threads);
            assert_eq!(report(&world.client.inventory(&request).unwrap()), healthy, "{threads} threads");
            assert_eq!(world.emulator.faults_left(), 0);
            assert!(world.now() - begun >= Duration::from_secs(7), "{threads} threads");
        }
    });
}

#[test]
fn a_space_that_may_not_be_read() {
    each(|world| {
        fill(world);
        let prod = world.names.prod.clone();
        let client = client_with(world, Box::new(move |request| is_list_of(request, &prod).then(|| problem(403))));
        let mut reports = THREADS.map(|threads| {
            let inventory = client.inventory(&InventoryRequest::new().concurrency(threads)).unwrap();
            assert!(matches!(&inventory.unread[..], [unread] if matches!(unread.error, Error::Forbidden(_))));
            report(&inventory)
        });
        reports.sort();
        assert_eq!(reports[0], reports[2]);
        assert_eq!(reports[0].0.len(), 1 + 105 + 2);
        assert_eq!(reports[0].1, [format!("the service keys of space prod ({}) Some(403)", world.names.prod)]);
    });
}

#[test]
fn a_space_that_is_deleted_during_the_walk() {
    each(|world| {
        fill(world);
        let prod = world.names.prod.clone();
        // Its first page came. The keys of that page are in the report.
        let is_gone = move |request: &http::Request<Vec<u8>>| {
            is_list_of(request, &prod) && request.uri().query().unwrap_or_default().contains("cursor=")
        };
        let client = client_with(world, Box::new(move |request| is_gone(request).then(|| problem(404))));
        let mut reports =
            THREADS.map(|threads| report(&client.inventory(&InventoryRequest::new().concurrency(threads)).unwrap()));
        reports.sort();
        assert_eq!(reports[0], reports[2]);
        assert_eq!(reports[0].0.len(), 1 + 105 + 100 + 2);
        assert_eq!(reports[0].1, [format!("the service keys of space prod ({}) Some(404)", world.names.prod)]);
    });
}

#[test]
fn keys_that_are_created_during_the_walk() {
    each(|world| {
        fill(world);
        let before: BTreeSet<String> = report(&world.client.inventory(&InventoryRequest::new()).unwrap())
            .0
            .into_iter()
            .map(|(id, _)| id)
            .collect();
        let (creator, bot) = (world.emulator.client(), bot(world, &world.names.prod, "new bot"));
        let client = client_with(
            world,
            Box::new(move |_| {
                creator.create(&CreateRequest::new("new")).unwrap();
                creator.create_service_key(&bot).unwrap();
                None
            }),
        );
        for threads in THREADS {
            let (keys, unread) = report(&client.inventory(&InventoryRequest::new().concurrency(threads)).unwrap());
            let ids: BTreeSet<String> = keys.iter().map(|(id, _)| id.clone()).collect();
            assert_eq!((ids.len(), unread.len()), (keys.len(), 0), "{threads} threads: a key is there twice");
            assert!(before.is_subset(&ids), "{threads} threads: a key is missing");
        }
    });
}
