//! The messages of SDK errors, in the terms of this program: its options in place of setters and fields.

use std::error::Error as _;

use arize_api_keys::Error;

/// The options and arguments for setters of the client, and for fields of requests.
const OPTIONS: [(&str, &str); 39] = [
    ("account_role", "--account-role"),
    ("allow_insecure_http", "--allow-insecure-http"),
    ("api_key", "the API key"),
    ("api_key_file", "--api-key-file"),
    ("owner", "--owner"),
    ("base_domain", "--base-domain"),
    ("ca_file", "--ca-file"),
    ("concurrency", "the number of simultaneous requests"),
    ("cursor", "--cursor"),
    ("description", "--description"),
    ("expires_in", "--expires-in"),
    ("expires_at", "the time of --expires-in or --expires-at"),
    ("grace_period", "--grace"),
    ("host", "--host"),
    ("id", "ID"),
    ("limit", "--limit"),
    ("name", "NAME"),
    ("no_proxy", "--no-proxy"),
    ("old_id", "ID"),
    ("org_id", "--org"),
    ("org_role", "--org-role"),
    ("organization", "--org"),
    ("organizations", "the list of --grant or --assignments"),
    ("port", "--port"),
    ("region", "--region"),
    ("roots", "--roots"),
    ("scheme", "--scheme"),
    ("single_host", "--single-host"),
    ("single_port", "--single-port"),
    ("space", "--space"),
    ("space_role", "--space-role"),
    ("stage", "--stage"),
    ("timeout", "--timeout"),
    ("tls", "--tls"),
    ("lifetime", "--lifetime"),
    ("renew_before", "--renew-before"),
    ("url", "--url"),
    ("user_id", "--user"),
    ("user_keys_of", "--user"),
];

/// Whole phrases with names of the SDK. They are long enough not to occur in a name that a user chose.
const PHRASES: [(&str, &str); 15] = [
    ("call again, a repeated call does no harm", "revoke it again, which does no harm"),
    ("is missing: set it, or the variable ARIZE_API_KEY", "is missing"),
    ("or call `allow_insecure_http()`", "or pass --allow-insecure-http"),
    ("use `CreateServiceKeyRequest::new`, or the beta stage", "use --space, or the beta stage"),
    ("must be passed to `OrgBinding::new` instead", "must be part of each --grant or of the file of --assignments"),
    ("must be passed to `OrgBinding::role` instead", "must be part of the file of --assignments"),
    ("must be passed to `SpaceBinding::role` instead", "must be part of each --grant or of the file of --assignments"),
    ("must be a predefined role or `RoleAssignment::custom`", "must be a predefined role or `custom:ROLE_ID`"),
    ("has no effect, as `danger_accept_invalid_certs` has", "has no effect, as ARIZE_REQUEST_VERIFY has"),
    ("has no effect with `danger_accept_invalid_certs`", "has no effect with ARIZE_REQUEST_VERIFY"),
    (
        "pass the id of one of them, or its organization as `org_id`",
        "pass the id of one of them, or its organization with --org",
    ),
    ("was not found; pass it as `org_id`", "was not found; pass it with --org"),
    ("compare `redacted_key` of the key", "compare the redacted secret of the key"),
    ("the response has `has_more` and no cursor", "the response announces more pages and has no cursor"),
    ("has no effect without `space`", "has no effect without --space"),
];

/// The message of an error, with its causes.
pub(crate) fn of(error: &Error) -> String {
    let mut message = match error {
        Error::Config(e) => named(e.setting(), e.problem()),
        Error::InvalidRequest(e) => named(e.field(), e.problem()),
        error => phrases(&error.to_string()),
    };
    message.push_str(&causes(error));
    message
}

/// The causes of an error, each after a colon.
pub(crate) fn causes(error: &Error) -> String {
    let mut text = String::new();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(&format!(": {}", with_options(&error.to_string())));
        cause = error.source();
    }
    text
}

fn named(setting: &str, problem: &str) -> String {
    format!("{} {}", option(setting).unwrap_or(setting), with_options(problem))
}

/// A text of the SDK's, which names settings between backquotes.
fn with_options(text: &str) -> String {
    let text = phrases(text);
    let parts: Vec<&str> = text.split('`').collect();
    let mut message = String::new();
    for (n, part) in parts.iter().enumerate() {
        let is_quoted = n % 2 == 1 && n + 1 < parts.len();
        match option(part).filter(|_| is_quoted) {
            Some(option) => message.push_str(option),
            None if is_quoted && !is_variable(part) => message.push_str(&format!("`{part}`")),
            None => message.push_str(part),
        }
    }
    message
}

