//! The measured cases, by name: `measure <peer> <case> <calls> <address>` runs one so many times and does nothing else.

use arize_api_keys::ListRequest;

use crate::peers::{Place, client, decode_typed, peer, without_network};
use crate::{Fallible, canned};

/// Reads the command line, and runs the case. `calls` is notified before and after the calls that count.
pub fn run(mut before: impl FnMut(), after: impl FnOnce(u32)) -> Fallible {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [peer_name, case, calls, address] = args.as_slice() else {
        return Err("usage: <peer> <case> <calls> <address>".into());
    };
    let calls: u32 = calls.parse()?;
    let (route, verb) = case.split_once('/').unwrap_or(("length", case));
    let mut call: Box<dyn FnMut() -> Fallible<usize>> = match (route, verb) {
        ("decode", count) => {
            let count = count.parse()?;
            if peer_name == "client" {
                let (client, request) = (without_network(count)?, ListRequest::new());
                Box::new(move || Ok(client.list(&request)?.api_keys.len()))
            } else {
                let (body, checked) = (canned::page(&canned::keys(count), None), peer_name == "from_str");
                Box::new(move || decode_typed(body.as_bytes(), checked))
            }
        }
        ("walk", total) => {
            let client = client(Place { address, route: &format!("walk/{total}") }).build()?;
            let request = ListRequest::new().limit(100);
            Box::new(move || {
                client.list_all(&request).try_fold(0, |count, key| key.map(|_| count + 1).map_err(Into::into))
            })
        }
        (_, "create") => {
            let mut peer = peer(peer_name, Place { address, route })?;
            Box::new(move || peer.create())
        }
        (_, limit) => {
            let limit = limit.parse()?;
            let mut peer = peer(peer_name, Place { address, route })?;
            Box::new(move || peer.list(limit))
        }
    };
    if route != "walk" {
        // Connections are made, names looked up, buffers grown.
        for _ in 0..3 {
            call()?;
        }
    }
    before();
    for _ in 0..calls {
        std::hint::black_box(call()?);
    }
    after(calls);
    Ok(())
}
