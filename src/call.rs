//! One call and the one way that it goes: address, carry, gate, decode; again where the policy allows.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use std::{fmt, mem};

use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use secrecy::zeroize::Zeroize;
use secrecy::{ExposeSecret, SecretSlice};
use serde::de::MapAccess;
use time::OffsetDateTime;

use crate::config::Settings;
use crate::error::{
    ApiError, ApiErrorInner, DecodeError, DecodeErrorInner, Error, Failure, InvalidRequest, Outcome, Problem,
    SecretNotRecovered, SecretNotRecoveredInner, TransportFailure, TransportFailureInner,
};
use crate::lenient::{Members, read_scalar, read_what_there_is, without_mark};

use crate::redact::{foreign, keyless};
use crate::retry::{Budget, Failed, Signal, Verdict, judge, retry_after};
use crate::target::Target;
use crate::transport::{Room, SendOptions, TransportError, TransportErrorKind};

/// What was called, by the name that messages and the pre-release warning use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    List,
    Create,
    CreateServiceKey,
    Refresh,
    Delete,
    Revoke,
    ListSpaces,
    GetSpace,
    ListOrganizations,
}

impl Operation {
    fn safety(self) -> Safety {
        match self {
            Self::List | Self::ListSpaces | Self::GetSpace | Self::ListOrganizations => Safety::Read,
            Self::Delete | Self::Revoke => Safety::Remove,
            Self::Create | Self::CreateServiceKey | Self::Refresh => Safety::Mint,
        }
    }

    /// A step before the call that the caller made. If it fails, that call was never sent.
    fn is_lookup(self) -> bool {
        matches!(self, Self::ListSpaces | Self::GetSpace | Self::ListOrganizations)
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::List => "list",
            Self::Create => "create",
            Self::CreateServiceKey => "create_service_key",
            Self::Refresh => "refresh",
            Self::Delete => "delete",
            Self::Revoke => "revoke",
            Self::ListSpaces => "list spaces",
            Self::GetSpace => "get space",
            Self::ListOrganizations => "list organizations",
        })
    }
}

/// What happens if the request is processed twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Safety {
    /// Nothing.
    Read,
    /// The key is gone, as after once.
    Remove,
    /// A second secret is minted.
    Mint,
}

/// A request of the API, before it has an address.
pub(crate) struct Call {
    pub(crate) operation: Operation,
    pub(crate) method: Method,
    pub(crate) target: Target,
    pub(crate) body: Option<Vec<u8>>,
    /// The name or id of the key, for messages.
    pub(crate) subject: Option<String>,
}

impl Call {
    pub(crate) fn get(operation: Operation, target: Target) -> Self {
        Self { operation, method: Method::GET, target, body: None, subject: None }
    }
}

/// An answer of success, as far as it arrived.
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
    /// The connection broke before the end of the body.
    pub(crate) broke_off: bool,
}

impl Reply {
    /// What came, without its content.
    fn describe(&self, own_key: &str) -> String {
        describe(&self.headers, &self.body, own_key)
    }

    /// The media type, without parameters, in lower case; empty if none was sent.
    pub(crate) fn media_type(&self) -> String {
        let value = self.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
    }

    /// Whether somebody else than the service may have answered, a proxy or a login page: it speaks JSON, or says nothing.
    pub(crate) fn is_foreign(&self) -> bool {
        let media_type = self.media_type();
        let is_json = media_type == "application/json" || media_type.ends_with("+json");
        // Some frameworks put a type on every answer. Of one that broke off, it is that of what was lost.
        let is_empty = self.body.is_empty() && (media_type.is_empty() || !self.broke_off);
        let is_markup = without_mark(&self.body).trim_ascii_start().starts_with(b"<");
        !(is_json || is_empty) || is_markup
    }
}

/// Why an answer of success is none.
pub(crate) enum Misread {
    /// The body ends early.
    Truncated(String),
    /// The content is not what the API promises, and where or why.
    WrongContent(String),
    /// A secret was minted and is not in the answer. The id is, perhaps.
    NoSecret { id: Option<String> },
}

