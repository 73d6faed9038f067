use std::collections::HashSet;
use std::thread;
use std::time::Duration;

use arize_api_keys::{
    ApiKeysClient, CreateRequest, CreateServiceKeyRequest, ExposeSecret, ListRequest, RefreshRequest,
};

use super::world::each;

const THREADS: usize = 8;
const ROUNDS: usize = 5;

/// The life of a key; the ids and secrets that it had.
fn live(client: &ApiKeysClient, name: &str, space: &str, org: &str) -> (Vec<String>, Vec<String>) {
    let created = client.create(&CreateRequest::new(name)).unwrap();
    let bot = client.create_service_key(&CreateServiceKeyRequest::new(name, space).org_id(org)).unwrap();
    let grace = Duration::from_secs(60);
    let rotated = client.refresh(&RefreshRequest::new(&created.id).grace_period(grace)).unwrap();
    assert_eq!((&rotated.id, rotated.name.as_str()), (&created.id, name));
    client.list(&ListRequest::new().limit(100)).unwrap();
    assert!(client.list_all(&ListRequest::new().limit(3)).any(|key| key.unwrap().id == created.id));
    client.delete(&created.id).unwrap();
    client.revoke(&bot.id).unwrap();
    let secrets = [&created.key, &bot.key, &rotated.key].map(|key| key.expose_secret().to_owned());
    (vec![created.details.id, bot.details.id], secrets.to_vec())
}

#[test]
fn eight_threads_share_one_client() {
    each(|world| {
        let lives: Vec<_> = thread::scope(|scope| {
            let workers: Vec<_> = (0..THREADS)
                .map(|worker| {
                    // Half of them by reference, half by a clone.
                    let own = (worker % 2 == 0).then(|| world.client.clone());
                    scope.spawn(move || {
                        let client = own.as_ref().unwrap_or(&world.client);
                        let live = |round| {
                            let name = format!("worker-{worker}-{round}");
                            live(client, &name, &world.names.prod, &world.names.acme)
                        };
                        (0..ROUNDS).map(live).collect::<Vec<_>>()
                    })
                })
                .collect();
            workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
        });
        let made = (THREADS * ROUNDS) as u64;
        assert_eq!((world.emulator.keys_created(), world.emulator.keys_refreshed()), (2 * made, made));
        let ids: HashSet<_> = lives.iter().flat_map(|life| &life.0).collect();
        let secrets: HashSet<_> = lives.iter().flat_map(|life| &life.1).collect();
        assert_eq!((ids.len() as u64, secrets.len() as u64), (2 * made, 3 * made));
        assert!(secrets.iter().all(|secret| !world.emulator.authenticates(secret)), "all of them are removed");
        assert_eq!(world.client.list(&ListRequest::new()).unwrap().api_keys.len(), 1);
    });
}

#[test]
fn a_client_goes_from_thread_to_thread() {
    each(|world| {
        let client = world.client.clone();
        let client = thread::scope(|scope| {
            let moved = scope.spawn(move || {
                client.create(&CreateRequest::new("there")).unwrap();
                client
            });
            moved.join().unwrap()
        });
        assert_eq!(client.list(&ListRequest::new()).unwrap().api_keys.len(), 2);
    });
}
