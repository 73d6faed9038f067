//! `ensure`: a working key kept in a store.

use std::error::Error as StdError;
use std::sync::{Arc, OnceLock};

use arize_api_keys::secrecy::SecretString;
use arize_api_keys::{ApiKey, ApiKeysClient, EnsureChange, EnsureError, EnsureRequest, EnsureWarning, Error, Outcome};
use serde_json::json;

use crate::args::{Binding, Ensure, Format};
use crate::commands::secret_commands::{
    describe, how_to_revoke, invalid, not_minted, nothing_created, report_warnings, service_key, user_key,
};
use crate::console::Console;
use crate::failure::{Code, Effect, Failure, NOTHING_CHANGED, NOTHING_CREATED, printable, with_causes};
use crate::messages::phrases;
use crate::shell::{Shell, about_key, quoted};
use crate::store::{self, HookMark, NotStored, Store};
use crate::{args, bindings, connect, inventory, output};

const AGAIN: &str = "run the same command again";

/// The part of a default owner that identifies commands: a number that no release of the program changes (FNV-1a).
const FNV_OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const FNV_PRIME: u64 = 0x0100_0000_01b3;

pub(crate) fn run(args: &Ensure, console: &Console) -> Result<(), Failure> {
    let prepared = prepare(args, console).map_err(nothing_created)?;
    let Prepared { owner, request, client, shell, store } = prepared;
    let Some(mut store) = store else { return plan(args, &request, &owner, &client, console) };
    // A file is locked until this command ends.
    let partial = Arc::new(OnceLock::new());
    let mark = args.then.as_ref().and_then(|_| store.leave_hook_mark());
    let hook = hook(args, shell, mark.clone(), console);
    let request = request.before_retire(before_retire(&partial, &hook));
    let location = store.location().unwrap_or_default();
    let ensured = client.ensure(&request, |created| {
        console.secrets.learn(&created.key);
        console.report(format_args!("created {}", describe(created)));
        console.report(format_args!("storing its secret in {location}"));
        match store.store(created) {
            Ok(()) => {
                console.report("stored");
                report_warnings(created, console);
            }
            // One store has it, so that it must go on to work.
            Err(problem) if problem.is_partial() => drop(partial.set(store.partly(&problem, &created.key))),
            Err(problem) => return Err(problem),
        }
        Ok::<(), NotStored>(())
    });
    match ensured {
        Ok(ensured) => {
            warn(&ensured.warnings, console);
            inventory::report_warnings(&ensured.key, console);
            for key in &ensured.retired {
                console.report(format_args!("revoked the old key {}", printable(&key.id)));
            }
            // An earlier run stored this key, and its hook failed or did not run.
            if mark.is_some_and(|mark| mark.is_set())
                && let Err(problem) = hook(&ensured.key)
            {
                let message = format!("the stored key `{}` works: {problem}", printable(&ensured.key.id));
                return Err(Failure::new(Code::HalfRotated, message).hint(AGAIN));
            }
            let (change, key) = (ensured.change, Some(ensured.key));
            let report = Report { change, key, retired: &ensured.retired, pending: &ensured.pending };
            // It is done, and a script must not take that for a failure.
            if let Err(failure) = print(&report, args, &owner, console) {
                console.warning(format_args!("{}; the stored key works", failure.message));
            }
            Ok(())
        }
        Err(error) => Err(match partial.get() {
            Some(problem) => partly_stored(problem, &error),
            None => failure(&error, args, Some(&mut store)),
        }),
    }
}

/// Everything that a run needs.
struct Prepared {
    owner: String,
    request: EnsureRequest,
    client: ApiKeysClient,
    shell: Shell,
    /// `None` for a dry run.
    store: Option<Store>,
}

