use std::ffi::OsString;
use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;

use super::*;
use crate::RetryPolicy;
#[cfg(not(feature = "ureq"))]
use crate::error::ConfigError;
use crate::error::Error;
use crate::stage::ApiStage;
use crate::transport::Transport;

#[cfg(feature = "ureq")]
use crate::ureq_transport::default_transport;

/// Every test brings a transport then.
#[cfg(not(feature = "ureq"))]
fn default_transport(_: &NetworkSettings, _: &Env<'_>, _: &BaseAddress) -> Result<Arc<dyn Transport>, ConfigError> {
    Err(ConfigError::new("transport", "is missing"))
}

/// A builder with a key and a transport.
fn builder() -> ClientBuilder {
    ClientBuilder::default().api_key("ak-test").transport(|_| Ok(http::Response::default()))
}

fn settings(builder: ClientBuilder, env: &[(&str, &str)]) -> Result<Settings, String> {
    let look_up = |name: &str| env.iter().find(|(n, _)| *n == name).map(|(_, value)| OsString::from(value));
    builder.resolve(&look_up, default_transport).map_err(|error| {
        assert!(matches!(error, Error::Config(_)));
        error.to_string()
    })
}

fn base(builder: ClientBuilder, env: &[(&str, &str)]) -> Result<String, String> {
    Ok(settings(builder, env)?.endpoint.uri("/v2/api-keys").unwrap().to_string())
}

fn refused(builder: ClientBuilder, env: &[(&str, &str)]) -> String {
    match settings(builder, env) {
        Ok(_) => panic!("was not refused"),
        Err(message) => message,
    }
}

#[test]
fn the_defaults() {
    let settings = settings(builder(), &[]).unwrap();
    assert_eq!(settings.endpoint.uri("/v2/api-keys?limit=5").unwrap(), "https://api.arize.com/v2/api-keys?limit=5");
    assert_eq!(settings.stage, ApiStage::Beta);
    assert_eq!(settings.timeout, Duration::from_secs(60));
    assert_eq!(settings.retry, RetryPolicy::default());
    assert!(settings.on_warning.is_none());
    let headers: Vec<(&str, &str)> =
        settings.headers.iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect();
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(
        headers,
        [
            ("authorization", "Bearer ak-test"),
            ("accept", "application/json, application/problem+json"),
            ("accept-encoding", "identity"),
            ("user-agent", &format!("arize-api-keys/{version}")),
            ("sdk-language", "rust"),
            ("sdk-version", version),
            ("sdk-package-name", "arize-api-keys"),
        ]
    );
    assert!(settings.headers["authorization"].is_sensitive());
}

#[test]
fn the_program_goes_before_the_environment() {
    let env = [
        ("ARIZE_API_KEY", "ak-from-env"),
        ("ARIZE_API_HOST", "env.example"),
        ("ARIZE_API_PORT", "1"),
        ("ARIZE_API_SCHEME", "ftp"),
        ("ARIZE_API_STAGE", "gamma"),
    ];
    let explicit = builder().host("own.example").port(8443).scheme("https").stage(ApiStage::Alpha);
    let settings = settings(explicit, &env).unwrap();
    assert_eq!(settings.endpoint.uri("/").unwrap(), "https://own.example:8443/");
    assert_eq!(settings.credentials.current().known_keys(), "ak-test");
    assert_eq!(settings.stage, ApiStage::Alpha);
}

#[test]
fn the_environment_goes_before_the_defaults() {
    let env = [
        ("ARIZE_API_KEY", " ak-from-env\n"),
        ("ARIZE_API_HOST", "env.example"),
        ("ARIZE_API_PORT", " 8443 "),
        ("ARIZE_API_STAGE", "Alpha"),
    ];
    let builder = ClientBuilder::default().transport(|_| Ok(http::Response::default()));
    let settings = settings(builder, &env).unwrap();
    assert_eq!(settings.endpoint.uri("/").unwrap(), "https://env.example:8443/");
    assert_eq!(settings.credentials.current().known_keys(), "ak-from-env");
    assert_eq!(settings.stage, ApiStage::Alpha);
}

