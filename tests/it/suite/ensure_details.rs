//! `ensure` where clocks differ, accounts limit lifetimes, proxies answer and keys expire.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use arize_api_keys::emulator::{Emulator, ManualClock};
use arize_api_keys::http::{Request, Response};
use arize_api_keys::secrecy::SecretString;
use arize_api_keys::{
    ApiKeysClient, CreateRequest, EnsureChange, EnsureError, EnsureRequest, EnsureWarning, Ensured, ExposeSecret,
    ListRequest,
};

use super::world::{START, World, each, moment};

const DAY: u64 = 86_400;
const HOUR: u64 = 3600;

type Changes = dyn Fn(&mut Request<Vec<u8>>) -> Option<Response<Vec<u8>>> + Send + Sync;

/// An emulator behind something that changes requests, answers in its place, and adds a date to responses.
struct Middle {
    emulator: Emulator,
    client: ApiKeysClient,
    store: Mutex<Option<SecretString>>,
}

impl Middle {
    fn new(
        date: Option<&'static str>,
        changes: impl Fn(&mut Request<Vec<u8>>) -> Option<Response<Vec<u8>>> + Send + Sync + 'static,
    ) -> Self {
        let clock = ManualClock::at(moment(START));
        let emulator = Emulator::builder().seed(7).clock(clock.clone()).build();
        let (inner, changes): (Emulator, Arc<Changes>) = (emulator.clone(), Arc::new(changes));
        let transport = move |mut request: Request<Vec<u8>>| {
            let answered = changes(&mut request).map(Ok);
            let mut response = answered.unwrap_or_else(|| arize_api_keys::Transport::send(&inner, request))?;
            if let Some(date) = date {
                response.headers_mut().insert("date", date.parse().unwrap());
            }
            Ok(response)
        };
        let builder = ApiKeysClient::builder().ignore_env().api_key(emulator.admin_key()).clock(clock);
        Self { client: builder.transport(transport).build().unwrap(), emulator, store: Mutex::default() }
    }

    fn ensure(&self, request: EnsureRequest) -> Result<Ensured, EnsureError<&'static str>> {
        let request = request.exclusive(true).stored(self.store.lock().unwrap().clone());
        self.client.ensure(&request, |created| {
            *self.store.lock().unwrap() = Some(created.key.clone());
            Ok(())
        })
    }
}

fn request() -> EnsureRequest {
    EnsureRequest::new(CreateRequest::new("etl"), "host-7:etl")
}