/// Nothing is created yet: every obstacle that can be found now is found.
fn prepare(args: &Ensure, console: &Console) -> Result<Prepared, Failure> {
    let owner = owner(args, console)?;
    let client = connect::client(console)?;
    let binding = &args.service.binding;
    let mut request = request_for(args, binding, &owner, &client, console)?;
    let shell = Shell::new(args.secret.command_timeout, console);
    for (option, text) in [("--then", &args.then), ("--read-command", &args.read_command)] {
        text.as_ref().map_or(Ok(()), |text| shell.check(option, text))?;
    }
    store::refuse_stream(&args.secret, console)?;
    let store = if args.dry_run { None } else { Some(Store::prepare(&args.secret, console)?) };
    if let (Some(path), Some(false)) = (path(args), store.as_ref().map(Store::is_file)) {
        return Err(store::no_file(path));
    }
    let stored = match &store {
        _ if !is_in_file(args) => read(args, &shell)?,
        Some(store) => store.current_secret()?,
        None => store::peek(&args.secret, console)?,
    };
    store::learn(stored.as_ref(), console);
    if let Some(binding) = bindings::resolve(binding, &client, console)? {
        request = request_for(args, &binding, &owner, &client, console)?;
    }
    let request = with_stored(request, args, stored).exclusive(is_in_file(args));
    Ok(Prepared { owner, request, client: connect::for_walk(&client, console), shell, store })
}

/// Prints what a run would do.
fn plan(
    args: &Ensure,
    request: &EnsureRequest,
    owner: &str,
    client: &ApiKeysClient,
    console: &Console,
) -> Result<(), Failure> {
    let plan = client.plan_ensure(request).map_err(|error| failure(&error, args, None))?;
    warn(&plan.warnings, console);
    let report = Report { change: plan.change, key: plan.key, retired: &plan.retired, pending: &plan.pending };
    print(&report, args, owner, console)
}

fn request_for(
    args: &Ensure,
    binding: &Binding,
    owner: &str,
    client: &ApiKeysClient,
    console: &Console,
) -> Result<EnsureRequest, Failure> {
    let key = args::NewKeyArgs {
        description: args.description.clone(),
        expiry: args::Expiry { expires_in: None, expires_at: None },
    };
    let now = console.system.now();
    let request = if binding.is_given() {
        let create = service_key(&args.name, binding, &key, console)?;
        create.validate(client.stage(), now).map_err(invalid)?;
        EnsureRequest::new(create, owner)
    } else {
        let create = user_key(&args.name, &key, now)?;
        create.validate(now).map_err(invalid)?;
        EnsureRequest::new(create, owner)
    };
    let stores = args.secret.to_command.len() + usize::from(is_in_file(args));
    let request = request.lifetime(args.lifetime).overlap(args.overlap).several_stores(stores > 1);
    let request = request.renew_now(args.renew_now).force(args.force).replace_stored(args.replace_stored);
    let request = if let Some(before) = args.renew_before { request.renew_before(before) } else { request };
    let request = if let Some(id) = &args.adopt { request.adopt(id) } else { request };
    request.validate().map_err(invalid)?;
    Ok(request)
}

fn path(args: &Ensure) -> Option<&std::path::PathBuf> {
    args.secret.out.as_ref().or(args.secret.env_file.as_ref())
}

fn is_in_file(args: &Ensure) -> bool {
    path(args).is_some()
}

fn with_stored(request: EnsureRequest, args: &Ensure, stored: Option<SecretString>) -> EnsureRequest {
    if args.no_read { request } else { request.stored(stored) }
}

/// The output of the read command. `None` if it prints nothing, or without a read command.
fn read(args: &Ensure, shell: &Shell) -> Result<Option<SecretString>, Failure> {
    let Some(text) = &args.read_command else { return Ok(None) };
    let stdout = shell.run(text, &Vec::new(), &[]).map_err(|problem| {
        let message = format!("the command `{}` did not read the stored secret: {problem}", printable(text));
        Failure::new(Code::Other, message)
    })?;
    Ok(store::secret_in(&stdout, None))
}

