//! The profiles of the official command line `ax`, read and never written: `~/.arize/profiles/NAME.toml`.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use arize_api_keys::secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::args::{Connection, is_blank};
use crate::console::Console;
use crate::failure::{Code, Effect, Failure};
use crate::redact::printable;
use crate::system::System;
use crate::{input, messages};

/// The profile that older versions of `ax` keep in `config.toml`.
const DEFAULT: &str = "default";

/// More than a profile has, in bytes.
const FILE_LIMIT: u64 = 256 * 1024;

/// The names that `ax` has for regions besides their ids.
const REGION_ALIASES: [(&str, &str); 3] = [("US", "us-east-1b"), ("CA", "ca-central-1a"), ("EU", "eu-west-1a")];

/// A profile, with its variables replaced.
pub(crate) struct Profile {
    pub(crate) name: String,
    pub(crate) key: SecretString,
    /// Whether certificates are checked.
    pub(crate) verify: Option<bool>,
    routing: Routing,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Document {
    auth: Auth,
    routing: Routing,
    security: Security,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Auth {
    auth_method: Option<String>,
    api_key: Option<String>,
    oauth: Option<BTreeMap<String, IgnoredAny>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Routing {
    region: Option<String>,
    single_host: Option<String>,
    single_port: Option<Scalar>,
    base_domain: Option<String>,
    api_host: Option<String>,
    api_scheme: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Security {
    request_verify: Option<Scalar>,
}

/// `ax` writes text, people write what it means.
#[derive(Deserialize)]
#[serde(untagged)]
enum Scalar {
    Bool(bool),
    Number(u16),
    Text(String),
}

/// The profile that `--profile` or `ARIZE_PROFILE` names. `None` without either: no profile is used unless it is named.
pub(crate) fn named(console: &Console) -> Result<Option<Profile>, Failure> {
    let system = &*console.system;
    if let Some(name) = &console.global.connection.profile {
        return read(name, console).map(Some);
    }
    let variable = |name: &str| system.variable(name).and_then(|value| value.into_string().ok());
    let Some(name) = variable("ARIZE_PROFILE").filter(|name| !is_blank(name)) else { return Ok(None) };
    for key in ["ARIZE_API_KEY", "ARIZE_API_KEY_FILE"] {
        if variable(key).is_some_and(|value| !is_blank(&value)) {
            let message = format!("ARIZE_PROFILE and {key} are both set, and each names a key");
            return Err(Failure::new(Code::Usage, message).hint("unset one of them, or pass --profile NAME"));
        }
    }
    read(name.trim(), console).map(Some)
}

impl Profile {
    /// The URL of the service. An option replaces the part of the profile that it is about.
    pub(crate) fn url(&self, args: &Connection, console: &Console) -> Result<String, Failure> {
        let own = &self.routing;
        // Each of these replaces the host, so that one of them replaces the others.
        let is_placed = args.region.is_some()
            || args.single_host.is_some()
            || args.single_port.is_some()
            || args.base_domain.is_some()
            || args.host.is_some();
        let (region, single_host, base_domain, host) = if is_placed {
            (&args.region, &args.single_host, &args.base_domain, &args.host)
        } else {
            (&own.region, &own.single_host, &own.base_domain, &own.api_host)
        };
        let single_port = if is_placed { args.single_port } else { self.single_port()? };
        // A client without the environment: it sends nothing.
        let mut builder = console.system.client().ignore_env().api_key("no-key");
        for (value, set) in [
            (region, arize_api_keys::ClientBuilder::region as fn(_, _) -> _),
            (single_host, arize_api_keys::ClientBuilder::single_host),
            (base_domain, arize_api_keys::ClientBuilder::base_domain),
            (host, arize_api_keys::ClientBuilder::host),
            (args.scheme.as_ref().map_or(&own.api_scheme, |_| &args.scheme), arize_api_keys::ClientBuilder::scheme),
        ] {
            if let Some(value) = value {
                builder = set(builder, value.clone());
            }
        }
        if let Some(port) = single_port {
            builder = builder.single_port(port);
        }
        if let Some(port) = args.port {
            builder = builder.port(port);
        }
        if args.allow_insecure_http {
            builder = builder.allow_insecure_http();
        }
        match builder.build() {
            Ok(client) => Ok(client.endpoint()),
            Err(error) => {
                let failure = Failure::sdk(&error, Effect::Read);
                Err(Failure {
                    message: format!("the profile `{}`: {}", printable(&self.name), messages::of(&error)),
                    ..failure
                })
            }
        }
    }

    fn single_port(&self) -> Result<Option<u16>, Failure> {
        match &self.routing.single_port {
            None | Some(Scalar::Bool(_)) => Ok(None),
            Some(Scalar::Number(port)) => Ok(Some(*port)),
            Some(Scalar::Text(text)) => {
                let port = text
                    .trim()
                    .parse()
                    .map_err(|_| wrong(&self.name, "`single_port` must be a number from 0 to 65535"))?;
                Ok(Some(port))
            }
        }
    }
}

fn wrong(name: &str, problem: &str) -> Failure {
    Failure::new(Code::Usage, format!("the profile `{}`: {problem}", printable(name)))
}

/// The files that a profile may be in.
pub(crate) fn files(name: &str, system: &dyn System) -> Vec<PathBuf> {
    let old = (name == DEFAULT).then(|| old_default(system));
    [place(name, system)].into_iter().chain(old).collect()
}

fn place(name: &str, system: &dyn System) -> PathBuf {
    folder(system).join("profiles").join(format!("{name}.toml"))
}

fn old_default(system: &dyn System) -> PathBuf {
    folder(system).join("config.toml")
}

fn folder(system: &dyn System) -> PathBuf {
    let home = system.variable("HOME").or_else(|| system.variable("USERPROFILE")).unwrap_or_default();
    PathBuf::from(home).join(".arize")
}

fn read(name: &str, console: &Console) -> Result<Profile, Failure> {
    let system = &*console.system;
    let is_name = !name.contains(['/', '\\']) && !matches!(name, "." | "..");
    if !is_name {
        return Err(wrong(name, "a name of a profile is no path"));
    }
    let path = place(name, system);
    let text = match input::read_text(&path, FILE_LIMIT, console) {
        Err(error) if error.kind() == ErrorKind::NotFound && name == DEFAULT => {
            input::read_text(&old_default(system), FILE_LIMIT, console)
        }
        read => read,
    };
    let text = SecretString::from(text.map_err(|error| Failure::input("read the profile", &path, &error))?);
    parse(name, &path, text.expose_secret(), &|name| system.variable(name).and_then(|value| value.into_string().ok()))
}

fn parse(name: &str, path: &Path, text: &str, variable: &dyn Fn(&str) -> Option<String>) -> Result<Profile, Failure> {
    let document: Document = toml::from_str(text).map_err(|error| {
        // The error itself shows the line, which may hold the key.
        let end = error.span().map_or(0, |span| span.start);
        let line = text.get(..end).unwrap_or_default().matches('\n').count() + 1;
        wrong(name, &format!("line {line} of `{}` is no such setting in TOML", printable(path.display())))
    })?;
    let expand = |text: Option<String>| -> Result<Option<String>, Failure> {
        let text = text.map(|text| expanded(&text, variable)).transpose().map_err(|problem| wrong(name, &problem))?;
        Ok(text.filter(|text| !is_blank(text)))
    };
    let scalar = |value: Option<Scalar>| -> Result<Option<Scalar>, Failure> {
        match value {
            Some(Scalar::Text(text)) => Ok(expand(Some(text))?.map(Scalar::Text)),
            other => Ok(other),
        }
    };
    let Document { auth, routing, security } = document;
    let key = expand(auth.api_key)?;
    let method = expand(auth.auth_method)?.map(|method| method.to_ascii_lowercase());
    let has_oauth = auth.oauth.is_some_and(|table| !table.is_empty());
    let key = match (method.as_deref(), key, has_oauth) {
        (Some("api-key") | None, Some(key), false) => SecretString::from(key),
        (Some("oauth"), None, _) | (None, None, true) => {
            let failure = wrong(name, "it logs in with OAuth, and this program needs an API key");
            return Err(failure.hint("create a key with `ax api-keys create`, and set ARIZE_API_KEY"));
        }
        (Some("oauth"), Some(_), _) => {
            return Err(wrong(name, "it logs in with OAuth and holds an API key: remove one"));
        }
        (_, Some(_), true) => return Err(wrong(name, "it holds an API key and an OAuth login: remove one")),
        (Some("api-key") | None, None, _) => return Err(wrong(name, "it holds no API key")),
        (Some(_), _, _) => return Err(wrong(name, "`auth_method` must be `api-key` or `oauth`")),
    };
    let region = expand(routing.region)?.map(|region| {
        let alias = REGION_ALIASES.iter().find(|(alias, _)| alias.eq_ignore_ascii_case(region.trim()));
        alias.map_or(region, |(_, id)| (*id).to_owned())
    });
    let verify = match scalar(security.request_verify)? {
        None | Some(Scalar::Number(_)) => None,
        Some(Scalar::Bool(verify)) => Some(verify),
        Some(Scalar::Text(word)) => {
            Some(matches!(word.trim().to_ascii_lowercase().as_str(), "1" | "true" | "yes" | "on"))
        }
    };
    let routing = Routing {
        region,
        single_host: expand(routing.single_host)?,
        single_port: scalar(routing.single_port)?,
        base_domain: expand(routing.base_domain)?,
        api_host: expand(routing.api_host)?,
        api_scheme: expand(routing.api_scheme)?,
    };
    Ok(Profile { name: name.to_owned(), key, verify, routing })
}

/// The text with each `${NAME}` and `${NAME:default}` replaced. A variable that is set to nothing is set.
fn expanded(text: &str, variable: &dyn Fn(&str) -> Option<String>) -> Result<String, String> {
    let mut expanded = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let Some((inner, after)) = after.split_once('}') else { break };
        let (name, default) = inner.split_once(':').map_or((inner, None), |(name, default)| (name, Some(default)));
        let value = variable(name).or_else(|| default.map(str::to_owned));
        let value =
            value.ok_or_else(|| format!("the variable `{}` is not set, and has no default", printable(name)))?;
        expanded.push_str(before);
        expanded.push_str(&value);
        rest = after;
    }
    expanded.push_str(rest);
    Ok(expanded)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(name: &str) -> Option<String> {
        match name {
            "KEY" => Some("ak-from-the-environment".to_owned()),
            "EMPTY" => Some(String::new()),
            _ => None,
        }
    }

    fn profile(text: &str) -> Result<Profile, String> {
        parse("p", Path::new("p.toml"), text, &variables).map_err(|failure| failure.message)
    }

    #[test]
    fn variables_in_texts() {
        for (text, expected) in [
            ("plain", Ok("plain")),
            ("${KEY}", Ok("ak-from-the-environment")),
            ("a${EMPTY}b${NONE:c}d${NONE:}", Ok("abcd")),
            ("${KEY:x}", Ok("ak-from-the-environment")),
            ("${NONE:http://h:1}", Ok("http://h:1")),
            ("${EMPTY:x}", Ok("")),
            ("$KEY ${KEY", Ok("$KEY ${KEY")),
            ("${NONE}", Err("the variable `NONE` is not set, and has no default")),
        ] {
            assert_eq!(expanded(text, &variables).as_deref(), expected.map_err(str::to_owned).as_deref(), "{text}");
        }
    }

    #[test]
    fn keys_and_logins() {
        let key = |text: &str| profile(text).map(|profile| profile.key.expose_secret().to_owned());
        assert_eq!(key("[auth]\nauth_method = \"api-key\"\napi_key = \"ak-x\""), Ok("ak-x".to_owned()));
        assert_eq!(key("[auth]\napi_key = \"${KEY}\"\n[output]\nformat = 3"), Ok("ak-from-the-environment".to_owned()));
        for (text, problem) in [
            ("", "it holds no API key"),
            ("[auth]\nauth_method = \"api-key\"\napi_key = \"${EMPTY}\"", "it holds no API key"),
            (
                "[auth]\nauth_method = \"oauth\"\n[auth.oauth]\naccess_token = \"t\"",
                "it logs in with OAuth, and this program needs an API key",
            ),
            ("[auth.oauth]\naccess_token = \"t\"", "it logs in with OAuth, and this program needs an API key"),
            (
                "[auth]\nauth_method = \"oauth\"\napi_key = \"k\"",
                "it logs in with OAuth and holds an API key: remove one",
            ),
            (
                "[auth]\napi_key = \"k\"\n[auth.oauth]\naccess_token = \"t\"",
                "it holds an API key and an OAuth login: remove one",
            ),
            ("[auth]\nauth_method = \"saml\"\napi_key = \"k\"", "`auth_method` must be `api-key` or `oauth`"),
            ("[auth]\napi_key = ak-secret", "line 2 of `p.toml` is no such setting in TOML"),
            ("[auth]\napi_key = [\"ak-secret\"]", "line 2 of `p.toml` is no such setting in TOML"),
            ("[auth]\napi_key = \"${NONE}\"", "the variable `NONE` is not set, and has no default"),
        ] {
            assert_eq!(key(text), Err(format!("the profile `p`: {problem}")), "{text}");
        }
    }

    #[test]
    fn verification() {
        for (value, expected) in [
            ("true", Some(true)),
            ("false", Some(false)),
            ("\"Yes\"", Some(true)),
            ("\"on\"", Some(true)),
            ("\"0\"", Some(false)),
            ("\"${EMPTY}\"", None),
            ("\"${NONE:1}\"", Some(true)),
        ] {
            let text = format!("[auth]\napi_key = \"k\"\n[security]\nrequest_verify = {value}");
            assert_eq!(profile(&text).unwrap().verify, expected, "{value}");
        }
    }
}
