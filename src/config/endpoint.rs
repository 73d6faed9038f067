//! The address of the service.

use std::borrow::Cow;
use std::fmt;

use http::Uri;
use http::uri::{Authority, PathAndQuery, Scheme};

use super::source::{Env, Sourced};
use crate::authority::{is_loopback, parse_port, split_port};
use crate::error::ConfigError;

const DEFAULT_HOST: &str = "api.arize.com";

const REGIONS: [&str; 4] = ["ca-central-1a", "eu-west-1a", "us-central-1a", "us-east-1b"];

/// The settings that decide where requests go.
#[derive(Clone, Default)]
pub(crate) struct EndpointSettings {
    pub(crate) url: Option<String>,
    pub(crate) host: Option<String>,
    pub(crate) scheme: Option<String>,
    pub(crate) port: Option<u16>,
    pub(crate) region: Option<String>,
    pub(crate) single_host: Option<String>,
    pub(crate) single_port: Option<u16>,
    pub(crate) base_domain: Option<String>,
    pub(crate) allow_insecure_http: bool,
}

/// Hosts without a user name and password before them: they are refused, but only when the client is built.
impl fmt::Debug for EndpointSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host =
            |text: &Option<String>| text.as_ref().map(|text| text.rsplit('@').next().unwrap_or_default().to_owned());
        f.debug_struct("EndpointSettings")
            .field("url", &host(&self.url))
            .field("host", &host(&self.host))
            .field("scheme", &self.scheme)
            .field("port", &self.port)
            .field("region", &self.region)
            .field("single_host", &host(&self.single_host))
            .field("single_port", &self.single_port)
            .field("base_domain", &host(&self.base_domain))
            .field("allow_insecure_http", &self.allow_insecure_http)
            .finish()
    }
}

/// The one origin that a client talks to, and the path that stands before every path of the API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BaseAddress {
    scheme: Scheme,
    authority: Authority,
    /// Empty, or `/…` without a slash at the end.
    prefix: String,
}

impl BaseAddress {
    /// The URI of a path that begins with a slash, with its query.
    pub(crate) fn uri(&self, path_and_query: &str) -> Result<Uri, http::Error> {
        let path = if self.prefix.is_empty() {
            PathAndQuery::try_from(path_and_query)?
        } else {
            PathAndQuery::try_from([&self.prefix, path_and_query].concat())?
        };
        Uri::builder().scheme(self.scheme.clone()).authority(self.authority.clone()).path_and_query(path).build()
    }

    #[cfg(feature = "ureq")]
    pub(crate) fn is_https(&self) -> bool {
        self.scheme == Scheme::HTTPS
    }

    #[cfg(feature = "ureq")]
    pub(crate) fn host(&self) -> &str {
        self.authority.host()
    }

    #[cfg(feature = "ureq")]
    pub(crate) fn port(&self) -> u16 {
        self.authority.port_u16().unwrap_or(default_port(self.is_https()))
    }

