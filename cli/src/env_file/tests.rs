#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail by panicking")]

use std::fs;
use std::path::Path;
use std::process::Command;

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use tempfile::TempDir;

use super::*;

const NAME: &str = "ARIZE_API_KEY";

#[track_caller]
fn check(before: &str, after: &str) {
    let edited = set(before.as_bytes(), NAME, "ak-new").unwrap();
    assert_eq!(String::from_utf8(edited).unwrap(), after);
}

#[track_caller]
fn refused(before: &[u8], problem: &str) {
    assert_eq!(set(before, NAME, "ak-new").unwrap_err().to_string(), problem, "{before:?}");
}

#[test]
fn the_rest_of_the_file_stays() {
    check("", "ARIZE_API_KEY=ak-new\n");
    check("A=1", "A=1\nARIZE_API_KEY=ak-new\n");
    check("A=1\r\n", "A=1\r\nARIZE_API_KEY=ak-new\r\n");
    check("A=1\r\nB=2", "A=1\r\nB=2\r\nARIZE_API_KEY=ak-new\r\n");
    check("# keys\n\nARIZE_API_KEY=ak-old\nB='x y'\n", "# keys\n\nARIZE_API_KEY=ak-new\nB='x y'\n");
    check("  export  ARIZE_API_KEY=\"ak-old\"\r\nB=2", "export ARIZE_API_KEY=ak-new\r\nB=2");
    let others =
        "#ARIZE_API_KEY=a\nARIZE_API_KEY_OLD=b\nexported ARIZE_API_KEY\nMY_ARIZE_API_KEY=d\nARIZE_API_KEY.x=e\n";
    check(others, &format!("{others}ARIZE_API_KEY=ak-new\n"));
    check(
        "A='x\nARIZE_API_KEY=inside\n' # end\nB=2\n",
        "A='x\nARIZE_API_KEY=inside\n' # end\nB=2\nARIZE_API_KEY=ak-new\n",
    );
    check("A=x y\nB=${ARIZE_API_KEY}\n", "A=x y\nB=${ARIZE_API_KEY}\nARIZE_API_KEY=ak-new\n");
}

#[test]
fn every_way_to_set_it_is_found() {
    for before in [
        "ARIZE_API_KEY = ak-old\n",
        "ARIZE_API_KEY =ak-old\n",
        "ARIZE_API_KEY= ak-old\n",
        "ARIZE_API_KEY\t=\t'ak-old'\n",
        "\u{feff}ARIZE_API_KEY=ak-old\n",
        "ARIZE_API_KEY=\n",
        "ARIZE_API_KEY\n",
        "'ARIZE_API_KEY'=old\n",
        "ARIZE_API_KEY=\"first\nsecond\nARIZE_API_KEY=third\"\n",
        "ARIZE_API_KEY='first\n\nsecond'\n",
        "ARIZE_API_KEY=two words\n",
        "ARIZE_API_KEY=a#b\n",
    ] {
        check(before, "ARIZE_API_KEY=ak-new\n");
    }
    check("export\tARIZE_API_KEY=old\n", "export ARIZE_API_KEY=ak-new\n");
    check("\tARIZE_API_KEY=old\n", "ARIZE_API_KEY=ak-new\n");
}

#[test]
fn duplicates_become_one() {
    check("ARIZE_API_KEY=a\nB=1\nARIZE_API_KEY=b", "ARIZE_API_KEY=ak-new\nB=1\n");
    check("ARIZE_API_KEY=a\nB=1\nexport ARIZE_API_KEY\n", "export ARIZE_API_KEY=ak-new\nB=1\n");
    check("ARIZE_API_KEY=a # 1\nARIZE_API_KEY = 'b' # 2\n", "# 1\nARIZE_API_KEY=ak-new\n# 2\n");
}

#[test]
fn a_comment_moves_above() {
    check("A=1\nARIZE_API_KEY=old # ours\n", "A=1\n# ours\nARIZE_API_KEY=ak-new\n");
    check("  ARIZE_API_KEY='a # b' \t# it's\r\n", "# it's\r\nARIZE_API_KEY=ak-new\r\n");
    check("ARIZE_API_KEY=\"a\nb\"#c", "#c\nARIZE_API_KEY=ak-new");
    check("ARIZE_API_KEY= # none", "# none\nARIZE_API_KEY=ak-new");
}