type Hook = Arc<dyn Fn(&ApiKey) -> Result<(), Box<dyn StdError + Send + Sync>> + Send + Sync>;

/// Runs the command of --then.
fn hook(args: &Ensure, shell: Shell, mark: Option<HookMark>, console: &Console) -> Hook {
    let (then, console) = (args.then.clone(), console.clone());
    Arc::new(move |key| {
        let Some(text) = &then else { return Ok(()) };
        console.report(format_args!("running `{}`", printable(text)));
        shell
            .run(text, &about_key(&key.id, &key.name, key.expires_at), &[])
            .map_err(|problem| format!("the command `{}` failed: {problem}", printable(text)))?;
        if let Some(mark) = &mark {
            mark.remove();
        }
        Ok(())
    })
}

/// Keeps all keys if a store did not take the new one, or if the hook fails.
fn before_retire(
    partial: &Arc<OnceLock<String>>,
    hook: &Hook,
) -> impl Fn(&ApiKey) -> Result<(), Box<dyn StdError + Send + Sync>> + Send + Sync + use<> {
    let (partial, hook) = (Arc::clone(partial), Arc::clone(hook));
    move |key| if partial.get().is_some() { Err("a store did not take it".into()) } else { hook(key) }
}

/// The host and the path of the store, or a number for the commands: their text may hold something confidential.
fn owner(args: &Ensure, console: &Console) -> Result<String, Failure> {
    if let Some(owner) = &args.owner {
        return Ok(owner.clone());
    }
    let host = console.system.host_name().map_err(|error| {
        Failure::new(Code::Usage, format!("the name of this host is not known: {error}")).hint("pass --owner TEXT")
    })?;
    Ok(match path(args) {
        Some(path) => {
            format!("{host}:{}", store::absolute(path, console).display())
        }
        None => {
            let bytes = args.secret.to_command.iter().flat_map(|text| text.bytes().chain([0]));
            let number = bytes.fold(FNV_OFFSET, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(FNV_PRIME));
            format!("{host}:command-{number:016x}")
        }
    })
}

fn warn(warnings: &[EnsureWarning], console: &Console) {
    for warning in warnings {
        match warning {
            EnsureWarning::AdoptedIsRevoked => console.note(warning),
            _ => console.warning(warning),
        }
    }
}

/// The change that was made, or would be.
struct Report<'a> {
    change: EnsureChange,
    /// `None` for a key that would be created.
    key: Option<ApiKey>,
    retired: &'a [ApiKey],
    pending: &'a [ApiKey],
}

fn print(report: &Report<'_>, args: &Ensure, owner: &str, console: &Console) -> Result<(), Failure> {
    let change = match report.change {
        EnsureChange::Created => "created",
        EnsureChange::Renewed => "renewed",
        _ => "unchanged",
    };
    let ids = |keys: &[ApiKey]| keys.iter().map(|key| key.id.clone()).collect::<Vec<_>>();
    if console.global.output != Format::Table {
        let mut value = json!({
            "change": change,
            "id": report.key.as_ref().map(|key| &key.id),
            "name": args.name,
            "owner": owner,
            "expires_at": report.key.as_ref().and_then(|key| output::Key::new(key, &console.secrets).expires_at),
            "retired": ids(report.retired),
            "pending": ids(report.pending),
        });
        if args.dry_run
            && let Some(members) = value.as_object_mut()
        {
            members.insert("dry_run".to_owned(), true.into());
        }
        return output::value(value, console).map(drop);
    }
    let mut text = change.to_owned();
    if let Some(key) = &report.key {
        let expires = output::moment("expires_at", key.expires_at, &key.warnings);
        let expires = expires.unwrap_or_else(|| "never".to_owned());
        let (id, expires) = (console.secrets.value(&key.id), console.secrets.value(&expires));
        text.push_str(&format!(": {} expires {}", printable(id), printable(expires)));
    }
    if args.dry_run {
        text.insert_str(0, "dry run: ");
        for (verb, keys) in [("revoked", report.retired), ("to be revoked later", report.pending)] {
            let ids: Vec<String> = keys.iter().map(|key| printable(console.secrets.value(&key.id))).collect();
            text.push_str(&if ids.is_empty() { String::new() } else { format!("; {verb}: {}", ids.join(", ")) });
        }
    }
    text.push('\n');
    output::text(&text, console).map(drop)
}

