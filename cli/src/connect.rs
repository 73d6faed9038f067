//! The client that the arguments and the environment describe.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use arize_api_keys::http::header::AUTHORIZATION;
use arize_api_keys::http::{Request, Response};
use arize_api_keys::{ApiKeysClient, ClientBuilder, Error, Transport, TransportError};

use crate::api_key::{Found, Source};
use crate::args::Connection;
use crate::console::Console;
use crate::failure::{Effect, Failure, NOTHING_SENT};
use crate::redact::printable;
use crate::{api_key, profile};

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Silences the pre-release warning, and no other.
const NO_WARNING: &str = "ARIZE_KEYS_NO_WARNING";

/// The time for a walk over pages without `--timeout`.
const WALK_TIMEOUT: Duration = Duration::from_secs(600);

/// The timeout of a call without `--timeout`, and the longest one that the client takes.
const CALL_TIMEOUT: Duration = Duration::from_secs(60);
const MAX_CALL_TIMEOUT: Duration = Duration::from_secs(3600);

/// The client that the arguments and the environment describe. Nothing is sent yet.
pub(crate) fn client(console: &Console) -> Result<ApiKeysClient, Failure> {
    client_with(api_key::find(console)?.as_ref(), console)
}

/// A client with this key, or else with the one in the environment.
pub(crate) fn client_with(found: Option<&Found>, console: &Console) -> Result<ApiKeysClient, Failure> {
    let builder = builder(console).map_err(|failure| failure.state(NOTHING_SENT))?;
    let built = match found.map(|found| (&found.source, &found.key)) {
        None | Some((Source::Environment, _)) => builder.build(),
        Some((Source::Value, key)) => builder.api_key(key.clone()).build(),
        Some((Source::File(path), key)) => match builder.clone().api_key_file(path).build() {
            // This program reads more forms of a key than the client.
            Err(Error::Config(error)) if error.setting() == "api_key_file" => builder.api_key(key.clone()).build(),
            built => built,
        },
    };
    let built = built.map_err(|error| match &error {
        Error::Config(defect) if found.is_some() && matches!(defect.setting(), "api_key" | "ARIZE_API_KEY") => {
            api_key::refused_by_client(defect.problem(), console)
        }
        error => Failure::sdk(error, Effect::Read),
    });
    built.map(|client| limited(&client, console)).map_err(|failure| failure.state(NOTHING_SENT))
}

/// Everything but the key.
fn builder(console: &Console) -> Result<ClientBuilder, Failure> {
    let args = &console.global.connection;
    let mut builder = console.system.client();
    if let Some(stage) = args.stage {
        builder = builder.stage(stage);
    }
    let profile = profile::named(console)?;
    let url = match (&args.url, &profile) {
        (Some(url), _) => Some(url.clone()),
        (None, Some(profile)) => Some(profile.url(args, console)?),
        (None, None) => None,
    };
    builder = match url {
        Some(url) => builder.url(url),
        None => with_address(builder, args),
    };
    // The variable is only looked at where nothing else decides.
    if let Some(verify) = profile.and_then(|profile| profile.verify)
        && (!verify || console.system.variable("ARIZE_REQUEST_VERIFY").is_some())
    {
        builder = builder.danger_accept_invalid_certs(!verify);
    }
    if let Some(tls) = args.tls {
        builder = builder.tls(tls);
    }
    if let Some(roots) = args.roots {
        builder = builder.roots(roots);
    }
    if let Some(path) = &args.ca_file {
        builder = builder.ca_file(path);
    }
    if args.allow_insecure_http {
        builder = builder.allow_insecure_http();
    }
    if args.no_proxy {
        builder = builder.no_proxy();
    }
    if let Some(timeout) = args.timeout {
        // The deadline of the command ends a call earlier. Cleaning up after the deadline has the usual time.
        builder = builder.timeout(timeout.clamp(CALL_TIMEOUT, MAX_CALL_TIMEOUT));
    }
    let watching = console.clone();
    builder = builder.wrap_transport(move |inner| Arc::new(Watched { inner, console: watching.clone() }));
    let is_silenced = console.system.variable(NO_WARNING).is_some_and(|value| !value.is_empty() && value != "0");
    let warned = AtomicBool::new(false);
    let warning = console.clone();
    Ok(builder.user_agent(format!("arize-keys/{VERSION}")).on_warning(move |text| {
        // One operation's warning says it for all of a command.
        if !is_silenced && !warned.swap(true, Ordering::Relaxed) {
            // The rest of the text is for users of the crate.
            let (what, _) = text.split_once(" in the crate ").unwrap_or((text, ""));
            warning.warning(format_args!(
                "{what} and may change without notice; keep arize-keys v{VERSION} up to date (-q or {NO_WARNING}=1 hides this)"
            ));
        }
    }))
}

/// The single settings of the address.
fn with_address(mut builder: ClientBuilder, args: &Connection) -> ClientBuilder {
    if let Some(host) = &args.host {
        builder = builder.host(host);
    }
    if let Some(scheme) = &args.scheme {
        builder = builder.scheme(scheme);
    }
    if let Some(port) = args.port {
        builder = builder.port(port);
    }
    if let Some(region) = &args.region {
        builder = builder.region(region);
    }
    if let Some(host) = &args.single_host {
        builder = builder.single_host(host);
    }
    if let Some(port) = args.single_port {
        builder = builder.single_port(port);
    }
    if let Some(domain) = &args.base_domain {
        builder = builder.base_domain(domain);
    }
    builder
}

/// The same client for the time that is left of `--timeout`: for use after a question, whose time does not count.
pub(crate) fn limited(client: &ApiKeysClient, console: &Console) -> ApiKeysClient {
    console.remaining().map_or_else(|| client.clone(), |time| client.with_time_limit(time))
}

/// The same client for a walk over pages, which ends even if a service always names a next page.
pub(crate) fn for_walk(client: &ApiKeysClient, console: &Console) -> ApiKeysClient {
    client.with_time_limit(console.remaining().unwrap_or(WALK_TIMEOUT))
}

/// Keeps the keys of requests out of every output: the client may read a newer one from its file. Logs each request for
/// `--verbose`: method, path, status and time. No headers and no bodies, so no secrets.
struct Watched {
    inner: Arc<dyn Transport>,
    console: Console,
}

impl Transport for Watched {
    fn send(&self, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, TransportError> {
        let authorization = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        if let Some(key) = authorization.and_then(|value| value.strip_prefix("Bearer ")) {
            self.console.secrets.learn(&key.into());
        }
        if !self.console.global.verbose {
            return self.inner.send(request);
        }
        let what = printable(format_args!("{} {}", request.method(), request.uri()));
        let begun = self.console.system.elapsed();
        let response = self.inner.send(request);
        let took = self.console.system.elapsed().saturating_sub(begun).as_millis();
        match &response {
            Ok(response) => self.console.report(format_args!("{what} -> {} in {took} ms", response.status().as_u16())),
            Err(error) => self.console.report(format_args!("{what} -> {error} after {took} ms")),
        }
        response
    }
}