#[test]
fn a_blank_variable_is_not_set() {
    let env = [
        ("ARIZE_API_HOST", ""),
        ("ARIZE_API_SCHEME", " "),
        ("ARIZE_API_PORT", ""),
        ("ARIZE_REGION", "\t"),
        ("ARIZE_SINGLE_HOST", ""),
        ("ARIZE_SINGLE_PORT", ""),
        ("ARIZE_BASE_DOMAIN", ""),
        ("ARIZE_API_STAGE", " "),
    ];
    assert_eq!(base(builder(), &env).unwrap(), "https://api.arize.com/v2/api-keys");
}

#[test]
fn a_missing_or_wrong_key_is_refused_and_never_repeated() {
    let bare = || ClientBuilder::default().transport(|_| Ok(http::Response::default()));
    let missing = "configuration: `api_key` is missing: set it, or the variable ARIZE_API_KEY";
    assert_eq!(refused(bare(), &[]), missing);
    assert_eq!(refused(bare(), &[("ARIZE_API_KEY", "")]), "configuration: `ARIZE_API_KEY` is blank");
    assert_eq!(refused(bare(), &[("ARIZE_API_KEY", " \n")]), "configuration: `ARIZE_API_KEY` is blank");
    assert_eq!(refused(bare().api_key(""), &[("ARIZE_API_KEY", "ak-x")]), "configuration: `api_key` is blank");
    let bearer = "configuration: `api_key` begins with `Bearer`: give the key alone";
    for key in ["Bearer ak-x", "bearer  ak-x", "BEARER\tak-x", "Bearer"] {
        assert_eq!(refused(bare().api_key(key), &[]), bearer);
    }
    let odd = "configuration: `api_key` holds blanks, control characters or characters that are not ASCII";
    for key in ["ak-x y", "ak-x\ny", "ak-x\0", "ak-é", "ak-x\u{7f}"] {
        assert_eq!(refused(bare().api_key(key), &[]), odd);
    }
    assert!(settings(bare().api_key("k".repeat(4096)), &[]).is_ok());
    assert_eq!(refused(bare().api_key("k".repeat(4097)), &[]), "configuration: `api_key` has more than 4096 bytes");
}

#[test]
fn a_near_miss_of_a_key_is_read() {
    for key in ["\"ak-own\"", "\u{feff}ak-own", "ARIZE_API_KEY=ak-own", "export KEY='ak-own' # mine"] {
        assert_eq!(settings(builder().api_key(key), &[]).unwrap().credentials.current().known_keys(), "ak-own");
    }
    assert_eq!(
        refused(builder().api_key("\"ak-own"), &[]),
        "configuration: `api_key` has a quotation mark at one end or inside"
    );
}

#[test]
fn the_key_comes_from_one_source() {
    let path = std::env::temp_dir().join(format!("arize-api-keys-{}", std::process::id()));
    std::fs::write(&path, "ak-from-file").unwrap();
    let file = ("ARIZE_API_KEY_FILE", path.to_str().unwrap());
    let missing = ("ARIZE_API_KEY_FILE", "/nowhere/key");
    let key = ("ARIZE_API_KEY", "ak-from-env");
    let bare = || ClientBuilder::default().transport(|_| Ok(http::Response::default()));
    let key_of = |builder: ClientBuilder, env: &[(&str, &str)]| {
        settings(builder, env).map(|settings| settings.credentials.current().known_keys().to_owned())
    };
    for (builder, env, expected) in [
        (bare(), vec![file], "ak-from-file"),
        (bare(), vec![file, ("ARIZE_API_KEY", " ")], "ak-from-file"),
        (bare(), vec![key, ("ARIZE_API_KEY_FILE", "")], "ak-from-env"),
        (bare().api_key("ak-own"), vec![key, missing], "ak-own"),
        (bare().api_key_file(&path), vec![key, missing], "ak-from-file"),
    ] {
        assert_eq!(key_of(builder, &env).unwrap(), expected);
    }
    assert_eq!(
        key_of(bare(), &[key, file]).unwrap_err(),
        "configuration: `ARIZE_API_KEY_FILE` excludes `ARIZE_API_KEY`: set one of them"
    );
    assert_eq!(
        key_of(bare(), &[missing]).unwrap_err(),
        "configuration: `ARIZE_API_KEY_FILE` names the file /nowhere/key, which cannot be read"
    );
    std::fs::write(&path, "'ak-x").unwrap();
    assert_eq!(
        key_of(bare().api_key_file(&path), &[]).unwrap_err(),
        format!(
            "configuration: `api_key_file` names the file {}, whose key has a quotation mark at one end or inside",
            path.display()
        )
    );
    std::fs::remove_file(&path).unwrap();
}