impl Misread {
    /// Keeps the place only: the message of a serde error may quote the body.
    pub(crate) fn from_json(error: &serde_json::Error) -> Self {
        let place = format!("line {}, column {}", error.line(), error.column());
        if error.is_eof() {
            Self::Truncated(format!("JSON that ends early at {place}"))
        } else {
            Self::WrongContent(format!("not the promised JSON at {place}"))
        }
    }
}

/// Everything that the calls of a client share.
pub(crate) struct Pipeline {
    settings: Settings,
    budget: Budget,
    /// The body of the last read, to be filled again. A thread that finds it taken does without.
    room: Mutex<Room>,
}

impl Pipeline {
    pub(crate) fn new(settings: Settings) -> Self {
        Self { settings, budget: Budget::new(), room: Mutex::default() }
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }

    fn room(&self) -> MutexGuard<'_, Room> {
        // Nothing is half done under the lock.
        self.room.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts the clock for one call of the user's, with all its look-ups, retries and waits.
    pub(crate) fn begin(&self) -> Session<'_> {
        let clock = &self.settings.clock;
        Session {
            pipeline: self,
            deadline: clock.elapsed().saturating_add(self.settings.timeout),
            started: clock.now(),
        }
    }
}

/// One call of the user's.
pub(crate) struct Session<'a> {
    pipeline: &'a Pipeline,
    deadline: Duration,
    started: OffsetDateTime,
}

/// An attempt that failed, and what the retry policy has to know of it.
struct Attempt {
    error: Error,
    signal: Signal,
}

