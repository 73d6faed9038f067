//! `ensure` and `rotate` with commands as stores: reading back, partial delivery, the hook, the dry run.

use std::io::ErrorKind;
use std::time::Duration;

use arize_api_keys::http::{Request, Response};
use arize_api_keys::{CreateRequest, ExposeSecret, ListRequest};
use serde_json::Value;

use crate::double::{Double, Plan};
use crate::service::{Run, Service};

const LONG: [&str; 6] = ["ensure", "etl", "--lifetime", "3650d", "-o", "json"];

fn ensure(service: &Service, args: &[&str]) -> Run {
    service.run(&[&LONG, args].concat())
}

fn json(run: &Run) -> Value {
    serde_json::from_str(&run.succeeded().out).unwrap()
}

/// The ids of the live keys beside the admin's, oldest first.
fn live(service: &Service) -> Vec<String> {
    let mut keys: Vec<_> = service.client().list_all(&ListRequest::new()).map(|key| key.unwrap()).collect();
    keys.retain(|key| key.name != "admin");
    keys.sort_by_key(|key| key.created_at);
    keys.into_iter().map(|key| key.id).collect()
}

const TO: [&str; 4] = ["--to-command", "cat > taken", "--read-command", "cat taken 2>&1 || true"];

#[test]
fn a_command_is_read_back() {
    let service = Service::new();
    // Prints nothing, with status 0.
    let first = json(&ensure(&service, &["--to-command", "cat > taken", "--read-command", "true"]));
    assert_eq!(first["change"], "created");
    let owner = first["owner"].as_str().unwrap();
    assert!(owner.split_once(":command-").is_some_and(|(host, number)| !host.is_empty() && number.len() == 16));
    let again = json(&ensure(&service, &TO));
    assert_eq!((&again["change"], &again["id"]), (&"unchanged".into(), &first["id"]));
    let secret = service.read("taken");
    for lost in ["", "no key at all", "ak-\u{e9}", "ak-unknown-0123456789"] {
        service.write("taken", lost, 0o600);
        service.clock.advance(std::time::Duration::from_secs(3600));
        let renewed = json(&ensure(&service, &TO));
        assert_eq!((&renewed["change"], live(&service).len()), (&"renewed".into(), 1), "{lost}");
    }
    assert!(!service.emulator.authenticates(&secret) && service.emulator.authenticates(&service.read("taken")));
}

#[test]
fn a_command_that_cannot_read_is_no_missing_secret() {
    let service = Service::new();
    let run = ensure(&service, &["--to-command", "cat > taken", "--read-command", "cat taken"]);
    run.failed(1);
    assert!(run.err.contains("the command `cat taken` did not read the stored secret: it ended with status 1"));
    assert!(run.err.contains("nothing was created"), "{}", run.err);
    let run = ensure(&service, &["--to-command", "cat", "--read-command", "no-such-program-here"]);
    assert!(run.failed(2).err.contains("--read-command: the command `no-such-program-here` was not found"));
    assert_eq!(service.emulator.requests(), 0);
}

#[test]
fn what_is_read_back_must_be_said() {
    let service = Service::new();
    for args in [
        &["--to-command", "cat"][..],
        &["--read-command", "cat"],
        &["--no-read"],
        &["--out", "file", "--to-command", "cat", "--read-command", "cat"],
        &["--out", "file", "--to-command", "cat", "--no-read"],
        &["--to-command", "cat", "--no-read", "--read-command", "cat"],
        &["--out", "file", "--command-timeout", "1s"],
        &["--out", "/dev/null"],
        &["--out", "/dev/stdout"],
    ] {
        ensure(&service, args).failed(2);
    }
    assert_eq!(service.emulator.requests(), 0);
    // A closed file descriptor, in place of a file with a mode: the tests may run as root.
    std::fs::create_dir(service.path("directory")).unwrap();
    let run = ensure(&service, &["--out", "directory"]);
    assert!(run.failed(1).err.contains("nothing was created"), "{}", run.err);
}

#[test]
fn without_reading_names_and_dates_decide() {
    let service = Service::new();
    let args = ["--to-command", "cat > taken", "--no-read", "--owner", "o"];
    let first = json(&ensure(&service, &args));
    let again = json(&ensure(&service, &args));
    assert_eq!((&first["change"], &again["change"]), (&"created".into(), &"unchanged".into()));
    assert_eq!(live(&service), [first["id"].as_str().unwrap()]);
}

