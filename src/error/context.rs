//! The metadata of a failed call.

use std::fmt;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::Error;
use crate::operation::Operation;
use crate::redact::quote;

/// The certainty about a failed call: whether the service processed the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Outcome {
    /// No complete request reached the service. Nothing happened.
    NotSent,
    /// The service refused the request. Nothing happened.
    Rejected,
    /// The service may have processed the request, or may still process it. A key may exist, a secret may have been
    /// replaced, a key may still be active. The message of the error says how to find out.
    Unknown,
    /// The service did it, but the client could not use the response.
    Applied,
}

/// The call that an error is about, its last attempt and the one before.
#[derive(Debug)]
pub(crate) struct CallContext {
    pub(crate) operation: Operation,
    pub(crate) outcome: Outcome,
    pub(crate) retryable: bool,
    pub(crate) attempts: u32,
    pub(crate) previous: Option<Box<Error>>,
    /// The name or id of the key, for the advice.
    pub(crate) subject: Option<String>,
    pub(crate) started: OffsetDateTime,
}

impl CallContext {
    /// The next step for the user, where the outcome leaves one.
    fn advice(&self) -> Option<String> {
        let subject = self.subject.as_deref().map(quote).unwrap_or_default();
        match (self.operation, self.outcome) {
            (Operation::Create | Operation::CreateServiceKey, Outcome::Unknown) => {
                let (listed, since) = (self.where_listed(), self.since());
                Some(format!(
                    "the key may exist: list {listed} and revoke the one named {subject} created since {since}"
                ))
            }
            (Operation::Refresh, Outcome::Unknown) => Some(format!(
                "the secret may have been replaced: compare `redacted_key` of the key {subject} in a list, \
                 and refresh it again to get a new secret"
            )),
            (Operation::Delete | Operation::Revoke, Outcome::Unknown) => {
                Some(format!("the key {subject} may still be active: call again, a repeated call does no harm"))
            }
            _ => None,
        }
    }

    /// The list that shows a created key. A list without a space has no service keys.
    pub(super) fn where_listed(&self) -> &'static str {
        if self.operation == Operation::CreateServiceKey { "the service keys of its space" } else { "the keys" }
    }

    pub(super) fn since(&self) -> String {
        self.started.truncate_to_second().format(&Rfc3339).unwrap_or_default()
    }

    pub(super) fn write_tail(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.attempts > 1 {
            write!(f, " (after {} attempts)", self.attempts)?;
        }
        match self.advice() {
            Some(advice) => write!(f, "; {advice}"),
            None => Ok(()),
        }
    }
}
