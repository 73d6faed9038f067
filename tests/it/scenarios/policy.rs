//! The expected result of a response: the policy, written down a second time, independently of the crate's code.

use std::time::Duration;

use arize_api_keys::{ApiStage, Outcome, TransportErrorKind};
use serde_json::Value;

use super::script::{Answer, Response, Script};
use crate::support::{Jitter, REFUSALS};

/// The called operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Op {
    List,
    Create,
    CreateServiceKey,
    Refresh,
    Delete,
    Revoke,
    /// The look-up of a space by its name, before a list or the making of a service key.
    NameForList,
    NameForServiceKey,
}

impl Op {
    pub(super) const ALL: [Self; 8] = [
        Self::List,
        Self::Create,
        Self::CreateServiceKey,
        Self::Refresh,
        Self::Delete,
        Self::Revoke,
        Self::NameForList,
        Self::NameForServiceKey,
    ];

    pub(super) fn mints(self) -> bool {
        matches!(self, Self::Create | Self::CreateServiceKey | Self::Refresh)
    }

    pub(super) fn is_lookup(self) -> bool {
        matches!(self, Self::NameForList | Self::NameForServiceKey)
    }

    fn reads(self) -> bool {
        self == Self::List || self.is_lookup()
    }
}

/// How a call ends.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum End {
    Done,
    Failed(Failure),
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Failure {
    /// The variant.
    pub(super) error: &'static str,
    pub(super) transport: Option<TransportErrorKind>,
    pub(super) status: Option<u16>,
    pub(super) outcome: Outcome,
    /// Another attempt is safe, and may end better.
    pub(super) retryable: bool,
    pub(super) retry_after: Option<Duration>,
}

/// The expected result of a call.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Expected {
    pub(super) requests: usize,
    pub(super) sleeps: Vec<Duration>,
    pub(super) end: End,
}

const ATTEMPTS: usize = 3;
const TIMEOUT: Duration = Duration::from_secs(60);
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(60);

/// Plays the script through the default policy.
pub(super) fn expected(op: Op, stage: ApiStage, script: &Script, jitter: Jitter) -> Expected {
    let thrown = |most: Duration| if jitter == Jitter::Longest { most } else { Duration::ZERO };
    let mut sleeps: Vec<Duration> = Vec::new();
    let mut maybe_done = false;
    for attempt in 1.. {
        let is_delete = op == Op::Delete && stage == ApiStage::Alpha;
        let mut end = match script.answer(attempt - 1) {
            // The first request did it, and only its answer was lost.
            Some(Answer::Whole(Response { status: 404, .. }) | Answer::Partial(Response { status: 404, .. }))
                if is_delete && maybe_done =>
            {
                End::Done
            }
            Some(answer) => judge(op, answer),
            None => End::Done,
        };
        let ended = |end| Expected { requests: attempt, sleeps: sleeps.clone(), end };
        let End::Failed(failure) = &mut end else { return ended(end) };
        maybe_done |= failure.outcome == Outcome::Unknown;
        // A refusal after an attempt that may have removed the key does not bring it back.
        if matches!(op, Op::Delete | Op::Revoke) && maybe_done {
            failure.outcome = Outcome::Unknown;
        }
        // Half a second, doubled each time; what the service asks for, and up to a tenth on top.
        let mut delay = thrown(Duration::from_millis(500) * (1 << (attempt - 1)));
        if let (Some(wait), Some(429 | 503)) = (failure.retry_after, failure.status) {
            if wait > LONGEST_RETRY_AFTER {
                return ended(end);
            }
            delay = delay.max(wait) + thrown(wait / 10);
        }
        let elapsed: Duration = sleeps.iter().sum();
        if !failure.retryable || attempt == ATTEMPTS || elapsed + delay >= TIMEOUT {
            return ended(end);
        }
        sleeps.push(delay);
    }
    unreachable!("the attempts are limited")
}

/// One attempt.
fn judge(op: Op, answer: &Answer) -> End {
    let mut end = match answer {
        Answer::None { kind, sent } => no_response(op, *kind, *sent),
        // A read needs its body. For all else, the head says what happened, and the part may hold the secret.
        Answer::Partial(response) if op.reads() && (200..300).contains(&response.status) => {
            no_response(op, TransportErrorKind::Interrupted, true)
        }
        Answer::Whole(response) | Answer::Partial(response) => match response.status {
            200..=299 => success(op, response),
            _ => refused(op, response),
        },
    };
    // It speaks of the call, and that was not sent yet.
    if let (End::Failed(failure), true) = (&mut end, op.is_lookup()) {
        failure.outcome = Outcome::NotSent;
    }
    end
}

