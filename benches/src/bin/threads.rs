//! Calls a second of threads that share one client, 64 against 16, in alternating rounds: `threads <rounds> <calls in a round>`.

use arize_api_keys::ApiKeysClient;
use arize_api_keys_benches::peers::{self, Place};
use arize_api_keys_benches::server::Server;
use arize_api_keys_benches::{Fallible, together};

const FEW: usize = 16;
const MANY: usize = 64;

fn main() -> Fallible {
    let numbers: Vec<usize> = std::env::args().skip(1).map(|text| text.parse()).collect::<Result<_, _>>()?;
    let &[rounds, calls] = numbers.as_slice() else { return Err("usage: threads <rounds> <calls>".into()) };
    let server = Server::start()?;
    let address = server.plain.to_string();
    let client = || peers::client(Place { address: &address, route: "length" }).build();
    let (few, many) = (client()?, client()?);
    let mut ratios = Vec::with_capacity(rounds);
    for round in 0..=rounds {
        let (with_few, with_many) = (rate(&few, FEW, calls)?, rate(&many, MANY, calls)?);
        // The first round opens the connections.
        if round > 0 {
            println!("{FEW} threads: {with_few:6.0} calls/s   {MANY} threads: {with_many:6.0} calls/s");
            ratios.push(with_many / with_few);
        }
    }
    ratios.sort_by(f64::total_cmp);
    println!("{MANY} threads against {FEW}: {:.2}   ≥ 0.9", ratios[ratios.len() / 2]);
    Ok(())
}

fn rate(client: &ApiKeysClient, threads: usize, calls: usize) -> Fallible<f64> {
    Ok(calls as f64 / together::list(client, threads, calls, 50)?.as_secs_f64())
}