#[test]
fn one_of_two_stores() {
    let service = Service::new();
    let stores = ["--owner", "o", "--to-command", "cat > one", "--out", "file"];
    json(&ensure(&service, &stores));
    let old = service.read("file");
    service.clock.advance(std::time::Duration::from_secs(3600));
    let broken = ["--owner", "o", "--to-command", "cat > one", "--to-command", "exit 3", "--out", "file"];
    let run = ensure(&service, &[&broken[..], &["--renew-now"]].concat());
    let new = live(&service)[1].clone();
    let message = format!(
        "error: the command `exit 3` did not take it: it ended with status 3; `cat > one` took it; the new key {new} and the \
         old ones work; none was revoked\nhint: repair the store, then run the same command again with --renew-now\n"
    );
    assert!(run.failed(11).err.ends_with(&message), "{}", run.err);
    assert!(service.emulator.authenticates(old.trim()) && service.emulator.authenticates(&service.read("one")));
    assert_eq!(service.read("file"), old);

    // Without --renew-now, too: the first store would be left with a revoked key.
    service.clock.advance(std::time::Duration::from_secs(3600));
    let renewed = json(&ensure(&service, &stores));
    assert_eq!((&renewed["change"], &renewed["retired"].as_array().unwrap().len()), (&"renewed".into(), &2));
    assert_eq!(service.read("file").trim(), service.read("one"));
    assert_eq!(live(&service), [renewed["id"].as_str().unwrap()]);

    // If no store took it, it goes.
    let run = ensure(&service, &["--owner", "o", "--to-command", "exit 3", "--out", "file", "--renew-now"]);
    assert!(run.failed(10).err.contains("and is revoked"), "{}", run.err);
    assert_eq!(live(&service), [renewed["id"].as_str().unwrap()]);
}

#[test]
fn a_rotation_keeps_a_key_that_one_store_took() {
    let service = Service::new();
    let old = service.key("ci 1");
    let args = ["rotate", &old.id, "ci 2", "--yes", "--to-command", "cat > one"];
    let run = service.run(&[&args[..], &["--to-command", "exit 3"]].concat());
    let new = live(&service).into_iter().find(|id| *id != old.id).unwrap();
    let message = format!(
        "the command `exit 3` did not take it: it ended with status 3; `cat > one` took it; the new key {new} and the old one \
         work; none was revoked"
    );
    assert!(run.failed(11).err.contains(&message), "{}", run.err);
    assert!(service.emulator.authenticates(&service.read("one")));
    assert!(service.emulator.authenticates(old.key.expose_secret()));
    service.run(&args).succeeded();
    assert_eq!(live(&service).len(), 1);
    assert!(service.emulator.authenticates(&service.read("one")));
}

#[test]
fn a_hook_runs_before_old_keys_are_revoked() {
    let service = Service::new();
    let file = ["--owner", "o", "--out", "file"];
    let first = json(&ensure(&service, &file));
    let old = service.read("file");
    service.clock.advance(std::time::Duration::from_secs(3600));
    let failing = ["--then", "printf '%s' \"$ARIZE_KEY_ID ${ARIZE_API_KEY-none}\" > told; exit 4"];
    let run = ensure(&service, &[&file[..], &failing, &["--renew-now"]].concat());
    let problem = format!("the command `{}` failed: it ended with status 4", failing[1]);
    assert!(run.failed(11).err.contains(&problem) && run.err.contains("none was revoked"), "{}", run.err);
    let ids = live(&service);
    assert_eq!(ids.len(), 2);
    assert_eq!(service.read("told"), format!("{} none", ids[1]));
    assert!(service.emulator.authenticates(old.trim()) && service.emulator.authenticates(service.read("file").trim()));
    // The next run must not revoke the old key before the program has read the new one.
    ensure(&service, &[&file[..], &failing].concat()).failed(11);
    assert_eq!(live(&service), ids);
    let again = json(&ensure(&service, &[&file[..], &["--then", "touch reloaded"]].concat()));
    assert_eq!((&again["change"], &again["retired"][0]), (&"unchanged".into(), &first["id"]));
    service.read("reloaded");
    std::fs::remove_file(service.path("reloaded")).unwrap();
    json(&ensure(&service, &[&file[..], &["--then", "touch reloaded"]].concat()));
    assert!(!service.path("reloaded").exists(), "nothing was to be revoked");
}

