//! The marker `[arize-keys name=value]` at the end of a description: the only state that the lifecycle keeps.

const OPEN: &str = "[arize-keys ";

/// The description without the markers at its end.
pub(super) fn strip(description: &str) -> &str {
    let mut text = description.trim_end();
    while let Some((before, _)) = split_last(text) {
        text = before.trim_end();
    }
    text
}

/// The value of the last marker, if its name is `name`. A marker counts only at the very end.
pub(super) fn value<'a>(description: &'a str, name: &str) -> Option<&'a str> {
    let (_, marker) = split_last(description.trim_end())?;
    marker.strip_prefix(name)?.strip_prefix('=')
}

/// The description without its old markers and with a new one.
pub(super) fn append(description: &str, name: &str, value: &str) -> String {
    match strip(description) {
        "" => format!("{OPEN}{name}={value}]"),
        text => format!("{text} {OPEN}{name}={value}]"),
    }
}

/// The text before the marker at the end, and the inside of that marker.
fn split_last(text: &str) -> Option<(&str, &str)> {
    let (before, marker) = text.strip_suffix(']')?.rsplit_once(OPEN)?;
    (!marker.contains(['[', ']'])).then_some((before, marker))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markers_at_the_end_count() {
        for (text, stripped, replaces) in [
            ("", "", None),
            ("for ci", "for ci", None),
            ("[arize-keys replaces=a=]", "", Some("a=")),
            ("for ci [arize-keys replaces=a]", "for ci", Some("a")),
            ("for ci [arize-keys replaces=a] \n", "for ci", Some("a")),
            ("for ci [arize-keys owner=x] [arize-keys replaces=a]", "for ci", Some("a")),
            ("for ci [arize-keys replaces=a] [arize-keys owner=x]", "for ci", None),
            ("[arize-keys replaces=a] for ci", "[arize-keys replaces=a] for ci", None),
            ("[arize-keys replaces=a", "[arize-keys replaces=a", None),
            ("[arize-keys replaces=[a]]", "[arize-keys replaces=[a]]", None),
        ] {
            assert_eq!((strip(text), value(text, "replaces")), (stripped, replaces), "{text}");
            assert_eq!(value(&append(text, "replaces", "b"), "replaces"), Some("b"));
            assert_eq!(strip(&append(text, "replaces", "b")), stripped);
        }
    }
}
