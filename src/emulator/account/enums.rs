//! The words of the two stages for types, states and roles.

use crate::stage::ApiStage;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum KeyType {
    User,
    Service,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Status {
    Active,
    Revoked,
}

/// A predefined role of a space, an organization or (all but [`ReadOnly`](Self::ReadOnly)) the account. A later one
/// may do more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Role {
    /// Read-only access.
    ReadOnly,
    /// May list and create the service keys of a space.
    Member,
    /// Full access.
    Admin,
}

/// A value that has a word in each stage.
pub(crate) trait StageWords: Copy + 'static {
    const ALL: &'static [Self];

    /// The words of alpha and of beta.
    fn words(self) -> (&'static str, &'static str);

    fn word(self, stage: ApiStage) -> &'static str {
        let (alpha, beta) = self.words();
        match stage {
            ApiStage::Alpha => alpha,
            ApiStage::Beta => beta,
        }
    }

    /// The meaning of the word, and its stage.
    fn read(word: &str) -> Option<(Self, ApiStage)> {
        [ApiStage::Alpha, ApiStage::Beta].into_iter().find_map(|stage| {
            let value = Self::ALL.iter().find(|value| value.word(stage) == word)?;
            Some((*value, stage))
        })
    }
}

impl StageWords for KeyType {
    const ALL: &'static [Self] = &[Self::User, Self::Service];

    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::User => ("user", "USER"),
            Self::Service => ("service", "SERVICE"),
        }
    }
}

impl StageWords for Status {
    const ALL: &'static [Self] = &[Self::Active, Self::Revoked];

    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Active => ("active", "ACTIVE"),
            Self::Revoked => ("revoked", "REVOKED"),
        }
    }
}

impl StageWords for Role {
    const ALL: &'static [Self] = &[Self::ReadOnly, Self::Member, Self::Admin];

    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::ReadOnly => ("read-only", "READ_ONLY"),
            Self::Member => ("member", "MEMBER"),
            Self::Admin => ("admin", "ADMIN"),
        }
    }
}
