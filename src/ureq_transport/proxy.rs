//! Which proxy, if any.

use std::net::IpAddr;

use secrecy::{ExposeSecret, SecretString};

use crate::authority::{is_loopback, split_port, without_brackets};
use crate::config::{BaseAddress, Env, ProxySetting, Sourced};
use crate::error::ConfigError;

/// The URL of a proxy, checked. It may hold a password.
#[derive(Clone, Debug)]
pub(super) struct ProxyUrl {
    url: SecretString,
    https: bool,
    setting: &'static str,
}

impl ProxyUrl {
    pub(super) fn parse(url: &str, setting: &'static str) -> Result<Self, ConfigError> {
        match normal_form(url.trim()) {
            Ok((url, https)) => Ok(Self { url: url.into(), https, setting }),
            Err(problem) => Err(ConfigError::new(setting, problem)),
        }
    }

    pub(super) fn is_https(&self) -> bool {
        self.https
    }

    pub(super) fn to_ureq(&self) -> Result<ureq::Proxy, ConfigError> {
        // No source: ureq's error is not known to keep the password to itself.
        ureq::Proxy::new(self.url.expose_secret())
            .map_err(|_| ConfigError::new(self.setting, "is not a URL that a proxy can have"))
    }
}

/// The URL with its scheme and without a path, and whether the connection to the proxy uses TLS.
fn normal_form(url: &str) -> Result<(String, bool), &'static str> {
    const FORM: &str = "must be a proxy URL, `http://[user:password@]host[:port]` or `https://…`";
    let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
    let https = match scheme.to_ascii_lowercase().as_str() {
        "http" => false,
        "https" => true,
        scheme if scheme.starts_with("socks") => {
            return Err("names a SOCKS proxy: only http:// and https:// proxies are supported");
        }
        _ => return Err(FORM),
    };
    let authority = rest.strip_suffix('/').unwrap_or(rest);
    let (user, host) = match authority.rsplit_once('@') {
        Some((user, host)) => (Some(user), host),
        None => (None, authority),
    };
    let (host, port) = split_port(host).map_err(|_| FORM)?;
    let mut normal = format!("{}://", if https { "https" } else { "http" });
    if let Some(user) = user {
        if !is_user_info(user) {
            return Err("has a user name or password with characters that must be percent-encoded");
        }
        normal.push_str(user);
        normal.push('@');
    }
    normal.push_str(&host);
    if let Some(port) = port {
        normal.push_str(&format!(":{port}"));
    }
    Ok((normal, https))
}

fn is_user_info(text: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:%".contains(&b);
    text.bytes().all(allowed) && percent_encoding::percent_decode_str(text).decode_utf8().is_ok()
}

/// The proxy for an endpoint: what the program says, or else `ARIZE_PROXY_URL`, or else the variables that every program
/// knows, which `NO_PROXY` is for. A request to this machine never leaves it.
pub(super) fn choose(
    explicit: &ProxySetting,
    env: &Env<'_>,
    endpoint: &BaseAddress,
) -> Result<Option<ProxyUrl>, ConfigError> {
    let this_machine = is_loopback(endpoint.host());
    match explicit {
        ProxySetting::Off => Ok(None),
        ProxySetting::Url(url) => Ok(Some(ProxyUrl::parse(url.expose_secret(), "proxy")?).filter(|_| !this_machine)),
        ProxySetting::FromEnv if this_machine => Ok(None),
        ProxySetting::FromEnv => from_env(env, endpoint),
    }
}

fn from_env(env: &Env<'_>, endpoint: &BaseAddress) -> Result<Option<ProxyUrl>, ConfigError> {
    if let Some(Sourced { value, setting }) = env.read("ARIZE_PROXY_URL")? {
        return ProxyUrl::parse(&value, setting).map(Some);
    }
    let names: &[&'static str] = match (endpoint.is_https(), env.is_set("REQUEST_METHOD")) {
        (true, _) => &["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"],
        (false, false) => &["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"],
        // Under CGI, HTTP_PROXY is a header of the request, so anyone can set it.
        (false, true) => &["http_proxy", "ALL_PROXY", "all_proxy"],
    };
    for name in names {
        if let Some(Sourced { value, setting }) = env.read(name)? {
            let direct = is_exempt(env, endpoint)?;
            return if direct { Ok(None) } else { ProxyUrl::parse(&value, setting).map(Some) };
        }
    }
    Ok(None)
}

fn is_exempt(env: &Env<'_>, endpoint: &BaseAddress) -> Result<bool, ConfigError> {
    let list = match env.read("NO_PROXY")? {
        Some(list) => Some(list),
        None => env.read("no_proxy")?,
    };
    Ok(list.is_some_and(|list| no_proxy_covers(&list.value, endpoint.host(), endpoint.port())))
}

/// Whether a `NO_PROXY` list covers a host of a URI. Entries are separated by commas, blanks or line ends: `*`, a domain
/// (which covers its subdomains, with or without `.` or `*.` before it), an address or a range of addresses, each but the
/// range with a port or without.
fn no_proxy_covers(list: &str, host: &str, port: u16) -> bool {
    let host = without_brackets(host);
    list.split(|c: char| c == ',' || c.is_whitespace()).any(|entry| covers(entry, host, port))
}

fn covers(entry: &str, host: &str, port: u16) -> bool {
    let address: Option<IpAddr> = host.parse().ok();
    if let Some((network, length)) = entry.split_once('/') {
        return address.is_some_and(|address| in_network(address, without_brackets(network), length));
    }
    // An IPv6 address without brackets has colons, and no port.
    let (name, entry_port) = match entry.rsplit_once(':') {
        Some((name, entry_port)) if entry.parse::<IpAddr>().is_err() && !entry.ends_with(']') => {
            (name, Some(entry_port))
        }
        _ => (entry, None),
    };
    if entry_port.is_some_and(|entry_port| entry_port.parse() != Ok(port)) {
        return false;
    }
    if name == "*" {
        return true;
    }
    let name = without_brackets(name);
    if let Some(address) = address {
        return name.parse::<IpAddr>().is_ok_and(|entry| entry.to_canonical() == address.to_canonical());
    }
    let domain = name.strip_prefix('*').unwrap_or(name);
    let domain = domain.strip_prefix('.').unwrap_or(domain);
    let domain = domain.strip_suffix('.').unwrap_or(domain).to_ascii_lowercase();
    let host = host.to_ascii_lowercase();
    let before = host.strip_suffix(&domain);
    !domain.is_empty() && before.is_some_and(|before| before.is_empty() || before.ends_with('.'))
}

fn in_network(address: IpAddr, network: &str, length: &str) -> bool {
    let (Ok(network), Ok(length)) = (network.parse::<IpAddr>(), length.parse::<u32>()) else { return false };
    match (address.to_canonical(), network) {
        (IpAddr::V4(a), IpAddr::V4(n)) => same_prefix(u128::from(a.to_bits()), u128::from(n.to_bits()), 32, length),
        (IpAddr::V6(a), IpAddr::V6(n)) => same_prefix(a.to_bits(), n.to_bits(), 128, length),
        _ => false,
    }
}

/// Whether two numbers of `width` bits agree in the first `length`.
fn same_prefix(a: u128, b: u128, width: u32, length: u32) -> bool {
    length <= width && (a ^ b).checked_shr(width - length).unwrap_or(0) == 0
}
