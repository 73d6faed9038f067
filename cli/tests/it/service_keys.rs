//! `create-service-key`: the three forms of a binding.

use arize_api_keys::CreateServiceKeyRequest;
use serde_json::{Value, json};

use crate::service::Service;

/// Creates one, and returns its binding.
#[track_caller]
fn bound(service: &Service, args: &[&str]) -> Value {
    let run = service.run(&[&["create-service-key", "bot", "-o", "json"], args].concat());
    let mut key: Value = serde_json::from_str(&run.succeeded().out).unwrap();
    assert!(service.emulator.authenticates(key["key"].as_str().unwrap()));
    assert_eq!(key["key_type"], "service");
    let mut bot = key["bot_user"].take();
    bot.as_object_mut().unwrap().retain(|name, _| name == "account_role" || name == "organizations");
    bot
}

#[test]
fn one_space() {
    let service = Service::new();
    let org = service.emulator.organization_id("acme").unwrap();
    let space = service.emulator.space_id("acme", "prod").unwrap();
    let bind = |org_role: &str, role: &str| {
        json!({"account_role": "member", "organizations": [
            {"org_id": org, "role": org_role, "spaces": [{"space_id": space, "role": role}]}]})
    };
    assert_eq!(bound(&service, &["--space", "prod"]), bind("read-only", "member"));
    let roles = ["--space", "prod", "--org", &org, "--space-role", "READ_ONLY", "--org-role", "admin"];
    assert_eq!(bound(&service, &roles), bind("admin", "read-only"));
    let custom = service.emulator.add_custom_role("auditor");
    let role = format!("custom:{custom}");
    assert_eq!(bound(&service, &["--space", &space, "--space-role", &role]), bind("read-only", &role));
}

#[test]
fn grants_and_assignments() {
    let service = Service::new();
    let acme = service.emulator.organization_id("acme").unwrap();
    let labs = service.emulator.organization_id("acme-labs").unwrap();
    let space = |org: &str, name: &str| service.emulator.space_id(org, name).unwrap();
    let expected = json!({"account_role": "admin", "organizations": [
        {"org_id": acme, "role": "member", "spaces": [
            {"space_id": space("acme", "prod"), "role": "admin"},
            {"space_id": space("acme", "staging"), "role": "read-only"},
        ]},
        {"org_id": labs, "role": "member", "spaces": [{"space_id": space("acme-labs", "sandbox"), "role": "read-only"}]},
    ]});
    let grants =
        [format!("{acme}/prod=admin"), format!("{labs}/sandbox"), format!("{acme}/{}", space("acme", "staging"))];
    let mut args: Vec<&str> = grants.iter().flat_map(|grant| ["--grant", grant]).collect();
    args.extend(["--space-role", "read-only", "--org-role", "member", "--account-role", "admin"]);
    assert_eq!(bound(&service, &args), expected);

    let file = json!({"account_role": "admin", "organizations": [
        {"org_id": acme, "role": "member", "spaces": [
            {"space": "prod", "role": "admin"},
            {"space": space("acme", "staging"), "role": "read-only"},
        ]},
        // As the API writes it.
        {"org_id": labs, "role": {"type": "PREDEFINED", "name": "MEMBER"}, "spaces": [
            {"space_id": space("acme-labs", "sandbox"), "role": {"type": "PREDEFINED", "name": "READ_ONLY"}}]},
    ]});
    service.write("file.json", &file.to_string(), 0o644);
    assert_eq!(bound(&service, &["--assignments", "file.json"]), expected);
    let command = service.command(&["create-service-key", "bot", "--assignments", "-"]);
    let output = assert_cmd::Command::from_std(command).write_stdin(file.to_string()).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
}

