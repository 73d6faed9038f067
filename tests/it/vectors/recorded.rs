//! The recorded calls, as the file has them.

use arize_api_keys::ApiStage;
use serde_json::{Map, Value};

use crate::wire::Request;

/// Whose call it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sdk {
    Go,
    Python,
    JavaScript,
    Cli,
}

impl Sdk {
    /// Its steps of time, in nanoseconds: what is finer is not sent.
    pub(super) fn clock_step(self) -> i128 {
        match self {
            Self::Go => 1,
            Self::Python | Self::Cli => 1_000,
            Self::JavaScript => 1_000_000,
        }
    }
}

/// A call of an official SDK, and the requests that it made of it.
#[derive(Clone, Debug)]
pub(super) struct Vector {
    pub(super) id: String,
    pub(super) sdk: Sdk,
    pub(super) stage: ApiStage,
    pub(super) op: String,
    pub(super) args: Map<String, Value>,
    pub(super) outcome: String,
    pub(super) exchanges: Vec<Exchange>,
}

#[derive(Clone, Debug)]
pub(super) struct Exchange {
    pub(super) request: Request,
    pub(super) status: u16,
    /// The answer to a look-up, else null.
    pub(super) answer: Value,
}

impl Exchange {
    pub(super) fn is_space_lookup(&self) -> bool {
        is_space_lookup(&self.request)
    }
}

pub(super) fn is_space_lookup(request: &Request) -> bool {
    request.is("GET", &["v2", "spaces"])
}

pub(super) fn all() -> Vec<Vector> {
    let file: Vec<Value> = serde_json::from_str(include_str!("../../data/vectors.json")).unwrap();
    file.iter().map(Vector::read).collect()
}

impl Vector {
    #[track_caller]
    pub(super) fn read(entry: &Value) -> Self {
        let text = |name: &str| entry[name].as_str().unwrap().to_owned();
        Self {
            id: text("id"),
            sdk: match entry["sdk"].as_str().unwrap() {
                "go" => Sdk::Go,
                "python" => Sdk::Python,
                "js" => Sdk::JavaScript,
                "ax-cli" => Sdk::Cli,
                other => panic!("unknown SDK: {other}"),
            },
            stage: text("revision").parse().unwrap(),
            op: entry["call"]["op"].as_str().unwrap().to_owned(),
            args: entry["call"]["args"].as_object().unwrap().clone(),
            outcome: text("outcome"),
            exchanges: entry["requests"].as_array().unwrap().iter().map(Exchange::read).collect(),
        }
    }
}

impl Exchange {
    #[track_caller]
    fn read(entry: &Value) -> Self {
        let body = Some(&entry["body_json"]).filter(|body| !body.is_null()).cloned();
        let headers = &entry["headers"];
        let mut request = Request::new(entry["method"].as_str().unwrap(), entry["target"].as_str().unwrap(), body)
            .with_authorization(headers["authorization"].as_str());
        request.content_type = headers["content-type"].as_str().map(str::to_owned);
        Self {
            request,
            status: entry["answered"]["status"].as_u64().unwrap().try_into().unwrap(),
            answer: entry["answered"]["body_json"].clone(),
        }
    }
}
