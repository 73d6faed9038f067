//! Texts in two places agree, and the sources keep the rules of the house.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn read(path: impl AsRef<Path>) -> String {
    let path = Path::new(ROOT).join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every Rust file of the library under `folder`, by its path from the root, without those that are tests.
fn sources(folder: &str) -> Vec<(String, String)> {
    let mut folders = vec![PathBuf::from(folder)];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(Path::new(ROOT).join(&folder)).unwrap() {
            let path = folder.join(entry.unwrap().file_name());
            if Path::new(ROOT).join(&path).is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "rs") && !path.ends_with("tests.rs") {
                let text = read(&path);
                let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap().to_owned();
                found.push((path.to_string_lossy().replace('\\', "/"), code));
            }
        }
    }
    assert!(found.len() > 1, "{folder} has sources");
    found
}

/// The part of a text after a heading, up to the next one of its level.
fn section<'a>(text: &'a str, heading: &str) -> &'a str {
    let (_, rest) = text.split_once(&format!("\n{heading}\n")).unwrap_or_else(|| panic!("no {heading}"));
    let level = heading.split(' ').next().unwrap();
    rest.split(&format!("\n{level} ")).next().unwrap()
}

/// The rows of the tables in a text, without their heads, cell by cell.
fn rows(text: &str) -> Vec<Vec<&str>> {
    let lines: Vec<&str> = text.lines().collect();
    let table = lines
        .iter()
        .enumerate()
        .filter(|(n, line)| line.starts_with("| ") && !lines.get(n + 1).is_some_and(|next| next.starts_with("|---")));
    table.map(|(_, line)| line.trim_matches('|').split(" | ").map(str::trim).collect()).collect()
}

/// The texts between backquotes.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

fn is_variable(word: &str) -> bool {
    let shape = word.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    shape && (word.starts_with("ARIZE_") || word == "SSL_CERT_FILE" || word.to_ascii_uppercase().ends_with("_PROXY"))
}

#[test]
fn the_changelog_has_a_place_for_this_version() {
    let changelog = read("CHANGELOG.md");
    let headings: Vec<&str> = changelog.lines().filter_map(|line| line.strip_prefix("## [")).collect();
    let versions: Vec<&str> = headings.iter().filter_map(|heading| heading.split(']').next()).collect();
    let version = env!("CARGO_PKG_VERSION");
    assert!(matches!(versions.first(), Some(first) if *first == "Unreleased" || *first == version), "{versions:?}");
    assert_eq!(versions.iter().collect::<BTreeSet<_>>().len(), versions.len(), "a version has one heading");
    // Until it is released, a version is what is written under `Unreleased`.
    assert!(versions == ["Unreleased"] || versions.contains(&version), "{versions:?} lack {version}");
}

#[test]
fn the_configuration_page_lists_the_variables_that_are_read() {
    // Both cases of these are read, and one is listed.
    let upper = |name: &str| name.to_ascii_uppercase();
    let files = sources("src/config").into_iter().chain(sources("src/ureq_transport"));
    // The variables of the TLS library and of ureq are not read by this crate.
    let code: String = files.map(|(_, code)| code).collect();
    let literals = code.lines().filter(|line| !line.trim_start().starts_with("//")).flat_map(|line| {
        let words = line.split('"').skip(1).step_by(2);
        words.filter(|word| is_variable(word)).map(upper).collect::<Vec<_>>()
    });
    let read_by_code: BTreeSet<String> = literals.collect();
    let page = read("docs/configuration.md");
    let table = rows(section(&page, "## Settings"));
    let listed: BTreeSet<String> =
        table.iter().flat_map(|row| quoted(row[1])).filter(|w| is_variable(w)).map(upper).collect();
    assert_eq!(listed, read_by_code);
    // And the setters of the table are those of the builder.
    let builder = read("src/config/builder.rs");
    let setters: BTreeSet<&str> = builder
        .split("    pub fn ")
        .skip(1)
        .filter_map(|rest| rest.split('(').next())
        .filter(|n| *n != "build")
        .collect();
    let mut told: BTreeSet<&str> = table.iter().flat_map(|row| quoted(row[0])).collect();
    for beside in ["allow_insecure_http", "ignore_env"] {
        assert!(page.contains(&format!("`{beside}`")), "{beside}");
        told.insert(beside);
    }
    let setters: BTreeSet<&str> = setters.into_iter().map(|name| name.split('<').next().unwrap()).collect();
    assert_eq!(told, setters);
}

#[test]
fn the_builder_documents_the_variables_of_the_configuration_page() {
    let builder = read("src/config/builder.rs");
    let page = read("docs/configuration.md");
    for row in rows(section(&page, "## Settings")) {
        for variable in quoted(row[1]).filter(|word| is_variable(word)) {
            // The table of the builder ends its list of proxies with dots.
            let beside = ["NO_PROXY", "HTTP_PROXY"].contains(&variable);
            assert!(builder.contains(&format!("`{variable}`")) || beside, "{variable}");
        }
    }
}