impl Session<'_> {
    /// When the call began.
    pub(crate) fn started(&self) -> OffsetDateTime {
        self.started
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.pipeline.settings
    }

    /// Sends `call` and decodes its answer, again where the policy allows.
    pub(crate) fn run<T>(&self, call: &Call, decode: impl Fn(&Reply) -> Result<T, Misread>) -> Result<T, Error> {
        let Settings { endpoint, clock, retry, .. } = self.settings();
        let safety = call.operation.safety();
        let uri = endpoint
            .uri(call.target.as_str())
            .map_err(|_| InvalidRequest::new("request", "is too long: a URL has at most 65534 bytes"))?;
        let mut previous: Option<Box<Error>> = None;
        let mut attempts = 0;
        // An earlier attempt of this call may have done the thing.
        let mut maybe_done = false;
        loop {
            let remaining = self.deadline.saturating_sub(clock.elapsed());
            if remaining.is_zero() {
                return Err(match previous {
                    Some(error) => *error,
                    None => self.out_of_time(call),
                });
            }
            attempts += 1;
            let request = self.request(call, &uri, retry.attempt_budget(remaining));
            let Attempt { mut error, signal } = match self.attempt(call, request, maybe_done, &decode) {
                Ok(value) => {
                    self.pipeline.budget.deposit();
                    return Ok(value);
                }
                Err(attempt) => attempt,
            };
            maybe_done |= judge(safety, signal).outcome == Outcome::Unknown;
            if let Some(failure) = error.failure_mut() {
                // What comes after an attempt that may have done it does not undo it.
                if safety != Safety::Read && maybe_done && failure.outcome != Outcome::Applied {
                    failure.outcome = Outcome::Unknown;
                    failure.retryable &= safety == Safety::Remove;
                }
                failure.attempts = attempts;
                failure.previous = previous.take();
            }
            let remaining = self.deadline.saturating_sub(clock.elapsed());
            let failed = Failed { safety, signal, attempts, retry_after: error.retry_after(), remaining };
            let Some(delay) = retry.next_delay(&failed, &self.pipeline.budget, &**clock) else { return Err(error) };
            previous = Some(Box::new(error));
            clock.sleep(delay);
        }
    }

    fn request(&self, call: &Call, uri: &Uri, timeout: Duration) -> http::Request<Vec<u8>> {
        let mut request = http::Request::new(call.body.clone().unwrap_or_default());
        *request.method_mut() = call.method.clone();
        *request.uri_mut() = uri.clone();
        *request.headers_mut() = self.settings().headers.clone();
        if call.body.is_some() {
            request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        let options = SendOptions::new(timeout);
        let safety = call.operation.safety();
        request.extensions_mut().insert(if safety == Safety::Mint { options.fresh_connection() } else { options });
        if safety == Safety::Read {
            request.extensions_mut().insert(mem::take(&mut *self.pipeline.room()));
        }
        request
    }

    /// One attempt: carry, gate, decode.
    fn attempt<T>(
        &self,
        call: &Call,
        request: http::Request<Vec<u8>>,
        maybe_done: bool,
        decode: &impl Fn(&Reply) -> Result<T, Misread>,
    ) -> Result<T, Attempt> {
        let safety = call.operation.safety();
        let (response, broke_off) = match self.settings().transport.send(request) {
            Ok(response) => (response, false),
            Err(mut error) => match error.take_partial_response() {
                // The head says all that there is to know, unless a read needs its body.
                Some(partial) if !(partial.status().is_success() && safety == Safety::Read) => (partial, true),
                _ => return Err(self.no_response(call, error)),
            },
        };
        let (head, body) = response.into_parts();
        let mut reply = Reply { status: head.status, headers: head.headers, body, broke_off };
        // The first request was processed after all, only its answer was lost. A gateway knows nothing of that.
        let is_gone = reply.status == StatusCode::NOT_FOUND && !reply.is_foreign();
        if call.method == Method::DELETE && maybe_done && is_gone {
            reply =
                Reply { status: StatusCode::NO_CONTENT, headers: HeaderMap::new(), body: Vec::new(), broke_off: false };
        }
        if !reply.status.is_success() {
            return Err(self.refused(call, &reply));
        }
        match decode(&reply) {
            Ok(value) => {
                match safety {
                    Safety::Mint => reply.body.zeroize(),
                    Safety::Read => self.pipeline.room().keep(reply.body),
                    Safety::Remove => {}
                }
                Ok(value)
            }
            Err(misread) => Err(self.misread(call, reply, misread)),
        }
    }

    fn failure(&self, call: &Call, verdict: Verdict) -> Failure {
        let outcome = if call.operation.is_lookup() { Outcome::NotSent } else { verdict.outcome };
        // Whoever gives the secret of a key where its id belongs shall not find it in a log.
        let own_key = self.settings().api_key.expose_secret();
        let subject = call.subject.as_deref().map(|subject| keyless(subject, own_key));
        Failure {
            operation: call.operation,
            outcome,
            retryable: verdict.retryable,
            attempts: 1,
            previous: None,
            subject,
            started: self.started,
        }
    }

    fn out_of_time(&self, call: &Call) -> Error {
        let error =
            TransportError::new(TransportErrorKind::Timeout, "the time for the whole call is used up").not_sent();
        let mut error = self.no_response(call, error).error;
        if let Some(failure) = error.failure_mut() {
            failure.attempts = 0;
        }
        error
    }

    fn no_response(&self, call: &Call, error: TransportError) -> Attempt {
        let signal = Signal::Transport { kind: error.kind(), sent: error.may_have_been_sent() };
        let failure = self.failure(call, judge(call.operation.safety(), signal));
        let error = Error::Transport(TransportFailure(Box::new(TransportFailureInner { error, failure })));
        Attempt { error, signal }
    }

    fn refused(&self, call: &Call, reply: &Reply) -> Attempt {
        let settings = self.settings();
        let own_key = settings.api_key.expose_secret();
        let status = reply.status.as_u16();
        let wait = retry_after(&reply.headers, &*settings.clock);
        let vouched =
            wait.is_some() && reply.media_type() == "application/problem+json" && settings.retry.trusts_unavailable();
        let signal = Signal::Status { status, vouched };
        let problem = Problem::read(&reply.body, own_key);
        let error = ApiError(Box::new(ApiErrorInner {
            status,
            retry_after: wait,
            request_id: reply
                .headers
                .get("x-request-id")
                .map(|id| foreign(&String::from_utf8_lossy(id.as_bytes()), own_key)),
            other_body: problem.is_none().then(|| reply.describe(own_key)),
            problem: problem.unwrap_or_default(),
            failure: self.failure(call, judge(call.operation.safety(), signal)),
        }));
        let error = match status {
            400 => Error::BadRequest(error),
            401 => Error::Unauthorized(error),
            403 => Error::Forbidden(error),
            404 => Error::NotFound(error),
            409 => Error::Conflict(error),
            422 => Error::UnprocessableEntity(error),
            429 => Error::RateLimited(error),
            500..=599 => Error::Server(error),
            _ => Error::UnexpectedStatus(error),
        };
        Attempt { error, signal }
    }

    fn misread(&self, call: &Call, mut reply: Reply, misread: Misread) -> Attempt {
        let own_key = self.settings().api_key.expose_secret();
        let (signal, why) = match &misread {
            Misread::Truncated(why) => (Signal::Truncated, Some(why)),
            Misread::WrongContent(why) => (Signal::WrongContent, Some(why)),
            Misread::NoSecret { .. } => (Signal::WrongContent, None),
        };
        let status = reply.status.as_u16();
        let mut found = reply.describe(own_key);
        if let Some(why) = why {
            found = format!("{why}: {found}");
        }
        let failure = self.failure(call, judge(call.operation.safety(), signal));
        let error = match misread {
            Misread::NoSecret { id } => {
                // A service that loses its secret may have put it there.
                let id = id.map(|id| foreign(&id, own_key));
                // Of exactly the right size, so that boxing it does not leave a copy behind.
                let raw_body = SecretSlice::from(reply.body.as_slice().to_vec());
                reply.body.zeroize();
                let inner = SecretNotRecoveredInner { status, found, id, raw_body, failure };
                Error::SecretNotRecovered(SecretNotRecovered(Box::new(inner)))
            }
            _ => Error::Decode(DecodeError(Box::new(DecodeErrorInner { status, found, failure }))),
        };
        Attempt { error, signal }
    }
}

