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
    /// Sees, and changes nothing.
    ReadOnly,
    /// Works in it: may list and create the service keys of a space.
    Member,
    /// Rules it: may do everything in it.
    Admin,
}

impl KeyType {
    pub(crate) fn word(self, stage: ApiStage) -> &'static str {
        match (stage, self) {
            (ApiStage::Alpha, Self::User) => "user",
            (ApiStage::Alpha, Self::Service) => "service",
            (ApiStage::Beta, Self::User) => "USER",
            (ApiStage::Beta, Self::Service) => "SERVICE",
        }
    }

    /// The meaning of the word, and its stage.
    pub(crate) fn read(word: &str) -> Option<(Self, ApiStage)> {
        Some(match word {
            "user" => (Self::User, ApiStage::Alpha),
            "service" => (Self::Service, ApiStage::Alpha),
            "USER" => (Self::User, ApiStage::Beta),
            "SERVICE" => (Self::Service, ApiStage::Beta),
            _ => return None,
        })
    }
}

impl Status {
    pub(crate) fn word(self, stage: ApiStage) -> &'static str {
        match (stage, self) {
            (ApiStage::Alpha, Self::Active) => "active",
            (ApiStage::Alpha, Self::Revoked) => "revoked",
            (ApiStage::Beta, Self::Active) => "ACTIVE",
            (ApiStage::Beta, Self::Revoked) => "REVOKED",
        }
    }

    /// The meaning of the word, and its stage. The oldest clients write `deleted`.
    pub(crate) fn read(word: &str) -> Option<(Self, ApiStage)> {
        Some(match word {
            "active" => (Self::Active, ApiStage::Alpha),
            "revoked" | "deleted" => (Self::Revoked, ApiStage::Alpha),
            "ACTIVE" => (Self::Active, ApiStage::Beta),
            "REVOKED" => (Self::Revoked, ApiStage::Beta),
            _ => return None,
        })
    }
}

impl Role {
    /// The word in answers. Roles are only answered in beta.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::ReadOnly => "READ_ONLY",
            Self::Member => "MEMBER",
            Self::Admin => "ADMIN",
        }
    }

    pub(crate) fn read(word: &str, stage: ApiStage) -> Option<Self> {
        Some(match (stage, word) {
            (ApiStage::Alpha, "read-only") | (ApiStage::Beta, "READ_ONLY") => Self::ReadOnly,
            (ApiStage::Alpha, "member") | (ApiStage::Beta, "MEMBER") => Self::Member,
            (ApiStage::Alpha, "admin") | (ApiStage::Beta, "ADMIN") => Self::Admin,
            _ => return None,
        })
    }
}