#[test]
fn the_features_are_the_same_everywhere() {
    let manifest = read("Cargo.toml");
    let features = section(&manifest, "[features]").split("\n[").next().unwrap();
    let mut default = BTreeSet::new();
    let mut declared = BTreeSet::new();
    for (name, list) in features.lines().filter_map(|line| line.split_once(" = ")) {
        match name {
            "default" => default.extend(list.split('"').skip(1).step_by(2)),
            _ => _ = declared.insert(name),
        }
    }
    let readme = read("README.md");
    let table = rows(section(&readme, "## Features"));
    let told: BTreeSet<&str> = table.iter().flat_map(|row| quoted(row[0])).collect();
    assert_eq!(told, declared, "README.md");
    let told_default = table.iter().filter(|row| row[1] == "yes").flat_map(|row| quoted(row[0])).collect();
    assert_eq!(default, told_default, "README.md");

    let library = read("src/lib.rs");
    let list = library.split("//! # Features\n").nth(1).unwrap().split("//! # ").next().unwrap();
    let entries: Vec<&str> = list.lines().filter_map(|line| line.strip_prefix("//! * ")).collect();
    let told: BTreeSet<&str> = entries.iter().filter_map(|entry| quoted(entry).next()).collect();
    assert_eq!(told, declared, "src/lib.rs");
    for entry in entries {
        let name = quoted(entry).next().unwrap();
        assert_eq!(entry.starts_with(&format!("`{name}` (default)")), default.contains(name), "{entry}");
    }
}

#[test]
fn nothing_is_left_undone_and_nothing_is_unwrapped() {
    for (path, code) in sources("src") {
        for word in ["unwrap(", "todo!", "TODO", "FIXME", "dbg!", "unimplemented!"] {
            let in_docs = |line: &str| word == "unwrap(" && line.trim_start().starts_with("//");
            let found = code.lines().find(|line| line.contains(word) && !in_docs(line));
            assert!(found.is_none(), "{path} has {word}: {found:?}");
        }
    }
}

#[test]
fn no_file_is_too_long_to_read() {
    for (path, code) in sources("src") {
        let lines =
            code.lines().map(str::trim_start).filter(|line| !line.is_empty() && !line.starts_with("//")).count();
        assert!(lines <= 450, "{path} has {lines} lines of code, more than 450");
    }
}

/// All that is public goes from thread to thread; what is no error of somebody else's is `'static`.
#[test]
fn what_the_types_can_do() {
    use arize_api_keys::*;

    fn shared<T: Send + Sync>() {}
    fn error<T: std::error::Error + Send + Sync + 'static>() {}
    fn cloned<T: Clone + std::fmt::Debug + Send + Sync + 'static>() {}

    shared::<ApiKeys>();
    shared::<Box<dyn Transport>>();
    shared::<Box<dyn Clock>>();
    cloned::<ApiKeysClient>();
    cloned::<ClientBuilder>();
    cloned::<RetryPolicy>();
    cloned::<SystemClock>();
    cloned::<SendOptions>();
    cloned::<(ListRequest, CreateRequest, CreateServiceKeyRequest, RefreshRequest, ReplacementKey)>();
    cloned::<(OrgBinding, SpaceBinding, SpaceRef)>();
    cloned::<(ApiKey, ApiKeyCreated, ApiKeyList, Pagination, FieldWarning)>();
    cloned::<(BotUser, BotUserOrganization, BotUserSpace)>();
    cloned::<(ApiKeyType, ApiKeyStatus, SpaceRole, OrgRole, AccountRole, ApiStage)>();
    cloned::<RoleAssignment<SpaceRole>>();
    cloned::<(Outcome, PaginationErrorKind, TransportErrorKind, SpaceCandidate)>();
    error::<Error>();
    error::<ApiError>();
    error::<ConfigError>();
    error::<InvalidRequest>();
    error::<SpaceNotFound>();
    error::<AmbiguousSpace>();
    error::<OrganizationNotFound>();
    error::<TransportFailure>();
    error::<DecodeError>();
    error::<SecretNotRecovered>();
    error::<PaginationError>();
    error::<RotationError<std::io::Error>>();
    error::<TransportError>();
    error::<UnknownStage>();
    #[cfg(feature = "ureq")]
    {
        cloned::<UreqTransport>();
        cloned::<UreqTransportBuilder>();
    }
    #[cfg(feature = "emulator")]
    {
        use arize_api_keys::emulator::*;
        shared::<EmulatorServer>();
        cloned::<(Emulator, EmulatorBuilder, ManualClock, AddedKey, Role)>();
        cloned::<(AccountSpec, AccountError)>();
        error::<AccountError>();
        error::<StateError>();
        error::<UnknownId>();
    }
    // An error is handed on in many a `Result`: it stays small.
    assert!(size_of::<Error>() <= 80, "{}", size_of::<Error>());
}

/// So that one mistake is not hidden by the same mistake on the other side. It has the names of stages, the clock and the
/// transport in common with the client; the rest is for `Emulator::client`.
#[test]
fn the_emulator_shares_no_code_with_the_client() {
    let shared = ["client", "clock", "config", "emulator", "stage", "transport"];
    for (path, text) in sources("src/emulator") {
        for line in text.lines().filter(|line| !line.trim_start().starts_with("//")) {
            for rest in line.split("crate::").skip(1) {
                let module: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                assert!(shared.contains(&module.as_str()), "{path}: {line}");
            }
        }
    }
}