#[test]
fn a_key_is_given_as_any_kind_of_text() {
    let text = " ak-own ".to_owned();
    let secret = SecretString::from(" ak-own ");
    for builder in [builder().api_key(" ak-own "), builder().api_key(text), builder().api_key(secret)] {
        assert_eq!(settings(builder, &[]).unwrap().credentials.current().known_keys(), "ak-own");
    }
}

/// The request passes through the wrapper, and the wrapped transport keeps its settings.
#[test]
fn something_around_a_transport() {
    let wrap = |inner: Arc<dyn Transport>| -> Arc<dyn Transport> {
        Arc::new(move |mut request: http::Request<Vec<u8>>| {
            request.headers_mut().insert("x-wrapped", http::HeaderValue::from_static("yes"));
            inner.send(request)
        })
    };
    let echo = |request: http::Request<Vec<u8>>| {
        let mut response = http::Response::default();
        *response.headers_mut() = request.into_parts().0.headers;
        Ok(response)
    };
    let settings = settings(builder().transport(echo).wrap_transport(wrap), &[]).unwrap();
    let response = settings.transport.send(http::Request::default()).unwrap();
    assert_eq!(response.headers()["x-wrapped"], "yes");
    // Around the default one, whose settings are checked all the same.
    #[cfg(feature = "ureq")]
    {
        let bare = ClientBuilder::default().api_key("ak-test").wrap_transport(wrap);
        let problem = "must be a proxy URL, `http://[user:password@]host[:port]` or `https://…`";
        assert_eq!(refused(bare.proxy("ftp://p"), &[]), format!("configuration: `proxy` {problem}"));
    }
}

#[cfg(unix)]
#[test]
fn a_variable_that_is_not_unicode_is_refused() {
    use std::os::unix::ffi::OsStringExt;

    let junk = |name: &str| (name == "ARIZE_REGION").then(|| OsString::from_vec(vec![0xff]));
    let error = builder().resolve(&junk, default_transport).err().unwrap();
    assert_eq!(error.to_string(), "configuration: `ARIZE_REGION` must be valid Unicode");
}

#[test]
fn places_that_exclude_the_host() {
    let host = ("ARIZE_API_HOST", "ignored.example");
    for (builder, env, expected) in [
        (builder().region("eu-west-1a"), vec![host], "https://api.eu-west-1a.arize.com/v2/api-keys"),
        (builder(), vec![host, ("ARIZE_REGION", "us-east-1b")], "https://api.us-east-1b.arize.com/v2/api-keys"),
        (builder().base_domain("corp.example"), vec![host], "https://api.corp.example/v2/api-keys"),
        (builder(), vec![host, ("ARIZE_BASE_DOMAIN", "corp.example:81")], "https://api.corp.example:81/v2/api-keys"),
        (builder().single_host("one.example"), vec![host], "https://one.example/v2/api-keys"),
        (
            builder(),
            vec![("ARIZE_SINGLE_HOST", "one.example"), ("ARIZE_SINGLE_PORT", "9000"), ("ARIZE_API_PORT", "1")],
            "https://one.example:1/v2/api-keys",
        ),
        (
            builder(),
            vec![("ARIZE_SINGLE_HOST", "one.example"), ("ARIZE_SINGLE_PORT", "9000")],
            "https://one.example:9000/v2/api-keys",
        ),
        (builder(), vec![("ARIZE_SINGLE_PORT", "9000")], "https://api.arize.com:9000/v2/api-keys"),
        (builder().single_host("one.example:7"), vec![], "https://one.example:7/v2/api-keys"),
        (builder().single_host("one.example:7").single_port(8), vec![], "https://one.example:8/v2/api-keys"),
        (
            builder().region("eu-west-1a"),
            vec![("ARIZE_SINGLE_PORT", "0")],
            "https://api.eu-west-1a.arize.com/v2/api-keys",
        ),
        // A region does not reset the port.
        (
            builder().region("eu-west-1a"),
            vec![("ARIZE_API_PORT", "8080")],
            "https://api.eu-west-1a.arize.com:8080/v2/api-keys",
        ),
    ] {
        assert_eq!(base(builder, &env).unwrap(), expected);
    }
}

