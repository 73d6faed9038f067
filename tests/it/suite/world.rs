//! The four worlds, and what every scenario asks of them.

use std::fmt::Debug;
use std::time::Duration;

use arize_api_keys::emulator::{AddedKey, Emulator, EmulatorBuilder, ManualClock, Role};
use arize_api_keys::secrecy::SecretString;
use arize_api_keys::time::OffsetDateTime;
use arize_api_keys::time::format_description::well_known::Rfc3339;
use arize_api_keys::{
    ApiError, ApiKey, ApiKeyCreated, ApiKeysClient, ApiStage, ClientBuilder, Clock, Error, ExposeSecret, Outcome, http,
};

use crate::support::{REFUSALS, variant};

/// When every scenario begins. The clock stands still until a scenario moves it.
pub(crate) const START: &str = "2026-01-02T03:04:05Z";

/// An id of the right form that no account has.
pub(crate) const NO_SPACE: &str = "U3BhY2U6OTk5Onp6enp6";
pub(crate) const NO_USER: &str = "VXNlcjo5OTk6enp6eg==";
pub(crate) const NO_KEY: &str = "QXBpS2V5Ojk5OTp6enp6";

pub(crate) fn moment(text: &str) -> OffsetDateTime {
    OffsetDateTime::parse(text, &Rfc3339).unwrap()
}

/// How requests reach the emulator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    InProcess,
    #[cfg(feature = "ureq")]
    Loopback,
}

const WAYS: &[Way] = &[
    Way::InProcess,
    #[cfg(feature = "ureq")]
    Way::Loopback,
];

/// An account, and a client of its admin.
pub(crate) struct World {
    pub(crate) stage: ApiStage,
    pub(crate) emulator: Emulator,
    pub(crate) client: ApiKeysClient,
    pub(crate) names: Names,
    #[cfg(feature = "ureq")]
    server: Option<arize_api_keys::emulator::EmulatorServer>,
}

/// The ids of the default account.
pub(crate) struct Names {
    pub(crate) acme: String,
    pub(crate) labs: String,
    pub(crate) prod: String,
    pub(crate) prod_eu: String,
    pub(crate) staging: String,
    pub(crate) sandbox: String,
    pub(crate) research: String,
    pub(crate) labs_sandbox: String,
}

/// Runs a scenario in every world.
pub(crate) fn each(scenario: fn(&World)) {
    each_on(|builder| builder, scenario);
}

/// Runs a scenario in every world, on an account that is set up otherwise.
pub(crate) fn each_on(set_up: fn(EmulatorBuilder) -> EmulatorBuilder, scenario: fn(&World)) {
    for stage in [ApiStage::Beta, ApiStage::Alpha] {
        for &way in WAYS {
            // Shown if the scenario fails.
            println!("in the world {stage}, {way:?}:");
            scenario(&World::new(stage, way, set_up));
        }
    }
}

impl World {
    fn new(stage: ApiStage, way: Way, set_up: fn(EmulatorBuilder) -> EmulatorBuilder) -> Self {
        let builder = Emulator::builder().seed(20_260_102).clock(ManualClock::at(moment(START))).stage(stage);
        let emulator = set_up(builder).build();
        #[cfg(feature = "ureq")]
        let server = (way == Way::Loopback).then(|| emulator.serve().unwrap());
        #[cfg(not(feature = "ureq"))]
        let Way::InProcess = way;
        let names = Names::of(&emulator);
        let unset = ApiKeysClient::builder().ignore_env().api_key("unset").transport(emulator.clone()).build().unwrap();
        let mut world = Self {
            stage,
            emulator,
            client: unset,
            names,
            #[cfg(feature = "ureq")]
            server,
        };
        world.client = world.client_of(&world.emulator.admin_key());
        world
    }

    pub(crate) fn is_beta(&self) -> bool {
        self.stage == ApiStage::Beta
    }

    /// A client with another key, in the same world.
    pub(crate) fn client_of(&self, secret: &SecretString) -> ApiKeysClient {
        self.builder().clock(self.emulator.clock().clone()).api_key(secret.clone()).build().unwrap()
    }

    /// A client of this world without a key, on the clock of the system.
    pub(crate) fn builder(&self) -> ClientBuilder {
        let builder = ApiKeysClient::builder().ignore_env().stage(self.stage);
        #[cfg(feature = "ureq")]
        if let Some(server) = &self.server {
            return builder.scheme("http").host("127.0.0.1").port(server.port());
        }
        builder.transport(self.emulator.clone())
    }

    pub(crate) fn now(&self) -> OffsetDateTime {
        self.emulator.clock().now()
    }

    pub(crate) fn after(&self, seconds: i64) -> OffsetDateTime {
        self.now() + arize_api_keys::time::Duration::seconds(seconds)
    }

    pub(crate) fn wait(&self, seconds: u64) {
        self.emulator.clock().advance(Duration::from_secs(seconds));
    }

