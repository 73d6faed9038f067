use arize_api_keys::emulator::Role;
use arize_api_keys::{
    AccountRole, ApiKeyCreated, ApiKeyType, CreateServiceKeyRequest, Error, ListRequest, OrgBinding, OrgRole, Outcome,
    RoleAssignment, SpaceBinding, SpaceRef, SpaceRole,
};

use super::world::{World, each, each_on, names_of, refused, rejected};

/// Creates a key, and asserts what it cost on this stage.
#[track_caller]
fn created(world: &World, beta: u64, alpha: u64, request: &CreateServiceKeyRequest) -> ApiKeyCreated {
    let before = world.emulator.keys_created();
    let requests = if world.is_beta() { beta } else { alpha };
    let created = world.costs(requests, |client| client.create_service_key(request)).unwrap();
    assert_eq!(world.emulator.keys_created(), before + 1);
    assert_eq!(created.key_type, ApiKeyType::Service);
    assert!(world.alive(&created.key));
    created
}

/// Whether the holder of the key works in a space: service keys are listed by its members.
fn works_in(world: &World, created: &ApiKeyCreated, space: &str) -> bool {
    match world.client_of(&created.key).list(&ListRequest::new().space(SpaceRef::id(space))) {
        Ok(_) => true,
        Err(Error::Forbidden(_) | Error::NotFound(_)) => false,
        Err(error) => panic!("{error}"),
    }
}

fn new(space: &str) -> CreateServiceKeyRequest {
    CreateServiceKeyRequest::new("ci-bot", space)
}

#[test]
fn one_space_by_id_or_by_name() {
    each(|world| {
        let names = &world.names;
        let by_id = created(world, 2, 1, &new(&names.prod));
        let unpadded = created(world, 2, 1, &new(names.prod.trim_end_matches('=')));
        // The space that is found says its organization: nothing more to ask.
        let by_name = created(world, 2, 2, &new("prod"));
        let both = created(world, 1, 1, &new(&names.prod).org_id(&names.acme));
        let narrowed = created(world, 2, 2, &new("prod").org_id(&names.acme));
        for key in [by_id, unpadded, by_name, both, narrowed] {
            assert!(works_in(world, &key, &names.prod));
            assert!(!works_in(world, &key, &names.prod_eu));
            assert!(!works_in(world, &key, &names.staging));
            assert!(!works_in(world, &key, &names.research));
            let organizations: Vec<&str> = match &key.bot_user {
                Some(bot) => bot.organizations.iter().map(|organization| organization.org_id.as_str()).collect(),
                None => Vec::new(),
            };
            assert_eq!(organizations, if world.is_beta() { vec![names.acme.as_str()] } else { vec![] });
        }
    });
}

#[test]
fn the_answer_tells_the_bot_and_its_roles() {
    each(|world| {
        let request = new("prod")
            .description("deploys")
            .expires_at(world.after(3600))
            .account_role(AccountRole::Admin)
            .org_role(OrgRole::Member)
            .space_role(SpaceRole::ReadOnly);
        let key = created(world, 2, 2, &request);
        assert_eq!((key.name.as_str(), key.description.as_deref()), ("ci-bot", Some("deploys")));
        assert_eq!(key.expires_at, Some(world.after(3600)));
        assert_eq!(key.created_by_user_id, world.emulator.admin_id());
        assert!(key.warnings.is_empty(), "{:?}", key.warnings);
        let Some(bot) = &key.bot_user else {
            assert!(!world.is_beta());
            return;
        };
        assert_eq!((bot.name.as_str(), &bot.account_role), ("ci-bot", &Some(AccountRole::Admin.into())));
        assert!(!bot.id.is_empty() && bot.id != key.created_by_user_id);
        let [organization] = bot.organizations.as_slice() else { panic!("{bot:?}") };
        assert_eq!((&organization.org_id, &organization.role), (&world.names.acme, &Some(OrgRole::Member.into())));
        let [space] = organization.spaces.as_slice() else { panic!("{bot:?}") };
        assert_eq!((&space.space_id, &space.role), (&world.names.prod, &Some(SpaceRole::ReadOnly.into())));
    });
}

