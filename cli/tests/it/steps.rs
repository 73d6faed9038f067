//! `create`, `refresh` and `rotate` on a system that fails or ends them at each step: no secret is lost, nothing is falsely done.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;
use std::sync::atomic::{AtomicBool, Ordering};

use arize_api_keys::{ApiKey, ApiKeyStatus, CreateRequest, ExposeSecret, ListRequest};

use crate::double::{Double, Plan, Run};

/// ENOSPC, EIO, EBUSY, EPERM.
const ERRORS: [ErrorKind; 4] =
    [ErrorKind::StorageFull, ErrorKind::Other, ErrorKind::ResourceBusy, ErrorKind::PermissionDenied];

#[derive(Clone, Copy, Debug)]
enum Verb {
    Create,
    Refresh,
    Rotate,
}

#[derive(Clone, Copy, Debug)]
enum Place {
    NewFile,
    File,
    EnvFile,
}

/// A command, and a world to run it in.
struct Case {
    double: Double,
    verb: Verb,
    place: Place,
    old_id: String,
    old_secret: String,
}

impl Case {
    fn new(verb: Verb, place: Place) -> Self {
        let double = Double::new();
        let old = double.admin().create(&CreateRequest::new("old key")).unwrap();
        let secret = old.key.expose_secret();
        match place {
            Place::NewFile => {}
            Place::File => fs::write(double.path("key"), format!("{secret}\n")).unwrap(),
            Place::EnvFile => {
                fs::write(double.path("key"), format!("A=1\nARIZE_API_KEY={secret} # the key\nB=2\n")).unwrap();
            }
        }
        Self { double, verb, place, old_id: old.id.clone(), old_secret: secret.to_owned() }
    }

    fn run(&self) -> Run {
        let path = self.double.path("key");
        let place = match self.place {
            Place::NewFile | Place::File => ["--out", &path],
            Place::EnvFile => ["--env-file", &path],
        };
        let command: &[&str] = match self.verb {
            Verb::Create => &["create", "new key"],
            Verb::Refresh => &["refresh", &self.old_id],
            Verb::Rotate => &["rotate", &self.old_id, "new key", "--yes"],
        };
        self.double.run(&[command, &place, &["-o", "json"]].concat())
    }

    fn files(&self) -> Vec<(String, String)> {
        let entries = fs::read_dir(self.double.world().dir.path()).unwrap().map(|entry| entry.unwrap());
        entries
            .map(|entry| (entry.file_name().into_string().unwrap(), fs::read_to_string(entry.path()).unwrap()))
            .collect()
    }

    fn alive(&self) -> Vec<ApiKey> {
        let request = ListRequest::new().status(ApiKeyStatus::Active);
        let keys = self.double.admin().list_all(&request).map(|key| key.unwrap());
        keys.filter(|key| key.name != "admin").collect()
    }

    /// The secrets in a text that work.
    fn secrets(&self, text: &str) -> Vec<String> {
        let is_of_key = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        let words = text.split(|c| !is_of_key(c)).filter(|word| word.starts_with("ak-"));
        words.filter(|word| self.double.world().emulator.authenticates(word)).map(str::to_owned).collect()
    }

    fn has_secret_of(&self, key: &ApiKey, text: &str) -> bool {
        self.secrets(text).iter().any(|secret| key.matches(&secret.as_str().into()))
    }

