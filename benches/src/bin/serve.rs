//! The canned server as a program: `serve <where to write the certificate of its authority>`.

use std::path::Path;

use arize_api_keys_benches::{Fallible, server};

fn main() -> Fallible {
    let ca_file = std::env::args().nth(1).ok_or("usage: serve <ca file>")?;
    server::serve(Path::new(&ca_file))
}
