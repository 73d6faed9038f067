//! The words of the API: enums that stay open for those of tomorrow, and roles.

use std::borrow::Cow;
use std::fmt;

use crate::lenient::Scalar;
use crate::stage::ApiStage;

/// A word of one of the enums.
pub(crate) trait Word {
    /// The word on the wire of this stage. What the caller made up goes out as it is.
    fn word(&self, stage: ApiStage) -> Cow<'_, str>;

    /// The text of a word that is not known.
    fn unknown_mut(&mut self) -> Option<&mut String>;
}

/// An enum of the API: words that are known today, and `Unknown` for those of tomorrow.
macro_rules! open_enum {
    (
        $(#[$doc:meta])* $name:ident;
        $( $(#[$variant_doc:meta])* $variant:ident = $word:literal $(| $alias:literal)? ),+ $(,)?
    ) => {
        $(#[$doc])*
        ///
        /// Read in either case and with `-` or `_`, shown in lower case. A word that this version does not know is kept as
        /// it came.
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $( $(#[$variant_doc])* $variant, )+
            /// A word that this version of the SDK does not know; empty if the service sent none.
            Unknown(String),
        }

        impl $name {
            /// The word in lower case, as the alpha stage writes it.
            pub fn as_str(&self) -> &str {
                match self {
                    $( Self::$variant => $word, )+
                    Self::Unknown(word) => word,
                }
            }
        }

        impl Word for $name {
            fn word(&self, stage: ApiStage) -> Cow<'_, str> {
                match (self, stage) {
                    (Self::Unknown(word), _) => Cow::Borrowed(word),
                    (_, ApiStage::Alpha) => Cow::Borrowed(self.as_str()),
                    (_, ApiStage::Beta) => Cow::Owned(self.as_str().to_ascii_uppercase().replace('-', "_")),
                }
            }

            fn unknown_mut(&mut self) -> Option<&mut String> {
                match self {
                    Self::Unknown(word) => Some(word),
                    _ => None,
                }
            }
        }

        impl From<&str> for $name {
            // Every key of a page has two: they are read in place.
            #[inline]
            fn from(word: &str) -> Self {
                match word {
                    $( _ if same_word(word, $word) $(|| same_word(word, $alias))? => Self::$variant, )+
                    _ => Self::Unknown(word.to_owned()),
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    Self::Unknown(word) if word.is_empty() => f.pad("unknown"),
                    Self::Unknown(word) => f.pad(&word.to_lowercase()),
                    _ => f.pad(self.as_str()),
                }
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self::Unknown(String::new())
            }
        }

        impl Scalar for $name {
            #[inline]
            fn from_text(text: &str) -> Option<Self> {
                Some(Self::from(text))
            }
        }
    };
}

/// Whether the service means `word` by `text`: case does not count, and `_` is `-`.
pub(super) fn same_word(text: &str, word: &str) -> bool {
    text.len() == word.len()
        && text.bytes().zip(word.bytes()).all(|(t, w)| t.eq_ignore_ascii_case(&w) || (t == b'_' && w == b'-'))
}

open_enum! {
    /// Whom a key stands for.
    ApiKeyType;
    /// A person: the key has the permissions of its creator.
    User = "user",
    /// A bot user, with roles of its own.
    Service = "service",
}

open_enum! {
    /// Whether a key still works.
    ApiKeyStatus;
    /// It works, unless it has expired.
    Active = "active",
    /// It was removed, or replaced. `deleted`, the word of the first alpha servers, is read as this.
    Revoked = "revoked" | "deleted",
}

open_enum! {
    /// A predefined role in a space.
    SpaceRole;
    /// May change the space itself.
    Admin = "admin",
    /// May read and write.
    Member = "member",
    /// May read.
    ReadOnly = "read-only",
    /// May annotate. Not for service keys; beta only.
    Annotator = "annotator",
}

open_enum! {
    /// A predefined role in an organization.
    OrgRole;
    /// May change the organization itself.
    Admin = "admin",
    /// May read and write.
    Member = "member",
    /// May read.
    ReadOnly = "read-only",
    /// May annotate. Not for service keys; beta only.
    Annotator = "annotator",
}

open_enum! {
    /// A predefined role in the account.
    AccountRole;
    /// May change the account itself.
    Admin = "admin",
    /// An ordinary member.
    Member = "member",
    /// May annotate. Not for service keys; beta only.
    Annotator = "annotator",
    /// A member who uses the web pages only. Not for service keys; beta only.
    MemberUiOnly = "member-ui-only",
}

/// A role as it is given to a bot user: one of the predefined ones, or one that the account has made.
///
/// ```
/// use arize_api_keys::{RoleAssignment, SpaceBinding, SpaceRole};
///
/// let reader = SpaceBinding::new("prod").role(SpaceRole::ReadOnly);
/// let special = SpaceBinding::new("prod").role(RoleAssignment::custom("Um9sZToxMTp6enp6"));
/// # assert_ne!(reader, special);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RoleAssignment<R> {
    /// A predefined role.
    Predefined(R),
    /// A role of the account's own.
    #[non_exhaustive]
    Custom {
        /// Its id.
        id: String,
        /// Its name, in answers.
        name: Option<String>,
    },
    /// An assignment of a type that this version of the SDK does not know: that type's word.
    Unknown(String),
}

impl<R> RoleAssignment<R> {
    /// A role of the account's own, by its id. Today the service takes custom roles in spaces only.
    pub fn custom(id: impl Into<String>) -> Self {
        Self::Custom { id: id.into(), name: None }
    }
}

impl From<SpaceRole> for RoleAssignment<SpaceRole> {
    fn from(role: SpaceRole) -> Self {
        Self::Predefined(role)
    }
}

impl From<OrgRole> for RoleAssignment<OrgRole> {
    fn from(role: OrgRole) -> Self {
        Self::Predefined(role)
    }
}

impl From<AccountRole> for RoleAssignment<AccountRole> {
    fn from(role: AccountRole) -> Self {
        Self::Predefined(role)
    }
}
