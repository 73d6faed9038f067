//! From the start of a process to its end, with one list between them: `start <program>…`, told by the environment where the
//! server is. Prints medians of the wall time, and ratios to the last program.

use std::process::{Command, Stdio};
use std::time::Instant;

use arize_api_keys_benches::Fallible;
use arize_api_keys_benches::canned::API_KEY;
use arize_api_keys_benches::server::Server;

const ROUNDS: usize = 101;

fn main() -> Fallible {
    let programs: Vec<String> = std::env::args().skip(1).collect();
    let server = Server::start()?;
    for (scheme, address) in [("http", server.plain), ("https", server.tls)] {
        let mut spent = vec![Vec::with_capacity(ROUNDS); programs.len()];
        for _ in 0..ROUNDS {
            for (program, spent) in programs.iter().zip(&mut spent) {
                let mut command = Command::new(program);
                command.env_clear().env("ARIZE_API_KEY", API_KEY).env("ARIZE_API_SCHEME", scheme);
                command.env("ARIZE_API_HOST", format!("{address}/length")).stdout(Stdio::null());
                if scheme == "https" {
                    command.env("ARIZE_SSL_CA_CERT", &server.ca_file);
                }
                let start = Instant::now();
                if !command.status()?.success() {
                    return Err(format!("{program} failed").into());
                }
                spent.push(start.elapsed().as_secs_f64() * 1e3);
            }
        }
        let mut at = |part: usize| -> Vec<f64> {
            let quantile = |spent: &mut Vec<f64>| {
                spent.sort_by(f64::total_cmp);
                spent[spent.len() * part / 100]
            };
            spent.iter_mut().map(quantile).collect()
        };
        let (tenth, medians) = (at(10), at(50));
        for ((program, tenth_of), median) in programs.iter().zip(&tenth).zip(&medians) {
            let name = program.rsplit('/').next().unwrap_or_default();
            let (last_tenth, last) = (tenth[tenth.len() - 1], medians[medians.len() - 1]);
            println!(
                "{scheme:<5} {name:<18} median {median:6.2} ms, ratio {:.2}   best tenth {tenth_of:6.2} ms, ratio {:.2}",
                median / last,
                tenth_of / last_tenth,
            );
        }
    }
    Ok(())
}
