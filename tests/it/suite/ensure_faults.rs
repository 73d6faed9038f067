//! Each use of `ensure` while 5 % of the requests meet a fault, by fixed seeds.

use std::time::Duration;

use arize_api_keys::secrecy::SecretString;
use arize_api_keys::{ApiKey, CreateRequest, CreateServiceKeyRequest, EnsureRequest, ListRequest};

use super::world::{World, each};

const DAY: u64 = 86_400;
const SEEDS: u64 = 12;
const RATE: f64 = 0.05;

/// One use: the request, and what happens before it.
struct Use {
    name: &'static str,
    change: fn(EnsureRequest) -> EnsureRequest,
    /// Seconds.
    wait: u64,
    /// Whether the store loses the secret first.
    is_lost: bool,
}

fn uses() -> [Use; 7] {
    let plain = |name, wait, is_lost| Use { name, change: |request| request, wait, is_lost };
    [
        plain("create", 0, false),
        plain("unchanged", DAY, false),
        plain("due", 70 * DAY, false),
        plain("lost", DAY, true),
        Use { name: "renew now", change: |request| request.renew_now(true), wait: DAY, is_lost: false },
        Use {
            name: "overlap",
            change: |request| request.renew_now(true).overlap(Duration::from_secs(DAY)),
            wait: DAY,
            is_lost: false,
        },
        Use { name: "without a lock", change: |request| request.exclusive(false), wait: 2 * DAY, is_lost: true },
    ]
}

fn request(world: &World, name: &str, is_service: bool) -> EnsureRequest {
    // Faults make more keys within an hour than a healthy program.
    let request = if is_service {
        let service = CreateServiceKeyRequest::new(name, world.names.prod.as_str()).org_id(&world.names.acme);
        EnsureRequest::new(service, "host-7:/etc/etl.env")
    } else {
        EnsureRequest::new(CreateRequest::new(name), "host-7:/etc/etl.env")
    };
    request.exclusive(true).force(true)
}

fn live(world: &World, name: &str) -> Vec<ApiKey> {
    let lists = [ListRequest::new(), ListRequest::new().space(world.names.prod.as_str())];
    let keys = lists.iter().flat_map(|list| world.client.list_all(list)).map(|key| key.unwrap());
    keys.filter(|key| key.name == name).collect()
}

#[test]
fn faults_lose_no_key() {
    each(|world| {
        let mut faults = 0;
        for seed in 0..SEEDS {
            let name = format!("etl-{seed}");
            let mut store: Option<SecretString> = None;
            for used in uses() {
                let context = format!("seed {seed}, {}", used.name);
                world.wait(used.wait);
                if used.is_lost {
                    store = None;
                }
                world.emulator.inject_randomly(RATE, seed);
                for _ in 0..3 {
                    let before = store.clone().filter(|secret| world.alive(secret));
                    let request = request(world, &name, seed % 2 == 0);
                    let request = (used.change)(request).stored(store.clone());
                    let ended = world.client.ensure(&request, |created| {
                        store = Some(created.key.clone());
                        Ok::<(), &str>(())
                    });
                    let is_kept = before.is_none() || store.as_ref().is_some_and(|secret| world.alive(secret));
                    assert!(is_kept, "{context}: {ended:?}");
                    if ended.is_ok() {
                        break;
                    }
                }
                world.emulator.inject_randomly(0.0, seed);
                // The overlap is over, and the keys of killed runs are old enough.
                world.wait(DAY);
                let request = request(world, &name, seed % 2 == 0).stored(store.clone());
                let ensured = world.client.ensure(&request, |created| {
                    store = Some(created.key.clone());
                    Ok::<(), &str>(())
                });
                let (ensured, live) = (ensured.unwrap(), live(world, &name));
                assert_eq!(live.len(), 1, "{context}: {live:?}");
                assert!(store.as_ref().is_some_and(|secret| world.alive(secret)), "{context}");
                assert_eq!(live[0].id, ensured.key.id, "{context}");
            }
            faults = world.emulator.faults_committed();
        }
        assert!(faults > 10, "{faults}");
    });
}
