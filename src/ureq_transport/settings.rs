//! The settings of the default transport, from the program and the environment.

use std::sync::Arc;

use super::UreqTransport;
use super::proxy::{self, ProxyUrl};
use super::tls::{CaFile, TlsChoice};
use crate::config::{BaseAddress, Env, NetworkSettings, Sourced};
use crate::error::ConfigError;
use crate::transport::Transport;

/// The settings that a [`UreqTransport`] is opened with.
#[derive(Clone, Debug, Default)]
pub(super) struct TransportSettings {
    pub(super) tls: TlsChoice,
    pub(super) ca_files: Vec<CaFile>,
    pub(super) proxy: Option<ProxyUrl>,
}

/// The transport of a client that brings none.
pub(crate) fn default_transport(
    explicit: &NetworkSettings,
    env: &Env<'_>,
    endpoint: &BaseAddress,
) -> Result<Arc<dyn Transport>, ConfigError> {
    Ok(Arc::new(UreqTransport::open(&TransportSettings::resolve(explicit, env, endpoint)?)?))
}

impl TransportSettings {
    fn resolve(explicit: &NetworkSettings, env: &Env<'_>, endpoint: &BaseAddress) -> Result<Self, ConfigError> {
        let proxy = proxy::choose(&explicit.proxy, env, endpoint)?;
        let accept = match explicit.accept_invalid_certs {
            Some(value) => Sourced { value, setting: "danger_accept_invalid_certs" },
            None => verification_off(env)?,
        };
        let own = match &explicit.ca_file {
            Some(path) => Some(Sourced { value: path.clone(), setting: "ca_file" }),
            None => env.path("ARIZE_SSL_CA_CERT"),
        };
        if let Some(file) = own.as_ref().filter(|_| accept.value) {
            let problem =
                format!("has no effect, as `{}` has certificates not checked: set one of them", accept.setting);
            return Err(file.fault(problem));
        }
        let uses_tls = endpoint.is_https() || proxy.as_ref().is_some_and(ProxyUrl::is_https);
        let tls = TlsChoice::new(explicit.tls, explicit.roots, accept.value, uses_tls)?;
        // Variables that are set for the whole machine must not break a client that does not use them.
        let ca_files = match own {
            Some(Sourced { value, setting }) => vec![CaFile { path: value, setting }],
            None if uses_tls && !accept.value => machine_files(env),
            None => Vec::new(),
        };
        Ok(Self { tls, ca_files, proxy })
    }
}

/// `SSL_CERT_FILE`, and the directories in `SSL_CERT_DIR`, which may name several as `PATH` does.
fn machine_files(env: &Env<'_>) -> Vec<CaFile> {
    let file = env.path("SSL_CERT_FILE");
    let directories = env.path("SSL_CERT_DIR");
    let directories = directories.iter().flat_map(|found| std::env::split_paths(&found.value));
    let directories = directories.filter(|path| !path.as_os_str().is_empty());
    file.map(|Sourced { value, setting }| CaFile { path: value, setting })
        .into_iter()
        .chain(directories.map(|path| CaFile { path, setting: "SSL_CERT_DIR" }))
        .collect()
}