#[test]
fn places_exclude_each_other_across_sources() {
    let choice = "set one of a region, a single host and a base domain";
    assert_eq!(
        refused(builder().region("eu-west-1a"), &[("ARIZE_SINGLE_HOST", "one.example")]),
        format!("configuration: `region` excludes `ARIZE_SINGLE_HOST`: {choice}")
    );
    assert_eq!(
        refused(builder().base_domain("corp.example"), &[("ARIZE_REGION", "x"), ("ARIZE_SINGLE_HOST", "y")]),
        format!("configuration: `ARIZE_REGION` excludes `ARIZE_SINGLE_HOST` and `base_domain`: {choice}")
    );
}

#[test]
fn regions() {
    for region in ["ca-central-1a", "eu-west-1a", "us-central-1a", "us-east-1b"] {
        assert!(base(builder().region(region), &[]).is_ok());
    }
    let known = "must be one of ca-central-1a, eu-west-1a, us-central-1a, us-east-1b";
    assert_eq!(refused(builder().region("EU"), &[]), format!("configuration: `region` {known}"));
    assert_eq!(refused(builder(), &[("ARIZE_REGION", "mars")]), format!("configuration: `ARIZE_REGION` {known}"));
}

#[test]
fn ports() {
    for (builder, env, expected) in [
        (builder().port(0), vec![("ARIZE_API_PORT", "8443")], "https://api.arize.com/v2/api-keys"),
        (builder(), vec![("ARIZE_API_PORT", "0")], "https://api.arize.com/v2/api-keys"),
        (builder().port(443), vec![], "https://api.arize.com/v2/api-keys"),
        (builder().port(80), vec![], "https://api.arize.com:80/v2/api-keys"),
        (builder().host("h.example:8443").port(9), vec![], "https://h.example:9/v2/api-keys"),
        (builder().host("h.example:8443").port(0), vec![], "https://h.example:8443/v2/api-keys"),
        (builder().host("127.0.0.1:80").scheme("http"), vec![], "http://127.0.0.1/v2/api-keys"),
    ] {
        assert_eq!(base(builder, &env).unwrap(), expected);
    }
    let number = "configuration: `ARIZE_API_PORT` must be a number from 0 to 65535";
    for text in ["http", "-1", "+80", "65536", "8 0", "99999999999999999999"] {
        assert_eq!(refused(builder(), &[("ARIZE_API_PORT", text)]), number);
    }
    assert_eq!(
        base(builder().single_host("one.example").single_port(0), &[]).unwrap(),
        "https://one.example/v2/api-keys"
    );
    assert_eq!(
        refused(builder().region("eu-west-1a"), &[("ARIZE_SINGLE_PORT", "9000")]),
        "configuration: `region` excludes `ARIZE_SINGLE_PORT`: set one of a region, a single host and a base domain"
    );
}

#[test]
fn hosts_that_are_taken() {
    for (host, expected) in [
        ("API.Example", "https://api.example/v2/api-keys"),
        (" api.example ", "https://api.example/v2/api-keys"),
        ("api.example:8443/base", "https://api.example:8443/base/v2/api-keys"),
        ("api.example/base/", "https://api.example/base/v2/api-keys"),
        ("api.example/a%20b/c", "https://api.example/a%20b/c/v2/api-keys"),
        ("[2001:DB8::1]:8443", "https://[2001:db8::1]:8443/v2/api-keys"),
        ("192.0.2.1", "https://192.0.2.1/v2/api-keys"),
        ("my_service", "https://my_service/v2/api-keys"),
    ] {
        assert_eq!(base(builder().host(host), &[]).unwrap(), expected);
    }
}