#[test]
fn what_readers_take_differently_is_refused() {
    let unclear = |line| {
        format!(
            "line {line} may set ARIZE_API_KEY, or may not, by who reads it: write `ARIZE_API_KEY=…` alone on that line, or remove the line"
        )
    };
    for (before, line) in [
        ("A=it's\nARIZE_API_KEY=old\nB=it's\n", 2),
        ("A=1; ARIZE_API_KEY=old\n", 1),
        ("export A=1 ARIZE_API_KEY=old\n", 1),
        ("A=1\ndeclare -x ARIZE_API_KEY=old\n", 2),
        ("set ARIZE_API_KEY=old\n", 1),
        ("unset ARIZE_API_KEY\n", 1),
        ("export B ARIZE_API_KEY\n", 1),
        ("ARIZE_API_KEY+=old\n", 1),
        ("ARIZE_API_KEY: old\n", 1),
        ("{\n  \"ARIZE_API_KEY\": \"old\"\n}\n", 2),
        ("ARIZE_API_KEY=old; B=2\n", 1),
        ("ARIZE_API_KEY=old B=2\n", 1),
        ("ARIZE_API_KEY='old' && B=2\n", 1),
        ("ARIZE_API_KEY=\"a\\\"b\nARIZE_API_KEY=c\"\n", 1),
        ("A=1 \\\nARIZE_API_KEY=old\n", 2),
        ("A=`x\nARIZE_API_KEY=old\n`\n", 2),
        ("A=$(echo\nARIZE_API_KEY=old\n)\n", 2),
        ("A=x${X:-\nARIZE_API_KEY=old\n}\n", 2),
    ] {
        refused(before.as_bytes(), &unclear(line));
    }
    let lost = "`ARIZE_API_KEY=ak-new` would not be read back from it: look for a quote or a `$(` that is not closed";
    for before in ["A='open\n", "A=1\nB=\"x\n", "A=1 \\\n", "A=it's\n", "A=`x\n", "A=$(x\n", "A=${x\n"] {
        refused(before.as_bytes(), lost);
    }
    refused(b"B=1\nA=\xff\nK=old\n", "line 2 is not UTF-8 text");
    refused(b"\xff\xfeA\x00=\x001\x00", "line 1 is not UTF-8 text");
    refused(b"A\x00=\x001\x00\n", "line 1 has a control character that readers take differently");
    refused(b"A=1\rARIZE_API_KEY=2\n", "line 1 has a control character that readers take differently");
}

#[test]
fn only_plain_values_are_written() {
    for value in ["ak-aZ_9=", "a/b+c:d@e%f,g.h"] {
        assert_eq!(set(b"", "K", value).unwrap(), format!("K={value}\n").into_bytes());
    }
    for value in ["", "a b", "it's", "$x", "a\nb", "a#b", "ä", "a\\b", "a`b", "a;b", "a\u{200b}b", "~"] {
        assert!(set(b"", "K", value).is_err(), "{value:?}");
    }
}

#[test]
fn names() {
    assert!(name("ARIZE_API_KEY").is_ok());
    for wrong in ["", "1A", "A-B", "A=B", "Ä"] {
        assert!(name(wrong).is_err(), "{wrong}");
    }
}

