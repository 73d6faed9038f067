//! README.md and docs/: links lead somewhere, also in the published package, and named tests exist.

use std::fs;
use std::path::{Component, Path, PathBuf};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn read(path: impl AsRef<Path>) -> String {
    let path = Path::new(ROOT).join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// README.md, SECURITY.md and the pages of docs/, by their paths from the root.
fn pages() -> Vec<PathBuf> {
    let docs = fs::read_dir(Path::new(ROOT).join("docs")).unwrap();
    let mut pages: Vec<PathBuf> = docs.map(|entry| Path::new("docs").join(entry.unwrap().file_name())).collect();
    pages.retain(|path| path.extension().is_some_and(|end| end == "md"));
    pages.push("README.md".into());
    pages.push("SECURITY.md".into());
    assert!(pages.len() > 5, "{pages:?}");
    pages
}

/// The text without its blocks of code.
fn prose(text: &str) -> String {
    let mut is_code = false;
    let lines = text.lines().filter(|line| {
        let is_fence = line.starts_with("```");
        is_code ^= is_fence;
        !is_code && !is_fence
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// The targets of the links.
fn links(text: &str) -> Vec<String> {
    let text = prose(text);
    text.split("](").skip(1).map(|rest| rest.split(')').next().unwrap().to_owned()).collect()
}

/// The anchors that GitHub and crates.io make of the headings.
fn anchors(text: &str) -> Vec<String> {
    let text = prose(text);
    let headings = text.lines().filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#').trim());
    let anchor = |heading: &str| {
        let kept = heading.to_lowercase().replace(' ', "-");
        kept.chars().filter(|c| c.is_alphanumeric() || matches!(c, '-' | '_')).collect()
    };
    headings.map(anchor).collect()
}

/// A relative path from the folder of a page, without `..`.
fn target(page: &Path, link: &str) -> PathBuf {
    let mut path = PathBuf::new();
    for part in page.parent().unwrap().join(link).components() {
        match part {
            Component::ParentDir => assert!(path.pop(), "{link} leaves the repository"),
            part => path.push(part),
        }
    }
    path
}

/// Whether the package on crates.io has the file: the patterns of `include` are a folder, `*` in a name, or `**`.
fn is_published(path: &Path) -> bool {
    // Cargo leaves out a folder that is another package.
    let folders = path.ancestors().skip(1).filter(|folder| *folder != Path::new(""));
    if folders.into_iter().any(|folder| Path::new(ROOT).join(folder).join("Cargo.toml").exists()) {
        return false;
    }
    let manifest = read("Cargo.toml");
    let include = manifest.lines().find(|line| line.starts_with("include = ")).unwrap();
    let path = format!("/{}", path.display());
    include.split('"').skip(1).step_by(2).any(|pattern| match pattern.split_once('*') {
        None => path == pattern || path.starts_with(&format!("{pattern}/")),
        Some((start, end)) => path.starts_with(start) && path.ends_with(end.trim_start_matches(['*', '/'])),
    })
}

#[test]
fn every_link_leads_to_a_published_file_and_a_heading() {
    for page in pages() {
        let text = read(&page);
        for link in links(&text) {
            if link.starts_with("https://") {
                continue;
            }
            let (path, anchor) = link.split_once('#').map_or((link.as_str(), None), |(path, a)| (path, Some(a)));
            let path = if path.is_empty() { page.clone() } else { target(&page, path) };
            assert!(Path::new(ROOT).join(&path).is_file(), "{}: {link} is no file", page.display());
            assert!(is_published(&path), "{}: {link} is not in the published package", page.display());
            if let Some(anchor) = anchor {
                let anchors = anchors(&read(&path));
                assert!(anchors.iter().any(|a| a == anchor), "{}: {link} is not among {anchors:?}", page.display());
            }
        }
    }
}

/// The pages of the repository that the package of the SDK does not have.
#[test]
fn links_of_the_other_pages_lead_to_files() {
    for page in ["CONTRIBUTING.md", "RELEASING.md", "CHANGELOG.md", "benches/README.md"] {
        for link in links(&read(page)).iter().filter(|link| !link.starts_with("https://")) {
            let path = target(Path::new(page), link.split('#').next().unwrap());
            assert!(Path::new(ROOT).join(&path).is_file(), "{page}: {link} is no file");
        }
    }
    // The package of the program has no other page: its README links the sources of the SDK on docs.rs.
    for link in links(&read("cli/README.md")) {
        assert!(link.starts_with("https://"), "{link}");
        if let Some(path) = link.strip_prefix("https://docs.rs/crate/arize-api-keys/latest/source/") {
            assert!(is_published(Path::new(path)) && Path::new(ROOT).join(path).is_file(), "{link}");
        }
    }
}

#[test]
fn the_readme_is_short() {
    let lines = read("README.md").lines().count();
    assert!(lines <= 250, "{lines}");
}

/// The pages that promise nothing themselves: they link the promises, or are a table of tests that another test reads.
const WITHOUT_PROMISES: [&str; 3] = ["README.md", "SECURITY.md", "docs/fault-matrix.md"];

/// Each promise names the tests that prove it: a file, a colon, and functions of that file; or a script of the gate.
#[test]
fn the_tests_that_prove_the_promises_exist() {
    let mut count = 0;
    for page in pages() {
        let mut is_table = false;
        let mut has_table = false;
        for line in read(&page).lines() {
            is_table = line.starts_with("| promise | tests |") || is_table && line.starts_with('|');
            has_table |= is_table;
            if !is_table || line.starts_with("| promise") || line.starts_with("|--") {
                continue;
            }
            let (_, tests) = line.trim_end_matches(" |").rsplit_once(" | ").unwrap();
            let mut file = None;
            for word in tests.split('`').skip(1).step_by(2) {
                if word.ends_with(".rs") || word.starts_with(".ci/") {
                    file = Some(read(word));
                } else {
                    let is_there = file.as_ref().is_some_and(|file| file.contains(&format!("fn {word}(")));
                    assert!(is_there, "{}: {line}\nhas no test `{word}`", page.display());
                    count += 1;
                }
            }
            assert!(file.is_some(), "{}: no test proves: {line}", page.display());
        }
        let is_exempt = WITHOUT_PROMISES.iter().any(|exempt| page == Path::new(exempt));
        assert_ne!(has_table, is_exempt, "{}", page.display());
    }
    assert!(count > 200, "{count}");
}

/// The files and processes of the fault matrix: rows of `cli/tests/it`, as `file::test`. The harness of `tests/it/matrix` reads the
/// other rows.
#[test]
fn the_tests_of_the_programs_faults_exist() {
    let text = read("docs/fault-matrix.md");
    let rows: Vec<&str> = text.lines().filter(|line| line.starts_with("| F")).collect();
    for row in &rows {
        let mut tests = row.split('`').skip(1).step_by(2).filter_map(|word| word.split_once("::")).peekable();
        assert!(tests.peek().is_some(), "no test proves: {row}");
        for (file, test) in tests {
            assert!(read(format!("cli/tests/it/{file}.rs")).contains(&format!("fn {test}(")), "{row}");
        }
    }
    assert!(rows.len() > 10, "{rows:?}");
}

#[test]
fn every_page_with_rust_code_is_compiled() {
    let library = read("src/lib.rs");
    for page in pages() {
        let has_code = read(&page).contains("```rust");
        let is_compiled = library.contains(&format!("include_str!(\"../{}\")", page.display()));
        assert!(!has_code || is_compiled, "src/lib.rs does not include {}", page.display());
    }
}
