//! A service that answers by a script, and the calls that the tests make.

use std::collections::VecDeque;
use std::error::Error as StdError;
use std::fmt::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use arize_api_keys::time::OffsetDateTime;
use arize_api_keys::{
    ApiKeysClient, ApiStage, ClientBuilder, Clock, CreateRequest, CreateServiceKeyRequest, Error, ExposeSecret,
    ListRequest, Outcome, RefreshRequest, SendOptions, SpaceRef, Transport, TransportError, TransportErrorKind, http,
};

use super::clock::TestClock;
use super::variant;

/// The key of the client.
pub(crate) const OWN_KEY: &str = "ak-PLANTED-OWN-0123456789";
/// The secret in the answers.
pub(crate) const NEW_KEY: &str = "ak-PLANTED-NEW-9876543210";

pub(crate) const KEY_ID: &str = "QXBpS2V5OjE6YWJjZA==";
pub(crate) const SPACE_ID: &str = "U3BhY2U6MTIzNDU=";
pub(crate) const ORG_ID: &str = "T3JnYW5pemF0aW9uOjEwMDE6eFl6Vw";

pub(crate) const LIST: &str = r#"{"api_keys":[{"id":"a","name":"n"}],"pagination":{"has_more":false}}"#;
pub(crate) const CREATED: &str = r#"{"id":"QXBpS2V5OjE6YWJjZA==","name":"n","key":"ak-PLANTED-NEW-9876543210"}"#;

/// The treatment of one request by the service or the network.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
    failure: Option<TransportErrorKind>,
    not_sent: bool,
    partial: bool,
    takes: Duration,
    /// The transport gives up when its time is over.
    in_time: bool,
    date_after: Option<OffsetDateTime>,
}

pub(crate) fn reply(status: u16, body: impl Into<Vec<u8>>) -> Answer {
    Answer {
        status,
        headers: Vec::new(),
        body: body.into(),
        failure: None,
        not_sent: false,
        partial: false,
        takes: Duration::ZERO,
        in_time: false,
        date_after: None,
    }
}

pub(crate) fn json(status: u16, body: impl Into<Vec<u8>>) -> Answer {
    reply(status, body).header("content-type", "application/json")
}

pub(crate) fn problem(status: u16, body: impl Into<Vec<u8>>) -> Answer {
    reply(status, body).header("content-type", "application/problem+json")
}

pub(crate) fn html(status: u16) -> Answer {
    reply(status, "<html>please log in</html>").header("content-type", "text/html; charset=utf-8")
}

/// The request left, and no response came back.
pub(crate) fn failed(kind: TransportErrorKind) -> Answer {
    Answer { failure: Some(kind), ..reply(0, "") }
}

impl Answer {
    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// The request did not leave.
    pub(crate) fn not_sent(mut self) -> Self {
        self.not_sent = true;
        self
    }

    /// What there is of this answer arrives, then this happens.
    pub(crate) fn cut(mut self, kind: TransportErrorKind) -> Self {
        self.failure = Some(kind);
        self.partial = true;
        self
    }

    pub(crate) fn takes(mut self, time: Duration) -> Self {
        self.takes = time;
        self
    }

    /// It takes this time, or as long as the attempt may.
    pub(crate) fn takes_in_time(mut self, time: Duration) -> Self {
        self.in_time = true;
        self.takes(time)
    }

    /// The date is set while the response is on its way.
    pub(crate) fn sets_date(mut self, now: OffsetDateTime) -> Self {
        self.date_after = Some(now);
        self
    }

    pub(crate) fn play(&self) -> Result<http::Response<Vec<u8>>, TransportError> {
        let response = || {
            let mut response = http::Response::builder().status(self.status);
            for (name, value) in &self.headers {
                response = response.header(*name, value);
            }
            response.body(self.body.clone()).unwrap()
        };
        let Some(kind) = self.failure else { return Ok(response()) };
        let mut error = TransportError::new(kind, "what the network said");
        if self.not_sent {
            error = error.not_sent();
        }
        Err(if self.partial { error.with_partial_response(response()) } else { error })
    }
}

/// A request as it reached the transport.
#[derive(Clone)]
pub(crate) struct Sent {
    pub(crate) method: String,
    pub(crate) uri: String,
    pub(crate) body: String,
    pub(crate) options: SendOptions,
    /// When, on the clock.
    pub(crate) at: Duration,
}

