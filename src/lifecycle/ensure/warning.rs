//! Warnings of an `ensure`, beside its result.

use std::fmt;
use std::time::Duration;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Something that the caller should know after an `ensure` that did its work.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EnsureWarning {
    /// The clocks of this machine and of the service differ by this much, more than 5 minutes.
    ClockSkew(Duration),
    /// The account shortened the lifetime of the new key.
    #[non_exhaustive]
    LifetimeShortened {
        /// The expiry of the new key.
        expires_at: OffsetDateTime,
        /// Whether the lifetime is not longer than `renew_before`, so that the key is renewed in its last third instead.
        is_too_short: bool,
    },
    /// The key to adopt is revoked already.
    AdoptedIsRevoked,
}

impl fmt::Display for EnsureWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ClockSkew(skew) => {
                let minutes = skew.as_secs() / 60;
                write!(f, "the clocks of this machine and of the service differ by {minutes} minutes")
            }
            Self::LifetimeShortened { expires_at, is_too_short } => {
                let expiry = expires_at.truncate_to_second().format(&Rfc3339).unwrap_or_default();
                write!(f, "the account shortened the lifetime of the key: it expires at {expiry}")?;
                if *is_too_short {
                    f.write_str(" and is renewed in the last third of its lifetime")?;
                }
                Ok(())
            }
            Self::AdoptedIsRevoked => f.write_str("the key to adopt is revoked already"),
        }
    }
}