    /// The invariants after any run.
    #[track_caller]
    fn check(&self, run: &Run, context: &str) {
        let files = self.files();
        let kept: String = files.iter().map(|(_, content)| format!("{content}\n")).chain([run.out.clone()]).collect();
        for key in self.alive() {
            let is_old = key.id == self.old_id && self.double.world().emulator.authenticates(&self.old_secret);
            let is_named = run.err.contains(&key.name) || run.err.contains(&key.id);
            assert!(is_old || is_named, "{context}: {} is not named: {run:?}", key.id);
            let is_lost = run.code.is_some() && !is_old && !self.has_secret_of(&key, &kept);
            assert!(!is_lost, "{context}: the secret of {} is lost: {files:?} {run:?}", key.id);
        }
        let target = files.iter().find(|(name, _)| name == "key").map_or("", |(_, content)| content);
        if let Place::EnvFile = self.place {
            assert!(
                target.starts_with("A=1\n") && target.trim_end().ends_with("\nB=2") && target.contains("# the key"),
                "{target}"
            );
        }
        if run.code == Some(0) {
            assert_eq!(self.secrets(target).len(), 1, "{context}: {target} {run:?}");
            let expected = if matches!(self.verb, Verb::Create) { 2 } else { 1 };
            assert_eq!(self.alive().len(), expected, "{context}: {run:?}");
        }
        // Where a key was in the file, one that works is.
        let is_gone = run.err.contains("the old content cannot be put back");
        if !is_gone && !matches!((self.place, self.verb), (Place::NewFile, _) | (_, Verb::Refresh)) {
            assert_eq!(self.secrets(target).len(), 1, "{context}: {target} {run:?}");
        }
    }

    fn leftovers(&self) -> Vec<String> {
        let names = self.files().into_iter().map(|(name, _)| name);
        names.filter(|name| !["key", "key.rescued", ".key.lock"].contains(&name.as_str())).collect()
    }
}

fn cases() -> impl Iterator<Item = (Verb, Place)> {
    [Verb::Create, Verb::Refresh, Verb::Rotate]
        .into_iter()
        .flat_map(|verb| [Place::NewFile, Place::File, Place::EnvFile].map(|place| (verb, place)))
}

/// The steps of a run. Not of the first one, which alone has the warning that the library gives once in a process.
fn steps(verb: Verb, place: Place) -> Vec<String> {
    Case::new(verb, place).run();
    Case::new(verb, place).run().steps
}

#[test]
fn every_step_fails_in_every_way() {
    for (verb, place) in cases() {
        let steps = steps(verb, place);
        for (n, step) in steps.iter().enumerate() {
            for error in ERRORS {
                let case = Case::new(verb, place);
                case.double.plan(move |step, _| if step == n { Plan::Fail(error) } else { Plan::Go });
                let run = case.run();
                let context = format!("{verb:?} {place:?}, {error:?} at {step}");
                case.check(&run, &context);
                assert!(step.starts_with("remove") || case.leftovers().is_empty(), "{context}: {:?}", case.leftovers());
            }
        }
    }
}

/// From one step on, the disk is gone.
#[test]
fn every_later_step_fails() {
    for (verb, place) in cases() {
        let steps = steps(verb, place);
        for (n, first) in steps.iter().enumerate() {
            let case = Case::new(verb, place);
            let is_of_disk = |step: &str| !["stderr", "stdout"].contains(&step) && !step.contains("/v2/");
            case.double.plan(
                move |at, step| {
                    if at >= n && is_of_disk(step) { Plan::Fail(ErrorKind::Other) } else { Plan::Go }
                },
            );
            let run = case.run();
            case.check(&run, &format!("{verb:?} {place:?} without a disk from {first} on"));
        }
    }
}

/// No file and no stdout takes the secret. It is not dropped, also where the environment forbids to print it.
#[test]
fn the_last_resort_is_stderr() {
    for (verb, place) in cases() {
        for is_file_only in [false, true] {
            for has_stdout in [false, true] {
                let case = Case::new(verb, place);
                if is_file_only {
                    case.double.set("ARIZE_KEYS_SECRETS", "file-only");
                }
                let is_minted = AtomicBool::new(false);
                case.double.plan(move |_, step| {
                    let is_over = is_minted.load(Ordering::SeqCst);
                    is_minted.fetch_or(step.starts_with("POST "), Ordering::SeqCst);
                    let is_kept = step == "stderr" || step.starts_with("GET ") || has_stdout && step == "stdout";
                    if is_over && !is_kept { Plan::Fail(ErrorKind::Other) } else { Plan::Go }
                });
                let run = case.run();
                let context = format!("{verb:?} {place:?} {is_file_only} {has_stdout}");
                assert_eq!(run.code, Some(9), "{context}: {run:?}");
                let (stream, text) = if has_stdout { ("stdout", &run.out) } else { ("stderr", &run.err) };
                assert!(run.err.contains(&format!("its secret was printed on {stream}")), "{context}: {run:?}");
                assert_eq!(case.secrets(text).len(), 1, "{context}: {run:?}");
            }
        }
    }
}