    /// Each setting is explicit, else from the environment, else its default. A region, a single host and a base domain
    /// exclude each other, from any source, and override the host. An explicit host is not overridden by the
    /// environment, and neither is the port in an explicit setting.
    pub(crate) fn resolve(explicit: &EndpointSettings, env: &Env<'_>) -> Result<Self, ConfigError> {
        if let Some(url) = &explicit.url {
            return Self::from_url(url, explicit);
        }
        let nothing = Env::new(&|_| None);
        let overriding = if explicit.host.is_some() { &nothing } else { env };
        let single_host =
            overriding.or_explicit(explicit.single_host.as_deref(), "single_host", "ARIZE_SINGLE_HOST")?;
        let region = overriding.or_explicit(explicit.region.as_deref(), "region", "ARIZE_REGION")?;
        let base_domain =
            overriding.or_explicit(explicit.base_domain.as_deref(), "base_domain", "ARIZE_BASE_DOMAIN")?;
        let single_port = port(overriding, explicit.single_port, "single_port", "ARIZE_SINGLE_PORT")?;
        let single = single_host.as_ref().map(|host| host.setting).or(single_port.as_ref().map(|port| port.setting));
        let places = [region.as_ref().map(|region| region.setting), single, base_domain.as_ref().map(|d| d.setting)];
        exclude(&places.into_iter().flatten().collect::<Vec<_>>())?;

        let port = port(env, explicit.port, "port", "ARIZE_API_PORT")?;
        let scheme = env.or_explicit(explicit.scheme.as_deref(), "scheme", "ARIZE_API_SCHEME")?;
        let https = is_https(scheme.as_ref())?;

        let (place, is_explicit) = place(explicit, env, region, single_host, base_domain)?;
        let HostSpec { host, port: own_port, prefix } =
            HostSpec::parse(place.value.trim()).map_err(|p| place.fault(p))?;

        let insecure = scheme.filter(|_| !https);
        if let Some(scheme) = insecure.filter(|_| !explicit.allow_insecure_http && !is_loopback(&host)) {
            return Err(scheme.fault(plain_http(&host)));
        }
        // The explicit ports first, that of an explicit host among them.
        let from = |port: &Option<Sourced<u16>>, is_explicit: bool, is_set: bool| {
            port.as_ref().filter(|_| is_explicit == is_set).map(|port| port.value)
        };
        let port = from(&port, true, explicit.port.is_some())
            .or(from(&single_port, true, explicit.single_port.is_some()))
            .or(own_port.filter(|_| is_explicit))
            .or(from(&port, false, explicit.port.is_some()))
            .or(from(&single_port, false, explicit.single_port.is_some()))
            .or(own_port);
        Self::new(https, &host, port, prefix).map_err(|problem| place.fault(problem))
    }

    /// `url` sets everything at once, so no variable adds to it.
    fn from_url(url: &str, explicit: &EndpointSettings) -> Result<Self, ConfigError> {
        let others = [
            ("host", explicit.host.is_some()),
            ("scheme", explicit.scheme.is_some()),
            ("port", explicit.port.is_some()),
            ("region", explicit.region.is_some()),
            ("single_host", explicit.single_host.is_some()),
            ("single_port", explicit.single_port.is_some()),
            ("base_domain", explicit.base_domain.is_some()),
        ];
        if let Some((other, _)) = others.into_iter().find(|(_, is_set)| *is_set) {
            return Err(ConfigError::new("url", format!("excludes `{other}`: set one of them")));
        }
        let fault = |problem: Cow<'static, str>| ConfigError::new("url", problem);
        let (scheme, rest) = url.trim().split_once("://").ok_or_else(|| {
            fault("must be a URL: `https://host[:port][/path]`, or `http://…` to this machine".into())
        })?;
        let scheme = Sourced { value: scheme.to_owned(), setting: "url" };
        let https = is_https(Some(&scheme)).map_err(|_| fault("must begin with `https://` or `http://`".into()))?;
        let HostSpec { host, port, prefix } = HostSpec::parse(rest).map_err(|problem| fault(problem.into()))?;
        if !https && !explicit.allow_insecure_http && !is_loopback(&host) {
            return Err(fault(plain_http(&host).into()));
        }
        Self::new(https, &host, port, prefix).map_err(|problem| fault(problem.into()))
    }

    fn new(https: bool, host: &str, port: Option<u16>, prefix: String) -> Result<Self, &'static str> {
        let authority = match port.filter(|port| *port != default_port(https)) {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        };
        let authority = Authority::try_from(authority).map_err(|_| "is not a host name")?;
        Ok(Self { scheme: if https { Scheme::HTTPS } else { Scheme::HTTP }, authority, prefix })
    }
}

