//! How the program ends: its exit codes, and the errors that lead to them.

use std::fmt::Display;
use std::io;
use std::path::Path;

use arize_api_keys::{Error, Outcome, TransportErrorKind};

use crate::messages;
pub(crate) use crate::messages::of as with_causes;
pub(crate) use crate::redact::printable;

/// The exit codes. [`EXIT_CODES`] tells the user what they mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Code {
    /// Every other cause: a file or stdout that cannot be written, pages that do not end.
    Other = 1,
    Usage = 2,
    Denied = 3,
    NotFound = 4,
    Refused = 5,
    RateLimited = 6,
    Unavailable = 7,
    Unknown = 8,
    SecretLost = 9,
    NotStored = 10,
    HalfRotated = 11,
    Declined = 12,
    Findings = 13,
    Incomplete = 14,
    RunFailed = 125,
    NotExecutable = 126,
    CommandNotFound = 127,
}

/// The end of every long help, and a part of docs/command-line.md.
pub(crate) const EXIT_CODES: &str = "\
Exit codes:
   0  done
   1  failed for a reason without a separate code, like a file that cannot be written
   2  the arguments or the configuration are wrong, or there is no terminal to ask and no --yes
   3  the API key is not accepted (401), or lacks the permission (403)
   4  the key, space or organization was not found, or several have the name
   5  the service refused: the request is against its rules (400, 409, 422)
   6  too many requests (429)
   7  the service was not reached, or failed; nothing was changed
   8  it is not known whether the service did it: the message says how to find out
   9  the service did it, but the secret is not stored: the message says where it is, or that it is lost
  10  the secret could not be stored, and the new key was revoked
  11  `rotate` or `ensure` ended early: a new key is stored, and an old one may still work
  12  the question whether to remove was not answered with yes
  13  `audit` found something
  14  nothing was found, but not everything could be read

`run` ends with the code of its command, or with 128 + n after signal n. Its own codes:
 125  `run` failed, for any reason: the command was not started, or it is not known how it ended
 126  `run`: the command cannot be executed
 127  `run`: the command was not found";

/// The states after a refusal.
pub(crate) const NOTHING_SENT: &str = "nothing was sent";
pub(crate) const NOTHING_CREATED: &str = "nothing was created";
pub(crate) const NOTHING_CHANGED: &str = "nothing was changed";

/// The kind of request, as far as errors differ by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// It changes nothing, even if its outcome is unknown.
    Read,
    Change,
}

/// Why the program ends without having done what it was asked.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) code: Code,
    pub(crate) message: String,
    /// The state of the keys after the failure, where the message does not say it. It is shown after the message.
    pub(crate) state: Option<&'static str>,
    /// What to do next, where the message does not say it.
    pub(crate) hint: Option<String>,
}

impl Failure {
    pub(crate) fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), state: None, hint: None }
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The present state. That nothing was sent tells less than any other, which replaces it.
    pub(crate) fn state(self, state: &'static str) -> Self {
        Self { state: self.state.filter(|known| *known != NOTHING_SENT).or(Some(state)), ..self }
    }

    /// One more fact, after the message.
    pub(crate) fn and(self, fact: impl Display) -> Self {
        Self { message: format!("{}; {fact}", self.message), ..self }
    }

    /// The subject, before the message.
    pub(crate) fn after(self, text: impl Display) -> Self {
        Self { message: format!("{text}: {}", self.message), ..self }
    }

    /// Something about a file.
    pub(crate) fn file(verb: &str, path: &Path, error: &io::Error) -> Self {
        Self::new(Code::Other, format!("cannot {verb} `{}`: {error}", printable(path.display())))
    }

    /// A file that an option names and that cannot be read: the arguments are wrong.
    pub(crate) fn input(verb: &str, path: &Path, error: &io::Error) -> Self {
        Self { code: Code::Usage, ..Self::file(verb, path, error) }
    }

    /// An error of the SDK, with its causes.
    pub(crate) fn sdk(error: &Error, effect: Effect) -> Self {
        Self { code: code(error, effect), message: messages::of(error), state: None, hint: hint(error) }
    }

    /// An error of a call that brings a secret. The state is that of a call that was not sent, or refused without a secret; the
    /// messages of other errors say what may be true.
    pub(crate) fn mint(error: &Error, nothing_done: &'static str) -> Self {
        let failure = Self::sdk(error, Effect::Change);
        let has_secret = error.api().is_some_and(|refusal| refusal.secret().is_some());
        match error.outcome() {
            Outcome::NotSent | Outcome::Rejected if !has_secret => failure.state(nothing_done),
            _ => failure,
        }
    }
}

fn code(error: &Error, effect: Effect) -> Code {
    match error {
        Error::Config(_) | Error::InvalidRequest(_) => Code::Usage,
        // No request can be made of the arguments and settings: one that is too long, or a TLS library that is not there.
        Error::Transport(e) if e.kind() == TransportErrorKind::Configuration => Code::Usage,
        Error::SecretNotRecovered(_) if error.outcome() == Outcome::Applied => Code::SecretLost,
        Error::Unauthorized(_) | Error::Forbidden(_) => Code::Denied,
        Error::NotFound(_) | Error::SpaceNotFound(_) | Error::AmbiguousSpace(_) | Error::OrganizationNotFound(_) => {
            Code::NotFound
        }
        Error::RateLimited(_) => Code::RateLimited,
        Error::Pagination(_) => Code::Other,
        error => match error.outcome() {
            Outcome::Rejected | Outcome::NotSent if is_refusal(error) => Code::Refused,
            Outcome::NotSent => Code::Unavailable,
            _ if effect == Effect::Read => Code::Unavailable,
            Outcome::Applied => Code::Other,
            _ => Code::Unknown,
        },
    }
}

/// A 4xx. A redirect changes nothing either, but does not come from the service.
fn is_refusal(error: &Error) -> bool {
    error.status().is_some_and(|status| (400..500).contains(&status))
}

fn hint(error: &Error) -> Option<String> {
    let hint = match error {
        Error::Config(e) if matches!(e.setting(), "api_key" | "ARIZE_API_KEY") => {
            "set ARIZE_API_KEY, or pass --api-key-file FILE".to_owned()
        }
        Error::Unauthorized(_) => "`arize-keys check` shows where the key comes from and where it is sent".to_owned(),
        Error::SpaceNotFound(_) => "`arize-keys spaces` lists them".to_owned(),
        Error::Transport(_) if error.outcome() == Outcome::NotSent => {
            "`arize-keys check` shows where requests are sent".to_owned()
        }
        _ => return None,
    };
    Some(hint)
}
