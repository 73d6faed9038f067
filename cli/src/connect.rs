//! The client that the arguments and the environment describe.

use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use arize_api_keys::http::{Request, Response};
use arize_api_keys::secrecy::SecretString;
use arize_api_keys::{ApiKeysClient, Transport, TransportError};

use crate::console::Console;
use crate::failure::{Code, Effect, Failure};
use crate::redact::{is_like_a_key, printable};
use crate::system::{Access, System};

/// More than any key has.
const KEY_FILE_LIMIT: u64 = 64 * 1024;

/// The time for a walk over pages without `--timeout`.
const WALK_TIMEOUT: Duration = Duration::from_secs(600);

/// The longest timeout of a call that the client takes.
const MAX_CALL_TIMEOUT: Duration = Duration::from_secs(3600);

/// The client for the key of [`key`]. Nothing is sent yet.
pub(crate) fn client(console: &Console) -> Result<ApiKeysClient, Failure> {
    let key = key(console)?;
    // A key in the environment is left to the client, which names the variable in its errors.
    client_with(key.filter(|_| console.global.connection.api_key_file.is_some()), console)
}

/// The key that requests are made with. `None` if there is none.
pub(crate) fn key(console: &Console) -> Result<Option<SecretString>, Failure> {
    let system = &*console.system;
    let key = match &console.global.connection.api_key_file {
        Some(path) => Some(read_key(path, system)?),
        None => system.variable("ARIZE_API_KEY").and_then(|key| key.into_string().ok()).map(|key| key.trim().into()),
    };
    if let Some(key) = &key {
        console.learn(key)?;
    }
    Ok(key)
}

/// A client with this key, or else with the one in the environment.
pub(crate) fn client_with(key: Option<SecretString>, console: &Console) -> Result<ApiKeysClient, Failure> {
    let args = &console.global.connection;
    let mut builder = console.system.client();
    if let Some(key) = key {
        builder = builder.api_key(key);
    }
    if let Some(stage) = args.stage {
        builder = builder.stage(stage);
    }
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
    if let Some(path) = &args.ca_file {
        builder = builder.ca_file(path);
    }
    if args.no_proxy {
        builder = builder.no_proxy();
    }
    if let Some(timeout) = args.timeout {
        // The time of one call has a maximum, that of the command has none.
        builder = builder.timeout(timeout.min(MAX_CALL_TIMEOUT));
    }
    if console.global.verbose {
        let console = console.clone();
        builder = builder.wrap_transport(move |inner| Arc::new(Logged { inner, console: console.clone() }));
    }
    let warned = AtomicBool::new(false);
    let warning = console.clone();
    let builder = builder.user_agent(concat!("arize-keys/", env!("CARGO_PKG_VERSION"))).on_warning(move |text| {
        // One operation's warning says it for all of a command.
        if !warned.swap(true, Ordering::Relaxed) {
            warning.warning(text);
        }
    });
    builder.build().map(|client| limited(&client, console)).map_err(|error| Failure::sdk(&error, Effect::Read))
}

/// The same client for the time that is left of `--timeout`: for use after a question, whose time does not count.
pub(crate) fn limited(client: &ApiKeysClient, console: &Console) -> ApiKeysClient {
    console.remaining().map_or_else(|| client.clone(), |time| client.with_time_limit(time))
}

/// The same client for a walk over pages, which ends even if a service always names a next page.
pub(crate) fn for_walk(client: &ApiKeysClient, console: &Console) -> ApiKeysClient {
    client.with_time_limit(console.remaining().unwrap_or(WALK_TIMEOUT))
}

/// A key is never an argument: every user of the machine can read those.
fn read_key(path: &Path, system: &dyn System) -> Result<SecretString, Failure> {
    let mut text = String::new();
    let read = if path == Path::new("-") {
        system.stdin().take(KEY_FILE_LIMIT).read_to_string(&mut text)
    } else {
        system.open(path, Access::Read).and_then(|file| file.take(KEY_FILE_LIMIT).read_to_string(&mut text))
    };
    match read {
        Ok(_) if text.trim().is_empty() => {
            Err(Failure::new(Code::Usage, format!("`{}` holds no API key: it is empty", path.display())))
        }
        Ok(_) => Ok(text.into()),
        Err(_) if path.to_str().is_some_and(is_like_a_key) => Err(Failure::new(
            Code::Usage,
            "--api-key-file holds an API key, and takes the path of a file that holds one",
        )
        .hint("set ARIZE_API_KEY, or write the key to a file that only you can read")),
        Err(error) => Err(Failure { code: Code::Usage, ..Failure::file("read the API key from", path, &error) }),
    }
}

/// What `--verbose` tells: methods, paths, statuses, times. No headers and no bodies, so no secrets.
struct Logged {
    inner: Arc<dyn Transport>,
    console: Console,
}

impl Transport for Logged {
    fn send(&self, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, TransportError> {
        let what = printable(format_args!("{} {}", request.method(), request.uri()));
        let begun = self.console.system.elapsed();
        let answer = self.inner.send(request);
        let took = self.console.system.elapsed().saturating_sub(begun).as_millis();
        match &answer {
            Ok(response) => self.console.report(format_args!("{what} -> {} in {took} ms", response.status().as_u16())),
            Err(error) => self.console.report(format_args!("{what} -> {error} after {took} ms")),
        }
        answer
    }
}