    /// Makes a call of the admin's, and asserts how many requests it costs.
    #[track_caller]
    pub(crate) fn costs<T>(&self, requests: u64, call: impl FnOnce(&ApiKeysClient) -> T) -> T {
        let before = self.emulator.requests();
        let result = call(&self.client);
        assert_eq!(self.emulator.requests() - before, requests, "the number of requests");
        result
    }

    /// Asserts that a call is refused before any I/O, and with which message.
    #[track_caller]
    pub(crate) fn refused_unsent<T: Debug>(
        &self,
        field: &str,
        problem: &str,
        call: impl FnOnce(&ApiKeysClient) -> Result<T, Error>,
    ) {
        let error = self.costs(0, call).unwrap_err();
        assert_eq!(error.to_string(), format!("invalid request: `{field}` {problem}"));
        let Error::InvalidRequest(invalid) = &error else { panic!("{error:?}") };
        assert_eq!(invalid.field(), field);
        assert_eq!((error.outcome(), error.attempts(), error.is_retryable()), (Outcome::NotSent, 0, false));
    }

    pub(crate) fn alive(&self, secret: &SecretString) -> bool {
        self.emulator.authenticates(secret.expose_secret())
    }

    /// A user with a role in one space, and a client with their key.
    pub(crate) fn user_in(&self, space: &str, role: Role) -> (String, ApiKeysClient) {
        let id = self.emulator.add_user("somebody");
        self.emulator.set_space_role(&id, space, role).unwrap();
        let AddedKey { secret, .. } = self.emulator.add_user_key(&id, "theirs").unwrap();
        (id, self.client_of(&secret))
    }
}

impl Names {
    fn of(emulator: &Emulator) -> Self {
        let space = |organization: &str, name: &str| emulator.space_id(organization, name).unwrap_or_default();
        Self {
            acme: emulator.organization_id("acme").unwrap_or_default(),
            labs: emulator.organization_id("acme-labs").unwrap_or_default(),
            prod: space("acme", "prod"),
            prod_eu: space("acme", "prod-eu"),
            staging: space("acme", "staging"),
            sandbox: space("acme", "sandbox"),
            research: space("acme-labs", "research"),
            labs_sandbox: space("acme-labs", "sandbox"),
        }
    }
}

/// Asserts a refusal of the service: the variant of its status, everything that its problem document says, and that
/// nothing was done.
#[track_caller]
pub(crate) fn refused<T: Debug>(result: Result<T, Error>, status: u16, detail: &str) -> Error {
    let error = result.unwrap_err();
    assert!(REFUSALS.contains(&(status, variant(&error))), "{error:?}");
    let api: &ApiError = error.api().unwrap();
    assert_eq!((api.status(), api.detail()), (status, Some(detail)));
    assert_eq!(api.title(), http::StatusCode::from_u16(status).unwrap().canonical_reason());
    assert_eq!(api.problem_type(), Some("about:blank"));
    assert!(api.instance().unwrap().starts_with("/v2/"), "{error:?}");
    assert!(api.request_id().unwrap().starts_with("req-"), "{error:?}");
    assert_eq!((api.retry_after(), error.retry_after()), (None, None));
    assert_eq!((error.status(), error.attempts(), error.is_retryable()), (Some(status), 1, false));
    assert!(error.previous_attempt().is_none());
    assert!(error.to_string().contains(detail), "{error}");
    error
}

/// As [`refused`], of the call itself and not of a look-up before it.
#[track_caller]
pub(crate) fn rejected<T: Debug>(result: Result<T, Error>, status: u16, detail: &str) {
    let error = refused(result, status, detail);
    assert_eq!(error.outcome(), Outcome::Rejected);
}

/// A new key without its secret, to be compared whole.
pub(crate) fn without_secret(created: &ApiKeyCreated) -> ApiKey {
    let mut key = ApiKey::default();
    key.id.clone_from(&created.id);
    key.name.clone_from(&created.name);
    key.description.clone_from(&created.description);
    key.key_type = created.key_type.clone();
    key.status = created.status.clone();
    key.redacted_key.clone_from(&created.redacted_key);
    key.created_at = created.created_at;
    key.expires_at = created.expires_at;
    key.created_by_user_id.clone_from(&created.created_by_user_id);
    key.last_used_at = created.last_used_at;
    key.bot_user.clone_from(&created.bot_user);
    key.warnings.clone_from(&created.warnings);
    key
}

/// A secret as lists show it.
pub(crate) fn redacted(secret: &SecretString) -> String {
    let secret = secret.expose_secret();
    format!("{}...{}", &secret[..6], &secret[secret.len() - 3..])
}

pub(crate) fn names_of(keys: &[ApiKey]) -> Vec<&str> {
    keys.iter().map(|key| key.name.as_str()).collect()
}
