//! CPU time of the peers against raw ureq, in shuffled rounds: `compare <rounds> <calls in a round>`. Run it, and with it
//! the server, on one core: `taskset -c 1 compare 41 200`.

use arize_api_keys_benches::Fallible;
use arize_api_keys_benches::peers::{PEERS, Peer, Place, peer};
use arize_api_keys_benches::server::Server;
use cpu_time::ProcessTime;

type Call = fn(&mut dyn Peer) -> Fallible<usize>;

const CASES: [(&str, &str, Call); 4] = [
    ("list(50)", "length", |peer| peer.list(50)),
    ("list(50) chunked", "chunked", |peer| peer.list(50)),
    ("page of 100", "length", |peer| peer.list(100)),
    ("create", "length", |peer| peer.create()),
];

fn main() -> Fallible {
    let numbers: Vec<usize> = std::env::args().skip(1).map(|text| text.parse()).collect::<Result<_, _>>()?;
    let &[rounds, calls] = numbers.as_slice() else { return Err("usage: compare <rounds> <calls>".into()) };
    let server = Server::start()?;
    let address = server.plain.to_string();
    for (name, route, call) in CASES {
        let mut table = compare(Place { address: &address, route }, call, rounds, calls)?;
        println!("{name}");
        let fastest = |spent: &[f64]| spent.iter().copied().fold(f64::INFINITY, f64::min);
        let ureq = table.iter().find(|(peer, _)| *peer == "ureq").ok_or("raw ureq is missing")?.1.clone();
        for (peer, spent) in &mut table {
            let mut ratios: Vec<f64> = spent.iter().zip(&ureq).map(|(spent, ureq)| spent / ureq).collect();
            ratios.sort_by(f64::total_cmp);
            let at = |part: f64| ratios[(part * (ratios.len() - 1) as f64) as usize];
            println!(
                "  {peer:<8} {:5.2}   half of the rounds {:.2} to {:.2}   the fastest rounds {:.2}, {:.1} µs a call",
                at(0.5),
                at(0.25),
                at(0.75),
                fastest(spent) / fastest(&ureq),
                fastest(spent) / calls as f64 * 1e6,
            );
        }
    }
    Ok(())
}

/// The CPU time of every peer in every round: what slows a round down slows all that are in it, so ratios are taken there.
fn compare(place: Place<'_>, call: Call, rounds: usize, calls: usize) -> Fallible<Vec<(&'static str, Vec<f64>)>> {
    // The floor reads no chunks.
    let names: Vec<&str> = PEERS.iter().copied().filter(|name| place.route != "chunked" || *name != "floor").collect();
    let mut running = names.iter().map(|name| peer(name, place)).collect::<Fallible<Vec<_>>>()?;
    let mut table: Vec<_> = names.iter().map(|name| (*name, Vec::with_capacity(rounds))).collect();
    for round in 0..=rounds {
        let mut order: Vec<usize> = (0..running.len()).collect();
        fastrand::shuffle(&mut order);
        for at in order {
            let before = ProcessTime::now();
            for _ in 0..calls {
                std::hint::black_box(call(running[at].as_mut())?);
            }
            let spent = before.elapsed().as_secs_f64();
            // The first round warms up.
            if round > 0 {
                table[at].1.push(spent);
            }
        }
    }
    Ok(table)
}
