//! What changes an account, as a state file has it: one JSON object a line.
//!
//! Rows refer to each other by number, which is their place in the file among those of their kind.

use serde::{Deserialize, Serialize};

use super::account::Key;
use super::id::Id;
use super::moment::Moment;
use super::people::{Assignment, CustomRole, Organization, OrganizationGrant, Space, User};
use super::words::{KeyType, Status};

/// What the first line of a state file says.
pub(super) const FORMAT: &str = "arize-api-keys emulator";
pub(super) const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Record {
    Format {
        name: String,
        version: u32,
    },
    Organization {
        id: Id,
        name: String,
        description: String,
        created_at: Moment,
    },
    Space {
        id: Id,
        organization: u64,
        name: String,
        description: String,
        created_at: Moment,
    },
    CustomRole {
        id: Id,
        name: String,
    },
    User {
        id: Id,
        name: String,
        account_role: String,
        grants: Vec<Grant>,
    },
    Grants {
        user: u64,
        grants: Vec<Grant>,
    },
    Key(Box<KeyRecord>),
    /// A refresh.
    NewSecret {
        key: u64,
        secret: String,
        expires_at: Option<Moment>,
        grace_end: Option<Moment>,
    },
    /// In place of the refresh, once its key is written with the new secret.
    OldSecret {
        key: u64,
        secret: String,
        until: Option<Moment>,
    },
    Revoked {
        key: u64,
    },
    /// Where the generators stand, so that what comes after a restart is what would have come without one.
    Dice {
        ids: u64,
        secrets: u64,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KeyRecord {
    pub(super) id: Id,
    pub(super) name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) description: Option<String>,
    pub(super) created_at: Moment,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) expires_at: Option<Moment>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) last_used_at: Option<Moment>,
    pub(super) creator: u64,
    /// Of a service key: its bot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) bot: Option<u64>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) revoked: bool,
    pub(super) secret: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Grant {
    pub(super) organization: u64,
    pub(super) role: String,
    pub(super) spaces: Vec<GrantedSpace>,
}

/// A space with a role of the service, or with one that the account made for itself.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GrantedSpace {
    pub(super) space: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) role: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) custom_role: Option<u64>,
}

impl Record {
    pub(super) fn format() -> Self {
        Self::Format { name: FORMAT.to_owned(), version: VERSION }
    }

    pub(super) fn organization(organization: &Organization) -> Self {
        Self::Organization {
            id: organization.id,
            name: organization.name.clone(),
            description: organization.description.clone(),
            created_at: Moment(organization.created_at),
        }
    }

    pub(super) fn space(space: &Space) -> Self {
        Self::Space {
            id: space.id,
            organization: space.organization.id.number(),
            name: space.name.clone(),
            description: space.description.clone(),
            created_at: Moment(space.created_at),
        }
    }

    pub(super) fn custom_role(role: &CustomRole) -> Self {
        Self::CustomRole { id: role.id, name: role.name.clone() }
    }

    pub(super) fn key(key: &Key) -> Self {
        Self::Key(Box::new(KeyRecord {
            id: key.id,
            name: key.name.clone(),
            description: key.description.clone(),
            created_at: Moment(key.created_at),
            expires_at: key.expires_at.map(Moment),
            last_used_at: key.last_used_at.map(Moment),
            creator: key.creator.id.number(),
            bot: (key.key_type == KeyType::Service).then_some(key.user.id.number()),
            revoked: key.status == Status::Revoked,
            secret: key.secret.to_string(),
        }))
    }

    pub(super) fn user(user: &User) -> Self {
        Self::User {
            id: user.id,
            name: user.name.clone(),
            account_role: user.account_role.word().to_owned(),
            grants: Grant::all(&user.grants()),
        }
    }

    /// Appends the line.
    pub(super) fn write(&self, bytes: &mut Vec<u8>) {
        // Neither a map with odd keys nor a type that refuses is in there: it cannot fail.
        serde_json::to_writer(&mut *bytes, self).ok();
        bytes.push(b'\n');
    }
}

impl Grant {
    pub(super) fn all(grants: &[OrganizationGrant]) -> Vec<Self> {
        grants.iter().map(Self::new).collect()
    }

    fn new(grant: &OrganizationGrant) -> Self {
        let spaces = grant.spaces.iter().map(|grant| {
            let (role, custom_role) = match &grant.role {
                Assignment::Predefined(role) => (Some(role.word().to_owned()), None),
                Assignment::Custom(role) => (None, Some(role.id.number())),
            };
            GrantedSpace { space: grant.space.id.number(), role, custom_role }
        });
        Self {
            organization: grant.organization.id.number(),
            role: grant.role.word().to_owned(),
            spaces: spaces.collect(),
        }
    }
}
