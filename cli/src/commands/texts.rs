//! `completions` and `man`.

use std::fs;
use std::io;

use clap::CommandFactory;
use clap_mangen::Man;

use crate::args::{self, Cli};
use crate::exit::{Code, Failure};
use crate::output;

pub(crate) fn completions(args: &args::Completions) -> Result<(), Failure> {
    // Not straight to stdout: the generator panics if that fails.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "arize-keys", &mut script);
    output::print(&script).map(drop)
}

pub(crate) fn man(args: &args::Man) -> Result<(), Failure> {
    match &args.dir {
        Some(dir) => fs::create_dir_all(dir)
            .and_then(|()| clap_mangen::generate_to(Cli::command(), dir))
            .map_err(|error| Failure::file("write the man pages to", dir, &error)),
        None => {
            let page = page().map_err(|error| Failure::new(Code::Other, error.to_string()))?;
            output::print(&page).map(drop)
        }
    }
}

fn page() -> io::Result<Vec<u8>> {
    let mut page = Vec::new();
    Man::new(Cli::command()).render(&mut page)?;
    Ok(page)
}
