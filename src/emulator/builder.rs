//! How an emulator is set up.

use std::time::Duration;

use fastrand::Rng;

use super::account::{Account, NewKey};
use super::clock::ManualClock;
use super::context::Settings;
use super::words::Role;
use super::{Emulator, now};
use crate::stage::ApiStage;

/// Sets up an [`Emulator`]. What is not set is as [`Emulator::new`] has it.
///
/// ```
/// use std::time::Duration;
///
/// use arize_api_keys::ApiStage;
/// use arize_api_keys::emulator::{Emulator, ManualClock};
/// use secrecy::ExposeSecret;
///
/// let build = || Emulator::builder()
///     .seed(7)
///     .clock(ManualClock::at(time::OffsetDateTime::UNIX_EPOCH))
///     .stage(ApiStage::Alpha)
///     .max_key_lifetime(Duration::from_secs(90 * 86_400))
///     .build();
/// assert_eq!(build().admin_key().expose_secret(), build().admin_key().expose_secret());
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct EmulatorBuilder {
    seed: Option<u64>,
    clock: ManualClock,
    empty: bool,
    settings: Settings,
}

impl EmulatorBuilder {
    pub(super) fn new() -> Self {
        Self {
            seed: None,
            clock: ManualClock::running(),
            empty: false,
            settings: Settings { stage: ApiStage::Beta, omit_organization_id: false, max_key_lifetime: None },
        }
    }

    /// Makes ids, secrets and request ids the same on every run that makes the same calls in the same order.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// The clock that expiries and grace periods are counted on. Without one it runs with the system's.
    pub fn clock(mut self, clock: ManualClock) -> Self {
        self.clock = clock;
        self
    }

    /// The stage in which requests are answered that speak neither: those without any of the words that differ. It
    /// also decides the rule for the expiry of a refreshed key. [`ApiStage::Beta`] unless set.
    ///
    /// A request that speaks a stage is always answered in it.
    pub fn stage(mut self, stage: ApiStage) -> Self {
        self.settings.stage = stage;
        self
    }

    /// Leaves `organization_id` out of spaces, as servers did before they had it. Alpha never had it.
    pub fn omit_organization_id(mut self, omit: bool) -> Self {
        self.settings.omit_organization_id = omit;
        self
    }

    /// The longest lifetime that this account allows its keys. A key made without an expiry then gets this one.
    pub fn max_key_lifetime(mut self, lifetime: Duration) -> Self {
        self.settings.max_key_lifetime = Some(lifetime);
        self
    }

    /// Starts with the admin and their key, and no organizations and spaces.
    pub fn empty(mut self) -> Self {
        self.empty = true;
        self
    }

    /// The emulator.
    #[must_use]
    pub fn build(self) -> Emulator {
        let mut rng = self.seed.map_or_else(Rng::new, Rng::with_seed);
        let request_ids = rng.u64(..);
        let mut account = Account::new(rng);
        let now = now(&self.clock);
        let admin = account.add_user("admin".to_owned(), Role::Admin, Vec::new());
        let new =
            NewKey { name: "admin".to_owned(), description: None, expires_at: None, creator: admin.clone(), bot: None };
        let admin_key = account.add_key(new, now).secret.to_string().into();
        if !self.empty {
            for (organization, spaces) in super::DEFAULT_ACCOUNT {
                let organization = account.add_organization((*organization).to_owned(), now);
                for space in *spaces {
                    account.add_space(organization.clone(), (*space).to_owned(), now);
                }
            }
        }
        Emulator::from_parts(account, self.settings, self.clock, request_ids, admin.id.to_string(), admin_key)
    }
}
