//! The API key in the texts that people put it in: alone, in quotes, after a byte order mark, as `NAME=value`.

pub(super) const KEY_VARIABLE: &str = "ARIZE_API_KEY";

/// Far longer than any key, and far shorter than what servers take in one header.
const KEY_LIMIT: usize = 4096;

/// The key of a setting, or the problem. The problem repeats nothing of the text.
pub(super) fn in_setting(text: &str) -> Result<&str, &'static str> {
    let text = text.trim_start_matches('\u{feff}').trim();
    let key = match assignment(text) {
        Some((_, value)) => value,
        None => text,
    };
    let key = without_quotes(key);
    match fault(key) {
        Some(problem) => Err(problem),
        None => Ok(key),
    }
}

/// The key of a file, or the problem. A file may have comments, and other variables beside `ARIZE_API_KEY`.
pub(super) fn in_file(content: &[u8]) -> Result<String, String> {
    let text = decode(content).ok_or("which is not text in UTF-8")?;
    let text = text.trim_start_matches('\u{feff}');
    let lines: Vec<&str> =
        text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
    let of_line = |line: &str| in_setting(line).map(str::to_owned).map_err(|problem| format!("whose key {problem}"));
    let mut own: Vec<&str> =
        lines.iter().copied().filter(|line| assignment(line).is_some_and(|(name, _)| name == KEY_VARIABLE)).collect();
    own.dedup_by_key(|line| in_setting(line));
    match (own.as_slice(), lines.as_slice()) {
        (_, []) => Err("which is empty".to_owned()),
        (_, [first, ..]) if first.starts_with('{') => Err("which is JSON: the key must be alone".to_owned()),
        ([line], _) | ([], [line]) => of_line(line),
        ([_, ..], _) => Err(format!("which sets {KEY_VARIABLE} to {} different values", own.len())),
        ([], lines) if lines.iter().all(|line| assignment(line).is_some()) => {
            Err(format!("which sets {} variables, and {KEY_VARIABLE} is not one of them", lines.len()))
        }
        ([], lines) => Err(format!("which has {} lines: the key must be alone", lines.len())),
    }
}

/// UTF-8, or UTF-16 with a byte order mark, as the redirections of PowerShell write it.
fn decode(content: &[u8]) -> Option<String> {
    let utf16 = |unit: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = content.chunks_exact(2).filter_map(|pair| pair.try_into().ok().map(unit)).collect();
        String::from_utf16(&units).ok()
    };
    match content {
        [0xff, 0xfe, ..] => utf16(u16::from_le_bytes),
        [0xfe, 0xff, ..] => utf16(u16::from_be_bytes),
        _ => str::from_utf8(content).ok().map(str::to_owned),
    }
}

/// The name and the value of a line `[export] NAME=value`. A key with `=` at its end is no such line.
fn assignment(line: &str) -> Option<(&str, &str)> {
    let line = line.strip_prefix("export ").unwrap_or(line).trim_start();
    let (name, value) = line.split_once('=')?;
    let (name, value) = (name.trim_end(), value.trim());
    let is_name = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        && name.bytes().next().is_some_and(|b| !b.is_ascii_digit());
    let is_setting = name == KEY_VARIABLE || !value.trim_matches('=').is_empty();
    (is_name && is_setting).then(|| (name, without_comment(value)))
}

/// A value without the comment behind it.
fn without_comment(value: &str) -> &str {
    let quote = value.chars().next().filter(|first| matches!(first, '"' | '\''));
    let end = match quote {
        // After the closing quote only a comment may follow.
        Some(quote) => {
            let closing = value.char_indices().skip(1).find(|(_, c)| *c == quote).map(|(at, _)| at + 1);
            closing.filter(|at| value.get(*at..).is_some_and(|rest| rest.trim_start().starts_with('#')))
        }
        None => value.find(" #").or(value.find("\t#")),
    };
    end.and_then(|end| value.get(..end)).unwrap_or(value).trim_end()
}

fn without_quotes(text: &str) -> &str {
    let inner = |quote| text.strip_prefix(quote).and_then(|rest: &str| rest.strip_suffix(quote));
    inner('"').or_else(|| inner('\'')).unwrap_or(text).trim()
}