/// Also if no old key is left, whose revocation would have to wait for it.
#[test]
fn a_hook_that_failed_runs_again_until_it_succeeds() {
    for place in [["--out", "key"], ["--env-file", "key"]] {
        let service = Service::new();
        let run = |hook: &[&str]| ensure(&service, &[&["--owner", "o"][..], &place, hook].concat());
        let mark = service.path("key.arize-keys.then");
        for is_first in [true, false] {
            let failed = run(&["--then", "false"]);
            let (id, change) = (live(&service).remove(0), if is_first { "created" } else { "renewed" });
            let end = format!(
                "error: the stored key `{id}` works; of the old keys, none was revoked: the command `false` failed: it ended with \
                 status 1\nhint: run the same command again\n"
            );
            assert!(failed.failed(11).err.ends_with(&end), "{}", failed.err);
            let again = run(&["--then", "false"]);
            let end = format!(
                "error: the stored key `{id}` works: the command `false` failed: it ended with status 1\nhint: run the same command \
                 again\n"
            );
            assert!(again.failed(11).err.ends_with(&end), "{}", again.err);
            // Without the option there is nothing to run, and nothing is forgotten.
            assert_eq!(json(&run(&[]))["change"], "unchanged");
            assert!(mark.exists());
            let done = json(&run(&["--then", "printf '%s' \"$ARIZE_KEY_ID\" > told"]));
            assert_eq!((&done["change"], service.read("told")), (&"unchanged".into(), id.clone()), "{change}");
            assert!(!mark.exists());
            run(&["--then", "false"]).succeeded();
            // An administrator revokes the key, so that the next run has no old one.
            service.client().revoke(&id).unwrap();
        }
    }
}

/// A run says which keys it revoked, also if its hook fails then.
#[test]
fn a_hook_that_fails_again_hides_no_revoked_key() {
    let double = Double::new();
    let path = double.path("key");
    let place = ["ensure", "etl", "--owner", "o", "--lifetime", "1h", "--out", &path, "-o", "json"];
    let run = |hook: &[&str]| double.run(&[&place, hook].concat());
    let first: Value = serde_json::from_str(&run(&[]).out).unwrap();
    double.world().clock.advance(Duration::from_secs(2 * 3600));
    assert_eq!(run(&["--then", "false"]).code, Some(11));
    let again = run(&["--then", "false"]);
    let line =
        format!("revoked the old key {}\nrunning `false`\nerror: the stored key `", first["id"].as_str().unwrap());
    assert!(again.code == Some(11) && again.err.contains(&line), "{}", again.err);
}

/// A run that stores nothing leaves nothing to do.
#[test]
fn a_hook_does_not_run_for_a_key_that_was_not_stored() {
    let service = Service::new();
    let place = ["--owner", "o", "--to-command", "false", "--out", "key", "--then", "touch reloaded"];
    ensure(&service, &place).failed(10);
    assert!(!service.path("reloaded").exists() && !service.path("key.arize-keys.then").exists());
}

#[test]
fn without_a_file_a_failed_hook_is_not_repeated() {
    let service = Service::new();
    let run = ensure(&service, &[&TO[..], &["--then", "false"]].concat());
    let hint = "hint: run the command of --then yourself, or the same command again with --renew-now\n";
    assert!(run.failed(11).err.ends_with(hint), "{}", run.err);
}

#[test]
fn bad_input_is_refused_before_anything_runs() {
    let service = Service::new();
    let long = ["é".repeat(34), "d".repeat(990)];
    for (args, message) in [
        (&["--owner", &long[0]][..], "--owner must have 1 to 200 bytes"),
        (&["--owner", "o", "--description", &long[1]], "--description must have at most 1000 characters"),
        (&["--owner", "o", "--renew-before", "3650d"], "--renew-before must be less than --lifetime"),
        (
            &["--owner", "o", "--then", "no-such-program-here"],
            "--then: the command `no-such-program-here` was not found",
        ),
    ] {
        let run = ensure(&service, &[args, &["--to-command", "cat", "--read-command", "touch ran"]].concat());
        assert!(run.failed(2).err.contains(message), "{}", run.err);
    }
    assert!(service.files().is_empty());
    assert_eq!(service.emulator.requests(), 0);
}

/// Also before the file exists.
#[test]
fn the_default_owner_is_the_host_and_the_path() {
    let service = Service::new();
    let first = json(&ensure(&service, &["--out", "file"]));
    let path = service.dir.path().canonicalize().unwrap().join("file");
    assert!(first["owner"].as_str().unwrap().ends_with(&format!(":{}", path.display())), "{first}");
    let again = json(&ensure(&service, &["--out", "./file"]));
    assert_eq!((&again["change"], &again["owner"]), (&"unchanged".into(), &first["owner"]));
}