fn is_variable(word: &str) -> bool {
    word.starts_with("ARIZE_") || word.ends_with("_PROXY")
}

fn option(name: &str) -> Option<&'static str> {
    OPTIONS.iter().find_map(|(known, option)| (*known == name).then_some(*option))
}

/// A text of the SDK's with the phrases of this program.
pub(crate) fn phrases(text: &str) -> String {
    PHRASES.iter().fold(text.to_owned(), |text, (theirs, ours)| text.replace(theirs, ours))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    /// Names of the wire, which users know, and of what this program cannot set.
    const ALLOWED: [&str; 8] =
        ["has_more", "https_proxy", "user_agent", "ureq", "UreqTransport", "redacted_key", "api_keys", "retry"];

    /// The code of the SDK, without the emulator, tests and comments.
    fn sources() -> Vec<String> {
        let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("../src")];
        let mut found = Vec::new();
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                let name = path.file_name().unwrap().to_str().unwrap();
                if path.is_dir() && name != "emulator" {
                    folders.push(path);
                } else if path.extension().is_some_and(|end| end == "rs") && name != "tests.rs" {
                    let text = fs::read_to_string(&path).unwrap();
                    let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap().lines().map(str::trim);
                    let code = code.filter(|line| !line.starts_with("//") && !line.starts_with("#["));
                    found.push(code.map(|line| line.trim_end_matches('\\')).collect());
                }
            }
        }
        assert!(found.len() > 30);
        found
    }

    #[test]
    fn no_message_has_an_identifier_of_the_sdk() {
        for text in sources().iter().flat_map(|code| code.split('"').skip(1).step_by(2)) {
            let message = named("name", text);
            for word in message.split('`').skip(1).step_by(2) {
                let is_snake = word.contains('_') && word.chars().all(|c| c.is_ascii_lowercase() || c == '_');
                let is_path = word.contains("::") && word.chars().all(|c| c.is_ascii_alphanumeric() || c == ':');
                let is_identifier = is_snake || is_path || word.ends_with("()");
                assert!(!is_identifier || ALLOWED.contains(&word), "`{word}` in: {message}");
            }
        }
    }

    /// Every setting and field that an error names as a literal has an option, but for those that this program does not set.
    #[test]
    fn every_setting_has_an_option() {
        let unused = ["danger_accept_invalid_certs", "header", "proxy", "retry", "transport", "user_agent"];
        let mut count = 0;
        for code in sources() {
            for rest in
                ["ConfigError::new(\"", "InvalidRequest::new(\""].iter().flat_map(|call| code.split(call).skip(1))
            {
                let setting = rest.split('"').next().unwrap();
                let is_member = setting.starts_with("organizations") || setting.starts_with("retry.");
                let is_known =
                    option(setting).is_some() || is_member || setting == "request" || unused.contains(&setting);
                assert!(is_known, "`{setting}` has no option in OPTIONS");
                count += 1;
            }
        }
        assert!(count > 20, "{count}");
    }

    #[test]
    fn settings_in_causes_become_options() {
        let refused = |_: arize_api_keys::http::Request<Vec<u8>>| {
            let problem = "an unknown authority: add it with `ca_file`";
            Err(arize_api_keys::TransportError::new(arize_api_keys::TransportErrorKind::Tls, problem).not_sent())
        };
        let client = arize_api_keys::ApiKeysClient::builder().ignore_env().api_key("ak-test-0123456789");
        let error = client.transport(refused).build().unwrap().revoke("id").unwrap_err();
        assert!(of(&error).ends_with(": an unknown authority: add it with --ca-file"), "{}", of(&error));
    }

    #[test]
    fn settings_become_options() {
        assert_eq!(named("region", "must be one of a, b"), "--region must be one of a, b");
        assert_eq!(
            named("region", "excludes `ARIZE_SINGLE_HOST` and `base_domain`: set one"),
            "--region excludes ARIZE_SINGLE_HOST and --base-domain: set one"
        );
        assert_eq!(
            named("ARIZE_API_HOST", "must be a host without a scheme: `scheme` and ARIZE_API_SCHEME set that"),
            "ARIZE_API_HOST must be a host without a scheme: --scheme and ARIZE_API_SCHEME set that"
        );
        assert_eq!(named("scheme", "must be `https` or `http`"), "--scheme must be `https` or `http`");
        assert_eq!(named("organizations[0].spaces", "is listed twice"), "organizations[0].spaces is listed twice");
    }
}