#[test]
fn hosts_that_are_refused() {
    let parts = "must be a host, with a port and a path at most: no user, query or fragment";
    let port = "has a port that is not from 1 to 65535";
    let dots = "has a path with an empty segment, `.` or `..`";
    let ascii = "must be ASCII, without blanks and control characters";
    let name = "is not a host name";
    for (host, problem) in [
        ("", "must not be blank"),
        ("https://api.example", "must be a host without a scheme: `scheme` and ARIZE_API_SCHEME set that"),
        ("user:pass@api.example", parts),
        ("api.example?x=1", parts),
        ("api.example#x", parts),
        ("api.example\\x", parts),
        ("api.example:", port),
        ("api.example:0", port),
        ("api.example:99999", port),
        ("api.example:x", port),
        ("api.example:+1", port),
        ("api.example/../x", dots),
        ("api.example/./x", dots),
        ("api.example/%2E%2e/x", dots),
        ("api.example//x", dots),
        ("api example", ascii),
        ("api\u{1}example", ascii),
        ("äpi.example", ascii),
        ("api..example", name),
        (".example", name),
        ("api.example.", name),
        (":80", name),
        ("/path", name),
        ("<host>", name),
        ("[::1", "has a bracket that is not closed"),
        ("[::1]x", name),
        ("[localhost]", "has brackets around what is not an IPv6 address"),
        ("::1", "has several colons: an IPv6 address goes in brackets"),
    ] {
        assert_eq!(refused(builder().host(host), &[]), format!("configuration: `host` {problem}"), "{host:?}");
    }
    assert_eq!(
        refused(builder(), &[("ARIZE_API_HOST", "https://h")]),
        "configuration: `ARIZE_API_HOST` must be a host without a scheme: `scheme` and ARIZE_API_SCHEME set that"
    );
    assert_eq!(refused(builder().base_domain(" "), &[]), "configuration: `base_domain` must not be blank");
    assert_eq!(refused(builder().single_host(""), &[]), "configuration: `single_host` must not be blank");
}

#[test]
fn plain_http_stays_on_this_machine() {
    for host in ["localhost", "LOCALHOST:8080", "127.0.0.1", "127.255.0.9:1", "[::1]", "[::ffff:127.0.0.1]:80"] {
        assert!(base(builder().host(host).scheme("HTTP"), &[]).is_ok(), "{host}");
    }
    let problem = |setting: &str, host: &str| {
        format!(
            "configuration: `{setting}` is plain http, which would show the API key to everyone on the network path to {host}: \
             use https, or call `allow_insecure_http()`"
        )
    };
    for host in ["api.arize.com", "localhost.evil.example", "x.localhost", "128.0.0.1", "0.0.0.0", "[::2]", "127.1"] {
        assert_eq!(refused(builder().host(host).scheme("http"), &[]), problem("scheme", host));
        assert!(base(builder().host(host).scheme("http").allow_insecure_http(), &[]).is_ok());
    }
    assert_eq!(
        refused(builder(), &[("ARIZE_API_SCHEME", "http"), ("ARIZE_REGION", "us-east-1b")]),
        problem("ARIZE_API_SCHEME", "api.us-east-1b.arize.com")
    );
    assert_eq!(refused(builder().scheme("ftp"), &[]), "configuration: `scheme` must be `https` or `http`");
    assert_eq!(
        refused(builder(), &[("ARIZE_API_SCHEME", "htps")]),
        "configuration: `ARIZE_API_SCHEME` must be `https` or `http`"
    );
}

#[test]
fn other_values() {
    let time = "configuration: `timeout` must be from 1 ms to 1 h";
    for timeout in [Duration::ZERO, Duration::from_micros(999), Duration::from_secs(3601), Duration::MAX] {
        assert_eq!(refused(builder().timeout(timeout), &[]), time);
    }
    assert_eq!(
        refused(builder().retry(RetryPolicy::default().max_attempts(0)), &[]),
        "configuration: `retry.max_attempts` must be from 1 to 10"
    );
    assert_eq!(
        refused(builder(), &[("ARIZE_API_STAGE", "ga")]),
        "configuration: `ARIZE_API_STAGE` must be `alpha` or `beta`"
    );
}

#[test]
fn the_callers_headers() {
    let settings = settings(
        builder()
            .user_agent("my-tool/1.0 (ci)")
            .header("X-Gateway-Token", "first")
            .header("x-gateway-token", " second ")
            .header("sdk-language", "rust-cli"),
        &[],
    )
    .unwrap();
    assert_eq!(settings.headers["user-agent"], "my-tool/1.0 (ci)");
    assert_eq!(settings.headers["x-gateway-token"], "second");
    assert!(settings.headers["x-gateway-token"].is_sensitive());
    assert_eq!(settings.headers["sdk-language"], "rust-cli");
    assert_eq!(settings.headers.len(), 8);
}

