//! The controls of a served emulator, for tests in every language.

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::Ordering;

use ::http::header::ORIGIN;
use ::http::{Method, Request, Response, StatusCode};
use fastrand::Rng;
use serde_json::{Value, json};

use super::Emulator;
use super::account::Account;
use super::account::document::{AccountSpec, Document};
use super::api::json_object::{self, JsonObject};
use super::api::problem::ProblemResponse;
use super::api::responses;
use super::clock::Hands;
use super::faults::Faults;
use super::faults::fault::Fault;
use super::faults::grammar;
use super::http::connection::Handler;
use super::http::delivery::{Delivery, Termination};
use super::http::limits::Limits;
use super::http::server::{EmulatorServer, Server};

/// The largest account document that can be put.
const MAX_DOCUMENT: usize = 256 * 1024 * 1024;

/// The controls of a served emulator, over HTTP on loopback. Dropping it stops them, and the emulator goes on.
///
/// `docs/emulator.md` has the endpoints. Any process that reaches the port can read every secret of the account.
pub struct ControlServer {
    server: Server,
}

impl EmulatorServer {
    /// Serves the controls of this emulator at a free port of 127.0.0.1: faults, clock and account, for tests in another
    /// language. `POST /v0/reset` restores what they are now.
    ///
    /// # Errors
    ///
    /// An error of the operating system if it gives no port or no thread.
    pub fn control(&self) -> io::Result<ControlServer> {
        self.control_at(0)
    }

    /// Serves the [controls](Self::control) at this port of 127.0.0.1.
    ///
    /// # Errors
    ///
    /// An error of the operating system if the port is taken, or if it gives no thread.
    pub fn control_at(&self, port: u16) -> io::Result<ControlServer> {
        let emulator = self.emulator().clone();
        let limits = Limits { body: MAX_DOCUMENT, ..emulator.inner.limits };
        let server = Server::start(Box::new(Control::of(emulator)), limits, (Ipv4Addr::LOCALHOST, port))?;
        Ok(ControlServer { server })
    }
}

impl ControlServer {
    /// The address that it listens on.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.server.addr
    }

    /// `http://` and the address.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.server.addr)
    }
}

impl fmt::Debug for ControlServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ControlServer").field("addr", &self.server.addr).finish_non_exhaustive()
    }
}

/// An emulator, and the values that a reset restores.
struct Control {
    emulator: Emulator,
    document: Document,
    hands: Hands,
    faults: Faults,
}

impl Handler for Control {
    fn answer(&self, request: &Request<Vec<u8>>) -> Delivery {
        let path = request.uri().path();
        Delivery::whole(self.operate(request).unwrap_or_else(|problem| problem.into_response(Some(path))))
    }

    fn date(&self) -> Option<String> {
        Handler::date(&self.emulator)
    }

    fn send(&self, _termination: &Termination, write: &mut dyn FnMut() -> io::Result<()>) -> io::Result<()> {
        write()
    }
}

impl Control {
    fn of(emulator: Emulator) -> Self {
        let document = emulator.account().document(emulator.now());
        let (hands, faults) = (emulator.clock().hands(), emulator.faults().clone());
        Self { emulator, document, hands, faults }
    }

