//! Create a service API key, for one space and for any number of organizations and spaces: `cargo run --example create_service_key --features emulator`.

mod support;

use std::error::Error;

use arize_api_keys::{
    CreateServiceKeyRequest, Error as ArizeError, OrgBinding, OrgRole, RoleAssignment, SpaceBinding, SpaceRole,
};

fn main() -> Result<(), Box<dyn Error>> {
    let (client, space, _service) = support::connect()?;

    // One space, by its name or id. The client finds its organization.
    let created = match client.create_service_key(
        &CreateServiceKeyRequest::new("ci-bot", space.as_str()).org_role(OrgRole::Member).space_role(SpaceRole::Member),
    ) {
        Err(ArizeError::SpaceNotFound(e)) => return Err(format!("no such space: {e}").into()),
        Err(ArizeError::AmbiguousSpace(e)) => return Err(format!("name the organization too: {e}").into()),
        created => created?,
    };
    println!("created service key {} - {}", created.id, created.redacted_key);

    // The response lists the organizations and spaces of the bot user. A second key gets the same ones, read-only.
    let bot = created.bot_user.as_ref().ok_or("the response has no bot user")?;
    let organizations = bot.organizations.iter().map(|organization| {
        OrgBinding::new(&organization.org_id)
            .role(organization.role.clone().unwrap_or(RoleAssignment::Predefined(OrgRole::ReadOnly)))
            .spaces(
                organization.spaces.iter().map(|space| SpaceBinding::new(&space.space_id).role(SpaceRole::ReadOnly)),
            )
    });
    let reader = client.create_service_key(&CreateServiceKeyRequest::for_organizations("reader", organizations))?;
    println!("created service key {} - {}", reader.id, reader.redacted_key);

    for id in [&created.id, &reader.id] {
        client.delete(id)?;
    }
    println!("removed both keys");
    Ok(())
}
