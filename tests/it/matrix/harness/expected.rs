//! The cells of the matrix, compared with the observations.

use std::time::Duration;

use arize_api_keys::{Error, Outcome};

use super::operation::{Answer, OWN_KEY, Operation, SECRET};
use crate::support::variant;

/// The expected end of a call.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Expected {
    /// Success at this attempt; `rescued` if the response was broken, and the secret still came whole.
    Fine { attempts: Tries, rescued: bool },
    /// One of these errors, separated by ` or `.
    Fault { error: &'static str, outcome: Outcome, attempts: Tries, retryable: bool },
    /// The client was never built, or the request never sent.
    Refused { error: &'static str },
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Tries {
    Exactly(u32),
    /// As many as the policy allows.
    All,
}

/// Success at once.
pub(crate) fn fine() -> Expected {
    fine_after(1)
}

/// Success at the n-th attempt.
pub(crate) fn fine_after(attempts: u32) -> Expected {
    Expected::Fine { attempts: Tries::Exactly(attempts), rescued: false }
}

/// Success at once, though the response is broken.
pub(crate) fn rescue() -> Expected {
    Expected::Fine { attempts: Tries::Exactly(1), rescued: true }
}

/// R: tried again as often as the policy allows, then this error.
pub(crate) fn again(error: &'static str, outcome: Outcome) -> Expected {
    Expected::Fault { error, outcome, attempts: Tries::All, retryable: true }
}

/// R, but given up after this many attempts.
pub(crate) fn again_times(attempts: u32, error: &'static str, outcome: Outcome) -> Expected {
    Expected::Fault { error, outcome, attempts: Tries::Exactly(attempts), retryable: true }
}

/// R, and then an error that is not tried again.
pub(crate) fn then_once(attempts: u32, error: &'static str, outcome: Outcome) -> Expected {
    Expected::Fault { error, outcome, attempts: Tries::Exactly(attempts), retryable: false }
}

/// X: this error at once.
pub(crate) fn once(error: &'static str, outcome: Outcome) -> Expected {
    Expected::Fault { error, outcome, attempts: Tries::Exactly(1), retryable: false }
}

/// X, though another call may succeed later.
pub(crate) fn later(error: &'static str, outcome: Outcome) -> Expected {
    Expected::Fault { error, outcome, attempts: Tries::Exactly(1), retryable: true }
}

/// Refused before any I/O.
pub(crate) fn refused(error: &'static str) -> Expected {
    Expected::Refused { error }
}

/// What happened.
#[derive(Debug)]
pub(crate) struct Observed {
    pub(crate) result: Result<Answer, Error>,
    /// The waits between attempts.
    pub(crate) slept: Vec<Duration>,
    /// How often the server saw what is counted there; `None` if there is nothing to count.
    pub(crate) count: Option<usize>,
}

impl Expected {
    /// As the documentation writes it.
    pub(crate) fn code(self) -> String {
        match self {
            Self::Fine { rescued: true, .. } => "rescue".to_owned(),
            Self::Fine { attempts: Tries::Exactly(1), .. } => "ok".to_owned(),
            Self::Fine { .. } => "R ok".to_owned(),
            Self::Refused { error } => format!("refused `{error}`"),
            Self::Fault { error, outcome, attempts, .. } => {
                let retried = if matches!(attempts, Tries::Exactly(1)) { "X" } else { "R" };
                let outcome = match outcome {
                    Outcome::NotSent => "N",
                    Outcome::Rejected => "J",
                    Outcome::Unknown => "U",
                    Outcome::Applied => "A",
                    other => panic!("no letter for {other:?}"),
                };
                format!("{retried} {outcome} `{}`", error.replace(" or ", "` or `"))
            }
        }
    }

    /// How many attempts the server has to see.
    pub(crate) fn attempts(self, allowed: u32) -> u32 {
        match self {
            Self::Fine { attempts, .. } | Self::Fault { attempts, .. } => match attempts {
                Tries::Exactly(attempts) => attempts,
                Tries::All => allowed,
            },
            Self::Refused { .. } => 0,
        }
    }

    /// What differs, if anything does.
    pub(crate) fn check(self, operation: Operation, seen: &Observed, allowed: u32) -> Result<(), String> {
        let attempts = self.attempts(allowed);
        let same = |what: &str, found: &dyn std::fmt::Debug, wanted: &dyn std::fmt::Debug| {
            let (found, wanted) = (format!("{found:?}"), format!("{wanted:?}"));
            if found == wanted { Ok(()) } else { Err(format!("{what}: {found}, not {wanted}")) }
        };
        match (self, &seen.result) {
            (Self::Fine { rescued, .. }, Ok(answer)) => {
                same("something was wrong", &answer.odd, &rescued)?;
                let secret = operation.mints().then_some(SECRET);
                same("the secret", &answer.secret.as_deref(), &secret)?;
                if operation == Operation::List {
                    same("the keys", &answer.names, &["ci"])?;
                }
            }
            (Self::Fault { error, outcome, retryable, .. }, Err(found)) => {
                let name = name(found);
                if !error.split(" or ").any(|error| error == name) {
                    return Err(format!("the error: {name}, not {error}: {found}"));
                }
                same("the outcome", &found.outcome(), &outcome)?;
                same("is_retryable", &found.is_retryable(), &retryable)?;
                same("attempts", &found.attempts(), &attempts)?;
                same("an earlier attempt", &found.previous_attempt().is_some(), &(attempts > 1))?;
            }
            (Self::Refused { error }, Err(found)) => {
                same("the error", &name(found).as_str(), &error)?;
                same("the outcome", &found.outcome(), &Outcome::NotSent)?;
                same("is_retryable", &found.is_retryable(), &false)?;
                same("attempts", &found.attempts(), &0)?;
            }
            (_, Ok(_)) => return Err("succeeds".to_owned()),
            (_, Err(error)) => return Err(format!("fails: {}: {error}", name(error))),
        }
        if let Err(error) = &seen.result {
            no_leak(error)?;
        }
        same("the waits", &seen.slept.len(), &(attempts.saturating_sub(1) as usize))?;
        match seen.count {
            Some(count) => same("what the server counted", &count, &(attempts as usize)),
            None => Ok(()),
        }
    }
}

/// The variant, and the kind where there are kinds.
pub(crate) fn name(error: &Error) -> String {
    match error {
        Error::Transport(failure) => format!("Transport({:?})", failure.kind()),
        Error::Pagination(error) => format!("Pagination({:?})", error.kind()),
        other => variant(other).to_owned(),
    }
}

/// No text shows a secret, in any case.
fn no_leak(error: &Error) -> Result<(), String> {
    let mut shown = format!("{error} {error:?}");
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        shown += &format!(" {cause} {cause:?}");
        source = cause.source();
    }
    match [OWN_KEY, SECRET].into_iter().find(|secret| shown.contains(secret)) {
        Some(secret) => Err(format!("{secret} is shown: {shown}")),
        None => Ok(()),
    }
}
