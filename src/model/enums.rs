//! The enums of the API. Each keeps values that this version does not know.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use crate::json::Slot;
use crate::redact::quote;
use crate::stage::ApiStage;

/// An enum of the API on the wire.
pub(crate) trait WireEnum {
    /// The value in a request of this stage. A value that this version does not know is sent as it is.
    fn word(&self, stage: ApiStage) -> Cow<'_, str>;

    /// The text of a value that this version does not know.
    fn unknown_mut(&mut self) -> Option<&mut String>;
}

/// An enum with the values known today and `Unknown` for others.
macro_rules! open_enum {
    (
        $(#[$doc:meta])* $name:ident;
        $( $(#[$variant_doc:meta])* $variant:ident = $word:literal $(| $alias:literal)? ),+ $(,)?
    ) => {
        $(#[$doc])*
        ///
        /// Responses may use either case, and `-` or `_`; `Display` prints lower case. `Unknown` keeps a value that this
        /// version does not know.
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $( $(#[$variant_doc])* $variant, )+
            /// A value that this version does not know; empty if the response has none.
            Unknown(String),
        }

        impl $name {
            /// The value in lower case, as the alpha stage writes it.
            pub fn as_str(&self) -> &str {
                match self {
                    $( Self::$variant => $word, )+
                    Self::Unknown(word) => word,
                }
            }
        }

        impl WireEnum for $name {
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
            // Inlined: every key of a page has two.
            #[inline]
            fn from(word: &str) -> Self {
                match word {
                    $( _ if eq_wire(word, $word) $(|| eq_wire(word, $alias))? => Self::$variant, )+
                    _ => Self::Unknown(word.to_owned()),
                }
            }
        }

        impl FromStr for $name {
            type Err = UnknownValue;

            fn from_str(text: &str) -> Result<Self, UnknownValue> {
                match Self::from(text.trim()) {
                    Self::Unknown(_) => Err(UnknownValue { value: text.to_owned(), allowed: &[$($word),+] }),
                    known => Ok(known),
                }
            }
        }

        /// As the word in lower case; a value that this version does not know as it came.
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    Self::Unknown(word) if word.is_empty() => f.pad("unknown"),
                    Self::Unknown(word) => f.pad(&word.to_ascii_lowercase()),
                    _ => f.pad(self.as_str()),
                }
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self::Unknown(String::new())
            }
        }

        impl Slot for $name {
            fn reset(&mut self, _: &str) {
                *self = Self::default();
            }

            fn text(&mut self, text: &str) -> bool {
                *self = Self::from(text);
                true
            }
        }
    };
}

/// A text that is no value of the enum, from its [`FromStr`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownValue {
    value: String,
    allowed: &'static [&'static str],
}

impl UnknownValue {
    /// The allowed values, in lower case.
    pub fn allowed(&self) -> &'static [&'static str] {
        self.allowed
    }
}

impl fmt::Display for UnknownValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is not one of {}", quote(&self.value), self.allowed.join(", "))
    }
}

impl std::error::Error for UnknownValue {}

/// Whether `text` is `word` in any case, with `_` for `-`.
pub(super) fn eq_wire(text: &str, word: &str) -> bool {
    // `all`, which stops at the first difference, is slower on words this short.
    text.len() == word.len()
        && text
            .bytes()
            .zip(word.bytes())
            .fold(true, |same, (t, w)| same & (t.eq_ignore_ascii_case(&w) | ((t == b'_') & (w == b'-'))))
}

open_enum! {
    /// The kind of principal that a key authenticates as.
    ApiKeyType;
    /// The creator of the key, with all of their permissions.
    User = "user",
    /// A bot user with its own roles.
    Service = "service",
}

open_enum! {
    /// The status of a key.
    ApiKeyStatus;
    /// The key works until it expires.
    Active = "active",
    /// The key was revoked. The first alpha servers call this `deleted`.
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
