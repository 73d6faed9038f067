//! The client under test, and its peers. All of them decode into typed structs and check the status.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use arize_api_keys::http::{Request, Response};
use arize_api_keys::{
    ApiKeysClient, CreateRequest, ExposeSecret, ListRequest, SendOptions, Transport, TransportError, UreqTransport,
};
use serde::Deserialize;
use time::OffsetDateTime;

use crate::Fallible;
use crate::canned::{self, API_KEY, CREATE, HEADERS};

/// Where the canned server is: `127.0.0.1:4711`, and the first segment of the path.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    pub address: &'a str,
    pub route: &'a str,
}

impl Place<'_> {
    fn url(&self, rest: &str) -> String {
        format!("http://{}/{}/v2/api-keys{rest}", self.address, self.route)
    }
}

/// Somebody who can list and create.
pub trait Peer {
    /// Lists one page, and says how many keys it has.
    fn list(&mut self, limit: u32) -> Fallible<usize>;

    /// Creates a key, and says how long its secret is.
    fn create(&mut self) -> Fallible<usize>;
}

pub const PEERS: &[&str] = &[
    "client",
    "floor",
    "ureq",
    "naive",
    #[cfg(feature = "reqwest")]
    "reqwest",
];

/// A peer by its name.
pub fn peer(name: &str, place: Place<'_>) -> Fallible<Box<dyn Peer>> {
    Ok(match name {
        "client" => Box::new(Client::new(place)?),
        // As users get it: a create on a fresh connection.
        "client-fresh" => Box::new(Client(client(place).build()?)),
        "floor" => Box::new(Floor::new(place)?),
        "ureq" => Box::new(Ureq::new(place, None)),
        "naive" => Box::new(Ureq::new(place, Some(Duration::from_secs(30)))),
        #[cfg(feature = "reqwest")]
        "reqwest" => Box::new(Reqwest::new(place)?),
        _ => return Err(format!("there is no peer `{name}`").into()),
    })
}

/// A key as a careful user types it.
#[derive(Deserialize)]
#[expect(dead_code, reason = "decoded for its cost")]
struct Key {
    id: String,
    name: String,
    description: Option<String>,
    key_type: KeyType,
    status: KeyStatus,
    redacted_key: String,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
    #[serde(default, with = "time::serde::rfc3339::option")]
    expires_at: Option<OffsetDateTime>,
    #[serde(default, with = "time::serde::rfc3339::option")]
    last_used_at: Option<OffsetDateTime>,
    created_by_user_id: String,
    key: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum KeyType {
    User,
    Service,
}

#[derive(Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum KeyStatus {
    Active,
    Revoked,
}

#[derive(Deserialize)]
struct Page {
    api_keys: Vec<Key>,
    #[expect(dead_code, reason = "decoded for its cost")]
    pagination: Pagination,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "decoded for its cost")]
struct Pagination {
    has_more: bool,
    next_cursor: Option<String>,
}

/// The client under test, with everything switched on as it is by default.
pub struct Client(pub ApiKeysClient);

impl Client {
    /// The one thing that is changed: a create may use a connection that is open, so that its own cost can be seen.
    fn new(place: Place<'_>) -> Fallible<Self> {
        Ok(Self(client(place).transport(Kept(UreqTransport::new())).build()?))
    }
}

/// The builder of a client as users get it, but for the place.
pub fn client(place: Place<'_>) -> arize_api_keys::ClientBuilder {
    ApiKeysClient::builder()
        .ignore_env()
        .api_key(API_KEY)
        .scheme("http")
        .host(format!("{}/{}", place.address, place.route))
}

struct Kept(UreqTransport);

impl Transport for Kept {
    fn send(&self, mut request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, TransportError> {
        if let Some(options) = request.extensions_mut().get_mut::<SendOptions>() {
            options.fresh_connection = false;
        }
        self.0.send(request)
    }
}

impl Peer for Client {
    fn list(&mut self, limit: u32) -> Fallible<usize> {
        Ok(self.0.list(&ListRequest::new().limit(limit))?.api_keys.len())
    }

    fn create(&mut self) -> Fallible<usize> {
        Ok(self.0.create(&CreateRequest::new("bench"))?.key.expose_secret().len())
    }
}

/// A client whose network is the memory: what is left is the request and the decoding of a page of `count` keys. A page of
/// 100 is copied in any case, so that what that costs cancels out.
pub fn without_network(count: usize) -> Fallible<ApiKeysClient> {
    let page = |count| canned::page(&canned::keys(count), None).into_bytes();
    let (hundred, answer) = (page(100), page(count));
    let transport = move |_: Request<Vec<u8>>| {
        let mut body = hundred.clone();
        if count != 100 {
            body.clear();
            body.extend_from_slice(&answer);
        }
        Ok(Response::new(body))
    };
    Ok(ApiKeysClient::builder().ignore_env().api_key(API_KEY).transport(transport).build()?)
}

/// The least that anybody can do: one connection, one buffer, `from_slice`. No deadline, no check, no retry.
struct Floor {
    stream: TcpStream,
    head: String,
    buffer: Vec<u8>,
}

impl Floor {
    fn new(Place { address, route }: Place<'_>) -> Fallible<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        let mut head = format!("/{route}/v2/api-keys HTTP/1.1\r\nhost: {address}\r\n");
        for (name, value) in HEADERS {
            head.extend([name, ": ", value, "\r\n"]);
        }
        Ok(Self { stream, head, buffer: vec![0; 64 * 1024] })
    }