#[test]
fn headers_that_are_refused() {
    let refused_header = |name: &str, value: &str| refused(builder().header(name, value), &[]);
    for name in ["Authorization", "host", "content-length", "content-type", "accept", "accept-encoding", "connection"]
        .into_iter()
        .chain(["transfer-encoding", "te", "trailer", "upgrade", "keep-alive", "proxy-authorization", "expect"])
    {
        let lower = name.to_ascii_lowercase();
        let message = format!("configuration: `header` cannot set `{lower}`: the client does, or the transport");
        assert_eq!(refused_header(name, "value"), message);
    }
    assert_eq!(refused_header("User-Agent", "x"), "configuration: `header` cannot set `user-agent`: `user_agent` does");
    assert_eq!(refused_header("a b", "x"), "configuration: `header` has a name that is not a token");
    assert_eq!(
        refused_header("x-token", "secret\r\nx: y"),
        "configuration: `header` `x-token` must have a value of visible ASCII and blanks"
    );
    assert_eq!(
        refused_header("x-token", "é"),
        "configuration: `header` `x-token` must have a value of visible ASCII and blanks"
    );
    let agent = "configuration: `user_agent` must be visible ASCII and blanks, and not empty";
    for text in ["", " ", "a\nb", "ä\0", "é"] {
        assert_eq!(refused(builder().user_agent(text), &[]), agent);
    }
}

#[test]
fn settings_without_effect_are_refused() {
    let problem = "has no effect on a transport of one's own: build `UreqTransport` with it, or drop it";
    for (builder, setter) in [
        (builder().ca_file("x.pem"), "ca_file"),
        (builder().danger_accept_invalid_certs(false), "danger_accept_invalid_certs"),
        (builder().proxy("http://p"), "proxy"),
        (builder().no_proxy(), "no_proxy"),
    ] {
        assert_eq!(refused(builder, &[]), format!("configuration: `{setter}` {problem}"));
    }
    // The variables are those of the default transport.
    let env = [("ARIZE_REQUEST_VERIFY", "?"), ("ARIZE_PROXY_URL", "?"), ("ARIZE_SSL_CA_CERT", "/nowhere")];
    assert!(settings(builder(), &env).is_ok());
}

#[cfg(not(feature = "ureq"))]
#[test]
fn without_ureq_there_is_no_default_transport() {
    let error = ClientBuilder::default().api_key("ak-test").ignore_env().build().unwrap_err();
    let message = "configuration: `transport` is missing: without the feature `ureq` there is no default transport";
    assert_eq!(error.to_string(), message);
}

#[test]
fn no_secret_in_the_builders_debug_output() {
    let full = builder()
        .api_key("ak-planted-key")
        .host("planted:planted@api.example")
        .proxy("http://planted-user:planted-password@proxy.example")
        .header("x-token", "planted-value");
    let shown = format!("{full:?}");
    assert!(!shown.contains("planted"), "{shown}");
    assert!(shown.contains("x-token") && shown.contains("host: Some(\"api.example\")"), "{shown}");
    for (builder, proxy) in
        [(full, "[redacted]"), (ClientBuilder::default(), "from the environment"), (builder().no_proxy(), "none")]
    {
        let shown = format!("{builder:?}");
        assert!(shown.contains(&format!("proxy: {proxy},")), "{shown}");
    }
}

#[cfg(feature = "ureq")]
#[test]
fn the_default_transport_reads_the_environment() {
    let bare = || ClientBuilder::default().api_key("ak-test");
    assert!(settings(bare(), &[("HTTPS_PROXY", "http://proxy.example:3128")]).is_ok());
    let missing = "names the file /nowhere/ca.pem, which cannot be read";
    let message = refused(bare(), &[("ARIZE_SSL_CA_CERT", "/nowhere/ca.pem")]);
    assert_eq!(message, format!("configuration: `ARIZE_SSL_CA_CERT` {missing}"));
    // A defect of a variable for every program on the machine stops no client.
    assert!(settings(bare(), &[("SSL_CERT_FILE", "/nowhere/ca.pem")]).is_ok());
    let error = bare().ca_file("/nowhere/ca.pem").ignore_env().build().unwrap_err();
    assert!(std::error::Error::source(&error).unwrap().is::<std::io::Error>());
    assert_eq!(
        refused(bare(), &[("https_proxy", "socks5://proxy.example")]),
        "configuration: `https_proxy` names a SOCKS proxy: only http:// and https:// proxies are supported"
    );
    assert_eq!(
        refused(bare(), &[("ARIZE_REQUEST_VERIFY", "flase")]),
        "configuration: `ARIZE_REQUEST_VERIFY` must be `true` or `false` (or 1, 0, yes, no, on, off)"
    );
}

