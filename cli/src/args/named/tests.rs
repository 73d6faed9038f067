//! The description of one command accepts the same arguments as the description of all commands, and reads the same from them.

use std::cell::Cell;

use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::TestRunner;

use super::*;

fn args(words: &[String]) -> Vec<OsString> {
    ["arize-keys"].into_iter().chain(words.iter().map(String::as_str)).map(OsString::from).collect()
}

fn read_by(command: clap::Command, args: &[OsString]) -> Option<String> {
    let mut command = command;
    read(args, &mut command).ok().map(|cli| format!("{cli:?}"))
}

/// Checks one command line. Returns whether it is right, and its command the first word that is the name of one.
fn check(words: &[String]) -> Result<bool, TestCaseError> {
    let args = args(words);
    let matches = Cli::command().try_get_matches_from(&args).ok();
    let first = words.iter().find(|word| COMMANDS.iter().any(|(name, _)| name == word));
    let is_named = matches.is_some_and(|matches| matches.subcommand_name() == first.map(String::as_str));
    let expected = read_by(Cli::command(), &args).filter(|_| is_named);
    let found = command(&args).and_then(|command| read_by(command, &args));
    prop_assert_eq!(&found, &expected);
    Ok(found.is_some())
}

/// A command, and its options: each with a value that it accepts, if it takes one.
type Words = (String, Vec<(String, Option<String>)>);

/// Every command with its options and the global ones.
fn vocabulary() -> Vec<Words> {
    let mut program = Cli::command();
    program.build();
    let commands = program.get_subcommands().filter(|command| command.get_name() != "help");
    commands
        .map(|command| (command.get_name().to_owned(), command.get_arguments().filter_map(option).collect()))
        .collect()
}

fn option(arg: &clap::Arg) -> Option<(String, Option<String>)> {
    let long = format!("--{}", arg.get_long()?);
    let value = || match arg.get_value_names().and_then(|names| names.first()).map_or("", |name| name.as_str()) {
        "DURATION" => "1h".to_owned(),
        "TIME" => "2027-01-01".to_owned(),
        "IP" => "127.0.0.1".to_owned(),
        "N" | "PORT" | "SINGLE_PORT" => "7".to_owned(),
        "SHARE" => "0.5".to_owned(),
        "FAULT" => "503".to_owned(),
        "ORG/SPACE[=ROLE]" => "acme/prod".to_owned(),
        "ROLE" => "member".to_owned(),
        _ => arg.get_possible_values().first().map_or("x", |value| value.get_name()).to_owned(),
    };
    Some((long, arg.get_action().takes_values().then(value)))
}

/// A command, a few of its options, what else it needs, and a few words that need not be right.
fn line() -> impl Strategy<Value = Vec<String>> {
    let words = vec![
        "x",
        "bash",
        "",
        "-",
        "--",
        "-1",
        "--x",
        "-q",
        "-v",
        "-qv",
        "-o",
        "-ojson",
        "-o=csv",
        "-y",
        "-h",
        "-V",
        "--help",
        "--quiet=x",
        "--stag",
        "help",
        "list",
        "audit",
        "run",
        "emulator",
    ];
    let word = select(words).prop_map(str::to_owned);
    select(vocabulary()).prop_flat_map(move |(name, options)| {
        let option =
            (select(options), 0..12, word.clone()).prop_map(|((long, value), form, word)| match (value, form) {
                (None, _) | (Some(_), 0) => vec![long],
                (Some(_), 1) => vec![long, word],
                (Some(value), 2) => vec![long.strip_suffix(char::is_alphanumeric).unwrap_or(&long).to_owned(), value],
                (Some(value), 3..6) => vec![format!("{long}={value}")],
                (Some(value), _) => vec![long, value],
            });
        let rest = match name.as_str() {
            "get" | "create" | "create-service-key" | "refresh" | "delete" | "revoke" | "rotate" | "ensure" => "x",
            "completions" => "bash",
            "run" => "-- audit --quiet",
            _ => "",
        };
        let rest: Vec<String> = rest.split_whitespace().map(str::to_owned).collect();
        let piece = prop_oneof![5 => option, 1 => word.clone().prop_map(|word| vec![word])];
        (prop::collection::vec(piece, 0..5), any::<Index>()).prop_map(move |(mut pieces, at)| {
            pieces.insert(at.index(pieces.len() + 1), vec![name.clone()]);
            pieces.push(rest.clone());
            pieces.concat()
        })
    })
}

#[test]
fn every_command_is_there() {
    let names: Vec<String> = vocabulary().into_iter().map(|(name, _)| name).collect();
    assert_eq!(COMMANDS.map(|(name, _)| name).as_slice(), names);
}

#[test]
fn known_lines() {
    let lines = [
        ("audit -q -o json", true),
        ("-ojson -q audit --stage alpha", true),
        ("--url http://127.0.0.1:1 list --url http://127.0.0.1:2", true),
        ("list --profile audit", true),
        ("run --ttl 1h -- list --help", true),
        ("emulator --port 7 --stage alpha", true),
        ("audit --older-than --help", false),
        // The command is the second name of one.
        ("--profile audit list", false),
        ("--profile audit", false),
        ("help list", false),
        ("list --help", false),
        ("-h list", false),
        ("--version list", false),
        ("-- list", false),
        ("list audit", false),
        ("", false),
    ];
    for (line, is_accepted) in lines {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        assert_eq!(check(&words).unwrap(), is_accepted, "{line}");
    }
}

#[test]
fn random_lines() {
    let config = ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() };
    let accepted = Cell::new(0);
    let checked = TestRunner::new(config).run(&line(), |words| {
        accepted.set(accepted.get() + u32::from(check(&words)?));
        Ok(())
    });
    checked.unwrap();
    assert!(accepted.get() > 100, "only {} lines are right", accepted.get());
}
