//! A process that forks with an idle connection in its client. Parent and child must each hear their own responses, and the
//! parent must keep its connection. `cargo run --manifest-path tests/fork/Cargo.toml`

use arize_api_keys::emulator::Emulator;
use arize_api_keys::{ApiKeysClient, ListSpacesRequest};

const CALLS: usize = 200;

fn main() {
    let server = Emulator::new().serve().expect("a port is free");
    let client = server.client();
    assert!(hears_its_own("research", &client), "the client reads its responses before it forks");
    // SAFETY: no other thread of this process holds a lock: the server's wait for requests.
    let child = unsafe { libc::fork() };
    match child {
        -1 => panic!("no process can be made"),
        0 => {
            let is_own = hears_its_own("staging", &client);
            // SAFETY: the server's threads are not in this process, so nothing may wait for them.
            unsafe { libc::_exit(i32::from(!is_own)) }
        }
        child => {
            let is_own = hears_its_own("research", &client);
            let mut status = 0;
            // SAFETY: the pointer is to a variable of this function.
            unsafe { libc::waitpid(child, &mut status, 0) };
            assert!(is_own, "the parent heard a response of the child");
            assert_eq!(status, 0, "the child heard a response of the parent, or none");
            assert!(hears_its_own("research", &client), "the connection of the parent is there");
        }
    }
}

/// Whether every response to a request for the spaces of this name has that space alone.
fn hears_its_own(name: &str, client: &ApiKeysClient) -> bool {
    let request = ListSpacesRequest::new().name(name);
    (0..CALLS).all(|_| {
        let mut spaces = client.list_spaces(&request);
        spaces.next().is_some_and(|space| space.is_ok_and(|space| space.name == name)) && spaces.next().is_none()
    })
}
