//! `--url`, and the profiles of the official command line.

use arize_api_keys::ExposeSecret;

use crate::service::{Run, Service, finish};

struct Home {
    service: Service,
    address: String,
}

impl Home {
    fn new() -> Self {
        let service = Service::new();
        let variables = service.command(&[]);
        let host = variables.get_envs().find(|(name, _)| *name == "ARIZE_API_HOST").unwrap().1.unwrap();
        let address = host.to_str().unwrap().to_owned();
        std::fs::create_dir_all(service.path(".arize/profiles")).unwrap();
        Self { service, address }
    }

    fn profile(&self, name: &str, rest: &str) {
        let text = format!(
            "[profile]\nname = \"x\"\n[auth]\nauth_method = \"api-key\"\napi_key = \"${{KEY}}\"\n[routing]\napi_scheme = \"http\"\n\
             app_host = \"app.example\"\n{rest}\n[output]\nformat = \"table\"\n"
        );
        self.service.write(name, &text, 0o600);
    }

    /// Without a key and an address in the environment.
    #[track_caller]
    fn run(&self, args: &[&str], variables: &[(&str, &str)]) -> Run {
        let mut command = self.service.command(args);
        command.env_remove("ARIZE_API_KEY").env_remove("ARIZE_API_HOST").env_remove("ARIZE_API_SCHEME");
        command.env("HOME", self.service.dir.path()).env("KEY", self.service.emulator.admin_key().expose_secret());
        finish(command.envs(variables.iter().copied()))
    }
}

#[test]
fn a_profile_gives_the_key_and_the_address() {
    let home = Home::new();
    home.profile(".arize/profiles/work.toml", &format!("api_host = \"${{NOWHERE:{}}}\"\nregion = \"\"", home.address));
    for (args, variables) in [
        (&["check", "--profile", "work"][..], &[][..]),
        (&["--profile", "work", "check"], &[("ARIZE_PROFILE", "other")]),
        (&["check"], &[("ARIZE_PROFILE", "work")]),
        // The profile beats the environment.
        (
            &["check", "--profile", "work"],
            &[("ARIZE_API_KEY", "ak-other"), ("ARIZE_REGION", "eu-west-1a"), ("ARIZE_API_PORT", "1")],
        ),
        (&["check", "--profile", "work"], &[("ARIZE_API_HOST", "127.0.0.1:1"), ("ARIZE_API_SCHEME", "https")]),
    ] {
        let run = home.run(args, variables);
        assert_eq!(run.code, Some(0), "{args:?}: {run:?}");
        assert!(run.out.contains(&format!("endpoint  http://{}\n", home.address)), "{}", run.out);
        assert!(run.out.contains("key_from  the profile work\naccepted  yes\n"), "{}", run.out);
    }
    // Options beat the profile, each its own part.
    let (host, port) = home.address.split_once(':').unwrap();
    home.profile(".arize/profiles/far.toml", "region = \"EU\"");
    for (args, endpoint) in [
        (&["--scheme", "https"][..], "https://api.eu-west-1a.arize.com".to_owned()),
        (&["--scheme", "https", "--port", "8443"], "https://api.eu-west-1a.arize.com:8443".to_owned()),
        (&["--scheme", "https", "--region", "us-central-1a"], "https://api.us-central-1a.arize.com".to_owned()),
        (&["--host", host, "--port", port], format!("http://{}", home.address)),
        (&["--single-host", "127.0.0.1", "--single-port", "7"], "http://127.0.0.1:7".to_owned()),
        (&["--url", "http://127.0.0.1:8/base"], "http://127.0.0.1:8/base".to_owned()),
        (&["--allow-insecure-http"], "http://api.eu-west-1a.arize.com".to_owned()),
    ] {
        let run =
            home.run(&[&["check", "--offline", "--profile", "far"], args].concat(), &[("ARIZE_SINGLE_HOST", "h")]);
        assert!(run.succeeded().out.starts_with(&format!("endpoint  {endpoint}\n")), "{args:?}: {}", run.out);
    }
    home.service.write("key", "ak-unknown-but-long-enough", 0o600);
    home.run(&["list", "--profile", "work", "--api-key-file", "key"], &[]).failed(3);
}