#[test]
fn roles_give_what_they_say() {
    each(|world| {
        let prod = world.names.prod.as_str();
        assert!(works_in(world, &created(world, 2, 2, &new("prod")), prod));
        assert!(works_in(world, &created(world, 2, 2, &new("prod").space_role(SpaceRole::Member)), prod));
        let reader = created(world, 2, 2, &new("prod").space_role(SpaceRole::ReadOnly));
        assert!(!works_in(world, &reader, prod));
        // An admin of the organization is one of its spaces, and an admin of the account of all.
        let of_org = created(world, 2, 2, &new("prod").org_role(OrgRole::Admin));
        assert!(works_in(world, &of_org, &world.names.staging) && !works_in(world, &of_org, &world.names.research));
        let of_account = created(world, 2, 2, &new("prod").account_role(AccountRole::Admin));
        assert!(works_in(world, &of_account, &world.names.research));
    });
}

#[test]
fn a_name_that_several_spaces_have() {
    each(|world| {
        let names = &world.names;
        let error = world.costs(1, |client| client.create_service_key(&new("sandbox"))).unwrap_err();
        let expected = if world.is_beta() {
            format!(
                "2 spaces are named `sandbox`: `sandbox` with id `{}` in organization `{}`, \
                 `sandbox` with id `{}` in organization `{}`; \
                 pass the id of one of them, or its organization as `org_id`",
                names.sandbox, names.acme, names.labs_sandbox, names.labs
            )
        } else {
            format!(
                "2 spaces are named `sandbox`: `sandbox` with id `{}`, `sandbox` with id `{}`; \
                 pass the id of one of them, or its organization as `org_id`",
                names.sandbox, names.labs_sandbox
            )
        };
        assert_eq!(error.to_string(), expected);
        let Error::AmbiguousSpace(ambiguous) = &error else { panic!("{error:?}") };
        assert_eq!(ambiguous.name(), "sandbox");
        let organizations: Vec<_> = ambiguous.candidates().iter().map(|c| c.organization_id.as_ref()).collect();
        let known = [Some(&names.acme), Some(&names.labs)];
        assert_eq!(organizations, if world.is_beta() { known } else { [None, None] });
        assert_eq!((error.outcome(), error.attempts(), error.is_retryable()), (Outcome::NotSent, 0, false));
        assert_eq!(world.emulator.keys_created(), 0);

        // As the message says: by its organization, or by its id.
        let in_labs = created(world, 2, 2, &new("sandbox").org_id(&names.labs));
        assert!(works_in(world, &in_labs, &names.labs_sandbox) && !works_in(world, &in_labs, &names.sandbox));
        let by_id = created(world, 2, 1, &new(&names.sandbox));
        assert!(works_in(world, &by_id, &names.sandbox) && !works_in(world, &by_id, &names.labs_sandbox));
    });
}

#[test]
fn a_name_that_no_space_has() {
    each(|world| {
        let names = &world.names;
        let message = |request: CreateServiceKeyRequest| {
            let error = world.costs(1, |client| client.create_service_key(&request)).unwrap_err();
            let Error::SpaceNotFound(_) = &error else { panic!("{error:?}") };
            assert_eq!((error.outcome(), error.attempts(), error.status()), (Outcome::NotSent, 0, None));
            error.to_string()
        };
        let shown = |name: &str, id: &str, org: &str| match world.is_beta() {
            true => format!("`{name}` with id `{id}` in organization `{org}`"),
            false => format!("`{name}` with id `{id}`"),
        };
        // Names are matched exactly, in the case that they have.
        for near in ["PROD", "pro", "rod"] {
            let prod = shown("prod", &names.prod, &names.acme);
            let prod_eu = shown("prod-eu", &names.prod_eu, &names.acme);
            let expected =
                format!("no space is named `{near}`; names must match exactly, similar ones: {prod}, {prod_eu}");
            assert_eq!(message(new(near)), expected);
        }
        assert_eq!(
            message(new("nowhere")),
            "no space is named `nowhere`; names must match exactly, and the API key must be allowed to see the space"
        );
        assert_eq!(
            message(new("research").org_id(&names.acme)),
            format!(
                "no space is named `research` in organization `{}`; names must match exactly, and the API key must be allowed to see the space",
                names.acme
            )
        );
        assert_eq!(world.emulator.keys_created(), 0);
    });
}