/// A file in place: neither the new content can be written nor the old one put back.
#[test]
fn a_copy_of_a_file_that_cannot_be_restored_is_kept() {
    for (verb, place) in cases().filter(|(_, place)| !matches!(place, Place::NewFile)) {
        for can_rename in [true, false] {
            let case = Case::new(verb, place);
            let before = case.files();
            let is_minted = AtomicBool::new(false);
            case.double.plan(move |_, step| {
                is_minted.fetch_or(step.starts_with("POST "), Ordering::SeqCst);
                let is_over = is_minted.load(Ordering::SeqCst);
                match step {
                    "write key" if is_over => Plan::Fail(ErrorKind::StorageFull),
                    "rename key.arize-keys.tmp key" => Plan::Fail(ErrorKind::ResourceBusy),
                    "rename key.arize-keys.tmp key.arize-keys.old" if !can_rename => Plan::Fail(ErrorKind::Other),
                    _ => Plan::Go,
                }
            });
            let run = case.run();
            let context = format!("{verb:?} {place:?} {can_rename}: {run:?}");
            let copy = if can_rename { "key.arize-keys.old" } else { "key.arize-keys.tmp" };
            let path = case.double.path(copy);
            assert!(run.err.contains(&format!("cannot be put back: it is in `{path}`")), "{context}");
            assert_eq!(fs::read_to_string(&path).unwrap(), before[0].1, "{context}");
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600, "{context}");
            case.check(&run, &context);
            // The next run writes the file, and leaves the copy, which has another name.
            case.double.plan(|_, _| Plan::Go);
            let again = case.double.run(&["create", "another", "--out", &case.double.path("key")]);
            assert_eq!(again.code, Some(0), "{again:?}");
            assert_eq!(std::path::Path::new(&path).exists(), can_rename, "{context}");
        }
    }
}

#[test]
fn a_kill_at_every_step() {
    for (verb, place) in cases() {
        let steps = steps(verb, place);
        for (n, step) in steps.iter().enumerate() {
            for kill in [Plan::KillBefore, Plan::KillAfter] {
                let case = Case::new(verb, place);
                case.double.plan(move |step, _| if step == n { kill } else { Plan::Go });
                let killed = case.run();
                let context = format!("{verb:?} {place:?}, {kill:?} {step}");
                assert_eq!(killed.code, None, "{context}: {killed:?} instead of {steps:?}");
                case.check(&killed, &context);
                case.double.plan(|_, _| Plan::Go);
                let again = case.run();
                assert!(case.leftovers().is_empty(), "{context}: {:?}", case.leftovers());
                let is_over = matches!(verb, Verb::Rotate) && again.code == Some(4);
                assert!(again.code == Some(0) || is_over, "{context}: {again:?}");
                if matches!(verb, Verb::Rotate) {
                    assert_eq!(case.alive().len(), 1, "{context}: {again:?}");
                }
            }
        }
    }
}

/// A mounted file cannot be renamed over.
#[test]
fn a_mount_point_is_written_in_place() {
    for (verb, place) in cases().filter(|(_, place)| !matches!(place, Place::NewFile)) {
        let mounted = |step: &str| step.starts_with("rename");
        let plan = |n: usize, error| {
            move |at: usize, step: &str| {
                if mounted(step) {
                    Plan::Fail(ErrorKind::ResourceBusy)
                } else if at == n {
                    Plan::Fail(error)
                } else {
                    Plan::Go
                }
            }
        };
        let case = Case::new(verb, place);
        let inode = |case: &Case| std::os::unix::fs::MetadataExt::ino(&fs::metadata(case.double.path("key")).unwrap());
        let before = inode(&case);
        case.double.plan(plan(usize::MAX, ErrorKind::Other));
        let run = case.run();
        assert_eq!((run.code, inode(&case)), (Some(0), before), "{run:?}");
        case.check(&run, "mounted");
        assert!(case.leftovers().is_empty());
        for (n, step) in run.steps.iter().enumerate() {
            let case = Case::new(verb, place);
            case.double.plan(plan(n, ErrorKind::StorageFull));
            let run = case.run();
            case.check(&run, &format!("{verb:?} {place:?} mounted, full at {step}"));
        }
    }
}

