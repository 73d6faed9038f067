use super::*;

const KEY: &str = "ak-Ab9_cDe-01Zz/+=xY";

fn secrets() -> Secrets {
    let secrets = Secrets::default();
    secrets.learn(&KEY.into());
    secrets
}

#[test]
fn a_known_key_is_found_in_every_form() {
    let hex: String = KEY.bytes().map(|byte| format!("{byte:02X}")).collect();
    let percent: String = KEY.bytes().map(|byte| format!("%{byte:02x}")).collect();
    let twice = percent.replace('%', "%25");
    let escapes: String = KEY.chars().map(|c| format!("\\u{:04x}", u32::from(c))).collect();
    let rust_escapes: String = KEY.chars().map(|c| c.escape_unicode().to_string()).collect();
    let between = |c: &str| KEY.chars().map(|letter| format!("{letter}{c}")).collect::<String>();
    let mut forms = vec![
        KEY.to_owned(),
        KEY.to_lowercase(),
        KEY.to_uppercase(),
        hex.to_lowercase(),
        hex,
        percent,
        twice,
        escapes,
        rust_escapes,
        KEY.replace('/', "%2F").replace('=', "%3d"),
    ];
    for c in [
        "\u{200b}",
        "\u{200d}",
        "\u{feff}",
        "\u{ad}",
        "\0",
        "\n",
        "\u{1b}[0m",
        "\u{9b}",
        "\u{202e}",
        "\\n",
        "\\u{200b}",
        "%0a",
        "%E2%80%8B",
    ] {
        forms.push(between(c));
    }
    for around in ["", "x", "xy", "Bearer ", "user:", "a=b&key="] {
        let text = format!("{around}{KEY}{around}");
        forms.push(BASE64_STANDARD_NO_PAD.encode(&text));
        forms.push(base64::prelude::BASE64_URL_SAFE.encode(&text));
        forms
            .push(base64::prelude::BASE64_STANDARD.encode(text.to_lowercase()).replace('+', "%2B").replace('=', "%3D"));
    }
    for form in forms {
        let text = format!("before {form} after");
        assert!(secrets().are_in(&text), "{text:?}");
        let clean = secrets().message(&text);
        assert!(clean.starts_with("before ") && clean.ends_with(" after"), "{clean}");
        assert!(clean.contains(REDACTED) && !secrets().are_in(&clean), "{text:?}: {clean}");
        assert!(secrets().value(&text).contains(REDACTED));
    }
}

#[test]
fn other_text_stays() {
    for text in [
        "",
        "QXBpS2V5OjE6YWJjZA==",
        "ak-abc...xyz",
        "ak-Ab9_cDe-01Zz/+=x",
        "100 % of 5%2 %zz %",
        "C:\\users\\new\\x",
        "weak-passwords-are-not-allowed-here",
        "Zoë’s 鍵 🔑 ❤️",
        "two\nlines",
    ] {
        assert_eq!(secrets().message(text), text);
        assert_eq!(secrets().value(text), text);
    }
    // Tests have short keys.
    let secrets = Secrets::default();
    secrets.learn(&"key".into());
    assert_eq!(secrets.message("the key"), "the key");
}

#[test]
fn what_looks_like_a_key_is_not_shown_in_a_message() {
    for (text, clean) in [
        ("`ak-0123456789abcdef`", "`[redacted]`"),
        ("--api-key=AK-0123456789abcdef.", "--api-key=[redacted]."),
        ("ak-0123\u{200b}456789ab\u{202e}cdef", "[redacted]"),
        ("my-ak-0123456789abcdef", "my-[redacted]"),
        ("é ak-0123456789abcdefé", "é [redacted]é"),
    ] {
        assert_eq!(secrets().message(text), clean);
        assert_eq!(secrets().value(text), text);
    }
    assert!(is_like_a_key(" ak-0123456789abcdef\n"));
    assert!(!is_like_a_key("QWstMDEyMzQ1Njc4OWFiY2RlZg=="));
}

#[test]
fn unsafe_characters_are_escaped() {
    assert_eq!(printable("a\r\n\t\0\u{1b}[2J\u{7f}\u{85}"), r"a\r\n\t\u{0}\u{1b}[2J\u{7f}\u{85}");
    for c in
        "\u{61c}\u{200b}\u{200d}\u{200e}\u{202e}\u{2066}\u{2028}\u{feff}\u{ad}\u{180e}\u{3164}\u{e0041}\u{fff9}".chars()
    {
        assert_eq!(printable(c), format!("\\u{{{:x}}}", u32::from(c)));
        let document = json(format!("[\"{c}\"]\n"));
        assert!(document.is_ascii(), "{document}");
        assert_eq!(serde_json::from_str::<[String; 1]>(&document).unwrap(), [c.to_string()]);
    }
    assert_eq!(json("\u{7f}\u{9b}é".to_owned()), "\\u007f\\u009bé");
}
