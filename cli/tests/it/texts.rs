//! Help, completions, man pages.

use std::process::Command;

use crate::service::{Service, has_secret};

fn output(args: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_arize-keys")).args(args).env_clear().output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// The names of all commands, from the help.
fn commands(help: &str) -> Vec<&str> {
    let list = help.split("Commands:\n").nth(1).unwrap().split("\n\n").next().unwrap();
    let lines = list.lines().filter_map(|line| line.strip_prefix("  ").filter(|line| !line.starts_with(' ')));
    lines.map(|line| line.split(' ').next().unwrap()).filter(|command| *command != "help").collect()
}

#[test]
fn every_command_has_help_with_an_example() {
    let help = output(&["--help"]);
    let commands = commands(&help);
    assert!(commands.len() >= 18 && commands.contains(&"ensure"), "{commands:?}");
    for command in commands {
        assert!(help.contains(&format!("\n  {command} ")), "{command}");
        let help = output(&[command, "--help"]);
        assert!(help.contains(&format!("\n  arize-keys {command}")) || help.contains("arize-keys create"), "{help}");
        assert!(help.contains("Example"), "{help}");
        assert!(!has_secret(&help));
    }
}

/// The same text in two places.
#[test]
fn the_exit_codes_of_the_help_are_those_of_the_page() {
    let help = output(&["--help"]);
    let codes: Vec<&str> = help
        .lines()
        .skip_while(|line| !line.starts_with("Exit codes:"))
        .skip(1)
        .filter_map(|line| line.trim().split(' ').next().filter(|word| word.parse::<u8>().is_ok()))
        .collect();
    assert_eq!(
        codes,
        ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14", "125", "126", "127"]
    );
    let page = include_str!("../../../docs/command-line.md");
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let begin = help.find("Exit codes:").unwrap();
    let codes = words(help[begin..].trim_start_matches("Exit codes:"));
    assert!(words(page).contains(&codes), "docs/command-line.md lacks: {codes}");
}

/// The variables that only this program reads are in the help of the program and in its man page.
#[test]
fn the_environment_is_in_the_help() {
    let expected = "\
Environment (docs/configuration.md has the other variables):
  ARIZE_API_KEY          the API key
  ARIZE_API_KEY_FILE     a file with the API key
  ARIZE_KEYS_SECRETS     `file-only`: refuse a command that would print a new secret
  ARIZE_KEYS_NO_WARNING  `1`: do not print the warning that the API is a pre-release
";
    let (help, page) = (output(&["--help"]), output(&["man"]));
    assert!(help.contains(expected), "{help}");
    for variable in ["ARIZE_API_KEY_FILE", "ARIZE_KEYS_SECRETS", "ARIZE_KEYS_NO_WARNING"] {
        assert!(page.contains(variable), "{page}");
    }
}

/// The node exporter must not read half of a file, and a failed audit must not replace a good one.
#[test]
fn the_example_of_the_metrics_renames_a_whole_file() {
    let expected = "\n  arize-keys audit -o openmetrics > arize.new; test -s arize.new && mv arize.new arize.prom\n";
    let help = output(&["audit", "--help"]);
    assert!(help.contains(expected), "{help}");
}

#[test]
fn completions() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = output(&["completions", shell]);
        assert!(script.contains("create-service-key"), "{shell}");
    }
    let mut bash = Command::new("bash");
    let script = format!("source <({} completions bash) && complete -p arize-keys", env!("CARGO_BIN_EXE_arize-keys"));
    let output = bash.arg("-c").arg(script).output().unwrap();
    assert!(output.status.success(), "{output:?}");
}

#[test]
fn man_pages() {
    let page = output(&["man"]);
    assert!(page.contains(".TH arize-keys 1"), "{page}");
    assert!(page.contains("could not be stored, and the new key was revoked"), "{page}");
    let service = Service::new();
    service.run(&["man", "--dir", "pages"]).succeeded();
    for command in commands(&output(&["--help"])) {
        assert!(service.read(&format!("pages/arize-keys-{command}.1")).contains("Example"), "{command}");
    }
}