#[derive(Clone)]
struct Script {
    clock: TestClock,
    state: Arc<Mutex<ScriptState>>,
}

struct ScriptState {
    answers: VecDeque<Answer>,
    /// The last answer is given again and again.
    forever: bool,
    sent: Vec<Sent>,
}

impl Transport for Script {
    fn send(&self, request: http::Request<Vec<u8>>) -> Result<http::Response<Vec<u8>>, TransportError> {
        let (head, body) = request.into_parts();
        let options: SendOptions = *head.extensions.get().unwrap();
        let mut state = self.state.lock().unwrap();
        state.sent.push(Sent {
            method: head.method.to_string(),
            uri: head.uri.to_string(),
            body: String::from_utf8(body).unwrap(),
            options,
            at: self.clock.elapsed(),
        });
        let answer = match state.answers.len() {
            0 => panic!("unexpected request: {} {}", head.method, head.uri),
            1 if state.forever => state.answers[0].clone(),
            _ => state.answers.pop_front().unwrap(),
        };
        self.clock.advance(if answer.in_time { answer.takes.min(options.timeout) } else { answer.takes });
        if let Some(now) = answer.date_after {
            self.clock.set_date(now);
        }
        answer.play()
    }
}

/// A client, its clock and its service.
pub(crate) struct Rig {
    pub(crate) client: ApiKeysClient,
    pub(crate) clock: TestClock,
    script: Script,
}

impl Rig {
    pub(crate) fn new(answers: impl IntoIterator<Item = Answer>) -> Self {
        Self::with(answers, false, TestClock::new(), |builder| builder)
    }

    pub(crate) fn alpha(answers: impl IntoIterator<Item = Answer>) -> Self {
        Self::with(answers, false, TestClock::new(), |builder| builder.stage(ApiStage::Alpha))
    }

    /// One answer for every request.
    pub(crate) fn forever(stage: ApiStage, answer: Answer) -> Self {
        Self::with([answer], true, TestClock::new(), |builder| builder.stage(stage))
    }

    pub(crate) fn with(
        answers: impl IntoIterator<Item = Answer>,
        forever: bool,
        clock: TestClock,
        set_up: impl FnOnce(ClientBuilder) -> ClientBuilder,
    ) -> Self {
        let state = ScriptState { answers: answers.into_iter().collect(), forever, sent: Vec::new() };
        let script = Script { clock: clock.clone(), state: Arc::new(Mutex::new(state)) };
        let builder =
            ApiKeysClient::builder().ignore_env().api_key(OWN_KEY).clock(clock.clone()).transport(script.clone());
        Self { client: set_up(builder).build().unwrap(), clock, script }
    }

    pub(crate) fn sent(&self) -> Vec<Sent> {
        self.script.state.lock().unwrap().sent.clone()
    }

    /// Method and path of every request so far.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.sent()
            .iter()
            .map(|sent| format!("{} {}", sent.method, sent.uri.strip_prefix("https://api.arize.com").unwrap()))
            .collect()
    }

    #[track_caller]
    pub(crate) fn assert_sleeps(&self, millis: &[u64]) {
        let expected: Vec<_> = millis.iter().map(|ms| Duration::from_millis(*ms)).collect();
        assert_eq!(self.clock.sleeps(), expected);
    }
}

/// Every call that can be made, in its plainest form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    List,
    Create,
    CreateServiceKey,
    Refresh,
    Revoke,
    DeleteBeta,
    DeleteAlpha,
}

impl Verb {
    pub(crate) const ALL: [Self; 7] = [
        Self::List,
        Self::Create,
        Self::CreateServiceKey,
        Self::Refresh,
        Self::Revoke,
        Self::DeleteBeta,
        Self::DeleteAlpha,
    ];
    pub(crate) const MINTING: [Self; 3] = [Self::Create, Self::CreateServiceKey, Self::Refresh];
    pub(crate) const REMOVING: [Self; 3] = [Self::Revoke, Self::DeleteBeta, Self::DeleteAlpha];

    pub(crate) fn stage(self) -> ApiStage {
        if self == Self::DeleteAlpha { ApiStage::Alpha } else { ApiStage::Beta }
    }

