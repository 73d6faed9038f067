//! The sources of the program keep the rules of the house.

use std::fs;
use std::path::{Path, PathBuf};

/// Every file of the program's code, without its tests.
fn sources() -> Vec<(PathBuf, String)> {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if !path.ends_with("tests.rs") {
                let text = fs::read_to_string(&path).unwrap();
                let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap().to_owned();
                found.push((path, code));
            }
        }
    }
    assert!(found.len() > 20);
    found
}

#[test]
fn only_the_system_touches_the_world() {
    let words = [
        "std::fs",
        "std::process",
        "std::env",
        "io::stdin",
        "io::stdout",
        "io::stderr",
        "anstream::",
        "print!",
        "println!",
        "SystemTime",
        "Instant",
        "now_utc",
        "SystemClock",
        "thread::sleep",
        "ApiKeysClient::builder",
        "from_env",
        "TcpStream",
        "TcpListener",
    ];
    for (path, code) in sources().iter().filter(|(path, _)| !path.to_string_lossy().contains("/system/os/")) {
        for line in code.lines().filter(|line| !line.trim_start().starts_with("//")) {
            let found = words.iter().find(|word| line.contains(*word));
            // `main` names the type of an exit code.
            let is_exit_code = line == "use std::process::ExitCode;" && path.ends_with("main.rs");
            assert!(found.is_none() || is_exit_code, "{}: {line}", path.display());
        }
    }
}

#[test]
fn no_file_is_too_long_and_nothing_is_left_undone() {
    for (path, code) in sources() {
        assert!(code.lines().count() <= 400, "{} has {} lines", path.display(), code.lines().count());
        for word in ["unwrap(", "expect(", "todo!", "TODO", "FIXME", "dbg!", "unimplemented!", "#[allow"] {
            assert!(!code.contains(word), "{} has {word}", path.display());
        }
    }
}