#[test]
fn a_dry_run_changes_nothing() {
    let service = Service::new();
    let file = ["--owner", "o", "--out", "file"];
    let dry = |args: &[&str]| ensure(&service, &[&file[..], &["--dry-run"], args].concat());
    let planned = json(&dry(&[]));
    assert_eq!(
        (&planned["change"], &planned["id"], &planned["dry_run"]),
        (&"created".into(), &Value::Null, &true.into())
    );
    assert!(service.files().is_empty() && live(&service).is_empty());
    let first = json(&ensure(&service, &file));
    let (inode, content) = (inode(&service), service.read("file"));
    assert_eq!((&json(&dry(&[]))["change"], &json(&dry(&[]))["id"]), (&"unchanged".into(), &first["id"]));
    let planned = json(&dry(&["--renew-now"]));
    assert_eq!((&planned["change"], &planned["retired"][0]), (&"renewed".into(), &first["id"]));
    let planned = json(&dry(&["--renew-now", "--overlap", "1d"]));
    assert_eq!((&planned["pending"][0], planned["retired"].as_array().unwrap().len()), (&first["id"], 0));
    let text = service.run(&["ensure", "etl", "--owner", "o", "--out", "file", "--dry-run", "--renew-now"]);
    assert_eq!(text.succeeded().out, format!("dry run: renewed; revoked: {}\n", first["id"].as_str().unwrap()));
    assert_eq!((self::inode(&service), service.read("file"), live(&service).len()), (inode, content, 1));
    assert!(!service.seen().iter().any(|request| request.starts_with("PUT")), "{:?}", service.seen());
    let posts = service.seen().iter().filter(|request| request.starts_with("POST")).count();
    assert_eq!(posts, 1);
}

fn inode(service: &Service) -> u64 {
    std::os::unix::fs::MetadataExt::ino(&std::fs::metadata(service.path("file")).unwrap())
}

#[test]
fn keys_are_adopted_once() {
    let service = Service::new();
    let by_hand = service.key("made by hand");
    service.write("file", by_hand.key.expose_secret(), 0o600);
    let file = ["--owner", "o", "--out", "file"];
    let run = ensure(&service, &[&file[..], &["--adopt", "QXBpS2V5Ojk5OTp6enp6"]].concat());
    assert!(run.failed(4).err.contains("the key to adopt is not among the keys"), "{}", run.err);
    let adopt = [&file[..], &["--adopt", &by_hand.id]].concat();
    let adopted = json(&ensure(&service, &adopt));
    assert_eq!((&adopted["change"], &adopted["retired"][0]), (&"renewed".into(), &by_hand.id.as_str().into()));
    let again = ensure(&service, &adopt);
    assert_eq!(json(&again)["change"], "unchanged");
    assert!(again.err.contains("the key to adopt is revoked already"), "{}", again.err);
}

#[test]
fn a_file_that_cannot_be_read_is_no_missing_secret() {
    let double = Double::new();
    let path = double.path("file");
    let args = ["ensure", "etl", "--owner", "o", "--out", &path];
    assert_eq!(double.run(&args).code, Some(0));
    for dry in [&[][..], &["--dry-run"]] {
        let args = [&args[..], dry].concat();
        let steps = double.run(&args).steps;
        let is_of_file = |step: &str| step == "open file" || step == "read file";
        for (n, _) in steps.iter().enumerate().filter(|(_, step)| is_of_file(step)) {
            double.plan(move |at, _| if at == n { Plan::Fail(ErrorKind::PermissionDenied) } else { Plan::Go });
            let run = double.run(&args);
            assert_eq!(run.code, Some(1), "{run:?}");
            assert!(run.err.contains("cannot read") && run.err.contains("nothing was created"), "{run:?}");
        }
    }
    assert_eq!(double.world().emulator.keys_created(), 1);
}

/// With a clock that does not wait: the list may lag behind the key.
#[test]
fn the_working_key_of_somebody_else_stays() {
    let double = Double::new();
    let by_hand = double.admin().create(&CreateRequest::new("made by hand")).unwrap();
    std::fs::write(double.path("file"), by_hand.key.expose_secret()).unwrap();
    let run = double.run(&["ensure", "etl", "--owner", "o", "--out", &double.path("file")]);
    assert_eq!(run.code, Some(1), "{run:?}");
    assert!(run.err.contains("works and belongs to no key of this owner") && run.err.contains("--adopt ID"), "{run:?}");
    assert_eq!(double.world().emulator.keys_created(), 1);
}

