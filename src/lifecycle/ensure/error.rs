//! The errors of `ensure`.

use std::error::Error as StdError;
use std::fmt;

use crate::error::Error;
use crate::model::{ApiKey, ApiKeyCreated};
use crate::redact::quote;

/// An `ensure` that stopped, and the keys that work then.
#[derive(Debug)]
#[non_exhaustive]
pub enum EnsureError<E> {
    /// The request is invalid, or a list failed. Nothing was changed.
    Find(Error),
    /// Whether the service accepts the stored secret is unknown. Nothing was changed.
    Stored(Error),
    /// The key to adopt is not in the lists of keys of this type. Nothing was changed.
    AdoptedNotFound,
    /// The stored secret works and belongs to no key of this owner. Nothing was changed.
    StoredIsForeign,
    /// More than 5 keys of this name and owner were created within an hour. Nothing was changed.
    TooManyKeys,
    /// The clocks of this machine and of the service differ by more than a day. Nothing was changed.
    ClockSkew,
    /// The service did not create the new key, or the outcome is unknown.
    Create(Error),
    /// The new key is not in the list with its marker and its secret, so that no later run would know it. It was revoked, if
    /// `revoked` is `Ok`.
    #[non_exhaustive]
    NotListed {
        /// The new key.
        created: Box<ApiKeyCreated>,
        /// The result of revoking it.
        revoked: Result<(), Error>,
    },
    /// `store` failed. The old key is unchanged.
    #[non_exhaustive]
    Store {
        /// The error of `store`.
        cause: E,
        /// The new key.
        created: Box<ApiKeyCreated>,
        /// The result of revoking it.
        revoked: Result<(), Error>,
    },
    /// A call with the new key failed. It is stored, and the old keys work.
    #[non_exhaustive]
    Verify {
        /// The error of the call.
        cause: Error,
        /// The new key.
        created: Box<ApiKeyCreated>,
    },
    /// [`before_retire`](crate::EnsureRequest::before_retire) failed. The stored key works, and no old key was revoked.
    #[non_exhaustive]
    BeforeRetire {
        /// The error of `before_retire`.
        cause: Box<dyn StdError + Send + Sync>,
        /// The stored key.
        key: Box<ApiKey>,
    },
    /// An old key was not revoked, or that is not certain. The stored key works.
    #[non_exhaustive]
    Retire {
        /// The error of the call.
        cause: Error,
        /// The old key.
        key: Box<ApiKey>,
    },
}

impl<E: fmt::Display> fmt::Display for EnsureError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let outcome = |revoked: &Result<(), Error>| match revoked {
            Ok(()) => "and is revoked".to_owned(),
            Err(error) => format!("and may still work, because revoking it failed: {error}"),
        };
        match self {
            Self::Find(cause) => write!(f, "nothing was changed: {cause}"),
            Self::Stored(cause) => {
                write!(f, "nothing was changed; whether the stored secret works is unknown: {cause}")
            }
            Self::AdoptedNotFound => {
                f.write_str("nothing was changed: the key to adopt is not among the keys of this type and these spaces")
            }
            Self::StoredIsForeign => {
                f.write_str("nothing was changed: the stored secret works and belongs to no key of this owner")
            }
            Self::TooManyKeys => f.write_str(
                "nothing was changed: more than 5 keys of this name and owner were created within an hour; two programs \
                 may write this store",
            ),
            Self::ClockSkew => {
                f.write_str("nothing was changed: the clocks of this machine and of the service differ by over a day")
            }
            Self::Create(cause) => write!(f, "creating the new key failed: {cause}"),
            Self::NotListed { created, revoked } => {
                write!(f, "the new key {} is not listed with its marker and secret, {}", quote(&created.id), outcome(revoked))
            }
            Self::Store { cause, created, revoked } => {
                write!(f, "the new key {} was not stored ({cause}), {}", quote(&created.id), outcome(revoked))
            }
            Self::Verify { cause, created } => {
                write!(f, "the new key {} is stored, but a call with it failed: {cause}", quote(&created.id))
            }
            Self::BeforeRetire { cause, key } => {
                write!(f, "the stored key {} works; of the old keys, none was revoked: {cause}", quote(&key.id))
            }
            Self::Retire { cause, key } => {
                write!(f, "the stored key works; revoking the old key {} failed: {cause}", quote(&key.id))
            }
        }
    }
}

/// The message includes the one of the cause. The source is what is below the cause.
impl<E: fmt::Debug + fmt::Display> StdError for EnsureError<E> {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Find(cause)
            | Self::Stored(cause)
            | Self::Create(cause)
            | Self::Verify { cause, .. }
            | Self::Retire { cause, .. } => cause.source(),
            Self::BeforeRetire { cause, .. } => cause.source(),
            _ => None,
        }
    }
}
