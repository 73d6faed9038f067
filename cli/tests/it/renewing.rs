//! The recipes of docs/renewing.md, run against stand-ins for the programs that they call.

use std::process::Command;

use arize_api_keys::ExposeSecret;
use arize_api_keys::emulator::{Emulator, EmulatorServer};
use serde_json::Value;
use tempfile::TempDir;

use crate::service::{Run, finish};

const PAGE: &str = include_str!("../../../docs/renewing.md");

/// Keeps what it gets on stdin, or in an argument `credential=…`, and prints it when asked.
const STAND_IN: &str = r#"#!/bin/sh
case "$(basename "$0") $*" in
  "kubectl create "*) exec cat ;;
  *" get "* | *" get-secret-value "* | *" read "* | *" lookup "*)
    case "$*" in *--ignore-not-found*) [ -e kept ] || exit 0 ;; esac
    exec cat kept ;;
  *credential=*) printf %s "${4#credential=}" >kept ;;
  *rollout* | systemctl*) echo "$*" >>calls ;;
  *) cat >kept ;;
esac
"#;

struct World {
    emulator: Emulator,
    server: EmulatorServer,
    dir: TempDir,
}

impl World {
    fn new() -> Self {
        use std::os::unix::fs::PermissionsExt;
        let emulator = Emulator::new();
        let server = emulator.serve().unwrap();
        let dir = TempDir::new().unwrap();
        for name in ["gh", "kubectl", "vault", "aws", "op", "secret-tool", "systemctl"] {
            let path = dir.path().join(name);
            std::fs::write(&path, STAND_IN).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        }
        Self { emulator, server, dir }
    }

    fn run(&self, command: &mut Command) -> Run {
        let programs = std::path::Path::new(env!("CARGO_BIN_EXE_arize-keys")).parent().unwrap().display();
        let path = format!("{}:{programs}:{}", self.dir.path().display(), std::env::var("PATH").unwrap());
        command.current_dir(&self.dir).env_clear().env("PATH", path).env("ARIZE_KEYS_NO_WARNING", "1");
        command.env("ARIZE_API_SCHEME", "http").env("ARIZE_API_HOST", self.server.addr().to_string());
        command.env("ARIZE_API_KEY", self.emulator.admin_key().expose_secret());
        finish(command)
    }

    fn ensure(&self, args: &[&str]) -> Value {
        let mut command = Command::new(env!("CARGO_BIN_EXE_arize-keys"));
        command.args(["ensure", "etl", "-o", "json"]).args(args);
        serde_json::from_str(&self.run(&mut command).succeeded().out).unwrap()
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.dir.path().join(name)).unwrap()
    }
}

/// The lines of the block after a text.
fn block(before: &str) -> Vec<&'static str> {
    let (_, rest) = PAGE.split_once(before).unwrap();
    let (_, block) = rest.split_once("```").unwrap().1.split_once('\n').unwrap();
    block.split_once("```").unwrap().0.lines().collect()
}

#[test]
fn stores_that_are_read_back() {
    let (to, read) = (block("Recipes for it:"), block("from `kubectl` on:"));
    assert_eq!((to.len(), read.len()), (6, 5));
    for (to, read) in to[1..].iter().zip(read) {
        let world = World::new();
        let is_silent = read.contains("--ignore-not-found");
        let first = if is_silent { ["--read-command", read].to_vec() } else { ["--no-read"].to_vec() };
        let created = world.ensure(&[&["--to-command", to][..], &first].concat());
        let again = world.ensure(&["--to-command", to, "--read-command", read]);
        assert_eq!((&again["change"], &again["id"]), (&"unchanged".into(), &created["id"]), "{to}");
        assert!(world.emulator.authenticates(&world.read("kept")), "{to}");
    }
}

#[test]
fn a_store_that_cannot_be_read() {
    let world = World::new();
    let to = block("Recipes for it:")[0];
    let created = world.ensure(&["--to-command", to, "--no-read"]);
    let again = world.ensure(&["--to-command", to, "--no-read"]);
    assert_eq!((&created["change"], &again["change"]), (&"created".into(), &"unchanged".into()));
}

#[test]
fn timers() {
    let commands = PAGE.lines().filter_map(|line| {
        let is_recipe =
            ["17 4 * * * ", "ExecStart=/usr/bin/", "- command: "].iter().any(|begin| line.starts_with(begin));
        is_recipe.then(|| &line[line.find("arize-keys").unwrap()..])
    });
    let commands: Vec<String> = commands.map(|command| command.replace("/etc/", "")).collect();
    assert_eq!(commands.len(), 3);
    for command in commands {
        let world = World::new();
        for _ in 0..2 {
            world.run(Command::new("sh").args(["-c", &command])).succeeded();
        }
        assert!(world.emulator.authenticates(world.read("etl.env").trim().split_once('=').unwrap().1), "{command}");
        assert_eq!(world.emulator.keys_created(), 1, "{command}");
        assert_eq!(command.contains("--then"), world.dir.path().join("calls").exists());
    }
}

#[test]
fn a_cron_job_of_kubernetes() {
    let world = World::new();
    let args = block("In a Kubernetes CronJob");
    let args: Vec<&str> = args.iter().filter_map(|line| line.trim().strip_prefix("- ")).collect();
    assert_eq!(args.len(), 8);
    for change in ["created", "unchanged"] {
        let run = world.run(Command::new(env!("CARGO_BIN_EXE_arize-keys")).args(&args));
        assert!(run.succeeded().out.starts_with(change), "{}", run.out);
    }
    assert!(world.emulator.authenticates(&world.read("kept")));
    assert_eq!(world.read("calls"), "rollout restart deployment/etl\nrollout status deployment/etl\n");
}