/// The time of the command is over when the store has failed.
#[test]
fn a_slow_store_that_fails_leaves_no_key() {
    for command in [&["rotate", "ID", "new", "--yes"][..], &["ensure", "etl", "--owner", "o", "--no-read"]] {
        let double = Double::new();
        let old = double.admin().create(&CreateRequest::new("old")).unwrap();
        let clock = double.world().clock.clone();
        double.plan(move |_, step| {
            if step == "shell false" {
                clock.advance(Duration::from_secs(60));
            }
            Plan::Go
        });
        let command: Vec<&str> = command.iter().map(|arg| if *arg == "ID" { old.id.as_str() } else { *arg }).collect();
        let run = double.run(&[&command, &["--timeout", "30s", "--to-command", "false"][..]].concat());
        assert_eq!(run.code, Some(10), "{run:?}");
        let names = double.admin().list_all(&ListRequest::new()).map(|key| key.unwrap().name);
        assert_eq!(names.filter(|name| name != "admin").collect::<Vec<_>>(), ["old"]);
    }
}

#[test]
fn how_it_ends() {
    let html = || {
        let page = Response::builder().status(401).header("content-type", "text/html");
        page.body(b"<html>log in</html>".to_vec()).unwrap()
    };
    let refused = || {
        let problem = Response::builder().status(401).header("content-type", "application/problem+json");
        problem.body(br#"{"title":"Unauthorized","status":401}"#.to_vec()).unwrap()
    };
    let broken = || Response::builder().status(502).body(Vec::new()).unwrap();
    let admin = |request: &Request<Vec<u8>>, double: &Double| {
        let own = format!("Bearer {}", double.world().emulator.admin_key().expose_secret());
        request.headers()["authorization"] == own.as_str()
    };
    for (code, message, respond) in [
        // A proxy answers the stored secret.
        (
            7,
            "whether the stored secret works is unknown",
            Box::new(move |request: &Request<Vec<u8>>, double: &Double| (!admin(request, double)).then(html))
                as Box<dyn Fn(&Request<Vec<u8>>, &Double) -> Option<Response<Vec<u8>>> + Send + Sync>,
        ),
        // The key of the caller is revoked.
        (3, "nothing was changed", Box::new(move |_, _| Some(refused()))),
        // The response to the create is lost.
        (8, "no new key is stored", Box::new(move |request, _| (request.method() == "POST").then(broken))),
    ] {
        let double = Double::new();
        let path = double.path("file");
        let args = ["ensure", "etl", "--owner", "o", "--out", &path];
        assert_eq!(double.run(&args).code, Some(0));
        let made = double.world().emulator.keys_created();
        let of = double.clone();
        double.respond(move |request| respond(request, &of));
        let run = double.run(&[&args[..], if code == 8 { &["--renew-now"] } else { &[] }].concat());
        assert_eq!(run.code, Some(code), "{run:?}");
        assert!(run.err.contains(message), "{run:?}");
        assert_eq!(run.err.contains("; nothing was changed\n"), code != 8, "{run:?}");
        assert_eq!(double.world().emulator.keys_created(), made);
    }
    let double = Double::new();
    let path = double.path("file");
    let renew = || double.run(&["ensure", "etl", "--owner", "o", "--out", &path, "--renew-now"]);
    let codes: Vec<_> = (0..7).map(|_| renew().code.unwrap()).collect();
    assert_eq!(codes, [0, 0, 0, 0, 0, 0, 1]);
    assert!(renew().err.contains("two programs may write this store\nhint: pass --force"));
}

#[test]
fn lists_show_the_owner() {
    let double = Double::new();
    let run = double.run(&["ensure", "etl", "--owner", "host 7: é", "--out", &double.path("file")]);
    assert_eq!(run.code, Some(0), "{run:?}");
    let table = double.run(&["list"]).out;
    assert!(table.lines().next().unwrap().ends_with("OWNER") && table.contains("host 7: é"), "{table}");
    let list: Value = serde_json::from_str(&double.run(&["list", "-o", "json"]).out).unwrap();
    let owners: Vec<_> = list["api_keys"].as_array().unwrap().iter().map(|key| key.get("owner")).collect();
    assert!(owners.contains(&None) && owners.contains(&Some(&"host 7: é".into())), "{list}");
    double.world().clock.advance(Duration::from_secs(86_400));
    let audit = double.run(&["audit", "--older-than", "1h", "-o", "json"]);
    assert!(audit.out.contains("\"owner\": \"host 7: é\""), "{audit:?}");
}
