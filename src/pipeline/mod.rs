//! Sends a request and decodes its response, again where the retry policy allows.

mod content_encoding;
mod failed_attempt;
mod request;
mod response;

use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Uri};
use secrecy::zeroize::Zeroize;
use time::OffsetDateTime;

use self::failed_attempt::FailedAttempt;
pub(crate) use self::request::ApiRequest;
pub(crate) use self::response::{ApiResponse, DecodeFailure};
use crate::config::{Credential, Settings};
use crate::error::{CallContext, Error, InvalidRequest, Outcome};
use crate::operation::{Idempotency, Operation};
use crate::prerelease::warn_once;
use crate::redact::strip_key;
use crate::retry::{Budget, RetryContext, classify};
use crate::transport::{ReusableBuffer, SendOptions, TransportError, TransportErrorKind};

/// Everything that the calls of a client share.
pub(crate) struct Pipeline {
    settings: Settings,
    budget: Budget,
    /// The body of the last read, to fill again. A thread that finds it taken allocates its own.
    buffer: Mutex<ReusableBuffer>,
}

impl Pipeline {
    pub(crate) fn new(settings: Settings) -> Self {
        Self { settings, budget: Budget::new(), buffer: Mutex::default() }
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Begins one call of the caller's: the pre-release warning, then the deadline for every request and wait in it.
    pub(crate) fn begin(&self, operation: Operation) -> CallScope<'_> {
        warn_once(operation, &self.settings);
        let clock = &self.settings.clock;
        let deadline = clock.elapsed().saturating_add(self.settings.timeout);
        CallScope {
            pipeline: self,
            operation,
            deadline: self.settings.deadline.map_or(deadline, |limit| limit.min(deadline)),
            started: clock.now(),
        }
    }

    fn buffer(&self) -> MutexGuard<'_, ReusableBuffer> {
        // No code panics while it holds the lock half-way through a change.
        self.buffer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One call of the caller's, with its look-ups, retries and waits.
pub(crate) struct CallScope<'a> {
    pipeline: &'a Pipeline,
    operation: Operation,
    deadline: Duration,
    started: OffsetDateTime,
}

impl CallScope<'_> {
    /// The time at which the call began.
    pub(crate) fn started(&self) -> OffsetDateTime {
        self.started
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.pipeline.settings
    }

    /// Sends `request` and decodes the response, again where the policy allows.
    pub(crate) fn run<T>(
        &self,
        request: &ApiRequest,
        decode: impl Fn(&ApiResponse) -> Result<T, DecodeFailure>,
    ) -> Result<T, Error> {
        let mut attempts = Attempts::new(self, request)?;
        loop {
            let failed = match attempts.send()? {
                Ok(response) => match decode(&response) {
                    Ok(value) => {
                        attempts.succeed(response);
                        return Ok(value);
                    }
                    Err(failure) => FailedAttempt::Undecodable(response, failure),
                },
                Err(failed) => failed,
            };
            attempts.retry_after(failed)?;
        }
    }
}

/// The attempts of one request. It has no type parameter, so that the compiler builds the loop's parts once.
struct Attempts<'a> {
    scope: &'a CallScope<'a>,
    request: &'a ApiRequest,
    idempotency: Idempotency,
    uri: Uri,
    made: u32,
    previous: Option<Box<Error>>,
    /// The key of the last attempt.
    credential: Arc<Credential>,
    /// The request was sent again with another key.
    is_key_renewed: bool,
    /// The service may have processed one of the attempts.
    maybe_applied: bool,
}

impl<'a> Attempts<'a> {
    fn new(scope: &'a CallScope<'a>, request: &'a ApiRequest) -> Result<Self, InvalidRequest> {
        let uri = scope
            .settings()
            .endpoint
            .uri(request.target.as_str())
            .map_err(|_| InvalidRequest::new("request", "is too long: a URL has at most 65534 bytes"))?;
        let idempotency = request.operation.idempotency();
        let credential = scope.settings().credentials.current();
        // In a URL, the key would be in the logs of every proxy. The subject of a request without a name in its body is an id.
        if credential.is_in_target(request.target.as_str()) {
            let field = if request.subject.is_some() { "id" } else { "request" };
            return Err(InvalidRequest::new(field, "must not be or contain the API key of the client"));
        }
        Ok(Self {
            scope,
            request,
            idempotency,
            uri,
            made: 0,
            previous: None,
            credential,
            is_key_renewed: false,
            maybe_applied: false,
        })
    }

