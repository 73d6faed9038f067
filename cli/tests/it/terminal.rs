//! With a terminal: colours, width, questions, progress.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::process::Command;
use std::thread;

use arize_api_keys::{ExposeSecret, ListRequest};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

use crate::service::{Service, assert_harmless};

/// Which streams are the terminal; stdin is one of them always.
#[derive(Clone, Copy, PartialEq)]
enum On {
    Both,
    Stderr,
}

/// A terminal: the side of the person, and the path of the side of programs.
pub(crate) fn open() -> (File, String) {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    let name = ptsname(&master, Vec::new()).unwrap().into_string().unwrap();
    (File::from(master), name)
}

/// Runs a command in a terminal of this width, with this typed in: its exit code and all that the terminal showed.
fn run(mut command: Command, on: On, width: u16, typed: &str) -> (Option<i32>, String) {
    let (mut master, name) = open();
    let slave = || -> File { OpenOptions::new().read(true).write(true).open(&name).unwrap() };
    let keep = slave();
    tcsetwinsize(&keep, Winsize { ws_row: 25, ws_col: width, ws_xpixel: 0, ws_ypixel: 0 }).unwrap();
    command.stdin(slave()).stderr(slave());
    if on == On::Both {
        command.stdout(slave());
    } else {
        command.stdout(std::process::Stdio::null());
    }
    let mut child = command.spawn().unwrap();
    drop(command);
    drop(keep);
    master.write_all(typed.as_bytes()).unwrap();
    let reader = thread::spawn(move || {
        let mut shown = Vec::new();
        // It ends with an error when the last one lets go of the terminal.
        drop(master.read_to_end(&mut shown));
        shown
    });
    let code = child.wait().unwrap().code();
    let shown = String::from_utf8(reader.join().unwrap()).unwrap().replace("\r\n", "\n");
    (code, shown)
}

fn in_terminal(service: &Service, args: &[&str], width: u16) -> String {
    let mut command = service.command(args);
    command.env("TERM", "xterm");
    let (code, shown) = run(command, On::Both, width, "");
    assert_eq!(code, Some(0), "{shown}");
    shown
}

#[test]
fn tables_fit() {
    let service = Service::new();
    service.key("a key with a name that is longer than there is room for it in a narrow terminal");
    for width in [72, 80, 100, 140] {
        let mut command = service.command(&["list", "-q"]);
        command.env("NO_COLOR", "1");
        let (_, shown) = run(command, On::Both, width, "");
        assert!(shown.lines().all(|line| line.chars().count() <= usize::from(width)), "{width}:\n{shown}");
        assert!(shown.contains(&service.key("x").id[..10]), "ids stay whole:\n{shown}");
    }
}

#[test]
fn colours_are_for_terminals_that_want_them() {
    let service = Service::new();
    assert!(in_terminal(&service, &["list"], 100).contains('\u{1b}'));
    assert!(!service.run(&["list"]).out.contains('\u{1b}'));
    for (name, value) in [("NO_COLOR", "1"), ("TERM", "dumb")] {
        let mut command = service.command(&["list", "--all"]);
        command.env("TERM", "xterm").env(name, value);
        let (_, shown) = run(command, On::Both, 100, "");
        assert!(!shown.contains("\u{1b}[1m") && !shown.contains("\u{1b}[3"), "{name}: {shown:?}");
    }
    let mut command = service.command(&["list", "--region", "mars"]);
    let (code, shown) = run(
        {
            command.env("TERM", "xterm");
            command
        },
        On::Both,
        100,
        "",
    );
    assert_eq!(code, Some(2));
    assert!(shown.starts_with("\u{1b}[1m\u{1b}[31merror:\u{1b}[0m --region must be"), "{shown:?}");
}

#[test]
fn removing_asks() {
    let service = Service::new();
    let key = service.key("a");
    let lives = || service.emulator.authenticates(key.key.expose_secret());
    for answer in ["n\n", "\n", "no way\n", "\u{4}"] {
        let (code, shown) = run(service.command(&["revoke", &key.id]), On::Both, 100, answer);
        assert_eq!(code, Some(12), "{shown}");
        let question = format!("Revoke the key {}? It cannot be undone.", key.id);
        assert!(shown.contains(&question) && shown.contains("not confirmed; nothing was changed"), "{shown}");
        assert!(lives());
    }
    let (code, shown) = run(service.command(&["delete", &key.id]), On::Stderr, 100, "y\n");
    assert_eq!(code, Some(0), "{shown}");
    assert!(!lives());
    // The key of the program itself.
    let own = service.client().list_all(&ListRequest::new()).next().unwrap().unwrap().id;
    for (ids, what) in
        [(&[&*own][..], format!("the key {own}")), (&[&*key.id, &*own], format!("2 keys ({} …)", key.id))]
    {
        let (code, shown) = run(service.command(&[&["revoke"], ids].concat()), On::Both, 200, "n\n");
        let question = format!("Revoke {what}? {own} is the key that this command uses. It cannot be undone. [y/N]");
        assert!(code == Some(12) && shown.contains(&question), "{shown}");
    }
}

#[test]
fn rotating_asks_before_anything_happens() {
    let service = Service::new();
    let key = service.key("a");
    let args = ["rotate", &key.id, "b", "--out", "key"];
    let (code, shown) = run(service.command(&args), On::Both, 100, "n\n");
    assert_eq!((code, service.seen().len()), (Some(12), 0), "{shown}");
    let (code, shown) = run(service.command(&args), On::Both, 100, "yes\n");
    assert_eq!(code, Some(0), "{shown}");
    assert_harmless(&shown);
}

#[test]
fn progress_is_shown_where_somebody_looks() {
    let service = Service::new();
    (0..150).for_each(|n| drop(service.key(&format!("key-{n}"))));
    let shown_with = |args: &[&str]| {
        let mut command = service.command(args);
        command.env("TERM", "xterm");
        run(command, On::Stderr, 80, "").1
    };
    assert!(shown_with(&["list", "--all", "-o", "jsonl"]).contains(" keys"));
    assert!(!shown_with(&["list", "--all", "-q"]).contains(" keys"));
    assert!(!shown_with(&["list", "--all", "-v"]).contains(" keys"));
}