fn no_response(op: Op, kind: TransportErrorKind, sent: bool) -> End {
    let passes = matches!(
        kind,
        TransportErrorKind::Resolve
            | TransportErrorKind::Connect
            | TransportErrorKind::Timeout
            | TransportErrorKind::Interrupted
    );
    End::Failed(Failure {
        error: "Transport",
        transport: Some(kind),
        status: None,
        outcome: if sent { Outcome::Unknown } else { Outcome::NotSent },
        retryable: passes && !(sent && op.mints()),
        retry_after: None,
    })
}

fn refused(op: Op, response: &Response) -> End {
    let status = response.status;
    let error = match status {
        429 => "RateLimited",
        500..=599 => "Server",
        _ => REFUSALS.into_iter().find(|(other, _)| *other == status).map_or("UnexpectedStatus", |(_, error)| error),
    };
    const REJECTED: [u16; 20] =
        [400, 401, 403, 404, 405, 406, 409, 410, 411, 412, 413, 414, 415, 417, 421, 422, 425, 428, 429, 431];
    let redirects_a_read = (300..400).contains(&status) && op.reads();
    let outcome = if REJECTED.contains(&status) || redirects_a_read { Outcome::Rejected } else { Outcome::Unknown };
    let retryable = match status {
        429 => true,
        408 | 500 | 502 | 503 | 504 => !op.mints(),
        _ => false,
    };
    // Whole seconds; other values have a separate test.
    let retry_after = response.header("retry-after").map(|value| Duration::from_secs(value.parse().unwrap()));
    End::Failed(Failure { error, transport: None, status: Some(status), outcome, retryable, retry_after })
}

fn success(op: Op, response: &Response) -> End {
    let failed = |error, outcome, retryable| {
        End::Failed(Failure {
            error,
            transport: None,
            status: Some(response.status),
            outcome,
            retryable,
            retry_after: None,
        })
    };
    if op.mints() {
        let has_secret = json(&response.body).is_some_and(|body| secret(&body).is_some());
        // A login page minted nothing that anybody knows of.
        let body = response.body.trim_ascii_start();
        let media_type = response.media_type().unwrap_or_default();
        let is_json = media_type == "application/json" || media_type.ends_with("+json");
        let is_the_services = body.is_empty() || (is_json || body.starts_with(b"{")) && !is_about_something_else(body);
        let is_foreign = !is_the_services || body.starts_with(b"<");
        let outcome = if is_foreign { Outcome::Unknown } else { Outcome::Applied };
        return if has_secret { End::Done } else { failed("SecretNotRecovered", outcome, false) };
    }
    if !op.reads() {
        let is_json = response.media_type().is_some_and(|kind| kind == "application/json" || kind.ends_with("+json"));
        let is_done = response.body.is_empty() || is_json;
        return if is_done { End::Done } else { failed("Decode", Outcome::Unknown, false) };
    }
    let items = if op == Op::List { "api_keys" } else { "spaces" };
    match json(&response.body) {
        Some(page) if page.get(items).is_some_and(Value::is_array) || page.get("pagination").is_some() => {
            if op == Op::List { End::Done } else { look_up(&page) }
        }
        None if ends_early(&response.body) => failed("Decode", Outcome::Unknown, true),
        _ => failed("Decode", Outcome::Applied, false),
    }
}

/// No script names the space that is looked for.
fn look_up(page: &Value) -> End {
    let pagination = &page["pagination"];
    let is_endless = pagination["has_more"] == true && pagination["next_cursor"].as_str().unwrap_or("").is_empty();
    let error = if is_endless { "Pagination" } else { "SpaceNotFound" };
    let outcome = Outcome::NotSent;
    End::Failed(Failure { error, transport: None, status: None, outcome, retryable: false, retry_after: None })
}

fn ends_early(body: &[u8]) -> bool {
    !body.is_empty() && serde_json::from_slice::<Value>(body).is_err_and(|error| error.is_eof())
}

/// The object of a body, if it is one, with or without a byte order mark.
pub(super) fn json(body: &[u8]) -> Option<Value> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    serde_json::from_slice(body).ok().filter(Value::is_object)
}

/// Whole JSON with content, and nothing of a key in it.
pub(super) fn is_about_something_else(body: &[u8]) -> bool {
    let Ok(value) = serde_json::from_slice::<Value>(body) else { return false };
    let text = value.to_string();
    let has_content = !matches!(&value, Value::Null | Value::Array(_)) && text != "{}";
    let is_of_a_key = value.get("id").is_some()
        || ["\"key\"", "\"key_type\"", "\"redacted_key\"", "ak-SECRET"].iter().any(|sign| text.contains(sign));
    has_content && !is_of_a_key
}

/// The secret in the response to a create or a refresh.
pub(super) fn secret(body: &Value) -> Option<&str> {
    body["key"].as_str().filter(|key| !key.trim().is_empty())
}