    fn call(&mut self, request: &str, status: &str) -> Fallible<std::ops::Range<usize>> {
        self.stream.write_all(request.as_bytes())?;
        let mut filled = 0;
        loop {
            let amount = self.stream.read(&mut self.buffer[filled..])?;
            if amount == 0 {
                return Err("the connection was closed".into());
            }
            filled += amount;
            let Some(end) = self.buffer[..filled].windows(4).position(|four| four == b"\r\n\r\n") else { continue };
            let head = std::str::from_utf8(&self.buffer[..end])?;
            if !head.starts_with(status) {
                return Err("the status is another".into());
            }
            let (_, length) = head.split_once("content-length: ").ok_or("no length")?;
            let length: usize = length.lines().next().unwrap_or_default().parse()?;
            let body = end + 4..end + 4 + length;
            while filled < body.end {
                filled += self.stream.read(&mut self.buffer[filled..])?;
            }
            return Ok(body);
        }
    }
}

impl Peer for Floor {
    fn list(&mut self, limit: u32) -> Fallible<usize> {
        let head = self.head.replacen(" HTTP", &format!("?limit={limit} HTTP"), 1);
        let body = self.call(&format!("GET {head}\r\n"), "HTTP/1.1 200 ")?;
        let page: Page = serde_json::from_slice(&self.buffer[body])?;
        Ok(page.api_keys.len())
    }

    fn create(&mut self) -> Fallible<usize> {
        let (head, length) = (&self.head, CREATE.len());
        let request = format!("POST {head}content-type: application/json\r\ncontent-length: {length}\r\n\r\n{CREATE}");
        let body = self.call(&request, "HTTP/1.1 201 ")?;
        let key: Key = serde_json::from_slice(&self.buffer[body])?;
        Ok(key.key.ok_or("no secret")?.len())
    }
}

/// ureq as its README shows it.
struct Ureq {
    agent: ureq::Agent,
    list: String,
    create: String,
}

impl Ureq {
    fn new(place: Place<'_>, timeout: Option<Duration>) -> Self {
        let agent = match timeout {
            None => ureq::Agent::new_with_defaults(),
            Some(timeout) => ureq::Agent::config_builder().timeout_global(Some(timeout)).build().into(),
        };
        Self { agent, list: place.url("?limit="), create: place.url("") }
    }
}

impl Peer for Ureq {
    fn list(&mut self, limit: u32) -> Fallible<usize> {
        let url = format!("{}{limit}", self.list);
        let request = HEADERS.iter().fold(self.agent.get(&url), |request, (name, value)| request.header(*name, *value));
        let mut response = request.call()?;
        Ok(response.body_mut().read_json::<Page>()?.api_keys.len())
    }

    fn create(&mut self) -> Fallible<usize> {
        let body: serde_json::Value = serde_json::json!({"key_type": "USER", "name": "bench"});
        let request = self.agent.post(&self.create);
        let request = HEADERS.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        let mut response = request.send_json(&body)?;
        Ok(response.body_mut().read_json::<Key>()?.key.ok_or("no secret")?.len())
    }
}

#[cfg(feature = "reqwest")]
struct Reqwest {
    client: reqwest::blocking::Client,
    list: String,
    create: String,
}

#[cfg(feature = "reqwest")]
impl Reqwest {
    fn new(place: Place<'_>) -> Fallible<Self> {
        let mut headers = reqwest::header::HeaderMap::new();
        for (name, value) in HEADERS {
            headers.insert(name, value.try_into()?);
        }
        let client = reqwest::blocking::Client::builder().default_headers(headers).build()?;
        Ok(Self { client, list: place.url("?limit="), create: place.url("") })
    }
}

#[cfg(feature = "reqwest")]
impl Peer for Reqwest {
    fn list(&mut self, limit: u32) -> Fallible<usize> {
        let response = self.client.get(format!("{}{limit}", self.list)).send()?;
        Ok(response.error_for_status()?.json::<Page>()?.api_keys.len())
    }

    fn create(&mut self) -> Fallible<usize> {
        let body = serde_json::json!({"key_type": "USER", "name": "bench"});
        let response = self.client.post(&self.create).json(&body).send()?;
        Ok(response.error_for_status()?.json::<Key>()?.key.ok_or("no secret")?.len())
    }
}

/// Decoding alone, as the floor does it, or from checked UTF-8.
pub fn decode_typed(body: &[u8], checked: bool) -> Fallible<usize> {
    let page: Page =
        if checked { serde_json::from_str(std::str::from_utf8(body)?)? } else { serde_json::from_slice(body)? };
    Ok(page.api_keys.len())
}