#[test]
fn a_look_up_follows_every_page() {
    each(|world| {
        for n in 0..150 {
            world.emulator.add_space(&world.names.labs, format!("bulk-{n}")).unwrap();
        }
        let last = world.emulator.add_space(&world.names.labs, "bulk").unwrap();
        let key = created(world, 3, 3, &new("bulk"));
        assert!(works_in(world, &key, &last));
        // The look-up does not stop at the first hit: a second one would make the name ambiguous.
        world.emulator.add_space(&world.names.labs, "bulk").unwrap();
        let error = world.costs(2, |client| client.create_service_key(&new("bulk"))).unwrap_err();
        let Error::AmbiguousSpace(ambiguous) = &error else { panic!("{error:?}") };
        assert_eq!(ambiguous.candidates().len(), 2);
    });
}

/// A server from before `organization_id`: the organization is the one among whose spaces the space is.
#[test]
fn the_organization_of_a_space_that_does_not_tell_it() {
    each_on(
        |builder| builder.omit_organization_id(true),
        |world| {
            let names = &world.names;
            // The space, the organizations, the spaces of acme; then those of acme-labs; then the POST.
            let in_acme = created(world, 4, 2, &new("prod"));
            let in_labs = created(world, 5, 2, &new("research"));
            assert!(works_in(world, &in_acme, &names.prod) && works_in(world, &in_labs, &names.research));
            let by_id = created(world, 5, 1, &new(&names.labs_sandbox));
            assert!(works_in(world, &by_id, &names.labs_sandbox));
            assert!(works_in(world, &created(world, 1, 1, &new(&names.prod).org_id(&names.acme)), &names.prod));
            if world.is_beta() {
                assert_eq!(in_labs.details.bot_user.unwrap().organizations[0].org_id, names.labs);
                let error = world.client.create_service_key(&new("sandbox")).unwrap_err();
                let shown = error.to_string();
                assert!(shown.starts_with("2 spaces are named `sandbox`: ") && !shown.contains("organization `"));
            }
            // Not only for admins: every member of a space sees its organization.
            let (_, client) = world.user_in(&names.research, Role::Member);
            world.costs(if world.is_beta() { 4 } else { 2 }, |_| client.create_service_key(&new("research"))).unwrap();
        },
    );
}