    /// The secret, where the call brings one.
    pub(crate) fn call(self, client: &ApiKeysClient) -> Result<Option<String>, Error> {
        let created = match self {
            Self::List => return client.list(&ListRequest::new()).map(|_| None),
            Self::Create => client.create(&CreateRequest::new("n")),
            Self::CreateServiceKey => {
                client.create_service_key(&CreateServiceKeyRequest::new("n", SpaceRef::id(SPACE_ID)).org_id(ORG_ID))
            }
            Self::Refresh => client.refresh(&RefreshRequest::new(KEY_ID)),
            Self::Revoke => return client.revoke(KEY_ID).map(|()| None),
            Self::DeleteBeta | Self::DeleteAlpha => return client.delete(KEY_ID).map(|()| None),
        };
        created.map(|created| Some(created.key.expose_secret().to_owned()))
    }

    /// An answer that makes the call succeed.
    pub(crate) fn good_answer(self) -> Answer {
        match self {
            Self::List => json(200, LIST),
            Self::Create | Self::CreateServiceKey => json(201, CREATED),
            Self::Refresh => json(200, CREATED),
            Self::Revoke | Self::DeleteBeta | Self::DeleteAlpha => reply(204, ""),
        }
    }
}

/// How a call must end.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Want {
    Done,
    Fails { variant: &'static str, outcome: Outcome, retryable: bool, requests: usize },
}

/// It is tried three times.
pub(crate) fn again(variant: &'static str, outcome: Outcome) -> Want {
    Want::Fails { variant, outcome, retryable: true, requests: 3 }
}

/// It is tried once, and trying again would be no use or no good.
pub(crate) fn once(variant: &'static str, outcome: Outcome) -> Want {
    Want::Fails { variant, outcome, retryable: false, requests: 1 }
}

/// The call meets this answer however often it tries.
#[track_caller]
pub(crate) fn check(verb: Verb, answer: &Answer, want: Want) {
    let rig = Rig::forever(verb.stage(), answer.clone());
    let result = verb.call(&rig.client);
    match (want, result) {
        (Want::Done, Ok(secret)) => {
            assert_eq!(rig.sent().len(), 1, "{verb:?} {answer:?}");
            if Verb::MINTING.contains(&verb) {
                assert_eq!(secret.as_deref(), Some(NEW_KEY), "{verb:?} {answer:?}");
            }
        }
        (Want::Fails { variant: name, outcome, retryable, requests }, Err(error)) => {
            let found = (variant(&error), error.outcome(), error.is_retryable(), rig.sent().len());
            assert_eq!(found, (name, outcome, retryable, requests), "{verb:?} {answer:?}: {error}");
            assert_eq!(error.attempts() as usize, requests, "{verb:?}");
            let mut earlier = 0;
            let mut error = &error;
            while let Some(previous) = error.previous_attempt() {
                error = previous;
                earlier += 1;
                assert_eq!((variant(error), error.attempts() as usize), (name, requests - earlier), "{verb:?}");
            }
            assert_eq!(earlier, requests - 1, "{verb:?}: the attempts before the last one");
        }
        (want, result) => panic!("{verb:?} {answer:?}: wanted {want:?}, got {result:?}"),
    }
}

/// A row of the fault matrix: list, the three calls that mint a secret, the three that remove a key.
#[track_caller]
pub(crate) fn row(answer: &Answer, list: Want, mint: Want, remove: Want) {
    check(Verb::List, answer, list);
    for verb in Verb::MINTING {
        check(verb, answer, mint);
    }
    for verb in Verb::REMOVING {
        check(verb, answer, remove);
    }
}

/// Everything that can be seen of an error: `Display`, `Debug`, its sources, and the attempts before it.
pub(crate) fn everything(error: &Error) -> String {
    let mut text = format!("{error}\n{error:?}\n{error:#?}\n");
    let mut source = error.source();
    while let Some(inner) = source {
        writeln!(text, "{inner}\n{inner:?}").unwrap();
        source = inner.source();
    }
    if let Some(api) = error.api() {
        writeln!(
            text,
            "{:?} {:?} {:?} {:?} {:?}",
            api.title(),
            api.detail(),
            api.problem_type(),
            api.instance(),
            api.request_id()
        )
        .unwrap();
    }
    match error.previous_attempt() {
        Some(previous) => text + &everything(previous),
        None => text,
    }
}