/// One of several stores took the new key.
fn partly_stored(problem: &str, error: &EnsureError<NotStored>) -> Failure {
    let state = match error {
        EnsureError::BeforeRetire { key, .. } => {
            format!("the new key {} and the old ones work; none was revoked", printable(&key.id))
        }
        error => error.to_string(),
    };
    let failure = Failure::new(Code::HalfRotated, format!("{problem}; {state}"));
    failure.hint("repair the store, then run the same command again with --renew-now")
}

fn failure<E: std::fmt::Display>(error: &EnsureError<E>, args: &Ensure, store: Option<&mut Store>) -> Failure {
    let message = phrases(&error.to_string());
    match error {
        EnsureError::Find(cause) => Failure::sdk(cause, Effect::Read).state(NOTHING_CHANGED),
        EnsureError::Stored(cause) => {
            let message = format!("whether the stored secret works is unknown: {}", with_causes(cause));
            Failure::new(Code::Unavailable, message).state(NOTHING_CHANGED)
        }
        EnsureError::AdoptedNotFound => {
            let id = args.adopt.as_deref().unwrap_or_default();
            Failure::new(Code::NotFound, message).hint(bindings::find_hint(id, &args.service.binding))
        }
        EnsureError::Create(cause) => {
            let failure = match store {
                Some(store) => not_minted(cause, NOTHING_CREATED, store),
                None => Failure::mint(cause, NOTHING_CREATED),
            };
            let failure = failure.after("no new key is stored");
            match cause {
                Error::UnprocessableEntity(_) => {
                    failure.hint("if the account limits lifetimes, pass a shorter --lifetime")
                }
                cause if cause.outcome() == Outcome::Unknown => {
                    failure.hint("run the same command again: that run or a later one revokes that key, too")
                }
                _ => failure,
            }
        }
        EnsureError::StoredIsForeign => {
            let hint = "pass --replace-stored, or --adopt ID to take the key over";
            Failure::new(Code::Other, message).hint(match path(args) {
                Some(path) => {
                    let path = printable(quoted(&path.to_string_lossy()));
                    format!("{hint}: arize-keys identify {path} shows the ID")
                }
                None => hint.to_owned(),
            })
        }
        EnsureError::TooManyKeys => Failure::new(Code::Other, message).hint("pass --force if only one does"),
        EnsureError::Store { revoked: Ok(()), .. } | EnsureError::NotListed { revoked: Ok(()), .. } => {
            Failure::new(Code::NotStored, message)
        }
        // The secret is the one of another key.
        EnsureError::NotListed { created, revoked: Err(Error::InvalidRequest(_)), .. }
            if !created.has_duplicate_member() =>
        {
            Failure::new(Code::SecretLost, message).hint(how_to_revoke(created))
        }
        EnsureError::Store { created, .. } | EnsureError::NotListed { created, .. } => {
            let rescue = store.map(|store| format!("; {}", store.rescue(&created.key))).unwrap_or_default();
            Failure::new(Code::SecretLost, format!("{message}{rescue}")).hint(how_to_revoke(created))
        }
        EnsureError::BeforeRetire { .. } if !store.is_some_and(|store| store.is_file()) => {
            let hint = "run the command of --then yourself, or the same command again with --renew-now";
            Failure::new(Code::HalfRotated, message).hint(hint)
        }
        EnsureError::Verify { .. } | EnsureError::BeforeRetire { .. } | EnsureError::Retire { .. } => {
            Failure::new(Code::HalfRotated, message).hint(AGAIN)
        }
        _ => Failure::new(Code::Other, message),
    }
}