/// No part of an explicit setting comes from the environment.
#[test]
fn an_explicit_address_loses_nothing_to_the_environment() {
    let env = [("ARIZE_API_HOST", "env.example:1"), ("ARIZE_API_PORT", "2"), ("ARIZE_API_SCHEME", "https")];
    let overrides = [
        ("ARIZE_REGION", "eu-west-1a"),
        ("ARIZE_SINGLE_HOST", "single.example:3"),
        ("ARIZE_SINGLE_PORT", "4"),
        ("ARIZE_BASE_DOMAIN", "domain.example"),
    ];
    type Set = fn(ClientBuilder) -> ClientBuilder;
    let cases: [(Set, &str); 8] = [
        (|b| b.host("own.example:9"), "https://own.example:9"),
        (|b| b.host("own.example").port(9), "https://own.example:9"),
        (|b| b.host("own.example:8").port(9), "https://own.example:9"),
        (|b| b.host("127.0.0.1:9").scheme("http"), "http://127.0.0.1:9"),
        (|b| b.url("https://own.example"), "https://own.example"),
        (|b| b.url("https://own.example:9/base/"), "https://own.example:9/base"),
        (|b| b.url("http://127.0.0.1:9"), "http://127.0.0.1:9"),
        (|b| b.url("HTTP://[::1]:9"), "http://[::1]:9"),
    ];
    for (set, expected) in cases {
        for more in overrides.iter().map(Some).chain([None]) {
            let env: Vec<_> = env.iter().chain(more).copied().collect();
            let found = base(set(builder()), &env);
            assert_eq!(found.unwrap(), format!("{expected}/v2/api-keys"), "{env:?}");
        }
    }
    for (set, expected) in [
        ((|b| b.single_host("own.example:9")) as Set, "https://own.example:9"),
        (|b| b.single_host("own.example:8").single_port(9), "https://own.example:9"),
        (|b| b.single_port(9), "https://env.example:9"),
        (|b| b.base_domain("own.example:9"), "https://api.own.example:9"),
    ] {
        assert_eq!(base(set(builder()), &env).unwrap(), format!("{expected}/v2/api-keys"));
    }
}

#[test]
fn a_url_excludes_the_single_settings_of_the_address() {
    let url = || builder().url("https://own.example");
    for (builder, other) in [
        (url().host("h"), "host"),
        (url().scheme("https"), "scheme"),
        (url().port(1), "port"),
        (url().region("eu-west-1a"), "region"),
        (url().single_host("h"), "single_host"),
        (url().single_port(1), "single_port"),
        (url().base_domain("d"), "base_domain"),
    ] {
        assert_eq!(refused(builder, &[]), format!("configuration: `url` excludes `{other}`: set one of them"));
    }
    for (text, problem) in [
        ("", "must be a URL: `https://host[:port][/path]`, or `http://…` to this machine"),
        ("own.example", "must be a URL: `https://host[:port][/path]`, or `http://…` to this machine"),
        ("ftp://own.example", "must begin with `https://` or `http://`"),
        ("https://", "must not be blank"),
        ("https://user@own.example", "must be a host, with a port and a path at most: no user, query or fragment"),
        ("https://own.example?x", "must be a host, with a port and a path at most: no user, query or fragment"),
        ("https://own.example:0", "has a port that is not from 1 to 65535"),
        (
            "http://own.example",
            "is plain http, which would show the API key to everyone on the network path to own.example: use https, or \
             call `allow_insecure_http()`",
        ),
    ] {
        assert_eq!(refused(builder().url(text), &[]), format!("configuration: `url` {problem}"), "{text}");
    }
    let insecure = builder().url("http://own.example").allow_insecure_http();
    assert_eq!(base(insecure, &[]).unwrap(), "http://own.example/v2/api-keys");
}

#[test]
fn a_key_and_a_key_file_in_the_environment_exclude_each_other() {
    let bare = || ClientBuilder::default().transport(|_| Ok(http::Response::default()));
    let both = [("ARIZE_API_KEY", "ak-0123456789"), ("ARIZE_API_KEY_FILE", "/nowhere")];
    let message = "configuration: `ARIZE_API_KEY_FILE` excludes `ARIZE_API_KEY`: set one of them";
    assert_eq!(refused(bare(), &both), message);
    let missing = "configuration: `ARIZE_API_KEY_FILE` names the file /nowhere, which cannot be read";
    assert_eq!(refused(bare(), &[("ARIZE_API_KEY", " "), both[1]]), missing);
    // An explicit key beats both.
    assert!(settings(bare().api_key("ak-0123456789"), &both).is_ok());
}
