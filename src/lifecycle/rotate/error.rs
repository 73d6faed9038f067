//! The errors of a rotation.

use std::error::Error as StdError;
use std::fmt;

use crate::error::Error;
use crate::model::ApiKeyCreated;
use crate::redact::quote;

/// A rotation that stopped, and the keys that work now.
///
/// | variant | the old key | the new key |
/// |---|---|---|
/// | `Find`, `NotReplaceable` | unchanged | none |
/// | `Create` | works | none, unless [`Error::outcome`] says otherwise |
/// | `Ambiguous` | works | may work; it is not stored |
/// | `Store` | works | revoked, or works if the revoke failed too |
/// | `Verify` | works | may work; it is stored |
/// | `BeforeRevoke` | works | works; it is stored |
/// | `Revoke` | may work ([`Error::outcome`] of the cause) | works; it is stored |
///
/// If there is a new key, the error has it, with its secret.
#[derive(Debug)]
#[non_exhaustive]
pub enum RotationError<E> {
    /// The look-up of the old key failed.
    Find(Error),
    /// The old key cannot be replaced this way.
    #[non_exhaustive]
    NotReplaceable {
        /// The id of the old key.
        old_id: String,
        /// The reason.
        reason: NotReplaceable,
    },
    /// The service did not create the new key, or the outcome is unknown.
    Create(Error),
    /// The response to the create has `id` or `key` twice, or the secret of the old key, so that the client cannot tell the
    /// new key.
    #[non_exhaustive]
    Ambiguous {
        /// The new key, as far as the response tells it.
        created: Box<ApiKeyCreated>,
    },
    /// `store` failed.
    #[non_exhaustive]
    Store {
        /// The error of `store`.
        cause: E,
        /// The new key.
        created: Box<ApiKeyCreated>,
        /// The result of revoking the new key.
        revoked: Result<(), Error>,
    },
    /// A call with the new key failed.
    #[non_exhaustive]
    Verify {
        /// The error of the call.
        cause: Error,
        /// The new key.
        created: Box<ApiKeyCreated>,
    },
    /// [`before_revoke`](crate::ReplacementKey::before_revoke) failed.
    #[non_exhaustive]
    BeforeRevoke {
        /// The error of `before_revoke`.
        cause: Box<dyn StdError + Send + Sync>,
        /// The new key.
        created: Box<ApiKeyCreated>,
    },
    /// The service did not revoke the old key, or the outcome is unknown.
    #[non_exhaustive]
    Revoke {
        /// The error of the call.
        cause: Error,
        /// The new key.
        created: Box<ApiKeyCreated>,
    },
}

/// The reason why a rotation refuses a key. Nothing was created.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NotReplaceable {
    /// It is not among the active user keys of the caller (for a user key), or among the active service keys of the
    /// spaces of the new binding (for a service key).
    NotFound,
    /// It is revoked already.
    Revoked,
    /// It is a user key and the new one a service key, or the other way round.
    OtherType,
    /// Its creation or expiry cannot be read, so its lifetime is unknown: state the expiry of the new key.
    UnknownLifetime,
}

impl<E> RotationError<E> {
    /// The new key, if the client knows one.
    pub fn created(&self) -> Option<&ApiKeyCreated> {
        match self {
            Self::Find(_) | Self::NotReplaceable { .. } | Self::Create(_) => None,
            Self::Ambiguous { created }
            | Self::Store { created, .. }
            | Self::Verify { created, .. }
            | Self::BeforeRevoke { created, .. }
            | Self::Revoke { created, .. } => Some(created),
        }
    }
}

impl fmt::Display for NotReplaceable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotFound => {
                "is not among the active keys that a rotation looks through: your own user keys for a user key, the \
                 service keys of the spaces of the new binding for a service key"
            }
            Self::Revoked => "is revoked already",
            Self::OtherType => "is of another type than the new key",
            Self::UnknownLifetime => {
                "has a creation or expiry time that cannot be read: state the expiry of the new key"
            }
        })
    }
}

impl<E: fmt::Display> fmt::Display for RotationError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let new = self.created().map(name_of).unwrap_or_default();
        match self {
            Self::Find(cause) => write!(f, "nothing was created; the look-up of the old key failed: {cause}"),
            Self::NotReplaceable { old_id, reason } => {
                write!(f, "nothing was created; the key {} {reason}", quote(old_id))?;
                match reason {
                    NotReplaceable::NotFound | NotReplaceable::OtherType => {
                        f.write_str(". To replace it all the same, create a key, store it, then revoke this one")
                    }
                    NotReplaceable::Revoked | NotReplaceable::UnknownLifetime => Ok(()),
                }
            }
            Self::Create(cause) => write!(f, "the old key is unchanged; creating the new one failed: {cause}"),
            Self::Ambiguous { created } => {
                let problem =
                    if created.has_duplicate_member() { "`id` or `key` twice" } else { "the secret of the old key" };
                write!(
                    f,
                    "the old key is unchanged; the response to the create has {problem}, so the new key is neither stored \
                     nor revoked: look for it in a list ({new})"
                )
            }
            Self::Store { cause, revoked: Ok(()), .. } => {
                write!(f, "the old key is unchanged; the new key {new} was not stored ({cause}) and is revoked")
            }
            Self::Store { cause, revoked: Err(error), .. } => write!(
                f,
                "the old key is unchanged; the new key {new} was not stored ({cause}), \
                 and may still work, because revoking it failed: {error}"
            ),
            Self::Verify { cause, .. } => {
                write!(f, "the old key is unchanged; the new key {new} is stored, but a call with it failed: {cause}")
            }
            Self::BeforeRevoke { cause, .. } => {
                write!(f, "the old key is unchanged; the new key {new} is stored and works, but {cause}")
            }
            Self::Revoke { cause, .. } => {
                write!(f, "the new key {new} is stored and works; revoking the old key failed: {cause}")
            }
        }
    }
}

/// The message includes the one of the cause. The source is what is below the cause.
impl<E: fmt::Debug + fmt::Display> StdError for RotationError<E> {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Find(cause) | Self::Create(cause) | Self::Verify { cause, .. } | Self::Revoke { cause, .. } => {
                cause.source()
            }
            Self::BeforeRevoke { cause, .. } => cause.source(),
            Self::NotReplaceable { .. } | Self::Ambiguous { .. } | Self::Store { .. } => None,
        }
    }
}

/// The id of a key, or its name if the service sent no id.
fn name_of(created: &ApiKeyCreated) -> String {
    if created.id.is_empty() { format!("named {}", quote(&created.name)) } else { quote(&created.id) }
}