    fn operate(&self, request: &Request<Vec<u8>>) -> Result<Response<Vec<u8>>, ProblemResponse> {
        // Browsers send it with every request of a page to another origin that can do harm.
        if request.headers().contains_key(ORIGIN) {
            return Err(ProblemResponse::forbidden("web pages may not control the emulator"));
        }
        let body = request.body();
        match (request.uri().path(), request.method()) {
            ("/v0/health", &Method::GET) => ok(&json!({"status": "ok"})),
            ("/v0/stats", &Method::GET) => ok(&self.stats()),
            ("/v0/faults", &Method::GET) => ok(&json!({"faults": self.emulator.faults().texts()})),
            ("/v0/faults", &Method::PUT) => self.put_faults(body),
            ("/v0/faults", &Method::DELETE) => {
                self.emulator.faults().clear();
                Ok(responses::nothing())
            }
            ("/v0/clock", &Method::PUT) => self.put_clock(body),
            ("/v0/state", &Method::GET) => ok(&self.emulator.account().document(self.emulator.now())),
            ("/v0/state", &Method::PUT) => {
                let spec: AccountSpec =
                    serde_json::from_slice(body).map_err(|error| ProblemResponse::bad_request(error.to_string()))?;
                self.put_account(&spec.document)
            }
            ("/v0/reset", &Method::POST) => self.reset(),
            ("/v0/health" | "/v0/stats", _) => Err(ProblemResponse::method_not_allowed("GET")),
            ("/v0/faults", _) => Err(ProblemResponse::method_not_allowed("GET, PUT, DELETE")),
            ("/v0/clock", _) => Err(ProblemResponse::method_not_allowed("PUT")),
            ("/v0/state", _) => Err(ProblemResponse::method_not_allowed("GET, PUT")),
            ("/v0/reset", _) => Err(ProblemResponse::method_not_allowed("POST")),
            _ => Err(ProblemResponse::not_found("there is nothing at this path")),
        }
    }

    fn stats(&self) -> Value {
        let emulator = &self.emulator;
        json!({
            "requests": emulator.requests(),
            "keys_created": emulator.keys_created(),
            "keys_refreshed": emulator.keys_refreshed(),
            "secrets_sent": emulator.secrets_sent(),
            "faults_committed": emulator.faults_committed(),
            "faults_left": emulator.faults_left(),
        })
    }

    fn put_faults(&self, body: &[u8]) -> Result<Response<Vec<u8>>, ProblemResponse> {
        let body = json_object::body(body)?;
        let object = JsonObject::of(&body, "")?;
        object.only(&["faults"])?;
        let texts = object.array("faults")?.ok_or_else(|| object.missing("faults"))?;
        let fault = |(n, text): (usize, &Value)| {
            let bad = |problem: String| ProblemResponse::bad_request(format!("`faults[{n}]`: {problem}"));
            let text = text.as_str().ok_or_else(|| bad("must be a string".to_owned()))?;
            text.parse::<Fault>().map_err(|error| bad(error.to_string()))
        };
        let read = texts.iter().enumerate().map(fault).collect::<Result<Vec<Fault>, ProblemResponse>>()?;
        self.emulator.faults().replace_queue(read);
        Ok(responses::nothing())
    }

    fn put_clock(&self, body: &[u8]) -> Result<Response<Vec<u8>>, ProblemResponse> {
        let body = json_object::body(body)?;
        let object = JsonObject::of(&body, "")?;
        object.only(&["advance", "now"])?;
        let clock = self.emulator.clock();
        match (object.text("advance")?, object.timestamp("now")?) {
            (Some(text), None) => {
                let step = grammar::duration(text)
                    .map_err(|error| ProblemResponse::bad_request(format!("`advance`: {error}")))?;
                clock.advance(step);
            }
            (None, Some(now)) => clock.set(now.0.into()),
            _ => return Err(ProblemResponse::bad_request("either `advance` or `now` is required")),
        }
        ok(&json!({"now": self.emulator.now()}))
    }

    fn reset(&self) -> Result<Response<Vec<u8>>, ProblemResponse> {
        let emulator = &self.emulator;
        emulator.clock().set_hands(self.hands);
        *emulator.faults() = self.faults.clone();
        emulator.inner.requests.store(0, Ordering::Relaxed);
        emulator.inner.secrets_sent.store(0, Ordering::Relaxed);
        self.put_account(&self.document)
    }

    /// Replaces the account by that of a document.
    fn put_account(&self, document: &Document) -> Result<Response<Vec<u8>>, ProblemResponse> {
        let emulator = &self.emulator;
        let mut new = Account::load(document, Rng::new(), emulator.now())
            .map_err(|error| ProblemResponse::bad_request(error.to_string()))?;
        let change = {
            let mut account = emulator.account();
            new.changes = account.changes.saturating_add(1);
            *account = new;
            account.changes
        };
        emulator.make_durable(change).map_err(super::unwritten)?;
        Ok(responses::nothing())
    }
}

fn ok(body: &impl serde::Serialize) -> Result<Response<Vec<u8>>, ProblemResponse> {
    responses::json(StatusCode::OK, body)
}
