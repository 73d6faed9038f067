//! TLS and proxy of the default transport.

use super::NetworkSettings;
use super::endpoint::Endpoint;
use super::proxy;
use super::source::{Env, Sourced};
use crate::error::ConfigError;
use crate::ureq_transport::{CaFile, TransportSettings};

impl TransportSettings {
    pub(super) fn resolve(explicit: &NetworkSettings, env: &Env<'_>, endpoint: &Endpoint) -> Result<Self, ConfigError> {
        let proxy = proxy::choose(&explicit.proxy, env, endpoint)?;
        let accept = match explicit.accept_invalid_certs {
            Some(value) => Sourced { value, setting: "danger_accept_invalid_certs".into() },
            None => verification_off(env)?,
        };
        let own = match &explicit.ca_file {
            Some(path) => Some(Sourced { value: path.clone(), setting: "ca_file".into() }),
            None => env.path("ARIZE_SSL_CA_CERT"),
        };
        if let Some(file) = own.as_ref().filter(|_| accept.value) {
            let problem =
                format!("has no effect, as `{}` has certificates not checked: set one of them", accept.setting);
            return Err(file.fault(problem));
        }
        // A variable that is set for the whole machine shall not break a client that does not use it.
        let uses_tls = endpoint.is_https() || proxy.as_ref().is_some_and(|proxy| proxy.is_https());
        let shared = || env.path("SSL_CERT_FILE").filter(|_| uses_tls && !accept.value);
        let ca_file = own.or_else(shared).map(|Sourced { value, setting }| CaFile { path: value, setting });
        Ok(Self { ca_file, accept_invalid_certs: accept.value, proxy })
    }
}

/// `ARIZE_REQUEST_VERIFY`. A word that is not known is an error: whoever mistypes `true` must not lose TLS for it.
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
    Ok(Sourced { value: off, setting: NAME.into() })
}
