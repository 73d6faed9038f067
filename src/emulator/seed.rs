//! The objects that a test adds to the account.

use std::sync::Arc;

use secrecy::SecretString;

use super::Emulator;
use super::account::Account;
use super::account::directory::User;
use super::account::enums::Role;

/// The account has no such organization, space or user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the account has no {kind} with this id")]
pub struct UnknownId {
    kind: &'static str,
}

/// A key made by the set-up of a test. Its `Debug` does not show the secret.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct AddedKey {
    /// The id, as in lists.
    pub id: String,
    /// The secret, which authenticates.
    pub secret: SecretString,
}

impl Emulator {
    /// Adds an organization, and returns its id. Names need not be unique.
    pub fn add_organization(&self, name: impl Into<String>) -> String {
        self.change(|account| account.add_organization(None, name.into(), String::new(), self.now()).id.to_string())
    }

    /// Adds a space, and returns its id. Names need not be unique.
    ///
    /// ```
    /// use arize_api_keys::emulator::Emulator;
    ///
    /// let emulator = Emulator::builder().empty().build();
    /// let organization = emulator.add_organization("acme");
    /// let space = emulator.add_space(&organization, "prod")?;
    /// assert_eq!(emulator.space_id("acme", "prod"), Some(space));
    /// # Ok::<(), arize_api_keys::emulator::UnknownId>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`UnknownId`] if there is no such organization.
    pub fn add_space(&self, org_id: &str, name: impl Into<String>) -> Result<String, UnknownId> {
        self.change(|account| {
            let organization = account.organizations.find(org_id).ok_or(UnknownId { kind: "organization" })?.clone();
            Ok(account.add_space(None, organization, name.into(), String::new(), self.now()).id.to_string())
        })
    }

    /// Adds a user who may do nothing but what [`set_org_role`](Self::set_org_role) and
    /// [`set_space_role`](Self::set_space_role) say, and returns their id.
    pub fn add_user(&self, name: impl Into<String>) -> String {
        self.change(|account| account.add_user(None, name.into(), Role::Member, Vec::new()).id.to_string())
    }

    /// Adds an admin of the whole account, and returns their id.
    pub fn add_admin(&self, name: impl Into<String>) -> String {
        self.change(|account| account.add_user(None, name.into(), Role::Admin, Vec::new()).id.to_string())
    }

    /// Gives a user a role in an organization. Its admins are admins of all its spaces.
    ///
    /// # Errors
    ///
    /// [`UnknownId`] if there is no such user or organization.
    pub fn set_org_role(&self, user_id: &str, org_id: &str, role: Role) -> Result<(), UnknownId> {
        self.change(|account| {
            let organization = account.organizations.find(org_id).ok_or(UnknownId { kind: "organization" })?;
            let user = user(account, user_id)?;
            user.set_organization_role(organization, role);
            account.changes += 1;
            Ok(())
        })
    }

    /// Gives a user a role in a space.
    ///
    /// # Errors
    ///
    /// [`UnknownId`] if there is no such user or space.
    pub fn set_space_role(&self, user_id: &str, space_id: &str, role: Role) -> Result<(), UnknownId> {
        self.change(|account| {
            let space = account.spaces.find(space_id).ok_or(UnknownId { kind: "space" })?;
            let user = user(account, user_id)?;
            user.set_space_role(space, role);
            account.changes += 1;
            Ok(())
        })
    }

    /// Adds a key of a user, without an expiry.
    ///
    /// ```
    /// use arize_api_keys::emulator::Emulator;
    /// use secrecy::ExposeSecret;
    ///
    /// let emulator = Emulator::new();
    /// let user = emulator.add_user("somebody");
    /// let key = emulator.add_user_key(&user, "laptop")?;
    /// assert!(emulator.authenticates(key.secret.expose_secret()));
    /// # Ok::<(), arize_api_keys::emulator::UnknownId>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`UnknownId`] if there is no such user.
    pub fn add_user_key(&self, user_id: &str, name: impl Into<String>) -> Result<AddedKey, UnknownId> {
        self.change(|account| {
            let creator = user(account, user_id)?;
            let key = account.new_key(None, None, creator, &name.into(), self.now());
            let key = account.add_key(key);
            Ok(AddedKey { id: key.id.to_string(), secret: key.secret.to_string().into() })
        })
    }

    /// Adds a custom role, and returns its id. It gives what [`Role::Member`] gives.
    pub fn add_custom_role(&self, name: impl Into<String>) -> String {
        self.change(|account| account.add_custom_role(None, name.into()).id.to_string())
    }

    /// The id of the first organization with this name.
    #[must_use]
    pub fn organization_id(&self, name: &str) -> Option<String> {
        let account = self.account();
        account.organizations.iter().find(|organization| organization.name == name).map(|found| found.id.to_string())
    }

    /// The id of the first space with this name in an organization with this name.
    #[must_use]
    pub fn space_id(&self, organization: &str, name: &str) -> Option<String> {
        let account = self.account();
        let mut spaces = account.spaces.iter();
        spaces.find(|space| space.name == name && space.organization.name == organization).map(|s| s.id.to_string())
    }
}

fn user(account: &Account, id: &str) -> Result<Arc<User>, UnknownId> {
    account.users.find(id).cloned().ok_or(UnknownId { kind: "user" })
}