#[test]
fn organizations_with_their_spaces_and_roles() {
    each(|world| {
        let names = &world.names;
        let custom = world.emulator.add_custom_role("deployer");
        let request = CreateServiceKeyRequest::for_organizations(
            "etl",
            [
                OrgBinding::new(&names.acme)
                    .role(OrgRole::Member)
                    .space(SpaceBinding::new("prod").role(RoleAssignment::custom(&custom)))
                    .space(SpaceBinding::new(&names.staging).role(SpaceRole::Admin)),
                OrgBinding::new(&names.labs).spaces([SpaceBinding::new("sandbox"), SpaceBinding::new("research")]),
            ],
        )
        .description("nightly")
        .account_role(AccountRole::Member);
        if !world.is_beta() {
            let problem =
                "the alpha stage has one space per key: use `CreateServiceKeyRequest::new`, or the beta stage";
            world.refused_unsent("organizations", problem, |client| client.create_service_key(&request));
            assert_eq!(world.emulator.keys_created(), 0);
            return;
        }
        // Three names, each looked up in its organization, and the POST.
        let key = created(world, 4, 0, &request);
        let bot = key.bot_user.as_ref().unwrap();
        assert_eq!(bot.account_role, Some(AccountRole::Member.into()));
        let told: Vec<_> = bot
            .organizations
            .iter()
            .map(|organization| {
                let spaces: Vec<_> = organization
                    .spaces
                    .iter()
                    .map(|space| match space.role.as_ref().unwrap() {
                        RoleAssignment::Predefined(role) => (space.space_id.as_str(), role.to_string()),
                        RoleAssignment::Custom { id, name, .. } => (space.space_id.as_str(), format!("{id} {name:?}")),
                        other => panic!("{other:?}"),
                    })
                    .collect();
                (organization.org_id.as_str(), organization.role.clone().unwrap(), spaces)
            })
            .collect();
        assert_eq!(
            told,
            [
                (
                    names.acme.as_str(),
                    OrgRole::Member.into(),
                    vec![
                        (names.prod.as_str(), format!("{custom} Some(\"deployer\")")),
                        (names.staging.as_str(), "admin".to_owned()),
                    ]
                ),
                (
                    names.labs.as_str(),
                    OrgRole::ReadOnly.into(),
                    vec![
                        (names.labs_sandbox.as_str(), "member".to_owned()),
                        (names.research.as_str(), "member".to_owned())
                    ]
                ),
            ]
        );
        for space in [&names.prod, &names.staging, &names.labs_sandbox, &names.research] {
            assert!(works_in(world, &key, space));
            let page = world.client.list(&ListRequest::new().space(space.as_str())).unwrap();
            assert_eq!(names_of(&page.api_keys), ["etl"]);
        }
        assert!(!works_in(world, &key, &names.sandbox));
    });
}

#[test]
fn one_name_in_two_organizations() {
    each(|world| {
        if !world.is_beta() {
            return;
        }
        // Each is looked up where it is.
        let names = &world.names;
        let binding = |org: &str| OrgBinding::new(org).space(SpaceBinding::new("sandbox"));
        let both = CreateServiceKeyRequest::for_organizations("etl", [binding(&names.acme), binding(&names.labs)]);
        let key = created(world, 3, 0, &both);
        assert!(works_in(world, &key, &names.sandbox) && works_in(world, &key, &names.labs_sandbox));
    });
}

#[test]
fn service_keys_that_are_refused_before_any_io() {
    each(|world| {
        let names = &world.names;
        let refused = |field: &str, problem: &str, request: CreateServiceKeyRequest| {
            world.refused_unsent(field, problem, |client| client.create_service_key(&request));
        };
        let long = CreateServiceKeyRequest::new("x".repeat(257), "prod");
        refused("name", "must have at most 256 characters", long);
        refused("space", "must not be empty", new(""));
        refused("org_id", "must not be empty", new("prod").org_id(""));
        refused("expires_at", "must be in the future", new("prod").expires_at(world.now()));
        let no_id = RoleAssignment::custom("");
        refused("space_role", "must have the id of the custom role", new("prod").space_role(no_id));
        if !world.is_beta() {
            let others = "must be `admin`, `member` or `read-only` on the alpha stage: use the beta stage for others";
            refused("space_role", others, new("prod").space_role(SpaceRole::Annotator));
            refused("space_role", others, new("prod").space_role(RoleAssignment::custom("r")));
            refused("org_role", others, new("prod").org_role(OrgRole::Annotator));
            let others = "must be `admin` or `member` on the alpha stage: use the beta stage for others";
            refused("account_role", others, new("prod").account_role(AccountRole::MemberUiOnly));
            return;
        }
        let wide = |organizations: Vec<OrgBinding>| CreateServiceKeyRequest::for_organizations("etl", organizations);
        let acme = || OrgBinding::new(&names.acme);
        let prod = || SpaceBinding::new("prod");
        refused("organizations", "must have 1 to 100 entries", wide(vec![]));
        let many = (0..101).map(|n| OrgBinding::new(n.to_string()).space(prod())).collect();
        refused("organizations", "must have 1 to 100 entries", wide(many));
        refused("organizations[0].spaces", "must have 1 to 100 entries", wide(vec![acme()]));
        let unnamed = OrgBinding::new("").space(prod());
        refused("organizations[1].org_id", "must not be empty", wide(vec![acme().space(prod()), unnamed]));
        refused(
            "organizations[1].org_id",
            "is listed twice: put its spaces into one binding",
            wide(vec![acme().space(prod()), acme().space(SpaceBinding::new("staging"))]),
        );
        refused("organizations[0].spaces[1].space", "is listed twice", wide(vec![acme().space(prod()).space(prod())]));
        refused(
            "organizations[0].spaces[0].space",
            "must not be empty",
            wide(vec![acme().space(SpaceBinding::new(""))]),
        );
        let stray = wide(vec![acme().space(prod())]).org_role(OrgRole::Member);
        refused("org_role", "must be passed to `OrgBinding::role` instead", stray);
        assert_eq!(world.emulator.keys_created(), 0);
    });
}

