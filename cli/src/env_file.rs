//! Setting one variable in a file of `NAME=value` lines, and leaving everything else in it as it is.

/// The file with `name` set to `value`: every line that sets it is replaced, or one is added at the end. An `export`
/// before it and the kind of line ending stay. `None` if the value cannot stand in such a file.
pub(crate) fn set(file: &[u8], name: &str, value: &str) -> Option<Vec<u8>> {
    let value = quoted(value)?;
    let mut edited = Vec::with_capacity(file.len() + name.len() + value.len() + 2);
    let mut found = false;
    for line in file.split_inclusive(|byte| *byte == b'\n') {
        match before_value(line, name) {
            Some(before) => {
                edited.extend_from_slice(before);
                edited.extend_from_slice(value.as_bytes());
                edited.extend_from_slice(ending(line));
                found = true;
            }
            None => edited.extend_from_slice(line),
        }
    }
    if !found {
        let newline: &[u8] = if file.ends_with(b"\r\n") { b"\r\n" } else { b"\n" };
        if !edited.is_empty() && !edited.ends_with(b"\n") {
            edited.extend_from_slice(newline);
        }
        for part in [name.as_bytes(), b"=", value.as_bytes(), newline] {
            edited.extend_from_slice(part);
        }
    }
    Some(edited)
}

/// The part of a line up to the `=`, if it sets `name`.
fn before_value<'a>(line: &'a [u8], name: &str) -> Option<&'a [u8]> {
    let text = line.trim_ascii_start();
    let text = match text.strip_prefix(b"export") {
        Some(rest) if rest.first().is_some_and(|byte| matches!(byte, b' ' | b'\t')) => rest.trim_ascii_start(),
        _ => text,
    };
    let rest = text.strip_prefix(name.as_bytes())?.strip_prefix(b"=")?;
    line.get(..line.len() - rest.len())
}

fn ending(line: &[u8]) -> &[u8] {
    if line.ends_with(b"\r\n") {
        b"\r\n"
    } else if line.ends_with(b"\n") {
        b"\n"
    } else {
        b""
    }
}

/// As shells and the usual readers of such files understand it.
fn quoted(value: &str) -> Option<String> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./+=:@%,".contains(&byte);
    if value.chars().any(char::is_control) {
        None
    } else if !value.is_empty() && value.bytes().all(plain) {
        Some(value.to_owned())
    } else if !value.contains('\'') {
        Some(format!("'{value}'"))
    } else if !value.contains(['"', '$', '`', '\\']) {
        Some(format!("\"{value}\""))
    } else {
        None
    }
}

/// Whether shells take it for the name of a variable.
pub(crate) fn name(text: &str) -> Result<String, String> {
    let mut bytes = text.bytes();
    let begins = bytes.next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_');
    if begins && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        Ok(text.to_owned())
    } else {
        Err("a name of a variable has letters, digits and `_`, and does not begin with a digit".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(before: &str, after: &str) {
        let edited = set(before.as_bytes(), "ARIZE_API_KEY", "ak-new").unwrap();
        assert_eq!(String::from_utf8(edited).unwrap(), after);
    }

    #[test]
    fn the_rest_of_the_file_stays() {
        check("", "ARIZE_API_KEY=ak-new\n");
        check("A=1", "A=1\nARIZE_API_KEY=ak-new\n");
        check("A=1\r\n", "A=1\r\nARIZE_API_KEY=ak-new\r\n");
        check("# keys\n\nARIZE_API_KEY=ak-old\nB='x y'\n", "# keys\n\nARIZE_API_KEY=ak-new\nB='x y'\n");
        check("  export  ARIZE_API_KEY=\"ak-old\"\r\nB=2", "  export  ARIZE_API_KEY=ak-new\r\nB=2");
        check("ARIZE_API_KEY=a\nARIZE_API_KEY=b", "ARIZE_API_KEY=ak-new\nARIZE_API_KEY=ak-new");
        let others = "#ARIZE_API_KEY=a\nARIZE_API_KEY_OLD=b\nexported ARIZE_API_KEY=c\nMY_ARIZE_API_KEY=d\n";
        check(others, &format!("{others}ARIZE_API_KEY=ak-new\n"));
    }

    #[test]
    fn bytes_that_are_no_text_stay() {
        assert_eq!(set(b"A=\xff\nK=old\n", "K", "new").unwrap(), b"A=\xff\nK=new\n");
    }

    #[test]
    fn values() {
        assert_eq!(quoted("ak-aZ_9=").unwrap(), "ak-aZ_9=");
        assert_eq!(quoted("a b").unwrap(), "'a b'");
        assert_eq!(quoted("").unwrap(), "''");
        assert_eq!(quoted("it's").unwrap(), "\"it's\"");
        assert_eq!(quoted("'$x"), None);
        assert_eq!(quoted("a\nb"), None);
    }

    #[test]
    fn names() {
        assert!(name("ARIZE_API_KEY").is_ok());
        for wrong in ["", "1A", "A-B", "A=B", "Ä"] {
            assert!(name(wrong).is_err(), "{wrong}");
        }
    }
}