/// The host, as users write it, and whether it is an explicit setting.
fn place(
    explicit: &EndpointSettings,
    env: &Env<'_>,
    region: Option<Sourced<String>>,
    single_host: Option<Sourced<String>>,
    base_domain: Option<Sourced<String>>,
) -> Result<(Sourced<String>, bool), ConfigError> {
    if let Some(region) = region {
        let name = region.value.trim();
        if !REGIONS.contains(&name) {
            return Err(region.fault(format!("must be one of {}", REGIONS.join(", "))));
        }
        return Ok((Sourced { value: format!("api.{name}.arize.com"), setting: region.setting }, false));
    }
    if let Some(host) = single_host {
        return Ok((host, explicit.single_host.is_some()));
    }
    if let Some(domain) = base_domain {
        let trimmed = domain.value.trim();
        if trimmed.is_empty() {
            return Err(domain.fault("must not be blank"));
        }
        let value = format!("api.{trimmed}");
        return Ok((Sourced { value, setting: domain.setting }, explicit.base_domain.is_some()));
    }
    let host = env.or_explicit(explicit.host.as_deref(), "host", "ARIZE_API_HOST")?;
    let host = host.unwrap_or_else(|| Sourced { value: DEFAULT_HOST.to_owned(), setting: "host" });
    Ok((host, explicit.host.is_some()))
}

fn plain_http(host: &str) -> String {
    format!(
        "is plain http, which would show the API key to everyone on the network path to {host}: use https, or call \
         `allow_insecure_http()`"
    )
}

/// As a URL without a slash at the end.
impl fmt::Display for BaseAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}{}", self.scheme, self.authority, self.prefix)
    }
}

/// The settings that are set, of those that exclude each other.
fn exclude(settings: &[&'static str]) -> Result<(), ConfigError> {
    if let [first, others @ ..] = settings
        && !others.is_empty()
    {
        let others = others.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" and ");
        let problem = format!("excludes {others}: set one of a region, a single host and a base domain");
        return Err(ConfigError::new(first, problem));
    }
    Ok(())
}

fn is_https(scheme: Option<&Sourced<String>>) -> Result<bool, ConfigError> {
    match scheme {
        None => Ok(true),
        Some(scheme) if scheme.value.trim().eq_ignore_ascii_case("https") => Ok(true),
        Some(scheme) if scheme.value.trim().eq_ignore_ascii_case("http") => Ok(false),
        Some(scheme) => Err(scheme.fault("must be `https` or `http`")),
    }
}

fn default_port(https: bool) -> u16 {
    if https { 443 } else { 80 }
}

/// A port; 0 means not set.
fn port(
    env: &Env<'_>,
    explicit: Option<u16>,
    setter: &'static str,
    name: &'static str,
) -> Result<Option<Sourced<u16>>, ConfigError> {
    let port = if let Some(value) = explicit {
        Sourced { value, setting: setter }
    } else if let Some(found) = env.read(name)? {
        match parse_port(found.value.trim()) {
            Some(value) => Sourced { value, setting: found.setting },
            None => return Err(found.fault("must be a number from 0 to 65535")),
        }
    } else {
        return Ok(None);
    };
    Ok(Some(port).filter(|port| port.value != 0))
}

/// A host as users write it, taken apart: `host[:port][/path]`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct HostSpec {
    /// In lower case; an IPv6 address in brackets.
    pub(super) host: String,
    pub(super) port: Option<u16>,
    pub(super) prefix: String,
}

impl HostSpec {
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        if text.is_empty() {
            return Err("must not be blank");
        }
        if !text.bytes().all(|b| b.is_ascii_graphic()) {
            return Err("must be ASCII, without blanks and control characters");
        }
        if text.contains("://") {
            return Err("must be a host without a scheme: `scheme` and ARIZE_API_SCHEME set that");
        }
        if text.contains(['@', '?', '#', '\\']) {
            return Err("must be a host, with a port and a path at most: no user, query or fragment");
        }
        let (authority, path) = text.split_at(text.find('/').unwrap_or(text.len()));
        let (host, port) = split_port(authority)?;
        Ok(Self { host, port, prefix: prefix(path)? })
    }
}

fn prefix(path: &str) -> Result<String, &'static str> {
    let path = path.trim_end_matches('/');
    for segment in path.split('/').skip(1) {
        let dots = segment.to_ascii_lowercase().replace("%2e", ".");
        if matches!(dots.as_str(), "" | "." | "..") {
            return Err("has a path with an empty segment, `.` or `..`");
        }
    }
    if !path.is_empty() && PathAndQuery::try_from(path).is_err() {
        return Err("has a path with characters that a URL cannot hold");
    }
    Ok(path.to_owned())
}
