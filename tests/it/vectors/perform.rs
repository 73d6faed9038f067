//! The same call, said with this crate.

use arize_api_keys::{
    AccountRole, ApiKeyStatus, ApiKeyType, ApiKeysClient, ApiStage, CreateRequest, CreateServiceKeyRequest, Error,
    ListRequest, OrgBinding, OrgRole, RefreshRequest, RoleAssignment, SpaceBinding, SpaceRef, SpaceRole,
};

use super::call::{Call, Create, Form, List, Organization, Refresh, Role, Service, Space};

/// Calls this crate as the SDK was called. A word that the stage does not have is sent as it is.
pub(super) fn perform(call: &Call, client: &ApiKeysClient, stage: ApiStage) -> Result<(), Error> {
    match call {
        Call::List(list) => client.list(&list_request(list, stage)).map(drop),
        Call::Create(create) => client.create(&create_request(create)).map(drop),
        Call::Service(service) => client.create_service_key(&service_request(service, stage)).map(drop),
        Call::Refresh(refresh) => client.refresh(&refresh_request(refresh)).map(drop),
        Call::Delete { id } => client.delete(id),
        Call::Revoke { id } => client.revoke(id),
    }
}

fn list_request(list: &List, stage: ApiStage) -> ListRequest {
    let mut request = ListRequest::new();
    if let Some(word) = &list.key_type {
        request = request.key_type(spoken(word, stage, ApiKeyType::as_str, ApiKeyType::Unknown));
    }
    if let Some(word) = &list.status {
        request = request.status(spoken(word, stage, ApiKeyStatus::as_str, ApiKeyStatus::Unknown));
    }
    if let Some(space) = &list.space {
        request = request.space(space_ref(space));
    }
    if let Some(id) = &list.user_id {
        request = request.user_id(id);
    }
    if let Some(limit) = list.limit {
        request = request.limit(limit);
    }
    if let Some(cursor) = &list.cursor {
        request = request.cursor(cursor);
    }
    request
}

fn create_request(create: &Create) -> CreateRequest {
    let mut request = CreateRequest::new(&create.name);
    if let Some(description) = &create.description {
        request = request.description(description);
    }
    if let Some(expires_at) = create.expires_at {
        request = request.expires_at(expires_at);
    }
    request
}

fn refresh_request(refresh: &Refresh) -> RefreshRequest {
    let mut request = RefreshRequest::new(&refresh.id);
    if let Some(expires_at) = refresh.expires_at {
        request = request.expires_at(expires_at);
    }
    if let Some(grace_period) = refresh.grace_period {
        request = request.grace_period(grace_period);
    }
    request
}

fn service_request(service: &Service, stage: ApiStage) -> CreateServiceKeyRequest {
    let Create { name, description, expires_at } = &service.key;
    let mut request = match &service.form {
        Form::OneSpace { space, org_role, space_role } => {
            let mut request = CreateServiceKeyRequest::new(name, space_ref(space));
            if let Some(role) = org_role {
                request = request.org_role(org_role_of(role, stage));
            }
            if let Some(role) = space_role {
                request = request.space_role(space_role_of(role, stage));
            }
            request
        }
        Form::Organizations(organizations) => CreateServiceKeyRequest::for_organizations(
            name,
            organizations.iter().map(|organization| binding(organization, stage)),
        ),
    };
    if let Some(description) = description {
        request = request.description(description);
    }
    if let Some(expires_at) = expires_at {
        request = request.expires_at(*expires_at);
    }
    if let Some(role) = &service.account_role {
        let role = assignment(role, stage, AccountRole::as_str, AccountRole::Unknown, RoleAssignment::from);
        request = request.account_role(role);
    }
    request
}

fn binding(organization: &Organization, stage: ApiStage) -> OrgBinding {
    let mut binding = OrgBinding::new(&organization.org_id);
    if let Some(role) = &organization.role {
        binding = binding.role(org_role_of(role, stage));
    }
    binding.spaces(organization.spaces.iter().map(|(space, role)| {
        let binding = SpaceBinding::new(space_ref(space));
        match role {
            Some(role) => binding.role(space_role_of(role, stage)),
            None => binding,
        }
    }))
}

fn space_ref(space: &Space) -> SpaceRef {
    match space {
        Space::Id(id) => SpaceRef::id(id),
        Space::NameOrId(text) => SpaceRef::from(text),
    }
}

fn org_role_of(role: &Role, stage: ApiStage) -> RoleAssignment<OrgRole> {
    assignment(role, stage, OrgRole::as_str, OrgRole::Unknown, RoleAssignment::from)
}

fn space_role_of(role: &Role, stage: ApiStage) -> RoleAssignment<SpaceRole> {
    assignment(role, stage, SpaceRole::as_str, SpaceRole::Unknown, RoleAssignment::from)
}

fn assignment<R: for<'a> From<&'a str>>(
    role: &Role,
    stage: ApiStage,
    as_str: fn(&R) -> &str,
    unknown: fn(String) -> R,
    predefined: fn(R) -> RoleAssignment<R>,
) -> RoleAssignment<R> {
    match role {
        Role::Word(word) => predefined(spoken(word, stage, as_str, unknown)),
        Role::Custom(id) => RoleAssignment::custom(id),
    }
}

/// The word of the stage, or one that the caller made up.
fn spoken<W: for<'a> From<&'a str>>(
    word: &str,
    stage: ApiStage,
    as_str: fn(&W) -> &str,
    unknown: fn(String) -> W,
) -> W {
    let known = W::from(word);
    let on_the_wire = match stage {
        ApiStage::Alpha => as_str(&known).to_owned(),
        _ => as_str(&known).to_ascii_uppercase().replace('-', "_"),
    };
    if on_the_wire == word { known } else { unknown(word.to_owned()) }
}