fn fault(key: &str) -> Option<&'static str> {
    if key.is_empty() {
        return Some("is blank");
    }
    if key.len() > KEY_LIMIT {
        return Some("has more than 4096 bytes");
    }
    let scheme = key.split_ascii_whitespace().next().unwrap_or_default();
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some("begins with `Bearer`: give the key alone");
    }
    if !key.bytes().all(|b| b.is_ascii_graphic()) {
        return Some("holds blanks, control characters or characters that are not ASCII");
    }
    if key.contains(['"', '\'']) {
        return Some("has a quotation mark at one end or inside");
    }
    if key.contains("...") {
        return Some("is the redacted form of a key, which the service does not accept");
    }
    if key.starts_with(['$', '<']) {
        return Some("is a placeholder that was not replaced");
    }
    if matches!(key, "null" | "None" | "undefined") {
        return Some("is the word that programs print for a missing value");
    }
    if key.ends_with([',', ';']) || key.ends_with("\\n") {
        return Some("ends with a comma, a semicolon or `\\n`");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "ak-Ab9_cDe-01Zz";

    #[test]
    fn near_misses_that_leave_no_doubt() {
        for text in [
            KEY.to_owned(),
            format!(" {KEY}\r\n"),
            format!("\u{feff}{KEY}\n"),
            format!("\"{KEY}\""),
            format!("' {KEY} '\n"),
            format!("ARIZE_API_KEY={KEY}"),
            format!("export ARIZE_API_KEY = \"{KEY}\"  # \"mine\""),
            format!("MY_KEY='{KEY}'"),
            format!("MY_KEY={KEY} # mine"),
        ] {
            assert_eq!(in_setting(&text), Ok(KEY), "{text:?}");
            assert_eq!(in_file(text.as_bytes()).as_deref(), Ok(KEY), "{text:?}");
            let utf16: Vec<u8> = format!("\u{feff}{text}").encode_utf16().flat_map(u16::to_be_bytes).collect();
            assert_eq!(in_file(&utf16).as_deref(), Ok(KEY), "{text:?}");
        }
        for text in [
            format!("# a comment\n\n{KEY}\n"),
            format!("A=1\nARIZE_API_KEY={KEY}\nB=2\n"),
            format!("ARIZE_API_KEY={KEY}\nexport ARIZE_API_KEY='{KEY}'\n"),
            format!("A=\"two\nlines\"\nARIZE_API_KEY={KEY}"),
        ] {
            assert_eq!(in_file(text.as_bytes()).as_deref(), Ok(KEY), "{text:?}");
        }
        for key in ["abc==", "abc=", "a/b+c=", "="] {
            assert_eq!(in_setting(key), Ok(key));
        }
    }

    #[test]
    fn defects() {
        for (content, problem) in [
            ("", "which is empty"),
            ("\u{feff}\n # \n", "which is empty"),
            ("''", "whose key is blank"),
            ("{\"key\": \"ak-x\"}", "which is JSON: the key must be alone"),
            ("A=1\nB=2", "which sets 2 variables, and ARIZE_API_KEY is not one of them"),
            ("ARIZE_API_KEY=a\nARIZE_API_KEY=b", "which sets ARIZE_API_KEY to 2 different values"),
            ("ak-one\nak-two", "which has 2 lines: the key must be alone"),
            ("\"ak-one", "whose key has a quotation mark at one end or inside"),
            (
                "ARIZE_API_KEY='ak-one' ak-two",
                "whose key holds blanks, control characters or characters that are not ASCII",
            ),
            ("“ak-one”", "whose key holds blanks, control characters or characters that are not ASCII"),
            ("ak-\u{200b}one", "whose key holds blanks, control characters or characters that are not ASCII"),
            ("Bearer ak-one", "whose key begins with `Bearer`: give the key alone"),
            ("ARIZE_API_KEY=", "whose key is blank"),
            ("A=1\nexport ARIZE_API_KEY=''\n", "whose key is blank"),
            ("ak-abc...xyz", "whose key is the redacted form of a key, which the service does not accept"),
            ("ARIZE_API_KEY=${KEY}", "whose key is a placeholder that was not replaced"),
            ("$ARIZE_API_KEY", "whose key is a placeholder that was not replaced"),
            ("<your-key>", "whose key is a placeholder that was not replaced"),
            ("null\n", "whose key is the word that programs print for a missing value"),
            ("ak-one,", "whose key ends with a comma, a semicolon or `\\n`"),
            ("\"ak-one\\n\"", "whose key ends with a comma, a semicolon or `\\n`"),
        ] {
            assert_eq!(in_file(content.as_bytes()), Err(problem.to_owned()), "{content:?}");
        }
        assert_eq!(in_file(b"ak-\xff"), Err("which is not text in UTF-8".to_owned()));
    }
}