/// A lock that fails once is not replaced by another lock, which would not keep out who has the first one.
#[test]
fn a_lock_that_fails_ends_the_command() {
    for step in ["open directory", "lock directory"] {
        let case = Case::new(Verb::Rotate, Place::File);
        case.double.plan(move |_, name| if name == step { Plan::Fail(ErrorKind::Other) } else { Plan::Go });
        let run = case.run();
        assert_eq!((run.code, case.alive().len()), (Some(1), 1), "{run:?}");
        assert!(run.err.contains("nothing was created"), "{run:?}");
    }
}

/// Without the sync, a power cut would bring the old secret back after its key is revoked.
#[test]
fn a_directory_that_cannot_be_synced_keeps_its_old_file() {
    let case = Case::new(Verb::Rotate, Place::File);
    let count = std::sync::atomic::AtomicUsize::new(0);
    // The second one, after the proof that the file can be replaced.
    case.double.plan(move |_, name| {
        let is_second = name == "sync directory" && count.fetch_add(1, std::sync::atomic::Ordering::SeqCst) == 1;
        if is_second { Plan::Fail(ErrorKind::Other) } else { Plan::Go }
    });
    let run = case.run();
    assert_eq!(run.code, Some(10), "{run:?}");
    assert_eq!(case.files(), [("key".to_owned(), format!("{}\n", case.old_secret))]);
    assert_eq!(case.alive().len(), 1);
}

/// The disk is gone when the new secret is in place: its later content is unknown, so both keys stay.
#[test]
fn a_disk_that_is_lost_after_the_secret_is_stored() {
    let case = Case::new(Verb::Rotate, Place::File);
    let steps = steps(Verb::Rotate, Place::File);
    let renamed = steps.iter().rposition(|step| step.starts_with("rename")).unwrap();
    let is_of_disk = |step: &str| !["stderr", "stdout"].contains(&step) && !step.contains("/v2/");
    case.double.plan(
        move |at, step| {
            if at > renamed && is_of_disk(step) { Plan::Fail(ErrorKind::Other) } else { Plan::Go }
        },
    );
    let run = case.run();
    assert_eq!((run.code, case.alive().len()), (Some(11), 2), "{run:?}");
    case.check(&run, "lost after the rename");
    case.double.plan(|_, _| Plan::Go);
    let again = case.run();
    assert_eq!((again.code, case.alive().len()), (Some(0), 1), "{again:?}");
}

/// The same for a mounted file, when the disk is gone after the secret is written over the old one.
#[test]
fn a_disk_that_is_lost_within_a_write_in_place() {
    let case = Case::new(Verb::Rotate, Place::File);
    let mounted = |step: &str| step.starts_with("rename");
    let plan = move |gone: usize| {
        move |at: usize, step: &str| {
            let is_of_disk = !["stderr", "stdout"].contains(&step) && !step.contains("/v2/");
            match step {
                step if mounted(step) => Plan::Fail(ErrorKind::ResourceBusy),
                _ if at > gone && is_of_disk => Plan::Fail(ErrorKind::Other),
                _ => Plan::Go,
            }
        }
    };
    case.double.plan(plan(usize::MAX));
    let steps = case.run().steps;
    let written = steps.iter().rposition(|step| step == "write key").unwrap();
    let case = Case::new(Verb::Rotate, Place::File);
    case.double.plan(plan(written));
    let run = case.run();
    assert_eq!((run.code, case.alive().len()), (Some(11), 2), "{run:?}");
    case.double.plan(|_, _| Plan::Go);
    let again = case.run();
    assert_eq!((again.code, case.alive().len()), (Some(0), 1), "{again:?}");
}