#[test]
fn organizations_by_name() {
    let service = Service::new();
    let team = service.emulator.add_organization("acme team");
    service.emulator.add_space(&team, "prod").unwrap();
    let space = |org: &str, name: &str| service.emulator.space_id(org, name).unwrap();
    let acme = service.emulator.organization_id("acme").unwrap();
    let by_id = format!("{acme}/staging");
    let expected = json!({"account_role": "member", "organizations": [
        {"org_id": acme, "role": "read-only", "spaces": [
            {"space_id": space("acme", "prod"), "role": "admin"},
            {"space_id": space("acme", "staging"), "role": "member"},
        ]},
        {"org_id": team, "role": "read-only", "spaces": [{"space_id": space("acme team", "prod"), "role": "member"}]},
    ]});
    let args = ["--grant", "acme/prod=admin", "--grant", "acme team/prod", "--grant", &by_id];
    assert_eq!(bound(&service, &args), expected);
    let lookups = service.seen().iter().filter(|seen| seen.contains("/v2/organizations")).count();
    assert_eq!(lookups, 2, "{:?}", service.seen());

    let request = CreateServiceKeyRequest::new("old", space("acme", "prod").as_str());
    let old = service.client().create_service_key(&request).unwrap().id.clone();
    let commands: [&[&str]; 3] = [
        &["rotate", &old, "--yes", "--out", "rotated", "--grant", "acme/prod"],
        &["ensure", "kept", "--owner", "me", "--out", "kept", "--grant", "acme/prod"],
        &["run", "--grant", "acme/prod", "--", "true"],
    ];
    for command in commands {
        let created = service.emulator.keys_created();
        service.run(command).succeeded();
        assert_eq!(service.emulator.keys_created(), created + 1, "{command:?}");
    }
}

#[test]
fn organizations_that_are_not_one() {
    let service = Service::new();
    service.emulator.add_organization("twin");
    service.emulator.add_organization("twin");
    let old = service.key("old").id.clone();
    let created = service.emulator.keys_created();
    for (grant, problem) in [
        ("nowhere/prod", "--grant: your key can see no organization named `nowhere`; nothing was created"),
        // The names must match exactly.
        ("Acme/prod", "no organization named `Acme`"),
        ("twin/prod", "--grant: 2 organizations are named `twin`: "),
    ] {
        for (command, code) in [
            (&["create-service-key", "bot", "--grant", grant][..], 4),
            (&["rotate", &old, "--yes", "--out", "rotated", "--grant", grant], 4),
            (&["ensure", "kept", "--owner", "me", "--out", "kept", "--grant", grant], 4),
            (&["ensure", "kept", "--owner", "me", "--out", "kept", "--dry-run", "--grant", grant], 4),
            (&["run", "--grant", grant, "--", "true"], 125),
        ] {
            let run = service.run(command);
            run.failed(code);
            assert!(run.err.contains(problem), "{command:?}: {}", run.err);
        }
    }
    assert_eq!(service.emulator.keys_created(), created);
}

#[test]
fn files_that_are_wrong() {
    let service = Service::new();
    for (content, problem) in [
        ("", "is not a file of assignments: EOF"),
        ("[]", "is not a file of assignments"),
        ("{}", "is not a file of assignments: missing member `organizations` at line 1; nothing was created\n"),
        (
            r#"{"organizations": [{"org_id": "a"}]}"#,
            "is not a file of assignments: missing member `organizations[0].spaces` at line 1; nothing was created\n",
        ),
        (
            r#"{"organizations": [{"org_id": "a", "spaces": [{"space": "b", "role": "mem"#,
            "is not a file of assignments: EOF while parsing a string at line 1 column 73; nothing was created\n",
        ),
        (
            r#"{"organizations": [{"org_id": "a", "spaces": [], "extra": 1}]}"#,
            "error: `file.json` is not a file of assignments: unknown member `organizations[0].extra` at line 1; nothing was created\nhint: it looks like this:\n{",
        ),
        (
            r#"{"organizations": [{"org_id": "a", "spaces": [{"space": "b", "role": 1}]}]}"#,
            "assignments: `organizations[0].spaces[0].role` at line 1",
        ),
        (
            r#"{"organizations": [{"org_id": "a", "spaces": [{"space": "b", "role": "boss"}]}]}"#,
            "`file.json`: `organizations[0].spaces[0].role`: a role in a space is",
        ),
        (r#"{"organizations": []}"#, "the list of --grant or --assignments must have 1 to 100 entries"),
    ] {
        service.write("file.json", content, 0o644);
        let run = service.run(&["create-service-key", "bot", "--assignments", "file.json"]);
        run.failed(2);
        assert!(run.err.contains(problem), "{content}: {}", run.err);
    }
    service.run(&["create-service-key", "bot", "--assignments", "none.json"]).failed(2);
    assert!(service.seen().is_empty());
}