/// `ARIZE_REQUEST_VERIFY`. An unknown word is an error, so that a misspelt `true` does not switch verification off.
fn verification_off(env: &Env<'_>) -> Result<Sourced<bool>, ConfigError> {
    const NAME: &str = "ARIZE_REQUEST_VERIFY";
    let off = match env.read(NAME)? {
        None => false,
        Some(found) => match found.value.trim().to_ascii_lowercase().as_str() {
            "true" | "t" | "1" | "yes" | "y" | "on" => false,
            "false" | "f" | "0" | "no" | "n" | "off" => true,
            _ => return Err(found.fault("must be `true` or `false` (or 1, 0, yes, no, on, off)")),
        },
    };
    Ok(Sourced { value: off, setting: NAME })
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::*;
    use crate::config::{EndpointSettings, ProxySetting};

    fn resolve(
        explicit: NetworkSettings,
        host: &str,
        scheme: &str,
        env: &[(&str, &str)],
    ) -> Result<TransportSettings, String> {
        let look_up = |name: &str| env.iter().find(|(n, _)| *n == name).map(|(_, value)| OsString::from(value));
        let env = Env::new(&look_up);
        let place = EndpointSettings {
            host: Some(host.into()),
            scheme: Some(scheme.into()),
            allow_insecure_http: true,
            ..EndpointSettings::default()
        };
        let endpoint = BaseAddress::resolve(&place, &env).unwrap();
        TransportSettings::resolve(&explicit, &env, &endpoint).map_err(|error| error.to_string())
    }

    /// For the usual endpoint.
    fn usual(explicit: NetworkSettings, env: &[(&str, &str)]) -> Result<TransportSettings, String> {
        resolve(explicit, "api.arize.com", "https", env)
    }

    fn unset() -> NetworkSettings {
        NetworkSettings::default()
    }

    fn ca_files(settings: TransportSettings) -> Vec<(String, String)> {
        settings.ca_files.into_iter().map(|file| (file.setting.to_owned(), file.path.display().to_string())).collect()
    }

    fn ca_file(settings: TransportSettings) -> Option<(String, String)> {
        let mut files = ca_files(settings);
        assert!(files.len() < 2);
        files.pop()
    }

    #[test]
    fn only_known_words_switch_verification() {
        for word in ["true", "T", "1", "yes", "Y", "ON", " true ", ""] {
            assert!(!usual(unset(), &[("ARIZE_REQUEST_VERIFY", word)]).unwrap().tls.accept_invalid_certs, "{word}");
        }
        for word in ["false", "F", "0", "no", "N", "OFF"] {
            assert!(usual(unset(), &[("ARIZE_REQUEST_VERIFY", word)]).unwrap().tls.accept_invalid_certs, "{word}");
        }
        for word in ["tru", "2", "none", "disable", "nein"] {
            assert_eq!(
                usual(unset(), &[("ARIZE_REQUEST_VERIFY", word)]).unwrap_err(),
                "configuration: `ARIZE_REQUEST_VERIFY` must be `true` or `false` (or 1, 0, yes, no, on, off)"
            );
        }
        let explicit = NetworkSettings { accept_invalid_certs: Some(false), ..unset() };
        assert!(!usual(explicit, &[("ARIZE_REQUEST_VERIFY", "false")]).unwrap().tls.accept_invalid_certs);
    }

    #[test]
    fn the_ca_file_comes_from_the_nearest_source() {
        let all = [("ARIZE_SSL_CA_CERT", "arize.pem"), ("SSL_CERT_FILE", "machine.pem")];
        let explicit = NetworkSettings { ca_file: Some("own.pem".into()), ..unset() };
        assert_eq!(ca_file(usual(explicit, &all).unwrap()).unwrap(), ("ca_file".into(), "own.pem".into()));
        assert_eq!(ca_file(usual(unset(), &all).unwrap()).unwrap(), ("ARIZE_SSL_CA_CERT".into(), "arize.pem".into()));
        let machine = ("SSL_CERT_FILE".into(), "machine.pem".into());
        assert_eq!(ca_file(usual(unset(), &all[1..]).unwrap()).unwrap(), machine);
        assert_eq!(ca_file(usual(unset(), &[("SSL_CERT_FILE", " ")]).unwrap()), None);
        let with_directories = [all[0], all[1], ("SSL_CERT_DIR", "one::two")];
        assert_eq!(ca_files(usual(unset(), &with_directories).unwrap()).len(), 1);
        let machine = usual(unset(), &with_directories[1..]).unwrap();
        let setting = |name: &str, path: &str| (name.to_owned(), path.to_owned());
        if cfg!(unix) {
            let directories = [setting("SSL_CERT_DIR", "one"), setting("SSL_CERT_DIR", "two")];
            assert_eq!(ca_files(machine)[1..], directories);
        }
    }

    #[test]
    fn the_ca_file_of_the_machine_matters_only_to_tls() {
        let env = [("SSL_CERT_FILE", "machine.pem")];
        assert_eq!(ca_file(resolve(unset(), "localhost", "http", &env).unwrap()), None);
        let plain = [env[0], ("http_proxy", "http://proxy.example")];
        assert_eq!(ca_file(resolve(unset(), "other.example", "http", &plain).unwrap()), None);
        let proxied = [env[0], ("http_proxy", "https://proxy.example")];
        assert!(ca_file(resolve(unset(), "other.example", "http", &proxied).unwrap()).is_some());
    }

    #[test]
    fn a_ca_file_and_no_verification_exclude_each_other() {
        let off = ("ARIZE_REQUEST_VERIFY", "false");
        assert_eq!(
            usual(NetworkSettings { ca_file: Some("own.pem".into()), ..unset() }, &[off]).unwrap_err(),
            "configuration: `ca_file` has no effect, as `ARIZE_REQUEST_VERIFY` has certificates not checked: set one of \
             them"
        );
        let accept = NetworkSettings { accept_invalid_certs: Some(true), ..unset() };
        assert_eq!(
            usual(accept.clone(), &[("ARIZE_SSL_CA_CERT", "arize.pem")]).unwrap_err(),
            "configuration: `ARIZE_SSL_CA_CERT` has no effect, as `danger_accept_invalid_certs` has certificates not \
             checked: set one of them"
        );
        // Set on many machines, for every program.
        for explicit in [accept, unset()] {
            let settings = usual(explicit, &[off, ("SSL_CERT_FILE", "machine.pem")]).unwrap();
            assert!(settings.tls.accept_invalid_certs && settings.ca_files.is_empty());
        }
    }

    fn proxy(explicit: ProxySetting, host: &str, scheme: &str, env: &[(&str, &str)]) -> Result<String, String> {
        let settings = resolve(NetworkSettings { proxy: explicit, ..unset() }, host, scheme, env)?;
        let Some(proxy) = settings.proxy else { return Ok("direct".into()) };
        let proxy = proxy.to_ureq().unwrap();
        let user = proxy.username().map(|user| format!("{user}:{}@", proxy.password().unwrap_or_default()));
        Ok(format!("{:?} {}{}:{}", proxy.protocol(), user.unwrap_or_default(), proxy.host(), proxy.port()))
    }

    fn from_env(env: &[(&str, &str)]) -> Result<String, String> {
        proxy(ProxySetting::FromEnv, "api.arize.com", "https", env)
    }

    #[test]
    fn the_proxy_comes_from_the_nearest_source() {
        let all = [
            ("ARIZE_PROXY_URL", "http://arize:1"),
            ("HTTPS_PROXY", "http://upper:1"),
            ("https_proxy", "http://lower:1"),
            ("ALL_PROXY", "http://all:1"),
            ("all_proxy", "http://alllower:1"),
            ("HTTP_PROXY", "http://plain:1"),
            ("http_proxy", "http://plainlower:1"),
        ];
        assert_eq!(proxy(ProxySetting::Url("http://own".into()), "h.example", "https", &all).unwrap(), "Http own:80");
        assert_eq!(proxy(ProxySetting::Off, "h.example", "https", &all).unwrap(), "direct");
        for (from, expected) in ["arize", "upper", "lower", "all", "alllower"].into_iter().enumerate() {
            assert_eq!(from_env(&all[from..]).unwrap(), format!("Http {expected}:1"));
        }
        assert_eq!(from_env(&all[5..]).unwrap(), "direct");
        let plain = |env: &[(&str, &str)]| proxy(ProxySetting::FromEnv, "h.example", "http", env).unwrap();
        assert_eq!(plain(&all[1..]), "Http plain:1");
        assert_eq!(plain(&[all[5], all[6], ("REQUEST_METHOD", "GET")]), "Http plainlower:1");
        assert_eq!(plain(&[all[5], all[3], ("REQUEST_METHOD", "GET")]), "Http all:1");
        assert_eq!(from_env(&[("HTTPS_PROXY", ""), ("ALL_PROXY", "http://all:1")]).unwrap(), "Http all:1");
    }

    #[test]
    fn what_goes_to_this_machine_never_leaves_it() {
        for host in ["localhost:8080", "127.0.0.1", "[::1]"] {
            let own = ProxySetting::Url("http://proxy.example".into());
            assert_eq!(proxy(own, host, "http", &[]).unwrap(), "direct");
            for url in ["http://p", "broken://"] {
                assert_eq!(proxy(ProxySetting::FromEnv, host, "https", &[("ALL_PROXY", url)]).unwrap(), "direct");
            }
        }
    }

    #[test]
    fn proxy_urls_that_are_taken() {
        for (url, expected) in [
            ("http://proxy.example:3128", "Http proxy.example:3128"),
            ("HTTPS://Proxy.example/", "Https proxy.example:443"),
            ("proxy.example:3128", "Http proxy.example:3128"),
            (" http://proxy.example ", "Http proxy.example:80"),
            ("http://u:p@proxy.example", "Http u:p@proxy.example:80"),
            ("http://u%40corp:p%3aq+r@proxy.example", "Http u@corp:p:q+r@proxy.example:80"),
            ("http://[2001:db8::1]:3128", "Http [2001:db8::1]:3128"),
        ] {
            assert_eq!(from_env(&[("HTTPS_PROXY", url)]).unwrap(), expected);
        }
    }

    #[test]
    fn proxy_urls_that_are_refused_and_not_repeated() {
        let form = "must be a proxy URL, `http://[user:password@]host[:port]` or `https://…`";
        let user = "has a user name or password with characters that must be percent-encoded";
        let socks = "names a SOCKS proxy: only http:// and https:// proxies are supported";
        for (url, problem) in [
            ("http://", form),
            ("http://planted:notaport", form),
            ("http://planted:0", form),
            ("http://planted.example/path", form),
            ("http://planted.example?x", form),
            ("ftp://planted.example", form),
            ("http://planted example", form),
            ("http://planted:pa ss@proxy.example", user),
            ("http://planted:p%ff@proxy.example", user),
            ("http://planted:pä@proxy.example", user),
            ("socks5://planted.example", socks),
            ("SOCKS4a://planted.example", socks),
        ] {
            for name in ["HTTPS_PROXY", "ARIZE_PROXY_URL"] {
                assert_eq!(
                    from_env(&[(name, url)]).unwrap_err(),
                    format!("configuration: `{name}` {problem}"),
                    "{url}"
                );
            }
            let own = proxy(ProxySetting::Url(url.into()), "h.example", "https", &[]).unwrap_err();
            assert_eq!(own, format!("configuration: `proxy` {problem}"));
        }
    }

    #[test]
    fn no_proxy_exempts_hosts() {
        let exempt = |list: &str, host: &str| {
            let env = [("HTTPS_PROXY", "http://proxy.example"), ("NO_PROXY", list)];
            proxy(ProxySetting::FromEnv, host, "https", &env).unwrap() == "direct"
        };
        for (list, host) in [
            ("*", "api.arize.com"),
            ("api.arize.com", "api.arize.com"),
            ("arize.com", "api.arize.com"),
            (".arize.com", "api.arize.com"),
            ("*.arize.com", "api.arize.com"),
            (".arize.com", "arize.com"),
            ("ARIZE.com.", "API.arize.COM"),
            ("localhost, arize.com", "api.arize.com"),
            ("localhost arize.com", "api.arize.com"),
            ("localhost,\n  arize.com\r\n", "api.arize.com"),
            ("*:443", "api.arize.com"),
            ("*:8443", "192.0.2.1:8443"),
            ("arize.com:443", "api.arize.com"),
            ("arize.com:8443", "api.arize.com:8443"),
            ("192.0.2.1", "192.0.2.1"),
            ("192.0.2.1:443", "192.0.2.1"),
            ("192.0.2.0/24", "192.0.2.77"),
            ("0.0.0.0/0", "192.0.2.77"),
            ("192.0.2.77/32", "192.0.2.77"),
            ("2001:db8::1", "[2001:db8::1]"),
            ("[2001:db8::1]", "[2001:db8::1]"),
            ("[2001:db8::1]:443", "[2001:db8::1]"),
            ("2001:db8::/32", "[2001:db8:ffff::1]"),
            ("[2001:db8::]/32", "[2001:db8:ffff::1]"),
            ("::/0", "[2001:db8:ffff::1]"),
        ] {
            assert!(exempt(list, host), "{list} must cover {host}");
        }
        for (list, host) in [
            (",, ,", "api.arize.com"),
            ("api.arize.com.evil.example", "api.arize.com"),
            ("rize.com", "api.arize.com"),
            ("arize.com:8443", "api.arize.com"),
            ("*:8443", "api.arize.com"),
            ("*:", "api.arize.com"),
            ("arize.com:x", "api.arize.com"),
            ("192.0.2.0/24", "192.0.3.1"),
            ("192.0.2.0/33", "192.0.2.1"),
            ("192.0.2.0/x", "192.0.2.1"),
            ("192.0.2.0/24", "192.0.2.1.example"),
            ("2.1", "192.0.2.1"),
            ("2001:db8::/32", "[2001:db9::1]"),
            ("2001:db8::1", "[2001:db8::2]"),
            (".", "api.arize.com"),
        ] {
            assert!(!exempt(list, host), "{list} must not cover {host}");
        }
        let lower = [("HTTPS_PROXY", "http://proxy.example"), ("no_proxy", "arize.com")];
        assert_eq!(from_env(&lower).unwrap(), "direct");
        let both = [lower[0], lower[1], ("NO_PROXY", "other.example")];
        assert_eq!(from_env(&both).unwrap(), "Http proxy.example:80");
    }

    #[test]
    fn no_proxy_is_not_for_proxies_of_this_service() {
        let env = [("ARIZE_PROXY_URL", "http://arize:1"), ("NO_PROXY", "*")];
        assert_eq!(from_env(&env).unwrap(), "Http arize:1");
        let own = ProxySetting::Url("http://own:1".into());
        assert_eq!(proxy(own, "api.arize.com", "https", &env).unwrap(), "Http own:1");
    }
}
