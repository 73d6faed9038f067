//! `completions` and `man`.

use std::io::{self, Write};
use std::path::Path;

use clap::Command;
use clap_mangen::Man;

use crate::args;
use crate::console::Console;
use crate::failure::{Code, Failure};
use crate::output;
use crate::system::{Access, System};

pub(crate) fn completions(args: &args::Completions, console: &Console) -> Result<(), Failure> {
    // Not straight to stdout: the generator panics if that fails.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut args::command(), "arize-keys", &mut script);
    output::print(&script, &*console.system).map(drop)
}

pub(crate) fn man(args: &args::Man, console: &Console) -> Result<(), Failure> {
    let system = &*console.system;
    let Some(dir) = &args.dir else {
        let page = page(&Man::new(args::command())).map_err(|error| Failure::new(Code::Other, error.to_string()))?;
        return output::print(&page, system).map(drop);
    };
    system
        .create_directory(dir)
        .and_then(|()| pages(&args::command(), dir, system))
        .map_err(|error| Failure::file("write the man pages to", dir, &error))
}

/// A page for the command and one for each command below it.
fn pages(command: &Command, dir: &Path, system: &dyn System) -> io::Result<()> {
    for command in command.get_subcommands().filter(|command| command.get_name() != "help") {
        pages(command, dir, system)?;
    }
    let man = Man::new(command.clone());
    system.open(&dir.join(man.get_filename()), Access::Replace)?.write_all(&page(&man)?)
}

fn page(man: &Man) -> io::Result<Vec<u8>> {
    let mut page = Vec::new();
    man.render(&mut page)?;
    Ok(page)
}
