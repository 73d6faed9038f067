//! The options that say where requests go, and with which key.

use std::path::PathBuf;
use std::time::Duration;

use arize_api_keys::{ApiStage, TlsBackend, TlsRoots};
use clap::Args;

use super::values;
use crate::{env_file, times};

/// The settings of the client. The environment fills in for the ones not given, then the defaults.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Connection")]
pub(crate) struct Connection {
    /// A file that holds the API key, `-` for stdin [instead of ARIZE_API_KEY]
    #[arg(long, global = true, value_name = "FILE", value_parser = values::path())]
    pub(crate) api_key_file: Option<PathBuf>,
    /// A `.env` file that holds the API key [instead of ARIZE_API_KEY]
    #[arg(long, global = true, value_name = "FILE", value_parser = values::path())]
    pub(crate) api_key_env_file: Option<PathBuf>,
    /// The variable that holds the API key in the file of --api-key-env-file [default: ARIZE_API_KEY]
    #[arg(long, global = true, value_name = "NAME", value_parser = env_file::name)]
    pub(crate) api_key_env_name: Option<String>,
    /// A profile of the official command line `ax`: its key and its address [env: ARIZE_PROFILE]
    #[arg(long, global = true, value_name = "NAME", value_parser = values::text())]
    pub(crate) profile: Option<String>,
    /// The URL of the service: scheme, host, port and base path in one, `http://127.0.0.1:4010`
    #[arg(long, global = true, value_name = "URL", value_parser = values::text())]
    pub(crate) url: Option<String>,
    /// The region of the account, like `eu-west-1a` [env: ARIZE_REGION]
    #[arg(long, global = true, value_parser = values::text())]
    pub(crate) region: Option<String>,
    /// The stage of the API [env: ARIZE_API_STAGE] [default: beta]
    #[arg(long, global = true, value_parser = values::stage())]
    pub(crate) stage: Option<ApiStage>,
    /// The host of the service [env: ARIZE_API_HOST] [default: api.arize.com]
    #[arg(long, global = true, hide_short_help = true, value_parser = values::text())]
    pub(crate) host: Option<String>,
    /// `https`, or `http` to this machine [env: ARIZE_API_SCHEME] [default: https]
    #[arg(long, global = true, hide_short_help = true, value_parser = values::text())]
    pub(crate) scheme: Option<String>,
    /// Allow plain http to any host: everyone on the network path can read the API key and new secrets
    #[arg(long, global = true, hide_short_help = true)]
    pub(crate) allow_insecure_http: bool,
    /// The port of the service [env: ARIZE_API_PORT]
    #[arg(long, global = true, hide_short_help = true)]
    pub(crate) port: Option<u16>,
    /// The host of an installation where one host serves everything [env: ARIZE_SINGLE_HOST]
    #[arg(long, global = true, value_name = "HOST", hide_short_help = true, value_parser = values::text())]
    pub(crate) single_host: Option<String>,
    /// The port that goes with --single-host [env: ARIZE_SINGLE_PORT]
    #[arg(long, global = true, value_name = "PORT", hide_short_help = true)]
    pub(crate) single_port: Option<u16>,
    /// The domain of an installation of one's own [env: ARIZE_BASE_DOMAIN]
    #[arg(long, global = true, value_name = "DOMAIN", hide_short_help = true, value_parser = values::text())]
    pub(crate) base_domain: Option<String>,
    /// The TLS library [default: rustls]; `native-tls` is that of the operating system, if this program was built with it
    #[arg(long, global = true, hide_short_help = true, value_parser = values::tls())]
    pub(crate) tls: Option<TlsBackend>,
    /// The certificate authorities to trust: `webpki` (those of Mozilla) or `platform` (those of the operating system)
    /// [default: webpki, with native-tls platform]
    #[arg(long, global = true, hide_short_help = true, value_parser = values::roots())]
    pub(crate) roots: Option<TlsRoots>,
    /// A PEM file of certificates to trust besides the default ones [env: ARIZE_SSL_CA_CERT]
    #[arg(long, global = true, value_name = "FILE", hide_short_help = true, value_parser = values::path())]
    pub(crate) ca_file: Option<PathBuf>,
    /// Use no proxy, and ignore ARIZE_PROXY_URL, HTTPS_PROXY and others
    #[arg(long, global = true, hide_short_help = true)]
    pub(crate) no_proxy: bool,
    /// The time for the whole command: every request, retry and page, and the output [default: 60s for a call, 10m for all pages of a list]
    #[arg(long, global = true, value_name = "DURATION", allow_hyphen_values = true, value_parser = times::duration, hide_short_help = true)]
    pub(crate) timeout: Option<Duration>,
}