/// Files of pieces that readers take differently: most are wrong in one way or another.
fn file() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "K",
        "K=",
        "K =",
        "export ",
        "export K=",
        "A",
        "A=",
        "B = ",
        "'K'=",
        "K: ",
        "K+=",
        "'",
        "\"",
        "`x`",
        "`x\nK=old\n`",
        "'x\ny'",
        "\"x\ny\"",
        "'it\\'s'",
        "\"\\\"\"",
        " # c",
        "#c",
        "# it's",
        "\\",
        "\\\n",
        "\t",
        " ",
        " ",
        "x && A=1",
        "x",
        "old",
        "$K",
        "${A}",
        "ä",
        "\r\n",
        "\n",
        "\n",
        "\n",
        "\n",
        "\nK=old\n",
        "\nexport K=old # c\n",
        "\nA=1\n",
        "\nK='a\nb'\n",
    ]);
    let mark = prop::sample::select(vec!["", "\u{feff}"]);
    (mark, prop::collection::vec(piece, 0..24)).prop_map(|(mark, pieces)| format!("{mark}{}", pieces.concat()))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    /// A file is refused, or it has the variable once, and what does not set it stays.
    #[test]
    fn random_files(file in file()) {
        if let Ok(edited) = set(file.as_bytes(), "K", "new") {
            prop_assert!(holds(&edited, "K", "new"));
            let edited = String::from_utf8(edited).unwrap();
            prop_assert_eq!(edited.lines().filter(|line| line.trim_start().trim_start_matches("export ") == "K=new").count(), 1);
            // Doing it again changes nothing.
            prop_assert_eq!(set(edited.as_bytes(), "K", "new").unwrap(), edited.as_bytes());
            let mut rest = file.lines();
            for line in edited.lines().filter(|line| !line.contains("K=new") && !line.trim_start().starts_with('#')) {
                prop_assert!(rest.any(|old| old == line || old.trim_start_matches('\u{feff}') == line), "{:?} in {:?}", line, edited);
            }
            if let Some(before) = file.trim_start_matches('\u{feff}').strip_suffix('\n').filter(|file| !file.contains('K')) {
                prop_assert!(edited.strip_prefix(before).is_some_and(|added| added.trim() == "K=new"), "{:?}", edited);
            }
        }
    }
}

/// Runs a reader over the files `0`, `1`, … of a directory. Returns its output: a value per line. `None` if it is not installed.
fn read_by(program: &str, args: &[&str], directory: &Path) -> Option<Vec<String>> {
    let output = Command::new(program).args(args).current_dir(directory).output().ok()?;
    let values = String::from_utf8(output.stdout).unwrap();
    output.status.success().then(|| values.lines().map(str::to_owned).collect())
}

const BASH: &str = "value() { ( K=none; . ./$1; echo \"value=${K%$'\\r'}\" ) 2>/dev/null </dev/null | sed -n 's/^value=//p'; }; \
    for ((n = 0; n < $0; n++)); do \
    after=$(value $n); [ -n \"$after\" ] || [ -n \"$(value $n.before)\" ] || after=new; echo \"$after\"; done";
/// Before version 22, node takes a line without `=`, an indented comment or blanks for a part of the next name; such files are left out.
const NODE: &str = "const fs = require('fs'), old = parseInt(process.versions.node) < 22; \
    for (let n = 0; n < process.argv[1]; n++) { const text = fs.readFileSync(String(n), 'utf8'); \
    console.log(old && /^[ \\t]+(#|\\r?$)|^[ \\t]*[^#=\\s][^=\\n]*$/m.test(text) ? 'new' : require('util').parseEnv(text).K) }";
const PYTHON: &str = "import sys, logging, dotenv\nlogging.disable()\n\
    for n in range(int(sys.argv[1])): print(repr(dotenv.dotenv_values(str(n), interpolate=False).get('K'))[1:-1])";

/// The real readers find the value in the edited files. A file that bash cannot read at all was so before.
#[test]
fn real_readers_find_it() {
    let directory = TempDir::new().unwrap();
    let mut random = proptest::test_runner::TestRunner::deterministic();
    let mut files = Vec::new();
    while files.len() < 200 {
        let before = file().new_tree(&mut random).unwrap().current();
        if let Ok(edited) = set(before.as_bytes(), "K", "new") {
            fs::write(directory.path().join(files.len().to_string()), &edited).unwrap();
            fs::write(directory.path().join(format!("{}.before", files.len())), &before).unwrap();
            files.push((before, String::from_utf8(edited).unwrap()));
        }
    }
    let count = files.len().to_string();
    for (program, args) in [("bash", ["-c", BASH]), ("node", ["-e", NODE]), ("python3", ["-c", PYTHON])] {
        let Some(values) = read_by(program, &[&args[..], &[&count]].concat(), directory.path()) else {
            println!("{program}: not installed, or without what it takes to read a file");
            continue;
        };
        assert_eq!(values.len(), files.len(), "{program}");
        for (value, (before, edited)) in values.iter().zip(&files) {
            assert_eq!(value, "new", "{program}: {before:?} -> {edited:?}");
        }
    }
}