fn problem(status: u16) -> Response<Vec<u8>> {
    let response = Response::builder().status(status).header("content-type", "application/problem+json");
    response.body(format!(r#"{{"title":"t","status":{status}}}"#).into_bytes()).unwrap()
}

#[test]
fn clocks_that_differ() {
    // The service says the time, which begins at 03:04:05.
    for (date, skew) in [
        ("Fri, 02 Jan 2026 03:08:05 GMT", None),
        ("Fri, 02 Jan 2026 03:10:05 GMT", Some(360)),
        ("Fri, 02 Jan 2026 02:58:05 GMT", Some(360)),
        ("Sat, 03 Jan 2026 03:04:05 GMT", Some(DAY)),
    ] {
        let ensured = Middle::new(Some(date), |_| None).ensure(request()).unwrap();
        let expected: Vec<_> =
            skew.map(|skew| EnsureWarning::ClockSkew(Duration::from_secs(skew))).into_iter().collect();
        assert_eq!(ensured.warnings, expected, "{date}");
    }
    for date in ["Sat, 03 Jan 2026 03:04:06 GMT", "Thu, 01 Jan 2026 03:04:04 GMT"] {
        let middle = Middle::new(Some(date), |_| None);
        let error = middle.ensure(request()).unwrap_err();
        assert!(matches!(error, EnsureError::ClockSkew) && middle.emulator.keys_created() == 0, "{error}");
    }
}

#[test]
fn due_by_the_clock_of_the_service() {
    let middle = Middle::new(Some("Fri, 02 Jan 2026 23:04:05 GMT"), |_| None);
    let daily = request().lifetime(Duration::from_secs(36 * HOUR)).renew_before(Duration::from_secs(17 * HOUR));
    assert_eq!(middle.ensure(daily.clone()).unwrap().change, EnsureChange::Created);
    // 36 hours are left by the clock of this machine, and 16 by that of the service.
    assert_eq!(middle.ensure(daily).unwrap().change, EnsureChange::Renewed);
}

#[test]
fn a_lifetime_that_the_account_shortens() {
    let shorten = |request: &mut Request<Vec<u8>>| {
        if request.method() == "POST" {
            let body = String::from_utf8(request.body().clone()).unwrap();
            let (before, rest) = body.split_once(r#""expires_at":""#).unwrap();
            let (_, after) = rest.split_once('"').unwrap();
            *request.body_mut() = format!(r#"{before}"expires_at":"2026-02-01T03:04:05Z"{after}"#).into_bytes();
            request.headers_mut().remove("content-length");
        }
        None
    };
    let days = |days: u64| Duration::from_secs(days * DAY);
    for (renew_before, is_too_short) in [(20, false), (40, true)] {
        let middle = Middle::new(None, shorten);
        let long = request().renew_before(days(renew_before));
        let ensured = middle.ensure(long.clone()).unwrap();
        let [warning] = ensured.warnings.as_slice() else { panic!("{ensured:?}") };
        let text = "the account shortened the lifetime of the key: it expires at 2026-02-01T03:04:05Z";
        assert!(warning.to_string().starts_with(text), "{warning}");
        assert_eq!(warning.to_string().ends_with(" and is renewed in the last third of its lifetime"), is_too_short);
        // Not due at once, for ever.
        assert_eq!(middle.ensure(long).unwrap().change, EnsureChange::Unchanged);
    }
}

/// Requests with another key than the admin's get this response.
fn probe(answer: fn() -> Response<Vec<u8>>) -> (Middle, Result<Ensured, EnsureError<&'static str>>) {
    let is_on = Arc::new(Mutex::new(None::<String>));
    let on = Arc::clone(&is_on);
    let middle = Middle::new(None, move |request| {
        let key = request.headers().get("authorization")?.to_str().ok()?.to_owned();
        on.lock().unwrap().as_ref().is_some_and(|own| *own != key).then(answer)
    });
    middle.ensure(request()).unwrap();
    *is_on.lock().unwrap() = Some(format!("Bearer {}", middle.emulator.admin_key().expose_secret()));
    let ended = middle.ensure(request().renew_before(Duration::ZERO));
    (middle, ended)
}

#[test]
fn only_the_service_refuses_a_secret() {
    let (_, ended) = probe(|| problem(403));
    assert_eq!(ended.unwrap().change, EnsureChange::Unchanged);
    let login_page = || {
        let response = Response::builder().status(401).header("content-type", "text/html");
        response.body(b"<html>log in</html>".to_vec()).unwrap()
    };
    for answer in [login_page, || problem(404), || problem(422)] {
        let (middle, ended) = probe(answer);
        let error = ended.unwrap_err();
        assert!(matches!(error, EnsureError::Stored(_)), "{error}");
        assert!(error.to_string().starts_with("nothing was changed; whether the stored secret works is unknown: "));
        assert_eq!(middle.emulator.keys_created(), 1);
    }
}

#[test]
fn a_stored_text_that_is_no_key_is_replaced() {
    for text in ["not a key", "ak-\u{e9}", "two\nlines", "\u{fffd}"] {
        let middle = Middle::new(None, |_| None);
        *middle.store.lock().unwrap() = Some(text.into());
        assert_eq!(middle.ensure(request()).unwrap().change, EnsureChange::Created, "{text}");
    }
}

#[test]
fn an_expired_key_is_revoked() {
    each(|world: &World| {
        let expired = CreateRequest::new("etl").description("[arize-keys owner=host-7:etl]");
        let expired = world.client.create(&expired.expires_at(world.after(60))).unwrap();
        world.wait(61);
        let is_listed = world.client.list_all(&ListRequest::new()).any(|key| key.unwrap().id == expired.id);
        let ensured =
            world.client.ensure(&request().stored(Some(expired.key.clone())), |_| Ok::<(), &str>(())).unwrap();
        assert_eq!(ensured.change, EnsureChange::Created);
        assert_eq!(ensured.retired.iter().any(|key| key.id == expired.id), is_listed);
        assert!(ensured.pending.is_empty());
    });
}

#[test]
fn a_plan_is_what_a_run_does() {
    each(|world| {
        let before = world.emulator.requests();
        let plan = world.client.plan_ensure(&request().stored(None)).unwrap();
        assert_eq!((plan.change, plan.key.is_none(), plan.retired.len()), (EnsureChange::Created, true, 0));
        let mut store = None;
        let first = world.client.ensure(&request().stored(None), |created| {
            store = Some(created.key.clone());
            Ok::<(), &str>(())
        });
        let first = first.unwrap();
        let request = request().stored(store).exclusive(true);
        let plan = world.client.plan_ensure(&request).unwrap();
        assert_eq!((plan.change, plan.key.map(|key| key.id)), (EnsureChange::Unchanged, Some(first.key.id.clone())));
        let plan = world.client.plan_ensure(&request.clone().renew_now(true)).unwrap();
        assert_eq!((plan.change, plan.retired[0].id.as_str()), (EnsureChange::Renewed, first.key.id.as_str()));
        let plan = world.client.plan_ensure(&request.renew_now(true).overlap(Duration::from_secs(1))).unwrap();
        assert_eq!((plan.retired.len(), plan.pending[0].id.as_str()), (0, first.key.id.as_str()));
        assert_eq!(world.emulator.keys_created(), 1);
        assert!(world.emulator.requests() > before);
    });
}

#[test]
fn a_hook_that_fails_keeps_all_keys() {
    each(|world| {
        let mut store: Option<SecretString> = None;
        let seen = Arc::new(Mutex::new(Vec::new()));
        let hook = |result: Result<(), &'static str>| {
            let seen = Arc::clone(&seen);
            move |key: &arize_api_keys::ApiKey| {
                seen.lock().unwrap().push(key.id.clone());
                result.map_err(Into::into)
            }
        };
        let first = world.client.ensure(&request().before_retire(hook(Ok(()))), |created| {
            store = Some(created.key.clone());
            Ok::<(), &str>(())
        });
        let first = first.unwrap().key;
        let old = store.clone().unwrap();
        world.wait(1);
        let renew = request().stored(store.clone()).renew_now(true).before_retire(hook(Err("no reload")));
        let error = world.client.ensure(&renew, |created| {
            store = Some(created.key.clone());
            Ok::<(), &str>(())
        });
        let error = error.unwrap_err();
        let EnsureError::BeforeRetire { key, .. } = &error else { panic!("{error}") };
        assert!(error.to_string().ends_with("works; of the old keys, none was revoked: no reload"), "{error}");
        assert!(world.alive(&old) && world.alive(store.as_ref().unwrap()));
        assert_eq!(*seen.lock().unwrap(), [first.id.as_str(), key.id.as_str()]);
        // The next run calls it again, before it revokes.
        let next = request().stored(store.clone()).exclusive(true);
        let failed = world.client.ensure(&next.clone().before_retire(hook(Err("no reload"))), |_| Ok::<(), &str>(()));
        assert!(failed.is_err() && world.alive(&old));
        let ensured = world.client.ensure(&next.before_retire(hook(Ok(()))), |_| Ok::<(), &str>(())).unwrap();
        assert_eq!((ensured.change, ensured.retired[0].id.as_str()), (EnsureChange::Unchanged, first.id.as_str()));
        assert_eq!(seen.lock().unwrap().len(), 4);
    });
}

#[test]
fn an_unknown_id_is_not_adopted() {
    each(|world| {
        let run = |id: &str| world.client.ensure(&request().stored(None).adopt(id), |_| Ok::<(), &str>(()));
        let error = run(super::world::NO_KEY).unwrap_err();
        assert!(matches!(error, EnsureError::AdoptedNotFound), "{error}");
        assert_eq!(world.emulator.keys_created(), 0);
        let by_hand = world.client.create(&CreateRequest::new("by hand")).unwrap();
        world.client.revoke(&by_hand.id).unwrap();
        let ensured = run(&by_hand.id).unwrap();
        assert_eq!((ensured.change, ensured.warnings), (EnsureChange::Created, vec![EnsureWarning::AdoptedIsRevoked]));
    });
}
