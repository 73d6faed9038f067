//! Invariants under any behaviour of the network.

use std::time::Duration;

use arize_api_keys::{Clock, Error, ExposeSecret, Outcome, RetryPolicy, TransportErrorKind as Kind};
use proptest::prelude::*;

use crate::support::script::{Answer, CREATED, NEW_KEY, Rig, Verb, everything, failed, html, json, problem, reply};
use crate::support::{Jitter, TRANSPORT_FAILURES, TestClock};

/// One thing that can happen to a request.
#[derive(Clone, Debug)]
enum Event {
    NotSent(Kind),
    Lost(Kind),
    Status(u16),
    /// A refusal with a `Retry-After`.
    SlowDown(u16, u64),
    Cut(usize),
    LoginPage,
    Success,
}

impl Event {
    fn answer(&self, verb: Verb) -> Answer {
        match self {
            Self::NotSent(kind) => failed(*kind).not_sent(),
            Self::Lost(kind) => failed(*kind),
            Self::Status(status) => reply(*status, ""),
            Self::SlowDown(status, seconds) => {
                problem(*status, r#"{"title":"slow down"}"#).header("retry-after", seconds.to_string())
            }
            Self::Cut(at) => json(200, &CREATED[..*at]).cut(Kind::Interrupted),
            Self::LoginPage => html(200),
            Self::Success => verb.good_answer(),
        }
    }

    /// The service cannot have done anything.
    fn is_harmless(&self) -> bool {
        matches!(self, Self::NotSent(_) | Self::Status(429) | Self::SlowDown(429, _))
    }

    fn asked_for(&self) -> Duration {
        match self {
            Self::SlowDown(429 | 503, seconds) => Duration::from_secs(*seconds),
            _ => Duration::ZERO,
        }
    }
}

fn kind() -> impl Strategy<Value = Kind> {
    prop::sample::select(TRANSPORT_FAILURES.to_vec())
}

/// Mostly such as are tried again, or nothing would ever happen.
fn event() -> impl Strategy<Value = Event> {
    let passing = || prop::sample::select(vec![Kind::Resolve, Kind::Connect, Kind::Timeout, Kind::Interrupted]);
    let status = prop::sample::select(vec![429, 500, 502, 503, 504, 408, 302, 400, 404, 501, 799]);
    prop_oneof![
        4 => passing().prop_map(Event::NotSent),
        2 => passing().prop_map(Event::Lost),
        1 => kind().prop_map(Event::NotSent),
        1 => kind().prop_map(Event::Lost),
        4 => status.prop_map(Event::Status),
        4 => (prop::sample::select(vec![429, 503, 500]), 0_u64..70).prop_map(|(status, wait)| Event::SlowDown(status, wait)),
        1 => (0..CREATED.len()).prop_map(Event::Cut),
        1 => Just(Event::LoginPage),
        1 => Just(Event::Success),
    ]
}

fn verb() -> impl Strategy<Value = Verb> {
    prop::sample::select(&Verb::ALL[..])
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_promises_of_the_retry_policy(
        verb in verb(),
        events in prop::collection::vec((event(), 0_u64..20_000), 10),
        max_attempts in 1_u32..=10,
        timeout in 1_u64..=120,
        dice in 0_u32..=1000,
    ) {
        let timeout = Duration::from_secs(timeout);
        let policy = RetryPolicy::default().max_attempts(max_attempts);
        let answers = events.iter().map(|(event, millis)| event.answer(verb).takes_in_time(Duration::from_millis(*millis)));
        let clock = TestClock::new().jitter(Jitter::Thousandths(dice));
        let begun = clock.elapsed();
        let rig = Rig::with(answers, false, clock, |builder| builder.stage(verb.stage()).retry(policy).timeout(timeout));
        let result = verb.call(&rig.client);
        let sent = rig.sent();
        let sleeps = rig.clock.sleeps();

        // As many attempts as allowed, and a wait between each two.
        prop_assert!(!sent.is_empty() && sent.len() <= max_attempts as usize);
        prop_assert_eq!(sleeps.len(), sent.len() - 1);
        // Never longer than the deadline; only the last millisecond may be rounded up.
        prop_assert!(rig.clock.elapsed() - begun <= timeout + Duration::from_millis(1));
        for one in &sent {
            let left = (begun + timeout).saturating_sub(one.at);
            prop_assert!(!left.is_zero());
            prop_assert_eq!(one.options.timeout, left.clamp(Duration::from_millis(1), Duration::from_secs(30)));
        }
        // Never back before the service asked for it.
        for (wait, (event, _)) in sleeps.iter().zip(&events) {
            prop_assert!(*wait >= event.asked_for(), "{wait:?} after {event:?}");
            prop_assert!(event.asked_for() <= Duration::from_secs(60));
        }
        // What mints a secret is never sent again after an attempt that may have been processed.
        if Verb::MINTING.contains(&verb) {
            for (event, _) in &events[..sent.len() - 1] {
                prop_assert!(event.is_harmless(), "sent again after {event:?}");
            }
            prop_assert!(sent.iter().all(|one| one.options.fresh_connection));
        }
        let (last, _) = &events[sent.len() - 1];
        match result {
            Ok(secret) => prop_assert_eq!(secret.is_some(), Verb::MINTING.contains(&verb)),
            Err(error) => {
                prop_assert_eq!(error.attempts() as usize, sent.len());
                let mut chain = 1;
                let mut earlier = &error;
                while let Some(previous) = earlier.previous_attempt() {
                    chain += 1;
                    earlier = previous;
                }
                prop_assert_eq!(chain, sent.len());
                // "Try again" and "it may have happened" never go together where a second time does harm.
                if Verb::MINTING.contains(&verb) && error.is_retryable() {
                    prop_assert!(matches!(error.outcome(), Outcome::NotSent | Outcome::Rejected), "{error}");
                }
                if matches!(error.outcome(), Outcome::NotSent) {
                    prop_assert!(matches!(last, Event::NotSent(_)));
                }
                prop_assert!(!everything(&error).contains("PLANTED"));
            }
        }
    }

    #[test]
    fn a_secret_that_arrived_is_never_lost(
        verb in prop::sample::select(&Verb::MINTING[..]),
        status in 200_u16..300,
        content_type in prop::option::of(prop::sample::select(vec!["application/json", "text/html", "", ";;"])),
        cut in 0..=CREATED.len(),
        failure in prop::option::of(kind()),
    ) {
        let body = &CREATED[..cut];
        let mut answer = reply(status, body);
        if let Some(content_type) = content_type {
            answer = answer.header("content-type", content_type);
        }
        if let Some(kind) = failure {
            answer = answer.cut(kind);
        }
        let rig = Rig::new([answer]);
        match verb.call(&rig.client) {
            Ok(secret) => {
                prop_assert_eq!(secret.as_deref(), Some(NEW_KEY));
                prop_assert!(cut >= CREATED.len() - 1);
            }
            Err(Error::SecretNotRecovered(lost)) => {
                prop_assert!(cut < CREATED.len() - 1);
                prop_assert_eq!(lost.raw_body().expose_secret(), body.as_bytes());
                let error = Error::SecretNotRecovered(lost);
                // An empty body under another type than JSON may be the rest of a login page.
                let is_foreign = cut == 0 && failure.is_some() && !matches!(content_type, None | Some("application/json" | "" | ";;"));
                let outcome = if is_foreign { Outcome::Unknown } else { Outcome::Applied };
                prop_assert_eq!((error.outcome(), error.is_retryable(), error.status()), (outcome, false, Some(status)));
                prop_assert!(!everything(&error).contains("PLANTED"));
            }
            Err(error) => prop_assert!(false, "{}", error),
        }
        prop_assert_eq!(rig.sent().len(), 1);
    }
}