#[test]
fn a_space_that_is_named_twice_is_found_before_a_key_is_made() {
    each(|world| {
        if !world.is_beta() {
            return;
        }
        let twice = OrgBinding::new(&world.names.acme)
            .spaces([SpaceBinding::new("prod"), SpaceBinding::new(&world.names.prod)]);
        let request = CreateServiceKeyRequest::for_organizations("etl", [twice]);
        let error = world.costs(1, |client| client.create_service_key(&request)).unwrap_err();
        assert_eq!(error.to_string(), "invalid request: `organizations[0].spaces[1].space` is listed twice");
        assert_eq!(world.emulator.keys_created(), 0);
    });
}

/// Rules that only the service can check, on each stage in its own words.
#[test]
fn service_keys_that_the_service_refuses() {
    each(|world| {
        let names = &world.names;
        let ask = |requests: u64, request: &CreateServiceKeyRequest| {
            world.costs(requests, |client| client.create_service_key(request))
        };
        if !world.is_beta() {
            let odd = new(&names.prod).space_role(SpaceRole::from("emperor"));
            rejected(ask(1, &odd), 400, "`roles.space_role` cannot be `emperor`");
            rejected(ask(1, &new(super::world::NO_SPACE)), 404, "`space_id`: there is no such space");
            assert_eq!(world.emulator.keys_created(), 0);
            return;
        }
        let prod = || new(&names.prod).org_id(&names.acme);
        let level = "organizations[0].spaces[0]";
        let no_role = RoleAssignment::custom("Q3VzdG9tUm9sZTo5OnF3ZXI=");
        rejected(ask(1, &prod().space_role(no_role)), 422, &format!("`{level}.role.id`: there is no such role"));
        let annotator = format!("`{level}.role.name`: service keys cannot have `ANNOTATOR`");
        rejected(ask(1, &prod().space_role(SpaceRole::Annotator)), 422, &annotator);
        let custom = || RoleAssignment::custom(world.emulator.add_custom_role("r"));
        let org_role = prod().org_role(RoleAssignment::custom(world.emulator.add_custom_role("r")));
        rejected(ask(1, &org_role), 422, "`organizations[0].role`: custom roles are for spaces only");
        let account_role = prod().account_role(custom());
        rejected(ask(1, &account_role), 422, "`account_role`: custom roles are for spaces only");
        let ui_only = prod().account_role(AccountRole::MemberUiOnly);
        rejected(ask(1, &ui_only), 400, "`account_role.name`: service keys cannot have `MEMBER_UI_ONLY`");
        let elsewhere = new(&names.research).org_id(&names.acme);
        rejected(ask(1, &elsewhere), 422, &format!("`{level}.space_id` is a space of another organization"));
        rejected(ask(1, &prod().org_id("nowhere")), 404, "`organizations[0].org_id`: there is no such organization");

        // A look-up that fails is not the call: nothing was sent of that.
        let error = refused(ask(1, &new(super::world::NO_SPACE)), 404, "`space_id`: there is no such space");
        assert_eq!(error.outcome(), Outcome::NotSent);
        let error = refused(ask(1, &new("prod").org_id("nowhere")), 404, "`org_id`: there is no such organization");
        assert_eq!(error.outcome(), Outcome::NotSent);
        assert_eq!(world.emulator.keys_created(), 0);
    });
}