#[test]
fn no_profile_is_used_unless_it_is_named() {
    let home = Home::new();
    home.profile(".arize/config.toml", &format!("api_host = \"{}\"", home.address));
    home.service.write(".arize/.active_profile", "default\n", 0o600);
    home.run(&["list"], &[]).failed(2);
    // The file of older versions, by its name.
    home.run(&["list", "--profile", "default"], &[]).succeeded();
    home.run(&["list"], &[("ARIZE_PROFILE", " ")]).failed(2);
    assert_eq!(home.service.files(), [".arize"]);
}

#[test]
fn profiles_that_cannot_be_used() {
    let home = Home::new();
    home.profile(".arize/profiles/work.toml", &format!("api_host = \"{}\"", home.address));
    home.profile(".arize/profiles/two.toml", "region = \"EU\"\nbase_domain = \"example.com\"");
    home.profile(".arize/profiles/mars.toml", "region = \"mars\"");
    home.profile(".arize/profiles/port.toml", "single_port = \"many\"");
    home.profile(".arize/profiles/open.toml", "api_host = \"example.com\"");
    home.service.write(".arize/profiles/login.toml", "[auth]\nauth_method = \"oauth\"\n", 0o600);
    let key = ("ARIZE_API_KEY", "ak-x-0123456789");
    for (args, variables, problem) in [
        (&["--profile", "none"][..], &[][..], "/.arize/profiles/none.toml`: No such file"),
        (&["--profile", "../config"], &[], "the profile `../config`: a name of a profile is no path"),
        (&["--profile", " "], &[], "invalid value ' ' for '--profile <NAME>': it is blank"),
        (&["--profile", "login"], &[], "the profile `login`: it logs in with OAuth, and this program needs an API key"),
        (&["--profile", "two"], &[], "the profile `two`: --region excludes --base-domain"),
        (&["--profile", "mars"], &[], "the profile `mars`: --region must be one of"),
        (&["--profile", "port"], &[], "the profile `port`: `single_port` must be a number"),
        (&["--profile", "open"], &[], "the profile `open`: --scheme is plain http, which would show the API key"),
        (&["--profile", "work"], &[("KEY", " ")], "the profile `work`: it holds no API key"),
        (&[], &[("ARIZE_PROFILE", "work"), key], "ARIZE_PROFILE and ARIZE_API_KEY are both set"),
        (
            &[],
            &[("ARIZE_PROFILE", "work"), ("ARIZE_API_KEY_FILE", "f")],
            "ARIZE_PROFILE and ARIZE_API_KEY_FILE are both set",
        ),
    ] {
        let run = home.run(&[&["list"], args].concat(), variables);
        run.failed(2);
        assert!(run.err.contains(problem), "{args:?}: {}", run.err);
    }
    assert!(home.service.seen().is_empty());
}

#[test]
fn a_url_is_the_whole_address() {
    let home = Home::new();
    let key = home.service.emulator.admin_key().expose_secret().to_owned();
    let url = format!("http://{}", home.address);
    // No variable takes part.
    for variable in ["ARIZE_API_PORT", "ARIZE_SINGLE_PORT"] {
        let run = home.run(&["--url", &url, "list"], &[("ARIZE_API_KEY", &key), (variable, "1")]);
        assert_eq!(run.code, Some(0), "{variable}: {run:?}");
    }
    let run =
        home.run(&["--url", &url, "list"], &[("ARIZE_API_KEY", &key), ("ARIZE_API_HOST", "h"), ("ARIZE_REGION", "x")]);
    run.succeeded();
    for args in [
        &["list", "--url", "http://127.0.0.1:1", "--host", "h"][..],
        &["--region", "eu-west-1a", "list", "--url", "https://h"],
        &["--url", "https://h", "list", "--single-port", "1"],
        &["list", "--url", ""],
        &["list", "--url", "127.0.0.1:1"],
        &["list", "--url", "ftp://127.0.0.1:1"],
        &["list", "--url", "http://example.com"],
    ] {
        let run = home.run(args, &[("ARIZE_API_KEY", &key)]);
        run.failed(2);
        assert!(run.err.contains("--url"), "{args:?}: {}", run.err);
    }
}