impl Problem {
    /// Reads a problem document (RFC 9457), whatever its content type says. `None` if nothing of it is there.
    fn read(body: &[u8], own_key: &str) -> Option<Self> {
        let mut problem = Self::default();
        read_what_there_is(body, &mut problem);
        let members = [&mut problem.title, &mut problem.detail, &mut problem.problem_type, &mut problem.instance];
        let mut any = false;
        for text in members.into_iter().flatten() {
            *text = foreign(text, own_key);
            any = true;
        }
        any.then_some(problem)
    }
}

impl Members for Problem {
    fn read<'de, A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<bool, A::Error> {
        match name {
            "title" => self.title = read_scalar(map)?,
            "detail" => self.detail = read_scalar(map)?,
            "type" => self.problem_type = read_scalar(map)?,
            "instance" => self.instance = read_scalar(map)?,
            _ => return Ok(false),
        }
        Ok(true)
    }
}

/// What a body is, without its content.
fn describe(headers: &HeaderMap, body: &[u8], own_key: &str) -> String {
    if body.is_empty() {
        return "empty body".to_owned();
    }
    let shown = |value: &HeaderValue| foreign(&String::from_utf8_lossy(value.as_bytes()), own_key);
    let kind = headers.get(CONTENT_TYPE).map_or_else(|| "no content type".to_owned(), shown);
    match headers.get(CONTENT_ENCODING).map(shown) {
        Some(encoding) => format!("{kind}, encoded as {encoding}, {} bytes", body.len()),
        None => format!("{kind}, {} bytes", body.len()),
    }
}
