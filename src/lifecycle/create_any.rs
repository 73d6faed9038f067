//! A request for a user key or a service key.

use std::time::Duration;

use time::OffsetDateTime;

use crate::client::ApiKeysClient;
use crate::error::{Error, InvalidRequest};
use crate::model::{ApiKeyCreated, ApiKeyStatus, ApiKeyType};
use crate::operations::create::CreateRequest;
use crate::operations::list::ListRequest;
use crate::operations::service_key::CreateServiceKeyRequest;
use crate::stage::ApiStage;

#[derive(Clone, Debug)]
pub(super) enum CreateAny {
    User(CreateRequest),
    Service(CreateServiceKeyRequest),
}

impl CreateAny {
    pub(super) fn key_type(&self) -> ApiKeyType {
        match self {
            Self::User(_) => ApiKeyType::User,
            Self::Service(_) => ApiKeyType::Service,
        }
    }

    pub(super) fn name(&self) -> &str {
        match self {
            Self::User(request) => request.name(),
            Self::Service(request) => request.name(),
        }
    }

    pub(super) fn description(&self) -> Option<&str> {
        match self {
            Self::User(request) => request.current_description(),
            Self::Service(request) => request.current_description(),
        }
    }

    pub(super) fn has_expiry(&self) -> bool {
        match self {
            Self::User(request) => request.has_expiry(),
            Self::Service(request) => request.has_expiry(),
        }
    }

    /// Every check that needs no I/O.
    pub(super) fn validate(&self, stage: ApiStage, now: OffsetDateTime) -> Result<(), InvalidRequest> {
        match self {
            Self::User(request) => request.validate(now),
            Self::Service(request) => request.validate(stage, now),
        }
    }

    /// The request with another description and lifetime.
    pub(super) fn with(self, description: String, lifetime: Duration) -> Self {
        match self {
            Self::User(request) => Self::User(request.description(description).expires_in(lifetime)),
            Self::Service(request) => Self::Service(request.description(description).expires_in(lifetime)),
        }
    }

    /// The request with another description, this name if it has none, and an expiry if one is given.
    pub(super) fn completed(self, name: &str, description: String, expires_at: Option<OffsetDateTime>) -> Self {
        match self {
            Self::User(request) => {
                let request = request.or_name(name).description(description);
                Self::User(if let Some(at) = expires_at { request.expires_at(at) } else { request })
            }
            Self::Service(request) => {
                let request = request.or_name(name).description(description);
                Self::Service(if let Some(at) = expires_at { request.expires_at(at) } else { request })
            }
        }
    }

    pub(super) fn send(&self, client: &ApiKeysClient) -> Result<ApiKeyCreated, Error> {
        match self {
            Self::User(request) => client.create(request),
            Self::Service(request) => client.create_service_key(request),
        }
    }

    /// The lists that have the keys of this type: the caller's own user keys, or the service keys of the spaces.
    pub(super) fn lists(&self, status: &ApiKeyStatus) -> Vec<ListRequest> {
        let request = ListRequest::new().key_type(self.key_type()).status(status.clone()).limit(100);
        match self {
            Self::User(_) => vec![request],
            Self::Service(service) => service
                .spaces()
                .into_iter()
                .map(|(space, org_id)| {
                    let request = request.clone().space(space);
                    if let Some(org_id) = org_id { request.org_id(org_id) } else { request }
                })
                .collect(),
        }
    }
}