    /// Makes one attempt. The outer error ends the call: its deadline has passed.
    fn send(&mut self) -> Result<Result<ApiResponse, FailedAttempt>, Error> {
        let remaining = self.remaining();
        if remaining.is_zero() {
            return Err(self.previous.take().map_or_else(|| self.timed_out(), |error| *error));
        }
        self.made += 1;
        self.credential = self.scope.settings().credentials.current();
        let settings = self.scope.settings();
        let (response, is_truncated) = match settings.transport.send(self.http_request(remaining)) {
            Ok(response) => (response, false),
            Err(mut error) => match error.take_partial_response() {
                // The status is enough, except for a read, which needs the whole body.
                Some(partial) if !(partial.status().is_success() && self.idempotency == Idempotency::Safe) => {
                    (partial, true)
                }
                _ => return Ok(Err(FailedAttempt::NoResponse(error))),
            },
        };
        let (head, body) = response.into_parts();
        let response = ApiResponse::new(head, body, is_truncated);
        Ok(if response.status.is_success() { Ok(response) } else { Err(FailedAttempt::Refused(response)) })
    }

    fn http_request(&self, remaining: Duration) -> http::Request<Vec<u8>> {
        let settings = self.scope.settings();
        let mut request = http::Request::new(self.request.body.clone().unwrap_or_default());
        *request.method_mut() = self.request.method.clone();
        *request.uri_mut() = self.uri.clone();
        *request.headers_mut() = settings.headers.clone();
        request.headers_mut().insert(AUTHORIZATION, self.credential.authorization());
        if self.request.body.is_some() {
            request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        let mut options = SendOptions::new(settings.retry.attempt_timeout_within(remaining));
        if self.idempotency == Idempotency::NonIdempotent {
            options = options.fresh_connection();
        }
        request.extensions_mut().insert(options);
        if self.idempotency == Idempotency::Safe {
            request.extensions_mut().insert(mem::take(&mut *self.scope.pipeline.buffer()));
        }
        request
    }

    fn succeed(&self, mut response: ApiResponse) {
        self.scope.pipeline.budget.deposit();
        match self.idempotency {
            Idempotency::NonIdempotent => response.body.zeroize(),
            Idempotency::Safe => self.scope.pipeline.buffer().keep(response.body),
            Idempotency::Idempotent => {}
        }
    }

    /// Waits before the next attempt, or returns the final error.
    fn retry_after(&mut self, failed: FailedAttempt) -> Result<(), Error> {
        let settings = self.scope.settings();
        if self.renew_key(&failed) {
            let context = self.context(Outcome::Rejected, false);
            // The new key may be in the response, too.
            let credential = settings.credentials.current();
            self.previous = Some(Box::new(failed.into_error(context, None, credential.known_keys())));
            return Ok(());
        }
        let clock = &*settings.clock;
        let failure = failed.failure();
        let classification = classify(self.idempotency, failure, self.maybe_applied);
        self.maybe_applied |= classification.outcome == Outcome::Unknown;
        let retry_after = failed.retry_after(clock);
        let retry =
            RetryContext { classification, failure, attempts: self.made, retry_after, remaining: self.remaining() };
        let delay = settings.retry.next_delay(&retry, &self.scope.pipeline.budget, clock);
        let context = self.context(classification.outcome, classification.retryable);
        let error = failed.into_error(context, retry_after, self.credential.known_keys());
        let Some(delay) = delay else { return Err(error) };
        self.previous = Some(Box::new(error));
        clock.sleep(delay);
        Ok(())
    }

    /// Whether the request is to be sent once more, with a newer key than the one that the service refused.
    fn renew_key(&mut self, failed: &FailedAttempt) -> bool {
        if self.is_key_renewed || !failed.is_key_refused(self.idempotency) {
            return false;
        }
        self.is_key_renewed = self.scope.settings().credentials.renew(&self.credential);
        self.is_key_renewed
    }

    fn remaining(&self) -> Duration {
        self.scope.deadline.saturating_sub(self.scope.settings().clock.elapsed())
    }

    fn timed_out(&mut self) -> Error {
        let error = TransportError::new(TransportErrorKind::Timeout, "the deadline of the call has passed").not_sent();
        let context = self.context(Outcome::NotSent, true);
        FailedAttempt::NoResponse(error).into_error(context, None, "")
    }

    fn context(&mut self, outcome: Outcome, retryable: bool) -> CallContext {
        // The caller may have passed the secret of a key as its id or name.
        let own_key = self.credential.known_keys();
        let is_lookup = self.request.operation != self.scope.operation;
        CallContext {
            operation: self.request.operation,
            // After a failed look-up, the request of the call itself was not sent.
            outcome: if is_lookup { Outcome::NotSent } else { outcome },
            retryable,
            attempts: self.made,
            previous: self.previous.take(),
            subject: self.request.subject.as_deref().map(|subject| strip_key(subject, own_key)),
            started: self.scope.started,
        }
    }
}
